"""The configuration keys: one row each.

Reading, checking, the table in the README and the example stack configuration (`reference.py`) all come from these
rows, so a new key is one row here and one field in `settings`.  Pure: nothing is read here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from lib import parsers

T_co = TypeVar("T_co", covariant=True)

_AWS_ID = r"[0-9a-f]{8}([0-9a-f]{9})?"


@dataclass(frozen=True, kw_only=True)
class Key(Generic[T_co]):
    """One configuration key of the program."""

    name: str
    parse: Callable[[str], T_co]
    meaning: str
    example: str
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


def _optional(parse: Callable[[str], T_co]) -> Callable[[str], T_co | None]:
    return parse


ENVIRONMENT_SUFFIX = Key(
    name="environmentSuffix",
    parse=_optional(str),
    optional=True,
    default_words="the stack's name",
    example="prod",
    meaning="Ends every name; two stacks with different suffixes live side by side in one account.",
)
OWNER = Key(
    name="owner",
    parse=parsers.pattern(r"[A-Za-z0-9 _.:/=+@-]{1,256}", "must be 1 to 256 characters that AWS takes in a tag"),
    example="platform-team",
    meaning="Value of the tag `Owner` on every resource.",
)
VPC_CIDR = Key(
    name="vpcCidr",
    parse=parsers.vpc_network,
    default="10.42.0.0/16",
    example="10.42.0.0/16",
    meaning="Address range of the new VPC; must not overlap the legacy VPC when they are peered.",
)
NAT_GATEWAYS = Key(
    name="natGateways",
    parse=parsers.choice("per-zone", "single"),
    default="per-zone",
    example="per-zone",
    meaning="`per-zone` survives the loss of a zone; `single` costs a third.",
)
SOURCE_DB_ENDPOINT = Key(
    name="sourceDbEndpoint",
    parse=parsers.dns_name,
    example="legacy-db.c9akciq32rgw.us-east-1.rds.amazonaws.com",
    meaning="Host name of the legacy RDS MySQL instance.",
)
SOURCE_DB_PORT = Key(
    name="sourceDbPort",
    parse=parsers.number(1, 65535, "a port"),
    example="3306",
    meaning="Port of the legacy RDS MySQL instance.",
)
SOURCE_DB_NAMES = Key(
    name="sourceDbNames",
    parse=parsers.words(
        parsers.pattern(
            r"[A-Za-z0-9_$-]{1,64}", "each must be a MySQL database name of 1 to 64 characters, no wildcard"
        )
    ),
    example="shop,billing",
    meaning="Databases to replicate; the first is the application's own.",
)
SOURCE_DB_SECRET_ARN = Key(
    name="sourceDbSecretArn",
    parse=parsers.arn("secretsmanager", r"secret:[A-Za-z0-9/_+=.@-]+-[A-Za-z0-9]{6}"),
    example="arn:aws:secretsmanager:us-west-2:123456789012:secret:legacy-db-a1B2c3",
    meaning="Secret with `username`, `password`, `host` and `port` of the legacy database, or its replica, "
    "in the target region.",
)
SOURCE_DB_SECRET_KMS_KEY_ARN = Key(
    name="sourceDbSecretKmsKeyArn",
    parse=_optional(parsers.arn("kms", r"key/[A-Za-z0-9-]+")),
    optional=True,
    example="arn:aws:kms:us-west-2:123456789012:key/1b2c3d4e-5f60-4718-92a3-b4c5d6e7f809",
    meaning="Customer key of that secret; leave out when it uses `aws/secretsmanager`.",
)
SOURCE_DB_CA_CERTIFICATE = Key(
    name="sourceDbCaCertificate",
    parse=_optional(parsers.certificate),
    optional=True,
    example="-----BEGIN CERTIFICATE-----\nMIIB...\n-----END CERTIFICATE-----\n",
    meaning="PEM of RDS's certificate authority; DMS then speaks TLS with the legacy database and verifies it.",
)
LEGACY_REGION = Key(
    name="legacyRegion",
    parse=parsers.pattern(r"[a-z]{2}(-[a-z]+)+-\d", "must be a region such as us-east-1"),
    default="us-east-1",
    example="us-east-1",
    meaning="Region of the legacy stack.",
)
LEGACY_LB_NAME = Key(
    name="legacyLbName",
    parse=parsers.pattern(
        r"[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?", "must be the name of a Classic load balancer"
    ),
    example="legacy-web",
    meaning="Name of the legacy Classic load balancer (for its metrics).",
)
LEGACY_LB_DNS_NAME = Key(
    name="legacyLbDnsName",
    parse=parsers.dns_name,
    example="legacy-web-1234567890.us-east-1.elb.amazonaws.com",
    meaning="DNS name of the legacy Classic load balancer.",
)
LEGACY_LB_ZONE_ID = Key(
    name="legacyLbZoneId",
    parse=parsers.pattern(r"Z[A-Z0-9]{3,31}", "must be a hosted zone id such as Z35SXDOTRQ7X7K"),
    default="Z35SXDOTRQ7X7K",
    example="Z35SXDOTRQ7X7K",
    meaning="Canonical hosted zone id of the legacy load balancer; the default is that of us-east-1.",
)
HOSTED_ZONE_ID = Key(
    name="hostedZoneId",
    parse=_optional(parsers.pattern(r"Z[A-Z0-9]{3,31}", "must be a hosted zone id such as Z0123456789ABCDEFGHIJ")),
    optional=True,
    example="Z0123456789ABCDEFGHIJ",
    meaning="Hosted zone of the record; either this or `hostedZoneName`.",
)
HOSTED_ZONE_NAME = Key(
    name="hostedZoneName",
    parse=_optional(parsers.dns_name),
    optional=True,
    example="example.com",
    meaning="Name of the public hosted zone, when its id is not given.",
)
RECORD_NAME = Key(
    name="recordName",
    parse=parsers.dns_name,
    example="app.example.com",
    meaning='Host name whose traffic is moved; see "The record that is already there".',
)
LEGACY_VPC_ID = Key(
    name="legacyVpcId",
    parse=_optional(parsers.pattern(rf"vpc-{_AWS_ID}", "must be a VPC id such as vpc-0123456789abcdef0")),
    optional=True,
    example="vpc-0a1b2c3d4e5f60718",
    meaning="Peers the new VPC with this one; needs the three keys below as well.",
)
LEGACY_VPC_CIDR = Key(
    name="legacyVpcCidr",
    parse=_optional(parsers.network),
    optional=True,
    example="10.0.0.0/16",
    meaning="Address range of the legacy VPC.",
)
LEGACY_ROUTE_TABLE_IDS = Key(
    name="legacyRouteTableIds",
    parse=_optional(
        parsers.words(parsers.pattern(rf"rtb-{_AWS_ID}", "each must be a route table id such as rtb-0123456789abcdef0"))
    ),
    optional=True,
    example="rtb-0a1b2c3d4e5f60718",
    meaning="Route tables of the legacy database's subnets; each gets a route to the new VPC.",
)
LEGACY_DB_SECURITY_GROUP_ID = Key(
    name="legacyDbSecurityGroupId",
    parse=_optional(parsers.pattern(rf"sg-{_AWS_ID}", "must be a security group id such as sg-0123456789abcdef0")),
    optional=True,
    example="sg-0a1b2c3d4e5f60718",
    meaning="Security group of the legacy database; it gets a rule that lets the new VPC in.",
)
AURORA_ENGINE_VERSION = Key(
    name="auroraEngineVersion",
    parse=parsers.pattern(
        r"8\.0\.mysql_aurora\.3\.\d+\.\d+", "must be an Aurora MySQL 3 version such as 8.0.mysql_aurora.3.10.0"
    ),
    default="8.0.mysql_aurora.3.10.0",
    example="8.0.mysql_aurora.3.10.0",
    meaning="Version of Aurora MySQL; automatic minor upgrades are off, so a migration never meets one.",
)
AURORA_INSTANCE_CLASS = Key(
    name="auroraInstanceClass",
    parse=parsers.pattern(r"db\.[a-z0-9-]+\.[a-z0-9-]+", "must be an instance class such as db.r6g.large"),
    default="db.r6g.large",
    example="db.r6g.large",
    meaning="Class of the writer and of both readers.",
)
WRITER = Key(
    name="writer",
    parse=parsers.choice("legacy", "aurora"),
    default="legacy",
    example="legacy",
    meaning="The one database that the tasks write to; `aurora` only as a step of the cutover.",
)
IMAGE_TAG = Key(
    name="imageTag",
    parse=_optional(
        parsers.pattern(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", "must be the tag of an image, such as 2026-11-23-1a2b3c4")
    ),
    optional=True,
    example="2026-11-23-1a2b3c4",
    meaning="Tag of the image in the stack's own repository; without it everything but the service is created.",
)
CONTAINER_PORT = Key(
    name="containerPort",
    parse=parsers.number(1, 65535, "a port"),
    default="8080",
    example="8080",
    meaning="Port on which the container answers, `/health` included.",
)
TASK_CPU = Key(
    name="taskCpu",
    parse=parsers.one_of("CPU units", 256, 512, 1024, 2048, 4096),
    default="512",
    example="512",
    meaning="CPU units of a task (1024 is one vCPU).",
)
TASK_MEMORY = Key(
    name="taskMemory",
    parse=parsers.number(512, 30720, "MiB"),
    default="1024",
    example="1024",
    meaning="Memory of a task in MiB; Fargate takes two to eight times the CPU units, in steps of 1024 above 1024.",
)
CERTIFICATE_ARN = Key(
    name="certificateArn",
    parse=_optional(parsers.arn("acm", r"certificate/[A-Za-z0-9-]+")),
    optional=True,
    example="arn:aws:acm:us-west-2:123456789012:certificate/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
    meaning="Certificate in the target region; adds HTTPS, and HTTP then redirects.",
)
DMS_INSTANCE_CLASS = Key(
    name="dmsInstanceClass",
    parse=parsers.pattern(r"dms\.[a-z0-9]+\.[a-z0-9]+", "must be a replication instance class such as dms.t3.medium"),
    default="dms.t3.medium",
    example="dms.t3.medium",
    meaning="Class of the replication instance.",
)
DMS_STORAGE = Key(
    name="dmsStorage",
    parse=parsers.number(5, 6144, "GB"),
    default="100",
    example="100",
    meaning="Disk of the replication instance in GB; changes that wait for the target spill to it.",
)
DMS_ENGINE_VERSION = Key(
    name="dmsEngineVersion",
    parse=parsers.pattern(r"3\.\d+\.\d+", "must be a version such as 3.6.1"),
    default="3.6.1",
    example="3.6.1",
    meaning="Engine version of the replication instance.",
)
DMS_ACCOUNT_ROLES = Key(
    name="dmsAccountRoles",
    parse=parsers.choice("existing", "create"),
    default="existing",
    example="existing",
    meaning="`create` in the one stack of the account that owns `dms-vpc-role` and `dms-cloudwatch-logs-role`; "
    "they go with it.",
)
TABLE_MAPPINGS = Key(
    name="tableMappings",
    parse=_optional(parsers.table_mappings),
    optional=True,
    default_words="every table of `sourceDbNames`",
    example='{"rules":[{"rule-type":"selection","rule-id":"1","rule-name":"orders","object-locator":{"schema-name":"shop","table-name":"orders"},"rule-action":"include"}]}',
    meaning="DMS table mappings as JSON, for both directions.",
)
START_REPLICATION = Key(
    name="startReplication",
    parse=parsers.boolean,
    default="false",
    example="false",
    meaning="Starts the forward task; set it once the schema is in Aurora and both endpoints have been tested.",
)
ALARM_EMAIL = Key(
    name="alarmEmail",
    parse=_optional(parsers.pattern(r"[^@\s]+@[^@\s]+\.[^@\s]+", "must be a mail address")),
    optional=True,
    example="on-call@example.com",
    meaning="Gets the alarms by mail, once the subscription has been confirmed.",
)
LOG_RETENTION_DAYS = Key(
    name="logRetentionDays",
    parse=parsers.one_of("days", 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365),
    default="30",
    example="30",
    meaning="How long every log group keeps its events.",
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
    WRITER,
    IMAGE_TAG,
    CONTAINER_PORT,
    TASK_CPU,
    TASK_MEMORY,
    CERTIFICATE_ARN,
    DMS_INSTANCE_CLASS,
    DMS_STORAGE,
    DMS_ENGINE_VERSION,
    DMS_ACCOUNT_ROLES,
    TABLE_MAPPINGS,
    START_REPLICATION,
    ALARM_EMAIL,
    LOG_RETENTION_DAYS,
)
