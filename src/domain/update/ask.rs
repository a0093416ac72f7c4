//! Opening a question about a change, and asking Pulumi what needs none.

use crate::domain::change::preconditions::{Blocked, Ground, check};
use crate::domain::confirm::Confirmation;
use crate::domain::model::{Dialog, Model, PendingAction};
use crate::domain::msg::Effect;
use crate::domain::provision::PulumiQuery;
use crate::domain::pulumi::PulumiChange;
use crate::domain::pulumi::guard::BlockedReason;

use super::{blocked, next_request};

/// Asks Pulumi.
pub(super) fn ask_pulumi(model: &mut Model, query: PulumiQuery, effects: &mut Vec<Effect>) {
    let request = next_request(model);
    if !matches!(query, PulumiQuery::Status | PulumiQuery::Follow(_) | PulumiQuery::Orphans { .. }) {
        model.provision.busy = Some(request);
    }
    effects.push(Effect::AskPulumi { request, query });
}

/// Asks whether a change around Pulumi is to be made; says under `title` why it may not be.
pub(super) fn ask_change(model: &mut Model, change: PulumiChange, title: &str) {
    ask(model, PendingAction::Pulumi(change), title);
}

/// Opens the question about a change that may be made now; says under `title` why it may not be.
pub(super) fn ask(model: &mut Model, question: PendingAction, title: &str) {
    let change = question.clone().into_change();
    if let Err(why) = check(&change, &Ground::of(model)) {
        // Only another preview can see a release that this one has not seen.
        if matches!(why, Blocked::Run(BlockedReason::DeletesRecord(..))) {
            model.provision.plan = None;
        }
        return blocked(model, title, &why);
    }
    model.frozen = None;
    model.dialog = Some(Dialog::Ask(Box::new(Confirmation::new(question, change.challenge(), model.uptime))));
}
