//! Reading a change batch: what is malformed, and what the input model forbids. What the zone forbids is decided in `rules`.

use super::name::normal_name;
use crate::sim::wire::ApiError;
use crate::sim::wire::xml::{self, Element};
use crate::sim::world::dns::{Alias, RecordSet};

/// Limits of one request: `ResourceRecord` elements and characters in values; an UPSERT counts twice.
const MAX_RECORDS: usize = 1_000;
const MAX_CHARACTERS: usize = 32_000;
const TYPES: [&str; 17] = [
    "SOA", "A", "TXT", "NS", "CNAME", "MX", "NAPTR", "PTR", "SRV", "SPF", "AAAA", "CAA", "DS", "TLSA", "SSHFP", "SVCB",
    "HTTPS",
];
/// Other ways of routing than weights, which the simulated zone does not play.
const OTHER_ROUTING: [&str; 6] =
    ["Region", "GeoLocation", "Failover", "MultiValueAnswer", "CidrRoutingConfig", "GeoProximityLocation"];

/// What to do with a record set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Create,
    Delete,
    Upsert,
}

impl Action {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Delete => "DELETE",
            Self::Upsert => "UPSERT",
        }
    }
}

/// One change.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) action: Action,
    pub(super) set: RecordSet,
}

/// A whole batch.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) changes: Vec<Change>,
    pub(super) comment: Option<String>,
}

fn malformed(message: &str) -> ApiError {
    ApiError::new("MalformedInput", message)
}

/// Reads the body of `ChangeResourceRecordSets`.
pub(super) fn read(body: &[u8]) -> Result<Batch, ApiError> {
    let root =
        xml::parse(body).ok_or_else(|| malformed("Unexpected end of document or text that is not well formed"))?;
    if root.name != "ChangeResourceRecordSetsRequest" {
        return Err(malformed(&format!("Unexpected root element: {}", root.name)));
    }
    let Some(batch) = root.child("ChangeBatch") else { return Err(missing("changeBatch")) };
    let list = batch.child("Changes").map(|changes| &changes.children[..]).unwrap_or_default();
    if list.is_empty() {
        return Err(constraint("[]", "changeBatch.changes", "Member must have length greater than or equal to 1"));
    }
    let changes =
        list.iter().enumerate().map(|(index, element)| change(index + 1, element)).collect::<Result<Vec<_>, _>>()?;
    within_limits(&changes)?;
    Ok(Batch { changes, comment: batch.text_of("Comment").map(str::to_owned) })
}

fn constraint(value: &str, place: &str, rule: &str) -> ApiError {
    let message =
        format!("1 validation error detected: Value '{value}' at '{place}' failed to satisfy constraint: {rule}");
    ApiError::new("InvalidInput", message)
}

fn missing(place: &str) -> ApiError {
    let message = format!(
        "1 validation error detected: Value null at '{place}' failed to satisfy constraint: Member must not be null"
    );
    ApiError::new("InvalidInput", message)
}

fn change(index: usize, element: &Element) -> Result<Change, ApiError> {
    let place = |member: &str| format!("changeBatch.changes.{index}.member.{member}");
    let action = match element.text_of("Action") {
        Some("CREATE") => Action::Create,
        Some("DELETE") => Action::Delete,
        Some("UPSERT") => Action::Upsert,
        Some(other) => {
            return Err(constraint(
                other,
                &place("action"),
                "Member must satisfy enum value set: [CREATE, DELETE, UPSERT]",
            ));
        }
        None => return Err(missing(&place("action"))),
    };
    let Some(set) = element.child("ResourceRecordSet") else { return Err(missing(&place("resourceRecordSet"))) };
    let set = record_set(set, action, &|member| place(&format!("resourceRecordSet.{member}")))?;
    Ok(Change { action, set })
}

fn record_set(element: &Element, action: Action, place: &dyn Fn(&str) -> String) -> Result<RecordSet, ApiError> {
    let text = |name: &str| element.text_of(name).map(str::to_owned);
    let name = text("Name").filter(|name| !name.is_empty()).ok_or_else(|| missing(&place("name")))?;
    let kind = text("Type").ok_or_else(|| missing(&place("type")))?;
    if !TYPES.contains(&kind.as_str()) {
        let rule = format!("Member must satisfy enum value set: [{}]", TYPES.join(", "));
        return Err(constraint(&kind, &place("type"), &rule));
    }
    let set_identifier = text("SetIdentifier");
    if let Some(identifier) =
        set_identifier.as_deref().filter(|identifier| !(1..=128).contains(&identifier.chars().count()))
    {
        return Err(constraint(identifier, &place("setIdentifier"), "Member must have length between 1 and 128"));
    }
    let weight = number(element, "Weight", 255, &place("weight"))?;
    let ttl = number(element, "TTL", 2_147_483_647, &place("TTL"))?;
    let values = element.child("ResourceRecords").map(|records| &records.children[..]).unwrap_or_default();
    let values: Vec<String> = values.iter().filter_map(|record| record.text_of("Value").map(str::to_owned)).collect();
    let set = RecordSet {
        name: normal_name(&name),
        kind,
        set_identifier,
        weight,
        ttl,
        values,
        alias: element.child("AliasTarget").map(|target| alias(target, place)).transpose()?,
        health_check: text("HealthCheckId").filter(|id| !id.is_empty()),
    };
    shape(element, &set, action)?;
    Ok(set)
}

fn number(element: &Element, name: &str, most: i64, place: &str) -> Result<Option<i64>, ApiError> {
    let Some(text) = element.text_of(name) else { return Ok(None) };
    let value: i64 = text.parse().map_err(|_| malformed(&format!("Invalid number in element {name}: {text}")))?;
    if value < 0 {
        return Err(constraint(text, place, "Member must have value greater than or equal to 0"));
    }
    if value > most {
        return Err(constraint(text, place, &format!("Member must have value less than or equal to {most}")));
    }
    Ok(Some(value))
}

fn alias(target: &Element, place: &dyn Fn(&str) -> String) -> Result<Alias, ApiError> {
    let text = |name: &str, member: &str| {
        let text = target.text_of(name).filter(|text| !text.is_empty());
        text.ok_or_else(|| missing(&place(&format!("aliasTarget.{member}"))))
    };
    let evaluate_health = match text("EvaluateTargetHealth", "evaluateTargetHealth")? {
        "true" => true,
        "false" => false,
        other => return Err(malformed(&format!("Invalid boolean in element EvaluateTargetHealth: {other}"))),
    };
    let zone_id = text("HostedZoneId", "hostedZoneId")?.trim_start_matches("/hostedzone/").to_owned();
    Ok(Alias { zone_id, dns_name: normal_name(text("DNSName", "DNSName")?), evaluate_health })
}

/// The combinations of members that the model allows.
fn shape(element: &Element, set: &RecordSet, action: Action) -> Result<(), ApiError> {
    let identifier = set.set_identifier.as_deref().unwrap_or("null");
    let place = format!(
        "in Change with [Action={}, Name={}, Type={}, SetIdentifier={identifier}]",
        action.name(),
        set.name,
        set.kind
    );
    let refuse = |what: &str| Err(ApiError::new("InvalidInput", format!("Invalid request: {what} {place}")));
    if let Some(other) = OTHER_ROUTING.into_iter().find(|name| element.child(name).is_some()) {
        return refuse(&format!("The simulator plays simple and weighted records only, not '{other}',"));
    }
    match (&set.set_identifier, set.weight) {
        (None, Some(_)) => return refuse("Missing field 'SetIdentifier'"),
        (Some(_), None) => {
            return refuse(
                "Expected exactly one of [Weight, Region, Failover, GeoLocation, MultiValueAnswer, GeoProximityLocation, or CidrRoutingConfig], but found none",
            );
        }
        _ => {}
    }
    let kinds = "[AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId]";
    let plain = set.ttl.is_some() || !set.values.is_empty();
    match (&set.alias, plain) {
        (Some(_), true) => refuse(&format!("Expected exactly one of {kinds}, but found more than one")),
        (None, false) => refuse(&format!("Expected exactly one of {kinds}, but found none")),
        (None, true) if set.ttl.is_none() => refuse("Missing field 'TTL'"),
        (None, true) if set.values.is_empty() => refuse("Missing field 'ResourceRecords'"),
        _ => Ok(()),
    }
}

fn within_limits(changes: &[Change]) -> Result<(), ApiError> {
    let twice = |change: &Change| if change.action == Action::Upsert { 2 } else { 1 };
    let records: usize = changes.iter().map(|change| change.set.values.len().max(1) * twice(change)).sum();
    let characters: usize = changes
        .iter()
        .map(|change| change.set.values.iter().map(|value| value.chars().count()).sum::<usize>() * twice(change))
        .sum();
    if records > MAX_RECORDS {
        return Err(ApiError::new(
            "InvalidChangeBatch",
            format!("[Number of records limit of {MAX_RECORDS} exceeded.]"),
        ));
    }
    if characters > MAX_CHARACTERS {
        return Err(ApiError::new(
            "InvalidChangeBatch",
            format!("[Number of characters limit of {MAX_CHARACTERS} exceeded.]"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(sets: &str) -> String {
        format!(
            "<ChangeResourceRecordSetsRequest xmlns='https://route53.amazonaws.com/doc/2013-04-01/'><ChangeBatch><Comment>c</Comment><Changes>{sets}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>"
        )
    }

    fn one(action: &str, inner: &str) -> Result<Batch, ApiError> {
        let set = format!("<Change><Action>{action}</Action><ResourceRecordSet>{inner}</ResourceRecordSet></Change>");
        read(request(&set).as_bytes())
    }

    const ALIAS: &str = "<AliasTarget><HostedZoneId>Z1</HostedZoneId><DNSName>LB.example.NET</DNSName><EvaluateTargetHealth>true</EvaluateTargetHealth></AliasTarget>";

    #[test]
    fn a_weighted_alias_is_read_and_normalised() {
        let inner = format!(
            "<Name>App.Example.com</Name><Type>A</Type><SetIdentifier>new</SetIdentifier><Weight>255</Weight>{ALIAS}"
        );
        let batch = one("CREATE", &inner).unwrap();
        let set = &batch.changes[0].set;
        assert_eq!((set.name.as_str(), set.weight, set.ttl), ("app.example.com.", Some(255), None));
        assert_eq!(set.alias.as_ref().unwrap().dns_name, "lb.example.net.");
        assert_eq!(batch.comment.as_deref(), Some("c"));
    }

    #[test]
    fn what_the_model_forbids_is_named() {
        let plain =
            "<TTL>60</TTL><ResourceRecords><ResourceRecord><Value>192.0.2.1</Value></ResourceRecord></ResourceRecords>";
        let name = "<Name>a.example.com</Name><Type>A</Type>";
        let weighted = format!("{name}<SetIdentifier>x</SetIdentifier>");
        let cases = [
            ("CREATE", format!("{weighted}<Weight>256</Weight>{plain}"), "less than or equal to 255"),
            ("CREATE", format!("{weighted}<Weight>-1</Weight>{plain}"), "greater than or equal to 0"),
            ("CREATE", format!("{weighted}{plain}"), "but found none"),
            ("CREATE", format!("{name}<Weight>1</Weight>{plain}"), "Missing field 'SetIdentifier'"),
            ("CREATE", format!("{name}{ALIAS}{plain}"), "but found more than one"),
            ("CREATE", format!("{name}{ALIAS}<TTL>60</TTL>"), "but found more than one"),
            ("CREATE", name.to_owned(), "but found none"),
            ("CREATE", format!("{name}<TTL>60</TTL>"), "Missing field 'ResourceRecords'"),
            ("PATCH", format!("{name}{plain}"), "enum value set: [CREATE, DELETE, UPSERT]"),
            ("CREATE", format!("<Name>a.example.com</Name><Type>B</Type>{plain}"), "enum value set"),
            ("CREATE", format!("<Type>A</Type>{plain}"), "Member must not be null"),
            ("CREATE", format!("{weighted}<Region>us-east-1</Region>{plain}"), "simple and weighted records only"),
        ];
        for (action, inner, words) in cases {
            let error = one(action, &inner).unwrap_err();
            assert_eq!(error.code, "InvalidInput", "{inner}");
            assert!(error.message.contains(words), "{words}: {}", error.message);
        }
        assert_eq!(one("CREATE", &format!("{weighted}<Weight>x</Weight>{plain}")).unwrap_err().code, "MalformedInput");
    }

    #[test]
    fn malformed_documents_and_empty_batches_are_refused() {
        for body in ["", "<a/>", "<ChangeResourceRecordSetsRequest>", "\u{0}"] {
            assert_eq!(read(body.as_bytes()).unwrap_err().code, "MalformedInput", "{body}");
        }
        assert_eq!(read(request("").as_bytes()).unwrap_err().code, "InvalidInput");
        assert_eq!(read(b"<ChangeResourceRecordSetsRequest/>").unwrap_err().code, "InvalidInput");
    }

    #[test]
    fn a_batch_has_limits() {
        let values = "<ResourceRecord><Value>192.0.2.1</Value></ResourceRecord>".repeat(501);
        let set =
            format!("<Name>a.example.com</Name><Type>A</Type><TTL>60</TTL><ResourceRecords>{values}</ResourceRecords>");
        assert!(one("CREATE", &set).is_ok());
        let error = one("UPSERT", &set).unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            ("InvalidChangeBatch", "[Number of records limit of 1000 exceeded.]")
        );
    }
}
