//! The first day of a stack and its last one as lists: what is done, what is next, what is still to come.
//!
//! Pure.

use crate::keymap::{Action, View};

use super::model::Model;
use super::pulumi::config::Setup;
use super::pulumi::guard::RunKind;
use super::run_preconditions::name_state;
use super::zone::NameState;

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Behind us.
    Done,
    /// To be done now.
    Next,
    /// To be done after it.
    Later,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// In a word or two.
    pub name: &'static str,
    /// What begins it.
    pub action: Action,
    /// How far it is.
    pub progress: Progress,
}

/// The list of the day, with its title; nothing in all the nights between.
#[must_use]
pub fn of_today(model: &Model) -> Option<(&'static str, Vec<Step>)> {
    let planned = |kind: RunKind| model.provision.plan.as_ref().is_some_and(|plan| plan.kind == kind);
    let name = name_state(model);
    if !model.stack.is_provisioned() {
        let set =
            model.stack.unset.is_empty() && model.provision.setup().map(Setup::missing).is_some_and(|m| m.is_empty());
        let adopted = matches!(name, Some(NameState::Pair(_) | NameState::LegacyOnly));
        let steps = [
            ("configure", Action::Configure, set),
            ("preview", Action::Preview, planned(RunKind::Preview)),
            ("adopt the name", Action::Adopt, adopted),
            ("up", Action::Up, false),
            ("watch", Action::Go(View::Overview), false),
        ];
        return Some(("First day", in_order(&steps)));
    }
    let released = matches!(name, Some(NameState::Simple(_) | NameState::Absent));
    let planned = planned(RunKind::PreviewDestroy);
    (released || planned).then(|| {
        let steps = [
            ("release the name", Action::Release, released),
            ("preview the destroy", Action::Destroy, planned),
            ("destroy", Action::Destroy, false),
        ];
        ("Last day", in_order(&steps))
    })
}

fn in_order(steps: &[(&'static str, Action, bool)]) -> Vec<Step> {
    let next = steps.iter().position(|(_, _, done)| !done);
    let progress = |index: usize, done: bool| match done {
        true => Progress::Done,
        false if Some(index) == next => Progress::Next,
        false => Progress::Later,
    };
    let one = |(index, (name, action, done)): (usize, &(&'static str, Action, bool))| Step {
        name,
        action: *action,
        progress: progress(index, *done),
    };
    steps.iter().enumerate().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_is_not_done_is_next_and_what_is_done_early_stays_done() {
        let steps =
            [("a", Action::Up, true), ("b", Action::Up, false), ("c", Action::Up, true), ("d", Action::Up, false)];
        let found: Vec<_> = in_order(&steps).iter().map(|step| step.progress).collect();
        assert_eq!(found, [Progress::Done, Progress::Next, Progress::Done, Progress::Later]);
    }
}
