//! When no run may start, by name and with the way out.
//!
//! Pure. The same rules answer the cockpit and the headless commands.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::plan::Plan;
use super::used::{NewRequests, Used};
use crate::domain::traffic::Side;
use crate::domain::units::WeightPair;
use crate::domain::zone::NameState;

/// What Pulumi is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunKind {
    /// Say what an `up` would do; writes the plan.
    Preview,
    /// Do what the plan says.
    Up,
    /// Read how everything stands into Pulumi's state.
    Refresh,
    /// Say what a `destroy` would do.
    PreviewDestroy,
    /// Delete everything.
    Destroy,
}

impl RunKind {
    /// Pulumi's name for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Preview => "preview",
            Self::Up => "up",
            Self::Refresh => "refresh",
            Self::PreviewDestroy => "preview of destroy",
            Self::Destroy => "destroy",
        }
    }

    /// Whether it only looks.
    #[must_use]
    pub const fn is_preview(self) -> bool {
        matches!(self, Self::Preview | Self::PreviewDestroy)
    }
}

impl fmt::Display for RunKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What has to be known before a run may start.
#[derive(Debug, Clone, PartialEq)]
pub struct RunPreconditions {
    /// A run that goes on, in a few words.
    pub running: Option<String>,
    /// A weight change that was confirmed and has no outcome yet, or is not INSYNC.
    pub weight_change: Option<String>,
    /// How the name is answered; nothing when Route 53 could not be asked or was not asked yet.
    pub name_state: Option<NameState>,
    /// What reaches the new stack; nothing when it could not be read.
    pub new_requests: Option<NewRequests>,
    /// Up to this many requests a minute are nobody's, because somebody has named the number.
    pub unused_per_min: f64,
    /// Whether requests or a replication stream may take the ways between the networks: so it is where that is not known.
    pub ways_used: bool,
    /// Whether the stack has outputs: before the first `up` nobody can say what uses it.
    pub provisioned: bool,
}

impl RunPreconditions {
    /// How much the new stack is used; nothing where nobody knows.
    #[must_use]
    pub fn used(&self) -> Option<Used> {
        self.new_requests.filter(|_| self.provisioned).map(|requests| Used::of(requests, self.unused_per_min))
    }
}

/// Why a run may not start.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BlockedReason {
    /// Only one run at a time.
    #[error("{0} is going on: attach to it, or wait for its end")]
    RunGoesOn(String),
    /// Nothing is changed from here.
    #[error("nothing was changed: this is --read-only (or TAPCTL_READ_ONLY, or read_only in the configuration)")]
    ReadOnly,
    /// Two writers of one record.
    #[error("a weight change is pending ({0}): wait until `tapctl status` says that it is settled, then look again")]
    WeightChange(String),
    /// The plan may not be the whole one: what would run is not what was read.
    #[error("incomplete plan, so nothing of it is run: {0}; preview again, and read the run's file if it stays so")]
    IncompletePlan(String),
    /// The plan that was read is not the one that would run now.
    #[error("the plan that was read is not the one that would run: {0}; preview again")]
    OtherPlan(String),
    /// The preview found nothing to do.
    #[error("there is nothing to do: everything is as the program wants it")]
    NothingToDo,
    /// The program would refuse to run.
    #[error(
        "the program would only fail, since required configuration is missing: {0}; set it with \
         `tapctl config set KEY VALUE` or in the cockpit's Provision view"
    )]
    NotConfigured(String),
    /// The new stack still has weight.
    #[error("the new stack still has weight ({0}): send the traffic back with `tapctl rollback` first")]
    NewHasWeight(WeightPair),
    /// The pair would go, and nothing would answer the name.
    #[error(
        "the name would be left without an answer: turn it into one simple record first (`tapctl release --to legacy`, or \
         in the cockpit's Provision view)"
    )]
    NotReleased,
    /// The only record points at what would be destroyed.
    #[error("the name is answered by the new stack: `destroy` would take the system down")]
    AnsweredByNew,
    /// The record cannot be understood.
    #[error("it is not known how the name is answered ({0}): `destroy` needs to know")]
    NameUnknown(String),
    /// Weight is gone, requests are not.
    #[error("{}", .0.refusal())]
    StillUsed(Used),
    /// The plan takes a record away from the name.
    #[error("the plan deletes the weighted record {0}: {1}")]
    DeletesRecord(String, &'static str),
    /// The share that arrives could not be read.
    #[error("it is not known whether the new stack receives requests: `destroy` needs to know")]
    UseUnknown,
}

impl BlockedReason {
    /// Why this plan is not run, when it may not be the whole one.
    #[must_use]
    pub fn incomplete(plan: &Plan) -> Self {
        let missing = if plan.missing.is_empty() { "nobody read it".to_owned() } else { plan.missing.join("; ") };
        Self::IncompletePlan(missing)
    }
}

/// Whether `kind` may start.
///
/// # Errors
/// The first [`BlockedReason`] that holds.
pub fn check_preconditions(kind: RunKind, preconditions: &RunPreconditions) -> Result<(), BlockedReason> {
    if let Some(running) = &preconditions.running {
        return Err(BlockedReason::RunGoesOn(running.clone()));
    }
    if kind.is_preview() {
        return Ok(());
    }
    if let Some(change) = &preconditions.weight_change {
        return Err(BlockedReason::WeightChange(change.clone()));
    }
    if kind == RunKind::Destroy { may_destroy(preconditions) } else { Ok(()) }
}

fn may_destroy(preconditions: &RunPreconditions) -> Result<(), BlockedReason> {
    match &preconditions.name_state {
        None if !preconditions.provisioned => {}
        None => return Err(BlockedReason::NameUnknown("Route 53 was not read".to_owned())),
        Some(NameState::Pair(group)) if group.weights().new_weight() > 0 => {
            return Err(BlockedReason::NewHasWeight(group.weights()));
        }
        Some(NameState::Pair(_) | NameState::LegacyOnly) => return Err(BlockedReason::NotReleased),
        Some(NameState::Simple(Some(Side::New))) => return Err(BlockedReason::AnsweredByNew),
        Some(NameState::Other(error)) => return Err(BlockedReason::NameUnknown(error.to_string())),
        Some(NameState::Simple(_) | NameState::Absent) => {}
    }
    match preconditions.used() {
        _ if !preconditions.provisioned => Ok(()),
        None => Err(BlockedReason::UseUnknown),
        Some(used) if used.is_over() => Err(BlockedReason::StillUsed(used)),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::pulumi::used::fixtures::requests;
    use crate::domain::shift::fixtures::group;
    use crate::domain::traffic::GroupError;

    fn calm() -> RunPreconditions {
        RunPreconditions {
            running: None,
            weight_change: None,
            name_state: Some(NameState::Simple(Some(Side::Legacy))),
            new_requests: Some(requests(0.0)),
            unused_per_min: 0.0,
            ways_used: true,
            provisioned: true,
        }
    }

    fn pair(legacy: u8, new: u8) -> NameState {
        NameState::Pair(group(WeightPair::new(legacy, new).unwrap()))
    }

    #[test]
    fn one_run_at_a_time_and_none_while_weights_move() {
        let busy = RunPreconditions { running: Some("pulumi up".into()), ..calm() };
        let moving = RunPreconditions { weight_change: Some("/change/C1".into()), ..calm() };
        for kind in [RunKind::Preview, RunKind::Up, RunKind::Refresh, RunKind::PreviewDestroy, RunKind::Destroy] {
            assert!(matches!(check_preconditions(kind, &busy), Err(BlockedReason::RunGoesOn(_))));
            assert_eq!(check_preconditions(kind, &moving).is_ok(), kind.is_preview(), "{kind}");
            assert_eq!(check_preconditions(kind, &calm()), Ok(()));
        }
    }

    #[test]
    fn destroy_needs_a_released_name_and_an_unused_stack() {
        let refusal =
            |preconditions: RunPreconditions| check_preconditions(RunKind::Destroy, &preconditions).unwrap_err();
        let unknown = GroupError::SumZero { rtype: "A".into() };
        for (name_state, wanted) in [
            (Some(pair(80, 20)), BlockedReason::NewHasWeight(WeightPair::new(80, 20).unwrap())),
            (Some(pair(100, 0)), BlockedReason::NotReleased),
            (Some(NameState::Simple(Some(Side::New))), BlockedReason::AnsweredByNew),
            (Some(NameState::Other(unknown.clone())), BlockedReason::NameUnknown(unknown.to_string())),
            (None, BlockedReason::NameUnknown("Route 53 was not read".into())),
        ] {
            assert_eq!(refusal(RunPreconditions { name_state, ..calm() }), wanted);
        }
        // One request a minute may be a user's, until somebody names the number.
        for rate in [0.2, 1.0, 19.0, 30.0, 3000.0] {
            let used = RunPreconditions { new_requests: Some(requests(rate)), ..calm() };
            let refused = refusal(used.clone());
            assert!(matches!(refused, BlockedReason::StillUsed(_)), "{rate}: {refused}");
            let named = |unused_per_min| RunPreconditions { unused_per_min, ..used.clone() };
            assert_eq!(check_preconditions(RunKind::Destroy, &named(rate.ceil())), Ok(()));
            assert!(refusal(named(rate.ceil() - 1.0)).to_string().contains("--unused-per-min"), "{rate}");
        }
        assert_eq!(refusal(RunPreconditions { new_requests: None, ..calm() }), BlockedReason::UseUnknown);
        let fresh = RunPreconditions { provisioned: false, name_state: None, new_requests: None, ..calm() };
        assert_eq!(check_preconditions(RunKind::Destroy, &fresh), Ok(()));
        // An `up` that failed half-way hands no outputs out, and may have taken the name's records over.
        for name_state in [NameState::LegacyOnly, pair(100, 0)] {
            let half = RunPreconditions { name_state: Some(name_state), ..fresh.clone() };
            assert_eq!(check_preconditions(RunKind::Destroy, &half), Err(BlockedReason::NotReleased));
        }
    }
}
