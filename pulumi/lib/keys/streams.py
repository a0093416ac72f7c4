"""The replication, in both directions.  One row for each key."""

from lib import parsers
from lib.keys.row import Change, Key, optional

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
    parse=optional(parsers.table_mappings),
    optional=True,
    default_words="every table of `sourceDbNames`, and tapctl's two",
    example='{"rules":[{"rule-type":"selection","rule-id":"1","rule-name":"orders","object-locator":{"schema-name":"shop","table-name":"orders"},"rule-action":"include"}]}',
    meaning="DMS table mappings as JSON, for both directions. Schemas of the server, of DMS and of tapctl are refused, "
    "those that a wildcard takes as well, unless a rule excludes them; only `tapctl.heartbeat` and `tapctl.marker` "
    "should be taken, and are missed with a warning. "
    "Transformation rules are refused: they would be applied once more on the way back.",
)
LOB_MODE = Key(
    name="lobMode",
    change=Change.IN_PLACE,
    later="both streams stop and resume where they were",
    parse=parsers.choice("full", "limited"),
    default="full",
    example="full",
    meaning="`full` carries large columns whole, but writes NULL first, so a NOT NULL one suspends its table; "
    "`limited` carries them at once, and cuts what is longer than `lobMaxSizeKb`.",
)
LOB_MAX_SIZE_KB = Key(
    name="lobMaxSizeKb",
    change=Change.IN_PLACE,
    later="both streams stop and resume where they were",
    parse=optional(parsers.number(1, 102400, "KB")),
    optional=True,
    example="512",
    meaning="With `lobMode` `limited`: well above the largest value that was measured; a longer one is cut, with a "
    "line in the log.",
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
    later="starts a forward task that has never run; refused in the `up` that makes it; never stops or resumes one",
    parse=parsers.boolean,
    default="false",
    example="false",
    meaning="Starts the forward task for the first time; set it once the schema is in Aurora and both endpoints have "
    "been tested.",
)
