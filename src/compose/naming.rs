//! Which stack it is: the name by which Pulumi knows it, the name on the screen, and the folder of its state.

use std::path::PathBuf;

use crate::adapters::sim_probe::Simulator;
use crate::config::{Settings, process_env, state};
use crate::domain::endpoint::Endpoint;
use crate::domain::error::PortError;
use crate::domain::model::{Simulation, Stack, Watcher};
use crate::domain::stack::StackInfo;
use crate::domain::traffic::GroupKey;

use super::error::ComposeError;
use super::host;
use super::known;
use super::outputs;

/// The stack that Pulumi works on: the one that is named, or the one that is selected in the program's folder. Never
/// the outputs' `environmentSuffix`, which is the end of the resources' names and may be the name of another stack.
///
/// # Errors
/// [`ComposeError`] when none is named and none is selected.
pub async fn pulumi_stack(settings: &Settings) -> Result<String, ComposeError> {
    match &settings.stack {
        Some(name) => Ok(name.clone()),
        None => Ok(outputs::selected_stack(settings).await?),
    }
}

/// Settles which stack this is, once: what is selected later, or configured otherwise, changes nothing any more. An
/// outputs file alone names no stack of Pulumi.
///
/// # Errors
/// As [`pulumi_stack`].
pub async fn settled(settings: Settings) -> Result<Settings, ComposeError> {
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
/// [`ComposeError`] when settings or outputs cannot be used, or there is no folder for state.
pub async fn state_dir(settings: &Settings) -> Result<(String, PathBuf), ComposeError> {
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

/// The stack as it is shown.
pub(super) fn stack_of(settings: &Settings, known: &StackInfo, name: String) -> Stack {
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
    }
}

/// Who watches it: this process, with what keeps it from writing.
pub(super) fn watcher_of(why: Option<&PortError>, api: Vec<Endpoint>, simulator: Option<&Simulator>) -> Watcher {
    Watcher {
        read_only: why.is_some(),
        read_only_why: why.map(|why| why.message.clone()).unwrap_or_default(),
        api_endpoints: api,
        simulation: simulator.map(|s| Simulation { speed: s.speed, scenario: s.scenario.clone() }),
        operator: host::local_user(&process_env),
        host: host::host_name(),
    }
}
