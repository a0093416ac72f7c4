//! What the gates of the service say: tasks, targets, alarms.

use super::*;

fn alarms(side: Side, state: AlarmState) -> Observation {
    Observation::Alarms(side, vec![Alarm { name: "dms-lag".into(), ..alarm(side, state) }])
}

/// Alarms of both regions, the new one changed from one that is OK.
fn alarms_with(change: impl FnOnce(&mut Alarm)) -> Case {
    let mut alarm = alarm(Side::New, AlarmState::Ok);
    change(&mut alarm);
    Case::new()
        .learn(Source::AlarmsNew, Observation::Alarms(Side::New, vec![alarm]))
        .learn(Source::AlarmsLegacy, alarms(Side::Legacy, AlarmState::Ok))
}

/// A service of four, changed from one at rest.
fn ecs(change: impl FnOnce(&mut Service)) -> Case {
    let mut service = service(4);
    change(&mut service);
    Case::new().learn(Source::Service, Observation::Service(service))
}

/// Both fleets, beside a service that wants as many tasks.
fn fleets(wanted: u32, new: &[&str], legacy: &[&str]) -> Case {
    Case::new()
        .learn(Source::Service, Observation::Service(service(wanted)))
        .learn(Source::Targets, Observation::Hosts(Side::New, hosts(new)))
        .learn(Source::LegacyHosts, Observation::Hosts(Side::Legacy, hosts(legacy)))
}

#[test]
fn alarms_of_both_regions_have_to_be_there_and_ok() {
    let both = |state| {
        Case::new()
            .learn(Source::AlarmsNew, alarms(Side::New, state))
            .learn(Source::AlarmsLegacy, alarms(Side::Legacy, AlarmState::Ok))
    };
    both(AlarmState::Ok).says(GateId::Alarms, Verdict::Pass, "OK");
    both(AlarmState::Alarm).says(GateId::Alarms, Verdict::Fail, "Threshold Crossed");
    both(AlarmState::InsufficientData).says(GateId::Alarms, Verdict::Unknown, "INSUFFICIENT_DATA");
    let mut missing = both(AlarmState::Ok);
    missing.policy.expected_alarms = vec!["migration-tasks-prod".into()];
    missing.says(GateId::Alarms, Verdict::Unknown, "does not exist");
    Case::new().learn(Source::AlarmsNew, alarms(Side::New, AlarmState::Ok)).says(
        GateId::Alarms,
        Verdict::Unknown,
        "legacy-alarms",
    );
}

#[test]
fn an_alarm_that_nobody_hears_passes_nothing() {
    alarms_with(|_| {}).says(GateId::Alarms, Verdict::Pass, "every alarm");
    let silent = alarms_with(|a| a.silenced = Some("its actions are disabled".into()));
    silent.says(GateId::Alarms, Verdict::Fail, "lag-new: its actions are disabled, so nobody hears of it");
    let partial = alarms_with(|a| a.evaluation = Some("PARTIAL_DATA".into()));
    partial.says(GateId::Alarms, Verdict::Unknown, "PARTIAL_DATA");
}

#[test]
fn a_target_that_does_not_answer_blocks_and_says_why() {
    let legacy = ["InService"];
    fleets(1, &["healthy"], &legacy).says(GateId::Targets, Verdict::Pass, "");
    let mut sick = fleets(1, &["healthy", "unhealthy"], &legacy);
    sick.facts.targets.as_mut().unwrap().value.hosts[1].reason = Some("Target.Timeout".into());
    sick.says(GateId::Targets, Verdict::Fail, "Target.Timeout");
    fleets(1, &["initial"], &legacy).says(GateId::Targets, Verdict::Fail, "wait until 1 more have passed");
    fleets(1, &["draining"], &legacy).says(GateId::Targets, Verdict::Fail, "being taken out of service");
    fleets(1, &["unavailable"], &legacy).says(GateId::Targets, Verdict::Fail, "does not check these targets");
    fleets(1, &[], &legacy).says(GateId::Targets, Verdict::Fail, "not registered");
    let mut unused = fleets(1, &["unused"], &legacy);
    unused.facts.targets.as_mut().unwrap().value.hosts[0].reason = Some("Target.NotInUse: not configured".into());
    unused.says(GateId::Targets, Verdict::Fail, "the target group is not in use (Target.NotInUse: not configured)");
}

#[test]
fn targets_are_enough_only_beside_a_known_number_that_is_wanted() {
    let alone = |states: &[&str]| {
        Case::new()
            .learn(Source::Targets, Observation::Hosts(Side::New, hosts(states)))
            .learn(Source::LegacyHosts, Observation::Hosts(Side::Legacy, hosts(&["InService"])))
    };
    alone(&["healthy"]).says(GateId::Targets, Verdict::Unknown, "how many targets are wanted is not known");
    alone(&["unhealthy"]).says(GateId::Targets, Verdict::Fail, "unhealthy");
    fleets(4, &["healthy"; 3], &["InService"]).says(GateId::Targets, Verdict::Fail, "fewer healthy");
}

#[test]
fn the_way_back_has_to_lead_to_somebody() {
    let gone = fleets(1, &["healthy"], &["OutOfService", "OutOfService"]);
    gone.says(GateId::Targets, Verdict::Fail, "the way back leads to nobody");
    fleets(1, &["healthy"], &[]).says(GateId::Targets, Verdict::Fail, "the way back leads to nobody");
    fleets(1, &["healthy"], &["InService", "OutOfService"]).says(GateId::Targets, Verdict::Pass, "");
    let unread = Case::new()
        .learn(Source::Service, Observation::Service(service(1)))
        .learn(Source::Targets, Observation::Hosts(Side::New, hosts(&["healthy"])));
    unread.says(GateId::Targets, Verdict::Unknown, "legacy hosts: not known yet");
    let done = fleets(1, &["healthy"], &[]).weights(0, 100);
    done.says(GateId::Targets, Verdict::Pass, "");
}

#[test]
fn the_service_says_ecs_own_reason_in_a_sentence_that_fits_the_number() {
    let says = |words: &str, change: fn(&mut Service)| ecs(change).says(GateId::Service, Verdict::Fail, words);
    ecs(|_| {}).says(GateId::Service, Verdict::Pass, "");
    says("8 run, 4 wanted: old tasks are being stopped", |s| s.running = 8);
    says("3 of 4 run: tasks are missing; newest event: unable to place a task", |s| {
        s.running = 3;
        s.events = vec![(NOW, "unable to place a task".into())];
    });
    says("1 more are being started beside the 4 that run", |s| s.pending = 1);
    says("takes the release back: ECS deployment circuit breaker: rolling back to ecs-svc/1", |s| {
        s.deployments[0].rollout = "IN_PROGRESS".into();
        s.deployments[0].reason = "ECS deployment circuit breaker: rolling back to ecs-svc/1".into();
    });
    says("the rollout of app:6 failed: tasks failed to start", |s| {
        let failed =
            Deployment { rollout: "FAILED".into(), reason: "tasks failed to start".into(), ..s.deployments[0].clone() };
        s.deployments.push(Deployment { status: "ACTIVE".into(), task_definition: "app:6".into(), ..failed });
    });
    says("wait until it is COMPLETED; ECS: in progress", |s| {
        s.deployments[0].rollout = "IN_PROGRESS".into();
        s.deployments[0].reason = "in progress".into();
    });
}

#[test]
fn a_rollout_state_that_will_never_come_is_not_waited_for() {
    let none = ecs(|s| s.deployments[0].rollout = String::new());
    none.says(GateId::Service, Verdict::Unknown, "gives no rollout state and will give none");
    ecs(|s| s.deployments.clear()).says(GateId::Service, Verdict::Unknown, "no primary deployment");
}

#[test]
fn a_rollout_called_complete_does_not_pass_beside_counts_that_speak_against_it() {
    let says = |verdict, words: &str, change: fn(&mut Service)| ecs(change).says(GateId::Service, verdict, words);
    says(Verdict::Fail, "2 of 4 of its tasks run", |s| s.deployments[0].running = 2);
    says(Verdict::Fail, "1 are being started", |s| s.deployments[0].pending = 1);
    says(Verdict::Fail, "it wants 2 tasks and the service 4", |s| s.deployments[0].desired = 2);
    says(Verdict::Fail, "3 of its tasks failed", |s| s.deployments[0].failed = 3);
    says(Verdict::Fail, "4 tasks of app:6 still run", |s| {
        let old = Deployment { status: "ACTIVE".into(), task_definition: "app:6".into(), ..s.deployments[0].clone() };
        s.deployments.push(old);
    });
    says(Verdict::Fail, "is UNHEALTHY", |s| s.tasks[1].health = "UNHEALTHY".into());
    says(Verdict::Unknown, "counts 4 running tasks and lists 3", |s| s.tasks[0].status = "PENDING".into());
}
