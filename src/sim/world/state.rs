//! The world as JSON, for people who look at `/_sim/state` and for tests that compare runs.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::World;
use super::dms::{Table, TableState};
use super::dns::{RecordKind, WeightedAnswer};
use super::fargate::TargetState;
use super::stack::Part;

/// Changes that are listed, newest first.
const SHOWN_CHANGES: usize = 20;

pub(super) fn state(world: &World) -> Value {
    json!({
        "traffic": traffic(world),
        "stack": world.stack.parts().map(Part::name).collect::<Vec<_>>(),
        "replication": world.stack.has(Part::Task).then(|| replication(world)),
        "service": world.stack.has(Part::Service).then(|| service(world)),
        "legacy": json!({
            "healthy_instances": world.legacy.healthy,
            "cpu_percent": round(world.legacy.cpu),
            "queue": world.legacy.queue,
        }),
        "alarms": world.alarms().map(|alarm| json!({
            "name": alarm.rule.name,
            "region": alarm.rule.metric.region,
            "state": alarm.state.name(),
            "since": alarm.since.to_string(),
        })).collect::<Value>(),
        "script": script(world),
    })
}

fn traffic(world: &World) -> Value {
    let now = Timestamp::from_second(world.second).unwrap_or_default();
    let wanted = world.dns.wanted();
    let standing = world.dns.standing();
    let weight = |answer: Option<WeightedAnswer>| {
        answer.filter(|_| standing == RecordKind::Weighted).map(|answer| answer.weight.round() as u64)
    };
    let [legacy, new] = world.healthy();
    let answered = world.dns.share(legacy, new);
    let changes = world.dns.changes().iter().rev().take(SHOWN_CHANGES).map(|change| {
        json!({
            "id": format!("/change/{}", change.id),
            "status": change.status(now),
            "submitted": change.submitted.to_string(),
            "comment": change.comment,
        })
    });
    json!({
        "requests_per_s": round(world.flow.0),
        "record": standing.name(),
        "legacy_weight": weight(wanted.legacy),
        "new_weight": weight(wanted.new),
        "answered_new_percent": answered.map(|share| round(share * 100.0)),
        "observed_new_percent": round(world.flow.1 * 100.0),
        "changes": changes.collect::<Value>(),
    })
}

fn replication(world: &World) -> Value {
    let dms = &world.dms;
    let loading = dms.is_loading(world.second);
    let tables = dms.tables.iter().map(table);
    json!({
        "full_load_percent": round(dms.progress(world.second)),
        "lag_s": (!loading).then(|| round(dms.target_lag)),
        "source_lag_s": (!loading).then(|| round(dms.source_lag)),
        "backlog_rows": dms.backlog.round(),
        "read_rows_per_s": dms.read_rate.round(),
        "applied_rows_per_s": dms.apply_rate.round(),
        "tables_in_error": dms.count(TableState::Error),
        "tables": tables.collect::<Value>(),
    })
}

fn table(table: &Table) -> Value {
    json!({"name": table.name, "state": table.state.name(), "validation": table.validation(), "mismatched": table.mismatched})
}

fn service(world: &World) -> Value {
    let (now, fargate) = (world.second, &world.fargate);
    let usage = fargate.usage(now);
    let targets = |state| fargate.targets(now, state);
    json!({
        "desired": fargate.desired,
        "running": fargate.running(now),
        "pending": fargate.pending(now),
        "healthy_targets": targets(TargetState::Healthy),
        "unhealthy_targets": targets(TargetState::Unhealthy),
        "initial_targets": targets(TargetState::Initial),
        "draining_targets": targets(TargetState::Draining),
        "cpu_percent": usage.map(|(cpu, _)| round(cpu)),
        "memory_percent": usage.map(|(_, memory)| round(memory)),
        "rollout": fargate.deployments.first().map(|deployment| deployment.rollout.name()),
    })
}

fn script(world: &World) -> Value {
    let events = world.script.events.iter().enumerate().map(|(index, event)| {
        let mut value = serde_json::to_value(event).unwrap_or_default();
        value["done"] = (index < world.played).into();
        value
    });
    events.collect()
}

/// Two decimals are enough for people, and hide nothing that a test compares.
fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
