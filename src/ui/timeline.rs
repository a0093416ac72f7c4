//! What moves now: a weight change on its way from PENDING over INSYNC and one TTL to the end of the bake.
//!
//! Pure.

use crate::domain::units::Timestamp;
use std::time::Duration;

use ratatui::text::Line;

use crate::domain::change::settle::SEND_DEADLINE;
use crate::domain::model::ShiftState;
use crate::domain::shift::USUAL_INSYNC;
use crate::domain::traffic::{ALIAS_TTL, ChangeStatus, RecordGroup};
use crate::domain::units::{age_text, countdown_text};

use super::context::ViewContext;
use super::text::Row;
use super::theme::{Mark, Role};

/// How far one phase is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Done,
    Now,
    Later,
}

/// Two lines: the phases, and a bar with what is left of the present one.
pub(super) fn lines(cx: &ViewContext<'_>, width: usize) -> [Line<'static>; 2] {
    let Some(steps) = steps(cx) else {
        let why = if cx.world.history.is_none() { "the journal was not read yet" } else { "no weight was moved yet" };
        return [cx.row().put(Role::Dim, format!("nothing moves: {why}")).line(), Line::default()];
    };
    let (phases, arrow) = fitted(cx, &steps.phases, width);
    let mut row = cx.row();
    for (index, (phase, text)) in phases.iter().enumerate() {
        if index > 0 {
            row = row.put(Role::Rule, arrow);
        }
        row = match phase {
            Phase::Done => row.mark(Mark::Pass).put(Role::Dim, text),
            Phase::Now => row.mark(Mark::Waiting).put(Role::Strong, text),
            Phase::Later => row.put(Role::Dim, text),
        };
    }
    [row.line(), bar(cx, &steps, width).line()]
}

/// The phases in as many words as fit, and what stands between them.
fn fitted(cx: &ViewContext<'_>, phases: &[(Phase, String)], width: usize) -> (Vec<(Phase, String)>, &'static str) {
    let first_word = |text: &str| text.split(' ').next().unwrap_or_default().to_owned();
    let shorter = |drop: &[Phase]| -> Vec<(Phase, String)> {
        let one = |(phase, text): &(Phase, String)| {
            (*phase, if drop.contains(phase) { first_word(text) } else { text.clone() })
        };
        phases.iter().map(one).collect()
    };
    let size = |phases: &[(Phase, String)], arrow: &str| {
        let signs = phases.iter().filter(|(phase, _)| *phase != Phase::Later).count() * 2;
        let words: usize = phases.iter().map(|(_, text)| cx.cells(text)).sum();
        words + signs + cx.cells(arrow) * phases.len().saturating_sub(1)
    };
    let tries = [(&[][..], " → "), (&[], " "), (&[Phase::Later], " "), (&[Phase::Later, Phase::Done], " ")];
    let mut fitted = (Vec::new(), " ");
    for (drop, arrow) in tries {
        fitted = (shorter(drop), arrow);
        if size(&fitted.0, arrow) <= width {
            break;
        }
    }
    fitted
}

/// The present phase in a few words, for a single line.
pub(super) fn short<'a>(cx: &ViewContext<'a>, width: usize) -> Row<'a> {
    let Some(steps) = steps(cx) else { return cx.row().put(Role::Dim, "nothing moves") };
    match steps.phases.iter().find(|(phase, _)| *phase == Phase::Now) {
        Some((_, text)) => {
            let row = cx.row().mark(Mark::Waiting).put(Role::Strong, text).gap(1);
            let rest = width.saturating_sub(row.width());
            row.append(bar(cx, &steps, rest))
        }
        None => cx.row().clipped(Role::Dim, steps.after, width),
    }
}

struct Steps {
    phases: Vec<(Phase, String)>,
    /// How much of the present phase is over, and how long it takes as a rule.
    over: Duration,
    whole: Duration,
    /// What stands behind the bar.
    after: String,
}

fn steps(cx: &ViewContext<'_>) -> Option<Steps> {
    let (world, model, now) = (cx.world, cx.model, cx.world.now);
    let bake = model.policy.bake;
    let ttl = world.facts.shiftable().map_or(ALIAS_TTL, RecordGroup::ttl);
    if let ShiftState::Sending { since, .. } = &model.shift_state {
        return Some(while_sending(model.uptime.saturating_sub(*since), ttl, bake));
    }
    let history = world.history.as_ref()?;
    if let Some((id, sent)) = &history.pending {
        return Some(while_pending(cx, id, *sent, ttl));
    }
    let moved = history.moved_at?;
    let since = history.since_moved(now, world.facts.aws_now(now))?;
    let mut phases = Vec::new();
    let insync = match history.last_change.as_ref().filter(|(_, sent)| *sent <= moved) {
        Some((_, sent)) => {
            phases.push((Phase::Done, format!("sent {}", sent.hms())));
            format!("INSYNC +{}", age_text(moved.since(*sent)))
        }
        None => format!("seen moved {}", moved.hms()),
    };
    phases.push((Phase::Done, insync));
    let left = bake.saturating_sub(since);
    if since < ttl {
        phases.push((Phase::Now, format!("TTL {}", countdown_text(ttl.saturating_sub(since)))));
        phases.push((Phase::Later, format!("bake {}", countdown_text(bake))));
    } else {
        phases.push((Phase::Done, "TTL".to_owned()));
        phases.push(if left.is_zero() {
            (Phase::Done, "bake".to_owned())
        } else {
            (Phase::Now, format!("bake {}", countdown_text(left)))
        });
    }
    let after = if left.is_zero() {
        format!("nothing moves; in effect {}", cx.since(moved))
    } else {
        format!("next step from {}", now.plus(left).hms())
    };
    Some(Steps { phases, over: since.min(bake), whole: bake, after })
}

/// What is still to come after INSYNC.
fn later(ttl: Duration, bake: Duration) -> [(Phase, String); 2] {
    [(Phase::Later, format!("TTL {}", age_text(ttl))), (Phase::Later, format!("bake {}", countdown_text(bake)))]
}

fn while_sending(over: Duration, ttl: Duration, bake: Duration) -> Steps {
    let mut phases = vec![
        (Phase::Now, format!("sending {}", age_text(over))),
        (Phase::Later, "PENDING".to_owned()),
        (Phase::Later, "INSYNC".to_owned()),
    ];
    phases.extend(later(ttl, bake));
    Steps { phases, over, whole: SEND_DEADLINE, after: "no step forward meanwhile".to_owned() }
}

fn while_pending(cx: &ViewContext<'_>, id: &str, sent: Timestamp, ttl: Duration) -> Steps {
    let over = cx.world.now.since(sent);
    let change = cx.world.facts.change.as_ref();
    let insync = change.is_some_and(|c| c.value.id == id && c.value.status == ChangeStatus::Insync);
    let mut phases = vec![(Phase::Done, format!("sent {}", sent.hms()))];
    phases.extend(if insync {
        [(Phase::Done, "PENDING".to_owned()), (Phase::Now, "INSYNC, reading back".to_owned())]
    } else {
        [(Phase::Now, format!("PENDING {}", age_text(over))), (Phase::Later, "INSYNC".to_owned())]
    });
    phases.extend(later(ttl, cx.model.policy.bake));
    let after = format!("as a rule about {}", age_text(USUAL_INSYNC));
    Steps { phases, over, whole: USUAL_INSYNC, after }
}

/// How much is over, as a bar, and what comes then.
fn bar<'a>(cx: &ViewContext<'a>, steps: &Steps, width: usize) -> Row<'a> {
    let glyphs = cx.theme.glyphs();
    if !steps.phases.iter().any(|(phase, _)| *phase == Phase::Now) {
        return cx.row().clipped(Role::Dim, &steps.after, width);
    }
    let room = width.saturating_sub(cx.cells(&steps.after) + 4).min(40);
    if room < 4 {
        return cx.row().clipped(Role::Dim, &steps.after, width);
    }
    let share = (steps.over.as_secs_f64() / steps.whole.as_secs_f64().max(1.0)).clamp(0.0, 1.0);
    let done = (share * room as f64).floor() as usize;
    cx.row()
        .put(Role::Rule, glyphs.bar_open)
        .repeat(Role::Waiting, glyphs.bar_done, done)
        .repeat(Role::Rule, glyphs.bar_left, room - done)
        .put(Role::Rule, glyphs.bar_close)
        .gap(1)
        .put(Role::Dim, &steps.after)
}
