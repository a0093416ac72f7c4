//! A run as a value: every event adds to it, and nothing is ever read from outside.
//!
//! Pure. See the bounds in the parent module; the fold never grows beyond them, whatever the stream holds.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::completeness::{Gap, Tally};
use super::event::{self, EngineStep, Event, Kind, Moment, Parsed, Severity};
use super::plan::Plan;
use super::progress::{Download, Failure, LineCounts, LogLine, Message, Progress, RunOutcome, Summary};
use super::text::{Redactor, capped};
use super::tree::{Count, Filter, Resource, State, Tree, TreeRow, urn_name};
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

    /// Why what was read of a preview may not be the whole plan; nothing when it is.
    #[must_use]
    pub fn gaps(&self) -> Vec<Gap> {
        let mut gaps = self.tally.gaps(self.summary.as_ref().map(|summary| &summary.changes));
        let ending =
            self.summary.as_ref().map(|summary| summary.ending).filter(|ending| *ending != RunOutcome::Succeeded);
        gaps.extend(ending.map(|ending| Gap::NotSucceeded(ending.word())));
        gaps
    }

    /// Whether the last line is an event that was cut.
    #[must_use]
    pub fn ends_torn(&self) -> bool {
        self.tally.is_cut()
    }

    /// Whether the stream had its first word and the engine's own count: without both, nobody knows what was done.
    #[must_use]
    pub fn has_both_ends(&self) -> bool {
        self.tally.has_both_ends()
    }

    /// The resources.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The rows that the filter wants.
    #[must_use]
    pub fn rows(&self, filter: &Filter) -> Vec<TreeRow<'_>> {
        self.tree.rows(filter)
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let [rest, changes] = &self.counts;
        let known: u32 = changes.iter().sum();
        Progress {
            done: changes[State::Done as usize] + self.hidden_done,
            running: changes[State::Running as usize] + self.hidden.saturating_sub(self.hidden_done),
            failed: changes[State::Failed as usize] + changes[State::Unfinished as usize],
            total: self.planned.map(|planned| planned.max(known + self.hidden)),
            unchanged: rest[State::Done as usize],
        }
    }

    /// What is under way and changes something, longest first: what Pulumi finishes after an interrupt.
    #[must_use]
    pub fn under_way(&self) -> Vec<&Resource> {
        self.in_state(State::Running)
    }

    /// What was under way when the run ended.
    #[must_use]
    pub fn unfinished(&self) -> Vec<&Resource> {
        self.in_state(State::Unfinished)
    }

    /// Components and providers are left out: nothing in the cloud hangs on them.
    fn in_state(&self, state: State) -> Vec<&Resource> {
        let mut found: Vec<&Resource> = self
            .tree
            .resources()
            .iter()
            .filter(|r| r.state == state && r.op.is_change() && r.custom && !r.rtype.starts_with("pulumi:"))
            .collect();
        found.sort_by_key(|resource| resource.started);
        found
    }

    /// Everything that went wrong: resources first, then the program, then the engine's closing words. What a plan
    /// expected and a failed or interrupted run did not come to is no failure of its own, and left out.
    #[must_use]
    pub fn failures(&self) -> Vec<Failure<'_>> {
        let only_echoes = self.interrupts == 0
            && !self.tree.resources().iter().any(|r| r.state == State::Failed)
            && !self.messages.iter().any(|message| {
                message.severity == Severity::Error && !is_plan_echo(&message.text) && !is_closing_word(&message.text)
            });
        let mut failures: Vec<Failure<'_>> = self
            .messages
            .iter()
            .filter(|message| message.severity == Severity::Error)
            .filter(|message| only_echoes || !is_plan_echo(&message.text))
            .map(|message| Failure {
                resource: message.urn.as_deref().and_then(|urn| self.tree.get(urn)),
                text: &message.text,
                at: message.at,
            })
            .collect();
        failures.extend(self.tree.resources().iter().filter(|r| r.state == State::Failed && r.errors == 0).map(
            |resource| Failure {
                resource: Some(resource),
                text: "it failed, and neither Pulumi nor the provider said why",
                at: resource.ended.unwrap_or_default(),
            },
        ));
        failures.sort_by_key(|failure| match failure.resource {
            Some(resource) if !resource.is_stack() => 0,
            Some(_) => 1,
            None => 2 + u8::from(is_closing_word(failure.text)),
        });
        failures
    }

    /// All messages that are kept.
    #[must_use]
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// Messages that were not kept; they are in the run's file.
    #[must_use]
    pub fn dropped_messages(&self) -> u32 {
        self.dropped_messages
    }

    /// Resources beyond [`MAX_RESOURCES`]; they are counted in the progress, not shown.
    #[must_use]
    pub fn hidden_resources(&self) -> u32 {
        self.hidden
    }

    /// The newest log lines, oldest first.
    #[must_use]
    pub fn log(&self) -> impl DoubleEndedIterator<Item = &LogLine> + ExactSizeIterator {
        self.log.iter()
    }

    /// How many log lines there were in all.
    #[must_use]
    pub fn log_total(&self) -> u64 {
        self.logged
    }

    /// The stack's outputs, secrets masked; empty before the stack itself is done.
    #[must_use]
    pub fn outputs(&self) -> &BTreeMap<String, String> {
        &self.outputs
    }

    /// Plug-ins on their way.
    pub fn downloads(&self) -> impl Iterator<Item = &Download> {
        self.downloads.values()
    }

    /// The engine's own count, once it came.
    #[must_use]
    pub fn summary(&self) -> Option<&Summary> {
        self.summary.as_ref()
    }

    /// How it ended; nothing while it goes on.
    #[must_use]
    pub fn ending(&self) -> Option<RunOutcome> {
        match &self.summary {
            Some(summary) if self.over => Some(summary.ending),
            _ if self.broken => Some(RunOutcome::Broken),
            // A stream can close without a summary when the program itself could not be run.
            None if self.over => Some(self.ending_of(Some("failed"))),
            _ => None,
        }
    }

    /// How often it was asked to stop.
    #[must_use]
    pub fn interrupts(&self) -> u32 {
        self.interrupts
    }

    /// Whether what happens now is only planned.
    #[must_use]
    pub fn is_planning(&self) -> bool {
        self.planning
    }

    /// When the first event was written.
    #[must_use]
    pub fn started_at(&self) -> Option<Timestamp> {
        self.first_at
    }

    /// When the newest event was written.
    #[must_use]
    pub fn last_at(&self) -> Option<Timestamp> {
        self.last_at
    }

    /// Lines by what they came to.
    #[must_use]
    pub fn lines(&self) -> LineCounts {
        self.lines
    }
}

/// What the engine says of each planned resource that a run did not come to, whatever the reason.
fn is_plan_echo(text: &str) -> bool {
    text.starts_with("expected resource operations for ") && text.ends_with("but none were seen")
}

/// What the engine says last, after whatever really went wrong.
fn is_closing_word(text: &str) -> bool {
    ["update", "preview", "destroy", "refresh", "import", "up"].iter().any(|what| {
        text.strip_prefix(what).is_some_and(|rest| matches!(rest.trim(), "failed" | "canceled" | "cancelled"))
    })
}

impl Plan {
    /// What a preview came to.
    #[must_use]
    pub fn of(run_state: &RunState) -> Self {
        let missing = run_state.gaps().iter().map(ToString::to_string).collect();
        Self::made_of(run_state.tree().resources(), run_state.hidden_resources(), missing)
    }
}
