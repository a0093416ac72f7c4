//! The folder of a run, `STATE_DIR/runs/ID/`: what a process has to know to find the run again.
//!
//! `state.json` is written whole or not at all (a new file, synced, renamed). Folders have mode 0700, files 0600: the
//! events can hold what a provider or a program wrote, whether it was marked as secret or not.

mod asked;
mod run_dir;
mod run_record;

use std::fs::{self, DirBuilder, File};
use std::io::{self};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::process::{ProcessId, host};
use crate::domain::error::{ErrorKind, PortError};
use crate::domain::pulumi::KEPT_RUNS;
use crate::domain::pulumi::guard::RunKind;
use crate::domain::units::Timestamp;
use asked::ASKED_BYTES;
use run_dir::{END_BYTES, private};

pub(super) use run_dir::storage;
pub use run_dir::{RunDir, file};
pub use run_record::RunRecord;

/// All runs of a state folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runs {
    root: PathBuf,
}

impl Runs {
    /// The runs below `state_dir`.
    #[must_use]
    pub fn new(state_dir: &Path) -> Self {
        Self { root: state_dir.join("runs") }
    }

    /// Where they are.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Names of all runs, oldest first; a name begins with the instant at which its run began.
    ///
    /// # Errors
    /// `Storage` when the folder exists and cannot be listed.
    pub fn ids(&self) -> Result<Vec<String>, PortError> {
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(storage("list", &self.root, &error)),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| storage("list", &self.root, &error))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type().map_err(|error| storage("list", &self.root, &error))?;
            if !name.starts_with('.') && kind.is_dir() {
                ids.push(name);
            }
        }
        ids.sort();
        Ok(ids)
    }

    /// The folder of the run with this name; names are never paths.
    #[must_use]
    pub fn dir(&self, id: &str) -> Option<RunDir> {
        let plain = !id.is_empty() && !id.starts_with('.') && !id.contains(['/', '\\', '\0']);
        let path = self.root.join(id);
        let is_there = || match fs::symlink_metadata(&path) {
            Ok(metadata) => metadata.is_dir(),
            // One that may not be looked at is there: whoever reads it is told why it cannot be read.
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        };
        (plain && is_there()).then_some(RunDir { path })
    }

    /// The newest run, going on or not.
    ///
    /// # Errors
    /// `Storage` when the folder cannot be listed.
    pub fn newest(&self) -> Result<Option<RunDir>, PortError> {
        Ok(self.ids()?.last().and_then(|id| self.dir(id)))
    }

    /// The run that goes on.
    ///
    /// # Errors
    /// `Storage` when a folder or a state cannot be read: then it is not known.
    pub fn going_on(&self) -> Result<Option<RunRecord>, PortError> {
        for id in self.ids()?.iter().rev() {
            let Some(dir) = self.dir(id) else { continue };
            if let Some(record) = dir.read()?.filter(|record| record.status().is_active()) {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    /// Pulumi's own process of every run here that is known, with its identity.
    ///
    /// # Errors
    /// `Storage` when a folder or a state cannot be read.
    pub fn processes(&self) -> Result<Vec<ProcessId>, PortError> {
        let mut processes = Vec::new();
        for id in self.ids()? {
            let record = self.dir(&id).map(|dir| dir.read()).transpose()?.flatten();
            processes.extend(record.filter(|record| record.host == host()).and_then(|record| record.child));
        }
        Ok(processes)
    }

    /// Keeps every other process on this host from starting a run until the guard is dropped. Does not wait.
    ///
    /// # Errors
    /// `Conflict` when another process is starting one, `Storage` when the folder cannot be made.
    pub fn exclusive(&self) -> Result<File, PortError> {
        make_dir(&self.root)?;
        let path = self.root.join(".lock");
        let file = private().write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(|error| storage("lock", &path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(fs::TryLockError::WouldBlock) => {
                Err(PortError::new(ErrorKind::Conflict, "runs:lock", "another tapctl is starting a run just now"))
            }
            Err(fs::TryLockError::Error(error)) => Err(storage("lock", &path, &error)),
        }
    }

    /// Makes the folder of a new run, with empty files that only this user can read.
    ///
    /// # Errors
    /// `Storage` when it cannot be made.
    pub fn create(&self, kind: RunKind, at: Timestamp) -> Result<RunDir, PortError> {
        make_dir(&self.root)?;
        // With milliseconds: names are the order of runs, and a preview and its run may begin within one second.
        let second: String = at.to_string().chars().filter(char::is_ascii_digit).collect();
        let (day, time) = second.split_at(second.len().min(8));
        let base = format!("{day}T{time}{:03}Z-{}", at.millis().rem_euclid(1000), kind.name().replace(' ', "-"));
        for attempt in 0..100 {
            let id = if attempt == 0 { base.clone() } else { format!("{base}-{attempt:02}") };
            let path = self.root.join(id);
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {
                    let dir = RunDir { path };
                    for name in [file::EVENTS, file::STDERR, file::PLAN] {
                        dir.make(name, &[])?;
                    }
                    dir.make(file::END, &[b' '; END_BYTES])?;
                    dir.make(file::INTERRUPTED, &[b' '; ASKED_BYTES])?;
                    return Ok(dir);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(storage("create", &path, &error)),
            }
        }
        Err(storage("create", &self.root, &"a hundred runs began within one millisecond"))
    }

    /// Removes the oldest ended runs beyond [`KEPT_RUNS`].
    ///
    /// # Errors
    /// `Storage` when the folder cannot be listed; a run that cannot be removed stays.
    pub fn prune(&self) -> Result<(), PortError> {
        let ids = self.ids()?;
        for id in ids.iter().take(ids.len().saturating_sub(KEPT_RUNS)) {
            if let Some(dir) = self.dir(id) {
                let over = dir.read().ok().flatten().is_none_or(|record| !record.status().is_active());
                if over && let Err(error) = fs::remove_dir_all(dir.path()) {
                    tracing::warn!(run = %id, %error, "an old run could not be removed");
                }
            }
        }
        Ok(())
    }
}

fn make_dir(path: &Path) -> Result<(), PortError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| storage("create", path, &error))
}
