//! What is known of the AWS DMS task that keeps Aurora in step with the legacy RDS database.
//!
//! Pure.

use serde::{Deserialize, Serialize};

use super::units::Timestamp;

/// State of a replication task (DMS API, `ReplicationTask.Status`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskStatus {
    /// Copying or following changes.
    Running,
    /// Created and never started.
    Ready,
    /// Ended; the stop reason says why.
    Stopped,
    /// Ended by an error.
    Failed,
    /// Any other state, by its name: creating, starting, stopping, modifying, moving, deleting, testing …
    Other(String),
}

impl TaskStatus {
    /// Reads DMS's own word.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        match word {
            "running" => Self::Running,
            "ready" => Self::Ready,
            "stopped" => Self::Stopped,
            "failed" => Self::Failed,
            other => Self::Other(other.to_owned()),
        }
    }

    /// DMS's own word.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Running => "running",
            Self::Ready => "ready",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Other(word) => word,
        }
    }
}

/// The forward replication task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplicationTask {
    /// The task's name (DMS calls it `ReplicationTaskIdentifier`; the metric dimension of that name is the resource id instead).
    pub name: String,
    /// State.
    pub status: TaskStatus,
    /// `full-load`, `cdc` or `full-load-and-cdc`.
    pub migration_type: String,
    /// DMS's reason, when it stopped.
    pub stop_reason: Option<String>,
    /// DMS's message, when it failed.
    pub failure: Option<String>,
    /// Progress of the full load in percent.
    pub full_load_percent: Option<u8>,
    /// Tables loaded so far.
    pub tables_loaded: u32,
    /// Tables being loaded.
    pub tables_loading: u32,
    /// Tables not begun.
    pub tables_queued: u32,
    /// Tables in error.
    pub tables_errored: u32,
    /// When it was last started or resumed.
    pub started: Option<Timestamp>,
    /// When it last stopped.
    pub stopped: Option<Timestamp>,
}

impl ReplicationTask {
    /// DMS's words about an end or a failure that is not known to lie before the newest start. DMS keeps the newest
    /// failure's message (DMS API, `LastFailureMessage`), and a task that tries again says `running` all the while
    /// (DMS user guide, "Error handling task settings"), so only the two dates tell what is over.
    #[must_use]
    pub fn present_trouble(&self) -> Option<&str> {
        if let (Some(started), Some(stopped)) = (self.started, self.stopped)
            && stopped <= started
        {
            return None;
        }
        let harmless = |reason: &&str| HARMLESS.iter().any(|word| reason.ends_with(word));
        self.failure.as_deref().or_else(|| self.stop_reason.as_deref().filter(|reason| !harmless(reason)))
    }
}

/// Stop reasons after which a task was started again on purpose (DMS API, `ReplicationTask.StopReason`).
const HARMLESS: [&str; 8] = [
    "NORMAL",
    "STOPPED_AFTER_FULL_LOAD",
    "STOPPED_AFTER_CACHED_EVENTS",
    "STOPPED_AFTER_DDL_APPLY",
    "STOPPED_AT_SERVER_TIME",
    "STOPPED_AT_COMMIT_TIME",
    "RECONFIGURATION_RESTART",
    "RECYCLE_TASK",
];

/// The replication instance that runs the task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplicationInstance {
    /// Identifier, the metric dimension.
    pub id: String,
    /// `available`, `modifying`, `storage-full` …
    pub status: String,
    /// `dms.t3.medium` …
    pub class: String,
}

/// Task and instance, read together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replication {
    /// The forward task.
    pub task: ReplicationTask,
    /// Its instance.
    pub instance: Option<ReplicationInstance>,
    /// State of the reverse task (the way back after the write cutover), when the stack has one.
    pub reverse: Option<TaskStatus>,
}

/// One table's statistics (DMS API, `TableStatistics`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableStat {
    /// Schema, in MySQL the database.
    pub schema: String,
    /// Table.
    pub table: String,
    /// `Table completed`, `Full load`, `Before load`, `Table error`, `Table cancelled` …
    pub state: String,
    /// Rows copied by the full load.
    pub full_load_rows: i64,
    /// Changes captured on the source since then: inserts, updates and deletes.
    pub captured: i64,
    /// Rows that the full load could not write.
    pub load_errors: i64,
    /// Changes applied on the target; nothing where DMS does not count them.
    pub applied: Option<i64>,
    /// `Validated`, `Pending records`, `Mismatched records` …
    pub validation: String,
    /// Records that wait for validation; nothing where DMS does not say, as for the two below.
    pub validation_pending: Option<i64>,
    /// Records found different.
    pub validation_failed: Option<i64>,
    /// Records that changed too often to be compared.
    pub validation_suspended: Option<i64>,
    /// DMS's words about the validation.
    pub validation_details: Option<String>,
    /// When DMS made these statistics.
    pub updated: Option<Timestamp>,
}

/// DMS's words for a validation that goes on.
const PENDING: [&str; 4] = ["pending records", "pending validation", "preparing table", "pending revalidation"];

/// Where a table stands, folded from DMS's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TableState {
    /// Loaded, changes are being applied.
    Completed,
    /// Waiting for or in full load.
    Loading,
    /// DMS gave up on it or the load was cancelled; the task itself goes on running.
    Error,
}

/// Where a table's validation stands, folded from DMS's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ValidationState {
    /// Compared and equal.
    Validated,
    /// Not compared to the end yet.
    Pending,
    /// Compared and found different.
    Mismatched,
    /// DMS says validated, and not how many records failed, wait or are suspended: a word without its counts.
    Uncounted,
    /// Not compared, and not by waiting either: validation is off, there is no primary key, the table or its
    /// validation is in error, records are suspended. Nobody has found a difference.
    NotCompared,
}

/// How soon a table needs a hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// It does not come into order by waiting.
    Now,
    /// It may.
    Later,
    /// It is in order.
    None,
}

impl TableStat {
    /// Folds [`TableStat::state`]; a word that is not known counts as an error, because it is no proof of completion.
    #[must_use]
    pub fn table_state(&self) -> TableState {
        let is = |word: &str| self.state.eq_ignore_ascii_case(word);
        if is("table completed") {
            TableState::Completed
        } else if ["before load", "full load", "table is being reloaded"].into_iter().any(is) {
            TableState::Loading
        } else {
            TableState::Error
        }
    }

    /// Folds [`TableStat::validation`] with the counts beside it: `Validated` beside records that failed, wait or are
    /// suspended is not validated, and only a difference that was found is a mismatch.
    #[must_use]
    pub fn validation_state(&self) -> ValidationState {
        let is = |word: &str| self.validation.eq_ignore_ascii_case(word);
        let counts = |told: Option<i64>| told.is_some_and(|count| count != 0);
        let told = [self.validation_failed, self.validation_suspended, self.validation_pending];
        if counts(self.validation_failed) || is("mismatched records") {
            ValidationState::Mismatched
        } else if counts(self.validation_suspended) {
            ValidationState::NotCompared
        } else if is("validated") && told.contains(&None) {
            ValidationState::Uncounted
        } else if is("validated") {
            if counts(self.validation_pending) { ValidationState::Pending } else { ValidationState::Validated }
        } else if PENDING.into_iter().any(is) {
            ValidationState::Pending
        } else {
            ValidationState::NotCompared
        }
    }

    /// Why it was not compared, and what changes that; for [`ValidationState::NotCompared`].
    #[must_use]
    pub fn why_not_compared(&self) -> String {
        let name = self.full_name();
        let details = self.validation_details.as_ref().map(|words| format!(": {words}")).unwrap_or_default();
        match self.validation.to_ascii_lowercase().as_str() {
            "not enabled" => format!(
                "{name} (Not enabled): validation is off; set EnableValidation in the task's ValidationSettings and resume the task"
            ),
            "no primary key" => format!(
                "{name} (No primary key) can never be compared by DMS; give it a primary key or a unique index and reload it, or compare it by hand"
            ),
            "table error" => format!("{name} (Table error) is in error{details}; reload the table in DMS"),
            _ if self.validation_suspended.is_some_and(|count| count != 0) => format!(
                "{name} ({}): {} records change too often to be compared{details}; revalidate the table in DMS when it is quiet",
                self.validation,
                self.validation_suspended.unwrap_or_default()
            ),
            _ => format!("{name} ({}){details}; revalidate the table in DMS", self.validation),
        }
    }

    /// How soon it needs a hand: now, perhaps later, or not.
    #[must_use]
    pub fn need(&self) -> Need {
        match (self.table_state(), self.validation_state()) {
            _ if self.is_suspended() => Need::Now,
            (TableState::Error, _) | (_, ValidationState::Mismatched | ValidationState::NotCompared) => Need::Now,
            (TableState::Completed, ValidationState::Validated) => Need::None,
            _ => Need::Later,
        }
    }

    /// Whether the table gets no changes any more. Records that are suspended from *validation* are not that.
    #[must_use]
    pub fn is_suspended(&self) -> bool {
        const WORD: &[u8] = b"suspended";
        self.state.as_bytes().windows(WORD.len()).any(|part| part.eq_ignore_ascii_case(WORD))
    }

    /// `schema.table`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.schema, self.table)
    }
}

/// Counts over all tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct TableCounts {
    /// In CDC.
    pub completed: usize,
    /// In or before full load.
    pub loading: usize,
    /// In error.
    pub error: usize,
    /// Suspended.
    pub suspended: usize,
    /// Validated tables.
    pub validated: usize,
    /// Tables not compared to the end.
    pub pending: usize,
    /// Tables found different.
    pub mismatched: usize,
    /// Tables that are called validated without a count of what failed, waits or is suspended.
    pub uncounted: usize,
    /// Tables that are not compared and will not be by waiting.
    pub not_compared: usize,
}

impl TableCounts {
    /// Counts the tables.
    #[must_use]
    pub fn of(tables: &[TableStat]) -> Self {
        let mut counts = Self::default();
        for table in tables {
            match table.table_state() {
                TableState::Completed => counts.completed += 1,
                TableState::Loading => counts.loading += 1,
                TableState::Error => counts.error += 1,
            }
            match table.validation_state() {
                ValidationState::Validated => counts.validated += 1,
                ValidationState::Pending => counts.pending += 1,
                ValidationState::Mismatched => counts.mismatched += 1,
                ValidationState::Uncounted => counts.uncounted += 1,
                ValidationState::NotCompared => counts.not_compared += 1,
            }
            counts.suspended += usize::from(table.is_suspended());
        }
        counts
    }
}

#[cfg(test)]
pub(crate) mod fixtures {
    //! A task and tables that are all in step.

    use super::{Replication, ReplicationInstance, ReplicationTask, TableStat, TaskStatus};

    /// The forward task runs and has loaded everything; the reverse one waits.
    pub(crate) fn replication() -> Replication {
        Replication {
            task: ReplicationTask {
                name: "migration-task-prod".into(),
                status: TaskStatus::Running,
                migration_type: "full-load-and-cdc".into(),
                stop_reason: None,
                failure: None,
                full_load_percent: Some(100),
                tables_loaded: 12,
                tables_loading: 0,
                tables_queued: 0,
                tables_errored: 0,
                started: None,
                stopped: None,
            },
            instance: Some(ReplicationInstance {
                id: "migration-dms-prod".into(),
                status: "available".into(),
                class: "dms.t3.medium".into(),
            }),
            reverse: Some(TaskStatus::Ready),
        }
    }

    /// A table that is loaded, has applied what it captured and was compared.
    pub(crate) fn table(name: &str) -> TableStat {
        TableStat {
            schema: "shop".into(),
            table: name.into(),
            state: "Table completed".into(),
            full_load_rows: 10,
            load_errors: 0,
            captured: 5,
            applied: Some(5),
            validation: "Validated".into(),
            validation_pending: Some(0),
            validation_failed: Some(0),
            validation_suspended: Some(0),
            validation_details: None,
            updated: None,
        }
    }
}
