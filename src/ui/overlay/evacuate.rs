//! Evacuation: the line for its reason, and the question that lists every gate that it steps over.
//!
//! Pure.

use ratatui::text::Line;

use crate::domain::change::load;
use crate::domain::confirm::Confirmation;
use crate::domain::gate::for_step;
use crate::domain::readiness::Picture;
use crate::domain::shift::ShiftPlan;
use crate::keymap::{Action, key_for};

use super::super::context::ViewContext;
use super::super::text::wrap;
use super::super::theme::{Mark, Role};
use super::{DialogBody, named, question_foot, shift};

/// The line that the reason is typed into.
pub(super) fn reason(cx: &ViewContext<'_>, typed: &str, error: Option<&str>, width: usize) -> DialogBody {
    let region = &cx.model.stack.legacy_region;
    let mut body = Vec::new();
    let does = format!("All traffic leaves {region} in one step, whatever most gates say.");
    named(cx, &mut body, "does", Role::Text, &does, width);
    named(cx, &mut body, "holds", Role::Text, &format!("no reason steps over {}.", load::HOLDS), width);
    body.push(Line::default());
    let lead = cx.row().put(Role::Text, "why: ");
    let room = lead.room(width).saturating_sub(1);
    let skip = typed.chars().count().saturating_sub(room);
    let end: String = typed.chars().skip(skip).collect();
    body.push(lead.clipped(Role::Strong, end, room).put(Role::Strong, cx.theme.glyphs().cursor).line());
    if let Some(error) = error {
        for line in wrap(cx.theme, error, width.saturating_sub(2)) {
            body.push(cx.row().mark(Mark::Fail).put(Role::Fail, line).line());
        }
    }
    let foot = vec![
        Line::default(),
        cx.row()
            .put(Role::Key, "Enter")
            .put(Role::Dim, " lists what is stepped over and asks   ")
            .put(Role::Key, "Esc")
            .put(Role::Dim, " closes this")
            .line(),
    ];
    DialogBody::asking(format!("Evacuate {region}"), body, foot)
}

/// The question.
pub(super) fn sheet(cx: &ViewContext<'_>, question: &Confirmation<ShiftPlan>, width: usize) -> DialogBody {
    let plan = question.subject();
    let lines = |with: &dyn Fn(&mut Vec<Line<'static>>)| {
        let mut lines = Vec::new();
        with(&mut lines);
        lines
    };
    let each = lines(&|out| stepped_over(cx, plan, out, width));
    let names = lines(&|out| named(cx, out, "OVER", Role::Fail, &names(plan), width));
    let why = lines(&|out| {
        let reason = plan.evacuation.as_ref().map_or("", |evacuation| evacuation.reason.as_str());
        named(cx, out, "why", Role::Strong, reason, width);
    });
    let holds = lines(&|out| named(cx, out, "holds", Role::Text, load::HOLDS, width));
    let writes = lines(&|out| named(cx, out, "writes", Role::Fail, &load::writes(&cx.model.stack), width));
    let does = lines(&|out| {
        let call = format!("{}. One batch: it fails whole when a record is not as shown.", plan.call_text());
        named(cx, out, "call", Role::Text, &call, width);
        named(cx, out, "effect", Role::Text, &shift::effect(cx, plan), width);
    });
    let said = lines(&|out| shift::said(cx, plan, out, width));
    let live = &cx.model.live;
    let load = lines(&|out| named(cx, out, "load", Role::Text, &load::to_come(plan, &live.facts, live.now), width));
    let back = lines(&|out| {
        let key = key_for(Action::ProposeRollback);
        named(
            cx,
            out,
            "back",
            Role::Text,
            &format!("{key}, no gate; `tapctl rollback --print` prints its batch"),
            width,
        );
    });
    let records = |targets| shift::records(cx, plan, width, targets);
    let weights = shift::weights(cx, plan, width);
    let join = |parts: &[&[Line<'static>]]| parts.concat();
    let body = join(&[&records(true), &each, &why, &holds, &writes, &said, &does, &back]);
    let shorter = vec![
        join(&[&records(false), &each, &why, &writes, &said, &back]),
        join(&[&records(false), &names, &why, &writes, &said, &back]),
        join(&[&weights, &names, &why, &writes, &load, &back]),
        join(&[&weights, &names, &why, &writes]),
    ];
    let foot = question_foot(cx, question, "evacuate", width);
    DialogBody { shorter, ..DialogBody::asking(plan.title(), body, foot) }
}

fn names(plan: &ShiftPlan) -> String {
    let names: Vec<&str> = plan.overrides.iter().map(|over| over.gate.as_str()).collect();
    if names.is_empty() { "no gate: all of them pass".to_owned() } else { names.join(", ") }
}

/// Every gate that is stepped over, with what it says now.
fn stepped_over(cx: &ViewContext<'_>, plan: &ShiftPlan, out: &mut Vec<Line<'static>>, width: usize) {
    let gates = for_step(&cx.model.live.gates, plan, cx.model.gate_inputs());
    let picture = Picture::of(cx.model, &cx.model.live);
    let mut name = "OVER";
    for over in &plan.overrides {
        let said = gates.iter().find(|gate| gate.id.name() == over.gate).map(|gate| picture.brief(gate));
        named(cx, out, name, Role::Fail, &said.unwrap_or_else(|| over.gate.clone()), width);
        name = "";
    }
    if plan.overrides.is_empty() {
        named(cx, out, name, Role::Text, &names(plan), width);
    }
}
