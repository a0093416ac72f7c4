//! What of a stack stands still while a planned change is made, and for how long.
//!
//! Pure. How long comes from AWS: an Aurora cluster serves again in less than 120 seconds after a failover or a restart,
//! often in less than 60, and a version upgrade takes the whole cluster down (AWS re:Post, "Why does downtime occur for my
//! Amazon Aurora DB clusters?"). What has a name of its own in AWS cannot stand beside its successor, so a replaced
//! listener, target group or service is gone before the new one serves.

use serde::Serialize;

use super::event::Diff;
use super::op::Operation;

/// What stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outage {
    /// The whole Aurora cluster restarts with another version.
    AuroraUpgrade,
    /// An instance of Aurora restarts; where it is the writer, another one takes over.
    AuroraInstance,
    /// The new stack answers nobody until what is replaced serves again.
    Serving,
    /// The new stack answers nobody any more.
    Gone,
    /// No task is left to answer.
    NoTask,
    /// Requests go another way, or are let in by another rule.
    Rerouted,
    /// A way that requests or a replication stream may take is gone.
    WayGone,
    /// Such a way is another one, and there is none where the old one goes first.
    WayReplaced,
    /// Such a way leads elsewhere, or lets others through.
    WayChanged,
}

const CLUSTER: &str = "aws:rds/cluster:Cluster";
const INSTANCE: &str = "aws:rds/clusterInstance:ClusterInstance";
const SERVICE: &str = "aws:ecs/service:Service";
const ECS_CLUSTER: &str = "aws:ecs/cluster:Cluster";
const TASK: &str = "aws:dms/replicationTask:ReplicationTask";
/// How many tasks a service may have at most.
const SCALING: &str = "aws:appautoscaling/target:Target";
/// What requests pass on their way through the new stack; without any one of them nobody is answered.
const SERVING: [&str; 9] = [
    "aws:lb/loadBalancer:LoadBalancer",
    "aws:alb/loadBalancer:LoadBalancer",
    "aws:lb/listener:Listener",
    "aws:alb/listener:Listener",
    "aws:lb/listenerRule:ListenerRule",
    "aws:lb/targetGroup:TargetGroup",
    "aws:alb/targetGroup:TargetGroup",
    ECS_CLUSTER,
    SERVICE,
];

/// Properties of it that decide where requests go, and who is let in; a health check decides which tasks get any.
const ROUTES: [&str; 9] = [
    "defaultActions",
    "actions",
    "conditions",
    "port",
    "protocol",
    "mutualAuthentication",
    "securityGroups",
    "subnets",
    "healthCheck",
];

/// What carries packets between whoever asks, the tasks, the replication and both databases.
const WAYS: [&str; 20] = [
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    "aws:ec2/securityGroupRule:SecurityGroupRule",
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    "aws:ec2/route:Route",
    "aws:ec2/routeTable:RouteTable",
    "aws:ec2/routeTableAssociation:RouteTableAssociation",
    "aws:ec2/mainRouteTableAssociation:MainRouteTableAssociation",
    "aws:ec2/natGateway:NatGateway",
    "aws:ec2/eip:Eip",
    "aws:ec2/internetGateway:InternetGateway",
    "aws:ec2/internetGatewayAttachment:InternetGatewayAttachment",
    "aws:ec2/vpcEndpoint:VpcEndpoint",
    "aws:ec2/vpcEndpointRouteTableAssociation:VpcEndpointRouteTableAssociation",
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection",
    "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter",
    "aws:ec2/peeringConnectionOptions:PeeringConnectionOptions",
    "aws:ec2/subnet:Subnet",
    "aws:ec2/vpc:Vpc",
];

/// Properties of it that decide who gets through, and whereto.
const LEADS: [&str; 31] = [
    "accepter",
    "allocationId",
    "cidrBlocks",
    "cidrIpv4",
    "cidrIpv6",
    "destinationCidrBlock",
    "destinationPrefixListId",
    "egress",
    "enableDnsHostnames",
    "enableDnsSupport",
    "fromPort",
    "gatewayId",
    "ingress",
    "ipProtocol",
    "natGatewayId",
    "networkInterfaceId",
    "policy",
    "prefixListId",
    "privateDnsEnabled",
    "protocol",
    "referencedSecurityGroupId",
    "requester",
    "routeTableId",
    "routeTableIds",
    "routes",
    "securityGroupIds",
    "subnetIds",
    "toPort",
    "transitGatewayId",
    "vpcId",
    "vpcPeeringConnectionId",
];

impl Outage {
    /// Whether something of this type stands still where a way is gone.
    #[must_use]
    pub fn needs_ways(rtype: &str) -> bool {
        [SERVICE, TASK].contains(&rtype)
    }

    /// Whether it is about a way, which nobody misses where nothing runs.
    #[must_use]
    pub const fn is_of_a_way(self) -> bool {
        matches!(self, Self::WayGone | Self::WayReplaced | Self::WayChanged)
    }

    /// What a change of this resource stops, with the properties that make it so. `unseen` says that not every property
    /// that changes is known, `halts` that the resource is switched off.
    #[must_use]
    pub fn of(op: Operation, rtype: &str, diffs: &[Diff], unseen: bool, halts: bool) -> Option<(Self, Vec<String>)> {
        let root = |path: &str| path.split(['.', '[']).next().unwrap_or(path).to_owned();
        let (is_serving, is_way) = (SERVING.contains(&rtype), WAYS.contains(&rtype));
        let (outage, names): (Self, &[&str]) = match (op, rtype) {
            (Operation::Update, CLUSTER) => (Self::AuroraUpgrade, &["engineVersion", "port"]),
            (Operation::Update, INSTANCE) => {
                (Self::AuroraInstance, &["instanceClass", "engineVersion", "caCertIdentifier"])
            }
            (Operation::Replace | Operation::ImportReplacement, _) if is_serving || is_way => {
                let because = diffs.iter().filter(|diff| diff.replaces).map(|diff| diff.path.clone()).collect();
                return Some((if is_serving { Self::Serving } else { Self::WayReplaced }, because));
            }
            (Operation::Delete, _) if is_serving || is_way => {
                return Some((if is_serving { Self::Gone } else { Self::WayGone }, Vec::new()));
            }
            (Operation::Update, SERVICE) if halts => return Some((Self::NoTask, vec!["desiredCount".to_owned()])),
            (Operation::Update, SCALING) if halts => return Some((Self::NoTask, vec!["maxCapacity".to_owned()])),
            // A service rolls its tasks over, and goes back by itself where the new ones do not answer.
            (Operation::Update, SERVICE | ECS_CLUSTER) => return None,
            (Operation::Update, _) if is_serving => (Self::Rerouted, &ROUTES),
            (Operation::Update, _) if is_way => (Self::WayChanged, &LEADS),
            _ => return None,
        };
        let mut because: Vec<String> = diffs.iter().map(|diff| root(&diff.path)).collect();
        because.retain(|path| names.contains(&path.as_str()));
        because.dedup();
        (unseen || !because.is_empty()).then_some((outage, because))
    }

    /// What is done to what it is about.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Self::AuroraUpgrade | Self::AuroraInstance => "restarts",
            Self::Serving | Self::WayReplaced => "replaces",
            Self::Gone | Self::WayGone => "deletes",
            Self::NoTask => "stops",
            Self::Rerouted | Self::WayChanged => "updates",
        }
    }

    /// What stops, and for how long.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::AuroraUpgrade => {
                "Aurora takes no connection while the whole cluster restarts, for how long is not known, at once or in the \
                 maintenance window, as applyImmediately says"
            }
            Self::AuroraInstance => {
                "that instance of Aurora restarts; where it is the writer, writes fail until a reader has taken over, less \
                 than 120 s and often less than 60"
            }
            Self::Serving => {
                "whoever is sent to the new stack is answered by nobody from when the old one goes until the new one is \
                 healthy, some minutes"
            }
            Self::Gone => "whoever is sent to the new stack is answered by nobody from then on",
            Self::NoTask => "no task is left, so whoever is sent to the new stack is answered by nobody from then on",
            Self::Rerouted => {
                "requests that are sent to the new stack pass it, and go another way or fail from then on where the new \
                 setting is wrong"
            }
            Self::WayGone => {
                "requests of the new stack, or a replication stream, that go this way may no longer get through from then on"
            }
            Self::WayReplaced => {
                "requests of the new stack, or a replication stream, that go this way may no longer get through until the new \
                 one stands, or at all where it leads elsewhere"
            }
            Self::WayChanged => {
                "requests of the new stack, or a replication stream, that go this way may no longer get through from then on \
                 where the new setting is wrong"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(op: Operation, rtype: &str, paths: &[&str]) -> Option<(Outage, Vec<String>)> {
        let diffs: Vec<Diff> = paths.iter().map(|path| Diff { path: (*path).to_owned(), replaces: true }).collect();
        Outage::of(op, rtype, &diffs, paths.is_empty(), false)
    }

    #[test]
    fn a_way_that_is_taken_away_or_leads_elsewhere_says_so() {
        for rtype in WAYS {
            assert_eq!(of(Operation::Delete, rtype, &[]), Some((Outage::WayGone, vec![])), "{rtype}");
            let replaced = of(Operation::Replace, rtype, &["vpcId"]);
            assert_eq!(replaced, Some((Outage::WayReplaced, vec!["vpcId".to_owned()])), "{rtype}");
            assert_eq!(of(Operation::Create, rtype, &["vpcId"]), None, "{rtype}");
            assert_eq!(of(Operation::Update, rtype, &["tags.Owner", "description"]), None, "{rtype}");
        }
        for path in LEADS {
            let changed = of(Operation::Update, WAYS[0], &["tags.Owner", path]);
            assert_eq!(changed, Some((Outage::WayChanged, vec![path.to_owned()])));
        }
        assert_eq!(of(Operation::Delete, SCALING, &[]), None, "as many tasks as before");
        assert_eq!(of(Operation::Update, SCALING, &["maxCapacity"]), None, "another number of tasks");
        let none = Outage::of(Operation::Update, SCALING, &[], false, true);
        assert_eq!(none, Some((Outage::NoTask, vec!["maxCapacity".to_owned()])));
    }

    #[test]
    fn what_restarts_says_so_and_what_does_not_is_silent() {
        let upgrade = of(Operation::Update, CLUSTER, &["engineVersion", "tags.Owner"]);
        assert_eq!(upgrade, Some((Outage::AuroraUpgrade, vec!["engineVersion".to_owned()])));
        assert_eq!(of(Operation::Update, INSTANCE, &["instanceClass"]).unwrap().0, Outage::AuroraInstance);
        for (rtype, path) in [
            (CLUSTER, "backupRetentionPeriod"),
            (CLUSTER, "tags.Owner"),
            (INSTANCE, "performanceInsightsEnabled"),
            ("aws:ecs/service:Service", "taskDefinition"),
            ("aws:lb/listener:Listener", "certificateArn"),
        ] {
            assert_eq!(of(Operation::Update, rtype, &[path]), None, "{rtype} {path}");
        }
        assert!(of(Operation::Update, CLUSTER, &[]).is_some(), "what is not known is not harmless");
        for rtype in SERVING {
            assert_eq!(of(Operation::Replace, rtype, &["port"]), Some((Outage::Serving, vec!["port".to_owned()])));
            assert_eq!(of(Operation::Create, rtype, &["port"]), None);
            assert_eq!(of(Operation::Delete, rtype, &[]), Some((Outage::Gone, vec![])), "{rtype}");
            let is_rolled = [SERVICE, ECS_CLUSTER].contains(&rtype);
            let rerouted = (!is_rolled).then(|| (Outage::Rerouted, vec!["healthCheck".to_owned()]));
            assert_eq!(of(Operation::Update, rtype, &["healthCheck.path", "tags.Owner"]), rerouted, "{rtype}");
        }
        assert_eq!(of(Operation::Replace, "aws:ecs/taskDefinition:TaskDefinition", &["cpu"]), None, "every release");
    }
}
