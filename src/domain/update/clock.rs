//! What follows when this host's clock was set: everything is asked anew, and no question stays open that rests on what
//! was known before.

use crate::domain::confirm::Confirmation;
use crate::domain::model::{Dialog, Model};
use crate::domain::msg::Effect;
use crate::domain::record::Event;
use crate::domain::schedule::Polls;
use crate::domain::shift::{Direction, ShiftPlan};
use crate::domain::time::Jump;

use super::{note, notice};

/// The clock was set. Answers that are under way were asked for before it and change nothing any more.
pub(super) fn was_set(model: &mut Model, jump: Jump, effects: &mut Vec<Effect>) {
    model.polls = Polls::default();
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
