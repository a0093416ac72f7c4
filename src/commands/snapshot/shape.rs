//! The shape of `status --json` and `gates --json`: schema 1.
//!
//! People script against these names: fields may be added, never renamed or removed. What is not known is `null`.

use serde::Serialize;

use crate::domain::endpoint::Endpoint;
use crate::domain::units::WeightPair;

/// `status --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Snapshot {
    /// Version of this shape.
    pub schema: u8,
    /// When it was complete.
    pub at: String,
    /// The stack.
    pub stack: String,
    /// Whether the new stack stands; in JSON all of it is `null` before that.
    #[serde(skip)]
    pub provisioned: bool,
    /// The simulator that answers in place of AWS; left out when none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simulation: Option<String>,
    /// Services whose requests do not go to AWS; left out when all do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<Endpoint>,
    /// Every source that was asked.
    pub sources: Vec<SourceRow>,
    /// Weights and shares.
    pub traffic: Traffic,
    /// The DMS task.
    pub replication: Replication,
    /// The ECS service.
    pub service: ServiceRow,
    /// Alarms of both regions; `null` when neither could be read.
    pub alarms: Option<Vec<AlarmRow>>,
    /// The gates.
    pub gates: Vec<GateRow>,
    /// Whether every gate passes.
    pub ready_to_shift: bool,
    /// What the cockpit's header says.
    pub readiness: ReadinessRow,
    /// What is out of order beside the gates, the worst first.
    pub problems: Vec<ProblemRow>,
}

/// Whether the next step is allowed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReadinessRow {
    /// `go`, `wait`, `blocked` or `done`.
    pub verdict: &'static str,
    /// The gate that is in the way first.
    pub gate: Option<&'static str>,
    /// Why, in one sentence.
    pub sentence: String,
    /// The next thing to do: a command where there is one.
    pub next: String,
}

/// Something that is out of order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProblemRow {
    /// `fail`, `unknown`, `stale` or `waiting`.
    pub mark: &'static str,
    /// One line.
    pub text: String,
    /// What to do; empty where the text says it.
    pub hint: String,
}

/// A source.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SourceRow {
    /// Its name.
    pub name: &'static str,
    /// Whether its last answer was one.
    pub ok: bool,
    /// Seconds since it last answered.
    pub age_s: Option<f64>,
    /// Its newest failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// That there is nothing to ask about yet, which is no fault.
    #[serde(skip)]
    pub absent: bool,
}

/// Weights and shares.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Traffic {
    /// The record.
    pub record: String,
    /// Its type.
    #[serde(rename = "type")]
    pub rtype: String,
    /// Weight of the legacy record.
    pub legacy_weight: Option<u8>,
    /// Weight of the new record.
    pub new_weight: Option<u8>,
    /// The share of answers that name the new stack, in percent.
    pub new_percent: Option<f64>,
    /// The share of requests that reach it, in percent.
    pub observed_new_percent: Option<f64>,
    /// The newest change of ours.
    pub change: Option<ChangeRow>,
    /// Set when the weights are not the ones last confirmed here.
    pub drift: Option<Drift>,
    /// Why the records cannot be shifted, when they cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The members of the pair and where each leads; empty while they are not known.
    pub members: Vec<MemberRow>,
}

/// A member of the pair.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MemberRow {
    /// Whose it is meant to be: `legacy` or `new`.
    pub side: &'static str,
    /// Its record's type.
    #[serde(rename = "type")]
    pub rtype: String,
    /// What tells it from the other.
    pub set_identifier: Option<String>,
    /// What it points to.
    pub target: String,
    /// `home`: its own stack's load balancer; `across`: the other's; `elsewhere`: neither; `null`: not known.
    pub leads: Option<&'static str>,
}

/// A change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChangeRow {
    /// Route 53's id.
    pub id: String,
    /// `PENDING`, `INSYNC`, or `null` while it cannot be asked for.
    pub status: Option<String>,
    /// When it was accepted.
    pub at: String,
}

/// Weights that nobody confirmed here.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drift {
    /// What was last confirmed here, if anything was.
    pub confirmed: Option<WeightPair>,
    /// What is there.
    pub found: WeightPair,
}

/// The DMS task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replication {
    /// Its state, in DMS's word.
    pub task: Option<String>,
    /// Progress of the full load.
    pub full_load_percent: Option<u8>,
    /// How far the target is behind the source.
    pub lag_s: Option<f64>,
    /// Start of the minute that says so.
    pub lag_at: Option<String>,
    /// Tables by state.
    pub tables: Tables,
    /// Tables by validation.
    pub validation: Validation,
}

/// Tables by state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Tables {
    /// Loaded.
    pub completed: Option<usize>,
    /// Being loaded.
    pub loading: Option<usize>,
    /// In error.
    pub error: Option<usize>,
    /// Suspended.
    pub suspended: Option<usize>,
}

/// Tables by validation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Validation {
    /// Compared and equal.
    pub validated: Option<usize>,
    /// Not compared to the end.
    pub pending: Option<usize>,
    /// Different.
    pub mismatched: Option<usize>,
    /// Never compared: validation is off, there is no primary key, the table is in error.
    pub not_compared: Option<usize>,
}

/// The ECS service and its targets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ServiceRow {
    /// Tasks wanted.
    pub desired: Option<u32>,
    /// Tasks running.
    pub running: Option<u32>,
    /// Tasks being started.
    pub pending: Option<u32>,
    /// Targets that take requests.
    pub healthy_targets: Option<usize>,
    /// Targets that should and do not.
    pub unhealthy_targets: Option<usize>,
    /// Of what is reserved.
    pub cpu_percent: Option<f64>,
    /// Of what is reserved.
    pub memory_percent: Option<f64>,
    /// State of the primary deployment.
    pub rollout: Option<String>,
}

/// An alarm.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlarmRow {
    /// Its name.
    pub name: String,
    /// CloudWatch's word.
    pub state: &'static str,
    /// Since when.
    pub since: Option<String>,
}

/// A gate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateRow {
    /// Its id.
    pub id: &'static str,
    /// `pass`, `fail` or `unknown`.
    pub verdict: &'static str,
    /// What was found.
    pub value: Option<String>,
    /// What it has to be.
    pub limit: String,
    /// Why, and what to do.
    pub reason: String,
    /// The instant of the fact that decided.
    pub at: Option<String>,
}

/// `gates --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateList {
    /// Version of this shape.
    pub schema: u8,
    /// When it was complete.
    pub at: String,
    /// The stack.
    pub stack: String,
    /// The gates.
    pub gates: Vec<GateRow>,
    /// Whether every gate passes.
    pub ready_to_shift: bool,
}
