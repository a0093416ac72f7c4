//! Pulumi's ports: on the configured program, on the fake Pulumi of a scenario, or refusing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::adapters::clock::SystemClock;
use crate::adapters::journal::FileJournal;
use crate::adapters::pulumi::cockpit::CockpitRuns;
use crate::adapters::pulumi::find;
use crate::adapters::pulumi::headless::{Context, FOLLOW_EVERY};
use crate::adapters::pulumi::process::ProcessId;
use crate::adapters::pulumi::project::project_name;
use crate::adapters::pulumi::refusing::ReadOnlyPulumi;
use crate::adapters::pulumi::run::Supervisor;
use crate::adapters::pulumi::{Pulumi, PulumiError, Runs};
use crate::config::{Settings, process_env, state};
use crate::domain::stack::{StackInfo, StackOutputs};
use crate::domain::traffic::GroupKey;
use crate::ports::{Clock, PulumiControl, PulumiRuns};
use crate::runtime::ports_set::Ports;

use super::endpoints;
use super::error::ComposeError;

pub use crate::adapters::environment::withheld_text;
pub use crate::adapters::pulumi::find::{check_program, check_version};
pub use crate::adapters::pulumi::stack::backend_url;

/// Pulumi on the configured program, or the fake Pulumi of a scenario.
///
/// # Errors
/// When the system does not say where our own program is.
pub(super) fn cockpit_runs(
    settings: &Settings,
    name: &str,
    state_dir: &Path,
    clock: &Arc<dyn Clock>,
    known: &StackInfo,
    fake_pulumi: Option<Pulumi>,
) -> Result<CockpitRuns, ComposeError> {
    let from_file = known.outputs().filter(|_| settings.outputs.is_some() && fake_pulumi.is_none());
    Ok(CockpitRuns {
        landmarks: from_file.map(StackOutputs::identity_outputs).unwrap_or_default(),
        check_packages: fake_pulumi.is_none(),
        pulumi: match fake_pulumi {
            Some(fake_pulumi) => Ok(fake_pulumi),
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

/// The ports where nothing but Pulumi is known of the stack, since its configuration may be what is missing: the rest
/// refuses.
///
/// # Errors
/// [`ComposeError`] when the state folder cannot be made, or the system does not say where our own program is.
pub fn pulumi_ports(
    settings: &Settings,
    pulumi: &Pulumi,
    state_dir: &Path,
    clock: Option<Arc<dyn Clock>>,
) -> Result<Ports, ComposeError> {
    state::prepare(state_dir).map_err(|error| ComposeError::state(state_dir, &error))?;
    ports_in(settings, pulumi, state_dir, clock)
}

/// The same for what stops a run or follows it: a state folder of our own is used also where the way to it is doubtful,
/// which is told.
///
/// # Errors
/// As [`pulumi_ports`], but for the way.
pub fn pulumi_ports_anyway(
    settings: &Settings,
    pulumi: &Pulumi,
    state_dir: &Path,
) -> Result<(Ports, Option<String>), ComposeError> {
    let doubt = state::prepare_anyway(state_dir).map_err(|error| ComposeError::state(state_dir, &error))?;
    Ok((ports_in(settings, pulumi, state_dir, None)?, doubt))
}

fn ports_in(
    settings: &Settings,
    pulumi: &Pulumi,
    state_dir: &Path,
    clock: Option<Arc<dyn Clock>>,
) -> Result<Ports, ComposeError> {
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
    let (observe, traffic, name_servers) = endpoints::unknown();
    Ok(Ports {
        control: control(settings.read_only, &runs),
        provision: runs,
        observe,
        traffic,
        journal: Arc::new(FileJournal::of(state_dir, &pulumi.stack, &GroupKey::unset())),
        clock,
        name_servers,
        key: GroupKey::unset(),
        leaving: Arc::default(),
        skew: Arc::new(|| None),
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

/// Ends what a scenario's fake Pulumi still does in this state folder, and waits until nobody writes there any more: its
/// world ends, and nothing outlives it.
pub async fn end_fake_runs(state_dir: &Path) {
    let runs = Runs::new(state_dir);
    let records = runs.ids().unwrap_or_default().into_iter().filter_map(|id| runs.dir(&id)?.read().ok().flatten());
    for record in records {
        if let Some(child) = record.child.filter(|_| record.end.is_none()) {
            let _gone = child.signal(rustix::process::Signal::KILL);
        }
        let waited = tokio::time::Instant::now();
        while record.supervisor.as_ref().is_some_and(ProcessId::is_alive) && waited.elapsed() < LAST_WORDS {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

/// How long a supervisor may take to write down the end of what it waits for.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Pause between two looks at it.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// What changes something around Pulumi, or what refuses to.
pub(super) fn control(refuses: bool, runs: &Arc<CockpitRuns>) -> Arc<dyn PulumiControl> {
    if refuses { Arc::new(ReadOnlyPulumi) } else { Arc::clone(runs) as Arc<dyn PulumiControl> }
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
    let program = find::locate(settings.pulumi.as_deref(), std::env::var_os("PATH").as_deref())?;
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
