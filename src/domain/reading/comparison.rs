//! What is compared between the two stacks: server errors over a window of minutes, and latency.

use serde::Serialize;

use crate::domain::facts::Facts;
use crate::domain::metrics::Metric;
use crate::domain::record::History;
use crate::domain::series::{PERIOD, STALE};
use crate::domain::traffic::Side;
use crate::domain::units::{Timestamp, age_text};

use super::metric::{doubt, name, source};
use super::{Quality, Reading, Unit, cause, metric, not_known};

/// The minutes that are looked at together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// None that starts before this: another split of the traffic was in effect then.
    pub from: Timestamp,
    /// How many at most, up to the newest one.
    pub minutes: usize,
}

impl Window {
    /// The newest `minutes`, none of them from before the newest weight change.
    #[must_use]
    pub fn of(minutes: usize, history: Option<&History>) -> Self {
        Self { from: history.and_then(History::moved_for_metrics).unwrap_or_default(), minutes: minutes.max(1) }
    }
}

/// Minutes that are looked at together at most: what is older says little of now.
pub const WIDEST: usize = 60;

impl Window {
    /// The newest `minutes`, or as many more as hold `needed` requests on the new stack; the widest one where none does.
    #[must_use]
    pub fn wide_enough(minutes: usize, needed: f64, history: Option<&History>, facts: &Facts, now: Timestamp) -> Self {
        let narrow = Self::of(minutes, history);
        let widest = Self { minutes: narrow.minutes.max(WIDEST), ..narrow };
        let holds =
            |window: &Self| errors(facts, Side::New, *window, now).value.is_some_and(|rate| rate.requests >= needed);
        (narrow.minutes..=widest.minutes).map(|minutes| Self { minutes, ..narrow }).find(holds).unwrap_or(widest)
    }
}

/// Requests and server errors of one stack over a window of settled minutes.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct ErrorRate {
    /// Requests in the window.
    pub requests: f64,
    /// 5xx answers in the window, those of the balancer and those of the hosts behind it.
    pub errors: f64,
    /// How many minutes of the window had requests.
    pub minutes: usize,
    /// Minutes from the window's beginning, or the first that is known, to the newest one, those without a request included: what a rate is over.
    pub span: usize,
}

impl ErrorRate {
    /// Errors in percent of requests; nothing without requests.
    #[must_use]
    pub fn percent(self) -> Option<f64> {
        (self.requests > 0.0).then(|| self.errors * 100.0 / self.requests)
    }
}

/// Requests and 5xx of a stack over the window.
///
/// A missing 5xx minute counts as 0 where the request minute exists, because both load balancers publish 5xx only when
/// it is not zero (ELB user guides, "CloudWatch metrics").
#[must_use]
pub fn errors(facts: &Facts, side: Side, window: Window, now: Timestamp) -> Reading<ErrorRate> {
    let (requests, errors) = match side {
        Side::New => (Metric::NewRequests, [Metric::NewTarget5xx, Metric::NewElb5xx]),
        Side::Legacy => (Metric::LegacyRequests, [Metric::LegacyBackend5xx, Metric::LegacyElb5xx]),
    };
    let source = source(requests);
    let series = facts.metrics.series(requests);
    let newest = series.last_settled().filter(|p| p.at >= window.from);
    let all = [requests, errors[0], errors[1]];
    let doubted = all.into_iter().find_map(|metric| doubt(facts, metric, now));
    let Some(newest) = newest else {
        let quality = doubted.unwrap_or_else(|| no_minute(facts, side, requests));
        return Reading::unknown(Unit::Percent, source, quality);
    };
    let first = newest.at.minus(PERIOD * u32::try_from(window.minutes.saturating_sub(1)).unwrap_or(u32::MAX));
    let from = first.max(window.from);
    let mut rate = ErrorRate::default();
    let begun = series.settled().first().map_or(from, |point| point.at.max(from));
    for point in series.settled().iter().rev().take_while(|p| p.at >= from) {
        rate.requests += point.value;
        rate.errors += errors.iter().filter_map(|m| facts.metrics.series(*m).at(point.at)).sum::<f64>();
        rate.minutes += 1;
    }
    rate.span = (newest.at.since(begun).as_secs() / PERIOD.as_secs()) as usize + 1;
    let broken = all.into_iter().find_map(|metric| Some((metric, facts.metrics.series(metric).broken_since(from)?)));
    let age = now.since(newest.at);
    let quality = if let Some(doubted) = doubted {
        doubted
    } else if let Some((metric, point)) = broken {
        Quality::Unknown(format!(
            "CloudWatch gave {} for the {} at {} UTC, which cannot be",
            point.value,
            name(metric),
            point.at.hm()
        ))
    } else if age > STALE {
        let why = cause(facts, source);
        let (age, limit) = (age_text(age), age_text(STALE));
        Quality::Stale(format!(
            "the newest minute of requests on the {} stack is {age} old, limit {limit}{why}",
            side.name()
        ))
    } else {
        Quality::Fresh
    };
    Reading { value: Some(rate), unit: Unit::Percent, at: Some(newest.at), read_at: series.read_at(), quality, source }
}

fn no_minute(facts: &Facts, side: Side, requests: Metric) -> Quality {
    Quality::Unknown(not_known(facts, source(requests)).unwrap_or_else(|| {
        format!("no settled minute of requests on the {} stack since the last change; wait", side.name())
    }))
}

/// The p99 latency of a stack, in seconds, over the settled minutes of the window: each minute's by the requests that it
/// had, so that neither one good minute nor one slow request in a quiet one stands for all.
#[must_use]
pub fn latency(facts: &Facts, side: Side, window: Window, now: Timestamp) -> Reading<f64> {
    let (of, requests) = match side {
        Side::New => (Metric::NewLatency, Metric::NewRequests),
        Side::Legacy => (Metric::LegacyLatency, Metric::LegacyRequests),
    };
    let reading = metric(facts, of, now);
    if reading.quality != Quality::Fresh {
        return reading;
    }
    if let Some(newest) = reading.at.filter(|at| *at >= window.from) {
        let first = newest.minus(PERIOD * u32::try_from(window.minutes.saturating_sub(1)).unwrap_or(u32::MAX));
        let from = first.max(window.from);
        let (mut sum, mut weight) = (0.0, 0.0);
        for point in facts.metrics.series(of).settled().iter().rev().take_while(|point| point.at >= from) {
            let had = facts.metrics.series(requests).at(point.at).unwrap_or(0.0);
            (sum, weight) = (point.value.mul_add(had, sum), weight + had);
        }
        return if weight > 0.0 { Reading { value: Some(sum / weight), ..reading } } else { reading };
    }
    let why = format!("no settled minute of latency on the {} stack since the last change; wait", side.name());
    Reading::unknown(Unit::Seconds, reading.source, Quality::Unknown(why))
}
