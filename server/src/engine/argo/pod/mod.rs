//! What runs inside the pod of a step: `stoker pod prepare` makes its environment ready, and `stoker pod run` waits for that
//! and runs its program, in a container that can only read what was prepared. Both are the local engine's shim with another reader:
//! what it writes down is printed as [frames](super::frames), for the engine to read in the log.

use std::{
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
    time::Duration,
};

use app::model::{flow::StepKey, spec::Timeout};
use tokio::signal::unix::{SignalKind, signal};

use super::{
    assignment::{self, Assignment},
    cursor::Part,
    frames::FrameWriter,
};
use crate::{
    clock::{Clock as _, SystemClock},
    engine::{
        EndCause, StepEnd,
        local::{
            caches::{self, CacheFolders, hold, use_lock},
            folder::StepFolder,
            outputs::Outputs,
            shim::{self, Orders, TELL_CANCEL},
        },
        workplace::{self, Workplace},
    },
    packages::{
        environments::Python,
        nix::{self, NixChoice, NixSettings},
        preparation,
    },
    programs,
    remove_tree::remove_tree,
    runner,
};

mod gate;
mod printer;
mod pruning;

use gate::Gate;

/// Where the assignment is.
pub const ASSIGNMENT: &str = "/stoker/assignment";
/// The steps' folders: of this pod alone, and shared by its containers.
pub const STEPS: &str = "/stoker/steps";
/// Environments and uv's cache: shared by all pods.
pub const CACHE: &str = "/stoker/cache";
/// What steps put out: shared by all pods.
pub const RESULTS: &str = "/stoker/results";
/// The folder of preparing, among the steps'.
const PREPARATION: &str = "preparation";
/// The variable that says on which node the pod is.
pub const NODE: &str = "STOKER_NODE";

/// What a shell says of a program that a signal ended: this and the signal's number.
const SIGNALLED: i32 = 128;

/// Prepares the step that the pod was assigned. Ends like the runner.
#[must_use]
pub fn prepare() -> ExitCode {
    let steps = Path::new(STEPS);
    let prepared = Gate::close(steps).and_then(|gate| {
        let assignment = match Assignment::read(&fs::read(Path::new(ASSIGNMENT).join(assignment::FILE))?)? {
            Ok(assignment) => assignment,
            Err(refusal) => return refused(refusal),
        };
        if let Err(error) = begin_outputs(&assignment) {
            return refused(format!(
                "The volume for what steps put out cannot be written: {error}. Check the claim that --results-claim names."
            ));
        }
        let python = match python(&assignment)? {
            Ok(python) => python,
            Err(refusal) => return refused(refusal),
        };
        let folder = lay_out(&assignment, &python)?;
        // Where it cannot be had, nobody can take anything away either.
        let hold = hold::for_use(Path::new(CACHE)).ok();
        let ended = shown(&folder);
        drop(hold);
        // What only preparing may know is in there, and the program's container has the folder above.
        remove_tree(folder.path())?;
        let end = ended?;
        if end.exit_code == Some(0) && end.cause == EndCause::Program {
            gate.open(steps)?;
            prune(&assignment);
        }
        Ok(end)
    });
    exit(Part::Prepare, prepared)
}

/// Nothing hangs on it: what could not be taken away now is another time.
#[expect(clippy::print_stderr, reason = "the pod's log is where somebody will look")]
fn prune(assignment: &Assignment) {
    let Some(seconds) = assignment.conditions.prune_after else { return };
    let unused_for = Duration::from_secs(seconds);
    if let Err(error) = pruning::prune(&folders(), unused_for, SystemClock.now()) {
        eprintln!("stoker: what no run used for long could not be taken away from the volume: {error}");
    }
    // Other pods have no store.
    let has_store = !nix::names(&assignment.plan.definition.spec.system_packages).is_empty();
    if has_store && let Err(error) = pruning::collect_store_garbage(&folders(), &nix_settings(assignment)) {
        eprintln!("stoker: what no package set keeps could not be taken away from the Nix store: {error}");
    }
}

fn nix_settings(assignment: &Assignment) -> NixSettings {
    let nixpkgs = assignment.conditions.nixpkgs.clone();
    NixSettings::new(NixChoice::Nix, nixpkgs, Path::new(CACHE), nix::stoker_program())
}

fn folders() -> CacheFolders {
    CacheFolders::at(CACHE.into(), STEPS.into())
}

/// Runs the program of the step in a folder, once it is prepared. Ends like the program; without a word when nothing was
/// prepared, since the other container has said why.
#[must_use]
pub fn run(folder: &Path) -> ExitCode {
    match gate::wait(Path::new(STEPS)) {
        Ok(true) => {
            let folder = StepFolder::at(folder.to_owned());
            // As above.
            let _used = caches::named_by(&folder).and_then(|used| use_lock::lock(&folders(), &used)).ok();
            exit(Part::Run, shown(&folder))
        }
        Ok(false) => ExitCode::FAILURE,
        Err(error) => exit(Part::Run, Err(error)),
    }
}

#[expect(clippy::print_stderr, reason = "the pod's log is where somebody will look")]
fn exit(part: Part, ended: io::Result<StepEnd>) -> ExitCode {
    match ended {
        Ok(end) => {
            let code = end.exit_code.or(end.signal.map(|signal| SIGNALLED + signal));
            code.and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
        }
        Err(error) => {
            eprintln!("stoker: the container {} cannot do its work: {error}", part.container());
            ExitCode::FAILURE
        }
    }
}

/// Says why this pod cannot do what it was assigned.
fn refused(refusal: String) -> io::Result<StepEnd> {
    let end = StepEnd { exit_code: Some(1), ..StepEnd::by(EndCause::Outside(refusal)) };
    let mut text = Vec::new();
    FrameWriter::default().end(SystemClock.now(), &end, &mut text)?;
    io::stdout().lock().write_all(&text)?;
    Ok(end)
}

/// Makes the empty folder for what this attempt puts out, and what it may read of an earlier run its own run's.
fn begin_outputs(assignment: &Assignment) -> io::Result<()> {
    let Some(folder) = assignment.outputs.clone() else { return Ok(()) };
    let plan = &assignment.plan;
    Outputs::below(folder).begin(&plan.step, &plan.definition.key, &plan.readable)
}

/// The Python of the image: of the version that the step asks for, or why there is none.
fn python(assignment: &Assignment) -> io::Result<Result<Python, String>> {
    let uv = programs::found_on_path(Path::new("uv"));
    let wanted = assignment.plan.definition.spec.python.map(|version| version.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let found = runtime.block_on(Python::find(&uv, wanted.as_deref()));
    Ok(found.map_err(|error| match wanted {
        Some(wanted) => {
            format!("The task image for Python {wanted} has another Python. Name the right one with --image. {error}")
        }
        None => error.to_string(),
    }))
}

/// Lays the folders of both containers out. Gives that of preparing.
fn lay_out(assignment: &Assignment, python: &Python) -> io::Result<StepFolder> {
    let (plan, conditions) = (&assignment.plan, &assignment.conditions);
    let (steps, cache) = (Path::new(STEPS), Path::new(CACHE));
    for folder in ["environments", "sets", "uv"] {
        fs::create_dir_all(cache.join(folder))?;
    }
    let uv = programs::found_on_path(Path::new("uv"));
    let nix = nix_settings(assignment);
    let runner = runner::install(&steps.join("runner"))?;
    let folder = StepFolder::of(steps, &plan.step);
    let (run, key) = (plan.step.run(), &plan.definition.key);
    let outputs = assignment.outputs.clone().map(Outputs::below);
    let orders = |preparation, what: &str| {
        let workplace = Workplace {
            runner: &runner,
            uv: &uv,
            python,
            cache,
            nix: &nix,
            conda: conditions.conda.as_ref(),
            stage_timeout: conditions.stage_timeout,
            minimum_free: conditions.minimum_free,
            memory_limit: None,
            preparation,
            outputs: outputs.as_ref().map(|outputs| outputs.of_step(&run, key)),
        };
        let mut environment = workplace.environment(&folder, &assignment.secrets, plan);
        environment.push((what.to_owned(), "1".to_owned()));
        environment.push(("STOKER_CONTAINER_RUNTIME".to_owned(), container_runtime()));
        Orders {
            command: workplace::command(&runner),
            environment,
            preparation_timeout: conditions.preparation_timeout,
            program_timeout: plan.definition.spec.timeout.map(Timeout::seconds).or(conditions.default_timeout),
            grace: conditions.grace,
            log_limit: conditions.log_limit,
        }
    };
    let markers = &assignment.secrets.markers;
    // What only preparing may see does not reach the container in which the program runs.
    let outputs_of = |step: &StepKey| outputs.as_ref().map(|outputs| outputs.of_step(&run, step)).unwrap_or_default();
    workplace::lay_out(
        &folder,
        plan,
        &orders(Vec::new(), "STOKER_PREPARED"),
        &markers.input_after_preparing(),
        outputs_of,
    )?;
    let own = StepFolder::at(steps.join(PREPARATION));
    workplace::lay_out(
        &own,
        plan,
        &orders(preparation_variables(&conditions.preparation), "STOKER_PREPARE_ONLY"),
        &markers.input(),
        outputs_of,
    )?;
    Ok(own)
}

/// The engine's, and those of the image that name its own files.
fn preparation_variables(given: &[(String, String)]) -> Vec<(String, String)> {
    let mut variables = preparation::variables(None);
    variables.retain(|(name, _)| given.iter().all(|(other, _)| other != name));
    variables.extend(given.iter().cloned());
    variables
}

fn container_runtime() -> String {
    let node = env::var(NODE).unwrap_or_default();
    format!("A container on the node {node}.")
}

/// Runs what a folder's orders say, and prints what happens.
fn shown(folder: &StepFolder) -> io::Result<StepEnd> {
    // Before anything is started, so that nothing that comes meanwhile is missed.
    let _terminations = hear_terminations(folder)?;
    let path: PathBuf = folder.path().to_owned();
    let shim = thread::spawn(move || shim::run(path));
    printer::print(folder, &mut io::stdout().lock(), || shim.is_finished())
}

/// The cluster asks a container to end by a signal: the shim hears it as a cancel.
fn hear_terminations(folder: &StepFolder) -> io::Result<thread::JoinHandle<io::Result<()>>> {
    let mut control = StepFolder::open_fifo(&folder.control())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut terminations = runtime.block_on(async { signal(SignalKind::terminate()) })?;
    Ok(thread::spawn(move || {
        while runtime.block_on(terminations.recv()).is_some() {
            control.write_all(&[TELL_CANCEL])?;
        }
        Ok(())
    }))
}
