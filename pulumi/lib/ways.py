"""The ways to the legacy database: whatever takes one from under its users is refused.  Pure.

A new way stands before the old one goes, but nothing here knows whether the database lies at its end: a stream that
runs, and tasks that have traffic and write there, may find nobody.
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from lib import keys
from lib.existing import Existing
from lib.keys import Key, Refusal
from lib.settings import LegacyNetwork, Settings, quoted
from lib.streams import Run, Stream, Which
from lib.weights import Weights
from lib.zones import ZONES

_SET = "pulumi config set"
_WANTED = "Wanted: no stream that runs, and weight 0 on the new stack while `writer` is 'legacy'"


@dataclass(frozen=True, kw_only=True)
class Use:
    """Who goes by the ways to the legacy database at this moment."""

    weights: Weights
    forward: Stream
    reverse: Stream

    @property
    def streams(self) -> list[tuple[Which, Stream]]:
        """The streams that run."""
        both = ((Which.FORWARD, self.forward), (Which.REVERSE, self.reverse))
        return [(which, stream) for which, stream in both if stream.run is Run.RUNNING]


@dataclass(frozen=True)
class _Users:
    """Those who would be cut off, and what has to stop first."""

    names: list[str]
    stop: list[str]

    def __bool__(self) -> bool:
        return bool(self.names)

    def __str__(self) -> str:
        return " and ".join(self.names)

    def either(self, back: str) -> str:
        """Going back, or what has to stop before the change."""
        return f"{back}   (or first: {', then '.join(self.stop)})"


def not_while_used(settings: Settings, existing: Existing, use: Use) -> list[Refusal]:
    """A way to the legacy database that is taken away, or led elsewhere, under whoever uses it."""
    return [*_peering(settings, existing, use), *_addresses(settings, existing, use)]


def _users(settings: Settings, use: Use, tasks: str | None) -> _Users:
    names = [f"the {which.title} stream" for which, _ in use.streams]
    stop = [
        which.command("stop", stack=settings.environment_suffix, region=settings.region) for which, _ in use.streams
    ]
    if tasks is not None:
        names.append(tasks)
        stop.append(f"tapctl rollback --stack {settings.environment_suffix}")
    return _Users(names, stop)


def _peering(settings: Settings, existing: Existing, use: Use) -> list[Refusal]:
    write_there = use.weights.new_share and not settings.writer_is_aurora
    users = _users(settings, use, "the tasks, which have traffic and write there," if write_there else None)
    peered = [
        str(each.get("peerVpcId", "VPC")) for each in existing.of("ec2/vpcPeeringConnection:VpcPeeringConnection")
    ]
    if not users or not peered:
        return []
    if settings.legacy_network is None:
        sentence = f"is not set any more, but {users} reach the legacy database over the peering. {_WANTED}"
        back = f"{_SET} legacyVpcId {quoted(peered[0])}   (and the three keys beside it)"
        return [Refusal(keys.LEGACY_VPC_ID, sentence, users.either(back))]
    return [
        Refusal(key, f"{change}, but {users} {by}, which would go. {_WANTED}", users.either(f"{_SET} {back}"))
        for key, change, by, back in _taken(settings, settings.legacy_network, existing, peered)
    ]


def _taken(
    settings: Settings, network: LegacyNetwork, existing: Existing, peered: list[str]
) -> Iterator[tuple[Key[object], str, str, str]]:
    """What a changed network takes away: key, what it says now, how the database is reached, the value of before."""
    over = "reach the legacy database"
    for vpc in dict.fromkeys(peered):
        if vpc != network.vpc_id:
            by = f"{over} over the peering with {vpc}"
            yield keys.LEGACY_VPC_ID, f"is {network.vpc_id!r}", by, f"legacyVpcId {quoted(vpc)}"
    routes = [each for each in existing.of("ec2/route:Route") if each.get("vpcPeeringConnectionId")]
    # The range of the new VPC is fixed, so what leads there is of the legacy side.
    ranges = dict.fromkeys(str(each.get("destinationCidrBlock")) for each in routes)
    for range_ in ranges:
        if range_ != settings.vpc_cidr and not _holds(network.cidr, range_):
            change = f"is {network.cidr!r}, which does not hold {range_}"
            yield keys.LEGACY_VPC_CIDR, change, f"{over} over the routes to that", f"legacyVpcCidr {quoted(range_)}"
    back = [str(each.get("routeTableId")) for each in routes if each.get("destinationCidrBlock") == settings.vpc_cidr]
    gone = [each for each in dict.fromkeys(back) if each not in network.route_table_ids]
    if gone:
        every = ",".join([*network.route_table_ids, *gone])
        by = f"{over}, and its answers come over that route"
        yield (
            keys.LEGACY_ROUTE_TABLE_IDS,
            f"leaves out {' and '.join(gone)}",
            by,
            f"legacyRouteTableIds {quoted(every)}",
        )
    for rule in existing.of("vpc/securityGroupIngressRule:SecurityGroupIngressRule"):
        group = str(rule.get("securityGroupId"))
        if rule.get("cidrIpv4") == settings.vpc_cidr and group != network.db_security_group_id:
            by = f"are let in by the rule in {group}"
            change = f"is {network.db_security_group_id!r}"
            yield keys.LEGACY_DB_SECURITY_GROUP_ID, change, by, f"legacyDbSecurityGroupId {quoted(group)}"


def _holds(wide: str, narrow: str) -> bool:
    """Whether every address of one range is one of the other: its routes stand before those of the narrow one go."""
    return ipaddress.IPv4Network(narrow, strict=False).subnet_of(ipaddress.IPv4Network(wide))


def _addresses(settings: Settings, existing: Existing, use: Use) -> list[Refusal]:
    """The addresses by which an unpeered legacy database knows its clients."""
    # The routes, and not the gateways: a run that failed may have made those and led nothing over them yet.
    out = (route.get("natGatewayId") for route in existing.of("ec2/route:Route"))
    gateways = len({gateway for gateway in out if gateway})
    fewer = not settings.single_nat and 0 < gateways < ZONES
    users = _users(settings, use, "tasks with traffic" if use.weights.new_share else None)
    if settings.legacy_network is not None or not fewer or not users:
        return []
    sentence = (
        f"is 'per-zone', but its routes lead over {gateways} of {ZONES} gateways, and unpeered {users} reach the "
        "legacy database from their addresses alone: the routes would lead to new ones, which it does not let "
        "in yet. Wanted: no stream that runs and weight 0 on the new stack, until the addresses of the output "
        "natAddresses are let in"
    )
    return [Refusal(keys.NAT_GATEWAYS, sentence, users.either(f"{_SET} natGateways single"))]
