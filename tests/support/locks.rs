//! Files of a state folder that a test keeps locked, so that a process stands still right before it writes.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Instant;

use rustix::fs::{Mode, OFlags};
use serde_json::Value;
use tapctl::adapters::pulumi::folder::file;

use super::PATIENCE;
use super::process::until;
use super::pulumi::EVERY;

/// Keeps everybody from writing to the journal of this state folder for as long as the value lives, which they bear for
/// two seconds.
pub(crate) fn lock_journal(state: &Path) -> fs::File {
    locked(&state.join("journal.jsonl"))
}

/// Keeps everybody on this host from a turn for as long as the value lives, in the name of this holder.
pub(crate) fn lock_turn(state: &Path, holder: &Value) -> fs::File {
    let mut file = locked(&state.join("lock"));
    file.set_len(0).unwrap();
    file.write_all(holder.to_string().as_bytes()).unwrap();
    file
}

/// Waits until the process has its turn and is about to write to the locked journal.
pub(crate) fn until_about_to_note(state: &Path, pid: u32) {
    let (turn, journal) = (state.join("lock"), state.join("journal.jsonl"));
    until("a process that has its turn and writes to the journal", || {
        let (mut has_turn, mut writes) = (false, false);
        for entry in fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten() {
            let Ok(open) = fs::read_link(entry.path()) else { continue };
            has_turn |= open == turn;
            writes |= open == journal && is_for_appending(pid, &entry.file_name());
        }
        (has_turn && writes).then_some(())
    });
}

/// The file, locked against everybody else.
pub(super) fn locked(path: &Path) -> fs::File {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let file = fs::File::options().read(true).append(true).create(true).open(path).unwrap();
    until("a lock that others give back", || file.try_lock().ok());
    file
}

/// Whether an open file of a process was opened to append to it.
fn is_for_appending(pid: u32, fd: &OsStr) -> bool {
    let info = fs::read_to_string(Path::new(&format!("/proc/{pid}/fdinfo")).join(fd)).unwrap_or_default();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap_or("0").trim();
    u64::from_str_radix(flags, 8).unwrap() & u64::from(OFlags::APPEND.bits()) != 0
}

/// A run whose end nobody can read until this is let go: whoever looks at the run stands still right there.
pub(crate) struct HeldRun {
    dir: PathBuf,
}

impl HeldRun {
    /// Holds the run in this folder: a pipe stands in the place of the file with its end.
    pub(crate) fn hold(dir: &Path) -> Self {
        let of = |name: &str| dir.join(name);
        assert!(Command::new("mkfifo").arg(of(PIPE)).status().unwrap().success());
        fs::hard_link(of(file::END), of(KEPT)).unwrap();
        fs::hard_link(of(PIPE), of(".end.place")).unwrap();
        fs::rename(of(".end.place"), of(file::END)).unwrap();
        Self { dir: dir.to_owned() }
    }

    /// Lets everybody go on: who comes from now on reads the file, who stands at the pipe reads nothing from it.
    pub(crate) fn let_go(self) {
        fs::rename(self.dir.join(KEPT), self.dir.join(file::END)).unwrap();
        let pipe = self.dir.join(PIPE);
        let flags = OFlags::WRONLY | OFlags::NONBLOCK;
        // Somebody may have found the pipe and not opened it yet.
        thread::spawn(move || {
            let began = Instant::now();
            while pipe.exists() && began.elapsed() < PATIENCE {
                let _nobody = rustix::fs::open(&pipe, flags, Mode::empty());
                thread::sleep(EVERY);
            }
        });
    }
}

const PIPE: &str = ".end.pipe";
const KEPT: &str = ".end.kept";
