//! A stack, as far as it is known: what is seen of it now, and how a change around Pulumi is made and followed.

use std::future::Future;
use std::io;
use std::sync::Arc;

use crate::cli::RunArgs;
use crate::compose::host;
use crate::compose::pulumi::{program, program_or_name, pulumi_ports, pulumi_ports_anyway, pulumi_runs};
use crate::compose::session::{Session, connect, connect_anyway};
use crate::config::{Global, Settings, defaults, process_env, state};
use crate::domain::change::Change;
use crate::domain::change::preconditions::{Ground, check, check_unseen, is_configured};
use crate::domain::confirm::{Confirmed, YesFlag};
use crate::domain::facts::{Facts, Source};
use crate::domain::model::Model;
use crate::domain::provision::{Carried, PulumiStatus, RunHead};
use crate::domain::pulumi::guard::{RunKind, RunPreconditions};
use crate::domain::pulumi::{Finished, NewStack, Plan, Previewed, PulumiChange, PulumiError, RunState, RunStatus};
use crate::domain::record::Event;
use crate::domain::units::Timestamp;
use crate::ports::PulumiRuns;
use crate::runtime::collect::{collect, reconcile_journal};
use crate::runtime::ports_set::{JournalWriter, Ports};
use crate::runtime::pulumi;

use super::super::console::Console;
use super::super::failure::{Exit, Failure};
use super::super::prompt::ask;
use super::super::run_text::Progress;
use super::super::wait::{Interrupt, carried_out, is_pulumi_open, settle_pulumi};

/// What a guard wants to know of AWS before a run.
const ASKED: [Source; 7] = [
    Source::Records,
    Source::Change,
    Source::MetricsNew,
    Source::MetricsLegacy,
    Source::Replication,
    Source::StackRun,
    Source::Identity,
];

/// What is meant to be done, which decides how much has to be known first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Only reads what a run wrote, or asks it to stop: nothing may block either.
    Attach,
    /// Only looks: what cannot be known is no reason to refuse.
    PulumiStatus,
    /// Changes something: its guards need to know the stack.
    Change,
}

/// A stack, as far as it is known.
pub(super) struct Place {
    pub(super) runs: Arc<dyn PulumiRuns>,
    pub(super) ports: Ports,
    pub(super) session: Option<Session>,
    pub(super) stack: String,
    pub(super) operator: String,
    pub(super) read_only: bool,
    /// Why somebody else could put another state folder in the place of this one.
    pub(super) doubt: Option<String>,
    /// So many requests a minute on the new stack are nobody's, where that was said on the command line.
    pub(super) unused_per_min: Option<u32>,
}

/// What was seen of the stack, as the cockpit would know it.
pub(super) struct Seen {
    pub(super) model: Model,
    pub(super) running: Option<String>,
    /// Who has the turn while a change of the records is under way, in words.
    held: Option<String>,
    unused_per_min: Option<u32>,
}

impl Seen {
    pub(super) fn ground(&self) -> Ground<'_> {
        let ground = Ground::of(&self.model);
        let weight_change = ground.run.weight_change.clone().map(|change| match &self.held {
            Some(held) => format!("{change}; {held}"),
            None => change,
        });
        let unused_per_min = self.unused_per_min.map_or(ground.run.unused_per_min, f64::from);
        let running = self.running.clone();
        Ground { run: RunPreconditions { running, weight_change, unused_per_min, ..ground.run }, ..ground }
    }
}

pub(super) async fn place(global: &Global, purpose: Purpose) -> Result<Place, Failure> {
    let settings = Settings::load(global, &process_env)?;
    let connected = if purpose == Purpose::Attach { connect_anyway(global).await } else { connect(global).await };
    let session = match connected.map_err(Failure::from) {
        Ok(session) => Some(session),
        Err(failure) if purpose == Purpose::Change || failure.exit == Exit::Usage => return Err(failure),
        Err(failure) if settings.outputs.is_some() => return Err(failure),
        Err(_) => None,
    };
    let stack = match (&session, &settings.stack) {
        (Some(session), _) => session.stack.name.clone(),
        (None, Some(stack)) => stack.clone(),
        (None, None) => {
            return Err(Failure::usage("name the stack with --stack NAME: there are no outputs to read its name from"));
        }
    };
    // An outputs file has a suffix, which may be the name of another stack than the one that was made with it.
    let named = session.as_ref().map_or(settings.stack.is_some(), |session| session.settings.stack.is_some());
    if purpose != Purpose::Attach && !named {
        return Err(Failure::usage("name Pulumi's stack with --stack NAME: an outputs file does not say which it is"));
    }
    let folder = match &session {
        Some(session) => session.state_dir.clone(),
        None => state::folder(&stack, &process_env)?,
    };
    let pulumi =
        if purpose == Purpose::Attach { program_or_name(&settings, &stack) } else { program(&settings, &stack)? };
    let operator = host::local_user(&process_env);
    let read_only = settings.read_only;
    let (ports, doubt) = match &session {
        Some(session) => (session.ports.clone(), session.doubt.clone()),
        None if purpose == Purpose::Attach => pulumi_ports_anyway(&settings, &pulumi, &folder)?,
        None => (pulumi_ports(&settings, &pulumi, &folder, None)?, None),
    };
    let runs = pulumi_runs(&pulumi, &folder)?;
    Ok(Place { runs, ports, session, stack, operator, read_only, doubt, unused_per_min: None })
}

impl Place {
    /// Says what is doubtful and was no reason to refuse.
    pub(super) fn warn(&self, out: &mut Console) {
        if let Some(doubt) = &self.doubt {
            out.say(doubt);
        }
    }

    /// What the preconditions look at, asked now, and who operates.
    pub(super) async fn seen(&self, out: &mut Console) -> Result<(Seen, String), Failure> {
        let running = self.runs.going_on()?;
        let session = self.session.as_ref().ok_or_else(|| {
            let what = "nothing was started: what stands cannot be known, and so neither can what a run would do to it";
            Failure::new(Exit::Error, "unknown_stack", what, "`tapctl doctor` says what is missing")
        })?;
        let mut collected = collect(&session.ports, &ASKED, Facts::default(), defaults::COLLECT_DEADLINE).await;
        // A weight change that has become INSYNC meanwhile does not stand in the way.
        let operator = session.operator(&collected.facts);
        for error in reconcile_journal(&session.ports, &mut collected, &operator, &session.watcher.host).await {
            out.say(&format!("the journal is behind: {error}"));
        }
        let is_open = collected.history().is_some_and(|history| history.unfinished().is_some());
        let held = if is_open { session.who_has_the_turn().await } else { None };
        let model = session.model(&collected);
        Ok((Seen { model, running, held, unused_per_min: self.unused_per_min }, operator))
    }

    /// Whether a change around Pulumi may be made, on what is seen now.
    pub(super) async fn may_be_made(&self, change: &PulumiChange, out: &mut Console) -> Result<(), Failure> {
        let (seen, _) = self.seen(out).await?;
        Ok(check(&Change::Pulumi(change.clone()), &seen.ground())?)
    }

    /// Who operates, as AWS says where it can be asked: the name under which the cockpit's runs stand, too.
    pub(super) async fn who(&self) -> String {
        match &self.session {
            Some(session) => session.who().await,
            None => self.operator.clone(),
        }
    }

    /// Does what was confirmed, with its intent and its outcome in the journal.
    pub(super) async fn changed(
        &self,
        change: PulumiChange,
        yes: YesFlag,
        operator: &str,
        out: &mut Console,
    ) -> Result<Carried, Failure> {
        let change = Confirmed::by_flag(Change::Pulumi(change), yes);
        let done = carried_out(&self.ports, change, (operator, &host::host_name()), out).await;
        if let Some(error) = &done.unwritten {
            out.say(&format!("the journal is behind: {error}"));
        }
        Ok(done.into_carried()?)
    }

    /// Follows a run to its end, and writes the end down under whoever started it when nobody else has.
    pub(super) async fn follow(&self, head: &RunHead, json: bool, out: &mut Console) -> Result<Finished, Failure> {
        let run = followed(self.runs.follow(&head.id, &mut watcher(json))).await?;
        self.note_end(&run, out).await;
        Ok(run)
    }

    pub(super) async fn note(&self, operator: &str, event: Event, out: &mut Console) {
        if let Err(error) = JournalWriter::new(&self.ports, operator, &host::host_name()).append(event).await {
            out.say(&format!("the journal is behind: {error}"));
        }
    }

    pub(super) async fn note_end(&self, run: &Finished, out: &mut Console) {
        let RunStatus::Ended(end) = &run.status else { return };
        if self.runs.claim_end(&run.id) {
            self.note(&run.owner, PulumiChange::ended(run.kind, &run.id, &end.text()), out).await;
        }
    }

    /// Says what an `up`, or a `destroy`, would do.
    pub(super) async fn preview(
        &self,
        destroy: bool,
        operator: &str,
        json: bool,
        out: &mut Console,
    ) -> Result<Previewed, Failure> {
        let head = self.runs.preview(destroy, operator, self.now()).await?;
        self.note(operator, PulumiChange::started(head.kind, &head.id, &head.line, None), out).await;
        let run = self.follow(&head, json, out).await?.ok()?;
        Ok(Previewed { plan: Plan::of(&run.state), run })
    }

    /// What the cockpit would know of Pulumi now: usable, the stack, its locks, what was left open. Locks and open
    /// operations are told.
    pub(super) async fn look(&self, out: &mut Console) -> Result<PulumiStatus, Failure> {
        let silent = || Failure::new(Exit::Pulumi, "pulumi", "Pulumi could not be asked", "`tapctl doctor` says more");
        let look = pulumi::look(self.ports.provision.as_ref(), &self.operator).await.ok_or_else(silent)?;
        if let Err(trouble) = &look.pulumi {
            return Err(Failure::new(Exit::Pulumi, "pulumi", trouble.message.clone(), trouble.hint.clone()));
        }
        for (lock, holder) in &look.locks {
            out.say(&format!("the stack is locked by {lock}: {}", holder.words()));
        }
        for open in &look.pending {
            out.say(&format!("an earlier run left this open: {}", open.text()));
        }
        if is_pulumi_open(&self.ports).await {
            settle_pulumi(&self.ports, Some(&look), &self.operator, out).await;
        }
        Ok(look)
    }

    /// Looks, and makes the stack when it is new, `kind` is to fill it, and somebody says yes.
    pub(super) async fn ready(
        &self,
        kind: RunKind,
        args: RunArgs,
        operator: &str,
        out: &mut Console,
    ) -> Result<PulumiStatus, Failure> {
        let mut look = self.look(out).await?;
        let exists = |look: &PulumiStatus| look.setup.as_ref().is_some_and(|setup| setup.exists);
        if !exists(&look) {
            let name = self.runs.stack();
            if !matches!(kind, RunKind::Preview | RunKind::Up) {
                return Err(PulumiError::NoSuchStack(name.to_owned()).into());
            }
            if self.read_only {
                return Err(PulumiError::NoSuchStack(name.to_owned()).into());
            }
            self.may_write()?;
            let change = PulumiChange::CreateStack(NewStack::new(name));
            check_unseen(&Change::Pulumi(change.clone()), self.runs.going_on()?, look.setup.as_ref())?;
            out.say(&format!("{}: {}", change.title(), change.call_text()));
            let yes = match YesFlag::from_cli(args.yes) {
                Some(yes) => yes,
                None => ask(out, &change.challenge()).await?,
            };
            if let Carried::StackCreated(text) = self.changed(change, yes, operator, out).await? {
                out.say(&text);
            }
            look = self.look(out).await?;
        }
        is_configured(kind, look.setup.as_ref())?;
        Ok(look)
    }

    /// Outputs from a file guard only the stack that they are of.
    pub(super) async fn same_stack(&self) -> Result<(), Failure> {
        let Some(session) = self.session.as_ref().filter(|session| session.settings.outputs.is_some()) else {
            return Ok(());
        };
        let Some(outputs) = session.known.outputs() else { return Ok(()) };
        Ok(self.runs.check_same(&outputs.identity_outputs()).await?)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// Whether anything may be changed from here, said before anything is asked of anybody.
    pub(super) fn may_write(&self) -> Result<(), Failure> {
        match &self.session {
            Some(session) => Ok(session.may_change()?),
            None => Ok(()),
        }
    }
}

/// Prints what is new of a run to stderr.
pub(super) fn watcher(json: bool) -> impl FnMut(&RunState) + Send {
    let mut progress = Progress::default();
    move |run_state| {
        if !json {
            // Words that nobody can read any more do not end a run.
            let _ = progress.print(run_state, &mut io::stderr());
        }
    }
}

/// Follows a run until its end, or until Ctrl-C: that ends the following, never the run.
pub(super) async fn followed<T>(run: impl Future<Output = Result<T, PulumiError>>) -> Result<T, Failure> {
    let mut interrupt = Interrupt::listen();
    tokio::select! {
        end = run => Ok(end?),
        () = interrupt.received() => Err(Failure::new(
            Exit::Declined,
            "interrupted",
            "the run is no longer followed here, and goes on",
            "`tapctl attach` follows it again; `tapctl interrupt` asks Pulumi to stop",
        )),
    }
}
