//! The first night in the cockpit: opened on a stack that does not exist, it goes on over the `up` that makes it.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use tapctl::config::known::{KnownStack, PROJECT, PlannedStack, REGION};
use tapctl::domain::deploy::guard::RunKind;
use tapctl::domain::gate::Policy;
use tapctl::domain::model::Model;
use tapctl::domain::provision::{Look, News, Order, RunHead, Trouble};
use tapctl::domain::record::Event;
use tapctl::domain::renewal::{Renewal, Renewed};
use tapctl::domain::units::Timestamp;
use tapctl::keymap::View;
use tapctl::ports::{Journal, Provisioner, Tell};
use tapctl::runtime::renew::Renew;
use tapctl::runtime::run_renewing;
use tapctl::sim::Scenario;
use tapctl::ui::{Palette, Theme};

use crate::drill::{Drill, keyboard};

/// Pulumi on which an `up` goes on that ends well after so long.
struct GoesOn(Duration);

impl Provisioner for GoesOn {
    fn carry_out(&self, order: Order, _: String, tell: Tell) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            match order {
                Order::Look => {
                    let newest = RunHead {
                        id: "run-1".into(),
                        kind: RunKind::Up,
                        line: "pulumi up".into(),
                        operator: "maria".into(),
                        host: "bastion".into(),
                        started_at: Timestamp::default(),
                        asked_to_stop: false,
                    };
                    let look = Look {
                        pulumi: Ok("3.255.0".into()),
                        locks: vec![],
                        pending: vec![],
                        newest: Some(newest),
                        passed_through: vec![],
                    };
                    tell(News::Looked(Box::new(look))).await;
                }
                Order::Follow(run) => {
                    tokio::time::sleep(self.0).await;
                    let (text, stderr) = ("succeeded".to_owned(), String::new());
                    tell(News::Ended { run, code: Some(0), text, succeeded: true, stderr }).await;
                }
                _ => tell(News::Done("done".into())).await,
            }
        })
    }
}

/// The drill's stack as its configuration would tell it.
fn planned(drill: &Drill) -> KnownStack {
    let outputs = drill.outputs();
    let values: BTreeMap<String, String> = [
        ("recordName", outputs.record_name),
        ("hostedZoneId", outputs.hosted_zone_id),
        ("legacyLbName", outputs.legacy_lb_name),
        ("legacyLbDnsName", outputs.legacy_lb_dns_name),
    ]
    .into_iter()
    .map(|(key, value)| (format!("{PROJECT}:{key}"), value))
    .collect();
    PlannedStack::read("prod", PROJECT, REGION, &values).into()
}

/// Opens a cockpit before the `up` is over, on outputs that cannot be read the first `failures` times.
async fn play(drill: &Drill, script: &str, failures: u32) -> (Model, String) {
    let known = planned(drill);
    let mut ports = drill.ports_on(known.clone()).await;
    ports.provision = Arc::new(GoesOn(Duration::from_secs(60)));
    let after = drill.ports().await;
    let mut stack = drill.model(&after).stack;
    let built = Renewed { stack: stack.clone(), policy: Policy::default() };
    let left = Arc::new(AtomicU32::new(failures));
    let renew: Renew = Arc::new(move || {
        let (left, built, after) = (left.clone(), built.clone(), after.clone());
        Box::pin(async move {
            if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok() {
                return Err(Trouble { message: "the state's backend is away".into(), hint: "look at it".into() });
            }
            Ok((built, after))
        })
    });
    stack.group = known.group_key().unwrap();
    stack.endpoints = known.endpoints();
    let model = Model::new(stack, Policy::default(), ports.clock.now());
    let mut terminal = Terminal::new(TestBackend::new(120, 36)).unwrap();
    let theme = Theme::new(Palette::Mono, false);
    let keys = keyboard(script);
    let end = Box::pin(run_renewing(&mut terminal, theme, keys, model, ports, renew, |_| {})).await;
    (end.unwrap(), terminal.backend().to_string())
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
    assert!(model.stack.is_provisioned() && model.renewal == Renewal::No);
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
