//! How Pulumi stands: its version or why it cannot be used, locks, operations that were left open.
//!
//! Pure.

use ratatui::text::Line;

use crate::domain::checklist::{Progress, of_today};
use crate::domain::provision::PulumiStatus;
use crate::domain::pulumi::lock::{Holder, Lock};
use crate::domain::readiness::readiness;
use crate::keymap::{Action, key_for};

use super::super::context::ViewContext;
use super::super::theme::{Mark, Role};
use super::super::verdict;
use super::{heading, marked, paragraph};

/// Open operations that are listed before the rest is counted.
const LISTED: usize = 4;

pub(super) fn lines(cx: &ViewContext<'_>, width: usize) -> Vec<Line<'static>> {
    let provision = &cx.model.provision;
    let mut out = today(cx, width);
    let Some(look) = &provision.look else {
        out.push(heading(cx, "Pulumi", "", width));
        let text = if provision.asked { "Pulumi is being looked at" } else { "Pulumi was not looked at yet" };
        marked(cx, &mut out, Mark::Waiting, Role::Waiting, text, width);
        not_provisioned(cx, &mut out, width);
        return out;
    };
    let age = format!("checked {} ago", cx.age(look.at));
    match &look.value.pulumi {
        Ok(version) => out.push(heading(cx, &format!("Pulumi {version}"), &age, width)),
        Err(trouble) => {
            out.push(heading(cx, "Pulumi cannot be used", &age, width));
            marked(cx, &mut out, Mark::Fail, Role::Fail, &trouble.message, width);
            paragraph(cx, &mut out, Role::Strong, &format!("Next step: {}", trouble.hint), width);
        }
    }
    if provision.busy.is_some() {
        let text = "Pulumi is being asked; its answer takes a while";
        marked(cx, &mut out, Mark::Waiting, Role::Waiting, text, width);
    }
    for (lock, holder) in &look.value.locks {
        locked(cx, &mut out, lock, *holder, width);
    }
    pending(cx, &mut out, &look.value, width);
    not_provisioned(cx, &mut out, width);
    out
}

/// The first day, or the last one, as a list: each step with its key.
fn today(cx: &ViewContext<'_>, width: usize) -> Vec<Line<'static>> {
    let Some((title, steps)) = of_today(cx.model) else { return Vec::new() };
    let mut lines = Vec::new();
    let mut row = cx.row().put(Role::Strong, title).gap(1);
    for (index, step) in steps.iter().enumerate() {
        let number = index + 1;
        let one = match step.progress {
            Progress::Done => cx.row().gap(1).mark(Mark::Pass).put(Role::Dim, format!("{number} {}", step.name)),
            Progress::Next => {
                let one = cx.row().gap(1).mark(Mark::Waiting).put(Role::Strong, format!("{number} {}", step.name));
                one.gap(1).put(Role::GoBadge, format!(" {} ", key_for(step.action)))
            }
            Progress::Later => {
                cx.row().gap(1).put(Role::Dim, format!("{number} {} ({})", step.name, key_for(step.action)))
            }
        };
        if row.width() + one.width() > width {
            lines.push(std::mem::replace(&mut row, cx.row().gap(2)).line());
        }
        row = row.append(one).gap(1);
    }
    lines.push(row.line());
    lines
}

/// What is missing before the first `up`, a line with its command for each key; else the next thing to do.
fn not_provisioned(cx: &ViewContext<'_>, out: &mut Vec<Line<'static>>, width: usize) {
    let stack = &cx.model.stack;
    if stack.is_provisioned() || cx.model.provision.going_on().is_some() {
        return;
    }
    let answered = cx.picture.answered().map(|text| format!("; {text}")).unwrap_or_default();
    let text =
        format!("not provisioned yet{answered}; next: {}", verdict::line(cx, &readiness(&cx.picture), usize::MAX));
    if stack.unset.is_empty() {
        return marked(cx, out, Mark::Waiting, Role::Text, &text, width);
    }
    // The list of keys below says the same, where Pulumi has told them.
    if cx.model.provision.setup().is_none_or(|setup| setup.missing().is_empty()) {
        for line in &stack.unset {
            marked(cx, out, Mark::Unknown, Role::Text, line, width);
        }
    }
}

fn locked(cx: &ViewContext<'_>, out: &mut Vec<Line<'static>>, lock: &Lock, holder: Holder, width: usize) {
    let (mark, role, rest) = match holder {
        Holder::DeadHere => (
            Mark::Fail,
            Role::Text,
            format!("which is dead on this host: {} clears it, after the stack's name", key_for(Action::ClearLocks)),
        ),
        Holder::AliveHere => {
            (Mark::Waiting, Role::Text, "which still runs on this host: wait for it, or attach to it".to_owned())
        }
        Holder::Unknown => (
            Mark::Unknown,
            Role::Text,
            "whose number is taken here: whether by it or by another cannot be told".to_owned(),
        ),
        Holder::Unseen => {
            (Mark::Unknown, Role::Text, "not seen from here: in another container of this host it may live".to_owned())
        }
        Holder::Elsewhere => {
            (Mark::Unknown, Role::Text, "on another host: look there whether it still runs".to_owned())
        }
    };
    marked(cx, out, mark, role, &format!("locked by {lock}, {rest}"), width);
}

fn pending(cx: &ViewContext<'_>, out: &mut Vec<Line<'static>>, look: &PulumiStatus, width: usize) {
    for open in look.pending.iter().take(LISTED) {
        let text = format!("left open by a dead run: {} {}: {}", open.operation, open.name(), open.look_for());
        marked(cx, out, Mark::Unknown, Role::Text, &text, width);
    }
    let more = look.pending.len().saturating_sub(LISTED);
    if more > 0 {
        paragraph(cx, out, Role::Dim, &format!("and {more} more operations left open"), width);
    }
}

/// What the keys do, while no run is known.
pub(super) fn what_keys_do(cx: &ViewContext<'_>, width: usize) -> Vec<Line<'static>> {
    let stack = &cx.model.stack;
    let mut out = vec![Line::default()];
    let text = format!("No run of the stack {} in {} is known on this host.", stack.name, stack.region);
    paragraph(cx, &mut out, Role::Text, &text, width);
    out.push(Line::default());
    let adopt = (Action::Adopt, "adopt: turns the name's simple record into a weighted one, which the first up needs");
    let keys = [
        (Action::Preview, "preview: says what an up would change, and keeps that as the plan"),
        (Action::Up, "up: runs the plan that was read, and nothing else, after your yes"),
        (Action::Destroy, "destroy: releases the name first, then previews, then asks for the stack's name"),
    ];
    let adopt = (!stack.is_provisioned()).then_some(adopt);
    for (action, text) in adopt.into_iter().chain(keys) {
        let mut lines = Vec::new();
        paragraph(cx, &mut lines, Role::Text, text, width.saturating_sub(4));
        for (index, line) in lines.into_iter().enumerate() {
            let key = if index == 0 { key_for(action) } else { String::new() };
            let mut row = cx.row().gap(1).cell(Role::Key, key, 3).line();
            row.spans.extend(line.spans);
            out.push(row);
        }
    }
    out.push(Line::default());
    let text = "A run goes on when this terminal closes: whoever opens tapctl next sees it and follows it.";
    paragraph(cx, &mut out, Role::Dim, text, width);
    if cx.model.watcher.read_only {
        marked(cx, &mut out, Mark::Unknown, Role::Text, "read only: nothing is started from here", width);
    }
    let passed = cx.model.provision.look.as_ref().map_or(&[][..], |look| look.value.passed_through.as_slice());
    if !passed.is_empty() {
        let text = format!("Pulumi gets these from the environment, and they are never shown: {}", passed.join(", "));
        paragraph(cx, &mut out, Role::Dim, &text, width);
    }
    out
}
