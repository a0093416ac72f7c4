"""VPC, subnets, gateways, groups and peering, as the engine is asked for them."""

from pathlib import Path

import pytest
from reading import in_region
from recorder import Recording, deploy

OUTPUTS = Path(__file__).parents[2] / "tests" / "fixtures" / "outputs.json"
REPOSITORY = Path(__file__).parents[2]


def test_subnets_in_three_zones(usual: Recording) -> None:
    subnets = usual.of("ec2/subnet:Subnet")
    zones = [each.inputs["availabilityZone"] for each in subnets]
    assert sorted(zones) == sorted(2 * ["us-west-2a", "us-west-2b", "us-west-2c"])
    assert len({each.inputs["cidrBlock"] for each in subnets}) == 6


@pytest.mark.parametrize(("switch", "gateways"), [("per-zone", 3), ("single", 1)])
def test_nat_gateways_in_public_subnets(switch: str, gateways: int) -> None:
    made = deploy(natGateways=switch)
    nats = made.of("ec2/natGateway:NatGateway")
    assert len(nats) == len(made.of("ec2/eip:Eip")) == gateways
    public = made.outputs["publicSubnetIds"]
    assert [each.inputs["subnetId"] for each in nats] == public[:gateways]
    out = [each for each in made.of("ec2/route:Route") if "natGatewayId" in each.inputs]
    assert len({each.inputs["routeTableId"] for each in out}) == 3
    assert len({each.inputs["natGatewayId"] for each in out}) == gateways


def test_the_s3_endpoint_is_on_the_private_routes(usual: Recording) -> None:
    endpoint = usual.one("ec2/vpcEndpoint:VpcEndpoint").inputs
    assert endpoint["vpcEndpointType"] == "Gateway"
    assert endpoint["serviceName"] == "com.amazonaws.us-west-2.s3"
    assert len(endpoint["routeTableIds"]) == 3


def test_who_may_come_in(usual: Recording) -> None:
    groups = {each.outputs["arn"].rsplit("/", 1)[-1]: each.name for each in usual.of("ec2/securityGroup:SecurityGroup")}
    ways = {
        (
            groups[rule.inputs["securityGroupId"]],
            groups.get(rule.inputs.get("referencedSecurityGroupId"), rule.inputs.get("cidrIpv4")),
            rule.inputs["fromPort"],
        )
        for rule in usual.of("vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    }
    assert ways == {
        ("migration-alb-sg-prod", "0.0.0.0/0", 80),
        ("migration-task-sg-prod", "migration-alb-sg-prod", 8080),
        ("migration-aurora-sg-prod", "migration-task-sg-prod", 3306),
        ("migration-aurora-sg-prod", "migration-dms-sg-prod", 3306),
        ("migration-aurora-sg-prod", "migration-sql-sg-prod", 3306),
    }


def test_the_default_group_lets_nobody_in_or_out(usual: Recording) -> None:
    group = usual.one("ec2/defaultSecurityGroup:DefaultSecurityGroup").inputs
    assert group["vpcId"] == usual.outputs["vpcId"]
    assert not {"ingress", "egress"} & set(group)


def test_flow_logs_where_they_are_asked_for(usual: Recording, full: Recording) -> None:
    assert usual.of("ec2/flowLog:FlowLog") == []
    log = full.one("ec2/flowLog:FlowLog").inputs
    assert (log["vpcId"], log["trafficType"]) == (full.outputs["vpcId"], "ALL")
    assert "migration-flow-logs-prod" in full.outputs["logGroupNames"]


def test_no_peering_unless_it_is_configured(usual: Recording) -> None:
    assert usual.of("ec2/vpcPeeringConnection:VpcPeeringConnection") == []
    kinds = {each.type.rsplit(":", 1)[-1] for each in in_region(list(usual.cloud()), "us-east-1")}
    # An alarm and its topic must lie where the metric is.
    assert kinds == {"MetricAlarm", "Topic", "TopicSubscription"}
    assert any("no peering" in line for line in usual.said)


def test_peering_routes_resolves_and_lets_in_on_both_sides(full: Recording) -> None:
    assert full.one("ec2/vpcPeeringConnection:VpcPeeringConnection").inputs["peerRegion"] == "us-east-1"
    accepter = full.one("ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter").inputs
    assert (accepter["region"], accepter["autoAccept"]) == ("us-east-1", True)
    routes = [each for each in full.of("ec2/route:Route") if "vpcPeeringConnectionId" in each.inputs]
    assert [each.inputs["destinationCidrBlock"] for each in in_region(routes, None)] == 3 * ["10.0.0.0/16"]
    assert [each.inputs["destinationCidrBlock"] for each in in_region(routes, "us-east-1")] == 2 * ["10.42.0.0/16"]
    dns = full.of("ec2/peeringConnectionOptions:PeeringConnectionOptions")
    sides = [each.inputs.get("requester") or each.inputs.get("accepter") for each in dns]
    assert sides == 2 * [{"allowRemoteVpcDnsResolution": True}]
    (rule,) = in_region(full.of("vpc/securityGroupIngressRule:SecurityGroupIngressRule"), "us-east-1")
    assert rule.inputs["securityGroupId"] == "sg-0a1b2c3d4e5f60718"
    assert (rule.inputs["cidrIpv4"], rule.inputs["fromPort"]) == ("10.42.0.0/16", 3306)
