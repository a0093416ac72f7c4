//! The first night in the cockpit: opened on a stack that does not exist, it goes on over the `up` that makes it.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tapctl::domain::confirm::Confirmed;
use tapctl::domain::gate::Policy;
use tapctl::domain::model::Model;
use tapctl::domain::provision::{Carried, PulumiAnswer, PulumiProblem, PulumiQuery, PulumiStatus, RunHead};
use tapctl::domain::pulumi::event::parse;
use tapctl::domain::pulumi::explain::ProcessEnd;
use tapctl::domain::pulumi::guard::RunKind;
use tapctl::domain::pulumi::{PulumiChange, PulumiError};
use tapctl::domain::record::Event;
use tapctl::domain::stack::info::{ConfiguredStack, PROJECT, REGION, StackInfo};
use tapctl::domain::stack_reload::{StackReload, StackReloaded};
use tapctl::domain::units::Timestamp;
use tapctl::keymap::View;
use tapctl::ports::{Journal, Provisioner, PulumiControl, Tell};
use tapctl::runtime::reload::ReloadStack;
use tapctl::sim::Scenario;

use crate::drill::Drill;

/// Pulumi on which an `up` goes on that ends well after so long.
struct GoesOn(Duration);

impl Provisioner for GoesOn {
    fn ask(&self, query: PulumiQuery, _: String, tell: Tell) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            match query {
                PulumiQuery::Status => {
                    let look = look(Some(head(RunKind::Up, Timestamp::default())));
                    tell(PulumiAnswer::Looked(Box::new(look))).await;
                }
                PulumiQuery::Follow(run) => {
                    tokio::time::sleep(self.0).await;
                    tell(done(&run)).await;
                    let (text, stderr) = ("succeeded".to_owned(), String::new());
                    tell(PulumiAnswer::Ended { run, exit: ProcessEnd::Code(Some(0)), text, note: true, stderr }).await;
                }
                PulumiQuery::Runs { .. } => tell(PulumiAnswer::Runs { seen: vec![], may_lack: false }).await,
                _ => tell(PulumiAnswer::Done("done".into())).await,
            }
        })
    }
}

/// What a run says that ends well, without its steps.
fn done(run: &str) -> PulumiAnswer {
    let events = [
        r#"{"sequence":0,"timestamp":1,"preludeEvent":{"config":{}}}"#,
        r#"{"sequence":1,"timestamp":1,"summaryEvent":{"resourceChanges":{},"result":"succeeded"}}"#,
        r#"{"sequence":2,"timestamp":1,"cancelEvent":{}}"#,
    ];
    let lines = events.iter().map(|line| parse(line.as_bytes())).collect();
    PulumiAnswer::Lines { run: run.to_owned(), lines, oversized: 0 }
}

type Carrying<'a> = Pin<Box<dyn Future<Output = Result<Carried, PulumiError>> + Send + 'a>>;

impl PulumiControl for GoesOn {
    fn carry_out<'a>(&'a self, change: &'a Confirmed<PulumiChange>, _: &'a str, _: &'a str) -> Carrying<'a> {
        panic!("nobody has asked for {change:?}");
    }
}

fn look(newest: Option<RunHead>) -> PulumiStatus {
    PulumiStatus {
        asked_at: Timestamp::default(),
        pulumi: Ok("3.255.0".into()),
        locks: vec![],
        pending: vec![],
        newest,
        setup: None,
        passed_through: vec![],
    }
}

/// A run that is called as what it does.
fn head(kind: RunKind, started_at: Timestamp) -> RunHead {
    RunHead {
        id: kind.name().into(),
        kind,
        line: format!("pulumi {kind}"),
        operator: "maria".into(),
        host: "bastion".into(),
        started_at,
        asked_to_stop: Some(false),
    }
}

/// The scenario's stack as its configuration would tell it.
fn configured(drill: &Drill) -> StackInfo {
    let outputs = drill.outputs();
    let values: BTreeMap<String, String> = [
        ("recordName", outputs.traffic.record_name),
        ("hostedZoneId", outputs.traffic.hosted_zone_id),
        ("legacyLbName", outputs.traffic.legacy_lb_name),
        ("legacyLbDnsName", outputs.traffic.legacy_lb_dns_name),
    ]
    .into_iter()
    .map(|(key, value)| (format!("{PROJECT}:{key}"), value))
    .collect();
    ConfiguredStack::read("prod", PROJECT, REGION, &values).into()
}

/// Opens a cockpit before the `up` is over, on outputs that cannot be read the first `failures` times.
async fn play(drill: &Drill, script: &str, failures: u32) -> (Model, String) {
    let pulumi = Arc::new(GoesOn(Duration::from_secs(60)));
    let (configured, made) = (configured(drill), StackInfo::from(drill.outputs()));
    let mut ports = drill.ports_on(&configured).await;
    (ports.provision, ports.control) = (pulumi.clone(), pulumi.clone());
    let mut after = drill.ports_on(&made).await;
    (after.provision, after.control) = (pulumi.clone(), pulumi);
    let built = StackReloaded {
        stack: drill.bastion.stack(&made).0,
        watcher: drill.bastion.watcher(),
        policy: Policy::default(),
    };
    let left = Arc::new(AtomicU32::new(failures));
    let reload: ReloadStack = Arc::new(move || {
        let (left, built, after) = (left.clone(), built.clone(), after.clone());
        Box::pin(async move {
            if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok() {
                return Err(PulumiProblem { message: "the state's backend is away".into(), hint: "look at it".into() });
            }
            Ok((built, after))
        })
    });
    let (stack, _) = drill.bastion.stack(&configured);
    let model = Model::new(stack, drill.bastion.watcher(), Policy::default(), ports.clock.now());
    let seen = Box::pin(drill.play_on(script, (model, ports, reload))).await;
    (seen.model, seen.screen)
}

#[tokio::test(start_paused = true)]
async fn the_cockpit_opens_on_provision_and_says_calmly_that_nothing_stands() {
    let drill = Drill::new(Scenario::Steady);
    let (model, screen) = play(&drill, "<20s>", 0).await;
    assert_eq!(model.screen.view, View::Provision);
    assert!(screen.contains("NOT PROVISIONED"), "{screen}");
    let new = [tapctl::domain::facts::Source::Service, tapctl::domain::facts::Source::Replication];
    assert!(new.iter().all(|source| model.live.facts.error(*source).is_some()));
    assert!(model.live.facts.legacy_hosts.is_some(), "the legacy stack is there and is watched");
    assert!(!drill.was_asked("ecs:DescribeServices"), "nobody asks AWS about what does not exist");
}

#[tokio::test(start_paused = true)]
async fn after_the_up_it_watches_the_new_stack_without_being_opened_again() {
    let drill = Drill::new(Scenario::Steady);
    let (model, screen) = play(&drill, "<20s>1<100s>", 0).await;
    assert!(model.stack.is_provisioned() && model.stack_reload == StackReload::Idle);
    assert_eq!(model.screen.view, View::Overview);
    assert!(screen.contains("legacy 100 %") && screen.contains("4/4"), "{screen}");
    let (entries, _) = tapctl::adapters::journal::FileJournal::new(drill.state_dir()).read().unwrap();
    let ended = entries.iter().any(|e| matches!(&e.event, Event::Run { detail, .. } if detail.starts_with("ended")));
    assert!(ended, "what was noted before it is on disk: {entries:?}");
}

#[tokio::test(start_paused = true)]
async fn outputs_that_cannot_be_read_keep_nobody_from_watching_and_are_read_later() {
    let drill = Drill::new(Scenario::Steady);
    let (model, screen) = play(&drill, "<62s>", 3).await;
    assert!(!model.stack.is_provisioned());
    assert!(screen.contains("the state's backend is away; again in 5 s"), "{screen}");
    let drill = Drill::new(Scenario::Steady);
    let (model, _) = play(&drill, "<120s>", 3).await;
    assert!(model.stack.is_provisioned());
}

#[tokio::test(start_paused = true)]
async fn a_question_that_is_open_keeps_the_stack_that_it_asks_about() {
    let drill = Drill::new(Scenario::Steady);
    let (model, _) = play(&drill, "<55s>=<25s>", 0).await;
    assert!(!model.stack.is_provisioned() && model.dialog.is_some());
    let drill = Drill::new(Scenario::Steady);
    let (model, _) = play(&drill, "<55s>=<15s><esc><5s>", 0).await;
    assert!(model.stack.is_provisioned());
}
