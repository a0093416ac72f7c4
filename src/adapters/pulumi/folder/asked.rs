//! The mark that a run was asked to stop, in room that was set aside when the run began: blank until then.
//!
//! Pulumi takes a second request as the order to end by force, so that the mark has to be made where the disk has no byte
//! and no file left, and where the folder takes none. Where it cannot be made, nothing proves that nobody has asked.

use std::fs::{self, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;

use super::run_dir::{RunDir, file, private};

/// Bytes that are set aside for it.
pub(super) const ASKED_BYTES: usize = 512;
const BLANK: u8 = b' ';

impl RunDir {
    /// Whether the run was asked to stop, and if not, whether that could be noted, as far as a look can tell.
    ///
    /// # Errors
    /// When the mark cannot be read, or could not be made.
    pub(in crate::adapters::pulumi) fn asked(&self) -> io::Result<bool> {
        let path = self.file(file::INTERRUPTED);
        let mut first = Vec::new();
        match private().read(true).open(&path) {
            Ok(mark) => mark.take(1).read_to_end(&mut first)?,
            // Earlier versions set nothing aside.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                rustix::fs::access(&self.path, rustix::fs::Access::WRITE_OK)?;
                return Ok(false);
            }
            Err(error) => return Err(error),
        };
        // One of an earlier version without words was made all the same.
        if first != [BLANK] {
            return Ok(true);
        }
        rustix::fs::access(&path, rustix::fs::Access::WRITE_OK)?;
        Ok(false)
    }

    /// Whether the mark can be made now: its last byte, which stays blank, is written once more.
    pub(in crate::adapters::pulumi) fn takes_mark(&self) -> bool {
        let probe = || match private().write(true).open(self.file(file::INTERRUPTED)) {
            Ok(mark) => mark.write_all_at(&[BLANK], ASKED_BYTES as u64 - 1),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let name = self.file(".interrupted.probe");
                private().write(true).create(true).truncate(false).open(&name)?;
                fs::remove_file(&name).or_else(|error| match error.kind() {
                    io::ErrorKind::NotFound => Ok(()),
                    _ => Err(error),
                })
            }
            Err(error) => Err(error),
        };
        probe().is_ok()
    }

    /// Marks that the run is asked to stop. Whether this caller is the first, of all processes on this host.
    ///
    /// # Errors
    /// When the mark cannot be made: then nobody knows.
    pub(in crate::adapters::pulumi) fn mark_asked(&self, words: &str) -> io::Result<bool> {
        let path = self.file(file::INTERRUPTED);
        let mut mark = match private().read(true).write(true).open(&path) {
            Ok(mark) => mark,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return match private().write(true).create_new(true).open(&path) {
                    Ok(mut mark) => {
                        // That it is there is what counts; on a full disk there is no room for the words.
                        let _no_room = mark.write_all(words.as_bytes());
                        Ok(true)
                    }
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
                    Err(error) => Err(error),
                };
            }
            Err(error) => return Err(error),
        };
        match mark.try_lock() {
            Ok(()) => {}
            // Somebody asks right now.
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let mut first = [0];
        if mark.read(&mut first)? == 0 || first != [BLANK] {
            return Ok(false);
        }
        let words = words.as_bytes();
        // Not synced: a host that loses it has lost the run, too.
        mark.write_all_at(&words[..words.len().min(ASKED_BYTES - 1)], 0)?;
        Ok(true)
    }

    /// Takes the mark back, of a request that could not be sent.
    pub(in crate::adapters::pulumi) fn unmark_asked(&self) {
        let path = self.file(file::INTERRUPTED);
        let blank = || private().write(true).open(&path)?.write_all_at(&[BLANK; ASKED_BYTES], 0);
        if blank().is_err() {
            let _ended_anyway = fs::remove_file(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Runs;
    use super::*;
    use crate::domain::pulumi::guard::RunKind;
    use crate::domain::units::Timestamp;

    fn begun() -> (tempfile::TempDir, RunDir) {
        let folder = tempfile::tempdir().unwrap();
        let at = Timestamp::parse("2026-11-22T12:00:00Z").unwrap();
        let dir = Runs::new(folder.path()).create(RunKind::Up, at).unwrap();
        (folder, dir)
    }

    #[test]
    fn a_run_has_room_for_its_mark_and_the_first_of_many_takes_it() {
        let (_folder, dir) = begun();
        let inode = || std::os::unix::fs::MetadataExt::ino(&fs::metadata(dir.file(file::INTERRUPTED)).unwrap());
        let before = inode();
        assert!(!dir.asked().unwrap() && dir.takes_mark() && !dir.asked().unwrap());
        let firsts = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(|| dir.mark_asked("now oncall\n").unwrap())).collect();
            all.into_iter().map(|one| one.join().unwrap()).filter(|first| *first).count()
        });
        assert_eq!(firsts, 1);
        assert!(dir.asked().unwrap());
        let length = fs::metadata(dir.file(file::INTERRUPTED)).unwrap().len();
        assert_eq!((inode(), length), (before, ASKED_BYTES as u64), "neither another file nor another byte");
        dir.unmark_asked();
        assert!(!dir.asked().unwrap() && dir.mark_asked("again\n").unwrap());
    }

    #[test]
    fn a_mark_of_an_earlier_version_is_its_existence() {
        let (_folder, dir) = begun();
        fs::remove_file(dir.file(file::INTERRUPTED)).unwrap();
        assert!(!dir.asked().unwrap() && dir.takes_mark());
        assert!(dir.mark_asked("").unwrap(), "made without room for a word");
        assert!(dir.asked().unwrap() && !dir.mark_asked("now oncall\n").unwrap());
    }

    #[test]
    fn a_mark_that_cannot_be_made_proves_nothing() {
        let (_folder, dir) = begun();
        fs::remove_file(dir.file(file::INTERRUPTED)).unwrap();
        std::os::unix::fs::symlink("/nowhere/at/all", dir.file(file::INTERRUPTED)).unwrap();
        assert!(dir.asked().is_err() && !dir.takes_mark() && dir.mark_asked("now oncall\n").is_err());
    }
}
