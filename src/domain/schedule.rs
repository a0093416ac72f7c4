//! When to ask what: poll cadence, what it costs, and how to slow down.
//!
//! Pure. Nothing is asked more often than it changes, and the sum stays far below AWS's account limits, because other
//! tools share them: Route 53 allows 5 requests a second per account, DMS 8, GetMetricData 50.

use std::collections::BTreeMap;
use std::time::Duration;

use super::facts::Source;
use super::metrics::Metric;
use super::series::PERIOD;
use super::time::Moment;

/// A source that failed is asked again after its interval, doubled with each failure, but at least this often.
pub const MAX_BACKOFF: Duration = Duration::from_secs(120);
/// USD for one metric in a GetMetricData call: $0.01 per 1,000 (CloudWatch pricing, read 2026-11; us-east-1 and us-west-2).
pub const USD_PER_METRIC: f64 = 0.01 / 1000.0;
/// USD for one other CloudWatch API request: $0.01 per 1,000, the free tier not counted.
pub const USD_PER_REQUEST: f64 = 0.01 / 1000.0;

/// How often a source is asked. `moving` is true from a weight change until it has been read back.
#[must_use]
pub const fn interval(source: Source, moving: bool) -> Duration {
    Duration::from_secs(match source {
        Source::Records if moving => 5,
        Source::Change => 3,
        Source::StackRun => 5,
        Source::Service | Source::Targets => 10,
        Source::Records | Source::Replication => 15,
        Source::Tables | Source::LegacyHosts | Source::AlarmsNew | Source::AlarmsLegacy => 30,
        Source::MetricsNew | Source::MetricsLegacy => 60,
        Source::Identity => 600,
    })
}

/// The wait before the next question after `failures` failures in a row: the interval, doubled each time, with a cap.
#[must_use]
pub fn backoff(interval: Duration, failures: u32) -> Duration {
    interval.saturating_mul(1 << failures.min(8)).min(MAX_BACKOFF.max(interval))
}

/// CloudWatch's minutes are asked for this long after the turn of a minute, so that the newest settled one is read as
/// soon as it is one: between two questions it then grows by no more than a minute older than it has to be.
const AFTER_THE_MINUTE: Duration = Duration::from_secs(5);

/// The wait before a source that answered is asked again.
fn wait(source: Source, moving: bool, now: Moment) -> Duration {
    match source {
        Source::MetricsNew | Source::MetricsLegacy => {
            let next = now.wall.minus(AFTER_THE_MINUTE).floor_to(PERIOD).plus(PERIOD + AFTER_THE_MINUTE);
            next.since(now.wall)
        }
        _ => interval(source, moving),
    }
}

/// What an hour of watching costs in USD at rest. Only CloudWatch charges for being asked.
#[must_use]
pub fn cost_per_hour() -> f64 {
    let per_hour = |source| 3600.0 / interval(source, false).as_secs_f64();
    let metrics = Metric::ALL.len() as f64 * per_hour(Source::MetricsNew);
    metrics * USD_PER_METRIC + (per_hour(Source::AlarmsNew) + per_hour(Source::AlarmsLegacy)) * USD_PER_REQUEST
}

/// Which question is due, which is under way.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Polls {
    entries: BTreeMap<Source, Poll>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Poll {
    /// By the steady clock: a time of day that is set must neither stop the questions nor send them all at once.
    due: Duration,
    in_flight: Option<u64>,
}

impl Polls {
    /// Sources that are due and not under way.
    #[must_use]
    pub fn due(&self, now: Moment) -> Vec<Source> {
        Source::ALL
            .into_iter()
            .filter(|source| self.entries.get(source).is_none_or(|p| p.in_flight.is_none() && p.due <= now.steady))
            .collect()
    }

    /// A question was sent.
    pub fn sent(&mut self, source: Source, request: u64, now: Moment) {
        self.entries.insert(source, Poll { due: now.steady, in_flight: Some(request) });
    }

    /// An answer came. False when it answers no question that is under way, so that it must change nothing.
    pub fn answered(&mut self, source: Source, request: u64, now: Moment, failures: u32, moving: bool) -> bool {
        match self.entries.get_mut(&source) {
            Some(poll) if poll.in_flight == Some(request) => {
                let wait =
                    if failures == 0 { wait(source, moving, now) } else { backoff(interval(source, moving), failures) };
                *poll = Poll { due: now.steady.saturating_add(wait), in_flight: None };
                true
            }
            _ => false,
        }
    }

    /// Ask this source at the next tick.
    pub fn poll_now(&mut self, source: Source) {
        if let Some(poll) = self.entries.get_mut(&source) {
            poll.due = Duration::ZERO;
        }
    }

    /// Forgets an answer that is under way, so that the source is asked again at once: what it will say is outdated.
    pub fn invalidate(&mut self, source: Source) {
        self.entries.remove(&source);
    }

    /// Whether an answer is under way.
    #[must_use]
    pub fn in_flight(&self, source: Source) -> bool {
        self.entries.get(&source).is_some_and(|p| p.in_flight.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::units::Timestamp;

    fn moment(wall_s: i64, steady_s: u64) -> Moment {
        Moment { wall: Timestamp::from_millis(wall_s * 1000), steady: Duration::from_secs(steady_s) }
    }

    #[test]
    fn a_clock_that_is_set_neither_stops_the_questions_nor_hurries_them() {
        for wall in [0, 100_000, 200_000] {
            let mut polls = Polls::default();
            polls.sent(Source::Records, 1, moment(100_000, 10));
            polls.answered(Source::Records, 1, moment(100_000, 10), 0, false);
            assert!(!polls.due(moment(wall, 24)).contains(&Source::Records), "15 s have not passed");
            assert!(polls.due(moment(wall, 25)).contains(&Source::Records), "15 s have passed");
        }
    }

    #[test]
    fn minutes_are_asked_for_soon_after_they_turn() {
        for (wall, after) in [(600, 5), (604, 1), (605, 60), (630, 35), (659, 6)] {
            assert_eq!(wait(Source::MetricsNew, false, moment(wall, 0)).as_secs(), after, "at {wall}");
        }
        assert_eq!(wait(Source::Targets, false, moment(604, 0)).as_secs(), 10);
    }

    #[test]
    fn backoff_doubles_up_to_its_cap() {
        let waits: Vec<_> = (0..7).map(|n| backoff(Duration::from_secs(10), n).as_secs()).collect();
        assert_eq!(waits, [10, 20, 40, 80, 120, 120, 120]);
        assert_eq!(backoff(Duration::from_secs(600), 3), Duration::from_secs(600));
    }

    #[test]
    fn watching_stays_far_below_the_account_limits() {
        let rate = |sources: &[Source]| sources.iter().map(|s| 1.0 / interval(*s, true).as_secs_f64()).sum::<f64>();
        assert!(
            rate(&[Source::Records, Source::Change]) < 5.0 / 5.0,
            "Route 53 allows 5 a second to the whole account"
        );
        assert!(rate(&[Source::Replication, Source::Replication, Source::Tables]) < 8.0 / 8.0);
    }

    #[test]
    fn an_answer_to_a_question_that_was_given_up_changes_nothing() {
        let mut polls = Polls::default();
        let now = Moment::alone(Timestamp::from_millis(0));
        polls.sent(Source::Records, 1, now);
        assert!(!polls.due(now).contains(&Source::Records));
        polls.invalidate(Source::Records);
        polls.sent(Source::Records, 2, now);
        assert!(!polls.answered(Source::Records, 1, now, 0, false));
        assert!(polls.answered(Source::Records, 2, now, 0, false));
    }
}
