//! A run as a value: every event adds to it, and nothing is ever read from outside.
//!
//! Pure. See the bounds in the parent module; the fold never grows beyond them, whatever the stream holds.

mod told;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::completeness::Tally;
use super::event::{self, EngineStep, Event, Kind, Moment, Parsed, Severity};
use super::plan::Plan;
use super::progress::{Download, LineCounts, LogLine, Message, RunOutcome, Summary};
use super::resource::{Count, Resource, State, urn_name};
use super::text::{Redactor, capped};
use super::tree::Tree;
use super::{MAX_ERROR_BYTES, MAX_LOG_LINE_BYTES, MAX_LOG_LINES, MAX_MESSAGE_BYTES, MAX_OTHER_BYTES, MAX_RESOURCES};
use crate::domain::units::Timestamp;

/// Downloads shown at once; the bundled program needs two plug-ins.
const MAX_DOWNLOADS: usize = 16;
/// What every kept message costs beside its text.
const MESSAGE_OVERHEAD: usize = 128;

/// A Pulumi run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunState {
    tree: Tree,
    counts: [[u32; 5]; 2],
    planned: Option<u32>,
    hidden: u32,
    hidden_done: u32,
    messages: Vec<Message>,
    kept_bytes: [usize; 2],
    dropped_messages: u32,
    log: VecDeque<LogLine>,
    logged: u64,
    outputs: BTreeMap<String, String>,
    downloads: BTreeMap<String, Download>,
    summary: Option<Summary>,
    over: bool,
    broken: bool,
    interrupts: u32,
    planning: bool,
    first_at: Option<Timestamp>,
    last_at: Option<Timestamp>,
    lines: LineCounts,
    tally: Tally,
    redactor: Redactor,
}

impl RunState {
    /// A run of which nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A run that is about to do what was planned: every planned resource is there, pending.
    #[must_use]
    pub fn expecting(plan: &Plan) -> Self {
        let mut run_state = Self::default();
        for planned in &plan.steps {
            let Some(resource) = run_state.tree.entry(&planned.as_step(), MAX_RESOURCES) else { break };
            resource.describe(planned.as_step());
            resource.expect(planned.op);
            let now = resource.count();
            run_state.recount(None, now);
        }
        run_state.planned = Some(plan.total());
        run_state
    }

    /// The same run, never showing these values.
    #[must_use]
    pub fn redacting(mut self, redactor: Redactor) -> Self {
        self.redactor = redactor;
        self
    }

    /// Takes one line of the stream in.
    pub fn fold_line(&mut self, line: &[u8]) {
        if !line.iter().all(u8::is_ascii_whitespace) {
            self.fold(event::parse(line));
        }
    }

    /// Takes one parsed line in.
    pub fn fold(&mut self, parsed: Parsed) {
        self.tally.ends_torn(parsed == Parsed::Garbage { looks_like_an_event: true });
        match parsed {
            Parsed::Event(event) => {
                self.lines.events += 1;
                self.add(event);
            }
            Parsed::Debug => self.lines.debug += 1,
            Parsed::Unknown => self.lines.unknown += 1,
            Parsed::Garbage { looks_like_an_event } => {
                self.lines.garbage += 1;
                if !self.over {
                    self.tally.torn(looks_like_an_event);
                }
            }
        }
    }

    /// A line was longer than is read.
    pub fn skipped_line(&mut self) {
        self.lines.oversized += 1;
        self.tally.oversized();
    }

    fn add(&mut self, Event { at, sequence, kind }: Event) {
        self.tally.sequence(sequence);
        self.first_at.get_or_insert(at);
        self.last_at = Some(self.last_at.map_or(at, |last| last.max(at)));
        match kind {
            Kind::Prelude => self.begin_phase(),
            Kind::Step { moment, step, planning } => self.add_step(at, moment, *step, planning),
            Kind::Message { urn, severity, text } => {
                if severity == Severity::Error {
                    self.tally.error(&self.redactor.apply((&*text).into()));
                }
                self.add_message(at, urn.as_deref(), severity, text);
            }
            Kind::Download { id, text, received, total, done } => {
                if done {
                    self.downloads.remove(&id);
                } else if self.downloads.len() < MAX_DOWNLOADS || self.downloads.contains_key(&id) {
                    self.downloads.insert(id, Download { text, received, total });
                }
            }
            Kind::Summary { result, duration, changes, preview, maybe_corrupt } => {
                let ending = self.ending_of(result.as_deref());
                self.tally.summary();
                self.summary = Some(Summary { ending, duration, changes, preview, maybe_corrupt });
            }
            Kind::End => self.close(at),
        }
    }

    /// An update that follows its preview in the same stream starts over, with the preview as its plan.
    fn begin_phase(&mut self) {
        if self.summary.as_ref().is_some_and(|summary| summary.preview) {
            let plan = Plan::of(self);
            let (log, redactor) = (std::mem::take(&mut self.log), std::mem::take(&mut self.redactor));
            let (logged, lines, first_at, last_at) = (self.logged, self.lines, self.first_at, self.last_at);
            *self = Self { log, logged, first_at, last_at, lines, redactor, ..Self::expecting(&plan) };
        }
        self.tally.prelude();
    }

    fn add_step(&mut self, at: Timestamp, moment: Moment, mut step: EngineStep, planning: bool) {
        self.planning = planning;
        if let Some(outputs) = step.outputs.take() {
            let redacted = |text: String| self.redactor.apply(text.into()).into_owned();
            self.outputs = outputs.into_iter().map(|(key, value)| (key, redacted(value))).collect();
        }
        let complaints = std::mem::take(&mut step.init_errors);
        let (urn, op) = (step.urn.clone(), step.op);
        let known = self.tree.get(&urn).map(Resource::count);
        let entry = self.tree.entry(&step, MAX_RESOURCES);
        if moment == Moment::Begins {
            // Beyond the resources that are kept nobody remembers what has begun; there the count and the numbers tell.
            let begun = entry.map(|resource| resource.has_begun(op));
            self.tally.step(&step, begun.unwrap_or(false));
        }
        let Some(resource) = self.tree.entry(&step, MAX_RESOURCES) else {
            self.hidden += u32::from(moment == Moment::Begins && op.is_change());
            self.hidden_done += u32::from(moment == Moment::Done && op.is_change());
            return;
        };
        resource.describe(step);
        match moment {
            Moment::Begins => resource.begin(op, at),
            Moment::Done => resource.end(op, at, planning),
            Moment::Failed => resource.fail(op, at),
        }
        let now = resource.count();
        let line = (moment != Moment::Begins && (op.is_change() || moment == Moment::Failed)).then(|| {
            let took = resource.elapsed(at).unwrap_or_default().as_secs();
            let what = if moment == Moment::Failed { "failed" } else { op.done() };
            let planned = if planning { "plan: " } else { "" };
            format!("{planned}{what} {} {} ({took} s)", resource.rtype, resource.name())
        });
        self.recount(known, now);
        if let Some(line) = line {
            let severity = if moment == Moment::Failed { Severity::Error } else { Severity::Info };
            self.push_log(at, severity, &line);
        }
        for text in complaints {
            self.add_message(at, Some(&urn), Severity::Error, text);
        }
    }

    fn add_message(&mut self, at: Timestamp, urn: Option<&str>, severity: Severity, text: String) {
        let text = self.redactor.apply(text.into());
        if text.starts_with("^C received") || text.starts_with("SIGTERM received") {
            self.interrupts += 1;
        }
        let resource = urn.and_then(|urn| self.tree.get_mut(urn));
        let urn = resource.map(|resource| {
            match severity {
                Severity::Error if is_plan_echo(&text) => {}
                Severity::Error => resource.errors += 1,
                Severity::Warning => resource.warnings += 1,
                Severity::Info => {}
            }
            Arc::clone(&resource.urn)
        });
        let about = urn.as_deref().map(|urn| format!("{}: ", urn_name(urn))).unwrap_or_default();
        for line in text.lines().filter(|line| !line.trim().is_empty()).take(MAX_LOG_LINES) {
            self.push_log(at, severity, &format!("{about}{line}"));
        }
        let (kind, room) = if severity == Severity::Error { (0, MAX_ERROR_BYTES) } else { (1, MAX_OTHER_BYTES) };
        let text = capped(&text, MAX_MESSAGE_BYTES).into_owned();
        let size = text.len() + MESSAGE_OVERHEAD;
        if self.kept_bytes[kind] + size > room {
            self.dropped_messages += 1;
            return;
        }
        self.kept_bytes[kind] += size;
        self.messages.push(Message { at, severity, urn, text });
    }

    fn push_log(&mut self, at: Timestamp, severity: Severity, text: &str) {
        self.logged += 1;
        if self.log.len() >= MAX_LOG_LINES {
            self.log.pop_front();
        }
        self.log.push_back(LogLine { at, severity, text: capped(text, MAX_LOG_LINE_BYTES).into_owned() });
    }

    fn recount(&mut self, before: Option<Count>, now: Count) {
        if let Some(before) = before {
            let slot = &mut self.counts[usize::from(before.change)][before.state as usize];
            *slot = slot.saturating_sub(1);
        }
        self.counts[usize::from(now.change)][now.state as usize] += 1;
    }

    fn ending_of(&self, result: Option<&str>) -> RunOutcome {
        let failed = self.messages.iter().any(|message| message.severity == Severity::Error)
            || self.counts.iter().any(|counts| counts[State::Failed as usize] > 0);
        match result {
            Some("succeeded") => RunOutcome::Succeeded,
            Some("canceled") => RunOutcome::Canceled,
            _ if self.interrupts > 0 => RunOutcome::Canceled,
            Some(_) => RunOutcome::Failed,
            None if failed => RunOutcome::Failed,
            None => RunOutcome::Succeeded,
        }
    }

    fn close(&mut self, at: Timestamp) {
        self.over = true;
        self.downloads.clear();
        let well = self.ending() == Some(RunOutcome::Succeeded);
        let mut changed = Vec::new();
        for resource in self.tree.iter_mut() {
            let before = resource.count();
            resource.close(well, at);
            if resource.count() != before {
                changed.push((before, resource.count()));
            }
        }
        for (before, now) in changed {
            self.recount(Some(before), now);
        }
    }

    /// The process is gone. A stream without its own ending was broken off; what was under way then is unfinished.
    pub fn process_ended(&mut self) {
        if !self.over {
            self.broken = self.summary.is_none();
            self.close(self.last_at.unwrap_or_default());
        }
    }
}

/// What the engine says of each planned resource that a run did not come to, whatever the reason.
fn is_plan_echo(text: &str) -> bool {
    text.starts_with("expected resource operations for ") && text.ends_with("but none were seen")
}

impl Plan {
    /// What a preview came to.
    #[must_use]
    pub fn of(run_state: &RunState) -> Self {
        let missing = run_state.gaps().iter().map(ToString::to_string).collect();
        Self::made_of(run_state.tree().resources(), run_state.hidden_resources(), missing)
    }
}
