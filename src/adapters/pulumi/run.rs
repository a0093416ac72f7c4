//! Starts a run that outlives this process.
//!
//! `unsafe` is forbidden here, so a child cannot be given its own session between fork and exec. Instead our own
//! binary is started once more, as `tapctl __run --dir DIR`, and that one makes the session (see `supervisor`). It
//! reports on a pipe as soon as Pulumi works; then this process may go.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;

use super::command::{Invocation, Pulumi};
use super::folder::{RunDir, RunRecord, Runs, file};
use super::plan_file;
use super::process::{ProcessId, free_bytes, host, wall_now};
use super::supervisor::STARTED;
use crate::domain::confirm::Confirmed;
use crate::domain::error::ErrorKind;
use crate::domain::pulumi::ended::RunEnd;
use crate::domain::pulumi::guard::{BlockedReason, RunKind};
use crate::domain::pulumi::problem::PulumiError;
use crate::domain::pulumi::run_request::RunRequest;
use crate::domain::units::Timestamp;

/// How long the supervisor may take to report: it only makes a session and starts a process.
const REPORT_PATIENCE: Duration = Duration::from_secs(20);
/// How long another start may take before this one gives up.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
/// Pause between two tries.
const LOCK_AGAIN: Duration = Duration::from_millis(20);
/// Room that a run needs for its events: the largest recorded one wrote 4 MB, a plan and a state come on top.
const MIN_FREE_BYTES: u64 = 32 << 20;
/// Bytes of a report that are read.
const MAX_REPORT_BYTES: u64 = 4 << 10;

/// The program that is started as supervisor, and its arguments before the hidden subcommand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supervisor {
    /// Our own binary.
    pub program: PathBuf,
}

impl Supervisor {
    /// The binary that runs now.
    ///
    /// # Errors
    /// [`PulumiError::NotStarted`] when the system does not say where it is.
    pub fn own() -> Result<Self, PulumiError> {
        let program = std::env::current_exe()
            .map_err(|error| PulumiError::NotStarted(format!("our own program is not found: {error}")))?;
        Ok(Self { program })
    }
}

/// Who asks, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartedBy {
    /// Role and session, or the local user.
    pub operator: String,
    /// Now.
    pub at: Timestamp,
    /// The intent in the journal, where there is one: what a later process settles it by.
    pub intent: Option<String>,
}

/// A run that was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// Its folder.
    pub dir: RunDir,
    /// The command as it runs.
    pub line: String,
}

/// Starts a preview: it changes nothing, so nobody has to confirm it.
///
/// # Errors
/// [`PulumiError::Refused`] while another run goes on, [`PulumiError::NotStarted`] and [`PulumiError::Storage`].
pub async fn preview(
    runs: &Runs,
    pulumi: &Pulumi,
    supervisor: &Supervisor,
    destroy: bool,
    request: StartedBy,
) -> Result<Started, PulumiError> {
    let kind = if destroy { RunKind::PreviewDestroy } else { RunKind::Preview };
    start(runs, pulumi, supervisor, kind, None, request).await
}

/// Starts what was confirmed.
///
/// # Errors
/// As [`preview`], and [`PulumiError::Refused`] when the preview is not there as it was read.
pub async fn execute(
    runs: &Runs,
    pulumi: &Pulumi,
    supervisor: &Supervisor,
    run_request: &Confirmed<RunRequest>,
    request: StartedBy,
) -> Result<Started, PulumiError> {
    let run_request = run_request.get();
    if run_request.stack() != pulumi.stack {
        let message = format!("the plan is for {}, and Pulumi is set to {}", run_request.stack(), pulumi.stack);
        return Err(PulumiError::NotStarted(message));
    }
    let (read, of) = (runs.clone(), run_request.clone());
    tokio::task::spawn_blocking(move || plan_file::check(&read, &of))
        .await
        .map_err(|error| PulumiError::NotStarted(error.to_string()))??;
    start(runs, pulumi, supervisor, run_request.kind(), run_request.preview(), request).await
}

async fn start(
    runs: &Runs,
    pulumi: &Pulumi,
    supervisor: &Supervisor,
    kind: RunKind,
    preview: Option<&str>,
    request: StartedBy,
) -> Result<Started, PulumiError> {
    let _only_one = only_one(runs).await?;
    if let Some(record) = runs.going_on()? {
        return Err(PulumiError::Refused(BlockedReason::RunGoesOn(record.summary())));
    }
    if let Some(free) = free_bytes(runs.root()).filter(|free| *free < MIN_FREE_BYTES) {
        let message = format!("only {} MB are free in {}", free >> 20, runs.root().display());
        return Err(PulumiError::NotStarted(message));
    }
    let plan = match preview.filter(|_| kind == RunKind::Up) {
        Some(id) => Some(runs.dir(id).ok_or_else(|| PulumiError::NoSuchRun(id.to_owned()))?.file(file::PLAN)),
        None => None,
    };
    runs.prune()?;
    let dir = runs.create(kind, request.at)?;
    // An `up` takes the preview's own file, the one that the question named; nothing is pruned while it runs.
    let invocation = pulumi.run(kind, &plan.unwrap_or_else(|| dir.file(file::PLAN)));
    let preview = preview.map(str::to_owned);
    dir.write(&RunRecord { preview, ..record_of(&dir, kind, pulumi, &invocation, request) })?;
    if let Err(error) = launch(&dir, supervisor).await {
        give_up(&dir, &error)?;
        return Err(error);
    }
    Ok(Started { dir, line: invocation.line })
}

/// Waits for the lock: whoever holds it is about to have a run going, which then says more than the lock does. A child
/// that another thread is just starting holds it too, for the moment between fork and exec.
pub(super) async fn only_one(runs: &Runs) -> Result<fs::File, PulumiError> {
    let waited = tokio::time::Instant::now();
    loop {
        match runs.exclusive() {
            Ok(lock) => return Ok(lock),
            Err(error) if error.kind != ErrorKind::Conflict => return Err(PulumiError::Storage(error)),
            Err(error) if waited.elapsed() >= LOCK_PATIENCE => {
                return Err(PulumiError::Refused(BlockedReason::RunGoesOn(error.message)));
            }
            Err(_) => tokio::time::sleep(LOCK_AGAIN).await,
        }
    }
}

fn record_of(dir: &RunDir, kind: RunKind, pulumi: &Pulumi, invocation: &Invocation, request: StartedBy) -> RunRecord {
    RunRecord {
        schema: 1,
        id: dir.id(),
        kind,
        stack: pulumi.stack.clone(),
        preview: None,
        intent: request.intent,
        line: invocation.line.clone(),
        argv: invocation.argv.clone(),
        cwd: invocation.cwd.clone(),
        env: invocation.env.clone(),
        operator: request.operator,
        host: host(),
        started_at: request.at,
        starter: ProcessId::own(),
        supervisor: None,
        child: None,
        end: None,
        locks_stream: false,
        is_written: None,
    }
}

/// A run that never began is over, or it would count as starting for as long as this process lives. A supervisor that
/// comes too late finds the end and leaves it at that.
fn give_up(dir: &RunDir, error: &PulumiError) -> Result<(), PulumiError> {
    if let Some(record) = dir.read()?.filter(|record| record.supervisor.is_none() && record.end.is_none()) {
        dir.finish(
            &record,
            &RunEnd { at: wall_now(), code: None, signal: None, error: Some(error.to_string()), plan: None },
        )?;
    }
    Ok(())
}

/// Starts the supervisor and waits for its report. The pipe breaks when it dies, so this always ends.
async fn launch(dir: &RunDir, supervisor: &Supervisor) -> Result<(), PulumiError> {
    let failed = |error: &io::Error| PulumiError::NotStarted(format!("{}: {error}", supervisor.program.display()));
    let stderr = dir.append(file::STDERR).map_err(|error| failed(&error))?;
    let mut child = Command::new(&supervisor.program)
        .arg("__run")
        .arg("--dir")
        .arg(dir.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::from(stderr))
        .kill_on_drop(false)
        .spawn()
        .map_err(|error| failed(&error))?;
    let mut report = String::new();
    if let Some(stdout) = child.stdout.take() {
        let mut limited = BufReader::new(stdout.take(MAX_REPORT_BYTES));
        match tokio::time::timeout(REPORT_PATIENCE, limited.read_line(&mut report)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(failed(&error)),
            Err(_) => return Err(PulumiError::NotStarted(format!("no report within {} s", REPORT_PATIENCE.as_secs()))),
        }
    }
    // The supervisor goes on; whoever reaps it then, its state file tells how the run ended.
    tokio::spawn(async move { child.wait().await });
    match report.trim() {
        STARTED => Ok(()),
        "" => Err(PulumiError::NotStarted(dir.stderr_tail(MAX_REPORT_BYTES).trim().to_owned())),
        trouble => Err(PulumiError::NotStarted(trouble.to_owned())),
    }
}
