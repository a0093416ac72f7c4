//! Asks a run to stop. The first request sends SIGINT once, whoever asks and from wherever; the second one needs a
//! typed word. Only Pulumi's own process is signalled: its plug-ins have their own groups and are ended by Pulumi.

use std::io::{self, Write};

use rustix::process::Signal;

use super::folder::{RunDir, Runs, file, storage};
use super::process::ProcessId;
use crate::domain::confirm::Confirmed;
use crate::domain::pulumi::ended::RunStatus;
use crate::domain::pulumi::problem::PulumiError;
use crate::domain::pulumi::run_request::ForceStop as Subject;
use crate::domain::units::Timestamp;

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
/// [`PulumiError::NotRunning`] when it has ended, [`PulumiError::Storage`] when that it was asked cannot be kept.
pub fn ask_to_stop(dir: &RunDir, operator: &str, at: Timestamp) -> Result<Interrupted, PulumiError> {
    let child = running(dir)?;
    // The file is what makes it once: two processes can ask at the same instant, only one can make the file.
    match dir.make(file::INTERRUPTED, format!("{at} {operator}\n").as_bytes()) {
        Ok(_) => {}
        Err(_) if dir.file(file::INTERRUPTED).exists() => return Ok(Interrupted::AlreadyAsked),
        Err(error) => return Err(error.into()),
    }
    if let Err(error) = send(&child) {
        let _ended_anyway = std::fs::remove_file(dir.file(file::INTERRUPTED));
        return Err(error);
    }
    Ok(Interrupted::Asked)
}

/// Whether the run was asked to stop.
#[must_use]
pub fn was_asked(dir: &RunDir) -> bool {
    dir.file(file::INTERRUPTED).exists()
}

/// Ends the run by force: the second interrupt, after which Pulumi does not write its state.
///
/// # Errors
/// [`PulumiError::NotRunning`] when it has ended, [`PulumiError::NoSuchRun`] when its folder is gone.
pub fn terminate(runs: &Runs, subject: &Confirmed<Subject>, operator: &str, at: Timestamp) -> Result<(), PulumiError> {
    let id = subject.get().run();
    let dir = runs.dir(id).ok_or_else(|| PulumiError::NoSuchRun(id.to_owned()))?;
    if !was_asked(&dir) {
        return Err(PulumiError::Storage(storage("terminate", dir.path(), &"the run was not asked to stop yet")));
    }
    let child = running(&dir)?;
    // What a later process settles it by when this one dies.
    let path = dir.file(file::FORCED);
    let marked = dir.append(file::FORCED).and_then(|mut mark| writeln!(mark, "{at} {operator}"));
    marked.map_err(|error| storage("write", &path, &error))?;
    send(&child)
}

/// Whether somebody was about to end the run by force.
#[must_use]
pub fn was_forced(dir: &RunDir) -> bool {
    dir.file(file::FORCED).exists()
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
