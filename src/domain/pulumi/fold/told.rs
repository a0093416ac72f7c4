//! What a run says when it is asked: rows, progress, failures, how it ended.

use std::collections::BTreeMap;

use super::{RunState, is_plan_echo};
use crate::domain::pulumi::completeness::Gap;
use crate::domain::pulumi::event::Severity;
use crate::domain::pulumi::progress::{Download, Failure, LineCounts, LogLine, Message, Progress, RunOutcome, Summary};
use crate::domain::pulumi::resource::{Resource, State};
use crate::domain::pulumi::tree::{Filter, Tree, TreeRow};
use crate::domain::units::Timestamp;

impl RunState {
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

    /// Resources beyond `MAX_RESOURCES`; they are counted in the progress, not shown.
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

/// What the engine says last, after whatever really went wrong.
fn is_closing_word(text: &str) -> bool {
    ["update", "preview", "destroy", "refresh", "import", "up"].iter().any(|what| {
        text.strip_prefix(what).is_some_and(|rest| matches!(rest.trim(), "failed" | "canceled" | "cancelled"))
    })
}
