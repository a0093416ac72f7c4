"""The ways to the legacy database stay while a stream runs, or tasks with traffic write there."""

import pytest
from moves import EVERYTHING
from recorder import passed
from standing import PEERING, Json, refusal, running

import driver

VPC, CIDR, GROUP = (str(PEERING[key]) for key in ("legacyVpcId", "legacyVpcCidr", "legacyDbSecurityGroupId"))
TABLES = str(PEERING["legacyRouteTableIds"]).split(",")
PEER, ROUTE = "aws:ec2/vpcPeeringConnection:VpcPeeringConnection", "aws:ec2/route:Route"
RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"


def peered(**more: Json) -> Json:
    """A stack that is peered as `PEERING` says, and these resources more."""
    there: Json = {
        "peering": {"type": PEER, "outputs": {"peerVpcId": VPC, "id": "pcx-1"}},
        "database": {"type": RULE, "outputs": {"securityGroupId": GROUP, "cidrIpv4": "10.42.0.0/16"}},
        "alb": {"type": RULE, "outputs": {"securityGroupId": "sg-1", "cidrIpv4": "0.0.0.0/0"}},
    }
    for number, table in enumerate(["rtb-1", "rtb-2", "rtb-3"], start=1):
        there[f"private_rt_{number}"] = route(table, CIDR)
        there[f"private_rt_{number}_out"] = {
            "type": ROUTE,
            "outputs": {"routeTableId": table, "natGatewayId": f"nat-{number}", "destinationCidrBlock": "0.0.0.0/0"},
        }
    for table in TABLES:
        there[f"legacy_route_{table}"] = route(table, "10.42.0.0/16")
    return running(**there, **more)


def route(table: str, cidr: str) -> Json:
    return {
        "type": ROUTE,
        "outputs": {"routeTableId": table, "destinationCidrBlock": cidr, "vpcPeeringConnectionId": "pcx-1"},
    }


SINGLE: Json = {f"private_rt_{number}": {"type": ROUTE, "outputs": {"natGatewayId": "nat-1"}} for number in (1, 2, 3)}
CONFIG: dict[str, str | None] = {
    "sourceDbCaCertificate": EVERYTHING["sourceDbCaCertificate"],
    "loopbackPrevention": "true",
}
Used = tuple[str, dict[str, str], tuple[int, int], str]
USED: list[Used] = [
    ("a stream", {"forward": "running"}, (100, 0), "the forward stream"),
    ("the way back", {"reverse": "running"}, (100, 0), "the reverse stream"),
    ("traffic", {}, (90, 10), "the tasks, which have traffic"),
    ("equal shares", {}, (0, 0), "the tasks, which have traffic"),
]
each_use = pytest.mark.parametrize("used", USED, ids=[name.replace(" ", "-") for name, *_ in USED])


def in_use(cloud: Json, used: Used) -> Json:
    _, streams, shares, _ = used
    return driver.with_tasks(driver.with_weights(cloud, *shares), **streams)


@each_use
def test_a_way_to_the_legacy_database_stays_while_it_is_used(used: Used) -> None:
    cloud = in_use(peered(), used)
    text = refusal(cloud, **CONFIG)
    assert f"tap:legacyVpcId is not set any more, but {used[3]}" in text
    assert f"do: pulumi config set legacyVpcId {VPC}   (and the three keys beside it)" in text
    assert passed(cloud, **CONFIG, **PEERING)
    cloud = in_use(running(**SINGLE), used)
    text = refusal(cloud, **CONFIG)
    assert "tap:natGateways is 'per-zone', but its routes lead over 1 of 3 gateways" in text
    assert "do: pulumi config set natGateways single   (or first: " in text
    for legal in ({"natGateways": "single"}, PEERING):
        assert passed(cloud, **(CONFIG | legal))


OTHER_VPC, OTHER_GROUP, OTHER_TABLE = "vpc-1a1b2c3d4e5f60718", "sg-1a1b2c3d4e5f60718", "rtb-2a1b2c3d4e5f60718"
TAKEN: list[tuple[str, str, str, str]] = [
    ("legacyVpcId", OTHER_VPC, f"is '{OTHER_VPC}', but ", f"legacyVpcId {VPC}"),
    ("legacyVpcCidr", "10.1.0.0/16", f"is '10.1.0.0/16', which does not hold {CIDR}, but ", f"legacyVpcCidr {CIDR}"),
    ("legacyVpcCidr", "10.0.0.0/17", f"is '10.0.0.0/17', which does not hold {CIDR}, but ", f"legacyVpcCidr {CIDR}"),
    (
        "legacyRouteTableIds",
        TABLES[1],
        f"leaves out {TABLES[0]}, but ",
        f"legacyRouteTableIds {TABLES[1]},{TABLES[0]}",
    ),
    (
        "legacyRouteTableIds",
        f"{TABLES[1]},{OTHER_TABLE}",
        f"leaves out {TABLES[0]}, but ",
        f"legacyRouteTableIds {TABLES[1]},{OTHER_TABLE},{TABLES[0]}",
    ),
    ("legacyDbSecurityGroupId", OTHER_GROUP, f"is '{OTHER_GROUP}', but ", f"legacyDbSecurityGroupId {GROUP}"),
]


@each_use
@pytest.mark.parametrize("taken", TAKEN, ids=[f"{key}-{value[-12:]}" for key, value, *_ in TAKEN])
def test_no_part_of_a_way_is_taken_away_or_led_elsewhere_while_it_is_used(
    used: Used, taken: tuple[str, str, str, str]
) -> None:
    key, value, words, back = taken
    text = refusal(in_use(peered(), used), **CONFIG, **(PEERING | {key: value}))
    assert f"tap:{key} {words}{used[3]}" in text
    assert "which would go. Wanted: no stream that runs, and weight 0 on the new stack" in text
    assert f"do: pulumi config set {back}   (or first: " in text
    # Nothing else is said of a network that has changed in one key.
    assert text.count("tap:") == 1


WHOLE: dict[str, dict[str, str | None]] = {
    "the-same": {},
    "one-more": {"legacyRouteTableIds": ",".join([*TABLES, OTHER_TABLE])},
    "in-another-order": {"legacyRouteTableIds": ",".join(reversed(TABLES))},
    "a-range-that-holds-it": {"legacyVpcCidr": "10.0.0.0/11"},
}


@each_use
@pytest.mark.parametrize("more", WHOLE)
def test_a_way_may_grow_while_it_is_used(used: Used, more: str) -> None:
    assert passed(in_use(peered(), used), **CONFIG, **(PEERING | WHOLE[more]))


def test_what_a_run_that_failed_has_left_is_not_taken_away_either() -> None:
    """Both ranges have routes: nobody knows by which of them the database is reached."""
    both = {f"private_rt_{number}_new": route(f"rtb-{number}", "10.1.0.0/16") for number in (1, 2, 3)}
    for cidr, other in ((CIDR, "10.1.0.0/16"), ("10.1.0.0/16", CIDR)):
        text = refusal(in_use(peered(**both), USED[0]), **CONFIG, **(PEERING | {"legacyVpcCidr": cidr}))
        assert f"tap:legacyVpcCidr is '{cidr}', which does not hold {other}" in text


def test_a_way_to_the_legacy_database_goes_when_nobody_uses_it() -> None:
    ca: dict[str, str | None] = {"sourceDbCaCertificate": EVERYTHING["sourceDbCaCertificate"]}
    for there in (peered(), running(**SINGLE)):
        assert passed(driver.with_weights(there, 100, 0), **ca)
    for key, value, *_ in TAKEN:
        assert passed(driver.with_weights(peered(), 100, 0), **ca, **(PEERING | {key: value}))
    # The tasks write to Aurora, and no stream runs.
    assert passed(driver.with_weights(peered(), 0, 100), **ca, writer="aurora")
    for key, value, *_ in TAKEN:
        assert passed(driver.with_weights(peered(), 0, 100), **ca, writer="aurora", **(PEERING | {key: value}))
