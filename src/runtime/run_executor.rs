//! The one way in which anything around Pulumi is changed, for keys and commands: the intent on disk, the call, the outcome
//! on disk.
//!
//! It may use the ports and the domain. Guards and confirmation lie before it, in the domain.

use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::confirm::Confirmed;
use crate::domain::deploy::{PulumiChange, PulumiError};
use crate::domain::provision::{Carried, Look, News, Order};
use crate::domain::record::{Entry, Event};
use crate::ports::{Clock, ErrorKind, Journal, PortError, Provisioner, PulumiControl, Tell};

use super::Ports;

/// What is needed of the outside to work with Pulumi, also where nothing is known of AWS.
#[derive(Clone)]
pub struct PulumiPorts {
    /// Asks Pulumi.
    pub provision: Arc<dyn Provisioner>,
    /// Changes something around it.
    pub control: Arc<dyn PulumiControl>,
    /// Remembers.
    pub journal: Arc<dyn Journal>,
    /// Dates what is remembered.
    pub clock: Arc<dyn Clock>,
}

impl PulumiPorts {
    /// Those among all ports.
    #[must_use]
    pub fn of(ports: &Ports) -> Self {
        Self {
            provision: Arc::clone(&ports.provision),
            control: Arc::clone(&ports.control),
            journal: Arc::clone(&ports.journal),
            clock: Arc::clone(&ports.clock),
        }
    }

    /// Whoever carries changes out with them, in the name of `operator` on `host`.
    #[must_use]
    pub fn executor(&self, operator: &str, host: &str) -> RunExecutor {
        RunExecutor {
            control: Arc::clone(&self.control),
            journal: Arc::clone(&self.journal),
            clock: Arc::clone(&self.clock),
            operator: operator.to_owned(),
            host: host.to_owned(),
        }
    }
}

/// Whoever carries changes out, and in whose name.
#[derive(Clone)]
pub struct RunExecutor {
    /// Changes.
    pub control: Arc<dyn PulumiControl>,
    /// Remembers.
    pub journal: Arc<dyn Journal>,
    /// Dates what is remembered.
    pub clock: Arc<dyn Clock>,
    /// Who operates.
    pub operator: String,
    /// On which host.
    pub host: String,
}

/// What a look at Pulumi finds; nothing when the port tells nothing.
pub async fn look(port: &dyn Provisioner, operator: &str) -> Option<Look> {
    let found = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&found);
    let tell: Tell = Arc::new(move |news| {
        let kept = Arc::clone(&kept);
        Box::pin(async move {
            if let News::Looked(look) = news {
                *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(*look);
            }
        })
    });
    port.ask(Order::Look, operator.to_owned(), tell).await;
    found.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// What a change came to.
#[derive(Debug)]
pub struct Executed {
    /// What was done, or why it was not.
    pub result: Result<Carried, PulumiError>,
    /// What was written to the journal on the way.
    pub entries: Vec<Entry>,
    /// Why the outcome is not in the journal, where it is not.
    pub unwritten: Option<PortError>,
}

impl RunExecutor {
    /// Does what was confirmed. Without an intent on disk nothing is done.
    pub async fn execute(&self, change: &Confirmed<PulumiChange>) -> Executed {
        let intent = match self.note(&self.operator, change.get().intent()).await {
            Ok(entry) => entry,
            Err(error) => {
                let result = Err(PulumiError::Storage(error));
                return Executed { result, entries: Vec::new(), unwritten: None };
            }
        };
        let result = self.control.carry_out(change, &self.operator).await;
        let outcome = match &result {
            Ok(carried) => carried.event(change.get()),
            Err(error) => change.get().not_done(&error.to_string()),
        };
        match self.note(&self.operator, outcome).await {
            Ok(entry) => Executed { result, entries: vec![intent, entry], unwritten: None },
            Err(error) => Executed { result, entries: vec![intent], unwritten: Some(error) },
        }
    }

    /// Writes one entry in the name of whoever it belongs to; it is on disk when this returns.
    ///
    /// # Errors
    /// `Storage`; then nothing was written.
    pub async fn note(&self, operator: &str, event: Event) -> Result<Entry, PortError> {
        let entry = Entry { at: self.clock.now(), operator: operator.to_owned(), host: self.host.clone(), event };
        let (journal, copy) = (Arc::clone(&self.journal), entry.clone());
        tokio::task::spawn_blocking(move || journal.append(&copy))
            .await
            .unwrap_or_else(|error| Err(PortError::new(ErrorKind::Storage, "journal", error.to_string())))?;
        Ok(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::confirm::YesFlag;
    use crate::domain::deploy::NewStack;
    use crate::ports::PulumiFuture;
    use crate::runtime::fakes::{Fake, pair};

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

    fn change() -> Confirmed<PulumiChange> {
        let yes = YesFlag::from_cli(true).unwrap();
        Confirmed::by_flag(PulumiChange::CreateStack(NewStack::new("prod")), yes)
    }

    fn executor(fake: &Fake, control: &Arc<Works>) -> RunExecutor {
        let control = Arc::clone(control) as Arc<dyn PulumiControl>;
        RunExecutor { control, ..PulumiPorts::of(&fake.ports()).executor("kim", "bastion-2") }
    }

    #[tokio::test]
    async fn a_change_is_in_the_journal_before_and_after_it_under_whoever_made_it() {
        for (fails, last) in [(false, "the stack was created"), (true, "not done: Create the stack prod")] {
            let (fake, control) = (Fake::new(pair(100, 0)), Arc::new(Works { fails, ..Works::default() }));
            let done = executor(&fake, &control).execute(&change()).await;
            assert_eq!(done.result.is_err(), fails);
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
        let done = executor(&fake, &control).execute(&change()).await;
        assert!(matches!(done.result, Err(PulumiError::Storage(_))), "{:?}", done.result);
        assert!(control.asked.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn an_outcome_that_could_not_be_written_is_told() {
        let (fake, control) = (Fake::new(pair(100, 0)), Arc::new(Works::default()));
        fake.room_for(1);
        let done = executor(&fake, &control).execute(&change()).await;
        assert!(done.result.is_ok() && done.unwritten.is_some());
    }
}
