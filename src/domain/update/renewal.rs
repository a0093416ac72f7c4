//! Reading the stack anew: when it is due, and when what was read takes effect.

use crate::domain::facts::{Facts, Source};
use crate::domain::model::{Dialog, Model};
use crate::domain::msg::{Effect, Request};
use crate::domain::provision::PulumiProblem;
use crate::domain::renewal::{MAX_TRIES, Renewal, Renewed, pause};
use crate::domain::schedule::Polls;

use super::{is_sending, next_request, notice, toast};

/// Wants it read, from now on. What is being read just now may be older than the reason, so it no longer counts; it is
/// waited for all the same, and read once more then.
pub(super) fn want(model: &mut Model) {
    match &mut model.renewal {
        Renewal::Asked { again, .. } => *again = true,
        other => *other = Renewal::Wanted { from: model.uptime, tries: 0 },
    }
}

/// The operator wants it, where it can tell something new. What was read and only waits for a calm moment is new.
pub(super) fn want_by_hand(model: &mut Model) {
    let due = match model.renewal {
        Renewal::GivenUp | Renewal::Wanted { .. } => true,
        Renewal::No | Renewal::Asked { .. } => !model.stack.is_provisioned(),
        Renewal::Ready { .. } => false,
    };
    if due {
        want(model);
    }
}

/// What was read, or why it could not be.
pub(super) fn arrived(model: &mut Model, request: Request, result: Result<Box<Renewed>, PulumiProblem>) {
    let Renewal::Asked { request: asked, tries, again } = model.renewal else { return };
    if asked != request {
        return;
    }
    match result {
        _ if again => model.renewal = Renewal::Wanted { from: model.uptime, tries: 0 },
        Ok(renewed) => model.renewal = Renewal::Ready { request, renewed },
        Err(trouble) if tries + 1 >= MAX_TRIES => {
            model.renewal = Renewal::GivenUp;
            let text = format!("{}; {}", trouble.message, trouble.hint);
            let lines = vec![text, "what is shown is the stack as it was; r reads it again".to_owned()];
            if model.dialog.is_none() {
                notice(model, "The stack could not be read anew", lines);
            } else {
                toast(model, "the stack could not be read anew; r tries again", true);
            }
        }
        Err(trouble) => {
            let tries = tries + 1;
            model.renewal = Renewal::Wanted { from: model.uptime + pause(tries), tries };
            let wait = pause(tries).as_secs();
            toast(model, format!("the stack could not be read anew: {}; again in {wait} s", trouble.message), true);
        }
    }
}

/// Starts what is due, and lets what was read take effect.
pub(super) fn go_on(model: &mut Model, effects: &mut Vec<Effect>) {
    match &model.renewal {
        Renewal::Wanted { from, tries } if model.uptime >= *from => {
            let tries = *tries;
            let request = next_request(model);
            model.renewal = Renewal::Asked { request, tries, again: false };
            effects.push(Effect::Renew { request });
        }
        Renewal::Ready { .. } if is_calm(model) => {
            if let Renewal::Ready { request, renewed } = std::mem::take(&mut model.renewal) {
                take(model, *renewed);
                effects.push(Effect::Switch { request });
            }
        }
        _ => {}
    }
}

/// Nothing is asked, typed or sent. What only wants to be read may stay open.
fn is_calm(model: &Model) -> bool {
    let read_only_dialog = matches!(model.dialog, None | Some(Dialog::Notice { .. } | Dialog::Help));
    read_only_dialog && !is_sending(model) && model.provision.busy.is_none()
}

/// The stack as it is now. What was learned of another one does not count any more.
fn take(model: &mut Model, renewed: Renewed) {
    let Renewed { stack, policy } = renewed;
    let before = model.stack.is_provisioned();
    if stack != model.stack {
        let facts = std::mem::take(&mut model.live.facts);
        let kept = [Source::Identity, Source::StackRun];
        model.live.facts = Facts {
            identity: facts.identity,
            stack_run: facts.stack_run,
            clock_skew_ms: facts.clock_skew_ms,
            watch: facts.watch,
            jump: facts.jump,
            sources: facts.sources.into_iter().filter(|(source, _)| kept.contains(source)).collect(),
            ..Facts::default()
        };
    }
    (model.stack, model.policy) = (stack, policy);
    // An answer that is under way is about the stack as it was.
    model.polls = Polls::default();
    match (before, model.stack.is_provisioned()) {
        (false, true) => toast(model, "the new stack stands: its sources are asked now", false),
        (true, false) => toast(model, "the new stack is gone", false),
        _ => {}
    }
}
