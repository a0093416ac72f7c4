//! The snapshot that `status` prints, from facts made by hand.

use super::*;
use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::domain::facts::{Fact, Observation};
use crate::domain::gate::{Inputs, Policy, evaluate};
use crate::domain::metrics::MetricReadings;
use crate::domain::model::fixtures::watcher;
use crate::domain::record::{Entry, Event, OutcomeKind};
use crate::domain::replication::fixtures::{replication, table};
use crate::domain::series::{Point, Series};
use crate::domain::service::fixtures::{alarm, hosts, service};
use crate::domain::service::{Alarm, AlarmState, Host, Hosts};
use crate::domain::shift::Direction;
use crate::domain::shift::fixtures::{group, key};
use crate::domain::traffic::Change;
use crate::ports::{ErrorKind, PortError};
use crate::runtime::ports_set::JournalRead;

fn now() -> Timestamp {
    Timestamp::parse("2026-11-22T12:40:31Z").unwrap()
}

fn stack() -> Stack {
    Stack { legacy_lb: "techvault-web".into(), ..crate::domain::model::fixtures::stack() }
}

fn minutes(value: f64) -> Series {
    let newest = now().floor_to(Duration::from_secs(60));
    Series::new((1..=20).map(|n| Point { at: newest.minus(Duration::from_secs(60 * n)), value }).collect())
}

fn healthy() -> Facts {
    let at = now().minus(Duration::from_millis(200));
    let mut facts = Facts::default();
    let mut take = |source, observation| facts.absorb(&key(), source, Ok(observation), at);
    let weights = WeightPair::new(80, 20).unwrap();
    take(Source::Records, Observation::Records(group(weights).records().cloned().collect()));
    take(Source::Replication, Observation::Replication(replication()));
    take(Source::Tables, Observation::Tables((0..12).map(|n| table(&format!("t{n}"))).collect()));
    take(Source::Service, Observation::Service(service(4)));
    let host = |n| Host { id: format!("10.0.0.{n}"), zone: None, state: "healthy".into(), reason: None };
    take(Source::Targets, Observation::Hosts(Side::New, Hosts { hosts: (0..4).map(host).collect() }));
    take(Source::LegacyHosts, Observation::Hosts(Side::Legacy, hosts(&["InService"])));
    let alarm = Alarm {
        name: "migration-dms-lag-prod".into(),
        since: Some(now().minus(Duration::from_secs(3600))),
        ..alarm(Side::New, AlarmState::Ok)
    };
    take(Source::AlarmsNew, Observation::Alarms(Side::New, vec![alarm]));
    take(Source::AlarmsLegacy, Observation::Alarms(Side::Legacy, vec![]));
    let new = [
        (Metric::LagSource, 1.0),
        (Metric::LagTarget, 3.04),
        (Metric::RowsTarget, 240.0),
        (Metric::ServiceCpu, 41.0),
        (Metric::ServiceMemory, 37.5),
        (Metric::NewRequests, 1920.0),
        (Metric::NewLatency, 0.08),
    ];
    let legacy = [(Metric::LegacyRequests, 8080.0), (Metric::LegacyLatency, 0.09)];
    let readings = |list: &[(Metric, f64)]| MetricReadings {
        series: list.iter().map(|(metric, value)| (*metric, minutes(*value))).collect(),
        incomplete: vec![],
        past: None,
    };
    take(Source::MetricsNew, Observation::Metrics(Side::New, readings(&new)));
    take(Source::MetricsLegacy, Observation::Metrics(Side::Legacy, readings(&legacy)));
    take(Source::StackRun, Observation::StackRun(None));
    facts
}

fn entries() -> Vec<Entry> {
    let entry = |ago, event| Entry {
        aws_at: None,
        at: now().minus(Duration::from_secs(ago)),
        operator: "me".into(),
        host: "here".into(),
        event,
    };
    let (from, to) = (WeightPair::new(90, 10).unwrap(), WeightPair::new(80, 20).unwrap());
    let (id, change) = ("a".to_owned(), "/change/C1".to_owned());
    let intent = Event::Intent {
        id: id.clone(),
        record: key().name,
        from,
        to,
        direction: Direction::Forward,
        overrides: vec![],
        evacuation: None,
    };
    let (result, detail) = (OutcomeKind::Accepted, String::new());
    let outcome =
        Event::Outcome { id, result, weights: Some(to), change: Some(change.clone()), submitted_at: None, detail };
    vec![
        entry(1000, intent),
        entry(1000, outcome),
        entry(960, Event::Insync { change, weights: to, verified: true, pending_at: None }),
    ]
}

fn snapshot(facts: Facts, entries: &[Entry]) -> Snapshot {
    let history = History::of(entries);
    let policy = Policy::default();
    let gates = evaluate(Inputs {
        facts: &facts,
        history: Some(&history),
        policy: &policy,
        endpoints: &stack().endpoints,
        now: now(),
    });
    let journal = Ok(JournalRead { entries: entries.to_vec(), broken: 0, history });
    Snapshot::of((&stack(), &watcher()), &policy, &Collected { facts, journal, now: now() }, &gates)
}

#[test]
fn schema_one_is_what_the_contract_says_name_by_name() {
    let text = serde_json::to_string(&snapshot(healthy(), &entries())).unwrap();
    let (head, gates) = text.split_once(r#","gates":["#).unwrap();
    let sources: String = [
        "route53",
        "dms",
        "dms-tables",
        "ecs",
        "targets",
        "legacy-hosts",
        "alarms",
        "legacy-alarms",
        "metrics",
        "legacy-metrics",
        "stack-run",
    ]
    .map(|name| format!(r#"{{"name":"{name}","ok":true,"age_s":0.2}}"#))
    .join(",");
    let expected = [
        r#"{"schema":1,"at":"2026-11-22T12:40:31Z","stack":"prod","sources":["#,
        &sources,
        r#"],"traffic":{"record":"app.example.com.","type":"A","legacy_weight":80,"new_weight":20,"new_percent":20.0,"#,
        r#""observed_new_percent":19.2,"change":{"id":"/change/C1","status":"INSYNC","at":"2026-11-22T12:23:51Z"},"drift":null,"#,
        r#""members":[{"side":"legacy","type":"A","set_identifier":"legacy","target":"alias dualstack.legacy.elb.amazonaws.com.","#,
        r#""leads":"home"},{"side":"new","type":"A","set_identifier":"new","target":"alias dualstack.new.elb.amazonaws.com.","#,
        r#""leads":"home"}]},"#,
        r#""replication":{"task":"running","full_load_percent":100,"lag_s":3.0,"lag_at":"2026-11-22T12:37:00Z","#,
        r#""tables":{"completed":12,"loading":0,"error":0,"suspended":0},"#,
        r#""validation":{"validated":12,"pending":0,"mismatched":0,"not_compared":0}},"#,
        r#""service":{"desired":4,"running":4,"pending":0,"healthy_targets":4,"unhealthy_targets":0,"#,
        r#""cpu_percent":41.0,"memory_percent":37.5,"rollout":"COMPLETED"},"#,
        r#""alarms":[{"name":"migration-dms-lag-prod","state":"OK","since":"2026-11-22T11:40:31Z"}]"#,
    ]
    .concat();
    assert_eq!(head, expected);
    assert!(
        gates
            .starts_with(r#"{"id":"replication-task","verdict":"pass","value":"running, CDC","limit":"running, CDC","#)
    );
    let tail = [
        r#"],"ready_to_shift":true,"readiness":{"verdict":"go","gate":null,"sentence":"every gate passes","#,
        r#""next":"tapctl shift --step +10"},"problems":[]}"#,
    ]
    .concat();
    assert!(gates.ends_with(&tail), "{gates}");
}

#[test]
fn every_gate_is_a_row_with_the_same_six_fields() {
    let value = serde_json::to_value(snapshot(healthy(), &entries())).unwrap();
    let rows = value["gates"].as_array().unwrap();
    let ids: Vec<_> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    let wanted = "replication-task replication-lag tables validation alarms service targets errors latency dns-settled \
                  bake drift stack-idle record-targets step-size";
    assert_eq!(ids, wanted.split_whitespace().collect::<Vec<_>>());
    for row in rows {
        let fields: Vec<_> = row.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, ["at", "id", "limit", "reason", "value", "verdict"]);
    }
}

#[test]
fn what_is_not_known_is_null_and_blocks() {
    let mut facts = Facts::default();
    for source in [Source::Records, Source::MetricsNew] {
        let error = PortError::new(ErrorKind::Unreachable, "x:Y", "no route");
        facts.absorb(&key(), source, Err(error), now());
    }
    let value = serde_json::to_value(snapshot(facts, &[])).unwrap();
    assert_eq!(value["sources"][0]["ok"], false);
    assert_eq!(value["sources"][0]["age_s"], Value::Null);
    let nulls: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("traffic", &["legacy_weight", "new_weight", "new_percent", "observed_new_percent", "change", "drift"][..]),
        ("replication", &["task", "full_load_percent", "lag_s", "lag_at"][..]),
        ("service", &["desired", "running", "pending", "healthy_targets", "unhealthy_targets", "cpu_percent"][..]),
    ]);
    for (part, fields) in nulls {
        for field in fields {
            assert!(value[part].as_object().unwrap().contains_key(*field), "{part}.{field}");
            assert_eq!(value[part][field], Value::Null, "{part}.{field}");
        }
    }
    assert_eq!(value["replication"]["tables"]["error"], Value::Null);
    assert_eq!(value["alarms"], Value::Null);
    assert_eq!(value["ready_to_shift"], false);
    assert!(value["gates"].as_array().unwrap().iter().any(|gate| gate["verdict"] == "unknown"));
}

#[test]
fn old_metrics_are_not_known() {
    let mut facts = healthy();
    facts.metrics = crate::domain::metrics::Metrics::default();
    let old = Series::new(vec![Point { at: now().minus(Duration::from_secs(900)), value: 3.0 }]);
    facts
        .metrics
        .absorb(&MetricReadings { series: vec![(Metric::LagTarget, old)], incomplete: vec![], past: None }, now());
    let value = serde_json::to_value(snapshot(facts, &entries())).unwrap();
    assert_eq!(value["replication"]["lag_s"], Value::Null);
}

#[test]
fn a_change_on_its_way_and_weights_of_somebody_else_are_told() {
    let mut facts = healthy();
    let change = Change { id: "/change/C1".into(), status: ChangeStatus::Pending, at: now() };
    facts.change = Some(Fact { value: change, at: now() });
    let pending = &entries()[..2];
    let value = serde_json::to_value(snapshot(facts, pending)).unwrap();
    assert_eq!(value["traffic"]["change"]["status"], "PENDING");
    let mut drifted = healthy();
    let others = group(WeightPair::new(70, 30).unwrap());
    drifted.absorb(&key(), Source::Records, Ok(Observation::Records(others.records().cloned().collect())), now());
    let value = serde_json::to_value(snapshot(drifted, &entries())).unwrap();
    assert_eq!(value["traffic"]["drift"]["found"], serde_json::json!({"legacy": 70, "new": 30}));
    assert_eq!(value["traffic"]["drift"]["confirmed"], serde_json::json!({"legacy": 80, "new": 20}));
}
