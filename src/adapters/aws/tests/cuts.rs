//! Answers that end early, or lack what AWS always sends: recorded from the simulator, cut everywhere.

use std::collections::BTreeMap;

use super::super::in_process::{InProcessReply, http_client};
use super::super::{json, xml};
use super::broken::queries;
use super::*;
use crate::sim::{Sim, SimConfig};

/// Positions of one answer that are tried through the whole client: the ends, and as many in between.
const THROUGH_THE_CLIENT: usize = 12;

/// Positions of one answer that are tried by a parser alone.
const BY_THE_PARSER: usize = 300;

/// An answer as it was recorded.
#[derive(Clone)]
struct Recorded {
    kind: String,
    body: Bytes,
}

/// What is asked, by the words that tell it apart.
fn operation(request: &::http::Request<Bytes>) -> String {
    let header = |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let scope = header("authorization").split('/').skip(2).take(2).collect::<Vec<_>>().join("/");
    let path = request.uri().path().to_owned();
    let body = String::from_utf8_lossy(request.body()).into_owned();
    let action = body.split('&').find(|part| part.starts_with("Action=")).unwrap_or_default().to_owned();
    format!("{scope} {} {path} {action}", header("x-amz-target"))
}

/// The adapter, and all that it was answered so far.
struct Night {
    aws: Aws,
    answers: Arc<Mutex<BTreeMap<String, Recorded>>>,
    /// This operation's answer is this one.
    instead: Arc<Mutex<Option<(String, Bytes)>>>,
}

impl Night {
    async fn begin() -> Self {
        let sim = Sim::new(SimConfig { start: Some(NOW.parse().unwrap()), ..SimConfig::default() });
        let outputs = StackOutputs::parse(&sim.outputs().to_string()).unwrap();
        let answers: Arc<Mutex<BTreeMap<String, Recorded>>> = Arc::default();
        let instead: Arc<Mutex<Option<(String, Bytes)>>> = Arc::default();
        let (kept, put) = (Arc::clone(&answers), Arc::clone(&instead));
        let client = http_client(Arc::new(move |request| {
            let operation = operation(&request);
            let known = kept.lock().unwrap().get(&operation).cloned();
            let Recorded { kind, body } = known.unwrap_or_else(|| {
                let response = sim.handle(request).response;
                let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
                let recorded = Recorded { kind, body: response.into_body() };
                kept.lock().unwrap().insert(operation.clone(), recorded.clone());
                recorded
            });
            let body = match &*put.lock().unwrap() {
                Some((of, other)) if *of == operation => other.clone(),
                _ => body,
            };
            let response = ::http::Response::builder()
                .status(200)
                .header("content-type", kind)
                .header("smithy-protocol", "rpc-v2-cbor")
                .body(body)
                .unwrap();
            InProcessReply { response, delay: Duration::ZERO, drop_connection: false }
        }));
        let settings = AwsSettings {
            test_credentials: true,
            http_client: Some(client),
            legacy_db_instance: Some(crate::sim::LEGACY_DB_ID.into()),
            ..AwsSettings::default()
        };
        let aws = Aws::connect(settings, outputs, Arc::new(now), Arc::new(|| Ok(None))).await;
        Self { aws, answers, instead }
    }

    /// The operations that a question consists of, with their answers.
    async fn recorded(&self, query: &Query) -> BTreeMap<String, Recorded> {
        let before = self.answers.lock().unwrap().clone();
        // Route 53's change id is none that the simulator knows; what it says of it is no success to cut.
        if self.aws.observe(query.clone()).await.is_err() {
            return BTreeMap::new();
        }
        let after = self.answers.lock().unwrap().clone();
        after.into_iter().filter(|(operation, _)| !before.contains_key(operation)).collect()
    }

    async fn answered(&self, query: &Query, operation: &str, body: Bytes) -> Result<Observation, PortError> {
        *self.instead.lock().unwrap() = Some((operation.to_owned(), body));
        let answer = self.aws.observe(query.clone()).await;
        *self.instead.lock().unwrap() = None;
        answer
    }
}

#[tokio::test(start_paused = true)]
async fn no_answer_that_ends_early_passes_for_the_whole() {
    let night = Night::begin().await;
    let mut tried = 0;
    for query in queries() {
        for (operation, Recorded { kind, body }) in night.recorded(&query).await {
            let whole = body.trim_ascii_end().len();
            let asked = operation.split(' ').nth(1).and_then(|target| target.rsplit('.').next()).unwrap_or_default();
            // The look at XML is our own; the other two have parsers that are tried in many places, not in all.
            let step = if kind.contains("xml") { 1 } else { (whole / BY_THE_PARSER).max(1) };
            for cut in (1..whole).step_by(step) {
                let part = &body[..cut];
                let is_refused = match kind.as_str() {
                    kind if kind.contains("xml") => xml::check(part).is_err(),
                    kind if kind.contains("json") => {
                        json::check(asked, part).is_err() || serde_json::from_slice::<Value>(part).is_err()
                    }
                    _ => ciborium::from_reader::<ciborium::Value, _>(part).is_err(),
                };
                assert!(is_refused, "{operation} at {cut} of {whole}");
            }
            let step = (whole / THROUGH_THE_CLIENT).max(1);
            for cut in (0..whole).step_by(step).chain([1, whole - 1]) {
                let answer = night.answered(&query, &operation, body.slice(..cut)).await;
                assert!(answer.is_err(), "{operation} at {cut} of {whole} ({kind}) is taken for whole: {answer:?}");
                tried += 1;
            }
        }
    }
    assert!(tried > 10 * THROUGH_THE_CLIENT, "{tried} answers were cut");
}

/// Lists and numbers without which an answer says nothing. Left out or `null` they are no zero.
#[tokio::test(start_paused = true)]
async fn no_answer_without_what_aws_always_sends_passes_for_a_whole_one() {
    let night = Night::begin().await;
    for (query, member) in [
        (Query::Service, "services"),
        (Query::Service, "desiredCount"),
        (Query::Service, "runningCount"),
        (Query::Service, "pendingCount"),
        (Query::Service, "deployments"),
        (Query::Service, "clusterArn"),
        (Query::Service, "taskArns"),
        (Query::Service, "tasks"),
        (Query::Service, "lastStatus"),
        (Query::Replication, "ReplicationTasks"),
        (Query::Replication, "ReplicationInstances"),
        (Query::Tables, "TableStatistics"),
        (Query::Tables, "TableState"),
    ] {
        night.recorded(&query).await;
        let answers = night.answers.lock().unwrap().clone();
        let named = format!("\"{member}\":");
        let mut tried = 0;
        for (operation, Recorded { body, .. }) in answers {
            let text = String::from_utf8_lossy(&body).into_owned();
            if !text.contains(&named) {
                continue;
            }
            for instead in ["\"someOther\":", "\"other\":null,\"another\":"] {
                let answer = night.answered(&query, &operation, text.replace(&named, instead).into()).await;
                if answer.as_ref().is_err_and(|error| error.message.contains("another question")) {
                    continue;
                }
                assert!(answer.is_err(), "{operation} without {member}: {answer:?}");
                tried += 1;
            }
        }
        assert!(tried > 0, "{member} is in no answer");
    }
}

#[tokio::test(start_paused = true)]
async fn what_dms_does_not_count_is_unknown_and_no_zero() {
    let night = Night::begin().await;
    let recorded = night.recorded(&Query::Tables).await;
    let (operation, Recorded { body, .. }) = recorded.into_iter().next().unwrap();
    let answer: Value = serde_json::from_slice(&body).unwrap();
    let names = ["ValidationPendingRecords", "ValidationFailedRecords", "ValidationSuspendedRecords"];
    for (gone, null) in [(0, false), (1, true), (2, false)] {
        let mut answer = answer.clone();
        let first = answer["TableStatistics"][0].as_object_mut().unwrap();
        first.remove(names[gone]);
        if null {
            first.insert(names[gone].to_owned(), Value::Null);
        }
        let schema =
            (first["SchemaName"].as_str().unwrap().to_owned(), first["TableName"].as_str().unwrap().to_owned());
        let body = Bytes::from(answer.to_string());
        let Ok(Observation::Tables(tables)) = night.answered(&Query::Tables, &operation, body).await else { panic!() };
        let table = tables.iter().find(|t| (t.schema.clone(), t.table.clone()) == schema).unwrap();
        let told = [table.validation_pending, table.validation_failed, table.validation_suspended];
        assert_eq!(told.map(|count| count.is_none()), std::array::from_fn(|index| index == gone));
        assert!(tables.iter().filter(|t| t.validation_failed.is_none()).count() <= 1, "the others have theirs");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_about_another_service_or_cluster_is_not_believed() {
    let night = Night::begin().await;
    let recorded = night.recorded(&Query::Service).await;
    for (told, other) in [
        ("\"serviceName\":\"migration-service-prod\"", "\"serviceName\":\"migration-service-stage\""),
        ("cluster/migration-cluster-prod\"", "cluster/migration-cluster-stage\""),
        ("\"group\":\"service:migration-service-prod\"", "\"group\":\"service:another\""),
    ] {
        let mut tried = 0;
        for (operation, Recorded { body, .. }) in &recorded {
            let text = String::from_utf8_lossy(body).into_owned();
            if text.contains(told) {
                let answer = night.answered(&Query::Service, operation, text.replace(told, other).into()).await;
                assert_eq!(answer.unwrap_err().kind, ErrorKind::Garbled, "{operation}: {other}");
                tried += 1;
            }
        }
        assert!(tried > 0, "{told} is in no answer");
    }
}

/// The same length in other letters: what is binary stays whole.
fn renamed(body: &Bytes, names: &[&str]) -> Bytes {
    let mut bytes = body.to_vec();
    for name in names {
        let name = name.as_bytes();
        for at in 0..bytes.len().saturating_sub(name.len()) {
            if &bytes[at..at + name.len()] == name {
                bytes[at] = b'x';
            }
        }
    }
    bytes.into()
}

#[tokio::test(start_paused = true)]
async fn no_answer_of_cloudwatch_without_its_lists_passes_for_a_whole_one() {
    let night = Night::begin().await;
    for (query, lists) in [
        (Query::Metrics(Side::New, None), &["MetricDataResults"][..]),
        (Query::Alarms(Side::New), &["MetricAlarms", "CompositeAlarms"]),
    ] {
        let recorded = night.recorded(&query).await;
        let (operation, Recorded { body, .. }) = recorded.into_iter().next().unwrap();
        let answer = night.answered(&query, &operation, renamed(&body, lists)).await;
        assert_eq!(answer.unwrap_err().kind, ErrorKind::Garbled, "{lists:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_replication_instance_is_not_taken_for_this_one() {
    let night = Night::begin().await;
    let recorded = night.recorded(&Query::Replication).await;
    let (operation, Recorded { body, .. }) =
        recorded.into_iter().find(|(operation, _)| operation.contains("DescribeReplicationInstances")).unwrap();
    let text = String::from_utf8_lossy(&body).replace(":rep:", ":rep:OTHER");
    let Ok(Observation::Replication(found)) = night.answered(&Query::Replication, &operation, text.into()).await else {
        panic!()
    };
    assert_eq!(found.instance, None);
}
