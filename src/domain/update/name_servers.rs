//! When the zone's name servers are asked, and what their answers change: what is shown, and nothing that is decided.

use std::time::Duration;

use crate::domain::error::PortError;
use crate::domain::evidence::servers::Sample;
use crate::domain::evidence::watch::{AT_REST, Answers, WHILE_MOVING, WHILE_SILENT};
use crate::domain::model::{Model, NameServerPoll};
use crate::domain::msg::{Effect, Request};
use crate::domain::record::newest_step;
use crate::domain::traffic::{ALIAS_TTL, RecordGroup};

use super::next_request;

/// The first look waits until the first screen stands.
const FIRST_AFTER: Duration = Duration::from_secs(2);
/// Weights that have changed are looked for so soon.
const AFTER_A_STEP: Duration = Duration::from_secs(5);

/// Asks when it is time to: more often while a change is on its way, and soon after the weights have changed.
pub(super) fn look(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(group) = model.live.facts.shiftable().cloned() else { return };
    let (steady, poll) = (model.steady, &mut model.name_servers);
    let mut due = *poll.due.get_or_insert(steady.saturating_add(FIRST_AFTER));
    // What is answered after a step is worth more than what was answered before it.
    if poll.weights.replace(group.weights()).is_some_and(|before| before != group.weights()) {
        due = due.min(steady.saturating_add(AFTER_A_STEP));
        poll.due = Some(due);
        model.live.answers.begin_anew();
    }
    if model.name_servers.asked.is_some() || steady < due {
        return;
    }
    let request = next_request(model);
    model.name_servers.asked = Some((request, group.weights()));
    effects.push(Effect::AskNameServers { request, group: Box::new(group) });
}

/// A look has ended.
pub(super) fn answered(model: &mut Model, request: Request, result: Result<Sample, PortError>) {
    let Some((_, wanted)) = model.name_servers.asked.take_if(|(asked, _)| *asked == request) else { return };
    let moving = is_moving(model);
    match result {
        Ok(look) => {
            let step = newest_step(model.live.journal.make_contiguous());
            model.live.answers.add(look, wanted, step, moving);
        }
        Err(error) => model.live.answers.not_asked(format!("{}; {}", error.message, error.hint())),
    }
    let is_silent = model.live.answers.silent().is_some();
    let pause = if is_silent {
        WHILE_SILENT
    } else if moving {
        WHILE_MOVING
    } else {
        AT_REST
    };
    model.name_servers.due = Some(model.steady.saturating_add(pause));
}

/// Another stack has other servers.
pub(super) fn forget(model: &mut Model) {
    model.live.answers = Answers::default();
    model.name_servers = NameServerPoll::default();
}

/// Whether a change is on its way, or resolvers may still keep the answer before it.
fn is_moving(model: &Model) -> bool {
    let ttl = model.live.facts.shiftable().map_or(ALIAS_TTL, RecordGroup::ttl);
    let (now, aws_now) = (model.live.now, model.live.facts.aws_now(model.live.now));
    let since = model.live.history.as_ref().and_then(|history| history.since_moved(now, aws_now));
    model.is_moving() || since.is_some_and(|since| since < ttl)
}
