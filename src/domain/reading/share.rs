//! Requests of both stacks, and the share that reaches the new one, as the load balancers counted them.

use crate::domain::facts::{Facts, Source};
use crate::domain::metrics::Metric;
use crate::domain::series::{PERIOD, Point};
use crate::domain::traffic::Side;
use crate::domain::units::Timestamp;

use super::metric::quality;
use super::{Quality, Reading, Unit};

/// Requests in one minute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Requests {
    /// On the legacy stack, when its balancer counted any.
    pub legacy: Option<f64>,
    /// On the new stack, when its balancer counted any.
    pub new: Option<f64>,
}

impl Requests {
    /// Requests of both sides in a second; nothing while one side is not known.
    #[must_use]
    pub fn per_second(self) -> Option<f64> {
        Some((self.legacy? + self.new?) / PERIOD.as_secs_f64())
    }
}

/// The newest settled minute in which both balancers counted requests.
fn common_minute(facts: &Facts) -> Option<(Timestamp, Requests)> {
    let (new, legacy) = (facts.metrics.series(Metric::NewRequests), facts.metrics.series(Metric::LegacyRequests));
    new.settled().iter().rev().find_map(|point| {
        let legacy = legacy.settled().binary_search_by_key(&point.at, |p| p.at).ok().map(|i| legacy.settled()[i])?;
        Some((point.at, Requests { legacy: Some(legacy.value), new: Some(point.value) }))
    })
}

/// How far both request counts can be trusted together: no further than the worse of the two.
fn both(facts: &Facts, now: Timestamp) -> Quality {
    let of = |metric| quality(facts, metric, now);
    match (of(Metric::NewRequests), of(Metric::LegacyRequests)) {
        (Quality::Fresh, Quality::Fresh) => Quality::Fresh,
        (Quality::Fresh, other) | (other, _) => other,
    }
}

/// Requests of the newest minute that both balancers have settled; where only one of them counts any, that one alone.
#[must_use]
pub fn requests(facts: &Facts, now: Timestamp) -> Reading<Requests> {
    if let Some((at, value)) = common_minute(facts) {
        return reading(Some(value), at, facts, both(facts, now));
    }
    let alone = |side| {
        let metric = if side == Side::New { Metric::NewRequests } else { Metric::LegacyRequests };
        let point = facts.metrics.series(metric).last_settled()?;
        let value = match side {
            Side::New => Requests { legacy: None, new: Some(point.value) },
            Side::Legacy => Requests { legacy: Some(point.value), new: None },
        };
        Some(reading(Some(value), point.at, facts, quality(facts, metric, now)))
    };
    let none = || Reading::unknown(Unit::PerMinute, Source::MetricsNew, both(facts, now));
    alone(Side::Legacy).or_else(|| alone(Side::New)).unwrap_or_else(none)
}

/// The share of all requests that reached the new stack, in percent. A side that counted nothing leaves it unknown: a
/// balancer without requests publishes no minute, and so does one whose metrics are late.
#[must_use]
pub fn share(facts: &Facts, now: Timestamp) -> Reading<f64> {
    let quality = both(facts, now);
    let Some((at, requests)) = common_minute(facts) else {
        let quality = match quality {
            Quality::Fresh => Quality::Unknown("no settled minute of both load balancers yet".to_owned()),
            other => other,
        };
        return Reading::unknown(Unit::Percent, Source::MetricsNew, quality);
    };
    let value = percent(requests);
    let quality = match (value, quality) {
        (None, Quality::Fresh) => Quality::Unknown("neither load balancer counted a request".to_owned()),
        (Some(_), Quality::Fresh) if now.since(at) > crate::domain::series::STALE => {
            Quality::Stale("the newest minute of both load balancers is too old".to_owned())
        }
        (_, quality) => quality,
    };
    Reading { unit: Unit::Percent, ..reading(value, at, facts, quality) }
}

/// The share in each minute that both balancers have settled, oldest first: what [`share`] says at its end.
#[must_use]
pub fn shares(facts: &Facts) -> Vec<Point> {
    let (new, legacy) = (facts.metrics.series(Metric::NewRequests), facts.metrics.series(Metric::LegacyRequests));
    let legacy = legacy.settled();
    new.settled()
        .iter()
        .filter_map(|point| {
            let other = legacy.binary_search_by_key(&point.at, |p| p.at).ok().map(|i| legacy[i])?;
            let value = percent(Requests { legacy: Some(other.value), new: Some(point.value) })?;
            Some(Point { at: point.at, value })
        })
        .collect()
}

fn percent(requests: Requests) -> Option<f64> {
    let (legacy, new) = (requests.legacy?, requests.new?);
    (legacy + new > 0.0).then(|| new * 100.0 / (legacy + new))
}

fn reading<T>(value: Option<T>, at: Timestamp, facts: &Facts, quality: Quality) -> Reading<T> {
    let read = |metric| facts.metrics.series(metric).read_at();
    let read_at = read(Metric::NewRequests).min(read(Metric::LegacyRequests));
    Reading { value, unit: Unit::PerMinute, at: Some(at), read_at, quality, source: Source::MetricsNew }
}
