"""Rules that every resource keeps, whatever its type and whatever is switched on."""

import importlib
import inspect
import re
from collections.abc import Callable

import pytest
from recorder import Recording, Registered, deploy

# The exceptions to the naming rule, each because AWS leaves no choice.
AWS_CHOOSES_THE_NAME: dict[str, tuple[str, ...]] = {
    # DMS looks its two account-wide roles up by name.
    "aws:iam/role:Role": ("dms-vpc-role", "dms-cloudwatch-logs-role"),
    # Engines, DMS and Container Insights write to groups that are named after the resource.
    "aws:cloudwatch/logGroup:LogGroup": (
        "/aws/rds/cluster/migration-aurora-prod/error",
        "/aws/rds/cluster/migration-aurora-prod/slowquery",
        "/aws/ecs/containerinsights/migration-cluster-prod/performance",
        "dms-tasks-migration-dms-prod",
    ),
    # The name of a record is the host name whose traffic is moved.
    "aws:route53/record:Record": ("app.example.com",),
}

NAME_INPUTS = {
    "name",
    "clusterIdentifier",
    "identifier",
    "replicationInstanceId",
    "replicationTaskId",
    "replicationSubnetGroupId",
    "endpointId",
    "certificateId",
    "dashboardName",
    "setIdentifier",
}


def _takes(resource: Registered, argument: str) -> bool:
    """Whether pulumi-aws's own class takes an argument."""
    module, class_name = resource.type.split(":")[1].split("/")[0], resource.type.rsplit(":", 1)[-1]
    package = "pulumi_random" if resource.type.startswith("random:") else f"pulumi_aws.{module}"
    class_ = getattr(importlib.import_module(package), class_name)
    internal: Callable[..., object] = class_._internal_init
    return argument in inspect.signature(internal).parameters


def _named(resource: Registered) -> bool:
    """The resource's name and each name that AWS sees: migration-{type}-{suffix}, and what hangs on it behind that."""
    seen = [str(resource.inputs[key]) for key in sorted(NAME_INPUTS & set(resource.inputs))]
    names = [resource.name, *(name for name in seen if name not in AWS_CHOOSES_THE_NAME.get(resource.type, ()))]
    return all(re.fullmatch(r"migration-[a-z0-9-]+-prod(-[a-z0-9-]+)?", name) for name in names)


def _tagged(resource: Registered) -> bool:
    if not _takes(resource, "tags"):
        return True
    tags = resource.inputs.get("tags", {})
    wanted = {"Environment": "prod", "Owner": "platform-team", "Project": "tap"}
    return wanted.items() <= tags.items() and tags.get("Name", "").startswith("migration-")


def _deletable(resource: Registered) -> bool:
    """Nothing is protected, kept back, or waits before it goes."""
    wanted: dict[str, object] = {
        "deletionProtection": False,
        "enableDeletionProtection": False,
        "skipFinalSnapshot": True,
        "recoveryWindowInDays": 0,
    }
    if resource.type in {"aws:ecr/repository:Repository", "aws:ecs/service:Service"}:
        wanted["forceDelete"] = True
    if resource.type == "aws:iam/role:Role" and resource.inputs["name"].startswith("migration-"):
        wanted["forceDetachPolicies"] = True
    protected = resource.protect or resource.retained or resource.inputs.get("skipDestroy", False)
    must_say = {
        "aws:rds/cluster:Cluster": {"deletionProtection", "skipFinalSnapshot"},
        "aws:lb/loadBalancer:LoadBalancer": {"enableDeletionProtection"},
        "aws:secretsmanager/secret:Secret": {"recoveryWindowInDays"},
    }.get(resource.type, set())
    said = all(resource.inputs[key] == value for key, value in wanted.items() if key in resource.inputs)
    return not protected and said and must_say <= set(resource.inputs)


def _not_public(resource: Registered) -> bool:
    """Only the load balancer may be reached from the Internet, and only on its two ports."""
    inputs = resource.inputs
    if any(inputs.get(key) for key in ("publiclyAccessible", "mapPublicIpOnLaunch")):
        return False
    if resource.type == "aws:ecs/service:Service" and inputs["networkConfiguration"]["assignPublicIp"]:
        return False
    if resource.type == "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule":
        from_internet = inputs.get("cidrIpv4") == "0.0.0.0/0"
        return not from_internet or ("alb-sg" in resource.name and inputs["fromPort"] in {80, 443})
    return "ingress" not in inputs


def _bounded(resource: Registered) -> bool:
    """Every log group ends its events."""
    return resource.type != "aws:cloudwatch/logGroup:LogGroup" or resource.inputs["retentionInDays"] == 30


def _explicit_provider(resource: Registered) -> bool:
    """The region is that of `lib/AWS_REGION`, whatever the operator's environment says."""
    return not resource.type.startswith("aws:") or "::migration-aws-prod::" in resource.provider


def _in_a_component(resource: Registered) -> bool:
    return resource.parent_type.startswith("tap:")


RULES = [_named, _tagged, _deletable, _not_public, _bounded, _explicit_provider, _in_a_component]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__.strip("_"))
@pytest.mark.parametrize("stack", ["usual", "full"])
def test_every_resource_keeps_the_rule(
    stack: str, rule: Callable[[Registered], bool], request: pytest.FixtureRequest
) -> None:
    recording: Recording = request.getfixturevalue(stack)
    resources = list(recording.cloud())
    assert len(resources) > 90
    assert [f"{each.type} {each.name}: {each.inputs}" for each in resources if not rule(each)] == []


@pytest.mark.parametrize("stack", ["usual", "full"])
def test_no_name_is_used_twice(stack: str, request: pytest.FixtureRequest) -> None:
    recording: Recording = request.getfixturevalue(stack)
    names = [(each.type, each.name) for each in recording.resources]
    assert sorted(set(names)) == sorted(names)


def test_two_suffixes_share_no_name(usual: Recording) -> None:
    other = deploy(environmentSuffix="blue", recordName="blue.example.com", vpcCidr="10.43.0.0/16")
    mine = {(each.type, each.name) for each in usual.resources}
    theirs = {(each.type, each.name) for each in other.resources}
    assert not mine & theirs
    assert len(mine) == len(theirs)
