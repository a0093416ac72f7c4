//! `demo`: the cockpit on a simulator inside this very process.
//!
//! It needs no AWS account, no Pulumi and no Python, and leaves nothing behind: state goes to a temporary folder.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use crate::cli::{DemoArgs, Global};
use crate::config::{Settings, process_env};
use crate::domain::units::Timestamp;
use crate::sim::Server;
use crate::standin;

use super::cockpit::{self, Again};
use super::colleague::starts_an_up;
use super::compose::{Session, assemble};
use super::failure::{Exit, Failure};
use super::known;
use super::sim::{scratch_folder, world};

/// Opens it.
///
/// # Errors
/// Without a terminal, or when no loopback address can be bound.
pub async fn run(args: &DemoArgs, global: &Global) -> Result<Exit, Failure> {
    cockpit::check_terminal()?;
    let folder = scratch_folder("demo")?;
    let end = match session(args, global, &folder).await {
        Ok((session, again)) => cockpit::open(session, again).await,
        Err(failure) => Err(failure),
    };
    // What is left behind in a temporary folder hurts nobody.
    let _ = std::fs::remove_dir_all(&folder);
    end
}

/// Starts the simulator and connects to it as to AWS, over a socket and with the real clients.
async fn session(args: &DemoArgs, global: &Global, folder: &std::path::Path) -> Result<(Session, Again), Failure> {
    let sim = world(&args.drill, args.speed)?;
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
    settings.legacy_db_instance = Some("techvault-mysql".to_owned());
    sim.follow();
    tokio::spawn(server.serve(std::future::pending()));
    let standin = standin::set_up(&folder.join("pulumi"), &sim, args.speed, &endpoint).map_err(broken)?;
    let state = folder.join("state");
    if standin::Opening::of(sim.scenario()) == standin::Opening::RunGoesOn {
        let now = Timestamp::from_millis(sim.now().as_millisecond());
        starts_an_up(&standin, &state, now).await?;
    }
    let again: Again = Arc::new(move || {
        let (settings, state, standin) = (settings.clone(), state.clone(), standin.clone());
        Box::pin(async move {
            let known = known::of(&standin).await?;
            assemble(settings, known, "demo".to_owned(), state, Some(standin)).await
        })
    });
    Ok((again().await?, again))
}
