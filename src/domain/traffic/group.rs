//! The weighted group: one pair of records per address type, all at the same weights.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::name::same_name;
use super::record::{ALIAS_TTL, Record, Routing};
use crate::domain::units::{Percent, WeightPair};

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
            Routing::Other(other) => {
                return Err(GroupError::OtherRouting { name, rtype, policy: other.policy.clone() });
            }
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

/// The records under the key's name that carry traffic.
pub fn traffic_records<'a>(key: &'a GroupKey, records: &'a [Record]) -> impl Iterator<Item = &'a Record> {
    records
        .iter()
        .filter(|record| same_name(&record.name, &key.name))
        .filter(|record| matches!(record.rtype.as_str(), "A" | "AAAA" | "CNAME"))
}
