//! Which ports are asked after readings of the stack that overtake each other, and that every query has its end.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::domain::gate::Policy;
use crate::domain::model::fixtures::{stack, watcher};
use crate::domain::stack_reload::StackReloaded;
use crate::runtime::fakes::{Fake, pair};

/// Readings that take so many seconds each; the ports of the n-th ask about a zone called `n`.
fn runner(seconds: &'static [u64]) -> (Runner, mpsc::Receiver<Msg>, Model) {
    let fake = Fake::new(pair(100, 0));
    let (answers, told) = mpsc::channel(16);
    let model = Model::new(stack(), watcher(), Policy::default(), crate::domain::units::Timestamp::default());
    let (ports, begun) = (fake.ports(), Arc::new(AtomicU64::new(0)));
    let reload: ReloadStack = Arc::new(move || {
        let mut ports = fake.ports();
        let n = begun.fetch_add(1, Ordering::SeqCst);
        ports.key.zone_id = n.to_string();
        Box::pin(async move {
            let wait = usize::try_from(n).ok().and_then(|n| seconds.get(n)).copied().unwrap_or_default();
            tokio::time::sleep(Duration::from_secs(wait)).await;
            Ok((StackReloaded { stack: stack(), watcher: watcher(), policy: Policy::default() }, ports))
        })
    });
    (Runner::new(ports, reload, answers), told, model)
}

#[tokio::test(start_paused = true)]
async fn a_reading_that_was_overtaken_does_not_replace_the_newer_one() {
    let (mut runner, mut told, model) = runner(&[10, 1]);
    for request in [5, 6] {
        runner.run(Effect::ReloadStack { request }, &model);
        tokio::task::yield_now().await;
    }
    for wanted in [6, 5] {
        let msg = told.recv().await.unwrap();
        assert!(matches!(msg, Msg::StackReloaded { request, result: Ok(_) } if request == wanted), "{msg:?}");
    }
    runner.run(Effect::Switch { request: 6 }, &model);
    assert_eq!(runner.ports.key.zone_id, "1");
}

#[tokio::test(start_paused = true)]
async fn ports_that_are_not_there_any_more_are_told_and_not_taken_for_switched() {
    let (mut runner, mut told, model) = runner(&[]);
    let before = runner.ports.key.zone_id.clone();
    runner.run(Effect::Switch { request: 6 }, &model);
    let told = tokio::time::timeout(Duration::from_secs(1), told.recv()).await;
    assert_eq!(told, Ok(Some(Msg::NotSwitched)));
    assert_eq!(runner.ports.key.zone_id, before);
}

/// A zone that nobody can ask: it panics.
struct Panics;

impl crate::ports::Observe for Panics {
    fn observe(&self, _: Query) -> crate::ports::PortFuture<'_, crate::domain::facts::Observation> {
        panic!("made to fail")
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_through_the_zone_that_breaks_has_its_end_all_the_same() {
    let (mut runner, mut told, model) = runner(&[]);
    runner.ports.observe = Arc::new(Panics);
    let query = PulumiQuery::Orphans { key: model.stack.group.clone(), endpoints: model.stack.endpoints.clone() };
    runner.run(Effect::AskPulumi { request: 7, query }, &model);
    let told = tokio::time::timeout(Duration::from_secs(1), told.recv()).await;
    assert!(matches!(told, Ok(Some(Msg::Pulumi { request: 7, answer: PulumiAnswer::Orphans(Err(_)) }))), "{told:?}");
}
