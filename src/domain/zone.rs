//! The zone's first and last day: a simple record becomes the weighted pair, and the pair a simple record again.
//!
//! Pure. Both are one atomic batch of exact DELETEs and CREATEs, so that the name is never without an answer, and
//! neither of them moves traffic: the pair starts with everything on the legacy stack, and only the side that has all
//! the weight can keep the name.
//!
//! May use: [`traffic`](super::traffic). Source of the batch's rules: Route 53 API reference,
//! `ChangeResourceRecordSets`; a simple and a weighted record of one name and type cannot stand side by side.

use serde::{Deserialize, Serialize};

use super::traffic::{
    ALIAS_TTL, GroupError, GroupKey, Record, RecordGroup, RecordPair, Routing, Side, Target, normal_name, same_name,
    traffic_records,
};
use super::units::{Percent, WeightPair};

/// Weights of a pair on its first day.
pub const FIRST_WEIGHTS: WeightPair = WeightPair::for_new_share(Percent::ZERO);

/// Where the two stacks can be reached, from the stack outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// DNS name of the Classic ELB, or what all names of a balancer that is called so have in common: see
    /// [`any_balancer_called`].
    pub legacy_dns: String,
    /// The ALB; nothing before the first `up`.
    pub new: Option<NewEndpoint>,
    /// Whether Route 53 looks at the health of a load balancer's targets before it answers with it. The Pulumi program
    /// declares it so for both members while both stacks write to the legacy database.
    pub evaluate_health: bool,
}

/// The new load balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEndpoint {
    /// DNS name of the ALB.
    pub dns: String,
    /// Canonical hosted zone of the ALB.
    pub zone_id: String,
}

impl Endpoints {
    /// Which stack a record points to.
    #[must_use]
    pub fn side_of(&self, target: &Target) -> Option<Side> {
        let names: Vec<&str> = match target {
            Target::Alias { dns_name, .. } => vec![dns_name],
            Target::Values { values, .. } => values.iter().map(String::as_str).collect(),
        };
        let all = |dns: &str| !dns.is_empty() && !names.is_empty() && names.iter().all(|name| same_host(name, dns));
        if all(&self.legacy_dns) {
            Some(Side::Legacy)
        } else if self.new.as_ref().is_some_and(|new| all(&new.dns)) {
            Some(Side::New)
        } else {
            None
        }
    }
}

/// Stands for the number that AWS puts into a load balancer's DNS name.
const ANY_NUMBER: &str = "-*.";

/// The DNS name of the load balancer called `name`, as far as it is known before anybody has looked it up: AWS makes it
/// of the name, a number and the region (Classic Load Balancers guide, "Internet-facing Classic Load Balancers").
#[must_use]
pub fn any_balancer_called(name: &str, region: &str) -> String {
    format!("{name}{ANY_NUMBER}{region}.elb.amazonaws.com")
}

/// Whether `name` is the load balancer's. Route 53's console puts `dualstack.` before it; it is the same load balancer.
fn same_host(name: &str, balancer: &str) -> bool {
    let bare = |name: &str| {
        let name = normal_name(name);
        name.strip_prefix("dualstack.").map(str::to_owned).unwrap_or(name)
    };
    let name = bare(name);
    let Some((before, after)) = balancer.split_once(ANY_NUMBER) else { return name == bare(balancer) };
    let numbered = name.strip_prefix(&bare(before)).and_then(|rest| rest.strip_prefix('-'));
    numbered.and_then(|rest| rest.split_once('.')).is_some_and(|(digits, rest)| {
        rest == normal_name(after) && !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
    })
}

/// How the name is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameState {
    /// By the weighted pair.
    Pair(RecordGroup),
    /// By the legacy member alone: adopted, and nothing was provisioned beside it yet.
    LegacyOnly,
    /// By a simple record of each type, and by no other, that points to this side, or to neither.
    Simple(Option<Side>),
    /// Not at all.
    Absent,
    /// By records that cannot be shifted.
    Other(GroupError),
}

impl NameState {
    /// How the records under the key's name answer.
    #[must_use]
    pub fn of(key: &GroupKey, endpoints: &Endpoints, records: &[Record]) -> Self {
        let found: Vec<&Record> = traffic_records(key, records).collect();
        match RecordGroup::from_records(key, records) {
            Ok(group) => Self::Pair(group),
            Err(_) if found.is_empty() => Self::Absent,
            Err(_) if found.iter().all(|record| record.routing == Routing::Simple) => {
                // The most dangerous side counts: one of two address types on the new stack is enough.
                let sides: Vec<Option<Side>> = found.iter().map(|record| endpoints.side_of(&record.target)).collect();
                let new = sides.contains(&Some(Side::New));
                Self::Simple(if new { Some(Side::New) } else { sides.first().copied().flatten() })
            }
            Err(_) if lone(key, records).is_some() => Self::LegacyOnly,
            Err(error) => Self::Other(error),
        }
    }
}

/// The legacy members, when they are all that there is; they have all the traffic, whatever their weight.
fn lone<'a>(key: &'a GroupKey, records: &'a [Record]) -> Option<Vec<&'a Record>> {
    let found: Vec<&Record> = traffic_records(key, records).collect();
    let is_legacy = |record: &&Record| {
        matches!(record.routing, Routing::Weighted(_)) && record.set_identifier.as_deref() == Some(&key.legacy_id)
    };
    (!found.is_empty() && found.iter().all(is_legacy)).then_some(found)
}

/// Why the name cannot be adopted or released.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ZoneRefusal {
    /// There is nothing to turn into a pair.
    #[error("{name} has no {rtype} record: create a simple one that points to the legacy load balancer first")]
    Missing {
        /// The name.
        name: String,
        /// The type.
        rtype: String,
    },
    /// It is done already.
    #[error("{name} is a weighted pair already ({weights}): there is nothing to adopt")]
    AlreadyPair {
        /// The name.
        name: String,
        /// Its weights.
        weights: WeightPair,
    },
    /// The legacy member is there, and `up` makes the new one.
    #[error(
        "{name} is adopted already: the next `up` puts the new stack's record beside the legacy one, with weight 0"
    )]
    AlreadyAdopted {
        /// The name.
        name: String,
    },
    /// The record has another type than the stack was configured for.
    #[error("{name} is a {found} record, and the stack expects {wanted}: change recordType, or the record, first")]
    OtherType {
        /// The name.
        name: String,
        /// The type found.
        found: String,
        /// The type expected.
        wanted: String,
    },
    /// The record is routed by another policy, or the pair is damaged.
    #[error("{0}")]
    Shape(GroupError),
    /// The record does not point to the legacy stack.
    #[error(
        "{name} points to {found}, not to the legacy load balancer {legacy}: adopting it would move traffic that \
         nobody asked to move"
    )]
    NotLegacy {
        /// The name.
        name: String,
        /// What it points to.
        found: String,
        /// The legacy load balancer.
        legacy: String,
    },
    /// The member that would keep the name does not lead to the stack that the name is released to.
    #[error(
        "{problem}: released to the {} stack, the name would lead there for good; put the record right, then release \
         again", to.name()
    )]
    Astray {
        /// Where the name was to go.
        to: Side,
        /// Where the member leads.
        problem: String,
    },
    /// The IPv6 address cannot become a pair, since there is nothing yet for its other half to point to.
    #[error(
        "{name} has an AAAA record too, and the new load balancer does not exist yet: remove the AAAA record first, so \
         that IPv6 clients use the A record, or adopt after the first `up`"
    )]
    Ipv6 {
        /// The name.
        name: String,
    },
    /// The TTL would mix with that of an alias.
    #[error(
        "{name} has a TTL of {ttl_s} s beside an alias with {} s: give it {} s, wait for the old TTL to run out, then \
         adopt",
        ALIAS_TTL.as_secs(),
        ALIAS_TTL.as_secs()
    )]
    Ttl {
        /// The name.
        name: String,
        /// Its TTL, seconds.
        ttl_s: u32,
    },
    /// The other side still has weight.
    #[error(
        "the {} stack still has weight ({weights}): moving traffic is what `tapctl shift` and `tapctl rollback` are \
         for; release to {} when it has everything",
        other.name(), to.name()
    )]
    OtherHasWeight {
        /// Where the name was to go.
        to: Side,
        /// The side that still has weight.
        other: Side,
        /// The weights.
        weights: WeightPair,
    },
}

/// What the batch is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ZoneStep {
    /// Simple record to weighted pair.
    Adopt,
    /// Weighted pair to a simple record to this side.
    Release(Side),
}

/// One atomic batch: delete exactly these records, create those.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZonePlan {
    /// What it is for.
    pub step: ZoneStep,
    /// The zone, without the `/hostedzone/` prefix.
    pub zone_id: String,
    /// The name.
    pub name: String,
    /// Records to delete, exactly as seen. They come first in the batch.
    pub deletes: Vec<Record>,
    /// Records to create.
    pub creates: Vec<Record>,
    /// Simple records of the other address type, which the batch leaves as they are.
    pub stays: Vec<Record>,
}

/// Turns the simple record under the key's name into the weighted pair, legacy 100 and new 0. An AAAA record beside the
/// A record becomes a pair of its own, in the same batch. Before the first `up` there is no new load balancer: then the
/// legacy member stands alone, with all the weight, and `up` puts the new one beside it with 0.
///
/// # Errors
/// [`ZoneRefusal`] by name; nothing is half done.
pub fn adopt(key: &GroupKey, endpoints: &Endpoints, records: &[Record]) -> Result<ZonePlan, ZoneRefusal> {
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
    let mut creates = Vec::new();
    for record in &found {
        if endpoints.side_of(&record.target) != Some(Side::Legacy) {
            let (found, legacy) = (record.target_text(), endpoints.legacy_dns.clone());
            return Err(ZoneRefusal::NotLegacy { name, found, legacy });
        }
        let member = |id: &str, weight: u8, target: Target, check: Option<String>| Record {
            set_identifier: Some(id.to_owned()),
            routing: Routing::Weighted(weight),
            target,
            health_check_id: check,
            ..(*record).clone()
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
        creates.push(member(&key.legacy_id, FIRST_WEIGHTS.legacy(), legacy_target, check));
        creates.extend(new_target.map(|target| member(&key.new_id, FIRST_WEIGHTS.new_weight(), target, None)));
    }
    let deletes = found.into_iter().cloned().collect();
    Ok(ZonePlan { step: ZoneStep::Adopt, zone_id: key.zone_id.clone(), name, deletes, creates, stays: Vec::new() })
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

impl ZonePlan {
    /// The title of the confirmation.
    #[must_use]
    pub fn title(&self) -> String {
        match self.step {
            ZoneStep::Adopt if self.creates.len() == 1 => {
                format!("Turn {} into a weighted record, all traffic on the legacy stack", self.name)
            }
            ZoneStep::Adopt => format!("Turn {} into a weighted pair, all traffic on the legacy stack", self.name),
            ZoneStep::Release(side) => format!("Turn {} into one record to the {} stack", self.name, side.name()),
        }
    }

    /// The batch as one readable line, the exact call that is made.
    #[must_use]
    pub fn call_text(&self) -> String {
        let list = |verb: &str, records: &[Record]| -> Vec<String> {
            records
                .iter()
                .map(|record| {
                    let member = match (&record.set_identifier, record.weight()) {
                        (Some(id), Some(weight)) => format!(" {id}={weight}"),
                        _ => " simple".to_owned(),
                    };
                    format!("{verb} {}{member} → {}", record.rtype, record.target_text())
                })
                .collect()
        };
        let parts = [list("DELETE", &self.deletes), list("CREATE", &self.creates)].concat();
        format!("route53:ChangeResourceRecordSets {}: {}", self.name, parts.join(", "))
    }

    /// Whether `records` are as they are to be after the batch: all that it creates, nothing that it deletes.
    #[must_use]
    pub fn is_done(&self, records: &[Record]) -> bool {
        let listed = |record: &Record, among: &[Record]| among.iter().any(|other| record.eq_normalized(other));
        self.creates.iter().all(|record| listed(record, records))
            && !self.deletes.iter().any(|record| !listed(record, &self.creates) && listed(record, records))
    }

    /// Whether `records` still are what the batch deletes and leaves, and nothing else answers the name.
    #[must_use]
    pub fn is_as_seen(&self, key: &GroupKey, records: &[Record]) -> bool {
        let found: Vec<&Record> = traffic_records(key, records).collect();
        let seen: Vec<&Record> = self.deletes.iter().chain(&self.stays).collect();
        found.len() == seen.len() && seen.iter().all(|record| found.contains(record))
    }

    /// What has to be done so that Pulumi knows of it. The bundled program declares both members with
    /// `allow_overwrite` (`pulumi/lib/routing.py`), so the next `up` takes over the records that it finds, with the
    /// weights that they have; a record that was imported under another parent would only be created twice.
    #[must_use]
    pub fn for_pulumi(&self) -> String {
        let other = self.creates.iter().any(|record| record.rtype == "AAAA");
        match self.step {
            ZoneStep::Adopt if other => "Pulumi needs no import: the next `up` takes the A records over as they are; \
                                         the AAAA records stay outside of Pulumi, and `release` takes them along"
                .to_owned(),
            ZoneStep::Adopt => "Pulumi needs no import: the next `up` takes the records over as they are".to_owned(),
            ZoneStep::Release(Side::New) => {
                "the name is the new stack's for good: `up` declares no pair any more, and asks \
                                             for no legacy load balancer"
                    .to_owned()
            }
            ZoneStep::Release(Side::Legacy) => {
                "until the name is adopted again, preview and `up` refuse it: a simple record \
                                     cannot stand beside a pair"
                    .to_owned()
            }
        }
    }
}

/// A record that `destroy` should have taken along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Orphan {
    /// The record as it stands in the zone.
    pub record: Record,
    /// Why it looks like one of the destroyed stack.
    pub reason: String,
}

impl Orphan {
    /// In a line: the record, and why it looks like one of the destroyed stack.
    #[must_use]
    pub fn text(&self) -> String {
        let Record { name, rtype, set_identifier, .. } = &self.record;
        let member = set_identifier.as_deref().map(|id| format!(" {id}")).unwrap_or_default();
        format!("{name} {rtype}{member} {}", self.reason)
    }
}

/// Records that are left in the zone after a `destroy`. The AWS provider calls a delete done although Route 53 refused
/// the batch, so the zone itself has to be looked at.
#[must_use]
pub fn orphans(key: &GroupKey, endpoints: &Endpoints, zone: &[Record]) -> Vec<Orphan> {
    zone.iter()
        .filter_map(|record| {
            let ours = record.set_identifier.as_deref().filter(|id| *id == key.new_id || *id == key.legacy_id);
            let reason = if endpoints.side_of(&record.target) == Some(Side::New) {
                format!("points to {}, a load balancer that is gone", record.target_text())
            } else if let (true, Some(id)) = (same_name(&record.name, &key.name), ours) {
                format!("is still the pair's member {id}")
            } else {
                return None;
            };
            Some(Orphan { record: record.clone(), reason })
        })
        .collect()
}

#[cfg(test)]
#[path = "zone_tests.rs"]
mod tests;
