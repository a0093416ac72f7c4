//! One table: every change, and what forbids it.

use super::*;
use crate::domain::change::propose;
use crate::domain::facts::{Observation, Source};
use crate::domain::gate::Verdict;
use crate::domain::model::fixtures::stack;
use crate::domain::pulumi::config::SetConfig;
use crate::domain::pulumi::config::tests::{complete, setup};
use crate::domain::pulumi::lock::{ClearLocks, Holder, Lock};
use crate::domain::pulumi::run_request::{AskedBefore, ForceStop};
use crate::domain::pulumi::used::fixtures::requests;
use crate::domain::pulumi::{Interrupt, NewStack, RunRequest, RunState};
use crate::domain::service::fixtures::hosts;
use crate::domain::shift::Override;
use crate::domain::shift::fixtures::{group, key, record};
use crate::domain::units::{Percent, Timestamp};
use crate::domain::zone;

const NOW: Timestamp = Timestamp::from_millis(1_795_000_020_000);

fn weights(legacy: u8, new: u8) -> WeightPair {
    WeightPair::new(legacy, new).unwrap()
}

/// Everything that a ground borrows from; as it is after `calm`, nothing forbids anything.
struct Night {
    facts: Facts,
    gates: Vec<Gate>,
    policy: Policy,
    endpoints: Endpoints,
    key: GroupKey,
    problem: PulumiProblem,
    setup: Setup,
    unmade: Setup,
    bare: Setup,
}

fn gate(id: GateId, verdict: Verdict) -> Gate {
    Gate { id, verdict, value: None, limit: "limit".into(), reason: "reason".into(), at: None }
}

fn calm(legacy: u8, new: u8) -> Night {
    let mut facts = Facts::default();
    let records = vec![record("A", "legacy", legacy), record("A", "new", new)];
    facts.absorb(&key(), Source::Records, Ok(Observation::Records(records)), NOW);
    let answer = Observation::Hosts(Side::New, hosts(&["healthy"; 2]));
    facts.absorb(&key(), Source::Targets, Ok(answer), NOW);
    Night {
        facts,
        gates: GateId::ALL.into_iter().map(|id| gate(id, Verdict::Pass)).collect(),
        policy: Policy::default(),
        endpoints: stack().endpoints,
        key: key(),
        problem: PulumiProblem { message: "pulumi was not found".into(), hint: "install it".into() },
        setup: complete(),
        unmade: Setup { exists: false, ..complete() },
        bare: Setup { exists: false, ..setup(&[]) },
    }
}

impl Night {
    fn ground(&self) -> Ground<'_> {
        Ground {
            inputs: Inputs {
                facts: &self.facts,
                history: None,
                policy: &self.policy,
                endpoints: &self.endpoints,
                now: NOW,
            },
            gates: &self.gates,
            key: &self.key,
            read_only: None,
            is_sending: false,
            is_asking_pulumi: false,
            pulumi_problem: None,
            setup: Some(&self.setup),
            followed: Some("r1"),
            run: RunPreconditions {
                running: None,
                weight_change: None,
                name_state: None,
                new_requests: Some(requests(0.0)),
                unused_per_min: 0.0,
                ways_used: true,
                provisioned: true,
            },
            overtaken_by: None,
        }
    }
}

fn step(from: (u8, u8), share: u8) -> Change {
    Change::Weights(ShiftPlan::new(&group(weights(from.0, from.1)), Percent::new(share).unwrap()).unwrap())
}

fn release() -> Change {
    let records = [record("A", "legacy", 100), record("A", "new", 0)];
    Change::Zone(zone::release(&key(), &stack().endpoints, &records, crate::domain::traffic::Side::Legacy).unwrap())
}

fn changes() -> Vec<(&'static str, Change)> {
    let lock = Lock { user: "maria".into(), host: "bastion".into(), pid: 7, since: Some(NOW) };
    let pulumi = |change| Change::Pulumi(change);
    vec![
        ("forward", step((100, 0), 10)),
        ("release", release()),
        ("baseline", Change::AcceptBaseline(weights(100, 0))),
        ("run", pulumi(PulumiChange::Run(Box::new(RunRequest::refresh("prod"))))),
        ("config", pulumi(PulumiChange::Config(SetConfig::new("prod", true, "owner", "platform", false).unwrap()))),
        ("create", pulumi(PulumiChange::CreateStack(NewStack::new("prod")))),
        ("locks", pulumi(PulumiChange::ClearLocks(ClearLocks::new("prod", &[(lock, Holder::DeadHere)]).unwrap()))),
        (
            "interrupt",
            pulumi(PulumiChange::Interrupt(Interrupt::new(
                "r1",
                RunKind::Up,
                ("maria", "bastion"),
                "kim",
                &RunState::new(),
            ))),
        ),
        ("force", pulumi(PulumiChange::ForceStop(ForceStop::new("r1", &RunState::new(), AskedBefore::Proved)))),
    ]
}

fn forbidden<'a>(night: &'a Night, alter: impl Fn(&mut Ground<'a>)) -> Vec<&'static str> {
    let mut names = Vec::new();
    for (name, change) in changes() {
        let mut ground = night.ground();
        if name == "create" {
            ground.setup = Some(&night.unmade);
        }
        alter(&mut ground);
        if check(&change, &ground).is_err() {
            names.push(name);
        }
    }
    names
}

#[test]
fn every_change_is_forbidden_by_what_this_table_names_and_by_nothing_else() {
    let night = calm(100, 0);
    let all: Vec<&str> = changes().iter().map(|(name, _)| *name).collect();
    let stops = ["interrupt", "force"];
    let but =
        |left_out: &[&str]| -> Vec<&str> { all.iter().copied().filter(|name| !left_out.contains(name)).collect() };

    assert_eq!(forbidden(&night, |_| ()), Vec::<&str>::new(), "a calm night");
    assert_eq!(forbidden(&night, |g| g.read_only = Some("--read-only")), all);
    assert_eq!(forbidden(&night, |g| g.is_sending = true), but(&stops));
    assert_eq!(forbidden(&night, |g| g.is_asking_pulumi = true), ["release", "run", "config", "create", "locks"]);
    assert_eq!(
        forbidden(&night, |g| g.pulumi_problem = Some(&night.problem)),
        ["run", "config", "create", "locks"],
        "a bastion without Pulumi moves weights, and hands the name back"
    );
    assert_eq!(
        forbidden(&night, |g| g.run.running = Some("pulumi up".into())),
        ["release", "run", "config", "create"],
        "that a run goes on is a gate for the weights"
    );
    assert_eq!(forbidden(&night, |g| g.run.weight_change = Some("C1".into())), ["release", "run"]);
    assert_eq!(forbidden(&night, |g| g.overtaken_by = Some("kim@b2".into())), ["forward", "release"]);
    assert_eq!(forbidden(&night, |g| g.followed = None), stops);
    assert_eq!(forbidden(&night, |g| g.gates = &[]), ["forward"], "no answer is no pass");
    let moved = calm(90, 10);
    assert_eq!(forbidden(&moved, |_| ()), ["forward", "release", "baseline"]);
}

#[test]
fn every_gate_forbids_a_step_forward_until_it_is_overridden_by_name() {
    for id in GateId::ALL.into_iter().filter(|id| *id != GateId::StepSize) {
        for verdict in [Verdict::Fail, Verdict::Unknown] {
            let mut night = calm(100, 0);
            *night.gates.iter_mut().find(|gate| gate.id == id).unwrap() = gate(id, verdict);
            let Change::Weights(mut plan) = step((100, 0), 10) else { panic!() };
            let blocked = check(&Change::Weights(plan.clone()), &night.ground()).unwrap_err();
            assert!(matches!(&blocked, Blocked::Gates(gates) if gates.len() == 1 && gates[0].id == id), "{id}");
            assert!(blocked.lines()[0].starts_with(verdict.word()), "{:?}", blocked.lines());
            plan.overrides = vec![Override { gate: id.name().into(), reason: "seen".into() }];
            let overridden = check(&Change::Weights(plan), &night.ground()).is_ok();
            assert_eq!(overridden, id.can_be_overridden(), "{id}");
        }
    }
    let night = calm(100, 0);
    assert!(
        matches!(check(&step((100, 0), 50), &night.ground()), Err(Blocked::Gates(gates)) if gates[0].id == GateId::StepSize)
    );
}

#[test]
fn an_evacuation_steps_over_every_gate_but_where_the_members_lead_and_lists_each() {
    let evacuate = |night: &Night| {
        let ground = night.ground();
        let plan = propose::evacuate("prod", "us-east-1 fails", ground.gates, ground.inputs).unwrap();
        (plan.clone(), check(&Change::Weights(plan), &ground))
    };
    for verdict in [Verdict::Fail, Verdict::Unknown] {
        let mut night = calm(80, 20);
        night.gates = GateId::ALL.into_iter().map(|id| gate(id, verdict)).collect();
        let (plan, checked) = evacuate(&night);
        let names: Vec<&str> = plan.overrides.iter().map(|over| over.gate.as_str()).collect();
        let all = GateId::ALL.into_iter().filter(|id| id.can_be_overridden()).map(GateId::name);
        assert_eq!(names, all.collect::<Vec<_>>(), "each by its name");
        assert!(plan.overrides.iter().all(|over| over.reason == "us-east-1 fails"));
        assert!(
            matches!(&checked, Err(Blocked::Gates(gates)) if gates.len() == 1 && gates[0].id == GateId::RecordTargets),
            "{checked:?}"
        );
        night.gates.iter_mut().find(|gate| gate.id == GateId::RecordTargets).unwrap().verdict = Verdict::Pass;
        assert_eq!(evacuate(&night).1, Ok(()));
        // A gate that falls after the question was asked is not among those that it lists.
        let mut night = calm(80, 20);
        let (plan, checked) = evacuate(&night);
        assert_eq!(checked, Ok(()));
        assert_eq!(plan.overrides.len(), 1, "the step's size alone: {:?}", plan.overrides);
        *night.gates.iter_mut().find(|gate| gate.id == GateId::Errors).unwrap() = gate(GateId::Errors, verdict);
        assert!(matches!(check(&Change::Weights(plan), &night.ground()), Err(Blocked::Gates(_))));
    }
    let asks = Change::Weights(evacuate(&calm(80, 20)).0).challenge();
    assert_eq!(asks, crate::domain::confirm::Challenge::Typed("prod".into()));
}

#[test]
fn nobody_is_sent_to_a_stack_where_nobody_answers() {
    for (states, is_free) in [(&["healthy", "unhealthy"][..], true), (&["unhealthy"; 2][..], false), (&[][..], false)] {
        let mut night = calm(80, 20);
        let found = Observation::Hosts(Side::New, hosts(states));
        night.facts.absorb(&key(), Source::Targets, Ok(found), NOW);
        let ground = night.ground();
        let plan = propose::evacuate("prod", "us-east-1 fails", ground.gates, ground.inputs).unwrap();
        assert_eq!(check(&Change::Weights(plan), &ground).is_ok(), is_free, "{states:?}");
    }
    let mut night = calm(80, 20);
    let blind = Facts { group: night.facts.group.clone(), records: night.facts.records.clone(), ..Facts::default() };
    night.facts = blind;
    let ground = night.ground();
    let plan = propose::evacuate("prod", "us-east-1 fails", ground.gates, ground.inputs).unwrap();
    assert_eq!(check(&Change::Weights(plan), &ground), Err(Blocked::AnswersUnknown));
}

#[test]
fn the_way_back_is_forbidden_by_the_right_to_write_and_the_records_alone() {
    let night = calm(50, 50);
    let back = step((50, 50), 0);
    let mut worst = night.ground();
    worst.gates = &[];
    worst.is_sending = true;
    worst.is_asking_pulumi = true;
    worst.pulumi_problem = Some(&night.problem);
    worst.run.running = Some("pulumi up".into());
    worst.run.weight_change = Some("C1".into());
    worst.overtaken_by = Some("kim@b2".into());
    assert_eq!(check(&back, &worst), Ok(()));
    worst.read_only = Some("--read-only");
    assert_eq!(check(&back, &worst), Err(Blocked::ReadOnly("--read-only".into())));
    let moved = calm(60, 40);
    assert_eq!(check(&back, &moved.ground()), Err(Blocked::RecordsChanged));
    // What waits for a change to land names records that are not there yet.
    let recall = ShiftPlan::recall(&group(weights(100, 0)), weights(90, 10), NOW);
    assert_eq!(check(&Change::Weights(recall), &night.ground()), Ok(()));
}

#[test]
fn a_stack_is_made_once_and_its_first_preview_needs_a_configuration() {
    let night = calm(100, 0);
    let create = Change::Pulumi(PulumiChange::CreateStack(NewStack::new("prod")));
    assert_eq!(check(&create, &night.ground()), Err(Blocked::StackExists));
    assert_eq!(check(&create, &Ground { setup: Some(&night.unmade), ..night.ground() }), Ok(()));
    let bare = Ground { setup: Some(&night.bare), ..night.ground() };
    assert!(matches!(check(&create, &bare), Err(Blocked::Run(BlockedReason::NotConfigured(_)))));
}

#[test]
fn a_preview_is_possible_where_nothing_may_be_changed() {
    let night = calm(100, 0);
    let read_only = Ground { read_only: Some("--read-only"), ..night.ground() };
    for kind in [RunKind::Preview, RunKind::PreviewDestroy] {
        assert_eq!(may_begin(kind, &read_only), Ok(()));
    }
    for kind in [RunKind::Up, RunKind::Refresh, RunKind::Destroy] {
        assert_eq!(may_begin(kind, &read_only), Err(Blocked::ReadOnly("--read-only".into())));
    }
}
