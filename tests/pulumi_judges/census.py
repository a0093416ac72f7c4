"""Everything in an account, asked for by listing: it knows nothing of the stack, so it sees what nobody looks for.

Not listed, because moto keeps what AWS takes away with its owner: the network interface of a deleted NAT gateway, and
the automated snapshot of a deleted cluster.
"""

import jmespath

from account import Account

Census = set[tuple[str, str]]

LISTS: tuple[tuple[str, str, str, bool], ...] = (
    ("ec2", "describe_vpcs", "Vpcs[].VpcId", True),
    ("ec2", "describe_subnets", "Subnets[].SubnetId", True),
    ("ec2", "describe_internet_gateways", "InternetGateways[].InternetGatewayId", True),
    ("ec2", "describe_nat_gateways", "NatGateways[?State!='deleted'].NatGatewayId", True),
    ("ec2", "describe_addresses", "Addresses[].AllocationId", True),
    ("ec2", "describe_route_tables", "RouteTables[].RouteTableId", True),
    (
        "ec2",
        "describe_route_tables",
        "RouteTables[].Routes[].join('->',[DestinationCidrBlock,VpcPeeringConnectionId||''])",
        True,
    ),
    ("ec2", "describe_security_groups", "SecurityGroups[].GroupId", True),
    ("ec2", "describe_security_group_rules", "SecurityGroupRules[].SecurityGroupRuleId", True),
    ("ec2", "describe_vpc_endpoints", "VpcEndpoints[?State!='deleted'].VpcEndpointId", True),
    (
        "ec2",
        "describe_vpc_peering_connections",
        "VpcPeeringConnections[?Status.Code!='deleted'].VpcPeeringConnectionId",
        True,
    ),
    ("ec2", "describe_flow_logs", "FlowLogs[].FlowLogId", True),
    ("elbv2", "describe_load_balancers", "LoadBalancers[].LoadBalancerArn", True),
    ("elbv2", "describe_target_groups", "TargetGroups[].TargetGroupArn", True),
    ("ecs", "list_task_definitions", "taskDefinitionArns", True),
    ("ecr", "describe_repositories", "repositories[].repositoryArn", True),
    ("rds", "describe_db_clusters", "DBClusters[].DBClusterArn", True),
    ("rds", "describe_db_instances", "DBInstances[].DBInstanceArn", True),
    ("rds", "describe_db_subnet_groups", "DBSubnetGroups[].DBSubnetGroupName", True),
    ("rds", "describe_db_parameter_groups", "DBParameterGroups[].DBParameterGroupName", True),
    ("rds", "describe_db_cluster_parameter_groups", "DBClusterParameterGroups[].DBClusterParameterGroupName", True),
    (
        "rds",
        "describe_db_cluster_snapshots",
        "DBClusterSnapshots[?SnapshotType=='manual'][].DBClusterSnapshotArn",
        True,
    ),
    ("dms", "describe_replication_instances", "ReplicationInstances[].ReplicationInstanceArn", True),
    ("dms", "describe_replication_subnet_groups", "ReplicationSubnetGroups[].ReplicationSubnetGroupIdentifier", True),
    ("dms", "describe_endpoints", "Endpoints[].EndpointArn", True),
    ("dms", "describe_replication_tasks", "ReplicationTasks[].ReplicationTaskArn", True),
    ("logs", "describe_log_groups", "logGroups[].logGroupName", True),
    ("cloudwatch", "describe_alarms", "MetricAlarms[].AlarmName", True),
    ("cloudwatch", "list_dashboards", "DashboardEntries[].DashboardName", True),
    ("secretsmanager", "list_secrets", "SecretList[].ARN", True),
    ("sns", "list_topics", "Topics[].TopicArn", True),
    ("sns", "list_subscriptions", "Subscriptions[].SubscriptionArn", True),
    ("application-autoscaling", "describe_scalable_targets", "ScalableTargets[].ResourceId", True),
    ("application-autoscaling", "describe_scaling_policies", "ScalingPolicies[].PolicyARN", True),
    ("iam", "list_roles", "Roles[].RoleName", False),
)
"""Service, operation, what it lists, and whether each region has its own."""

ARGUMENTS = {"application-autoscaling": {"ServiceNamespace": "ecs"}}


def count(account: Account, regions: list[str]) -> Census:
    """What is there, as pairs of a listing and a name."""
    found: Census = set()
    for service, operation, names, regional in LISTS:
        for region in regions if regional else regions[:1]:
            client = account.client(service, region)
            answer = getattr(client, operation)(**ARGUMENTS.get(service, {}))
            found |= {(f"{service}:{operation} in {region}", name) for name in jmespath.search(names, answer) or ()}
    for region in regions:
        ecs = account.client("ecs", region)
        clusters = ecs.describe_clusters(clusters=ecs.list_clusters()["clusterArns"] or ["none"])["clusters"]
        # A deleted cluster can be described for a while.
        alive = jmespath.search("[?status=='ACTIVE'].clusterArn", clusters)
        found |= {(f"ecs:clusters in {region}", name) for name in alive}
    route53 = account.client("route53", "us-east-1")
    for zone in route53.list_hosted_zones()["HostedZones"]:
        records = route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
        names = "[].join(' ',[Name,Type,SetIdentifier||''])"
        found |= {("route53:records", name) for name in jmespath.search(names, records)}
    return found
