//! One test for each scenario: what the operator sees, and which action is blocked. The way back is tried in each.

use tapctl::domain::gate::{GateId, Verdict};
use tapctl::sim::Scenario;

use crate::drill::{Drill, Seen};

/// Gives the new stack 10 %, waits until the scenario's trouble shows, and tries the next step.
async fn trouble(scenario: Scenario, wait: u32) -> (Drill, Seen) {
    let drill = Drill::new(scenario);
    let seen = drill.play(&format!("<5s>]<1s>y<{wait}s>]<1s>")).await;
    (drill, seen)
}

/// The same without a first step.
async fn calm(scenario: Scenario, wait: u32) -> (Drill, Seen) {
    let drill = Drill::new(scenario);
    let seen = drill.play(&format!("<{wait}s>]<1s>y<1s>")).await;
    (drill, seen)
}

async fn way_back_works(drill: &Drill) {
    drill.play("<5s>R<1s>y<5s>").await;
    assert_eq!(drill.weights(), (100, 0));
}

#[tokio::test(start_paused = true)]
async fn steady_lets_a_step_through_and_then_bakes() {
    let drill = Drill::new(Scenario::Steady);
    let seen = drill.play("<5s>").await;
    seen.all_gates_pass();
    let seen = drill.play("<5s>]<1s>y<90s>").await;
    assert_eq!(drill.weights(), (90, 10));
    seen.gate(GateId::DnsSettled, Verdict::Pass);
    seen.gate(GateId::Bake, Verdict::Fail);
    let seen = drill.play("<600s>").await;
    seen.all_gates_pass();
}

#[tokio::test(start_paused = true)]
async fn lag_spike_blocks_on_replication_lag() {
    let (drill, seen) = calm(Scenario::LagSpike, 330).await;
    seen.gate(GateId::ReplicationLag, Verdict::Fail);
    seen.shows("replication-lag");
    assert_eq!(drill.weights(), (100, 0));
}

#[tokio::test(start_paused = true)]
async fn task_crash_blocks_on_service_or_targets() {
    let (drill, seen) = trouble(Scenario::TaskCrash, 100).await;
    let blocked = [GateId::Service, GateId::Targets]
        .iter()
        .any(|id| seen.model.live.gates.iter().any(|g| g.id == *id && g.verdict == Verdict::Fail));
    assert!(blocked, "{:#?}", seen.model.live.gates);
    assert_eq!(drill.weights(), (90, 10));
    way_back_works(&drill).await;
}

#[tokio::test(start_paused = true)]
async fn bad_release_blocks_on_errors_and_the_way_back_is_open() {
    let (drill, seen) = trouble(Scenario::BadRelease, 620).await;
    seen.gate(GateId::Errors, Verdict::Fail);
    assert_eq!(drill.weights(), (90, 10));
    way_back_works(&drill).await;
}

#[tokio::test(start_paused = true)]
async fn stale_metrics_make_the_lag_unknown() {
    let (drill, seen) = calm(Scenario::StaleMetrics, 420).await;
    seen.gate(GateId::ReplicationLag, Verdict::Unknown);
    seen.shows("old");
    assert_eq!(drill.weights(), (100, 0));
}

#[tokio::test(start_paused = true)]
async fn table_error_blocks_although_the_task_runs() {
    let (drill, seen) = calm(Scenario::TableError, 120).await;
    seen.gate(GateId::Tables, Verdict::Fail);
    seen.shows("orders");
    assert_eq!(drill.weights(), (100, 0));
}

#[tokio::test(start_paused = true)]
async fn validation_mismatch_blocks() {
    let (drill, seen) = calm(Scenario::ValidationMismatch, 120).await;
    seen.gate(GateId::Validation, Verdict::Fail);
    seen.shows("payments");
    assert_eq!(drill.weights(), (100, 0));
}

#[tokio::test(start_paused = true)]
async fn second_operator_is_seen_as_drift_until_the_weights_are_taken() {
    let (drill, seen) = calm(Scenario::SecondOperator, 90).await;
    seen.gate(GateId::Drift, Verdict::Fail);
    assert_eq!(drill.weights(), (70, 30));
    let seen = drill.play("<5s>a<1s>y<1s>").await;
    seen.gate(GateId::Drift, Verdict::Pass);
    seen.gate(GateId::Bake, Verdict::Fail);
    way_back_works(&drill).await;
}

#[tokio::test(start_paused = true)]
async fn a_colleague_who_is_faster_turns_the_step_into_a_conflict() {
    let drill = Drill::new(Scenario::SecondOperator);
    // The question is answered between the colleague's change (45 s) and the next look at the records.
    let seen = drill.play("<44s>]<1.2s>y<3s>").await;
    assert_eq!(drill.weights(), (70, 30), "the colleague's weights stand");
    seen.shows("70");
    assert!(seen.model.dialog.is_some(), "{}", seen.screen);
}

#[tokio::test(start_paused = true)]
async fn throttled_shows_who_throttles_and_blocks_when_facts_grow_old() {
    let (drill, seen) = calm(Scenario::Throttled, 240).await;
    seen.shows("throttled");
    seen.gate(GateId::ReplicationTask, Verdict::Unknown);
    assert_eq!(drill.weights(), (100, 0));
}

#[tokio::test(start_paused = true)]
async fn control_plane_down_says_that_the_weights_cannot_be_read_and_blocks() {
    let (drill, seen) = calm(Scenario::ControlPlaneDown, 240).await;
    seen.gate(GateId::Drift, Verdict::Unknown);
    assert_eq!(drill.weights(), (100, 0));
}

#[tokio::test(start_paused = true)]
async fn control_plane_down_in_the_middle_of_a_step_is_settled_when_it_answers_again() {
    let drill = Drill::new(Scenario::Steady);
    let down = tapctl::sim::Fault { drop: true, ..tapctl::sim::Fault::on("route53") };
    drill.sim.inject(tapctl::sim::Fault { operation: Some("ChangeResourceRecordSets".into()), ..down.times(1) });
    let seen = drill.play("<5s>]<1s>y<400s>").await;
    assert_eq!(drill.weights(), (100, 0));
    assert!(seen.model.live.history.as_ref().unwrap().open.is_empty(), "it was read back");
    seen.gate(GateId::Drift, Verdict::Pass);
}

#[tokio::test(start_paused = true)]
async fn expired_credentials_block_and_say_how_to_get_new_ones() {
    let (drill, seen) = calm(Scenario::ExpiredCredentials, 240).await;
    seen.shows("credentials");
    assert!(seen.model.live.gates.iter().filter(|g| g.verdict == Verdict::Unknown).count() >= 9);
    assert_eq!(drill.weights(), (100, 0));
}

#[tokio::test(start_paused = true)]
async fn read_only_moves_nothing() {
    let mut drill = Drill::new(Scenario::Steady);
    drill.bastion.read_only = true;
    let seen = drill.play("<5s>]<1s>y<1s>R<1s>y<1s>").await;
    seen.shows("READ-ONLY");
    assert_eq!(drill.weights(), (100, 0));
}

#[tokio::test(start_paused = true)]
async fn clock_jump_makes_all_unknown_and_leaves_the_way_back_open() {
    let drill = Drill::new(Scenario::ClockJump);
    let seen = drill.play("<5s>]<1s>y<30s>").await;
    assert_eq!(drill.weights(), (90, 10));
    assert!(seen.model.live.facts.jump.is_none());
    // A question of before the jump takes no answer of after it.
    let drill = Drill::new(Scenario::ClockJump);
    let seen = drill.play("<50s>]<12s>y<1s>").await;
    assert_eq!(drill.weights(), (100, 0));
    seen.shows("set ahead by 10m");
    // Set back: nothing moves forward on what was read by another clock, and everything can go back.
    let drill = Drill::new(Scenario::ClockJump);
    drill.play("<5s>]<1s>y<5s>").await;
    let seen = drill.play("<232s>]<1s>y<1s>").await;
    assert_eq!(drill.weights(), (90, 10));
    seen.gate(GateId::ReplicationLag, Verdict::Unknown);
    seen.shows("this host's clock is 600 s behind AWS's");
    way_back_works(&drill).await;
}

#[tokio::test(start_paused = true)]
async fn late_write_is_not_known_until_it_has_landed() {
    let drill = Drill::new(Scenario::LateWrite);
    let seen = drill.play("<5s>]<1s>y<30s>").await;
    assert_eq!(drill.weights(), (100, 0));
    seen.shows("may be made until 12:45:06 UTC");
    let seen = drill.play("<120s>").await;
    assert_eq!(drill.weights(), (90, 10));
    assert!(seen.model.live.history.as_ref().is_some_and(|history| history.open.is_empty()));
    way_back_works(&drill).await;
}

#[tokio::test(start_paused = true)]
async fn late_write_that_is_called_back_lands_and_is_sent_back() {
    let drill = Drill::new(Scenario::LateWrite);
    let seen = drill.play("<5s>]<1s>y<20s><esc>R<1s>").await;
    seen.shows("a change may land until 12:45:06");
    let seen = drill.play("<5s>R<1s>y<150s>").await;
    seen.shows("applied at 90/10");
    seen.shows("INSYNC 100/0, read back as confirmed");
    assert_eq!(drill.weights(), (100, 0));
}

#[tokio::test(start_paused = true)]
async fn small_service_waits_for_requests_instead_of_judging_three() {
    let drill = Drill::new(Scenario::SmallService);
    let seen = drill.play("<5s>").await;
    seen.all_gates_pass();
    let seen = drill.play("<5s>]<1s>y<640s>").await;
    assert_eq!(drill.weights(), (90, 10));
    seen.gate(GateId::Errors, Verdict::Unknown);
    seen.gate(GateId::Latency, Verdict::Unknown);
    seen.shows("300 needed; at this rate 60 min have about 120, so waiting");
    way_back_works(&drill).await;
}

#[tokio::test(start_paused = true)]
async fn swapped_targets_refuse_forward_by_name_and_the_way_back_says_where_it_leads() {
    let drill = Drill::new(Scenario::SwappedTargets);
    let seen = drill.play("<60s>]<1s>").await;
    seen.gate(GateId::RecordTargets, Verdict::Fail);
    seen.shows("fail record-targets: the A member migration-legacy-prod leads to alias");
    seen.shows("this cannot be overridden");
    // All weight is where the way back puts it, and leads to the new stack all the same: that is no "already".
    let seen = drill.play("<5s>R<1s>").await;
    seen.shows("the weights already are 100/0, but the A member migration-legacy-prod leads to");
    assert!(!drill.was_asked("route53:ChangeResourceRecordSets"));
    let drill = Drill::new(Scenario::SwappedTargets);
    let seen = drill.play("<5s>]<1s>y<60s><esc>R<1s>").await;
    seen.shows("LEADS TO  the A member migration-legacy-prod leads to alias");
    seen.shows("what is sent back goes there");
}
