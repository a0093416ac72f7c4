//! Every change around Pulumi that reaches outside the terminal, as one value that keys and commands build alike.
//!
//! Pure. A change is carried out only when it was confirmed; what it says of itself here goes into the question, to the
//! command line and into the journal, so that all three say the same.

use super::config::SetConfig;
use super::fold::RunState;
use super::guard::RunKind;
use super::lock::ClearLocks;
use super::run_request::{ForceStop, RunRequest};
use crate::domain::confirm::{Challenge, Confirmed};
use crate::domain::record::{ChangeMark, Event, Means};
use crate::domain::units::counted;

/// Bytes of a value that the journal keeps to hold against what is found; a longer one is not read back.
const KEPT_VALUE: usize = 4 * 1024;

/// A change around Pulumi.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PulumiChange {
    /// Make the stack, which is empty then.
    CreateStack(NewStack),
    /// Run what was read.
    Run(Box<RunRequest>),
    /// Set one key of the configuration.
    Config(SetConfig),
    /// Ask a run to stop.
    Interrupt(Interrupt),
    /// End a run by force.
    ForceStop(ForceStop),
    /// Clear the locks of processes that are gone.
    ClearLocks(ClearLocks),
}

impl PulumiChange {
    /// What it asks, in a line.
    #[must_use]
    pub fn title(&self) -> String {
        match self {
            Self::CreateStack(new) => new.title(),
            Self::Run(run) => run.title(),
            Self::Config(set) => format!("Set {} of the stack {}", set.key(), set.stack()),
            Self::Interrupt(interrupt) => interrupt.title(),
            Self::ForceStop(termination) => format!("End the run {} by force", termination.run()),
            Self::ClearLocks(clear) => {
                format!("Clear {} of {}", counted(clear.locks().len(), "lock", "locks"), clear.stack())
            }
        }
    }

    /// The run that it asks to stop, or ends by force.
    #[must_use]
    pub fn stops(&self) -> Option<&str> {
        match self {
            Self::Interrupt(interrupt) => Some(interrupt.run()),
            Self::ForceStop(force) => Some(force.run()),
            _ => None,
        }
    }

    /// The call as a person would make it.
    #[must_use]
    pub fn call_text(&self) -> String {
        match self {
            Self::CreateStack(new) => new.call_text(),
            Self::Run(run) => run.call_text(),
            Self::Config(set) => set.call_text(),
            Self::Interrupt(_) => "one SIGINT to the run's pulumi".to_owned(),
            Self::ForceStop(force) => force.call_text(),
            Self::ClearLocks(clear) => format!("pulumi cancel --yes --stack {}", clear.stack()),
        }
    }

    /// What comes of stopping a run; nothing of any other change.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Interrupt(interrupt) => interrupt.lines(),
            Self::ForceStop(force) => force.lines(),
            _ => Vec::new(),
        }
    }

    /// What the operator has to do to let it happen.
    #[must_use]
    pub fn challenge(&self) -> Challenge {
        match self {
            Self::CreateStack(_) | Self::Interrupt(_) => Challenge::Yes,
            Self::Run(run) => run.challenge(),
            Self::Config(set) => set.challenge(),
            Self::ForceStop(termination) => termination.challenge(),
            Self::ClearLocks(clear) => Challenge::Typed(clear.stack().to_owned()),
        }
    }

    /// What the journal holds before anything is done.
    #[must_use]
    pub fn intent(&self, id: String) -> Event {
        let text = format!("confirmed: {} ({})", self.title(), self.call_text());
        let mark = ChangeMark::Intent { id, title: self.title(), means: self.means() };
        Event::Note { text, change: Some(Box::new(mark)) }
    }

    /// What it does, as far as its settling has to know.
    fn means(&self) -> Means {
        match self {
            Self::CreateStack(_) => Means::CreateStack,
            Self::Run(_) => Means::Run,
            Self::Config(set) => {
                let is_kept = !set.is_secret() && set.value().len() <= KEPT_VALUE;
                Means::Config { key: set.key().to_owned(), value: is_kept.then(|| set.value().to_owned()) }
            }
            Self::Interrupt(interrupt) => Means::Interrupt { run: interrupt.run().to_owned() },
            Self::ForceStop(force) => Means::ForceStop { run: force.run().to_owned() },
            Self::ClearLocks(clear) => {
                Means::ClearLocks { locks: clear.locks().iter().map(ToString::to_string).collect() }
            }
        }
    }

    /// What the journal holds of the change of this intent when it is known what came of it.
    #[must_use]
    pub fn outcome(id: String, text: String) -> Event {
        Event::Note { text, change: Some(Box::new(ChangeMark::Outcome { id })) }
    }

    /// What the journal holds of a run that has begun, by the intent of its change where it had one.
    #[must_use]
    pub fn started(kind: RunKind, run: &str, line: &str, intent: Option<String>) -> Event {
        let detail = format!("started: {line}");
        Event::Run { id: run.to_owned(), operation: kind.name().to_owned(), detail, intent }
    }

    /// What the journal holds of a run that has ended.
    #[must_use]
    pub fn ended(kind: RunKind, run: &str, how: &str) -> Event {
        let detail = format!("ended: {how}");
        Event::Run { id: run.to_owned(), operation: kind.name().to_owned(), detail, intent: None }
    }

    /// What the journal holds when it could not be done.
    #[must_use]
    pub fn not_done(&self, id: String, why: &str) -> Event {
        Self::outcome(id, format!("not done: {}: {why}", self.title()))
    }
}

/// A confirmed change, taken apart by its kind: what the one who carries it out is handed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfirmedChange {
    /// See [`PulumiChange::CreateStack`].
    CreateStack(Confirmed<NewStack>),
    /// See [`PulumiChange::Run`].
    Run(Confirmed<RunRequest>),
    /// See [`PulumiChange::Config`].
    Config(Confirmed<SetConfig>),
    /// See [`PulumiChange::Interrupt`].
    Interrupt(Confirmed<Interrupt>),
    /// See [`PulumiChange::ForceStop`].
    ForceStop(Confirmed<ForceStop>),
    /// See [`PulumiChange::ClearLocks`].
    ClearLocks(Confirmed<ClearLocks>),
}

impl Confirmed<PulumiChange> {
    /// The confirmed change by its kind.
    #[must_use]
    pub fn into_part(self) -> ConfirmedChange {
        self.split(|change, seal| match change {
            PulumiChange::CreateStack(new) => ConfirmedChange::CreateStack(seal.on(new)),
            PulumiChange::Run(run) => ConfirmedChange::Run(seal.on(*run)),
            PulumiChange::Config(set) => ConfirmedChange::Config(seal.on(set)),
            PulumiChange::Interrupt(interrupt) => ConfirmedChange::Interrupt(seal.on(interrupt)),
            PulumiChange::ForceStop(termination) => ConfirmedChange::ForceStop(seal.on(termination)),
            PulumiChange::ClearLocks(clear) => ConfirmedChange::ClearLocks(seal.on(clear)),
        })
    }
}

/// A stack that does not exist yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStack {
    stack: String,
}

impl NewStack {
    /// The stack of this name.
    #[must_use]
    pub fn new(stack: &str) -> Self {
        Self { stack: stack.to_owned() }
    }

    /// Its name.
    #[must_use]
    pub fn stack(&self) -> &str {
        &self.stack
    }

    /// What is asked.
    #[must_use]
    pub fn title(&self) -> String {
        format!("Create the stack {}, which does not exist yet", self.stack)
    }

    /// What is done, in a sentence.
    #[must_use]
    pub fn done_text(&self) -> String {
        format!("the stack {} did not exist; it was created", self.stack)
    }

    /// The call.
    #[must_use]
    pub fn call_text(&self) -> String {
        format!("pulumi stack init {} --no-select", self.stack)
    }
}

/// The request to a run to stop, whoever started it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interrupt {
    run: String,
    kind: RunKind,
    owner: String,
    host: String,
    is_own: bool,
    under_way: usize,
}

impl Interrupt {
    /// The interrupt of the run `run` that `owner` started on `host`, by `operator`.
    #[must_use]
    pub fn new(run: &str, kind: RunKind, (owner, host): (&str, &str), operator: &str, run_state: &RunState) -> Self {
        Self {
            run: run.to_owned(),
            kind,
            owner: owner.to_owned(),
            host: host.to_owned(),
            is_own: owner == operator,
            under_way: run_state.under_way().len(),
        }
    }

    /// The run.
    #[must_use]
    pub fn run(&self) -> &str {
        &self.run
    }

    /// What is asked; names whose run it is.
    #[must_use]
    pub fn title(&self) -> String {
        let whose = if self.is_own { "your".to_owned() } else { format!("{}'s", self.owner) };
        format!("Interrupt {whose} pulumi {} on {}", self.kind, self.host)
    }

    /// What comes of it.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.is_own {
            lines.push(format!("{} started this run, not you: tell them before you stop it", self.owner));
        }
        lines.push(match self.under_way {
            0 => "Pulumi begins nothing new and ends; nothing is under way now".to_owned(),
            1 => "Pulumi begins nothing new, and waits for the one resource that is under way".to_owned(),
            count => format!(
                "Pulumi begins nothing new, and waits for what is under way: {}",
                counted(count, "resource", "resources")
            ),
        });
        lines.push("that can take as long as a database takes; what was made so far stays".to_owned());
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupt_says_whose_run_it_is() {
        let of = |operator| Interrupt::new("r1", RunKind::Up, ("maria", "bastion-2"), operator, &RunState::new());
        assert_eq!(of("maria").title(), "Interrupt your pulumi up on bastion-2");
        assert_eq!(of("kim").title(), "Interrupt maria's pulumi up on bastion-2");
        assert!(of("kim").lines()[0].contains("maria started this run"), "{:?}", of("kim").lines());
    }

    #[test]
    fn the_journal_holds_no_secret_of_a_configuration() {
        let set = SetConfig::new("prod", false, "tap:dbPassword", "swordfish", true).unwrap();
        let change = PulumiChange::Config(set);
        for event in [change.intent("i1".into()), change.not_done("i1".into(), "refused")] {
            let line = serde_json::to_string(&event).unwrap();
            assert!(!line.contains("swordfish"), "{line}");
        }
    }
}
