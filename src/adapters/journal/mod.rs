//! The journal on disk: one JSON object per line, appended and synced, never rewritten.
//!
//! It survives a crash at any point: a torn last line is counted, not fatal, and the next append starts on a line of
//! its own. Several processes may append at once; each append is one write under a lock. Only the owner can read it.

mod claim;
mod disk;
mod lines;
mod owner;
mod scan;
mod segments;

use std::fs::{DirBuilder, File, TryLockError};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::change::turn::Holder;
use crate::domain::record::{Entry, noted_once};
use crate::domain::text::Printable;
use crate::domain::traffic::GroupKey;
use crate::ports::{ErrorKind, Journal, PortError, Turn};
use disk::{is_stopped, lock_for_writing, open_private, open_to_read, sync_folder};
use lines::MAX_LINE;
use scan::End;

pub use lines::{Line, Place};
pub use owner::{About, Binding};

/// Name of the journal in the state folder.
pub const FILE: &str = "journal.jsonl";
/// Why an entry is not written, however much room there is.
const TOO_LONG: &str = "the entry is too long to be read again";
/// Bytes of the lock file that are read: a holder has some hundred.
const MAX_HOLDER: u64 = 4 * 1024;
/// Name of the file whose lock keeps two changes apart.
const LOCK: &str = "lock";
const READ: &str = "journal:read";
const APPEND: &str = "journal:append";
const TURN: &str = "journal:turn";

/// The journal in a state folder. The folder and the files are made when something is first written.
#[derive(Debug, Clone)]
pub struct FileJournal {
    folder: PathBuf,
    /// The segment that is written instead of the main file, by its name once it is begun.
    segment: Option<Arc<Mutex<Option<String>>>>,
    /// Whose changes it holds; nothing for whoever only reads.
    binding: Option<Binding>,
}

impl FileJournal {
    /// The journal in `folder`, for whoever reads; nothing is touched yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), segment: None, binding: None }
    }

    /// The journal in `folder` about this record; before its name is configured, about the stack of this name.
    pub fn of(folder: impl Into<PathBuf>, stack: &str, key: &GroupKey) -> Self {
        let record = (!key.name.is_empty() && !key.zone_id.is_empty()).then(|| About {
            zone: key.zone_id.clone(),
            name: key.name.clone(),
            rtype: key.rtype.clone(),
        });
        Self { binding: Some(Binding { stack: stack.to_owned(), record }), ..Self::new(folder) }
    }

    /// Where the entries are written.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        let name = self.segment.as_ref().and_then(|name| name.lock().unwrap_or_else(PoisonError::into_inner).clone());
        self.folder.join(name.as_deref().unwrap_or(FILE))
    }

    /// Every line with its place, in the order of the fold: a segment's lines follow the line that its first one names.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] when a file exists and cannot be read.
    pub fn lines(&self) -> Result<(Vec<Line>, usize), PortError> {
        self.read_lines().map_err(|e| self.storage(READ, &e))
    }

    fn append_line(&self, entry: &Entry) -> io::Result<()> {
        self.make_folder()?;
        let Some(segment) = &self.segment else {
            let (file, created) = open_private(&self.folder.join(FILE))?;
            self.write(file, None, entry)?;
            return if created { sync_folder(&self.folder) } else { Ok(()) };
        };
        let mut name = segment.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(name) = &*name {
            return self.write(open_private(&self.folder.join(name))?.0, None, entry);
        }
        self.must_be_ours()?;
        // Begun with its first line, not before: in between another one may be begun and say more.
        let begun = self.begun_after()?;
        let (made, file) = self.create_segment()?;
        if let Err(error) = self.write(file, Some(begun), entry).and_then(|()| sync_folder(&self.folder)) {
            // Of a file without a line nobody has to know, and where the disk is full it may not even be removed.
            let _ = std::fs::remove_file(self.folder.join(made));
            return Err(error);
        }
        *name = Some(made);
        Ok(())
    }

    /// Writes one line to a file: the first of a segment says behind which line of the main file it was `begun`.
    fn write(&self, mut file: File, begun: Option<(u64, String)>, entry: &Entry) -> io::Result<()> {
        lock_for_writing(&file)?;
        self.must_be_ours()?;
        let length = file.seek(SeekFrom::End(0))?;
        let end = End::of(&file)?;
        let (after, prev) = begun.map_or_else(|| (None, end.hash()), |(position, hash)| (Some(position), hash));
        let place = Some(Place { seq: end.lines + 1, prev });
        let line = Line { place, after, binding: self.binding.clone(), entry: entry.clone() };
        let mut bytes = if end.is_torn() { vec![b'\n'] } else { Vec::new() };
        bytes.extend_from_slice(Printable::json(&serde_json::to_string(&line)?).as_str().as_bytes());
        if bytes.len() >= MAX_LINE {
            return Err(io::Error::other(TOO_LONG));
        }
        bytes.push(b'\n');
        let written = match file.write(&bytes) {
            // A line that only lacks its end is whole: somebody may have read it, and it is not taken back.
            Ok(written) if written + 1 >= bytes.len() => file.sync_all(),
            Ok(written) => Err(io::Error::new(
                io::ErrorKind::StorageFull,
                format!("only {written} of {} bytes were written", bytes.len()),
            )),
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            // Half a line, or one that may not be on disk, is taken back: the caller is told that nothing was noted.
            file.set_len(length)?;
            return Err(error);
        }
        Ok(())
    }

    /// The position of the main file's last whole line and its hash: what a segment that is begun now comes behind.
    fn begun_after(&self) -> io::Result<(u64, String)> {
        match open_to_read(&self.folder.join(FILE)) {
            Ok(main) => Ok(End::of(&main)?.whole()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((0, String::new())),
            Err(error) => Err(error),
        }
    }

    fn make_folder(&self) -> io::Result<()> {
        if self.folder.is_dir() {
            return Ok(());
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        self.folder.parent().map_or(Ok(()), sync_folder)
    }

    fn storage(&self, operation: &str, error: &dyn std::fmt::Display) -> PortError {
        PortError::new(ErrorKind::Storage, operation, format!("{}: {error}", self.path().display()))
    }
}

impl Journal for FileJournal {
    fn append(&self, entry: &Entry) -> Result<(), PortError> {
        self.append_line(entry).map_err(|e| self.storage(APPEND, &e))
    }

    fn read(&self) -> Result<(Vec<Entry>, usize), PortError> {
        let (lines, broken) =
            self.must_be_ours().and_then(|()| self.read_lines()).map_err(|e| self.storage(READ, &e))?;
        Ok((noted_once(lines.into_iter().map(|line| line.entry).collect()), broken))
    }

    fn try_turn(&self, holder: &Holder) -> Result<Turn, PortError> {
        let locked = || -> io::Result<Turn> {
            self.make_folder()?;
            let (mut file, _) = open_private(&self.folder.join(LOCK))?;
            match file.try_lock() {
                // The lock goes with the open file, so it is also given back when the process dies.
                Ok(()) => {
                    file.set_len(0)?;
                    file.write_all(serde_json::to_string(holder)?.as_bytes())?;
                    Ok(Turn::Taken(Box::new(file)))
                }
                Err(TryLockError::WouldBlock) => {
                    let mut text = String::new();
                    file.seek(SeekFrom::Start(0))?;
                    file.take(MAX_HOLDER).read_to_string(&mut text)?;
                    let held: Option<Holder> = serde_json::from_str(&text).ok();
                    Ok(Turn::Held(held.map(|held| Holder { stopped: is_stopped(&held, &holder.host), ..held })))
                }
                Err(TryLockError::Error(error)) => Err(error),
            }
        };
        locked().map_err(|e| self.storage(TURN, &e))
    }

    fn aside(&self) -> Arc<dyn Journal> {
        Arc::new(Self { segment: Some(Arc::default()), ..self.clone() })
    }

    fn stamp(&self) -> Option<u64> {
        let mut stamp = DefaultHasher::new();
        for path in self.files().ok()? {
            let Ok(data) = std::fs::metadata(&path) else { continue };
            (path, data.ino(), data.len()).hash(&mut stamp);
        }
        Some(stamp.finish())
    }
}

#[cfg(test)]
mod tests;
