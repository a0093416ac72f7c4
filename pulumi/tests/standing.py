"""A stack that stands already, as far as its state says it, and what a program that is refused says."""

import re
from typing import Any

import pulumi
import pytest
from moves import EVERYTHING
from recorder import deploy

import driver

Json = dict[str, Any]
BALANCER = "legacy-web-1234567890.us-east-1.elb.amazonaws.com"
STACK = "urn:pulumi:prod::tap::tap:stack:TapStack$"
PEERING: dict[str, str | None] = {key: value for key, value in EVERYTHING.items() if key.startswith("legacyVpc")} | {
    key: EVERYTHING[key] for key in ("legacyRouteTableIds", "legacyDbSecurityGroupId")
}


def running(**resources: Json) -> Json:
    """A cloud in which the stack stands: its state holds a VPC, and these resources by type."""
    cloud = driver.empty_cloud()
    vpc = {"cidrBlock": "10.42.0.0/16", "arn": "arn:aws:ec2:us-west-2:123456789012:vpc/vpc-1"}
    vpc["tags"] = {"Environment": "prod"}  # pyright: ignore[reportArgumentType] -- as in a state
    cloud["state"] = {f"{STACK}aws:ec2/vpc:Vpc::migration-vpc-prod": {"outputs": vpc}}
    for name, entry in resources.items():
        type_, outputs = entry["type"], entry["outputs"]
        cloud["state"][f"{STACK}{type_}::migration-{name.replace('_', '-')}-prod"] = {"outputs": outputs}
    return cloud


def refusal(cloud: Json | None = None, /, **changes: str | None) -> str:
    with pytest.raises(pulumi.RunError) as caught:
        deploy(cloud, **changes)
    text = str(caught.value)
    # Each names its key, or what could not be looked up, and the command that leads out of it.
    for each in re.split(r"\n {2}(?! )", text)[1:]:
        assert re.match(r"tap:\w+ |lib/AWS_REGION |the (forward|reverse) task |.* cannot be (looked up|read)", each), (
            each
        )
        assert re.search(r"\n    (do|set it with): ", each), each
    return text
