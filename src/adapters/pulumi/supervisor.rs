//! The process between `tapctl` and Pulumi: own session, deaf to hang-ups, waits for the end and writes it down.
//!
//! It is our own binary, started as `tapctl __run --dir DIR`. A terminal that closes sends SIGHUP to its session only,
//! and this is another one; a SIGHUP that is sent by hand or by a login manager finds a handler that does nothing.
//! Pulumi itself gets the default handlers back when it is started (execve(2)), and hears only what is sent to it.
//!
//! Never signals Pulumi, and never ends before it.

use std::fs::File;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use super::folder::{RunDir, RunRecord, file};
use super::plan_file::mark_of;
use super::process::{ProcessId, wall_now};
use crate::adapters::environment::{self, Needs};
use crate::domain::pulumi::ended::RunEnd;
use crate::domain::pulumi::guard::RunKind;

/// What is reported when Pulumi works.
pub const STARTED: &str = "started";

/// Runs the command of the run in `dir` to its end. Answers with the exit code for the process.
#[must_use]
pub fn main(dir: &Path) -> u8 {
    match supervise(dir) {
        Ok(()) => 0,
        Err(message) => {
            report(&message);
            1
        }
    }
}

fn supervise(dir: &Path) -> Result<(), String> {
    let dir = RunDir::at(dir).map_err(|error| error.to_string())?;
    let record = dir.read().map_err(|error| error.to_string())?.ok_or("the run has no state")?;
    if record.supervisor.is_some() || record.end.is_some() {
        return Err(format!("the run {} was started already", record.id));
    }
    rustix::process::setsid().map_err(|error| format!("no session of its own: {error}"))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    runtime.block_on(oversee(&dir, record))
}

async fn oversee(dir: &RunDir, mut record: RunRecord) -> Result<(), String> {
    // A handler stays for as long as the process lives, whether anybody listens or not.
    let mut ignored_signals = Vec::new();
    for kind in [SignalKind::hangup(), SignalKind::interrupt(), SignalKind::terminate(), SignalKind::quit()] {
        ignored_signals.push(signal(kind).map_err(|error| format!("no signal handler: {error}"))?);
    }
    record.supervisor = ProcessId::own();
    let stream = dir.append(file::EVENTS).map_err(|error| format!("{}: {error}", file::EVENTS));
    record.locks_stream = stream.as_ref().is_ok_and(|stream| stream.try_lock().is_ok());
    dir.write(&record).map_err(|error| error.to_string())?;
    let mut child = match stream.and_then(|stream| spawn(dir, &record, stream)) {
        Ok(child) => child,
        Err(message) => {
            let end = RunEnd { at: wall_now(), code: None, signal: None, error: Some(message.clone()), plan: None };
            dir.finish(&record, &end).map_err(|error| error.to_string())?;
            return Err(message);
        }
    };
    record.child = child.id().and_then(ProcessId::of);
    if let Err(error) = dir.write(&record) {
        // The run is found by its supervisor then.
        complain(&format!("the process of the run could not be written down: {error}"));
    }
    report(STARTED);
    let status = child.wait().await.map_err(|error| format!("waiting: {error}"))?;
    let plan = mark_of(&dir.file(file::PLAN)).ok().filter(|_| record.kind == RunKind::Preview);
    dir.finish(&record, &RunEnd { plan, ..end_of(status) }).map_err(|error| error.to_string())
}

/// Starts Pulumi. The lock on the stream is then its own: nobody else has this file open, and it goes with the process.
fn spawn(dir: &RunDir, record: &RunRecord, stream: File) -> Result<Child, String> {
    let (program, args) = record.argv.split_first().ok_or("the run has no command")?;
    let stderr = dir.append(file::STDERR).map_err(|error| format!("{}: {error}", file::STDERR))?;
    let mut command = Command::new(program);
    environment::confine(command.as_std_mut(), Needs::Pulumi);
    command
        .args(args)
        .current_dir(&record.cwd)
        .envs(record.env.iter().cloned())
        .stdin(Stdio::null())
        .stdout(Stdio::from(stream))
        .stderr(Stdio::from(stderr))
        .kill_on_drop(false)
        .spawn()
        .map_err(|error| format!("{program}: {error}"))
}

fn end_of(status: ExitStatus) -> RunEnd {
    RunEnd { at: wall_now(), code: status.code(), signal: status.signal(), error: None, plan: None }
}

/// The one line that the starter reads. It may be gone already; the run goes on all the same.
fn report(text: &str) {
    let mut out = std::io::stdout();
    let _gone = writeln!(out, "{}", text.replace('\n', " ")).and_then(|()| out.flush());
}

fn complain(text: &str) {
    let _full = writeln!(std::io::stderr(), "tapctl: {text}");
}
