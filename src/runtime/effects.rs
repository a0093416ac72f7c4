//! Carries out effects: each in a task of its own, each with a deadline, each with exactly one closing message.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::domain::change::Change;
use crate::domain::change::outcome::Outcome;
use crate::domain::change::settle::{SEND_DEADLINE, SIGNATURE_LIFE};
use crate::domain::confirm::Confirmed;
use crate::domain::error::{ErrorKind, PortError};
use crate::domain::evidence::watch::QUERIES;
use crate::domain::facts::Query;
use crate::domain::model::Model;
use crate::domain::msg::{Effect, Msg, Request};
use crate::domain::provision::{Carried, PulumiAnswer, PulumiProblem, PulumiQuery};
use crate::domain::pulumi::PulumiError;
use crate::domain::record::Entry;
use crate::domain::time::Moment;
use crate::domain::traffic::RecordGroup;
use crate::domain::units::Timestamp;
use crate::domain::update::operator;

use crate::ports::Tell;

use super::Ports;
use super::disk::on_disk;
use super::execute::{Came, Executed, Tell as ChangeTell, execute, settle};
use super::reload::ReloadStack;
use super::sample::sample;
use super::zone::left_behind;

/// A question that has no answer by then is given up. The adapters have tighter deadlines of their own; this one
/// guarantees that every question ends.
const DEADLINE: Duration = Duration::from_secs(20);
/// Reading the stack anew asks Pulumi two or three times, each of which has a deadline of its own.
const RELOAD_DEADLINE: Duration = Duration::from_secs(180);
/// How long the end of the program waits for a change that is being sent.
const LEAVING: Duration = Duration::from_secs(5);
/// Journal lines that may wait for the disk.
const JOURNAL_QUEUE: usize = 256;

pub(super) struct Runner {
    ports: Ports,
    answers: mpsc::Sender<Msg>,
    lines: mpsc::Sender<Entry>,
    reload: ReloadStack,
    /// Ports for the stack as it was last read, until the model is ready for them.
    reloaded: Arc<Mutex<Option<(Request, Ports)>>>,
    /// Tasks that must end before the program does: writes and journal lines.
    must_end: JoinSet<()>,
}

impl Runner {
    pub(super) fn new(ports: Ports, reload: ReloadStack, answers: mpsc::Sender<Msg>) -> Self {
        let (lines, mut waiting) = mpsc::channel::<Entry>(JOURNAL_QUEUE);
        let mut must_end = JoinSet::new();
        let (journal, sink) = (ports.journal.clone(), answers.clone());
        // One writer, so that lines reach the disk in the order in which they were made.
        must_end.spawn(async move {
            while let Some(entry) = waiting.recv().await {
                let journal = journal.clone();
                let result = on_disk("journal:Append", move || journal.append(&entry).map(|()| entry)).await;
                // A closed loop no longer needs the answer; the line itself is written.
                let _closed = sink.send(Msg::Appended { result }).await;
            }
        });
        Self { ports, answers, lines, reload, reloaded: Arc::default(), must_end }
    }

    pub(super) fn moment(&self) -> Moment {
        self.ports.clock.moment()
    }

    pub(super) fn run(&mut self, effect: Effect, model: &Model) {
        while self.must_end.try_join_next().is_some() {}
        match effect {
            Effect::Observe { request, query } => self.observe(request, query),
            Effect::ReadJournal { known } => {
                let (journal, answers) = (self.ports.journal.clone(), self.answers.clone());
                tokio::spawn(async move {
                    let read = tokio::task::spawn_blocking(move || {
                        // Taken before the reading, so that what is appended meanwhile makes another one.
                        let stamp = journal.stamp();
                        if known.is_some() && known == stamp { None } else { Some((journal.read(), stamp)) }
                    });
                    let msg = match read.await {
                        Ok(None) => Msg::JournalSame,
                        Ok(Some((result, stamp))) => Msg::JournalRead { result, stamp },
                        Err(error) => Msg::JournalRead { result: Err(broken("journal:Read", &error)), stamp: None },
                    };
                    let _closed = answers.send(msg).await;
                });
            }
            Effect::Append(entry) => {
                if self.lines.try_send(entry).is_err() {
                    let error = PortError::new(ErrorKind::Storage, "journal:Append", "the disk does not keep up");
                    let answers = self.answers.clone();
                    tokio::spawn(async move {
                        let _closed = answers.send(Msg::Appended { result: Err(error) }).await;
                    });
                }
            }
            Effect::Execute { request, change } => self.execute(request, change, model),
            Effect::Settle { request } => {
                let (ports, answers) = (self.ports.clone(), self.answers.clone());
                let (operator, host) = (operator(model), model.watcher.host.clone());
                let look = model.provision.look.as_ref().map(|look| look.value.clone());
                self.must_end.spawn(async move {
                    let task = tokio::spawn(async move { settle(&ports, look.as_ref(), &operator, &host).await });
                    let result = task.await.unwrap_or_else(|error| Err(broken("journal:Settle", &error)));
                    let _closed = answers.send(Msg::Settled { request, result }).await;
                });
            }
            Effect::AskNameServers { request, group } => self.ask_name_servers(request, group),
            Effect::AskPulumi { request, query } => self.provision(request, query, operator(model)),
            Effect::ReloadStack { request } => self.reload(request),
            Effect::Switch { request } => self.switch(request),
            Effect::Bell
            | Effect::Copy(_)
            | Effect::Notify(_)
            | Effect::Mouse(_)
            | Effect::Redraw
            | Effect::Suspend
            | Effect::Quit => {}
        }
    }

    /// From now on asks about the stack as that request read it.
    fn switch(&mut self, request: Request) {
        let mut waiting = self.reloaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, ports)) = waiting.take_if(|(read, _)| *read == request) {
            self.ports = ports;
            return;
        }
        let answers = self.answers.clone();
        tokio::spawn(async move {
            let _closed = answers.send(Msg::NotSwitched).await;
        });
    }

    fn reload(&self, request: Request) {
        let (reload, waiting, answers) = (self.reload.clone(), self.reloaded.clone(), self.answers.clone());
        tokio::spawn(async move {
            let task = tokio::spawn(async move { tokio::time::timeout(RELOAD_DEADLINE, reload()).await });
            let trouble = |message: String| PulumiProblem { message, hint: "it is tried again by itself".to_owned() };
            let result = match task.await {
                Ok(Ok(Ok((reloaded, ports)))) => {
                    let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
                    // One that was overtaken comes too late.
                    if waiting.as_ref().is_none_or(|(newer, _)| *newer < request) {
                        *waiting = Some((request, ports));
                    }
                    Ok(Box::new(reloaded))
                }
                Ok(Ok(Err(trouble))) => Err(trouble),
                Ok(Err(_)) => Err(trouble(format!("no answer within {} s", RELOAD_DEADLINE.as_secs()))),
                Err(error) => Err(trouble(format!("tapctl itself failed here: {error}"))),
            };
            let _closed = answers.send(Msg::StackReloaded { request, result }).await;
        });
    }

    fn execute(&mut self, request: Request, change: Confirmed<Change>, model: &Model) {
        let (ports, answers) = (self.ports.clone(), self.answers.clone());
        let (operator, host) = (operator(model), model.watcher.host.clone());
        let told = self.answers.clone();
        // A stage that finds the queue full is only a word on the screen.
        let tell: ChangeTell = Arc::new(move |stage| drop(told.try_send(Msg::Stage { request, stage })));
        let (now, planned) = (self.ports.clock.now(), change.get().clone());
        self.must_end.spawn(async move {
            let task = tokio::spawn(async move { execute(&ports, change, &operator, &host, &tell).await });
            let told = match task.await {
                Ok(done) => closing(request, done),
                Err(error) => vec![broken_off(request, &planned, &error, now)],
            };
            for msg in told {
                let _closed = answers.send(msg).await;
            }
        });
    }

    fn provision(&self, request: Request, query: PulumiQuery, operator: String) {
        let (ports, answers) = (self.ports.clone(), self.answers.clone());
        let tell: Tell = Arc::new(move |answer| {
            let answers = answers.clone();
            Box::pin(async move {
                let _closed = answers.send(Msg::Pulumi { request, answer }).await;
            })
        });
        if let PulumiQuery::Orphans { key, endpoints } = query {
            tokio::spawn(async move {
                let task = tokio::spawn(async move { left_behind(&ports, &key, &endpoints).await });
                let hint = "look through the zone for records of this stack";
                tell(PulumiAnswer::Orphans(task.await.unwrap_or_else(|error| Err(failed(&error, hint))))).await;
            });
            return;
        }
        // A run goes on without us, so the end of the program waits for none of these.
        tokio::spawn(async move {
            let told = tell.clone();
            let task = tokio::spawn(async move { ports.provision.ask(query, operator, told).await });
            if let Err(error) = task.await {
                tell(PulumiAnswer::Failed(failed(&error, "the run goes on; start tapctl again to see it"))).await;
            }
        });
    }

    fn ask_name_servers(&self, request: Request, group: Box<RecordGroup>) {
        let (ports, answers) = (self.ports.clone(), self.answers.clone());
        tokio::spawn(async move {
            let task = tokio::spawn(async move {
                let look = sample(ports.name_servers.as_ref(), &group, QUERIES, ports.clock.as_ref());
                tokio::time::timeout(DEADLINE, look).await
            });
            let result = match task.await {
                Ok(Ok(result)) => result,
                Ok(Err(_)) => Err(late("dns")),
                Err(error) => Err(broken("dns", &error)),
            };
            let _closed = answers.send(Msg::NameServers { request, result }).await;
        });
    }

    fn observe(&self, request: Request, query: Query) {
        let (ports, answers) = (self.ports.clone(), self.answers.clone());
        tokio::spawn(async move {
            let source = query.source();
            let asked = query.clone();
            let ask = ports.observe.clone();
            let task = tokio::spawn(async move { tokio::time::timeout(DEADLINE, ask.observe(asked)).await });
            let result = match task.await {
                Ok(Ok(result)) => result,
                Ok(Err(_)) => Err(late(source.name())),
                Err(error) => Err(broken(source.name(), &error)),
            };
            let (at, clock_skew_ms) = (ports.clock.now(), (ports.skew)());
            let _closed = answers.send(Msg::Answer { request, source, result, at, clock_skew_ms }).await;
        });
    }

    /// Waits a moment for writes that are under way and for the journal's last lines. What takes longer is left: its
    /// intent is on disk, and the next start reads what came of it.
    pub(super) async fn finish(self) {
        let Self { lines, answers, must_end, ports, .. } = self;
        // What waits for its turn is not sent any more; the way back goes on at once, without it.
        ports.leaving.store(true, Ordering::Relaxed);
        drop((lines, answers));
        let _late = tokio::time::timeout(LEAVING, must_end.join_all()).await;
    }
}

fn late(what: &str) -> PortError {
    PortError::new(ErrorKind::TimedOut, what, format!("no answer within {} s", DEADLINE.as_secs()))
}

/// What is told of a change that has ended; the last message closes it.
fn closing(request: Request, done: Executed) -> Vec<Msg> {
    let Executed { came, entries, unwritten } = done;
    let appended = |entries: Vec<Entry>| entries.into_iter().map(|entry| Msg::Appended { result: Ok(entry) });
    match came {
        Came::Records(outcome) => vec![Msg::Executed { request, outcome, entries }],
        Came::Pulumi(result) => {
            let unwritten = unwritten.into_iter().map(|error| Msg::Appended { result: Err(error) });
            let answer = Msg::Pulumi { request, answer: news_of(result) };
            appended(entries).chain(unwritten).chain([answer]).collect()
        }
        Came::Baseline(Ok(())) => appended(entries).collect(),
        Came::Baseline(Err(error)) => vec![Msg::Appended { result: Err(error) }],
    }
}

/// The same of one that broke off in this program.
fn broken_off(request: Request, change: &Change, error: &tokio::task::JoinError, now: Timestamp) -> Msg {
    match change {
        Change::Weights(_) | Change::Zone(_) => {
            let error = broken("route53:ChangeResourceRecordSets", error);
            let until = now.plus(SEND_DEADLINE + SIGNATURE_LIFE);
            let outcome = Outcome::Unknown { error, until, found: Err("nobody read them".to_owned()) };
            Msg::Executed { request, outcome, entries: Vec::new() }
        }
        Change::Pulumi(_) => {
            let hint = "look at the journal and at the run: it may have been done";
            Msg::Pulumi { request, answer: PulumiAnswer::Failed(failed(error, hint)) }
        }
        Change::AcceptBaseline(_) => Msg::Appended { result: Err(broken("journal:Append", error)) },
    }
}

fn news_of(result: Result<Carried, PulumiError>) -> PulumiAnswer {
    match result {
        Ok(Carried::Started(head)) => PulumiAnswer::Started(head),
        Ok(Carried::Interrupted(sent)) => PulumiAnswer::AskedToStop(sent),
        Ok(Carried::StackCreated(text)) => PulumiAnswer::StackCreated(text),
        Ok(Carried::Done(text)) => PulumiAnswer::Changed(text),
        Err(error) => PulumiAnswer::Failed(PulumiProblem { message: error.to_string(), hint: error.hint() }),
    }
}

fn failed(error: &tokio::task::JoinError, hint: &str) -> PulumiProblem {
    PulumiProblem { message: format!("tapctl itself failed here: {error}"), hint: hint.to_owned() }
}

fn broken(operation: &str, error: &tokio::task::JoinError) -> PortError {
    PortError::new(ErrorKind::Other, operation, format!("tapctl itself failed here: {error}"))
}

#[cfg(test)]
#[path = "effects_tests.rs"]
mod tests;
