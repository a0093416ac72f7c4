//! What the records say of a batch whose answer never came. One algorithm for every batch.
//!
//! Pure. Only *made* is proved by one look. A request that a proxy or a queue holds can reach Route 53 long after its
//! sender gave up, so "not made so far" stays open until the signed request can no longer be accepted, or until a batch
//! of our own has won that leaves other records than the open one deletes.

use crate::domain::record::{OpenIntent, OutcomeKind, Sent};
use crate::domain::traffic::{GroupKey, Record, RecordGroup, traffic_records};
use crate::domain::units::{Timestamp, WeightPair};

use super::Batch;

pub use super::deadline::{SEND_DEADLINE, SIGNATURE_LIFE};

/// How the records under the name stand to a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// All that it creates, nothing else that it deletes: it was made.
    Made,
    /// What it deletes and leaves, and nothing else: it was not made so far.
    AsBefore,
    /// Nothing at all: an answer that proves nothing.
    Nothing,
    /// Something else.
    Other,
}

/// How `records` stand to the batch.
#[must_use]
pub fn stand(batch: &Batch, key: &GroupKey, records: &[Record]) -> Stand {
    let found: Vec<&Record> = traffic_records(key, records).collect();
    let listed = |record: &Record, among: &[Record]| among.iter().any(|other| record.eq_normalized(other));
    let in_found = |record: &Record| found.iter().any(|other| record.eq_normalized(other));
    if found.is_empty() {
        return Stand::Nothing;
    }
    let is_made = batch.creates.iter().all(in_found)
        && !batch.deletes.iter().any(|record| !listed(record, &batch.creates) && in_found(record));
    if is_made {
        return Stand::Made;
    }
    let before = batch.deletes.len() + batch.stays.len();
    let is_as_before = found.len() == before && batch.deletes.iter().chain(&batch.stays).all(in_found);
    if is_as_before { Stand::AsBefore } else { Stand::Other }
}

/// What is to become of an open intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settling {
    /// It is settled so, with these weights and these words.
    Settled(OutcomeKind, Option<WeightPair>, String),
    /// It is not known, and may still be made until then.
    Open(Timestamp),
}

/// Holds an open intent against the records that were just read.
#[must_use]
pub fn settle(
    open: &OpenIntent,
    key: &GroupKey,
    records: &[Record],
    now: Timestamp,
    aws_now: Option<Timestamp>,
) -> Settling {
    let group = RecordGroup::from_records(key, records);
    let weights = group.as_ref().ok().map(RecordGroup::weights);
    let left = format!("{} was left open at {}", open.what(), open.at);
    let stands = match &open.sent {
        Sent::Weights { from, to } => match &group {
            _ if traffic_records(key, records).next().is_none() => Stand::Nothing,
            Ok(group) if group.weights() == *to => Stand::Made,
            Ok(group) if group.weights() == *from => Stand::AsBefore,
            _ => Stand::Other,
        },
        Sent::Zone(plan) => stand(&plan.batch(), key, records),
    };
    match stands {
        Stand::Made => {
            let words = format!("{left}; the records show that it was made");
            Settling::Settled(OutcomeKind::SettledApplied, weights, words)
        }
        _ if !open.is_too_old(now, aws_now) => Settling::Open(open.until),
        Stand::AsBefore => {
            let words = format!(
                "{left}; the records show that it was not made, and its request is too old to be accepted any more"
            );
            Settling::Settled(OutcomeKind::SettledNotApplied, weights, words)
        }
        // An empty list proves nothing, whenever it is read.
        Stand::Nothing => Settling::Open(open.until),
        Stand::Other => {
            let found = match (&group, weights) {
                (_, Some(weights)) => format!("somebody has set {weights} since"),
                (Err(shape), None) => format!("somebody changed the records since: {shape}"),
                (Ok(_), None) => "somebody changed the records since".to_owned(),
            };
            Settling::Settled(OutcomeKind::Conflict, weights, format!("{left}; {found}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::shift::ShiftPlan;
    use crate::domain::shift::fixtures::{group, key, record};
    use crate::domain::units::Percent;

    fn pair(legacy: u8, new: u8) -> WeightPair {
        WeightPair::new(legacy, new).unwrap()
    }

    fn records(legacy: u8, new: u8) -> Vec<Record> {
        vec![record("A", "legacy", legacy), record("A", "new", new)]
    }

    fn open() -> OpenIntent {
        let at = Timestamp::from_millis(1_000_000);
        let sent = Sent::Weights { from: pair(100, 0), to: pair(90, 10) };
        OpenIntent { id: "a".into(), at, until: at.plus(SIGNATURE_LIFE), until_aws: None, sent }
    }

    #[test]
    fn only_made_is_proved_by_one_look() {
        let soon = open().at.plus(Duration::from_secs(5));
        let made = settle(&open(), &key(), &records(90, 10), soon, None);
        assert!(matches!(made, Settling::Settled(OutcomeKind::SettledApplied, Some(_), _)), "{made:?}");
        for found in [records(100, 0), records(70, 30), vec![], vec![record("A", "legacy", 100)]] {
            assert_eq!(settle(&open(), &key(), &found, soon, None), Settling::Open(open().until), "{found:?}");
        }
    }

    #[test]
    fn what_is_not_made_when_its_signature_is_too_old_never_will_be() {
        let late = open().until;
        let of = |found: &[Record]| match settle(&open(), &key(), found, late, None) {
            Settling::Settled(kind, ..) => Some(kind),
            Settling::Open(_) => None,
        };
        assert_eq!(of(&records(100, 0)), Some(OutcomeKind::SettledNotApplied));
        assert_eq!(of(&records(70, 30)), Some(OutcomeKind::Conflict));
        assert_eq!(of(&records(90, 10)), Some(OutcomeKind::SettledApplied));
        assert_eq!(of(&[]), None, "an empty list proves nothing");
    }

    #[test]
    fn a_clock_that_is_set_forward_makes_no_request_too_old() {
        let until = open().until;
        let open = OpenIntent { until_aws: Some(until), ..open() };
        // This host's clock was set forward by an hour; by AWS's own the request still lives.
        let (now, aws_now) = (until.plus(Duration::from_secs(3600)), until.minus(Duration::from_secs(60)));
        assert_eq!(settle(&open, &key(), &records(100, 0), now, Some(aws_now)), Settling::Open(until));
        assert!(matches!(settle(&open, &key(), &records(100, 0), now, Some(until)), Settling::Settled(..)));
        // Set back, it does not keep a dead request open for as long either.
        let back = until.minus(Duration::from_secs(3600));
        assert!(matches!(settle(&open, &key(), &records(100, 0), back, Some(until)), Settling::Settled(..)));
    }

    #[test]
    fn a_batch_is_known_by_its_records() {
        let plan = ShiftPlan::new(&group(pair(100, 0)), Percent::new(10).unwrap()).unwrap();
        let batch = plan.batch();
        let at = |found: &[Record]| stand(&batch, &key(), found);
        assert_eq!(at(&records(90, 10)), Stand::Made);
        assert_eq!(at(&records(100, 0)), Stand::AsBefore);
        assert_eq!(at(&records(80, 20)), Stand::Other);
        assert_eq!(at(&[]), Stand::Nothing);
    }
}
