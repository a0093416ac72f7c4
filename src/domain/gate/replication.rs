//! Gates on the DMS task: is the copy complete, close behind, and equal?

use crate::domain::facts::Source;
use crate::domain::metrics::Metric;
use crate::domain::replication::{TableCounts, TaskStatus};
use crate::domain::series::{Freshness, STALE};
use crate::domain::units::{age_text, short_number};

use super::{Gate, GateId, Inputs, MAX_CLOCK_SKEW, Verdict, fresh};

pub(super) fn task(inputs: Inputs<'_>) -> Gate {
    const ID: GateId = GateId::ReplicationTask;
    const LIMIT: &str = "running, CDC";
    let (replication, at) = match fresh(inputs.facts.replication.as_ref(), Source::Replication, inputs) {
        Ok(known) => known,
        Err(why) => return Gate::unknown(ID, LIMIT, why),
    };
    let task = &replication.task;
    let loaded = task.full_load_percent;
    let gate = match &task.status {
        TaskStatus::Running if !task.migration_type.contains("cdc") => Gate::new(
            ID,
            Verdict::Fail,
            "full load only",
            LIMIT,
            "the task copies once and does not follow changes; it needs the type full-load-and-cdc",
        ),
        TaskStatus::Running if loaded == Some(100) && task.tables_errored == 0 => {
            Gate::new(ID, Verdict::Pass, "running, CDC", LIMIT, "the task runs and follows changes")
        }
        TaskStatus::Running if loaded == Some(100) => Gate::new(
            ID,
            Verdict::Fail,
            format!("{} tables in error", task.tables_errored),
            LIMIT,
            "the task says running, but DMS gave up on tables; see Replication for which",
        ),
        TaskStatus::Running => match loaded {
            Some(percent) => Gate::new(
                ID,
                Verdict::Fail,
                format!("full load {percent} %"),
                LIMIT,
                "the full load goes on; wait until it is done",
            ),
            None => Gate::unknown(ID, LIMIT, "the task runs, but DMS does not say how far the full load is"),
        },
        TaskStatus::Stopped | TaskStatus::Failed => {
            let why = task.failure.as_deref().or(task.stop_reason.as_deref()).unwrap_or("DMS gives no reason");
            Gate::new(
                ID,
                Verdict::Fail,
                task.status.word(),
                LIMIT,
                format!("the task is {}: {why}; resume it in DMS", task.status.word()),
            )
        }
        other => {
            Gate::new(ID, Verdict::Fail, other.word(), LIMIT, format!("the task is {}; it has to run", other.word()))
        }
    };
    gate.at(at)
}

pub(super) fn lag(inputs: Inputs<'_>) -> Gate {
    const ID: GateId = GateId::ReplicationLag;
    let limit_s = inputs.policy.lag_limit.as_secs_f64();
    let limit = format!("< {}", age_text(inputs.policy.lag_limit));
    let unknown = |why: String| Gate::unknown(ID, &limit, why);
    if let Some(skew) = inputs.facts.clock_skew_ms.filter(|ms| ms.unsigned_abs() > MAX_CLOCK_SKEW.as_millis() as u64) {
        return unknown(format!(
            "this host's clock is {} s off AWS's, so ages cannot be trusted; set the clock (chronyc makestep) and start again",
            skew / 1000
        ));
    }
    if let Some((_, why)) = inputs.facts.incomplete.iter().find(|(metric, _)| *metric == Metric::LagTarget) {
        return unknown(format!("CloudWatch answered with partial data: {why}"));
    }
    let series = inputs.facts.metrics.series(Metric::LagTarget);
    let Some(point) = series.last_settled(inputs.now) else {
        let why = match (series.freshness(inputs.now), inputs.facts.error(Source::MetricsNew)) {
            (_, Some(error)) => super::not_known(error),
            (Freshness::Provisional, _) => "only a provisional point so far; wait a minute".to_owned(),
            _ => "CloudWatch has no lag for this task; is the task's resource id in the outputs right?".to_owned(),
        };
        return unknown(why);
    };
    let age = inputs.now.since(point.at);
    if age > STALE {
        return unknown(format!("newest point is {} old, limit {}", age_text(age), age_text(STALE))).at(point.at);
    }
    // A provisional point may still grow, so it can only make things worse, never better.
    let worst = series.last().map_or(point.value, |newest| newest.value.max(point.value));
    let text = format!("{} s", short_number(worst));
    if worst >= limit_s {
        let reason = format!(
            "lag {} s, limit {} s; look for a long transaction on the source and at the task's throughput, then wait for it to drain",
            short_number(worst),
            short_number(limit_s)
        );
        return Gate::new(ID, Verdict::Fail, text, &limit, reason).at(point.at);
    }
    let witness = inputs.facts.metrics.series(Metric::RowsTarget).freshness(inputs.now) == Freshness::Fresh
        || inputs.facts.metrics.series(Metric::Backlog).freshness(inputs.now) == Freshness::Fresh;
    if worst <= 0.0 && !witness {
        return unknown(
            "lag 0 alone proves nothing: DMS says 0 also when it reads nothing; throughput and backlog are not known"
                .to_owned(),
        )
        .at(point.at);
    }
    Gate::new(ID, Verdict::Pass, text, &limit, "the target is close behind the source").at(point.at)
}

pub(super) fn tables(inputs: Inputs<'_>) -> Gate {
    const ID: GateId = GateId::Tables;
    const LIMIT: &str = "all completed";
    let (tables, at) = match fresh(inputs.facts.tables.as_ref(), Source::Tables, inputs) {
        Ok(known) => known,
        Err(why) => return Gate::unknown(ID, LIMIT, why),
    };
    if tables.is_empty() {
        return Gate::unknown(ID, LIMIT, "DMS reports no table at all; check the task's table mappings").at(at);
    }
    let counts = TableCounts::of(tables);
    let value = format!("{} completed, {} in error", counts.completed, counts.error);
    let gate = if counts.error > 0 {
        let names: Vec<_> = tables
            .iter()
            .filter(|t| t.table_state() == crate::domain::replication::TableState::Error)
            .map(|t| format!("{} ({})", t.full_name(), t.state))
            .take(3)
            .collect();
        Gate::new(
            ID,
            Verdict::Fail,
            value,
            LIMIT,
            format!("{}; reload the table in DMS before going on", names.join(", ")),
        )
    } else if counts.suspended > 0 {
        Gate::new(
            ID,
            Verdict::Fail,
            format!("{} suspended", counts.suspended),
            LIMIT,
            "a suspended table gets no changes; reload it in DMS",
        )
    } else if counts.loading > 0 {
        Gate::new(
            ID,
            Verdict::Fail,
            format!("{} loading", counts.loading),
            LIMIT,
            "the full load of these tables goes on; wait",
        )
    } else {
        Gate::new(ID, Verdict::Pass, value, LIMIT, "every table is loaded and follows changes")
    };
    gate.at(at)
}

pub(super) fn validation(inputs: Inputs<'_>) -> Gate {
    const ID: GateId = GateId::Validation;
    const LIMIT: &str = "all validated";
    let (tables, at) = match fresh(inputs.facts.tables.as_ref(), Source::Tables, inputs) {
        Ok(known) => known,
        Err(why) => return Gate::unknown(ID, LIMIT, why),
    };
    if tables.is_empty() {
        return Gate::unknown(ID, LIMIT, "DMS reports no table at all").at(at);
    }
    let counts = TableCounts::of(tables);
    let gate = if counts.mismatched > 0 {
        let names: Vec<_> = tables
            .iter()
            .filter(|t| t.validation_state() == crate::domain::replication::ValidationState::Mismatched)
            .map(|t| format!("{} ({}, {} records)", t.full_name(), t.validation, t.validation_failed))
            .take(3)
            .collect();
        Gate::new(
            ID,
            Verdict::Fail,
            format!("{} mismatched", counts.mismatched),
            LIMIT,
            format!("{}; compare the rows, mend the target, revalidate in DMS", names.join(", ")),
        )
    } else if counts.pending > 0 {
        let mut gate = Gate::unknown(ID, LIMIT, format!("{} tables are still being compared; wait", counts.pending));
        gate.value = Some(format!("{} pending", counts.pending));
        gate
    } else {
        Gate::new(
            ID,
            Verdict::Pass,
            format!("{} validated, 0 mismatched", counts.validated),
            LIMIT,
            "source and target were compared and are equal",
        )
    };
    gate.at(at)
}
