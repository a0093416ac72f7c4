//! The journal on disk: one JSON object per line, appended and synced, never rewritten.
//!
//! It survives a crash at any point: a torn last line is counted, not fatal, and the next append starts on a line of
//! its own. Several processes may append at once; each append is one write under a lock. Only the owner can read it.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde_json::from_value;

use crate::domain::record::Entry;
use crate::domain::text::{Foreign, Printable};
use crate::ports::{ErrorKind, Journal, PortError};

/// Name of the journal in the state folder.
pub const FILE: &str = "journal.jsonl";
/// Name of the file whose lock keeps two changes apart.
const LOCK: &str = "lock";
/// Longest line: an entry has a few hundred bytes, and one with every gate stepped over a few thousand.
const MAX_LINE: usize = 64 * 1024;
/// How much of the file's end is read: some hundred thousand entries, where a migration writes a few hundred.
const MAX_READ: u64 = 32 * 1024 * 1024;
const READ: &str = "journal:read";
const APPEND: &str = "journal:append";
const EXCLUSIVE: &str = "journal:lock";

/// The journal in a state folder. The folder and the files are made when something is first written.
#[derive(Debug, Clone)]
pub struct FileJournal {
    folder: PathBuf,
}

impl FileJournal {
    /// The journal in `folder`; nothing is touched yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Where the entries are.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    fn append_line(&self, line: &str) -> io::Result<()> {
        self.make_folder()?;
        let (mut file, created) = open_private(&self.path())?;
        file.lock()?;
        let length = file.seek(SeekFrom::End(0))?;
        let mut bytes = Vec::with_capacity(line.len() + 2);
        if length > 0 && last_byte(&mut file)? != b'\n' {
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
        let written = match file.write(&bytes) {
            Ok(written) if written == bytes.len() => file.sync_all(),
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
        if created { sync_folder(&self.folder) } else { Ok(()) }
    }

    fn read_lines(&self) -> io::Result<(Vec<Entry>, usize)> {
        let mut file = match File::open(self.path()) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
            Err(error) => return Err(error),
        };
        // So that a line that another process is just writing is not taken for a torn one.
        file.lock_shared()?;
        let skipped = file.metadata()?.len().saturating_sub(MAX_READ);
        file.seek(SeekFrom::Start(skipped))?;
        let mut reader = BufReader::new(file);
        if skipped > 0 {
            next_line(&mut reader)?;
        }
        let (mut entries, mut broken) = (Vec::new(), 0);
        while let Some(line) = next_line(&mut reader)? {
            match line {
                // Somebody else may have written it.
                Line::Whole(line) => {
                    match serde_json::from_slice(&line).map(Foreign::take_value).and_then(from_value) {
                        Ok(entry) => entries.push(entry),
                        Err(_) => broken += 1,
                    }
                }
                Line::Endless => broken += 1,
            }
        }
        Ok((entries, broken))
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
        let line = serde_json::to_string(entry).map_err(|e| self.storage(APPEND, &e))?;
        let line = Printable::json(&line).as_str().to_owned();
        if line.len() >= MAX_LINE {
            return Err(self.storage(APPEND, &"the entry is too long to be read again"));
        }
        self.append_line(&line).map_err(|e| self.storage(APPEND, &e))
    }

    fn read(&self) -> Result<(Vec<Entry>, usize), PortError> {
        self.read_lines().map_err(|e| self.storage(READ, &e))
    }

    fn exclusive(&self) -> Result<Box<dyn Send>, PortError> {
        let locked = || -> io::Result<File> {
            self.make_folder()?;
            let (file, _) = open_private(&self.folder.join(LOCK))?;
            file.lock()?;
            Ok(file)
        };
        // The lock goes with the open file, so it is also given back when the process dies.
        locked().map(|file| Box::new(file) as Box<dyn Send>).map_err(|e| self.storage(EXCLUSIVE, &e))
    }
}

/// Opens a file to read and append that nobody else can read; tells whether it was just made.
fn open_private(path: &Path) -> io::Result<(File, bool)> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).mode(0o600).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    match options.clone().create_new(true).open(path) {
        Ok(file) => Ok((file, true)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let file = options.create(true).open(path)?;
            if file.metadata()?.permissions().mode() & 0o077 != 0 {
                file.set_permissions(Permissions::from_mode(0o600))?;
            }
            Ok((file, false))
        }
        Err(error) => Err(error),
    }
}

fn last_byte(file: &mut File) -> io::Result<u8> {
    let mut byte = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut byte)?;
    Ok(byte[0])
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}

enum Line {
    Whole(Vec<u8>),
    /// Too long to be an entry, passed over.
    Endless,
}

/// The next line that is not empty.
fn next_line(reader: &mut impl BufRead) -> io::Result<Option<Line>> {
    loop {
        let mut line = Vec::new();
        if reader.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        if line.len() == MAX_LINE && line.last() != Some(&b'\n') {
            reader.skip_until(b'\n')?;
            return Ok(Some(Line::Endless));
        }
        if !line.trim_ascii().is_empty() {
            return Ok(Some(Line::Whole(line)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::Event;
    use crate::domain::units::Timestamp;
    use proptest::prelude::*;
    use std::sync::mpsc;
    use std::thread;

    fn note(number: i64) -> Entry {
        let at = Timestamp::from_millis(number * 1000);
        Entry {
            at,
            operator: "oncall".into(),
            host: "bastion".into(),
            event: Event::Note { text: format!("n{number}") },
        }
    }

    fn journal() -> (tempfile::TempDir, FileJournal) {
        let folder = tempfile::tempdir().unwrap();
        let journal = FileJournal::new(folder.path().join("state/prod"));
        (folder, journal)
    }

    fn append_all(journal: &FileJournal, entries: &[Entry]) {
        for entry in entries {
            journal.append(entry).unwrap();
        }
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn entries_come_back_in_order_and_nothing_is_there_before() {
        let (_folder, journal) = journal();
        assert_eq!(journal.read().unwrap(), (vec![], 0));
        assert!(!journal.path().exists());
        let entries: Vec<_> = (0..20).map(note).collect();
        append_all(&journal, &entries);
        assert_eq!(journal.read().unwrap(), (entries, 0));
    }

    #[test]
    fn only_the_owner_can_read_it() {
        let (_folder, journal) = journal();
        journal.append(&note(1)).unwrap();
        drop(journal.exclusive().unwrap());
        assert_eq!(mode(&journal.folder), 0o700);
        assert_eq!((mode(&journal.path()), mode(&journal.folder.join(LOCK))), (0o600, 0o600));
        std::fs::set_permissions(journal.path(), Permissions::from_mode(0o644)).unwrap();
        journal.append(&note(2)).unwrap();
        assert_eq!(mode(&journal.path()), 0o600);
    }

    #[test]
    fn broken_and_endless_lines_are_counted_and_the_rest_is_read() {
        let (_folder, journal) = journal();
        journal.append(&note(1)).unwrap();
        let mut file = OpenOptions::new().append(true).open(journal.path()).unwrap();
        file.write_all(b"{\"event\":\"unheard of\"}\n\n").unwrap();
        file.write_all(&vec![b'x'; MAX_LINE * 3]).unwrap();
        file.write_all(b"\n\xff\xfe\n").unwrap();
        journal.append(&note(2)).unwrap();
        assert_eq!(journal.read().unwrap(), (vec![note(1), note(2)], 3));
    }

    #[test]
    fn an_entry_that_could_not_be_read_again_is_not_written() {
        let (_folder, journal) = journal();
        let event = Event::Note { text: "x".repeat(MAX_LINE) };
        let error = journal.append(&Entry { event, ..note(1) }).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Storage);
        assert_eq!(journal.read().unwrap(), (vec![], 0));
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_a_storage_error_with_its_path() {
        let (folder, _) = journal();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let journal = FileJournal::new(file.join("state"));
        let error = journal.append(&note(1)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Storage);
        assert!(error.message.contains("file/state"), "{error}");
        assert_eq!(journal.exclusive().map(|_| ()).unwrap_err().kind, ErrorKind::Storage);
    }

    #[test]
    fn the_second_change_waits_for_the_first() {
        let (_folder, journal) = journal();
        let first = journal.exclusive().unwrap();
        let (told, heard) = mpsc::channel();
        let other = journal.clone();
        let waiting = thread::spawn(move || {
            let guard = other.exclusive().unwrap();
            told.send("second").unwrap();
            drop(guard);
        });
        assert!(heard.try_recv().is_err());
        // Appending is not kept out by it: the holder writes its own intent.
        journal.append(&note(1)).unwrap();
        assert!(heard.try_recv().is_err());
        drop(first);
        assert_eq!(heard.recv().unwrap(), "second");
        waiting.join().unwrap();
    }

    #[test]
    fn many_writers_do_not_tear_each_others_lines() {
        let (_folder, journal) = journal();
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let journal = journal.clone();
                let entries: Vec<_> = (0..25).map(|n| note(writer * 100 + n)).collect();
                thread::spawn(move || append_all(&journal, &entries))
            })
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
        let (entries, broken) = journal.read().unwrap();
        assert_eq!((entries.len(), broken), (100, 0));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        /// Wherever a crash cuts the file, what was complete before is read and what comes after is not lost.
        #[test]
        fn a_crash_at_any_byte_costs_at_most_the_last_line(cut in 0usize..400) {
            let (_folder, journal) = journal();
            let before: Vec<_> = (0..4).map(note).collect();
            append_all(&journal, &before);
            let bytes = std::fs::read(journal.path()).unwrap();
            let cut = cut.min(bytes.len());
            std::fs::write(journal.path(), &bytes[..cut]).unwrap();
            let whole = String::from_utf8_lossy(&bytes[..cut]).matches('\n').count();
            journal.append(&note(9)).unwrap();
            let (entries, broken) = journal.read().unwrap();
            prop_assert!(broken <= 1);
            prop_assert_eq!(&entries[..whole], &before[..whole]);
            prop_assert_eq!(entries.last(), Some(&note(9)));
            prop_assert!(entries.len() <= whole + 2);
        }
    }
}
