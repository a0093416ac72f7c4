"""When the stand-in cloud refuses to make a resource: what AWS refuses because of what is there already."""

from collections.abc import Iterator
from typing import Any, cast

import catalogue
from world import RECORD, RefusedError, records

Json = dict[str, Any]


def refuse_taken(cloud: Json, making: catalogue.Making) -> list[Json]:
    """Refuses a name that is taken; answers which given records an overwriting record takes over."""
    _refuse_same_name(cloud, making)
    _refuse_beyond_quota(cloud, making)
    _refuse_same_route(cloud, making)
    _refuse_same_in_network(cloud, making)
    return list(_records_in_the_way(cloud, making)) if making.type == RECORD else []


def _refuse_same_name(cloud: Json, making: catalogue.Making) -> None:
    if making.type == "aws:iam/role:Role" and making.get("name") in cloud["given"]["roles"]:
        msg = f"EntityAlreadyExists: Role with name {making.get('name')} already exists."
        raise RefusedError(msg)
    unique = catalogue.kind(making.type).unique
    if not unique:
        return
    for other in cast("list[Json]", list(cloud["resources"].values())):
        there = other["type"] == making.type and other["outputs"].get("region", making.region) == making.region
        if there and all(other["outputs"].get(key) == making.inputs.get(key) for key in unique):
            name = "/".join(making.get(key) for key in unique)
            msg = f"{making.type.rsplit(':', 1)[-1]} {name!r} already exists"
            raise RefusedError(msg)


def _refuse_beyond_quota(cloud: Json, making: catalogue.Making) -> None:
    if making.type != "aws:ec2/eip:Eip":
        return
    used = [each for each in cloud["resources"].values() if each["type"] == making.type]
    if len(used) >= cloud["given"].get("quotas", {}).get("L-0263D0A3", 5):
        msg = "AddressLimitExceeded: The maximum number of addresses has been reached."
        raise RefusedError(msg)


def _refuse_same_route(cloud: Json, making: catalogue.Making) -> None:
    if making.type != "aws:ec2/route:Route":
        return
    table_id, cidr = making.get("routeTableId"), making.get("destinationCidrBlock")
    given = cloud["given"].get("routes", {}).get(table_id, [])
    made = [each["outputs"] for each in cloud["resources"].values() if each["type"] == making.type]
    same = [each for each in made if (each["routeTableId"], each["destinationCidrBlock"]) == (table_id, cidr)]
    if same or any(each.get("cidrBlock") == cidr for each in given):
        msg = f"RouteAlreadyExists: The route identified by {cidr} already exists."
        raise RefusedError(msg)


# EC2, CreateVpcPeeringConnection and AuthorizeSecurityGroupIngress/Egress: what may be there once, and the refusal.
_RULE = ("securityGroupId", "ipProtocol", "fromPort", "toPort", "cidrIpv4", "referencedSecurityGroupId", "prefixListId")
_ONCE = {
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": (
        ("vpcId", "peerVpcId"),
        "VpcPeeringConnectionAlreadyExists: A VPC peering connection between the VPCs already exists",
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": (
        _RULE,
        "InvalidPermission.Duplicate: the specified rule already exists",
    ),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": (
        _RULE,
        "InvalidPermission.Duplicate: the specified rule already exists",
    ),
}


def _refuse_same_in_network(cloud: Json, making: catalogue.Making) -> None:
    once = _ONCE.get(making.type)
    if once is None:
        return
    keys, words = once
    made = [each["outputs"] for each in cloud["resources"].values() if each["type"] == making.type]
    if any(all(each.get(key) == making.inputs.get(key) for key in keys) for each in made):
        raise RefusedError(words)


def _records_in_the_way(cloud: Json, making: catalogue.Making) -> Iterator[Json]:
    weighted = making.get("setIdentifier") or None
    for record in records(cloud):
        if (record["zone_id"], record["name"]) != (making.get("zoneId"), making.get("name")):
            continue
        if record["type"] == "CNAME":
            msg = f"RRSet {record['name']} is not permitted because a conflicting RRSet of type CNAME exists"
            raise RefusedError(msg)
        if record["type"] != making.get("type"):
            continue
        if bool(record["set_identifier"]) != bool(weighted):
            msg = f"RRSet {record['name']} cannot be created as a non-weighted set exists with the same name and type."
            raise RefusedError(msg)
        if record["set_identifier"] != weighted:
            continue
        if not making.inputs.get("allowOverwrite"):
            msg = f"Tried to create resource record set [name='{record['name']}'] but it already exists"
            raise RefusedError(msg)
        yield from (given for given in cloud["given"]["records"] if given == record)
