//! AWS's answers, XML, CBOR and JSON, as its own clients read them: no number that does not stand there, no list that says of
//! itself that it goes on, and no text that steers a terminal.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tapctl::adapters::aws::in_process::{InProcessReply, http_client};
use tapctl::adapters::aws::{Aws, AwsSettings};
use tapctl::domain::facts::{Observation, Query};
use tapctl::domain::stack::StackOutputs;
use tapctl::domain::traffic::{Routing, Side};
use tapctl::domain::units::Timestamp;
use tapctl::ports::Observe;
use tapctl::sim::{LEGACY_DB_ID, Sim, SimConfig};
use tokio::runtime::Runtime;

use super::driver::{Came, Target, kind_of, unfit_in};

const NOW: &str = "2026-11-22T12:40:31Z";

/// An answer as it was recorded, and the question that it is part of.
#[derive(Clone)]
struct Recorded {
    query: Query,
    kind: String,
    body: Bytes,
}

pub(super) struct Answers {
    runtime: Runtime,
    aws: Aws,
    recorded: BTreeMap<String, Recorded>,
    instead: Arc<Mutex<Option<(String, Bytes)>>>,
}

fn queries() -> [Query; 11] {
    [
        Query::Records,
        Query::Replication,
        Query::Tables,
        Query::Service,
        Query::Hosts(Side::New),
        Query::Hosts(Side::Legacy),
        Query::Alarms(Side::New),
        Query::Alarms(Side::Legacy),
        Query::Metrics(Side::New, None),
        Query::Metrics(Side::Legacy, None),
        Query::Identity,
    ]
}

/// What is asked, in one word.
fn operation(request: &http::Request<Bytes>) -> String {
    let header = |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let region = header("authorization").split('/').nth(2).unwrap_or_default().to_owned();
    let body = String::from_utf8_lossy(request.body()).into_owned();
    let action = body.split('&').find_map(|part| part.strip_prefix("Action="));
    let target = header("x-amz-target");
    let path = request.uri().path();
    let word = match action {
        Some(action) => action,
        None if !target.is_empty() => target.rsplit('.').next().unwrap_or_default(),
        None => path.rsplit('/').next().unwrap_or_default(),
    };
    format!("{word}@{region}")
}

impl Answers {
    pub(super) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let sim = Sim::new(SimConfig { start: Some(NOW.parse().unwrap()), ..SimConfig::default() });
        let outputs = StackOutputs::parse(&sim.outputs().to_string()).unwrap();
        let answers: Arc<Mutex<BTreeMap<String, (String, Bytes)>>> = Arc::default();
        let instead: Arc<Mutex<Option<(String, Bytes)>>> = Arc::default();
        let (kept, put) = (Arc::clone(&answers), Arc::clone(&instead));
        let client = http_client(Arc::new(move |request| {
            let operation = operation(&request);
            let known = kept.lock().unwrap().get(&operation).cloned();
            let (kind, body) = known.unwrap_or_else(|| {
                let response = sim.handle(request).response;
                let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
                let answer = (kind, response.into_body());
                kept.lock().unwrap().insert(operation.clone(), answer.clone());
                answer
            });
            let body = match &*put.lock().unwrap() {
                Some((of, other)) if *of == operation => other.clone(),
                _ => body,
            };
            let response = http::Response::builder()
                .header("content-type", kind)
                .header("smithy-protocol", "rpc-v2-cbor")
                .body(body)
                .unwrap();
            InProcessReply { response, delay: Duration::ZERO, drop_connection: false }
        }));
        let settings = AwsSettings {
            test_credentials: true,
            http_client: Some(client),
            legacy_db_instance: Some(LEGACY_DB_ID.into()),
            ..AwsSettings::default()
        };
        let now = Timestamp::parse(NOW).unwrap();
        let aws = runtime.block_on(Aws::connect(settings, outputs, Arc::new(move || now), Arc::new(|| Ok(None))));
        let mut recorded = BTreeMap::new();
        for query in queries() {
            let before = answers.lock().unwrap().clone();
            runtime.block_on(aws.observe(query.clone())).unwrap();
            for (operation, (kind, body)) in &*answers.lock().unwrap() {
                if !before.contains_key(operation) {
                    let new = Recorded { query: query.clone(), kind: kind.clone(), body: body.clone() };
                    recorded.insert(operation.clone(), new);
                }
            }
        }
        assert!(recorded.len() >= 11, "{:?}", recorded.keys());
        Self { runtime, aws, recorded, instead }
    }
}

impl Target for Answers {
    fn name(&self) -> &'static str {
        "answers"
    }

    /// The operation in a line, and the body behind it.
    fn seeds(&self) -> Vec<Vec<u8>> {
        self.recorded
            .iter()
            .map(|(operation, recorded)| [operation.as_bytes(), b"\n", &recorded.body].concat())
            .collect()
    }

    fn words(&self) -> &'static [&'static str] {
        &[
            "<IsTruncated>true</IsTruncated>",
            "<Weight>-1</Weight>",
            "<Weight>20</Weight>",
            "<ResourceRecordSet>",
            "<!--",
            "]]>",
            "&#27;",
            "\"runningCount\":-1,",
            "\"desiredCount\":1e3,",
            "\"nextToken\":\"x\",",
            "\"Marker\":\"m\",",
            "null",
            "[]",
            "{}",
            "\"failures\":[{\"reason\":\"MISSING\"}],",
        ]
    }

    fn takes(&self, input: &[u8]) -> Came {
        let at = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
        let operation = String::from_utf8_lossy(&input[..at]).into_owned();
        let Some(Recorded { query, kind, .. }) = self.recorded.get(&operation) else { return Ok("nothing".to_owned()) };
        let body = input.get(at + 1..).unwrap_or_default();
        *self.instead.lock().unwrap() = Some((operation.clone(), Bytes::copy_from_slice(body)));
        let answer = self.runtime.block_on(self.aws.observe(query.clone()));
        *self.instead.lock().unwrap() = None;
        match answer {
            Err(error) => {
                if error.message.chars().any(tapctl::domain::text::is_unfit) || error.message.chars().count() > 600 {
                    return Err(format!("this would be on the screen: {:?}", error.message));
                }
                Ok(format!("{operation} {:?} {}", error.kind, kind_of(&error.message)))
            }
            Ok(observed) => {
                if let Some(found) = unfit_in(&format!("{observed:?}")) {
                    return Err(format!("{found:?} would be on the screen"));
                }
                made_up(&observed, kind, body)?;
                Ok(format!("{operation} read"))
            }
        }
    }
}

/// Every number that stands in a body, as far as it can be read without the client.
fn numbers(kind: &str, body: &[u8]) -> Option<Vec<f64>> {
    let mut found = Vec::new();
    if kind.contains("cbor") {
        collect_cbor(&ciborium::from_reader(body).ok()?, &mut found);
        return Some(found);
    }
    let text = String::from_utf8_lossy(body);
    let mut number = String::new();
    for c in text.chars().chain([' ']) {
        if c.is_ascii_digit() || (matches!(c, '-' | '+' | '.' | 'e' | 'E') && !(number.is_empty() && c != '-')) {
            number.push(c);
        } else {
            found.extend(number.parse::<f64>());
            number.clear();
        }
    }
    Some(found)
}

fn collect_cbor(value: &ciborium::Value, found: &mut Vec<f64>) {
    use ciborium::Value as C;
    match value {
        C::Float(number) => found.push(*number),
        C::Integer(number) => found.push(i128::from(*number) as f64),
        C::Array(items) => items.iter().for_each(|item| collect_cbor(item, found)),
        C::Map(pairs) => pairs.iter().for_each(|(_, value)| collect_cbor(value, found)),
        C::Tag(_, inner) => collect_cbor(inner, found),
        _ => {}
    }
}

/// Numbers that are shown and stand nowhere; lists that say that they go on.
fn made_up(observed: &Observation, kind: &str, body: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(body);
    let squeezed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let mut shown: Vec<f64> = Vec::new();
    match observed {
        Observation::Records(records) => {
            if squeezed.contains("<IsTruncated>true</IsTruncated>") && !squeezed.contains("<NextRecordName>") {
                return Err("a list that says that it goes on passes for all of it".to_owned());
            }
            shown.extend(records.iter().filter_map(|record| match &record.routing {
                Routing::Weighted(weight) => Some(f64::from(*weight)),
                _ => None,
            }));
        }
        Observation::Service(service) => {
            if squeezed.contains("\"failures\":[{") {
                return Err("a service that ECS says it could not describe".to_owned());
            }
            if kind.contains("json") && text.contains("desiredCount") {
                shown.extend([service.desired, service.running, service.pending].map(f64::from));
            }
        }
        Observation::Tables(tables) => {
            shown.extend(tables.iter().filter_map(|table| table.validation_failed).map(|count| count as f64));
            shown.extend(tables.iter().map(|table| table.full_load_rows as f64).filter(|rows| *rows != 0.0));
        }
        Observation::Replication(replication) => {
            shown.extend(
                replication.task.full_load_percent.map(f64::from).filter(|_| text.contains("FullLoadProgress")),
            );
        }
        Observation::Metrics(_, readings) => {
            let points = readings.series.iter().flat_map(|(_, series)| series.points().iter().map(|point| point.value));
            shown.extend(points);
        }
        _ => {}
    }
    if let Some(odd) = shown.iter().find(|number| !number.is_finite() || **number < 0.0) {
        return Err(format!("{odd} is shown"));
    }
    let Some(there) = numbers(kind, body) else { return Ok(()) };
    match shown
        .iter()
        .find(|number| !there.iter().any(|other| (other.trunc() - number.trunc()).abs() < 1e-6 * number.abs().max(1.0)))
    {
        Some(number) => Err(format!("{number} is shown and stands nowhere")),
        None => Ok(()),
    }
}
