"""ECS tasks that somebody runs by hand in the stand-in cloud: what they need, and what they hold."""

from typing import Any

import pytest

import in_use
import one_off
import world

Json = dict[str, Any]
CLUSTER, DEFINITION = "aws:ecs/cluster:Cluster", "aws:ecs/taskDefinition:TaskDefinition"
SUBNET, GROUP = "aws:ec2/subnet:Subnet", "aws:ec2/securityGroup:SecurityGroup"
NETWORK = {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}
TOLD: Json = {
    "cluster": "one",
    "taskDefinition": "arn:aws:ecs:us-west-2:123456789012:task-definition/sql:1",
    "networkConfiguration": {"awsvpcConfiguration": NETWORK},
}


@pytest.fixture
def cloud() -> Json:
    there = world.empty()
    made: list[tuple[str, str, Json]] = [
        (CLUSTER, "cluster-arn", {"name": "one", "arn": "cluster-arn"}),
        (DEFINITION, "sql", {"arn": TOLD["taskDefinition"]}),
        (SUBNET, "subnet-1", {}),
        (SUBNET, "subnet-2", {}),
        (GROUP, "sg-1", {}),
        (GROUP, "sg-2", {}),
    ]
    for type_, id_, outputs in made:
        there["resources"][id_] = {"name": id_, "type": type_, "id": id_, "outputs": outputs}
    return there


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ({"cluster": "two"}, "ClusterNotFoundException"),
        ({"taskDefinition": "arn:aws:ecs:us-west-2:123456789012:task-definition/sql:2"}, "ClientException"),
        ({"networkConfiguration": {"awsvpcConfiguration": NETWORK | {"subnets": ["subnet-3"]}}}, "subnet-3"),
        ({"networkConfiguration": {"awsvpcConfiguration": NETWORK | {"securityGroups": ["sg-3"]}}}, "sg-3"),
        ({"networkConfiguration": {}}, "InvalidParameterException"),
    ],
)
def test_it_runs_in_what_is_there(cloud: Json, missing: Json, words: str) -> None:
    with pytest.raises(world.RefusedError, match=words):
        one_off.run(cloud, TOLD | missing)
    for each in ("cluster-arn", "subnet-1", "sg-1"):
        in_use.refuse_in_use(cloud, cloud["resources"][each])


def test_while_it_runs_it_holds_its_cluster_its_subnet_and_its_group_and_nothing_else(cloud: Json) -> None:
    one_off.run(cloud, TOLD)
    refusals = {
        "cluster-arn": "ClusterContainsTasksException",
        "subnet-1": "DependencyViolation",
        "sg-1": "DependencyViolation",
    }
    for id_, words in refusals.items():
        with pytest.raises(world.RefusedError, match=words):
            in_use.refuse_in_use(cloud, cloud["resources"][id_])
    for free in ("sql", "subnet-2", "sg-2"):
        in_use.refuse_in_use(cloud, cloud["resources"][free])
    one_off.end(cloud)
    for id_ in refusals:
        in_use.refuse_in_use(cloud, cloud["resources"][id_])
    assert cloud["calls"] == ["RunTask sql"]
