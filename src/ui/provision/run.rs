//! The run that is followed: its command, how far it is, what failed, what came out of it.
//!
//! Pure.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::domain::provision::Run;
use crate::domain::pulumi::explain::unread;
use crate::domain::pulumi::pending::Pending;
use crate::domain::pulumi::{Failure, FailureKind, Resource};
use crate::domain::units::{age_text, counted};
use crate::keymap::{Action, key_for};

use super::super::context::ViewContext;
use super::super::text::{Row, draw_lines};
use super::super::theme::{Mark, Role};
use super::{heading, marked, paragraph};

/// Resources that are named while Pulumi finishes them.
const NAMED: usize = 4;
/// Cells of the progress bar at most.
const BAR: usize = 40;
/// Cells of an output's name.
const OUTPUT_NAME: usize = 30;

/// Command, progress and state; `short` leaves the command out where something else needs the room.
pub(super) fn lines(cx: &ViewContext<'_>, run: &Run, short: bool, width: usize) -> Vec<Line<'static>> {
    let head = &run.head;
    let end = run.ending.as_ref().and(run.state.last_at()).unwrap_or(cx.model.live.now);
    let took = age_text(end.since(head.started_at));
    let whose = format!("{} on {}, {} UTC, {took}", head.operator, head.host, head.started_at.hms());
    let mut out = vec![heading(cx, &format!("pulumi {}", head.kind), &whose, width)];
    if cx.cells(&whose) + cx.cells(head.kind.name()) + 12 > width {
        paragraph(cx, &mut out, Role::Dim, &whose, width);
    }
    if !short {
        paragraph(cx, &mut out, Role::Dim, &format!("$ {}", head.line), width);
    }
    out.push(progress(cx, run, width).line());
    state(cx, &mut out, run, width);
    out
}

/// `█████░░░ 56/112  5 under way  1 failed`.
fn progress<'a>(cx: &ViewContext<'a>, run: &Run, width: usize) -> Row<'a> {
    let progress = run.state.progress();
    let glyphs = cx.theme.glyphs();
    let mut row = cx.row();
    let mut words = match progress.total {
        Some(total) => format!("{}/{total}", progress.done),
        None => format!("{} done", progress.done),
    };
    if let Some(total) = progress.total.filter(|total| *total > 0) {
        let size = BAR.min(width / 3);
        let full = size * (progress.done.min(total) as usize) / (total as usize);
        row = row.put(Role::Rule, glyphs.bar_open).repeat(Role::New, glyphs.bar_done, full);
        row = row.repeat(Role::Dim, glyphs.bar_left, size - full).put(Role::Rule, glyphs.bar_close).gap(1);
    }
    if run.state.is_planning() || run.head.kind.is_preview() {
        words = format!("{} to change", counted(progress.done + progress.running, "resource", "resources"));
    }
    row = row.put(Role::Strong, words);
    if progress.running > 0 && run.ending.is_none() {
        row = row.put(Role::Waiting, format!("  {} under way", progress.running));
    }
    if progress.failed > 0 {
        row = row.put(Role::Fail, format!("  {} failed or unfinished", progress.failed));
    }
    if progress.unchanged > 0 && row.room(width) > 16 {
        row = row.put(Role::Dim, format!("  {} unchanged", progress.unchanged));
    }
    row
}

/// What it is doing, or how it ended and why.
fn state(cx: &ViewContext<'_>, out: &mut Vec<Line<'static>>, run: &Run, width: usize) {
    let run_state = &run.state;
    let Some(ending) = &run.ending else {
        if run.head.asked_to_stop == Some(true) {
            return stopping(cx, out, run, width);
        }
        let text = going_on(cx, run);
        return marked(cx, out, Mark::Waiting, Role::Text, &text, width);
    };
    let (mark, role) = if ending.succeeded { (Mark::Pass, Role::Text) } else { (Mark::Fail, Role::Fail) };
    marked(cx, out, mark, role, &ending.text, width);
    if let Some(why) = &ending.explanation {
        // Where a message about a resource is the whole reason, it stands below with its resource, in full.
        let told = matches!(why.kind, FailureKind::Resource | FailureKind::Other) && !run_state.failures().is_empty();
        if !told {
            paragraph(cx, out, Role::Text, &why.sentence, width);
        }
        paragraph(cx, out, Role::Strong, &format!("Next step: {}", why.next_step), width);
    }
    if let Some(missing) = unread(run_state).filter(|_| ending.succeeded) {
        marked(cx, out, Mark::Unknown, Role::Unknown, &format!("not all is known: {missing}"), width);
    }
    unfinished(cx, out, run, width);
}

/// What was under way when the run ended. What Pulumi's own state tells of it as an open operation is not told twice.
fn unfinished(cx: &ViewContext<'_>, out: &mut Vec<Line<'static>>, run: &Run, width: usize) {
    let open = cx.model.provision.look.as_ref().map_or(&[][..], |look| look.value.pending.as_slice());
    let unfinished = run.state.unfinished();
    let untold = || unfinished.iter().filter(|r| open.iter().all(|pending| pending.urn != *r.urn));
    for resource in untold().take(NAMED) {
        let pending = Pending::of(resource);
        let text = format!("{} {} when it ended: {}", pending.operation, pending.name(), pending.look_for());
        marked(cx, out, Mark::Unknown, Role::Unknown, &text, width);
    }
    let more = untold().count().saturating_sub(NAMED);
    if more > 0 {
        paragraph(cx, out, Role::Dim, &format!("and {more} more that were under way; `o` shows the log"), width);
    }
}

fn going_on(cx: &ViewContext<'_>, run: &Run) -> String {
    let run_state = &run.state;
    if let Some(download) = run_state.downloads().next() {
        let percent = download.received.saturating_mul(100).checked_div(download.total);
        let part = percent.map(|percent| format!(", {percent} %")).unwrap_or_default();
        return format!("fetches {}{part}", download.text);
    }
    if run_state.ending().is_some() {
        return "all is done; Pulumi writes its state".to_owned();
    }
    let under_way = run_state.under_way();
    match under_way.first() {
        Some(_) if !run_state.is_planning() => format!("works on {}", named(cx, run, &under_way)),
        _ if run_state.last_at().is_none() => "has started and said nothing yet".to_owned(),
        _ => "reads the program and how everything stands".to_owned(),
    }
}

fn stopping(cx: &ViewContext<'_>, out: &mut Vec<Line<'static>>, run: &Run, width: usize) {
    let under_way = run.state.under_way();
    let what = if under_way.is_empty() {
        "Pulumi was asked to stop and is about to".to_owned()
    } else {
        format!("asked to stop: Pulumi finishes what is under way: {}", named(cx, run, &under_way))
    };
    marked(cx, out, Mark::Waiting, Role::Waiting, &what, width);
    let text = format!(
        "{} again ends it by force, once a word is typed: what is under way may then exist without Pulumi knowing",
        key_for(Action::Stop)
    );
    paragraph(cx, out, Role::Text, &text, width);
}

/// The first few by name, longest first, and how many more there are.
fn named(cx: &ViewContext<'_>, run: &Run, resources: &[&Resource]) -> String {
    let now = cx.model.live.now;
    let mut texts: Vec<String> = resources
        .iter()
        .take(NAMED)
        .map(|r| {
            let took = r.elapsed(now).filter(|_| run.ending.is_none()).map(|t| format!(" {}", age_text(t)));
            format!("{} ({}){}", r.name(), r.short_type(), took.unwrap_or_default())
        })
        .collect();
    if resources.len() > NAMED {
        texts.push(format!("and {} more", resources.len() - NAMED));
    }
    texts.join(", ")
}

/// What failed, each with its message in full.
pub(super) fn failures(cx: &ViewContext<'_>, run: &Run, width: usize) -> Vec<Line<'static>> {
    let mut out = Vec::new();
    let failures = run.state.failures();
    for Failure { resource, text, .. } in &failures {
        let closing = resource.is_none() && failures.len() > 1;
        match resource.filter(|r| !r.is_stack()) {
            Some(resource) => {
                let title = format!("{} ({}) failed", resource.name(), resource.short_type());
                marked(cx, &mut out, Mark::Fail, Role::Fail, &title, width);
                let mut message = Vec::new();
                paragraph(cx, &mut message, Role::Text, text, width.saturating_sub(2));
                out.extend(message.into_iter().map(|line| {
                    let mut indented = cx.row().gap(2).line();
                    indented.spans.extend(line.spans);
                    indented
                }));
            }
            None if closing => paragraph(cx, &mut out, Role::Dim, text, width),
            None => marked(cx, &mut out, Mark::Fail, Role::Text, text, width),
        }
    }
    out
}

/// Rows for the outputs of a run that ended well: never more than half.
pub(super) fn outputs_height(run: &Run, rows: u16) -> u16 {
    let wanted = match &run.ending {
        Some(ending) if ending.succeeded && !run.head.kind.is_preview() => run.state.outputs().len(),
        _ => 0,
    };
    if wanted == 0 { 0 } else { u16::try_from(wanted + 1).unwrap_or(u16::MAX).min(rows / 2) }
}

/// The stack's outputs, secrets masked.
pub(super) fn outputs(buf: &mut Buffer, area: Rect, cx: &ViewContext<'_>, run: &Run) {
    if area.is_empty() {
        return;
    }
    let all = run.state.outputs();
    let rows = usize::from(area.height - 1);
    let more = all.len().saturating_sub(rows);
    let note = if more > 0 { format!("{more} more: pulumi stack output") } else { String::new() };
    let width = usize::from(area.width);
    let mut lines = vec![heading(cx, &format!("Outputs, {}", all.len()), &note, width)];
    for (name, value) in all.iter().take(rows) {
        let row = cx.row().cell(Role::Dim, name, OUTPUT_NAME.min(width / 2)).gap(1);
        let room = row.room(width);
        lines.push(row.clipped(Role::Text, value, room).line());
    }
    draw_lines(buf, area, &lines);
}
