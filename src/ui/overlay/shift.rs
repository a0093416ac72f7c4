//! The question before a weight change: what becomes of each record, what allows it, the exact call, and the way back.
//!
//! Pure.

use ratatui::text::Line;

use crate::domain::change::load;
use crate::domain::confirm::Confirmation;
use crate::domain::gate::{blocking, for_step};
use crate::domain::readiness::Picture;
use crate::domain::service::Writer;
use crate::domain::shift::{Direction, ShiftPlan, USUAL_INSYNC};
use crate::domain::targets::{astray, leads};
use crate::domain::traffic::{Side, beside, beside_text};
use crate::domain::units::{age_text, countdown_text};
use crate::keymap::{Action, key_for};

use super::super::chrome::leads_mark;
use super::super::context::ViewContext;
use super::super::text::wrap;
use super::super::theme::{Mark, Role};
use super::{DialogBody, TYPE, id_cells, named, question_foot};

pub(super) fn sheet(cx: &ViewContext<'_>, question: &Confirmation<ShiftPlan>, width: usize) -> DialogBody {
    let plan = question.subject();
    let mut allowed = Vec::new();
    gates(cx, plan, &mut allowed, width);
    let mut does = Vec::new();
    let call = format!("{}. One batch: it fails whole when a record is not as shown.", plan.call_text());
    named(cx, &mut does, "call", Role::Text, &call, width);
    named(cx, &mut does, "effect", Role::Text, &effect(cx, plan), width);
    said(cx, plan, &mut allowed, width);
    let mut back = Vec::new();
    named(cx, &mut back, "back", Role::Text, &way_back(cx, plan), width);
    let verb = match plan.direction() {
        Direction::Forward if plan.is_complete() => "move all of it",
        Direction::Forward => "move",
        Direction::Back => "send back",
    };
    let body = [records(cx, plan, width, true), allowed.clone(), does.clone(), back.clone()].concat();
    let shorter = vec![
        [records(cx, plan, width, false), allowed.clone(), does, back.clone()].concat(),
        [records(cx, plan, width, false), allowed.clone(), back.clone()].concat(),
        [weights(cx, plan, width), allowed, back].concat(),
    ];
    let foot = question_foot(cx, question, verb, width);
    DialogBody { shorter, ..DialogBody::asking(plan.title(), body, foot) }
}

/// What the operator has to know before this answer: where a member really leads, that the reading is old, what the new
/// stack has carried so far.
pub(super) fn said(cx: &ViewContext<'_>, plan: &ShiftPlan, lines: &mut Vec<Line<'static>>, width: usize) {
    let live = &cx.model.live;
    if plan.direction() == Direction::Back {
        if let Some(problem) = astray(&plan.expected, &cx.model.stack.endpoints, Side::Legacy) {
            let text = format!("{problem}: what is sent back goes there");
            named(cx, lines, "LEADS TO", Role::Fail, &text, width);
        }
        for past in beside(plan.record_name(), &live.facts.records) {
            named(cx, lines, "BESIDE", Role::Fail, &beside_text(past), width);
        }
        if let Some(until) = plan.lands_until {
            let text = format!(
                "the legacy stack has all of it already, but a change may land until {} UTC: yes watches, and sends all \
                 back as soon as it does",
                until.hms()
            );
            named(cx, lines, "watch", Role::Unknown, &text, width);
        }
        if let Some(doubt) = live.facts.records_doubt(live.now) {
            let text = format!("{doubt}. The batch fails as a whole when they are.");
            named(cx, lines, "reading", Role::Unknown, &text, width);
        }
    } else {
        let carried = load::carried(plan, &live.facts, live.history.as_ref(), live.now);
        named(cx, lines, "so far", Role::Text, &carried, width);
        named(cx, lines, "load", Role::Text, &load::to_come(plan, &live.facts, live.now), width);
    }
    if let Some(apart) = live.facts.seen_apart(live.now) {
        named(cx, lines, "seen", Role::Unknown, &apart, width);
    }
}

/// What becomes of the weights, a line for each type; for small screens.
pub(super) fn weights(cx: &ViewContext<'_>, plan: &ShiftPlan, width: usize) -> Vec<Line<'static>> {
    let types: Vec<&str> = plan.expected.pairs().iter().map(|pair| pair.legacy.rtype.as_str()).collect();
    let (from, to) = (plan.from(), plan.to);
    let text = format!("legacy {} → {}, new {} → {}", from.legacy(), to.legacy(), from.new_weight(), to.new_weight());
    let mut lines = Vec::new();
    named(cx, &mut lines, &types.join(" "), Role::Strong, &text, width);
    lines
}

/// Each record with its weight now and after, and where it leads unless room is short.
pub(super) fn records(cx: &ViewContext<'_>, plan: &ShiftPlan, width: usize, targets: bool) -> Vec<Line<'static>> {
    let ids = id_cells(cx, &plan.expected);
    let name = cx.row().cell(Role::Dim, plan.record_name(), TYPE + ids);
    let mut lines = vec![name.num(Role::Dim, "now", 5).num(Role::Dim, "after", 9).line()];
    let target = plan.target();
    for (before, after) in plan.expected.pairs().iter().zip(target.pairs()) {
        let sides = [
            (&before.legacy, &after.legacy, Role::Legacy, Side::Legacy),
            (&before.new, &after.new, Role::New, Side::New),
        ];
        for (seen, wanted, role, side) in sides {
            let mark = leads_mark(leads(side, seen, &cx.model.stack.endpoints));
            let weight = |w: Option<u8>| w.map_or_else(|| "?".to_owned(), |w| w.to_string());
            let row = cx
                .row()
                .cell(Role::Text, &seen.rtype, TYPE)
                .cell(role, seen.set_identifier.as_deref().unwrap_or("-"), ids)
                .num(Role::Text, weight(seen.weight()), 5)
                .put(Role::Dim, "  → ")
                .num(Role::Strong, weight(wanted.weight()), 5)
                .gap(3)
                .mark(mark);
            let (room, target) = (row.room(width), seen.target_text());
            if !targets {
                lines.push(row.line());
            } else if cx.cells(&target) <= room {
                lines.push(row.put(Role::Dim, target).line());
            } else {
                lines.push(row.line());
                let parts = wrap(cx.theme, &target, width.saturating_sub(TYPE));
                lines.extend(parts.into_iter().map(|part| cx.row().gap(TYPE).put(Role::Dim, part).line()));
            }
        }
    }
    lines
}

/// What allows it.
fn gates(cx: &ViewContext<'_>, plan: &ShiftPlan, body: &mut Vec<Line<'static>>, width: usize) {
    let gates = &for_step(&cx.model.live.gates, plan, cx.model.gate_inputs());
    let now = cx.model.live.now;
    let passed = gates.iter().filter(|g| g.passes()).count();
    let of = format!("{passed} of {} gates pass", gates.len());
    let oldest = gates.iter().filter_map(|g| g.at).min();
    let oldest =
        oldest.map(|at| format!(", oldest fact {}", super::super::text::age_up(now.since(at)))).unwrap_or_default();
    let open: Vec<_> = blocking(gates, &plan.overrides).collect();
    let (mark, text) = match plan.direction() {
        Direction::Back => (Mark::Pass, format!("no gate blocks the way back ({of})")),
        Direction::Forward if open.is_empty() => (Mark::Pass, format!("{of}{oldest}")),
        Direction::Forward => {
            let live = Picture::of(cx.model, &cx.model.live);
            let list: Vec<_> = open.iter().map(|g| live.brief(g)).collect();
            (Mark::Fail, format!("{of}: {}", list.join(" · ")))
        }
    };
    let role = if mark == Mark::Pass { Role::Strong } else { Role::Fail };
    for (index, line) in wrap(cx.theme, &text, width.saturating_sub(12)).into_iter().enumerate() {
        let row = cx.row().cell(Role::Dim, if index == 0 { "gates" } else { "" }, 10);
        let row = if index == 0 { row.mark(mark) } else { row.gap(2) };
        body.push(row.put(role, line).line());
    }
    for step in &plan.overrides {
        let text = format!("overrides {}: {}", step.gate, step.reason);
        named(cx, body, "", Role::Unknown, &text, width);
    }
}

pub(super) fn effect(cx: &ViewContext<'_>, plan: &ShiftPlan) -> String {
    let bake = cx.model.policy.bake;
    let next = cx.model.live.now.plus(USUAL_INSYNC + bake);
    format!(
        "in about {} ({} to INSYNC, {} TTL); next step forward not before {} UTC (bake {})",
        age_text(plan.effect_after()),
        age_text(USUAL_INSYNC),
        age_text(plan.expected.ttl()),
        next.hm(),
        countdown_text(bake)
    )
}

/// What it costs to undo this.
pub(super) fn way_back(cx: &ViewContext<'_>, plan: &ShiftPlan) -> String {
    let after = age_text(plan.effect_after());
    if plan.direction() == Direction::Back {
        return format!("{} forward again, once every gate passes", key_for(Action::ProposeStep(10)));
    }
    let key = key_for(Action::ProposeRollback);
    match cx.model.stack.writer {
        Writer::Legacy => format!("{key}, about {after}, no gate; no data at risk: RDS takes the writes"),
        Writer::Aurora => {
            let reverse = cx.world.facts.replication.as_ref().and_then(|r| r.value.reverse.as_ref());
            let reverse = reverse.map_or("not known", crate::domain::replication::TaskStatus::word);
            format!(
                "{key}, about {after}, moves the requests only: Aurora takes the writes, and the legacy database has \
                 them only through the reverse task ({reverse})"
            )
        }
    }
}
