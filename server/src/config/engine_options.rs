//! The options that say where runs run, and how they go to a cluster.

use std::{num::NonZeroUsize, path::PathBuf};

use app::model::resources::{Cpu, Memory};
use clap::{Args, ValueEnum};

/// Where runs can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EngineKind {
    /// On this machine.
    Local,
    /// In a Kubernetes cluster with Argo Workflows.
    Argo,
}

/// Where runs run.
#[derive(Debug, Clone, Args)]
pub struct EngineOptions {
    /// Where runs run; may be a list with commas, of which the first is the default and tasks may choose another.
    #[arg(
        long = "engine",
        env = "STOKER_ENGINE",
        value_name = "ENGINE",
        value_enum,
        value_delimiter = ',',
        default_value = "local"
    )]
    pub engines: Vec<EngineKind>,

    /// How runs go to the cluster.
    #[command(flatten)]
    pub cluster: ClusterOptions,
}

/// How runs go to a cluster.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "With --engine argo")]
pub struct ClusterOptions {
    /// The kubeconfig. [default: what KUBECONFIG names, ~/.kube/config, or in a pod its service account]
    #[arg(long, env = "STOKER_KUBECONFIG", value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// The kubeconfig's context that names the cluster. [default: the current one]
    #[arg(long, env = "STOKER_KUBE_CONTEXT", value_name = "NAME")]
    pub context: Option<String>,

    /// The namespace of runs. [default: the context's]
    #[arg(long, env = "STOKER_NAMESPACE", value_name = "NAME")]
    pub namespace: Option<String>,

    /// The task image, as the cluster's nodes know it; of the same version as this Stoker. May be repeated, or be a list
    /// with commas: with a version of Python before it, as in `3.12=IMAGE`, it is for tasks that ask for that version.
    #[arg(long = "image", env = "STOKER_IMAGE", value_name = "[PYTHON=]IMAGE", value_delimiter = ',')]
    pub images: Vec<String>,

    /// The full version of Python in the image that is named without one.
    #[arg(long, env = "STOKER_IMAGE_PYTHON", value_name = "VERSION", default_value = "3.11.2")]
    pub image_python: String,

    /// The images' platform, in uv's words (`uv pip compile --python-platform`).
    #[arg(long, env = "STOKER_IMAGE_PLATFORM", value_name = "PLATFORM", default_value = "x86_64-manylinux_2_36")]
    pub image_platform: String,

    /// The claim for environments and downloaded packages. Without one, each run installs its packages anew.
    #[arg(long, env = "STOKER_CACHE_CLAIM", value_name = "NAME")]
    pub cache_claim: Option<String>,

    /// The claim for the Nix store. Without one, each run fetches its system packages anew.
    #[arg(long, env = "STOKER_NIX_CLAIM", value_name = "NAME")]
    pub nix_claim: Option<String>,

    /// The claim for what steps put out for later ones. Without one, steps cannot pass data on.
    #[arg(long, env = "STOKER_RESULTS_CLAIM", value_name = "NAME")]
    pub results_claim: Option<String>,

    /// Where this server has that claim's volume, to show what steps have put out, and to remove it with its run.
    #[arg(long, env = "STOKER_RESULTS_FOLDER", value_name = "FOLDER")]
    pub results_folder: Option<PathBuf>,

    /// The service account of Argo's executor in the pods; programs get none. [default: the namespace's default]
    #[arg(long, env = "STOKER_SERVICE_ACCOUNT", value_name = "NAME")]
    pub service_account: Option<String>,

    /// The user id of the pods' containers.
    #[arg(long, env = "STOKER_POD_USER", value_name = "NUMBER", default_value = "1000", value_parser = clap::value_parser!(i64).range(1..))]
    pub pod_user: i64,

    /// Processors that a program asks for whose task says nothing, such as 0.5. [default: nothing]
    #[arg(long, env = "STOKER_DEFAULT_CPU_REQUEST", value_name = "NUMBER", value_parser = cpu)]
    pub default_cpu_request: Option<Cpu>,

    /// Memory that a program asks for whose task says nothing, such as 512Mi. [default: nothing]
    #[arg(long, env = "STOKER_DEFAULT_MEMORY_REQUEST", value_name = "AMOUNT", value_parser = memory)]
    pub default_memory_request: Option<Memory>,

    /// How many runs the cluster gets at once; the others wait in order.
    #[arg(long, env = "STOKER_CLUSTER_RUNS", value_name = "NUMBER", default_value = "20")]
    pub cluster_runs: NonZeroUsize,
}

fn cpu(text: &str) -> Result<Cpu, String> {
    Cpu::parse(text).map_err(|error| error.to_string())?.ok_or_else(|| "enter a number of processors".to_owned())
}

fn memory(text: &str) -> Result<Memory, String> {
    Memory::parse(text).map_err(|error| error.to_string())?.ok_or_else(|| "enter an amount of memory".to_owned())
}
