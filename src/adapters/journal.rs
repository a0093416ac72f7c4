//! The journal on disk: one JSON object per line, appended and synced, never rewritten.
//!
//! It survives a crash at any point: a torn last line is counted, not fatal, and the next append starts on a line of
//! its own. Several processes may append at once; each append is one write under a lock. Only the owner can read it.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::from_value;
use sha2::{Digest, Sha256};

use crate::domain::change::turn::Holder;
use crate::domain::record::Entry;
use crate::domain::text::{Foreign, Printable};
use crate::domain::traffic::{GroupKey, same_name};
use crate::ports::{ErrorKind, Journal, PortError, Turn};

/// Name of the journal in the state folder.
pub const FILE: &str = "journal.jsonl";
/// How the names of the segments begin that are written beside the journal while somebody else holds the turn.
const SEGMENT: &str = "journal-";
/// Segments of one process; each is a way back that found the turn held.
const MAX_SEGMENTS: u32 = 1000;
/// Bytes of a line beside its entry: position, hash, stack, zone, name and type.
const MARK_ROOM: usize = 2 * 1024;
/// Bytes of the lock file that are read: a holder has some hundred.
const MAX_HOLDER: u64 = 4 * 1024;
/// How long an append waits for another process that is just writing its line.
const APPEND_BOUND: Duration = Duration::from_secs(2);
/// Name of the file whose lock keeps two changes apart.
const LOCK: &str = "lock";
/// Longest line: an entry has a few hundred bytes, and one with every gate stepped over a few thousand.
const MAX_LINE: usize = 64 * 1024;
/// How much of the file's end is kept whole: some hundred thousand entries, where a migration writes a few hundred. Of
/// what is before it only the entries about the records are.
const MAX_READ: u64 = 32 * 1024 * 1024;
const READ: &str = "journal:read";
const APPEND: &str = "journal:append";
const TURN: &str = "journal:turn";

/// The journal in a state folder. The folder and the files are made when something is first written.
#[derive(Debug, Clone)]
pub struct FileJournal {
    folder: PathBuf,
    /// Name of the file that is written.
    file: String,
    /// Whose changes it holds; nothing for whoever only reads.
    binding: Option<Binding>,
}

/// Which record a journal is about. A folder remembers it and takes no other, so that the gates of one stack never pass
/// by another's journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The stack's name; it is shown and not compared, since a name may be given in several ways.
    pub stack: String,
    /// The hosted zone.
    pub zone: String,
    /// The record's name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub rtype: String,
}

impl Binding {
    fn is_same(&self, other: &Self) -> bool {
        self.zone == other.zone && same_name(&self.name, &other.name) && self.rtype == other.rtype
    }

    fn text(&self) -> String {
        format!("{} {} in the zone {} (stack {})", self.name, self.rtype, self.zone, self.stack)
    }
}

/// Where an entry stands: its position in its file, and the hash of the line before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Counted from 1 in each file.
    pub seq: u64,
    /// SHA-256 of the line before, in hexadecimal; of the first line of a segment, of the last line of the main file.
    pub prev: String,
}

/// A line of the journal as it is on disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Its position; nothing in a journal of an earlier version.
    #[serde(flatten)]
    pub place: Option<Place>,
    /// What it is about; nothing in a journal of an earlier version.
    #[serde(flatten)]
    pub binding: Option<Binding>,
    /// What happened.
    #[serde(flatten)]
    pub entry: Entry,
}

fn not_ours(owner: &Binding, ours: &Binding) -> String {
    format!(
        "this folder holds the journal of {}, and the stack is about {}; set TAPCTL_STATE_DIR to another folder, or leave \
         it unset",
        owner.text(),
        ours.text()
    )
}

impl FileJournal {
    /// The journal in `folder`, for whoever reads; nothing is touched yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), file: FILE.to_owned(), binding: None }
    }

    /// The journal in `folder` about this record.
    pub fn of(folder: impl Into<PathBuf>, stack: &str, key: &GroupKey) -> Self {
        // Before the name is configured there is nothing to be about.
        let binding = (!key.name.is_empty() && !key.zone_id.is_empty()).then(|| Binding {
            stack: stack.to_owned(),
            zone: key.zone_id.clone(),
            name: key.name.clone(),
            rtype: key.rtype.clone(),
        });
        Self { binding, ..Self::new(folder) }
    }

    /// Where the entries are.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.join(&self.file)
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
        let (mut file, created) = open_private(&self.path())?;
        lock_for_writing(&file)?;
        let length = file.seek(SeekFrom::End(0))?;
        let before = last_line(&mut file, length)?;
        let last = before.as_deref().and_then(|line| serde_json::from_slice::<Binding>(line).ok());
        if let (Some(ours), Some(owner)) =
            (&self.binding, last.filter(|last| !self.binding.as_ref().is_some_and(|b| b.is_same(last))))
        {
            return Err(io::Error::other(not_ours(&owner, ours)));
        }
        let torn = before.as_ref().is_some_and(|line| line.last() != Some(&b'\n'));
        let place = self.place(before.as_deref())?;
        let line = Line { place: Some(place), binding: self.binding.clone(), entry: entry.clone() };
        let mut bytes = if torn { vec![b'\n'] } else { Vec::new() };
        bytes.extend_from_slice(Printable::json(&serde_json::to_string(&line)?).as_str().as_bytes());
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

    /// The place of the line after `before`.
    fn place(&self, before: Option<&[u8]>) -> io::Result<Place> {
        if let Some(before) = before {
            let seq = serde_json::from_slice::<Place>(before).map_or(0, |place| place.seq);
            return Ok(Place { seq: seq + 1, prev: hash(before) });
        }
        let prev = if self.file == FILE {
            String::new()
        } else {
            let mut main = match open_to_read(&self.folder.join(FILE)) {
                Ok(main) => main,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Ok(Place { seq: 1, prev: String::new() });
                }
                Err(error) => return Err(error),
            };
            let length = main.seek(SeekFrom::End(0))?;
            last_line(&mut main, length)?.map(|line| hash(&line)).unwrap_or_default()
        };
        Ok(Place { seq: 1, prev })
    }

    /// The main file and the segments beside it, in the order of their names.
    fn files(&self) -> io::Result<Vec<PathBuf>> {
        let mut segments = Vec::new();
        match std::fs::read_dir(&self.folder) {
            Ok(folder) => {
                for item in folder {
                    let name = item?.file_name();
                    if name.to_str().is_some_and(|name| name.starts_with(SEGMENT)) {
                        segments.push(self.folder.join(name));
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        segments.sort();
        segments.insert(0, self.folder.join(FILE));
        Ok(segments)
    }

    fn read_lines(&self) -> io::Result<(Vec<Line>, usize)> {
        let mut broken = 0;
        let mut lines: Vec<(String, Line)> = Vec::new();
        for (index, path) in self.files()?.iter().enumerate() {
            let (found, bad) = read_file(path)?;
            broken += bad;
            if index == 0 {
                lines = found;
                continue;
            }
            // A segment was begun when the main file's last line was the one that it names.
            let after = found.first().and_then(|(_, line)| line.place.as_ref()).map(|place| place.prev.clone());
            let at = lines
                .iter()
                .position(|(hash, _)| Some(hash) == after.as_ref())
                .map_or_else(|| if after.as_deref() == Some("") { 0 } else { lines.len() }, |position| position + 1);
            lines.splice(at..at, found);
        }
        Ok((lines.into_iter().map(|(_, line)| line).collect(), broken))
    }

    /// Refuses a journal that is about another record.
    fn check_binding(&self, lines: &[Line]) -> Result<(), PortError> {
        let Some(ours) = &self.binding else { return Ok(()) };
        // The first who wrote here owns the folder.
        match lines.iter().find_map(|line| line.binding.as_ref()) {
            Some(owner) if !owner.is_same(ours) => Err(self.storage(READ, &not_ours(owner, ours))),
            _ => Ok(()),
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
        let line = serde_json::to_string(entry).map_err(|e| self.storage(APPEND, &e))?;
        if line.len() >= MAX_LINE - MARK_ROOM {
            return Err(self.storage(APPEND, &"the entry is too long to be read again"));
        }
        self.append_line(entry).map_err(|e| self.storage(APPEND, &e))
    }

    fn read(&self) -> Result<(Vec<Entry>, usize), PortError> {
        let (lines, broken) = self.read_lines().map_err(|e| self.storage(READ, &e))?;
        self.check_binding(&lines)?;
        Ok((lines.into_iter().map(|line| line.entry).collect(), broken))
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

    fn aside(&self) -> Result<Arc<dyn Journal>, PortError> {
        let made = || -> io::Result<String> {
            self.make_folder()?;
            for number in 0..MAX_SEGMENTS {
                let name = format!("{SEGMENT}{}-{number}.jsonl", std::process::id());
                let made = OpenOptions::new().append(true).create_new(true).mode(0o600).open(self.folder.join(&name));
                match made {
                    Ok(_) => return sync_folder(&self.folder).map(|()| name),
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    Err(error) => return Err(error),
                }
            }
            Err(io::Error::other("too many segments of the journal"))
        };
        let file = made().map_err(|e| self.storage(APPEND, &e))?;
        Ok(Arc::new(Self { file, ..self.clone() }))
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

/// Whether a holder on this host is stopped, as `/proc` says; nothing for another host, or when it is gone.
fn is_stopped(held: &Holder, host: &str) -> Option<bool> {
    if held.host != host {
        return None;
    }
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", held.pid)).ok()?;
    // The name in parentheses may hold anything, so the state is the first word after the last of them.
    let state = stat.rsplit(')').next()?.split_whitespace().next()?;
    Some(state == "T" || state == "t")
}

/// Waits for the file's lock, but not for ever: a process that was stopped while it wrote keeps it.
fn lock_for_writing(file: &File) -> io::Result<()> {
    let end = Instant::now() + APPEND_BOUND;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if Instant::now() >= end => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "another process keeps it locked"));
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// The lines of one file with the hash of each, and the number of those that cannot be read. Never waits: while another
/// process writes, its line is read in part, and then it is left for the next reading.
fn read_file(path: &Path) -> io::Result<(Vec<(String, Line)>, usize)> {
    let file = match open_to_read(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
        Err(error) => return Err(error),
    };
    let is_still = file.try_lock_shared().is_ok();
    let old = file.metadata()?.len().saturating_sub(MAX_READ);
    let mut reader = BufReader::new(file);
    let (mut lines, mut broken, mut at) = (Vec::new(), 0, 0);
    while let Some(read) = next_line(&mut reader)? {
        match read {
            // Somebody else may have written it.
            Read1::Whole(bytes) => {
                match serde_json::from_slice(&bytes).map(Foreign::take_value).and_then(from_value::<Line>) {
                    // Of a file that is longer than anybody reads, what was done to the records is kept all the same.
                    Ok(line) => {
                        at += bytes.len() as u64;
                        if at > old || line.entry.event.is_about_records() {
                            lines.push((hash(&bytes), line));
                        }
                    }
                    Err(_) if !is_still && bytes.last() != Some(&b'\n') => {}
                    Err(_) => broken += 1,
                }
            }
            Read1::Endless => broken += 1,
        }
    }
    Ok((lines, broken))
}

/// The last line that is not empty, with its end where it has one.
fn last_line(file: &mut File, length: u64) -> io::Result<Option<Vec<u8>>> {
    let start = length.saturating_sub(MAX_LINE as u64 + 1);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(length - start).read_to_end(&mut bytes)?;
    let end = bytes.iter().rposition(|byte| *byte != b'\n');
    let Some(end) = end else { return Ok(None) };
    let begin = bytes[..end].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    Ok(Some(bytes[begin..].to_vec()))
}

/// SHA-256 of a line without its end, in hexadecimal.
fn hash(line: &[u8]) -> String {
    let digest = Sha256::digest(line.trim_ascii_end());
    digest.iter().fold(String::new(), |mut text, byte| {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
        text
    })
}

/// Opens a file to read and append that nobody else can read; tells whether it was just made.
fn open_private(path: &Path) -> io::Result<(File, bool)> {
    let mut options = OpenOptions::new();
    // A FIFO would be waited for without end: it is opened without waiting, and refused below.
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    options.read(true).append(true).mode(0o600).custom_flags(flags.bits().cast_signed());
    match options.clone().create_new(true).open(path) {
        Ok(file) => Ok((file, true)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let file = options.create(true).open(path)?;
            must_be_a_file(&file)?;
            if file.metadata()?.permissions().mode() & 0o077 != 0 {
                file.set_permissions(Permissions::from_mode(0o600))?;
            }
            Ok((file, false))
        }
        Err(error) => Err(error),
    }
}

/// Opens a file to read, without waiting for whoever would write into a pipe.
fn open_to_read(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    must_be_a_file(&file)?;
    Ok(file)
}

/// Refuses what is no regular file: a pipe or a device in the journal's place would hang whoever reads it.
fn must_be_a_file(file: &File) -> io::Result<()> {
    if file.metadata()?.is_file() {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "this is no regular file; move it away"))
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}

enum Read1 {
    Whole(Vec<u8>),
    /// Too long to be an entry, passed over.
    Endless,
}

/// The next line that is not empty.
fn next_line(reader: &mut impl BufRead) -> io::Result<Option<Read1>> {
    loop {
        let mut line = Vec::new();
        if reader.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        if line.len() == MAX_LINE && line.last() != Some(&b'\n') {
            reader.skip_until(b'\n')?;
            return Ok(Some(Read1::Endless));
        }
        if !line.trim_ascii().is_empty() {
            return Ok(Some(Read1::Whole(line)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::Event;
    use crate::domain::units::Timestamp;
    use proptest::prelude::*;
    use std::thread;

    fn note(number: i64) -> Entry {
        let at = Timestamp::from_millis(number * 1000);
        Entry {
            aws_at: None,
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
    fn a_pipe_in_the_journals_place_hangs_nobody() {
        let (_folder, journal) = journal();
        std::fs::create_dir_all(journal.path().parent().unwrap()).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, journal.path(), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        for error in [journal.read().unwrap_err(), journal.append(&note(1)).unwrap_err()] {
            assert!(error.message.contains("no regular file"), "{error}");
        }
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
        drop(journal.try_turn(&holder()).unwrap());
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
        assert_eq!(journal.try_turn(&holder()).map(|_| ()).unwrap_err().kind, ErrorKind::Storage);
    }

    fn holder() -> Holder {
        Holder {
            pid: std::process::id(),
            host: "bastion".into(),
            operator: "maria".into(),
            since: note(1).at,
            stopped: None,
        }
    }

    #[test]
    fn the_second_change_is_told_who_has_the_turn_and_the_journal_stays_open_to_all() {
        let (_folder, journal) = journal();
        let Turn::Taken(first) = journal.try_turn(&holder()).unwrap() else { panic!("nobody has it") };
        let other = journal.clone();
        let Turn::Held(Some(held)) = other.try_turn(&holder()).unwrap() else { panic!("somebody has it") };
        assert_eq!((held.operator.as_str(), held.pid, held.stopped), ("maria", std::process::id(), Some(false)));
        journal.append(&note(1)).unwrap();
        assert_eq!(other.read().unwrap(), (vec![note(1)], 0));
        drop(first);
        assert!(matches!(other.try_turn(&holder()).unwrap(), Turn::Taken(_)));
    }

    #[test]
    fn a_reader_does_not_wait_for_a_writer_that_does_not_go_on() {
        let (_folder, journal) = journal();
        journal.append(&note(1)).unwrap();
        let mut file = OpenOptions::new().append(true).open(journal.path()).unwrap();
        file.lock().unwrap();
        file.write_all(b"{\"at\":\"2026").unwrap();
        assert_eq!(journal.read().unwrap(), (vec![note(1)], 0), "half a line is not there yet");
    }

    #[test]
    fn what_is_written_aside_is_read_where_it_was_begun() {
        let (_folder, journal) = journal();
        let before = journal.stamp();
        append_all(&journal, &[note(1), note(2)]);
        let aside = journal.aside().unwrap();
        aside.append(&note(10)).unwrap();
        append_all(&journal, &[note(3)]);
        aside.append(&note(11)).unwrap();
        let again = journal.aside().unwrap();
        again.append(&note(20)).unwrap();
        let wanted = [note(1), note(2), note(10), note(11), note(3), note(20)];
        assert_eq!(journal.read().unwrap(), (wanted.to_vec(), 0));
        assert_ne!(journal.stamp(), before);
        let stamp = journal.stamp();
        aside.append(&note(12)).unwrap();
        assert_ne!(journal.stamp(), stamp, "a segment counts, too");
    }

    #[test]
    fn each_line_carries_its_place_and_the_hash_of_the_line_before() {
        let (_folder, journal) = journal();
        append_all(&journal, &(1..4).map(note).collect::<Vec<_>>());
        let text = std::fs::read_to_string(journal.path()).unwrap();
        let (lines, _) = journal.lines().unwrap();
        let places: Vec<Place> = lines.iter().map(|line| line.place.clone().unwrap()).collect();
        assert_eq!(places.iter().map(|place| place.seq).collect::<Vec<_>>(), [1, 2, 3]);
        let hashes: Vec<String> = text.lines().map(|line| hash(line.as_bytes())).collect();
        assert_eq!(places[0].prev, "");
        assert_eq!((&places[1].prev, &places[2].prev), (&hashes[0], &hashes[1]));
    }

    #[test]
    fn a_folder_remembers_its_record_and_refuses_another() {
        let folder = tempfile::tempdir().unwrap();
        let key = crate::domain::shift::fixtures::key();
        let journal = FileJournal::of(folder.path(), "prod", &key);
        journal.append(&note(1)).unwrap();
        let shouted = GroupKey { name: "APP.example.com".into(), ..key.clone() };
        assert!(FileJournal::of(folder.path(), "other", &shouted).read().is_ok(), "the same name, written otherwise");
        let others = [
            GroupKey { name: "shop.example.com.".into(), ..key.clone() },
            GroupKey { zone_id: "Z2".into(), ..key.clone() },
            GroupKey { rtype: "CNAME".into(), ..key },
        ];
        for other in others {
            let error = FileJournal::of(folder.path(), "prod", &other).read().unwrap_err();
            assert!(
                error.message.contains("app.example.com.") && error.message.contains("TAPCTL_STATE_DIR"),
                "{error}"
            );
            assert!(
                FileJournal::of(folder.path(), "prod", &other).append(&note(2)).is_err(),
                "nothing foreign gets in"
            );
        }
        assert!(FileJournal::new(folder.path()).read().is_ok(), "whoever only reads may");
    }

    #[test]
    fn a_journal_of_an_earlier_version_is_read_and_goes_on() {
        let (_folder, journal) = journal();
        journal.make_folder().unwrap();
        let old = serde_json::to_string(&note(1)).unwrap() + "\n";
        std::fs::write(journal.path(), &old).unwrap();
        journal.append(&note(2)).unwrap();
        assert_eq!(journal.read().unwrap(), (vec![note(1), note(2)], 0));
        assert_eq!(journal.lines().unwrap().0[1].place, Some(Place { seq: 1, prev: hash(old.as_bytes()) }));
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
