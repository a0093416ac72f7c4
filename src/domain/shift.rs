//! The plan of a weight change: what is there, what it becomes, and the compare-and-swap batch between the two.
//!
//! Pure. A plan can only be made from a [`RecordGroup`] that was seen, and carries that group as its expectation.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::traffic::{Record, RecordGroup};
use super::units::{Percent, Timestamp, WeightPair};

/// How long Route 53 takes, as a rule, until a change is on all its servers (Route 53 API reference, `GetChange`).
pub const USUAL_INSYNC: Duration = Duration::from_secs(40);

/// Which way the traffic goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// More to the new stack: every gate must pass.
    Forward,
    /// More to the legacy stack: never blocked by a gate.
    Back,
}

/// A gate that the operator overrides, by name and with a reason, both kept in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// The gate's id.
    pub gate: String,
    /// Why, in the operator's words.
    pub reason: String,
}

/// Why all traffic leaves the legacy stack at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evacuation {
    /// The stack's name, which whoever says yes has to type.
    pub stack: String,
    /// Why, in the operator's words.
    pub reason: String,
}

/// A weight change, ready to be confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShiftPlan {
    /// The group as it was seen; the batch deletes exactly these records.
    pub expected: RecordGroup,
    /// The weights it will have.
    pub to: WeightPair,
    /// Gates that are overridden.
    pub overrides: Vec<Override>,
    /// Set on a plan that waits for a change which may still be made: it is sent when that has landed, and never after
    /// this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lands_until: Option<Timestamp>,
    /// Set on a plan that takes all traffic out of a legacy region that fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evacuation: Option<Evacuation>,
}

/// Why no plan can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The weights are there already.
    #[error("the weights already are {0}: there is nothing to change")]
    NothingToDo(WeightPair),
}

impl ShiftPlan {
    /// The plan that gives `share` of the traffic to the new stack.
    ///
    /// # Errors
    /// [`PlanError::NothingToDo`] when the group has these weights already.
    pub fn new(expected: &RecordGroup, share: Percent) -> Result<Self, PlanError> {
        let to = WeightPair::for_new_share(share);
        if expected.weights() == to {
            return Err(PlanError::NothingToDo(to));
        }
        Ok(Self::to(expected, to))
    }

    /// The plan that gives the legacy stack everything although it seemed to have it already: for a reading that may be
    /// out of date. The batch names the records as they were seen, so it changes nothing unless they still are those.
    #[must_use]
    pub fn back_in_doubt(expected: &RecordGroup) -> Self {
        Self::to(expected, WeightPair::for_new_share(Percent::ZERO))
    }

    /// The plan that gives the new stack everything because the legacy region fails. Which gates it steps over is filled
    /// in by `change::propose`.
    ///
    /// # Errors
    /// [`PlanError::NothingToDo`] when the new stack has everything already.
    pub fn evacuate(expected: &RecordGroup, evacuation: Evacuation) -> Result<Self, PlanError> {
        Ok(Self { evacuation: Some(evacuation), ..Self::new(expected, Percent::FULL)? })
    }

    fn to(expected: &RecordGroup, to: WeightPair) -> Self {
        Self { expected: expected.clone(), to, overrides: Vec::new(), lands_until: None, evacuation: None }
    }

    /// The plan that takes back a change which may still be made: it deletes what that change would leave, and so can
    /// only be carried out after it.
    #[must_use]
    pub fn recall(seen: &RecordGroup, landed: WeightPair, until: Timestamp) -> Self {
        Self { lands_until: Some(until), ..Self::back_in_doubt(&seen.with_weights(landed)) }
    }

    /// The weights as they were seen.
    #[must_use]
    pub fn from(&self) -> WeightPair {
        self.expected.weights()
    }

    /// Which way the traffic goes. What leaves the new stack nothing is the way back, whatever was seen before; a change
    /// that keeps the share (90/10 written as 180/20) counts as forward.
    #[must_use]
    pub fn direction(&self) -> Direction {
        let is_less = self.to.new_percent() < self.from().new_percent();
        if is_less || self.to.new_weight() == 0 { Direction::Back } else { Direction::Forward }
    }

    /// Points of share that the new stack gets more than it has, in whole percent; 0 on the way back.
    #[must_use]
    pub fn points_forward(&self) -> u8 {
        self.to.new_share().get().saturating_sub(self.from().new_share().get())
    }

    /// Records to delete, exactly as seen, in the order in which the batch names them.
    #[must_use]
    pub fn deletes(&self) -> Vec<Record> {
        self.expected.records().cloned().collect()
    }

    /// Records to create.
    #[must_use]
    pub fn creates(&self) -> Vec<Record> {
        self.target().records().cloned().collect()
    }

    /// The group as it will be.
    #[must_use]
    pub fn target(&self) -> RecordGroup {
        self.expected.with_weights(self.to)
    }

    /// Whether this takes the last share from the legacy stack; such a step asks for the record's name.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.to.legacy() == 0
    }

    /// The record's name.
    #[must_use]
    pub fn record_name(&self) -> &str {
        self.expected.pairs().first().map_or("", |pair| pair.legacy.name.as_str())
    }

    /// The batch as one readable line, the exact call that is made.
    #[must_use]
    pub fn call_text(&self) -> String {
        let part = |verb: &str, records: &[Record]| {
            records
                .iter()
                .map(|r| {
                    format!(
                        "{verb} {} {}={}",
                        r.rtype,
                        r.set_identifier.as_deref().unwrap_or("-"),
                        r.weight().unwrap_or(0)
                    )
                })
                .collect::<Vec<_>>()
                .join(", ")
        };
        format!(
            "route53:ChangeResourceRecordSets {}: {}, {}",
            self.record_name(),
            part("DELETE", &self.deletes()),
            part("CREATE", &self.creates())
        )
    }

    /// How long after the call the change is in effect for well-behaved resolvers.
    #[must_use]
    pub fn effect_after(&self) -> Duration {
        USUAL_INSYNC + self.expected.ttl()
    }

    /// The title of the confirmation.
    #[must_use]
    pub fn title(&self) -> String {
        let (from, to) = (self.from().new_share().get(), self.to.new_share().get());
        match self.direction() {
            Direction::Forward if self.evacuation.is_some() => "EVACUATE: move ALL traffic to the new stack".to_owned(),
            Direction::Forward if self.is_complete() => "Move ALL traffic to the new stack".to_owned(),
            Direction::Forward => format!("Move {} % of traffic to the new stack", to.saturating_sub(from)),
            Direction::Back if self.lands_until.is_some() => {
                "Send ALL traffic back as soon as the change lands".to_owned()
            }
            Direction::Back if to == 0 => "Send ALL traffic back to the legacy stack".to_owned(),
            Direction::Back => format!("Send {} % of traffic back to the legacy stack", from.saturating_sub(to)),
        }
    }
}

#[cfg(test)]
pub(crate) mod fixtures {
    use super::super::traffic::{GroupKey, Record, RecordGroup, Routing, Target};
    use super::super::units::WeightPair;

    pub(crate) fn key() -> GroupKey {
        GroupKey {
            zone_id: "Z0123456789TECHVAULT".into(),
            name: "app.example.com.".into(),
            rtype: "A".into(),
            legacy_id: "legacy".into(),
            new_id: "new".into(),
        }
    }

    pub(crate) fn record(rtype: &str, id: &str, weight: u8) -> Record {
        Record {
            name: "app.example.com.".into(),
            rtype: rtype.into(),
            set_identifier: Some(id.into()),
            routing: Routing::Weighted(weight),
            target: Target::Alias {
                dns_name: format!("dualstack.{id}.elb.amazonaws.com."),
                zone_id: if id == "new" { "Z1H1FL5HABSF5" } else { "Z35SXDOTRQ7X7K" }.into(),
                evaluate_health: true,
            },
            health_check_id: None,
        }
    }

    pub(crate) fn group(weights: WeightPair) -> RecordGroup {
        RecordGroup::from_records(
            &key(),
            &[record("A", "legacy", weights.legacy()), record("A", "new", weights.new_weight())],
        )
        .unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::fixtures::{group, key, record};
    use super::*;
    use crate::domain::traffic::{GroupError, Routing, Target};

    fn share(percent: u8) -> Percent {
        Percent::new(percent).unwrap()
    }

    #[test]
    fn a_step_deletes_what_was_seen_and_creates_the_new_weights() {
        let plan = ShiftPlan::new(&group(WeightPair::new(200, 50).unwrap()), share(30)).unwrap();
        assert_eq!(plan.deletes().iter().map(|r| r.weight().unwrap()).collect::<Vec<_>>(), [200, 50]);
        assert_eq!(plan.creates().iter().map(|r| r.weight().unwrap()).collect::<Vec<_>>(), [70, 30]);
        assert_eq!(plan.direction(), Direction::Forward);
        assert!(plan.call_text().contains("DELETE A legacy=200, DELETE A new=50, CREATE A legacy=70, CREATE A new=30"));
    }

    #[test]
    fn nothing_to_do_is_not_a_plan() {
        assert!(ShiftPlan::new(&group(WeightPair::for_new_share(share(30))), share(30)).is_err());
    }

    #[test]
    fn address_pairs_move_in_lock_step_and_must_agree() {
        let records = [
            record("A", "legacy", 80),
            record("A", "new", 20),
            record("AAAA", "legacy", 80),
            record("AAAA", "new", 20),
        ];
        let group = RecordGroup::from_records(&key(), &records).unwrap();
        assert_eq!(ShiftPlan::new(&group, share(30)).unwrap().creates().len(), 4);
        let apart = [
            record("A", "legacy", 80),
            record("A", "new", 20),
            record("AAAA", "legacy", 90),
            record("AAAA", "new", 10),
        ];
        assert!(matches!(RecordGroup::from_records(&key(), &apart), Err(GroupError::Disagree { .. })));
    }

    #[test]
    fn shapes_that_a_change_could_damage_are_refused_by_name() {
        let of = |records: &[Record]| RecordGroup::from_records(&key(), records).unwrap_err();
        let mut simple = record("A", "legacy", 0);
        simple.routing = Routing::Simple;
        simple.set_identifier = None;
        assert!(matches!(of(&[simple]), GroupError::Simple { .. }));
        assert!(matches!(of(&[]), GroupError::Missing { .. }));
        assert!(matches!(
            of(&[record("A", "legacy", 9), record("A", "new", 1), record("A", "blue", 0)]),
            GroupError::UnknownMember { .. }
        ));
        assert!(matches!(of(&[record("A", "legacy", 0), record("A", "new", 0)]), GroupError::SumZero { .. }));
        assert!(matches!(of(&[record("A", "legacy", 9)]), GroupError::MemberMissing { .. }));
        let mut slow = record("A", "new", 1);
        slow.target = Target::Values { ttl_s: 300, values: vec!["192.0.2.1".into()] };
        assert!(matches!(of(&[record("A", "legacy", 9), slow]), GroupError::MixedTtl { .. }));
        let mut latency = record("A", "new", 1);
        latency.routing = Routing::Other("latency".to_owned().into());
        assert!(matches!(of(&[record("A", "legacy", 9), latency]), GroupError::OtherRouting { .. }));
    }
}
