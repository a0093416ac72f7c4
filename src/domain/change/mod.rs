//! Every change outside the terminal as one closed value, and the stages that it goes through.
//!
//! Pure. A key and a command build the same [`Change`]; [`preconditions`] say whether it may be asked about and sent,
//! [`outcome`] what became of a batch that was sent, [`settle`] what the records say of one whose answer never came.
//! `runtime::execute` carries a confirmed change through them, and is the only code that calls a writing port.

pub mod deadline;
pub mod outcome;
pub mod preconditions;
pub mod settle;
pub mod turn;

use super::confirm::Need;
use super::record::Event;
use super::shift::{Direction, ShiftPlan};
use super::traffic::Record;
use super::zone::ZonePlan;

/// A change that was planned, and can be confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Weights of the pair.
    Weights(ShiftPlan),
    /// A simple record becomes the pair (adopt), or the pair a simple record (release).
    Zone(ZonePlan),
}

/// One atomic batch for Route 53: it deletes exactly these records and creates those.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Records to delete, exactly as seen.
    pub deletes: Vec<Record>,
    /// Records to create.
    pub creates: Vec<Record>,
    /// Simple records under the name that stay as they are.
    pub stays: Vec<Record>,
    /// What whoever looks at the change in Route 53 reads.
    pub comment: String,
}

impl Change {
    /// The batch that carries it out.
    #[must_use]
    pub fn batch(&self) -> Batch {
        match self {
            Self::Weights(plan) => Batch {
                deletes: plan.deletes(),
                creates: plan.creates(),
                stays: Vec::new(),
                comment: format!("{} -> {}", plan.from(), plan.to),
            },
            Self::Zone(plan) => Batch {
                deletes: plan.deletes.clone(),
                creates: plan.creates.clone(),
                stays: plan.stays.clone(),
                comment: plan.title(),
            },
        }
    }

    /// The journal's entry before it is sent.
    #[must_use]
    pub fn intent(&self, id: String) -> Event {
        match self {
            Self::Weights(plan) => Event::Intent {
                id,
                record: plan.record_name().to_owned(),
                from: plan.from(),
                to: plan.to,
                direction: plan.direction(),
                overrides: plan.overrides.clone(),
            },
            Self::Zone(plan) => Event::ZoneIntent { id, plan: Box::new(plan.clone()) },
        }
    }

    /// Whether it sends traffic back to the legacy stack. Such a change is never blocked, neither by a gate nor by a
    /// turn that somebody else does not give back.
    #[must_use]
    pub fn is_way_back(&self) -> bool {
        matches!(self, Self::Weights(plan) if plan.direction() == Direction::Back)
    }

    /// The title of its question.
    #[must_use]
    pub fn title(&self) -> String {
        match self {
            Self::Weights(plan) => plan.title(),
            Self::Zone(plan) => plan.title(),
        }
    }

    /// What it is, in a word or two for the header.
    #[must_use]
    pub fn short(&self) -> String {
        match self {
            Self::Weights(plan) => format!("{} → {}", plan.from().new_share().get(), plan.to.new_share()),
            Self::Zone(plan) => plan.title(),
        }
    }

    /// The exact call that is made, in a line.
    #[must_use]
    pub fn call_text(&self) -> String {
        match self {
            Self::Weights(plan) => plan.call_text(),
            Self::Zone(plan) => plan.call_text(),
        }
    }

    /// What an operator has to do to say yes.
    #[must_use]
    pub fn need(&self) -> Need {
        match self {
            Self::Weights(plan) if plan.is_complete() => Need::Typed(plan.record_name().to_owned()),
            Self::Weights(_) => Need::Yes,
            Self::Zone(plan) => Need::Typed(plan.name.clone()),
        }
    }
}
