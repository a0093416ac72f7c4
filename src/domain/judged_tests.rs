//! The table against the facts, and the judges against bad facts.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::*;
use crate::domain::facts::fixtures::{healthy, minutes};
use crate::domain::facts::{Facts, Observation, Source};
use crate::domain::gate::{Inputs, Policy, Verdict, evaluate};
use crate::domain::metrics::{Metric, MetricReadings};
use crate::domain::record::{Entry, Event, History, OutcomeKind};
use crate::domain::replication::{Replication, TableStat, TaskStatus};
use crate::domain::service::{Alarm, AlarmState, Hosts, Service};
use crate::domain::shift::fixtures::key;
use crate::domain::traffic::{Change, ChangeStatus};
use crate::domain::units::{Timestamp, WeightPair};

const NOW: Timestamp = Timestamp::from_millis(1_795_000_020_000);

fn fields(prefix: &str, value: &impl Serialize) -> Vec<String> {
    match serde_json::to_value(value).unwrap() {
        Value::Object(map) => map.keys().map(|key| format!("{prefix}.{key}")).collect(),
        other => panic!("{prefix} is no struct: {other}"),
    }
}

#[test]
fn every_fact_that_is_read_has_its_row_and_every_row_its_fact() {
    let facts = healthy(NOW);
    let replication = &facts.replication.as_ref().unwrap().value;
    let service = &facts.service.as_ref().unwrap().value;
    let change = Change { id: "/change/C1".into(), status: ChangeStatus::Insync, at: NOW };
    let mut found: Vec<String> = [
        fields("task", &replication.task),
        fields("instance", replication.instance.as_ref().unwrap()),
        fields("table", &facts.tables.as_ref().unwrap().value[0]),
        fields("service", service),
        fields("deployment", &service.deployments[0]),
        fields("ecs_task", &service.tasks[0]),
        fields("target", &facts.targets.as_ref().unwrap().value.hosts[0]),
        fields("legacy_host", &facts.legacy_hosts.as_ref().unwrap().value.hosts[0]),
        fields("alarm", &facts.alarms_new.as_ref().unwrap().value[0]),
        fields("change", &change),
        fields("identity", &facts.identity.as_ref().unwrap().value),
        vec!["reverse".to_owned()],
    ]
    .concat();
    for metric in Metric::ALL {
        found.push(serde_json::to_value(metric).unwrap().as_str().unwrap().to_owned());
    }
    let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
    let told: BTreeSet<&str> = TABLE.iter().map(|(name, _)| *name).collect();
    assert_eq!(found, told);
    assert_eq!(TABLE.len(), told.len(), "no fact twice");
}

fn dms(facts: &mut Facts) -> &mut Replication {
    &mut facts.replication.as_mut().unwrap().value
}

fn table(facts: &mut Facts) -> &mut TableStat {
    facts.table_counts = None;
    &mut facts.tables.as_mut().unwrap().value[1]
}

fn ecs(facts: &mut Facts) -> &mut Service {
    &mut facts.service.as_mut().unwrap().value
}

fn fleet(hosts: &mut Hosts, state: &str) {
    for host in &mut hosts.hosts {
        host.state = state.into();
    }
}

fn alarm(facts: &mut Facts) -> &mut Alarm {
    &mut facts.alarms_legacy.as_mut().unwrap().value[0]
}

fn metric(facts: &mut Facts, metric: Metric, value: f64) {
    let readings = MetricReadings { series: vec![(metric, minutes(NOW, value))], incomplete: vec![], past: None };
    facts.metrics.absorb(&readings, NOW);
}

/// Makes this one fact bad and leaves all others as they are, but for what a zero needs beside it.
fn spoil(name: &str, facts: &mut Facts) {
    match name {
        "task.status" => dms(facts).task.status = TaskStatus::Stopped,
        "task.migration_type" => dms(facts).task.migration_type = "full-load".into(),
        "task.stop_reason" => dms(facts).task.stop_reason = Some("Stop Reason FATAL_ERROR".into()),
        "task.failure" => dms(facts).task.failure = Some("Last Error".into()),
        "task.full_load_percent" => dms(facts).task.full_load_percent = Some(99),
        "task.tables_loaded" => dms(facts).task.tables_loaded = 0,
        "task.tables_loading" => dms(facts).task.tables_loading = 1,
        "task.tables_queued" => dms(facts).task.tables_queued = 1,
        "task.tables_errored" => dms(facts).task.tables_errored = 1,
        "instance.status" => dms(facts).instance.as_mut().unwrap().status = "storage-full".into(),
        "reverse" => dms(facts).reverse = Some(TaskStatus::Running),
        "table.state" => table(facts).state = "Table cancelled".into(),
        "table.load_errors" => table(facts).load_errors = 1,
        "table.validation" => table(facts).validation = "Error".into(),
        "table.validation_pending" => table(facts).validation_pending = Some(1),
        "table.validation_failed" => table(facts).validation_failed = Some(1),
        "table.validation_suspended" => table(facts).validation_suspended = Some(1),
        "service.status" => ecs(facts).status = "DRAINING".into(),
        "service.desired" => ecs(facts).desired = 0,
        "service.running" => ecs(facts).running = 3,
        "service.pending" => ecs(facts).pending = 1,
        "service.deployments" => ecs(facts).deployments.clear(),
        "service.tasks" => ecs(facts).tasks.clear(),
        "deployment.status" => ecs(facts).deployments[0].status = "ACTIVE".into(),
        "deployment.rollout" => ecs(facts).deployments[0].rollout = "FAILED".into(),
        "deployment.reason" => {
            ecs(facts).deployments[0].rollout = "IN_PROGRESS".into();
            ecs(facts).deployments[0].reason = "ECS deployment circuit breaker: rolling back".into();
        }
        "deployment.desired" => ecs(facts).deployments[0].desired = 3,
        "deployment.running" => ecs(facts).deployments[0].running = 3,
        "deployment.pending" => ecs(facts).deployments[0].pending = 1,
        "deployment.failed" => ecs(facts).deployments[0].failed = 1,
        "ecs_task.status" => ecs(facts).tasks[3].status = "DEPROVISIONING".into(),
        "ecs_task.health" => ecs(facts).tasks[3].health = "UNHEALTHY".into(),
        "target.state" => facts.targets.as_mut().unwrap().value.hosts[2].state = "unhealthy".into(),
        "legacy_host.state" => fleet(&mut facts.legacy_hosts.as_mut().unwrap().value, "OutOfService"),
        "alarm.state" => alarm(facts).state = AlarmState::Alarm,
        "alarm.silenced" => alarm(facts).silenced = Some("its actions are disabled".into()),
        "alarm.evaluation" => alarm(facts).evaluation = Some("EVALUATION_FAILURE".into()),
        "change.status" => {
            let change = Change { id: "/change/C1".into(), status: ChangeStatus::Pending, at: NOW };
            facts.absorb(&key(), Source::Change, Ok(Observation::Change(change)), NOW);
        }
        "lag_source" => metric(facts, Metric::LagSource, 900.0),
        "lag_target" => metric(facts, Metric::LagTarget, 900.0),
        "rows_source" => {
            metric(facts, Metric::RowsTarget, 0.0);
            metric(facts, Metric::Backlog, 0.0);
            metric(facts, Metric::RowsSource, 7.0);
        }
        "rows_target" => metric(facts, Metric::RowsTarget, 0.0),
        "backlog" => {
            metric(facts, Metric::RowsTarget, 0.0);
            metric(facts, Metric::RowsSource, 0.0);
            metric(facts, Metric::Backlog, 7.0);
        }
        "new_requests" => metric(facts, Metric::NewRequests, 1.0),
        "new_target5xx" => metric(facts, Metric::NewTarget5xx, 500.0),
        "new_elb5xx" => metric(facts, Metric::NewElb5xx, 500.0),
        "new_latency" => metric(facts, Metric::NewLatency, 9.0),
        "new_healthy" => metric(facts, Metric::NewHealthy, 0.0),
        "new_unhealthy" => metric(facts, Metric::NewUnhealthy, 1.0),
        "legacy_requests" => metric(facts, Metric::LegacyRequests, 0.0),
        "legacy_latency" => metric(facts, Metric::LegacyLatency, 0.01),
        "legacy_backend5xx" | "legacy_elb5xx" => {
            // The legacy stack's own errors excuse the new stack's; without them the same rate is too much.
            metric(facts, Metric::NewTarget5xx, 6.0);
            metric(facts, Metric::LegacyBackend5xx, 0.0);
            metric(facts, Metric::LegacyElb5xx, 0.0);
        }
        other => panic!("the fact {other} has a gate and no bad value here"),
    }
}

/// A journal after a change that is INSYNC long since.
fn history(pending: bool) -> History {
    let entry = |secs: u64, event| Entry {
        aws_at: None,
        at: NOW.minus(std::time::Duration::from_secs(secs)),
        operator: "oncall".into(),
        host: "bastion".into(),
        event,
    };
    let weights = WeightPair::new(80, 20).unwrap();
    let change = Some("/change/C1".to_owned());
    let outcome = Event::Outcome {
        id: "a".into(),
        result: OutcomeKind::Accepted,
        weights: Some(weights),
        change,
        submitted_at: None,
        detail: String::new(),
    };
    let mut entries = vec![entry(4000, outcome)];
    if !pending {
        entries.push(entry(
            3950,
            Event::Insync { change: "/change/C1".into(), weights, verified: true, pending_at: None },
        ));
    }
    History::of(&entries)
}

fn verdict(facts: &Facts, gate: GateId, pending: bool) -> (Verdict, String) {
    let (history, policy) = (history(pending), Policy::default());
    let endpoints = &crate::domain::model::fixtures::stack().endpoints;
    let gates = evaluate(Inputs { facts, history: Some(&history), policy: &policy, endpoints, now: NOW });
    let gate = gates.into_iter().find(|g| g.id == gate).unwrap();
    (gate.verdict, gate.reason)
}

#[test]
fn a_bad_fact_keeps_its_judge_from_passing() {
    for (name, judge) in TABLE {
        let Judge::Gate(gate) = judge else { continue };
        let mut facts = healthy(NOW);
        let (before, reason) = verdict(&facts, *gate, false);
        assert_eq!(before, Verdict::Pass, "{gate} before {name}: {reason}");
        spoil(name, &mut facts);
        let (after, reason) = verdict(&facts, *gate, *name == "change.status");
        assert_ne!(after, Verdict::Pass, "{gate} passes with a bad {name}: {reason}");
        assert!(!reason.is_empty());
    }
}
