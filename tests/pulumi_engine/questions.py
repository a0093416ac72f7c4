"""What the stand-in cloud answers when a program asks about what is there already.  Reads only."""

import json
import re
from collections.abc import Callable, Collection
from typing import Any, cast

from world import TASK, RefusedError, records

Json = dict[str, Any]


def answer(cloud: Json, token: str, args: Json, denied: Collection[str] = ()) -> Json:
    """The result of one data source, such as `aws:route53/getZone:getZone`."""
    name = token.rsplit(":", 1)[-1]
    if name in denied:
        msg = f"operation error: AccessDeniedException: not authorized to perform what {name} needs"
        raise RefusedError(msg)
    question = _QUESTIONS.get(name)
    if question is None:
        msg = f"the stand-in cloud cannot answer {token}"
        raise RefusedError(msg)
    return question(cloud, args)


def _zones(cloud: Json, args: Json) -> Json:
    zones = cast("dict[str, str]", cloud["given"]["zones"])
    for zone_id, name in zones.items():
        if args.get("zoneId") == zone_id or str(args.get("name", "")).removesuffix(".") == name:
            private = zone_id in cloud["given"].get("privateZones", [])
            arn = f"arn:aws:route53:::hostedzone/{zone_id}"
            return {"id": zone_id, "zoneId": zone_id, "name": name, "arn": arn, "privateZone": private}
    msg = "no matching Route 53 Hosted Zone found"
    raise RefusedError(msg)


def _records(cloud: Json, args: Json) -> Json:
    pattern = re.compile(str(args.get("nameRegex", "")))
    found: list[Json] = []
    for record in records(cloud):
        name = f"{str(record['name']).removesuffix('.')}."
        if record["zone_id"] == args["zoneId"] and pattern.search(name):
            entry: Json = {"name": name, "type": record["type"]}
            if record["set_identifier"]:
                entry["setIdentifier"] = record["set_identifier"]
            if record.get("alias"):
                entry["aliasTarget"] = {"dnsName": record["alias"], "evaluateTargetHealth": False, "hostedZoneId": "Z1"}
            if record["weight"] is not None:
                entry["weight"] = record["weight"]
            found.append(entry)
    return {"zoneId": args["zoneId"], "resourceRecordSets": found}


def _role_tags(cloud: Json) -> dict[str, Json]:
    found = {str(name): cast("Json", tags) for name, tags in cloud["given"]["roles"].items()}
    for resource in cast("list[Json]", list(cloud["resources"].values())):
        if resource["type"] == "aws:iam/role:Role":
            found[resource["outputs"]["name"]] = resource["outputs"].get("tags", {})
    return found


def _roles(cloud: Json, args: Json) -> Json:
    names = [name for name in _role_tags(cloud) if re.search(str(args.get("nameRegex", "")), name)]
    arns = [f"arn:aws:iam::{cloud['account']}:role/{name}" for name in names]
    return {"id": "roles", "names": names, "arns": arns}


def _role(cloud: Json, args: Json) -> Json:
    name = str(args["name"])
    tags = _role_tags(cloud).get(name)
    if tags is None:
        msg = f"reading IAM Role ({name}): couldn't find resource"
        raise RefusedError(msg)
    return {"id": name, "name": name, "tags": tags, "arn": f"arn:aws:iam::{cloud['account']}:role/{name}"}


def _given(cloud: Json) -> Json:
    return cast("Json", cloud["given"])


def _made(cloud: Json, type_: str) -> list[Json]:
    everything = cast("list[Json]", list(cloud["resources"].values()))
    return [each for each in everything if each["type"] == type_]


def _classic_balancer(cloud: Json, args: Json) -> Json:
    name = str(args["name"])
    found = cast("Json | None", _given(cloud).get("balancers", {}).get(name))
    if found is None:
        msg = f"reading ELB Classic Load Balancer ({name}): couldn't find resource"
        raise RefusedError(msg)
    ports = cast("dict[str, str]", found["ports"])
    listeners = [
        {
            "lbPort": int(port),
            "lbProtocol": protocol,
            "instancePort": 80,
            "instanceProtocol": "http",
            "sslCertificateId": "",
        }
        for port, protocol in ports.items()
    ]
    return {
        "id": name,
        "name": name,
        "dnsName": found["dnsName"],
        "zoneId": found["zoneId"],
        "listeners": listeners,
        "region": str(args.get("region", cloud["region"])),
    }


def _replication_task(cloud: Json, args: Json) -> Json:
    task_id = str(args["replicationTaskId"])
    for task in _made(cloud, TASK):
        if task["outputs"]["replicationTaskId"] == task_id:
            return {**task["outputs"], "id": task_id}
    msg = f"reading DMS Replication Task ({task_id}): couldn't find resource"
    raise RefusedError(msg)


def _service(cloud: Json, args: Json) -> Json:
    given = cast("list[Json]", _given(cloud).get("services", []))
    for service in [*given, *(each["outputs"] for each in _made(cloud, "aws:ecs/service:Service"))]:
        if service["name"] == args["serviceName"] and service["cluster"] == args["clusterArn"]:
            runs = service["taskDefinition"]
            primary = {"taskDefinition": runs, "runningCount": 4, "status": "PRIMARY"}
            deployments = service.get("deployments", [primary])
            return {"id": service["name"], "taskDefinition": runs, "deployments": deployments}
    msg = "no matching ECS Service found"
    raise RefusedError(msg)


def _task_definition(cloud: Json, args: Json) -> Json:
    arn = str(args["taskDefinition"])
    given = cast("list[Json]", _given(cloud).get("taskDefinitions", []))
    for each in [*given, *(each["outputs"] for each in _made(cloud, "aws:ecs/taskDefinition:TaskDefinition"))]:
        if each["arn"] == arn:
            return {"id": arn, "arn": arn, "taskDefinition": arn, "containerDefinitions": each["containerDefinitions"]}
    msg = f"reading ECS Task Definition ({arn}): couldn't find resource"
    raise RefusedError(msg)


def _secret_version(cloud: Json, args: Json) -> Json:
    arn = str(args["secretId"])
    content = cast("Json | str | None", _given(cloud).get("secrets", {}).get(arn))
    if content is None:
        msg = "ResourceNotFoundException: Secrets Manager can't find the specified secret."
        raise RefusedError(msg)
    if isinstance(content, str):
        # Whatever the secret holds; the provider tells one of bytes alone without a string.
        return {"id": arn, "secretId": arn, "versionId": "1"} | ({"secretString": content} if content else {})
    whole = {"username": "dms", "password": "not-a-secret-in-a-test"} | content
    return {"id": arn, "secretId": arn, "secretString": json.dumps(whole), "versionId": "1"}


def _quota(cloud: Json, args: Json) -> Json:
    code = str(args["quotaCode"])
    return {"id": code, "quotaCode": code, "value": _given(cloud).get("quotas", {})[code]}


def _addresses(cloud: Json, _: Json) -> Json:
    made = _made(cloud, "aws:ec2/eip:Eip")
    return {
        "id": "eips",
        "allocationIds": [each["id"] for each in made],
        "publicIps": [each["outputs"]["publicIp"] for each in made],
    }


def _route_table(cloud: Json, args: Json) -> Json:
    table_id = str(args["routeTableId"])
    routes: list[Json] = [dict(each) for each in _given(cloud).get("routes", {}).get(table_id, [])]
    routes.extend(
        {
            "cidrBlock": each["outputs"]["destinationCidrBlock"],
            "vpcPeeringConnectionId": each["outputs"].get("vpcPeeringConnectionId", ""),
        }
        for each in _made(cloud, "aws:ec2/route:Route")
        if each["outputs"]["routeTableId"] == table_id
    )
    return {"id": table_id, "routeTableId": table_id, "routes": routes}


def _state(cloud: Json, _: Json) -> Json:
    """The engine's own question, where there is no engine: a test gives the state it wants."""
    return {"outputs": cloud.get("state", {})}


def _availability_zones(cloud: Json, args: Json) -> Json:
    region = str(args.get("region", cloud["region"]))
    names = [f"{region}{letter}" for letter in str(_given(cloud).get("letters", "abcd"))]
    return {"id": region, "names": names, "zoneIds": names, "state": "available"}


_QUESTIONS: dict[str, Callable[[Json, Json], Json]] = {
    "getAvailabilityZones": _availability_zones,
    "getEips": _addresses,
    "getLoadBalancer": _classic_balancer,
    "getReplicationTask": _replication_task,
    "getRouteTable": _route_table,
    "getSecretVersion": _secret_version,
    "getService": _service,
    "getServiceQuota": _quota,
    "getTaskDefinition": _task_definition,
    "readStackResourceOutputs": _state,
    "getCallerIdentity": lambda cloud, _: {"accountId": cloud["account"], "arn": "arn:aws:iam::0:root", "userId": "u"},
    "getRegion": lambda cloud, _: {"id": cloud["region"], "name": cloud["region"], "region": cloud["region"]},
    "getRecords": _records,
    "getRole": _role,
    "getRoles": _roles,
    "getZone": _zones,
}
