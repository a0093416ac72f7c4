//! Whether a name server has a change of the weights, told from its answers.

use serde::Serialize;

use super::answers::Counts;
use super::interval::Interval;
use crate::domain::units::Timestamp;

/// What the answers of one server say of the newest change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Told {
    /// It answers as after the change.
    Has,
    /// It still answers as before it.
    Behind,
    /// Its answers fit both.
    NotToldApart,
}

/// One server's answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Heard {
    /// The server's name.
    pub server: String,
    /// What it answered.
    pub counts: Counts,
}

/// What all of the zone's name servers answered in one look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// When the look ended.
    pub at: Timestamp,
    /// Each server, in the order in which the zone names them.
    pub heard: Vec<Heard>,
}

impl Sample {
    /// All answers together.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut all = Counts::default();
        for heard in &self.heard {
            all.join(&heard.counts);
        }
        all
    }

    /// The share of the new stack as clients of all servers get it; nothing when no server has answered.
    #[must_use]
    pub fn share(&self) -> Option<Interval> {
        self.counts().share()
    }

    /// Whether every answer leads to one stack although the weights give the other one a part. Once no change is on its way
    /// that means a failover: what Route 53 holds for unhealthy is not answered with (Route 53 developer guide, "How Amazon
    /// Route 53 chooses records when health checking is configured").
    #[must_use]
    pub fn is_one_sided(&self, wanted: f64) -> bool {
        let counts = self.counts();
        counts.neither == 0
            && counts.share().is_some_and(|share| {
                (share.value == 0.0 || share.value >= 1.0) && !share.may_be(wanted) && share.n >= u64::from(MANY)
            })
    }
}

/// So many answers without one for a stack are no chance at the smallest step of a share.
const MANY: u32 = 200;

/// So many times likelier has the one to be than the other. Whatever the number of looks, a server is called wrongly at
/// most once in as many (A. Wald, "Sequential tests of statistical hypotheses", 1945).
pub(super) const SURE: f64 = 1000.0;
/// A share of 0 or 1 takes no answer of the other side; a name server that answers one in so many all the same is none
/// that is wrong about the weights.
const STRAY: f64 = 0.002;

/// How much likelier these answers are at the share `after` than at the share `before` (0 to 1), as a natural logarithm.
#[must_use]
pub(super) fn likelier(counts: &Counts, before: f64, after: f64) -> f64 {
    let within = |share: f64| share.clamp(STRAY, 1.0 - STRAY);
    let (before, after) = (within(before), within(after));
    f64::from(counts.new) * (after / before).ln() + f64::from(counts.legacy) * ((1.0 - after) / (1.0 - before)).ln()
}

/// Whether a server has a change from the share `before` to the share `after` (0 to 1), by all that it has answered since
/// the change was sent.
#[must_use]
pub fn told(counts: &Counts, before: f64, after: f64) -> Told {
    let likelier = likelier(counts, before, after);
    if likelier >= SURE.ln() {
        Told::Has
    } else if likelier <= -SURE.ln() {
        Told::Behind
    } else {
        Told::NotToldApart
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand_pcg::Pcg32;
    use rand_pcg::rand_core::Rng;

    use super::*;

    /// How often 100 servers with this share in their answers are called so, after a look of `queries`.
    fn called(share: f64, before: f64, after: f64, queries: u32) -> [u32; 3] {
        let mut chance = Pcg32::new(100, 1);
        let limit = (share * f64::from(u32::MAX)) as u32;
        let mut called = [0; 3];
        for _ in 0..100 {
            let new = (0..queries).filter(|_| chance.next_u32() < limit).count() as u32;
            let counts = Counts { legacy: queries - new, new, ..Counts::default() };
            called[told(&counts, before, after) as usize] += 1;
        }
        called
    }

    #[test]
    fn a_server_that_is_behind_is_named_where_the_step_can_be_told_and_hardly_ever_wrongly() {
        for (before, after) in [(0.0, 0.1), (0.9, 1.0)] {
            let [_, behind, _] = called(before, before, after, 100);
            assert!(behind >= 90, "{before} → {after}: {behind}");
        }
        for (before, after) in [(0.0, 0.1), (0.2, 0.3), (0.5, 0.6), (0.9, 1.0), (0.5, 0.0)] {
            let [_, behind, _] = called(after, before, after, 100);
            assert!(behind <= 1, "{before} → {after}: {behind}");
            let [has, _, _] = called(before, before, after, 100);
            assert!(has <= 1, "{before} → {after}: {has}");
        }
    }

    #[test]
    fn a_step_that_the_answers_cannot_tell_is_said_to_be_untold() {
        let [.., open] = called(0.3, 0.2, 0.3, 100);
        assert!(open >= 50, "{open}");
        assert_eq!(told(&Counts::default(), 0.0, 0.1), Told::NotToldApart);
    }

    #[test]
    fn one_stray_answer_makes_no_change() {
        let counts = Counts { legacy: 100, new: 1, ..Counts::default() };
        assert_eq!(told(&counts, 0.0, 0.1), Told::NotToldApart);
    }

    #[test]
    fn answers_that_leave_a_stack_out_although_it_has_weight_are_a_failover() {
        let sample = |legacy, new| {
            let counts = Counts { legacy, new, ..Counts::default() };
            Sample { at: Timestamp::from_millis(0), heard: vec![Heard { server: "ns-1".to_owned(), counts }] }
        };
        assert!(sample(400, 0).is_one_sided(0.1) && sample(0, 400).is_one_sided(0.9));
        assert!(!sample(400, 0).is_one_sided(0.0) && !sample(399, 1).is_one_sided(0.1));
        assert!(!sample(100, 0).is_one_sided(0.1), "so few are no proof");
        assert!(!sample(0, 0).is_one_sided(0.1));
        let mut strange = sample(400, 0);
        strange.heard[0].counts.neither = 1;
        assert!(!strange.is_one_sided(0.1), "it may be the other stack's, at an address that is not known");
    }

    proptest! {
        #[test]
        fn without_a_change_there_is_nothing_to_tell(legacy in 0u32..1000, new in 0u32..1000, share in 0.0..=1.0f64) {
            let counts = Counts { legacy, new, ..Counts::default() };
            prop_assert_eq!(told(&counts, share, share), Told::NotToldApart);
        }
    }
}
