//! How much the new stack is used by those whom a `destroy` leaves without an answer.
//!
//! Pure. Scanners find every public load balancer, and what they send looks like clients that keep an old answer: no
//! number of requests above none is safe by itself, so a person names how many are nobody's.

use crate::domain::units::{Timestamp, counted};

/// What still reaches the new stack, as it was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NewRequests {
    /// Requests in the busiest minute.
    pub per_min: f64,
    /// Minutes that were looked at.
    pub minutes: u32,
    /// The end of the last of them.
    pub until: Timestamp,
    /// Requests in the busiest minute of the legacy stack in the same time, where they are known.
    pub legacy_per_min: Option<f64>,
}

/// What reaches the new stack, and how much of that somebody has said is nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// Requests in the busiest minute, rounded up.
    pub per_min: u32,
    /// As many are nobody's: somebody has named the number. Without that there are none.
    pub limit: u32,
    /// Minutes that were looked at.
    minutes: u32,
    /// The end of the last of them.
    until: Timestamp,
    /// Requests in the busiest minute of the legacy stack, where they are known.
    legacy: Option<u32>,
}

impl Used {
    /// What was measured, held against the number that somebody has named.
    #[must_use]
    pub fn of(requests: NewRequests, unused_per_min: f64) -> Self {
        let bounded = |rate: f64| rate.clamp(0.0, f64::from(u32::MAX)) as u32;
        Self {
            per_min: bounded(requests.per_min.ceil()),
            // A limit of 0.5 lets no whole request pass.
            limit: bounded(unused_per_min.floor()),
            minutes: requests.minutes,
            until: requests.until,
            legacy: requests.legacy_per_min.map(|rate| bounded(rate.ceil())),
        }
    }

    /// Whether somebody has to say that these are no clients.
    #[must_use]
    pub const fn is_over(self) -> bool {
        self.per_min > self.limit
    }

    /// What is measured over what, beside what the legacy stack gets.
    fn measured(self) -> String {
        let Self { minutes, until, legacy, .. } = self;
        let beside = legacy.map(|legacy| format!("; the legacy stack got {legacy}")).unwrap_or_default();
        let of = counted(minutes as usize, "minute", "minutes");
        format!("in the busiest of the {of} until {} UTC{beside}", until.hm())
    }

    /// In a sentence, for the question.
    #[must_use]
    pub fn text(self) -> String {
        let Self { per_min, limit, .. } = self;
        let measured = self.measured();
        if per_min == 0 {
            return format!("no request reached the new stack {measured}");
        }
        if !self.is_over() {
            return format!(
                "{per_min} requests reached the new stack {measured}. Up to {limit} a minute were named as nobody's \
                 (--unused-per-min or `unused_per_min`)"
            );
        }
        format!(
            "{per_min} requests reached the new stack {measured}. From then on they fail. Scanners find every public load \
             balancer, and look like clients that keep an old answer: look into who sends them. Typing the number behind \
             the stack's name says that they are nobody's"
        )
    }

    /// What was said about requests that come all the same; for the title and the journal.
    pub(super) fn nobodys(self) -> Option<String> {
        (self.per_min > 0).then(|| format!("{} requests/min are taken for nobody's", self.per_min))
    }

    /// Why nothing is destroyed, and the way out.
    #[must_use]
    pub fn refusal(self) -> String {
        let Self { per_min, limit, .. } = self;
        let limit = if limit == 0 { String::new() } else { format!(", and {limit} a minute were named as nobody's") };
        format!(
            "{per_min} requests reached the new stack {}{limit}: they would fail. Wait until clients that keep old answers \
             and connections have left. Where these are scanners, or checks of your own, name their number: in the question \
             of `tapctl destroy`, or with --unused-per-min {per_min}",
            self.measured()
        )
    }
}

#[cfg(test)]
pub(crate) mod fixtures {
    //! What a stack is used.

    use super::NewRequests;
    use crate::domain::units::Timestamp;

    /// So many requests in the busiest of fifteen minutes, beside 900 on the legacy stack.
    pub(crate) fn requests(per_min: f64) -> NewRequests {
        NewRequests {
            per_min,
            minutes: 15,
            until: Timestamp::from_millis(1_764_241_860_000),
            legacy_per_min: Some(900.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fixtures::requests;
    use super::*;

    fn used(rate: f64, unused_per_min: f64) -> Used {
        Used::of(requests(rate), unused_per_min)
    }

    #[test]
    fn what_is_measured_is_said_with_its_time_and_beside_the_legacy_stack() {
        for (rate, limit, starts, ends) in [
            (0.0, 0.0, "no request reached", "the legacy stack got 900"),
            (4.0, 10.0, "4 requests reached", "`unused_per_min`)"),
            (29.5, 0.0, "30 requests reached", "they are nobody's"),
        ] {
            let text = used(rate, limit).text();
            assert!(text.starts_with(starts) && text.ends_with(ends), "{text}");
            assert!(
                text.contains("in the busiest of the 15 minutes until 11:11 UTC; the legacy stack got 900"),
                "{text}"
            );
        }
        let refusal = used(30.0, 20.0).refusal();
        assert!(refusal.contains("20 a minute were named") && refusal.ends_with("--unused-per-min 30"), "{refusal}");
    }

    #[test]
    fn a_limit_is_never_rounded_up() {
        assert!(used(1.0, 0.9).is_over() && used(0.1, 0.0).is_over());
        assert!(!used(1.0, 1.0).is_over() && !used(0.0, 0.0).is_over());
    }
}
