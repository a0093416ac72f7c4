//! The service through load, illness and releases.

use super::scaling::LARGEST;
use super::*;

fn run(fargate: &mut Fargate, from: i64, seconds: i64, rate: f64) -> Vec<Served> {
    (from..from + seconds).map(|now| fargate.tick(now, rate)).collect()
}

#[test]
fn it_rests_on_four_tasks_in_three_zones() {
    let mut fargate = Fargate::new(1, 0);
    run(&mut fargate, 0, 3_600, 40.0);
    assert_eq!((fargate.desired, fargate.running(3_600), fargate.tasks.len()), (4, 4, 4));
    assert!((0..3).all(|zone| fargate.live().any(|task| task.zone == zone)));
    assert_eq!(fargate.targets(3_600, TargetState::Healthy), 4);
}

#[test]
fn autoscaling_follows_cpu_up_within_bounds_and_down_again() {
    let mut fargate = Fargate::new(1, 0);
    run(&mut fargate, 0, 1_800, 412.0);
    assert!((8..=12).contains(&fargate.desired), "{}", fargate.desired);
    let (cpu, _) = fargate.usage(1_800).unwrap();
    assert!(cpu < 75.0, "{cpu}");
    run(&mut fargate, 1_800, 3_600, 5_000.0);
    assert_eq!(fargate.desired, LARGEST);
    run(&mut fargate, 5_400, 7_200, 10.0);
    assert_eq!(fargate.desired, SMALLEST);
    assert_eq!(fargate.running(12_600), SMALLEST);
}

#[test]
fn ill_tasks_are_seen_stopped_and_replaced() {
    let mut fargate = Fargate::new(1, 0);
    run(&mut fargate, 0, 60, 40.0);
    fargate.fall_ill(60, 2, 75);
    run(&mut fargate, 60, 30, 40.0);
    assert_eq!(fargate.targets(90, TargetState::Unhealthy), 2);
    run(&mut fargate, 90, 60, 40.0);
    assert_eq!(fargate.targets(149, TargetState::Healthy), 2);
    assert!(fargate.pending(149) == 2);
    run(&mut fargate, 150, 120, 40.0);
    assert_eq!(fargate.targets(269, TargetState::Healthy), 4);
    assert_eq!(fargate.tasks.iter().filter(|task| task.stopped.is_some()).count(), 2);
}

#[test]
fn a_bad_release_answers_errors_and_its_rollout_fails() {
    let mut fargate = Fargate::new(1, 0);
    fargate.release(0, 0.25, Some(240));
    run(&mut fargate, 0, 200, 40.0);
    assert_eq!(fargate.deployments[0].rollout, Rollout::InProgress);
    let served = run(&mut fargate, 200, 60, 40.0);
    let requests: f64 = served.iter().map(|served| served.requests).sum();
    let errors: f64 = served.iter().map(|served| served.target_errors).sum();
    assert!((0.15..0.35).contains(&(errors / requests)), "{}", errors / requests);
    assert_eq!(fargate.deployments[0].rollout, Rollout::Failed);
    assert_eq!(fargate.running(260), 4);
}

#[test]
fn a_good_release_replaces_every_task_without_loss() {
    let mut fargate = Fargate::new(1, 0);
    fargate.release(0, 0.0, None);
    for now in 0..600 {
        fargate.tick(now, 40.0);
        assert!(fargate.targets(now, TargetState::Healthy) >= 4, "{now}");
    }
    assert_eq!((fargate.deployments.len(), fargate.deployments[0].rollout), (1, Rollout::Completed));
    assert!(fargate.live().all(|task| task.revision == 8));
}

#[test]
fn a_service_that_comes_to_be_is_steady_within_two_minutes_and_can_go_again() {
    let mut fargate = Fargate::absent(1);
    run(&mut fargate, 0, 60, 0.0);
    assert_eq!((fargate.desired, fargate.tasks.len(), fargate.events.len()), (0, 0, 0));
    fargate.create(60);
    run(&mut fargate, 60, 20, 0.0);
    assert_eq!((fargate.running(79), fargate.pending(79)), (0, 4));
    assert_eq!(fargate.deployments[0].rollout, Rollout::InProgress);
    run(&mut fargate, 80, 100, 0.0);
    assert_eq!(fargate.targets(180, TargetState::Healthy), 4);
    assert_eq!((fargate.deployments[0].rollout, fargate.deployments[0].revision), (Rollout::Completed, 1));
    fargate.delete();
    run(&mut fargate, 180, 120, 0.0);
    assert_eq!((fargate.tasks.len(), fargate.deployments.len()), (0, 0));
}

#[test]
fn without_any_task_the_balancer_answers_errors() {
    let mut fargate = Fargate::new(1, 0);
    fargate.fall_ill(0, 4, 5);
    let served = run(&mut fargate, 0, 10, 40.0);
    assert!(served.last().unwrap().balancer_errors > 10.0);
}
