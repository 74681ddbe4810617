//! Preparing an environment without running a program in it, beside whatever a server does on the same data folder.

use std::{io, num::NonZeroU32, path::Path, process::Stdio};

use app::model::{checkpoint::CheckpointStatus, flow::FlowStep, identifiers::RunUid, lock::Lock, spec::TaskSpec};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::{
    LocalEngine,
    folder::{OF_NO_RUN, StepFolder},
    shim::Orders,
};
use crate::{
    clock::Random,
    engine::{EngineError, StepPlan, local::caches::hold},
    programs,
    remove_tree::remove_tree,
    runner::markers::{Marker, MarkerSecrets},
};

/// Why an environment was not prepared.
#[derive(Debug, thiserror::Error)]
pub enum WarmError {
    /// The step could not be laid out.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The runner could not be started or heard.
    #[error("The environment could not be prepared: {0}.")]
    System(#[from] io::Error),
    /// The preparation failed; what was said last.
    #[error("The environment was not prepared. {0}")]
    Failed(String),
}

impl LocalEngine {
    /// Prepares the environment of a spec, and tells each line of what happens. It runs the runner as a step of no
    /// run, so that it is built where and as a run would build it, and prune leaves it alone meanwhile.
    ///
    /// # Errors
    /// When it could not be prepared.
    pub async fn warm(
        &self,
        spec: &TaskSpec,
        lock: Lock,
        random: &dyn Random,
        mut tell: impl FnMut(&str) + Send,
    ) -> Result<(), WarmError> {
        let mut bytes = [0; 10];
        random.fill(&mut bytes);
        let step = RunUid::from_random(bytes).step(NonZeroU32::MIN);
        let workshop = &self.workshop;
        let python = self.python(spec.python).await?;
        let folder = StepFolder::at(workshop.steps().join(format!("{OF_NO_RUN}{step}")));
        let secrets = workshop.secret_key.of_step(&step);
        // Nobody clears the folder away between its being there and its being held.
        let shared = hold::for_use(&workshop.settings.cache)?;
        let plan = StepPlan { step, definition: FlowStep::only(spec.clone()), lock, readable: Vec::new() };
        workshop.stage_in(&folder, &secrets, &plan, &python)?;
        let _held = folder.wait_for_lock()?;
        drop(shared);
        let orders: Orders = serde_json::from_slice(&std::fs::read(folder.orders())?).map_err(io::Error::from)?;
        let outcome = run(orders, folder.take_secrets()?, &secrets.markers, &mut tell).await;
        // What could not be removed goes when the caches are cleaned.
        if let Err(error) = remove_tree(folder.path()) {
            tracing::warn!(%error, folder = %folder.path().display(), "The folder of a preparation could not be removed");
        }
        outcome
    }
}

async fn run(
    orders: Orders,
    input: Stdio,
    secrets: &MarkerSecrets,
    tell: &mut (impl FnMut(&str) + Send),
) -> Result<(), WarmError> {
    let Some((program, arguments)) = orders.command.split_first() else {
        return Err(WarmError::Failed("There is no runner.".to_owned()));
    };
    let mut child = programs::isolated(Path::new(program))
        .args(arguments)
        .envs(orders.environment)
        .env("STOKER_PREPARE_ONLY", "1")
        .stdin(input)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut spent = 0;
    let mut last_words = String::from("The lines above say why.");
    if let Some(output) = child.stdout.take() {
        let mut lines = BufReader::new(output).split(b'\n');
        while let Some(line) = lines.next_segment().await? {
            let Some(markers) = secrets.parse(&line, &mut spent) else {
                tell(&String::from_utf8_lossy(&line));
                continue;
            };
            for marker in markers {
                if let Marker::End {
                    status: CheckpointStatus::Warning | CheckpointStatus::Failed,
                    detail,
                    advice,
                    ..
                } = marker
                {
                    let advice = advice.unwrap_or_default();
                    last_words = [detail, advice].join(" ");
                    tell(&last_words);
                }
            }
        }
    }
    if child.wait().await?.success() { Ok(()) } else { Err(WarmError::Failed(last_words)) }
}
