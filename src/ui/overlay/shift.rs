//! The question before a weight change: what becomes of each record, what allows it, the exact call, and the way back.
//!
//! Pure.

use ratatui::text::Line;

use crate::domain::confirm::Confirmation;
use crate::domain::gate::blocking;
use crate::domain::service::Writer;
use crate::domain::shift::{Direction, ShiftPlan, USUAL_INSYNC};
use crate::domain::units::{age_text, countdown_text};
use crate::keymap::{Action, key_for};

use super::super::cx::Cx;
use super::super::theme::{Mark, Role};
use super::super::verdict::{brief, gate_mark};
use super::{Sheet, TYPE, id_cells, named, question_foot};

pub(super) fn sheet(cx: &Cx<'_>, question: &Confirmation<ShiftPlan>, width: usize) -> Sheet {
    let plan = question.subject();
    let mut body = records(cx, plan, width);
    body.push(Line::default());
    gates(cx, plan, &mut body, width);
    let call = format!("{}. One batch: it fails whole when a record is not as shown.", plan.call_text());
    named(cx, &mut body, "call", Role::Text, &call, width);
    named(cx, &mut body, "effect", Role::Text, &effect(cx, plan), width);
    named(cx, &mut body, "back", Role::Text, &way_back(cx, plan), width);
    let verb = match plan.direction() {
        Direction::Forward if plan.is_complete() => "move all of it",
        Direction::Forward => "move",
        Direction::Back => "send back",
    };
    Sheet { title: plan.title(), body, foot: question_foot(cx, question, verb, width) }
}

/// Each record with its weight now and after.
fn records(cx: &Cx<'_>, plan: &ShiftPlan, width: usize) -> Vec<Line<'static>> {
    let ids = id_cells(cx, &plan.expected);
    let name = cx.row().cell(Role::Dim, plan.record_name(), TYPE + ids);
    let mut lines = vec![name.num(Role::Dim, "now", 5).num(Role::Dim, "after", 9).line()];
    let target = plan.target();
    for (before, after) in plan.expected.pairs().iter().zip(target.pairs()) {
        let sides = [(&before.legacy, &after.legacy, Role::Legacy), (&before.new, &after.new, Role::New)];
        for (seen, wanted, role) in sides {
            let weight = |w: Option<u8>| w.map_or_else(|| "?".to_owned(), |w| w.to_string());
            let row = cx
                .row()
                .cell(Role::Text, &seen.rtype, TYPE)
                .cell(role, seen.set_identifier.as_deref().unwrap_or("-"), ids)
                .num(Role::Text, weight(seen.weight()), 5)
                .put(Role::Dim, "  → ")
                .num(Role::Strong, weight(wanted.weight()), 5)
                .gap(3);
            let room = row.room(width);
            lines.push(row.clipped(Role::Dim, seen.target_text(), room).line());
        }
    }
    lines
}

/// What allows it.
fn gates(cx: &Cx<'_>, plan: &ShiftPlan, body: &mut Vec<Line<'static>>, width: usize) {
    let gates = &cx.model.live.gates;
    let now = cx.model.live.now;
    let passed = gates.iter().filter(|g| g.passes()).count();
    let of = format!("{passed} of {} gates pass", gates.len());
    let oldest = gates.iter().filter_map(|g| g.at).min();
    let oldest =
        oldest.map(|at| format!(", oldest fact {}", super::super::text::at_most(now.since(at)))).unwrap_or_default();
    let open: Vec<_> = blocking(gates, &plan.overrides).collect();
    let (mark, text) = match plan.direction() {
        Direction::Back => (Mark::Pass, format!("no gate blocks the way back ({of})")),
        Direction::Forward if open.is_empty() => (Mark::Pass, format!("{of}{oldest}")),
        Direction::Forward => {
            let list: Vec<_> =
                open.iter().map(|g| brief(g, gate_mark(g, &cx.model.live), cx.model, &cx.model.live)).collect();
            (Mark::Fail, format!("{of}: {}", list.join(" · ")))
        }
    };
    let row = cx.row().cell(Role::Dim, "gates", 10).mark(mark);
    let room = row.room(width);
    body.push(row.clipped(if mark == Mark::Pass { Role::Strong } else { Role::Fail }, text, room).line());
    for step in &plan.overrides {
        let text = format!("steps over {}: {}", step.gate, step.reason);
        named(cx, body, "", Role::Unknown, &text, width);
    }
}

fn effect(cx: &Cx<'_>, plan: &ShiftPlan) -> String {
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
fn way_back(cx: &Cx<'_>, plan: &ShiftPlan) -> String {
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
