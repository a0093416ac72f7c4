//! Snapshots, gates and journal entries as text for people.
//!
//! Pure. The same facts as the JSON, in words; `–` stands where nothing is known.

use std::fmt::Write;

use crate::domain::endpoint::elsewhere;
use crate::domain::model::{Stack, Watcher};
use crate::domain::record::Entry;
use crate::domain::units::short_number;

use super::snapshot::{GateRow, ServiceRow, Snapshot, Traffic};

/// A snapshot.
#[must_use]
pub fn snapshot(snapshot: &Snapshot, stack: &Stack, watcher: &Watcher) -> String {
    let mut text = String::new();
    let mut row = |name: &str, words: &str| {
        let _ = writeln!(text, "{name:<12} {words}");
    };
    let drill = watcher
        .simulation
        .as_ref()
        .map(|s| format!("  SIMULATION {} ×{}", s.scenario, short_number(s.speed)))
        .unwrap_or_default();
    let elsewhere = if watcher.simulation.is_some() { Vec::new() } else { elsewhere(&watcher.api_endpoints) };
    let endpoints = elsewhere.iter().fold(String::new(), |text, host| text + "  ENDPOINT " + host);
    let read_only = if watcher.read_only { "  READ-ONLY" } else { "" };
    let regions = format!("{} → {}", stack.legacy_region, stack.region);
    row(&snapshot.stack, &format!("{regions}  {}{drill}{endpoints}{read_only}", snapshot.at));
    if !snapshot.provisioned {
        row("New stack", "not provisioned yet: `tapctl adopt` makes the name a weighted record, `tapctl up` the stack");
    }
    for line in &stack.unset {
        row("Not set", line);
    }
    row("Traffic", &traffic(&snapshot.traffic));
    row("Replication", &replication(snapshot));
    row("Service", &service(&snapshot.service));
    row("Alarms", &alarms(snapshot));
    for source in snapshot.sources.iter().filter(|source| !source.ok && !source.absent) {
        row("Not known", &format!("{}: {}", source.name, source.error.as_deref().unwrap_or("no answer")));
    }
    row("Next step", &format!("{}: {}", snapshot.readiness.verdict, snapshot.readiness.sentence));
    text.push('\n');
    text.push_str(&gates(&snapshot.gates));
    text
}

/// The gates and what follows from them.
#[must_use]
pub fn gates(rows: &[GateRow]) -> String {
    let mut text = String::new();
    let width = |cell: fn(&GateRow) -> usize| rows.iter().map(cell).max().unwrap_or(0);
    let id = width(|row| row.id.len());
    let value = width(|row| row.value.as_deref().unwrap_or("–").chars().count());
    let limit = width(|row| row.limit.chars().count());
    for row in rows {
        let found = row.value.as_deref().unwrap_or("–");
        let _ = writeln!(
            text,
            "{:<7}  {:<id$}  {found:<value$}  {:<limit$}  {}",
            row.verdict, row.id, row.limit, row.reason
        );
    }
    let passing = rows.iter().filter(|row| row.verdict == "pass").count();
    let verdict = if passing == rows.len() && !rows.is_empty() {
        "ready to shift".to_owned()
    } else {
        format!("{} in the way of more traffic for the new stack; the way back is open", rows.len() - passing)
    };
    let _ = writeln!(text, "{passing} of {} gates pass: {verdict}", rows.len());
    text
}

/// A journal entry, one line.
#[must_use]
pub fn entry(entry: &Entry) -> String {
    format!("{}  {}@{}  {}", entry.at, entry.operator, entry.host, entry.event.text())
}

fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| value.to_string())
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), short_number)
}

fn traffic(traffic: &Traffic) -> String {
    let mut words = format!(
        "{} {}: legacy {}, new {}; wanted {} %, observed {} % on the new stack",
        traffic.record,
        traffic.rtype,
        or_dash(traffic.legacy_weight),
        or_dash(traffic.new_weight),
        number(traffic.new_percent),
        number(traffic.observed_new_percent),
    );
    if let Some(change) = &traffic.change {
        let _ = write!(words, "; change {} {}", change.id, change.status.as_deref().unwrap_or("of unknown state"));
    }
    if let Some(drift) = &traffic.drift {
        let confirmed = drift.confirmed.map_or_else(|| "nothing".to_owned(), |weights| weights.to_string());
        let _ = write!(words, "; DRIFT: {confirmed} was confirmed here, {} is there", drift.found);
    }
    if let Some(problem) = &traffic.problem {
        let _ = write!(words, "; {problem}");
    }
    words
}

fn replication(snapshot: &Snapshot) -> String {
    let replication = &snapshot.replication;
    let lag = match (&replication.lag_s, &replication.lag_at) {
        (Some(seconds), Some(at)) => format!("lag {} s (minute of {at})", short_number(*seconds)),
        _ => "lag –".to_owned(),
    };
    format!(
        "{}, full load {} %, {lag}; tables: {} completed, {} loading, {} in error, {} suspended; \
         validation: {} equal, {} pending, {} different, {} not compared",
        or_dash(replication.task.as_deref()),
        or_dash(replication.full_load_percent),
        or_dash(replication.tables.completed),
        or_dash(replication.tables.loading),
        or_dash(replication.tables.error),
        or_dash(replication.tables.suspended),
        or_dash(replication.validation.validated),
        or_dash(replication.validation.pending),
        or_dash(replication.validation.mismatched),
        or_dash(replication.validation.not_compared),
    )
}

fn service(service: &ServiceRow) -> String {
    format!(
        "{}/{} running, {} pending, rollout {}; targets: {} healthy, {} unhealthy; CPU {} %, memory {} %",
        or_dash(service.running),
        or_dash(service.desired),
        or_dash(service.pending),
        or_dash(service.rollout.as_deref()),
        or_dash(service.healthy_targets),
        or_dash(service.unhealthy_targets),
        number(service.cpu_percent),
        number(service.memory_percent),
    )
}

fn alarms(snapshot: &Snapshot) -> String {
    let Some(alarms) = &snapshot.alarms else { return "–".to_owned() };
    let loud: Vec<_> = alarms
        .iter()
        .filter(|alarm| alarm.state != "OK")
        .map(|alarm| format!("{} {} since {}", alarm.name, alarm.state, or_dash(alarm.since.as_deref())))
        .collect();
    match (alarms.len(), loud.len()) {
        (0, _) => "none exist".to_owned(),
        (all, 0) => format!("{all} OK"),
        (all, bad) => format!("{} OK; {}", all - bad, loud.join("; ")),
    }
}
