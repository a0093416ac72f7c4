//! A plan that waits for its yes: its dangers, its counts, its steps.
//!
//! Pure.

use crate::domain::units::counted;
use ratatui::text::Line;

use crate::domain::provision::{PLAN_MAX_AGE, ReadyPlan};
use crate::domain::pulumi::Operation;
use crate::domain::pulumi::guard::RunKind;
use crate::domain::pulumi::planned::Planned;
use crate::keymap::{Action, key_for};

use super::super::context::ViewContext;
use super::super::text::Row;
use super::super::theme::{Mark, Role};
use super::{Rows, heading, marked, paragraph};

/// What must be seen before anything else, in at most `room` rows (one, when there is none): worst first, the rest
/// counted. All of them carry a sign in the list.
pub(super) fn dangers(cx: &ViewContext<'_>, ready: &ReadyPlan, width: usize, room: usize) -> Vec<Line<'static>> {
    let dangers = ready.plan.danger_lines();
    let mut whole = Vec::new();
    for danger in &dangers {
        marked(cx, &mut whole, Mark::Fail, Role::Fail, &format!("DANGER: {danger}"), width);
    }
    if whole.len() <= room {
        return whole;
    }
    // A wall of them would push away what they are about: each in a line then, and all of them in the question.
    let shown = if dangers.len() <= room { dangers.len() } else { room.saturating_sub(1) };
    let mut out: Vec<Line<'static>> = dangers[..shown]
        .iter()
        .map(|danger| {
            let text = format!("DANGER: {danger}");
            cx.row().mark(Mark::Fail).clipped(Role::Fail, text, width.saturating_sub(2)).line()
        })
        .collect();
    if shown < dangers.len() {
        let more = if shown == 0 { "" } else { "more " };
        let text = format!("DANGER: {} {more}changes to see first, marked in the list", dangers.len() - shown);
        out.push(cx.row().mark(Mark::Fail).clipped(Role::Fail, text, width.saturating_sub(2)).line());
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

/// The steps, type by type, what is dangerous first.
pub(super) fn steps<'r>(cx: &'r ViewContext<'_>, ready: &ReadyPlan, width: usize) -> Rows<'r> {
    let kept = cx.model.planned();
    let all = ready.plan.steps.len();
    let note = if kept.len() == all { String::new() } else { cx.filter_note(kept.len(), all) };
    let heading = heading(cx, &counted(all, "step", "steps"), &note, width);
    let count = kept.len();
    let row = move |index: usize, chosen: bool| {
        let (step, risk) = kept[index];
        // The type stands once, where its steps begin, with how many there are.
        let begins = index == 0 || kept[index - 1].0.rtype != step.rtype || kept[index - 1].1 != risk;
        let alike =
            kept[index..].iter().take_while(|(other, other_risk)| other.rtype == step.rtype && *other_risk == risk);
        let group = if begins { format!("{} ×{}", short_type(&step.rtype), alike.count()) } else { String::new() };
        row(cx, (step, risk), &group, chosen, width).line()
    };
    Rows { heading, count, row: Box::new(row), empty: "no step matches the filter" }
}

fn row<'a>(
    cx: &ViewContext<'a>,
    (step, dangerous): (&Planned, bool),
    group: &str,
    chosen: bool,
    width: usize,
) -> Row<'a> {
    let role = match step.op {
        _ if dangerous => Role::Fail,
        Operation::Delete | Operation::Replace => Role::Unknown,
        _ => Role::Text,
    };
    let row = cx.row().put(Role::Strong, if chosen { cx.theme.glyphs().pointer } else { " " });
    let row = if dangerous { row.mark(Mark::Fail) } else { row.gap(2) };
    let row = row.cell(Role::Dim, group, if width >= 100 { 32 } else { 20 }).gap(1);
    let row = row.cell(role, step.op.sign(), 3).cell(role, step.op.name(), 8).gap(1);
    let row = row.cell(role, step.name(), (width / 3).max(16)).gap(1);
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
