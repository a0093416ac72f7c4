//! The adapter against the simulator in this process: every question gets a sensible answer, the swap swaps, and each
//! fault ends in the error that names it.

use super::super::in_process::{InProcessReply, http_client};
use super::*;
use crate::domain::confirm::YesFlag;
use crate::domain::metrics::{Metric, Metrics};
use crate::domain::replication::{TableState, TaskStatus};
use crate::domain::series::Freshness;
use crate::domain::shift::ShiftPlan;
use crate::domain::traffic::RecordGroup;
use crate::sim::{Fault, Sim, SimConfig};

/// The simulator's time.
fn time_of(sim: &Sim) -> Timestamp {
    Timestamp::from_millis(sim.now().as_millisecond())
}

/// A simulator and the adapter on it. Its time only moves when a test moves it.
async fn world() -> (Sim, Aws) {
    let sim = Sim::new(SimConfig { start: Some(NOW.parse().unwrap()), ..SimConfig::default() });
    let aws = adapter(&sim).await;
    (sim, aws)
}

async fn adapter(sim: &Sim) -> Aws {
    let handler = sim.clone();
    let client = http_client(Arc::new(move |request| {
        let reply = handler.handle(request);
        InProcessReply { response: reply.response, delay: reply.delay, drop_connection: reply.drop_connection }
    }));
    let outputs = StackOutputs::parse(&sim.outputs().to_string()).unwrap();
    let settings = AwsSettings {
        test_credentials: true,
        http_client: Some(client),
        legacy_db_instance: Some(crate::sim::LEGACY_DB_ID.into()),
        ..AwsSettings::default()
    };
    let clock = sim.clone();
    Aws::connect(settings, outputs, Arc::new(move || time_of(&clock)), Arc::new(|| Ok(None))).await
}

async fn seen(aws: &Aws) -> RecordGroup {
    let Ok(Observation::Records(records)) = aws.observe(Query::Records).await else { panic!("no records") };
    RecordGroup::from_records(&aws.key().unwrap(), &records).unwrap()
}

fn to(group: &RecordGroup, share: u8) -> Confirmed<Batch> {
    let plan = ShiftPlan::new(group, Percent::new(share).unwrap()).unwrap();
    Confirmed::by_flag(plan.batch(), YesFlag::from_cli(true).unwrap())
}

#[tokio::test(start_paused = true)]
async fn every_question_gets_a_sensible_answer() {
    let (sim, aws) = world().await;
    let now = time_of(&sim);
    assert_eq!(seen(&aws).await.pairs().len(), 1);

    let Ok(Observation::Replication(replication)) = aws.observe(Query::Replication).await else { panic!() };
    assert_eq!(replication.task.status, TaskStatus::Running);
    assert_eq!(replication.task.migration_type, "full-load-and-cdc");
    assert_eq!(replication.task.full_load_percent, Some(100));
    assert_eq!(replication.instance.unwrap().status, "available");
    assert_eq!(replication.reverse, Some(TaskStatus::Ready));

    let Ok(Observation::Tables(tables)) = aws.observe(Query::Tables).await else { panic!() };
    assert!(tables.len() > 3 && tables.iter().all(|table| table.table_state() == TableState::Completed));
    assert!(
        tables
            .iter()
            .all(|table| table.full_load_rows > 0 && table.applied.is_some_and(|applied| applied <= table.captured))
    );

    let Ok(Observation::Service(service)) = aws.observe(Query::Service).await else { panic!() };
    assert_eq!((service.status.as_str(), service.rollout()), ("ACTIVE", Some("COMPLETED")));
    assert!(service.running >= 4 && service.tasks.len() == service.running as usize);
    assert!(service.tasks.iter().all(|task| task.status == "RUNNING" && task.zone.starts_with("us-west-2")));

    let Ok(Observation::Hosts(Side::New, targets)) = aws.observe(Query::Hosts(Side::New)).await else { panic!() };
    assert_eq!((targets.healthy(), targets.unhealthy()), (service.running as usize, 0));
    let Ok(Observation::Hosts(Side::Legacy, fleet)) = aws.observe(Query::Hosts(Side::Legacy)).await else { panic!() };
    assert!(fleet.healthy() > 0 && fleet.hosts.iter().all(|host| host.id.starts_with("i-") && host.reason.is_none()));

    let Ok(Observation::Identity(caller)) = aws.observe(Query::Identity).await else { panic!() };
    assert_eq!((caller.account.as_str(), caller.short()), ("123456789012", "oncall-role/bastion"));
    assert_eq!(aws.observe(Query::StackRun).await, Ok(Observation::StackRun(None)));

    let mut found = Vec::new();
    for side in [Side::New, Side::Legacy] {
        let Ok(Observation::Alarms(_, alarms)) = aws.observe(Query::Alarms(side)).await else { panic!() };
        found.extend(alarms.into_iter().map(|alarm| alarm.name));
    }
    found.sort();
    let mut expected = aws.built().unwrap().monitoring.alarm_names.clone();
    expected.sort();
    assert_eq!(found, expected);
    assert!(aws.clock_skew().unwrap().abs() < 1000, "the simulator's clock is the one that facts are dated with");
    assert!(now >= Timestamp::parse(NOW).unwrap());
}

#[tokio::test(start_paused = true)]
async fn every_metric_that_is_asked_for_is_found_under_its_name_and_dimensions() {
    let (sim, aws) = world().await;
    // A balancer that gets no request publishes nothing of requests.
    aws.send(&to(&seen(&aws).await, 10)).await.unwrap();
    sim.advance(Duration::from_secs(3_900));
    let now = time_of(&sim);
    let mut metrics = Metrics::default();
    for side in [Side::New, Side::Legacy] {
        let Ok(Observation::Metrics(_, readings)) = aws.observe(Query::Metrics(side, None)).await else { panic!() };
        assert_eq!(readings.incomplete, []);
        assert_eq!(readings.series.len(), Metric::of(side).count());
        metrics.absorb(&readings, now);
    }
    // Balancers publish 5xx only when there are some; all else is there every minute.
    let sparse = [Metric::NewTarget5xx, Metric::NewElb5xx, Metric::LegacyBackend5xx, Metric::LegacyElb5xx];
    for metric in Metric::ALL.into_iter().filter(|metric| !sparse.contains(metric)) {
        let series = metrics.series(metric);
        assert_eq!(series.freshness(now), Freshness::Fresh, "{metric:?} {:?}", series.last());
        assert!(series.points().len() > 50, "{metric:?} has {} points", series.points().len());
        assert!(series.points().iter().all(|p| p.value >= 0.0 && p.at.millis() % 60_000 == 0), "{metric:?}");
    }
    assert!(metrics.series(Metric::LegacyRequests).last_settled().unwrap().value > 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_step_is_taken_and_comes_into_sync() {
    let (sim, aws) = world().await;
    let before = seen(&aws).await;
    let share = before.new_share().get() + 10;
    let change = aws.send(&to(&before, share)).await.unwrap();
    assert_eq!(change.status, ChangeStatus::Pending);
    assert_eq!(change.at.distance(time_of(&sim)).as_secs(), 0);
    let after = seen(&aws).await;
    assert_eq!(after.new_share().get(), share);
    assert_eq!(after, before.with_weights(after.weights()), "nothing but the weights has changed");
    sim.advance(Duration::from_secs(120));
    let Ok(Observation::Change(done)) = aws.observe(Query::Change(change.id.clone())).await else { panic!() };
    assert_eq!((done.id, done.status), (change.id, ChangeStatus::Insync));
}

#[tokio::test(start_paused = true)]
async fn of_two_consoles_at_the_same_moment_exactly_one_wins() {
    let (sim, first) = world().await;
    let second = adapter(&sim).await;
    let group = seen(&first).await;
    let share = group.new_share().get();
    let (a, b) = (to(&group, share + 10), to(&group, share + 20));
    let (one, other) = tokio::join!(first.send(&a), second.send(&b));
    let (winner, loser) = match (&one, &other) {
        (Ok(_), Err(failed)) => (share + 10, &failed.error),
        (Err(failed), Ok(_)) => (share + 20, &failed.error),
        both => panic!("{both:?}"),
    };
    assert_eq!(loser.kind, ErrorKind::Conflict, "{loser}");
    assert!(loser.message.contains("do not match the current values"), "{loser}");
    sim.advance(Duration::from_secs(5));
    assert_eq!(seen(&first).await.new_share().get(), winner);
}

#[tokio::test(start_paused = true)]
async fn each_fault_ends_in_the_error_that_names_it() {
    let rows = [
        (Fault { code: Some("Throttling".into()), ..Fault::on("*") }, ErrorKind::Throttled),
        (Fault { code: Some("ExpiredToken".into()), ..Fault::on("*") }, ErrorKind::Credentials),
        (Fault { code: Some("AccessDenied".into()), ..Fault::on("*") }, ErrorKind::Denied),
        (Fault { code: Some("ServiceUnavailable".into()), ..Fault::on("*") }, ErrorKind::Unreachable),
        (Fault { code: Some("InternalFailure".into()), ..Fault::on("*") }, ErrorKind::Unreachable),
        (Fault { drop: true, ..Fault::on("*") }, ErrorKind::Unreachable),
        (Fault { garbage: true, ..Fault::on("*") }, ErrorKind::Garbled),
        (Fault { latency_ms: 60_000, ..Fault::on("*") }, ErrorKind::TimedOut),
    ];
    for (fault, kind) in rows {
        let (sim, aws) = world().await;
        sim.inject(fault.clone());
        for query in super::broken::queries() {
            let error = aws.observe(query.clone()).await.unwrap_err();
            assert_eq!(error.kind, kind, "{query:?} {fault:?}: {error}");
            let actions: Vec<_> = iam_actions().map(|row| row.action).collect();
            assert!(actions.contains(&error.operation.as_str()), "{error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_passes_is_not_noticed_by_a_read() {
    let (sim, aws) = world().await;
    sim.inject(Fault { drop: true, count: Some(2), ..Fault::on("route53") });
    seen(&aws).await;
}

#[tokio::test(start_paused = true)]
async fn a_dropped_write_is_settled_by_reading_and_not_by_writing_again() {
    let (sim, aws) = world().await;
    let group = seen(&aws).await;
    sim.inject(Fault { drop: true, count: Some(1), ..Fault::on("route53") });
    let error = aws.send(&to(&group, group.new_share().get() + 10)).await.unwrap_err().error;
    assert!(error.outcome_unknown(), "{error}");
    assert_eq!(seen(&aws).await, group);
}
