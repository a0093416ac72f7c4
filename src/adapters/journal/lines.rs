//! A line of the journal: whose it is, where it stands, and how lines are read from a file.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::from_value;
use sha2::{Digest, Sha256};

use super::disk::open_to_read;
use crate::domain::record::Entry;
use crate::domain::text::Foreign;
use crate::domain::traffic::same_name;

/// Longest line: an entry has a few hundred bytes, and one with every gate overridden a few thousand.
pub(super) const MAX_LINE: usize = 64 * 1024;
/// How much of the file's end is kept whole: some hundred thousand entries, where a migration writes a few hundred. Of
/// what is before it only the entries about the records are.
const MAX_READ: u64 = 32 * 1024 * 1024;

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
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.zone == other.zone && same_name(&self.name, &other.name) && self.rtype == other.rtype
    }

    pub(super) fn text(&self) -> String {
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

pub(super) fn not_ours(owner: &Binding, ours: &Binding) -> String {
    format!(
        "this folder holds the journal of {}, and the stack is about {}; set TAPCTL_STATE_DIR to another folder, or leave \
         it unset",
        owner.text(),
        ours.text()
    )
}

/// The lines of one file with the hash of each, and the number of those that cannot be read. Never waits: while another
/// process writes, its line is read in part, and then it is left for the next reading.
pub(super) fn read_file(path: &Path) -> io::Result<(Vec<(String, Line)>, usize)> {
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
pub(super) fn last_line(file: &mut File, length: u64) -> io::Result<Option<Vec<u8>>> {
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
pub(super) fn hash(line: &[u8]) -> String {
    let digest = Sha256::digest(line.trim_ascii_end());
    digest.iter().fold(String::new(), |mut text, byte| {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
        text
    })
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
