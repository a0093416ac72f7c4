//! The files of one run.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::run_record::RunRecord;
use crate::adapters::pulumi::process::{Life, ProcessId};
use crate::domain::error::{ErrorKind, PortError};
use crate::domain::pulumi::ended::RunEnd;

/// File names in a run's folder.
pub mod file {
    /// What is known of the run.
    pub const STATE: &str = "state.json";
    /// The engine's events, one per line.
    pub const EVENTS: &str = "events.jsonl";
    /// What Pulumi and its plug-ins wrote to stderr.
    pub const STDERR: &str = "stderr.log";
    /// The update plan.
    pub const PLAN: &str = "plan";
    /// How it ended, in room that was set aside for it.
    pub const END: &str = "end.json";
    /// There once somebody has taken it upon himself to note the end in the journal.
    pub const NOTED: &str = "noted";
    /// Blank until an interrupt is asked for, in room that was set aside for it.
    pub const INTERRUPTED: &str = "interrupted";
}

/// Largest state file that is read; a real one has a thousand bytes.
const MAX_STATE_BYTES: u64 = 256 << 10;
/// Bytes that are set aside for the end of a run, so that it can be written when the disk is full.
pub(super) const END_BYTES: usize = 512;

/// One run's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDir {
    pub(super) path: PathBuf,
}

pub(in crate::adapters::pulumi) fn storage(what: &str, path: &Path, error: &dyn std::fmt::Display) -> PortError {
    PortError::new(ErrorKind::Storage, format!("runs:{what}"), format!("{}: {error}", path.display()))
}

/// Options for a file that nobody else can read; what a link leads to is never one of a run's files.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    options
}

/// The bytes of one of a run's files, at most `max`.
fn bytes_of(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    private().read(true).open(path)?.take(max).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl RunDir {
    /// A run's folder by its path, as the supervisor is given it.
    ///
    /// # Errors
    /// `Storage` when it is not there.
    pub fn at(path: &Path) -> Result<Self, PortError> {
        let path = path.canonicalize().map_err(|error| storage("open", path, &error))?;
        Ok(Self { path })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The run's name.
    #[must_use]
    pub fn id(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// One of its files.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Makes a file that must not be there yet.
    ///
    /// # Errors
    /// `Storage`, with the words of the system; `AlreadyExists` reads `File exists`.
    pub(in crate::adapters::pulumi) fn make(&self, name: &str, content: &[u8]) -> Result<File, PortError> {
        let path = self.file(name);
        let mut file =
            private().write(true).create_new(true).open(&path).map_err(|error| storage("create", &path, &error))?;
        file.write_all(content).map_err(|error| storage("write", &path, &error))?;
        Ok(file)
    }

    /// Whether this caller is the one who notes the end of the run in the journal: of all processes on this host the
    /// first that asks. Where that cannot be settled everybody does, since an end that is told twice is better than none.
    ///
    /// One that dies between this and its journal line has left its name: see [`RunDir::end_is_ours`].
    #[must_use]
    pub fn claim_end_entry(&self) -> bool {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        // Written beside it and linked, so that whoever dies in between has left either nothing or its name.
        let own = ProcessId::own().and_then(|own| serde_json::to_vec(&own).ok()).unwrap_or_default();
        let name = format!(".noted-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let name = self.file(&name);
        let written = private().write(true).create(true).truncate(true).open(&name);
        let claimed = written.and_then(|mut file| file.write_all(&own)).and_then(|()| {
            let linked = fs::hard_link(&name, self.file(file::NOTED));
            let _nobody_reads_it = fs::remove_file(&name);
            linked
        });
        claimed.map_or_else(|error| error.kind() != io::ErrorKind::AlreadyExists, |()| true)
    }

    /// Whether the end of a run that the journal does not hold is for this caller to note: nobody has taken it upon
    /// himself, or somebody who is gone. Only for whoever has the turn, and has read the journal in it.
    #[must_use]
    pub fn end_is_ours(&self) -> bool {
        if self.claim_end_entry() {
            return true;
        }
        let claimed = bytes_of(&self.file(file::NOTED), MAX_STATE_BYTES).unwrap_or_default();
        // Earlier versions left no name; theirs is not known to be gone.
        serde_json::from_slice::<ProcessId>(&claimed).is_ok_and(|process| process.life() == Life::Gone)
    }

    /// Opens a file to read it.
    pub(in crate::adapters::pulumi) fn open(path: &Path) -> io::Result<File> {
        private().read(true).open(path)
    }

    /// Opens a file to append to it.
    pub(in crate::adapters::pulumi) fn append(&self, name: &str) -> io::Result<File> {
        private().append(true).create(true).open(self.file(name))
    }

    /// What is known of the run. Nothing for a folder whose state was never written: such a run never began.
    ///
    /// # Errors
    /// `Storage` when the state is there and cannot be read.
    pub fn read(&self) -> Result<Option<RunRecord>, PortError> {
        let path = self.file(file::STATE);
        let text = match bytes_of(&path, MAX_STATE_BYTES) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(storage("read", &path, &error)),
        };
        let mut record: RunRecord = serde_json::from_slice(&text).map_err(|error| storage("read", &path, &error))?;
        record.id = self.id();
        if record.end.is_none() {
            let path = self.file(file::END);
            record.end = match bytes_of(&path, MAX_STATE_BYTES) {
                // Until it has ended there are only spaces.
                Ok(end) => serde_json::from_slice(&end).ok(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                // An end that cannot be read is no run that goes on.
                Err(error) => return Err(storage("read", &path, &error)),
            };
        }
        if record.end.is_none() && record.locks_stream {
            record.is_written = self.is_written().ok();
        }
        Ok(Some(record))
    }

    /// Whether a process has the stream open that was locked for it.
    fn is_written(&self) -> io::Result<bool> {
        match Self::open(&self.file(file::EVENTS))?.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Writes the state, whole or not at all.
    ///
    /// # Errors
    /// `Storage` when it could not be written; then the old one is still there.
    pub fn write(&self, record: &RunRecord) -> Result<(), PortError> {
        let (path, fresh) = (self.file(file::STATE), self.file(".state.new"));
        let text = serde_json::to_vec_pretty(record).map_err(|error| storage("write", &path, &error))?;
        let written = (|| {
            let mut file = private().write(true).create(true).truncate(true).open(&fresh)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&fresh, &path)?;
            File::open(&self.path)?.sync_all()
        })();
        written.map_err(|error: io::Error| storage("write", &path, &error))
    }

    /// Writes down how the run ended: into the room that was set aside first, which works on a full disk too.
    ///
    /// # Errors
    /// `Storage` when not even that could be written.
    pub fn finish(&self, record: &RunRecord, end: &RunEnd) -> Result<(), PortError> {
        let path = self.file(file::END);
        let error = end.error.as_deref().map(|error| error.chars().take(200).collect());
        let mut text =
            serde_json::to_vec(&RunEnd { error, ..end.clone() }).map_err(|error| storage("write", &path, &error))?;
        text.resize(text.len().max(END_BYTES), b' ');
        let in_place = (|| {
            let mut file = private().write(true).open(&path)?;
            file.write_all(&text)?;
            file.sync_all()
        })();
        let whole = self.write(&RunRecord { end: Some(end.clone()), ..record.clone() });
        match in_place {
            Ok(()) => Ok(()),
            Err(error) => whole.map_err(|_| storage("write", &path, &error)),
        }
    }

    /// The last `max` bytes of what was written to stderr.
    #[must_use]
    pub fn stderr_tail(&self, max: u64) -> String {
        use std::io::{Seek, SeekFrom};
        let Ok(mut file) = private().read(true).open(self.file(file::STDERR)) else { return String::new() };
        let length = file.metadata().map(|meta| meta.len()).unwrap_or_default();
        let mut bytes = Vec::new();
        let read =
            file.seek(SeekFrom::Start(length.saturating_sub(max))).and_then(|_| file.take(max).read_to_end(&mut bytes));
        if read.is_err() {
            return String::new();
        }
        let text = String::from_utf8_lossy(&bytes);
        crate::domain::text::hide(&crate::domain::pulumi::text::clean(&text)).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_link_leads_to_is_no_file_of_a_run() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = folder.path().join("elsewhere");
        fs::write(&elsewhere, "{\"kept\":true}").unwrap();
        let dir = RunDir { path: folder.path().join("r1") };
        fs::create_dir(dir.path()).unwrap();
        assert_eq!(dir.read(), Ok(None), "a run that never began");
        let link = |name| std::os::unix::fs::symlink(&elsewhere, dir.file(name)).unwrap();
        link(file::STATE);
        assert!(
            dir.read().unwrap_err().message.contains("state.json"),
            "a state that cannot be read is no missing one"
        );
        link(file::EVENTS);
        assert!(dir.append(file::EVENTS).is_err() && RunDir::open(&dir.file(file::EVENTS)).is_err());
        link(file::STDERR);
        assert_eq!(dir.stderr_tail(100), "");
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "{\"kept\":true}", "nothing was written through it");
    }
}
