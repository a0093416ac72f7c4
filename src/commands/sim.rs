//! `sim`: serves the simulator on loopback until it is told to stop.

use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{ScenarioArgs, SimArgs};
use crate::sim::{Scenario, Server, Sim, SimConfig};

use super::console::Console;
use super::failure::{Exit, Failure};

/// Serves until SIGINT or SIGTERM.
///
/// # Errors
/// When the address cannot be bound or the outputs cannot be written.
pub async fn run(args: &SimArgs, out: &mut Console) -> Result<Exit, Failure> {
    let sim = world(&args.played, args.speed)?;
    // Before there is a folder that somebody would have to take away again.
    let server = Server::bind(sim.clone(), args.listen).await.map_err(|error| {
        let hint = "give a free loopback address, for example --listen 127.0.0.1:0";
        Failure::new(Exit::Error, "listen", format!("cannot listen on {}: {error}", args.listen), hint)
    })?;
    let own = args.dir.is_none();
    let dir = match &args.dir {
        Some(dir) => made(dir.clone())?,
        None => scratch_folder("sim")?,
    };
    let file = dir.join("outputs.json");
    write_outputs(&sim, &file)?;
    let stop = |kind| signal(kind).map_err(|error| Failure::new(Exit::Error, "signals", error.to_string(), ""));
    let (mut interrupt, mut terminate) = (stop(SignalKind::interrupt())?, stop(SignalKind::terminate())?);
    sim.follow();
    out.json(&json!({
        "endpoint": server.endpoint(), "outputs": file, "scenario": args.played.scenario,
    }))?;
    let shutdown = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    let end = server.serve(shutdown).await;
    if own {
        // What is left behind in a temporary folder hurts nobody.
        let _ = std::fs::remove_dir_all(&dir);
    }
    end.map_err(|error| Failure::new(Exit::Error, "serve", error.to_string(), ""))?;
    Ok(Exit::Done)
}

/// The world that was asked for; it does not move yet.
///
/// # Errors
/// A usage failure that lists the scenarios, when there is none of that name.
pub(super) fn world(played: &ScenarioArgs, speed: f64) -> Result<Sim, Failure> {
    let scenario = Scenario::ALL.into_iter().find(|scenario| scenario.name() == played.scenario);
    let Some(scenario) = scenario else {
        let known: Vec<_> = Scenario::ALL.iter().map(|s| format!("\n  {:<20} {}", s.name(), s.description())).collect();
        return Err(Failure::usage(format!(
            "no scenario is called `{}`; there are:{}",
            played.scenario,
            known.concat()
        )));
    };
    Ok(Sim::new(SimConfig { scenario, seed: played.seed, speed, start: None }))
}

/// Writes the outputs of the simulated stack.
pub(super) fn write_outputs(sim: &Sim, file: &Path) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(&sim.outputs()).unwrap_or_default();
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let written = options.open(file).and_then(|mut file| io::Write::write_all(&mut file, text.as_bytes()));
    written.map_err(|error| unusable(file, &error))
}

/// A new folder for this process alone, in the system's place for such.
pub(super) fn scratch_folder(what: &str) -> Result<PathBuf, Failure> {
    let stamp = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().subsec_nanos();
    let dir = std::env::temp_dir().join(format!("tapctl-{what}-{}-{stamp:08x}", std::process::id()));
    std::fs::DirBuilder::new().mode(0o700).create(&dir).map_err(|error| unusable(&dir, &error))?;
    Ok(dir)
}

fn made(dir: PathBuf) -> Result<PathBuf, Failure> {
    std::fs::create_dir_all(&dir).map_err(|error| unusable(&dir, &error))?;
    Ok(dir)
}

fn unusable(path: &Path, error: &io::Error) -> Failure {
    let message = format!("{} cannot be written: {error}", path.display());
    Failure::new(Exit::Error, "storage", message, "give another folder with --dir, or set TMPDIR")
}
