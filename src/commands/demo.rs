//! `demo`: the cockpit on a simulator inside this very process.
//!
//! It needs no AWS account, no Pulumi and no Python, and leaves nothing behind: state goes to a temporary folder.
//! With `--script` a golden script sits at the keyboard, on virtual time and without a terminal.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use crate::cli::DemoArgs;
use crate::compose::ends::{Ends, before_the_end};
use crate::compose::known;
use crate::compose::pulumi::{end_fake_runs, pulumi_ports, pulumi_runs};
use crate::compose::session::{Session, assemble};
use crate::config::passing::take_all_away;
use crate::config::{Global, Settings, process_env};
use crate::domain::units::Timestamp;
use crate::fake_pulumi;
use crate::script::{self, Heard, Script};
use crate::sim::{LEGACY_DB_ID, Server};

use super::cockpit::{self, Again};
use super::concurrent_up::starts_an_up;
use super::console::Console;
use super::failure::{Exit, Failure};
use super::sim::{scratch_folder, world};

/// Opens it.
///
/// # Errors
/// Without a terminal, or when no loopback address can be bound.
pub async fn run(args: &DemoArgs, global: &Global, out: &mut Console) -> Result<Exit, Failure> {
    if let Some(file) = &args.script {
        return play(file, out);
    }
    cockpit::check_terminal()?;
    // Before there is a folder that somebody would have to take away again.
    let mut ends = Ends::listen();
    let folder = scratch_folder("demo")?;
    let made = tokio::select! {
        made = session(args, global, folder.path()) => made,
        _ = ends.told() => {
            end_fake_runs(&folder.path().join(STATE)).await;
            return Ok(Exit::Done);
        }
    };
    let end = match made {
        Ok((session, again)) => Box::pin(cockpit::open(session, again)).await,
        Err(failure) => Err(failure),
    };
    end_fake_runs(&folder.path().join(STATE)).await;
    end
}

/// The state folder, in the folder of the demo.
const STATE: &str = "state";

/// Plays a golden script, a line for each step.
fn play(file: &Path, out: &mut Console) -> Result<Exit, Failure> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|error| {
        let hint = "name a file that is there; `tests/golden` of tapctl's own sources holds examples";
        Failure::new(Exit::Error, "script", format!("{name} cannot be read: {error}"), hint)
    })?;
    let script = Script::parse(&name, &text).map_err(|mistakes| {
        let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        Failure { hint: "fix these lines; nothing was played".to_owned(), ..Failure::usage(lines.join("\n")) }
    })?;
    before_the_end(take_all_away);
    let folder = scratch_folder("script")?;
    let mut printed = Ok(());
    let played = script::alone(&script, folder.path(), |heard| {
        let told = match heard {
            Heard::Done(step, at) => out.data(&format!("{at} {step}")),
            Heard::Screen(screen) => out.data(&screen.to_string()),
        };
        printed = std::mem::replace(&mut printed, Ok(())).and(told);
    });
    drop(folder);
    printed?;
    match played {
        Ok(()) => {
            out.data(&format!("{name}: all {} steps held", script.steps.len()))?;
            Ok(Exit::Done)
        }
        Err(failed) => {
            let message = format!("{failed}\n{}", failed.screen);
            let hint = "the last screen is above; fix the script, or what it found";
            Err(Failure::new(Exit::Error, "script", message, hint))
        }
    }
}

/// Starts the simulator and connects to it as to AWS, over a socket and with the real clients.
async fn session(args: &DemoArgs, global: &Global, folder: &Path) -> Result<(Session, Again), Failure> {
    let sim = world(&args.played, args.speed)?;
    let broken =
        |why: String| Failure::new(Exit::Error, "simulator", why, "this is a fault of tapctl; please report it");
    let server = Server::bind(sim.clone(), SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
        .await
        .map_err(|error| broken(error.to_string()))?;
    let mut settings = Settings::load(global, &process_env)?;
    let endpoint = server.endpoint();
    settings.endpoint_url = Some(endpoint.clone());
    settings.profile = None;
    settings.region = None;
    settings.legacy_region = None;
    settings.legacy_db_instance = Some(LEGACY_DB_ID.to_owned());
    sim.follow();
    tokio::spawn(server.serve(std::future::pending()));
    let fake_pulumi = fake_pulumi::set_up(&folder.join("pulumi"), &sim, args.speed, &endpoint).map_err(broken)?;
    let state = folder.join(STATE);
    if fake_pulumi::InitialState::of(sim.scenario()) == fake_pulumi::InitialState::RunGoesOn {
        let now = Timestamp::from_millis(sim.now().as_millisecond());
        let ports = pulumi_ports(&settings, &fake_pulumi, &state, Some(Arc::new(move || now)))?;
        starts_an_up(pulumi_runs(&fake_pulumi, &state)?.as_ref(), &ports).await?;
    }
    let again: Again = Arc::new(move || {
        let (settings, state, fake_pulumi) = (settings.clone(), state.clone(), fake_pulumi.clone());
        Box::pin(async move {
            let known = known::of(&fake_pulumi).await?;
            assemble(settings, known, "demo".to_owned(), state, Some(fake_pulumi)).await
        })
    });
    Ok((again().await?, again))
}
