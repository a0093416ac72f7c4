//! Questions about Pulumi and the zone: what would be done, what cannot be undone, the exact call.
//!
//! Pure.

use ratatui::text::Line;

use crate::domain::change::load;
use crate::domain::confirm::Confirmation;
use crate::domain::model::PendingAction;
use crate::domain::pulumi::config::{self, ConfigValue};
use crate::domain::pulumi::guard::RunKind;
use crate::domain::pulumi::{PulumiChange, RunRequest, SetConfig};

use super::super::context::ViewContext;
use super::super::theme::Role;
use super::{DialogBody, named, question_foot};

/// Changes that are listed one by one before the rest is counted.
const LISTED: usize = 8;

pub(super) fn sheet(cx: &ViewContext<'_>, question: &Confirmation<PendingAction>, width: usize) -> DialogBody {
    let mut body = vec![Line::default()];
    let mut shorter = Vec::new();
    let verb = match question.subject() {
        PendingAction::Pulumi(PulumiChange::Run(run)) => {
            shorter.push(of_run(cx, &mut body, run, width));
            "run it"
        }
        PendingAction::Pulumi(PulumiChange::CreateStack(new)) => {
            named(cx, &mut body, "call", Role::Text, &new.call_text(), width);
            let effect = "The stack is empty then, and its configuration is asked for. Nothing in AWS changes. The preview \
                          follows by itself.";
            named(cx, &mut body, "effect", Role::Text, effect, width);
            "create it"
        }
        PendingAction::Pulumi(PulumiChange::Interrupt(interrupt)) => {
            for line in interrupt.lines() {
                named(cx, &mut body, "effect", Role::Text, &line, width);
            }
            "interrupt it"
        }
        PendingAction::Pulumi(PulumiChange::ForceStop(termination)) => {
            named(cx, &mut body, "DANGER", Role::Fail, &termination.warning(), width);
            named(cx, &mut body, "because", Role::Text, &termination.before().text(), width);
            "end it by force"
        }
        PendingAction::Pulumi(PulumiChange::ClearLocks(clear)) => {
            for lock in clear.locks() {
                named(cx, &mut body, "lock", Role::Text, &format!("{lock}, which is dead on this host"), width);
            }
            "clear them"
        }
        PendingAction::Zone(plan) => {
            for record in &plan.deletes {
                named(cx, &mut body, "delete", Role::Text, &record_text(record), width);
            }
            for record in &plan.creates {
                named(cx, &mut body, "create", Role::Strong, &record_text(record), width);
            }
            for (index, cost) in load::release_costs(plan, &cx.model.stack).iter().enumerate() {
                named(cx, &mut body, if index == 0 { "LOST" } else { "writes" }, Role::Fail, cost, width);
            }
            shorter.push(body[1..].to_vec());
            named(cx, &mut body, "call", Role::Text, &plan.call_text(), width);
            "turn it"
        }
        PendingAction::Pulumi(PulumiChange::Config(set)) => {
            of_key(cx, &mut body, set, width);
            "set it"
        }
    };
    let foot = question_foot(cx, question, verb, width);
    DialogBody { shorter, ..DialogBody::asking(question.subject().title(), body, foot) }
}

/// What is said of a run; gives the shorter form, which names no single step.
fn of_run(cx: &ViewContext<'_>, body: &mut Vec<Line<'static>>, run: &RunRequest, width: usize) -> Vec<Line<'static>> {
    for danger in run.plan().danger_lines() {
        named(cx, body, "DANGER", Role::Fail, &danger, width);
    }
    if let Some(used) = run.in_use() {
        named(cx, body, "in use", if used.is_over() { Role::Fail } else { Role::Text }, &used.text(), width);
    }
    if run.kind() != RunKind::Destroy {
        for open in run.open_operations() {
            named(cx, body, "left open", Role::Fail, open, width);
        }
    }
    if run.kind() != RunKind::Refresh {
        named(cx, body, "plan", Role::Strong, &run.plan().text(), width);
    }
    let mut few = body.clone();
    named(cx, &mut few, "call", Role::Text, &run.call_text(), width);
    for step in run.plan().steps.iter().take(LISTED) {
        named(cx, body, "", Role::Text, &format!("{} {} ({})", step.op, step.name(), step.rtype), width);
    }
    let more = run.plan().steps.len().saturating_sub(LISTED);
    if more > 0 {
        named(cx, body, "", Role::Dim, &format!("and {more} more, in the list behind this"), width);
    }
    named(cx, body, "call", Role::Text, &run.call_text(), width);
    let what = match run.kind() {
        RunKind::Refresh => "Pulumi reads how every resource stands into its state. Nothing in AWS changes.",
        RunKind::Destroy => "Pulumi deletes what its state holds, after it has read how everything stands.",
        _ => "What runs is what was read: Pulumi refuses anything else.",
    };
    let what = format!("{what} It goes on when this terminal closes.");
    named(cx, body, "run", Role::Text, &what, width);
    few
}

/// What is said of a key of the configuration.
fn of_key(cx: &ViewContext<'_>, body: &mut Vec<Line<'static>>, set: &SetConfig, width: usize) {
    let setup = cx.model.provision.setup();
    let value = config::ConfigKey::named(set.key()).and_then(|key| setup.and_then(|setup| setup.value(key)));
    let before = match value {
        None => "not set".to_owned(),
        Some(ConfigValue { secret: true, .. }) => "[secret]".to_owned(),
        Some(value) => value.value.clone().unwrap_or_default(),
    };
    named(cx, body, "was", Role::Text, &before, width);
    named(cx, body, "will be", Role::Strong, &set.shown(), width);
    named(cx, body, "call", Role::Text, &set.call_text(), width);
    let mut effect =
        "It goes into Pulumi's settings of the stack. Nothing in AWS changes before the next up.".to_owned();
    if setup.is_some_and(|setup| !setup.exists) {
        effect = format!("The stack {} is made first. {effect}", set.stack());
    }
    if cx.model.provision.plan.is_some() {
        effect.push_str(" The plan that waits is dropped: preview again.");
    }
    named(cx, body, "effect", Role::Text, &effect, width);
}

fn record_text(record: &crate::domain::traffic::Record) -> String {
    let identity = record.set_identifier.as_deref().map(|id| format!(" {id}")).unwrap_or_default();
    let weight = record.weight().map(|w| format!(" weight {w}")).unwrap_or_default();
    format!("{}{identity}{weight}: {}", record.rtype, record.target_text())
}
