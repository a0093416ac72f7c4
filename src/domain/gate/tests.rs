//! What each gate says to what it may find: a table in the operator's words.

use std::time::Duration;

use super::*;
use crate::domain::error::{ErrorKind, PortError};
use crate::domain::facts::Observation;
use crate::domain::metrics::{Metric, MetricReadings};
use crate::domain::model::fixtures::stack;
use crate::domain::record::{Entry, Event};
use crate::domain::replication::{Replication, ReplicationTask, TableStat, TaskStatus};
use crate::domain::series::{Point, Series};
use crate::domain::service::{Alarm, AlarmState, Host, Hosts};
use crate::domain::shift::fixtures::{key, record};
use crate::domain::traffic::{Record, Side};
use crate::domain::units::WeightPair;

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
        let readings = MetricReadings { series: vec![(metric, Series::new(points))], incomplete: vec![] };
        self.facts.metrics.absorb(&readings);
        self
    }

    fn history(mut self, events: Vec<(u64, Event)>) -> Self {
        let entries: Vec<_> = events
            .into_iter()
            .map(|(ago, event)| Entry {
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

    #[track_caller]
    fn says(&self, id: GateId, verdict: Verdict, words: &str) {
        let gate = self.gate(id, NOW);
        assert_eq!(gate.verdict, verdict, "{gate:?}");
        assert!(gate.reason.contains(words), "{:?} does not say {words:?}", gate.reason);
    }
}

fn task(status: TaskStatus, percent: u8) -> Observation {
    Observation::Replication(Replication {
        task: ReplicationTask {
            name: "t".into(),
            status,
            migration_type: "full-load-and-cdc".into(),
            stop_reason: Some("Stop Reason FATAL_ERROR".into()),
            failure: None,
            full_load_percent: Some(percent),
            tables_loaded: 1,
            tables_loading: 0,
            tables_queued: 0,
            tables_errored: 0,
        },
        instance: None,
        reverse: None,
    })
}

fn tables(rows: &[(&str, &str)]) -> Observation {
    Observation::Tables(
        rows.iter()
            .map(|(state, validation)| TableStat {
                schema: "shop".into(),
                table: "orders".into(),
                state: (*state).into(),
                full_load_rows: 1,
                captured: 0,
                applied: 0,
                validation: (*validation).into(),
                validation_pending: 0,
                validation_failed: 3,
                validation_suspended: 0,
                updated: None,
            })
            .collect(),
    )
}

fn alarms(side: Side, state: AlarmState) -> Observation {
    let alarm = Alarm { name: "dms-lag".into(), side, state, since: None, reason: "Threshold Crossed".into() };
    Observation::Alarms(side, vec![alarm])
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
fn a_denied_call_names_the_action_that_is_missing() {
    Case::new().fail(Source::Tables, ErrorKind::Denied).says(
        GateId::Tables,
        Verdict::Unknown,
        "allow the IAM action aws:Call",
    );
}

#[test]
fn the_task_has_to_run_and_to_have_loaded_everything() {
    Case::new().learn(Source::Replication, task(TaskStatus::Stopped, 100)).says(
        GateId::ReplicationTask,
        Verdict::Fail,
        "FATAL_ERROR",
    );
    Case::new().learn(Source::Replication, task(TaskStatus::Running, 60)).says(
        GateId::ReplicationTask,
        Verdict::Fail,
        "full load goes on",
    );
}

#[test]
fn lag_is_judged_on_settled_points_and_can_only_get_worse_by_newer_ones() {
    let witness = |case: Case| case.metric(Metric::RowsTarget, 800.0, 3);
    let lag = |value, ago| witness(Case::new()).metric(Metric::LagTarget, value, ago);
    lag(3.0, 3).says(GateId::ReplicationLag, Verdict::Pass, "close behind");
    lag(60.0, 3).says(GateId::ReplicationLag, Verdict::Fail, "limit 60 s");
    lag(3.0, 7).says(GateId::ReplicationLag, Verdict::Unknown, "old, limit 5m00s");
    let mut growing = lag(3.0, 3);
    let newest = Series::new(vec![Point {
        at: NOW.floor_to(Duration::from_secs(60)).minus(Duration::from_secs(60)),
        value: 74.0,
    }]);
    growing.facts.metrics.absorb(&MetricReadings { series: vec![(Metric::LagTarget, newest)], incomplete: vec![] });
    growing.says(GateId::ReplicationLag, Verdict::Fail, "lag 74 s");
}

#[test]
fn a_lag_of_zero_without_a_witness_proves_nothing() {
    Case::new().metric(Metric::LagTarget, 0.0, 3).says(GateId::ReplicationLag, Verdict::Unknown, "proves nothing");
    Case::new().metric(Metric::LagTarget, 0.0, 3).metric(Metric::RowsTarget, 0.0, 3).says(
        GateId::ReplicationLag,
        Verdict::Pass,
        "",
    );
}

#[test]
fn a_clock_that_is_minutes_off_blocks_with_the_way_out() {
    let mut case = Case::new().metric(Metric::LagTarget, 3.0, 3).metric(Metric::RowsTarget, 800.0, 3);
    case.facts.clock_skew_ms = Some(240_000);
    case.says(GateId::ReplicationLag, Verdict::Unknown, "clock is 240 s off");
}

#[test]
fn partial_data_is_not_data() {
    let mut case = Case::new().metric(Metric::LagTarget, 3.0, 3).metric(Metric::RowsTarget, 800.0, 3);
    case.facts.incomplete = vec![(Metric::LagTarget, "InternalError".into())];
    case.says(GateId::ReplicationLag, Verdict::Unknown, "partial");
}

#[test]
fn one_table_in_error_blocks_although_the_task_runs() {
    Case::new().learn(Source::Tables, tables(&[("Table completed", "Validated"), ("Table error", "Validated")])).says(
        GateId::Tables,
        Verdict::Fail,
        "shop.orders (Table error)",
    );
    Case::new().learn(Source::Tables, tables(&[])).says(GateId::Tables, Verdict::Unknown, "no table");
}

#[test]
fn only_validated_tables_pass() {
    let validation = |word| Case::new().learn(Source::Tables, tables(&[("Table completed", word)]));
    validation("Validated").says(GateId::Validation, Verdict::Pass, "equal");
    validation("Pending records").says(GateId::Validation, Verdict::Unknown, "still being compared");
    for word in
        ["Mismatched records", "Suspended records", "No primary key", "Not enabled", "Table error", "a new word"]
    {
        validation(word).says(GateId::Validation, Verdict::Fail, word);
    }
}

#[test]
fn alarms_of_both_regions_have_to_be_there_and_ok() {
    let both = |state| {
        Case::new()
            .learn(Source::AlarmsNew, alarms(Side::New, state))
            .learn(Source::AlarmsLegacy, alarms(Side::Legacy, AlarmState::Ok))
    };
    both(AlarmState::Ok).says(GateId::Alarms, Verdict::Pass, "OK");
    both(AlarmState::Alarm).says(GateId::Alarms, Verdict::Fail, "Threshold Crossed");
    both(AlarmState::InsufficientData).says(GateId::Alarms, Verdict::Unknown, "INSUFFICIENT_DATA");
    let mut missing = both(AlarmState::Ok);
    missing.policy.expected_alarms = vec!["migration-tasks-prod".into()];
    missing.says(GateId::Alarms, Verdict::Unknown, "does not exist");
    Case::new().learn(Source::AlarmsNew, alarms(Side::New, AlarmState::Ok)).says(
        GateId::Alarms,
        Verdict::Unknown,
        "legacy-alarms",
    );
}

#[test]
fn a_target_that_is_unhealthy_blocks_and_says_why() {
    let host = |state: &str| Host {
        id: "10.0.0.1".into(),
        zone: None,
        state: state.into(),
        reason: Some("Target.Timeout".into()),
    };
    let hosts = |states: &[&str]| {
        let hosts = Hosts { hosts: states.iter().map(|s| host(s)).collect() };
        Case::new().learn(Source::Targets, Observation::Hosts(Side::New, hosts))
    };
    hosts(&["healthy"]).says(GateId::Targets, Verdict::Pass, "");
    hosts(&["healthy", "unhealthy"]).says(GateId::Targets, Verdict::Fail, "Target.Timeout");
    hosts(&["initial"]).says(GateId::Targets, Verdict::Fail, "fewer healthy");
    hosts(&[]).says(GateId::Targets, Verdict::Fail, "fewer healthy");
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
fn latency_is_compared_with_the_legacy_stack_of_the_same_minutes() {
    let split = |new, legacy| {
        Case::new().weights(80, 20).metric(Metric::NewLatency, new, 3).metric(Metric::LegacyLatency, legacy, 3)
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
    let over = GateId::ALL.map(|id| Override { gate: id.name().into(), reason: "hurry".into() });
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
    let of = |from: (u8, u8), share: u8| {
        let seen = crate::domain::shift::fixtures::group(WeightPair::new(from.0, from.1).unwrap());
        let plan = ShiftPlan::new(&seen, crate::domain::units::Percent::new(share).unwrap()).unwrap();
        let gates = for_step(&[weights::step_size(0, &Policy::default())], &plan, &Policy::default());
        gates[0].verdict
    };
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
