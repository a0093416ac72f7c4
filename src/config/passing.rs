//! Folders that go with their process, however it ends.
//!
//! A process holds a lock on its folder for as long as it lives, and the system takes that back with the process, also
//! when it is killed. So the next one that makes such a folder can tell what was left behind from what is in use, and
//! takes it away. Numbers of processes prove nothing: they are given away again.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags, flock, fstat, open, statat};

use super::state::FOLDER_MODE;

/// How the names of these folders begin.
const PREFIX: &str = "tapctl.";
/// What makes a folder with such a name one of these: others name theirs so, too. It is made before anything else is.
const MARK: &str = ".goes-with-its-process";
/// How many names are tried; each is taken by a folder of this very process, or by one that is just being taken away.
const TRIES: u32 = 1000;

/// Folders of this process, for whoever ends it without coming back.
static HELD: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A folder that goes with whoever holds it.
#[derive(Debug)]
pub struct Passing {
    path: PathBuf,
    _lock: OwnedFd,
}

impl Passing {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        HELD.lock().unwrap_or_else(PoisonError::into_inner).retain(|path| *path != self.path);
        take_away(&self.path);
    }
}

/// A new, empty folder for a process that keeps nothing; `what` stands in its name, for whoever looks.
///
/// # Errors
/// What the system says.
pub fn passing(what: &str) -> io::Result<Passing> {
    passing_in(&std::env::temp_dir(), what)
}

/// Takes away every such folder of this process, right before it ends without coming back.
pub fn take_all_away() {
    for path in std::mem::take(&mut *HELD.lock().unwrap_or_else(PoisonError::into_inner)) {
        take_away(&path);
    }
}

fn passing_in(base: &Path, what: &str) -> io::Result<Passing> {
    sweep(base);
    for attempt in 0..TRIES {
        let path = base.join(format!("{PREFIX}{what}.{}-{attempt}", rustix::process::getpid().as_raw_nonzero()));
        match DirBuilder::new().mode(FOLDER_MODE).create(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            made => made?,
        }
        if let Some(lock) = locked(&path).filter(|lock| is_still(&path, lock)) {
            OpenOptions::new().write(true).create_new(true).open(path.join(MARK))?;
            HELD.lock().unwrap_or_else(PoisonError::into_inner).push(path.clone());
            return Ok(Passing { path, _lock: lock });
        }
        // Another process took it for left behind, before it was locked.
    }
    Err(io::Error::other("no name is free for a folder"))
}

/// The folder itself, locked; nothing where somebody has it, where it is not this user's, or is none.
fn locked(path: &Path) -> Option<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = open(path, flags, Mode::empty()).ok()?;
    let is_ours = fstat(&opened).is_ok_and(|found| found.st_uid == rustix::process::geteuid().as_raw());
    (is_ours && flock(&opened, FlockOperation::NonBlockingLockExclusive).is_ok()).then_some(opened)
}

/// Whether the folder at this path is the one that was locked.
fn is_still(path: &Path, lock: &OwnedFd) -> bool {
    match (statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW), fstat(lock)) {
        (Ok(there), Ok(locked)) => (there.st_dev, there.st_ino) == (locked.st_dev, locked.st_ino),
        _ => false,
    }
}

/// Takes away what processes have left behind that were killed. What cannot be taken away hurts nobody.
fn sweep(base: &Path) {
    for entry in std::fs::read_dir(base).into_iter().flatten().flatten() {
        if is_name(&entry.file_name().to_string_lossy())
            && let Some(lock) = locked(&entry.path())
        {
            if is_marked(&entry.path()) {
                take_away(&entry.path());
            } else {
                // Its process was killed before it had its mark: then nothing is in it, and nothing else goes this way.
                let _kept = std::fs::remove_dir(entry.path());
            }
            drop(lock);
        }
    }
}

/// Whether [`passing_in`] gives such names: what for, and the numbers of the process and of the try.
fn is_name(name: &str) -> bool {
    let Some((what, numbers)) = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('.')) else { return false };
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_numbered =
        numbers.split_once('-').is_some_and(|(process, attempt)| are_digits(process) && are_digits(attempt));
    is_numbered && !what.is_empty() && what.bytes().all(|byte| byte.is_ascii_lowercase())
}

fn is_marked(path: &Path) -> bool {
    std::fs::symlink_metadata(path.join(MARK)).is_ok_and(|found| found.is_file())
}

fn take_away(path: &Path) {
    // A process that ends just now may write a last time while its folder goes.
    for _ in 0..3 {
        match std::fs::remove_dir_all(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {}
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_whoever_holds_it_and_two_are_two() {
        let base = tempfile::tempdir().unwrap();
        let (one, two) = (passing_in(base.path(), "x").unwrap(), passing_in(base.path(), "x").unwrap());
        assert_ne!(one.path(), two.path());
        std::fs::write(one.path().join("file"), "").unwrap();
        let path = one.path().to_owned();
        drop(one);
        assert!(!path.exists() && two.path().is_dir());
    }

    #[test]
    fn what_was_left_behind_is_swept_and_nothing_else() {
        let base = tempfile::tempdir().unwrap();
        let held = passing_in(base.path(), "held").unwrap();
        let left = base.path().join("tapctl.demo.4242-0");
        std::fs::create_dir_all(left.join("state/runs")).unwrap();
        std::fs::write(left.join(MARK), "").unwrap();
        let empty = base.path().join("tapctl.demo.4243-0");
        std::fs::create_dir(&empty).unwrap();
        // What people call their own folders, with and without files of ours in them.
        let others = [
            "tapctl-demo-1-00000000",
            "tapctlx",
            "mine",
            "tapctl.git",
            "tapctl.backup-of-state",
            "tapctl.Xa3kQ1",
            "tapctl.demo.x-0",
            "tapctl.demo.4244-0",
            "tapctl..1-0",
        ]
        .map(|name| base.path().join(name));
        for other in &others {
            std::fs::create_dir(other).unwrap();
            std::fs::write(other.join("journal.jsonl"), "").unwrap();
        }
        std::fs::write(base.path().join("tapctl.git").join(MARK), "").unwrap();
        let link = base.path().join("tapctl.link");
        std::os::unix::fs::symlink(&others[2], &link).unwrap();
        let _next = passing_in(base.path(), "next").unwrap();
        assert!(!left.exists() && !empty.exists(), "nobody holds them");
        assert!(held.path().is_dir(), "it is held, whatever its number");
        for other in others.iter().chain([&link]) {
            assert!(other.exists(), "{}", other.display());
        }
        // Only the superuser can give a folder away.
        if rustix::process::geteuid().is_root() {
            std::fs::create_dir(&left).unwrap();
            std::fs::write(left.join(MARK), "").unwrap();
            std::os::unix::fs::chown(&left, Some(65_534), None).unwrap();
            let _last = passing_in(base.path(), "last").unwrap();
            assert!(left.exists(), "it is somebody else's");
        }
    }
}
