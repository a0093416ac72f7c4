//! The journal: what is read is what stands there, in its order, and what cannot be read is counted.

use std::fs;

use serde_json::json;
use tapctl::adapters::journal::{FILE, FileJournal};
use tapctl::domain::record::{Entry, Event, History};
use tapctl::domain::units::Timestamp;
use tapctl::ports::Journal;

use super::driver::{Came, Target, unfit_in};

pub(super) struct Lines {
    folder: tempfile::TempDir,
}

fn note() -> Entry {
    let at = Timestamp::parse("2026-11-22T12:00:00Z").unwrap();
    Entry { at, aws_at: None, operator: "me".into(), host: "here".into(), event: Event::note("the last one") }
}

impl Lines {
    pub(super) fn new() -> Self {
        // Every note is synced, which takes its time on a disk.
        let in_memory = std::path::Path::new("/dev/shm");
        let folder = if in_memory.is_dir() { tempfile::tempdir_in(in_memory) } else { tempfile::tempdir() };
        Self { folder: folder.unwrap() }
    }
}

impl Target for Lines {
    fn name(&self) -> &'static str {
        "journal"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let weights = |new: u8| json!({"legacy": 100 - new, "new": new});
        let line = |event: serde_json::Value| {
            let mut line = json!({"at": "2026-11-22T12:00:00Z", "operator": "me", "host": "here"});
            line.as_object_mut().unwrap().extend(event.as_object().unwrap().clone());
            line.to_string() + "\n"
        };
        let lines = [
            line(json!({"event": "seen", "weights": weights(0)})),
            line(
                json!({"event": "intent", "id": "a", "record": "app.example.com.", "from": weights(0), "to": weights(10),
                        "direction": "forward"}),
            ),
            line(
                json!({"event": "outcome", "id": "a", "result": "accepted", "weights": weights(10), "change": "/change/C1",
                        "detail": ""}),
            ),
            line(json!({"event": "insync", "change": "/change/C1", "weights": weights(10), "verified": true})),
            line(json!({"event": "run", "id": "r", "operation": "up", "detail": "started"})),
            line(json!({"event": "note", "text": "words"})),
        ];
        vec![lines.concat().into_bytes(), lines[..3].concat().into_bytes(), Vec::new()]
    }

    fn words(&self) -> &'static [&'static str] {
        &[
            "\"seq\":1,",
            "\"prev\":\"\",",
            "\"event\":\"outcome\"",
            "\"after\":3,",
            "\"weights\":{\"legacy\":0,\"new\":0}",
            "\"stack\":\"x\",",
        ]
    }

    fn takes(&self, input: &[u8]) -> Came {
        let path = self.folder.path().join(FILE);
        fs::write(&path, input).unwrap();
        let journal = FileJournal::new(self.folder.path());
        let (entries, broken) = journal.read().map_err(|error| error.to_string())?;
        let lines = input.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
        // A change has one outcome among the entries, however often it stands in the file.
        let read = journal.lines().map_err(|error| error.to_string())?.0.len();
        if read + broken != lines || entries.len() > read {
            return Err(format!("of {lines} lines {read} were read and {broken} counted as broken"));
        }
        if let Some(found) = unfit_in(&format!("{entries:?}")) {
            return Err(format!("{found:?} would be on the screen"));
        }
        let history = History::of(&entries);
        journal.append(&note()).map_err(|error| format!("nothing can be noted any more: {error}"))?;
        let (after, still) = journal.read().map_err(|error| error.to_string())?;
        if after.last() != Some(&note()) || after[..after.len() - 1] != entries[..] || still != broken {
            return Err(format!(
                "after a note {} lines and {still} broken, before {} and {broken}",
                after.len(),
                entries.len()
            ));
        }
        let again = FileJournal::new(self.folder.path()).read().map_err(|error| error.to_string())?;
        if again.0 != after {
            return Err("read twice it is not the same".to_owned());
        }
        Ok(format!("{} {broken} {} {}", entries.len().min(9), history.open.len().min(3), history.known.is_some()))
    }
}
