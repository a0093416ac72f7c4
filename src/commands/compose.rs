//! The composition root: settings become ports.
//!
//! The only place that knows which adapter keeps which port.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use crate::adapters::aws::{Aws, AwsSettings, StackRun};
use crate::adapters::clock::SystemClock;
use crate::adapters::journal::FileJournal;
use crate::adapters::pulumi::cockpit::{CockpitRuns, project_name};
use crate::adapters::pulumi::headless::{Context, FOLLOW_EVERY};
use crate::adapters::pulumi::refusing::ReadOnlyPulumi;
use crate::adapters::pulumi::run::Supervisor;
use crate::adapters::pulumi::{self, Pulumi, PulumiError, Runs};
use crate::adapters::sim_probe::{self, OffsetClock, Probed, Simulator};
use crate::cli::Global;
use crate::compose::endpoints::{self, Found, LateClock};
use crate::config::{Settings, defaults, find, process_env, state};
use crate::domain::facts::{Facts, Source};
use crate::domain::gate::{Gate, Inputs, Policy, evaluate};
use crate::domain::model::{Simulation, Stack};
use crate::domain::stack::StackInfo;
use crate::domain::stack::StackOutputs;
use crate::domain::traffic::GroupKey;
use crate::domain::units::Timestamp;
use crate::ports::{Clock, ErrorKind, PortError, PulumiControl, PulumiRuns};
use crate::runtime::execute::settle;
use crate::runtime::follow::Pace;
use crate::runtime::gather::Gathered;
use crate::runtime::ports_set::Ports;
use crate::runtime::run_executor::PulumiPorts;

use super::failure::{Exit, Failure};
use super::host;
use super::known;
use super::log;
use super::out::Out;
use super::text;

/// Everything that a command needs, put together.
pub struct Session {
    /// What reaches outside.
    pub ports: Ports,
    /// What does not change.
    pub stack: Stack,
    /// The limits.
    pub policy: Policy,
    /// How fast time goes.
    pub pace: Pace,
    /// What was typed and found.
    pub settings: Settings,
    /// What is known of the stack.
    pub known: StackInfo,
    /// Where state goes.
    pub state_dir: PathBuf,
    /// When this process began, by the facts' clock.
    pub began: Timestamp,
    clock: Option<(Arc<OffsetClock>, String)>,
    refusal: Option<PortError>,
}

/// The stack that Pulumi works on: the one that is named, or the one that is selected in the program's folder. Never
/// the outputs' `environmentSuffix`, which is the end of the resources' names and may be the name of another stack.
///
/// # Errors
/// [`Failure`] when none is named and none is selected.
pub async fn pulumi_stack(settings: &Settings) -> Result<String, Failure> {
    match &settings.stack {
        Some(name) => Ok(name.clone()),
        None => Ok(find::selected_stack(settings).await?),
    }
}

/// Settles which stack this is, once: what is selected later, or configured otherwise, changes nothing any more. An
/// outputs file alone names no stack of Pulumi.
///
/// # Errors
/// As [`pulumi_stack`].
pub async fn settled(settings: Settings) -> Result<Settings, Failure> {
    if settings.outputs.is_some() {
        return Ok(settings);
    }
    let stack = Some(pulumi_stack(&settings).await?);
    Ok(Settings { stack, ..settings })
}

/// Name of the stack on the screen and of its state folder, from settled settings.
#[must_use]
pub fn short_name(settings: &Settings, known: &StackInfo) -> String {
    settings.stack.clone().unwrap_or_else(|| known.suffix().to_owned())
}

/// Where this stack's state goes, without asking AWS: Pulumi, or an outputs file, is only read where nothing else names
/// the stack.
///
/// # Errors
/// [`Failure`] when settings or outputs cannot be used, or there is no folder for state.
pub async fn state_dir(settings: &Settings) -> Result<(String, PathBuf), Failure> {
    let name = match (&settings.stack, &settings.outputs) {
        (Some(name), _) => Ok(name.clone()),
        (None, Some(_)) => known::find(settings).await.map(|known| known.suffix().to_owned()),
        (None, None) => pulumi_stack(settings).await,
    };
    let name = match (name, process_env("TAPCTL_STATE_DIR")) {
        // The folder is known, so outputs that cannot be read keep nobody from reading the journal.
        (Err(_), Some(_)) => "unnamed".to_owned(),
        (name, _) => name?,
    };
    let folder = state::folder(&name, &process_env)?;
    Ok((name, folder))
}

/// Reads settings and outputs and puts the ports together. Nothing is sent to AWS yet.
///
/// # Errors
/// [`Failure`] when something of it cannot be used.
pub async fn connect(global: &Global) -> Result<Session, Failure> {
    let settings = settled(Settings::load(global, &process_env)?).await?;
    let known = known::find(&settings).await?;
    let name = short_name(&settings, &known);
    let state_dir = state::folder(&name, &process_env)?;
    assemble(settings, known, name, state_dir, None).await
}

/// The same stack as it is now: its name, its state folder and the settings stay what they were, whatever the program's
/// configuration and the configuration file say meanwhile.
///
/// # Errors
/// [`Failure`] when what is known of it cannot be read.
pub async fn connect_again(settings: Settings, name: String, state_dir: PathBuf) -> Result<Session, Failure> {
    let known = known::find(&settings).await?;
    assemble(settings, known, name, state_dir, None).await
}

/// Puts the ports together from what was found.
///
/// # Errors
/// [`Failure`] when the state folder cannot be made.
pub async fn assemble(
    settings: Settings,
    known: impl Into<StackInfo>,
    name: String,
    state_dir: PathBuf,
    standin: Option<Pulumi>,
) -> Result<Session, Failure> {
    let known = known.into();
    state::prepare(&state_dir).map_err(|error| unusable_state(&state_dir, &error))?;
    if let Err(error) = log::start(settings.log_level, &state_dir) {
        tracing::debug!(%error, "no log of this process");
    }
    let late = Arc::new(LateClock::default());
    let clock: Arc<dyn Clock> = Arc::clone(&late) as Arc<dyn Clock>;
    let aws = Arc::new(
        // Boxed, because what the SDK keeps while it looks for its configuration is large.
        Box::pin(Aws::connect(aws_settings(&settings), known.clone(), Arc::clone(&clock), stack_run(&state_dir))).await,
    );
    let Found { endpoints: api, simulator } = endpoints::look(&aws, has_own_keys(&settings)).await;
    let simulator_clock = simulator.as_ref().map(|(simulator, url)| (late.follow(simulator), url.clone()));
    let simulator = simulator.map(|(simulator, _)| simulator);
    let refusal = endpoints::refusal(&settings, &api);
    let stack = Stack {
        read_only: refusal.is_some(),
        read_only_why: refusal.as_ref().map(|why| why.message.clone()).unwrap_or_default(),
        api_endpoints: api,
        ..stack_of(&settings, &known, name.clone(), simulator.as_ref())
    };
    let mut policy = settings.policy.clone();
    if policy.expected_alarms.is_empty() {
        policy.expected_alarms = known.alarm_names().to_vec();
    }
    let skew = Arc::clone(&aws);
    let pace = Pace {
        speed: simulator.as_ref().map_or(1.0, |simulator| simulator.speed),
        deadline: defaults::INSYNC_DEADLINE,
    };
    let ran = host::started().elapsed().mul_f64(pace.speed);
    let runs = Arc::new(cockpit_runs(&settings, &name, &state_dir, &clock, &known, standin)?);
    let control = control(&settings, &runs);
    let ports = Ports {
        provision: runs,
        control,
        observe: Arc::clone(&aws) as Arc<dyn crate::ports::Observe>,
        traffic: endpoints::traffic(aws, refusal.as_ref()),
        journal: Arc::new(FileJournal::of(state_dir.clone(), &name, &stack.group)),
        clock: Arc::clone(&clock),
        key: stack.group.clone(),
        skew: Arc::new(move || skew.clock_skew()),
    };
    let began = clock.now().minus(ran);
    Ok(Session { ports, stack, policy, pace, settings, known, state_dir, began, clock: simulator_clock, refusal })
}

/// Looks for a Pulumi run that goes on in this state folder.
fn stack_run(state_dir: &Path) -> StackRun {
    let state_dir = state_dir.to_owned();
    Arc::new(move || pulumi::stack_run(&state_dir))
}

/// Pulumi on the configured program, or the stand-in of a drill.
///
/// # Errors
/// When the system does not say where our own program is.
fn cockpit_runs(
    settings: &Settings,
    name: &str,
    state_dir: &Path,
    clock: &Arc<dyn Clock>,
    known: &StackInfo,
    standin: Option<Pulumi>,
) -> Result<CockpitRuns, Failure> {
    let from_file = known.outputs().filter(|_| settings.outputs.is_some() && standin.is_none());
    Ok(CockpitRuns {
        landmarks: from_file.map(StackOutputs::identity_outputs).unwrap_or_default(),
        check_packages: standin.is_none(),
        pulumi: match standin {
            Some(standin) => Ok(standin),
            None if settings.stack.is_none() => Err(PulumiError::Project {
                dir: settings.pulumi_dir.clone(),
                message: "the outputs file does not say on which stack; name it with --stack".to_owned(),
            }),
            None => program(settings, name),
        },
        supervisor: Supervisor::own()?,
        runs: Runs::new(state_dir),
        project: project_name(&settings.pulumi_dir).unwrap_or_default(),
        home: process_env("HOME").map(PathBuf::from).unwrap_or_default(),
        clock: Arc::clone(clock),
    })
}

/// Pulumi's ports where nothing else is known of the stack: its configuration may be what is missing.
///
/// # Errors
/// [`Failure`] when the state folder cannot be made, or the system does not say where our own program is.
pub fn pulumi_ports(
    settings: &Settings,
    pulumi: &Pulumi,
    state_dir: &Path,
    clock: Option<Arc<dyn Clock>>,
) -> Result<PulumiPorts, Failure> {
    state::prepare(state_dir).map_err(|error| unusable_state(state_dir, &error))?;
    let clock = clock.unwrap_or_else(|| Arc::new(SystemClock));
    let runs = Arc::new(CockpitRuns {
        landmarks: Vec::new(),
        check_packages: pulumi.prefix.is_empty(),
        pulumi: Ok(pulumi.clone()),
        supervisor: Supervisor::own()?,
        runs: Runs::new(state_dir),
        project: project_name(&settings.pulumi_dir).unwrap_or_default(),
        home: process_env("HOME").map(PathBuf::from).unwrap_or_default(),
        clock: Arc::clone(&clock),
    });
    Ok(PulumiPorts {
        control: control(settings, &runs),
        provision: runs,
        journal: Arc::new(FileJournal::new(state_dir.to_owned())),
        clock,
    })
}

/// The runs of this state folder, one after the other.
///
/// # Errors
/// When the system does not say where our own program is.
pub fn pulumi_runs(pulumi: &Pulumi, state_dir: &Path) -> Result<Arc<dyn PulumiRuns>, PulumiError> {
    Ok(Arc::new(Context {
        pulumi: pulumi.clone(),
        runs: Runs::new(state_dir),
        supervisor: Supervisor::own()?,
        every: FOLLOW_EVERY,
    }))
}

/// What changes something around Pulumi, or what refuses to.
fn control(settings: &Settings, runs: &Arc<CockpitRuns>) -> Arc<dyn PulumiControl> {
    if settings.read_only { Arc::new(ReadOnlyPulumi) } else { Arc::clone(runs) as Arc<dyn PulumiControl> }
}

/// The installed Pulumi on the configured program.
///
/// # Errors
/// [`PulumiError::Missing`] with where was looked.
pub fn program(settings: &Settings, stack: &str) -> Result<Pulumi, PulumiError> {
    if let Some(why) = settings.distrust() {
        let message = format!(
            "{why}, and it would get your keys; if it is yours, name it: TAPCTL_PULUMI_DIR={}",
            settings.pulumi_dir.display()
        );
        return Err(PulumiError::Project { dir: settings.pulumi_dir.clone(), message });
    }
    let program = pulumi::find::locate(settings.pulumi.as_deref(), std::env::var_os("PATH").as_deref())?;
    let project = std::path::absolute(&settings.pulumi_dir).unwrap_or_else(|_| settings.pulumi_dir.clone());
    Ok(Pulumi { program, prefix: Vec::new(), project, stack: stack.to_owned() })
}

/// The installed Pulumi, or its bare name where nothing is asked of it: what a run wrote can be read without the CLI.
#[must_use]
pub fn program_or_name(settings: &Settings, stack: &str) -> Pulumi {
    program(settings, stack).unwrap_or_else(|_| Pulumi {
        program: "pulumi".into(),
        prefix: Vec::new(),
        project: settings.pulumi_dir.clone(),
        stack: stack.to_owned(),
    })
}

fn aws_settings(settings: &Settings) -> AwsSettings {
    AwsSettings {
        region: settings.region.clone(),
        legacy_region: settings.legacy_region.clone(),
        profile: settings.profile.clone(),
        endpoint_url: settings.endpoint_url.clone(),
        legacy_db_instance: settings.legacy_db_instance.clone(),
        test_credentials: false,
        http_client: None,
        deadline: defaults::CALL_DEADLINE,
    }
}

/// Whether somebody has said whose keys to use.
fn has_own_keys(settings: &Settings) -> bool {
    let names = [
        "AWS_ACCESS_KEY_ID",
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    ];
    settings.profile.is_some() || names.iter().any(|name| process_env(name).is_some())
}

fn stack_of(settings: &Settings, known: &StackInfo, name: String, simulator: Option<&Simulator>) -> Stack {
    Stack {
        name,
        region: settings.region.clone().unwrap_or_else(|| known.region().to_owned()),
        legacy_region: settings.legacy_region.clone().unwrap_or_else(|| known.legacy_region().to_owned()),
        group: known.group_key().unwrap_or_else(GroupKey::unset),
        writer: known.writer(),
        legacy_lb: known.legacy_lb_name().unwrap_or_default().to_owned(),
        aurora: known.outputs().map(|outputs| outputs.database.cluster_id.clone()).unwrap_or_default(),
        endpoints: known.endpoints(),
        unset: known.unset().to_vec(),
        read_only: settings.read_only,
        read_only_why: String::new(),
        api_endpoints: Vec::new(),
        simulation: simulator.map(|s| Simulation { speed: s.speed, scenario: s.scenario.clone() }),
        operator: host::local_user(&process_env),
        host: host::host_name(),
    }
}

fn unusable_state(folder: &std::path::Path, error: &std::io::Error) -> Failure {
    Failure::new(
        Exit::Error,
        "storage",
        format!("the state folder {} cannot be used: {error}", folder.display()),
        "check its rights and the space on its disk, or set TAPCTL_STATE_DIR to another folder",
    )
}

impl Session {
    /// Who operates: as STS says, or the local user until it has.
    #[must_use]
    pub fn operator(&self, facts: &Facts) -> String {
        facts.identity.as_ref().map_or_else(|| self.stack.operator.clone(), |fact| fact.value.short().to_owned())
    }

    /// Whether this process may change anything, said before anybody is asked anything. The ports refuse, too.
    ///
    /// # Errors
    /// Why it may not.
    pub fn may_change(&self) -> Result<(), Failure> {
        self.refusal.clone().map_or(Ok(()), |why| Err(why.into()))
    }

    /// Sets the clock anew when a simulator answers: somebody may have moved its time.
    pub async fn resync(&self) {
        if let Some((clock, endpoint)) = &self.clock
            && let Probed::Simulator(simulator) = sim_probe::probe(endpoint, defaults::PROBE_DEADLINE).await
        {
            clock.set(simulator.now);
        }
    }

    /// Settles what earlier processes left open, as far as the records tell, and says what is and what stays open.
    ///
    /// # Errors
    /// When the journal or the records cannot be read.
    pub async fn settle_open(&self, out: &mut Out) -> Result<(), PortError> {
        if self.ports.read_journal().await?.history.open.is_empty() {
            return Ok(());
        }
        for entry in settle(&self.ports, &self.stack.operator, &self.stack.host).await? {
            out.say(&format!("settled: {}", text::entry(&entry)));
        }
        for open in self.ports.read_journal().await?.history.open {
            out.say(&format!("not known yet: {}", open.text()));
        }
        Ok(())
    }

    /// Answers every gate on what was gathered.
    #[must_use]
    pub fn gates(&self, gathered: &Gathered) -> Vec<Gate> {
        evaluate(Inputs {
            facts: &gathered.facts,
            history: gathered.history(),
            policy: &self.policy,
            endpoints: &self.stack.endpoints,
            now: gathered.now,
        })
    }
}

/// The failure that stands for all of AWS, when not one of its sources has answered.
#[must_use]
pub fn nothing_answered(facts: &Facts) -> Option<Failure> {
    let aws = || facts.sources.iter().filter(|(source, _)| **source != Source::StackRun);
    if aws().count() == 0 || aws().any(|(_, health)| health.error.is_none()) {
        return None;
    }
    // Credentials say more than the silence of a single service.
    let error = aws().filter_map(|(_, health)| health.error.as_ref()).min_by_key(|error| match error.kind {
        ErrorKind::Credentials => 0,
        ErrorKind::NotProvisioned => 2,
        _ => 1,
    })?;
    let failures: Vec<_> = aws()
        .filter_map(|(source, health)| {
            health.error.as_ref().map(|error| json!({"name": source.name(), "error": error.to_string()}))
        })
        .collect();
    Some(Failure::from(error.clone()).with("sources", failures.into()))
}
