//! The weighted record group that decides which stack gets the traffic, exactly as Route 53 holds it.
//!
//! Pure. A group is only ever built through [`RecordGroup::from_records`], which refuses every shape that a
//! weight change could damage.

mod beside;
mod group;
mod name;
mod record;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::units::Timestamp;

pub use beside::{beside, beside_text};
pub use group::{GroupError, GroupKey, RecordGroup, RecordPair, traffic_records};
pub use name::{normal_name, readable_name, same_name};
pub use record::{ALIAS_TTL, OtherRouting, Record, Routing, Target};

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
mod tests;
