//! A folder of a test. With it goes what still runs in it.
//!
//! A run of Pulumi outlives whoever started it, and its supervisor writes a last time after the end that others wait
//! for: beside a folder that is being removed it would bring part of it back.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tapctl::adapters::pulumi::folder::{RunRecord, Runs};
use tapctl::adapters::pulumi::process::ProcessId;
use tempfile::TempDir;

use super::pulumi::EVERY;

/// How far below a test's folder its state folders lie.
const DEPTH: usize = 3;
/// How long what was killed, or has nothing left to do, may take to go. A folder then goes all the same.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Folder {
    folder: TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        for record in state_folders(self.path(), DEPTH).iter().flat_map(|state| records(&Runs::new(state))) {
            end(&record);
        }
    }
}

fn state_folders(folder: &Path, depth: usize) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| depth > 0 && entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let mut found: Vec<PathBuf> = folders.flat_map(|entry| state_folders(&entry.path(), depth - 1)).collect();
    found.extend(folder.join("runs").is_dir().then(|| folder.to_owned()));
    found
}

/// Some of them a test has broken on purpose.
fn records(runs: &Runs) -> Vec<RunRecord> {
    let ids = runs.ids().unwrap_or_default();
    ids.iter().filter_map(|id| runs.dir(id)?.read().ok().flatten()).collect()
}

/// Ends a run that goes on, and waits until nobody writes to its folder any more. Processes are known by their identity,
/// and this one a test may have given out as a run's.
fn end(record: &RunRecord) {
    let own = ProcessId::own();
    let lives = |process: &&ProcessId| process.is_alive() && Some(*process) != own.as_ref();
    let supervisor = record.supervisor.as_ref().filter(lives);
    let child = record.child.as_ref().filter(|process| record.end.is_none() && lives(process));
    if let Some(child) = child {
        let _gone = child.signal(Signal::KILL);
        // The supervisor leads a group: with it end what waits in the place of Pulumi, and what that has started.
        if let Some(leader) = supervisor.and_then(|process| Pid::from_raw(i32::try_from(process.pid).ok()?)) {
            let _gone = kill_process_group(leader, Signal::KILL);
        }
    }
    for process in [supervisor, child].into_iter().flatten() {
        let waited = Instant::now();
        while process.is_alive() && waited.elapsed() < PATIENCE {
            thread::sleep(EVERY);
        }
    }
}
