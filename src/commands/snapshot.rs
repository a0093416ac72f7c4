//! One snapshot of the migration as `status --json` and `gates --json` print it: schema 1.
//!
//! Pure. People script against these names: fields may be added, never renamed or removed. What is not known is `null`.

use serde::Serialize;

use crate::domain::endpoint::{Answers, Endpoint};
use crate::domain::error::ErrorKind;
use crate::domain::facts::{Facts, Source};
use crate::domain::gate::{Gate, GateId, Policy, all_pass};
use crate::domain::metrics::Metric;
use crate::domain::model::Stack;
use crate::domain::problems;
use crate::domain::readiness::{Picture, Readiness, readiness};
use crate::domain::reading;
use crate::domain::record::History;
use crate::domain::traffic::{ChangeStatus, Side};
use crate::domain::units::{Timestamp, WeightPair};
use crate::runtime::collect::Collected;

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

impl ReadinessRow {
    /// The row of a verdict.
    #[must_use]
    pub fn of(ready: &Readiness) -> Self {
        Self {
            verdict: ready.verdict(),
            gate: ready.gate.map(GateId::name),
            sentence: ready.sentence.clone(),
            next: ready.next.command(),
        }
    }
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

impl Snapshot {
    /// The snapshot of what was gathered.
    #[must_use]
    pub fn of(stack: &Stack, policy: &Policy, collected: &Collected, gates: &[Gate]) -> Self {
        let (facts, now) = (&collected.facts, collected.now);
        let journal_error = collected.journal.as_ref().err().map(ToString::to_string);
        let picture = Picture {
            stack,
            policy,
            facts,
            history: collected.history(),
            gates,
            journal_error: journal_error.as_deref(),
            journal_broken: collected.journal.as_ref().map_or(0, |read| read.broken),
            now,
            under_way: None,
            run: facts.stack_run.as_ref().and_then(|run| run.value.clone()),
            missing: String::new(),
        };
        let problems = problems::find(&picture).into_iter();
        Self {
            schema: 1,
            at: now.to_string(),
            stack: stack.name.clone(),
            provisioned: stack.is_provisioned(),
            simulation: stack.simulation.as_ref().map(|simulation| simulation.scenario.clone()),
            endpoints: stack.api_endpoints.iter().filter(|e| e.answers != Answers::Aws).cloned().collect(),
            sources: source_rows(facts, now),
            traffic: traffic(stack, facts, collected.history(), now),
            replication: replication(facts, now),
            service: service(facts, now),
            alarms: alarms(facts, now),
            gates: gate_rows(gates),
            ready_to_shift: all_pass(gates),
            readiness: ReadinessRow::of(&readiness(&picture)),
            problems: problems.map(|p| ProblemRow { mark: p.mark.word(), text: p.text, hint: p.hint }).collect(),
        }
    }
}

/// The gates as rows.
#[must_use]
pub fn gate_rows(gates: &[Gate]) -> Vec<GateRow> {
    gates
        .iter()
        .map(|gate| GateRow {
            id: gate.id.name(),
            verdict: gate.verdict.word(),
            value: gate.value.clone(),
            limit: gate.limit.clone(),
            reason: gate.reason.clone(),
            at: gate.at.map(|at| at.to_string()),
        })
        .collect()
}

fn source_rows(facts: &Facts, now: Timestamp) -> Vec<SourceRow> {
    let row = |(source, health): (&Source, &crate::domain::facts::SourceHealth)| SourceRow {
        name: source.name(),
        ok: health.error.is_none(),
        age_s: health.last_ok.map(|at| tenths(now.since(at).as_secs_f64())),
        error: health.error.as_ref().map(ToString::to_string),
        absent: health.error.as_ref().is_some_and(|error| error.kind == ErrorKind::NotProvisioned),
    };
    facts.sources.iter().map(row).collect()
}

fn traffic(stack: &Stack, facts: &Facts, history: Option<&History>, now: Timestamp) -> Traffic {
    let found = facts.shiftable().map(crate::domain::traffic::RecordGroup::weights);
    let problem = facts.group.as_ref().and_then(|fact| fact.value.as_ref().err()).map(ToString::to_string);
    Traffic {
        record: stack.group.name.clone(),
        rtype: stack.group.rtype.clone(),
        legacy_weight: found.map(WeightPair::legacy),
        new_weight: found.map(WeightPair::new_weight),
        new_percent: found.map(|weights| tenths(weights.new_percent())),
        observed_new_percent: reading::share(facts, now).fresh().map(|percent| tenths(*percent)),
        change: change(facts, history),
        drift: drift(found, history),
        problem,
    }
}

fn change(facts: &Facts, history: Option<&History>) -> Option<ChangeRow> {
    let history = history?;
    let (id, sent) = history.last_change.clone()?;
    if let Some(fact) = facts.change.as_ref().filter(|fact| fact.value.id == id) {
        return Some(ChangeRow { id, status: Some(fact.value.status.to_string()), at: fact.value.at.to_string() });
    }
    let settled = history.pending.is_none().then(|| ChangeStatus::Insync.to_string());
    Some(ChangeRow { id, status: settled, at: sent.to_string() })
}

/// The same question as the drift gate's: are these the weights that were last confirmed here?
fn drift(found: Option<WeightPair>, history: Option<&History>) -> Option<Drift> {
    let (found, history) = (found?, history?);
    if history.unfinished().is_some() {
        return None;
    }
    match history.confirmed {
        Some(confirmed) if confirmed == found => None,
        None if found.new_weight() == 0 => None,
        confirmed => Some(Drift { confirmed, found }),
    }
}

fn replication(facts: &Facts, now: Timestamp) -> Replication {
    let replication = reading::fact(facts.replication.as_ref(), Source::Replication, facts, now);
    let task = replication.fresh().map(|replication| &replication.task);
    let tables = reading::fact(facts.tables.as_ref(), Source::Tables, facts, now);
    let counts = tables.fresh().and_then(|_| facts.count_tables());
    let lag = reading::lag(facts, now);
    Replication {
        task: task.map(|task| task.status.word().to_owned()),
        full_load_percent: task.and_then(|task| task.full_load_percent),
        lag_s: lag.fresh().map(|lag| tenths(*lag)),
        lag_at: lag.at.filter(|_| lag.fresh().is_some()).map(|at| at.to_string()),
        tables: Tables {
            completed: counts.map(|c| c.completed),
            loading: counts.map(|c| c.loading),
            error: counts.map(|c| c.error),
            suspended: counts.map(|c| c.suspended),
        },
        validation: Validation {
            validated: counts.map(|c| c.validated),
            pending: counts.map(|c| c.pending),
            mismatched: counts.map(|c| c.mismatched),
            not_compared: counts.map(|c| c.not_compared),
        },
    }
}

fn service(facts: &Facts, now: Timestamp) -> ServiceRow {
    let service = reading::fact(facts.service.as_ref(), Source::Service, facts, now);
    let tasks = reading::tasks(facts, now);
    let (tasks, targets) = (tasks.fresh(), reading::hosts(facts, Side::New, now));
    let targets = targets.fresh();
    let percent = |metric| reading::metric(facts, metric, now).fresh().map(|value| tenths(*value));
    ServiceRow {
        desired: tasks.map(|t| t.desired),
        running: tasks.map(|t| t.running),
        pending: tasks.map(|t| t.pending),
        healthy_targets: targets.map(|t| t.healthy),
        unhealthy_targets: targets.map(|t| t.unhealthy),
        cpu_percent: percent(Metric::ServiceCpu),
        memory_percent: percent(Metric::ServiceMemory),
        rollout: service.fresh().and_then(|s| s.rollout()).map(str::to_owned),
    }
}

fn alarms(facts: &Facts, now: Timestamp) -> Option<Vec<AlarmRow>> {
    let row = |alarm: &crate::domain::service::Alarm| AlarmRow {
        name: alarm.name.clone(),
        state: alarm.state.word(),
        since: alarm.since.map(|at| at.to_string()),
    };
    let of = |told, source| reading::fact(told, source, facts, now).fresh().copied();
    let new = of(facts.alarms_new.as_ref(), Source::AlarmsNew);
    let legacy = of(facts.alarms_legacy.as_ref(), Source::AlarmsLegacy);
    if new.is_none() && legacy.is_none() {
        return None;
    }
    Some(new.into_iter().chain(legacy).flatten().map(row).collect())
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;
