"""The judges' own tables are whole and true."""

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

import life
import models
import recordings
import services
import templates
from account import NOT_SERVED
from calls import Json, Resource
from configurations import CONFIGURATIONS, PAIR, named
from conftest import Opened, Recorded

TAGS = {"Name": "migration-extra-prod", "Environment": "prod"}


def types(resources: list[Resource]) -> set[str]:
    return {each.type for each in resources}


def test_the_configurations_are_many_and_each_has_a_name_of_its_own() -> None:
    assert len([each for each in CONFIGURATIONS if each.everyday]) == 4
    assert len(CONFIGURATIONS) >= 19
    assert len({each.name for each in (*CONFIGURATIONS, *PAIR)}) == len(CONFIGURATIONS) + len(PAIR)


@pytest.mark.rest
def test_the_four_of_every_day_ask_for_every_type_that_any_asks_for(recorded: Recorded) -> None:
    everyday = {kind for each in CONFIGURATIONS if each.everyday for kind in types(recorded(each).resources)}
    for configuration in CONFIGURATIONS:
        assert types(recorded(configuration).resources) <= everyday, configuration.name


@pytest.mark.parametrize("operation", sorted(NOT_SERVED))
def test_what_is_not_sent_is_really_not_served(operation: str, recorded: Recorded, opened: Opened) -> None:
    configuration = named("everything, after the cutover")
    stack = recorded(configuration).translated()
    call = next(call for each in stack for call in each.calls if str(call) == operation)
    with pytest.raises(ClientError, match="500"):
        opened(configuration).ask(call)


def test_every_type_says_from_which_file_of_the_provider_its_calls_are() -> None:
    for type_, kind in services.KINDS.items():
        assert kind.source.endswith(".go") or type_.startswith("random:"), type_


def flow_log(vpc: Resource) -> Json:
    inputs = {
        "vpcId": vpc.id,
        "logDestinationType": "cloud-watch-logs",
        "logDestination": "arn:aws:logs:us-west-2:123456789012:log-group:migration-flow-logs-prod",
        "iamRoleArn": "arn:aws:iam::123456789012:role/migration-flow-logs-role-prod",
        "trafficType": "REJECT",
        "maxAggregationInterval": 600,
    }
    return {"type": "aws:ec2/flowLog:FlowLog", "id": "fl-0a1b2c3d4e5f60718", "inputs": inputs}


def emptied(vpc: Resource) -> Json:
    kind = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
    return {"type": kind, "id": "sg-00000000000000001", "inputs": {"vpcId": vpc.id}}


@pytest.mark.parametrize("make", [flow_log, emptied])
def test_types_that_only_some_programs_ask_for_are_judged_as_the_others(
    make: Callable[[Resource], Json], recorded: Recorded, opened: Opened
) -> None:
    configuration = named("usual")
    vpc = recorded(configuration).one("aws:ec2/vpc:Vpc")
    row: Json = make(vpc) | {"name": "migration-extra-prod", "outputs": {}, "depends_on": [vpc.name]}
    row["inputs"] |= {"tags": TAGS}
    extra = recordings.resource(row, vpc.home, vpc.account)
    stack = recordings.Recording("extra", [vpc, extra]).translated()
    assert not [problem for each in stack for call in each.calls for problem in models.problems(call)]
    assert not templates.problems(stack, vpc.home)
    assert not life.twice(opened(configuration), stack, configuration.regions).problems
