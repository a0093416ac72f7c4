//! One record, verbatim.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::name::same_name;

/// TTL that Route 53 uses for an alias record to a load balancer, in seconds
/// (Route 53 developer guide, "Choosing between alias and non-alias records").
pub const ALIAS_TTL: Duration = Duration::from_secs(60);

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
    /// Another policy (latency, failover, geolocation …).
    Other(OtherRouting),
}

/// A routing policy that tapctl moves no weight in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub struct OtherRouting {
    /// Its name.
    pub policy: String,
    /// What makes the record one of that policy, by the names of Route 53's API; a DELETE has to say it again.
    pub fields: Map<String, Value>,
}

/// Records of a traffic policy belong to its instance.
const TRAFFIC_POLICY: &str = "a traffic policy";

impl OtherRouting {
    /// The policy of that name.
    #[must_use]
    pub fn new(policy: &str, fields: Map<String, Value>) -> Self {
        Self { policy: policy.to_owned(), fields }
    }

    /// That of records that a traffic policy's instance makes.
    #[must_use]
    pub fn traffic_policy() -> Self {
        Self::new(TRAFFIC_POLICY, Map::new())
    }
}

impl From<String> for OtherRouting {
    fn from(policy: String) -> Self {
        Self { policy, fields: Map::new() }
    }
}

impl From<OtherRouting> for String {
    fn from(routing: OtherRouting) -> Self {
        routing.policy
    }
}

impl Routing {
    /// What makes the records in the place of whoever sends a batch, and lets no batch change them.
    #[must_use]
    pub fn is_managed(&self) -> Option<&str> {
        match self {
            Self::Other(OtherRouting { policy, .. }) if policy == TRAFFIC_POLICY => Some(policy),
            _ => None,
        }
    }
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
