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

/// One table, changed from one that is in step.
fn one_table(change: impl FnOnce(&mut TableStat)) -> Case {
    let mut table = table("orders");
    change(&mut table);
    Case::new().learn(Source::Tables, Observation::Tables(vec![table]))
}

fn alarms(side: Side, state: AlarmState) -> Observation {
    Observation::Alarms(side, vec![Alarm { name: "dms-lag".into(), ..alarm(side, state) }])
}

/// Alarms of both regions, the new one changed from one that is OK.
fn alarms_with(change: impl FnOnce(&mut Alarm)) -> Case {
    let mut alarm = alarm(Side::New, AlarmState::Ok);
    change(&mut alarm);
    Case::new()
        .learn(Source::AlarmsNew, Observation::Alarms(Side::New, vec![alarm]))
        .learn(Source::AlarmsLegacy, alarms(Side::Legacy, AlarmState::Ok))
}

/// A service of four, changed from one at rest.
fn ecs(change: impl FnOnce(&mut Service)) -> Case {
    let mut service = service(4);
    change(&mut service);
    Case::new().learn(Source::Service, Observation::Service(service))
}

/// Both fleets, beside a service that wants as many tasks.
fn fleets(wanted: u32, new: &[&str], legacy: &[&str]) -> Case {
    Case::new()
        .learn(Source::Service, Observation::Service(service(wanted)))
        .learn(Source::Targets, Observation::Hosts(Side::New, hosts(new)))
        .learn(Source::LegacyHosts, Observation::Hosts(Side::Legacy, hosts(legacy)))
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
    let stopped = dms(|r| {
        r.task.status = TaskStatus::Stopped;
        r.task.stop_reason = Some("Stop Reason FATAL_ERROR".into());
    });
    let says = |seen: Observation, verdict, words: &str| {
        Case::new().learn(Source::Replication, seen).says(GateId::ReplicationTask, verdict, words);
    };
    says(stopped, Verdict::Fail, "FATAL_ERROR");
    says(task(TaskStatus::Running, 60), Verdict::Fail, "full load goes on");
    says(dms(|r| r.task.migration_type = "full-load".into()), Verdict::Fail, "does not follow changes");
}

#[test]
fn a_running_task_does_not_pass_beside_facts_that_speak_against_it() {
    let says = |verdict, words: &str, change: fn(&mut Replication)| {
        Case::new().learn(Source::Replication, dms(change)).says(GateId::ReplicationTask, verdict, words);
    };
    let status = |word: &'static str, words: &str| {
        let mut seen = replication();
        seen.instance.as_mut().unwrap().status = word.into();
        let case = Case::new().learn(Source::Replication, Observation::Replication(seen));
        case.says(GateId::ReplicationTask, Verdict::Fail, words);
    };
    status("storage-full", "is storage-full: DMS cannot go on reading; give the instance more storage");
    status("rebooting", "is rebooting: wait until it is available");
    status("a new word", "is a new word: it has to be available");
    status("", "in no state that DMS tells");
    says(Verdict::Unknown, "finds no replication instance", |r| r.instance = None);
    says(Verdict::Fail, "2 loading, 1 queued", |r| {
        r.task.tables_loading = 2;
        r.task.tables_queued = 1;
    });
    says(Verdict::Unknown, "has loaded no table", |r| r.task.tables_loaded = 0);
    says(Verdict::Unknown, "does not say how far", |r| r.task.full_load_percent = None);
    says(Verdict::Unknown, "but DMS also says: Last Error Fatal error", |r| {
        r.task.failure = Some("Last Error Fatal error".into());
    });
    says(Verdict::Unknown, "LOW_MEMORY", |r| r.task.stop_reason = Some("Stop Reason STOPPED_DUE_TO_LOW_MEMORY".into()));
    says(Verdict::Pass, "", |r| r.task.stop_reason = Some("Stop Reason NORMAL".into()));
    says(Verdict::Pass, "", |r| {
        r.task.failure = Some("Last Error, and then it was resumed".into());
        r.task.stopped = Some(NOW.minus(Duration::from_secs(900)));
        r.task.started = Some(NOW.minus(Duration::from_secs(600)));
    });
    says(Verdict::Fail, "round in a circle", |r| r.reverse = Some(TaskStatus::Running));
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
        self.facts.metrics.absorb(&MetricReadings { series: vec![(metric, series)], incomplete: vec![] }, NOW);
        self
    }
}

#[test]
fn lag_is_judged_on_settled_points_and_can_only_get_worse_by_newer_ones() {
    let lag = |value, ago| {
        Case::new().metric(Metric::LagTarget, value, ago).metric(Metric::LagSource, 1.0, ago).metric(
            Metric::RowsTarget,
            800.0,
            3,
        )
    };
    lag(3.0, 3).says(GateId::ReplicationLag, Verdict::Pass, "close behind");
    lag(60.0, 3).says(GateId::ReplicationLag, Verdict::Fail, "limit 60 s");
    lag(3.0, 7).says(GateId::ReplicationLag, Verdict::Unknown, "old, limit 5m00s");
    lag(3.0, 3).point(Metric::LagTarget, 74.0, 1).says(GateId::ReplicationLag, Verdict::Fail, "lag 74 s");
}

#[test]
fn a_lag_of_zero_needs_a_sign_of_life() {
    let zero = || Case::new().metric(Metric::LagTarget, 0.0, 3).metric(Metric::LagSource, 0.0, 3);
    zero().says(GateId::ReplicationLag, Verdict::Unknown, "proves nothing");
    let idle = || Case::new().stream(0.0, 0.0, 0.0);
    idle().says(GateId::ReplicationLag, Verdict::Unknown, "for 10m00s nothing has moved; write a row on the source");
    for witness in [Metric::RowsSource, Metric::RowsTarget, Metric::Backlog] {
        idle().point(witness, 0.4, 2).says(GateId::ReplicationLag, Verdict::Pass, "");
        idle().point(witness, 0.4, 12).says(GateId::ReplicationLag, Verdict::Unknown, "nothing has moved");
    }
}

#[test]
fn the_larger_of_the_two_latencies_is_the_lag() {
    Case::new().stream(900.0, 0.0, 800.0).says(GateId::ReplicationLag, Verdict::Fail, "lag 900 s");
    Case::new().stream(0.0, 900.0, 800.0).says(GateId::ReplicationLag, Verdict::Fail, "lag 900 s");
    let without_source = Case::new().metric(Metric::LagTarget, 3.0, 3).metric(Metric::RowsTarget, 800.0, 3);
    without_source.says(GateId::ReplicationLag, Verdict::Unknown, "no source latency");
}

#[test]
fn a_latency_that_cannot_be_is_unknown() {
    let alive = || Case::new().stream(1.0, 3.0, 800.0);
    for (value, text) in [
        (-1.0, "gave -1 for the"),
        (f64::NAN, "gave NaN for the"),
        (f64::INFINITY, "gave inf"),
        (1e300, "gave 1.0e300 for the"),
    ] {
        for metric in [Metric::LagSource, Metric::LagTarget] {
            alive().point(metric, value, 3).says(GateId::ReplicationLag, Verdict::Unknown, text);
            alive().point(metric, value, 1).says(GateId::ReplicationLag, Verdict::Unknown, text);
            alive().point(metric, value, 8).says(GateId::ReplicationLag, Verdict::Pass, "");
        }
    }
}

#[test]
fn rows_that_come_in_and_are_never_applied_contradict_a_small_lag() {
    let stuck =
        |lag| Case::new().stream(0.0, lag, 0.0).metric(Metric::RowsSource, 40.0, 3).metric(Metric::Backlog, 900.0, 3);
    stuck(2.0).says(GateId::ReplicationLag, Verdict::Unknown, "DMS has applied none");
    stuck(480.0).says(GateId::ReplicationLag, Verdict::Fail, "lag 480 s");
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
fn one_table_in_error_blocks_although_the_task_runs() {
    one_table(|t| t.state = "Table error".into()).says(GateId::Tables, Verdict::Fail, "shop.orders (Table error)");
    one_table(|t| t.load_errors = 7).says(GateId::Tables, Verdict::Fail, "could not write 7 rows of shop.orders");
    let none = Case::new().learn(Source::Tables, Observation::Tables(vec![]));
    none.says(GateId::Tables, Verdict::Unknown, "no table");
}

#[test]
fn only_tables_that_were_compared_and_are_equal_pass() {
    let validation = |word: &str| one_table(|t| t.validation = word.into());
    validation("Validated").says(GateId::Validation, Verdict::Pass, "equal");
    for word in ["Pending records", "Pending validation", "Preparing table", "Pending revalidation"] {
        validation(word).says(GateId::Validation, Verdict::Unknown, "still to be compared");
    }
    validation("Mismatched records").says(GateId::Validation, Verdict::Fail, "compare the rows");
}

#[test]
fn counters_that_contradict_the_word_validated_block() {
    let failed = one_table(|t| t.validation_failed = Some(12));
    failed.says(GateId::Validation, Verdict::Fail, "shop.orders (Validated, 12 records differ)");
    let suspended = one_table(|t| t.validation_suspended = Some(7));
    suspended.says(GateId::Validation, Verdict::Fail, "7 records change too often");
    let uncounted: [fn(&mut TableStat); 3] =
        [|t| t.validation_pending = None, |t| t.validation_failed = None, |t| t.validation_suspended = None];
    for take in uncounted {
        one_table(take).says(GateId::Validation, Verdict::Unknown, "without saying how many of its records");
    }
    one_table(|t| t.validation_pending = Some(3)).says(GateId::Validation, Verdict::Unknown, "still to be compared");
}

#[test]
fn what_was_never_compared_is_not_called_different() {
    for (word, words) in [
        ("Not enabled", "validation is off; set EnableValidation"),
        ("No primary key", "can never be compared by DMS; give it a primary key"),
        ("Table error", "is in error; reload the table in DMS"),
        ("Error", "shop.orders (Error); revalidate"),
        ("Suspended records", "shop.orders (Suspended records)"),
        ("a new word", "shop.orders (a new word)"),
        ("", "shop.orders ()"),
    ] {
        let case = one_table(|t| t.validation = word.into());
        case.says(GateId::Validation, Verdict::Fail, words);
        let gate = case.gate(GateId::Validation, NOW);
        assert!(gate.reason.starts_with("not compared: "), "{gate:?}");
        assert!(!gate.value.unwrap().contains("mismatched"), "{word}");
        let tables = &case.facts.tables.unwrap().value;
        assert_eq!(crate::domain::replication::TableCounts::of(tables).mismatched, 0, "{word}");
    }
    let off = one_table(|t| t.validation = "Not enabled".into()).gate(GateId::Validation, NOW);
    assert_eq!(off.value.as_deref(), Some("validation is off"));
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
fn an_alarm_that_nobody_hears_passes_nothing() {
    alarms_with(|_| {}).says(GateId::Alarms, Verdict::Pass, "every alarm");
    let silent = alarms_with(|a| a.silenced = Some("its actions are disabled".into()));
    silent.says(GateId::Alarms, Verdict::Fail, "lag-new: its actions are disabled, so nobody hears of it");
    let partial = alarms_with(|a| a.evaluation = Some("PARTIAL_DATA".into()));
    partial.says(GateId::Alarms, Verdict::Unknown, "PARTIAL_DATA");
}

#[test]
fn a_target_that_does_not_answer_blocks_and_says_why() {
    let legacy = ["InService"];
    fleets(1, &["healthy"], &legacy).says(GateId::Targets, Verdict::Pass, "");
    let mut sick = fleets(1, &["healthy", "unhealthy"], &legacy);
    sick.facts.targets.as_mut().unwrap().value.hosts[1].reason = Some("Target.Timeout".into());
    sick.says(GateId::Targets, Verdict::Fail, "Target.Timeout");
    fleets(1, &["initial"], &legacy).says(GateId::Targets, Verdict::Fail, "wait until 1 more have passed");
    fleets(1, &["draining"], &legacy).says(GateId::Targets, Verdict::Fail, "being taken out of service");
    fleets(1, &["unavailable"], &legacy).says(GateId::Targets, Verdict::Fail, "does not check these targets");
    fleets(1, &[], &legacy).says(GateId::Targets, Verdict::Fail, "not registered");
    let mut unused = fleets(1, &["unused"], &legacy);
    unused.facts.targets.as_mut().unwrap().value.hosts[0].reason = Some("Target.NotInUse: not configured".into());
    unused.says(GateId::Targets, Verdict::Fail, "the target group is not in use (Target.NotInUse: not configured)");
}

#[test]
fn targets_are_enough_only_beside_a_known_number_that_is_wanted() {
    let alone = |states: &[&str]| {
        Case::new()
            .learn(Source::Targets, Observation::Hosts(Side::New, hosts(states)))
            .learn(Source::LegacyHosts, Observation::Hosts(Side::Legacy, hosts(&["InService"])))
    };
    alone(&["healthy"]).says(GateId::Targets, Verdict::Unknown, "how many targets are wanted is not known");
    alone(&["unhealthy"]).says(GateId::Targets, Verdict::Fail, "unhealthy");
    fleets(4, &["healthy"; 3], &["InService"]).says(GateId::Targets, Verdict::Fail, "fewer healthy");
}

#[test]
fn the_way_back_has_to_lead_to_somebody() {
    let gone = fleets(1, &["healthy"], &["OutOfService", "OutOfService"]);
    gone.says(GateId::Targets, Verdict::Fail, "the way back leads to nobody");
    fleets(1, &["healthy"], &[]).says(GateId::Targets, Verdict::Fail, "the way back leads to nobody");
    fleets(1, &["healthy"], &["InService", "OutOfService"]).says(GateId::Targets, Verdict::Pass, "");
    let unread = Case::new()
        .learn(Source::Service, Observation::Service(service(1)))
        .learn(Source::Targets, Observation::Hosts(Side::New, hosts(&["healthy"])));
    unread.says(GateId::Targets, Verdict::Unknown, "legacy hosts: not known yet");
    let done = fleets(1, &["healthy"], &[]).weights(0, 100);
    done.says(GateId::Targets, Verdict::Pass, "");
}

#[test]
fn the_service_says_ecs_own_reason_in_a_sentence_that_fits_the_number() {
    let says = |words: &str, change: fn(&mut Service)| ecs(change).says(GateId::Service, Verdict::Fail, words);
    ecs(|_| {}).says(GateId::Service, Verdict::Pass, "");
    says("8 run, 4 wanted: old tasks are being stopped", |s| s.running = 8);
    says("3 of 4 run: tasks are missing; newest event: unable to place a task", |s| {
        s.running = 3;
        s.events = vec![(NOW, "unable to place a task".into())];
    });
    says("1 more are being started beside the 4 that run", |s| s.pending = 1);
    says("takes the release back: ECS deployment circuit breaker: rolling back to ecs-svc/1", |s| {
        s.deployments[0].rollout = "IN_PROGRESS".into();
        s.deployments[0].reason = "ECS deployment circuit breaker: rolling back to ecs-svc/1".into();
    });
    says("the rollout of app:6 failed: tasks failed to start", |s| {
        let failed =
            Deployment { rollout: "FAILED".into(), reason: "tasks failed to start".into(), ..s.deployments[0].clone() };
        s.deployments.push(Deployment { status: "ACTIVE".into(), task_definition: "app:6".into(), ..failed });
    });
    says("wait until it is COMPLETED; ECS: in progress", |s| {
        s.deployments[0].rollout = "IN_PROGRESS".into();
        s.deployments[0].reason = "in progress".into();
    });
}

#[test]
fn a_rollout_state_that_will_never_come_is_not_waited_for() {
    let none = ecs(|s| s.deployments[0].rollout = String::new());
    none.says(GateId::Service, Verdict::Unknown, "gives no rollout state and will give none");
    ecs(|s| s.deployments.clear()).says(GateId::Service, Verdict::Unknown, "no primary deployment");
}

#[test]
fn a_rollout_called_complete_does_not_pass_beside_counts_that_speak_against_it() {
    let says = |verdict, words: &str, change: fn(&mut Service)| ecs(change).says(GateId::Service, verdict, words);
    says(Verdict::Fail, "2 of 4 of its tasks run", |s| s.deployments[0].running = 2);
    says(Verdict::Fail, "1 are being started", |s| s.deployments[0].pending = 1);
    says(Verdict::Fail, "it wants 2 tasks and the service 4", |s| s.deployments[0].desired = 2);
    says(Verdict::Fail, "3 of its tasks failed", |s| s.deployments[0].failed = 3);
    says(Verdict::Fail, "4 tasks of app:6 still run", |s| {
        let old = Deployment { status: "ACTIVE".into(), task_definition: "app:6".into(), ..s.deployments[0].clone() };
        s.deployments.push(old);
    });
    says(Verdict::Fail, "is UNHEALTHY", |s| s.tasks[1].health = "UNHEALTHY".into());
    says(Verdict::Unknown, "counts 4 running tasks and lists 3", |s| s.tasks[0].status = "PENDING".into());
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

/// A journal by AWS's clock: the share came into effect, and left, so many seconds ago.
fn carried(share: u8, since: u64, until: u64, by: &Event) -> Vec<Entry> {
    let at = |ago, event: Event| {
        let at = NOW.minus(Duration::from_secs(ago));
        // This host's clock is far off; it decides nothing here.
        Entry {
            aws_at: Some(at),
            at: at.minus(Duration::from_secs(7200)),
            operator: "o".into(),
            host: "b".into(),
            event,
        }
    };
    let (from, to) = (WeightPair::new(100, 0).unwrap(), WeightPair::new(100 - share, share).unwrap());
    let change = "/change/C1".to_owned();
    let moved = |id: &str, from, to| Event::Intent {
        id: id.into(),
        record: "app.example.com.".into(),
        from,
        to,
        direction: crate::domain::shift::Direction::Forward,
        overrides: vec![],
    };
    let outcome = |id: &str, change: &str| Event::Outcome {
        id: id.into(),
        result: crate::domain::record::OutcomeKind::Accepted,
        weights: None,
        change: Some(change.into()),
        submitted_at: None,
        detail: String::new(),
    };
    let insync = Event::Insync { change: change.clone(), weights: to, verified: true, pending_at: None };
    let mut entries =
        vec![at(since + 41, moved("a", from, to)), at(since + 40, outcome("a", &change)), at(since, insync)];
    if matches!(by, Event::Seen { .. }) {
        entries.push(at(until, by.clone()));
    } else {
        entries.extend([at(until + 1, moved("b", to, from)), at(until, outcome("b", "/change/C2"))]);
    }
    entries
}

#[test]
fn what_was_carried_for_a_whole_bake_within_a_day_may_be_returned_to_at_once() {
    const DAY: u64 = 24 * 3600;
    let own = Event::Note { text: String::new() };
    let found = Event::Seen { weights: WeightPair::new(100, 0).unwrap() };
    let of = |journal: &[Entry], share| {
        let mut case = Case::new().weights(100, 0);
        case.facts.clock_skew_ms = Some(0);
        case.history = Some(History::of(journal));
        case.step((100, 0), share)
    };
    let verdict = |journal: &[Entry], share| of(journal, share).verdict;
    let whole = carried(50, 1200, 700, &own);
    assert_eq!(verdict(&whole, 50), Verdict::Pass);
    assert!(of(&whole, 50).reason.contains("50 % for 8m20s"), "{:?}", of(&whole, 50));
    assert_eq!(verdict(&whole, 40), Verdict::Pass, "less than it has carried");
    assert_eq!(verdict(&whole, 51), Verdict::Fail, "more than it has carried");
    assert_eq!(verdict(&carried(50, 1200, 721, &own), 50), Verdict::Fail, "a second short of the bake");
    assert_eq!(verdict(&carried(50, DAY + 900, DAY, &own), 50), Verdict::Pass);
    assert_eq!(verdict(&carried(50, DAY + 900, DAY + 1, &own), 50), Verdict::Fail, "longer ago than a day");
    // Somebody else took it away, and nobody here saw when.
    assert_eq!(verdict(&carried(50, 1200, 700, &found), 50), Verdict::Fail);
    // An old journal without AWS's time proves nothing, and neither does a host that AWS has not told its time.
    let mut undated = whole.clone();
    for entry in &mut undated {
        entry.aws_at = None;
    }
    assert_eq!(verdict(&undated, 50), Verdict::Fail);
    let mut case = Case::new().weights(100, 0);
    case.facts.clock_skew_ms = None;
    case.history = Some(History::of(&whole));
    assert_eq!(case.step((100, 0), 50).verdict, Verdict::Fail);
}
