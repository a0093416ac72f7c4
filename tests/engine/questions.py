"""What the stand-in cloud answers when a program asks about what is there already.  Reads only."""

import re
from collections.abc import Callable
from typing import Any, cast

from world import RefusedError, records

Json = dict[str, Any]


def answer(cloud: Json, token: str, args: Json) -> Json:
    """The result of one data source, such as `aws:route53/getZone:getZone`."""
    question = _QUESTIONS.get(token.rsplit(":", 1)[-1])
    if question is None:
        msg = f"the stand-in cloud cannot answer {token}"
        raise RefusedError(msg)
    return question(cloud, args)


def _zones(cloud: Json, args: Json) -> Json:
    zones = cast("dict[str, str]", cloud["given"]["zones"])
    for zone_id, name in zones.items():
        if args.get("zoneId") == zone_id or str(args.get("name", "")).removesuffix(".") == name:
            return {"id": zone_id, "zoneId": zone_id, "name": name, "arn": f"arn:aws:route53:::hostedzone/{zone_id}"}
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


def _availability_zones(cloud: Json, args: Json) -> Json:
    region = str(args.get("region", cloud["region"]))
    names = [f"{region}{letter}" for letter in "abcd"]
    return {"id": region, "names": names, "zoneIds": names, "state": "available"}


_QUESTIONS: dict[str, Callable[[Json, Json], Json]] = {
    "getAvailabilityZones": _availability_zones,
    "getCallerIdentity": lambda cloud, _: {"accountId": cloud["account"], "arn": "arn:aws:iam::0:root", "userId": "u"},
    "getRegion": lambda cloud, _: {"id": cloud["region"], "name": cloud["region"], "region": cloud["region"]},
    "getRecords": _records,
    "getRole": _role,
    "getRoles": _roles,
    "getZone": _zones,
}
