//! What the fake Pulumi begins with in each scenario: whether the stack stands, what is configured, which run fails.

use std::fs;
use std::path::Path;

use super::{Config, FakeStack, Settings};
use crate::domain::pulumi::program::Pulumi;
use crate::domain::units::Timestamp;
use crate::sim::{Scenario, Sim};

/// How many seconds of the demo one recorded second of Pulumi lasts: an `up` takes the minutes of a real one.
const STRETCH: f64 = 60.0;
/// The resource that fails in `up-fails`, and what AWS's provider says of it; both as in the recording of a failed run.
const FAILS: &str = "migration-alb-prod";
const QUOTA: &str = "creating ELBv2 application Load Balancer (migration-alb-prod): operation error Elastic Load Balancing \
    v2: CreateLoadBalancer, https response error StatusCode: 400, RequestID: 3f1c9f0e-6a55-4c0e-9d5b-2f6a1c7b8e90, \
    TooManyLoadBalancers: The maximum number of load balancers has been reached";

/// What a scenario begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InitialState {
    /// The stack stands, and hands its outputs out.
    Provisioned,
    /// Nobody has made the stack yet, and `owner` is not set.
    Unmade,
    /// The stack is made and configured, nothing is provisioned, and the first `up` fails in the middle.
    FirstUpFails,
    /// The same, and an `up` goes on that somebody else has started.
    RunGoesOn,
}

impl InitialState {
    /// What that scenario begins with.
    #[must_use]
    pub const fn of(scenario: Scenario) -> Self {
        match scenario {
            Scenario::Fresh => Self::Unmade,
            Scenario::UpFails => Self::FirstUpFails,
            Scenario::Reattach => Self::RunGoesOn,
            _ => Self::Provisioned,
        }
    }
}

/// Writes what the fake Pulumi needs into `project`, and gives the command that starts it. `endpoint` is where the simulator
/// answers, which is told what a run makes; `speed` is how many seconds of the demo pass in one of this host.
///
/// # Errors
/// Says which file cannot be written.
pub fn set_up(project: &Path, sim: &Sim, speed: f64, endpoint: &str) -> Result<Pulumi, String> {
    let opening = InitialState::of(sim.scenario());
    fs::create_dir_all(project).map_err(|error| error.to_string())?;
    fs::write(project.join("Pulumi.yaml"), "name: tap\nruntime: python\n").map_err(|error| error.to_string())?;
    let outputs = project.join("outputs.json");
    fs::write(&outputs, sim.outputs().to_string()).map_err(|error| error.to_string())?;
    let file = project.join("fake_pulumi.json");
    let fails = opening == InitialState::FirstUpFails;
    let settings = Settings {
        speed,
        stretch: STRETCH,
        demo_at: Timestamp::from_millis(sim.now().as_millisecond()),
        fail: fails.then(|| FAILS.to_owned()),
        fail_says: fails.then(|| QUOTA.to_owned()),
        fail_runs: fails.then_some(1),
        outputs: Some(outputs),
        simulator: Some(endpoint.to_owned()),
        ..Settings::default()
    };
    settings.write(&file)?;
    let (stack, config) = match opening {
        InitialState::Provisioned => (FakeStack::provisioned()?, Config::default()),
        InitialState::Unmade => (FakeStack::default(), Config::default().without("owner")),
        InitialState::FirstUpFails | InitialState::RunGoesOn => {
            (FakeStack { exists: true, ..FakeStack::default() }, Config::default())
        }
    };
    stack.write(&file)?;
    config.write(&file)?;
    // What tells a stack that was configured before it is made from one that nobody has begun with.
    let settings_file = project.join(format!("Pulumi.{}.yaml", settings.stack));
    fs::write(settings_file, "config: {}\n").map_err(|error| error.to_string())?;
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let prefix = vec!["__pulumi".to_owned(), "--settings".to_owned(), file.display().to_string()];
    Ok(Pulumi { program, prefix, project: project.to_owned(), stack: settings.stack })
}
