//! Tests of the whole simulator: requests in, replies out.

mod bytes_in;
mod fresh;
mod program;
mod scenarios;
mod sdk;
mod socket;

use super::*;
use serde_json::json;

/// A start at noon UTC on a Monday, so that no test depends on the hour at which it runs.
pub(super) fn start() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

pub(super) fn sim(scenario: Scenario) -> Sim {
    Sim::new(SimConfig { scenario, start: Some(start()), ..SimConfig::default() })
}

/// A signed request to a JSON service.
pub(super) fn json_call(service: &str, region: &str, target: &str, body: &Value) -> Request<Bytes> {
    Request::post("/")
        .header("authorization", authorization(service, region))
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", target)
        .body(Bytes::from(body.to_string()))
        .unwrap()
}

pub(super) fn authorization(service: &str, region: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKID/20261123/{region}/{service}/aws4_request, SignedHeaders=host, Signature=00"
    )
}

pub(super) fn route53(method: &str, path: &str, body: &str) -> Request<Bytes> {
    Request::builder()
        .method(method)
        .uri(format!("/2013-04-01/{path}"))
        .header("authorization", authorization("route53", "us-east-1"))
        .body(Bytes::from(body.to_owned()))
        .unwrap()
}

/// Status and body of a reply that must come.
pub(super) fn answer(sim: &Sim, request: Request<Bytes>) -> (u16, String) {
    let reply = sim.handle(request);
    assert!(!reply.drop_connection);
    (reply.response.status().as_u16(), String::from_utf8_lossy(reply.response.body()).into_owned())
}

/// A batch that deletes the pair at `seen` and creates it at `wanted`.
pub(super) fn swap(seen: (u8, u8), wanted: (u8, u8)) -> Request<Bytes> {
    let change = |action: &str, set: &str, weight: u8| {
        let (zone, target) = match set {
            names::LEGACY_SET => (names::LEGACY_LB_ZONE, format!("dualstack.{}.", names::LEGACY_LB_DNS)),
            _ => (names::ALB_ZONE, format!("{}.", names::ALB_DNS)),
        };
        format!(
            "<Change><Action>{action}</Action><ResourceRecordSet><Name>{}</Name><Type>A</Type><SetIdentifier>{set}</SetIdentifier>\
             <Weight>{weight}</Weight><AliasTarget><HostedZoneId>{zone}</HostedZoneId><DNSName>{target}</DNSName>\
             <EvaluateTargetHealth>true</EvaluateTargetHealth></AliasTarget></ResourceRecordSet></Change>",
            names::RECORD_NAME
        )
    };
    let changes = [
        change("DELETE", names::LEGACY_SET, seen.0),
        change("DELETE", names::NEW_SET, seen.1),
        change("CREATE", names::LEGACY_SET, wanted.0),
        change("CREATE", names::NEW_SET, wanted.1),
    ];
    let body = format!(
        "<ChangeResourceRecordSetsRequest xmlns=\"{}\"><ChangeBatch><Changes>{}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>",
        wire::ROUTE53_NAMESPACE,
        changes.concat()
    );
    route53("POST", &format!("hostedzone/{}/rrset/", names::ZONE_ID), &body)
}

#[test]
fn of_two_swaps_at_the_same_moment_exactly_one_wins() {
    let sim = sim(Scenario::Steady);
    let (first, _) = answer(&sim, swap((100, 0), (90, 10)));
    let (second, body) = answer(&sim, swap((100, 0), (80, 20)));
    assert_eq!((first, second), (200, 400));
    assert!(body.contains("<Code>InvalidChangeBatch</Code>"), "{body}");
    let traffic = &sim.state()["traffic"];
    assert_eq!((&traffic["legacy_weight"], &traffic["new_weight"]), (&json!(90), &json!(10)));
}

#[test]
fn every_reply_carries_the_virtual_time() {
    let sim = sim(Scenario::Steady);
    sim.advance(Duration::from_secs(90));
    let reply = sim.handle(route53("GET", "hostedzone", ""));
    assert_eq!(reply.response.headers()["date"], "Mon, 23 Nov 2026 12:01:30 GMT");
    assert_eq!(sim.now(), start() + jiff::SignedDuration::from_secs(90));
}

#[test]
fn requests_are_counted_by_operation() {
    let sim = sim(Scenario::Steady);
    for _ in 0..2 {
        let _ = sim.handle(route53("GET", "hostedzone", ""));
    }
    let _ = sim.handle(route53("GET", "nonsense", ""));
    assert_eq!(sim.state()["requests"], json!({"route53:ListHostedZones": 2, "route53:unknown": 1}));
}

#[test]
fn clones_are_the_same_world() {
    let sim = sim(Scenario::Steady);
    sim.clone().advance(Duration::from_secs(60));
    assert_eq!(sim.now().as_second(), start().as_second() + 60);
}

#[test]
fn latency_is_told_and_not_waited_for() {
    let sim = sim(Scenario::Steady);
    sim.inject(Fault { latency_ms: 100, ..Fault::on("*") });
    let reply = sim.handle(route53("GET", "hostedzone", ""));
    assert_eq!((reply.delay, reply.response.status().as_u16()), (Duration::from_millis(100), 200));
}

#[test]
fn a_refused_or_dropped_change_changes_nothing() {
    let faults = [
        Fault { drop: true, ..Fault::on("route53") },
        Fault { garbage: true, ..Fault::on("route53") },
        Fault { code: Some("Throttling".into()), ..Fault::on("route53") },
    ];
    for fault in faults {
        let sim = sim(Scenario::Steady);
        sim.inject(fault.times(1));
        let _ = sim.handle(swap((100, 0), (90, 10)));
        assert_eq!(sim.state()["traffic"]["new_weight"], json!(0));
        assert_eq!(answer(&sim, swap((100, 0), (90, 10))).0, 200);
    }
}

#[test]
fn a_change_whose_answer_is_lost_is_made_all_the_same() {
    let lost = Fault { after: true, operation: Some("ChangeResourceRecordSets".into()), ..Fault::on("route53") };
    for fault in [Fault { drop: true, ..lost.clone() }, Fault { code: Some("ServiceUnavailable".into()), ..lost }] {
        let sim = sim(Scenario::Steady);
        let dropped = fault.drop;
        sim.inject(fault.times(1));
        let reply = sim.handle(swap((100, 0), (90, 10)));
        assert_eq!((reply.drop_connection, reply.response.status() == 503), (dropped, !dropped));
        assert_eq!(sim.state()["traffic"]["new_weight"], json!(10));
        assert_eq!(answer(&sim, swap((90, 10), (80, 20))).0, 200);
    }
}

#[test]
fn answers_of_the_same_seed_are_the_same_and_reading_changes_nothing() {
    let run = |reads: bool| {
        let sim = sim(Scenario::TaskCrash);
        for _ in 0..20 {
            sim.advance(Duration::from_secs(17));
            if reads {
                let _ = sim.handle(json_call(
                    "dms",
                    "us-west-2",
                    "AmazonDMSv20160101.DescribeReplicationTasks",
                    &json!({}),
                ));
            }
        }
        let body = json!({"ReplicationTaskArn": names::DMS_TASK_ARN});
        answer(&sim, json_call("dms", "us-west-2", "AmazonDMSv20160101.DescribeTableStatistics", &body))
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn a_script_of_ones_own_can_leave_full_load_to_do() {
    let config = SimConfig { start: Some(start()), ..SimConfig::default() };
    let sim = Sim::with_script(config, Script { full_load_s: 600.0, ..Script::default() });
    let before = sim.state()["replication"].clone();
    assert!(before["lag_s"].is_null() && before["full_load_percent"].as_f64().unwrap() < 100.0, "{before}");
    // What was cached during the load takes its time.
    sim.advance(Duration::from_secs(2_400));
    let after = sim.state()["replication"].clone();
    assert_eq!(after["full_load_percent"], json!(100.0));
    assert!(after["lag_s"].as_f64().unwrap() < 60.0, "{after}");
}

#[test]
fn what_a_script_starts_with_is_there_at_once() {
    let fault = Fault { drop: true, ..Fault::on("sts") };
    let events = vec![
        Event::at(0, ScriptedEvent::Fault(fault)),
        Event::at(0, ScriptedEvent::TableFails { table: "orders".into() }),
    ];
    let sim = Sim::with_script(
        SimConfig { start: Some(start()), ..SimConfig::default() },
        Script { events, ..Script::default() },
    );
    let state = sim.state();
    assert_eq!(state["faults"][0]["service"], json!("sts"));
    assert_eq!(state["replication"]["tables_in_error"], json!(1));
}
