//! Readings under what may befall their sources.

use std::time::Duration;

use super::*;
use crate::domain::error::{ErrorKind, PortError};
use crate::domain::facts::fixtures::healthy;
use crate::domain::metrics::{Metric, MetricReadings};
use crate::domain::series::{Point, Series};
use crate::domain::service::AlarmState;
use crate::domain::shift::fixtures::key;
use crate::domain::time::Jump;
use crate::domain::traffic::Side;

const NOW: Timestamp = Timestamp::from_millis(1_795_000_020_000);

fn told(facts: &mut Facts, metric: Metric, points: &[(u64, f64)]) {
    let start = NOW.floor_to(Duration::from_secs(60));
    let at = |ago: u64| start.minus(Duration::from_secs(60 * ago));
    let points = points.iter().map(|(ago, value)| Point { at: at(*ago), value: *value }).collect();
    let readings = MetricReadings { series: vec![(metric, Series::new(points))], incomplete: vec![], past: None };
    facts.metrics.absorb(&readings, NOW);
}

/// Facts without metrics, but for those that are told.
fn counted(legacy: &[(u64, f64)], new: &[(u64, f64)]) -> Facts {
    let mut facts = Facts { metrics: crate::domain::metrics::Metrics::default(), ..healthy(NOW) };
    told(&mut facts, Metric::LegacyRequests, legacy);
    told(&mut facts, Metric::NewRequests, new);
    facts
}

#[test]
fn the_share_is_that_of_the_newest_minute_that_both_balancers_have() {
    let seen = |facts: &Facts| share(facts, NOW).fresh().copied();
    assert_eq!(seen(&counted(&[(4, 80.0), (3, 75.0)], &[(4, 20.0), (3, 25.0)])), Some(25.0));
    assert_eq!(seen(&counted(&[(4, 80.0)], &[(4, 20.0), (3, 25.0)])), Some(20.0), "the newer minute has one side");
    assert_eq!(seen(&counted(&[(4, 80.0), (3, 75.0)], &[])), None, "a side that counts nothing is not 0");
    assert_eq!(seen(&counted(&[], &[(3, 25.0)])), None, "and not 100");
    assert_eq!(seen(&counted(&[(3, 0.0)], &[(3, 0.0)])), None, "no request, no share");
    assert_eq!(seen(&counted(&[(9, 75.0)], &[(9, 25.0), (3, 25.0)])), None, "of nine minutes ago");
}

#[test]
fn requests_are_told_of_both_sides_or_of_one_under_its_name() {
    let told = |facts: &Facts| requests(facts, NOW).fresh().copied();
    let both = counted(&[(3, 4000.0)], &[(3, 1000.0)]);
    assert_eq!(told(&both).and_then(Requests::per_second).map(f64::round), Some(83.0));
    let one = told(&counted(&[(3, 4000.0)], &[])).unwrap();
    assert_eq!((one.legacy, one.new, one.per_second()), (Some(4000.0), None, None));
    assert_eq!(told(&counted(&[], &[])), None);
}

#[test]
fn the_window_of_errors_holds_minutes_in_a_row_and_says_how_many() {
    let window = Window { from: Timestamp::default(), minutes: 3 };
    let rate = |facts: &Facts| errors(facts, Side::New, window, NOW).fresh().copied();
    let dense = rate(&counted(&[], &[(6, 900.0), (5, 100.0), (4, 100.0), (3, 100.0)])).unwrap();
    assert_eq!((dense.requests, dense.minutes), (300.0, 3));
    let sparse = rate(&counted(&[], &[(40, 900.0), (20, 900.0), (3, 100.0)])).unwrap();
    assert_eq!((sparse.requests, sparse.minutes), (100.0, 1), "minutes of long ago are not in the window");
    let mut broken = counted(&[], &[(4, 100.0), (3, 100.0)]);
    told(&mut broken, Metric::NewElb5xx, &[(4, -7.0)]);
    assert_eq!(rate(&broken), None, "a count below 0 in the window");
}

/// Every number that a person may see, each with whether it decides anything.
fn all(facts: &Facts, now: Timestamp) -> Vec<(&'static str, bool)> {
    let window = Window { from: Timestamp::default(), minutes: 3 };
    vec![
        ("lag", lag(facts, now).fresh().is_some()),
        ("share", share(facts, now).fresh().is_some()),
        ("requests", requests(facts, now).fresh().is_some()),
        ("errors", errors(facts, Side::New, window, now).fresh().is_some()),
        ("latency", latency(facts, Side::Legacy, window, now).fresh().is_some()),
        ("cpu", metric(facts, Metric::ServiceCpu, now).fresh().is_some()),
        ("tasks", tasks(facts, now).fresh().is_some()),
        ("targets", hosts(facts, Side::New, now).fresh().is_some()),
        ("alarms", alarms(facts, now).fresh().is_some()),
    ]
}

#[test]
fn all_is_fresh_when_it_was_just_read_and_nothing_is_when_it_grew_old() {
    assert!(all(&healthy(NOW), NOW).iter().all(|(_, fresh)| *fresh), "{:?}", all(&healthy(NOW), NOW));
    let later = NOW.plus(Duration::from_secs(1440));
    assert!(all(&healthy(NOW), later).iter().all(|(_, fresh)| !fresh), "{:?}", all(&healthy(NOW), later));
    let stale = tasks(&healthy(NOW), later);
    assert!(stale.is_stale() && stale.value.is_some(), "the old value stays, with its age");
}

#[test]
fn facts_of_the_future_are_not_fresh() {
    let earlier = NOW.minus(Duration::from_secs(600));
    assert!(all(&healthy(NOW), earlier).iter().all(|(_, fresh)| !fresh), "{:?}", all(&healthy(NOW), earlier));
}

#[test]
fn after_a_jump_of_the_clock_nothing_counts_before_it_was_read_again() {
    for by_ms in [-600_000, 600_000] {
        let now = NOW.shifted(by_ms);
        let mut facts = healthy(NOW);
        facts.forget(Jump { by_ms, at: now });
        assert!(all(&facts, now).iter().all(|(_, fresh)| !fresh), "{:?}", all(&facts, now));
        let group = fact(facts.group.as_ref(), Source::Records, &facts, now);
        assert!(group.fresh().is_none() && group.quality.why().contains("clock was set"), "{group:?}");
        let age = now.since(facts.group.as_ref().unwrap().at);
        assert_eq!(age, Duration::from_secs(1), "its age is the one by the steady clock");
        for (source, health) in healthy(now).sources {
            assert!(health.last_ok.is_some(), "{source:?}");
        }
    }
}

#[test]
fn a_silent_region_leaves_the_share_and_the_alarms_unknown() {
    let mut facts = healthy(NOW);
    facts.alarms_legacy = None;
    let denied = PortError::new(ErrorKind::Denied, "cloudwatch:DescribeAlarms", "no");
    facts.absorb(&key(), Source::AlarmsLegacy, Err(denied), NOW);
    let reading = alarms(&facts, NOW);
    assert_eq!(reading.value.map(AlarmCount::all), Some(1), "the other region's alarm is told");
    assert!(reading.fresh().is_none() && reading.quality.why().contains("DescribeAlarms"), "{reading:?}");
    facts.incomplete = vec![(Metric::LegacyRequests, "InternalError".into())];
    assert!(share(&facts, NOW).quality.why().contains("InternalError"));
}

#[test]
fn alarms_that_nobody_hears_are_counted_apart() {
    let mut facts = healthy(NOW);
    facts.alarms_new.as_mut().unwrap().value[0].silenced = Some("its actions are disabled".into());
    facts.alarms_legacy.as_mut().unwrap().value[0].state = AlarmState::InsufficientData;
    let count = alarms(&facts, NOW).fresh().copied().unwrap();
    assert_eq!(count, AlarmCount { silenced: 1, blind: 1, ..AlarmCount::default() });
}

#[test]
fn a_clock_that_is_minutes_off_decides_nothing_of_cloudwatch() {
    let facts = Facts { clock_skew_ms: Some(-240_000), ..healthy(NOW) };
    let fresh: Vec<_> = all(&facts, NOW).into_iter().filter(|(_, fresh)| *fresh).map(|(name, _)| name).collect();
    assert_eq!(fresh, ["tasks", "targets", "alarms"], "what is dated by this host's answers alone");
    assert_eq!(facts.aws_now(NOW), Some(NOW.plus(Duration::from_secs(240))));
}

#[test]
fn a_source_that_dies_freezes_no_half_full_minute() {
    let mut facts = healthy(NOW);
    told(&mut facts, Metric::LegacyRequests, &[(4, 474.0), (3, 474.0), (2, 315.0)]);
    told(&mut facts, Metric::NewRequests, &[(4, 100.0), (3, 100.0), (2, 20.0)]);
    let at = |secs| requests(&facts, NOW.plus(Duration::from_secs(secs)));
    let settled = at(0).value.unwrap();
    for secs in [30, 60, 90, 120, 600, 1200] {
        assert_eq!(at(secs).value, Some(settled), "after {secs} s");
    }
}
