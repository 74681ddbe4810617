//! `stoker preflight`: from the options to a table or JSON, and an exit code.

use std::{
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
    sync::Arc,
};

use app::model::{checkpoint::CheckpointStatus, checks::CheckReport};

use crate::{
    assembly,
    clock::{SystemClock, SystemRandom},
    command_line::options::PreflightOptions,
    config::{Config, ConfigError, DataFolder, engine_options::EngineKind, options::ServeOptions},
    engine::argo::{images::ImagesError, settings::ArgoSettings},
    kubernetes::Access,
    packages::nix::{NixSettings, stoker_program},
    preflight::{self, Chosen, KubernetesSettings, Settings, probe},
};

/// Makes the checks and prints what they found.
#[must_use]
pub fn run(options: PreflightOptions) -> ExitCode {
    match report(options) {
        Ok(status) => exit_code(status),
        Err(error) => refuse(&error),
    }
}

/// Why there is no report. The text is for the user.
#[derive(Debug, thiserror::Error)]
enum NoReport {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("The report could not be made or printed: {0}.")]
    System(#[from] io::Error),
}

fn report(options: PreflightOptions) -> Result<CheckpointStatus, NoReport> {
    let json = options.json;
    let probe = options.probe.then(|| probe_settings(options.serve.clone())).transpose()?;
    let settings = settings(options)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let report = runtime.block_on(async {
        let mut report = preflight::run(&settings, &SystemClock).await;
        if let Some((argo, access)) = probe {
            report.checks.extend(probe::probe(argo, &access, Arc::new(SystemClock), &SystemRandom).await);
        }
        report
    });
    // Without waiting for what hangs.
    runtime.shutdown_background();
    print(&report, json)?;
    Ok(report.worst())
}

/// How runs go to the cluster, for a server with these options.
fn probe_settings(mut serve: ServeOptions) -> Result<(ArgoSettings, Access), NoReport> {
    serve.engine.engines = vec![EngineKind::Argo];
    let config = Config::from_options(serve)?;
    let cluster = config.cluster.as_ref().ok_or(ConfigError::Images(ImagesError::None))?;
    Ok((assembly::argo_settings(&config, cluster), cluster.access.clone()))
}

fn settings(options: PreflightOptions) -> Result<Settings, ConfigError> {
    let PreflightOptions { serve, mut claims, only, json: _, probe: _ } = options;
    let (place, cluster) = (serve.place, serve.engine.cluster);
    claims.extend([cluster.cache_claim, cluster.nix_claim, cluster.results_claim].into_iter().flatten());
    let pythons = place.pythons();
    let data = DataFolder::named(place.data)?;
    Ok(Settings {
        nix: NixSettings::new(place.nix, place.nixpkgs, &data.cache(), stoker_program()),
        data,
        address: place.addr,
        pythons,
        uv: place.uv,
        index_url: place.index_url,
        minimum_free: place.minimum_free,
        kubernetes: KubernetesSettings {
            access: Access {
                kubeconfig: cluster.kubeconfig,
                context: given(cluster.context),
                namespace: given(cluster.namespace),
            },
            claims: names(claims),
            is_wanted: true,
        },
        chosen: Chosen::of(only),
    })
}

/// A variable that is set to nothing says nothing.
fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Each name once.
fn names(texts: Vec<String>) -> Vec<String> {
    texts.into_iter().filter(|text| !text.is_empty()).fold(Vec::new(), |mut names, name| {
        if !names.contains(&name) {
            names.push(name);
        }
        names
    })
}

fn print(report: &CheckReport, json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        return writeln!(out, "{:#}", preflight::as_json(report));
    }
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let colours = out.is_terminal() && !is_set("NO_COLOR");
    out.write_all(preflight::as_table(report, colours).as_bytes())
}

fn exit_code(status: CheckpointStatus) -> ExitCode {
    match status {
        CheckpointStatus::Ok | CheckpointStatus::Skipped => ExitCode::SUCCESS,
        CheckpointStatus::Failed => ExitCode::FAILURE,
        CheckpointStatus::Warning => ExitCode::from(2),
    }
}

#[expect(clippy::print_stderr, reason = "there is no log in this command")]
fn refuse(error: &NoReport) -> ExitCode {
    eprintln!("stoker: {error}");
    ExitCode::FAILURE
}
