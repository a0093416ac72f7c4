//! The mark that a request to stop a run has in the run's folder: how far it came, and whether somebody is still at it.
//!
//! A file for each intent. The lock on it goes with the process that holds it, however that ends; a process that is only
//! stopped keeps it.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};

use super::folder::{RunDir, storage};
use crate::domain::error::PortError;
use crate::domain::pulumi::stop::{Stage, StopSeen};

const PREFIX: &str = "stop-";
/// Longest mark that is read; a whole one has thirty bytes.
const MAX_BYTES: u64 = 1 << 10;

/// Makes the mark of this intent, held for as long as the file is open.
///
/// # Errors
/// `Storage` when it cannot be made, or is there already.
pub(super) fn hold(dir: &RunDir, intent: &str) -> Result<File, PortError> {
    let (name, path) = (name(intent), dir.file(&name(intent)));
    // It has its lock before its name, so that nobody who looks finds it between the two.
    let unnamed = format!(".{name}");
    let file = dir.make(&unnamed, b"")?;
    file.try_lock().map_err(|error| storage("lock", &path, &error))?;
    let named = fs::hard_link(dir.file(&unnamed), &path);
    let _nobody_reads_it = fs::remove_file(dir.file(&unnamed));
    named.map_err(|error| storage("create", &path, &error))?;
    Ok(file)
}

/// Notes how far it has come; it is on disk when this returns.
///
/// # Errors
/// `Storage` when it cannot be written.
pub(super) fn note(dir: &RunDir, intent: Option<&str>, stage: Stage) -> Result<(), PortError> {
    let Some(intent) = intent else { return Ok(()) };
    let name = name(intent);
    let written = dir.append(&name).and_then(|mut file| {
        writeln!(file, "{}", stage.word())?;
        file.sync_all()
    });
    written.map_err(|error| storage("write", &dir.file(&name), &error))
}

/// All marks of a run.
///
/// # Errors
/// When the folder or one of them cannot be read.
pub(super) fn all(dir: &RunDir) -> Result<Vec<StopSeen>, PortError> {
    let read = || -> io::Result<Vec<StopSeen>> {
        let mut seen = Vec::new();
        for entry in fs::read_dir(dir.path())? {
            let name = entry?.file_name();
            let Some(intent) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
            seen.push(one(dir, intent)?);
        }
        Ok(seen)
    };
    read().map_err(|error| storage("read", dir.path(), &error))
}

fn one(dir: &RunDir, intent: &str) -> io::Result<StopSeen> {
    use std::io::Read;
    let file = File::open(dir.file(&name(intent)))?;
    let is_held = match file.try_lock_shared() {
        Ok(()) => false,
        Err(TryLockError::WouldBlock) => true,
        Err(TryLockError::Error(error)) => return Err(error),
    };
    // Read after the lock, so that nobody who was at it has gone on since.
    let mut lines = String::new();
    file.take(MAX_BYTES).read_to_string(&mut lines)?;
    Ok(StopSeen { intent: intent.to_owned(), is_held, stage: Stage::of(&lines) })
}

fn name(intent: &str) -> String {
    // Our own ids have no other characters; what is read from a journal may.
    let kept = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
    format!("{PREFIX}{}", intent.chars().filter(kept).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_tells_how_far_it_came_and_who_is_at_it() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::at(folder.path()).unwrap();
        let held = hold(&dir, "1a-2").unwrap();
        let seen = |is_held, stage| vec![StopSeen { intent: "1a-2".into(), is_held, stage }];
        assert_eq!(all(&dir).unwrap(), seen(true, Stage::NotBegun));
        assert!(hold(&dir, "1a-2").is_err(), "nobody makes it twice");
        note(&dir, Some("1a-2"), Stage::About).unwrap();
        assert_eq!(all(&dir).unwrap(), seen(true, Stage::About));
        drop(held);
        assert_eq!(all(&dir).unwrap(), seen(false, Stage::About));
        note(&dir, Some("1a-2"), Stage::Sent).unwrap();
        assert_eq!(all(&dir).unwrap(), seen(false, Stage::Sent));
        note(&dir, None, Stage::Sent).unwrap();
        assert_eq!(all(&dir).unwrap().len(), 1);
    }
}
