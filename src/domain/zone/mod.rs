//! The zone's first and last day: a simple record becomes the weighted pair, and the pair a simple record again.
//!
//! Pure. Both are one atomic batch of exact DELETEs and CREATEs, so that the name is never without an answer, and
//! neither of them moves traffic: the pair starts with everything on the legacy stack, and only the side that has all
//! the weight can keep the name.
//!
//! May use: [`traffic`](super::traffic). Source of the batch's rules: Route 53 API reference,
//! `ChangeResourceRecordSets`; a simple and a weighted record of one name and type cannot stand side by side.

mod balancers;
mod orphans;
mod plan;
mod refusal;
mod turn;

use super::traffic::{GroupError, GroupKey, Record, RecordGroup, Routing, Side, Target, normal_name, traffic_records};

pub use balancers::zone_of_balancers;
pub use orphans::{Orphan, orphans};
pub use plan::{ZonePlan, ZoneStep};
pub use refusal::ZoneRefusal;
pub use turn::{FIRST_WEIGHTS, adopt, release};

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
    /// Those of a stack of which nothing is configured yet.
    #[must_use]
    pub const fn unset() -> Self {
        Self { legacy_dns: String::new(), new: None, evaluate_health: false }
    }

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

#[cfg(test)]
mod tests;
