//! The main file and the segments beside it, folded into one order.

use std::fs::File;
use std::io::{self};
use std::path::PathBuf;

use super::disk::create_private;
use super::lines::Line;
use super::owner::Binding;
use super::scan::{FileRead, read_file};
use super::{FILE, FileJournal};

/// How the names of the segments begin that are written beside the journal while somebody else holds the turn.
const SEGMENT: &str = "journal-";
const END: &str = ".jsonl";
/// How many other segments may be begun while one is.
const TRIES: u64 = 1000;

/// The number in a segment's name: those of one place are read in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Number {
    /// Of an earlier version, which counted for each process alone.
    OfProcess(u64, u64),
    /// One more than any that was there.
    Created(u64),
}

impl Number {
    /// The number in this name; nothing when it is no segment's: a copy of the journal is not read for one.
    fn of(name: &str) -> Option<Self> {
        let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        let text = name.strip_prefix(SEGMENT)?.strip_suffix(END)?;
        match text.split_once('-') {
            Some((process, count)) => Some(Self::OfProcess(number(process)?, number(count)?)),
            None => number(text).map(Self::Created),
        }
    }
}

impl FileJournal {
    /// The main file and the segments beside it, in the order of their numbers.
    pub(super) fn files(&self) -> io::Result<Vec<PathBuf>> {
        let mut segments = self.segments()?;
        segments.sort();
        let paths = segments.into_iter().map(|(_, name)| self.folder.join(name));
        Ok(std::iter::once(self.folder.join(FILE)).chain(paths).collect())
    }

    fn segments(&self) -> io::Result<Vec<(Number, String)>> {
        let folder = match std::fs::read_dir(&self.folder) {
            Ok(folder) => folder,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut segments = Vec::new();
        for item in folder {
            if let Ok(name) = item?.file_name().into_string()
                && let Some(number) = Number::of(&name)
            {
                segments.push((number, name));
            }
        }
        Ok(segments)
    }

    /// Makes the file of a segment that is begun now, and gives its name: whoever is later has the greater number.
    pub(super) fn create_segment(&self) -> io::Result<(String, File)> {
        let created = |(number, _)| if let Number::Created(number) = number { number } else { 0 };
        let newest = self.segments()?.into_iter().map(created).max().unwrap_or(0);
        for number in (newest..).skip(1).zip(0..TRIES).map(|(number, _)| number) {
            let name = format!("{SEGMENT}{number}{END}");
            match create_private(&self.folder.join(&name)) {
                Ok(file) => return Ok((name, file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("too many segments of the journal"))
    }

    /// All lines, a segment's behind the line of the main file that its first one names; and the number of those that
    /// cannot be read or are about another record than the folder's.
    pub(super) fn read_lines(&self) -> io::Result<(Vec<Line>, usize)> {
        let mut files = self.files()?.into_iter();
        let main = files.next().unwrap_or_default();
        // The segments are read first, so that the lines that they name are there when the main file is read.
        let mut segments = Vec::new();
        for path in files {
            segments.push(Segment::of(read_file(&path, &mut |_, _| {})?));
        }
        let read = read_file(&main, &mut |position, raw| {
            // Most journals have no segments, and then nobody needs the hashes.
            if !segments.is_empty() {
                let hash = raw.hash();
                for segment in &mut segments {
                    segment.meets(position, &hash);
                }
            }
        })?;
        let mut broken = read.broken + segments.iter().map(|segment| segment.broken).sum::<usize>();
        let owner = read.owner.or_else(|| segments.iter_mut().find_map(|segment| segment.owner.take()));
        let mut lines = merged(read.lines, segments);
        if let Some(owner) = owner {
            let all = lines.len();
            lines.retain(|line| !line.binding.as_ref().is_some_and(|binding| binding.is_about_another(&owner)));
            broken += all - lines.len();
        }
        Ok((lines, broken))
    }
}

/// A segment and its place among the lines of the main file.
struct Segment {
    /// Behind which position it was begun, where it says so.
    after: Option<u64>,
    /// The hash of the line behind which it was begun, where it says so.
    prev: Option<String>,
    /// The position of that line, as far as it was met.
    place: Option<u64>,
    lines: Vec<Line>,
    broken: usize,
    owner: Option<Binding>,
}

impl Segment {
    fn of(read: FileRead) -> Self {
        // Only its very first line tells its place: the hash in any other is that of a line of its own.
        let first = read.lines.first().filter(|(position, _)| *position == 1).map(|(_, line)| line);
        Self {
            after: first.and_then(|line| line.after),
            prev: first.and_then(|line| line.place.as_ref()).map(|place| place.prev.clone()),
            place: None,
            lines: read.lines.into_iter().map(|(_, line)| line).collect(),
            broken: read.broken,
            owner: read.owner,
        }
    }

    /// Takes the line's position for its place when it is the one that it names. Of several that are the same the first
    /// is, but for the one at the position that it says.
    fn meets(&mut self, position: u64, hash: &str) {
        if self.prev.as_deref() == Some(hash) && (self.place.is_none() || self.after == Some(position)) {
            self.place = Some(position);
        }
    }

    /// Where it belongs. One that names no line that is there comes first of all: behind lines that were written later
    /// it would be taken for the newest for ever.
    fn place(&self) -> u64 {
        self.place.unwrap_or(0)
    }
}

/// The main file's lines with the segments among them. Those of one place stay in the order in which they come.
fn merged(main: Vec<(u64, Line)>, mut segments: Vec<Segment>) -> Vec<Line> {
    segments.sort_by_key(Segment::place);
    let mut waiting = segments.into_iter().peekable();
    let mut lines = Vec::new();
    for (position, line) in main {
        while let Some(segment) = waiting.next_if(|segment| segment.place() < position) {
            lines.extend(segment.lines);
        }
        lines.push(line);
    }
    lines.extend(waiting.flat_map(|segment| segment.lines));
    lines
}
