//! Why a name cannot be adopted or released.

use crate::domain::traffic::{ALIAS_TTL, GroupError, Side};
use crate::domain::units::WeightPair;

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
    /// An HTTPS or SVCB record of the name leads by itself, so that no weight would move its clients.
    #[error("{problem}; delete it, or take addresses and other hosts out of it, then adopt")]
    Beside {
        /// What it is and where it leads.
        problem: String,
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
