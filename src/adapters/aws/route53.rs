//! Route 53: the records under the name, the state of a change, and the one write there is.
//!
//! The write is a compare-and-swap: DELETE exactly what was seen, CREATE the new records, in one batch that Route 53
//! applies whole or not at all. It is never sent again after its answer was lost, because a second one would meet the
//! records of the first and look like somebody else's change; only a refusal that says "not now" is followed by another.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use aws_sdk_route53::operation::change_resource_record_sets::ChangeResourceRecordSetsError;
use aws_sdk_route53::types as r53;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use quick_xml::events::Event;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::door::{Exact, take_change};
use super::errors::{garbled, one_line};
use super::iam::AwsOperation;
use super::{Aws, stamp};
use crate::domain::change::Batch;
use crate::domain::change::outcome::SendError;
use crate::domain::change::settle::SEND_DEADLINE;
use crate::domain::confirm::Confirmed;
use crate::domain::traffic::{Change, ChangeStatus, OtherRouting, Record, Routing, Target, same_name};
use crate::ports::{ErrorKind, PortError};

/// Records per page, the most that Route 53 gives (API reference).
pub(super) const PAGE: i32 = 300;
/// Pages of one name that are followed: 100 records per type and a few types fit on the first.
const MAX_PAGES: usize = 10;
/// How often a write is sent that Route 53 turns away unread: five times span about eight seconds, longer than the
/// account's 5 requests a second or another change of the zone as a rule take to clear.
const MAX_SENDS: u32 = 5;
/// Wait before the second sending; it doubles up to [`MAX_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// Longest wait between two sendings.
const MAX_WAIT: Duration = Duration::from_secs(4);
/// Longest comment of a change batch (API reference).
const MAX_COMMENT: usize = 256;

impl Aws {
    /// Every record of the group's name, all types and identifiers, verbatim.
    pub(super) async fn records(&self) -> Result<Vec<Record>, PortError> {
        let operation = AwsOperation::ListResourceRecordSets;
        let key = self.key()?;
        let mut records = Vec::new();
        let mut start: (String, Option<r53::RrType>, Option<String>) = (key.name.clone(), None, None);
        for _ in 0..MAX_PAGES {
            let (name, rtype, identifier) = start;
            let answer = self
                .clients
                .route53
                .list_resource_record_sets()
                .hosted_zone_id(&key.zone_id)
                .start_record_name(name)
                .set_start_record_type(rtype)
                .set_start_record_identifier(identifier)
                .max_items(PAGE)
                .send()
                .await
                .map_err(|e| self.failed(operation, &e))?;
            for set in answer.resource_record_sets {
                // Records are sorted by name, so the first other name is the end of ours.
                if !same_name(&set.name, &key.name) {
                    return Ok(records);
                }
                records.push(
                    record_of(set).ok_or_else(|| garbled(operation, "a record with a weight or TTL out of range"))?,
                );
            }
            match (answer.is_truncated, answer.next_record_name) {
                (true, Some(next)) if same_name(&next, &key.name) => {
                    start = (next, answer.next_record_type, answer.next_record_identifier);
                }
                _ => return Ok(records),
            }
        }
        Err(garbled(operation, &format!("more than {MAX_PAGES} pages of records under one name")))
    }

    /// How far a change is.
    pub(super) async fn change(&self, id: &str) -> Result<Change, PortError> {
        let operation = AwsOperation::GetChange;
        let answer = self.clients.route53.get_change().id(id).send().await.map_err(|e| self.failed(operation, &e))?;
        change_of(operation, answer.change_info)
    }

    /// Sends the batch: once, unless Route 53 refuses to look at it, and no longer than [`SEND_DEADLINE`] in all.
    pub(super) async fn send_batch(&self, confirmed: &Confirmed<Batch>) -> Result<Change, SendError> {
        let operation = AwsOperation::ChangeResourceRecordSets;
        let first = |error| SendError { error, sent_before: false };
        let Batch { deletes, creates, comment, .. } = confirmed.get().clone();
        let batch = batch(deletes, creates, self.comment(&comment), &self.exact).map_err(first)?;
        let zone = self.key().map_err(first)?.zone_id;
        let end = Instant::now() + SEND_DEADLINE;
        let (mut sent, mut sent_before) = (0, false);
        loop {
            sent += 1;
            let timeouts =
                TimeoutConfig::builder().operation_attempt_timeout(SEND_DEADLINE).operation_timeout(SEND_DEADLINE);
            let config = aws_sdk_route53::config::Config::builder()
                .retry_config(RetryConfig::disabled())
                .timeout_config(timeouts.build());
            let call = self
                .clients
                .route53
                .change_resource_record_sets()
                .hosted_zone_id(&zone)
                .change_batch(batch.clone())
                .customize()
                .config_override(config)
                .send();
            let Ok(answer) = timeout_at(end, call).await else {
                let text = format!("no answer within {} s", SEND_DEADLINE.as_secs());
                let error = PortError::new(ErrorKind::TimedOut, operation.action(), text);
                return Err(SendError { error, sent_before });
            };
            let error = match answer {
                Ok(answer) => {
                    return change_of(operation, answer.change_info).map_err(|error| SendError { error, sent_before });
                }
                Err(error) => self.refusal(&error),
            };
            // Of a request that waits for another one Route 53 says so; any other "not now" may come from somebody on the
            // way who has passed the request on all the same.
            let next_sent_before = sent_before || !error.message.contains("PriorRequestNotComplete");
            let wait = wait_after(sent, RandomState::new().hash_one(sent));
            if error.kind != ErrorKind::Throttled || sent >= MAX_SENDS || Instant::now() + wait >= end {
                return Err(SendError { error, sent_before });
            }
            tokio::time::sleep(wait).await;
            sent_before = next_sent_before;
        }
    }

    /// What whoever looks at the change in Route 53 or CloudTrail reads.
    fn comment(&self, what: &str) -> String {
        let caller = self.caller.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let by = caller.map(|caller| format!(" by {caller}")).unwrap_or_default();
        format!("tapctl {what}{by}").chars().take(MAX_COMMENT).collect()
    }

    /// A refused batch: a conflict when the records are not as seen, with every message that Route 53 gave.
    pub(super) fn refusal(
        &self,
        error: &SdkError<ChangeResourceRecordSetsError, aws_smithy_runtime_api::client::orchestrator::HttpResponse>,
    ) -> PortError {
        let mut refused = self.failed(AwsOperation::ChangeResourceRecordSets, error);
        let messages = match error.as_service_error() {
            Some(ChangeResourceRecordSetsError::InvalidChangeBatch(batch)) => {
                batch.messages().iter().map(String::as_str).chain(batch.message()).map(str::to_owned).collect()
            }
            // The SDK only knows errors inside an ErrorResponse; Route 53 also sends this one bare (API reference,
            // ChangeResourceRecordSets, "Examples").
            Some(other) if other.code().is_none() => {
                let body = error.raw_response().and_then(|raw| raw.body().bytes()).unwrap_or_default();
                match bare_messages(body) {
                    Some(messages) => messages,
                    None => return refused,
                }
            }
            _ => return refused,
        };
        let text = messages.join("; ");
        refused.kind = if is_conflict(&text) { ErrorKind::Conflict } else { ErrorKind::Invalid };
        refused.message = one_line(&format!("InvalidChangeBatch: {text}"));
        refused
    }
}

/// Deletes first: a record that is created under the name of one that is deleted must find its place free.
pub(super) fn batch(
    deletes: Vec<Record>,
    creates: Vec<Record>,
    comment: String,
    exact: &Exact,
) -> Result<r53::ChangeBatch, PortError> {
    let invalid = |e: &dyn std::error::Error| {
        PortError::new(ErrorKind::Invalid, AwsOperation::ChangeResourceRecordSets.action(), one_line(&e.to_string()))
    };
    let mut batch = r53::ChangeBatch::builder().comment(comment);
    let steps = deletes.into_iter().map(|record| (r53::ChangeAction::Delete, record));
    for (action, record) in steps.chain(creates.into_iter().map(|record| (r53::ChangeAction::Create, record))) {
        let set = set_of(&record, exact).map_err(|e| invalid(&e))?;
        let change = r53::Change::builder().action(action).resource_record_set(set).build().map_err(|e| invalid(&e))?;
        batch = batch.changes(change);
    }
    batch.build().map_err(|e| invalid(&e))
}

/// The messages of an `InvalidChangeBatch` document; nothing when the body is another one.
fn bare_messages(body: &[u8]) -> Option<Vec<String>> {
    let mut reader = quick_xml::Reader::from_str(std::str::from_utf8(body).ok()?);
    let mut messages = Vec::new();
    let mut root = false;
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) if !root => {
                root = tag.local_name().as_ref() == "InvalidChangeBatch";
                if !root {
                    return None;
                }
            }
            Event::Start(tag) if tag.local_name().as_ref() == "Message" => {
                let raw = reader.read_text(tag.name()).ok()?;
                messages.push(quick_xml::escape::unescape(&raw).ok()?.into_owned());
            }
            Event::Eof => return root.then_some(messages),
            _ => {}
        }
    }
}

/// Whether Route 53's words say that the records are others than the batch names.
fn is_conflict(text: &str) -> bool {
    ["was not found", "do not match the current values", "already exists"].iter().any(|words| text.contains(words))
}

/// Exponential, capped, with the upper half left to chance so that two consoles do not keep in step.
fn wait_after(sent: u32, chance: u64) -> Duration {
    let whole = FIRST_WAIT.saturating_mul(1 << sent.saturating_sub(1).min(16)).min(MAX_WAIT);
    let half = whole / 2;
    half + half.mul_f64((chance % 1000) as f64 / 1000.0)
}

fn change_of(operation: AwsOperation, info: Option<r53::ChangeInfo>) -> Result<Change, PortError> {
    let info = info.ok_or_else(|| garbled(operation, "no change in the answer"))?;
    let status = match &info.status {
        r53::ChangeStatus::Insync => ChangeStatus::Insync,
        r53::ChangeStatus::Pending => ChangeStatus::Pending,
        other => return Err(garbled(operation, &format!("a change in the unknown state {}", other.as_str()))),
    };
    let mut change = Change { id: info.id, status, at: stamp(&info.submitted_at) };
    take_change(&mut change);
    Ok(change)
}

/// The record as Route 53 gave it; nothing when a number is not what Route 53 can hold.
pub(super) fn record_of(set: r53::ResourceRecordSet) -> Option<Record> {
    let routing = match (other_routing(&set), set.weight) {
        (Some(other), _) => Routing::Other(other),
        (None, Some(weight)) => Routing::Weighted(u8::try_from(weight).ok()?),
        (None, None) => Routing::Simple,
    };
    let target = match set.alias_target {
        Some(alias) => Target::Alias {
            dns_name: alias.dns_name,
            zone_id: alias.hosted_zone_id,
            evaluate_health: alias.evaluate_target_health,
        },
        None => Target::Values {
            ttl_s: u32::try_from(set.ttl.unwrap_or(0)).ok()?,
            values: set.resource_records.unwrap_or_default().into_iter().map(|record| record.value).collect(),
        },
    };
    Some(Record {
        name: set.name,
        rtype: set.r#type.as_str().to_owned(),
        set_identifier: set.set_identifier,
        routing,
        target,
        health_check_id: set.health_check_id,
    })
}

/// Another policy than weights, with all that makes the record one of it.
fn other_routing(set: &r53::ResourceRecordSet) -> Option<OtherRouting> {
    let fields = |value: Value| value.as_object().cloned().unwrap_or_default();
    let other = |policy: &str, value: Value| Some(OtherRouting::new(policy, fields(without_nulls(value))));
    if set.traffic_policy_instance_id.is_some() {
        return Some(OtherRouting::traffic_policy());
    }
    if let Some(region) = &set.region {
        return other("latency", json!({"Region": region.as_str()}));
    }
    if let Some(failover) = &set.failover {
        return other("failover", json!({"Failover": failover.as_str()}));
    }
    if let Some(place) = &set.geo_location {
        let (continent, country, subdivision) = (&place.continent_code, &place.country_code, &place.subdivision_code);
        let place = json!({"ContinentCode": continent, "CountryCode": country, "SubdivisionCode": subdivision});
        return other("geolocation", json!({"GeoLocation": place}));
    }
    if let Some(place) = &set.geo_proximity_location {
        let at = place.coordinates.as_ref().map(|at| json!({"Latitude": at.latitude, "Longitude": at.longitude}));
        let place = json!({
            "AWSRegion": place.aws_region, "LocalZoneGroup": place.local_zone_group, "Coordinates": at, "Bias": place.bias,
        });
        return other("geoproximity", json!({"GeoProximityLocation": place}));
    }
    if let Some(cidr) = &set.cidr_routing_config {
        let cidr = json!({"CollectionId": cidr.collection_id, "LocationName": cidr.location_name});
        return other("client address (CIDR)", json!({"CidrRoutingConfig": cidr}));
    }
    set.multi_value_answer.and_then(|yes| other("multivalue answer", json!({"MultiValueAnswer": yes})))
}

/// A value without the members that are not there.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            map.into_iter().filter(|(_, v)| !v.is_null()).map(|(key, v)| (key, without_nulls(v))).collect()
        }
        other => other,
    }
}

/// The record as Route 53 wants it back.
fn set_of(
    record: &Record,
    exact: &Exact,
) -> Result<r53::ResourceRecordSet, aws_smithy_types::error::operation::BuildError> {
    let mut set = r53::ResourceRecordSet::builder()
        .name(exact.of(&record.name))
        .r#type(r53::RrType::from(exact.of(&record.rtype).as_str()))
        .set_set_identifier(record.set_identifier.as_deref().map(|id| exact.of(id)))
        .set_weight(record.weight().map(i64::from))
        .set_health_check_id(record.health_check_id.as_deref().map(|id| exact.of(id)));
    match &record.target {
        Target::Alias { dns_name, zone_id, evaluate_health } => {
            let alias = r53::AliasTarget::builder()
                .dns_name(exact.of(dns_name))
                .hosted_zone_id(exact.of(zone_id))
                .evaluate_target_health(*evaluate_health)
                .build()?;
            set = set.alias_target(alias);
        }
        Target::Values { ttl_s, values } => {
            set = set.ttl(i64::from(*ttl_s));
            for value in values {
                set = set.resource_records(r53::ResourceRecord::builder().value(exact.of(value)).build()?);
            }
        }
    }
    set.build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn waits_grow_to_the_cap_and_never_beyond() {
        let lowest: Vec<u128> = (1..8).map(|sent| wait_after(sent, 0).as_millis()).collect();
        assert_eq!(lowest, [250, 500, 1000, 2000, 2000, 2000, 2000]);
        assert!(wait_after(u32::MAX, u64::MAX) <= MAX_WAIT);
        assert!(wait_after(1, 999) <= FIRST_WAIT && wait_after(1, 999) > wait_after(1, 0));
    }

    #[test]
    fn a_bare_refusal_is_read_and_anything_else_is_not_taken_for_one() {
        let body = b"<?xml version='1.0'?><InvalidChangeBatch xmlns='x'><Messages><Message>a &amp; b</Message>\
            <Message>c</Message></Messages></InvalidChangeBatch>";
        assert_eq!(bare_messages(body), Some(vec!["a & b".to_owned(), "c".to_owned()]));
        for other in [&b"<Messages><Message>a</Message></Messages>"[..], b"", b"<InvalidChangeBatch><", b"plain"] {
            assert_eq!(bare_messages(other), None);
        }
    }

    #[test]
    fn only_records_that_are_not_as_seen_make_a_conflict() {
        for text in [
            "[Tried to delete resource record set [name='app.example.com.', type='A', set-identifier='new'] but it was not found]",
            "but the values provided do not match the current values",
            "[Tried to create resource record set [name='app.example.com.', type='A'] but it already exists]",
        ] {
            assert!(is_conflict(text), "{text}");
        }
        assert!(!is_conflict("RRSet of type A cannot be created as weighted sets must contain the same TTL."));
    }

    fn targets() -> impl Strategy<Value = Target> {
        prop_oneof![
            ("[a-z.]{1,20}", "[A-Z0-9]{5,14}", any::<bool>()).prop_map(|(dns_name, zone_id, evaluate_health)| {
                Target::Alias { dns_name, zone_id, evaluate_health }
            }),
            (any::<u32>(), prop::collection::vec("[0-9.]{7,15}", 1..3))
                .prop_map(|(ttl_s, values)| Target::Values { ttl_s, values }),
        ]
    }

    proptest! {
        #[test]
        fn what_was_read_is_sent_back_unchanged(
            target in targets(), weight in any::<u8>(), id in "[ -~]{1,40}", check in proptest::option::of("[a-z0-9-]{36}"),
        ) {
            let record = Record {
                name: "app.example.com.".into(),
                rtype: "A".into(),
                set_identifier: Some(id),
                routing: Routing::Weighted(weight),
                target,
                health_check_id: check,
            };
            prop_assert_eq!(record_of(set_of(&record, &Exact::default()).unwrap()), Some(record));
        }
    }

    #[test]
    fn other_routing_policies_keep_their_name_and_nonsense_is_refused() {
        let set = || r53::ResourceRecordSet::builder().name("a.").r#type(r53::RrType::A);
        let latency = set().region(r53::ResourceRecordSetRegion::UsEast1).set_identifier("x").build().unwrap();
        let other = |policy: &str, fields: Value| {
            Routing::Other(OtherRouting::new(policy, fields.as_object().unwrap().clone()))
        };
        assert_eq!(record_of(latency).unwrap().routing, other("latency", json!({"Region": "us-east-1"})));
        let failover = set().failover(r53::ResourceRecordSetFailover::Primary).build().unwrap();
        assert_eq!(record_of(failover).unwrap().routing, other("failover", json!({"Failover": "PRIMARY"})));
        let place = r53::GeoLocation::builder().country_code("DE").build();
        let place = record_of(set().geo_location(place).set_identifier("x").build().unwrap()).unwrap().routing;
        assert_eq!(place, other("geolocation", json!({"GeoLocation": {"CountryCode": "DE"}})));
        assert_eq!(record_of(set().ttl(60).build().unwrap()).unwrap().routing, Routing::Simple);
        assert_eq!(record_of(set().weight(256).build().unwrap()), None);
        assert_eq!(record_of(set().ttl(-1).build().unwrap()), None);
    }
}
