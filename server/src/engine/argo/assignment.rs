//! What a step's pod is told, as data: the only thing that goes from the engine into the pod. It travels in a secret, since
//! a program and its variables may hold passwords, and never in a template, an argument or a variable.

use std::{io, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::{engine::StepPlan, packages::conda::CondaInstaller, runner::Secrets};

/// The file's name, in the secret and in the pod.
pub const FILE: &str = "assignment.json";

/// What a pod is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The version of the server, which the pod's must be too.
    pub version: String,
    /// The step.
    pub plan: StepPlan,
    /// What tells the runner's words from the program's.
    pub secrets: Secrets,
    /// The folder of the outputs of all runs of this Stoker; `None` where none are kept.
    pub outputs: Option<PathBuf>,
    /// How it is to be done.
    pub conditions: Conditions,
}

/// How steps are prepared and run: the same for all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conditions {
    /// What only preparing may see, by name.
    pub preparation: Vec<(String, String)>,
    /// Seconds for preparing.
    pub preparation_timeout: u32,
    /// Seconds for programs that set no time limit themselves.
    pub default_timeout: Option<u32>,
    /// Seconds between asking processes to end and killing them.
    pub grace: u32,
    /// Bytes of output that are kept of a step.
    pub log_limit: u64,
    /// Seconds for each stage of preparing.
    pub stage_timeout: u32,
    /// Bytes that must be free where something is to be built.
    pub minimum_free: u64,
    /// Seconds after which what no run has used is taken away from the volumes; `None` keeps all.
    pub prune_after: Option<u64>,
    /// The nixpkgs that system packages come from, as a flake reference.
    pub nixpkgs: String,
    /// Where conda comes from.
    pub conda: Option<CondaInstaller>,
}

impl Assignment {
    /// Reads what another process of the same version wrote.
    ///
    /// # Errors
    /// When it is of another version, in the user's words; or damaged.
    pub fn read(bytes: &[u8]) -> io::Result<Result<Self, String>> {
        #[derive(Deserialize)]
        struct Versioned {
            version: String,
        }
        let Versioned { version } = serde_json::from_slice(bytes)?;
        let own = env!("CARGO_PKG_VERSION");
        if version != own {
            return Ok(Err(format!(
                "The task image has Stoker {own}, and the server is Stoker {version}. Make the image of the same version, \
                 and name it with --image."
            )));
        }
        Ok(Ok(serde_json::from_slice(bytes)?))
    }
}
