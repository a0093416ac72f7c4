//! Asks a run to stop. The first request sends SIGINT once, whoever asks and from wherever; the second one needs a
//! typed word. Only Pulumi's own process is signalled: its plug-ins have their own groups and are ended by Pulumi.
//!
//! The mark has its room since the run began, so that a full disk keeps nobody from asking. Where it cannot be made (a disk
//! that takes no write, NFS without locks) and Pulumi itself has not said that it was asked, nothing proves that a request
//! is the first one: it needs the typed word, too.

use std::io;

use rustix::process::Signal;

use super::folder::{RunDir, Runs, storage};
use super::follow::so_far;
use super::process::{Life, ProcessId};
use super::run::StartedBy;
use super::stop_mark::note;
use crate::domain::confirm::Confirmed;
use crate::domain::pulumi::RunState;
use crate::domain::pulumi::ended::RunStatus;
use crate::domain::pulumi::problem::PulumiError;
use crate::domain::pulumi::run_request::ForceStop as Subject;
use crate::domain::pulumi::stop::Stage;

pub use crate::domain::pulumi::run_request::ForceStop;

/// What a request to stop came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupted {
    /// Pulumi was asked; it finishes what is under way, which can take as long as a database takes.
    Asked,
    /// It was asked before. Asking again would end it by force, so nothing was sent.
    AlreadyAsked,
}

/// Asks the run to stop, once.
///
/// # Errors
/// [`PulumiError::NotRunning`] when it has ended, [`PulumiError::NotStarted`] when it takes no signal from here,
/// [`PulumiError::MayBeSecond`] when nothing proves that it was not asked before.
pub fn ask_to_stop(dir: &RunDir, by: &StartedBy) -> Result<Interrupted, PulumiError> {
    let child = running(dir)?;
    let intent = by.intent.as_deref();
    keep(dir, intent, Stage::About);
    // The mark is what makes it once: two processes can ask at the same instant, only one can make it.
    let first = match dir.mark_asked(&format!("{} {}\n", by.at, by.operator)) {
        // Somebody sent a request past the mark: by hand, or by force where no mark could be made.
        Ok(true) | Err(_) if has_heard(dir) == Some(true) => Ok(false),
        marked => marked,
    };
    match first {
        Ok(true) => {}
        Ok(false) => {
            keep(dir, intent, Stage::AskedBefore);
            return Ok(Interrupted::AlreadyAsked);
        }
        Err(error) => {
            keep(dir, intent, Stage::NotSent);
            return Err(PulumiError::MayBeSecond(error.to_string()));
        }
    }
    if let Err(error) = send(&child) {
        dir.unmark_asked();
        keep(dir, intent, Stage::NotSent);
        return Err(error);
    }
    keep(dir, intent, Stage::Sent);
    Ok(Interrupted::Asked)
}

/// Whether the run was asked to stop, as its folder tells; where no mark can be made there, as Pulumi has said. Nothing
/// where neither proves it.
#[must_use]
pub fn was_asked(dir: &RunDir) -> Option<bool> {
    dir.asked().ok().or_else(|| has_heard(dir).filter(|heard| *heard))
}

/// As [`was_asked`], for whoever is about to ask: a disk that looks writable and takes no write proves nothing either.
#[must_use]
pub fn was_asked_for_sure(dir: &RunDir) -> Option<bool> {
    match was_asked(dir) {
        Some(false) if !dir.takes_mark() => has_heard(dir).filter(|heard| *heard),
        known => known,
    }
}

/// Whether Pulumi has said that it was asked; nothing where that cannot be read. It may be asked and not have said so yet.
fn has_heard(dir: &RunDir) -> Option<bool> {
    so_far(dir, RunState::new()).ok().map(|run_state| run_state.interrupts() > 0)
}

/// Ends the run by force: the second interrupt, after which Pulumi does not write its state. Where nothing proves that it was
/// not asked before, the first one as well.
///
/// # Errors
/// [`PulumiError::NotRunning`] when it has ended, [`PulumiError::NoSuchRun`] when its folder is gone.
pub fn terminate(runs: &Runs, subject: &Confirmed<Subject>, by: &StartedBy) -> Result<(), PulumiError> {
    let id = subject.get().run();
    let dir = runs.dir(id).ok_or_else(|| PulumiError::NoSuchRun(id.to_owned()))?;
    if was_asked_for_sure(&dir) == Some(false) && has_heard(&dir) != Some(true) {
        return Err(PulumiError::Storage(storage("terminate", dir.path(), &"the run was not asked to stop yet")));
    }
    let child = running(&dir)?;
    let intent = by.intent.as_deref();
    keep(&dir, intent, Stage::About);
    // Where the first request is sent this way, the next one finds it told.
    let _asked_before = dir.mark_asked(&format!("{} {}\n", by.at, by.operator));
    if let Err(error) = send(&child) {
        keep(&dir, intent, Stage::NotSent);
        return Err(error);
    }
    keep(&dir, intent, Stage::Sent);
    Ok(())
}

/// Only what is written proves how far it came. Where it cannot be, whoever settles the change says that nobody knows.
fn keep(dir: &RunDir, intent: Option<&str>, stage: Stage) {
    if let Err(error) = note(dir, intent, stage) {
        tracing::warn!(%error, ?stage, "how far the request to stop came could not be kept");
    }
}

fn running(dir: &RunDir) -> Result<ProcessId, PulumiError> {
    let record = dir.read()?.ok_or_else(|| PulumiError::NoSuchRun(dir.id()))?;
    match record.status() {
        RunStatus::Elsewhere => return Err(PulumiError::Elsewhere(record.host)),
        RunStatus::Lost => return Err(PulumiError::NotRunning),
        _ => {}
    }
    let child = record.child.filter(|_| record.end.is_none()).ok_or(PulumiError::NotRunning)?;
    match child.life() {
        Life::Lives => Ok(child),
        Life::Gone => Err(PulumiError::NotRunning),
        Life::Unknown(why) => Err(PulumiError::Unseen(why.words())),
    }
}

fn send(child: &ProcessId) -> Result<(), PulumiError> {
    child.signal(Signal::INT).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => PulumiError::NotRunning,
        _ => PulumiError::NotStarted(format!("process {} takes no signal from here: {error}", child.pid)),
    })
}
