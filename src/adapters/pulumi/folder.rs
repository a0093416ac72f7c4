//! The folder of a run, `STATE_DIR/runs/ID/`: what a process has to know to find the run again.
//!
//! `state.json` is written whole or not at all (a new file, synced, renamed). Folders have mode 0700, files 0600: the
//! events can hold what a provider or a program wrote, whether it was marked as secret or not.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::process::{ProcessId, host};
use crate::domain::error::{ErrorKind, PortError};
use crate::domain::pulumi::ended::{RunEnd, RunStatus};
use crate::domain::pulumi::guard::RunKind;
use crate::domain::units::Timestamp;

/// Runs whose folders are kept; older ones go when a new run starts. A migration takes a dozen.
pub const KEPT_RUNS: usize = 50;
/// Largest state file that is read; a real one has a thousand bytes.
const MAX_STATE_BYTES: u64 = 256 << 10;
/// Bytes that are set aside for the end of a run, so that it can be written when the disk is full.
const END_BYTES: usize = 512;

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
    /// There once an interrupt was asked for.
    pub const INTERRUPTED: &str = "interrupted";
}

/// What `state.json` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Shape of this file.
    pub schema: u8,
    /// The run's name: when it began, and what it is.
    pub id: String,
    /// What Pulumi was asked to do.
    pub kind: RunKind,
    /// On which stack.
    pub stack: String,
    /// The preview that was read before it was confirmed.
    #[serde(default)]
    pub preview: Option<String>,
    /// The command as it was shown.
    pub line: String,
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Where it runs.
    pub cwd: PathBuf,
    /// Variables that are added to the environment that is passed through; never a secret.
    pub env: Vec<(String, String)>,
    /// Who asked.
    pub operator: String,
    /// On which host.
    pub host: String,
    /// When.
    pub started_at: Timestamp,
    /// The process that asked; only counts until the supervisor is there.
    pub starter: Option<ProcessId>,
    /// The process that waits for the end.
    pub supervisor: Option<ProcessId>,
    /// Pulumi.
    pub child: Option<ProcessId>,
    /// How it ended.
    pub end: Option<RunEnd>,
}

impl RunRecord {
    /// How the run is doing now.
    #[must_use]
    pub fn status(&self) -> RunStatus {
        let alive = |process: &Option<ProcessId>| process.as_ref().is_some_and(ProcessId::is_alive);
        if let Some(end) = &self.end {
            RunStatus::Ended(end.clone())
        } else if self.host != host() {
            RunStatus::Elsewhere
        } else if alive(&self.child) {
            RunStatus::Running
        } else if alive(&self.supervisor) || (self.supervisor.is_none() && alive(&self.starter)) {
            // The supervisor lives longer than Pulumi by the moment in which it writes down the end.
            if self.child.is_some() { RunStatus::Running } else { RunStatus::Starting }
        } else {
            RunStatus::Lost
        }
    }

    /// In a few words, for the gate and for a refusal.
    #[must_use]
    pub fn summary(&self) -> String {
        let pid = self.child.as_ref().map(|child| format!(", pid {}", child.pid)).unwrap_or_default();
        let Self { kind, stack, started_at, operator, host, .. } = self;
        format!("pulumi {kind} on {stack} since {started_at} (by {operator} on {host}{pid})")
    }
}

/// All runs of a state folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runs {
    root: PathBuf,
}

/// One run's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
}

pub(super) fn storage(what: &str, path: &Path, error: &dyn std::fmt::Display) -> PortError {
    PortError::new(ErrorKind::Storage, format!("runs:{what}"), format!("{}: {error}", path.display()))
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
            if !name.starts_with('.') && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
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
        (plain && path.is_dir()).then_some(RunDir { path })
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
        let stamp: String = at.to_string().chars().filter(char::is_ascii_alphanumeric).collect();
        let base = format!("{stamp}-{}", kind.name().replace(' ', "-"));
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
                    return Ok(dir);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(storage("create", &path, &error)),
            }
        }
        Err(storage("create", &self.root, &"a hundred runs began within one second"))
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
                if over && let Err(error) = fs::remove_dir_all(&dir.path) {
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

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
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
    pub(super) fn make(&self, name: &str, content: &[u8]) -> Result<File, PortError> {
        let path = self.file(name);
        let mut file =
            private().write(true).create_new(true).open(&path).map_err(|error| storage("create", &path, &error))?;
        file.write_all(content).map_err(|error| storage("write", &path, &error))?;
        Ok(file)
    }

    /// Whether this caller is the one who notes the end of the run in the journal: of all processes on this host the
    /// first that asks. Where that cannot be settled everybody does, since an end that is told twice is better than none.
    ///
    /// Accepted: a process that dies between this and its journal line leaves the end unnoted. The run's folder still
    /// tells it, and every cockpit and `attach` shows it from there; the journal only misses a line.
    #[must_use]
    pub fn claim_end_entry(&self) -> bool {
        let taken = private().write(true).create_new(true).open(self.file(file::NOTED));
        !matches!(taken, Err(error) if error.kind() == io::ErrorKind::AlreadyExists)
    }

    /// Opens a file to append to it.
    pub(super) fn append(&self, name: &str) -> io::Result<File> {
        private().append(true).create(true).open(self.file(name))
    }

    /// What is known of the run. Nothing for a folder whose state was never written: such a run never began.
    ///
    /// # Errors
    /// `Storage` when the state is there and cannot be read.
    pub fn read(&self) -> Result<Option<RunRecord>, PortError> {
        let path = self.file(file::STATE);
        let mut text = String::new();
        match File::open(&path) {
            Ok(file) => {
                file.take(MAX_STATE_BYTES).read_to_string(&mut text).map_err(|error| storage("read", &path, &error))?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(storage("read", &path, &error)),
        };
        let mut record: RunRecord = serde_json::from_str(&text).map_err(|error| storage("read", &path, &error))?;
        record.id = self.id();
        if record.end.is_none() {
            record.end = fs::read_to_string(self.file(file::END)).ok().and_then(|end| serde_json::from_str(&end).ok());
        }
        Ok(Some(record))
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
            let mut file = OpenOptions::new().write(true).open(&path)?;
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
        let Ok(mut file) = File::open(self.file(file::STDERR)) else { return String::new() };
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
