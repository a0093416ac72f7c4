//! One snapshot of the migration, as `status --json` and `gates --json` print it.
//!
//! Pure. [`shape`] has the names that people script against.

mod shape;

use crate::domain::endpoint::Answers;
use crate::domain::error::ErrorKind;
use crate::domain::facts::{Facts, Source};
use crate::domain::gate::{Gate, GateId, Policy, all_pass};
use crate::domain::metrics::Metric;
use crate::domain::model::{Stack, Watcher};
use crate::domain::problems;
use crate::domain::readiness::{Picture, Readiness, readiness};
use crate::domain::reading;
use crate::domain::record::History;
use crate::domain::targets::{Leads, Member, members};
use crate::domain::traffic::{ChangeStatus, RecordGroup, Side};
use crate::domain::units::{Timestamp, WeightPair};
use crate::runtime::collect::Collected;

pub use shape::{
    AlarmRow, ChangeRow, Drift, GateList, GateRow, MemberRow, ProblemRow, ReadinessRow, Replication, ServiceRow,
    Snapshot, SourceRow, Tables, Traffic, Validation,
};

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

impl Snapshot {
    /// The snapshot of what was gathered.
    #[must_use]
    pub fn of((stack, watcher): (&Stack, &Watcher), policy: &Policy, collected: &Collected, gates: &[Gate]) -> Self {
        let (facts, now) = (&collected.facts, collected.now);
        let journal_error = collected.journal.as_ref().err().map(ToString::to_string);
        let picture = Picture {
            stack,
            watcher,
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
            simulation: watcher.simulation.as_ref().map(|simulation| simulation.scenario.clone()),
            endpoints: watcher.api_endpoints.iter().filter(|e| e.answers != Answers::Aws).cloned().collect(),
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
    let found = facts.shiftable().map(RecordGroup::weights);
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
        members: facts.shiftable().map(|group| member_rows(group, stack)).unwrap_or_default(),
    }
}

fn member_rows(group: &RecordGroup, stack: &Stack) -> Vec<MemberRow> {
    let row = |member: Member<'_>| MemberRow {
        side: member.side.name(),
        rtype: member.record.rtype.clone(),
        set_identifier: member.record.set_identifier.clone(),
        target: member.record.target_text(),
        leads: match member.leads {
            Leads::Home => Some("home"),
            Leads::Across => Some("across"),
            Leads::Elsewhere => Some("elsewhere"),
            Leads::Unknown => None,
        },
    };
    members(group, &stack.endpoints).into_iter().map(row).collect()
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
mod tests;
