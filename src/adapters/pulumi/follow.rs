//! Follows the events of a run, from its first byte, while it is written or after it ended.
//!
//! [`Tail`] reads what is new, at most [`MAX_READ_BYTES`] at once; [`Follower`] adds the waiting and the end of the
//! process. Handles a last line without its end, a file that was cut or put in place of another, lines of any
//! length, and a file that is gone.

use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::folder::{RunDir, RunRecord, Runs, file, storage};
use crate::domain::error::PortError;
use crate::domain::pulumi::ended::RunStatus;
use crate::domain::pulumi::event::{Parsed, parse};
use crate::domain::pulumi::{Plan, RunState};
use crate::domain::text::hide;

/// Bytes that are read at once: a few thousand events, folded well within one frame.
pub const MAX_READ_BYTES: usize = 1 << 20;
/// Longest line that is read. The inputs of a large resource have some ten thousand bytes; a line beyond this is
/// skipped to its end and counted.
pub const MAX_LINE_BYTES: usize = 8 << 20;

/// What a look at the file found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch {
    /// New lines, parsed.
    pub lines: Vec<Parsed>,
    /// Lines that were too long.
    pub oversized: u32,
    /// The file is another one, or was cut: what was folded before does not count any more.
    pub restarted: bool,
    /// The file is not there.
    pub gone: bool,
    /// There is more to read at once.
    pub more: bool,
}

/// The end of a file that grows.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    offset: u64,
    inode: Option<u64>,
    partial: Vec<u8>,
    skipping: bool,
}

impl Tail {
    /// The file at `path`, from its first byte.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, offset: 0, inode: None, partial: Vec::new(), skipping: false }
    }

    /// The same for whoever may have read some of it before: the first look says that it starts over.
    fn again(path: PathBuf) -> Self {
        // No file has this number.
        Self { inode: Some(0), ..Self::new(path) }
    }

    /// Reads what is new, at most [`MAX_READ_BYTES`].
    ///
    /// # Errors
    /// `Storage` when the file is there and cannot be read.
    pub fn read(&mut self) -> Result<Batch, PortError> {
        let mut batch = Batch::default();
        let read = self.read_into(&mut batch);
        match read {
            Ok(()) => Ok(batch),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                batch.gone = true;
                Ok(batch)
            }
            Err(error) => Err(storage("follow", &self.path, &error)),
        }
    }

    fn read_into(&mut self, batch: &mut Batch) -> io::Result<()> {
        let mut file = RunDir::open(&self.path)?;
        let meta = file.metadata()?;
        if self.inode.is_some_and(|inode| inode != meta.ino()) || meta.len() < self.offset {
            (self.offset, self.skipping) = (0, false);
            self.partial.clear();
            batch.restarted = true;
        }
        self.inode = Some(meta.ino());
        file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::with_capacity(usize::try_from(meta.len() - self.offset).unwrap_or(0).min(MAX_READ_BYTES));
        let read = file.take(MAX_READ_BYTES as u64).read_to_end(&mut bytes)?;
        self.offset += read as u64;
        batch.more = read == MAX_READ_BYTES;
        self.split(&bytes, batch);
        Ok(())
    }

    fn split(&mut self, bytes: &[u8], batch: &mut Batch) {
        let mut pieces = bytes.split(|byte| *byte == b'\n');
        let last = pieces.next_back().unwrap_or_default();
        for piece in pieces {
            if self.skipping {
                self.skipping = false;
            } else if self.partial.is_empty() {
                take(piece, batch);
            } else {
                self.partial.extend_from_slice(piece);
                take(&self.partial, batch);
            }
            // A long line must not leave its room behind for good.
            self.partial.clear();
            self.partial.shrink_to(MAX_READ_BYTES);
        }
        if self.skipping {
            return;
        }
        self.partial.extend_from_slice(last);
        if self.partial.len() > MAX_LINE_BYTES {
            self.partial = Vec::new();
            self.skipping = true;
            batch.oversized += 1;
        }
    }

    /// The last line without its end: what a process left that died while it wrote.
    fn flush(&mut self, batch: &mut Batch) {
        let partial = std::mem::take(&mut self.partial);
        take(&partial, batch);
    }
}

fn take(line: &[u8], batch: &mut Batch) {
    if !line.iter().all(u8::is_ascii_whitespace) {
        // The one place where the engine's text comes in.
        batch.lines.push(parse(hide(&String::from_utf8_lossy(line)).as_bytes()));
    }
}

/// What the preview of a run planned: all that is expected of it before its first event. Nothing for a run without a
/// preview, or whose preview's folder is gone by now. Waits for the disk.
///
/// # Errors
/// `Storage` when files are there and cannot be read.
pub fn expected_plan(runs: &Runs, record: &RunRecord) -> Result<Option<Plan>, PortError> {
    record.preview.as_deref().and_then(|id| runs.dir(id)).map(|dir| plan_of(&dir)).transpose()
}

/// What the events of an ended preview come to. Waits for the disk.
///
/// # Errors
/// `Storage` when they are there and cannot be read.
pub fn plan_of(dir: &RunDir) -> Result<Plan, PortError> {
    let mut preview = folded(dir, RunState::new(), true)?;
    preview.process_ended();
    Ok(Plan::of(&preview))
}

/// What a run that goes on has come to so far. Waits for the disk.
///
/// # Errors
/// `Storage` when its events are there and cannot be read.
pub fn so_far(dir: &RunDir, blank: RunState) -> Result<RunState, PortError> {
    folded(dir, blank, false)
}

/// All events that are written, and the last line without its end when nobody writes any more.
fn folded(dir: &RunDir, mut run_state: RunState, ended: bool) -> Result<RunState, PortError> {
    let mut tail = Tail::new(dir.file(file::EVENTS));
    loop {
        let mut batch = tail.read()?;
        if ended && !batch.more {
            tail.flush(&mut batch);
        }
        (0..batch.oversized).for_each(|_| run_state.skipped_line());
        batch.lines.into_iter().for_each(|line| run_state.fold(line));
        if !batch.more {
            return Ok(run_state);
        }
    }
}

/// What a follower has to tell.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// New lines.
    Lines(Batch),
    /// The file is another one, or was cut: start over with a new fold.
    Restarted,
    /// Pulumi is gone, all is read. The fold has to be told with `process_ended`.
    Ended(RunStatus),
}

/// What one look found: how the run does, and what is new.
type Look = Result<(RunStatus, Batch), PortError>;

/// Follows one run to its end. Disks are waited for on threads of their own.
#[derive(Debug)]
pub struct Follower {
    dir: RunDir,
    /// Nothing while a look has it.
    tail: Option<Tail>,
    /// A look that was begun: it goes on when nobody waits for it, and whoever asks next gets what it found.
    looking: Option<JoinHandle<(Tail, Look)>>,
    interval: Duration,
    restarted: Option<Batch>,
    ended: bool,
}

impl Follower {
    /// Follows the run in `dir`, and looks again every `interval` once all is read.
    #[must_use]
    pub fn new(dir: RunDir, interval: Duration) -> Self {
        let tail = Some(Tail::new(dir.file(file::EVENTS)));
        Self { dir, tail, looking: None, interval, restarted: None, ended: false }
    }

    /// The run's folder.
    #[must_use]
    pub fn dir(&self) -> &RunDir {
        &self.dir
    }

    /// The next thing that happens; nothing after the end. Can be dropped while it waits, without a loss.
    ///
    /// # Errors
    /// `Storage` when the run's files are there and cannot be read. Asking again is right: the run goes on.
    pub async fn next(&mut self) -> Result<Option<Update>, PortError> {
        loop {
            if let Some(batch) = self.restarted.take() {
                return Ok(Some(Update::Lines(batch)));
            }
            if self.ended {
                return Ok(None);
            }
            let (status, mut batch) = self.look().await?;
            let at_end = !status.is_active() && !batch.more;
            if at_end {
                self.tail.iter_mut().for_each(|tail| tail.flush(&mut batch));
                self.ended = batch.lines.is_empty() && batch.oversized == 0 && !batch.restarted;
            }
            if self.ended {
                return Ok(Some(Update::Ended(status)));
            }
            if batch.restarted {
                batch.restarted = false;
                self.restarted = Some(batch);
                return Ok(Some(Update::Restarted));
            }
            if !batch.lines.is_empty() || batch.oversized > 0 {
                return Ok(Some(Update::Lines(batch)));
            }
            if !batch.more && !at_end {
                tokio::time::sleep(self.interval).await;
            }
        }
    }

    async fn look(&mut self) -> Look {
        let (tail, dir) = (&mut self.tail, &self.dir);
        let looking = self.looking.get_or_insert_with(|| {
            let mut tail = tail.take().unwrap_or_else(|| Tail::again(dir.file(file::EVENTS)));
            let dir = dir.clone();
            tokio::task::spawn_blocking(move || {
                // The status comes before the read: what was written before the end is then read after it.
                let look = status(&dir).and_then(|status| Ok((status, tail.read()?)));
                (tail, look)
            })
        });
        let looked = looking.await;
        self.looking = None;
        let (tail, look) = looked.map_err(|error| storage("follow", self.dir.path(), &error))?;
        self.tail = Some(tail);
        look
    }
}

fn status(dir: &RunDir) -> Result<RunStatus, PortError> {
    Ok(dir.read()?.map_or(RunStatus::Lost, |record| record.status()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    const DEBUG: &[u8] = br#"{"timestamp":1,"diagnosticEvent":{"message":"x","severity":"debug"}}"#;
    const END: &[u8] = br#"{"timestamp":1,"cancelEvent":{}}"#;

    fn file() -> (tempfile::TempDir, PathBuf, Tail) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        (folder, path.clone(), Tail::new(path))
    }

    fn append(path: &PathBuf, bytes: &[u8]) {
        fs::OpenOptions::new().append(true).create(true).open(path).unwrap().write_all(bytes).unwrap();
    }

    #[test]
    fn a_partial_last_line_waits_for_its_end() {
        let (_folder, path, mut tail) = file();
        assert!(tail.read().unwrap().gone);
        append(&path, &DEBUG[..20]);
        assert_eq!(tail.read().unwrap(), Batch::default());
        append(&path, &[&DEBUG[20..], b"\n", &END[..5]].concat());
        assert_eq!(tail.read().unwrap().lines, [Parsed::Debug]);
        let mut batch = Batch::default();
        tail.flush(&mut batch);
        assert_eq!(
            batch.lines,
            [Parsed::Garbage { looks_like_an_event: true }],
            "what is left of a line is counted, once"
        );
        tail.flush(&mut batch);
        assert_eq!(batch.lines.len(), 1);
    }

    #[test]
    fn a_cut_or_replaced_file_starts_over() {
        let (folder, path, mut tail) = file();
        append(&path, &[DEBUG, b"\n", DEBUG, b"\n"].concat());
        assert_eq!(tail.read().unwrap().lines.len(), 2);
        fs::write(&path, [DEBUG, b"\n"].concat()).unwrap();
        let batch = tail.read().unwrap();
        assert!(batch.restarted);
        assert_eq!(batch.lines.len(), 1);
        let other = folder.path().join("other");
        fs::write(&other, [DEBUG, b"\n", DEBUG, b"\n", DEBUG, b"\n"].concat()).unwrap();
        fs::rename(&other, &path).unwrap();
        let batch = tail.read().unwrap();
        assert!(batch.restarted);
        assert_eq!(batch.lines.len(), 3);
        fs::remove_file(&path).unwrap();
        assert!(tail.read().unwrap().gone);
    }

    #[test]
    fn a_line_beyond_the_bound_is_skipped_and_the_next_one_is_read() {
        let (_folder, path, mut tail) = file();
        append(&path, &vec![b'x'; MAX_LINE_BYTES + MAX_READ_BYTES + 7]);
        append(&path, &[b"\n", DEBUG, b"\n"].concat());
        let (mut oversized, mut lines) = (0, Vec::new());
        loop {
            let batch = tail.read().unwrap();
            assert!(tail.partial.capacity() <= 2 * (MAX_LINE_BYTES + MAX_READ_BYTES));
            oversized += batch.oversized;
            lines.extend(batch.lines);
            if !batch.more {
                break;
            }
        }
        assert_eq!((oversized, lines), (1, vec![Parsed::Debug]));
    }

    /// Looks at a file that can only be read once somebody writes into it, as one of a disk that does not answer.
    #[test]
    fn a_disk_that_is_waited_for_keeps_nothing_else_from_going_on() {
        let (found, finds) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let folder = tempfile::tempdir().unwrap();
            let dir = RunDir::at(folder.path()).unwrap();
            let path = dir.file(file::STATE);
            assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
            let mut follower = Follower::new(dir, Duration::ZERO);
            let one_thread = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let updates = one_thread.block_on(async {
                // Dropped while it waits.
                tokio::select! {
                    biased;
                    update = follower.next() => panic!("{update:?}"),
                    () = tokio::task::yield_now() => {}
                }
                let write = async { append(&path, b"no state") };
                let (update, ()) = tokio::join!(follower.next(), write);
                update
            });
            found.send(updates).unwrap();
        });
        let update = finds.recv_timeout(Duration::from_secs(20)).expect("the thread of the others was kept");
        assert!(update.unwrap_err().message.contains("state.json"), "it was asked, once");
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_the_bytes_arrive(cuts in proptest::collection::vec(0usize..400, 0..8)) {
            let whole = [DEBUG, b"\n", END, b"\n\n", b"garbage\n", DEBUG, b"\n"].concat();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(whole.len())).chain([0, whole.len()]).collect();
            cuts.sort_unstable();
            let (_folder, path, mut tail) = file();
            let mut lines = Vec::new();
            for pair in cuts.windows(2) {
                append(&path, &whole[pair[0]..pair[1]]);
                lines.extend(tail.read().unwrap().lines);
            }
            prop_assert_eq!(lines.len(), 4);
            prop_assert_eq!(&lines[2], &Parsed::Garbage { looks_like_an_event: false });
        }
    }
}
