//! Asks a run to stop. The first request sends SIGINT once, whoever asks and from wherever; the second one needs a
//! typed word. Only Pulumi's own process is signalled: its plug-ins have their own groups and are ended by Pulumi.
//!
//! A state folder that takes no file (read-only, full, NFS without locks) keeps nobody from stopping a run: then nothing is
//! noted, and what Pulumi itself has said tells whether it was asked before.

use std::io;

use rustix::process::Signal;

use super::folder::{RunDir, Runs, file, storage};
use super::follow::so_far;
use super::process::ProcessId;
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
/// [`PulumiError::NotRunning`] when it has ended, [`PulumiError::NotStarted`] when it takes no signal from here.
pub fn ask_to_stop(dir: &RunDir, by: &StartedBy) -> Result<Interrupted, PulumiError> {
    let child = running(dir)?;
    let intent = by.intent.as_deref();
    keep(dir, intent, Stage::About);
    // The file is what makes it once: two processes can ask at the same instant, only one can make the file.
    match dir.make(file::INTERRUPTED, format!("{} {}\n", by.at, by.operator).as_bytes()) {
        Ok(_) => {}
        Err(_) if was_asked(dir) || has_heard(dir) => {
            keep(dir, intent, Stage::AskedBefore);
            return Ok(Interrupted::AlreadyAsked);
        }
        Err(error) => tracing::warn!(%error, "that the run was asked to stop cannot be kept"),
    }
    if let Err(error) = send(&child) {
        let _ended_anyway = std::fs::remove_file(dir.file(file::INTERRUPTED));
        keep(dir, intent, Stage::NotSent);
        return Err(error);
    }
    keep(dir, intent, Stage::Sent);
    Ok(Interrupted::Asked)
}

/// Whether the run was asked to stop, as its folder tells; where nothing can be written there, as Pulumi has said.
#[must_use]
pub fn was_asked(dir: &RunDir) -> bool {
    dir.file(file::INTERRUPTED).exists() || (!takes_files(dir) && has_heard(dir))
}

fn takes_files(dir: &RunDir) -> bool {
    rustix::fs::access(dir.path(), rustix::fs::Access::WRITE_OK).is_ok()
}

/// Whether Pulumi has said that it was asked. What cannot be read says nothing: a second signal would end it by force, so
/// that is taken for yes.
fn has_heard(dir: &RunDir) -> bool {
    so_far(dir, RunState::new()).map_or(true, |run_state| run_state.interrupts() > 0)
}

/// Ends the run by force: the second interrupt, after which Pulumi does not write its state.
///
/// # Errors
/// [`PulumiError::NotRunning`] when it has ended, [`PulumiError::NoSuchRun`] when its folder is gone.
pub fn terminate(runs: &Runs, subject: &Confirmed<Subject>, by: &StartedBy) -> Result<(), PulumiError> {
    let id = subject.get().run();
    let dir = runs.dir(id).ok_or_else(|| PulumiError::NoSuchRun(id.to_owned()))?;
    if !was_asked(&dir) && !has_heard(&dir) {
        return Err(PulumiError::Storage(storage("terminate", dir.path(), &"the run was not asked to stop yet")));
    }
    let child = running(&dir)?;
    let intent = by.intent.as_deref();
    keep(&dir, intent, Stage::About);
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
    if record.status() == RunStatus::Elsewhere {
        return Err(PulumiError::Elsewhere(record.host));
    }
    record.child.filter(|child| record.end.is_none() && child.is_alive()).ok_or(PulumiError::NotRunning)
}

fn send(child: &ProcessId) -> Result<(), PulumiError> {
    child.signal(Signal::INT).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => PulumiError::NotRunning,
        _ => PulumiError::NotStarted(format!("process {} takes no signal from here: {error}", child.pid)),
    })
}
