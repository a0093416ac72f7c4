"""ECS tasks that somebody runs by hand: what they need to start, and what they hold while they run."""

from typing import Any, cast

from world import RefusedError

Json = dict[str, Any]

_CLUSTER, _DEFINITION = "aws:ecs/cluster:Cluster", "aws:ecs/taskDefinition:TaskDefinition"
_SUBNET, _GROUP = "aws:ec2/subnet:Subnet", "aws:ec2/securityGroup:SecurityGroup"

# What AWS says of each that a task is in: ECS, DeleteCluster; EC2, DeleteSubnet and DeleteSecurityGroup, since the
# task's network interface lies in both.
_REFUSALS = {
    _CLUSTER: "ClusterContainsTasksException: The Cluster cannot be deleted while Tasks are active.",
    _SUBNET: "DependencyViolation: The subnet has dependencies and cannot be deleted",
    _GROUP: "DependencyViolation: the security group has a dependent object",
}


def run(cloud: Json, told: Json) -> None:
    """`RunTask`: refused when something of what it names is not there; then the task runs until it is ended."""
    network = told.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    wanted = [
        (_CLUSTER, "name", [told.get("cluster")], "ClusterNotFoundException: Cluster not found."),
        (_DEFINITION, "arn", [told.get("taskDefinition")], "ClientException: TaskDefinition not found."),
        (_SUBNET, "id", network.get("subnets") or [None], "InvalidParameterException: The subnet ID does not exist"),
        (_GROUP, "id", network.get("securityGroups") or [None], "InvalidParameterException: The group does not exist"),
    ]
    holds: list[str] = []
    for type_, key, values, words in wanted:
        there = {each["id"] if key == "id" else each["outputs"][key]: each["id"] for each in _made(cloud, type_)}
        for value in values:
            if value not in there:
                msg = f"{words} ({value})"
                raise RefusedError(msg)
            holds.append(f"{type_}|{there[value]}")
    _running(cloud).append(holds)
    cloud.setdefault("calls", []).append(f"RunTask {told['taskDefinition'].rsplit('/', 1)[-1].split(':')[0]}")


def end(cloud: Json) -> None:
    """Every task that was run by hand is over."""
    _running(cloud).clear()


def refuse_held(cloud: Json, resource: Json) -> None:
    """Refuses to delete what a task is in."""
    words = _REFUSALS.get(resource["type"])
    key = f"{resource['type']}|{resource['id']}"
    if words is not None and any(key in holds for holds in _running(cloud)):
        raise RefusedError(words)


def _made(cloud: Json, type_: str) -> list[Json]:
    return [each for each in cast("dict[str, Json]", cloud["resources"]).values() if each["type"] == type_]


def _running(cloud: Json) -> list[list[str]]:
    return cast("list[list[str]]", cloud.setdefault("runByHand", []))
