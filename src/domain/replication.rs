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
}

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
    /// Changes applied on the target.
    pub applied: i64,
    /// `Validated`, `Pending records`, `Mismatched records` …
    pub validation: String,
    /// Records that wait for validation.
    pub validation_pending: i64,
    /// Records found different.
    pub validation_failed: i64,
    /// Records that changed too often to be compared.
    pub validation_suspended: i64,
    /// When DMS made these statistics.
    pub updated: Option<Timestamp>,
}

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
    /// Different, suspended, in error, or cannot be compared at all.
    Mismatched,
}

impl TableStat {
    /// Folds [`TableStat::state`]; a word that is not known counts as an error, because it is no proof of completion.
    #[must_use]
    pub fn table_state(&self) -> TableState {
        match self.state.to_ascii_lowercase().as_str() {
            "table completed" => TableState::Completed,
            "before load" | "full load" | "table is being reloaded" => TableState::Loading,
            _ => TableState::Error,
        }
    }

    /// Folds [`TableStat::validation`]. `No primary key` and `Not enabled` are never validated by DMS, so they count
    /// with the mismatches: they need a decision by a person.
    #[must_use]
    pub fn validation_state(&self) -> ValidationState {
        match self.validation.to_ascii_lowercase().as_str() {
            "validated" => ValidationState::Validated,
            "pending records" | "pending validation" | "preparing table" | "pending revalidation" => {
                ValidationState::Pending
            }
            _ => ValidationState::Mismatched,
        }
    }

    /// Whether rows are suspended from validation or the table from replication.
    #[must_use]
    pub fn is_suspended(&self) -> bool {
        self.validation.eq_ignore_ascii_case("suspended records")
            || self.state.to_ascii_lowercase().contains("suspended")
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
    /// Tables different, in error or never comparable.
    pub mismatched: usize,
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
            }
            counts.suspended += usize::from(table.is_suspended());
        }
        counts
    }
}
