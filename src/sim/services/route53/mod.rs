//! Route 53 (REST-XML, 2013-04-01): one hosted zone, as strict as the real one.
//!
//! `batch` reads a change batch, `rules` decides about it on a copy of the zone; here are the operations and their documents.

mod batch;
mod name;
mod rules;

use jiff::Timestamp;
use serde_json::Value;

use crate::sim::names as n;
use crate::sim::wire::{ApiError, Call, Node, json, map};
use crate::sim::world::World;
use crate::sim::world::dns::{Change, RecordSet, order};

pub(crate) const OPERATIONS: &[&str] = &[
    "ListHostedZones",
    "ListHostedZonesByName",
    "GetHostedZone",
    "ListResourceRecordSets",
    "ChangeResourceRecordSets",
    "GetChange",
];

/// The most records and zones in one page.
const PAGE: usize = 300;
const ZONE_PAGE: usize = 100;
/// How long, in milliseconds, a change of the zone is being processed; the next one is refused meanwhile.
const PROCESSING_MS: i64 = 200;

/// Answers a call. `instant` is true when time moves by hand, so that no change is ever still being processed.
pub(crate) fn handle(call: &Call, world: &mut World, now: Timestamp, instant: bool) -> Result<Node, ApiError> {
    let input = &call.input;
    match call.operation.as_str() {
        "ListHostedZones" => list_zones(world, input),
        "ListHostedZonesByName" => list_zones_by_name(world, input),
        "GetHostedZone" => get_zone(world, input),
        "ListResourceRecordSets" => list_records(world, input),
        "ChangeResourceRecordSets" => change(call, world, now, instant),
        _ => get_change(world, input, now),
    }
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidInput", message)
}

fn zone(input: &Value) -> Result<(), ApiError> {
    let id = json::str_of(input, "Id").unwrap_or_default();
    if id.len() > 32 {
        return Err(invalid(format!(
            "1 validation error detected: Value '{id}' at 'hostedZoneId' failed to satisfy constraint: Member must have length less than or equal to 32"
        )));
    }
    if id == n::ZONE_ID {
        Ok(())
    } else {
        Err(ApiError::new("NoSuchHostedZone", format!("No hosted zone found with ID: {id}")).with_status(404))
    }
}

fn max_items(input: &Value, most: usize) -> Result<usize, ApiError> {
    let Some(text) = json::str_of(input, "maxitems") else { return Ok(most) };
    match text.parse::<usize>() {
        Ok(items) if items > 0 => Ok(items.min(most)),
        _ => Err(invalid(format!("Invalid value for maxitems: {text}"))),
    }
}

fn zone_node(world: &World) -> Node {
    let config = map([("Comment", "example public zone".into()), ("PrivateZone", false.into())]);
    map([
        ("Id", format!("/hostedzone/{}", n::ZONE_ID).into()),
        ("Name", n::ZONE_NAME.into()),
        ("CallerReference", "example-2019-03-04".into()),
        ("Config", config),
        ("ResourceRecordSetCount", world.dns.records().len().into()),
    ])
}

fn list_zones(world: &World, input: &Value) -> Result<Node, ApiError> {
    let items = max_items(input, ZONE_PAGE)?;
    let mut answer = map([("HostedZones", Node::Items("HostedZone", vec![zone_node(world)]))]);
    answer.push("IsTruncated", false);
    answer.push("Marker", json::str_of(input, "marker").unwrap_or_default());
    answer.push("MaxItems", items.to_string());
    Ok(answer)
}

fn list_zones_by_name(world: &World, input: &Value) -> Result<Node, ApiError> {
    let items = max_items(input, ZONE_PAGE)?;
    let from = json::str_of(input, "dnsname");
    let listed = from.is_none_or(|name| order(&name::normal_name(name)) <= order(n::ZONE_NAME));
    let zones = if listed { vec![zone_node(world)] } else { Vec::new() };
    let mut answer = map([("HostedZones", Node::Items("HostedZone", zones))]);
    answer.push_some("DNSName", from);
    answer.push_some("HostedZoneId", json::str_of(input, "hostedzoneid"));
    answer.push("IsTruncated", false);
    answer.push("MaxItems", items.to_string());
    Ok(answer)
}

fn get_zone(world: &World, input: &Value) -> Result<Node, ApiError> {
    zone(input)?;
    let servers = world.dns.records().iter().find(|record| record.kind == "NS" && record.name == n::ZONE_NAME);
    let servers =
        servers.map(|record| record.values.iter().map(|server| server.trim_end_matches('.').into()).collect());
    let delegation = map([("NameServers", Node::Items("NameServer", servers.unwrap_or_default()))]);
    Ok(map([("HostedZone", zone_node(world)), ("DelegationSet", delegation)]))
}

fn list_records(world: &World, input: &Value) -> Result<Node, ApiError> {
    zone(input)?;
    let items = max_items(input, PAGE)?;
    let [name, kind, identifier] = ["name", "type", "identifier"].map(|parameter| json::str_of(input, parameter));
    if kind.is_some() && name.is_none() {
        return Err(invalid("The input is not valid: name must be specified if type is specified"));
    }
    if identifier.is_some() && kind.is_none() {
        return Err(invalid("The input is not valid: type must be specified if identifier is specified"));
    }
    let from = (
        name.map(|name| order(&name::normal_name(name))).unwrap_or_default(),
        kind.unwrap_or_default(),
        identifier.unwrap_or_default(),
    );
    let place = |record: &RecordSet| {
        let identifier = record.set_identifier.clone().unwrap_or_default();
        (order(&record.name), record.kind.clone(), identifier)
    };
    let records = world.dns.records();
    let listed: Vec<&RecordSet> = records
        .iter()
        .filter(|record| {
            let (name, kind, identifier) = place(record);
            (name.as_str(), kind.as_str(), identifier.as_str()) >= (from.0.as_str(), from.1, from.2)
        })
        .collect();
    let page = listed.iter().take(items).map(|record| record_node(record)).collect();
    let next = listed.get(items);
    let mut answer =
        map([("ResourceRecordSets", Node::Items("ResourceRecordSet", page)), ("IsTruncated", next.is_some().into())]);
    if let Some(next) = next {
        answer.push("NextRecordName", next.name.as_str());
        answer.push("NextRecordType", next.kind.as_str());
        answer.push_some("NextRecordIdentifier", next.set_identifier.as_deref());
    }
    answer.push("MaxItems", items.to_string());
    Ok(answer)
}

fn record_node(record: &RecordSet) -> Node {
    let mut node = map([("Name", record.name.as_str().into()), ("Type", record.kind.as_str().into())]);
    node.push_some("SetIdentifier", record.set_identifier.as_deref());
    node.push_some("Weight", record.weight);
    node.push_some("TTL", record.ttl);
    if !record.values.is_empty() {
        let values = record.values.iter().map(|value| map([("Value", value.as_str().into())]));
        node.push("ResourceRecords", Node::Items("ResourceRecord", values.collect()));
    }
    if let Some(alias) = &record.alias {
        let target = map([
            ("HostedZoneId", alias.zone_id.as_str().into()),
            ("DNSName", alias.dns_name.as_str().into()),
            ("EvaluateTargetHealth", alias.evaluate_health.into()),
        ]);
        node.push("AliasTarget", target);
    }
    node.push_some("HealthCheckId", record.health_check.as_deref());
    node
}

fn change(call: &Call, world: &mut World, now: Timestamp, instant: bool) -> Result<Node, ApiError> {
    zone(&call.input)?;
    let batch = batch::read(&call.body)?;
    let busy = |last: &Change| now.as_millisecond() - last.submitted.as_millisecond() < PROCESSING_MS;
    if !instant && world.dns.changes().last().is_some_and(busy) {
        let message = "The request was rejected because Route 53 was still processing a prior request.";
        return Err(ApiError::new("PriorRequestNotComplete", message));
    }
    let records = rules::apply(world.dns.records(), &batch.changes)
        .map_err(|messages| ApiError::new("InvalidChangeBatch", format!("[{}]", messages.join(", "))))?;
    let change = world.dns.replace(records, batch.comment, now);
    Ok(map([("ChangeInfo", change_node(&change, now))]))
}

fn get_change(world: &World, input: &Value, now: Timestamp) -> Result<Node, ApiError> {
    let id = json::str_of(input, "Id").unwrap_or_default();
    let change = world.dns.changes().iter().find(|change| change.id == id);
    let change = change.ok_or_else(|| {
        ApiError::new("NoSuchChange", format!("Could not find resource with ID: {id}")).with_status(404)
    })?;
    Ok(map([("ChangeInfo", change_node(change, now))]))
}

fn change_node(change: &Change, now: Timestamp) -> Node {
    let mut node = map([
        ("Id", format!("/change/{}", change.id).into()),
        ("Status", change.status(now).into()),
        ("SubmittedAt", change.submitted.into()),
    ]);
    node.push_some("Comment", change.comment.as_deref());
    node
}
