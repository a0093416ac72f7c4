//! What the zone's name servers answered, counted by where the answers lead.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::interval::{Interval, Z_95, wilson};
use crate::domain::traffic::Side;

/// Queries that one server gets at most in the one look of a command.
pub const MOST_QUERIES: u32 = 400;
/// A share is known well enough once its interval reaches no further than this to either side.
pub const CLOSE_ENOUGH: f64 = 0.02;

/// What came of one query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// An address, or a name, of that stack's balancer.
    Side(Side),
    /// An answer that is neither's.
    Neither,
    /// None that can be counted.
    Not(NoAnswer),
}

/// Why a query has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoAnswer {
    /// Nothing came in time.
    Late,
    /// The network says that nobody is there, or lets nothing through.
    Unreachable,
    /// The server says that it failed (SERVFAIL).
    Failed,
    /// The server does not answer for this zone (REFUSED), or not such a question.
    Refused,
    /// The server knows no such name (NXDOMAIN).
    NoSuchName,
    /// The name has no record of that type.
    NoRecord,
    /// The answer did not fit into the datagram.
    CutOff,
    /// What came is no answer to the question that was asked.
    Unfit,
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Late => "no answer in time",
            Self::Unreachable => "not reached",
            Self::Failed => "SERVFAIL",
            Self::Refused => "REFUSED",
            Self::NoSuchName => "NXDOMAIN",
            Self::NoRecord => "no such record",
            Self::CutOff => "answer cut off",
            Self::Unfit => "not an answer to what was asked",
        })
    }
}

/// Answers, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Those that lead to the legacy stack.
    pub legacy: u32,
    /// Those that lead to the new one.
    pub new: u32,
    /// Those that lead to neither.
    pub neither: u32,
    /// Queries without an answer, by reason.
    pub without: BTreeMap<NoAnswer, u32>,
}

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, answer: Answer) {
        match answer {
            Answer::Side(Side::Legacy) => self.legacy += 1,
            Answer::Side(Side::New) => self.new += 1,
            Answer::Neither => self.neither += 1,
            Answer::Not(why) => *self.without.entry(why).or_default() += 1,
        }
    }

    /// Counts all of another look.
    pub fn join(&mut self, other: &Self) {
        self.legacy += other.legacy;
        self.new += other.new;
        self.neither += other.neither;
        for (why, count) in &other.without {
            *self.without.entry(*why).or_default() += count;
        }
    }

    /// Answers that lead to one of the two stacks.
    #[must_use]
    pub const fn answered(&self) -> u32 {
        self.legacy + self.new
    }

    /// Queries that were sent.
    #[must_use]
    pub fn asked(&self) -> u32 {
        self.answered() + self.neither + self.without.values().sum::<u32>()
    }

    /// The part of the answers that leads to the new stack, of those that lead to one of the two.
    #[must_use]
    pub fn share(&self) -> Option<Interval> {
        wilson(self.new.into(), self.answered().into(), Z_95)
    }

    /// The reason that most queries without an answer have.
    #[must_use]
    pub fn why_not(&self) -> Option<NoAnswer> {
        self.without.iter().max_by_key(|(_, count)| **count).map(|(why, _)| *why)
    }

    /// Whether the server may be asked once more: it has not had as many as `most`, and it does answer.
    #[must_use]
    pub fn takes_more(&self, most: u32) -> bool {
        let is_silent = self.answered() + self.neither == 0 && self.asked() >= GIVEN_UP_AFTER;
        self.asked() < most && !is_silent
    }

    /// Whether one more query tells anything: its share is not known well enough yet.
    #[must_use]
    pub fn wants_more(&self, most: u32) -> bool {
        self.takes_more(most) && !self.share().is_some_and(|share| share.reach() <= CLOSE_ENOUGH)
    }
}

/// A server that has answered none of its first queries is asked no more in this look.
const GIVEN_UP_AFTER: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(legacy: u32, new: u32) -> Counts {
        Counts { legacy, new, ..Counts::default() }
    }

    #[test]
    fn what_leads_elsewhere_is_counted_and_is_no_part_of_the_share() {
        let mut counts = counted(70, 30);
        for _ in 0..50 {
            counts.add(Answer::Neither);
        }
        let share = counts.share().unwrap();
        assert_eq!((share.value, share.n, counts.asked()), (0.3, 100, 150));
    }

    #[test]
    fn a_look_ends_when_the_share_is_known_or_the_server_has_had_its_number_or_is_silent() {
        assert!(counted(0, 0).wants_more(MOST_QUERIES));
        assert!(
            counted(188, 0).wants_more(MOST_QUERIES) && !counted(189, 0).wants_more(MOST_QUERIES),
            "all to one side is soon known"
        );
        assert!(counted(200, 199).wants_more(MOST_QUERIES) && !counted(200, 200).wants_more(MOST_QUERIES));
        let silent = |count| Counts { without: BTreeMap::from([(NoAnswer::Late, count)]), ..Counts::default() };
        assert!(silent(7).wants_more(MOST_QUERIES) && !silent(8).wants_more(MOST_QUERIES));
        assert!(Counts { legacy: 1, ..silent(8) }.wants_more(MOST_QUERIES));
    }

    #[test]
    fn the_commonest_reason_stands_for_all() {
        let mut counts = counted(1, 1);
        assert_eq!(counts.why_not(), None);
        for why in [NoAnswer::Late, NoAnswer::Failed, NoAnswer::Failed] {
            counts.add(Answer::Not(why));
        }
        assert_eq!(counts.why_not(), Some(NoAnswer::Failed));
    }
}
