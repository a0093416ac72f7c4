//! Files of a state folder that a test keeps locked, so that a process stands still right before it writes.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use super::process::until;

/// Keeps everybody from writing to the journal of this state folder for as long as the value lives, which they bear for
/// two seconds.
pub(crate) fn lock_journal(state: &Path) -> fs::File {
    locked(&state.join("journal.jsonl"))
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
    u64::from_str_radix(flags, 8).unwrap() & u64::from(rustix::fs::OFlags::APPEND.bits()) != 0
}
