"""The load balancer and its listeners."""

from pathlib import Path

import pytest
from moves import EVERYTHING
from reading import in_region
from recorder import Recording, deploy

import driver

OUTPUTS = Path(__file__).parents[2] / "tests" / "fixtures" / "outputs.json"
REPOSITORY = Path(__file__).parents[2]


def test_the_load_balancer_is_public_and_its_targets_are_not(usual: Recording) -> None:
    balancer = usual.one("lb/loadBalancer:LoadBalancer").inputs
    assert balancer["internal"] is False
    assert balancer["subnets"] == usual.outputs["publicSubnetIds"]
    group = usual.one("lb/targetGroup:TargetGroup").inputs
    assert group["targetType"] == "ip"
    health = group["healthCheck"]
    assert (health["path"], health["interval"], health["protocol"]) == ("/health", 30, "HTTP")
    assert group["stickiness"] == {"type": "lb_cookie", "enabled": True, "cookieDuration": 60}


def test_http_alone(usual: Recording) -> None:
    listener = usual.one("lb/listener:Listener").inputs
    assert (listener["port"], listener["defaultActions"][0]["type"]) == (80, "forward")


def test_http_is_not_redirected_while_nobody_knows_whether_the_legacy_stack_answers() -> None:
    unseen = driver.empty_cloud() | {"deny": ["getLoadBalancer"]}
    name = "legacy-web-1234567890.us-east-1.elb.amazonaws.com"
    made = deploy(unseen, legacyLbDnsName=name, certificateArn=EVERYTHING["certificateArn"])
    assert made.named("migration-http-prod").inputs["defaultActions"][0]["type"] == "forward"
    assert any("nobody knows whether the legacy load balancer answers on 443" in line for line in made.said)


@pytest.mark.parametrize(
    ("ports", "action"), [({"80": "http", "443": "https"}, "redirect"), ({"80": "http"}, "forward")]
)
def test_http_is_redirected_only_where_the_legacy_stack_answers_as_well(ports: dict[str, str], action: str) -> None:
    cloud = driver.empty_cloud()
    cloud["given"]["balancers"]["legacy-web"]["ports"] = ports
    made = deploy(cloud, certificateArn=EVERYTHING["certificateArn"])
    http = made.named("migration-http-prod")
    assert http.inputs["defaultActions"][0]["type"] == action
    # Not before the certificate has been taken.
    assert "migration-https-prod" in http.depends_on


def test_https_when_there_is_a_certificate(full: Recording) -> None:
    http, https = full.of("lb/listener:Listener")
    assert http.inputs["defaultActions"][0]["redirect"]["protocol"] == "HTTPS"
    assert (https.inputs["port"], https.inputs["certificateArn"]) == (443, EVERYTHING["certificateArn"])
    assert https.inputs["defaultActions"][0]["type"] == "forward"
    rules = in_region(full.of("vpc/securityGroupIngressRule:SecurityGroupIngressRule"), None)
    assert {each.inputs["fromPort"] for each in rules if each.inputs.get("cidrIpv4") == "0.0.0.0/0"} == {80, 443}
