"""What AWS adds to each kind of resource: its id, ARN and addresses; which properties replace it; what must be unique.

One row per type.  A type without a row gets an id and an ARN, so that the stand-in serves other programs as well.
Pure: no files, no network, no clock, and the same name always gets the same id.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Making:
    """One resource about to exist."""

    type: str
    name: str
    inputs: Json
    region: str
    account: str
    number: int
    """How often the resource has been made: a replacement gets another id than what it replaces."""

    def hex(self, digits: int, salt: str = "") -> str:
        """Digits that look random and are the same in every run."""
        text = f"{self.name}|{self.type}|{self.number}|{salt}"
        return hashlib.sha256(text.encode()).hexdigest()[:digits]

    def get(self, key: str) -> str:
        """A text property."""
        return str(self.inputs.get(key, ""))

    def arn(self, service: str, resource: str, *, regional: bool = True) -> str:
        """An ARN in this account."""
        return f"arn:aws:{service}:{self.region if regional else ''}:{self.account}:{resource}"


Made = tuple[str, Json]


def _by_name(making: Making) -> Made:
    return making.get("name") or making.name, {}


@dataclass(frozen=True)
class Kind:
    """One type of resource."""

    make: Callable[[Making], Made] = _by_name
    replaced_by: tuple[str, ...] = ("name",)
    unique: tuple[str, ...] = field(default=())


# Each of them is ForceNew in the provider, on the resources that have it.
_EC2_REPLACES = (
    "vpcId",
    "cidrBlock",
    "availabilityZone",
    "allocationId",
    "subnetId",
    "name",
    "securityGroupId",
    "peerVpcId",
    "peerRegion",
)


def _ec2(prefix: str, resource: str, **more: Callable[[Making], object]) -> Kind:
    def make(making: Making) -> Made:
        id_ = f"{prefix}-{making.hex(17)}"
        outputs: Json = {"arn": making.arn("ec2", f"{resource}/{id_}"), "ownerId": making.account}
        return id_, outputs | {key: value(making) for key, value in more.items()}

    return Kind(make, replaced_by=_EC2_REPLACES)


def _group() -> Kind:
    """CreateSecurityGroup: a name is unique in its VPC, and neither it nor the description can be changed."""
    made = _ec2("sg", "security-group")
    return Kind(made.make, replaced_by=("name", "description", "vpcId"), unique=("name", "vpcId"))


def _arn_id(service: str, resource: Callable[[Making], str], unique: str, *, regional: bool = True) -> Kind:
    def make(making: Making) -> Made:
        arn = making.arn(service, resource(making), regional=regional)
        return arn, {"arn": arn}

    return Kind(make, replaced_by=(unique,), unique=(unique,))


def _address(making: Making) -> str:
    return ".".join(str(part) for part in (54, 200, *bytes.fromhex(making.hex(4))))


def _secret(making: Making) -> Made:
    arn = making.arn("secretsmanager", f"secret:{making.get('name')}-{making.hex(6)}")
    return arn, {"arn": arn}


def _aurora(making: Making) -> Made:
    id_ = making.get("clusterIdentifier")
    host = f"{making.hex(12)}.{making.region}.rds.amazonaws.com"
    return id_, {
        "arn": making.arn("rds", f"cluster:{id_}"),
        "endpoint": f"{id_}.cluster-{host}",
        "readerEndpoint": f"{id_}.cluster-ro-{host}",
        "hostedZoneId": "Z1PVIF0B656C1W",
        "clusterResourceId": f"cluster-{making.hex(26).upper()}",
    }


def _aurora_instance(making: Making) -> Made:
    id_ = making.get("identifier")
    return id_, {
        "arn": making.arn("rds", f"db:{id_}"),
        "endpoint": f"{id_}.{making.hex(12)}.{making.region}.rds.amazonaws.com",
        "writer": making.inputs.get("promotionTier") == 0,
    }


def _balancer(making: Making) -> Made:
    name, digits = making.get("name"), making.hex(16)
    arn = making.arn("elasticloadbalancing", f"loadbalancer/app/{name}/{digits}")
    number = int(making.hex(8), 16) % 10**9 + 10**9
    return arn, {
        "arn": arn,
        "arnSuffix": f"app/{name}/{digits}",
        "dnsName": f"{name}-{number}.{making.region}.elb.amazonaws.com",
        "zoneId": "Z1H1FL5HABSF5",
    }


def _target_group(making: Making) -> Made:
    suffix = f"targetgroup/{making.get('name')}/{making.hex(16)}"
    arn = making.arn("elasticloadbalancing", suffix)
    return arn, {"arn": arn, "arnSuffix": suffix}


def _listener(making: Making) -> Made:
    arn = making.get("loadBalancerArn").replace(":loadbalancer/", ":listener/") + f"/{making.hex(16)}"
    return arn, {"arn": arn}


def _task_definition(making: Making) -> Made:
    arn = making.arn("ecs", f"task-definition/{making.get('family')}:{making.number}")
    return making.get("family"), {"arn": arn, "revision": making.number}


def _ecs_service(making: Making) -> Made:
    cluster = making.get("cluster").rsplit("/", 1)[-1]
    arn = making.arn("ecs", f"service/{cluster}/{making.get('name')}")
    return arn, {"arn": arn}


def _repository(making: Making) -> Made:
    name = making.get("name")
    return name, {
        "arn": making.arn("ecr", f"repository/{name}"),
        "repositoryUrl": f"{making.account}.dkr.ecr.{making.region}.amazonaws.com/{name}",
        "registryId": making.account,
    }


def _dms(resource: str, output: str, id_key: str, *more: str) -> Kind:
    """`more` are the other ForceNew properties (terraform-provider-aws, internal/service/dms)."""

    def make(making: Making) -> Made:
        arn = making.arn("dms", f"{resource}:{making.hex(26).upper()}")
        added: Json = {output: arn}
        if resource == "task":
            added["status"] = "running" if making.inputs.get("startReplicationTask") else "ready"
        return making.get(id_key), added

    return Kind(make, replaced_by=(id_key, *more), unique=(id_key,))


def _record(making: Making) -> Made:
    parts = [making.get("zoneId"), making.get("name"), making.get("type"), making.get("setIdentifier")]
    return "_".join(part for part in parts if part), {"fqdn": making.get("name")}


def _role(making: Making) -> Made:
    name = making.get("name")
    return name, {"arn": making.arn("iam", f"role/{name}", regional=False), "uniqueId": f"AROA{making.hex(17).upper()}"}


def _password(making: Making) -> Made:
    alphabet = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789" + making.get("overrideSpecial")
    digest = hashlib.sha512(making.hex(32, "password").encode()).digest()
    length = int(making.inputs.get("length", 16))
    result = "".join(alphabet[byte % len(alphabet)] for byte in (digest * (length // len(digest) + 1))[:length])
    return "none", {"result": result, "bcryptHash": f"$2a$10${making.hex(53, 'bcrypt')}"}


def _join(*keys: str, between: str = "_") -> Kind:
    """A resource that is nothing but a connection of others."""
    return Kind(lambda making: (between.join(making.get(key) for key in keys), {}), replaced_by=keys)


def _subscription(making: Making) -> Made:
    """A topic has one subscription of an endpoint: Subscribe answers with the ARN of the one that is there.

    AWS does not write that down; it was measured (github.com/getmoto/moto, pull request 1418).
    """
    told = f"{making.get('protocol')}|{making.get('endpoint')}"
    arn = f"{making.get('topic')}:{hashlib.sha256(told.encode()).hexdigest()[:8]}"
    return arn, {"arn": arn}


def _log_group(making: Making) -> Made:
    name = making.get("name")
    return name, {"arn": making.arn("logs", f"log-group:{name}")}


KINDS: dict[str, Kind] = {
    "aws:ec2/vpc:Vpc": _ec2("vpc", "vpc"),
    "aws:ec2/subnet:Subnet": _ec2("subnet", "subnet"),
    "aws:ec2/internetGateway:InternetGateway": _ec2("igw", "internet-gateway"),
    "aws:ec2/eip:Eip": _ec2("eipalloc", "elastic-ip", publicIp=_address),
    "aws:ec2/natGateway:NatGateway": _ec2("nat", "natgateway"),
    "aws:ec2/routeTable:RouteTable": _ec2("rtb", "route-table"),
    "aws:ec2/route:Route": _join("routeTableId", "destinationCidrBlock"),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _ec2("rtbassoc", "route-table-association"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": _ec2("vpce", "vpc-endpoint"),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": _ec2("sg", "security-group"),
    "aws:ec2/flowLog:FlowLog": _ec2("fl", "vpc-flow-log"),
    "aws:ec2/securityGroup:SecurityGroup": _group(),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _ec2("sgr", "security-group-rule"),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _ec2("sgr", "security-group-rule"),
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": _ec2("pcx", "vpc-peering-connection"),
    "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter": _join("vpcPeeringConnectionId"),
    "aws:ec2/peeringConnectionOptions:PeeringConnectionOptions": _join("vpcPeeringConnectionId"),
    "aws:rds/cluster:Cluster": Kind(
        _aurora,
        replaced_by=("clusterIdentifier", "engine", "masterUsername", "dbSubnetGroupName", "storageEncrypted"),
        unique=("clusterIdentifier",),
    ),
    "aws:rds/clusterInstance:ClusterInstance": Kind(
        _aurora_instance,
        replaced_by=("identifier", "clusterIdentifier", "engine", "availabilityZone"),
        unique=("identifier",),
    ),
    "aws:rds/subnetGroup:SubnetGroup": Kind(unique=("name",)),
    "aws:rds/parameterGroup:ParameterGroup": Kind(replaced_by=("name", "family"), unique=("name",)),
    "aws:rds/clusterParameterGroup:ClusterParameterGroup": Kind(replaced_by=("name", "family"), unique=("name",)),
    "aws:secretsmanager/secret:Secret": Kind(_secret, unique=("name",)),
    "aws:secretsmanager/secretVersion:SecretVersion": _join("secretId"),
    "aws:cloudwatch/logGroup:LogGroup": Kind(_log_group, unique=("name",)),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Kind(
        lambda making: (making.get("name"), {"arn": making.arn("cloudwatch", f"alarm:{making.get('name')}")}),
        unique=("name",),
    ),
    "aws:cloudwatch/dashboard:Dashboard": Kind(
        lambda making: (making.get("dashboardName"), {}), replaced_by=("dashboardName",), unique=("dashboardName",)
    ),
    "aws:ecs/cluster:Cluster": _arn_id("ecs", lambda making: f"cluster/{making.get('name')}", "name"),
    "aws:ecs/taskDefinition:TaskDefinition": Kind(
        _task_definition,
        replaced_by=("family", "containerDefinitions", "cpu", "memory", "executionRoleArn", "taskRoleArn"),
    ),
    "aws:ecs/service:Service": Kind(_ecs_service, replaced_by=("name", "cluster", "launchType"), unique=("name",)),
    "aws:ecr/repository:Repository": Kind(_repository, unique=("name",)),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": _join("repository"),
    "aws:lb/loadBalancer:LoadBalancer": Kind(_balancer, replaced_by=("name", "internal"), unique=("name",)),
    "aws:lb/targetGroup:TargetGroup": Kind(
        _target_group, replaced_by=("name", "port", "protocol", "targetType", "vpcId"), unique=("name",)
    ),
    "aws:lb/listener:Listener": Kind(_listener, replaced_by=("loadBalancerArn",)),
    "aws:dms/replicationInstance:ReplicationInstance": _dms(
        "rep", "replicationInstanceArn", "replicationInstanceId", "replicationSubnetGroupId", "publiclyAccessible"
    ),
    "aws:dms/endpoint:Endpoint": _dms("endpoint", "endpointArn", "endpointId"),
    "aws:dms/replicationTask:ReplicationTask": _dms(
        "task", "replicationTaskArn", "replicationTaskId", "sourceEndpointArn", "targetEndpointArn"
    ),
    "aws:dms/certificate:Certificate": _dms("cert", "certificateArn", "certificateId", "certificatePem"),
    "aws:dms/replicationSubnetGroup:ReplicationSubnetGroup": _dms(
        "subgrp", "replicationSubnetGroupArn", "replicationSubnetGroupId"
    ),
    "aws:route53/record:Record": Kind(_record, replaced_by=("zoneId", "name", "type", "setIdentifier")),
    "aws:iam/role:Role": Kind(_role, unique=("name",)),
    "aws:iam/rolePolicy:RolePolicy": _join("role", "name", between=":"),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _join("role", "policyArn"),
    "aws:appautoscaling/target:Target": _join("resourceId"),
    "aws:appautoscaling/policy:Policy": Kind(replaced_by=("name", "resourceId")),
    "aws:sns/topic:Topic": _arn_id("sns", lambda making: making.get("name"), "name"),
    "aws:sns/topicSubscription:TopicSubscription": Kind(_subscription, replaced_by=("topic", "protocol", "endpoint")),
    "random:index/randomPassword:RandomPassword": Kind(_password, replaced_by=("length", "special", "overrideSpecial")),
}


def kind(type_: str) -> Kind:
    """The row of a type, or one that fits any."""
    return KINDS.get(type_, Kind())


def make(making: Making) -> Made:
    """The id and the outputs of a new resource: its inputs and what AWS adds."""
    id_, added = kind(making.type).make(making)
    outputs = dict(making.inputs)
    if making.type.startswith("aws:") and "region" not in outputs and ":iam/" not in making.type:
        outputs["region"] = making.region
    if "tags" in making.inputs:
        outputs["tagsAll"] = making.inputs["tags"]
    return id_, outputs | added


def computed(making: Making) -> set[str]:
    """The outputs that a preview cannot know."""
    id_, outputs = make(making)
    return {key for key in outputs if key not in making.inputs and key not in {"region", "tagsAll"}} if id_ else set()
