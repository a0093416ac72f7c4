//! Answers that contradict themselves, as AWS was seen to give them, through the real clients: what a person reads then.

use std::sync::Arc;

use ciborium::Value as Cbor;
use serde_json::{Value, json};

use crate::drill::{Drill, Ran};
use crate::support::way::{Fate, Way};

/// The status of a stack of which this operation's answers are others.
fn status(operation: &'static str, edit: fn(&[u8]) -> Vec<u8>) -> Value {
    let drill = Drill::steady();
    let way = Way::to(
        &drill.endpoint,
        Arc::new(move |call| if call.operation == operation { Fate::Edited(edit) } else { Fate::Goes }),
    );
    let mut command = drill.command("a", &["status", "--json"]);
    command.env("TAPCTL_ENDPOINT_URL", &way.endpoint);
    let status = Ran::of(command.output().unwrap()).ended(0).json();
    way.end();
    status
}

#[track_caller]
fn gate(status: &Value, id: &str, verdict: &str, words: &[&str]) {
    assert_eq!(status["ready_to_shift"], false);
    let gate = status["gates"].as_array().unwrap().iter().find(|gate| gate["id"] == id).unwrap();
    assert_eq!(gate["verdict"], verdict, "{gate}");
    for word in words {
        assert!(gate.to_string().contains(word), "{word}: {gate}");
    }
}

/// The answer with this done to every table, service or whatever its list holds.
fn each(body: &[u8], list: &str, edit: impl Fn(usize, &mut Value)) -> Vec<u8> {
    let mut answer: Value = serde_json::from_slice(body).unwrap();
    answer[list].as_array_mut().unwrap().iter_mut().enumerate().for_each(|(nth, element)| edit(nth, element));
    answer.to_string().into_bytes()
}

/// Every value of every series is 0.
fn all_zero(value: &mut Cbor) {
    match value {
        Cbor::Map(pairs) => {
            for (key, value) in pairs {
                match value {
                    Cbor::Array(values) if key.as_text() == Some("Values") => values.fill(Cbor::Float(0.0)),
                    value => all_zero(value),
                }
            }
        }
        Cbor::Array(items) => items.iter_mut().for_each(all_zero),
        _ => {}
    }
}

#[test]
fn a_stream_of_which_nothing_but_zeros_is_told_has_no_known_lag() {
    let status = status("GetMetricData", |body| {
        let mut answer: Cbor = ciborium::from_reader(body).unwrap();
        all_zero(&mut answer);
        let mut bytes = Vec::new();
        ciborium::into_writer(&answer, &mut bytes).unwrap();
        bytes
    });
    gate(&status, "replication-lag", "unknown", &[]);
    assert_eq!(status["replication"]["lag_s"], Value::Null, "a number is never made up");
}

#[test]
fn a_table_called_validated_with_records_that_failed_does_not_pass() {
    let status = status("DescribeTableStatistics", |body| {
        each(body, "TableStatistics", |nth, table| {
            if nth == 1 {
                table["ValidationState"] = json!("Validated");
                table["ValidationFailedRecords"] = json!(3);
                table["ValidationSuspendedRecords"] = json!(1);
            }
        })
    });
    gate(&status, "validation", "fail", &["3"]);
}

#[test]
fn tables_that_were_never_compared_are_no_mismatch() {
    let status = status("DescribeTableStatistics", |body| {
        each(body, "TableStatistics", |_, table| table["ValidationState"] = json!("Not enabled"))
    });
    gate(&status, "validation", "fail", &["validation is off", "EnableValidation"]);
    assert_eq!(status["replication"]["validation"]["mismatched"], 0, "{}", status["replication"]);
}

#[test]
fn a_release_that_ecs_takes_back_is_told_in_its_own_words() {
    let status = status("DescribeServices", |body| {
        each(body, "services", |_, service| {
            let deployment = &mut service["deployments"][0];
            deployment["rolloutState"] = json!("IN_PROGRESS");
            deployment["rolloutStateReason"] =
                json!("ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/0042.");
        })
    });
    gate(&status, "service", "fail", &["rolling back", "circuit breaker"]);
}

#[test]
fn more_tasks_than_wanted_are_old_ones_that_are_being_stopped() {
    let status = status("DescribeServices", |body| {
        each(body, "services", |_, service| {
            service["runningCount"] = json!(7);
            service["pendingCount"] = json!(0);
        })
    });
    gate(&status, "service", "fail", &["7 run, 4 wanted: old tasks are being stopped"]);
}
