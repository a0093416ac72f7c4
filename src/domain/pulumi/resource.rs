//! One resource of a run: what is done to it, and how far it is.
//!
//! Pure.

use std::sync::Arc;
use std::time::Duration;

use super::event::{Diff, EngineStep, STACK_TYPE, WeightedRecord};
use super::op::Operation;
use crate::domain::units::Timestamp;

/// How far a resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Planned, not begun; or between the two halves of a replacement.
    Pending,
    /// Under way.
    Running,
    /// Done.
    Done,
    /// Failed.
    Failed,
    /// Under way when the run ended: nobody waited for it, so it may exist without Pulumi knowing.
    Unfinished,
}

impl State {
    /// A word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Unfinished => "unfinished",
        }
    }
}

/// One resource in a run.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, as the engine tells it")]
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Its URN.
    pub urn: Arc<str>,
    /// Its type, as `aws:rds/cluster:Cluster`.
    pub rtype: Arc<str>,
    /// URN of the resource above it.
    pub parent: Option<Arc<str>>,
    /// What is done to it; the steps of a replacement are one replacement.
    pub op: Operation,
    /// The step that is under way or was the last.
    pub step: Operation,
    /// How far it is.
    pub state: State,
    /// When work on it began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// The provider's identifier.
    pub id: Option<String>,
    /// Properties that change.
    pub diffs: Vec<Diff>,
    /// Properties that change beyond those kept.
    pub more_diffs: usize,
    /// What a refresh found changed behind Pulumi's back: an update or a delete.
    pub drift: Option<Operation>,
    /// For a weighted record.
    pub weighted: Option<WeightedRecord>,
    /// Whether its new declaration switches it off.
    pub halts: bool,
    /// Whether a provider holds it; a component only groups others.
    pub custom: bool,
    /// Whether Pulumi refuses to delete it.
    pub protect: bool,
    /// Whether a delete leaves it at the provider.
    pub retain: bool,
    /// Error messages about it.
    pub errors: u32,
    /// Warnings about it.
    pub warnings: u32,
    planned: Option<Operation>,
    halves: Halves,
    begun: u32,
}

/// Which halves of a replacement are done; the order depends on the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Halves {
    created: bool,
    removed: bool,
}

impl Resource {
    /// The resource's own name: the last part of its URN.
    #[must_use]
    pub fn name(&self) -> &str {
        urn_name(&self.urn)
    }

    /// The type without the package and the module's repetition: `rds/Cluster`.
    #[must_use]
    pub fn short_type(&self) -> String {
        let mut parts = self.rtype.splitn(3, ':');
        match (parts.next(), parts.next(), parts.next()) {
            (Some("aws"), Some(module), Some(class)) => {
                format!("{}/{class}", module.split('/').next().unwrap_or(module))
            }
            (Some("pulumi"), _, Some(class)) => class.to_owned(),
            _ => self.rtype.to_string(),
        }
    }

    /// Whether it is the stack itself.
    #[must_use]
    pub fn is_stack(&self) -> bool {
        &*self.rtype == STACK_TYPE
    }

    /// How long it took, or has been taking.
    #[must_use]
    pub fn elapsed(&self, now: Timestamp) -> Option<Duration> {
        let started = self.started?;
        match self.state {
            State::Pending => None,
            State::Running => Some(now.since(started)),
            State::Done | State::Failed | State::Unfinished => Some(self.ended.unwrap_or(now).since(started)),
        }
    }
}

/// The name in a URN: `urn:pulumi:STACK::PROJECT::TYPES::NAME`.
#[must_use]
pub fn urn_name(urn: &str) -> &str {
    urn.splitn(4, "::").nth(3).unwrap_or(urn)
}

/// Where a resource counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) change: bool,
    pub(super) state: State,
}

impl Resource {
    pub(super) fn new(urn: Arc<str>, step: &EngineStep) -> Self {
        Self {
            urn,
            rtype: Arc::from(step.rtype.as_str()),
            parent: None,
            op: step.op.family(),
            step: step.op,
            state: State::Pending,
            started: None,
            ended: None,
            id: None,
            diffs: Vec::new(),
            more_diffs: 0,
            drift: None,
            weighted: None,
            halts: false,
            custom: false,
            protect: false,
            retain: false,
            errors: 0,
            warnings: 0,
            planned: None,
            halves: Halves::default(),
            begun: 0,
        }
    }

    pub(super) fn count(&self) -> Count {
        Count { change: self.op.is_change(), state: self.state }
    }

    /// Whether the step `op` has begun before, which it then has. Old copies under one name are deleted one by one, and
    /// each may be looked at.
    pub(super) fn has_begun(&mut self, op: Operation) -> bool {
        let bit = 1 << op as u32;
        let before = self.begun & bit != 0;
        self.begun |= bit;
        before && !matches!(op, Operation::DeleteReplaced | Operation::DiscardReplaced | Operation::Refresh)
    }

    /// What a plan says of it. Where nothing takes its place, the deletion of an old copy that a broken replacement left
    /// behind is a deletion.
    pub(super) fn planned_op(&self) -> Operation {
        let deletes = self.begun & (1 << Operation::DeleteReplaced as u32) != 0;
        let replaces =
            self.begun & ((1 << Operation::Replace as u32) | (1 << Operation::CreateReplacement as u32)) != 0;
        if self.op == Operation::Replace && deletes && !replaces { Operation::Delete } else { self.op }
    }

    /// Takes over what a step says of the resource, whatever its moment.
    pub(super) fn describe(&mut self, step: EngineStep) {
        if let Some(parent) = step.parent.filter(|parent| self.parent.as_deref() != Some(parent)) {
            self.parent = Some(Arc::from(parent));
        }
        if step.id.is_some() {
            self.id = step.id;
        }
        if !step.diffs.is_empty() {
            (self.diffs, self.more_diffs) = (step.diffs, step.more_diffs);
        }
        if step.weighted.is_some() {
            self.weighted = step.weighted;
        }
        self.halts |= step.halts;
        self.custom |= step.custom;
        self.protect |= step.protect;
        self.retain |= step.retain;
    }

    pub(super) fn begin(&mut self, op: Operation, at: Timestamp) {
        let goes_on = op.is_replacement() && self.op == Operation::Replace && self.started.is_some();
        if !goes_on {
            self.started = Some(at);
            self.halves = Halves::default();
        }
        self.ended = None;
        (self.op, self.step, self.state) = (op.family(), op, State::Running);
    }

    /// A refresh ends as the operation that it found necessary: `same`, `update`, `delete`.
    pub(super) fn end(&mut self, op: Operation, at: Timestamp, planning: bool) {
        self.ended = Some(at);
        self.started.get_or_insert(at);
        if self.step == Operation::Refresh && self.state == State::Running {
            self.drift = Some(op).filter(|op| matches!(op, Operation::Update | Operation::Delete));
            self.state = State::Done;
            // What was planned for it is still to come.
            if let Some(planned) = self.planned {
                self.expect(planned);
            }
            return;
        }
        (self.op, self.step) = (op.family(), op);
        self.halves.created |= op == Operation::CreateReplacement;
        self.halves.removed |= op == Operation::DeleteReplaced;
        let half_way = op.is_replacement() && !(self.halves.created && self.halves.removed) && !planning;
        self.state = if half_way { State::Pending } else { State::Done };
    }

    pub(super) fn fail(&mut self, op: Operation, at: Timestamp) {
        self.started.get_or_insert(at);
        self.ended = Some(at);
        (self.op, self.step, self.state) = (op.family(), op, State::Failed);
    }

    /// Planned, not begun.
    pub(super) fn expect(&mut self, op: Operation) {
        self.planned = Some(op);
        (self.op, self.step, self.state) = (op.family(), op, State::Pending);
    }

    /// The run is over. What was half-way is done when the run went well, and nobody's otherwise.
    pub(super) fn close(&mut self, well: bool, at: Timestamp) {
        let half_way = self.state == State::Pending && self.halves != Halves::default();
        if self.state == State::Running || half_way {
            self.state = if well { State::Done } else { State::Unfinished };
            self.ended.get_or_insert(at);
        }
    }
}
