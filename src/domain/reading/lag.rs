//! How far Aurora is behind the legacy database.
//!
//! DMS publishes two latencies. The target's contains the source's ("includes any delays in reading", DMS user guide,
//! "Monitoring AWS DMS tasks"), so the larger of the two is the lag, also when they contradict each other. Both are 0
//! when DMS reads nothing at all, so a lag of 0 needs a sign of life beside it.

use std::time::Duration;

use crate::domain::facts::{Facts, Source};
use crate::domain::metrics::Metric;
use crate::domain::series::{Freshness, PERIOD, Point, Series};
use crate::domain::units::{Timestamp, age_text, short_number};

use super::metric::quality;
use super::{Quality, Reading, Unit};

/// The two latencies.
const LATENCIES: [Metric; 2] = [Metric::LagTarget, Metric::LagSource];
/// What is more than 0 while DMS works.
const SIGNS_OF_LIFE: [Metric; 5] =
    [Metric::RowsTarget, Metric::RowsSource, Metric::Backlog, Metric::LagTarget, Metric::LagSource];
/// A sign of life that is older than this is none: a shop at night still writes within ten minutes, and a heartbeat
/// writes each second.
const LIFE: Duration = Duration::from_secs(600);
/// Settled minutes in a row that are needed to say that nothing is applied.
const STUCK_MINUTES: usize = 3;

/// The lag in seconds.
#[must_use]
pub fn lag(facts: &Facts, now: Timestamp) -> Reading<f64> {
    let series = |metric| facts.metrics.series(metric);
    let value = LATENCIES.into_iter().filter_map(|metric| worst_of(series(metric))).reduce(f64::max);
    let doubt = LATENCIES.into_iter().map(|of| quality(facts, of, now)).find(|quality| *quality != Quality::Fresh);
    let doubt = doubt.or_else(|| contradiction(facts, value?, now));
    Reading {
        value,
        unit: Unit::Seconds,
        at: series(Metric::LagTarget).last_settled().map(|p| p.at),
        read_at: series(Metric::LagTarget).read_at(),
        quality: doubt.unwrap_or(Quality::Fresh),
        source: Source::MetricsNew,
    }
}

/// The newest settled value, or a later one where that is larger: a point that may still grow can only make things
/// worse.
fn worst_of(series: &Series) -> Option<f64> {
    let settled = series.last_settled()?;
    Some(series.points().iter().filter(|p| p.at >= settled.at).map(|p| p.value).fold(settled.value, f64::max))
}

/// What else is known and speaks against a lag that would be believed by itself.
fn contradiction(facts: &Facts, lag: f64, now: Timestamp) -> Option<Quality> {
    let series = |metric| facts.metrics.series(metric);
    if let Some(idle) = applies_nothing(series(Metric::RowsTarget), now) {
        let since = now.minus(idle);
        let works = |metric| {
            let points: Vec<_> = settled_since(series(metric), since).collect();
            points.len() >= STUCK_MINUTES && points.iter().all(|p| p.value > 0.0)
        };
        // What waits that long makes a lag of about that length.
        if (works(Metric::RowsSource) || works(Metric::Backlog)) && lag < idle.as_secs_f64() / 2.0 {
            return Some(Quality::Contradicting(format!(
                "a lag of {} s cannot be: for {} changes have been coming in and DMS has applied none; look at the task's log",
                short_number(lag),
                age_text(idle)
            )));
        }
    }
    let lives = |metric| series(metric).points().iter().any(|p| p.value > 0.0 && now.since(p.at) <= LIFE);
    if lag > 0.0 || SIGNS_OF_LIFE.into_iter().any(lives) {
        return None;
    }
    let known = [Metric::RowsTarget, Metric::RowsSource, Metric::Backlog]
        .into_iter()
        .any(|metric| series(metric).freshness(now) == Freshness::Fresh);
    Some(Quality::Unknown(if known {
        format!(
            "lag 0 alone proves nothing: DMS says 0 also when it reads nothing, and for {} nothing has moved; write a row on the source and see it arrive",
            age_text(LIFE)
        )
    } else {
        "lag 0 alone proves nothing: DMS says 0 also when it reads nothing; throughput and backlog are not known"
            .to_owned()
    }))
}

/// For how long not one row was written on the target; nothing when the newest settled minutes say otherwise.
fn applies_nothing(target: &Series, now: Timestamp) -> Option<Duration> {
    let points: Vec<_> = settled_since(target, now.minus(LIFE)).collect();
    let idle = points.iter().rev().take_while(|p| p.value <= 0.0).count();
    let first = points.get(points.len().checked_sub(idle)?).filter(|_| idle >= STUCK_MINUTES)?;
    Some(points.last()?.at.plus(PERIOD).since(first.at))
}

fn settled_since(series: &Series, from: Timestamp) -> impl Iterator<Item = Point> {
    series.settled().iter().copied().filter(move |p| p.at >= from)
}
