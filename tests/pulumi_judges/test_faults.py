"""Faults planted in a stack that is otherwise sound: each judge must see its own."""

from dataclasses import replace

import pytest

import life
import models
import recordings
import templates
from calls import Call, HoleError, Inputs, Json, Resource, Translated
from configurations import PAIR, named
from conftest import Opened, Recorded

USUAL = named("usual")


def planted(recorded: Recorded, type_: str, **inputs: object) -> Translated:
    """The first resource of a type with other inputs; `None` leaves one out."""
    resource = recorded(USUAL).one(type_)
    changed = dict(resource.inputs) | inputs
    given = Inputs({key: value for key, value in changed.items() if value is not None})
    (translated,) = recordings.Recording("planted", [replace(resource, inputs=given)]).translated()
    return translated


def complaints(translated: Translated) -> str:
    """What botocore's models say of a resource's calls."""
    return "\n".join(problem for call in translated.calls for problem in models.problems(call))


ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
MODEL_FAULTS = [
    pytest.param(
        ALARM, {"comparisonOperator": "MoreThan"}, "'MoreThan' is none of", id="a word outside an enumeration"
    ),
    pytest.param("aws:iam/role:Role", {"name": "r" * 65}, "65 characters is above 64", id="a name that is too long"),
    pytest.param("aws:ecr/repository:Repository", {"name": "Upper"}, "'Upper' does not fit", id="a pattern"),
    pytest.param("aws:lb/listener:Listener", {"port": 70000}, "70000 is above 65535", id="a number that is too high"),
    pytest.param(ALARM, {"evaluationPeriods": 0}, "0 is below 1", id="a number that is too low"),
    pytest.param(
        "aws:lb/loadBalancer:LoadBalancer", {"name": None}, "Name is required and missing", id="a missing member"
    ),
    pytest.param(
        "aws:ecs/cluster:Cluster",
        {"settings": [{"name": "containerInsights", "worth": "enabled"}]},
        "worth is no member of ClusterSetting",
        id="a member that no model knows",
    ),
    pytest.param("aws:rds/cluster:Cluster", {"port": "3306"}, "'3306' is no integer", id="a text in place of a number"),
    pytest.param(
        "aws:ec2/subnet:Subnet", {"cidrBlock": ["10.0.0.0/24"]}, "is no string", id="a list in place of a text"
    ),
]


@pytest.mark.parametrize(("type_", "inputs", "sentence"), MODEL_FAULTS)
def test_a_malformed_call_is_seen(type_: str, inputs: Json, sentence: str, recorded: Recorded) -> None:
    assert not complaints(planted(recorded, type_))
    assert sentence in complaints(planted(recorded, type_, **inputs))


def test_an_operation_that_does_not_exist_is_seen() -> None:
    assert models.problems(Call("ec2", "MakeVpc", {}, "us-west-2")) == ["ec2:MakeVpc: ec2 has no such operation"]


SCHEMA_FAULTS = [
    pytest.param("aws:cloudwatch/logGroup:LogGroup", {"retentionInDays": 31}, "31 is not one of", id="enumeration"),
    pytest.param("aws:iam/role:Role", {"name": "n" * 65}, "is longer than 64", id="length"),
    pytest.param("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/99"}, "10.0.0.0/99", id="format"),
    pytest.param("aws:ecs/service:Service", {"propagateTags": "ALWAYS"}, "'ALWAYS' is not one of", id="service"),
]


@pytest.mark.parametrize(("type_", "inputs", "sentence"), SCHEMA_FAULTS)
def test_a_resource_that_breaks_its_schema_is_seen(type_: str, inputs: Json, sentence: str, recorded: Recorded) -> None:
    assert not templates.problems([planted(recorded, type_)], "us-west-2")
    assert sentence in "\n".join(templates.problems([planted(recorded, type_, **inputs)], "us-west-2"))


def test_a_name_that_two_stacks_use_is_seen(recorded: Recorded) -> None:
    left, right = (recorded(each) for each in PAIR)
    shared = left.one("aws:rds/cluster:Cluster")
    right.resources.append(shared)
    assert life.collisions(left.translated(), right.translated()) == [
        "aws:rds/cluster:Cluster us-west-2 migration-aurora-blue is a name of both stacks"
    ]


def test_a_name_that_one_stack_uses_twice_is_seen(recorded: Recorded) -> None:
    stack = recorded(USUAL)
    twin = stack.one("aws:iam/role:Role")
    stack.resources.append(replace(twin, name=f"{twin.name}-again"))
    assert life.collisions(stack.translated()) == [
        f"aws:iam/role:Role everywhere {twin.inputs['name']} is a name of two resources"
    ]


def lived(opened: Opened, *stack: Translated) -> str:
    """What the life of these resources ends with."""
    return "\n".join(life.twice(opened(USUAL), list(stack), USUAL.regions).problems)


def test_a_resource_that_is_left_after_destroy_is_seen(recorded: Recorded, opened: Opened) -> None:
    kept = replace(planted(recorded, "aws:ecr/repository:Repository"), destroy=[])
    said = lived(opened, kept)
    assert "aws:ecr/repository:Repository migration-repo-prod is left after destroy" in said
    assert "ecr:describe_repositories in us-west-2 arn:aws:ecr" in said


def test_what_a_call_leaves_behind_that_belongs_to_no_resource_is_seen(recorded: Recorded, opened: Opened) -> None:
    role = planted(recorded, "aws:iam/role:Role")
    stray = Call("sns", "CreateTopic", {"Name": "stray"}, "us-west-2")
    said = lived(opened, replace(role, create=[*role.create, stray]))
    assert "sns:list_topics in us-west-2 arn:aws:sns:us-west-2:" in said
    assert ":stray is left in the account" in said


def test_a_dependency_that_the_program_left_out_is_seen(recorded: Recorded, opened: Opened) -> None:
    stack = recorded(USUAL)
    vpc, subnet = stack.one("aws:ec2/vpc:Vpc"), stack.one("aws:ec2/subnet:Subnet")
    both = recordings.Recording("loose", [vpc, replace(subnet, depends_on=())]).translated()
    said = lived(opened, *both)
    assert f"aws:ec2/subnet:Subnet {subnet.name} names {vpc.id} before it is there" in said


def test_a_resource_that_does_not_come_into_being_is_seen(recorded: Recorded, opened: Opened) -> None:
    never = replace(planted(recorded, "aws:cloudwatch/dashboard:Dashboard"), create=[])
    assert "migration-dashboard-prod is not there after it was created" in lived(opened, never)


def test_a_call_that_the_account_refuses_is_seen(recorded: Recorded, opened: Opened) -> None:
    lost = planted(recorded, "aws:ec2/subnet:Subnet", vpcId="vpc-00000000000000000")
    assert "InvalidVpcID.NotFound" in lived(opened, lost)


def test_a_type_that_nobody_judges_fails_with_the_module_to_extend(recorded: Recorded) -> None:
    stack = recorded(USUAL)
    stack.resources.append(replace(stack.one("aws:ec2/vpc:Vpc"), type="aws:kms/key:Key", name="migration-key-prod"))
    with pytest.raises(HoleError, match=r"nobody judges aws:kms/key:Key \(migration-key-prod\).*services/kms\.py"):
        stack.translated()


def test_an_input_that_nobody_judges_fails_with_its_name(recorded: Recorded) -> None:
    with pytest.raises(HoleError, match="nobody judges assignGeneratedIpv6CidrBlock of aws:ec2/vpc:Vpc"):
        planted(recorded, "aws:ec2/vpc:Vpc", assignGeneratedIpv6CidrBlock=True)


def test_a_member_of_a_block_that_nobody_judges_fails_with_its_name(recorded: Recorded) -> None:
    with pytest.raises(HoleError, match="nobody judges enforce of aws:lb/targetGroup"):
        planted(recorded, "aws:lb/targetGroup:TargetGroup", stickiness={"type": "lb_cookie", "enforce": True})


def test_resources_that_wait_for_each_other_are_seen(recorded: Recorded) -> None:
    first: Resource = recorded(USUAL).one("aws:ec2/vpc:Vpc")
    rows = [replace(first, name="a", depends_on=("b",)), replace(first, name="b", depends_on=("a",))]
    with pytest.raises(ValueError, match="wait for each other: a, b"):
        recordings.ordered(rows)
