//! A step's workplace, the same for every engine: what is in its folder, and what its runner is told by variables.
//! Where the folder is, and who starts the runner in it, is the engine's matter.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use app::model::flow::StepKey;

use crate::{
    engine::{
        StepPlan,
        local::{folder::StepFolder, shim::Orders},
    },
    packages::{
        conda::{self, CondaInstaller},
        environments::Python,
        nix::{self, NixSettings, provider::Provider},
        preparation,
    },
    runner::{self, Secrets},
};

/// With what a step is prepared, and runs.
#[derive(Debug)]
pub struct Workplace<'a> {
    /// The folder of the runner's files.
    pub runner: &'a Path,
    /// uv.
    pub uv: &'a Path,
    /// The Python that the step uses.
    pub python: &'a Python,
    /// The folder of environments and of uv's cache.
    pub cache: &'a Path,
    /// Where system packages come from.
    pub nix: &'a NixSettings,
    /// Where conda comes from; `None` when no installer is known.
    pub conda: Option<&'a CondaInstaller>,
    /// Seconds for each stage of preparing.
    pub stage_timeout: u32,
    /// Bytes that must be free where something is to be built.
    pub minimum_free: u64,
    /// Bytes of memory (address space) that each process of the program may have.
    pub memory_limit: Option<u64>,
    /// What only preparing may see, by name.
    pub preparation: Vec<(String, String)>,
    /// Where the step puts its outputs; `None` where none are kept.
    pub outputs: Option<PathBuf>,
}

/// The largest output that a step may leave as JSON, in bytes. Larger ones are files.
const OUTPUT_LIMIT: u64 = 64 * 1024 * 1024;

impl Workplace<'_> {
    /// The runner's whole environment, for a step that has this folder.
    #[must_use]
    pub fn environment(&self, folder: &StepFolder, secrets: &Secrets, plan: &StepPlan) -> Vec<(String, String)> {
        let mut environment: Vec<(String, String)> = vec![
            ("PATH".into(), preparation::PATH.into()),
            ("HOME".into(), text(&folder.work())),
            ("LANG".into(), "C.UTF-8".into()),
            ("TMPDIR".into(), text(&folder.temporary())),
            ("PYTHONUNBUFFERED".into(), "1".into()),
            ("STOKER_STEP".into(), text(folder.path())),
            ("STOKER_STDERR_TAG".into(), secrets.error_tag.clone()),
            ("STOKER_RUNNER".into(), text(self.runner)),
            ("STOKER_UV".into(), text(self.uv)),
            ("STOKER_UV_CACHE".into(), text(&self.cache.join("uv"))),
            ("STOKER_PYTHON".into(), text(&self.python.path)),
            ("STOKER_ENVIRONMENTS".into(), text(&self.cache.join("environments"))),
            ("STOKER_STAGE_SECONDS".into(), self.stage_timeout.to_string()),
            ("STOKER_MINIMUM_FREE_KIB".into(), (self.minimum_free / 1024).to_string()),
        ];
        let set = self.system_packages(plan, &mut environment);
        environment.push(("STOKER_ENVIRONMENT_KEY".into(), self.python.environment_key(&plan.lock, set.as_deref())));
        if !plan.definition.spec.use_cache {
            environment.push(("STOKER_PRIVATE".into(), "1".into()));
        }
        if let Some(bytes) = self.memory_limit {
            environment.push(("STOKER_MEMORY_KIB".into(), (bytes / 1024).to_string()));
        }
        environment.push(("STOKER_READABLE".into(), text(&folder.readable())));
        if let Some(outputs) = &self.outputs {
            environment.push(("STOKER_OUTPUT_DIR".into(), text(outputs)));
            environment.push(("STOKER_OUTPUT_LIMIT".into(), OUTPUT_LIMIT.to_string()));
        }
        let names: Vec<&str> = self.preparation.iter().map(|(name, _)| name.as_str()).collect();
        environment.push(("STOKER_PREPARATION_ONLY".into(), names.join(" ")));
        environment.extend(self.preparation.iter().cloned());
        environment
    }

    /// What the runner must know to make the system packages ready. Gives the key of the set that comes from Nix.
    fn system_packages(&self, plan: &StepPlan, environment: &mut Vec<(String, String)>) -> Option<String> {
        let mut tell = |name: &str, value: &str| environment.push((name.to_owned(), value.to_owned()));
        tell("STOKER_SETS", &self.nix.sets.to_string_lossy());
        tell("STOKER_PROGRAM", &self.nix.stoker.to_string_lossy());
        if plan.definition.spec.system_packages.iter().any(conda::provides) {
            match self.conda {
                Some(conda) => {
                    tell("STOKER_CONDA", &conda.folder(self.cache).to_string_lossy());
                    tell("STOKER_CONDA_KIND", conda.word());
                    tell("STOKER_CONDA_URL", &conda.url);
                    tell("STOKER_CONDA_SHA256", &conda.sha256);
                }
                None => tell("STOKER_CONDA", "none"),
            }
        }
        let names = nix::names(&plan.definition.spec.system_packages);
        if names.is_empty() {
            return None;
        }
        let provider = Provider::find(self.nix);
        let key = self.nix.set_key(&names, &provider);
        tell("STOKER_NIX_KIND", provider.word());
        tell("STOKER_NIXPKGS", &self.nix.nixpkgs);
        tell("STOKER_NIX_HOME", &self.nix.folder.join("home").to_string_lossy());
        tell("STOKER_SET_KEY", &key);
        if let Some(program) = provider.program() {
            tell("STOKER_NIX", &program.to_string_lossy());
        }
        if let Some(root) = provider.root() {
            tell("STOKER_NIX_ROOT", &root.to_string_lossy());
        }
        if let Provider::Portable { runtime, .. } = provider {
            tell("STOKER_NIX_RUNTIME", runtime);
        }
        Some(key)
    }
}

/// Makes the folder of a step, with everything that its runner and its shim need.
///
/// # Errors
/// When it is there, or cannot be written.
pub fn lay_out(
    folder: &StepFolder,
    plan: &StepPlan,
    orders: &Orders,
    secrets: &str,
    outputs_of: impl Fn(&StepKey) -> PathBuf,
) -> io::Result<()> {
    fs::create_dir(folder.path())?;
    fs::create_dir(folder.work())?;
    fs::create_dir(folder.temporary())?;
    fs::write(folder.work().join("main.py"), plan.definition.spec.code.as_str())?;
    fs::write(folder.path().join("requirements.txt"), &plan.lock.0)?;
    let names: String =
        nix::names(&plan.definition.spec.system_packages).iter().flat_map(|name| [name, "\n"]).collect();
    fs::write(folder.path().join("system.txt"), names)?;
    fs::write(folder.path().join("spec.json"), serde_json::to_vec(&plan.definition.spec)?)?;
    fs::write(folder.orders(), serde_json::to_vec(orders)?)?;
    folder.leave_secrets(secrets)?;
    let readable: Vec<_> = plan
        .readable
        .iter()
        .map(|step| ReadableStep { key: step.key.as_str(), name: step.name.as_str(), folder: outputs_of(&step.key) })
        .collect();
    fs::write(folder.readable(), serde_json::to_vec(&readable)?)?;
    if !plan.definition.spec.environment.is_empty() {
        fs::write(folder.path().join("arguments.sh"), runner::arguments_script(&plan.definition.spec.environment))?;
    }
    folder.make_fifos()
}

/// A step whose outputs the program may read, as it is told of it.
#[derive(serde::Serialize)]
struct ReadableStep<'a> {
    key: &'a str,
    name: &'a str,
    folder: PathBuf,
}

/// How a runner is started that is in this folder.
#[must_use]
pub fn command(runner: &Path) -> Vec<String> {
    vec!["/bin/sh".into(), text(&runner.join("runner.sh"))]
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
