//! What `up` and `destroy` have to do with the name and its weights.

use std::time::Duration;

use super::desk::{DESTROY, Desk, LEGACY_DNS, PREVIEW, asked, change, simple};
use crate::domain::gate::Verdict;
use crate::domain::model::PendingAction;
use crate::domain::provision::PulumiQuery;
use crate::domain::pulumi::PulumiChange;
use crate::domain::pulumi::guard::RunKind;
use crate::domain::record::{Event, OutcomeKind};
use crate::domain::shift::Direction;
use crate::domain::shift::fixtures::record;
use crate::domain::units::WeightPair;

#[test]
fn no_up_while_a_weight_change_is_pending() {
    let mut desk = Desk::new(100, 0, 0.0);
    desk.preview(RunKind::Preview, PREVIEW);
    let weights = |legacy, new| WeightPair::new(legacy, new).unwrap();
    desk.journal(vec![
        Event::Intent {
            id: "i".into(),
            record: "app.example.com.".into(),
            from: weights(100, 0),
            to: weights(90, 10),
            direction: Direction::Forward,
            overrides: vec![],
            evacuation: None,
        },
        Event::Outcome {
            id: "i".into(),
            result: OutcomeKind::Accepted,
            weights: Some(weights(90, 10)),
            change: Some("/change/C1".into()),
            submitted_at: None,
            detail: String::new(),
        },
    ]);
    desk.press('u');
    assert!(desk.notice().contains("a weight change is pending"), "{}", desk.notice());
    desk.enter();
    desk.press('E');
    assert!(desk.notice().contains("a weight change is pending"), "{}", desk.notice());
}

#[test]
fn no_weight_moves_while_a_run_goes_on() {
    let mut desk = Desk::new(100, 0, 0.0);
    assert_eq!(desk.idle(), Verdict::Pass);
    let run = desk.started(RunKind::Up);
    assert_eq!(desk.idle(), Verdict::Fail, "before the state folder is looked at again");
    desk.press(']');
    assert!(desk.notice().contains("pulumi up by maria"), "{}", desk.notice());
    desk.enter();
    desk.ended(&run, true);
    assert_eq!(desk.idle(), Verdict::Pass);
}

/// What the preview of a destroy says once the name is released: a refresh has found the weighted records gone.
pub(in crate::domain::update) fn destroy_of_released() -> String {
    without_records(DESTROY, "delete")
}

/// A recorded run of nine steps as it is without its record.
pub(super) fn without_records(run: &str, op: &str) -> String {
    let others = run.split_inclusive('\n').filter(|line| !line.contains("aws:route53/record:Record"));
    others.collect::<String>().replace(&format!("{{\"{op}\":9}}"), &format!("{{\"{op}\":8}}"))
}

#[test]
fn destroy_leads_through_the_release_of_the_name() {
    let mut desk = Desk::new(100, 0, 0.0);
    assert!(change(&desk.press('D')).is_none());
    assert!(matches!(desk.question(), PendingAction::Zone(plan) if plan.deletes.len() == 2 && plan.creates.len() == 1));
    desk.arm();
    assert!(change(&desk.press('y')).is_none(), "a letter is no name");
    assert!(change(&desk.enter()).is_none());
    let effects = desk.type_in("app.example.com");
    let effects = desk.accepted(&effects);
    assert!(asked(&effects, |query| *query == PulumiQuery::Status));
    desk.zone(simple(LEGACY_DNS));
    assert!(asked(&desk.press('D'), |query| *query == PulumiQuery::Preview { destroy: true }));
    // A preview that still finds a weighted record has not seen the release.
    desk.preview(RunKind::PreviewDestroy, DESTROY);
    assert!(change(&desk.press('D')).is_none());
    assert!(desk.notice().contains("the plan deletes the weighted record"), "{}", desk.notice());
    desk.enter();
    desk.preview(RunKind::PreviewDestroy, &destroy_of_released());
    desk.press('u');
    assert!(desk.notice().contains("no plan"), "u does not run the plan of a destroy: {}", desk.notice());
    desk.enter();
    assert!(change(&desk.press('D')).is_none());
    desk.arm();
    let effects = desk.type_in("prod");
    let Some(PulumiChange::Run(run)) = change(&effects) else { panic!("{effects:?}") };
    assert_eq!(run.kind(), RunKind::Destroy);
}

#[test]
fn the_question_about_the_name_dies_when_the_records_change() {
    let mut desk = Desk::new(100, 0, 0.0);
    desk.press('E');
    desk.arm();
    desk.zone(vec![record("A", "legacy", 90), record("A", "new", 10)]);
    desk.wait(Duration::from_secs(1));
    assert!(desk.notice().contains("records changed"), "{}", desk.notice());
}
