//! The state folder: whether it can be written, and what its journal says.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::Check;
use crate::commands::failure::{Exit, Failure};
use crate::compose::session::Session;
use crate::config::state::{FOLDER_MODE, prove_writable};
use crate::domain::units::counted;
use crate::runtime::collect::Collected;

pub(super) fn state(session: &Session) -> Check {
    let folder = &session.state_dir;
    if let Err(error) = prove_writable(folder) {
        return unwritable(folder, &error);
    }
    match std::fs::metadata(folder) {
        Ok(metadata) if metadata.permissions().mode() & 0o777 == FOLDER_MODE => {
            Check::ok("state", folder.display().to_string())
        }
        Ok(metadata) => Check::warn(
            "state",
            format!("{} has mode {:o}", folder.display(), metadata.permissions().mode() & 0o777),
            format!("chmod 700 {}", folder.display()),
        ),
        Err(error) => unwritable(folder, &error),
    }
}

/// Without an intent on disk nothing is sent, forward or back.
fn unwritable(folder: &Path, error: &io::Error) -> Check {
    let found = format!(
        "{} cannot be written: {error}; nothing can be moved from here, neither forward nor back, since no intent could be kept",
        folder.display()
    );
    let hint = "make room there or mount it writable, or set TAPCTL_STATE_DIR to a folder that can be written";
    Check::fail("state", &Failure::new(Exit::Error, "storage", found, hint))
}

pub(super) fn journal(collected: &Collected) -> Check {
    match &collected.journal {
        Ok(read) if read.broken > 0 => Check::warn(
            "journal",
            format!(
                "{}, {} that cannot be read",
                counted(read.entries.len(), "entry", "entries"),
                counted(read.broken, "line", "lines")
            ),
            "look at journal.jsonl in the state folder; what those lines said is not known",
        ),
        Ok(read) if read.history.unfinished().is_some() => {
            Check::warn("journal", "a change without an outcome", "tapctl status settles it from the records")
        }
        Ok(read) if !read.history.changes.is_empty() => {
            let open = counted(read.history.changes.len(), "change", "changes");
            Check::warn(
                "journal",
                format!("{open} around Pulumi without an outcome"),
                "tapctl config settles what can be",
            )
        }
        Ok(read) => Check::ok("journal", counted(read.entries.len(), "entry", "entries")),
        Err(error) => Check::port("journal", error),
    }
}
