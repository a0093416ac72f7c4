//! Runs with the real Pulumi engine. Without a CLI (and without Go to build one) these tests say so and pass; with
//! `CI=true` they fail then.

use std::fs;

use rustix::process::Signal;
use tapctl::adapters::pulumi::RunStatus;
use tapctl::adapters::pulumi::folder::RunRecord;
use tapctl::adapters::pulumi::headless::Context;
use tapctl::adapters::pulumi::process::ProcessId;
use tapctl::adapters::pulumi::{Interrupted, PulumiError, Started, interrupt, locks, stack};
use tapctl::domain::pulumi::lock::{ClearLocks, Holder};
use tapctl::domain::pulumi::pending::Pending;
use tapctl::domain::pulumi::*;
use tapctl::domain::zone::NameState;

use super::workspace::{Workspace, calm, yes};
use crate::support::pulumi::{follow_until, request, until};

#[tokio::test]
async fn what_was_read_runs_to_its_end_and_a_moved_weight_is_left_alone() {
    let Some(world) = Workspace::new() else { return };
    let previewed = world.preview().await;
    assert!(previewed.plan.touches_weights() && previewed.plan.total() > 100, "{}", previewed.plan.text());
    let run_request = yes(RunRequest::up("prod", &previewed.run.id, previewed.plan.clone()).unwrap());
    let finished = world.context.execute(&run_request, &calm(), request(), &mut |_| ()).await.unwrap();
    let progress = finished.state.progress();
    assert_eq!((progress.done, progress.total), (previewed.plan.total(), Some(previewed.plan.total())));
    let outputs = stack::outputs(&world.context.pulumi).await.unwrap();
    assert_eq!(outputs["recordName"], finished.state.outputs()["recordName"].as_str());
    assert!(stack::pending(&world.context.pulumi).await.unwrap().is_empty());

    // The weights move behind Pulumi's back; neither a refreshed preview nor its plan moves them back.
    world.cloud(&["weights", "migration-legacy-prod=70", "migration-new-prod=30"]);
    let again = world.preview().await;
    assert!(!again.plan.touches_weights(), "{:?}", again.plan.dangers);
    world.cloud(&["weights", "migration-legacy-prod=60", "migration-new-prod=40"]);
    let refused = RunRequest::up("prod", &again.run.id, again.plan.clone());
    assert_eq!(refused.is_err(), again.plan.is_empty());

    // The same confirmed order a second time: the world is another one now.
    let error = world.context.execute(&run_request, &calm(), request(), &mut |_| ()).await;
    if let Err(error) = &error {
        assert!(error.to_string().starts_with("the world changed since you read the plan"), "{error}");
    }
    assert_eq!(world.cloud(&["weights"]).trim(), r#"{"migration-legacy-prod": 60, "migration-new-prod": 40}"#);

    let gone = world.context.preview(true, request(), &mut |_| ()).await.unwrap();
    assert!(gone.plan.dangers.len() > 5, "{:?}", gone.plan.dangers);
    let run_request = yes(RunRequest::destroy("prod", &gone.run.id, gone.plan).unwrap());
    let refused = world.context.execute(&run_request, &calm(), request(), &mut |_| ()).await.unwrap_err();
    assert!(refused.to_string().contains("the plan deletes the weighted record migration-"), "{refused}");
    let unused = RunPreconditions { name_state: Some(NameState::Absent), ..calm() };
    let destroyed = world.context.execute(&run_request, &unused, request(), &mut |_| ()).await.unwrap();
    assert_eq!(destroyed.state.ending(), Some(RunOutcome::Succeeded));
    assert_eq!(world.cloud(&["show"]).trim(), "");
}

#[tokio::test]
async fn a_program_that_changed_after_the_preview_is_refused() {
    let Some(world) = Workspace::new() else { return };
    let previewed = world.preview().await;
    let program = world.context.pulumi.project.join("__main__.py");
    let text = fs::read_to_string(&program).unwrap();
    let more = "\nimport pulumi_aws\npulumi_aws.ec2.Eip('unplanned')\n";
    fs::write(&program, format!("{text}{more}")).unwrap();
    let run_request = yes(RunRequest::up("prod", &previewed.run.id, previewed.plan).unwrap());
    let error = world.context.execute(&run_request, &calm(), request(), &mut |_| ()).await.unwrap_err();
    assert!(error.to_string().starts_with("the world changed since you read the plan"), "{error}");
    assert_eq!(error.exit_code(), 7);
    fs::write(&program, "raise RuntimeError('the program is broken')\n").unwrap();
    let error = world.context.preview(false, request(), &mut |_| ()).await.unwrap_err();
    let PulumiError::Failed(explanation) = &error else { panic!("{error:?}") };
    assert_eq!(explanation.kind, FailureKind::Program, "{explanation:?}");
    fs::write(world.context.pulumi.project.join("Pulumi.yaml"), "name: [tap\n").unwrap();
    let error = world.context.preview(false, request(), &mut |_| ()).await.unwrap_err();
    let PulumiError::Failed(explanation) = &error else { panic!("{error:?}") };
    assert_eq!(explanation.kind, FailureKind::Project, "{explanation:?}");
}

#[tokio::test]
async fn a_refusal_of_the_provider_is_shown_with_its_message() {
    let Some(world) = Workspace::new() else { return };
    let said = "TooManyLoadBalancers: The maximum number of load balancers has been reached";
    world.cloud(&["control", "--fail", &format!("migration-alb-prod={said}")]);
    let started = world.start().await;
    let finished = world.context.follow(&started.dir, &mut |_| ()).await.unwrap();
    let failures = finished.state.failures();
    assert_eq!(failures[0].resource.unwrap().name(), "migration-alb-prod");
    assert!(failures[0].text.contains(said));
    let failure = finished.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Resource);
    assert!(failure.sentence.contains(said), "{}", failure.sentence);
}

#[tokio::test]
async fn an_interrupt_in_the_middle_waits_for_what_is_under_way() {
    let Some(world) = Workspace::new() else { return };
    world.cloud(&["control", "--hold", "create:migration-aurora-prod"]);
    let started = world.start().await;
    let held = |run_state: &RunState| run_state.under_way().iter().any(|r| r.name() == "migration-aurora-prod");
    follow_until(&started.dir, held).await;
    assert_eq!(interrupt::ask_to_stop(&started.dir, &request()), Ok(Interrupted::Asked));
    assert_eq!(interrupt::ask_to_stop(&started.dir, &request()), Ok(Interrupted::AlreadyAsked));
    // What else was under way comes to its end; as long as there is much of it, the question names a few and counts the rest.
    let told = |run_state: &RunState| ForceStop::new(&started.dir.id(), run_state, AskedBefore::Proved).warning();
    let is_aurora_told = |run_state: &RunState| told(run_state).contains("migration-aurora-prod");
    follow_until(&started.dir, |run_state| run_state.interrupts() == 1 && is_aurora_told(run_state)).await;
    world.cloud(&["control"]);
    let finished = world.context.attach(None, &mut |_| ()).await.unwrap();
    assert_eq!(finished.state.ending(), Some(RunOutcome::Canceled));
    assert_eq!(finished.failure.as_ref().unwrap().kind, FailureKind::Interrupted, "{:?}", finished.status);
    assert!(finished.state.unfinished().is_empty());
    // What is left is done by the next run.
    let run_state = world.up().await;
    assert_eq!(run_state.ending(), Some(RunOutcome::Succeeded));
}

/// Waits until everything is done that does not need the held database cluster, and is in the state: the engine writes
/// it behind its events, and a file in place, so that a kill in between leaves half a state.
async fn all_but_aurora(world: &Workspace, started: &Started) {
    let held = |run_state: &RunState| run_state.under_way().iter().any(|r| r.name() == "migration-aurora-prod");
    follow_until(&started.dir, held).await;
    loop {
        // An export that meets half a state, or one that changes meanwhile, finds the engine at it.
        let before = world.state();
        let open = stack::pending(&world.context.pulumi).await;
        let all_but_one = open.is_ok_and(|open| open.iter().map(Pending::name).eq(["migration-aurora-prod"]));
        if all_but_one && before == world.state() {
            return;
        }
    }
}

#[tokio::test]
async fn whoever_started_it_can_be_killed_and_the_run_ends_well() {
    let Some(world) = Workspace::new() else { return };
    world.cloud(&["control", "--hold", "create:migration-aurora-prod"]);
    let started = world.start().await;
    all_but_aurora(&world, &started).await;
    let record = started.dir.read().unwrap().unwrap();
    let supervisor = record.supervisor.as_ref().unwrap();
    supervisor.signal(Signal::HUP).unwrap();
    assert!(supervisor.is_alive());
    supervisor.signal(Signal::KILL).unwrap();
    until(&started.dir, |record, _| !record.supervisor.as_ref().is_some_and(ProcessId::is_alive)).await;
    assert_eq!(started.dir.read().unwrap().unwrap().status(), RunStatus::Running);
    // Another state folder, as on another bastion: there only Pulumi's own lock stands in the way.
    let elsewhere = Context {
        runs: tapctl::adapters::pulumi::Runs::new(&world.folder.path().join("elsewhere")),
        ..world.context.clone()
    };
    let run_request = yes(RunRequest::refresh("prod"));
    let error = elsewhere.execute(&run_request, &calm(), request(), &mut |_| ()).await.unwrap_err();
    let PulumiError::Failed(explanation) = &error else { panic!("{error:?}") };
    assert_eq!(explanation.kind, FailureKind::Locked, "{explanation:?}");
    assert_eq!(explanation.locks[0].pid, record.child.as_ref().unwrap().pid);
    assert_eq!(locks::holder(&explanation.locks[0], &world.context.runs.processes().unwrap()), Holder::AliveHere);
    world.cloud(&["control"]);
    let finished = world.context.attach(None, &mut |_| ()).await.unwrap();
    assert_eq!((finished.status, finished.state.ending()), (RunStatus::Lost, Some(RunOutcome::Succeeded)));
    assert!(finished.state.unfinished().is_empty());
    let failed = finished.state.tree().resources().iter().filter(|r| r.state != State::Done).count();
    assert_eq!(failed, 0);
}

#[tokio::test]
async fn a_lock_and_an_open_operation_of_a_dead_run_are_found_and_cleared() {
    let Some(world) = Workspace::new() else { return };
    world.cloud(&["control", "--hold", "create:migration-aurora-prod"]);
    let started = world.start().await;
    all_but_aurora(&world, &started).await;
    let living = world.locks();
    assert_eq!(living.len(), 1);
    assert!(ClearLocks::new("prod", &living).is_err(), "its holder lives");
    let record = started.dir.read().unwrap().unwrap();
    record.child.as_ref().unwrap().signal(Signal::KILL).unwrap();
    until(&started.dir, |_: &RunRecord, status| !status.is_active()).await;
    world.cloud(&["control"]);
    let finished = world.context.attach(None, &mut |_| ()).await.unwrap();
    assert_eq!(finished.failure.unwrap().kind, FailureKind::BrokenOff);
    assert!(finished.state.unfinished().iter().any(|r| r.name() == "migration-aurora-prod"));

    let run_request = yes(RunRequest::refresh("prod"));
    let error = world.context.execute(&run_request, &calm(), request(), &mut |_| ()).await.unwrap_err();
    assert!(matches!(&error, PulumiError::Failed(e) if e.kind == FailureKind::Locked), "{error:?}");
    let (dead, own) = (world.locks(), world.context.runs.processes().unwrap());
    assert_eq!(dead[0].1, Holder::DeadHere);
    locks::clear(&world.context.pulumi, &yes(ClearLocks::new("prod", &dead).unwrap()), &own).await.unwrap();
    assert!(world.locks().is_empty());
    let pending = stack::pending(&world.context.pulumi).await.unwrap();
    let aurora = pending.iter().find(|pending| pending.name() == "migration-aurora-prod");
    let aurora = aurora.unwrap_or_else(|| panic!("{pending:?}"));
    assert_eq!(aurora.operation, "creating");
    assert!(aurora.look_for().contains("look in rds for migration-aurora-prod"), "{}", aurora.look_for());
}
