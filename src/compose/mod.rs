//! The composition root: the room that names adapters, so that no other has to.

pub mod endpoints;
pub mod error;
pub mod known;
pub mod naming;
mod outputs;
pub mod pulumi;
pub mod session;

use std::path::Path;
use std::sync::Arc;

use crate::ports::Journal;

pub use crate::adapters::aws::iam_actions;
pub use crate::adapters::ends;
pub use crate::adapters::host;
pub use error::ComposeError;

/// The journal in this folder, whichever stack it is of.
#[must_use]
pub fn journal(folder: &Path) -> Arc<dyn Journal> {
    Arc::new(crate::adapters::journal::FileJournal::new(folder))
}
