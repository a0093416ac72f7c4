//! Plays a script: every line at its time, and the closing ones as it really ended.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

use super::script::{Beat, Operation, Script, step_op};
use super::settings::Settings;
use crate::adapters::pulumi::process::wall_now;
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

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Played {
    /// Exit code.
    pub code: u8,
    /// URNs that exist now.
    pub created: Vec<String>,
    /// URNs that do not any more.
    pub deleted: Vec<String>,
}

/// Why no new step begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Failed,
    Cancelled,
}

struct Player<'a, W> {
    script: &'a Script,
    settings: &'a Settings,
    out: &'a mut W,
    began: Timestamp,
    sequence: u64,
    open: BTreeSet<String>,
    changes: BTreeMap<String, u32>,
    stop: Option<Stop>,
    failed: bool,
    played: Played,
}

/// Plays the script to its end, or to where it fails or is interrupted.
///
/// # Errors
/// Says when nothing more can be written.
pub fn play(script: &Script, settings: &Settings, out: &mut impl Write) -> Result<Played, String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let began = settings.demo_time(wall_now());
    let mut player = Player {
        script,
        settings,
        out,
        began,
        sequence: 0,
        open: BTreeSet::new(),
        changes: BTreeMap::new(),
        stop: None,
        failed: false,
        played: Played::default(),
    };
    runtime.block_on(async {
        let mut interrupts = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
        player.run(&mut interrupts).await
    })
}

impl<W: Write> Player<'_, W> {
    async fn run(&mut self, interrupts: &mut Signal) -> Result<Played, String> {
        let start = Instant::now();
        let mut last = 0.0;
        for beat in &self.script.beats {
            if !self.is_due(beat) {
                continue;
            }
            let due = start + Duration::try_from_secs_f64(beat.due / self.settings.speed).unwrap_or_default();
            loop {
                tokio::select! {
                    biased;
                    _ = interrupts.recv() => {
                        let at = start.elapsed().as_secs_f64() * self.settings.speed;
                        let at = if at.is_finite() { at } else { beat.due };
                        if self.stop == Some(Stop::Cancelled) {
                            self.stdout(at, SECOND)?;
                            return Ok(Played { code: TERMINATED, ..std::mem::take(&mut self.played) });
                        }
                        self.stdout(at, FIRST)?;
                        self.stop = Some(Stop::Cancelled);
                    }
                    () = tokio::time::sleep_until(due) => break,
                }
            }
            // An interrupt while it waited may have taken the line's turn away.
            if self.is_due(beat) {
                self.perform(beat)?;
                last = beat.due;
            }
        }
        self.close(last)?;
        Ok(std::mem::take(&mut self.played))
    }

    /// After a failure or an interrupt only what is under way goes on, and the stack itself is closed.
    fn is_due(&self, beat: &Beat) -> bool {
        match (&beat.urn, self.stop) {
            (_, None) => true,
            (Some(urn), Some(_)) => !beat.begins && self.open.contains(urn),
            (None, Some(_)) => false,
        }
    }

    fn perform(&mut self, beat: &Beat) -> Result<(), String> {
        let Some(urn) = &beat.urn else { return self.emit(beat.due, beat.event.clone()) };
        if beat.begins {
            self.open.insert(urn.clone());
            return self.emit(beat.due, beat.event.clone());
        }
        self.open.remove(urn);
        let op = step_op(&beat.event).unwrap_or("same").to_owned();
        let name = urn.rsplit("::").next().unwrap_or(urn);
        let fails = self.settings.fail.as_deref().is_some_and(|fail| name.contains(fail));
        if fails && !self.failed && op != "same" && !self.script.operation.is_preview() {
            self.failed = true;
            self.stop.get_or_insert(Stop::Failed);
            let said = format!("operation error: AccessDenied on {name} (the demo was told to fail here)\n");
            self.emit(beat.due, diagnostic(Some(urn), &said))?;
            let metadata = beat.event["resOutputsEvent"]["metadata"].clone();
            return self.emit(
                beat.due,
                json!({"resOpFailedEvent": {"metadata": metadata, "status": 0, "steps": self.sequence}}),
            );
        }
        *self.changes.entry(op.clone()).or_default() += 1;
        if !self.script.operation.is_preview() {
            match op.as_str() {
                "delete" => self.played.deleted.push(urn.clone()),
                _ => self.played.created.push(urn.clone()),
            }
        }
        self.emit(beat.due, beat.event.clone())
    }

    fn close(&mut self, last: f64) -> Result<(), String> {
        let word = self.script.operation.word();
        let (code, said) = match self.stop {
            None => (0, None),
            Some(Stop::Failed) => (FAILED, Some(format!("{word} failed\n"))),
            Some(Stop::Cancelled) => (FAILED, Some(format!("{word} canceled\n"))),
        };
        self.played.code = code;
        if let Some(said) = said {
            self.emit(last, diagnostic(None, &said))?;
        }
        if self.stop.is_none() && self.script.operation == Operation::Destroy {
            // The provider that was made by default leaves no line behind.
            self.played.deleted = Script::resources()?;
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
        self.emit(last, json!({"cancelEvent": {}}))
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
