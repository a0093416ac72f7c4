//! Everything that a command or the cockpit needs, put together from settings.
//!
//! Nothing is sent to AWS while a session is made.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::adapters::aws::{Aws, AwsSettings, KeysGiven, StackRun};
use crate::adapters::journal::FileJournal;
use crate::adapters::log;
use crate::adapters::name_servers::ZoneServers;
use crate::adapters::pulumi::{self as adapter, Pulumi};
use crate::adapters::sim_probe::{self, OffsetClock, Probed};
use crate::config::{Global, Settings, defaults, process_env, state};
use crate::domain::facts::{Facts, Source};
use crate::domain::gate::{Gate, Inputs, Policy, evaluate};
use crate::domain::model::{Model, Stack, Watcher};
use crate::domain::record::{Entry, intents, sent_since};
use crate::domain::stack::StackInfo;
use crate::domain::traffic::GroupKey;
use crate::ports::{Clock, ErrorKind, Journal, PortError};
use crate::runtime::collect::{Collected, collect};
use crate::runtime::execute::settle;
use crate::runtime::follow::Pace;
use crate::runtime::ports_set::{JournalRead, JournalWriter, Ports};

use super::endpoints::{self, Found, LateClock};
use super::error::ComposeError;
use super::known;
use super::naming::{settled, short_name, stack_of, watcher_of};
use super::pulumi::{cockpit_runs, control};

/// Who is told what became of changes that earlier processes left open.
pub trait Told {
    /// A change whose outcome is known now.
    fn settled(&mut self, entry: &Entry);
    /// A change whose outcome is not known yet, in words.
    fn still_open(&mut self, change: &str);
    /// Another process of this host has the turn meanwhile, in words: it may be at it still, or be stopped.
    fn held(&mut self, by: &str);
}

/// Tells who gives the keys.
pub type KeysTold = Arc<dyn Fn() -> Option<KeysGiven> + Send + Sync>;

/// Everything that a command needs, put together.
pub struct Session {
    /// What reaches outside.
    pub ports: Ports,
    /// What the stack is.
    pub stack: Stack,
    /// Who watches it.
    pub watcher: Watcher,
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
    /// Why somebody else could put another folder in its place, where it is used all the same.
    pub doubt: Option<String>,
    /// Changes of the records that were in the journal when this session was put together; nothing when it could not be
    /// read.
    pub sent_before: Option<BTreeSet<String>>,
    /// Who gives the keys, once they were asked for.
    pub keys: KeysTold,
    clock: Option<(Arc<OffsetClock>, String)>,
    refusal: Option<PortError>,
}

/// Reads settings and outputs and puts the ports together. Nothing is sent to AWS yet.
///
/// # Errors
/// [`ComposeError`] when something of it cannot be used.
pub async fn connect(global: &Global) -> Result<Session, ComposeError> {
    let (settings, known, name) = found(global).await?;
    let state_dir = state::folder(&name, &process_env)?;
    assemble(settings, known, name, state_dir, None).await
}

/// The same for what must never be blocked: a state folder of our own is used also where the way to it is doubtful, which
/// the session says.
///
/// # Errors
/// [`ComposeError`] when something else of it cannot be used.
pub async fn connect_anyway(global: &Global) -> Result<Session, ComposeError> {
    let (settings, known, name) = found(global).await?;
    let state_dir = state::folder(&name, &process_env)?;
    let doubt = state::prepare_anyway(&state_dir).map_err(|error| ComposeError::state(&state_dir, &error))?;
    begin_log(&state_dir, &settings);
    let session = put_together(settings, known, name, state_dir, None).await?;
    Ok(Session { doubt, ..session })
}

/// What is typed and what is known of the stack, and its short name.
async fn found(global: &Global) -> Result<(Settings, StackInfo, String), ComposeError> {
    let settings = settled(Settings::load(global, &process_env)?).await?;
    let known = known::find(&settings).await?;
    let name = short_name(&settings, &known);
    Ok((settings, known, name))
}

/// The same for a command that only looks, and has to work without a state folder: where none can be made nothing is kept,
/// neither a journal nor a log.
///
/// # Errors
/// [`ComposeError`] when something else of it cannot be used.
pub async fn connect_to_look(global: &Global) -> Result<Session, ComposeError> {
    let (settings, known, name) = found(global).await?;
    let own = state::folder(&name, &process_env);
    match own.ok().filter(|folder| state::prepare(folder).is_ok()) {
        Some(folder) => assemble(settings, known, name, folder, None).await,
        None => put_together(settings, known, name, state::nowhere(), None).await,
    }
}

/// The same stack as it is now: its name, its state folder and the settings stay what they were, whatever the program's
/// configuration and the configuration file say meanwhile.
///
/// # Errors
/// [`ComposeError`] when what is known of it cannot be read.
pub async fn reconnect(settings: Settings, name: String, state_dir: PathBuf) -> Result<Session, ComposeError> {
    let known = known::find(&settings).await?;
    assemble(settings, known, name, state_dir, None).await
}

/// Puts the ports together from what was found.
///
/// # Errors
/// [`ComposeError`] when the state folder cannot be made.
pub async fn assemble(
    settings: Settings,
    known: impl Into<StackInfo>,
    name: String,
    state_dir: PathBuf,
    fake_pulumi: Option<Pulumi>,
) -> Result<Session, ComposeError> {
    open(&state_dir, &settings)?;
    put_together(settings, known.into(), name, state_dir, fake_pulumi).await
}

/// In a box, so that it is compiled once and not into each of its callers.
fn put_together(
    settings: Settings,
    known: StackInfo,
    name: String,
    state_dir: PathBuf,
    fake_pulumi: Option<Pulumi>,
) -> BoxFuture<'static, Result<Session, ComposeError>> {
    Box::pin(put_together_here(settings, known, name, state_dir, fake_pulumi))
}

async fn put_together_here(
    settings: Settings,
    known: StackInfo,
    name: String,
    state_dir: PathBuf,
    fake_pulumi: Option<Pulumi>,
) -> Result<Session, ComposeError> {
    // Read before anybody is asked, so that whatever another process sends from now on is known as such.
    let group = known.group_key().unwrap_or_else(GroupKey::unset);
    let journal = Arc::new(FileJournal::of(state_dir.clone(), &name, &group));
    let sent_before = journal.read().ok().map(|(entries, _)| intents(&entries));
    let late = Arc::new(LateClock::default());
    let clock: Arc<dyn Clock> = Arc::clone(&late) as Arc<dyn Clock>;
    let aws = Arc::new(
        // Boxed, because what the SDK keeps while it looks for its configuration is large.
        Box::pin(Aws::connect(aws_settings(&settings), known.clone(), Arc::clone(&clock), stack_run(&state_dir))).await,
    );
    let Found { endpoints: api, simulator } = endpoints::look(&aws, has_own_keys(&settings)).await;
    let simulator_clock = simulator.as_ref().map(|(simulator, url)| (late.follow(simulator), url.clone()));
    let simulator = simulator.map(|(simulator, _)| simulator);
    let simulated = endpoints::name_servers(simulator.as_ref(), &api);
    let name_servers = Arc::new(ZoneServers::new(Arc::clone(&aws), simulated));
    let refusal = endpoints::refusal(&settings, &api);
    let stack = stack_of(&settings, &known, name.clone());
    let watcher = watcher_of(refusal.as_ref(), api, simulator.as_ref());
    let (skew, keys) = (Arc::clone(&aws), Arc::clone(&aws));
    let speed = simulator.as_ref().map_or(1.0, |simulator| simulator.speed);
    let runs = Arc::new(cockpit_runs(&settings, &name, &state_dir, &clock, &known, fake_pulumi)?);
    let control = control(refusal.is_some(), &runs);
    let ports = Ports {
        provision: runs,
        control,
        observe: Arc::clone(&aws) as Arc<dyn crate::ports::Observe>,
        traffic: endpoints::traffic(aws, refusal.as_ref()),
        journal,
        clock: Arc::clone(&clock),
        name_servers,
        key: stack.group.clone(),
        leaving: Arc::default(),
        skew: Arc::new(move || skew.clock_skew()),
    };
    Ok(Session {
        ports,
        stack,
        watcher,
        policy: policy_of(&settings, &known),
        pace: Pace { speed, deadline: defaults::INSYNC_DEADLINE },
        settings,
        known,
        state_dir,
        doubt: None,
        sent_before,
        keys: Arc::new(move || keys.keys()),
        clock: simulator_clock,
        refusal,
    })
}

/// Makes the state folder, and begins this process's log in it.
fn open(state_dir: &Path, settings: &Settings) -> Result<(), ComposeError> {
    state::prepare(state_dir).map_err(|error| ComposeError::state(state_dir, &error))?;
    begin_log(state_dir, settings);
    Ok(())
}

fn begin_log(state_dir: &Path, settings: &Settings) {
    if let Err(error) = log::start(settings.log_level.word(), state_dir) {
        tracing::debug!(%error, "no log of this process");
    }
}

/// The limits as they were set, with the stack's own alarms where none were named.
fn policy_of(settings: &Settings, known: &StackInfo) -> Policy {
    let mut policy = settings.policy.clone();
    if policy.expected_alarms.is_empty() {
        policy.expected_alarms = known.alarm_names().to_vec();
    }
    policy
}

/// Looks for a Pulumi run that goes on in this state folder.
fn stack_run(state_dir: &Path) -> StackRun {
    let state_dir = state_dir.to_owned();
    Arc::new(move || adapter::stack_run(&state_dir))
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

impl Session {
    /// Who operates: as STS says, or the local user until it has.
    #[must_use]
    pub fn operator(&self, facts: &Facts) -> String {
        facts.identity.as_ref().map_or_else(|| self.watcher.operator.clone(), |fact| fact.value.short().to_owned())
    }

    /// Who operates, asked now, for a command that asks AWS nothing else.
    pub async fn who(&self) -> String {
        let deadline = defaults::COLLECT_DEADLINE;
        self.operator(&collect(&self.ports, &[Source::Identity], Facts::default(), deadline).await.facts)
    }

    /// Whether this process may change anything, said before anybody is asked anything. The ports refuse, too.
    ///
    /// # Errors
    /// Why it may not.
    pub fn may_change(&self) -> Result<(), PortError> {
        self.refusal.clone().map_or(Ok(()), Err)
    }

    /// Sets the clock anew when a simulator answers: somebody may have moved its time.
    pub async fn resync(&self) {
        if let Some((clock, endpoint)) = &self.clock
            && let Probed::Simulator(simulator) = sim_probe::probe(endpoint, defaults::PROBE_DEADLINE).await
        {
            clock.set(simulator.now);
            clock.put_ahead(simulator.host_ahead_s);
        }
    }

    /// Settles what earlier processes left open, as far as the records tell, and says what is and what stays open.
    ///
    /// # Errors
    /// When the journal or the records cannot be read.
    pub async fn settle_open(&self, told: &mut impl Told) -> Result<(), PortError> {
        let history = self.ports.read_journal().await?.history;
        if history.open.is_empty() && history.changes.is_empty() && history.runs.is_empty() {
            return Ok(());
        }
        for entry in settle(&self.ports, None, &self.watcher.operator, &self.watcher.host).await? {
            told.settled(&entry);
        }
        let open = self.ports.read_journal().await?.history.open;
        for change in &open {
            told.still_open(&change.text());
        }
        if !open.is_empty()
            && let Some(held) = self.who_has_the_turn().await
        {
            told.held(&held);
        }
        Ok(())
    }

    /// Who has the turn, in a sentence; nothing when nobody has.
    pub async fn who_has_the_turn(&self) -> Option<String> {
        let holder = JournalWriter::new(&self.ports, &self.watcher.operator, &self.watcher.host).holder();
        let held = self.ports.turn(holder, Duration::ZERO, &|_| {}).await.err()?;
        (held.kind == ErrorKind::Busy).then_some(held.message)
    }

    /// What was collected, as the cockpit would know it: a command's preconditions are asked on the same ground.
    #[must_use]
    pub fn model(&self, collected: &Collected) -> Model {
        let mut model = Model::new(self.stack.clone(), self.watcher.clone(), self.policy.clone(), collected.now);
        model.live.gates = self.gates(collected);
        model.live.history = collected.history().cloned();
        model.live.facts = collected.facts.clone();
        model
    }

    /// In words, the change of the records that another process of this host has sent since this session was put
    /// together.
    #[must_use]
    pub fn overtaken_by(&self, journal: &JournalRead) -> Option<String> {
        let entry = sent_since(&journal.entries, self.sent_before.as_ref()?)?;
        Some(format!("{}@{} sent a change at {}: {}", entry.operator, entry.host, entry.at, entry.event.text()))
    }

    /// Answers every gate on what was gathered.
    #[must_use]
    pub fn gates(&self, collected: &Collected) -> Vec<Gate> {
        evaluate(Inputs {
            facts: &collected.facts,
            history: collected.history(),
            policy: &self.policy,
            endpoints: &self.stack.endpoints,
            now: collected.now,
        })
    }
}
