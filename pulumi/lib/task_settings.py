"""Settings of both replication tasks: none of DMS's defaults that lose data.  Pure.

DMS's own defaults drop the target's tables, cut LOBs at 32 KB with a line in the log, skip rows that cannot be
applied, keep no control tables and validate nothing.
"""

import json
from collections.abc import Sequence


def settings_json() -> str:
    """The task settings as JSON; the log group is not named here because DMS refuses it as read-only."""
    return json.dumps(
        {
            "TargetMetadata": {
                "TargetSchema": "",
                "SupportLobs": True,
                # Whole LOBs, in pieces: slower than the limited mode, which cuts what is longer than its limit.
                "FullLobMode": True,
                "LobChunkSize": 64,
                "LimitedSizeLobMode": False,
                "InlineLobMaxSize": 32,
                "BatchApplyEnabled": False,
            },
            "FullLoadSettings": {
                # The schema is loaded beforehand, with the indexes and defaults that DMS would leave out.
                "TargetTablePrepMode": "DO_NOTHING",
                "MaxFullLoadSubTasks": 8,
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
                # A row that would be changed by being copied takes its table out, which the gates see.
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
            },
            "ChangeProcessingDdlHandlingPolicy": {
                # A table dropped by mistake on one side is still there on the other.
                "HandleSourceTableDropped": False,
                "HandleSourceTableTruncated": True,
                "HandleSourceTableAltered": True,
            },
        },
        sort_keys=True,
    )


def mappings_json(databases: Sequence[str]) -> str:
    """Table mappings that take every table of the databases, and leave DMS's own tables out."""
    rules = [
        {
            "rule-type": "selection",
            "rule-id": str(number),
            "rule-name": f"include-{database}",
            # DMS reads % and _ as wildcards; a literal underscore is written in brackets.
            "object-locator": {"schema-name": database.replace("_", "[_]"), "table-name": "%"},
            "rule-action": "include",
        }
        for number, database in enumerate(databases, start=1)
    ]
    return json.dumps({"rules": rules}, sort_keys=True)
