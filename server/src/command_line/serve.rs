//! `stoker serve`: from the options to an open port, and back to a clean end.

use std::{io::IsTerminal as _, process::ExitCode, sync::Arc, time::Duration};

use tokio::{net::TcpListener, signal::unix};
use tracing_subscriber::{EnvFilter, Layer as _, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::{
    assembly::{LocalParts, Parts, SetUpError, Stoker, set_up_engines, set_up_local},
    clock::SystemClock,
    config::{
        Config, ConfigError,
        data_folder::{self, DataFolderError, DataFolderLock},
        options::ServeOptions,
    },
    db::{Database, DatabaseError},
    diagnostics::{Sources, checks::Preflight, recent_errors::RecentErrors},
    engine::local::caches::schedule,
    execution::retention,
    http::{
        self,
        hosts::Hosts,
        site::Site,
        state::{AppState, Inputs},
    },
    kubernetes::Refusal,
    preflight,
};

/// What kube says of each request that fails: whoever asked says it too, with what it means.
const REPEATED: &str = "kube_client::client::builder=off";
/// How long open requests and sockets have to end once the server stops.
const FAREWELL: Duration = Duration::from_millis(1500);

/// Why Stoker did not start. The text is for the user.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The options do not go.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data folder cannot be used.
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
    /// The database cannot be used.
    #[error("{error} The database is {path}.", path = .path.display())]
    Database {
        /// Why.
        error: DatabaseError,
        /// Where it is.
        path: std::path::PathBuf,
    },
    /// Runs cannot be run.
    #[error(transparent)]
    SetUp(#[from] SetUpError),
    /// It is not known how to reach the cluster.
    #[error("{0}")]
    Cluster(Refusal),
    /// The address is taken, or cannot be used.
    #[error("Stoker cannot listen on {0}: {1}. Choose another address with --addr.")]
    Listen(std::net::SocketAddr, std::io::Error),
    /// The system refused something that every program may do.
    #[error("The system refused what Stoker needs to start: {0}.")]
    System(#[from] std::io::Error),
}

/// Serves until it is told to stop. Says on standard error what keeps it from starting.
#[must_use]
pub fn run(options: ServeOptions) -> ExitCode {
    let errors = set_up_log();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refuse(&error.into()),
    };
    let outcome = runtime.block_on(serve(options, errors));
    // Not taken down piece by piece: what is still at work ends with the process, and is picked up at the next start.
    std::mem::forget(runtime);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(&error),
    }
}

#[expect(clippy::print_stderr, reason = "the reason must be seen whatever the log filter says")]
fn refuse(error: &StartError) -> ExitCode {
    eprintln!("stoker: {error}");
    ExitCode::FAILURE
}

/// Also remembers the latest warnings and errors.
fn set_up_log() -> RecentErrors {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let filter = REPEATED.parse().map(|directive| filter.clone().add_directive(directive)).unwrap_or(filter);
    let lines =
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let errors = RecentErrors::default();
    let remembered = errors.listener(Arc::new(SystemClock)).with_filter(EnvFilter::new(format!("warn,{REPEATED}")));
    tracing_subscriber::registry().with(lines.with_filter(filter)).with(remembered).init();
    errors
}

async fn serve(options: ServeOptions, errors: RecentErrors) -> Result<(), StartError> {
    let config = Config::from_options(options)?;
    let hold: DataFolderLock = data_folder::take(&config.data)?;
    let path = config.data.database();
    let database = Database::open(&path).await.map_err(|error| StartError::Database { error, path })?;
    let listener =
        TcpListener::bind(config.address).await.map_err(|error| StartError::Listen(config.address, error))?;
    let inputs = Inputs::default();
    if let Err(error) = hold.note_address(listener.local_addr()?) {
        tracing::warn!(%error, "Where Stoker listens could not be noted: `stoker preflight` will not know it");
    }
    let hosts = Hosts::new(listener.local_addr()?.port(), &config.allowed_hosts);
    let clock = inputs.clock.clone();
    let LocalParts { engine, resolver, secret_key } = set_up_local(&config, &database, &inputs).await?;
    let engines = set_up_engines(&config, engine, &secret_key, &inputs).await.map_err(StartError::Cluster)?;
    let checker = Arc::new(Preflight { settings: preflight::Settings::from(&config), clock: clock.clone() });
    let diagnostics = Sources::new(&config, engines.caches().cloned(), errors, checker);
    diagnostics.checks.start();
    let pruning = config
        .prune_after
        .and_then(|age| engines.caches().map(|caches| schedule::start(caches.clone(), age, clock.clone())));
    let sweeping = retention::start(database.clone(), config.retention, clock);
    let stoker = Stoker::assemble(Parts {
        database: database.clone(),
        engines,
        resolver: Arc::new(resolver),
        secret_key,
        inputs,
        diagnostics,
        site: Site::embedded(),
        hosts,
    })
    .await;
    let supervisor = stoker.move_runs();
    let state = stoker.state;
    if !state.site.has_bundle() {
        tracing::warn!("The browser's part was not built into this binary, so pages do not change by themselves");
    }
    announce(&config, &listener)?;
    let outcome = answer_until_stopped(listener, state).await;
    // At any line: the next start picks up what it leaves. Waited for, so that nobody writes while the log comes home.
    if let Some(pruning) = pruning {
        pruning.abort();
    }
    sweeping.abort();
    supervisor.abort();
    let _ = supervisor.await;
    database.checkpoint().await;
    tracing::info!("Stoker has stopped; runs that were active go on, and are picked up at the next start");
    Ok(outcome?)
}

#[expect(clippy::print_stdout, reason = "the address is what the command prints")]
fn announce(config: &Config, listener: &TcpListener) -> std::io::Result<()> {
    println!("Stoker is at http://{} (data: {})", listener.local_addr()?, config.data.path().display());
    Ok(())
}

async fn answer_until_stopped(listener: TcpListener, state: AppState) -> std::io::Result<()> {
    let closing = state.closing.clone();
    let router = http::router(state);
    let (mut interrupt, mut terminate) =
        (unix::signal(unix::SignalKind::interrupt())?, unix::signal(unix::SignalKind::terminate())?);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        // An error means that the sender is gone, which is a reason to stop too.
        let _ = stopped.await;
    });
    let mut server = std::pin::pin!(server.into_future());
    tokio::select! {
        outcome = &mut server => return outcome,
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tracing::info!("Stoker stops: open requests and log sockets are being ended");
    let _ = stop.send(());
    let farewell = async { tokio::join!(&mut server, closing.close_all()).0 };
    tokio::time::timeout(FAREWELL, farewell).await.unwrap_or(Ok(()))
}
