"""Keys that are fixed for good: a changed value is refused, with how to move instead.  Pure.

A key's row in `keys` says that it is fixed; a row here says where the state holds the value that was chosen.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from lib import keys
from lib.existing import SOURCE, Existing, Tasks
from lib.keys import Key, Refusal
from lib.settings import Settings, quoted
from lib.streams import Run, Stream
from lib.weights import Weights


@dataclass(frozen=True)
class _Fixed:
    key: Key[object]
    before: Callable[[Existing, Settings], str | None]
    """The value in the state, `None` when it has not been chosen yet."""
    now: Callable[[Settings], str]


_SET = "pulumi config set"
_RECORD = "route53/record:Record"


def _vpc(existing: Existing, key: str) -> str | None:
    """Of the one VPC, whatever its suffix was."""
    for outputs in existing.of("ec2/vpc:Vpc"):
        value = outputs.get(key)
        if isinstance(value, str):
            return value
    return None


def _suffix(existing: Existing, _: Settings) -> str | None:
    for outputs in existing.of("ec2/vpc:Vpc"):
        found = cast("Mapping[str, object]", outputs.get("tags") or {}).get("Environment")
        if isinstance(found, str):
            return found
    return None


def _account(existing: Existing, _: Settings) -> str | None:
    arn = _vpc(existing, "arn")
    return arn.split(":")[4] if arn else None


def _peered_region(existing: Existing, settings: Settings) -> str | None:
    alarm = existing.text("cloudwatch/metricAlarm:MetricAlarm", settings.naming.name("legacy-5xx"), "region")
    accepter = f"{settings.naming.name('peering')}-accepter"
    return alarm or existing.text("ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter", accepter, "region")


def _of_the_pair(existing: Existing, settings: Settings, key: str) -> str | None:
    """Of either record: the new one waits for the load balancer, and a failed first run leaves the legacy one alone."""
    kinds = ("legacy", "new")
    found = (existing.text(_RECORD, settings.naming.name(kind), key) for kind in kinds)
    return next((value for value in found if value), None)


def _record(existing: Existing, settings: Settings) -> str | None:
    name = _of_the_pair(existing, settings, "name")
    return name.removesuffix(".") if name else None


def _roles(existing: Existing, settings: Settings) -> str | None:
    made = existing.get("iam/role:Role", settings.naming.name("dms-vpc-role"))
    return "create" if made is not None else None


_ROWS: tuple[_Fixed, ...] = (
    _Fixed(keys.ENVIRONMENT_SUFFIX, _suffix, lambda settings: settings.environment_suffix),
    _Fixed(keys.ACCOUNT_ID, _account, lambda settings: settings.account_id),
    _Fixed(keys.VPC_CIDR, lambda existing, _: _vpc(existing, "cidrBlock"), lambda settings: settings.vpc_cidr),
    _Fixed(keys.LEGACY_REGION, _peered_region, lambda settings: settings.legacy_region),
    _Fixed(keys.RECORD_NAME, _record, lambda settings: settings.record_name),
    _Fixed(
        keys.DMS_ACCOUNT_ROLES, _roles, lambda settings: "create" if settings.dms.creates_account_roles else "existing"
    ),
)


def region_moved(settings: Settings, existing: Existing) -> list[str]:
    """Whether the one line of `lib/AWS_REGION`, which is no key, leads away from what stands."""
    arn = _vpc(existing, "arn")
    before = arn.split(":")[3] if arn else settings.region
    if before == settings.region:
        return []
    sentence = (
        f"lib/AWS_REGION is {settings.region!r}, but the stack was made in {before!r}, which stays for good: to follow "
        "it would delete Aurora, the streams and the service. Wanted: the region of before, and a second stack for "
        "another"
    )
    return [f"{sentence}\n    do: echo {quoted(before)} > lib/AWS_REGION"]


def changed(settings: Settings, existing: Existing) -> list[Refusal]:
    """The fixed keys that have another value than the state."""
    moved: list[Refusal] = []
    for row in _ROWS:
        before, now = row.before(existing, settings), row.now(settings)
        if before is not None and before != now:
            sentence = f"is {now!r}, but the stack was made with {before!r}, which stays for good: {row.key.later}"
            moved.append(Refusal(row.key, sentence, f"{_SET} {row.key.name} {quoted(before)}"))
    return moved


def zone_moved(settings: Settings, existing: Existing, zone_id: str) -> list[Refusal]:
    """Whether the record would leave its zone; the zone may be named by its id or by its name."""
    before = _of_the_pair(existing, settings, "zoneId")
    if before is None or before == zone_id:
        return []
    key = keys.HOSTED_ZONE_ID if settings.hosted_zone_id is not None else keys.HOSTED_ZONE_NAME
    sentence = f"leads to the zone {zone_id}, but the stack's record lies in {before}: {key.later}"
    return [Refusal(key, sentence, f"{_SET} {keys.HOSTED_ZONE_ID.name} {quoted(before)}")]


def authority_taken_away(settings: Settings, existing: Existing) -> list[Refusal]:
    """A certificate authority that endpoints trust may be exchanged for another, but not be taken away.

    The provider leaves an endpoint's certificate as it was when none is declared (terraform-provider-aws,
    internal/service/dms/endpoint.go: `certificate_arn` is optional and computed), and DMS does not delete a certificate
    that an endpoint uses: the run would fail at its end, and so would every later one.
    """
    authorities: tuple[tuple[Key[object], str, str | None], ...] = (
        (keys.SOURCE_DB_CA_CERTIFICATE, "dms-ca", settings.source.ca_certificate),
        (keys.AURORA_CA_CERTIFICATE, "dms-aurora-ca", settings.aurora_ca_certificate),
    )
    moved: list[Refusal] = []
    for key, kind, pem in authorities:
        if pem is None and existing.get("dms/certificate:Certificate", settings.naming.name(kind)) is not None:
            sentence = (
                "is not set any more, but the endpoints trust the certificate of before, and AWS takes none away from "
                "an endpoint. Wanted: a certificate, the same or another"
            )
            moved.append(Refusal(key, sentence, f"{_SET} {key.name} < bundle.pem"))
    return moved


@dataclass(frozen=True)
class _Upwards:
    """A value that AWS lets grow and refuses to take back (ModifyDBCluster, ModifyReplicationInstance)."""

    key: Key[object]
    type: str
    kind: str
    property: str
    now: Callable[[Settings], object]


_UPWARDS: tuple[_Upwards, ...] = (
    _Upwards(
        keys.AURORA_ENGINE_VERSION,
        "rds/cluster:Cluster",
        "aurora",
        "engineVersion",
        lambda settings: settings.aurora_engine_version,
    ),
    _Upwards(
        keys.DMS_ENGINE_VERSION,
        "dms/replicationInstance:ReplicationInstance",
        "dms",
        "engineVersion",
        lambda settings: settings.dms.engine_version,
    ),
    _Upwards(
        keys.DMS_STORAGE,
        "dms/replicationInstance:ReplicationInstance",
        "dms",
        "allocatedStorage",
        lambda settings: settings.dms.storage,
    ),
)


def downwards(settings: Settings, existing: Existing) -> list[Refusal]:
    """Versions and sizes that are lower than what stands: AWS would refuse them halfway through the run."""
    moved: list[Refusal] = []
    for row in _UPWARDS:
        before = (existing.get(row.type, settings.naming.name(row.kind)) or {}).get(row.property)
        now = row.now(settings)
        # A version that is not set keeps the one that stands, whatever the default is.
        set_ = row.key.name in settings.given or row.key is keys.DMS_STORAGE
        if before is None or not set_ or _ordered(now) >= _ordered(before):
            continue
        value = int(before) if isinstance(before, float) else before
        sentence = f"is {now!r}, but the stack has {value!r}, and AWS takes nothing lower. Wanted: {value!r} or higher"
        moved.append(Refusal(row.key, sentence, f"{_SET} {row.key.name} {quoted(value)}"))
    return moved


def _ordered(value: object) -> tuple[int, ...]:
    """The numbers of a version or a size, in their order."""
    text = str(int(value)) if isinstance(value, float) else str(value)
    return tuple(int(part) for part in re.findall(r"\d+", text))


def source_moved(settings: Settings, existing: Existing, forward: Stream) -> list[Refusal]:
    """Another source under a forward stream that has run: its checkpoint is a position in one server's binary log."""
    before = _source(existing, settings)
    now = f"{settings.source.endpoint}:{settings.source.port}"
    if before is None or before == now or forward.run in {Run.ABSENT, Run.READY}:
        return []
    host, port = before.rsplit(":", 1)
    key, old = (keys.SOURCE_DB_ENDPOINT, host) if host != settings.source.endpoint else (keys.SOURCE_DB_PORT, port)
    sentence = (
        f"makes {now} the source, but the forward stream is {forward.status} with a checkpoint in the binary log of "
        f"{before}: resumed on another server it skips rows, or carries them twice. Wanted: a second stack beside this "
        "one, or the forward task deleted, Aurora's tables emptied, and a first start with `startReplication`"
    )
    return [Refusal(key, sentence, f"{_SET} {key.name} {quoted(old)}   (and the secret that names it)")]


def _source(existing: Existing, settings: Settings) -> str | None:
    """A stack of an earlier version has it in its tasks alone."""
    said = existing.component("tap:replication:Replication", SOURCE)
    if said is not None:
        return said
    aurora = existing.text("rds/cluster:Cluster", settings.naming.name("aurora"), "endpoint")
    hosts = existing.tasks(settings.naming.name("app")).environment.get("DB_WRITER_HOSTS", "").split(",")
    return next((host for host in hosts if ":" in host and host.rsplit(":", 1)[0] != aurora), None)


def not_without_accounts(settings: Settings, existing: Existing) -> list[Refusal]:
    """A stack of an earlier version has no secrets for the accounts, so nobody can have made the accounts yet."""
    naming = settings.naming
    used = existing.get("ecs/service:Service", naming.name("service")) or existing.get(
        "dms/endpoint:Endpoint", naming.name("dms-aurora-target")
    )
    made = existing.get("secretsmanager/secret:Secret", naming.name("dms-secret"))
    if not settings.accounts.separate or used is None or made is not None:
        return []
    sentence = (
        "is 'separate', but the stack runs as Aurora's master user and the accounts are not made yet. Wanted: 'shared' "
        "for one `up`, then the SQL task, then 'separate'"
    )
    return [Refusal(keys.DATABASE_ACCOUNTS, sentence, f"{_SET} databaseAccounts shared")]


def not_while_traffic(
    settings: Settings, existing: Existing, weights: Weights, running: Iterable[Tasks]
) -> list[Refusal]:
    """Changes during which the new stack answers nobody: refused while Route 53 sends it anything."""
    if not weights.new_share:
        return []
    away = f"tapctl rollback --stack {settings.environment_suffix}   (or go back: {_SET} "
    moved = _another_port(settings, existing, running)
    https = existing.get("lb/listener:Listener", settings.naming.name("https")) or {}
    arn = https.get("certificateArn")
    if isinstance(arn, str) and settings.certificate_arn is None:
        sentence = "is not set any more, but the new stack has traffic on 443. Wanted: weight 0 on the new stack"
        moved.append(Refusal(keys.CERTIFICATE_ARN, sentence, f"{away}certificateArn {quoted(arn)})"))
    service = existing.get("ecs/service:Service", settings.naming.name("service"))
    if service is not None and settings.container.image_tag is None:
        sentence = (
            "is not set any more, which deletes the service, but the new stack has traffic. Wanted: weight 0 on the "
            "new stack"
        )
        moved.append(Refusal(keys.IMAGE_TAG, sentence, f"{away}imageTag TAG)"))
    return moved


def _another_port(settings: Settings, existing: Existing, running: Iterable[Tasks]) -> list[Refusal]:
    """Another target group, which no task is in yet when the listeners lead to it.

    What serves are the tasks that run.  After a run that failed the state's newest group may be one that none of them
    ever was in, and to go back makes a third.
    """
    naming, wanted = settings.naming, settings.container.port
    group = (existing.get("lb/targetGroup:TargetGroup", naming.name("tg")) or {}).get("port")
    made = int(group) if isinstance(group, (int, float)) else None
    if existing.get("ecs/service:Service", naming.name("service")) is None:
        return []
    serving = {port for tasks in running for port in tasks.ports} or ({made} if made is not None else {wanted})
    others = sorted(serving - {wanted})
    rollback = f"tapctl rollback --stack {settings.environment_suffix}"
    if others:
        sentence = (
            f"is {wanted}, but the tasks that have traffic answer on {' and '.join(map(str, others))}: "
            f"{keys.CONTAINER_PORT.later}. Wanted: weight 0 on the new stack"
        )
        back = f"   (or go back: {_SET} containerPort {made})" if made in others else ""
        return [Refusal(keys.CONTAINER_PORT, sentence, f"{rollback}{back}")]
    if made is not None and made != wanted:
        sentence = (
            f"is {wanted}, on which the tasks that have traffic answer, but the last run has made a target group for "
            f"{made}: to go back makes another, and the listeners lead there before a task does. Wanted: weight 0 on "
            "the new stack"
        )
        return [Refusal(keys.CONTAINER_PORT, sentence, rollback)]
    return []
