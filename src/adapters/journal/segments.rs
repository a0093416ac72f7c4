//! The main file and the segments beside it, folded into one order.

use std::io::{self};
use std::path::PathBuf;

use super::lines::Line;
use super::scan::read_file;
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

    pub(super) fn read_lines(&self) -> io::Result<(Vec<Line>, usize)> {
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
}
