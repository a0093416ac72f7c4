//! The zone from the cockpit: adopting the name, and what a `destroy` has left behind.

use crate::domain::change::outcome::Outcome;
use crate::domain::change::preconditions::{Ground, may_change_zone};
use crate::domain::change::propose::{self, NoZoneChange};
use crate::domain::facts::Source;
use crate::domain::model::{Model, PendingAction};
use crate::domain::msg::Effect;
use crate::domain::provision::{PulumiProblem, PulumiQuery};
use crate::domain::run_preconditions::name_state;
use crate::domain::zone::{Orphan, ZonePlan, ZoneStep};

use super::{ask, blocked, notice, toast};

/// Asks whether the name's simple record is to become weighted.
pub(super) fn ask_adopt(model: &mut Model) {
    ask_zone(model, ZoneStep::Adopt, "The name is not adopted");
}

/// Asks whether the pair is to become one simple record, to the stack that has all the traffic.
pub(super) fn ask_release(model: &mut Model) {
    let to = propose::release_to(name_state(model).as_ref());
    ask_zone(model, ZoneStep::Release(to), "The name is not released");
}

fn ask_zone(model: &mut Model, step: ZoneStep, title: &str) {
    if let Err(why) = may_change_zone(&Ground::of(model)) {
        return blocked(model, title, &why);
    }
    if name_state(model).is_none() {
        let why = match model.live.facts.error(Source::Records) {
            Some(error) => format!("{error}; {}", error.hint()),
            None => "Route 53 has not answered yet".to_owned(),
        };
        return notice(model, title, vec![why]);
    }
    match propose::zone(step, &model.stack.group, &model.stack.endpoints, &model.live.facts) {
        Ok(plan) => ask::ask(model, PendingAction::Zone(plan), title),
        Err(NoZoneChange::Done(text)) => toast(model, text, false),
        Err(NoZoneChange::Refused(refusal)) => notice(model, title, vec![refusal.to_string()]),
    }
}

/// What a `destroy` has left in the zone, as something to read.
pub(super) fn left_text(found: Result<Vec<Orphan>, PulumiProblem>) -> (String, Vec<String>) {
    match found {
        Ok(orphans) if orphans.is_empty() => {
            ("The stack is gone".to_owned(), vec!["no records of this stack remain in the hosted zone".to_owned()])
        }
        Ok(orphans) => {
            let mut lines: Vec<String> = orphans.iter().map(Orphan::text).collect();
            lines.push("Pulumi does not know of these any more: look at each, and delete it by hand".to_owned());
            (format!("The stack is gone, {} of its records are left in the zone", orphans.len()), lines)
        }
        Err(trouble) => (
            "The stack is gone; the zone could not be looked through".to_owned(),
            vec![trouble.message, trouble.hint, "look for records of it by hand".to_owned()],
        ),
    }
}

/// Shows what a `destroy` has left as soon as nothing else is open.
pub(super) fn show_left(model: &mut Model) {
    if model.dialog.is_none()
        && let Some((title, lines)) = model.provision.left.take()
    {
        notice(model, title, lines);
    }
}

/// What became of a batch that turned the name's records.
pub(super) fn turned(model: &mut Model, plan: &ZonePlan, outcome: Outcome, effects: &mut Vec<Effect>) {
    let title = plan.title();
    match outcome {
        Outcome::Accepted(change) => toast(model, format!("{title}: accepted as {}", change.id), false),
        Outcome::Made { error, .. } => {
            toast(model, format!("{title}: {error}; the records show that it was made"), false);
        }
        Outcome::Unknown { error, until, .. } => {
            effects.push(Effect::Bell);
            let why = format!(
                "the request may be carried out until {} UTC; the records are read until it is known",
                until.hms()
            );
            notice(model, format!("It is not known whether it was done: {title}"), vec![error.to_string(), why]);
        }
        Outcome::AlreadySo { message, .. } => {
            notice(model, "Already so, by somebody else", vec![message, "nothing was changed by this".to_owned()]);
        }
        Outcome::Conflict { message, .. } => {
            let next = "nothing was changed: look at what the records are now, then decide again";
            notice(model, "Conflict: the records are not what you saw", vec![message, next.to_owned()]);
        }
        Outcome::Refused(error) => notice(model, "Nothing was changed", vec![error.to_string(), error.hint()]),
    }
    ask::ask_pulumi(model, PulumiQuery::Status, effects);
}
