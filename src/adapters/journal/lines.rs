//! A line of the journal, and where it stands.

use serde::{Deserialize, Serialize};
use serde_json::from_value;
use sha2::{Digest, Sha256};

use super::owner::Binding;
use crate::domain::record::Entry;
use crate::domain::text::Foreign;

/// Longest line: an entry has a few hundred bytes, and one with every gate overridden a few thousand.
pub(super) const MAX_LINE: usize = 64 * 1024;

/// Where an entry stands: its position in its file, and the hash of the line before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its position, counted from 1 in each file; lines that cannot be read count, too.
    pub seq: u64,
    /// SHA-256 of the line before, in hexadecimal; in the first line of a segment, of the main file's last whole line.
    pub prev: String,
}

/// A line of the journal as it is on disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Its position; nothing in a journal of an earlier version.
    #[serde(flatten)]
    pub place: Option<Place>,
    /// In the first line of a segment, the position of the main file's last whole line; nothing in an earlier version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// What it is about; nothing in a journal of an earlier version.
    #[serde(flatten)]
    pub binding: Option<Binding>,
    /// What happened.
    #[serde(flatten)]
    pub entry: Entry,
}

impl Line {
    /// The line that these bytes are, if they are one.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).map(Foreign::take_value).and_then(from_value).ok()
    }
}

/// SHA-256 of a line without its end, in hexadecimal.
pub(super) fn hash(line: &[u8]) -> String {
    hex(&Sha256::digest(line.trim_ascii_end()))
}

pub(super) fn hex(digest: &[u8]) -> String {
    digest.iter().fold(String::new(), |mut text, byte| {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
        text
    })
}
