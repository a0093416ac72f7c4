//! What is shown before the first `up` and after the last `destroy`: how the name is answered, and the next thing to do.
//!
//! Pure. Nothing here is a fault: a stack that nobody has provisioned yet is how every migration begins.

use crate::domain::deploy::config::{Setup, missing_text};
use crate::domain::model::{Model, World};
use crate::domain::traffic::Side;
use crate::domain::zone::Standing;
use crate::keymap::{Action, View, key_for};

/// How the name is answered; nothing before Route 53 was read.
fn standing(model: &Model, world: &World) -> Option<Standing> {
    world.facts.group.as_ref()?;
    Some(Standing::of(&model.stack.group, &model.stack.endpoints, &world.facts.records))
}

/// How the name is answered, in a sentence.
pub(super) fn answered(model: &Model, world: &World) -> Option<String> {
    let name = model.stack.group.name.trim_end_matches('.');
    Some(match standing(model, world)? {
        Standing::Pair(group) => format!("{name} is a weighted pair at {}", group.weights()),
        Standing::Lone => format!("{name} is adopted: the legacy record has all the traffic"),
        Standing::Simple(Some(Side::Legacy)) => format!("{name} is one simple record to the legacy stack"),
        Standing::Simple(_) => format!("{name} is one simple record, and not to the legacy stack"),
        Standing::Absent => format!("{name} has no record yet"),
        Standing::Other(error) => error.to_string(),
    })
}

/// The next thing to do.
pub(super) fn next(model: &Model, world: &World) -> String {
    let unset = model.stack.unset.len();
    if unset > 0 {
        let things = if unset == 1 { "1 thing is".to_owned() } else { format!("{unset} things are") };
        return format!("{things} to be set first, {} shows which", key_for(Action::Go(View::Provision)));
    }
    if let Some(run) = model.provision.going_on() {
        return format!("pulumi {} goes on", run.head.kind);
    }
    let missing = model.provision.setup().map(Setup::missing).unwrap_or_default();
    if !missing.is_empty() {
        return format!("{} sets what is missing: {}", key_for(Action::Configure), missing_text(&missing));
    }
    let provision = format!("{} previews, {} provisions", key_for(Action::Preview), key_for(Action::Up));
    match standing(model, world) {
        Some(Standing::Simple(Some(Side::Legacy))) => {
            format!("{} makes the name a weighted pair, then {provision}", key_for(Action::Adopt))
        }
        Some(Standing::Simple(_)) => {
            "point the name at the legacy load balancer first: no pair can be made of it".to_owned()
        }
        _ => provision,
    }
}
