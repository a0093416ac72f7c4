//! The verdict of the header: the domain's sentence, and the key for what is next.
//!
//! Pure. What is allowed and why is decided in [`crate::domain::readiness`]; here it gets its keys.

use crate::domain::readiness::{Next, Readiness, STEP};
use crate::keymap::{Action, View, key_for};

/// The key for what is next, and what it does; nothing where the sentence says it all.
pub(super) fn hint(next: &Next) -> Option<String> {
    Some(match next {
        Next::Step(from, to) => format!("{} moves {} → {to}", key_for(Action::ProposeStep(STEP)), from.get()),
        Next::WhileSending => format!("{} back · q leave", key_for(Action::ProposeRollback)),
        Next::Rollback => format!("{} sends it back", key_for(Action::ProposeRollback)),
        Next::Configure => format!("{} sets it", key_for(Action::Configure)),
        Next::ShowUnset => format!("{} shows which", key_for(Action::Go(View::Provision))),
        Next::Adopt => format!("{} makes it one, then {} provisions", key_for(Action::Adopt), key_for(Action::Up)),
        Next::Provision => {
            format!("{} previews, {} provisions", key_for(Action::Preview), key_for(Action::Up))
        }
        Next::Wait | Next::Resolve(_) => return None,
    })
}

/// The sentence with the key at its end.
pub(super) fn line(readiness: &Readiness) -> String {
    match hint(&readiness.next) {
        Some(hint) if readiness.next == Next::WhileSending => format!("{} · {hint}", readiness.sentence),
        Some(hint) => format!("{}; {hint}", readiness.sentence),
        None => readiness.sentence.clone(),
    }
}
