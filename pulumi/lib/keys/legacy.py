"""The legacy stack: its database, its load balancer, its network, and the name that both stacks answer."""

from lib import parsers
from lib.keys.row import Change, Key, optional

_AWS_ID = r"[0-9a-f]{8}([0-9a-f]{9})?"
_UNUSED = "only while no stream runs, and without traffic while the writer is legacy"

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
    later="endpoints change, and both streams stay stopped: the `up` ends with the commands that resume them",
    parse=parsers.arn("secretsmanager", r"secret:[A-Za-z0-9/_+=.@-]+-[A-Za-z0-9]{6}"),
    example="arn:aws:secretsmanager:us-west-2:123456789012:secret:legacy-db-a1B2c3",
    meaning="Secret with `username`, `password`, `host` and `port` of the replication account on the legacy "
    "database, or its replica, in the target region.",
)
SOURCE_DB_SECRET_KMS_KEY_ARN = Key(
    name="sourceDbSecretKmsKeyArn",
    change=Change.IN_PLACE,
    later="policies alone",
    parse=optional(parsers.arn("kms", r"key/[A-Za-z0-9-]+")),
    optional=True,
    example="arn:aws:kms:us-west-2:123456789012:key/1b2c3d4e-5f60-4718-92a3-b4c5d6e7f809",
    meaning="Customer key of the legacy secrets; leave out when they use `aws/secretsmanager`.",
)
SOURCE_DB_CA_CERTIFICATE = Key(
    name="sourceDbCaCertificate",
    change=Change.REPLACED,
    later="the new authority is imported first; endpoints change, and both streams stay stopped: the `up` ends with "
    "the commands that resume them; once set, it is never taken away",
    parse=optional(parsers.certificate),
    optional=True,
    example="-----BEGIN CERTIFICATE-----\nMIIB...\n-----END CERTIFICATE-----\n",
    meaning="PEM of RDS's certificate authority; DMS then speaks TLS with the legacy database and verifies it. "
    "Required for replication that is not peered.",
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
    parse=optional(parsers.dns_name),
    optional=True,
    default_words="looked up",
    example="legacy-web-1234567890.us-east-1.elb.amazonaws.com",
    meaning="DNS name of the legacy Classic load balancer; only where it may not be looked up.",
)
LEGACY_LB_ZONE_ID = Key(
    name="legacyLbZoneId",
    change=Change.IN_PLACE,
    later="the legacy record follows",
    parse=optional(parsers.pattern(r"Z[A-Z0-9]{3,31}", "must be a hosted zone id such as Z35SXDOTRQ7X7K")),
    optional=True,
    default_words="looked up",
    example="Z35SXDOTRQ7X7K",
    meaning="Canonical hosted zone id of the legacy load balancer; only where it may not be looked up.",
)
HOSTED_ZONE_ID = Key(
    name="hostedZoneId",
    change=Change.FIXED,
    later="hand the name back first: `tapctl release`",
    parse=optional(parsers.pattern(r"Z[A-Z0-9]{3,31}", "must be a hosted zone id such as Z0123456789ABCDEFGHIJ")),
    optional=True,
    example="Z0123456789ABCDEFGHIJ",
    meaning="Hosted zone of the record; either this or `hostedZoneName`.",
)
HOSTED_ZONE_NAME = Key(
    name="hostedZoneName",
    change=Change.FIXED,
    later="hand the name back first: `tapctl release`",
    parse=optional(parsers.dns_name),
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
    later=f"the new peering stands before the old one goes; {_UNUSED}",
    parse=optional(parsers.pattern(rf"vpc-{_AWS_ID}", "must be a VPC id such as vpc-0123456789abcdef0")),
    optional=True,
    example="vpc-0a1b2c3d4e5f60718",
    meaning="Peers the new VPC with this one; needs the three keys below as well.",
)
LEGACY_VPC_CIDR = Key(
    name="legacyVpcCidr",
    change=Change.REPLACED,
    later=f"the new routes stand before the old ones go; a range that does not hold the old one {_UNUSED}",
    parse=optional(parsers.network),
    optional=True,
    example="10.0.0.0/16",
    meaning="Address range of the legacy VPC.",
)
LEGACY_ROUTE_TABLE_IDS = Key(
    name="legacyRouteTableIds",
    change=Change.IN_PLACE,
    later=f"one route for each table comes or goes; taken away {_UNUSED}",
    parse=optional(
        parsers.words(parsers.pattern(rf"rtb-{_AWS_ID}", "each must be a route table id such as rtb-0123456789abcdef0"))
    ),
    optional=True,
    example="rtb-0a1b2c3d4e5f60718",
    meaning="Route tables of the legacy database's subnets; each gets a route to the new VPC.",
)
LEGACY_DB_SECURITY_GROUP_ID = Key(
    name="legacyDbSecurityGroupId",
    change=Change.REPLACED,
    later=f"the new rule stands before the old one goes; {_UNUSED}",
    parse=optional(parsers.pattern(rf"sg-{_AWS_ID}", "must be a security group id such as sg-0123456789abcdef0")),
    optional=True,
    example="sg-0a1b2c3d4e5f60718",
    meaning="Security group of the legacy database; it gets a rule that lets the new VPC in.",
)
