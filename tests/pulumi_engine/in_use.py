"""When the stand-in cloud refuses to take a resource away: what AWS refuses because something still uses it."""

from collections.abc import Iterator
from typing import Any, cast

import one_off
from world import RefusedError

Json = dict[str, Any]

# By type: the property that others hold, and the words with which AWS refuses.
_HELD: dict[str, tuple[str, str]] = {
    # ELBv2, DeleteTargetGroup.
    "aws:lb/targetGroup:TargetGroup": (
        "arn",
        "ResourceInUse: Target group is currently in use by a listener or a rule",
    ),
    # DMS, DeleteCertificate and DeleteEndpoint and DeleteReplicationInstance.
    "aws:dms/certificate:Certificate": ("certificateArn", "InvalidResourceStateFault: The certificate is in use"),
    "aws:dms/endpoint:Endpoint": ("endpointArn", "InvalidResourceStateFault: The endpoint is part of a task"),
    "aws:dms/replicationInstance:ReplicationInstance": (
        "replicationInstanceArn",
        "InvalidResourceStateFault: The replication instance has tasks",
    ),
    # EC2: the rules of a group go with it, what it is attached to does not.
    "aws:ec2/securityGroup:SecurityGroup": ("id", "DependencyViolation: the security group has a dependent object"),
    "aws:ec2/subnet:Subnet": ("id", "DependencyViolation: The subnet has dependencies and cannot be deleted"),
    "aws:ec2/vpc:Vpc": ("id", "DependencyViolation: The vpc has dependencies and cannot be deleted"),
    # ECS, DeleteCluster.
    "aws:ecs/cluster:Cluster": ("arn", "ClusterContainsServicesException: The Cluster cannot be deleted"),
}

# What holds a reference that does not keep anything alive: rules go with their group, AWS moves the default group.
_LOOSE = (
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    "aws:ec2/routeTableAssociation:RouteTableAssociation",
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    "aws:rds/subnetGroup:SubnetGroup",
    "aws:cloudwatch/dashboard:Dashboard",
)
_GATEWAY = "aws:ec2/internetGateway:InternetGateway"
_NAT = "aws:ec2/natGateway:NatGateway"


def refuse_in_use(cloud: Json, resource: Json) -> None:
    """Refuses to delete what another resource still holds, or a task that somebody has run."""
    one_off.refuse_held(cloud, resource)
    everything = cast("list[Json]", list(cloud["resources"].values()))
    others = [each for each in everything if each is not resource and each["type"] not in _LOOSE]
    held = _HELD.get(resource["type"])
    if held is not None:
        property_, words = held
        value = resource["id"] if property_ == "id" else resource["outputs"][property_]
        holder = next((each["name"] for each in others if value in _texts(each["outputs"])), None)
        if holder is not None:
            msg = f"{words} ({holder})"
            raise RefusedError(msg)
    if resource["type"] == _GATEWAY and any(each["type"] == _NAT for each in _in_vpc(others, resource)):
        msg = "DependencyViolation: Network has some mapped public address(es). Please unmap those first"
        raise RefusedError(msg)


def _in_vpc(others: list[Json], gateway: Json) -> list[Json]:
    vpc = gateway["outputs"]["vpcId"]
    subnets = {each["id"] for each in others if each["outputs"].get("vpcId") == vpc}
    return [each for each in others if each["outputs"].get("subnetId") in subnets]


def _texts(value: object) -> Iterator[object]:
    """Every text in a value, but for those within JSON documents."""
    if isinstance(value, dict):
        for each in cast("Json", value).values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in cast("list[object]", value):
            yield from _texts(each)
    else:
        yield value
