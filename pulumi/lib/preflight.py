"""The questions that must be answered before anything is created, and the only module that asks AWS.

Reads only: availability zones, the hosted zone and the records under the name, the account-wide DMS roles.
"""

import re
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from lib import keys
from lib.settings import Settings, problem, refuse
from lib.weights import LiveRecord, RecordConflictError, Weights, declared

ZONES = 3
DMS_ROLE_NAMES = ("dms-vpc-role", "dms-cloudwatch-logs-role")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What AWS says before the first resource."""

    availability_zones: tuple[str, ...]
    hosted_zone_id: str
    weights: Weights


def ask(settings: Settings, provider: aws.Provider) -> Facts:
    """Asks AWS, and raises `pulumi.RunError` with what is in the way."""
    options = pulumi.InvokeOptions(provider=provider)
    zones = aws.get_availability_zones(
        state="available",
        # Local and wavelength zones carry neither NAT gateways nor Aurora.
        filters=[aws.GetAvailabilityZonesFilterArgs(name="opt-in-status", values=["opt-in-not-required"])],
        opts=options,
    )
    names = tuple(sorted(zones.names)[:ZONES])
    problems: list[str] = []
    if len(names) < ZONES:
        problems.append(f"{settings.region} offers {len(names)} availability zones to this account, {ZONES} are needed")
    zone_id = _hosted_zone(settings, options, problems)
    if settings.dms.creates_account_roles:
        _roles_are_ours(settings, options, problems)
    else:
        _roles_exist(options, problems)
    weights = _weights(settings, zone_id, options, problems)
    refuse(problems)
    return Facts(availability_zones=names, hosted_zone_id=zone_id, weights=weights)


def _hosted_zone(settings: Settings, options: pulumi.InvokeOptions, problems: list[str]) -> str:
    by_id = settings.hosted_zone_id is not None
    try:
        if by_id:
            zone = aws.route53.get_zone(zone_id=settings.hosted_zone_id, opts=options)
        else:
            zone = aws.route53.get_zone(name=settings.hosted_zone_name, private_zone=False, opts=options)
    except Exception as error:
        key = keys.HOSTED_ZONE_ID if by_id else keys.HOSTED_ZONE_NAME
        name = settings.hosted_zone_id if by_id else settings.hosted_zone_name
        refuse([*problems, problem(key, f"is {name!r}, of which Route 53 says: {error}")])
        raise
    apex = zone.name.removesuffix(".")
    if settings.record_name != apex and not settings.record_name.endswith(f".{apex}"):
        problems.append(problem(keys.RECORD_NAME, f"is {settings.record_name!r}, which is not in the zone {apex!r}"))
    return zone.zone_id


def _weights(settings: Settings, zone_id: str, options: pulumi.InvokeOptions, problems: list[str]) -> Weights:
    records = aws.route53.get_records(
        zone_id=zone_id, name_regex=rf"^{re.escape(settings.record_name)}\.?$", opts=options
    )
    live = [
        LiveRecord(type=each.type, set_identifier=each.set_identifier or None, weight=each.weight)
        for each in records.resource_record_sets
    ]
    naming = settings.naming
    try:
        weights = declared(
            live, record_name=settings.record_name, legacy_id=naming.name("legacy"), new_id=naming.name("new")
        )
    except RecordConflictError as conflict:
        problems.append(str(conflict))
        return Weights(0, 0)
    if any(record.type == "AAAA" for record in live):
        pulumi.log.warn(
            f"{settings.record_name} also has AAAA records; "
            "clients that use IPv6 do not follow the weights of the A pair"
        )
    return weights


def _present(options: pulumi.InvokeOptions) -> set[str]:
    pattern = "^(" + "|".join(DMS_ROLE_NAMES) + ")$"
    return set(aws.iam.get_roles(name_regex=pattern, opts=options).names)


def _roles_exist(options: pulumi.InvokeOptions, problems: list[str]) -> None:
    missing = [name for name in DMS_ROLE_NAMES if name not in _present(options)]
    if missing:
        sentence = (
            f"is 'existing', but the account has no {' and no '.join(missing)}, which DMS asks for by name; let one "
            "stack of the account create them (pulumi config set dmsAccountRoles create)"
        )
        problems.append(problem(keys.DMS_ACCOUNT_ROLES, sentence))


def _roles_are_ours(settings: Settings, options: pulumi.InvokeOptions, problems: list[str]) -> None:
    for name in sorted(_present(options)):
        owner = aws.iam.get_role(name=name, opts=options).tags.get("Environment")
        if owner != settings.environment_suffix:
            who = f"the stack {owner!r}" if owner else "something outside Pulumi"
            problems.append(
                problem(keys.DMS_ACCOUNT_ROLES, f"is 'create', but {name} belongs to {who}; use 'existing'")
            )
