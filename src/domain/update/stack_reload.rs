//! Reading the stack anew: when it is due, and when what was read takes effect.

use crate::domain::facts::{Facts, Source};
use crate::domain::model::{Dialog, Model};
use crate::domain::msg::{Effect, Request};
use crate::domain::provision::PulumiProblem;
use crate::domain::schedule::Polls;
use crate::domain::stack_reload::{MAX_TRIES, StackReload, StackReloaded, pause};

use super::{name_servers, next_request, notice, toast};

/// Wants it read, from now on. What is being read just now may be older than the reason, so it no longer counts; it is
/// waited for all the same, and read once more then.
pub(super) fn want(model: &mut Model) {
    match &mut model.stack_reload {
        StackReload::Asked { again, .. } => *again = true,
        other => *other = StackReload::Wanted { from: model.uptime, tries: 0 },
    }
}

/// The operator wants it, where it can tell something new. What was read and only waits for a calm moment is new.
pub(super) fn want_by_hand(model: &mut Model) {
    let due = match model.stack_reload {
        StackReload::GivenUp | StackReload::Wanted { .. } => true,
        StackReload::Idle | StackReload::Asked { .. } => !model.stack.is_provisioned(),
        StackReload::Ready { .. } => false,
    };
    if due {
        want(model);
    }
}

/// What was read, or why it could not be.
pub(super) fn arrived(model: &mut Model, request: Request, result: Result<Box<StackReloaded>, PulumiProblem>) {
    let StackReload::Asked { request: asked, tries, again } = model.stack_reload else { return };
    if asked != request {
        return;
    }
    match result {
        _ if again => model.stack_reload = StackReload::Wanted { from: model.uptime, tries: 0 },
        Ok(reloaded) => model.stack_reload = StackReload::Ready { request, reloaded },
        Err(trouble) if tries + 1 >= MAX_TRIES => {
            model.stack_reload = StackReload::GivenUp;
            let text = format!("{}; {}", trouble.message, trouble.hint);
            let lines = vec![text, "what is shown is the stack as it was; r reads it again".to_owned()];
            if model.dialog.is_none() {
                notice(model, "Could not reload the stack outputs", lines);
            } else {
                toast(model, "could not reload the stack outputs; r retries", true);
            }
        }
        Err(trouble) => {
            let tries = tries + 1;
            model.stack_reload = StackReload::Wanted { from: model.uptime + pause(tries), tries };
            let wait = pause(tries).as_secs();
            toast(model, format!("could not reload the stack outputs: {}; again in {wait} s", trouble.message), true);
        }
    }
}

/// Starts what is due, and lets what was read take effect.
pub(super) fn go_on(model: &mut Model, effects: &mut Vec<Effect>) {
    match &model.stack_reload {
        StackReload::Wanted { from, tries } if model.uptime >= *from => {
            let tries = *tries;
            let request = next_request(model);
            model.stack_reload = StackReload::Asked { request, tries, again: false };
            effects.push(Effect::ReloadStack { request });
        }
        StackReload::Ready { .. } if is_calm(model) => {
            if let StackReload::Ready { request, reloaded } = std::mem::take(&mut model.stack_reload) {
                take(model, *reloaded);
                effects.push(Effect::Switch { request });
            }
        }
        _ => {}
    }
}

/// Nothing is asked, typed or sent. What only wants to be read may stay open.
fn is_calm(model: &Model) -> bool {
    let read_only_dialog = matches!(model.dialog, None | Some(Dialog::Notice { .. } | Dialog::Help));
    read_only_dialog && !model.is_sending() && model.provision.busy.is_none()
}

/// The stack as it is now. What was learned of another one does not count any more.
fn take(model: &mut Model, reloaded: StackReloaded) {
    let StackReloaded { stack, watcher, policy } = reloaded;
    let before = model.stack.is_provisioned();
    if stack != model.stack || watcher != model.watcher {
        name_servers::forget(model);
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
    (model.stack, model.watcher, model.policy) = (stack, watcher, policy);
    // An answer that is under way is about the stack as it was.
    model.polls = Polls::default();
    match (before, model.stack.is_provisioned()) {
        (false, true) => toast(model, "stack provisioned; now polling its AWS resources", false),
        (true, false) => toast(model, "the new stack is gone", false),
        _ => {}
    }
}
