//! The verdict of the header: the domain's sentence, and the key for what is next.
//!
//! Pure. What is allowed and why is decided in [`crate::domain::readiness`]; here it gets its keys.

use crate::domain::gate::GateId;
use crate::domain::problems::Remedy;
use crate::domain::readiness::{Next, Readiness, STEP};
use crate::keymap::{Action, View, key_for};

use super::context::ViewContext;
use super::text::clip;

/// The key for what is next, and what it does. There is always one.
pub(super) fn hint(cx: &ViewContext<'_>, ready: &Readiness) -> String {
    match &ready.next {
        Next::Step(from, to) => format!("{} moves {} → {to}", key_for(Action::ProposeStep(STEP)), from.get()),
        Next::WhileSending => format!("{} back · q leave", key_for(Action::ProposeRollback)),
        Next::Rollback => format!("{} sends it back", key_for(Action::ProposeRollback)),
        Next::Configure => format!("{} sets it", key_for(Action::Configure)),
        Next::ShowUnset => format!("{} shows which", key_for(Action::Go(View::Provision))),
        Next::Adopt => format!("{} makes it one, then {} provisions", key_for(Action::Adopt), key_for(Action::Up)),
        Next::Provision => {
            format!("{} previews, {} provisions", key_for(Action::Preview), key_for(Action::Up))
        }
        Next::Wait | Next::Resolve(_) => meanwhile(cx, ready),
    }
}

/// Where nothing is to be done here: where the cause is shown, or the way back from it.
fn meanwhile(cx: &ViewContext<'_>, ready: &Readiness) -> String {
    let by_itself = matches!(ready.gate, Some(GateId::Bake | GateId::DnsSettled));
    let cause = match ready.gate {
        Some(gate) if !by_itself => Some(home(gate)),
        _ => match ready.word {
            "SETTLING" | "WAITING" => Some(View::Journal),
            "NOT PROVISIONED" if ready.next == Next::Wait => Some(View::Provision),
            "NOT PROVISIONED" => Some(View::Traffic),
            _ => None,
        },
    };
    let carries = cx.world.facts.shiftable().is_some_and(|group| group.weights().new_weight() > 0);
    match cause.filter(|view| *view != cx.model.screen.view) {
        Some(view) => format!("{} shows it", key_for(Action::Go(view))),
        None if carries && !cx.model.watcher.read_only => format!("{} sends it back", key_for(Action::ProposeRollback)),
        None if cause.is_some() => format!("{} shows all of it", key_for(Action::Details)),
        None => format!("{} asks again", key_for(Action::Refresh)),
    }
}

/// The key for the first thing to do about a problem; a command where only a shell has it.
pub(super) fn remedy(remedy: Remedy) -> String {
    match remedy {
        Remedy::See(view) => format!("{} shows it", key_for(Action::Go(view))),
        Remedy::AskAgain => format!("{} asks again", key_for(Action::Refresh)),
        Remedy::Doctor => "`tapctl doctor`".to_owned(),
        Remedy::Journal => "`tapctl journal`".to_owned(),
        Remedy::Details => format!("{} shows all of it", key_for(Action::Details)),
    }
}

/// The view in which a gate's facts are shown.
pub(super) const fn home(gate: GateId) -> View {
    match gate {
        GateId::ReplicationTask | GateId::ReplicationLag | GateId::Tables | GateId::Validation => View::Replication,
        GateId::Alarms | GateId::Service | GateId::Targets | GateId::Errors | GateId::Latency => View::Service,
        GateId::DnsSettled | GateId::Bake | GateId::Drift | GateId::RecordTargets | GateId::StepSize => View::Traffic,
        GateId::StackIdle => View::Provision,
    }
}

/// The sentence in so many cells, with the key at its end whatever is cut.
pub(super) fn line(cx: &ViewContext<'_>, ready: &Readiness, room: usize) -> String {
    let between = if ready.next == Next::WhileSending { " · " } else { "; " };
    let hint = format!("{between}{}", hint(cx, ready));
    let sentence = clip(cx.theme, &ready.sentence, room.saturating_sub(cx.cells(&hint)));
    format!("{sentence}{hint}")
}
