//! What whoever looks elsewhere is told through the terminal: that a gate stopped passing in a bake, that one which failed
//! passes again, and that something is asked.
//!
//! Pure. Off unless it is wanted, and silent while the terminal has the focus: then it is on the screen.

use crate::domain::gate::{GateId, Verdict};
use crate::domain::model::{Dialog, Model};
use crate::domain::msg::Effect;
use crate::domain::screen::Watched;
use crate::domain::text::Printable;

/// Characters of it at most: a line of a notification has no more.
const MOST: usize = 120;

/// What stood before a message, as far as news are told by it.
pub(super) struct Before {
    failing: Vec<GateId>,
    asks: bool,
}

/// Remembers it, where somebody is to be told.
pub(super) fn before(model: &Model) -> Option<Before> {
    (model.screen.watched == Watched::Away).then(|| Before {
        failing: model.live.gates.iter().filter(|gate| gate.verdict == Verdict::Fail).map(|gate| gate.id).collect(),
        asks: asks(model),
    })
}

fn asks(model: &Model) -> bool {
    model.dialog.as_ref().is_some_and(Dialog::takes_answers)
}

/// Tells what is new.
pub(super) fn news(model: &Model, before: Option<Before>, effects: &mut Vec<Effect>) {
    let Some(before) = before else { return };
    let passes = |gate: &GateId| model.live.gates.iter().any(|now| now.id == *gate && now.passes());
    let again: Vec<&str> = before.failing.iter().filter(|gate| passes(gate)).map(|gate| gate.name()).collect();
    if !again.is_empty() {
        let verb = if again.len() == 1 { "passes" } else { "pass" };
        effects.push(line(model, &format!("{} {verb} again", again.join(", "))));
    }
    if asks(model) && !before.asks {
        effects.push(line(model, "a question is open"));
    }
}

/// Tells for which gates the bell rings.
pub(super) fn stopped(model: &Model, gates: &[GateId], effects: &mut Vec<Effect>) {
    if model.screen.watched == Watched::Away {
        let names: Vec<&str> = gates.iter().map(|gate| gate.name()).collect();
        let verb = if names.len() == 1 { "passes" } else { "pass" };
        effects.push(line(model, &format!("{} no longer {verb}", names.join(", "))));
    }
}

/// Its beginning is our own: a terminal takes numbers there for something else (ConEmu's progress).
fn line(model: &Model, what: &str) -> Effect {
    let text = format!("tapctl {}: {what}", model.stack.name);
    Effect::Notify(Printable::line(&text).as_str().chars().take(MOST).collect())
}
