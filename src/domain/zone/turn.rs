//! From a simple record to the weighted pair, and back.

use super::plan::{ZonePlan, ZoneStep};
use super::refusal::ZoneRefusal;
use super::{Endpoints, lone};
use crate::domain::traffic::{
    ALIAS_TTL, GroupError, GroupKey, Record, RecordGroup, RecordPair, Routing, Side, Target, beside, beside_text,
    traffic_records,
};
use crate::domain::units::{Percent, WeightPair};

/// Weights of a pair on its first day.
pub const FIRST_WEIGHTS: WeightPair = WeightPair::for_new_share(Percent::ZERO);

/// Turns the simple record under the key's name into the weighted pair, legacy 100 and new 0. An AAAA record beside the
/// A record becomes a pair of its own, in the same batch. Before the first `up` there is no new load balancer: then the
/// legacy member stands alone, with all the weight, and `up` puts the new one beside it with 0.
///
/// # Errors
/// [`ZoneRefusal`] by name; nothing is half done.
pub fn adopt(key: &GroupKey, endpoints: &Endpoints, records: &[Record]) -> Result<ZonePlan, ZoneRefusal> {
    let found = adoptable(key, endpoints, records)?;
    if let Some(past) = beside(&key.name, records).next() {
        return Err(ZoneRefusal::Beside { problem: beside_text(past) });
    }
    let mut creates = Vec::new();
    for record in &found {
        creates.extend(members_of(key, endpoints, record)?);
    }
    let deletes = found.into_iter().cloned().collect();
    let (zone_id, name) = (key.zone_id.clone(), key.name.clone());
    Ok(ZonePlan { step: ZoneStep::Adopt, zone_id, name, deletes, creates, stays: Vec::new() })
}

/// The simple records that a pair can be made of.
fn adoptable<'a>(
    key: &'a GroupKey,
    endpoints: &Endpoints,
    records: &'a [Record],
) -> Result<Vec<&'a Record>, ZoneRefusal> {
    let name = key.name.clone();
    let found: Vec<&Record> = traffic_records(key, records).collect();
    if let Ok(group) = RecordGroup::from_records(key, records) {
        return Err(ZoneRefusal::AlreadyPair { name, weights: group.weights() });
    }
    if lone(key, records).is_some() {
        return Err(ZoneRefusal::AlreadyAdopted { name });
    }
    if let Some(record) = found.iter().find(|record| record.routing != Routing::Simple) {
        let error = RecordGroup::from_records(key, records).err().unwrap_or(GroupError::OtherRouting {
            name: record.name.clone(),
            rtype: record.rtype.clone(),
            policy: "weights".to_owned(),
        });
        return Err(ZoneRefusal::Shape(error));
    }
    let wanted = key.rtype.clone();
    match found.iter().find(|record| record.rtype == key.rtype) {
        Some(_) => {}
        None if found.is_empty() => return Err(ZoneRefusal::Missing { name, rtype: wanted }),
        None => return Err(ZoneRefusal::OtherType { name, found: found[0].rtype.clone(), wanted }),
    }
    if endpoints.new.is_none() && found.iter().any(|record| record.rtype != key.rtype) {
        return Err(ZoneRefusal::Ipv6 { name });
    }
    Ok(found)
}

/// The members that take the place of one simple record: the legacy one, and the new one where there is something that
/// it can point to.
fn members_of(key: &GroupKey, endpoints: &Endpoints, record: &Record) -> Result<Vec<Record>, ZoneRefusal> {
    let name = key.name.clone();
    if endpoints.side_of(&record.target) != Some(Side::Legacy) {
        let (found, legacy) = (record.target_text(), endpoints.legacy_dns.clone());
        return Err(ZoneRefusal::NotLegacy { name, found, legacy });
    }
    let member = |id: &str, weight: u8, target: Target, check: Option<String>| Record {
        set_identifier: Some(id.to_owned()),
        routing: Routing::Weighted(weight),
        target,
        health_check_id: check,
        ..record.clone()
    };
    let legacy_target = match &record.target {
        Target::Alias { dns_name, zone_id, .. } => Target::Alias {
            dns_name: dns_name.clone(),
            zone_id: zone_id.clone(),
            evaluate_health: endpoints.evaluate_health,
        },
        Target::Values { ttl_s, .. } if record.rtype != "CNAME" && u64::from(*ttl_s) != ALIAS_TTL.as_secs() => {
            return Err(ZoneRefusal::Ttl { name, ttl_s: *ttl_s });
        }
        values @ Target::Values { .. } => values.clone(),
    };
    let new_target = endpoints.new.as_ref().map(|new| match &record.target {
        Target::Values { ttl_s, .. } if record.rtype == "CNAME" => {
            Target::Values { ttl_s: *ttl_s, values: vec![new.dns.trim_end_matches('.').to_owned()] }
        }
        _ => Target::Alias {
            dns_name: new.dns.clone(),
            zone_id: new.zone_id.clone(),
            evaluate_health: endpoints.evaluate_health,
        },
    });
    let check = record.health_check_id.clone();
    let legacy = member(&key.legacy_id, FIRST_WEIGHTS.legacy(), legacy_target, check);
    let new = new_target.map(|target| member(&key.new_id, FIRST_WEIGHTS.new_weight(), target, None));
    Ok([Some(legacy), new].into_iter().flatten().collect())
}

/// Turns the pair back into one simple record that points where `to` points now; so, too, the legacy member that stands
/// alone because nothing was provisioned beside it. A simple record of the other address type that points to that stack
/// already stays as it is.
///
/// # Errors
/// [`ZoneRefusal::OtherHasWeight`] while the other side has weight, [`ZoneRefusal::Shape`] when there is no sound pair.
pub fn release(key: &GroupKey, endpoints: &Endpoints, records: &[Record], to: Side) -> Result<ZonePlan, ZoneRefusal> {
    let simple = |kept: &Record| Record { set_identifier: None, routing: Routing::Simple, ..kept.clone() };
    let stands = |record: &Record| {
        record.routing == Routing::Simple && record.rtype != key.rtype && endpoints.side_of(&record.target) == Some(to)
    };
    let (stays, turned): (Vec<Record>, Vec<Record>) =
        traffic_records(key, records).cloned().partition(|record| stands(record));
    let plan = |deletes: Vec<Record>, creates: Vec<Record>| ZonePlan {
        step: ZoneStep::Release(to),
        zone_id: key.zone_id.clone(),
        name: key.name.clone(),
        deletes,
        creates,
        stays,
    };
    let group = match (RecordGroup::from_records(key, &turned), lone(key, &turned)) {
        (Ok(group), _) => group,
        (Err(_), Some(alone)) if to == Side::Legacy => {
            return Ok(plan(alone.iter().copied().cloned().collect(), alone.into_iter().map(simple).collect()));
        }
        (Err(error), _) => return Err(ZoneRefusal::Shape(error)),
    };
    let weights = group.weights();
    let (other, other_weight) = match to {
        Side::Legacy => (Side::New, weights.new_weight()),
        Side::New => (Side::Legacy, weights.legacy()),
    };
    if other_weight > 0 {
        return Err(ZoneRefusal::OtherHasWeight { to, other, weights });
    }
    let keeps = |pair: &RecordPair| if to == Side::Legacy { pair.legacy.clone() } else { pair.new.clone() };
    let is_known = match to {
        Side::Legacy => !endpoints.legacy_dns.is_empty(),
        Side::New => endpoints.new.is_some(),
    };
    let leads_off = |record: &Record| match endpoints.side_of(&record.target) {
        Some(side) => side != to,
        None => is_known,
    };
    if let Some(record) = group.pairs().iter().map(keeps).find(leads_off) {
        let id = record.set_identifier.as_deref().unwrap_or("-");
        let problem = format!("the {} member {id} leads to {}", record.rtype, record.target_text());
        return Err(ZoneRefusal::Astray { to, problem });
    }
    let creates =
        group.pairs().iter().map(|pair| simple(if to == Side::Legacy { &pair.legacy } else { &pair.new })).collect();
    Ok(plan(group.records().cloned().collect(), creates))
}
