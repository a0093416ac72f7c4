//! Every AWS operation that is called, as IAM names it, with what it does and to what it can be narrowed.
//!
//! An adapter can only report a failure of an [`AwsOperation`], so no call can be missing from the policy that is printed.

use crate::domain::stack::StackInfo;

/// One AWS operation that is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AwsOperation {
    /// Route 53: the records under the name.
    ListResourceRecordSets,
    /// Route 53: the only write there is.
    ChangeResourceRecordSets,
    /// Route 53: how far a change is.
    GetChange,
    /// Route 53: which name servers answer for the zone.
    GetHostedZone,
    /// CloudWatch: all metrics of a region.
    GetMetricData,
    /// CloudWatch: the stack's alarms.
    DescribeAlarms,
    /// DMS: the forward and the reverse task.
    DescribeReplicationTasks,
    /// DMS: the instance they run on.
    DescribeReplicationInstances,
    /// DMS: statistics per table.
    DescribeTableStatistics,
    /// ECS: the service and its deployments.
    DescribeServices,
    /// ECS: which tasks the service has.
    ListTasks,
    /// ECS: those tasks.
    DescribeTasks,
    /// ELBv2: targets of the ALB.
    DescribeTargetHealth,
    /// Classic ELB: instances of the legacy fleet.
    DescribeInstanceHealth,
    /// STS: who is asking.
    GetCallerIdentity,
}

/// What an action can be narrowed to (service authorization reference, "Resource types").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// IAM knows no resource for it, or only answers in full when it is not narrowed.
    Everything,
    /// The hosted zone.
    HostedZone,
    /// Changes of any zone; Route 53 has no narrower ARN for them.
    Changes,
    /// The forward replication task.
    ReplicationTask,
    /// The ECS service.
    Service,
    /// Tasks of the ECS cluster.
    ClusterTasks,
}

/// A row of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IamAction {
    /// `service:AwsOperation`.
    pub action: &'static str,
    /// Whether it changes anything; such an action is left out of the read-only policy.
    pub write: bool,
    /// What it can be narrowed to.
    pub scope: Scope,
}

impl AwsOperation {
    /// Every operation.
    pub const ALL: [Self; 15] = [
        Self::ListResourceRecordSets,
        Self::ChangeResourceRecordSets,
        Self::GetChange,
        Self::GetHostedZone,
        Self::GetMetricData,
        Self::DescribeAlarms,
        Self::DescribeReplicationTasks,
        Self::DescribeReplicationInstances,
        Self::DescribeTableStatistics,
        Self::DescribeServices,
        Self::ListTasks,
        Self::DescribeTasks,
        Self::DescribeTargetHealth,
        Self::DescribeInstanceHealth,
        Self::GetCallerIdentity,
    ];

    /// The operation as IAM names it.
    #[must_use]
    pub const fn action(self) -> &'static str {
        self.row().action
    }

    /// The operation's row in the policy.
    #[must_use]
    pub const fn row(self) -> IamAction {
        let (action, scope) = match self {
            Self::ListResourceRecordSets => ("route53:ListResourceRecordSets", Scope::HostedZone),
            Self::ChangeResourceRecordSets => ("route53:ChangeResourceRecordSets", Scope::HostedZone),
            Self::GetChange => ("route53:GetChange", Scope::Changes),
            Self::GetHostedZone => ("route53:GetHostedZone", Scope::HostedZone),
            Self::GetMetricData => ("cloudwatch:GetMetricData", Scope::Everything),
            // Composite alarms are only told to callers whose permission has no narrower scope (API reference).
            Self::DescribeAlarms => ("cloudwatch:DescribeAlarms", Scope::Everything),
            Self::DescribeReplicationTasks => ("dms:DescribeReplicationTasks", Scope::Everything),
            Self::DescribeReplicationInstances => ("dms:DescribeReplicationInstances", Scope::Everything),
            Self::DescribeTableStatistics => ("dms:DescribeTableStatistics", Scope::ReplicationTask),
            Self::DescribeServices => ("ecs:DescribeServices", Scope::Service),
            Self::ListTasks => ("ecs:ListTasks", Scope::Everything),
            Self::DescribeTasks => ("ecs:DescribeTasks", Scope::ClusterTasks),
            Self::DescribeTargetHealth => ("elasticloadbalancing:DescribeTargetHealth", Scope::Everything),
            Self::DescribeInstanceHealth => ("elasticloadbalancing:DescribeInstanceHealth", Scope::Everything),
            Self::GetCallerIdentity => ("sts:GetCallerIdentity", Scope::Everything),
        };
        IamAction { action, write: matches!(self, Self::ChangeResourceRecordSets), scope }
    }
}

impl Scope {
    /// The ARN to write into a policy: as narrow as what is known of the stack allows; `*` where IAM knows no resource.
    #[must_use]
    pub fn arn(self, known: Option<&StackInfo>) -> String {
        let outputs = known.and_then(StackInfo::outputs);
        let partition = known.map_or("aws", partition);
        let cluster: Vec<&str> = outputs.map(|o| o.service.cluster_arn.splitn(6, ':').collect()).unwrap_or_default();
        let names = outputs.map_or(("*", "*"), |o| (o.service.cluster_name.as_str(), o.service.service_name.as_str()));
        let ecs = |resource: &str| match cluster.as_slice() {
            [_, _, _, region, account, _] => format!("arn:{partition}:ecs:{region}:{account}:{resource}"),
            _ => format!("arn:{partition}:ecs:*:*:{resource}"),
        };
        match self {
            Self::Everything => "*".to_owned(),
            Self::HostedZone => {
                let zone = known.and_then(StackInfo::zone_id).unwrap_or_else(|| "*".to_owned());
                format!("arn:{partition}:route53:::hostedzone/{zone}")
            }
            Self::Changes => format!("arn:{partition}:route53:::change/*"),
            Self::ReplicationTask => {
                outputs.map_or_else(|| format!("arn:{partition}:dms:*:*:task:*"), |o| o.replication.task_arn.clone())
            }
            Self::Service => ecs(&format!("service/{}/{}", names.0, names.1)),
            Self::ClusterTasks => ecs(&format!("task/{}/*", names.0)),
        }
    }
}

/// The partition that the stack's ARNs name, or the one that its region lies in (AWS general reference, "ARNs").
fn partition(known: &StackInfo) -> &str {
    if let Some(named) = known.outputs().and_then(|outputs| outputs.service.cluster_arn.split(':').nth(1)) {
        return named;
    }
    let region = known.region();
    let starts = [
        ("us-gov-", "aws-us-gov"),
        ("cn-", "aws-cn"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-isof-", "aws-iso-f"),
        ("eusc-", "aws-eusc"),
    ];
    starts.iter().find(|(start, _)| region.starts_with(start)).map_or("aws", |(_, partition)| partition)
}

/// The table behind `tapctl iam-policy`: every action that is called.
pub fn iam_actions() -> impl Iterator<Item = IamAction> {
    AwsOperation::ALL.into_iter().map(AwsOperation::row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The adapters' sources, in which every operation that is called is named.
    const SOURCES: [&str; 7] = [
        include_str!("cloudwatch.rs"),
        include_str!("dms.rs"),
        include_str!("ecs.rs"),
        include_str!("elb.rs"),
        include_str!("route53.rs"),
        include_str!("sts.rs"),
        include_str!("zone.rs"),
    ];

    #[test]
    fn the_table_holds_exactly_the_operations_that_are_called() {
        let called: BTreeSet<String> = SOURCES
            .iter()
            .flat_map(|source| source.split("Operation::").skip(1))
            .map(|rest| rest.chars().take_while(char::is_ascii_alphanumeric).collect())
            .collect();
        let table: BTreeSet<String> = AwsOperation::ALL.iter().map(|operation| format!("{operation:?}")).collect();
        assert_eq!(called, table);
    }

    #[test]
    fn every_action_is_the_operations_own_name_and_only_one_writes() {
        for operation in AwsOperation::ALL {
            let (service, name) = operation.action().split_once(':').unwrap();
            assert_eq!(name, format!("{operation:?}"));
            assert!(["route53", "cloudwatch", "dms", "ecs", "elasticloadbalancing", "sts"].contains(&service));
        }
        let writes: Vec<_> = iam_actions().filter(|row| row.write).map(|row| row.action).collect();
        assert_eq!(writes, ["route53:ChangeResourceRecordSets"]);
    }

    #[test]
    fn scopes_are_arns_of_the_stack_in_its_own_partition() {
        let mut outputs = super::super::tests::outputs();
        let known = |outputs: &crate::domain::stack::StackOutputs| Some(StackInfo::from(outputs.clone()));
        let built = known(&outputs);
        assert_eq!(Scope::HostedZone.arn(built.as_ref()), "arn:aws:route53:::hostedzone/Z0123456789TECHVAULT");
        assert_eq!(
            Scope::Service.arn(built.as_ref()),
            "arn:aws:ecs:us-west-2:123456789012:service/migration-cluster-prod/migration-service-prod"
        );
        assert_eq!(
            Scope::ClusterTasks.arn(built.as_ref()),
            "arn:aws:ecs:us-west-2:123456789012:task/migration-cluster-prod/*"
        );
        for partition in ["aws-us-gov", "aws-cn"] {
            outputs.service.cluster_arn = format!("arn:{partition}:ecs:x:1:cluster/c");
            let built = known(&outputs);
            for scope in [Scope::HostedZone, Scope::Changes, Scope::Service, Scope::ClusterTasks] {
                let arn = scope.arn(built.as_ref());
                assert!(arn.starts_with(&format!("arn:{partition}:")), "{arn}");
            }
        }
    }

    #[test]
    fn a_planned_stack_lies_in_the_partition_of_its_region() {
        use crate::domain::stack::ConfiguredStack;
        use crate::domain::stack::info::PROJECT;
        let values = [("tap:hostedZoneId".to_owned(), "/hostedzone/Z1".to_owned())].into();
        for (region, partition) in [("us-west-2", "aws"), ("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn")] {
            let planned = StackInfo::from(ConfiguredStack::read("prod", PROJECT, region, &values));
            assert_eq!(Scope::HostedZone.arn(Some(&planned)), format!("arn:{partition}:route53:::hostedzone/Z1"));
            assert_eq!(Scope::ReplicationTask.arn(Some(&planned)), format!("arn:{partition}:dms:*:*:task:*"));
        }
        assert_eq!(Scope::HostedZone.arn(None), "arn:aws:route53:::hostedzone/*");
    }
}
