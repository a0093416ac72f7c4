//! What is played: the lines of a recorded run, at their times, fitted to what the stack holds already.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::config::Config;

/// A recorded `up` of the bundled program from an empty stack; the same file that the tests fold.
const UP: &str = include_str!("../sim/recordings/bundled-up.jsonl");
/// The recorded `destroy` of what it made.
const DESTROY: &str = include_str!("../sim/recordings/bundled-destroy.jsonl");

/// Kinds of events that carry a step.
const STEPS: [&str; 3] = ["resourcePreEvent", "resOutputsEvent", "resOpFailedEvent"];

/// What is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recording {
    /// What an `up` would do.
    Preview,
    /// An `up`.
    Up,
    /// A refresh that finds everything as it was.
    Refresh,
    /// What a `destroy` would do.
    PreviewDestroy,
    /// A `destroy`.
    Destroy,
}

impl Recording {
    /// Whether it is only planned.
    #[must_use]
    pub const fn is_preview(self) -> bool {
        matches!(self, Self::Preview | Self::PreviewDestroy)
    }

    /// What Pulumi calls it in its closing words.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Preview | Self::PreviewDestroy => "preview",
            Self::Up => "update",
            Self::Refresh => "refresh",
            Self::Destroy => "destroy",
        }
    }
}

/// One line and when it is due.
#[derive(Debug, Clone, PartialEq)]
pub struct TimedEvent {
    /// Seconds since the start, of the recording.
    pub due: f64,
    /// The event.
    pub event: Value,
    /// The resource, where it is a step.
    pub urn: Option<String>,
    /// Whether it is the beginning of a step.
    pub begins: bool,
}

/// The resources that the program has registered before it asks AWS anything.
const BEFORE_ASKING: [&str; 2] = ["tap:stack:TapStack", PROVIDER];
const PROVIDER: &str = "pulumi:providers:aws";
/// What the recorded program says of its forward task, and what it says when that is started.
const WAITS: &str = "the forward task waits (pulumi config set startReplication true)";
const STARTS: &str = "the forward task starts";

/// All lines of one run, but for its closing ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// What is played.
    pub operation: Recording,
    /// The lines, by their time.
    pub beats: Vec<TimedEvent>,
    /// Whether the program stops before its first resource.
    pub refused: bool,
}

impl Script {
    /// The run of `operation` on a stack that holds `existing`; one recorded second lasts `stretch` seconds.
    ///
    /// # Errors
    /// Only if the recording that is built in cannot be read.
    pub fn of(operation: Recording, existing: &[String], stretch: f64) -> Result<Self, String> {
        let existing: BTreeSet<&str> = existing.iter().map(String::as_str).collect();
        let recording = match operation {
            Recording::Destroy | Recording::PreviewDestroy => DESTROY,
            _ => UP,
        };
        let mut beats = read(recording)?;
        for beat in &mut beats {
            beat.due *= stretch;
        }
        match operation {
            Recording::Preview | Recording::Up => beats.iter_mut().for_each(|beat| keep_existing(beat, &existing)),
            Recording::Refresh => {
                beats.retain(|beat| beat.urn.as_deref().is_none_or(|urn| existing.contains(urn)));
                beats.iter_mut().for_each(refresh);
            }
            Recording::Destroy | Recording::PreviewDestroy => {
                beats.retain(|beat| beat.urn.as_deref().is_none_or(|urn| existing.contains(urn)));
            }
        }
        let nothing_to_do = beats.iter().all(|beat| beat.urn.is_none() || step_op(&beat.event) == Some("same"));
        if operation.is_preview() || operation == Recording::Refresh || nothing_to_do {
            for beat in &mut beats {
                beat.due = 0.0;
            }
        }
        if operation.is_preview() {
            beats.iter_mut().for_each(plan_only);
        }
        Ok(Self { operation, beats, refused: false })
    }

    /// The same run with what is configured now, where the recording shows what was configured then.
    #[must_use]
    pub fn with_config(mut self, config: &Config) -> Self {
        let starts = config.get("startReplication") == Some("true");
        for event in self.beats.iter_mut().map(|beat| &mut beat.event) {
            if event.get("preludeEvent").is_some() {
                event["preludeEvent"]["config"] = config.prelude();
            }
            let said = event["diagnosticEvent"]["message"].as_str().filter(|said| starts && said.contains(WAITS));
            if let Some(said) = said.map(|said| said.replace(WAITS, STARTS)) {
                event["diagnosticEvent"]["message"] = json!(said);
            }
        }
        self
    }

    /// The same run that hands out what the simulated stack hands out, in place of what the recorded one did.
    #[must_use]
    pub fn with_outputs(mut self, outputs: &Value) -> Self {
        for beat in self.beats.iter_mut().filter(|beat| !beat.begins) {
            let is_stack = beat.urn.as_deref().is_some_and(|urn| urn.contains("::pulumi:pulumi:Stack::"));
            if let Some(metadata) = metadata(&mut beat.event).filter(|_| is_stack)
                && let Some(told) = metadata["new"]["outputs"].as_object_mut()
            {
                for (key, value) in told {
                    if let Some(now) = outputs.get(key.as_str()) {
                        value.clone_from(now);
                    }
                }
            }
        }
        self
    }

    /// The run of a program that raises before its first resource: the stack, what it registers before it asks AWS (`asked`), its
    /// words, and the end. No line says that the update failed, as none did where this was seen.
    #[must_use]
    pub fn refused(self, asked: bool, problems: &[String]) -> Self {
        let said = format!("the stack's configuration cannot be used:\n  {}\n", problems.join("\n  "));
        let words = json!({"prefix": "error: ", "message": said, "color": "never", "severity": "error"});
        let mut last = None;
        let mut beats: Vec<TimedEvent> = Vec::new();
        for mut beat in self.beats {
            beat.due = 0.0;
            let kind = beat.urn.as_deref().and_then(|urn| urn.rsplit("::").nth(1)?.rsplit('$').next());
            match kind {
                None if beat.event.get("preludeEvent").is_some() => beats.push(beat),
                Some("pulumi:pulumi:Stack") if beat.begins => beats.push(beat),
                Some("pulumi:pulumi:Stack") => {
                    if let Some(metadata) = metadata(&mut beat.event) {
                        metadata["new"]["outputs"] = json!({});
                    }
                    last = Some(beat);
                }
                Some(kind) if asked && BEFORE_ASKING.contains(&kind) && (beat.begins || kind == PROVIDER) => {
                    beats.push(beat);
                }
                _ => {}
            }
        }
        beats.push(TimedEvent { due: 0.0, event: json!({"diagnosticEvent": words}), urn: None, begins: false });
        beats.extend(last);
        Self { operation: self.operation, beats, refused: true }
    }

    /// URNs of everything that the recorded program makes.
    ///
    /// # Errors
    /// Only if the recording that is built in cannot be read.
    pub fn resources() -> Result<Vec<String>, String> {
        Ok(read(UP)?.into_iter().filter(|beat| beat.begins).filter_map(|beat| beat.urn).collect())
    }
}

/// Lines of one second are spread over it, so that a stream that was recorded in whole seconds does not come in bursts.
fn read(recording: &str) -> Result<Vec<TimedEvent>, String> {
    let events: Vec<Value> = recording
        .lines()
        .map(|line| serde_json::from_str(line).map_err(|error| format!("the recording is damaged: {error}")))
        .collect::<Result<_, _>>()?;
    let second = |event: &Value| event.get("timestamp").and_then(Value::as_i64).unwrap_or(0);
    let first = events.first().map_or(0, second);
    let mut beats = Vec::with_capacity(events.len());
    for group in events.chunk_by(|a, b| second(a) == second(b)) {
        for (index, event) in group.iter().enumerate() {
            // The closing lines are made anew: they count what happened.
            if event.get("summaryEvent").is_some() || event.get("cancelEvent").is_some() {
                continue;
            }
            let step = STEPS.into_iter().find_map(|kind| event.get(kind));
            beats.push(TimedEvent {
                due: (second(event) - first) as f64 + index as f64 / group.len() as f64,
                urn: step.and_then(|step| step["metadata"]["urn"].as_str()).map(str::to_owned),
                begins: event.get("resourcePreEvent").is_some(),
                event: event.clone(),
            });
        }
    }
    Ok(beats)
}

fn metadata(event: &mut Value) -> Option<&mut Value> {
    let kind = STEPS.into_iter().find(|kind| event.get(*kind).is_some())?;
    event.get_mut(kind)?.get_mut("metadata")
}

/// The operation of a step.
pub(super) fn step_op(event: &Value) -> Option<&str> {
    STEPS.into_iter().find_map(|kind| event.get(kind))?["metadata"]["op"].as_str()
}

fn keep_existing(beat: &mut TimedEvent, existing: &BTreeSet<&str>) {
    let exists = beat.urn.as_deref().is_some_and(|urn| existing.contains(urn));
    if let Some(metadata) = metadata(&mut beat.event).filter(|_| exists) {
        metadata["op"] = json!("same");
        metadata["old"] = metadata["new"].clone();
    }
}

fn refresh(beat: &mut TimedEvent) {
    let op = if beat.begins { "refresh" } else { "same" };
    if let Some(metadata) = metadata(&mut beat.event) {
        metadata["op"] = json!(op);
        metadata["old"] = metadata["new"].clone();
    }
}

fn plan_only(beat: &mut TimedEvent) {
    if let Some(kind) = STEPS.into_iter().find(|kind| beat.event.get(*kind).is_some()) {
        beat.event[kind]["planning"] = json!(true);
    }
}
