//! What the gates of the replication say: the task, its lag, its tables.

use super::*;

/// One table, changed from one that is in step.
fn one_table(change: impl FnOnce(&mut TableStat)) -> Case {
    let mut table = table("orders");
    change(&mut table);
    Case::new().learn(Source::Tables, Observation::Tables(vec![table]))
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
