//! Evacuation: all traffic leaves a legacy region that fails. A reason is typed, then one question lists every gate that
//! is stepped over, and wants the stack's name.

use std::time::Duration;

use crate::domain::change::Change;
use crate::domain::change::preconditions::{Ground, check};
use crate::domain::change::propose;
use crate::domain::confirm::{ARMS_AFTER, Confirmation, MAX_TYPED};
use crate::domain::model::{Dialog, Model, Shown};
use crate::domain::shift::ShiftPlan;
use crate::keymap::{Action, Code, Key, lookup};

use super::{blocked, steps};

const TITLE: &str = "Blocked: nothing is evacuated";

/// Opens the line for the reason, or says why nothing can be evacuated whatever the reason.
pub(super) fn ask_reason(model: &mut Model) {
    if propose(model, "").is_some() {
        model.frozen = None;
        model.dialog = Some(Dialog::Reason { typed: String::new(), error: None, since: model.uptime });
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
pub(super) fn reason_key(model: &mut Model, mut typed: String, since: Duration, key: Key) {
    // The key that has opened the line, doubled or held, is no letter of the reason.
    let is_doubled = typed.is_empty() && lookup(key) == Some(Action::Evacuate);
    if is_doubled && model.uptime.saturating_sub(since) < ARMS_AFTER {
        model.dialog = Some(Dialog::Reason { typed, error: None, since: model.uptime });
        return;
    }
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
            model.dialog = Some(Dialog::Reason { typed, error, since });
            return;
        }
        _ => {}
    }
    model.dialog = Some(Dialog::Reason { typed, error: None, since });
}

fn ask(model: &mut Model, reason: &str) {
    if let Some(plan) = propose(model, reason) {
        let challenge = Change::Weights(plan.clone()).challenge();
        model.dialog = Some(Dialog::Shift(Confirmation::new(plan, challenge, model.uptime)));
    }
}

/// Keeps the open question true: it lists what would be stepped over now. A gate that was not listed yet has to be read
/// first; one that passes meanwhile stays listed, since it may fall again while somebody types.
pub(super) fn keep_true(model: &mut Model) {
    let Some(Dialog::Shift(question)) = &model.dialog else { return };
    let plan = question.subject();
    let mut now = propose::stepping_over(plan, &model.live.gates, model.gate_inputs());
    let says_more = now.overrides.iter().any(|over| !plan.overrides.contains(over));
    if !says_more {
        return;
    }
    let were_listed = plan.overrides.iter().filter(|over| !now.overrides.contains(over)).cloned();
    let were_listed: Vec<_> = were_listed.collect();
    now.overrides.extend(were_listed);
    let uptime = model.uptime;
    if let Some(Dialog::Shift(question)) = &mut model.dialog {
        question.amend(now, true, uptime);
    }
}

/// Pasted text goes into the line, as one line.
pub(super) fn paste(model: &mut Model, text: &str) {
    if model.screen.shown != Shown::Whole {
        return;
    }
    if let Some(Dialog::Reason { typed, error, .. }) = &mut model.dialog {
        let room = MAX_TYPED.saturating_sub(typed.chars().count());
        let one_line = text.trim().chars().map(|c| if c.is_whitespace() { ' ' } else { c });
        typed.extend(one_line.filter(|c| !c.is_control()).take(room));
        *error = None;
    }
}
