//! Gates on the DMS task: is the copy complete, close behind, and equal?

use crate::domain::facts::Source;
use crate::domain::reading;
use crate::domain::replication::{Replication, TableStat, TaskStatus, ValidationState};
use crate::domain::units::{age_text, counted, short_number};

use super::{Gate, GateId, Inputs, Verdict, fresh};

pub(super) fn task(inputs: Inputs<'_>) -> Gate {
    const ID: GateId = GateId::ReplicationTask;
    const LIMIT: &str = "running, CDC";
    let (replication, at) = match fresh(inputs.facts.replication.as_ref(), Source::Replication, inputs) {
        Ok(known) => known,
        Err(why) => return Gate::unknown(ID, LIMIT, why),
    };
    // The first that finds something says it: what is behind the others comes first.
    let checks: [fn(&Replication) -> Option<Finding>; 5] = [not_running, instance, full_load, trouble, reverse];
    let gate = match checks.into_iter().find_map(|check| check(replication)) {
        Some((verdict, value, reason)) => Gate { value, ..Gate::new(ID, verdict, "", LIMIT, reason) },
        None => Gate::new(ID, Verdict::Pass, "running, CDC", LIMIT, "the task runs and follows changes"),
    };
    gate.at(at)
}

/// Verdict, value and reason of what keeps the gate from passing.
type Finding = (Verdict, Option<String>, String);

fn fails(value: impl Into<String>, reason: impl Into<String>) -> Finding {
    (Verdict::Fail, Some(value.into()), reason.into())
}

fn not_running(replication: &Replication) -> Option<Finding> {
    let task = &replication.task;
    match &task.status {
        TaskStatus::Running => None,
        TaskStatus::Stopped | TaskStatus::Failed => {
            let why = task.failure.as_deref().or(task.stop_reason.as_deref()).unwrap_or("DMS gives no reason");
            let word = task.status.word();
            Some(fails(word, format!("the task is {word}: {why}; resume it in DMS")))
        }
        other => Some(fails(other.word(), format!("the task is {}; it has to run", other.word()))),
    }
}

/// The instance that the task runs on (DMS API, `ReplicationInstance.ReplicationInstanceStatus`).
fn instance(replication: &Replication) -> Option<Finding> {
    let Some(instance) = &replication.instance else {
        let reason = "DMS finds no replication instance, so it is not known what the task runs on".to_owned();
        return Some((Verdict::Unknown, None, reason));
    };
    let then = match instance.status.as_str() {
        "available" => return None,
        "storage-full" => "DMS cannot go on reading; give the instance more storage",
        "rebooting" | "modifying" | "upgrading" | "maintenance" | "creating" => "wait until it is available",
        _ => "it has to be available",
    };
    let status = if instance.status.is_empty() { "in no state that DMS tells" } else { &instance.status };
    let reason = format!("the task says running, but its instance {} is {status}: {then}", instance.id);
    Some(fails(format!("instance {status}"), reason))
}

fn full_load(replication: &Replication) -> Option<Finding> {
    let task = &replication.task;
    if !task.migration_type.contains("cdc") {
        return Some(fails(
            "full load only",
            "the task copies once and does not follow changes; it needs the type full-load-and-cdc",
        ));
    }
    let Some(percent) = task.full_load_percent else {
        let reason = "the task runs, but DMS does not say how far the full load is".to_owned();
        return Some((Verdict::Unknown, None, reason));
    };
    let (loading, queued) = (task.tables_loading, task.tables_queued);
    if percent < 100 {
        Some(fails(format!("full load {percent} %"), "the full load goes on; wait until it is done"))
    } else if task.tables_errored > 0 {
        Some(fails(
            format!("{} in error", counted(task.tables_errored, "table", "tables")),
            "the task says running, but DMS gave up on tables; see Replication for which",
        ))
    } else if loading > 0 || queued > 0 {
        Some(fails(
            format!("{loading} loading, {queued} queued"),
            format!(
                "DMS calls the full load done, but tables are still to be loaded: {loading} loading, {queued} queued; wait for them"
            ),
        ))
    } else if task.tables_loaded == 0 && task.migration_type.contains("full-load") {
        let reason = "DMS calls the full load done and has loaded no table; check the task's table mappings".to_owned();
        Some((Verdict::Unknown, Some("0 tables loaded".to_owned()), reason))
    } else {
        None
    }
}

/// What DMS says beside `running`.
fn trouble(replication: &Replication) -> Option<Finding> {
    let words = replication.task.present_trouble()?;
    let reason = format!("the task says running, but DMS also says: {words}; look at the task's log, then resume it");
    Some((Verdict::Unknown, Some("running, with an error".to_owned()), reason))
}

/// Both ways at once would send every change round in a circle (DMS user guide, "Performing bidirectional replication").
fn reverse(replication: &Replication) -> Option<Finding> {
    let running = replication.reverse.as_ref().is_some_and(|status| *status == TaskStatus::Running);
    running.then(|| {
        fails(
            "reverse runs too",
            "the reverse task runs beside this one: changes would go round in a circle; stop it until the writer moves",
        )
    })
}

pub(super) fn lag(inputs: Inputs<'_>) -> Gate {
    const ID: GateId = GateId::ReplicationLag;
    let limit_s = inputs.policy.lag_limit.as_secs_f64();
    let limit = format!("< {}", age_text(inputs.policy.lag_limit));
    let unknown = |why: String| Gate::unknown(ID, &limit, why);
    let reading = reading::lag(inputs.facts, inputs.now);
    let at = reading.at;
    let Some(&lag) = reading.fresh() else { return Gate { at, ..unknown(reading.quality.why().to_owned()) } };
    let text = format!("{} s", short_number(lag));
    let gate = if lag >= limit_s {
        let reason = format!(
            "lag {} s, limit {} s; look for a long transaction on the source and at the task's throughput, then wait for it to drain",
            short_number(lag),
            short_number(limit_s)
        );
        Gate::new(ID, Verdict::Fail, text, &limit, reason)
    } else {
        Gate::new(ID, Verdict::Pass, text, &limit, "the target is close behind the source")
    };
    Gate { at, ..gate }
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
    let counts = inputs.facts.count_tables().unwrap_or_default();
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
    } else if let Some(table) = tables.iter().find(|t| t.load_errors != 0) {
        let lost = tables.iter().filter(|t| t.load_errors != 0).count();
        Gate::new(
            ID,
            Verdict::Fail,
            format!("{lost} with lost rows"),
            LIMIT,
            format!(
                "DMS could not write {} rows of {} in the full load; look at its log, then reload the table",
                table.load_errors,
                table.full_name()
            ),
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
    let counts = inputs.facts.count_tables().unwrap_or_default();
    let of = |state| tables.iter().filter(move |t| t.validation_state() == state);
    let gate = if counts.mismatched > 0 {
        let names: Vec<_> = of(ValidationState::Mismatched)
            .map(|t| match t.validation_failed.unwrap_or_default() {
                0 => format!("{} ({})", t.full_name(), t.validation),
                found => format!("{} ({}, {found} records differ)", t.full_name(), t.validation),
            })
            .take(3)
            .collect();
        let reason = format!("{}; compare the rows, fix the target, revalidate in DMS", names.join(", "));
        Gate::new(ID, Verdict::Fail, format!("{} mismatched", counts.mismatched), LIMIT, reason)
    } else if counts.not_compared > 0 {
        let off = tables.iter().all(|t| t.validation.eq_ignore_ascii_case("not enabled"));
        let value = if off { "validation is off".to_owned() } else { format!("{} not compared", counts.not_compared) };
        let first = of(ValidationState::NotCompared).next().map(TableStat::why_not_compared).unwrap_or_default();
        let more = match counts.not_compared {
            1 => String::new(),
            all => format!(" ({} more tables are not compared)", all - 1),
        };
        Gate::new(ID, Verdict::Fail, value, LIMIT, format!("not compared: {first}{more}"))
    } else if let Some(first) = of(ValidationState::Uncounted).next() {
        let reason = format!(
            "DMS calls {} validated without saying how many of its records failed, wait or are suspended; it is asked again",
            first.full_name()
        );
        Gate { value: Some(format!("{} not counted", counts.uncounted)), ..Gate::unknown(ID, LIMIT, reason) }
    } else if counts.pending > 0 {
        let mut gate = Gate::unknown(
            ID,
            LIMIT,
            format!("still to be compared: {}; wait", counted(counts.pending, "table", "tables")),
        );
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
