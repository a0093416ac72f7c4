//! The gates as rows: sign, name, value, limit, age, and the reason of each that does not pass.
//!
//! Pure.

use ratatui::text::Line;

use crate::domain::gate::{Gate, Verdict};

use super::context::ViewContext;
use super::text::{Row, age_up, wrap};
use super::theme::{Mark, Role};
use super::verdict;

/// Cells of a gate's name.
const NAME: usize = 17;
/// Cells of an age.
const AGE: usize = 7;
/// Cells of what was found and what it has to be, where there is room for more.
const FOUND: usize = 60;
/// From this width on every gate's reason stands in its row.
const ROOMY: usize = 130;

/// `11 of 13 pass`, for a heading.
pub(super) fn count<'a>(cx: &ViewContext<'a>) -> Row<'a> {
    let gates = &cx.world.gates;
    let passed = gates.iter().filter(|g| g.passes()).count();
    let role = if passed == gates.len() && passed > 0 { Role::Pass } else { Role::Strong };
    cx.row().put(role, format!("{passed} of {} pass", gates.len()))
}

/// The age of the oldest fact that a gate looked at, for a heading.
pub(super) fn oldest<'a>(cx: &ViewContext<'a>) -> Row<'a> {
    match cx.world.gates.iter().filter_map(|g| g.at).min() {
        Some(at) => cx.row().put(Role::Dim, format!("oldest {}  ", cx.age(at))),
        None => cx.row(),
    }
}

/// The rows of all gates in `width` cells and at most `rows` lines; reasons get what the gates leave over, the
/// worst gate first.
pub(super) fn panel(cx: &ViewContext<'_>, width: usize, rows: usize) -> Vec<Line<'static>> {
    of(cx, &cx.world.gates.iter().collect::<Vec<_>>(), width, rows)
}

/// Those that are told in the view that is shown.
pub(super) fn of_view(cx: &ViewContext<'_>, width: usize, rows: usize) -> Vec<Line<'static>> {
    let own = cx.world.gates.iter().filter(|gate| verdict::home(gate.id) == cx.model.screen.view);
    of(cx, &own.collect::<Vec<_>>(), width, rows)
}

fn of(cx: &ViewContext<'_>, gates: &[&Gate], width: usize, rows: usize) -> Vec<Line<'static>> {
    let roomy = width >= ROOMY;
    let mut spare = rows.saturating_sub(gates.len());
    let mut reasons: Vec<Vec<String>> = vec![Vec::new(); gates.len()];
    if !roomy {
        for wanted in [Mark::Fail, Mark::Unknown, Mark::Stale, Mark::Waiting] {
            for (gate, reason) in gates.iter().zip(&mut reasons) {
                if cx.picture.mark(gate) == wanted && cx.picture.awaited(gate.id).is_empty() {
                    let mut lines = wrap(cx.theme, &gate.reason, width.saturating_sub(4));
                    lines.truncate(spare);
                    spare -= lines.len();
                    *reason = lines;
                }
            }
        }
    }
    let mut lines = Vec::new();
    for (gate, reason) in gates.iter().zip(reasons) {
        lines.push(if roomy { roomy_row(cx, gate, width) } else { row(cx, gate, width) });
        let role = if cx.picture.mark(gate) == Mark::Fail { Role::Text } else { Role::Dim };
        for (index, text) in reason.into_iter().enumerate() {
            let lead = if index == 0 { cx.theme.glyphs().corner } else { " " };
            lines.push(cx.row().gap(2).put(Role::Rule, lead).gap(1).put(role, text).line());
        }
    }
    lines
}

/// Sign, name and value in half a line, for two columns.
pub(super) fn short_row<'a>(cx: &ViewContext<'a>, gate: &Gate, width: usize) -> Row<'a> {
    let mark = cx.picture.mark(gate);
    let room = width.saturating_sub(2 + NAME);
    cx.row().mark(mark).cell(name_role(mark), gate.id.name(), NAME).cell(
        value_role(mark),
        value_text(cx, gate, room),
        room,
    )
}

fn row(cx: &ViewContext<'_>, gate: &Gate, width: usize) -> Line<'static> {
    let mark = cx.picture.mark(gate);
    let room = width.saturating_sub(2 + NAME + AGE);
    let found = found(cx, gate, room.saturating_sub(1), cx.row());
    let row = cx.row().mark(mark).cell(name_role(mark), gate.id.name(), NAME).append(found);
    row.tab(2 + NAME + room).num(Role::Dim, age_text(cx, gate), AGE).line()
}

fn roomy_row(cx: &ViewContext<'_>, gate: &Gate, width: usize) -> Line<'static> {
    let mark = cx.picture.mark(gate);
    let start = cx.row().mark(mark).cell(name_role(mark), gate.id.name(), NAME);
    let row = start.append(found(cx, gate, FOUND - 1, cx.row())).tab(2 + NAME + FOUND);
    let row = row.num(Role::Dim, age_text(cx, gate), AGE).gap(2);
    let room = row.room(width);
    row.clipped(if mark == Mark::Fail { Role::Text } else { Role::Dim }, &gate.reason, room).line()
}

/// What was found beside what it has to be, as far as that says anything: `3.1 s < 60 s`, `3/4 running, wants …`.
fn found<'a>(cx: &ViewContext<'a>, gate: &Gate, room: usize, row: Row<'a>) -> Row<'a> {
    let mark = cx.picture.mark(gate);
    let is_said = gate.value.as_ref().is_some_and(|value| value.contains(&gate.limit));
    let is_compared = gate.limit.starts_with(['<', '>', '≤', '≥']);
    let limit = match gate.verdict {
        _ if is_compared && gate.value.is_some() => format!(" {}", gate.limit),
        Verdict::Pass => String::new(),
        _ if is_said => String::new(),
        _ => format!(", wants {}", gate.limit),
    };
    // The number itself goes before what it is compared with, and both before what stands in brackets.
    let whole = value_text(cx, gate, usize::MAX);
    let fits = cx.cells(&whole) + cx.cells(&limit) <= room;
    let value = if fits { whole } else { value_text(cx, gate, room.saturating_sub(cx.cells(&limit))) };
    let row = row.clipped(value_role(mark), value, room);
    let rest = room.saturating_sub(row.width());
    if cx.cells(&limit) <= rest { row.put(Role::Dim, limit) } else { row }
}

const fn name_role(mark: Mark) -> Role {
    match mark {
        Mark::Pass => Role::Text,
        other => other.role(),
    }
}

const fn value_role(mark: Mark) -> Role {
    match mark {
        Mark::Pass => Role::Text,
        Mark::Fail => Role::Strong,
        other => other.role(),
    }
}

/// The value, without what stands in brackets where that does not fit; the mark's word when there is no value.
fn value_text(cx: &ViewContext<'_>, gate: &Gate, room: usize) -> String {
    let awaited = cx.picture.awaited(gate.id);
    if !awaited.is_empty() && !gate.passes() {
        let names: Vec<_> = awaited.iter().map(|source| source.name()).collect();
        return format!("waiting for {}", names.join(", "));
    }
    let Some(value) = &gate.value else { return cx.picture.mark(gate).word().to_owned() };
    match value.split_once(" (") {
        Some((head, _)) if cx.cells(value) > room => head.to_owned(),
        _ => value.clone(),
    }
}

fn age_text(cx: &ViewContext<'_>, gate: &Gate) -> String {
    gate.at.map_or_else(|| cx.theme.glyphs().none.to_owned(), |at| age_up(cx.world.now.since(at)))
}
