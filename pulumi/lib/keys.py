"""The configuration keys: one row each.

Reading, checking, the table in the README and the example stack configuration (`reference.py`) all come from these
rows, so a new key is one row here and one field in `settings`.  Pure: nothing is read here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from lib import parsers

T_co = TypeVar("T_co", covariant=True)

_AWS_ID = r"[0-9a-f]{8}([0-9a-f]{9})?"


class Change(Enum):
    """What a changed value does to a stack that runs."""

    IN_PLACE = "in place"
    """AWS modifies what is there, or something without state comes and goes."""
    REPLACED = "replaced"
    """A new one is made under another physical name, what uses the old one moves over, and the old one goes."""
    FIXED = "fixed"
    """Refused: it would take the database, the name or the network with it."""


@dataclass(frozen=True, kw_only=True)
class Key(Generic[T_co]):
    """One configuration key of the program."""

    name: str
    parse: Callable[[str], T_co]
    meaning: str
    example: str
    change: Change
    later: str
    """What an operator should know before the value of a running stack is changed; for a fixed key, how to move."""
    default: str | None = None
    """The value as one would type it; `None` when there is none."""
    optional: bool = False
    """Whether the key may be left out though it has no default."""
    default_words: str = ""
    """What the README says instead of the default's value."""

    @property
    def required(self) -> bool:
        """Whether a stack without the key is refused."""
        return self.default is None and not self.optional


@dataclass(frozen=True)
class Refusal:
    """Why a value is refused: the key, what was found and is wanted, and the command that leads out of it."""

    key: Key[object]
    sentence: str
    command: str


def _optional(parse: Callable[[str], T_co]) -> Callable[[str], T_co | None]:
    return parse


ENVIRONMENT_SUFFIX = Key(
    name="environmentSuffix",
    change=Change.FIXED,
    later="make a second stack with the new suffix beside this one",
    parse=_optional(str),
    optional=True,
    default_words="the stack's name",
    example="prod",
    meaning="Ends every name; two stacks with different suffixes live side by side in one account.",
)
OWNER = Key(
    name="owner",
    change=Change.IN_PLACE,
    later="tags alone",
    parse=parsers.pattern(r"[A-Za-z0-9 _.:/=+@-]{1,256}", "must be 1 to 256 characters that AWS takes in a tag"),
    example="platform-team",
    meaning="Value of the tag `Owner` on every resource.",
)
VPC_CIDR = Key(
    name="vpcCidr",
    change=Change.FIXED,
    later="make a second stack with the new range beside this one",
    parse=parsers.vpc_network,
    default="10.42.0.0/16",
    example="10.42.0.0/16",
    meaning="Address range of the new VPC; must not overlap the legacy VPC when they are peered.",
)
NAT_GATEWAYS = Key(
    name="natGateways",
    change=Change.IN_PLACE,
    later="the addresses in `natAddresses` change: let the new ones in first",
    parse=parsers.choice("per-zone", "single"),
    default="per-zone",
    example="per-zone",
    meaning="`per-zone` survives the loss of a zone; `single` costs a third.",
)
SOURCE_DB_ENDPOINT = Key(
    name="sourceDbEndpoint",
    change=Change.IN_PLACE,
    later="new tasks; the secret must name the same host; refused once the forward stream has run, whose checkpoint "
    "belongs to one server",
    parse=parsers.dns_name,
    example="legacy-db.c9akciq32rgw.us-east-1.rds.amazonaws.com",
    meaning="Host name of the legacy RDS MySQL instance, as its secret has it.",
)
SOURCE_DB_PORT = Key(
    name="sourceDbPort",
    change=Change.IN_PLACE,
    later="rules, then new tasks; the secret must name the same port; refused once the forward stream has run",
    parse=parsers.number(1, 65535, "a port"),
    default="3306",
    example="3306",
    meaning="Port of the legacy RDS MySQL instance.",
)
SOURCE_DB_NAMES = Key(
    name="sourceDbNames",
    change=Change.IN_PLACE,
    later="both streams stop and resume where they were; a database that is added is not loaded by that",
    parse=parsers.databases,
    example="shop,billing",
    meaning="Databases to replicate; the first is the application's own.",
)
SOURCE_DB_SECRET_ARN = Key(
    name="sourceDbSecretArn",
    change=Change.IN_PLACE,
    later="endpoints pause their stream and test the connection before it resumes",
    parse=parsers.arn("secretsmanager", r"secret:[A-Za-z0-9/_+=.@-]+-[A-Za-z0-9]{6}"),
    example="arn:aws:secretsmanager:us-west-2:123456789012:secret:legacy-db-a1B2c3",
    meaning="Secret with `username`, `password`, `host` and `port` of the replication account on the legacy "
    "database, or its replica, in the target region.",
)
SOURCE_DB_SECRET_KMS_KEY_ARN = Key(
    name="sourceDbSecretKmsKeyArn",
    change=Change.IN_PLACE,
    later="policies alone",
    parse=_optional(parsers.arn("kms", r"key/[A-Za-z0-9-]+")),
    optional=True,
    example="arn:aws:kms:us-west-2:123456789012:key/1b2c3d4e-5f60-4718-92a3-b4c5d6e7f809",
    meaning="Customer key of the legacy secrets; leave out when they use `aws/secretsmanager`.",
)
DATABASE_ACCOUNTS = Key(
    name="databaseAccounts",
    change=Change.IN_PLACE,
    later="to `separate` only after the SQL task has made the accounts; the streams pause while the endpoints change "
    "over",
    parse=parsers.choice("separate", "shared"),
    default="separate",
    example="separate",
    meaning="`separate` lets the application, its readers, DMS and tapctl use an account and a secret each in Aurora; "
    "`shared` makes all of them the master user.",
)
LEGACY_APP_SECRET_ARN = Key(
    name="legacyAppSecretArn",
    change=Change.IN_PLACE,
    later="a new revision rolls out; run the SQL task again, which makes the account in Aurora, before Aurora is the "
    "writer",
    parse=_optional(parsers.arn("secretsmanager", r"secret:[A-Za-z0-9/_+=.@-]+-[A-Za-z0-9]{6}")),
    optional=True,
    example="arn:aws:secretsmanager:us-west-2:123456789012:secret:legacy-app-a1B2c3",
    meaning="Secret with `username` and `password` of the application's own account, in the target region: the same "
    "account on both databases, so that only the host changes in the cutover. Without it the tasks log in to the "
    "legacy database as DMS does, and the writer cannot be moved while they run.",
)
LEGACY_TAPCTL_SECRET_ARN = Key(
    name="legacyTapctlSecretArn",
    change=Change.IN_PLACE,
    later="an output alone",
    parse=_optional(parsers.arn("secretsmanager", r"secret:[A-Za-z0-9/_+=.@-]+-[A-Za-z0-9]{6}")),
    optional=True,
    example="arn:aws:secretsmanager:us-west-2:123456789012:secret:legacy-tapctl-a1B2c3",
    meaning="Secret of tapctl's own account on the legacy database; only tapctl reads it.",
)
LEGACY_FOLLOWS_WRITER = Key(
    name="legacyFollowsWriter",
    change=Change.IN_PLACE,
    later="a statement about the legacy stack; changes no resource",
    parse=parsers.boolean,
    default="false",
    example="false",
    meaning="`true` when the legacy stack tries both databases as well (`dbWriterHosts`), so that its traffic is no "
    "second writer once Aurora is the one.",
)
SOURCE_DB_CA_CERTIFICATE = Key(
    name="sourceDbCaCertificate",
    change=Change.REPLACED,
    later="the new authority is imported first; the streams pause while the endpoints change over; once set, it is "
    "never taken away",
    parse=_optional(parsers.certificate),
    optional=True,
    example="-----BEGIN CERTIFICATE-----\nMIIB...\n-----END CERTIFICATE-----\n",
    meaning="PEM of RDS's certificate authority; DMS then speaks TLS with the legacy database and verifies it. "
    "Required for replication that is not peered.",
)
AURORA_CA_CERTIFICATE = Key(
    name="auroraCaCertificate",
    change=Change.REPLACED,
    later="the new authority is imported first; the streams pause while the endpoints change over; once set, it is "
    "never taken away",
    parse=_optional(parsers.certificate),
    optional=True,
    example="-----BEGIN CERTIFICATE-----\nMIIB...\n-----END CERTIFICATE-----\n",
    meaning="PEM of RDS's certificate authority in the target region; DMS then speaks TLS with Aurora too.",
)
LEGACY_REGION = Key(
    name="legacyRegion",
    change=Change.FIXED,
    later="make a second stack for a database in another region",
    parse=parsers.region,
    default="us-east-1",
    example="us-east-1",
    meaning="Region of the legacy stack.",
)
LEGACY_LB_NAME = Key(
    name="legacyLbName",
    change=Change.IN_PLACE,
    later="the legacy record and its metrics follow",
    parse=parsers.pattern(
        r"[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?", "must be the name of a Classic load balancer"
    ),
    example="legacy-web",
    meaning="Name of the legacy Classic load balancer; the rest of it is looked up.",
)
LEGACY_LB_DNS_NAME = Key(
    name="legacyLbDnsName",
    change=Change.IN_PLACE,
    later="the legacy record follows",
    parse=_optional(parsers.dns_name),
    optional=True,
    default_words="looked up",
    example="legacy-web-1234567890.us-east-1.elb.amazonaws.com",
    meaning="DNS name of the legacy Classic load balancer; for `tapctl adopt` before the first `up`, and where it may "
    "not be looked up.",
)
LEGACY_LB_ZONE_ID = Key(
    name="legacyLbZoneId",
    change=Change.IN_PLACE,
    later="the legacy record follows",
    parse=_optional(parsers.pattern(r"Z[A-Z0-9]{3,31}", "must be a hosted zone id such as Z35SXDOTRQ7X7K")),
    optional=True,
    default_words="looked up",
    example="Z35SXDOTRQ7X7K",
    meaning="Canonical hosted zone id of the legacy load balancer; only where it may not be looked up.",
)
HOSTED_ZONE_ID = Key(
    name="hostedZoneId",
    change=Change.FIXED,
    later="hand the name back first: `tapctl release`",
    parse=_optional(parsers.pattern(r"Z[A-Z0-9]{3,31}", "must be a hosted zone id such as Z0123456789ABCDEFGHIJ")),
    optional=True,
    example="Z0123456789ABCDEFGHIJ",
    meaning="Hosted zone of the record; either this or `hostedZoneName`.",
)
HOSTED_ZONE_NAME = Key(
    name="hostedZoneName",
    change=Change.FIXED,
    later="hand the name back first: `tapctl release`",
    parse=_optional(parsers.dns_name),
    optional=True,
    example="example.com",
    meaning="Name of the public hosted zone, when its id is not given.",
)
RECORD_NAME = Key(
    name="recordName",
    change=Change.FIXED,
    later="hand the name back first: `tapctl release`",
    parse=parsers.dns_name,
    example="app.example.com",
    meaning='Host name whose traffic is moved; see "The record that is already there".',
)
LEGACY_VPC_ID = Key(
    name="legacyVpcId",
    change=Change.REPLACED,
    later="the new peering stands before the old one goes",
    parse=_optional(parsers.pattern(rf"vpc-{_AWS_ID}", "must be a VPC id such as vpc-0123456789abcdef0")),
    optional=True,
    example="vpc-0a1b2c3d4e5f60718",
    meaning="Peers the new VPC with this one; needs the three keys below as well.",
)
LEGACY_VPC_CIDR = Key(
    name="legacyVpcCidr",
    change=Change.REPLACED,
    later="the new routes stand before the old ones go",
    parse=_optional(parsers.network),
    optional=True,
    example="10.0.0.0/16",
    meaning="Address range of the legacy VPC.",
)
LEGACY_ROUTE_TABLE_IDS = Key(
    name="legacyRouteTableIds",
    change=Change.IN_PLACE,
    later="one route for each table comes or goes",
    parse=_optional(
        parsers.words(parsers.pattern(rf"rtb-{_AWS_ID}", "each must be a route table id such as rtb-0123456789abcdef0"))
    ),
    optional=True,
    example="rtb-0a1b2c3d4e5f60718",
    meaning="Route tables of the legacy database's subnets; each gets a route to the new VPC.",
)
LEGACY_DB_SECURITY_GROUP_ID = Key(
    name="legacyDbSecurityGroupId",
    change=Change.REPLACED,
    later="the new rule stands before the old one goes",
    parse=_optional(parsers.pattern(rf"sg-{_AWS_ID}", "must be a security group id such as sg-0123456789abcdef0")),
    optional=True,
    example="sg-0a1b2c3d4e5f60718",
    meaning="Security group of the legacy database; it gets a rule that lets the new VPC in.",
)
AURORA_ENGINE_VERSION = Key(
    name="auroraEngineVersion",
    change=Change.IN_PLACE,
    later="upwards only; the cluster restarts: up to a minute without a writer, and new binary log positions after a "
    "failover",
    parse=parsers.pattern(
        r"8\.0\.mysql_aurora\.3\.\d+\.\d+", "must be an Aurora MySQL 3 version such as 8.0.mysql_aurora.3.10.6"
    ),
    default="8.0.mysql_aurora.3.10.6",
    example="8.0.mysql_aurora.3.10.6",
    meaning="Version of Aurora MySQL (the default: newest patch of the long-term line on 2026-11-26); automatic "
    "minor upgrades are off, so a migration never meets one.",
)
BINLOG_RETENTION_HOURS = Key(
    name="binlogRetentionHours",
    change=Change.IN_PLACE,
    later="a new revision of the SQL task; run it to set the value",
    parse=parsers.number(1, 2160, "hours"),
    default="72",
    example="72",
    meaning="How long Aurora keeps its binary log, once the SQL task has set it: the longest stop of the way back.",
)
SQL_IMAGE = Key(
    name="sqlImage",
    change=Change.IN_PLACE,
    later="a new revision of the SQL task",
    parse=parsers.pattern(r"[a-z0-9][A-Za-z0-9._:/@-]{0,254}", "must be an image such as registry/mysql:8.4"),
    default="public.ecr.aws/docker/library/mysql:8.4",
    example="public.ecr.aws/docker/library/mysql:8.4",
    meaning="Image of the one-off task that runs SQL on Aurora; it needs `sh`, `sed` and `mysql`.",
)
AURORA_INSTANCE_CLASS = Key(
    name="auroraInstanceClass",
    change=Change.IN_PLACE,
    later="each instance restarts, the first one before the others: expect a failover",
    parse=parsers.pattern(r"db\.[a-z0-9-]+\.[a-z0-9-]+", "must be an instance class such as db.r6g.large"),
    default="db.r6g.large",
    example="db.r6g.large",
    meaning="Class of the writer and of both readers.",
)
WRITER = Key(
    name="writer",
    change=Change.IN_PLACE,
    later="new tasks; only as a step of the cutover, and refused where two databases would be written to",
    parse=parsers.choice("legacy", "aurora"),
    default="legacy",
    example="legacy",
    meaning="The one database that the tasks write to; `aurora` only as a step of the cutover.",
)
IMAGE_TAG = Key(
    name="imageTag",
    change=Change.IN_PLACE,
    later="a new revision rolls out behind the circuit breaker",
    parse=_optional(
        parsers.pattern(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", "must be the tag of an image, such as 2026-11-23-1a2b3c4")
    ),
    optional=True,
    example="2026-11-23-1a2b3c4",
    meaning="Tag of the image in the stack's own repository; without it everything but the service is created.",
)
CONTAINER_PORT = Key(
    name="containerPort",
    change=Change.REPLACED,
    later="refused while the new stack has traffic: no target answers until the new tasks run",
    parse=parsers.number(1, 65535, "a port"),
    default="8080",
    example="8080",
    meaning="Port on which the container answers, `/health` included.",
)
CONTAINER_USER = Key(
    name="containerUser",
    change=Change.IN_PLACE,
    later="a new revision rolls out",
    parse=_optional(parsers.pattern(r"[A-Za-z0-9_.-]+(:[A-Za-z0-9_.-]+)?", "must be a user or user:group")),
    optional=True,
    default_words="the image's own",
    example="1000:1000",
    meaning="User that the container runs as.",
)
CONTAINER_READ_ONLY = Key(
    name="containerReadOnly",
    change=Change.IN_PLACE,
    later="a new revision rolls out",
    parse=parsers.boolean,
    default="false",
    example="false",
    meaning="`true` makes the container's root file system read-only, with an empty `/tmp`, and takes its Linux "
    "capabilities away; not every image can live with that.",
)
TASK_CPU = Key(
    name="taskCpu",
    change=Change.IN_PLACE,
    later="a new revision rolls out",
    parse=parsers.one_of("CPU units", 256, 512, 1024, 2048, 4096),
    default="512",
    example="512",
    meaning="CPU units of a task (1024 is one vCPU).",
)
TASK_MEMORY = Key(
    name="taskMemory",
    change=Change.IN_PLACE,
    later="a new revision rolls out",
    parse=parsers.number(512, 30720, "MiB"),
    default="1024",
    example="1024",
    meaning="Memory of a task in MiB; Fargate takes two to eight times the CPU units, in steps of 1024 above 1024.",
)
CERTIFICATE_ARN = Key(
    name="certificateArn",
    change=Change.IN_PLACE,
    later="taken away only while the new stack has no traffic",
    parse=_optional(parsers.arn("acm", r"certificate/[A-Za-z0-9-]+")),
    optional=True,
    example="arn:aws:acm:us-west-2:123456789012:certificate/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
    meaning="Certificate in the target region; adds HTTPS, and HTTP then redirects.",
)
DMS_INSTANCE_CLASS = Key(
    name="dmsInstanceClass",
    change=Change.IN_PLACE,
    later="the replication instance restarts and resumes its streams",
    parse=parsers.pattern(r"dms\.[a-z0-9]+\.[a-z0-9]+", "must be a replication instance class such as dms.t3.medium"),
    default="dms.t3.medium",
    example="dms.t3.medium",
    meaning="Class of the replication instance.",
)
DMS_STORAGE = Key(
    name="dmsStorage",
    change=Change.IN_PLACE,
    later="upwards only",
    parse=parsers.number(5, 6144, "GB"),
    default="100",
    example="100",
    meaning="Disk of the replication instance in GB; changes that wait for the target spill to it.",
)
DMS_ENGINE_VERSION = Key(
    name="dmsEngineVersion",
    change=Change.IN_PLACE,
    later="upwards only; the replication instance restarts and resumes its streams",
    parse=parsers.pattern(r"3\.\d+\.\d+", "must be a version such as 3.6.1"),
    default="3.6.1",
    example="3.6.1",
    meaning="Engine version of the replication instance (the default: newest on 2026-11-26).",
)
DMS_MULTI_AZ = Key(
    name="dmsMultiAz",
    change=Change.IN_PLACE,
    later="a standby comes or goes",
    parse=parsers.boolean,
    default="false",
    example="false",
    meaning="`true` keeps a standby of the replication instance in a second zone, at twice the price.",
)
DMS_ACCOUNT_ROLES = Key(
    name="dmsAccountRoles",
    change=Change.FIXED,
    later="destroy the stack that owns the roles last",
    parse=parsers.choice("existing", "create"),
    default="existing",
    example="existing",
    meaning="`create` in the one stack of the account that owns `dms-vpc-role` and `dms-cloudwatch-logs-role`; "
    "they go with it.",
)
TABLE_MAPPINGS = Key(
    name="tableMappings",
    change=Change.IN_PLACE,
    later="both streams stop and resume where they were; a table that is added is not loaded by that",
    parse=_optional(parsers.table_mappings),
    optional=True,
    default_words="every table of `sourceDbNames`",
    example='{"rules":[{"rule-type":"selection","rule-id":"1","rule-name":"orders","object-locator":{"schema-name":"shop","table-name":"orders"},"rule-action":"include"}]}',
    meaning="DMS table mappings as JSON, for both directions. Schemas of the server, of DMS and of tapctl are refused, "
    "those that a wildcard takes as well, unless a rule excludes them.",
)
LOB_MODE = Key(
    name="lobMode",
    change=Change.IN_PLACE,
    later="both streams stop and resume where they were",
    parse=parsers.choice("full", "limited"),
    default="full",
    example="full",
    meaning="`full` carries large columns whole, but writes NULL first, so a NOT NULL one suspends its table; "
    "`limited` carries them at once, up to `lobMaxSizeKb`.",
)
LOB_MAX_SIZE_KB = Key(
    name="lobMaxSizeKb",
    change=Change.IN_PLACE,
    later="both streams stop and resume where they were",
    parse=_optional(parsers.number(1, 102400, "KB")),
    optional=True,
    example="512",
    meaning="With `lobMode` `limited`: above the largest value that was measured; a longer one suspends its table.",
)
LOOPBACK_PREVENTION = Key(
    name="loopbackPrevention",
    change=Change.IN_PLACE,
    later="both streams stop and resume where they were; switch it on before the way back is started",
    parse=parsers.boolean,
    default="false",
    example="false",
    meaning="`true` lets both streams run side by side: neither carries back what the other has written.",
)
FULL_LOAD_SUB_TASKS = Key(
    name="fullLoadSubTasks",
    change=Change.IN_PLACE,
    later="both streams stop and resume where they were",
    parse=parsers.number(1, 49, "tables"),
    default="8",
    example="8",
    meaning="Tables that are loaded at the same time.",
)
START_REPLICATION = Key(
    name="startReplication",
    change=Change.IN_PLACE,
    later="starts a forward task that has never run; never stops or resumes one",
    parse=parsers.boolean,
    default="false",
    example="false",
    meaning="Starts the forward task for the first time; set it once the schema is in Aurora and both endpoints have "
    "been tested.",
)
ALARM_EMAIL = Key(
    name="alarmEmail",
    change=Change.IN_PLACE,
    later="the new address has to confirm",
    parse=_optional(parsers.pattern(r"[^@\s]+@[^@\s]+\.[^@\s]+", "must be a mail address")),
    optional=True,
    example="on-call@example.com",
    meaning="Gets the alarms by mail, once the subscription has been confirmed.",
)
LOG_RETENTION_DAYS = Key(
    name="logRetentionDays",
    change=Change.IN_PLACE,
    later="events that are older go at once",
    parse=parsers.one_of("days", 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365),
    default="30",
    example="30",
    meaning="How long every log group keeps its events.",
)

FLOW_LOGS = Key(
    name="flowLogs",
    change=Change.IN_PLACE,
    later="comes or goes",
    parse=parsers.boolean,
    default="false",
    example="false",
    meaning="`true` logs every connection of the VPC.",
)
ACCOUNT_ID = Key(
    name="accountId",
    change=Change.FIXED,
    later="make a second stack in the other account",
    parse=_optional(parsers.pattern(r"\d{12}", "must be the 12 digits of an account")),
    optional=True,
    default_words="that of `sourceDbSecretArn`",
    example="123456789012",
    meaning="The only account that this stack may be made in, whatever the credentials.",
)

KEYS: tuple[Key[object], ...] = (
    ENVIRONMENT_SUFFIX,
    OWNER,
    VPC_CIDR,
    NAT_GATEWAYS,
    SOURCE_DB_ENDPOINT,
    SOURCE_DB_PORT,
    SOURCE_DB_NAMES,
    SOURCE_DB_SECRET_ARN,
    SOURCE_DB_SECRET_KMS_KEY_ARN,
    SOURCE_DB_CA_CERTIFICATE,
    DATABASE_ACCOUNTS,
    LEGACY_APP_SECRET_ARN,
    LEGACY_TAPCTL_SECRET_ARN,
    LEGACY_FOLLOWS_WRITER,
    LEGACY_REGION,
    LEGACY_LB_NAME,
    LEGACY_LB_DNS_NAME,
    LEGACY_LB_ZONE_ID,
    HOSTED_ZONE_ID,
    HOSTED_ZONE_NAME,
    RECORD_NAME,
    LEGACY_VPC_ID,
    LEGACY_VPC_CIDR,
    LEGACY_ROUTE_TABLE_IDS,
    LEGACY_DB_SECURITY_GROUP_ID,
    AURORA_ENGINE_VERSION,
    AURORA_INSTANCE_CLASS,
    AURORA_CA_CERTIFICATE,
    BINLOG_RETENTION_HOURS,
    SQL_IMAGE,
    WRITER,
    IMAGE_TAG,
    CONTAINER_PORT,
    CONTAINER_USER,
    CONTAINER_READ_ONLY,
    TASK_CPU,
    TASK_MEMORY,
    CERTIFICATE_ARN,
    DMS_INSTANCE_CLASS,
    DMS_STORAGE,
    DMS_ENGINE_VERSION,
    DMS_MULTI_AZ,
    DMS_ACCOUNT_ROLES,
    TABLE_MAPPINGS,
    LOB_MODE,
    LOB_MAX_SIZE_KB,
    LOOPBACK_PREVENTION,
    FULL_LOAD_SUB_TASKS,
    START_REPLICATION,
    ALARM_EMAIL,
    LOG_RETENTION_DAYS,
    FLOW_LOGS,
    ACCOUNT_ID,
)
