//! Whether a change may be asked about, and still be sent: plain functions over facts, history and policy.
//!
//! Pure. The cockpit asks them; `commands::shift` still asks the same gates by itself, after reading the records once more.
//! The way back has two only: the records that it names, and the right to write at all.

use crate::domain::facts::Facts;
use crate::domain::gate::{self, Gate, Policy};
use crate::domain::shift::{Direction, ShiftPlan};

/// What a change of the weights stands on.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// All that was learned.
    pub facts: &'a Facts,
    /// Every gate's answer.
    pub gates: &'a [Gate],
    /// The limits.
    pub policy: &'a Policy,
    /// Whether nothing may be changed from here.
    pub read_only: bool,
    /// Whether another change is being sent from here.
    pub is_sending: bool,
}

/// Why a plan may not, or no longer, be carried out; nothing when it may.
#[must_use]
pub fn blocked(plan: &ShiftPlan, ground: Ground<'_>) -> Option<String> {
    let back = plan.direction() == Direction::Back;
    if ground.read_only {
        return Some("read only".to_owned());
    }
    if ground.is_sending && !back {
        return Some("another change is being sent".to_owned());
    }
    if plan.lands_until.is_none() && ground.facts.shiftable() != Some(&plan.expected) {
        return Some("the records changed while you looked at the question".to_owned());
    }
    let gates = gate::for_step(ground.gates, plan, ground.policy);
    if !back && !gate::all_pass(&gates) {
        let first = gate::blocking(&gates, &[]).next();
        return Some(first.map_or_else(
            || "the gates are not known".to_owned(),
            |g| format!("{} no longer passes: {}", g.id, g.reason),
        ));
    }
    None
}
