//! The weighted record group that decides which stack gets the traffic, exactly as Route 53 holds it.
//!
//! Pure. A group is only ever built through [`RecordGroup::from_records`], which refuses every shape that a
//! weight change could damage.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::units::{Percent, Timestamp, WeightPair};

/// TTL that Route 53 uses for an alias record to a load balancer, in seconds
/// (Route 53 developer guide, "Choosing between alias and non-alias records").
pub const ALIAS_TTL: Duration = Duration::from_secs(60);

/// The two sides of the migration. Legacy is always drawn left, new always right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// EC2, RDS MySQL and the Classic ELB in us-east-1.
    Legacy,
    /// ECS Fargate, Aurora MySQL and the ALB in us-west-2.
    New,
}

impl Side {
    /// `legacy` or `new`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::New => "new",
        }
    }
}

/// Where a record points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// An alias to a load balancer; it has no TTL of its own.
    Alias {
        /// The load balancer's DNS name, verbatim as Route 53 returned it.
        dns_name: String,
        /// The hosted zone id of the load balancer's region.
        zone_id: String,
        /// Whether Route 53 looks at the target's health before it answers with it.
        evaluate_health: bool,
    },
    /// Plain values.
    Values {
        /// Time that resolvers may keep the answer, in seconds.
        ttl_s: u32,
        /// The values, verbatim.
        values: Vec<String>,
    },
}

/// How Route 53 chooses among records of the same name and type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Routing {
    /// One record, always answered.
    Simple,
    /// Weighted, 0 to 255.
    Weighted(u8),
    /// Another policy (latency, failover, geolocation …), by its name.
    Other(String),
}

/// One resource record set as Route 53 returned it, verbatim, so that a DELETE can name it exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Fully qualified name with the trailing dot.
    pub name: String,
    /// `A`, `AAAA` or `CNAME` for a traffic record; any type can be read.
    pub rtype: String,
    /// Tells members of a group apart; `None` on a simple record.
    pub set_identifier: Option<String>,
    /// Routing policy and weight.
    pub routing: Routing,
    /// Where it points.
    pub target: Target,
    /// A Route 53 health check bound to it.
    pub health_check_id: Option<String>,
}

impl Record {
    /// This record with another weight, all else as it is.
    #[must_use]
    pub fn with_weight(&self, weight: u8) -> Self {
        Self { routing: Routing::Weighted(weight), ..self.clone() }
    }

    /// The weight of a weighted record.
    #[must_use]
    pub fn weight(&self) -> Option<u8> {
        match self.routing {
            Routing::Weighted(weight) => Some(weight),
            _ => None,
        }
    }

    /// How long resolvers may keep this answer.
    #[must_use]
    pub fn ttl(&self) -> Duration {
        match self.target {
            Target::Alias { .. } => ALIAS_TTL,
            Target::Values { ttl_s, .. } => Duration::from_secs(ttl_s.into()),
        }
    }

    /// Whether this is `other` as Route 53 lists it: it writes names and alias targets in lower case and with the final
    /// dot, however they were given.
    #[must_use]
    pub fn eq_normalized(&self, other: &Self) -> bool {
        let target = match (&self.target, &other.target) {
            (
                Target::Alias { dns_name: ours, zone_id, evaluate_health },
                Target::Alias { dns_name: theirs, zone_id: their_zone, evaluate_health: their_health },
            ) => same_name(ours, theirs) && zone_id == their_zone && evaluate_health == their_health,
            (Target::Values { ttl_s, values: ours }, Target::Values { ttl_s: their_ttl, values: theirs })
                if self.rtype == "CNAME" =>
            {
                let same = ours.iter().zip(theirs).all(|(a, b)| same_name(a, b));
                ttl_s == their_ttl && ours.len() == theirs.len() && same
            }
            (ours, theirs) => ours == theirs,
        };
        let names = same_name(&self.name, &other.name) && self.rtype == other.rtype;
        let member = self.set_identifier == other.set_identifier && self.routing == other.routing;
        target && names && member && self.health_check_id == other.health_check_id
    }

    /// What it points to, short, for a table.
    #[must_use]
    pub fn target_text(&self) -> String {
        match &self.target {
            Target::Alias { dns_name, .. } => format!("alias {dns_name}"),
            Target::Values { values, .. } => values.join(" "),
        }
    }
}

/// Which records make up the group: the name and the two set identifiers, from the stack outputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupKey {
    /// Hosted zone id without the `/hostedzone/` prefix.
    pub zone_id: String,
    /// Fully qualified record name with the trailing dot.
    pub name: String,
    /// `A`, `AAAA` or `CNAME`.
    pub rtype: String,
    /// Set identifier of the legacy record.
    pub legacy_id: String,
    /// Set identifier of the new record.
    pub new_id: String,
}

impl GroupKey {
    /// The key of a stack whose configuration does not say yet which records it is about: no record has it.
    #[must_use]
    pub fn unset() -> Self {
        let none = String::new;
        Self { zone_id: none(), name: none(), rtype: "A".to_owned(), legacy_id: none(), new_id: none() }
    }
}

/// The legacy and the new record of one type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordPair {
    /// The record that points to the Classic ELB.
    pub legacy: Record,
    /// The record that points to the ALB.
    pub new: Record,
}

/// A record group that can be shifted: one weighted pair per address type, all pairs with the same weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordGroup {
    pairs: Vec<RecordPair>,
    weights: WeightPair,
    ttl_s: u64,
}

/// Why the records under the name cannot be shifted. Nothing is sent to Route 53 while one of these holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "shape", rename_all = "snake_case")]
pub enum GroupError {
    /// No record of this name and type.
    #[error(
        "{name} {rtype} does not exist in the zone; check recordName, recordType and hostedZoneId in the stack outputs"
    )]
    Missing {
        /// The name looked for.
        name: String,
        /// The type looked for.
        rtype: String,
    },
    /// A simple record stands where a weighted pair is needed.
    #[error(
        "{name} {rtype} is a simple record, not a weighted pair; `tapctl adopt` turns it into one in a single batch"
    )]
    Simple {
        /// The record's name.
        name: String,
        /// The record's type.
        rtype: String,
    },
    /// One address type is a simple record, the other is weighted.
    #[error(
        "{name} has a simple {simple} record beside its weighted {weighted} records: the clients that ask for {simple} do \
         not follow the weights; delete the {simple} record, or make it weighted like the {weighted} records"
    )]
    Mixed {
        /// The name.
        name: String,
        /// The type of the simple record.
        simple: String,
        /// The type of the weighted ones.
        weighted: String,
    },
    /// The records use another routing policy.
    #[error("{name} {rtype} is routed by {policy}; only a weighted pair can be shifted")]
    OtherRouting {
        /// The record's name.
        name: String,
        /// The record's type.
        rtype: String,
        /// The policy found.
        policy: String,
    },
    /// One of the two records is not there.
    #[error(
        "the {rtype} record with set identifier {set_identifier:?} is missing; both records of the pair are needed"
    )]
    MemberMissing {
        /// The record's type.
        rtype: String,
        /// The identifier that was not found.
        set_identifier: String,
    },
    /// There are records in the group that belong to neither stack.
    #[error("the {rtype} group also holds {others:?}; a weight change would move an unknown share, so none is made")]
    UnknownMember {
        /// The record's type.
        rtype: String,
        /// Set identifiers that are neither legacy nor new.
        others: Vec<String>,
    },
    /// All weights are 0, which Route 53 treats as equal shares, not as off.
    #[error(
        "both {rtype} weights are 0: Route 53 then answers with both equally; set one of them by hand before going on"
    )]
    SumZero {
        /// The record's type.
        rtype: String,
    },
    /// The members have different TTLs.
    #[error("the {rtype} records have different TTLs ({legacy_s} s and {new_s} s); give both the same TTL first")]
    MixedTtl {
        /// The record's type.
        rtype: String,
        /// TTL of the legacy record, seconds.
        legacy_s: u64,
        /// TTL of the new record, seconds.
        new_s: u64,
    },
    /// The A and the AAAA pair do not have the same weights.
    #[error(
        "the {first} pair stands at {first_weights} and the {second} pair at {second_weights}; bring them together first"
    )]
    Disagree {
        /// Type of the first pair.
        first: String,
        /// Its weights.
        first_weights: WeightPair,
        /// Type of the second pair.
        second: String,
        /// Its weights.
        second_weights: WeightPair,
    },
}

impl RecordGroup {
    /// Reads the group out of all records that Route 53 lists under the name.
    ///
    /// Records of other names and of types that carry no traffic (TXT, MX …) are passed over; an AAAA pair beside
    /// the A pair belongs to the group and moves in lock-step.
    ///
    /// # Errors
    /// One [`GroupError`] for the first shape that cannot be shifted.
    pub fn from_records(key: &GroupKey, records: &[Record]) -> Result<Self, GroupError> {
        let at_name = |rtype: &str| -> Vec<&Record> {
            records.iter().filter(|r| same_name(&r.name, &key.name) && r.rtype == rtype).collect()
        };
        let mut types = vec![key.rtype.as_str()];
        types.extend(
            ["A", "AAAA"].into_iter().filter(|t| *t != key.rtype && key.rtype != "CNAME" && !at_name(t).is_empty()),
        );
        let having = |wanted: fn(&Routing) -> bool| {
            types.iter().find(|rtype| at_name(rtype).iter().any(|record| wanted(&record.routing)))
        };
        let simple = having(|routing| *routing == Routing::Simple);
        let weighted = having(|routing| matches!(routing, Routing::Weighted(_)));
        // Where both are of one type, which Route 53 does not allow, the type's own error says it.
        if let (Some(simple), Some(weighted)) = (simple, weighted)
            && simple != weighted
        {
            let (simple, weighted) = ((*simple).to_owned(), (*weighted).to_owned());
            return Err(GroupError::Mixed { name: key.name.clone(), simple, weighted });
        }
        let mut pairs = Vec::new();
        for rtype in types {
            pairs.push(pair_of(key, rtype, &at_name(rtype))?);
        }
        let weights = pair_weights(&pairs[0])?;
        for other in &pairs[1..] {
            let second = pair_weights(other)?;
            if second != weights {
                return Err(GroupError::Disagree {
                    first: pairs[0].legacy.rtype.clone(),
                    first_weights: weights,
                    second: other.legacy.rtype.clone(),
                    second_weights: second,
                });
            }
        }
        let ttl_s = pairs.iter().map(|p| p.legacy.ttl().as_secs()).max().unwrap_or(ALIAS_TTL.as_secs());
        Ok(Self { pairs, weights, ttl_s })
    }

    /// The pairs, one per record type.
    #[must_use]
    pub fn pairs(&self) -> &[RecordPair] {
        &self.pairs
    }

    /// The weights that all pairs share.
    #[must_use]
    pub fn weights(&self) -> WeightPair {
        self.weights
    }

    /// How long resolvers may keep an old answer.
    #[must_use]
    pub fn ttl(&self) -> Duration {
        Duration::from_secs(self.ttl_s)
    }

    /// Every record, legacy before new, in the order of the types.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.pairs.iter().flat_map(|pair| [&pair.legacy, &pair.new])
    }

    /// The same group with other weights, all else verbatim.
    #[must_use]
    pub fn with_weights(&self, weights: WeightPair) -> Self {
        let pairs = self
            .pairs
            .iter()
            .map(|pair| RecordPair {
                legacy: pair.legacy.with_weight(weights.legacy()),
                new: pair.new.with_weight(weights.new_weight()),
            })
            .collect();
        Self { pairs, weights, ttl_s: self.ttl_s }
    }

    /// The share of answers that name the new stack, in whole percent.
    #[must_use]
    pub fn new_share(&self) -> Percent {
        self.weights.new_share()
    }
}

fn pair_of(key: &GroupKey, rtype: &str, records: &[&Record]) -> Result<RecordPair, GroupError> {
    let (name, rtype) = (key.name.clone(), rtype.to_owned());
    if records.is_empty() {
        return Err(GroupError::Missing { name, rtype });
    }
    for record in records {
        match &record.routing {
            Routing::Weighted(_) => {}
            Routing::Simple => return Err(GroupError::Simple { name, rtype }),
            Routing::Other(policy) => return Err(GroupError::OtherRouting { name, rtype, policy: policy.clone() }),
        }
    }
    let others: Vec<String> = records
        .iter()
        .filter_map(|r| r.set_identifier.clone())
        .filter(|id| *id != key.legacy_id && *id != key.new_id)
        .collect();
    if !others.is_empty() {
        return Err(GroupError::UnknownMember { rtype, others });
    }
    let member = |id: &str| {
        records
            .iter()
            .find(|r| r.set_identifier.as_deref() == Some(id))
            .map(|r| (*r).clone())
            .ok_or_else(|| GroupError::MemberMissing { rtype: rtype.clone(), set_identifier: id.to_owned() })
    };
    let pair = RecordPair { legacy: member(&key.legacy_id)?, new: member(&key.new_id)? };
    let (legacy_s, new_s) = (pair.legacy.ttl().as_secs(), pair.new.ttl().as_secs());
    if legacy_s != new_s {
        return Err(GroupError::MixedTtl { rtype, legacy_s, new_s });
    }
    pair_weights(&pair)?;
    Ok(pair)
}

fn pair_weights(pair: &RecordPair) -> Result<WeightPair, GroupError> {
    let (legacy, new) = (pair.legacy.weight().unwrap_or(0), pair.new.weight().unwrap_or(0));
    WeightPair::new(legacy, new).ok_or_else(|| GroupError::SumZero { rtype: pair.legacy.rtype.clone() })
}

/// Whether two DNS names are the same as Route 53 sees them: case, the trailing dot and the way in which a character is
/// written do not count.
#[must_use]
pub fn same_name(a: &str, b: &str) -> bool {
    let (bare_a, bare_b) = (a.trim_end_matches('.'), b.trim_end_matches('.'));
    bare_a.eq_ignore_ascii_case(bare_b) || normal_name(bare_a) == normal_name(bare_b)
}

/// A name as Route 53 writes it, without the trailing dot: lower case, and everything but letters, digits, `-`, `_` and
/// the dot between labels as `\ooo`, three octal digits for each byte, so that `*` is `\052` (developer guide, "DNS
/// domain name format"). An escaped letter is that letter; an escaped dot stays one inside a label.
#[must_use]
pub fn normal_name(name: &str) -> String {
    let bytes = name.trim_end_matches('.').as_bytes();
    let mut normal = String::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let octal = bytes.get(at + 1..at + 4).filter(|_| byte == b'\\').and_then(octal_byte);
        at += if octal.is_some() { 4 } else { 1 };
        let (byte, plain_dot) = (octal.unwrap_or(byte), octal.is_none() && byte == b'.');
        if plain_dot || byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            normal.push(byte.to_ascii_lowercase().into());
        } else {
            for digit in ['\\', octal_digit(byte >> 6), octal_digit(byte >> 3), octal_digit(byte)] {
                normal.push(digit);
            }
        }
    }
    normal
}

fn octal_digit(bits: u8) -> char {
    char::from(b'0' + (bits & 7))
}

fn octal_byte(digits: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok()?;
    u8::from_str_radix(text, 8).ok().filter(|_| digits.iter().all(u8::is_ascii_digit))
}

/// The records under the key's name that carry traffic.
pub fn traffic_records<'a>(key: &'a GroupKey, records: &'a [Record]) -> impl Iterator<Item = &'a Record> {
    records
        .iter()
        .filter(|record| same_name(&record.name, &key.name))
        .filter(|record| matches!(record.rtype.as_str(), "A" | "AAAA" | "CNAME"))
}

/// Where a change is on its way to every authoritative name server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ChangeStatus {
    /// Accepted, not yet on all authoritative servers.
    Pending,
    /// On all authoritative servers; resolvers may still hold the old answer for one TTL.
    Insync,
}

impl fmt::Display for ChangeStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "PENDING",
            Self::Insync => "INSYNC",
        })
    }
}

/// A change batch that Route 53 accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// `/change/C…`.
    pub id: String,
    /// How far it is.
    pub status: ChangeStatus,
    /// When Route 53 accepted it, by Route 53's clock.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{normal_name, same_name};

    #[test]
    fn names_are_compared_as_route_53_writes_them() {
        for (a, b) in [
            ("*.example.com", "\\052.example.com."),
            ("APP.example.com", "app.Example.COM."),
            ("\\141pp.example.com", "app.example.com"),
            ("_a-b.example.com.", "_A-b.example.com"),
            ("b\u{fc}cher.example.com", "b\\303\\274cher.example.com"),
        ] {
            assert!(same_name(a, b), "{a} {b}");
        }
        for (a, b) in [
            ("a.b.example.com", "a\\056b.example.com"),
            ("*.example.com", "a.example.com"),
            ("\\052.example.com", "052.example.com"),
            ("app.example.com", "app.example.org"),
        ] {
            assert!(!same_name(a, b), "{a} {b}");
        }
    }

    proptest! {
        #[test]
        fn a_name_as_route_53_writes_it_stays_as_it_is(name in "[ -~]{0,40}") {
            let normal = normal_name(&name);
            prop_assert_eq!(normal_name(&normal), normal.clone());
            prop_assert!(same_name(&name, &normal));
        }
    }
}
