//! A plan that waits for its yes: its dangers, its counts, its steps.
//!
//! Pure.

use crate::domain::units::counted;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::domain::model::Listing;
use crate::domain::provision::{PLAN_MAX_AGE, ReadyPlan};
use crate::domain::pulumi::guard::RunKind;
use crate::domain::pulumi::planned::Planned;
use crate::domain::pulumi::{Danger, Operation};
use crate::keymap::{Action, key_for};

use super::super::context::ViewContext;
use super::super::list;
use super::super::text::{Row, draw_lines};
use super::super::theme::{Mark, Role};
use super::{heading, marked, paragraph};

/// What must be seen before anything else, in at most `room` rows (one, when there is none): worst first, the rest
/// counted. All of them carry a sign in the list.
pub(super) fn dangers(cx: &ViewContext<'_>, ready: &ReadyPlan, width: usize, room: usize) -> Vec<Line<'static>> {
    let dangers = ready.plan.danger_lines();
    let mut out = Vec::new();
    for (index, danger) in dangers.iter().enumerate() {
        let mut told = Vec::new();
        marked(cx, &mut told, Mark::Fail, Role::Fail, &format!("DANGER: {danger}"), width);
        let left = dangers.len() - index;
        // The row that counts the rest needs its room as long as there is a rest.
        if out.len() + told.len() + usize::from(left > 1) > room {
            let more = if index == 0 { "" } else { "more " };
            let text = format!("DANGER: {left} {more}changes to see first, marked in the list");
            out.push(cx.row().mark(Mark::Fail).clipped(Role::Fail, text, width.saturating_sub(2)).line());
            break;
        }
        out.extend(told);
    }
    out
}

/// What changes, what drifted, until when it can be run and with which key.
pub(super) fn counts(cx: &ViewContext<'_>, ready: &ReadyPlan, width: usize) -> Vec<Line<'static>> {
    let plan = &ready.plan;
    let mut out = Vec::new();
    let text = format!("plan: {}; {} stay as they are", plan.text(), plan.unchanged);
    paragraph(cx, &mut out, Role::Strong, &text, width);
    if !plan.drift.is_empty() {
        let text = format!("changed behind Pulumi's back: {}", plan.drift.join(", "));
        marked(cx, &mut out, Mark::Unknown, Role::Text, &text, width);
    }
    if plan.hidden > 0 {
        let text = format!("{} more resources than are kept here: read them in the run's file", plan.hidden);
        marked(cx, &mut out, Mark::Unknown, Role::Text, &text, width);
    }
    let key = key_for(if ready.kind == RunKind::PreviewDestroy { Action::Destroy } else { Action::Up });
    let until = ready.at.plus(PLAN_MAX_AGE);
    if plan.is_empty() {
        marked(cx, &mut out, Mark::Pass, Role::Text, "there is nothing to do", width);
    } else if cx.model.live.now.since(ready.at) > PLAN_MAX_AGE {
        let text = format!("too old to be run: the world moves on; {} reads it anew", key_for(Action::Preview));
        marked(cx, &mut out, Mark::Stale, Role::Unknown, &text, width);
    } else {
        let row = cx.row().put(Role::GoBadge, format!(" {key} ")).put(Role::Strong, " runs it, after your yes");
        out.push(row.put(Role::Dim, format!("  good until {} UTC", until.hms())).line());
    }
    out
}

/// The steps, in the engine's order.
pub(super) fn steps(buf: &mut Buffer, area: Rect, cx: &ViewContext<'_>, ready: &ReadyPlan) -> Listing {
    if area.is_empty() {
        return Listing::default();
    }
    let width = usize::from(area.width);
    let kept: Vec<&Planned> = cx.model.planned().collect();
    let all = ready.plan.steps.len();
    let note = if kept.len() == all { String::new() } else { cx.filter_note(kept.len(), all) };
    draw_lines(buf, Rect { height: 1, ..area }, &[heading(cx, &counted(all, "step", "steps"), &note, width)]);
    let page = Rect { y: area.y + 1, height: area.height - 1, ..area };
    list::draw(buf, page, cx, kept.len(), |index| row(cx, kept[index], is_dangerous(ready, kept[index]), width).line())
}

fn is_dangerous(ready: &ReadyPlan, step: &Planned) -> bool {
    ready.plan.dangers.iter().any(|danger| match danger {
        Danger::WeightedRecord { resource, .. } => step.weighted.is_some() && resource == step.name(),
        Danger::Deletes { resource, rtype, .. }
        | Danger::Replaces { resource, rtype, .. }
        | Danger::StopsStream { resource, rtype, .. }
        | Danger::Stops { resource, rtype, .. }
        | Danger::UnknownOperation { resource, rtype } => *rtype == step.rtype && resource == step.name(),
    })
}

fn row<'a>(cx: &ViewContext<'a>, step: &Planned, dangerous: bool, width: usize) -> Row<'a> {
    let role = match step.op {
        _ if dangerous => Role::Fail,
        Operation::Delete | Operation::Replace => Role::Unknown,
        _ => Role::Text,
    };
    let row = if dangerous { cx.row().mark(Mark::Fail) } else { cx.row().gap(2) };
    let name = (width / 3).max(16);
    let row = row.cell(role, step.op.sign(), 3).cell(role, step.op.name(), 8).gap(1).cell(role, step.name(), name);
    let row = row.gap(1).cell(Role::Dim, short_type(&step.rtype), if width >= 100 { 30 } else { 18 }).gap(1);
    let room = row.room(width);
    row.clipped(Role::Dim, diffs(step), room)
}

/// The properties that change; those that force a replacement say so.
fn diffs(step: &Planned) -> String {
    let mut texts: Vec<String> = step
        .diffs
        .iter()
        .map(|diff| if diff.replaces { format!("{} (replaces)", diff.path) } else { diff.path.clone() })
        .collect();
    if step.more_diffs > 0 {
        texts.push(format!("and {} more", step.more_diffs));
    }
    texts.join(", ")
}

/// `aws:rds/cluster:Cluster` as `rds/Cluster`.
fn short_type(rtype: &str) -> String {
    let mut parts = rtype.splitn(3, ':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("aws"), Some(module), Some(class)) => {
            format!("{}/{class}", module.split('/').next().unwrap_or(module))
        }
        (Some("pulumi"), _, Some(class)) => class.to_owned(),
        _ => rtype.to_owned(),
    }
}
