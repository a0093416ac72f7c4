//! The rules of a zone: changes are applied in order to a copy, and the copy is kept only if every one of them is allowed.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::batch::{Action, Change};
use crate::sim::names as n;
use crate::sim::world::dns::{Alias, RecordSet};

/// Applies a batch; returns the new contents of the zone, or every reason against it.
pub(super) fn apply(zone: &[RecordSet], changes: &[Change]) -> Result<Vec<RecordSet>, Vec<String>> {
    let mut copy = zone.to_vec();
    let mut reasons = repeated(changes);
    for change in changes {
        let found = copy.iter().position(|record| same_key(record, &change.set));
        let outcome = match change.action {
            Action::Delete => delete(&mut copy, found, &change.set),
            Action::Create if found.is_some() => {
                Err(format!("Tried to create resource record set {} but it already exists", label(&change.set)))
            }
            Action::Create | Action::Upsert => put(&mut copy, found, &change.set),
        };
        reasons.extend(outcome.err());
    }
    reasons.extend(whole(&copy, changes));
    if reasons.is_empty() { Ok(copy) } else { Err(reasons) }
}

/// A record set is known by its name, its type and its identifier.
fn same_key(one: &RecordSet, two: &RecordSet) -> bool {
    one.name == two.name && one.kind == two.kind && one.set_identifier == two.set_identifier
}

fn label(set: &RecordSet) -> String {
    let identifier = set.set_identifier.as_ref().map(|identifier| format!(", set-identifier='{identifier}'"));
    format!("[name='{}', type='{}'{}]", set.name, set.kind, identifier.unwrap_or_default())
}

/// The same action twice on one record set cannot be meant.
fn repeated(changes: &[Change]) -> Vec<String> {
    let again = changes.iter().enumerate().filter(|(index, change)| {
        changes[..*index].iter().any(|earlier| earlier.action == change.action && same_key(&earlier.set, &change.set))
    });
    let reason = |set: &RecordSet| {
        format!("The request contains an invalid set of changes for a resource record set '{} {}'", set.kind, set.name)
    };
    again.map(|(_, change)| reason(&change.set)).collect()
}

/// A DELETE must repeat everything that is there.
fn delete(copy: &mut Vec<RecordSet>, found: Option<usize>, set: &RecordSet) -> Result<(), String> {
    let tried = format!("Tried to delete resource record set {}", label(set));
    let Some(index) = found else { return Err(format!("{tried} but it was not found")) };
    // Removed either way, so that what follows it in the batch is judged by itself.
    let removed = copy.remove(index);
    if equal(&removed, set) {
        Ok(())
    } else {
        Err(format!("{tried} but the values provided do not match the current values"))
    }
}

/// Values are a set: their order does not matter.
fn equal(one: &RecordSet, two: &RecordSet) -> bool {
    let ordered = |set: &RecordSet| {
        let mut values = set.values.clone();
        values.sort();
        RecordSet { values, ..set.clone() }
    };
    ordered(one) == ordered(two)
}

fn put(copy: &mut Vec<RecordSet>, found: Option<usize>, set: &RecordSet) -> Result<(), String> {
    allowed(copy, set)?;
    match found.and_then(|index| copy.get_mut(index)) {
        Some(record) => *record = set.clone(),
        None => copy.push(set.clone()),
    }
    Ok(())
}

/// Whether a record set may stand beside what is there at this point of the batch.
fn allowed(copy: &[RecordSet], set: &RecordSet) -> Result<(), String> {
    let (name, kind, zone) = (&set.name, &set.kind, n::ZONE_NAME);
    if *name != zone && !name.ends_with(&format!(".{zone}")) {
        return Err(format!("RRSet with DNS name {name} is not permitted in zone {zone}"));
    }
    if kind == "CNAME" && *name == zone {
        return Err(format!("RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {zone}"));
    }
    values(set)?;
    alias(copy, set)?;
    let here = || copy.iter().filter(|record| record.name == *name && !same_key(record, set));
    if kind == "CNAME" && here().any(|record| record.kind != "CNAME") {
        return Err(format!(
            "RRSet of type CNAME with DNS name {name} is not permitted as it conflicts with other records with the same DNS name in zone {zone}"
        ));
    }
    if kind != "CNAME" && here().any(|record| record.kind == "CNAME") {
        return Err(format!(
            "RRSet of type {kind} with DNS name {name} is not permitted because a conflicting RRSet of type CNAME with the same DNS name already exists in zone {zone}"
        ));
    }
    let mut others = here().filter(|record| record.kind == *kind);
    match &set.set_identifier {
        None if others.next().is_some() => Err(format!(
            "RRSet with DNS name {name}, type {kind} cannot be created as other RRSets exist with the same name and type."
        )),
        Some(identifier) if others.any(|record| record.set_identifier.is_none()) => Err(format!(
            "RRSet with DNS name {name}, type {kind}, SetIdentifier {identifier} cannot be created as a non-weighted set exists with the same name and type."
        )),
        _ => Ok(()),
    }
}

fn values(set: &RecordSet) -> Result<(), String> {
    let problem = |what: &str, value: &str| {
        Err(format!("Invalid Resource Record: 'FATAL problem: {what} encountered with '{value}''"))
    };
    for value in &set.values {
        match set.kind.as_str() {
            "A" if value.parse::<Ipv4Addr>().is_err() => {
                return problem("ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)", value);
            }
            "AAAA" if value.parse::<Ipv6Addr>().is_err() => {
                return problem("AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)", value);
            }
            "CNAME" if set.values.len() > 1 => {
                return problem("CNAMERRDATATooManyValues (A CNAME has exactly one value)", value);
            }
            _ => {}
        }
    }
    Ok(())
}

/// An alias leads into the zone that it names.
fn alias(copy: &[RecordSet], set: &RecordSet) -> Result<(), String> {
    let Some(Alias { zone_id, dns_name, .. }) = &set.alias else { return Ok(()) };
    let tried = format!("Tried to create an alias that targets {dns_name}, type {} in zone {zone_id}", set.kind);
    let suffix = match zone_id.as_str() {
        n::ZONE_ID => n::ZONE_NAME,
        n::LEGACY_LB_ZONE => "us-east-1.elb.amazonaws.com.",
        n::ALB_ZONE => "us-west-2.elb.amazonaws.com.",
        _ => return Err(format!("{tried}, but that target was not found")),
    };
    if !dns_name.ends_with(suffix) {
        return Err(format!("{tried}, but the alias target name does not lie within the target zone"));
    }
    let target = |record: &RecordSet| record.name == *dns_name && record.kind == set.kind;
    if zone_id == n::ZONE_ID && !copy.iter().any(target) {
        return Err(format!("{tried}, but that target was not found"));
    }
    Ok(())
}

/// What must hold for the zone as a whole, once every change is in: a TTL may be changed for all of a set together.
fn whole(copy: &[RecordSet], changes: &[Change]) -> Vec<String> {
    let mut reasons = Vec::new();
    for set in changes.iter().filter(|change| change.action != Action::Delete).map(|change| &change.set) {
        let differs = |record: &&RecordSet| {
            record.name == set.name
                && record.kind == set.kind
                && record.set_identifier != set.set_identifier
                && matches!((record.ttl, set.ttl), (Some(one), Some(two)) if one != two)
        };
        if let Some(identifier) = &set.set_identifier
            && copy.iter().any(|record| differs(&record))
        {
            let (name, kind) = (&set.name, &set.kind);
            reasons.push(format!("RRSet with DNS name {name}, type {kind}, SetIdentifier {identifier} cannot be created as weighted sets must contain the same TTL."));
        }
    }
    let apex = |kind: &str| copy.iter().any(|record| record.name == n::ZONE_NAME && record.kind == kind);
    if !apex("SOA") {
        reasons.push("A HostedZone must contain exactly one SOA record.".to_owned());
    }
    if !apex("NS") {
        reasons.push("A HostedZone must contain at least one NS record for the zone itself.".to_owned());
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::super::name::normal_name;
    use super::*;
    use crate::sim::world::dns::Dns;

    fn zone() -> Vec<RecordSet> {
        Dns::new(1, crate::sim::scenario::Start::Provisioned).records().to_vec()
    }

    fn find(identifier: &str) -> RecordSet {
        zone().into_iter().find(|record| record.set_identifier.as_deref() == Some(identifier)).unwrap()
    }

    fn simple(name: &str, kind: &str, value: &str) -> RecordSet {
        let (name, kind) = (normal_name(name), kind.to_owned());
        RecordSet {
            name,
            kind,
            set_identifier: None,
            weight: None,
            ttl: Some(60),
            values: vec![value.to_owned()],
            alias: None,
            health_check: None,
        }
    }

    fn weighted(name: &str, identifier: &str, ttl: i64) -> RecordSet {
        RecordSet {
            set_identifier: Some(identifier.to_owned()),
            weight: Some(1),
            ttl: Some(ttl),
            ..simple(name, "A", "192.0.2.1")
        }
    }

    fn delete(set: RecordSet) -> Change {
        Change { action: Action::Delete, set }
    }

    fn create(set: RecordSet) -> Change {
        Change { action: Action::Create, set }
    }

    fn upsert(set: RecordSet) -> Change {
        Change { action: Action::Upsert, set }
    }

    fn at(weight: i64, set: RecordSet) -> RecordSet {
        RecordSet { weight: Some(weight), ..set }
    }

    #[test]
    fn the_exact_swap_is_taken() {
        let changes = [
            delete(find(n::LEGACY_SET)),
            delete(find(n::NEW_SET)),
            create(at(90, find(n::LEGACY_SET))),
            create(at(10, find(n::NEW_SET))),
        ];
        let after = apply(&zone(), &changes).unwrap();
        let weights: Vec<_> = after.iter().filter_map(|record| record.weight).collect();
        assert_eq!((after.len(), weights), (zone().len(), vec![90, 10]));
    }

    #[test]
    fn every_member_of_a_deleted_set_must_match() {
        let legacy = find(n::LEGACY_SET);
        let alias = |change: &dyn Fn(&mut Alias)| {
            let mut set = legacy.clone();
            change(set.alias.as_mut().unwrap());
            set
        };
        let wrong = [
            at(99, legacy.clone()),
            alias(&|alias| alias.evaluate_health = false),
            alias(&|alias| alias.zone_id = "Z".to_owned()),
            alias(&|alias| alias.dns_name = "other.us-east-1.elb.amazonaws.com.".to_owned()),
            RecordSet { health_check: Some("h".to_owned()), ..legacy.clone() },
        ];
        for set in wrong {
            let reasons = apply(&zone(), &[delete(set)]).unwrap_err();
            let expected = "Tried to delete resource record set [name='app.example.com.', type='A', set-identifier='migration-legacy-prod'] but the values provided do not match the current values";
            assert_eq!(reasons, [expected]);
        }
        let absent = RecordSet { set_identifier: Some("third".to_owned()), ..legacy };
        let reasons = apply(&zone(), &[delete(absent)]).unwrap_err();
        assert!(reasons[0].ends_with("set-identifier='third'] but it was not found"));
    }

    #[test]
    fn refusals_name_the_rule() {
        let app = n::RECORD_NAME;
        let twice = RecordSet { set_identifier: Some(n::LEGACY_SET.to_owned()), ..find(n::LEGACY_SET) };
        let stray = Alias {
            zone_id: n::ALB_ZONE.to_owned(),
            dns_name: "x.us-east-1.elb.amazonaws.com.".to_owned(),
            evaluate_health: true,
        };
        let cases: Vec<(Vec<Change>, &str)> = vec![
            (vec![create(twice)], "but it already exists"),
            (
                vec![create(simple(app, "A", "192.0.2.1"))],
                "type A cannot be created as other RRSets exist with the same name and type.",
            ),
            (
                vec![create(weighted("mail.example.com", "x", 60))],
                "SetIdentifier x cannot be created as a non-weighted set exists with the same name and type.",
            ),
            (
                vec![create(weighted("w.example.com", "a", 60)), create(weighted("w.example.com", "b", 30))],
                "must contain the same TTL.",
            ),
            (vec![create(simple(app, "CNAME", "x"))], "conflicts with other records"),
            (vec![create(simple("www.example.com", "A", "192.0.2.1"))], "a conflicting RRSet of type CNAME"),
            (vec![create(simple("a.example.org", "A", "192.0.2.1"))], "is not permitted in zone example.com."),
            (vec![create(simple("a.example.com", "A", "nope"))], "ARRDATAIllegalIPv4Address"),
            (vec![create(simple("a.example.com", "AAAA", "192.0.2.1"))], "AAAARRDATAIllegalIPv6Address"),
            (
                vec![upsert(at(1, find(n::NEW_SET))), upsert(at(2, find(n::NEW_SET)))],
                "an invalid set of changes for a resource record set 'A app.example.com.'",
            ),
            (vec![delete(find(n::NEW_SET)), delete(find(n::NEW_SET))], "an invalid set of changes"),
            (
                vec![delete(find(n::NEW_SET)), create(RecordSet { alias: Some(stray), ..find(n::NEW_SET) })],
                "does not lie within the target zone",
            ),
            (vec![create(at(50, find(n::NEW_SET))), delete(find(n::NEW_SET))], "but it already exists"),
            (vec![delete(zone().into_iter().find(|record| record.kind == "SOA").unwrap())], "exactly one SOA"),
            (vec![delete(zone().into_iter().find(|record| record.kind == "NS").unwrap())], "at least one NS"),
        ];
        for (changes, words) in cases {
            let reasons = apply(&zone(), &changes).unwrap_err();
            assert!(reasons.iter().any(|reason| reason.contains(words)), "{words}: {reasons:?}");
        }
    }

    #[test]
    fn what_is_allowed_together_passes() {
        let ok = [
            vec![create(weighted("w.example.com", "a", 60)), create(weighted("w.example.com", "b", 60))],
            vec![upsert(at(255, find(n::NEW_SET)))],
            vec![
                delete(find(n::LEGACY_SET)),
                delete(find(n::NEW_SET)),
                create(simple(n::RECORD_NAME, "A", "192.0.2.1")),
            ],
            vec![
                delete(simple("www.example.com", "CNAME", "app.example.com")),
                create(simple("www.example.com", "A", "192.0.2.1")),
            ],
        ];
        for (index, changes) in ok.into_iter().enumerate() {
            let mut changes = changes;
            if index == 3 {
                changes[0].set.ttl = Some(300);
            }
            assert!(apply(&zone(), &changes).is_ok(), "{index}: {:?}", apply(&zone(), &changes));
        }
        let pair = [create(weighted("w.example.com", "a", 60)), create(weighted("w.example.com", "b", 60))];
        let with_pair = apply(&zone(), &pair).unwrap();
        let both = [upsert(weighted("w.example.com", "a", 10)), upsert(weighted("w.example.com", "b", 10))];
        assert!(apply(&with_pair, &both).is_ok());
        assert!(apply(&with_pair, &both[..1]).is_err());
    }

    #[test]
    fn every_reason_is_told_and_nothing_is_kept() {
        let changes = [
            delete(at(1, find(n::LEGACY_SET))),
            delete(at(1, find(n::NEW_SET))),
            create(find(n::LEGACY_SET)),
            create(find(n::NEW_SET)),
        ];
        assert_eq!(apply(&zone(), &changes).unwrap_err().len(), 2);
    }
}
