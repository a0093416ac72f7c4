"""Configuration and `AWS_REGION` in, frozen `Settings` out; every problem is told at once, before anything exists.

The only module that reads configuration.  A key's row is in `keys`; what keys mean together is checked here.
"""

import ipaddress
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar, cast

import pulumi

from lib import keys, parsers
from lib.keys import Key, Refusal
from lib.naming import NameRefusedError, Naming

T = TypeVar("T")

PROJECT = "tap"
REGION_FILE = Path(__file__).parent / "AWS_REGION"


class ConfigSource(Protocol):
    """The part of `pulumi.Config` that is needed."""

    def get(self, key: str, /) -> str | None:
        """The text of a key, or `None` when it is not set."""
        ...


@dataclass(frozen=True, kw_only=True)
class SourceDatabase:
    """The legacy RDS MySQL instance."""

    endpoint: str
    port: int
    databases: tuple[str, ...]
    secret_arn: str
    secret_kms_key_arn: str | None
    ca_certificate: str | None


@dataclass(frozen=True, kw_only=True)
class NamedBalancer:
    """The Classic load balancer in front of the legacy stack, as far as it is typed; the preflight looks it up."""

    name: str
    dns_name: str | None
    zone_id: str | None


@dataclass(frozen=True, kw_only=True)
class LegacyBalancer:
    """The Classic load balancer in front of the legacy stack, as AWS has it."""

    name: str
    dns_name: str
    zone_id: str
    https: bool | None
    """Whether it answers on 443; `None` when it could not be looked up."""


@dataclass(frozen=True, kw_only=True)
class Accounts:
    """Who logs in to the databases, beside the replication account of the legacy one."""

    separate: bool
    """Whether Aurora has an account and a secret for each, or everybody is the master user."""
    legacy_app_secret_arn: str | None
    """The application's own account, the same on both databases."""
    legacy_tapctl_secret_arn: str | None


@dataclass(frozen=True, kw_only=True)
class LegacyNetwork:
    """The legacy VPC, when the two are peered."""

    vpc_id: str
    cidr: str
    route_table_ids: tuple[str, ...]
    db_security_group_id: str


@dataclass(frozen=True, kw_only=True)
class Container:
    """The application's image and size."""

    image_tag: str | None
    port: int
    user: str | None
    read_only: bool
    cpu: int
    memory: int


@dataclass(frozen=True, kw_only=True)
class Dms:
    """The replication instance and what it replicates."""

    instance_class: str
    storage: int
    engine_version: str
    multi_az: bool
    creates_account_roles: bool
    table_mappings: str | None
    lob_max_size_kb: int | None
    """The limit of limited LOB mode; `None` is full LOB mode."""
    loopback_prevention: bool
    full_load_sub_tasks: int
    start: bool
    """Whether a forward task that has never run is started."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that one stack is told from outside."""

    region: str
    account_id: str
    legacy_region: str
    environment_suffix: str
    naming: Naming
    vpc_cidr: str
    single_nat: bool
    source: SourceDatabase
    accounts: Accounts
    legacy_balancer: NamedBalancer
    legacy_follows_writer: bool
    legacy_network: LegacyNetwork | None
    hosted_zone_id: str | None
    hosted_zone_name: str | None
    record_name: str
    aurora_engine_version: str
    aurora_instance_class: str
    aurora_ca_certificate: str | None
    binlog_retention_hours: int
    sql_image: str
    writer_is_aurora: bool
    container: Container
    certificate_arn: str | None
    dms: Dms
    alarm_email: str | None
    log_retention_days: int
    flow_logs: bool
    given: frozenset[str]
    """The keys that are set; the others have their defaults."""

    @staticmethod
    def load(config: ConfigSource, *, stack_name: str) -> "Settings":
        """Reads and checks all keys.

        Raises `pulumi.RunError` that names each key that is missing or malformed and the command that sets it.
        """
        return _settings(_Values.read(config), stack_name, read_region())


def read_region(file: Path = REGION_FILE) -> str:
    """The target region: the one line of `lib/AWS_REGION`."""
    region = file.read_text(encoding="utf-8").strip()
    try:
        return parsers.region(region)
    except ValueError as error:
        msg = f"lib/AWS_REGION is {region!r}: {error}"
        raise pulumi.RunError(msg) from error


class _Values:
    """The parsed value of every key."""

    def __init__(self, values: Mapping[str, object], given: frozenset[str]) -> None:
        self._values = values
        self.given = given

    @staticmethod
    def read(config: ConfigSource) -> "_Values":
        values: dict[str, object] = {}
        problems: list[str] = []
        given = {key.name for key in keys.KEYS if config.get(key.name) is not None}
        for key in keys.KEYS:
            text = config.get(key.name) if key.name in given else key.default
            if text is None:
                values[key.name] = None
                if key.required:
                    problems.append(problem(key, "is not set"))
                continue
            try:
                values[key.name] = key.parse(text)
            except ValueError as error:
                problems.append(problem(key, f"is {_shortened(text)!r}: {error}"))
        refuse(problems)
        return _Values(values, frozenset(given))

    def get(self, key: Key[T]) -> T:
        """The value of `key`; its type is what the key's own parser returned."""
        return cast("T", self._values[key.name])


def problem(key: Key[object], sentence: str, command: str | None = None) -> str:
    """One line about one key: what is wrong, and the command that mends it; without one, how to set the key."""
    mend = f"set it with: pulumi config set {key.name} '{_shortened(key.example)}'" if command is None else command
    return f"{PROJECT}:{key.name} {sentence}\n    {mend}"


def quoted(value: object) -> str:
    """A value that was read somewhere, as one word of a command that may be pasted: nothing in it is run or hidden."""
    text = str(value)
    if text.isprintable():
        return shlex.quote(text)
    escaped = text.encode("unicode_escape").decode("ascii").replace("'", "\\'")
    return f"$'{escaped}'"


def refused(refusal: Refusal) -> str:
    """A refusal as one problem."""
    return problem(refusal.key, refusal.sentence, f"do: {refusal.command}")


def refuse(problems: list[str]) -> None:
    """Stops the program when there is a problem, before the first resource."""
    if problems:
        raise pulumi.RunError("the stack's configuration cannot be used:\n  " + "\n  ".join(problems))


def _settings(values: _Values, stack_name: str, region: str) -> Settings:
    problems: list[str] = []
    suffix = values.get(keys.ENVIRONMENT_SUFFIX) or stack_name
    naming = _naming(suffix, values.get(keys.OWNER), problems)
    source = SourceDatabase(
        endpoint=values.get(keys.SOURCE_DB_ENDPOINT),
        port=values.get(keys.SOURCE_DB_PORT),
        databases=values.get(keys.SOURCE_DB_NAMES),
        secret_arn=values.get(keys.SOURCE_DB_SECRET_ARN),
        secret_kms_key_arn=values.get(keys.SOURCE_DB_SECRET_KMS_KEY_ARN),
        ca_certificate=values.get(keys.SOURCE_DB_CA_CERTIFICATE),
    )
    accounts = Accounts(
        separate=values.get(keys.DATABASE_ACCOUNTS) == "separate",
        legacy_app_secret_arn=values.get(keys.LEGACY_APP_SECRET_ARN),
        legacy_tapctl_secret_arn=values.get(keys.LEGACY_TAPCTL_SECRET_ARN),
    )
    _check_secrets(source, accounts, region, problems)
    certificate_arn = values.get(keys.CERTIFICATE_ARN)
    if certificate_arn is not None and certificate_arn.split(":")[3] != region:
        problems.append(problem(keys.CERTIFICATE_ARN, f"must lie in {region}, where the load balancer is"))
    legacy_network = _legacy_network(values, problems)
    _check_zone(values, problems)
    _check_balancer(values, problems)
    _check_task_size(values, problems)
    _check_lobs(values, problems)
    if values.get(keys.LEGACY_REGION) == region:
        problems.append(problem(keys.LEGACY_REGION, f"is {region}, the region that the migration moves to"))
    refuse(problems)
    return Settings(
        region=region,
        account_id=values.get(keys.ACCOUNT_ID) or source.secret_arn.split(":")[4],
        legacy_region=values.get(keys.LEGACY_REGION),
        environment_suffix=suffix,
        naming=naming,
        vpc_cidr=values.get(keys.VPC_CIDR),
        single_nat=values.get(keys.NAT_GATEWAYS) == "single",
        source=source,
        accounts=accounts,
        legacy_balancer=NamedBalancer(
            name=values.get(keys.LEGACY_LB_NAME),
            dns_name=values.get(keys.LEGACY_LB_DNS_NAME),
            zone_id=values.get(keys.LEGACY_LB_ZONE_ID),
        ),
        legacy_follows_writer=values.get(keys.LEGACY_FOLLOWS_WRITER),
        legacy_network=legacy_network,
        hosted_zone_id=values.get(keys.HOSTED_ZONE_ID),
        hosted_zone_name=values.get(keys.HOSTED_ZONE_NAME),
        record_name=values.get(keys.RECORD_NAME),
        aurora_engine_version=values.get(keys.AURORA_ENGINE_VERSION),
        aurora_instance_class=values.get(keys.AURORA_INSTANCE_CLASS),
        aurora_ca_certificate=values.get(keys.AURORA_CA_CERTIFICATE),
        binlog_retention_hours=values.get(keys.BINLOG_RETENTION_HOURS),
        sql_image=values.get(keys.SQL_IMAGE),
        writer_is_aurora=values.get(keys.WRITER) == "aurora",
        container=_container(values),
        certificate_arn=certificate_arn,
        dms=_dms(values),
        alarm_email=values.get(keys.ALARM_EMAIL),
        log_retention_days=values.get(keys.LOG_RETENTION_DAYS),
        flow_logs=values.get(keys.FLOW_LOGS),
        given=values.given,
    )


def _container(values: _Values) -> Container:
    return Container(
        image_tag=values.get(keys.IMAGE_TAG),
        port=values.get(keys.CONTAINER_PORT),
        user=values.get(keys.CONTAINER_USER),
        read_only=values.get(keys.CONTAINER_READ_ONLY),
        cpu=values.get(keys.TASK_CPU),
        memory=values.get(keys.TASK_MEMORY),
    )


def _dms(values: _Values) -> Dms:
    return Dms(
        instance_class=values.get(keys.DMS_INSTANCE_CLASS),
        storage=values.get(keys.DMS_STORAGE),
        engine_version=values.get(keys.DMS_ENGINE_VERSION),
        multi_az=values.get(keys.DMS_MULTI_AZ),
        creates_account_roles=values.get(keys.DMS_ACCOUNT_ROLES) == "create",
        table_mappings=values.get(keys.TABLE_MAPPINGS),
        lob_max_size_kb=values.get(keys.LOB_MAX_SIZE_KB),
        loopback_prevention=values.get(keys.LOOPBACK_PREVENTION),
        full_load_sub_tasks=values.get(keys.FULL_LOAD_SUB_TASKS),
        start=values.get(keys.START_REPLICATION),
    )


def _check_secrets(source: SourceDatabase, accounts: Accounts, region: str, problems: list[str]) -> None:
    read: tuple[tuple[Key[object], str | None, str], ...] = (
        (keys.SOURCE_DB_SECRET_ARN, source.secret_arn, "DMS reads it"),
        (keys.LEGACY_APP_SECRET_ARN, accounts.legacy_app_secret_arn, "the tasks read it"),
    )
    for key, arn, reader in read:
        if arn is not None and arn.split(":")[3] != region:
            sentence = (
                f"lies in {arn.split(':')[3]}, but {reader} in {region}; replicate it (aws secretsmanager "
                f"replicate-secret-to-regions --secret-id ... --add-replica-regions Region={region}) "
                "and give the replica's ARN"
            )
            problems.append(problem(key, sentence))
    kms = source.secret_kms_key_arn
    if kms is not None and kms.split(":")[3] != region:
        # KMS guide, "Multi-Region keys": a replica has the key id of its primary, and its own region in its ARN.
        sentence = (
            f"lies in {kms.split(':')[3]}, but the secrets are read in {region}, and a key decrypts in its own region "
            "alone. Wanted: the key of the secret's replica; that of a multi-Region key has an ARN of its own"
        )
        command = f"do: aws secretsmanager describe-secret --region {region} --secret-id {source.secret_arn}"
        problems.append(problem(keys.SOURCE_DB_SECRET_KMS_KEY_ARN, sentence, command))
    legacy: tuple[tuple[Key[object], str | None], ...] = (
        (keys.SOURCE_DB_SECRET_ARN, source.secret_arn),
        (keys.LEGACY_APP_SECRET_ARN, accounts.legacy_app_secret_arn),
        (keys.LEGACY_TAPCTL_SECRET_ARN, accounts.legacy_tapctl_secret_arn),
    )
    for at, (key, arn) in enumerate(legacy):
        other = next((before for before, same in legacy[:at] if arn is not None and same == arn), None)
        if other is not None:
            sentence = (
                f"is the secret of {other.name} as well: whoever a cutover locks out would take the other along. "
                "Wanted: an account and a secret for each"
            )
            problems.append(problem(key, sentence))


def _check_lobs(values: _Values, problems: list[str]) -> None:
    limited, limit = values.get(keys.LOB_MODE) == "limited", values.get(keys.LOB_MAX_SIZE_KB)
    if limited and limit is None:
        problems.append(problem(keys.LOB_MAX_SIZE_KB, "is not set, and lobMode 'limited' needs the size you measured"))
    if not limited and limit is not None:
        problems.append(problem(keys.LOB_MAX_SIZE_KB, "is set, and means nothing with lobMode 'full'"))


def _naming(suffix: str, owner: str, problems: list[str]) -> Naming:
    try:
        return Naming(suffix=suffix, owner=owner, project=PROJECT)
    except NameRefusedError as error:
        problems.append(problem(keys.ENVIRONMENT_SUFFIX, f"makes names that AWS refuses: {error}"))
        return Naming(suffix="refused", owner=owner, project=PROJECT)


def _legacy_network(values: _Values, problems: list[str]) -> LegacyNetwork | None:
    group: tuple[Key[object], ...] = (
        keys.LEGACY_VPC_ID,
        keys.LEGACY_VPC_CIDR,
        keys.LEGACY_ROUTE_TABLE_IDS,
        keys.LEGACY_DB_SECURITY_GROUP_ID,
    )
    if not any(key.name in values.given for key in group):
        return None
    vpc_id = values.get(keys.LEGACY_VPC_ID)
    cidr = values.get(keys.LEGACY_VPC_CIDR)
    route_table_ids = values.get(keys.LEGACY_ROUTE_TABLE_IDS)
    db_security_group_id = values.get(keys.LEGACY_DB_SECURITY_GROUP_ID)
    if vpc_id is None or cidr is None or route_table_ids is None or db_security_group_id is None:
        missing = [key for key in group if key.name not in values.given]
        problems.extend(problem(key, "is not set, and the peering needs all four of its keys") for key in missing)
        return None
    if ipaddress.IPv4Network(cidr).overlaps(ipaddress.IPv4Network(values.get(keys.VPC_CIDR))):
        problems.append(
            problem(keys.VPC_CIDR, f"overlaps the legacy VPC's {cidr}, and overlapping VPCs cannot be peered")
        )
    return LegacyNetwork(
        vpc_id=vpc_id, cidr=cidr, route_table_ids=route_table_ids, db_security_group_id=db_security_group_id
    )


def _check_zone(values: _Values, problems: list[str]) -> None:
    both = [key.name for key in (keys.HOSTED_ZONE_ID, keys.HOSTED_ZONE_NAME) if key.name in values.given]
    if len(both) != 1:
        sentence = "and hostedZoneName are both set; keep one" if both else "is not set, and neither is hostedZoneName"
        problems.append(problem(keys.HOSTED_ZONE_ID, sentence))


def _check_balancer(values: _Values, problems: list[str]) -> None:
    region, name = values.get(keys.LEGACY_REGION), values.get(keys.LEGACY_LB_DNS_NAME)
    if name is not None and not name.endswith(f".{region}.elb.amazonaws.com"):
        problems.append(problem(keys.LEGACY_LB_DNS_NAME, f"must end with .{region}.elb.amazonaws.com"))


def _check_task_size(values: _Values, problems: list[str]) -> None:
    cpu, memory = values.get(keys.TASK_CPU), values.get(keys.TASK_MEMORY)
    small = {256: {512, 1024, 2048}}
    allowed = small.get(cpu) or set(range(2 * cpu, 8 * cpu + 1, 1024))
    if memory not in allowed:
        text = ", ".join(map(str, sorted(allowed)))
        problems.append(problem(keys.TASK_MEMORY, f"is {memory}, but with {cpu} CPU units Fargate takes {text}"))


def _shortened(text: str, limit: int = 120) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."
