//! `journal`: the record of what was done, as text or as one JSON object.

use serde_json::json;

use crate::cli::{JournalArgs, Since};
use crate::compose::naming::state_dir;
use crate::compose::{self, endpoints};
use crate::config::{Global, Settings, process_env};
use crate::domain::record::Entry;
use crate::domain::units::{Timestamp, counted};

use super::console::Console;
use super::failure::{Exit, Failure};
use super::text;

/// The journal of a stack, read without asking AWS.
pub(super) struct Record {
    /// The stack.
    pub(super) stack: String,
    /// Entries, oldest first.
    pub(super) entries: Vec<Entry>,
    /// Lines that could not be read.
    pub(super) broken: usize,
    /// Now.
    pub(super) now: Timestamp,
}

/// Reads it. `since` leaves older entries out.
pub(super) async fn read(global: &Global, since: Option<Since>) -> Result<Record, Failure> {
    let settings = Settings::load(global, &process_env)?;
    let (stack, folder) = state_dir(&settings).await?;
    let (mut entries, broken) = compose::journal(&folder).read()?;
    let now = endpoints::now(&settings).await;
    if let Some(since) = since {
        let from = since.instant(now);
        entries.retain(|entry| entry.at >= from);
    }
    Ok(Record { stack, entries, broken, now })
}

/// Prints it.
///
/// # Errors
/// When it cannot be read.
pub async fn run(args: JournalArgs, global: &Global, out: &mut Console) -> Result<Exit, Failure> {
    let record = read(global, args.since).await?;
    if args.json {
        out.json(&json!({
            "schema": 1, "stack": record.stack, "entries": record.entries, "broken": record.broken,
        }))?;
    } else {
        for entry in &record.entries {
            out.data(&text::entry(entry))?;
        }
        if record.entries.is_empty() {
            out.say("nothing was done yet");
        }
    }
    if record.broken > 0 {
        out.say(&format!(
            "left out: {} of the journal that could not be read",
            counted(record.broken, "line", "lines")
        ));
    }
    Ok(Exit::Done)
}
