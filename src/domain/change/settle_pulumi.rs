//! What came of a change around Pulumi whose process died before it could say so.
//!
//! Pure. A run names its intent in its folder before it begins: "done" and "not done" are both proved by the folder. What
//! stops a run leaves a mark there before it sends its signal and another after it; between the two nobody knows. What is
//! one call of Pulumi may land after its caller has died, so that one look proves only "done"; after [`CALL_LIFE`] nobody
//! waits for it any more. No evidence is older than the intent.

use std::time::Duration;

use crate::domain::provision::{PulumiStatus, RunSeen};
use crate::domain::pulumi::stop::Stage;
use crate::domain::pulumi::{KEPT_RUNS, PulumiChange};
use crate::domain::record::{ChangeMark, Event, Means, OpenChange};
use crate::domain::units::Timestamp;

use super::deadline::SEND_DEADLINE;

/// A call of Pulumi whose caller has died lands within this time or not at all: several times what a caller waits for it.
pub const CALL_LIFE: Duration = Duration::from_secs(300);

/// What is to be written of a change that was left open, when that is known: from the runs of the state folder, oldest
/// first, of which some may lack, and the newest look at Pulumi where there is one. Only for whoever has the turn: a run begins in no other.
#[must_use]
pub fn settle(
    open: &OpenChange,
    runs: &[RunSeen],
    may_lack: bool,
    look: Option<&PulumiStatus>,
    now: Timestamp,
) -> Option<Event> {
    let age = now.since(open.at);
    let words = match &open.means {
        Means::Run => match runs.iter().find(|run| run.intent.as_deref() == Some(&open.id)) {
            Some(RunSeen { head, .. }) => {
                return Some(PulumiChange::started(head.kind, &head.id, &head.line, Some(open.id.clone())));
            }
            None => Some(no_run(open, runs, may_lack)),
        },
        Means::Interrupt { run } | Means::ForceStop { run } => stopped(open, find(runs, run), may_lack, age),
        Means::CreateStack | Means::Config { .. } | Means::ClearLocks { .. } => called(open, look),
    }?;
    let mark = ChangeMark::Outcome { id: open.id.clone() };
    Some(Event::Note {
        text: format!("{words} (settled: whoever confirmed it at {} UTC has gone)", open.at.hms()),
        change: Some(Box::new(mark)),
    })
}

fn find<'r>(runs: &'r [RunSeen], id: &str) -> Option<&'r RunSeen> {
    runs.iter().find(|run| run.head.id == id)
}

/// Older folders go when there are too many; what is gone proves nothing.
fn no_run(open: &OpenChange, runs: &[RunSeen], may_lack: bool) -> String {
    if may_lack {
        return format!("not known: {}: not all folders of runs can be read. Next step: preview the stack", open.title);
    }
    let may_be_gone = runs.len() >= KEPT_RUNS && runs.first().is_some_and(|oldest| oldest.head.started_at > open.at);
    if may_be_gone {
        format!("not known: {}: the folders of that time are gone. Next step: preview the stack", open.title)
    } else {
        format!("not done: {}: no run of it began. Next step: preview it again", open.title)
    }
}

/// Nobody has to have the turn to stop a run, so that its process may still be about to where nothing tells that it is not.
fn is_over(age: Duration) -> bool {
    age >= SEND_DEADLINE
}

/// Only what was written after the signal proves that it was sent.
fn stopped(open: &OpenChange, run: Option<&RunSeen>, may_lack: bool, age: Duration) -> Option<String> {
    let title = &open.title;
    let next = "Next step: `tapctl attach` shows it, `tapctl interrupt` asks again";
    let Some(run) = run else {
        let why = if may_lack { "not all folders of runs can be read" } else { "the run's folder is gone" };
        return is_over(age).then(|| format!("not known: {title}: {why}. Next step: preview the stack"));
    };
    let stands = match &run.end {
        Some(end) => format!("the run has ended: {end}"),
        None => format!("the run goes on. {next}"),
    };
    let Some(stop) = run.stops.iter().find(|stop| stop.intent == open.id) else {
        return is_over(age).then(|| format!("not known: {title}: how far it came was not kept, and {stands}"));
    };
    if stop.is_held {
        return None;
    }
    Some(match stop.stage {
        Stage::Sent => format!("done: {title}: the signal was sent, and {stands}"),
        Stage::About => format!("not known: {title}: the signal may have been sent, and {stands}"),
        Stage::NotBegun => format!("not done: {title}: no signal was sent, and {stands}"),
        Stage::AskedBefore => format!("not done: {title}: it was asked before, and nothing was sent; {stands}"),
        Stage::NotSent => format!("not done: {title}: the signal could not be sent, and {stands}"),
    })
}

/// A look proves nothing of what was confirmed after it began, and "never showed" only as long as it came later.
fn called(open: &OpenChange, look: Option<&PulumiStatus>) -> Option<String> {
    let title = &open.title;
    let look = look.filter(|look| look.pulumi.is_ok() && look.asked_at > open.at)?;
    let age = look.asked_at.since(open.at);
    let setup = look.setup.as_ref();
    let (is_made, stands) = match &open.means {
        Means::CreateStack => (setup?.exists, "the stack does not exist".to_owned()),
        Means::Config { key, value } => {
            let found = setup?.values.as_ref()?;
            let found = found.iter().find(|(name, _)| *name == key || name.rsplit(':').next() == Some(key));
            let found = found.map(|(_, found)| found);
            let words = match found {
                None => format!("{key} is not set"),
                Some(found) if found.secret => format!("{key} is set to a secret, which nobody reads back"),
                Some(_) => format!("{key} is set to something else"),
            };
            (value.is_some() && found.is_some_and(|found| found.value == *value), words)
        }
        Means::ClearLocks { locks } => {
            let left = look.locks.iter().any(|(lock, _)| locks.contains(&lock.to_string()));
            (!left, "the stack is still locked".to_owned())
        }
        Means::Run | Means::Interrupt { .. } | Means::ForceStop { .. } => return None,
    };
    if is_made {
        return Some(format!("done: {title}"));
    }
    let late = age >= CALL_LIFE;
    late.then(|| {
        format!(
            "not known: {title}: {} min later {stands}. Next step: look at it before you repeat it",
            age.as_secs() / 60
        )
    })
}

#[cfg(test)]
#[path = "settle_pulumi_tests.rs"]
mod tests;
