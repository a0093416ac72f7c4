//! The stack outputs: the one thing that Pulumi tells tapctl about what it built.
//!
//! Reads the JSON of `pulumi stack output --json` (or a file with the same JSON). Does no I/O itself. A broken file
//! is reported whole: every missing and every mistyped key in one error.

mod data;
mod reader;
mod serving;
mod traffic;

use serde_json::Value;

use crate::domain::service::Writer;
use crate::domain::text::Foreign;
use crate::domain::traffic::GroupKey;
use crate::domain::zone::{Endpoints, NewEndpoint};
use reader::OutputsReader;

pub use data::{DatabaseOutputs, IdentityOutputs, ReplicationOutputs};
pub use reader::OutputsError;
pub use serving::{BalancerOutputs, NetworkOutputs, ServiceOutputs};
pub use traffic::{MonitoringOutputs, TrafficOutputs};

/// Every output of the bundled Pulumi program, by tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackOutputs {
    /// Suffix of every resource name (`environmentSuffix`).
    pub suffix: String,
    /// Region of the new stack.
    pub region: String,
    /// Region of the legacy stack.
    pub legacy_region: String,
    /// VPC and subnets.
    pub network: NetworkOutputs,
    /// The ALB.
    pub balancer: BalancerOutputs,
    /// The ECS service.
    pub service: ServiceOutputs,
    /// Aurora, and which database takes the writes.
    pub database: DatabaseOutputs,
    /// DMS.
    pub replication: ReplicationOutputs,
    /// The weighted records and where they lead.
    pub traffic: TrafficOutputs,
    /// Alarms, logs, dashboard.
    pub monitoring: MonitoringOutputs,
    /// Accounts of both databases.
    pub identities: IdentityOutputs,
}

impl StackOutputs {
    /// The outputs that tell this stack from any other: whose name, and which load balancer.
    #[must_use]
    pub fn identity_outputs(&self) -> Vec<(&'static str, String)> {
        vec![
            ("hostedZoneId", self.traffic.hosted_zone_id.clone()),
            ("recordName", self.traffic.record_name.clone()),
            ("newSetIdentifier", self.traffic.new_set_identifier.clone()),
            ("albDnsName", self.balancer.dns_name.clone()),
        ]
    }

    /// Reads the JSON of `pulumi stack output --json`. Keys that are not known are passed over.
    ///
    /// # Errors
    /// [`OutputsError`] names every key that is missing or mistyped.
    pub fn parse(text: &str) -> Result<Self, OutputsError> {
        let mut error = OutputsError { syntax: None, missing: Vec::new(), mistyped: Vec::new() };
        let map = match serde_json::from_str::<Value>(text).map(Foreign::take_value) {
            Ok(Value::Object(map)) => map,
            Ok(_) => {
                error.syntax = Some("the file holds JSON, but not an object with the outputs as keys".to_owned());
                return Err(error);
            }
            Err(broken) => {
                error.syntax = Some(format!("the file is not JSON ({broken})"));
                return Err(error);
            }
        };
        Self::read(&mut OutputsReader { map, error })
    }

    /// Takes every key out of the map; what is left in it is not known.
    fn read(r: &mut OutputsReader) -> Result<Self, OutputsError> {
        let outputs = Self {
            suffix: r.text("environmentSuffix"),
            region: r.text("region"),
            legacy_region: r.text("legacyRegion"),
            network: NetworkOutputs::read(r),
            balancer: BalancerOutputs::read(r),
            service: ServiceOutputs::read(r),
            database: DatabaseOutputs::read(r),
            replication: ReplicationOutputs::read(r),
            traffic: TrafficOutputs::read(r),
            monitoring: MonitoringOutputs::read(r),
            identities: IdentityOutputs::read(r),
        };
        let (legacy, new) = (&outputs.traffic.legacy_set_identifier, &outputs.traffic.new_set_identifier);
        if legacy == new && !new.is_empty() {
            r.error.mistyped.push("newSetIdentifier (is the same as legacySetIdentifier)".to_owned());
        }
        if r.error.missing.is_empty() && r.error.mistyped.is_empty() { Ok(outputs) } else { Err(r.error.clone()) }
    }

    /// The record group that these outputs name.
    #[must_use]
    pub fn group_key(&self) -> GroupKey {
        let zone = self.traffic.hosted_zone_id.rsplit('/').next().unwrap_or(&self.traffic.hosted_zone_id);
        GroupKey {
            zone_id: zone.to_owned(),
            name: format!("{}.", self.traffic.record_name.trim_end_matches('.')),
            rtype: self.traffic.record_type.clone(),
            legacy_id: self.traffic.legacy_set_identifier.clone(),
            new_id: self.traffic.new_set_identifier.clone(),
        }
    }

    /// Where the two stacks can be reached.
    #[must_use]
    pub fn endpoints(&self) -> Endpoints {
        Endpoints {
            legacy_dns: self.traffic.legacy_lb_dns_name.clone(),
            new: Some(NewEndpoint { dns: self.balancer.dns_name.clone(), zone_id: self.balancer.zone_id.clone() }),
            // After the write cutover a record that fails over by health would open the old stack for writes again.
            evaluate_health: self.database.writer == Writer::Legacy,
        }
    }
}

#[cfg(test)]
mod tests;
