//! The gates as rows: sign, name, value, limit, age, and the reason of each that does not pass.
//!
//! Pure.

use ratatui::text::Line;

use crate::domain::gate::Gate;

use super::context::ViewContext;
use super::text::{Row, at_most, wrap};
use super::theme::{Mark, Role};

/// Cells of a gate's name.
const NAME: usize = 17;
/// Cells of an age.
const AGE: usize = 6;
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
    let gates = &cx.world.gates;
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
    let rest = width.saturating_sub(2 + NAME + AGE);
    let limit = if rest >= 40 { 14 + (rest - 40) / 2 } else { 0 };
    let value = rest - limit;
    cx.row()
        .mark(mark)
        .cell(name_role(mark), gate.id.name(), NAME)
        .clipped(value_role(mark), value_text(cx, gate, value.saturating_sub(1)), value.saturating_sub(1))
        .tab(2 + NAME + value)
        .cell(Role::Dim, &gate.limit, limit)
        .tab(2 + NAME + rest)
        .num(Role::Dim, age_text(cx, gate), AGE)
        .line()
}

fn roomy_row(cx: &ViewContext<'_>, gate: &Gate, width: usize) -> Line<'static> {
    let mark = cx.picture.mark(gate);
    let row = cx
        .row()
        .mark(mark)
        .cell(name_role(mark), gate.id.name(), NAME)
        .cell(value_role(mark), value_text(cx, gate, 38), 39)
        .cell(Role::Dim, &gate.limit, 28)
        .num(Role::Dim, age_text(cx, gate), AGE)
        .gap(2);
    let room = row.room(width);
    row.clipped(if mark == Mark::Fail { Role::Text } else { Role::Dim }, &gate.reason, room).line()
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
    gate.at.map_or_else(|| cx.theme.glyphs().none.to_owned(), |at| at_most(cx.world.now.since(at)))
}
