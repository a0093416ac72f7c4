//! When the cockpit starts no `destroy`: while the new stack has weight or requests, or while that is not known.

use std::time::Duration;

use super::provision_tests::{Desk, LEGACY_DNS, asked, change, destroy_of_released, simple};
use crate::domain::confirm::Challenge;
use crate::domain::error::{ErrorKind, PortError};
use crate::domain::facts::{Facts, Observation, Source};
use crate::domain::metrics::{Metric, MetricReadings, Metrics};
use crate::domain::model::PendingAction;
use crate::domain::provision::PulumiQuery;
use crate::domain::pulumi::PulumiChange;
use crate::domain::pulumi::guard::RunKind;
use crate::domain::replication::TaskStatus;
use crate::domain::replication::fixtures::replication;
use crate::domain::run_preconditions::preconditions;
use crate::domain::series::{Point, Series};
use crate::domain::traffic::Side;

fn refused(desk: &mut Desk, why: &str) {
    assert!(!asked(&desk.press('D'), |_| true));
    assert!(desk.notice().contains(why), "{}", desk.notice());
}

/// All on the legacy stack, the name released, so many requests on the new one.
fn released(requests: f64) -> Desk {
    let mut desk = Desk::new(100, 0, requests);
    desk.zone(simple(LEGACY_DNS));
    desk
}

#[test]
fn destroy_is_refused_while_the_new_stack_is_used() {
    refused(&mut Desk::new(90, 10, 0.0), "still has weight");
    let mut desk = released(0.0);
    desk.zone(simple("new.elb.amazonaws.com"));
    refused(&mut desk, "would take the system down");
}

#[test]
fn a_client_that_comes_by_every_ten_minutes_is_no_silence() {
    for (minutes, wanted) in [(10, "prod 1"), (15, "prod")] {
        let mut desk = released(0.0);
        desk.model.live.facts.metrics = Metrics::default();
        let newest = desk.model.live.now.floor_to(Duration::from_secs(60)).minus(Duration::from_secs(180));
        let came = newest.minus(Duration::from_secs(60 * minutes));
        for (side, source, metric, point) in [
            (Side::New, Source::MetricsNew, Metric::NewRequests, Point { at: came, value: 1.0 }),
            (Side::Legacy, Source::MetricsLegacy, Metric::LegacyRequests, Point { at: newest, value: 900.0 }),
        ] {
            let series = vec![(metric, Series::new(vec![point]))];
            desk.absorb(source, Observation::Metrics(side, MetricReadings { series, incomplete: vec![], past: None }));
        }
        desk.press('D');
        desk.preview(RunKind::PreviewDestroy, &destroy_of_released());
        desk.press('D');
        assert_eq!(in_question(&desk).1, wanted, "{minutes}");
    }
}

#[test]
fn one_quiet_minute_does_not_make_the_new_stack_unused() {
    let mut desk = released(40.0);
    let newest = desk.model.live.now.floor_to(Duration::from_secs(60)).minus(Duration::from_secs(180));
    let series = vec![(Metric::NewRequests, Series::new(vec![Point { at: newest, value: 0.0 }]))];
    desk.absorb(
        Source::MetricsNew,
        Observation::Metrics(Side::New, MetricReadings { series, incomplete: vec![], past: None }),
    );
    assert!(asked(&desk.press('D'), |query| *query == PulumiQuery::Preview { destroy: true }));
    desk.preview(RunKind::PreviewDestroy, &destroy_of_released());
    assert!(change(&desk.press('D')).is_none());
    assert_eq!(in_question(&desk), (40, "prod 40".to_owned()));
}

/// The requests that the open question names, and what has to be typed.
fn in_question(desk: &Desk) -> (u32, String) {
    let PendingAction::Pulumi(PulumiChange::Run(run)) = desk.question() else { panic!("no question about a run") };
    let Challenge::Typed(text) = run.challenge() else { panic!("a plain yes destroys nothing") };
    (run.in_use().unwrap().per_min, text)
}

#[test]
fn every_request_that_still_comes_is_named_in_the_question_and_has_to_be_typed() {
    for (rate, typed) in [(0.0, "prod"), (1.0, "prod 1"), (19.0, "prod 19"), (30.0, "prod 30"), (3000.0, "prod 3000")] {
        let mut desk = released(rate);
        desk.press('D');
        desk.preview(RunKind::PreviewDestroy, &destroy_of_released());
        desk.press('D');
        assert_eq!(in_question(&desk), (rate as u32, typed.to_owned()));
        desk.arm();
        let effects = desk.type_in(typed);
        let destroyed = change(&effects);
        assert!(matches!(destroyed, Some(PulumiChange::Run(run)) if run.kind() == RunKind::Destroy), "{typed}");
    }
}

/// The new load balancer has no minute, and CloudWatch says `incomplete` of its answer.
fn without_a_minute(incomplete: Vec<(Metric, String)>) -> Desk {
    let mut desk = released(0.0);
    let legacy = desk.model.live.facts.metrics.series(Metric::LegacyRequests).clone();
    desk.model.live.facts.metrics = Metrics::default();
    for (side, source, metric, series, incomplete) in [
        (Side::Legacy, Source::MetricsLegacy, Metric::LegacyRequests, legacy, vec![]),
        (Side::New, Source::MetricsNew, Metric::NewRequests, Series::new(vec![]), incomplete),
    ] {
        desk.absorb(
            source,
            Observation::Metrics(side, MetricReadings { series: vec![(metric, series)], incomplete, past: None }),
        );
    }
    desk
}

#[test]
fn requests_that_cannot_be_read_are_not_taken_for_none() {
    let unknown = "it is not known whether the new stack receives requests";
    refused(&mut without_a_minute(vec![(Metric::NewRequests, "InternalError".into())]), unknown);
    let mut desk = without_a_minute(vec![]);
    let (key, now) = (desk.model.stack.group.clone(), desk.model.live.now);
    let error = PortError::new(ErrorKind::Throttled, "cloudwatch:GetMetricData", "Rate exceeded");
    desk.model.live.facts.absorb(&key, Source::MetricsNew, Err(error), now);
    refused(&mut desk, unknown);
    let mut desk = released(0.0);
    let facts = std::mem::take(&mut desk.model.live.facts);
    desk.model.live.facts = Facts { group: facts.group, records: facts.records, ..Facts::default() };
    refused(&mut desk, unknown);
    // A load balancer without a request publishes no minute.
    let started = without_a_minute(vec![]).press('D');
    assert!(asked(&started, |query| *query == PulumiQuery::Preview { destroy: true }));
}

#[test]
fn a_way_is_unused_only_where_neither_requests_nor_a_stream_are_known_to_take_it() {
    let desk = |new: u8, requests: f64, task: Option<TaskStatus>| {
        let mut desk = Desk::new(100 - new, new, requests);
        if let Some(status) = task {
            let mut found = replication();
            found.task.status = status;
            desk.absorb(Source::Replication, Observation::Replication(found));
        }
        preconditions(&desk.model).ways_used
    };
    assert!(!desk(0, 0.0, Some(TaskStatus::Stopped)));
    assert!(desk(10, 0.0, Some(TaskStatus::Stopped)), "the name leads there");
    assert!(desk(0, 1.0, Some(TaskStatus::Stopped)), "somebody asks all the same");
    assert!(desk(0, 0.0, Some(TaskStatus::Running)), "a stream goes this way");
    assert!(desk(0, 0.0, Some(TaskStatus::Other("starting".into()))));
    assert!(desk(0, 0.0, None), "what is not known is no proof");
}
