//! Plays a script: every line at its time, and the closing ones as it really ended.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

use super::report;
use super::script::{Script, TimedEvent, step_op};
use super::settings::{Settings, wall_now};
use super::state::FakeState;
use crate::domain::units::Timestamp;

/// Exit code of Pulumi for a run that failed, or was cancelled (as CLI 3.255 does in both cases).
const FAILED: u8 = 1;
/// Exit code of Pulumi for a run that was ended by force.
const TERMINATED: u8 = 255;

/// Pulumi's words for the first interrupt.
const FIRST: &str = "^C received; cancelling. If you would like to terminate immediately, press ^C again.\n\
                     Note that terminating immediately may lead to orphaned resources and other inconsistencies.\n";
/// Pulumi's words for the second.
const SECOND: &str = "^C received; terminating";

/// Why no new step begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Failed,
    Cancelled,
}

/// Whether SIGINT reaches a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signals {
    /// As it reaches Pulumi.
    Heard,
    /// It is the calling program's.
    Ignored,
}

struct Player<'a, W> {
    script: &'a Script,
    settings: &'a Settings,
    state: &'a mut FakeState,
    out: &'a mut W,
    began: Timestamp,
    sequence: u64,
    open: BTreeSet<String>,
    changes: BTreeMap<String, u32>,
    stop: Option<Stop>,
    /// Why the run came to nothing, for stderr; a failure of a resource stands in the stream alone.
    trouble: Option<String>,
}

/// Plays the script to its end, or to where it fails or is interrupted; answers with the exit code.
///
/// # Errors
/// Says when nothing more can be written, or when a step was not taken over: nobody knows then what exists.
pub fn play(
    script: &Script,
    settings: &Settings,
    state: &mut FakeState,
    out: &mut impl Write,
    signals: Signals,
) -> Result<u8, String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let began = settings.demo_time(wall_now());
    let mut player = Player {
        script,
        settings,
        state,
        out,
        began,
        sequence: 0,
        open: BTreeSet::new(),
        changes: BTreeMap::new(),
        stop: None,
        trouble: None,
    };
    runtime
        .block_on(async {
            let mut interrupts = match signals {
                Signals::Heard => Some(signal(SignalKind::interrupt()).map_err(|error| error.to_string())?),
                Signals::Ignored => None,
            };
            player.run(&mut interrupts).await
        })
        .and_then(|code| player.trouble.map_or(Ok(code), Err))
}

impl<W: Write> Player<'_, W> {
    async fn run(&mut self, interrupts: &mut Option<Signal>) -> Result<u8, String> {
        let start = Instant::now();
        let mut last = 0.0;
        let settings = self.settings;
        let alone = report::is_gone(settings.simulator.as_deref());
        tokio::pin!(alone);
        for beat in &self.script.beats {
            if !self.is_due(beat) {
                continue;
            }
            let due = start + Duration::try_from_secs_f64(beat.due / self.settings.speed).unwrap_or_default();
            loop {
                tokio::select! {
                    biased;
                    Some(()) = async { interrupts.as_mut()?.recv().await } => {
                        let at = start.elapsed().as_secs_f64() * self.settings.speed;
                        let at = if at.is_finite() { at } else { beat.due };
                        if self.stop == Some(Stop::Cancelled) {
                            self.stdout(at, SECOND)?;
                            return Ok(TERMINATED);
                        }
                        self.stdout(at, FIRST)?;
                        self.stop = Some(Stop::Cancelled);
                    }
                    () = &mut alone => return Err("the simulator does not answer any more: with it ends all that this run makes".to_owned()),
                    () = tokio::time::sleep_until(due) => break,
                }
            }
            // An interrupt while it waited may have taken the line's turn away.
            if self.is_due(beat) {
                self.perform(beat)?;
                last = beat.due;
            }
        }
        self.close(last)
    }

    /// After a failure or an interrupt only what is under way goes on, and the stack itself is closed.
    fn is_due(&self, beat: &TimedEvent) -> bool {
        match (&beat.urn, self.stop) {
            (_, None) => true,
            (Some(urn), Some(_)) => !beat.begins && self.open.contains(urn),
            (None, Some(_)) => false,
        }
    }

    fn perform(&mut self, beat: &TimedEvent) -> Result<(), String> {
        let Some(urn) = &beat.urn else { return self.emit(beat.due, beat.event.clone()) };
        if beat.begins {
            self.open.insert(urn.clone());
            return self.emit(beat.due, beat.event.clone());
        }
        self.open.remove(urn);
        let op = step_op(&beat.event).unwrap_or("same").to_owned();
        let name = urn.rsplit("::").next().unwrap_or(urn);
        if !self.script.operation.is_preview() && op != "same" {
            if self.is_told_to_fail(name) {
                self.state.failed()?;
                let usual = || format!("operation error: AccessDenied on {name} (the demo was told to fail here)");
                let said = self.settings.fail_says.clone().unwrap_or_else(usual);
                return self.fail(beat, urn, &said);
            }
            let taken = if op == "delete" { self.state.gone(urn) } else { self.state.made(urn) };
            if let Err(said) = taken {
                self.fail(beat, urn, &said)?;
                self.trouble.get_or_insert(said);
                return Ok(());
            }
        }
        *self.changes.entry(op).or_default() += 1;
        self.emit(beat.due, beat.event.clone())
    }

    /// Whether this resource fails: one a run, and in as many runs as was asked for.
    fn is_told_to_fail(&self, name: &str) -> bool {
        let wanted = self.settings.fail.as_deref().is_some_and(|fail| name.contains(fail));
        let again = self.settings.fail_runs.is_none_or(|runs| self.state.stack().failures < runs);
        wanted && again && self.stop != Some(Stop::Failed)
    }

    /// A resource fails: its message, its end, and no step begins any more.
    fn fail(&mut self, beat: &TimedEvent, urn: &str, said: &str) -> Result<(), String> {
        self.stop.get_or_insert(Stop::Failed);
        self.emit(beat.due, diagnostic(Some(urn), &format!("{said}\n")))?;
        let metadata = beat.event["resOutputsEvent"]["metadata"].clone();
        self.emit(beat.due, json!({"resOpFailedEvent": {"metadata": metadata, "status": 0, "steps": self.sequence}}))
    }

    fn close(&mut self, last: f64) -> Result<u8, String> {
        let word = self.script.operation.word();
        if self.stop.is_none()
            && !self.script.refused
            && let Err(why) = self.state.succeeded(self.script.operation)
        {
            self.stop = Some(Stop::Failed);
            self.emit(last, diagnostic(None, &format!("{why}\n")))?;
            self.trouble.get_or_insert(why);
        }
        let (code, said) = match self.stop {
            None if self.script.refused => (FAILED, None),
            None => (0, None),
            Some(Stop::Failed) => (FAILED, Some(format!("{word} failed\n"))),
            Some(Stop::Cancelled) => (FAILED, Some(format!("{word} canceled\n"))),
        };
        if let Some(said) = said {
            self.emit(last, diagnostic(None, &said))?;
        }
        let summary = json!({
            "maybeCorrupt": false,
            "durationSeconds": last.ceil() as u64,
            "resourceChanges": self.changes,
            "PolicyPacks": {},
            "isPreview": self.script.operation.is_preview(),
            "result": if code == 0 { "succeeded" } else { "failed" },
        });
        self.emit(last, json!({"summaryEvent": summary}))?;
        self.emit(last, json!({"cancelEvent": {}}))?;
        Ok(code)
    }

    fn stdout(&mut self, at: f64, text: &str) -> Result<(), String> {
        self.emit(at, json!({"stdoutEvent": {"message": text, "color": "never"}}))
    }

    fn emit(&mut self, at: f64, mut event: Value) -> Result<(), String> {
        let at = self.began.plus(Duration::try_from_secs_f64(at).unwrap_or_default());
        event["sequence"] = json!(self.sequence);
        event["timestamp"] = json!(at.millis().div_euclid(1000));
        self.sequence += 1;
        writeln!(self.out, "{event}").and_then(|()| self.out.flush()).map_err(|error| error.to_string())
    }
}

fn diagnostic(urn: Option<&str>, message: &str) -> Value {
    let mut body = json!({"prefix": "error: ", "message": message, "color": "never", "severity": "error"});
    if let Some(urn) = urn {
        body["urn"] = json!(urn);
    }
    json!({"diagnosticEvent": body})
}
