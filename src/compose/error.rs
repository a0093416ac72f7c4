//! Why the ports cannot be put together.
//!
//! Pure.

use std::io;
use std::path::Path;

use crate::config::ConfigError;
use crate::config::find::FindError;
use crate::domain::pulumi::PulumiError;

/// What is missing, or cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ComposeError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The stack outputs.
    #[error(transparent)]
    Find(#[from] FindError),
    /// Pulumi, or its answer.
    #[error(transparent)]
    Pulumi(#[from] PulumiError),
    /// The folder for state.
    #[error("the state folder {folder} cannot be used: {why}")]
    State {
        /// Which folder.
        folder: String,
        /// The system's words.
        why: String,
    },
}

impl ComposeError {
    /// The state folder cannot be made, or is not ours.
    #[must_use]
    pub fn state(folder: &Path, error: &io::Error) -> Self {
        Self::State { folder: folder.display().to_string(), why: error.to_string() }
    }
}
