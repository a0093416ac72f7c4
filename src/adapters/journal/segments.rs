//! The main file and the segments beside it, folded into one order.

use std::io::{self};
use std::path::PathBuf;

use super::lines::Line;
use super::scan::{FileRead, read_file};
use super::{FILE, FileJournal};

/// How the names of the segments begin that are written beside the journal while somebody else holds the turn.
pub(super) const SEGMENT: &str = "journal-";

impl FileJournal {
    /// The main file and the segments beside it, in the order of their names.
    pub(super) fn files(&self) -> io::Result<Vec<PathBuf>> {
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

    /// All lines, a segment's behind the line of the main file that its first one names.
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
                segments.iter_mut().for_each(|segment| segment.meets(position, &hash));
            }
        })?;
        let broken = read.broken + segments.iter().map(|segment| segment.broken).sum::<usize>();
        Ok((merged(read.lines, segments), broken))
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
