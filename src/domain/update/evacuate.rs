//! Evacuation: all traffic leaves a legacy region that fails. A reason is typed, then one question lists every gate that
//! is stepped over, and wants the stack's name.

use crate::domain::change::Change;
use crate::domain::change::preconditions::{Ground, check};
use crate::domain::change::propose;
use crate::domain::confirm::{Confirmation, MAX_TYPED};
use crate::domain::model::{Dialog, Model};
use crate::domain::shift::ShiftPlan;
use crate::keymap::{Code, Key};

use super::{blocked, steps};

const TITLE: &str = "Blocked: nothing is evacuated";

/// Opens the line for the reason, or says why nothing can be evacuated whatever the reason.
pub(super) fn ask_reason(model: &mut Model) {
    if propose(model, "").is_some() {
        model.frozen = None;
        model.dialog = Some(Dialog::Reason { typed: String::new(), error: None });
    }
}

/// The plan that may be asked about.
fn propose(model: &mut Model, reason: &str) -> Option<ShiftPlan> {
    let plan = match propose::evacuate(&model.stack.name, reason, &model.live.gates, model.gate_inputs()) {
        Ok(plan) => plan,
        Err(why) => {
            steps::not_proposed(model, why);
            return None;
        }
    };
    if let Err(why) = check(&Change::Weights(plan.clone()), &Ground::of(model)) {
        blocked(model, TITLE, &why);
        return None;
    }
    Some(plan)
}

/// A key for the line.
pub(super) fn reason_key(model: &mut Model, mut typed: String, key: Key) {
    match key.code {
        Code::Char('c') if key.ctrl => return,
        Code::Char('u') if key.ctrl => typed.clear(),
        Code::Char(c) if !key.ctrl && !c.is_control() && typed.chars().count() < MAX_TYPED => typed.push(c),
        Code::Backspace => {
            typed.pop();
        }
        Code::Esc => return,
        Code::Enter => {
            let reason = typed.trim().to_owned();
            if !reason.is_empty() {
                return ask(model, &reason);
            }
            let error = Some("a reason is needed: the journal keeps it for whoever asks later".to_owned());
            model.dialog = Some(Dialog::Reason { typed, error });
            return;
        }
        _ => {}
    }
    model.dialog = Some(Dialog::Reason { typed, error: None });
}

fn ask(model: &mut Model, reason: &str) {
    if let Some(plan) = propose(model, reason) {
        let challenge = Change::Weights(plan.clone()).challenge();
        model.dialog = Some(Dialog::Shift(Confirmation::new(plan, challenge, model.uptime)));
    }
}

/// Keeps the open question true: it lists what would be stepped over now. A gate more has to be read first.
pub(super) fn keep_true(model: &mut Model) {
    let Some(Dialog::Shift(question)) = &model.dialog else { return };
    let plan = question.subject();
    let now = propose::stepping_over(plan, &model.live.gates, model.gate_inputs());
    if now.overrides == plan.overrides {
        return;
    }
    let says_more = now.overrides.iter().any(|over| !plan.overrides.contains(over));
    if let Some(Dialog::Shift(question)) = &mut model.dialog {
        question.amend(now, says_more);
    }
}
