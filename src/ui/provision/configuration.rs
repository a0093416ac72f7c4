//! Whether the stack exists and how it is configured: what is missing first, then what is required or set.
//!
//! Pure.

use ratatui::text::Line;

use crate::domain::pulumi::config::{ConfigRow, KeyStatus, Setup, missing_text};
use crate::keymap::{Action, key_for};

use super::super::context::ViewContext;
use super::super::text::Row;
use super::super::theme::{Mark, Role};
use super::{heading, marked};

/// Cells of a key's name; the longest has 23 letters.
const NAME: usize = 24;

/// Whether a preview cannot run as things are, or makes the stack first.
pub(super) fn stands_in_the_way(cx: &ViewContext<'_>) -> bool {
    let setup = cx.model.provision.setup();
    setup.is_some_and(|setup| !setup.exists || setup.rows().iter().any(is_in_the_way))
}

fn is_in_the_way(row: &ConfigRow<'_>) -> bool {
    matches!(row.status, KeyStatus::Missing | KeyStatus::Wrong(_))
}

/// The stack and its keys, while no run is on the screen.
pub(super) fn lines(cx: &ViewContext<'_>, width: usize) -> Vec<Line<'static>> {
    let Some(setup) = cx.model.provision.setup() else { return Vec::new() };
    let missing = setup.missing();
    let note = match missing.len() {
        _ if setup.values.is_none() => "not known before the stack is made".to_owned(),
        0 if setup.bundled => "nothing is missing".to_owned(),
        0 => String::new(),
        1 => "1 required key is missing".to_owned(),
        count => format!("{count} required keys are missing"),
    };
    let mut out = vec![heading(cx, &format!("Stack {}", cx.model.stack.name), &note, width)];
    if !setup.exists {
        let way = if missing.is_empty() { Action::Preview } else { Action::Configure };
        let text = format!("does not exist yet: {} makes it", key_for(way));
        marked(cx, &mut out, Mark::Unknown, Role::Text, &text, width);
    }
    if setup.values.is_none() {
        return out;
    }
    let shown = |row: &ConfigRow<'_>| row.status != KeyStatus::Unset || row.key.is_required();
    out.extend(setup.rows().iter().filter(|row| shown(row)).map(|row| key_row(cx, row, width).line()));
    if !missing.is_empty() {
        out.push(set_them(cx).line());
    }
    out
}

/// What is missing, in a line, while a run has the screen.
pub(super) fn missing(cx: &ViewContext<'_>, width: usize) -> Vec<Line<'static>> {
    let missing = cx.model.provision.setup().map(Setup::missing).unwrap_or_default();
    let mut out = Vec::new();
    if !missing.is_empty() && cx.model.provision.going_on().is_none() {
        let text = format!("missing: {}; {} sets it", missing_text(&missing), key_for(Action::Configure));
        marked(cx, &mut out, Mark::Fail, Role::Fail, &text, width);
    }
    out
}

fn set_them<'a>(cx: &ViewContext<'a>) -> Row<'a> {
    cx.row()
        .put(Role::GoBadge, format!(" {} ", key_for(Action::Configure)))
        .put(Role::Strong, " sets what is missing; preview and up wait for it")
}

/// One key: how it stands, its value, or what it is for.
pub(in super::super) fn key_row<'a>(cx: &ViewContext<'a>, row: &ConfigRow<'_>, width: usize) -> Row<'a> {
    let name = NAME.min(width / 2);
    let (line, role, text) = match &row.status {
        KeyStatus::Missing => {
            let other = if row.key.name == "hostedZoneId" { " (or hostedZoneName)" } else { "" };
            (cx.row().mark(Mark::Fail), Role::Fail, format!("missing{other}: {}", row.key.meaning))
        }
        KeyStatus::Wrong(why) => (cx.row().mark(Mark::Fail), Role::Fail, format!("{}: {why}", value(row))),
        KeyStatus::Set => (cx.row().mark(Mark::Pass), Role::Text, value(row)),
        KeyStatus::Unset => (cx.row().gap(2), Role::Dim, row.key.default_text().to_owned()),
        KeyStatus::Unknown => (cx.row().mark(Mark::Unknown), Role::Dim, "not known".to_owned()),
    };
    let line = line.cell(role, row.key.name, name).gap(1);
    let room = line.room(width);
    line.clipped(role, text, room)
}

fn value(row: &ConfigRow<'_>) -> String {
    match row.value {
        Some(value) if value.secret => "[secret]".to_owned(),
        Some(value) => value.value.clone().unwrap_or_default().replace('\n', " "),
        None => String::new(),
    }
}
