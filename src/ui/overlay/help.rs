//! The keys, read from the key table: two columns where they fit, as many rows as there are.
//!
//! Pure.

use ratatui::text::Line;

use crate::keymap::{Action, Binding, KEYMAP};

use super::super::context::ViewContext;
use super::super::text::wrap;
use super::super::theme::{Mark, Role};
use super::{DialogBody, any_key};

/// Cells of a key's name.
const KEY: usize = 9;

/// Cells from which two columns hold every row whole.
const TWO_COLUMNS: usize = 72;

/// The groups of the help, in its order; every binding belongs to exactly one.
const GROUPS: [&str; 5] = ["Move traffic", "Views", "Lists", "Program", "Provision (5)"];

fn group_of(binding: &Binding) -> usize {
    match binding.action {
        action if action.is_about_pulumi() => 4,
        action if action.is_mutating() => 0,
        Action::Go(_) | Action::NextView | Action::PreviousView => 1,
        Action::Filter | Action::Scroll(_) | Action::Page(_) | Action::Top | Action::Bottom => 2,
        _ => 3,
    }
}

/// Whether two such rows fit beside each other: the smallest screen has no row to spare.
fn is_short(binding: &Binding) -> bool {
    matches!(binding.action, Action::Go(_) | Action::Scroll(_) | Action::Redraw | Action::Suspend)
}

pub(super) fn sheet(cx: &ViewContext<'_>, width: usize) -> DialogBody {
    let mut body = legend(cx, width);
    let groups = |groups: &[usize], column: usize| -> Vec<Line<'static>> {
        groups.iter().flat_map(|index| group(cx, *index, column)).collect()
    };
    if width < TWO_COLUMNS {
        body.extend(groups(&[0, 1, 2, 3, 4], width));
        return DialogBody::reading("Keys and signs".to_owned(), body, vec![any_key(cx).line()]);
    }
    let column = (width - 2) / 2;
    let (left, right) = (groups(&[0, 4], column), groups(&[1, 2, 3], column));
    for index in 0..left.len().max(right.len()) {
        let mut spans = Vec::new();
        let mut used = 0;
        if let Some(line) = left.get(index) {
            used = line.width();
            spans.extend(line.spans.iter().cloned());
        }
        if let Some(line) = right.get(index) {
            spans.extend(cx.row().gap(column + 2 - used).line().spans);
            spans.extend(line.spans.iter().cloned());
        }
        body.push(Line::from(spans));
    }
    DialogBody::reading("Keys and signs".to_owned(), body, vec![any_key(cx).line()])
}

fn group(cx: &ViewContext<'_>, group: usize, width: usize) -> Vec<Line<'static>> {
    let mut lines = vec![cx.row().put(Role::Strong, GROUPS[group]).line()];
    let short: Vec<&Binding> = KEYMAP.iter().filter(|b| group_of(b) == group && is_short(b)).collect();
    for two in short.chunks(2) {
        let row = two.iter().fold(cx.row(), |row, b| {
            let keys = keys_of(b);
            let lead = cx.cells(&keys) + 1;
            row.cell(Role::Key, keys, lead).cell(Role::Text, b.help, (width / 2).saturating_sub(lead))
        });
        lines.push(row.line());
    }
    for binding in KEYMAP.iter().filter(|b| group_of(b) == group && !is_short(b)) {
        let keys = keys_of(binding);
        let lead = if cx.cells(&keys) >= KEY { cx.cells(&keys) + 1 } else { KEY };
        for (index, text) in wrap(cx.theme, binding.help, width.saturating_sub(lead)).into_iter().enumerate() {
            let name = if index == 0 { keys.as_str() } else { "" };
            lines.push(cx.row().cell(Role::Key, name, lead).put(Role::Text, text).line());
        }
    }
    lines
}

fn keys_of(binding: &Binding) -> String {
    binding.keys.iter().map(|key| key.label()).collect::<Vec<_>>().join(" ")
}

/// What the signs mean, the first thing that is read.
fn legend(cx: &ViewContext<'_>, width: usize) -> Vec<Line<'static>> {
    let glyphs = cx.theme.glyphs();
    let mut marks = cx.row();
    for mark in [Mark::Pass, Mark::Fail, Mark::Unknown, Mark::Waiting, Mark::Stale] {
        marks = marks.mark(mark).put(Role::Dim, mark.word()).gap(2);
    }
    let others = cx
        .row()
        .put(Role::Legacy, glyphs.bar_legacy.repeat(2))
        .put(Role::Dim, " legacy  ")
        .put(Role::New, glyphs.bar_new.repeat(2))
        .put(Role::Dim, " new  ")
        .put(Role::Strong, glyphs.seen)
        .put(Role::Dim, " seen  ")
        .put(Role::Rule, glyphs.mark)
        .put(Role::Dim, " weights moved");
    let ages = "ages are rounded up: 3m40s is at most that";
    let ages = cx.row().clipped(Role::Dim, ages, width);
    if marks.width() + others.width() + 3 <= width {
        return vec![marks.gap(1).append(others).line(), ages.line(), Line::default()];
    }
    vec![marks.line(), others.line(), ages.line(), Line::default()]
}
