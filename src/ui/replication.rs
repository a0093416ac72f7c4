//! Replication: how far Aurora is behind, and table by table the proof that nothing is missing.
//!
//! Pure.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::domain::facts::Source;
use crate::domain::model::Listing;
use crate::domain::replication::{Need, TableStat, TableState, TaskStatus, ValidationState};
use crate::domain::table_rates::TableRate;
use crate::domain::units::short_number;

use super::context::ViewContext;
use super::text::{Row, draw_lines, wrap};
use super::theme::{Mark, Role};
use super::trends::Trend;
use super::{gates, lag, list, trends};

pub(super) fn draw(buf: &mut Buffer, area: Rect, cx: &ViewContext<'_>) -> Listing {
    let inner = Rect { x: area.x + 1, width: area.width - 2, ..area };
    let width = usize::from(inner.width);
    let list = if inner.width >= 98 && inner.height >= 22 {
        // What the tables leave over belongs to the charts.
        let below = cx.model.tables().len() as u16 + 3;
        let top = inner.height.saturating_sub(below).clamp(inner.height * 2 / 5, trends::most(trends::REPLICATION));
        let left = Rect { width: inner.width * 11 / 20, height: top, ..inner };
        let right = Rect { x: left.right() + 2, width: inner.width - left.width - 2, height: top, ..inner };
        if trends::fits(top) {
            trends::draw(buf, left, cx, trends::REPLICATION);
        } else {
            trends::alone(buf, left, cx, Trend::Lag);
        }
        let rest = cx.heading(buf, right, "DMS task", task_note(cx));
        let wide = usize::from(rest.width);
        let mut lines = task_lines(cx, wide);
        lines.push(lag::throughput(cx, wide).line());
        for text in wrap(cx.theme, PROOF, wide) {
            lines.push(cx.row().put(Role::Dim, text).line());
        }
        draw_lines(buf, rest, &lines);
        let used = (lines.len() as u16).min(rest.height);
        let rest = Rect { y: rest.y + used, height: rest.height - used, ..rest };
        if rest.height > 5 {
            let rest = cx.heading(buf, rest, "Gates of this view", cx.row());
            draw_lines(buf, rest, &gates::of_view(cx, wide, rest.height.into()));
        }
        Rect { y: inner.y + top, height: inner.height - top, ..inner }
    } else {
        let mut lines = vec![lag::line(cx, width).line(), lag::throughput(cx, width).line()];
        lines.extend(task_lines(cx, width));
        lines.truncate(usize::from(inner.height / 2));
        draw_lines(buf, inner, &lines);
        let used = lines.len() as u16;
        Rect { y: inner.y + used, height: inner.height - used, ..inner }
    };
    tables(buf, list, cx)
}

/// Why the lag alone is no proof.
const PROOF: &str = "A lag of 0 also means that DMS read nothing. Drained is: nothing waits, and every table has applied \
                     what it captured.";

fn task_note<'a>(cx: &ViewContext<'a>) -> Row<'a> {
    cx.row().put(Role::Dim, cx.fact_age(cx.world.facts.replication.as_ref()))
}

/// Task, instance, reverse task.
fn task_lines(cx: &ViewContext<'_>, width: usize) -> Vec<Line<'static>> {
    let facts = &cx.world.facts;
    let Some(fact) = &facts.replication else {
        let why = facts
            .error(Source::Replication)
            .map_or_else(|| "not read yet".to_owned(), |e| format!("{e}; {}", e.hint()));
        return wrap(cx.theme, &format!("DMS task: {why}"), width)
            .into_iter()
            .map(|text| cx.row().put(Role::Unknown, text).line())
            .collect();
    };
    let (task, text) = (&fact.value.task, cx.fact_role(Some(fact)));
    let mark = if task.status == TaskStatus::Running { Mark::Pass } else { Mark::Fail };
    let mark = cx.mark_of(Some(fact), mark);
    let loaded = task.full_load_percent.map_or_else(|| "? %".to_owned(), |p| format!("{p} %"));
    let mut lines = vec![
        cx.row()
            .mark(mark)
            .put(Role::Strong, task.status.word())
            .put(text, format!("  {}", task.name))
            .put(Role::Dim, format!("  {}", task.migration_type))
            .line(),
        cx.row()
            .put(Role::Dim, "full load ")
            .put(text, loaded)
            .put(Role::Dim, "  tables loaded ")
            .put(text, task.tables_loaded.to_string())
            .line(),
        cx.row()
            .put(Role::Dim, format!("loading {}  queued {}", task.tables_loading, task.tables_queued))
            .put(
                if task.tables_errored > 0 { Role::Fail } else { Role::Dim },
                format!("  in error {}", task.tables_errored),
            )
            .line(),
    ];
    let mut row = cx.row();
    if let Some(instance) = &fact.value.instance {
        let role = if instance.status == "available" { text } else { Role::Fail };
        row = row
            .put(Role::Dim, "instance ")
            .put(text, format!("{} {} ", instance.id, instance.class))
            .put(role, &instance.status);
    }
    lines.push(row.line());
    if let Some(reverse) = &fact.value.reverse {
        lines.push(
            cx.row()
                .put(Role::Dim, "reverse task ")
                .put(text, reverse.word())
                .put(Role::Dim, "  the way back after the write cutover")
                .line(),
        );
    }
    if let Some(why) = task.failure.as_ref().or(task.stop_reason.as_ref()) {
        lines.extend(wrap(cx.theme, why, width).into_iter().map(|t| cx.row().put(Role::Fail, t).line()));
    }
    lines
}

/// The list of tables, those that need a hand first.
fn tables(buf: &mut Buffer, area: Rect, cx: &ViewContext<'_>) -> Listing {
    let width = usize::from(area.width);
    let facts = &cx.world.facts;
    let Some(fact) = &facts.tables else {
        let rest = cx.heading(buf, area, "Tables", cx.row().put(Role::Dim, "not known"));
        let why =
            facts.error(Source::Tables).map_or_else(|| "not read yet".to_owned(), |e| format!("{e}; {}", e.hint()));
        let lines: Vec<_> =
            wrap(cx.theme, &why, width).into_iter().map(|t| cx.row().put(Role::Unknown, t).line()).collect();
        draw_lines(buf, rest, &lines);
        return Listing::default();
    };
    let kept: Vec<(usize, &TableStat)> = cx.model.tables();
    let schema = kept.first().map(|(_, t)| t.schema.clone()).filter(|s| kept.iter().all(|(_, t)| t.schema == *s));
    let counts = facts.count_tables().unwrap_or_default();
    let bad = counts.error + counts.mismatched + counts.not_compared + counts.suspended;
    let never = match counts.not_compared {
        0 => String::new(),
        count => format!(", {count} not compared"),
    };
    let mut note = cx.row().put(Role::Dim, cx.filter_note(kept.len(), fact.value.len())).gap(1);
    note = note.put(
        if bad > 0 { Role::Fail } else { Role::Dim },
        format!(
            "{} completed, {} loading, {} error; {} validated, {} pending, {} mismatched{never}  ",
            counts.completed, counts.loading, counts.error, counts.validated, counts.pending, counts.mismatched
        ),
    );
    if note.width() + 32 > width {
        note = cx.row().put(Role::Dim, cx.filter_note(kept.len(), fact.value.len())).gap(1);
    }
    let title = schema.as_ref().map_or_else(|| "Tables".to_owned(), |s| format!("Tables of {s}"));
    let rest = cx.heading(buf, area, &title, note.put(Role::Dim, cx.fact_age(Some(fact))));
    let in_schema = |t: &TableStat| if schema.is_some() { 0 } else { t.schema.chars().count() + 1 };
    let longest = kept.iter().map(|(_, t)| in_schema(t) + t.table.chars().count()).max().unwrap_or(0).max(12) + 1;
    let rates = width >= RATES;
    let fixed = 3 + 10 + 10 + 8 + 2 + 16 + 10 + if rates { 2 * RATE } else { 0 };
    let name = width.saturating_sub(fixed).clamp(12, longest.max(12));
    let columns = Columns { name, rates, text: cx.fact_role(Some(fact)), schema };
    draw_lines(buf, rest, &[head(cx, &columns).line()]);
    let body = Rect { y: rest.y + 1, height: rest.height.saturating_sub(1), ..rest };
    list::choose(buf, body.intersection(area), cx, kept.len(), |index, chosen| {
        let (place, table) = kept[index];
        let rate = facts.table_rates.get(place).copied().flatten();
        table_row(cx, table, rate, chosen, &columns).line()
    })
}

/// Cells of a rate, and the width from which there is room for two of them.
const RATE: usize = 9;
const RATES: usize = 98;

struct Columns {
    name: usize,
    rates: bool,
    text: Role,
    /// The schema that all tables have in common.
    schema: Option<String>,
}

/// A table without the schema that stands in the heading.
fn name_of(table: &TableStat, schema: Option<&String>) -> String {
    if schema.is_some() { table.table.clone() } else { table.full_name() }
}

fn head<'a>(cx: &ViewContext<'a>, columns: &Columns) -> Row<'a> {
    let row = cx
        .row()
        .gap(3)
        .cell(Role::Dim, "table", columns.name)
        .num(Role::Dim, "captured", 10)
        .num(Role::Dim, "applied", 10)
        .num(Role::Dim, "waiting", 8);
    let row = if columns.rates { row.num(Role::Dim, "in/s", RATE).num(Role::Dim, "out/s", RATE) } else { row };
    row.gap(2).cell(Role::Dim, "state", 16).put(Role::Dim, "validation")
}

fn table_row<'a>(
    cx: &ViewContext<'a>,
    table: &TableStat,
    rate: Option<TableRate>,
    chosen: bool,
    columns: &Columns,
) -> Row<'a> {
    let text = columns.text;
    let waiting = table.applied.map(|applied| table.captured - applied);
    let state_role = match table.table_state() {
        TableState::Completed => text,
        TableState::Loading => Role::Waiting,
        TableState::Error => Role::Fail,
    };
    let validation_role = match table.validation_state() {
        ValidationState::Validated => text,
        ValidationState::Pending => Role::Waiting,
        ValidationState::Uncounted => Role::Unknown,
        ValidationState::Mismatched | ValidationState::NotCompared => Role::Fail,
    };
    let mut validation = table.validation.clone();
    for (count, what) in [
        (table.validation_failed, "differ"),
        (table.validation_pending, "wait"),
        (table.validation_suspended, "suspended"),
    ] {
        match count {
            None => validation = format!("{validation}, ? {what}"),
            Some(count) if count > 0 => validation = format!("{validation}, {count} {what}"),
            Some(_) => {}
        }
    }
    let none = || cx.theme.glyphs().none.to_owned();
    let row = cx
        .row()
        .put(Role::Strong, if chosen { cx.theme.glyphs().pointer } else { " " })
        .mark(cx.mark_of(cx.world.facts.tables.as_ref(), mark_of(table)))
        .cell(text, name_of(table, columns.schema.as_ref()), columns.name)
        .num(text, grouped(table.captured), 10)
        .num(text, table.applied.map_or_else(none, grouped), 10)
        .num(if waiting > Some(0) { Role::Strong } else { Role::Dim }, waiting.map_or_else(none, grouped), 8);
    let per_second = |rate: Option<f64>| rate.map_or_else(none, |rate| short_number((rate * 10.0).round() / 10.0));
    let row = if columns.rates {
        row.num(text, per_second(rate.map(|r| r.captured)), RATE).num(
            text,
            per_second(rate.and_then(|r| r.applied)),
            RATE,
        )
    } else {
        row
    };
    row.gap(2).cell(state_role, &table.state, 16).put(validation_role, validation)
}

fn mark_of(table: &TableStat) -> Mark {
    match table.need() {
        Need::Now => Mark::Fail,
        Need::Later if table.validation_state() == ValidationState::Uncounted => Mark::Unknown,
        Need::Later => Mark::Waiting,
        Need::None => Mark::Pass,
    }
}

/// A count with its thousands set apart, as long as it is not too long for a column.
fn grouped(count: i64) -> String {
    if count.abs() >= 1_000_000_000 {
        return short_number(count as f64);
    }
    let digits = count.unsigned_abs().to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    if count < 0 { format!("-{text}") } else { text }
}
