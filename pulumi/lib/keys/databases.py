"""Who writes where and as whom, and Aurora.  One row for each key."""

from lib import parsers
from lib.keys.row import Change, Key, optional

DATABASE_ACCOUNTS = Key(
    name="databaseAccounts",
    change=Change.IN_PLACE,
    later="to `separate` only after the SQL task has made the accounts; endpoints change, and both streams stay "
    "stopped: the `up` ends with the commands that resume them",
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
    "writer; refused while it is",
    parse=optional(parsers.arn("secretsmanager", r"secret:[A-Za-z0-9/_+=.@-]+-[A-Za-z0-9]{6}")),
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
    parse=optional(parsers.arn("secretsmanager", r"secret:[A-Za-z0-9/_+=.@-]+-[A-Za-z0-9]{6}")),
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
WRITER = Key(
    name="writer",
    change=Change.IN_PLACE,
    later="new tasks; only as a step of the cutover, and refused where two databases would be written to",
    parse=parsers.choice("legacy", "aurora"),
    default="legacy",
    example="legacy",
    meaning="The one database that the tasks write to; `aurora` only as a step of the cutover.",
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
AURORA_INSTANCE_CLASS = Key(
    name="auroraInstanceClass",
    change=Change.IN_PLACE,
    later="each instance restarts, the first one before the others: expect a failover",
    parse=parsers.pattern(r"db\.[a-z0-9-]+\.[a-z0-9-]+", "must be an instance class such as db.r6g.large"),
    default="db.r6g.large",
    example="db.r6g.large",
    meaning="Class of the writer and of both readers.",
)
AURORA_CA_CERTIFICATE = Key(
    name="auroraCaCertificate",
    change=Change.REPLACED,
    later="the new authority is imported first; endpoints change, and both streams stay stopped: the `up` ends with "
    "the commands that resume them; once set, it is never taken away",
    parse=optional(parsers.certificate),
    optional=True,
    example="-----BEGIN CERTIFICATE-----\nMIIB...\n-----END CERTIFICATE-----\n",
    meaning="PEM of RDS's certificate authority in the target region; DMS then speaks TLS with Aurora too.",
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
    meaning="Image of the one-off task that runs SQL on Aurora; it needs `sh`, `sed`, `timeout` and `mysql`.",
)
