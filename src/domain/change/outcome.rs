//! What became of a batch that was sent, as far as this process can tell.
//!
//! Pure. The answer alone does not say it: an answer can be lost, come late, or be that of another sending of the same
//! batch. So every answer but an acceptance is held against the records.

use crate::domain::error::{ErrorKind, PortError};
use crate::domain::record::OutcomeKind;
use crate::domain::traffic::{self, GroupKey, Record, RecordGroup};
use crate::domain::units::{Timestamp, WeightPair};

use super::Batch;
use super::settle::{Stand, stand};

/// A batch that was not accepted, as far as anybody heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendError {
    /// The last answer, or that there was none.
    pub error: PortError,
    /// Whether the same batch was sent before this answer, so that the answer may be about its own records.
    pub sent_before: bool,
}

/// The records, or why they could not be read.
pub type Found = Result<Vec<Record>, String>;

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Route 53 accepted the batch.
    Accepted(traffic::Change),
    /// No acceptance was heard, and the records show that the batch was made.
    Made {
        /// How the call failed.
        error: PortError,
        /// The records.
        found: Vec<Record>,
    },
    /// It is not known. The request may be carried out until then; the records are read again until it is known.
    Unknown {
        /// How the call failed.
        error: PortError,
        /// Until when the request can be accepted.
        until: Timestamp,
        /// The records, a moment after the call.
        found: Found,
    },
    /// The records were no longer what the operator saw; nothing was changed.
    Conflict {
        /// Route 53's own words.
        message: String,
        /// The records as they are now.
        found: Found,
    },
    /// The records are as they were to be, and somebody else made them so; nothing was changed by us.
    AlreadySo {
        /// Route 53's own words.
        message: String,
        /// The records.
        found: Vec<Record>,
    },
    /// Nothing was changed: Route 53 refused, the intent could not be written, or it was not this change's turn.
    Refused(PortError),
}

impl Outcome {
    /// The weights that were read, where they are those of a sound pair.
    #[must_use]
    pub fn group(&self, key: &GroupKey) -> Option<RecordGroup> {
        let found = match self {
            Self::Made { found, .. } | Self::AlreadySo { found, .. } => Some(found),
            Self::Unknown { found, .. } | Self::Conflict { found, .. } => found.as_ref().ok(),
            Self::Accepted(_) | Self::Refused(_) => None,
        };
        RecordGroup::from_records(key, found?).ok()
    }

    /// How the journal calls it, with the sentence.
    #[must_use]
    pub fn for_journal(&self, key: &GroupKey) -> (OutcomeKind, Option<WeightPair>, String) {
        let weights = self.group(key).map(|group| group.weights());
        let (kind, words) = match self {
            Self::Accepted(change) => {
                let words = format!("Route 53 accepted it as {}, {}", change.id, change.status);
                (OutcomeKind::Accepted, words)
            }
            Self::Made { error, .. } => {
                (OutcomeKind::SettledApplied, format!("{error}; the records show that it was made"))
            }
            Self::Unknown { error, until, found } => {
                let read = match found {
                    Ok(_) => "the records show that it was not made so far".to_owned(),
                    Err(why) => format!("reading back failed too: {why}"),
                };
                (OutcomeKind::Unknown, format!("{error}; {read}; it may be made until {} UTC", until.hms()))
            }
            Self::Conflict { message, found } => {
                let found = found.as_ref().err().map(|why| format!("; {why}")).unwrap_or_default();
                (OutcomeKind::Conflict, format!("{message}{found}"))
            }
            Self::AlreadySo { message, .. } => {
                (OutcomeKind::Conflict, format!("already so, by somebody else: {message}"))
            }
            Self::Refused(error) => (OutcomeKind::Refused, error.to_string()),
        };
        (kind, weights, words)
    }
}

/// What a batch that was not accepted came to, from its last answer and the records that were read after it.
///
/// `until` is when the last request that was sent becomes too old to be accepted.
#[must_use]
pub fn decide(
    batch: &Batch,
    failed: SendError,
    read: Result<Vec<Record>, PortError>,
    key: &GroupKey,
    until: Timestamp,
) -> Outcome {
    let SendError { error, sent_before } = failed;
    let lost = error.outcome_unknown();
    let found = match read {
        Ok(found) => found,
        Err(why) => {
            let found = Err(why.to_string());
            return match error.kind {
                ErrorKind::Conflict => Outcome::Conflict { message: error.message, found },
                _ if lost || sent_before || is_unproved(&error) => Outcome::Unknown { error, until, found },
                _ => Outcome::Refused(error),
            };
        }
    };
    match (stand(batch, key, &found), error.kind) {
        (Stand::Made, _) if lost || sent_before => Outcome::Made { error, found },
        (Stand::Made, _) => Outcome::AlreadySo { message: error.message, found },
        _ if lost => Outcome::Unknown { error, until, found: Ok(found) },
        // This answer is about the last sending; an earlier one that a proxy or a queue holds can still be made.
        (Stand::AsBefore | Stand::Nothing, _) if sent_before => Outcome::Unknown { error, until, found: Ok(found) },
        (_, ErrorKind::Conflict) => Outcome::Conflict { message: error.message, found: Ok(found) },
        // Route 53 also refuses a batch because somebody else's is being carried out; then the records tell of it.
        (Stand::Other, ErrorKind::Throttled | ErrorKind::Invalid | ErrorKind::Other) => {
            Outcome::Conflict { message: error.message, found: Ok(found) }
        }
        _ => Outcome::Refused(error),
    }
}

/// Whether a refusal says nothing for itself: a token or a right that is gone may be so only since the batch was made. What
/// was found here, before AWS was asked, has a next step of its own.
fn is_unproved(refusal: &PortError) -> bool {
    matches!(refusal.kind, ErrorKind::Credentials | ErrorKind::Denied) && refusal.next.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::shift::ShiftPlan;
    use crate::domain::shift::fixtures::{group, key, record};
    use crate::domain::units::Percent;

    const UNTIL: Timestamp = Timestamp::from_millis(300_000);

    fn came_to(kind: ErrorKind, sent_before: bool, read: Result<Vec<Record>, ErrorKind>) -> Outcome {
        let seen = group(WeightPair::new(100, 0).unwrap());
        let batch = ShiftPlan::new(&seen, Percent::new(10).unwrap()).unwrap().batch();
        let failed = SendError { error: PortError::new(kind, "route53:Change", "words"), sent_before };
        let read = read.map_err(|kind| PortError::new(kind, "route53:List", "unread"));
        decide(&batch, failed, read, &key(), UNTIL)
    }

    fn at(legacy: u8, new: u8) -> Vec<Record> {
        vec![record("A", "legacy", legacy), record("A", "new", new)]
    }

    #[test]
    fn a_lost_answer_is_made_or_not_known_and_never_not_made() {
        for kind in [ErrorKind::TimedOut, ErrorKind::Unreachable, ErrorKind::Garbled] {
            assert!(matches!(came_to(kind, false, Ok(at(90, 10))), Outcome::Made { .. }), "{kind:?}");
            for read in [Ok(at(100, 0)), Ok(at(70, 30)), Ok(vec![]), Err(ErrorKind::TimedOut)] {
                let outcome = came_to(kind, false, read.clone());
                assert!(matches!(outcome, Outcome::Unknown { until: UNTIL, .. }), "{kind:?} {read:?}: {outcome:?}");
            }
        }
    }

    #[test]
    fn a_conflict_with_the_wanted_records_is_ours_only_when_the_batch_was_sent_before() {
        let ours = came_to(ErrorKind::Conflict, true, Ok(at(90, 10)));
        assert!(matches!(ours, Outcome::Made { .. }), "{ours:?}");
        let theirs = came_to(ErrorKind::Conflict, false, Ok(at(90, 10)));
        assert!(matches!(theirs, Outcome::AlreadySo { .. }), "{theirs:?}");
        let other = came_to(ErrorKind::Conflict, true, Ok(at(70, 30)));
        assert!(matches!(other, Outcome::Conflict { .. }), "{other:?}");
    }

    #[test]
    fn a_batch_that_was_sent_before_may_land_whatever_the_last_answer_says() {
        let answers = [
            ErrorKind::Credentials,
            ErrorKind::Denied,
            ErrorKind::Throttled,
            ErrorKind::Invalid,
            ErrorKind::Conflict,
            ErrorKind::Other,
        ];
        for kind in answers {
            for read in [at(100, 0), vec![]] {
                let open = came_to(kind, true, Ok(read));
                assert!(matches!(open, Outcome::Unknown { until: UNTIL, .. }), "{kind:?}: {open:?}");
            }
        }
    }

    #[test]
    fn without_keys_nothing_was_sent_whatever_can_be_read() {
        let seen = group(WeightPair::new(100, 0).unwrap());
        let batch = ShiftPlan::new(&seen, Percent::new(10).unwrap()).unwrap().batch();
        let error = PortError::new(ErrorKind::Credentials, "route53:Change", "no keys").with_next("aws sso login");
        let blind = Err(error.clone());
        let outcome = decide(&batch, SendError { error, sent_before: false }, blind, &key(), UNTIL);
        assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
    }

    #[test]
    fn a_refusal_is_held_against_the_records() {
        let refusals = [ErrorKind::Credentials, ErrorKind::Denied, ErrorKind::Throttled, ErrorKind::Invalid];
        for kind in refusals {
            let made = came_to(kind, true, Ok(at(90, 10)));
            assert!(matches!(made, Outcome::Made { .. }), "{kind:?}: {made:?}");
            let refused = came_to(kind, false, Ok(at(100, 0)));
            assert!(matches!(refused, Outcome::Refused(_)), "{kind:?}: {refused:?}");
            let blind = came_to(kind, true, Err(ErrorKind::Credentials));
            assert!(matches!(blind, Outcome::Unknown { .. }), "{kind:?}: {blind:?}");
        }
        for kind in [ErrorKind::Credentials, ErrorKind::Denied] {
            let blind = came_to(kind, false, Err(ErrorKind::Credentials));
            assert!(matches!(blind, Outcome::Unknown { .. }), "a refusal that nothing bears out: {kind:?}: {blind:?}");
        }
        let raced = came_to(ErrorKind::Throttled, false, Ok(at(70, 30)));
        assert!(matches!(raced, Outcome::Conflict { .. }), "{raced:?}");
    }
}
