//! The stack's configuration in the cockpit: choosing a key, typing its value, asking before it is set.

use crate::domain::change::preconditions::{Blocked, Ground, may_configure};
use crate::domain::configure::{Configure, DialogStep};
use crate::domain::model::{Dialog, Model, Shown};
use crate::domain::pulumi::PulumiChange;
use crate::keymap::Key;

use super::{ask, blocked, notice};

/// Opens the list of keys, or says why there is none. Reading it is always possible; a value is typed into it only when
/// one may be set.
pub(super) fn open(model: &mut Model) {
    match model.provision.setup() {
        None => {
            let problem = model.provision.look.as_ref().and_then(|look| look.value.pulumi.as_ref().err()).cloned();
            if let Some(problem) = problem {
                blocked(model, "The configuration is not known", &Blocked::Pulumi(problem));
            } else {
                let why = "Pulumi was not asked yet, or could not say; the Provision view tells when it was looked at";
                notice(model, "The configuration is not known", vec![why.to_owned()]);
            }
        }
        Some(setup) if !setup.bundled => {
            let why = "this is not the bundled program, so its keys are not known here";
            let how = "`pulumi config` lists them, `pulumi config set KEY VALUE` sets one";
            notice(model, "Another program's configuration", vec![why.to_owned(), how.to_owned()]);
        }
        Some(_) => model.dialog = Some(Dialog::Configure(Configure::new())),
    }
}

/// A key for the open list or line.
pub(super) fn key(model: &mut Model, dialog: Configure, key: Key) {
    let Some(setup) = model.provision.setup() else { return };
    match dialog.key(key, &model.stack.name, setup) {
        DialogStep::Close => {}
        // The list is for everybody, the line for those who may set something.
        DialogStep::Stay(Configure::Edit(_)) if may_not_set(model) => {}
        DialogStep::Stay(dialog) => model.dialog = Some(Dialog::Configure(dialog)),
        DialogStep::Ask(set) => {
            ask::ask_change(model, PulumiChange::Config(set), "Nothing is set");
        }
    }
}

/// Pasted text goes into the line that is being typed.
pub(super) fn paste(model: &mut Model, text: &str) {
    if model.screen.shown != Shown::Whole {
        return;
    }
    if let Some(Dialog::Configure(dialog)) = model.dialog.take_if(|dialog| matches!(dialog, Dialog::Configure(_))) {
        model.dialog = Some(Dialog::Configure(dialog.paste(text)));
    }
}

/// Whether nothing may be set now; says why.
fn may_not_set(model: &mut Model) -> bool {
    match may_configure(&Ground::of(model)) {
        Ok(()) => false,
        Err(why) => {
            blocked(model, "No change of the configuration now", &why);
            true
        }
    }
}
