//! A file of the journal from its first line to its last: what is read of it, and what an append follows.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::disk::open_to_read;
use super::lines::{Line, MAX_LINE, hash, hex};
use super::owner::Binding;

/// How much of the file's end is kept whole: some hundred thousand entries, where a migration writes a few hundred. Of
/// what is before it only the entries about the records are.
pub(super) const MAX_READ: u64 = 32 * 1024 * 1024;

/// A line that is not empty, as it lies in its file.
pub(super) enum Raw {
    /// With its end, where it has one.
    Whole(Vec<u8>),
    /// Too long to be an entry, passed over.
    Endless { hash: String, length: u64, has_end: bool },
}

impl Raw {
    /// The line, where it can be read. Somebody else may have written it.
    pub(super) fn line(&self) -> Option<Line> {
        match self {
            Self::Whole(bytes) => Line::read(bytes),
            Self::Endless { .. } => None,
        }
    }

    pub(super) fn hash(&self) -> String {
        match self {
            Self::Whole(bytes) => hash(bytes),
            Self::Endless { hash, .. } => hash.clone(),
        }
    }

    fn has_end(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.last() == Some(&b'\n'),
            Self::Endless { has_end, .. } => *has_end,
        }
    }

    fn length(&self) -> u64 {
        match self {
            Self::Whole(bytes) => bytes.len() as u64,
            Self::Endless { length, .. } => *length,
        }
    }
}

/// The lines of a file that are not empty, whether they can be read or not: each of them counts as a position.
struct Raws<R>(BufReader<R>);

impl<R: Read> Raws<R> {
    fn read(&mut self) -> io::Result<Option<Raw>> {
        loop {
            let mut line = Vec::new();
            if self.0.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut line)? == 0 {
                return Ok(None);
            }
            if line.len() == MAX_LINE && line.last() != Some(&b'\n') {
                return self.pass_over(&line).map(Some);
            }
            if !line.trim_ascii().is_empty() {
                return Ok(Some(Raw::Whole(line)));
            }
        }
    }

    /// The rest of a line that nobody keeps in memory.
    fn pass_over(&mut self, begin: &[u8]) -> io::Result<Raw> {
        let (mut digest, mut length) = (Sha256::new_with_prefix(begin), begin.len() as u64);
        loop {
            let more = self.0.fill_buf()?;
            let end = more.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(more.len(), |end| end + 1);
            digest.update(&more[..end.unwrap_or(used)]);
            length += used as u64;
            self.0.consume(used);
            if end.is_some() || used == 0 {
                return Ok(Raw::Endless { hash: hex(&digest.finalize()), length, has_end: end.is_some() });
            }
        }
    }
}

impl<R: Read> Iterator for Raws<R> {
    type Item = io::Result<Raw>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

/// What an append follows.
pub(super) struct End {
    /// Lines of the file that are not empty, those that cannot be read too.
    pub(super) lines: u64,
    last: Option<Raw>,
    before: Option<Raw>,
}

impl End {
    /// The end of a file that was opened to read.
    pub(super) fn of(mut file: &File) -> io::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        let mut end = Self { lines: 0, last: None, before: None };
        for raw in Raws(BufReader::new(file)) {
            end.before = end.last.replace(raw?);
            end.lines += 1;
        }
        Ok(end)
    }

    /// The hash of the last line; empty where there is none.
    pub(super) fn hash(&self) -> String {
        self.last.as_ref().map(Raw::hash).unwrap_or_default()
    }

    /// Whether the last line has no end.
    pub(super) fn is_torn(&self) -> bool {
        self.last.as_ref().is_some_and(|last| !last.has_end())
    }

    /// Position and hash of the last line that stays as it is: one without an end that cannot be read was torn, or
    /// somebody is writing it.
    pub(super) fn whole(&self) -> (u64, String) {
        if self.is_torn() && self.last.as_ref().and_then(Raw::line).is_none() {
            return (self.lines - 1, self.before.as_ref().map(Raw::hash).unwrap_or_default());
        }
        (self.lines, self.hash())
    }
}

/// What was read of a file.
#[derive(Default)]
pub(super) struct FileRead {
    /// Its lines, each with its position.
    pub(super) lines: Vec<(u64, Line)>,
    /// Lines that cannot be read.
    pub(super) broken: usize,
    /// What the first line that names a record is about, whether it is kept or not.
    pub(super) owner: Option<Binding>,
}

fn open(path: &Path) -> io::Result<Option<File>> {
    match open_to_read(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// What the lines of a file are about, as far as they can be read and say so.
pub(super) fn bindings(path: &Path) -> io::Result<impl Iterator<Item = io::Result<Binding>>> {
    let raws = open(path)?.into_iter().flat_map(|file| Raws(BufReader::new(file)));
    Ok(raws.filter_map(|raw| raw.map(|raw| raw.line()?.binding).transpose()))
}

/// The lines of one file; `seen` is told the position of each, also of those that cannot be read or are not kept. Never
/// waits: while another process writes, its line is read in part, and then it is left for the next reading.
pub(super) fn read_file(path: &Path, seen: &mut dyn FnMut(u64, &Raw)) -> io::Result<FileRead> {
    let mut read = FileRead::default();
    let Some(file) = open(path)? else { return Ok(read) };
    let is_still = file.try_lock_shared().is_ok();
    let old = file.metadata()?.len().saturating_sub(MAX_READ);
    let mut at = 0;
    for (position, raw) in (1..).zip(Raws(BufReader::new(file))) {
        let raw = raw?;
        seen(position, &raw);
        at += raw.length();
        let line = raw.line();
        if read.owner.is_none() {
            read.owner = line.as_ref().and_then(|line| line.binding.clone()).filter(|binding| binding.record.is_some());
        }
        match line {
            // Of a file that is longer than anybody reads, what was done to the records is kept all the same.
            Some(line) if at > old || line.entry.event.is_about_records() => read.lines.push((position, line)),
            Some(_) => {}
            // Somebody is writing it.
            None if !is_still && !raw.has_end() => {}
            None => read.broken += 1,
        }
    }
    Ok(read)
}
