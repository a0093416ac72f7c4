//! The stack that is watched: what it is, as its name, its outputs and its configuration tell.
//!
//! Pure.

use crate::domain::service::Writer;
use crate::domain::traffic::GroupKey;
use crate::domain::zone::Endpoints;

/// What the stack is; another once Pulumi has changed it.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// The stack's short name.
    pub name: String,
    /// Region of the new stack.
    pub region: String,
    /// Region of the legacy stack.
    pub legacy_region: String,
    /// Which records are shifted.
    pub group: GroupKey,
    /// Which database takes the writes, as the stack outputs say.
    pub writer: Writer,
    /// Name of the legacy load balancer.
    pub legacy_lb: String,
    /// Identifier of the Aurora cluster.
    pub aurora: String,
    /// Where the two stacks can be reached.
    pub endpoints: Endpoints,
    /// What has to be configured before the name can be looked at, a line with its command for each key; empty once
    /// the stack stands.
    pub unset: Vec<String>,
}

impl Stack {
    /// Whether the new stack stands: Pulumi handed its outputs out.
    #[must_use]
    pub fn is_provisioned(&self) -> bool {
        self.endpoints.new.is_some()
    }
}

#[cfg(test)]
pub(crate) mod fixtures {
    //! The stack that the tests watch.

    use super::Stack;
    use crate::domain::service::Writer;
    use crate::domain::shift::fixtures::key;
    use crate::domain::zone::{Endpoints, NewEndpoint};

    /// A stack that stands, in its two regions, with everything on the legacy database.
    pub(crate) fn stack() -> Stack {
        Stack {
            name: "prod".into(),
            region: "us-west-2".into(),
            legacy_region: "us-east-1".into(),
            group: key(),
            writer: Writer::Legacy,
            legacy_lb: "techvault".into(),
            aurora: "migration-aurora-prod".into(),
            endpoints: Endpoints {
                legacy_dns: "legacy.elb.amazonaws.com".into(),
                new: Some(NewEndpoint { dns: "new.elb.amazonaws.com".into(), zone_id: "Z1H1FL5HABSF5".into() }),
                evaluate_health: true,
            },
            unset: Vec::new(),
        }
    }
}
