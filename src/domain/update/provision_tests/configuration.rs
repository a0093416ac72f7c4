//! What the program has to be told, asked for and set from the cockpit.

use super::desk::{Desk, PREVIEW, asked, change};
use crate::domain::model::{Dialog, PendingAction};
use crate::domain::provision::{PulumiAnswer, PulumiQuery};
use crate::domain::pulumi::PulumiChange;
use crate::domain::pulumi::config::Setup;
use crate::domain::pulumi::config::tests::{complete, setup};
use crate::domain::pulumi::guard::RunKind;

#[test]
fn what_is_missing_is_asked_for_before_the_program_can_fail_on_it() {
    let mut desk = Desk::new(100, 0, 0.0);
    desk.looked(|look| look.setup = Some(setup(&["owner"])));
    assert!(!asked(&desk.press('p'), |_| true));
    assert!(desk.notice().contains("hostedZoneId or hostedZoneName"), "{}", desk.notice());
    assert!(desk.notice().contains("config set KEY VALUE"), "{}", desk.notice());
    desk.enter();
    desk.press('e');
    desk.enter();
    assert!(change(&desk.type_in("db.example.com")).is_none(), "what was typed is asked about first");
    assert!(
        matches!(desk.question(), PendingAction::Pulumi(PulumiChange::Config(set)) if set.key() == "sourceDbEndpoint")
    );
    desk.arm();
    let effects = desk.press('y');
    let Some(PulumiChange::Config(set)) = change(&effects) else { panic!("{effects:?}") };
    assert_eq!(set.value(), "db.example.com");
    let effects = desk.answer(PulumiAnswer::Changed(set.done_text()));
    assert!(asked(&effects, |query| *query == PulumiQuery::Status), "it is looked at again");
    desk.looked(|_| {});
    assert!(asked(&desk.press('p'), |query| matches!(query, PulumiQuery::Preview { destroy: false })));
}

#[test]
fn a_plan_that_was_read_with_other_configuration_is_dropped() {
    let mut desk = Desk::new(100, 0, 0.0);
    desk.preview(RunKind::Preview, PREVIEW);
    desk.press('e');
    "imageTag".chars().for_each(|c| drop(desk.press(c)));
    desk.enter();
    desk.type_in("v2");
    desk.arm();
    assert!(matches!(change(&desk.press('y')), Some(PulumiChange::Config(_))));
    desk.answer(PulumiAnswer::Changed("set".into()));
    desk.press('u');
    assert!(desk.notice().contains("press p first"), "{}", desk.notice());
}

#[test]
fn no_configuration_is_set_while_a_run_goes_on_or_without_the_right_to_write() {
    let mut desk = Desk::new(100, 0, 0.0);
    desk.press('e');
    assert!(matches!(desk.model.dialog, Some(Dialog::Configure(_))), "reading is always possible");
    desk.model.watcher.read_only = true;
    desk.enter();
    assert!(desk.notice().contains("--read-only"), "{}", desk.notice());
    let mut desk = Desk::new(100, 0, 0.0);
    desk.started(RunKind::Up);
    desk.press('e');
    desk.enter();
    assert!(desk.notice().contains("going on"), "{}", desk.notice());
    let mut desk = Desk::new(100, 0, 0.0);
    desk.press('e');
    desk.enter();
    desk.type_in("");
    desk.arm();
    desk.started(RunKind::Preview);
    assert!(desk.notice().contains("going on"), "an open question dies with its ground: {}", desk.notice());
}

#[test]
fn a_preview_before_the_first_look_waits_for_it_and_then_offers_to_make_the_stack() {
    for exists in [true, false] {
        let mut desk = Desk::new(100, 0, 0.0);
        desk.model.provision.look = None;
        assert!(!asked(&desk.press('p'), |query| matches!(query, PulumiQuery::Preview { .. })));
        let said = desk.model.screen.toast.as_ref().map(|toast| toast.text.clone()).unwrap_or_default();
        assert!(said.contains("whether the stack prod exists is not known yet"), "{said}");
        let effects = desk.looked(|look| look.setup = Some(Setup { exists, ..complete() }));
        let previews = asked(&effects, |query| matches!(query, PulumiQuery::Preview { destroy: false }));
        assert_eq!(previews, exists);
        if !exists {
            assert!(desk.question().title().contains("Create the stack prod"), "{}", desk.question().title());
        }
        assert!(!asked(&desk.looked(|_| {}), |query| matches!(query, PulumiQuery::Preview { .. })), "once");
    }
}

#[test]
fn a_stack_that_does_not_exist_is_only_created_by_a_yes_and_previewed_then() {
    let mut desk = Desk::new(100, 0, 0.0);
    desk.looked(|look| look.setup = Some(Setup { exists: false, ..complete() }));
    assert!(!asked(&desk.press('p'), |_| true), "one key creates nothing");
    assert!(desk.question().title().contains("Create the stack prod"), "{}", desk.question().title());
    desk.arm();
    let effects = desk.press('y');
    assert!(matches!(change(&effects), Some(PulumiChange::CreateStack(new)) if new.stack() == "prod"));
    let effects = desk.answer(PulumiAnswer::StackCreated("created".into()));
    assert!(asked(&effects, |query| matches!(query, PulumiQuery::Preview { destroy: false })));
}
