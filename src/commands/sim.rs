//! `sim`: serves the simulator on loopback until it is told to stop.

use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::{ScenarioArgs, SimArgs};
use crate::compose::ends::Ends;
use crate::config::passing::{Passing, passing};
use crate::sim::{Scenario, Server, Sim, SimConfig};

use super::console::Console;
use super::failure::{Exit, Failure};

/// Serves until it is told to end: SIGINT, SIGTERM, SIGHUP or SIGQUIT.
///
/// # Errors
/// When the address cannot be bound or the outputs cannot be written.
pub async fn run(args: &SimArgs, out: &mut Console) -> Result<Exit, Failure> {
    let sim = world(&args.played, args.speed)?;
    // Before there is a folder that somebody would have to take away again.
    let mut ends = Ends::listen();
    let server = Server::bind(sim.clone(), args.listen).await.map_err(|error| {
        let hint = "give a free loopback address, for example --listen 127.0.0.1:0";
        Failure::new(Exit::Error, "listen", format!("cannot listen on {}: {error}", args.listen), hint)
    })?;
    let own = if args.dir.is_none() { Some(scratch_folder("sim")?) } else { None };
    let dir = match (&args.dir, &own) {
        (Some(dir), _) => made(dir.clone())?,
        (None, own) => own.as_ref().map(|own| own.path().to_owned()).unwrap_or_default(),
    };
    let file = dir.join("outputs.json");
    write_outputs(&sim, &file)?;
    sim.follow();
    out.json(&json!({
        "endpoint": server.endpoint(), "dns": server.dns(), "outputs": file, "scenario": args.played.scenario,
    }))?;
    let told = async move {
        ends.told().await;
    };
    let end = server.serve(told).await;
    drop(own);
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

/// A new folder that goes with this process.
pub(super) fn scratch_folder(what: &str) -> Result<Passing, Failure> {
    passing(what).map_err(|error| unusable(&std::env::temp_dir(), &error))
}

fn made(dir: PathBuf) -> Result<PathBuf, Failure> {
    std::fs::create_dir_all(&dir).map_err(|error| unusable(&dir, &error))?;
    Ok(dir)
}

fn unusable(path: &Path, error: &io::Error) -> Failure {
    let message = format!("{} cannot be written: {error}", path.display());
    Failure::new(Exit::Error, "storage", message, "give another folder with --dir, or set TMPDIR")
}
