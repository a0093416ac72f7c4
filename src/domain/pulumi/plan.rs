//! What a preview says will be done: the plan that an operator reads and lets run.
//!
//! Pure.

use std::collections::BTreeMap;

use serde::Serialize;

use super::danger::Danger;
use super::danger::text as danger_text;
use super::op::Operation;
use super::outage::Outage;
use super::planned::Planned;
use super::resource::{Resource, State};
use crate::domain::confirm::Challenge;
use crate::domain::traffic::{Side, same_name};
use crate::domain::zone::NameState;

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
    /// What is made of the weighted pair where that moves nothing, beside a legacy stack that has all traffic already: the
    /// normal first `up`; and what is done to a way that nobody takes.
    #[serde(skip)]
    pub(super) calm: Vec<Danger>,
    /// Resources beyond those kept, which are counted here and listed in the run's file.
    pub hidden: u32,
    /// Why it may not be the whole plan, in words; none when it is.
    pub missing: Vec<String>,
    pub(super) whole: bool,
}

impl Plan {
    /// The dangers as they are told, worst first: one sentence for all that happens alike, so that the whole of a question
    /// fits on a screen.
    #[must_use]
    pub fn danger_lines(&self) -> Vec<String> {
        danger_text::lines(&self.dangers)
    }

    /// The plan that these resources make, with those that were not kept, and why it may not be the whole one.
    pub(super) fn made_of<'a>(
        resources: impl IntoIterator<Item = &'a Resource>,
        hidden: u32,
        missing: Vec<String>,
    ) -> Self {
        // What is not told of may run.
        let mut runs = hidden > 0;
        let mut plan = Self { hidden, whole: missing.is_empty(), missing, ..Self::default() };
        for resource in resources {
            if let Some(drift) = resource.drift {
                plan.drift.push(format!("{} {}", drift.done(), resource.name()));
            }
            // It stood before, and stands afterwards.
            let stands = match resource.planned_op() {
                Operation::Create => false,
                Operation::Delete => resource.retain,
                _ => true,
            };
            runs |= stands && Outage::needs_ways(&resource.rtype);
            if !resource.op.is_change() {
                plan.unchanged += u32::from(resource.state == State::Done && resource.op == Operation::Same);
                continue;
            }
            *plan.changes.entry(resource.planned_op()).or_default() += 1;
            let planned = Planned::of(resource);
            plan.dangers.extend(Danger::of(&planned));
            plan.steps.push(planned);
        }
        if !runs {
            plan.dangers.retain(|danger| !danger.is_of_a_way());
        }
        if danger_text::is_calm_pair(&plan.dangers) {
            let is_record = |danger: &Danger| matches!(danger, Danger::WeightedRecord { .. });
            (plan.calm, plan.dangers) = std::mem::take(&mut plan.dangers).into_iter().partition(is_record);
        }
        plan.dangers.sort_by_key(Danger::rank);
        plan
    }

    /// The same plan beside the name that is watched and is answered so: where the new stack has traffic, or that is not
    /// known, making the pair anew is no harmless thing; nor is a pair at another name, which nobody has looked at. A way
    /// that neither requests nor a stream takes may be another one.
    #[must_use]
    pub fn beside(self, watched: &str, name: Option<&NameState>, ways_used: bool) -> Self {
        let is_elsewhere = self.calm.iter().any(|danger| match danger {
            Danger::WeightedRecord { record, .. } => !same_name(&record.name, watched),
            _ => true,
        });
        let moves = match name {
            Some(NameState::Pair(group)) => group.weights().new_weight() > 0,
            Some(NameState::LegacyOnly | NameState::Absent | NameState::Simple(None | Some(Side::Legacy))) => false,
            Some(NameState::Simple(Some(Side::New)) | NameState::Other(_)) | None => true,
        };
        let mut plan = if moves || is_elsewhere { self.loud() } else { self };
        if !ways_used {
            let (ways, dangers) = plan.dangers.into_iter().partition(Danger::is_of_a_way);
            plan.dangers = dangers;
            plan.calm.extend::<Vec<_>>(ways);
        }
        plan
    }

    /// Whether it holds to that nobody takes a way that it changes.
    #[must_use]
    pub fn needs_unused_ways(&self) -> bool {
        self.calm.iter().any(Danger::is_of_a_way)
    }

    /// The same plan with every danger told, whatever it is beside.
    #[must_use]
    pub fn loud(mut self) -> Self {
        self.dangers.append(&mut self.calm);
        self.dangers.sort_by_key(Danger::rank);
        self
    }

    /// Whether it is this plan, whatever either is beside: which dangers are told goes by the name's answer, what would be
    /// done does not.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.clone().loud() == other.clone().loud()
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
        self.dangers.iter().chain(&self.calm).any(|danger| matches!(danger, Danger::WeightedRecord { .. }))
    }

    /// What the operator has to do to let it run: type the stack's name when anything is dangerous, deleted or unseen.
    #[must_use]
    pub fn challenge(&self, stack: &str) -> Challenge {
        let is_unused = |step: &Planned| self.calm.iter().any(|danger| danger.is_of_a_way() && danger.is_about(step));
        let takes_away = |op: &Operation| matches!(op, Operation::Delete | Operation::Replace);
        let is_seen = self.steps.iter().filter(|step| takes_away(&step.op)).all(is_unused);
        let deletes = self.changes.keys().any(takes_away) && !(self.needs_unused_ways() && is_seen);
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
    fn the_first_up_is_silent_only_while_the_legacy_stack_has_all_traffic() {
        use crate::domain::shift::fixtures::group;
        use crate::domain::units::WeightPair;
        let pair = |legacy, new| Some(NameState::Pair(group(WeightPair::new(legacy, new).unwrap())));
        let preview = include_str!("../../../tests/fixtures/engine/bundled-preview.jsonl");
        let mut run = super::super::RunState::new();
        preview.lines().for_each(|line| run.fold_line(line.as_bytes()));
        run.process_ended();
        let plan = Plan::of(&run);
        assert_eq!((plan.danger_lines(), plan.challenge("prod")), (vec![], Challenge::Yes), "the normal first `up`");
        for name in [pair(100, 0), Some(NameState::LegacyOnly), Some(NameState::Absent)] {
            assert_eq!(plan.clone().beside("APP.example.com.", name.as_ref(), true).dangers, [], "{name:?}");
            let elsewhere = plan.clone().beside("shop.example.com.", name.as_ref(), true);
            assert_eq!(elsewhere.danger_lines().len(), 1, "nobody has looked at that name: {name:?}");
        }
        for name in [pair(90, 10), pair(0, 100), Some(NameState::Simple(Some(Side::New))), None] {
            let loud = plan.clone().beside("app.example.com.", name.as_ref(), true);
            assert_eq!(loud.danger_lines().len(), 1, "{name:?}");
            assert_eq!(loud.challenge("prod"), Challenge::Typed("prod".into()), "{name:?}");
            assert!(loud.is_same_as(&plan) && plan.is_same_as(&loud), "{name:?}");
            assert!(loud.touches_weights() && plan.touches_weights(), "{name:?}");
        }
    }

    #[test]
    fn a_way_that_goes_is_told_only_where_something_runs_that_may_need_it() {
        let step = |op: &str, rtype: &str| {
            format!(
                r#"{{"timestamp":5,"resourcePreEvent":{{"metadata":{{"op":"{op}","urn":"urn:pulumi:prod::tap::{rtype}::{rtype}","type":"{rtype}",
                "old":{{"custom":true}},"new":{{"custom":true}}}},"planning":true}}}}"#
            )
            .replace('\n', "")
        };
        let route = step("delete", "aws:ec2/route:Route");
        for (service, task, told) in [
            ("same", "same", 1),
            ("delete", "same", 1),
            ("same", "delete", 1),
            ("update", "create", 1),
            ("create", "create", 0),
            ("delete", "delete", 0),
        ] {
            let mut run = super::super::RunState::new();
            let service = step(service, "aws:ecs/service:Service");
            let task = step(task, "aws:dms/replicationTask:ReplicationTask");
            for line in [&route, &service, &task] {
                run.fold_line(line.as_bytes());
            }
            run.process_ended();
            let lines = Plan::of(&run).danger_lines();
            let ways = lines.iter().filter(|line| line.contains("may no longer get through")).count();
            assert_eq!(ways, told, "{lines:#?}");
        }
    }

    #[test]
    fn a_way_that_nobody_takes_may_be_another_one_without_the_stacks_name() {
        let route = "aws:ec2/route:Route";
        let step = |op: &str, rtype: &str| {
            format!(
                r#"{{"timestamp":5,"resourcePreEvent":{{"metadata":{{"op":"{op}","urn":"urn:pulumi:prod::tap::{rtype}::{rtype}","type":"{rtype}","old":{{"custom":true}},"new":{{"custom":true}}}},"planning":true}}}}"#
            )
        };
        let read = |other: &str| {
            let mut run = super::super::RunState::new();
            for line in [step("replace", route), step("same", "aws:ecs/service:Service"), step("delete", other)] {
                run.fold_line(line.as_bytes());
            }
            run.process_ended();
            Plan::of(&run)
        };
        let asked = |other: &str, used: bool| {
            let plan = read(other).beside("app.example.com.", Some(&NameState::LegacyOnly), used);
            assert_eq!(plan.needs_unused_ways(), !used);
            plan.challenge("prod")
        };
        assert_eq!(asked("aws:ec2/vpcPeeringConnection:VpcPeeringConnection", false), Challenge::Yes);
        assert_eq!(asked("aws:ec2/vpcPeeringConnection:VpcPeeringConnection", true), Challenge::Typed("prod".into()));
        assert_eq!(asked("aws:s3/bucket:Bucket", false), Challenge::Typed("prod".into()), "no way, and gone");
        assert_eq!(asked("aws:rds/cluster:Cluster", false), Challenge::Typed("prod".into()));
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
