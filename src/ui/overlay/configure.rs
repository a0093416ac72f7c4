//! The stack's configuration: the list of keys, and the line that a value is typed into.
//!
//! Pure. A secret is drawn as one sign for each character.

use ratatui::text::Line;

use crate::domain::configure::{Configure, Editor, matching};
use crate::domain::pulumi::config::{Default, KeyStatus};

use super::super::context::ViewContext;
use super::super::provision::key_row;
use super::super::text::Row;
use super::super::theme::{Mark, Role};
use super::{DialogBody, named};

/// Rows around the list: the filter, two empty ones, what the chosen key is for, the keys.
const AROUND: usize = 8;

pub(super) fn sheet(cx: &ViewContext<'_>, dialog: &Configure, width: usize, rows: usize) -> DialogBody {
    match dialog {
        Configure::Choose { filter, at } => choose(cx, filter, *at, width, rows),
        Configure::Edit(editor) => edit(cx, editor, width),
    }
}

fn choose(cx: &ViewContext<'_>, filter: &str, at: usize, width: usize, rows: usize) -> DialogBody {
    let Some(setup) = cx.model.provision.setup() else {
        return DialogBody::asking("Configuration".to_owned(), Vec::new(), keys(cx, &[("Esc", "closes this")], width));
    };
    let keys_shown = matching(setup, filter);
    let at = at.min(keys_shown.len().saturating_sub(1));
    let page = rows.saturating_sub(AROUND).max(1);
    let first = at.saturating_sub(page / 2).min(keys_shown.len().saturating_sub(page));
    let mut body: Vec<Line<'static>> = keys_shown
        .iter()
        .enumerate()
        .skip(first)
        .take(page)
        .map(|(index, row)| {
            let lead =
                if index == at { cx.row().put(Role::Key, cx.theme.glyphs().pointer).gap(1) } else { cx.row().gap(2) };
            lead.append(key_row(cx, row, width.saturating_sub(2))).line()
        })
        .collect();
    let count = format!("{} of {}", if keys_shown.is_empty() { 0 } else { at + 1 }, keys_shown.len());
    let cursor = cx.theme.glyphs().cursor;
    let row = cx.row().put(Role::Text, "name holds: ").put(Role::Strong, filter).put(Role::Strong, cursor);
    body.push(row.ending(Role::Dim, count, width).line());
    body.push(Line::default());
    let mut about = Vec::new();
    if let Some(row) = keys_shown.get(at) {
        named(cx, &mut about, "for", Role::Text, row.key.meaning, width);
    } else {
        named(cx, &mut about, "", Role::Dim, "no key's name holds this", width);
    }
    about.resize(2, Line::default());
    body.extend(about);
    let told = [("Enter", "types a value"), ("Up Down", "choose"), ("a-z", "narrow"), ("Esc", "closes this")];
    DialogBody::asking(format!("Configuration of the stack {}", cx.model.stack.name), body, keys(cx, &told, width))
}

fn edit(cx: &ViewContext<'_>, editor: &Editor, width: usize) -> DialogBody {
    let key = editor.key;
    let mut body = vec![Line::default()];
    named(cx, &mut body, "for", Role::Text, key.meaning, width);
    let default = match key.default {
        Default::Required => "none: the program needs it".to_owned(),
        _ => key.default_text().to_owned(),
    };
    named(cx, &mut body, "default", Role::Dim, &default, width);
    let wrong = cx.model.provision.setup().map(|setup| setup.status(key));
    if let Some(KeyStatus::Wrong(why)) = wrong {
        named(cx, &mut body, "now", Role::Fail, &why, width);
    }
    if key.form.has_lines() {
        let text = format!("Several lines come from a file: tapctl config set {} - < FILE", key.name);
        named(cx, &mut body, "file", Role::Text, &text, width);
    } else {
        named(cx, &mut body, "such as", Role::Dim, key.example, width);
    }
    body.push(Line::default());
    body.push(line(cx, editor, width).line());
    match (&editor.error, editor.secret) {
        (Some(error), _) => {
            let mut told = Vec::new();
            named(cx, &mut told, "", Role::Fail, &error.to_string(), width);
            body.extend(told);
        }
        (None, true) => {
            let row = cx.row().mark(Mark::Waiting);
            body.push(row.put(Role::Dim, "kept encrypted, never shown; Tab keeps it plain").line());
        }
        (None, false) => body.push(cx.row().put(Role::Dim, "Tab keeps it encrypted and hides it").line()),
    }
    let told = [("Enter", "shows the command and asks"), ("C-u", "empties"), ("Esc", "back to the list")];
    let title = format!("Set {} of the stack {}", key.name, cx.model.stack.name);
    DialogBody::asking(title, body, keys(cx, &told, width))
}

/// The line, moved so that the cursor is in sight.
fn line<'a>(cx: &ViewContext<'a>, editor: &Editor, width: usize) -> Row<'a> {
    let sign = cx.theme.glyphs().running;
    let text: Vec<char> = editor.typed.chars().collect();
    let lead = cx.row().put(Role::Key, "= ");
    let room = lead.room(width).saturating_sub(2).max(1);
    let start = editor.cursor.saturating_sub(room.saturating_sub(1));
    let part = |from: usize, to: usize| -> String {
        let part = text.get(from.min(text.len())..to.clamp(from.min(text.len()), text.len())).unwrap_or_default();
        if editor.secret { sign.repeat(part.len()) } else { part.iter().collect() }
    };
    let row = lead.put(Role::Strong, part(start, editor.cursor)).put(Role::Key, cx.theme.glyphs().cursor);
    let left = row.room(width);
    row.clipped(Role::Strong, part(editor.cursor, text.len()), left)
}

/// The keys, in as many lines as they need.
fn keys(cx: &ViewContext<'_>, keys: &[(&str, &str)], width: usize) -> Vec<Line<'static>> {
    let mut lines = vec![Line::default()];
    let mut row = cx.row();
    for (key, what) in keys {
        let cells = cx.cells(key) + 1 + cx.cells(what);
        if row.width() > 0 && row.width() + 3 + cells > width {
            lines.push(std::mem::replace(&mut row, cx.row()).line());
        }
        let gap = if row.width() > 0 { 3 } else { 0 };
        row = row.gap(gap).put(Role::Key, key).put(Role::Dim, format!(" {what}"));
    }
    lines.push(row.line());
    lines
}
