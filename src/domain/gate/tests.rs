//! What each gate says to what it may find: a table in the operator's words.

use std::time::Duration;

use super::*;
use crate::domain::error::{ErrorKind, PortError};
use crate::domain::facts::Observation;
use crate::domain::metrics::{Metric, MetricReadings};
use crate::domain::model::fixtures::stack;
use crate::domain::record::{Entry, Event};
use crate::domain::replication::fixtures::{replication, table};
use crate::domain::replication::{Replication, TableStat, TaskStatus};
use crate::domain::series::{Point, Series};
use crate::domain::service::fixtures::{alarm, hosts, service};
use crate::domain::service::{Alarm, AlarmState, Deployment, Service};
use crate::domain::shift::fixtures::{key, record};
use crate::domain::traffic::{Record, Side};
use crate::domain::units::WeightPair;

mod replication;
mod service;
mod step_size;

const NOW: Timestamp = Timestamp::from_millis(1_795_000_020_000);

struct Case {
    facts: Facts,
    history: Option<History>,
    policy: Policy,
    endpoints: Endpoints,
}

impl Case {
    fn new() -> Self {
        Self {
            facts: Facts::default(),
            history: Some(History::default()),
            policy: Policy::default(),
            endpoints: stack().endpoints,
        }
    }

    fn learn(mut self, source: Source, observation: Observation) -> Self {
        self.facts.absorb(&key(), source, Ok(observation), NOW);
        self
    }

    fn fail(mut self, source: Source, kind: ErrorKind) -> Self {
        self.facts.absorb(&key(), source, Err(PortError::new(kind, "aws:Call", "no")), NOW);
        self
    }

    fn weights(self, legacy: u8, new: u8) -> Self {
        self.learn(Source::Records, Observation::Records(vec![record("A", "legacy", legacy), record("A", "new", new)]))
    }

    /// One point a minute, `value` each, the newest bucket having started `ago` minutes before this minute.
    fn metric(mut self, metric: Metric, value: f64, ago: u64) -> Self {
        let start = NOW.floor_to(Duration::from_secs(60));
        let points = (ago..ago + 10).map(|m| Point { at: start.minus(Duration::from_secs(60 * m)), value }).collect();
        let readings = MetricReadings { series: vec![(metric, Series::new(points))], incomplete: vec![], past: None };
        self.facts.metrics.absorb(&readings, NOW);
        self
    }

    fn history(mut self, events: Vec<(u64, Event)>) -> Self {
        let entries: Vec<_> = events
            .into_iter()
            .map(|(ago, event)| Entry {
                aws_at: None,
                at: NOW.minus(Duration::from_secs(ago)),
                operator: "oncall".into(),
                host: "bastion".into(),
                event,
            })
            .collect();
        self.history = Some(History::of(&entries));
        self
    }

    fn gate(&self, id: GateId, now: Timestamp) -> Gate {
        let inputs = Inputs {
            facts: &self.facts,
            history: self.history.as_ref(),
            policy: &self.policy,
            endpoints: &self.endpoints,
            now,
        };
        evaluate(inputs).into_iter().find(|g| g.id == id).unwrap()
    }

    /// What the gate of the step's size says of this very step.
    fn step(&self, from: (u8, u8), share: u8) -> Gate {
        let seen = crate::domain::shift::fixtures::group(WeightPair::new(from.0, from.1).unwrap());
        let plan = ShiftPlan::new(&seen, crate::domain::units::Percent::new(share).unwrap()).unwrap();
        let inputs = Inputs {
            facts: &self.facts,
            history: self.history.as_ref(),
            policy: &self.policy,
            endpoints: &self.endpoints,
            now: NOW,
        };
        for_step(&evaluate(inputs), &plan, inputs).into_iter().find(|gate| gate.id == GateId::StepSize).unwrap()
    }

    #[track_caller]
    fn says(&self, id: GateId, verdict: Verdict, words: &str) {
        let gate = self.gate(id, NOW);
        assert_eq!(gate.verdict, verdict, "{gate:?}");
        assert!(gate.reason.contains(words), "{:?} does not say {words:?}", gate.reason);
    }
}

/// What DMS says of the task and its instance, changed from one that is in step.
fn dms(change: impl FnOnce(&mut Replication)) -> Observation {
    let mut replication = replication();
    change(&mut replication);
    Observation::Replication(replication)
}

fn task(status: TaskStatus, percent: u8) -> Observation {
    dms(|replication| {
        replication.task.status = status;
        replication.task.full_load_percent = Some(percent);
    })
}

#[test]
fn nothing_known_passes_nothing() {
    let case = Case { history: None, ..Case::new() };
    for id in GateId::ALL {
        assert_eq!(case.gate(id, NOW).verdict, Verdict::Unknown, "{id}");
    }
}

#[test]
fn a_fact_that_grew_old_no_longer_passes() {
    let case = Case::new().learn(Source::Replication, task(TaskStatus::Running, 100));
    case.says(GateId::ReplicationTask, Verdict::Pass, "follows changes");
    let later = NOW.plus(FACT_STALE + Duration::from_secs(1));
    let gate = case.fail(Source::Replication, ErrorKind::Throttled).gate(GateId::ReplicationTask, later);
    assert_eq!(gate.verdict, Verdict::Unknown);
    assert!(gate.reason.contains("throttled"), "{}", gate.reason);
}

#[test]
fn a_cause_that_others_share_is_named_in_short_where_it_is_no_news() {
    let case = Case::new().fail(Source::Tables, ErrorKind::Credentials).fail(Source::Service, ErrorKind::Credentials);
    assert_eq!(crate::domain::reading::shared_causes(&case.facts).len(), 1);
    let gate = case.gate(GateId::Tables, NOW);
    assert_eq!((gate.verdict, gate.reason.as_str()), (Verdict::Unknown, "not known: credentials refused"));
    // Alone it is told whole: nothing else says it.
    let gate = Case::new().fail(Source::Tables, ErrorKind::Credentials).gate(GateId::Tables, NOW);
    assert!(gate.reason.starts_with("not known: aws:Call: credentials refused: no; get new credentials"), "{gate:?}");
}

#[test]
fn a_denied_call_names_the_action_that_is_missing() {
    Case::new().fail(Source::Tables, ErrorKind::Denied).says(
        GateId::Tables,
        Verdict::Unknown,
        "allow the IAM action aws:Call",
    );
}

impl Case {
    /// Both latencies and the throughput of a stream that is alive, the newest settled minute first.
    fn stream(self, source: f64, target: f64, rows: f64) -> Self {
        self.metric(Metric::LagSource, source, 3)
            .metric(Metric::LagTarget, target, 3)
            .metric(Metric::RowsSource, rows, 3)
            .metric(Metric::RowsTarget, rows, 3)
            .metric(Metric::Backlog, 0.0, 3)
    }

    /// One more point of a metric, of so many minutes ago.
    fn point(mut self, metric: Metric, value: f64, ago: u64) -> Self {
        let at = NOW.floor_to(Duration::from_secs(60)).minus(Duration::from_secs(60 * ago));
        let series = Series::new(vec![Point { at, value }]);
        self.facts
            .metrics
            .absorb(&MetricReadings { series: vec![(metric, series)], incomplete: vec![], past: None }, NOW);
        self
    }
}

#[test]
fn a_clock_that_is_minutes_off_blocks_with_the_way_out() {
    let mut case = Case::new().stream(1.0, 3.0, 800.0);
    case.facts.clock_skew_ms = Some(240_000);
    case.says(GateId::ReplicationLag, Verdict::Unknown, "clock is 240 s off");
}

#[test]
fn partial_data_is_not_data() {
    let mut case = Case::new().stream(1.0, 3.0, 800.0);
    case.facts.incomplete = vec![(Metric::LagTarget, "InternalError".into())];
    case.says(GateId::ReplicationLag, Verdict::Unknown, "partial");
}

#[test]
fn missing_5xx_counts_as_zero_only_where_requests_exist() {
    let split = || Case::new().weights(80, 20).metric(Metric::LegacyRequests, 8000.0, 3);
    split().metric(Metric::NewRequests, 2000.0, 3).says(GateId::Errors, Verdict::Pass, "no more errors");
    split().says(GateId::Errors, Verdict::Unknown, "no settled minute of requests");
    split().metric(Metric::NewRequests, 20.0, 3).says(GateId::Errors, Verdict::Unknown, "not enough data");
    split().metric(Metric::NewRequests, 2000.0, 3).metric(Metric::NewTarget5xx, 60.0, 3).says(
        GateId::Errors,
        Verdict::Fail,
        "3 % errors",
    );
    Case::new().weights(100, 0).says(GateId::Errors, Verdict::Pass, "nothing to compare yet");
    Case::new().says(GateId::Errors, Verdict::Unknown, "weights are not known");
}

#[test]
fn few_requests_are_counted_over_more_minutes_by_both_gates_or_it_is_said_when_they_decide() {
    let service = |per_min: f64, minutes: u64, failed: f64, p99: f64| {
        let mut case = Case::new().weights(50, 50).metric(Metric::LegacyLatency, 0.2, 3);
        case = case.metric(Metric::NewLatency, p99, 3);
        for ago in 3..3 + minutes {
            case = case.point(Metric::NewRequests, per_min, ago).point(Metric::LegacyRequests, per_min, ago);
        }
        case.point(Metric::NewTarget5xx, failed, 2 + minutes)
    };
    let both = |case: &Case, verdict, words: &str| {
        case.says(GateId::Errors, verdict, words);
        case.says(GateId::Latency, verdict, words);
    };
    // 15 a minute have 300 in 20 minutes.
    let words = "105 requests in 7 min, 300 needed; at this rate enough in about 13 min";
    both(&service(15.0, 7, 0.0, 0.2), Verdict::Unknown, words);
    // So soon after a step most clients have the old answer still: nobody is told to override.
    let words = "2 requests in 1 min, 300 needed; what it gets a minute is known 6 min after the step; wait";
    both(&service(2.0, 1, 0.0, 0.2), Verdict::Unknown, words);
    both(&service(15.0, 19, 9.0, 0.9), Verdict::Unknown, "enough in about 1 min");
    both(&service(15.0, 20, 0.0, 0.2), Verdict::Pass, "");
    service(15.0, 20, 9.0, 0.9).says(GateId::Errors, Verdict::Fail, "3 % errors");
    service(15.0, 20, 9.0, 0.9).says(GateId::Latency, Verdict::Fail, "900 ms");
    // 3 a minute never have as many.
    both(&service(3.0, 50, 0.0, 0.2), Verdict::Unknown, "60 min have about 180, so waiting decides nothing");
    // Minutes without a request are minutes, too.
    let mut rare = Case::new().weights(50, 50).metric(Metric::LegacyLatency, 0.2, 3).metric(Metric::NewLatency, 0.2, 3);
    for ago in [3, 13, 23, 33, 43] {
        rare = rare.point(Metric::NewRequests, 40.0, ago).point(Metric::LegacyRequests, 40.0, ago);
    }
    both(&rare, Verdict::Unknown, "200 requests in 41 min, 300 needed; at this rate 60 min have about 293, so waiting");
    // A lot of requests is looked at of late, not over an hour.
    service(500.0, 30, 900.0, 0.2).says(GateId::Errors, Verdict::Pass, "no more errors");
}

#[test]
fn latency_is_that_of_all_minutes_that_are_judged_each_by_its_requests() {
    let night = |slow: &[u64], requests: fn(u64) -> f64| {
        let mut case = Case::new().weights(50, 50);
        for ago in 3..23 {
            let p99 = if slow.contains(&ago) { 2.0 } else { 0.2 };
            case = case.point(Metric::NewLatency, p99, ago).point(Metric::LegacyLatency, 0.2, ago);
            case = case.point(Metric::NewRequests, requests(ago), ago).point(Metric::LegacyRequests, 15.0, ago);
        }
        case
    };
    let quiet = |_| 15.0;
    night(&[], quiet).says(GateId::Latency, Verdict::Pass, "");
    night(&[3], quiet).says(GateId::Latency, Verdict::Pass, "");
    let all_but_the_newest: Vec<u64> = (4..23).collect();
    night(&all_but_the_newest, quiet).says(GateId::Latency, Verdict::Fail, "1910 ms");
    // Slow under load and quick in the quiet minutes is slow.
    night(&[3, 4, 5, 6, 7], |ago| if ago < 8 { 50.0 } else { 4.0 }).says(GateId::Latency, Verdict::Fail, "ms");
}

#[test]
fn latency_is_compared_with_the_legacy_stack_of_the_same_minutes() {
    let split = |new, legacy| {
        let case = Case::new().weights(80, 20).metric(Metric::NewRequests, 2000.0, 3);
        case.metric(Metric::NewLatency, new, 3).metric(Metric::LegacyLatency, legacy, 3)
    };
    split(0.182, 0.214).says(GateId::Latency, Verdict::Pass, "not slower");
    split(0.700, 0.214).says(GateId::Latency, Verdict::Fail, "700 ms");
    split(0.049, 0.001).says(GateId::Latency, Verdict::Pass, "");
}

#[test]
fn somebody_elses_weights_are_drift_until_they_are_taken() {
    let pair = |legacy, new| WeightPair::new(legacy, new).unwrap();
    Case::new().weights(100, 0).says(GateId::Drift, Verdict::Pass, "no weight was moved");
    Case::new().weights(70, 30).says(GateId::Drift, Verdict::Fail, "not set from this host");
    let confirmed = vec![(900, Event::Accepted { weights: pair(80, 20) })];
    Case::new().weights(70, 30).history(confirmed.clone()).says(GateId::Drift, Verdict::Fail, "from 80/20 to 70/30");
    Case::new().weights(80, 20).history(confirmed).says(GateId::Drift, Verdict::Pass, "last confirmed");
}

#[test]
fn the_bake_starts_when_the_weights_moved() {
    let seen = |ago| {
        Case::new().weights(70, 30).history(vec![(ago, Event::Seen { weights: WeightPair::new(70, 30).unwrap() })])
    };
    seen(479).says(GateId::Bake, Verdict::Fail, "wait 0:01 more");
    seen(480).says(GateId::Bake, Verdict::Pass, "");
    Case::new().weights(100, 0).says(GateId::Bake, Verdict::Pass, "no weight was moved");
    Case::new().weights(70, 30).says(GateId::Bake, Verdict::Unknown, "nobody here knows");
}

#[test]
fn a_pulumi_run_keeps_the_weights_where_they_are() {
    Case::new().learn(Source::StackRun, Observation::StackRun(Some("pulumi up by alice (pid 7)".into()))).says(
        GateId::StackIdle,
        Verdict::Fail,
        "wait until it has ended",
    );
}

#[test]
fn members_that_lead_elsewhere_block_by_name_and_no_reason_steps_over_that() {
    let swapped = || vec![record("A", "legacy", 100), record("A", "new", 0)];
    let across = |mut records: Vec<Record>| {
        let (legacy, new) = (records[0].target.clone(), records[1].target.clone());
        (records[0].target, records[1].target) = (new, legacy);
        records
    };
    Case::new().weights(100, 0).says(GateId::RecordTargets, Verdict::Pass, "its own stack's load balancer");
    let case = Case::new().learn(Source::Records, Observation::Records(across(swapped())));
    case.says(GateId::RecordTargets, Verdict::Fail, "the A member legacy leads to alias dualstack.new.elb");
    let gates = evaluate(Inputs {
        facts: &case.facts,
        history: case.history.as_ref(),
        policy: &case.policy,
        endpoints: &case.endpoints,
        now: NOW,
    });
    let over = GateId::ALL.map(|id| Override { gate: id.name().into(), reason: "poll_now".into() });
    let left: Vec<GateId> = blocking(&gates, &over).map(|gate| gate.id).collect();
    assert_eq!(left, [GateId::RecordTargets]);
    let mut ipv6 = vec![record("AAAA", "legacy", 100), record("AAAA", "new", 0)];
    ipv6[1].target = ipv6[0].target.clone();
    let both = [swapped(), ipv6].concat();
    Case::new().learn(Source::Records, Observation::Records(both)).says(
        GateId::RecordTargets,
        Verdict::Fail,
        "the AAAA member new leads to",
    );
    let mut unset = Case::new().weights(100, 0);
    unset.endpoints.new = None;
    unset.says(GateId::RecordTargets, Verdict::Unknown, "not known");
}

#[test]
fn a_step_of_more_points_than_the_policy_allows_needs_its_name() {
    let of = |from, share| Case::new().step(from, share).verdict;
    for (from, share, verdict) in [
        ((100, 0), 10, Verdict::Pass),
        ((100, 0), 11, Verdict::Fail),
        ((100, 0), 100, Verdict::Fail),
        ((90, 10), 20, Verdict::Pass),
        ((90, 10), 21, Verdict::Fail),
        ((7, 1), 23, Verdict::Pass),
        ((0, 100), 0, Verdict::Pass),
        ((10, 90), 5, Verdict::Pass),
        ((128, 127), 100, Verdict::Fail),
    ] {
        assert_eq!(of(from, share), verdict, "{from:?} to {share}");
    }
}
