"""Which routes of a legacy route table are in the way of the one to the new VPC.  Pure."""

import ipaddress
from collections.abc import Iterable

LOCAL = "local"
"""The target of the routes for a VPC's own ranges, its secondary ones included."""


def in_the_way(cidr: str, routes: Iterable[tuple[str, str]]) -> list[str]:
    """What each route that is in the way of `cidr` covers and where it leads; `routes` are ranges with targets.

    The longest prefix wins, so a wider route to elsewhere is legal, and an equal or narrower one takes addresses of
    the new VPC away (VPC User Guide, route priority).  A VPC's own range is in the way however wide it is: AWS refuses
    a peering of VPCs that overlap (VPC Peering Guide, limitations).
    """
    wanted = ipaddress.IPv4Network(cidr)
    found: list[str] = []
    for range_, target in routes:
        covered = ipaddress.IPv4Network(range_, strict=False)
        if target == LOCAL and covered.overlaps(wanted):
            found.append(f"{range_} to local: a range of the legacy VPC itself, which the new one may not overlap")
        elif target != LOCAL and covered.subnet_of(wanted):
            found.append(f"{range_} to {target}")
    return found
