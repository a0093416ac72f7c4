//! Whether a folder takes this writer.

use std::io;

use super::FileJournal;
use super::owner::{Binding, Owner};
use super::scan::bindings;

impl FileJournal {
    /// Refuses a folder that holds the journal of another stack. By its first line that names a record and no other: what
    /// a crash has torn, or somebody else got in since, does not keep the owner out. Whoever knows only the stack's name
    /// is let in when the folder has that name on a line of its own.
    pub(super) fn must_be_ours(&self) -> io::Result<()> {
        let Some(ours) = &self.binding else { return Ok(()) };
        let mut owner = Owner::default();
        for path in self.files()? {
            for line in bindings(&path)? {
                if let Some(may) = owner.hears(line?, ours) {
                    return if may { Ok(()) } else { Err(not_ours(owner.record.as_ref(), ours)) };
                }
            }
        }
        match (&ours.record, owner.record.or(owner.named)) {
            (None, Some(other)) => Err(not_ours(Some(&other), ours)),
            _ => Ok(()),
        }
    }
}

fn not_ours(owner: Option<&Binding>, ours: &Binding) -> io::Error {
    io::Error::other(format!(
        "this folder holds the journal of {}, not of {}; set TAPCTL_STATE_DIR to another folder, or leave it unset",
        owner.map_or_else(|| "another stack".to_owned(), Binding::text),
        ours.text()
    ))
}
