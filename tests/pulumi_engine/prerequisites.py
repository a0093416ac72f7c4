"""When the stand-in cloud refuses to make a resource because what it needs is not there yet.

The references of a resource do not name all of it: AWS looks at routes, rules and attachments as well.
"""

from typing import Any, cast

import catalogue
from replication import ENDPOINT
from world import TASK, RefusedError, tested

Json = dict[str, Any]

_ANYWHERE = "0.0.0.0/0"


def refuse_too_early(cloud: Json, making: catalogue.Making) -> None:
    """Refuses what AWS refuses, or what would come up failed."""
    check = {
        "aws:lb/loadBalancer:LoadBalancer": _balancer,
        "aws:ec2/natGateway:NatGateway": _nat_gateway,
        "aws:ecs/service:Service": _service,
        ENDPOINT: _endpoint,
        TASK: _started_task,
    }.get(making.type)
    if check is not None:
        check(_Cloud(cloud), making)


class _Cloud:
    """Looks through what exists."""

    def __init__(self, cloud: Json) -> None:
        self._everything = cast("list[Json]", list(cloud["resources"].values()))

    def of(self, type_: str) -> list[Json]:
        return [each["outputs"] | {"id": each["id"]} for each in self._everything if each["type"] == type_]

    def by(self, type_: str, key: str, value: object) -> Json:
        nothing: Json = {}
        return next((each for each in self.of(type_) if each.get(key) == value), nothing)

    def routes(self, subnet_id: str) -> list[Json]:
        """The routes of a subnet: none of its own until its table is associated."""
        association = self.by("aws:ec2/routeTableAssociation:RouteTableAssociation", "subnetId", subnet_id)
        table_id = association.get("routeTableId")
        return [each for each in self.of("aws:ec2/route:Route") if table_id and each["routeTableId"] == table_id]

    def rules(self, direction: str, group_id: str) -> list[Json]:
        type_ = f"aws:vpc/securityGroup{direction}Rule:SecurityGroup{direction}Rule"
        return [each for each in self.of(type_) if each["securityGroupId"] == group_id]

    def leads_out(self, subnet_ids: list[str], key: str, cidr: str = _ANYWHERE) -> bool:
        return all(
            any(route.get(key) and route["destinationCidrBlock"] == cidr for route in self.routes(each))
            for each in subnet_ids
        )


def _balancer(cloud: _Cloud, making: catalogue.Making) -> None:
    if not making.inputs.get("internal") and not cloud.leads_out(making.inputs["subnets"], "gatewayId"):
        vpc = cloud.by("aws:ec2/subnet:Subnet", "id", making.inputs["subnets"][0]).get("vpcId")
        msg = f"InvalidSubnet: VPC {vpc} has no internet gateway"
        raise RefusedError(msg)


def _nat_gateway(cloud: _Cloud, making: catalogue.Making) -> None:
    if not cloud.leads_out([making.get("subnetId")], "gatewayId"):
        msg = "Gateway.NotAttached: Network has no Internet gateway attached"
        raise RefusedError(msg)


def _service(cloud: _Cloud, making: catalogue.Making) -> None:
    for balancer in making.inputs.get("loadBalancers", []):
        arn = balancer["targetGroupArn"]
        listeners = cloud.of("aws:lb/listener:Listener")
        if not any(action.get("targetGroupArn") == arn for each in listeners for action in each["defaultActions"]):
            msg = f"InvalidParameterException: The target group {arn} does not have an associated load balancer."
            raise RefusedError(msg)
    network = making.inputs["networkConfiguration"]
    groups = cast("list[str]", network["securityGroups"])
    if not cloud.leads_out(network["subnets"], "natGatewayId"):
        msg = "ResourceInitializationError: unable to pull secrets or registry auth: no route"
        raise RefusedError(msg)
    if not all(cloud.rules("Egress", each) and cloud.rules("Ingress", each) for each in groups):
        msg = "service did not stabilize: its security group lets nothing in or out"
        raise RefusedError(msg)
    if not cloud.of("aws:rds/clusterInstance:ClusterInstance"):
        msg = "service did not stabilize: the tasks cannot reach a database"
        raise RefusedError(msg)
    _peered(cloud, network["subnets"])


def _endpoint(cloud: _Cloud, making: catalogue.Making) -> None:
    role = cloud.by("aws:iam/role:Role", "arn", making.get("secretsManagerAccessRoleArn"))
    if not any(each["role"] == role.get("name") for each in cloud.of("aws:iam/rolePolicy:RolePolicy")):
        msg = "AccessDeniedFault: unable to access the secret with the role given"
        raise RefusedError(msg)
    secret = making.get("secretsManagerArn")
    made = cloud.by("aws:secretsmanager/secret:Secret", "arn", secret)
    if made and not cloud.by("aws:secretsmanager/secretVersion:SecretVersion", "secretId", made["id"]):
        msg = f"InvalidParameterValueException: the secret {secret} has no value"
        raise RefusedError(msg)


def _started_task(_: _Cloud, making: catalogue.Making) -> None:
    if making.inputs.get("startReplicationTask"):
        # Its endpoints have only just been made; `replication` says where this is written.
        msg = "InvalidResourceStateFault: test connection for replication instance and endpoint should be successful"
        raise RefusedError(msg)


def test_connection(everything: Json, instance_arn: str, endpoint_arn: str) -> None:
    """DMS's TestConnection: refused while the way from the replication instance to the database is not there."""
    cloud = _Cloud(everything)
    instance = cloud.by("aws:dms/replicationInstance:ReplicationInstance", "replicationInstanceArn", instance_arn)
    if not instance or not cloud.by(ENDPOINT, "endpointArn", endpoint_arn):
        msg = f"ResourceNotFoundFault: {instance_arn} or {endpoint_arn}"
        raise RefusedError(msg)
    groups = cast("list[str]", instance["vpcSecurityGroupIds"])
    subnets = cloud.by(
        "aws:dms/replicationSubnetGroup:ReplicationSubnetGroup",
        "replicationSubnetGroupId",
        instance["replicationSubnetGroupId"],
    )["subnetIds"]
    rules = [rule for each in groups for rule in cloud.rules("Egress", each)]
    if not any(rule.get("fromPort") == 443 for rule in rules) or not any(rule.get("fromPort") != 443 for rule in rules):  # noqa: PLR2004
        msg = "Test connection failed: the replication instance may not call the databases"
        raise RefusedError(msg)
    if not any(rule.get("referencedSecurityGroupId") in groups for rule in _all_ingress(cloud)):
        msg = "Test connection failed: Aurora does not let the replication instance in"
        raise RefusedError(msg)
    if not cloud.leads_out(subnets, "natGatewayId"):
        msg = "Test connection failed: no route to Secrets Manager"
        raise RefusedError(msg)
    _peered(cloud, subnets)
    tested(everything).append(endpoint_arn)


def _all_ingress(cloud: _Cloud) -> list[Json]:
    return cloud.of("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")


def _peered(cloud: _Cloud, subnet_ids: list[str]) -> None:
    """With a peering that is asked for, the way to the legacy database goes through all of it."""
    vpc = cloud.by("aws:ec2/subnet:Subnet", "id", subnet_ids[0]).get("vpcId")
    connections = cloud.of("aws:ec2/vpcPeeringConnection:VpcPeeringConnection")
    for connection in [each for each in connections if each["vpcId"] == vpc]:
        peering = connection["id"]
        options = cloud.of("aws:ec2/peeringConnectionOptions:PeeringConnectionOptions")
        legacy = [each for each in _all_ingress(cloud) if each["region"] == connection["peerRegion"]]
        both = len([each for each in options if each["vpcPeeringConnectionId"] == peering]) == 2  # noqa: PLR2004
        there = all(any(r.get("vpcPeeringConnectionId") == peering for r in cloud.routes(each)) for each in subnet_ids)
        back = any(
            each.get("vpcPeeringConnectionId") == peering and each["region"] == connection["peerRegion"]
            for each in cloud.of("aws:ec2/route:Route")
        )
        if not (both and there and back and legacy):
            msg = f"Test connection failed: {peering} does not lead to the legacy database yet"
            raise RefusedError(msg)
