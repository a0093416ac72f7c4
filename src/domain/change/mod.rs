//! Every change outside the terminal as one closed value, and the stages that it goes through.
//!
//! Pure. A key and a command build the same [`Change`]; [`propose`] makes one of what was asked for, [`preconditions`] say whether it may be sent,
//! [`outcome`] what became of a batch that was sent, [`settle`] what the records say of one whose answer never came.
//! `runtime::execute` carries a confirmed change through them, and is the only code that calls a writing port.

pub mod aws_cli;
pub mod deadline;
pub mod load;
pub mod outcome;
pub mod preconditions;
pub mod propose;
pub mod settle;
pub mod settle_pulumi;
pub mod turn;
pub mod way_back;

use super::confirm::Challenge;
use super::pulumi::PulumiChange;
use super::record::Event;
use super::shift::{Direction, ShiftPlan};
use super::traffic::{Record, readable_name};
use super::units::WeightPair;
use super::zone::ZonePlan;

/// A change that was planned, and can be confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Weights of the pair.
    Weights(ShiftPlan),
    /// A simple record becomes the pair (adopt), or the pair a simple record (release).
    Zone(ZonePlan),
    /// Something around Pulumi: the stack, its configuration, its locks, a run.
    Pulumi(PulumiChange),
    /// Weights that somebody else set become the base of the next step. It changes what the journal says, nothing else.
    AcceptBaseline(WeightPair),
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
    /// The batch that carries it out; nothing for what changes no record.
    #[must_use]
    pub fn batch(&self) -> Option<Batch> {
        match self {
            Self::Weights(plan) => Some(plan.batch()),
            Self::Zone(plan) => Some(plan.batch()),
            Self::Pulumi(_) | Self::AcceptBaseline(_) => None,
        }
    }

    /// The change around Pulumi that it is.
    #[must_use]
    pub fn into_pulumi(self) -> Option<PulumiChange> {
        if let Self::Pulumi(change) = self { Some(change) } else { None }
    }

    /// The journal's entry before it is carried out; of a new base it is all that is done.
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
                evacuation: plan.evacuation.as_ref().map(|evacuation| evacuation.reason.clone()),
            },
            Self::Zone(plan) => Event::ZoneIntent { id, plan: Box::new(plan.clone()) },
            Self::Pulumi(change) => change.intent(id),
            Self::AcceptBaseline(weights) => Event::Accepted { weights: *weights },
        }
    }

    /// Whether it sends traffic back to the legacy stack. Such a change is never blocked, neither by a gate nor by a
    /// turn that somebody else does not give back.
    #[must_use]
    pub fn is_way_back(&self) -> bool {
        matches!(self, Self::Weights(plan) if plan.direction() == Direction::Back)
    }

    /// Whether it goes on when somebody else does not give the turn back: the way back, and what stops a run.
    #[must_use]
    pub fn goes_on_without_turn(&self) -> bool {
        let stops = matches!(self, Self::Pulumi(change) if change.stops().is_some());
        stops || self.is_way_back()
    }

    /// The title of its question.
    #[must_use]
    pub fn title(&self) -> String {
        match self {
            Self::Weights(plan) => plan.title(),
            Self::Zone(plan) => plan.title(),
            Self::Pulumi(change) => change.title(),
            Self::AcceptBaseline(weights) => format!("Take the weights {weights} as the new base"),
        }
    }

    /// What it is, in a word or two for the header.
    #[must_use]
    pub fn short(&self) -> String {
        match self {
            Self::Weights(plan) => format!("{} → {}", plan.from().new_share().get(), plan.to.new_share()),
            Self::Zone(_) | Self::Pulumi(_) | Self::AcceptBaseline(_) => self.title(),
        }
    }

    /// The exact call that is made, in a line.
    #[must_use]
    pub fn call_text(&self) -> String {
        match self {
            Self::Weights(plan) => plan.call_text(),
            Self::Zone(plan) => plan.call_text(),
            Self::Pulumi(change) => change.call_text(),
            Self::AcceptBaseline(_) => "one entry in the journal; nothing is sent".to_owned(),
        }
    }

    /// What an operator has to do to say yes.
    #[must_use]
    pub fn challenge(&self) -> Challenge {
        match self {
            Self::Weights(ShiftPlan { evacuation: Some(evacuation), .. }) => Challenge::Typed(evacuation.stack.clone()),
            Self::Weights(plan) if plan.is_complete() => Challenge::Typed(readable_name(plan.record_name())),
            Self::Weights(_) | Self::AcceptBaseline(_) => Challenge::Yes,
            Self::Zone(plan) => Challenge::Typed(readable_name(&plan.name)),
            Self::Pulumi(change) => change.challenge(),
        }
    }
}

impl ShiftPlan {
    /// The batch that carries it out.
    #[must_use]
    pub fn batch(&self) -> Batch {
        Batch {
            deletes: self.deletes(),
            creates: self.creates(),
            stays: Vec::new(),
            comment: format!("{} -> {}", self.from(), self.to),
        }
    }
}

impl ZonePlan {
    /// The batch that carries it out.
    #[must_use]
    pub fn batch(&self) -> Batch {
        Batch {
            deletes: self.deletes.clone(),
            creates: self.creates.clone(),
            stays: self.stays.clone(),
            comment: self.title(),
        }
    }
}
