//! The stack that this process watches: its identity, and who watches it from where.
//!
//! Pure.

use crate::domain::endpoint::Endpoint;
use crate::domain::service::Writer;
use crate::domain::traffic::GroupKey;
use crate::domain::zone::Endpoints;

/// What does not change while the program runs.
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
    /// No write is ever sent.
    pub read_only: bool,
    /// Why not, in a sentence.
    pub read_only_why: String,
    /// Where the requests of each service go.
    pub api_endpoints: Vec<Endpoint>,
    /// Set while a simulator answers instead of AWS: its speed and scenario.
    pub simulation: Option<Simulation>,
    /// Who operates, until STS has answered.
    pub operator: String,
    /// This host.
    pub host: String,
}

impl Stack {
    /// Whether the new stack stands: Pulumi handed its outputs out.
    #[must_use]
    pub fn is_provisioned(&self) -> bool {
        self.endpoints.new.is_some()
    }
}

/// The simulator that answers instead of AWS.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulation {
    /// Virtual seconds per second.
    pub speed: f64,
    /// Scenario name.
    pub scenario: String,
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
            read_only: false,
            read_only_why: "this is --read-only".into(),
            api_endpoints: Vec::new(),
            simulation: None,
            operator: "maria".into(),
            host: "bastion".into(),
        }
    }
}
