//! What ties the entries about one change around Pulumi together, so that one without an outcome can be settled.

use serde::{Deserialize, Serialize};

use crate::domain::units::Timestamp;

/// Which change around Pulumi a note is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum ChangeMark {
    /// It is about to be made.
    Intent {
        /// Ties the outcome to the intent.
        id: String,
        /// What was asked.
        title: String,
        /// What it does, as far as its settling has to know.
        means: Means,
    },
    /// It is known what came of it.
    Outcome {
        /// The intent's id.
        id: String,
    },
}

/// What a change around Pulumi does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "does", rename_all = "snake_case")]
pub enum Means {
    /// It makes the stack.
    CreateStack,
    /// It begins a run, whose folder names this intent.
    Run,
    /// It sets a key.
    Config {
        /// Which.
        key: String,
        /// To what; nothing of a secret, and of what is longer than the journal holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<String>,
    },
    /// It asks a run to stop.
    Interrupt {
        /// Which.
        run: String,
    },
    /// It ends a run by force.
    ForceStop {
        /// Which.
        run: String,
    },
    /// It clears locks.
    ClearLocks {
        /// Which, each in a few words.
        locks: Vec<String>,
    },
}

/// A change around Pulumi whose outcome is not in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenChange {
    /// The intent's id.
    pub id: String,
    /// When it was confirmed.
    pub at: Timestamp,
    /// What was asked.
    pub title: String,
    /// What it does.
    pub means: Means,
}

/// A run whose beginning is in the journal and whose end is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRun {
    /// The run.
    pub id: String,
    /// Who started it, and the end belongs to.
    pub operator: String,
}

/// A request to stop a run, as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopNoted {
    /// The intent's id.
    pub id: String,
    /// The run.
    pub run: String,
    /// When it was confirmed.
    pub at: Timestamp,
    /// Whose it is.
    pub operator: String,
    /// What came of it, as far as that is noted.
    pub came: Option<String>,
}

impl StopNoted {
    /// In a few words.
    #[must_use]
    pub fn text(&self) -> String {
        let came = self.came.as_deref().unwrap_or("what came of it is not noted");
        format!("one of {} UTC by {} ({came})", self.at.hms(), self.operator)
    }
}
