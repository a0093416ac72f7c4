"""Settings of both replication tasks: none of DMS's defaults that lose data.  Pure.

DMS's own defaults drop the target's tables, cut LOBs at 32 KB with a line in the log, skip rows that cannot be
applied, keep no control tables and validate nothing.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from lib import selection

LOOPBACK_SCHEMA = "awsdms_control"
"""Where DMS keeps `awsdms_loopback_prevention` on both sides; its account has every right there."""

_LOOPBACK = "LoopbackPreventionSettings"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What an operator decides about both tasks."""

    lob_max_size_kb: int | None
    loopback_prevention: bool
    loopback_is_known: bool
    """Whether the task has been told about it before; see `knows_loopback`."""
    full_load_sub_tasks: int


def settings_json(options: Options) -> str:
    """The task settings as JSON, the same for both tasks.

    The log group is not named here because DMS refuses it as read-only.
    """
    told = {
        **_settings(options),
        "TargetMetadata": {
            "TargetSchema": "",
            **_lobs(options.lob_max_size_kb),
            # One applier that keeps the order: a marker proves what came before it, and loopback prevention works.
            "BatchApplyEnabled": False,
            "ParallelApplyThreads": 0,
        },
    }
    if options.loopback_prevention or options.loopback_is_known:
        # Mirrored schemas, batch apply off (DMS guide, "Performing bidirectional replication").
        told[_LOOPBACK] = {
            "EnableLoopbackPrevention": options.loopback_prevention,
            "SourceSchema": LOOPBACK_SCHEMA,
            "TargetSchema": LOOPBACK_SCHEMA,
        }
    return json.dumps(told, sort_keys=True)


def knows_loopback(settings: str | None) -> bool:
    """Whether a task with these settings has been told about loopback prevention.

    Such a task has to be told that it is off: the provider takes a setting that is left out for one that does not
    change (terraform-provider-aws, internal/service/dms/task_settings_json.go, `taskSettingsEqual`).  Any other must
    not be told: DMS keeps `null` there until somebody sets it (pull request 39756 there quotes such an answer), and for
    the provider a `null` differs from every value, so that each `up` would stop the task and modify it.
    """
    try:
        loaded: object = json.loads(settings or "{}")
    except json.JSONDecodeError:
        return False
    return isinstance(loaded, dict) and isinstance(cast("dict[str, object]", loaded).get(_LOOPBACK), dict)


def _lobs(max_size_kb: int | None) -> dict[str, object]:
    if max_size_kb is not None:
        # At once with its row, so a NOT NULL column is no trouble.  What is longer than the limit is cut, with a line
        # in the log (DMS guide, "Setting LOB support for source databases in an AWS DMS task").
        return {
            "SupportLobs": True,
            "FullLobMode": False,
            "LimitedSizeLobMode": True,
            "LobMaxSize": max_size_kb,
        }
    # Whole LOBs, in pieces, after a row with NULL in their place: a NOT NULL column suspends its table.
    return {
        "SupportLobs": True,
        "FullLobMode": True,
        "LobChunkSize": 64,
        "LimitedSizeLobMode": False,
        "InlineLobMaxSize": 32,
    }


def _settings(options: Options) -> dict[str, object]:
    return {
        "FullLoadSettings": {
            # The schema is loaded beforehand, with the indexes and defaults that DMS would leave out.
            "TargetTablePrepMode": "DO_NOTHING",
            "MaxFullLoadSubTasks": options.full_load_sub_tasks,
            "TransactionConsistencyTimeout": 600,
            "CommitRate": 10000,
            "StopTaskCachedChangesApplied": False,
            "StopTaskCachedChangesNotApplied": False,
        },
        "Logging": {
            "EnableLogging": True,
            "LogComponents": [
                {"Id": component, "Severity": "LOGGER_SEVERITY_DEFAULT"}
                for component in (
                    "SOURCE_UNLOAD",
                    "SOURCE_CAPTURE",
                    "TARGET_LOAD",
                    "TARGET_APPLY",
                    "TASK_MANAGER",
                    "SORTER",
                    "VALIDATOR_EXT",
                )
            ],
        },
        "ControlTablesSettings": {
            "ControlSchema": "",
            "HistoryTimeslotInMinutes": 5,
            "HistoryTableEnabled": True,
            "SuspendedTablesTableEnabled": True,
            "StatusTableEnabled": True,
            "FullLoadExceptionTableEnabled": True,
        },
        "ValidationSettings": {
            "EnableValidation": True,
            "ValidationMode": "ROW_LEVEL",
            "ThreadCount": 5,
            "FailureMaxCount": 10000,
            "TableFailureMaxCount": 1000,
            "ValidationOnly": False,
        },
        "ErrorBehavior": {
            # A row that would be changed by being copied takes its table out, which the gates see.  Of the truncation
            # policy the guide says "when data is truncated" ("Error handling task settings") and nothing of LOBs, of
            # which it promises a warning alone: it may not cover a LOB that limited mode cuts.
            "DataErrorPolicy": "SUSPEND_TABLE",
            "DataTruncationErrorPolicy": "SUSPEND_TABLE",
            "DataErrorEscalationPolicy": "SUSPEND_TABLE",
            "DataErrorEscalationCount": 0,
            "TableErrorPolicy": "SUSPEND_TABLE",
            "TableErrorEscalationPolicy": "STOP_TASK",
            "TableErrorEscalationCount": 0,
            # After a restart some changes come twice: the row is brought to the source's state, not skipped.
            "ApplyErrorInsertPolicy": "UPDATE_RECORD",
            "ApplyErrorUpdatePolicy": "INSERT_RECORD",
            "ApplyErrorDeletePolicy": "LOG_ERROR",
            "ApplyErrorEscalationPolicy": "LOG_ERROR",
            "ApplyErrorEscalationCount": 0,
            "ApplyErrorFailOnTruncationDdl": False,
            "FullLoadIgnoreConflicts": True,
            "FailOnTransactionConsistencyBreached": True,
            "FailOnNoTablesCaptured": True,
            "RecoverableErrorCount": -1,
            "RecoverableErrorInterval": 5,
            "RecoverableErrorThrottling": True,
            "RecoverableErrorThrottlingMax": 1800,
            # DMS's default ends the retries there, and with them the stream, in the middle of a night.
            "RecoverableErrorStopRetryAfterThrottlingMax": False,
        },
        "ChangeProcessingDdlHandlingPolicy": {
            # What empties or changes a table on one side never reaches the other, which may be the live one.
            "HandleSourceTableDropped": False,
            "HandleSourceTableTruncated": False,
            "HandleSourceTableAltered": False,
        },
    }


def mappings_json(databases: Sequence[str]) -> str:
    """Table mappings that take every table of the databases and tapctl's heartbeat and markers, and nothing of DMS.

    The tables of tapctl may not be there yet.  A rule that finds nothing is no error: a task fails only when all of its
    rules together find no table (DMS guide, "Error handling task settings", `FailOnNoTablesCaptured`), and it follows
    CREATE TABLE while it runs ("Limitations on using a MySQL database as a source for AWS DMS").
    """
    # DMS reads % and _ as wildcards; a literal underscore is written in brackets.
    taken = [(database, database.replace("_", "[_]"), "%") for database in databases]
    taken += [(f"{selection.TAPCTL}-{table}", selection.TAPCTL, table) for table in selection.CARRIED]
    rules = [
        {
            "rule-type": "selection",
            "rule-id": str(number),
            "rule-name": f"include-{name}",
            "object-locator": {"schema-name": schema, "table-name": table},
            "rule-action": "include",
        }
        for number, (name, schema, table) in enumerate(taken, start=1)
    ]
    return json.dumps({"rules": rules}, sort_keys=True)
