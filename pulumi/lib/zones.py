"""Availability zones: chosen once, then kept.  Pure.

A zone that is impaired for an hour is not listed as available for that hour; to choose anew would replace its
subnets, and every Aurora instance with them.
"""

from collections.abc import Iterable

from lib.existing import Existing
from lib.naming import Naming

ZONES = 3


def chosen(available: Iterable[str], existing: Existing, naming: Naming) -> tuple[tuple[str, ...], str | None]:
    """The zones, by the number of their subnets, and what is wrong when there are too few.

    A number whose subnets are in the state keeps its zone; the others get the first that are free.
    """
    kept = [_zone(existing, naming, number) for number in range(1, ZONES + 1)]
    offered = sorted(set(available))
    free = (zone for zone in offered if zone not in kept)
    names = [zone or next(free, None) for zone in kept]
    if None in names:
        return tuple(offered), f"offers {len(offered)} availability zones to this account, {ZONES} are needed"
    return tuple(zone for zone in names if zone is not None), None


def _zone(existing: Existing, naming: Naming, number: int) -> str | None:
    kinds = (("ec2/subnet:Subnet", "private-subnet"), ("ec2/subnet:Subnet", "public-subnet"))
    found = (existing.text(type_, naming.name(kind, number), "availabilityZone") for type_, kind in kinds)
    return next((zone for zone in found if zone), None)
