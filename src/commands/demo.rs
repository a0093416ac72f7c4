//! `demo`: the cockpit on a simulator inside this very process.
//!
//! It needs no AWS account, no Pulumi and no Python, and leaves nothing behind: state goes to a temporary folder.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use crate::adapters::pulumi::Pulumi;
use crate::cli::{DemoArgs, Global};
use crate::config::outputs::StackOutputs;
use crate::config::{Settings, process_env};
use crate::domain::units::Timestamp;
use crate::sim::{Server, Sim};
use crate::standin;

use super::cockpit::{self, Again};
use super::compose::{Session, assemble};
use super::failure::{Exit, Failure};
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
    settings.endpoint_url = Some(server.endpoint());
    settings.profile = None;
    settings.region = None;
    settings.legacy_region = None;
    settings.legacy_db_instance = Some("techvault-mysql".to_owned());
    // A synthetic check of the simulated world goes straight to each load balancer, once a second.
    settings.policy.unused_per_min = settings.policy.unused_per_min.max(SYNTHETIC_CHECKS_PER_MIN);
    sim.follow();
    tokio::spawn(server.serve(std::future::pending()));
    let standin = standin(args, &sim, folder).map_err(broken)?;
    let (world, state) = (sim, folder.join("state"));
    let again: Again = Arc::new(move || {
        let (sim, settings, state, standin) = (world.clone(), settings.clone(), state.clone(), standin.clone());
        Box::pin(async move { assemble(settings, known(&sim)?, "demo".to_owned(), state, Some(standin)).await })
    });
    Ok((again().await?, again))
}

/// The simulated stack as it is now.
fn known(sim: &Sim) -> Result<StackOutputs, Failure> {
    StackOutputs::parse(&sim.outputs().to_string()).map_err(|error| {
        Failure::new(Exit::Error, "simulator", error.to_string(), "this is a fault of tapctl; please report it")
    })
}

/// Limit below which the new stack counts as unused in a demo: more than its checks send.
const SYNTHETIC_CHECKS_PER_MIN: f64 = 90.0;
/// How many seconds of the demo one recorded second of Pulumi lasts: an `up` takes the minutes of a real one.
const STRETCH: f64 = 60.0;

/// The stand-in for Pulumi: this very program, on a stack that stands.
fn standin(args: &DemoArgs, sim: &Sim, folder: &Path) -> Result<Pulumi, String> {
    let project = folder.join("pulumi");
    std::fs::create_dir_all(&project).map_err(|error| error.to_string())?;
    std::fs::write(project.join("Pulumi.yaml"), "name: tap\nruntime: python\n").map_err(|error| error.to_string())?;
    let outputs = folder.join("outputs.json");
    std::fs::write(&outputs, sim.outputs().to_string()).map_err(|error| error.to_string())?;
    let file = project.join("standin.json");
    standin::Settings {
        speed: args.speed,
        stretch: STRETCH,
        demo_at: Timestamp::from_millis(sim.now().as_millisecond()),
        outputs: Some(outputs),
        ..standin::Settings::default()
    }
    .write(&file)?;
    standin::Stack::provisioned()?.write(&file)?;
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let prefix = vec!["__pulumi".to_owned(), "--settings".to_owned(), file.display().to_string()];
    Ok(Pulumi { program, prefix, project, stack: "demo".to_owned() })
}
