//! Pulumi's part of a change, between its turn and its end: the intent on disk, the call, the outcome on disk; and a look.
//!
//! It may use the ports and the domain. Changes come here from [`execute`](super::execute::execute) alone, which has the
//! turn; guards and confirmation lie before it, in the domain.

use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::confirm::Confirmed;
use crate::domain::provision::{Carried, PulumiAnswer, PulumiQuery, PulumiStatus};
use crate::domain::pulumi::guard::BlockedReason;
use crate::domain::pulumi::{PulumiChange, PulumiError};
use crate::ports::{PortError, Provisioner, Tell};

use super::ports_set::{JournalWriter, Ports};

/// What a look at Pulumi finds; nothing when the port tells nothing.
pub async fn look(port: &dyn Provisioner, operator: &str) -> Option<PulumiStatus> {
    let found = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&found);
    let tell: Tell = Arc::new(move |answer| {
        let kept = Arc::clone(&kept);
        Box::pin(async move {
            if let PulumiAnswer::Looked(look) = answer {
                *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(*look);
            }
        })
    });
    port.ask(PulumiQuery::Status, operator.to_owned(), tell).await;
    found.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Does what was confirmed; tells also why the outcome is not in the journal. Without an intent on disk nothing is done.
pub(super) async fn carry_out(
    ports: &Ports,
    change: &Confirmed<PulumiChange>,
    writer: &mut JournalWriter<'_>,
) -> (Result<Carried, PulumiError>, Option<PortError>) {
    if let Err(error) = stands(ports, change.get()).await {
        return (Err(error), None);
    }
    if let Err(error) = writer.append(change.get().intent()).await {
        return (Err(PulumiError::Storage(error)), None);
    }
    let result = ports.control.carry_out(change, writer.operator()).await;
    let outcome = match &result {
        Ok(carried) => carried.event(change.get()),
        Err(error) => change.get().not_done(&error.to_string()),
    };
    writer.goes_on_aside();
    let unwritten = writer.append(outcome).await.err();
    (result, unwritten)
}

/// A run writes the records too: it does not start while it is not known what came of a change of them, which another
/// process of this host may have sent since the guards looked.
async fn stands(ports: &Ports, change: &PulumiChange) -> Result<(), PulumiError> {
    if !matches!(change, PulumiChange::Run(_)) {
        return Ok(());
    }
    match ports.read_journal().await?.history.unfinished() {
        Some(open) => Err(BlockedReason::WeightChange(open.text()).into()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::change::Change;
    use crate::domain::change::turn::{Holder, TURN_BOUND};
    use crate::domain::confirm::YesFlag;
    use crate::domain::pulumi::guard::RunKind;
    use crate::domain::pulumi::{Interrupt, NewStack, RunRequest, RunState};
    use crate::domain::record::Event;
    use crate::domain::shift::Direction;
    use crate::domain::units::Timestamp;
    use crate::ports::{PulumiControl, PulumiFuture};
    use crate::runtime::execute::{Came, Executed, execute, quietly};
    use crate::runtime::fakes::{Fake, entry, pair};

    /// Does what it is told and remembers that it was.
    #[derive(Default)]
    struct Works {
        fails: bool,
        asked: Mutex<Vec<String>>,
    }

    impl PulumiControl for Works {
        fn carry_out<'a>(
            &'a self,
            change: &'a Confirmed<PulumiChange>,
            operator: &'a str,
        ) -> PulumiFuture<'a, Carried> {
            Box::pin(async move {
                self.asked.lock().unwrap().push(format!("{operator}: {}", change.get().title()));
                let made = Carried::StackCreated("the stack was created".into());
                if self.fails { Err(PulumiError::NotRunning) } else { Ok(made) }
            })
        }
    }

    fn confirmed(change: PulumiChange) -> Confirmed<Change> {
        Confirmed::by_flag(Change::Pulumi(change), YesFlag::from_cli(true).unwrap())
    }

    fn change() -> Confirmed<Change> {
        confirmed(PulumiChange::CreateStack(NewStack::new("prod")))
    }

    async fn run(fake: &Fake, control: &Arc<Works>, change: Confirmed<Change>) -> Executed {
        let control = Arc::clone(control) as Arc<dyn PulumiControl>;
        let ports = Ports { control, ..fake.ports() };
        execute(&ports, change, "kim", "bastion-2", &quietly()).await
    }

    fn result(done: &Executed) -> &Result<Carried, PulumiError> {
        let Came::Pulumi(result) = &done.came else { panic!("{done:?}") };
        result
    }

    #[tokio::test]
    async fn a_change_is_in_the_journal_before_and_after_it_under_whoever_made_it() {
        for (fails, last) in [(false, "the stack was created"), (true, "not done: Create the stack prod")] {
            let (fake, control) = (Fake::new(pair(100, 0)), Arc::new(Works { fails, ..Works::default() }));
            let done = run(&fake, &control, change()).await;
            assert_eq!(result(&done).is_err(), fails);
            let written: Vec<(String, String)> =
                done.entries.iter().map(|entry| (entry.operator.clone(), entry.event.text())).collect();
            assert_eq!(done.entries.len(), 2);
            assert!(written.iter().all(|(operator, _)| operator == "kim"), "{written:?}");
            assert!(written[0].1.starts_with("confirmed: Create the stack prod"), "{written:?}");
            assert!(written[1].1.starts_with(last), "{written:?}");
        }
    }

    #[tokio::test]
    async fn without_its_intent_on_disk_nothing_is_done() {
        let (fake, control) = (Fake::new(pair(100, 0)), Arc::new(Works::default()));
        fake.room_for(0);
        let done = run(&fake, &control, change()).await;
        assert!(matches!(result(&done), Err(PulumiError::Storage(_))), "{done:?}");
        assert!(control.asked.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn an_outcome_that_could_not_be_written_is_told() {
        let (fake, control) = (Fake::new(pair(100, 0)), Arc::new(Works::default()));
        fake.room_for(1);
        let done = run(&fake, &control, change()).await;
        assert!(result(&done).is_ok() && done.unwritten.is_some());
    }

    fn somebody() -> Holder {
        let (host, operator) = ("bastion".into(), "maria".into());
        Holder { pid: 7, host, operator, since: Timestamp::default(), stopped: Some(true) }
    }

    #[tokio::test]
    async fn it_has_the_turn_from_its_intent_to_its_outcome() {
        let (fake, control) = (Fake::new(pair(100, 0)), Arc::new(Works::default()));
        run(&fake, &control, change()).await;
        assert_eq!(fake.steps(), ["lock", "entry", "entry", "unlock"]);
    }

    #[tokio::test(start_paused = true)]
    async fn beside_a_turn_that_is_not_given_back_nothing_is_begun_and_a_run_is_stopped_all_the_same() {
        let (fake, control) = (Fake::new(pair(100, 0)), Arc::new(Works::default()));
        fake.held_by(somebody());
        let began = tokio::time::Instant::now();
        let done = run(&fake, &control, change()).await;
        let Err(PulumiError::Storage(error)) = result(&done) else { panic!("{done:?}") };
        assert!(error.message.contains("process 7 of maria on bastion"), "{error}");
        assert!(began.elapsed() < TURN_BOUND * 2 && done.entries.is_empty());
        assert!(control.asked.lock().unwrap().is_empty());

        let owner = ("maria", "bastion-2");
        let stop = Interrupt::new("r1", RunKind::Up, owner, "kim", &RunState::new());
        let done = run(&fake, &control, confirmed(PulumiChange::Interrupt(stop))).await;
        assert!(result(&done).is_ok(), "{done:?}");
        assert_eq!(fake.steps(), ["aside", "entry", "entry"]);
    }

    #[tokio::test]
    async fn a_run_is_stopped_although_somebody_keeps_the_journal_locked_and_nothing_else_is_done() {
        let (fake, control) = (Fake::new(pair(100, 0)), Arc::new(Works::default()));
        fake.lock_journal(0);
        assert!(matches!(result(&run(&fake, &control, change()).await), Err(PulumiError::Storage(_))));
        assert!(control.asked.lock().unwrap().is_empty());
        let stop = Interrupt::new("r1", RunKind::Up, ("maria", "bastion-2"), "kim", &RunState::new());
        let done = run(&fake, &control, confirmed(PulumiChange::Interrupt(stop))).await;
        assert!(result(&done).is_ok() && done.unwritten.is_none() && done.entries.len() == 2, "{done:?}");
    }

    #[tokio::test]
    async fn no_run_starts_while_it_is_not_known_what_came_of_a_change_of_the_records() {
        let (fake, control) = (Fake::new(pair(100, 0)), Arc::new(Works::default()));
        fake.remember(entry(
            1,
            Event::Intent {
                id: "a".into(),
                record: "app.example.com.".into(),
                from: pair(100, 0),
                to: pair(90, 10),
                direction: Direction::Forward,
                overrides: vec![],
            },
        ));
        let run_request = PulumiChange::Run(Box::new(RunRequest::refresh("prod")));
        let done = run(&fake, &control, confirmed(run_request)).await;
        assert!(matches!(result(&done), Err(PulumiError::Refused(BlockedReason::WeightChange(_)))), "{done:?}");
        assert!(control.asked.lock().unwrap().is_empty() && done.entries.is_empty());
    }
}
