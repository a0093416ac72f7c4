//! The bastion of a script: a state folder, a simulator in this process, and everything that a cockpit on it needs.
//!
//! The one place of this room that knows the adapters. Time is tokio's, which the player has stopped: the simulator's
//! clock goes along with it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::time::Instant;

use crate::adapters::aws::in_process::{InProcessReply, http_client};
use crate::adapters::aws::{Aws, AwsSettings};
use crate::adapters::journal::FileJournal;
use crate::adapters::name_servers::ZoneServers;
use crate::domain::gate::Policy;
use crate::domain::model::{Model, Simulation, Stack, Watcher};
use crate::domain::provision::PulumiProblem;
use crate::domain::stack::{StackInfo, StackOutputs};
use crate::domain::stack_reload::StackReloaded;
use crate::domain::time::Moment;
use crate::domain::traffic::GroupKey;
use crate::domain::units::Timestamp;
use crate::fake_pulumi::InitialState;
use crate::ports::{Clock, Journal};
use crate::runtime::Ports;
use crate::runtime::reload::ReloadStack;
use crate::sim::{Scenario, Sim, SimConfig};

use super::check::{Expectation, Seen};
use super::language::Script;
use super::pulumi::{STACK, ScriptedPulumi};
use super::screen::Screen;

/// Virtual time zero of every script, so that screens can be compared.
const START: &str = "2026-11-22T12:40:00Z";

/// The world that is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The scenario.
    pub scenario: Scenario,
    /// Seed of all chance.
    pub seed: u64,
    /// Whether no write is ever sent.
    pub read_only: bool,
}

impl From<&Script> for Setting {
    fn from(script: &Script) -> Self {
        Self { scenario: script.scenario, seed: script.seed, read_only: script.read_only }
    }
}

/// The simulator's time, moved along with tokio's; the time of day may be set by the scenario.
struct ScriptClock {
    sim: Sim,
    start: Instant,
    origin: Timestamp,
}

impl ScriptClock {
    fn simulated(&self) -> Timestamp {
        let wanted = self.origin.plus(self.start.elapsed());
        let now = Timestamp::from_millis(self.sim.now().as_millisecond());
        self.sim.advance(wanted.since(now));
        wanted.max(now)
    }
}

impl Clock for ScriptClock {
    fn now(&self) -> Timestamp {
        self.simulated().shifted(self.sim.host_ahead_s().saturating_mul(1_000))
    }

    fn moment(&self) -> Moment {
        let simulated = self.simulated();
        Moment { wall: simulated.shifted(self.sim.host_ahead_s().saturating_mul(1_000)), ..Moment::alone(simulated) }
    }
}

/// A host on which one cockpit after the other can be opened. Clones are handles to the same one.
#[derive(Clone)]
pub struct Bastion {
    /// The world.
    pub sim: Sim,
    /// Where the journal lies.
    pub state_dir: PathBuf,
    /// The time, which is the simulator's.
    pub clock: Arc<dyn Clock>,
    /// Whether no write is ever sent.
    pub read_only: bool,
    pulumi: Arc<ScriptedPulumi>,
}

impl Bastion {
    /// A host whose files go to `folder`.
    ///
    /// # Errors
    /// Which file cannot be written.
    pub fn new(setting: Setting, folder: &Path) -> Result<Self, String> {
        let start = START.parse().map_err(|error| format!("{START}: {error}"))?;
        let Setting { scenario, seed, read_only } = setting;
        let sim = Sim::new(SimConfig { scenario, seed, speed: 1.0, start: Some(start) });
        let origin = Timestamp::from_millis(sim.now().as_millisecond());
        let clock: Arc<dyn Clock> = Arc::new(ScriptClock { sim: sim.clone(), start: Instant::now(), origin });
        let pulumi = ScriptedPulumi::new(&folder.join("pulumi"), sim.clone(), Arc::clone(&clock))?;
        if InitialState::of(scenario) == InitialState::RunGoesOn {
            pulumi.colleague_starts_an_up()?;
        }
        Ok(Self { sim, state_dir: folder.join("state"), clock, read_only, pulumi: Arc::new(pulumi) })
    }

    /// What is known of the stack now.
    ///
    /// # Errors
    /// When the fake Pulumi cannot be asked.
    pub fn info(&self) -> Result<StackInfo, String> {
        if self.pulumi.has_outputs()? { self.outputs().map(StackInfo::from) } else { self.pulumi.configured() }
    }

    /// The outputs of the simulated stack, whether it stands or not.
    ///
    /// # Errors
    /// Which keys are missing, never with the simulator of this version.
    pub fn outputs(&self) -> Result<StackOutputs, String> {
        StackOutputs::parse(&self.sim.outputs().to_string()).map_err(|error| error.to_string())
    }

    /// What reaches outside, on a stack of which so much is info.
    pub async fn ports(&self, info: &StackInfo) -> Ports {
        let (sim, paced) = (self.sim.clone(), Arc::clone(&self.clock));
        let handler = Arc::new(move |request| {
            // The world lives up to now before it answers.
            paced.now();
            let reply = sim.handle(request);
            InProcessReply { response: reply.response, delay: reply.delay, drop_connection: reply.drop_connection }
        });
        let settings =
            AwsSettings { test_credentials: true, http_client: Some(http_client(handler)), ..AwsSettings::default() };
        let no_run = Arc::new(|| Ok(None));
        let aws = Arc::new(Box::pin(Aws::connect(settings, info.clone(), Arc::clone(&self.clock), no_run)).await);
        let (skewed, sim) = (Arc::clone(&aws), self.sim.clone());
        let servers = ZoneServers::in_process(
            Arc::clone(&aws),
            Sim::name_servers_in_process(),
            Arc::new(move |server, datagram| sim.ask_name_server(server, datagram)),
        );
        Ports {
            observe: aws.clone(),
            traffic: aws,
            journal: Arc::new(FileJournal::new(self.state_dir.clone())),
            clock: Arc::clone(&self.clock),
            provision: self.pulumi.clone(),
            control: self.pulumi.clone(),
            name_servers: Arc::new(servers),
            key: info.group_key().unwrap_or_else(GroupKey::unset),
            leaving: Arc::default(),
            skew: Arc::new(move || skewed.clock_skew()),
        }
    }

    /// What the stack is, and the limits.
    #[must_use]
    pub fn stack(&self, info: &StackInfo) -> (Stack, Policy) {
        let outputs = info.outputs();
        let stack = Stack {
            name: STACK.to_owned(),
            region: info.region().to_owned(),
            legacy_region: info.legacy_region().to_owned(),
            group: info.group_key().unwrap_or_else(GroupKey::unset),
            writer: info.writer(),
            legacy_lb: info.legacy_lb_name().unwrap_or_default().to_owned(),
            aurora: outputs.map(|outputs| outputs.database.cluster_id.clone()).unwrap_or_default(),
            endpoints: info.endpoints(),
            unset: info.unset().to_vec(),
        };
        (stack, Policy { expected_alarms: info.alarm_names().to_vec(), ..Policy::default() })
    }

    /// Who sits here.
    #[must_use]
    pub fn watcher(&self) -> Watcher {
        Watcher {
            read_only: self.read_only,
            read_only_why: "this is --read-only".to_owned(),
            api_endpoints: Vec::new(),
            simulation: Some(Simulation { speed: 1.0, scenario: self.sim.scenario().name().to_owned() }),
            operator: "local".to_owned(),
            host: "bastion".to_owned(),
        }
    }

    /// A cockpit that is about to be opened: its model, its ports, and how it reads the stack anew.
    ///
    /// # Errors
    /// When the fake Pulumi cannot be asked.
    pub async fn cockpit(&self) -> Result<(Model, Ports, ReloadStack), String> {
        let info = self.info()?;
        let ports = self.ports(&info).await;
        let (stack, policy) = self.stack(&info);
        let model = Model::new(stack, self.watcher(), policy, self.clock.now());
        let bastion = self.clone();
        let reload: ReloadStack = Arc::new(move || {
            let bastion = bastion.clone();
            Box::pin(async move {
                let trouble = |message| PulumiProblem { message, hint: "it is tried again by itself".to_owned() };
                let info = bastion.info().map_err(trouble)?;
                let (stack, policy) = bastion.stack(&info);
                Ok((StackReloaded { stack, watcher: bastion.watcher(), policy }, bastion.ports(&info).await))
            })
        });
        Ok((model, ports, reload))
    }

    /// What there is to look at for an expectation; `screen` while a cockpit is open.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn look(&self, expectation: &Expectation, screen: Option<&Screen>) -> Result<Seen, String> {
        self.clock.now();
        let mut seen = Seen { screen: screen.map(Screen::lines), ..Seen::default() };
        match expectation {
            Expectation::Journal(_) => {
                let journal = FileJournal::new(self.state_dir.clone());
                let (entries, _) = journal.read().map_err(|error| error.to_string())?;
                seen.journal = entries.iter().map(|entry| entry.event.text()).collect();
            }
            Expectation::Weights(_) => seen.weights = self.weights(),
            Expectation::Calls(operation, _) => seen.calls = self.calls(operation),
            Expectation::Screen(_) | Expectation::ProcessEnd => {}
        }
        Ok(seen)
    }

    /// The weights that Route 53 has, of the legacy and of the new stack.
    #[must_use]
    pub fn weights(&self) -> Option<(u64, u64)> {
        let traffic = &self.sim.state()["traffic"];
        let weight = |key: &str| traffic[key].as_f64().map(|weight| weight as u64);
        Some((weight("legacy_weight")?, weight("new_weight")?))
    }

    /// How often the simulator was asked this, as `service:Operation`.
    #[must_use]
    pub fn calls(&self, operation: &str) -> u64 {
        self.sim.state()["requests"][operation].as_u64().unwrap_or(0)
    }
}
