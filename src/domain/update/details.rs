//! What Enter shows and `y` copies: the row at the pointer, or how it all stands where there is no row.

use crate::domain::gate::Gate;
use crate::domain::model::Model;
use crate::domain::msg::Effect;
use crate::domain::problems;
use crate::domain::pulumi::{Planned, Resource};
use crate::domain::readiness::{Picture, readiness};
use crate::domain::record::Entry;
use crate::domain::replication::{TableStat, ValidationState};
use crate::domain::table_rates::TableRate;
use crate::domain::targets::members;
use crate::domain::text::Printable;
use crate::domain::traffic::Target;
use crate::domain::units::{age_text, short_number};
use crate::keymap::View;

use super::{notice, toast};

/// Characters that are copied at most: more than any row has, and less than any terminal refuses.
const MOST_COPIED: usize = 4096;

/// Shows all that is known of the row at the pointer; of the gates where there is none.
pub(super) fn open(model: &mut Model) {
    let (title, lines) = match model.screen.view {
        View::Traffic => records(model),
        _ => row(model).unwrap_or_else(|| gates(model)),
    };
    notice(model, title, lines);
}

/// Copies the same, the gates' sentence alone in place of all of them.
pub(super) fn copy(model: &mut Model, effects: &mut Vec<Effect>) {
    // A question that has closed by itself says why for a while, and the yes that was meant for it is no wish to copy.
    if model.screen.toast.as_ref().is_some_and(|toast| toast.is_bad) {
        return;
    }
    let text = row(model).map_or_else(|| stands(model), |(title, lines)| [vec![title], lines].concat().join("\n"));
    let text: String = text.lines().map(|line| Printable::line(line).as_str().to_owned() + "\n").collect();
    let text: String = text.trim_end().chars().take(MOST_COPIED).collect();
    let first = text.lines().next().unwrap_or_default().to_owned();
    toast(model, format!("copied, where the terminal takes it: {first}"), false);
    effects.push(Effect::Copy(text));
}

/// How it all stands, in a line for whoever is told of it.
fn stands(model: &Model) -> String {
    let world = model.shown();
    let ready = readiness(&Picture::of(model, world));
    let weights = world.facts.shiftable().map_or_else(
        || "weights not known".to_owned(),
        |group| format!("legacy {} % new {}", 100 - group.new_share().get(), group.new_share()),
    );
    format!("{} {weights}, {}: {} ({} UTC)", model.stack.name, ready.word, ready.sentence, world.now)
}

/// The row at the pointer: a title and lines.
fn row(model: &Model) -> Option<(String, Vec<String>)> {
    let chosen = model.screen.listing.chosen?;
    match model.screen.view {
        View::Overview | View::Service | View::Traffic => None,
        View::Replication => {
            let (index, table) = *model.tables().get(chosen)?;
            let rate = model.shown().facts.table_rates.get(index).copied().flatten();
            Some((format!("Table {}", table.full_name()), of_table(table, rate)))
        }
        View::Journal => model.entries().nth(chosen).map(of_entry),
        View::Provision if model.provision.log => None,
        View::Provision => match &model.provision.plan {
            Some(plan) if model.provision.run.as_ref().is_some_and(|run| run.head.id == plan.run) => {
                model.planned().get(chosen).map(|(step, _)| of_step(step))
            }
            _ => {
                let run = model.provision.run.as_ref()?;
                let rows = run.state.rows(&model.resource_filter());
                let resource = rows.get(chosen)?.resource;
                let took = resource.elapsed(model.live.now).map(age_text);
                Some(of_resource(resource, took))
            }
        },
    }
}

/// What is wrong beside the gates, whole: the screen has a line of it.
fn wrong(model: &Model) -> Vec<String> {
    let found = problems::find(&Picture::of(model, model.shown()));
    found.into_iter().flat_map(|problem| [problem.text, format!("  {}", problem.hint), String::new()]).collect()
}

/// Every gate that does not pass with its whole reason, and those that do in a line each.
fn gates(model: &Model) -> (String, Vec<String>) {
    let gates = &model.shown().gates;
    let passed = gates.iter().filter(|gate| gate.passes()).count();
    let (pass, open): (Vec<&Gate>, Vec<&Gate>) = gates.iter().partition(|gate| gate.passes());
    let said = |gate: &Gate| {
        let value = gate.value.as_deref().unwrap_or("not known");
        format!("{}: {}: {value}, wants {}", gate.id, gate.verdict.word(), gate.limit)
    };
    let mut lines = wrong(model);
    for gate in open {
        lines.extend([said(gate), format!("  {}", gate.reason), String::new()]);
    }
    lines.extend(pass.into_iter().map(said));
    (format!("{passed} of {} gates pass", gates.len()), lines)
}

/// Every record as Route 53 has it, with all that a table has no room for.
fn records(model: &Model) -> (String, Vec<String>) {
    let facts = &model.shown().facts;
    let group = facts.group.as_ref().and_then(|fact| fact.value.as_ref().ok());
    let astray = group.into_iter().flat_map(|group| members(group, &model.stack.endpoints));
    let mut lines: Vec<String> =
        astray.filter_map(|member| member.problem()).flat_map(|problem| [problem, String::new()]).collect();
    for record in &facts.records {
        let id = record.set_identifier.as_deref().map(|id| format!(" {id}")).unwrap_or_default();
        let weight = record.weight().map(|weight| format!(", weight {weight}")).unwrap_or_default();
        lines.push(format!("{}{id}{weight}, TTL {}", record.rtype, age_text(record.ttl())));
        lines.push(format!("  {}", record.target_text()));
        if let Target::Alias { zone_id, evaluate_health, .. } = &record.target {
            let health =
                if *evaluate_health { "its target's health counts" } else { "its target's health does not count" };
            lines.push(format!("  zone of the target {zone_id}; {health}"));
        }
        lines.extend(record.health_check_id.as_ref().map(|check| format!("  health check {check}")));
    }
    if lines.is_empty() {
        lines.push("not read yet".to_owned());
    }
    (format!("Records of {}", model.stack.group.name), lines)
}

fn of_table(table: &TableStat, rate: Option<TableRate>) -> Vec<String> {
    let told = |count: Option<i64>| count.map_or_else(|| "not told".to_owned(), |count| count.to_string());
    let waiting = told(table.applied.map(|applied| table.captured - applied));
    let per_second = |rate: f64| format!("{}/s", short_number((rate * 10.0).round() / 10.0));
    let rates = match rate {
        None => "not known yet".to_owned(),
        Some(TableRate { captured, applied }) => {
            format!("{} captured, {} applied", per_second(captured), applied.map_or("?".to_owned(), per_second))
        }
    };
    let mut lines = vec![
        format!("state: {}", table.state),
        format!("full load: {} rows, {} could not be written", table.full_load_rows, table.load_errors),
        format!("captured {}, applied {}, waiting {waiting}", table.captured, told(table.applied)),
        format!("rate: {rates}"),
        format!(
            "validation: {}; {} differ, {} wait, {} suspended",
            table.validation,
            told(table.validation_failed),
            told(table.validation_pending),
            told(table.validation_suspended)
        ),
    ];
    lines.extend(table.validation_details.as_ref().map(|words| format!("DMS says: {words}")));
    if table.validation_state() == ValidationState::NotCompared {
        lines.push(format!("Next step: {}", table.why_not_compared()));
    }
    lines.extend(table.updated.map(|at| format!("counted by DMS at {at}")));
    lines
}

fn of_entry(entry: &Entry) -> (String, Vec<String>) {
    let lines = vec![format!("{} on {}", entry.operator, entry.host), entry.event.text()];
    (format!("Journal, {}", entry.at), lines)
}

fn of_step(step: &Planned) -> (String, Vec<String>) {
    let mut lines = vec![step.rtype.clone(), step.urn.clone()];
    lines.extend(step.parent.as_ref().map(|parent| format!("below {parent}")));
    lines.extend(kept_by(step.protect, step.retain));
    for diff in &step.diffs {
        let replaces = if diff.replaces { ", which replaces it" } else { "" };
        lines.push(format!("changes {}{replaces}", diff.path));
    }
    if step.more_diffs > 0 {
        lines.push(format!("and {} more properties", step.more_diffs));
    }
    (format!("{} {}", step.op, step.name()), lines)
}

fn of_resource(resource: &Resource, took: Option<String>) -> (String, Vec<String>) {
    let mut lines = vec![resource.rtype.to_string(), resource.urn.to_string()];
    lines.extend(resource.id.as_ref().map(|id| format!("id {id}")));
    lines.extend(took.map(|took| format!("took {took}")));
    lines.extend(kept_by(resource.protect, resource.retain));
    if resource.errors > 0 || resource.warnings > 0 {
        lines.push(format!("{} errors, {} warnings, in the log", resource.errors, resource.warnings));
    }
    lines.extend(resource.diffs.iter().map(|diff| format!("changes {}", diff.path)));
    (format!("{} {}", resource.op, resource.name()), lines)
}

fn kept_by(protect: bool, retain: bool) -> Vec<String> {
    let words = [(protect, "Pulumi refuses to delete it"), (retain, "a delete leaves it in AWS")];
    words.into_iter().filter(|(holds, _)| *holds).map(|(_, text)| text.to_owned()).collect()
}
