//! Both load balancers: targets of the ALB (ELBv2), instances of the Classic ELB.

use super::Aws;
use super::errors::garbled;
use super::iam::AwsOperation;
use crate::domain::service::{Host, Hosts};
use crate::ports::PortError;

impl Aws {
    /// The targets behind the ALB, each once per port.
    pub(super) async fn targets(&self) -> Result<Hosts, PortError> {
        let operation = AwsOperation::DescribeTargetHealth;
        let answer = self
            .clients
            .elb
            .describe_target_health()
            .target_group_arn(&self.built()?.balancer.target_group_arn)
            .send()
            .await
            .map_err(|e| self.failed(operation, &e))?;
        let descriptions = answer.target_health_descriptions.unwrap_or_default();
        let hosts = descriptions.into_iter().map(|description| {
            let (Some(target), Some(health)) = (description.target, description.target_health) else {
                return Err(garbled(operation, "a target without an id or without its health"));
            };
            let Some(state) = health.state else {
                return Err(garbled(operation, "a target's health without a state"));
            };
            let reason = match (health.reason, health.description) {
                (Some(reason), Some(words)) => Some(format!("{}: {words}", reason.as_str())),
                (Some(reason), None) => Some(reason.as_str().to_owned()),
                (None, words) => words,
            };
            Ok(Host {
                id: target.id.unwrap_or_default(),
                zone: target.availability_zone,
                state: state.as_str().to_owned(),
                reason,
            })
        });
        Ok(Hosts { hosts: hosts.collect::<Result<_, _>>()? })
    }

    /// The instances behind the Classic ELB.
    pub(super) async fn legacy_hosts(&self) -> Result<Hosts, PortError> {
        let operation = AwsOperation::DescribeInstanceHealth;
        let answer = self
            .clients
            .classic
            .describe_instance_health()
            .load_balancer_name(self.legacy_lb()?)
            .send()
            .await
            .map_err(|e| self.failed(operation, &e))?;
        // A Classic ELB fills in `N/A` where it has nothing to say.
        let said = |text: Option<String>| text.filter(|words| !words.is_empty() && words != "N/A");
        let hosts = answer.instance_states.unwrap_or_default().into_iter().map(|instance| {
            let (Some(id), Some(state)) = (instance.instance_id, instance.state) else {
                return Err(garbled(operation, "an instance without an id or a state"));
            };
            Ok(Host { id, zone: None, state, reason: said(instance.description) })
        });
        Ok(Hosts { hosts: hosts.collect::<Result<_, _>>()? })
    }
}
