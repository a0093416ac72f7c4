//! What a preview says will be done: the plan that an operator reads and lets run.
//!
//! Pure.

use std::collections::BTreeMap;

use serde::Serialize;

use super::danger::{Danger, Stateful};
use super::op::Operation;
use super::planned::Planned;
use super::resource::{Resource, State};
use crate::domain::confirm::Challenge;
use crate::domain::units::counted;

/// What the operator is asked to let happen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Plan {
    /// Every change, in the engine's order.
    pub steps: Vec<Planned>,
    /// Changes by operation; the steps of a replacement are one replacement.
    pub changes: BTreeMap<Operation, u32>,
    /// Resources that stay as they are.
    pub unchanged: u32,
    /// What a refresh found changed behind Pulumi's back, as `updated NAME` or `deleted NAME`.
    pub drift: Vec<String>,
    /// What must be seen first, worst first.
    pub dangers: Vec<Danger>,
    /// Resources beyond those kept, which are counted here and listed in the run's file.
    pub hidden: u32,
    /// Why it may not be the whole plan, in words; none when it is.
    pub missing: Vec<String>,
    pub(super) whole: bool,
}

impl Plan {
    /// The dangers as a question tells them, worst first: what is deleted is told once for each kind of loss, with the
    /// names, so that the whole question fits on a screen.
    #[must_use]
    pub fn danger_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut told: Vec<Stateful> = Vec::new();
        for danger in &self.dangers {
            let Danger::Deletes { stateful, retained: false, .. } = danger else {
                lines.push(danger.to_string());
                continue;
            };
            let names: Vec<&str> = self
                .dangers
                .iter()
                .filter_map(|other| match other {
                    Danger::Deletes { stateful: kind, resource, retained: false, .. } if kind == stateful => {
                        Some(resource.as_str())
                    }
                    _ => None,
                })
                .collect();
            if names.len() == 1 {
                lines.push(danger.to_string());
            } else if !told.contains(stateful) {
                told.push(*stateful);
                lines.push(format!(
                    "deletes {}, {}: {}",
                    stateful.loss(),
                    counted(names.len(), "resource", "resources"),
                    names.join(", ")
                ));
            }
        }
        lines
    }

    /// The plan that these resources make, with those that were not kept, and why it may not be the whole one.
    pub(super) fn made_of<'a>(
        resources: impl IntoIterator<Item = &'a Resource>,
        hidden: u32,
        missing: Vec<String>,
    ) -> Self {
        let mut plan = Self { hidden, whole: missing.is_empty(), missing, ..Self::default() };
        for resource in resources {
            if let Some(drift) = resource.drift {
                plan.drift.push(format!("{} {}", drift.done(), resource.name()));
            }
            if !resource.op.is_change() {
                plan.unchanged += u32::from(resource.state == State::Done && resource.op == Operation::Same);
                continue;
            }
            *plan.changes.entry(resource.planned_op()).or_default() += 1;
            let planned = Planned::of(resource);
            plan.dangers.extend(Danger::of(&planned));
            plan.steps.push(planned);
        }
        plan.dangers.sort_by_key(Danger::rank);
        plan
    }

    /// Whether it is the whole plan of a preview that went well: its counts are the engine's own, and nothing of it was
    /// lost on the way. No other plan may run.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// The same plan, taken for whole: for tests that make one by hand.
    #[cfg(test)]
    #[must_use]
    pub(crate) fn made_whole(self) -> Self {
        Self { whole: true, ..self }
    }

    /// Resources that change.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.changes.values().sum::<u32>().saturating_add(self.hidden)
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total() == 0
    }

    /// Whether it changes a weighted record.
    #[must_use]
    pub fn touches_weights(&self) -> bool {
        self.dangers.iter().any(|danger| matches!(danger, Danger::WeightedRecord { .. }))
    }

    /// What the operator has to do to let it run: type the stack's name when anything is dangerous, deleted or unseen.
    #[must_use]
    pub fn challenge(&self, stack: &str) -> Challenge {
        let deletes = self.changes.keys().any(|op| matches!(op, Operation::Delete | Operation::Replace));
        if self.dangers.is_empty() && !deletes && self.hidden == 0 {
            Challenge::Yes
        } else {
            Challenge::Typed(stack.to_owned())
        }
    }

    /// The changes in a line: `create 112, update 3`.
    #[must_use]
    pub fn text(&self) -> String {
        if self.is_empty() {
            return "no changes".to_owned();
        }
        let parts: Vec<String> = self.changes.iter().map(|(op, count)| format!("{op} {count}")).collect();
        parts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_deleted_is_told_once_for_each_kind_of_loss_and_names_everything() {
        let deletes = |stateful, resource: &str| Danger::Deletes {
            stateful,
            rtype: "aws:t".into(),
            resource: resource.into(),
            retained: false,
        };
        let dangers = vec![
            deletes(Stateful::Database, "one"),
            deletes(Stateful::Secret, "alone"),
            deletes(Stateful::Database, "two"),
        ];
        let plan = Plan { dangers, ..Plan::default() };
        let lines = plan.danger_lines();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(
            lines[0].starts_with("deletes the database") && lines[0].ends_with("2 resources: one, two"),
            "{lines:?}"
        );
        assert!(lines[1].starts_with("deletes alone"), "{lines:?}");
    }

    #[test]
    fn only_a_harmless_plan_takes_a_plain_yes() {
        let plan = |op| Plan { changes: BTreeMap::from([(op, 1)]), ..Plan::default() }.made_whole();
        assert_eq!(plan(Operation::Create).challenge("prod"), Challenge::Yes);
        assert_eq!(plan(Operation::Delete).challenge("prod"), Challenge::Typed("prod".into()));
        let mut dangerous = plan(Operation::Update);
        dangerous.dangers.push(Danger::UnknownOperation { rtype: "t".into(), resource: "r".into() });
        assert_eq!(dangerous.challenge("prod"), Challenge::Typed("prod".into()));
        assert_eq!(Plan { hidden: 1, ..plan(Operation::Create) }.challenge("prod"), Challenge::Typed("prod".into()));
    }
}
