//! The tiers that answer requests: network, load balancer, service.

use super::reader::OutputsReader;

/// VPC and subnets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkOutputs {
    /// VPC of the new stack.
    pub vpc_id: String,
    /// Public subnets.
    pub public_subnet_ids: Vec<String>,
    /// Private subnets.
    pub private_subnet_ids: Vec<String>,
    /// Public addresses of the NAT gateways; empty where the program does not say.
    pub nat_addresses: Vec<String>,
}

impl NetworkOutputs {
    pub(super) fn read(r: &mut OutputsReader) -> Self {
        Self {
            vpc_id: r.text("vpcId"),
            public_subnet_ids: r.list("publicSubnetIds"),
            private_subnet_ids: r.list("privateSubnetIds"),
            nat_addresses: r.optional_list("natAddresses"),
        }
    }
}

/// The ALB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalancerOutputs {
    /// ARN of the ALB; its tail is the metric dimension.
    pub arn: String,
    /// DNS name of the ALB.
    pub dns_name: String,
    /// Canonical hosted zone id of the ALB.
    pub zone_id: String,
    /// ARN of the target group; its tail is the metric dimension.
    pub target_group_arn: String,
}

impl BalancerOutputs {
    pub(super) fn read(r: &mut OutputsReader) -> Self {
        Self {
            arn: r.arn("albArn"),
            dns_name: r.text("albDnsName"),
            zone_id: r.text("albZoneId"),
            target_group_arn: r.arn("targetGroupArn"),
        }
    }

    /// The `LoadBalancer` dimension of the ALB's metrics: `app/name/id`, the tail of its ARN.
    #[must_use]
    pub fn dimension(&self) -> &str {
        self.arn.split_once(":loadbalancer/").map_or(&self.arn, |(_, tail)| tail)
    }

    /// The `TargetGroup` dimension: `targetgroup/name/id`, the tail of its ARN.
    #[must_use]
    pub fn target_group_dimension(&self) -> &str {
        self.target_group_arn.rsplit(':').next().unwrap_or(&self.target_group_arn)
    }
}

/// The ECS service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceOutputs {
    /// ARN of the ECS cluster.
    pub cluster_arn: String,
    /// Name of the ECS cluster.
    pub cluster_name: String,
    /// Name of the ECS service.
    pub service_name: String,
    /// Repository to push the image to.
    pub repository_url: String,
}

impl ServiceOutputs {
    pub(super) fn read(r: &mut OutputsReader) -> Self {
        Self {
            cluster_arn: r.arn("ecsClusterArn"),
            cluster_name: r.text("ecsClusterName"),
            service_name: r.text("ecsServiceName"),
            repository_url: r.text("ecrRepositoryUrl"),
        }
    }
}
