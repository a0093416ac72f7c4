//! What follows when this host's clock was set: everything is asked anew, and no question stays open that rests on what
//! was known before.

use std::time::Duration;

use crate::domain::confirm::Confirmation;
use crate::domain::model::{Dialog, Model};
use crate::domain::msg::Effect;
use crate::domain::record::Event;
use crate::domain::schedule::Polls;
use crate::domain::shift::{Direction, ShiftPlan};
use crate::domain::time::{Jump, Moment};

use super::{name_servers, note, notice};

/// Time went on; or somebody has set the clock.
pub(super) fn tick(model: &mut Model, now: Moment, uptime: Duration, effects: &mut Vec<Effect>) {
    model.live.now = now.wall;
    model.steady = now.steady;
    model.uptime = uptime;
    if let Some(jump) = model.live.facts.look_at_the_clock(now) {
        was_set(model, jump, effects);
    }
}

/// The clock was set. Answers that are under way were asked for before it and change nothing any more.
fn was_set(model: &mut Model, jump: Jump, effects: &mut Vec<Effect>) {
    model.polls = Polls::default();
    name_servers::forget(model);
    if model.verifying.is_some() {
        model.verifying = model.verifying.take().map(|(change, _)| (change, jump.at));
    }
    close_question(model, jump, effects);
}

/// The way back rests on the records alone, which Route 53 compares itself; its question stays.
fn is_way_back(question: &Confirmation<ShiftPlan>) -> bool {
    question.subject().direction() != Direction::Forward
}

fn close_question(model: &mut Model, jump: Jump, effects: &mut Vec<Effect>) {
    let closes = match &model.dialog {
        Some(Dialog::Shift(question)) => !is_way_back(question),
        Some(Dialog::Accept(_) | Dialog::Ask(_)) => true,
        _ => false,
    };
    if !closes {
        return;
    }
    let why = format!("this host's clock was {}", jump.text());
    let what = match model.dialog.take() {
        Some(Dialog::Shift(question)) => {
            let plan = question.subject();
            format!("{} → {}", plan.from().new_share(), plan.to.new_share())
        }
        Some(Dialog::Ask(question)) => question.subject().title(),
        _ => "take weights that somebody else set".to_owned(),
    };
    note(model, Event::Declined { what, why: why.clone() }, effects);
    let lines = vec![why, "everything is being asked again; nothing was sent".to_owned()];
    notice(model, "The question was closed, nothing was sent", lines);
}
