//! Whether the next step is allowed: one verdict, the gate behind it, one sentence, and the next thing to do.
//!
//! Pure. The header of the cockpit and `status --json` say this same sentence. No key is named in it, because scripts
//! read it too: what is next is a value, which the cockpit shows as a key and JSON as a command.

mod picture;

use std::time::Duration;

use super::change::settle::SIGNATURE_LIFE;
use super::change::turn::{Holder, Stage};
use super::gate::{Gate, GateId};
use super::traffic::{RecordGroup, Side};
use super::units::{Percent, age_text};
use super::zone::NameState;

pub use picture::{Mark, Picture, UnderWay};

/// Percentage points of one step.
pub const STEP: i16 = 10;

/// The next thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Move from one share to the other.
    Step(Percent, Percent),
    /// Send everything back, if need be.
    Rollback,
    /// Nothing: it goes on by itself.
    Wait,
    /// Nothing, though the way back is open and leaving is safe.
    WhileSending,
    /// What the blocking gate says.
    Resolve(String),
    /// Set keys of this program's or the stack's configuration.
    Configure,
    /// See which keys are to be set.
    ShowUnset,
    /// Make the name a weighted record.
    Adopt,
    /// Run Pulumi.
    Provision,
}

impl Next {
    /// For a script or a person at a shell: a command where there is one.
    #[must_use]
    pub fn command(&self) -> String {
        match self {
            Self::Step(..) => format!("tapctl shift --step +{STEP}"),
            Self::Rollback => "tapctl rollback".to_owned(),
            Self::Wait | Self::WhileSending => "wait".to_owned(),
            Self::Resolve(how) => how.clone(),
            Self::Configure => "tapctl config set KEY VALUE".to_owned(),
            Self::ShowUnset => "tapctl config".to_owned(),
            Self::Adopt => "tapctl adopt".to_owned(),
            Self::Provision => "tapctl up".to_owned(),
        }
    }
}

/// Whether the next step is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// How it stands.
    pub mark: Mark,
    /// The one word of the header.
    pub word: &'static str,
    /// The gate that is in the way first.
    pub gate: Option<GateId>,
    /// Why, in one sentence.
    pub sentence: String,
    /// The next thing to do.
    pub next: Next,
}

impl Readiness {
    fn new(mark: Mark, word: &'static str, sentence: impl Into<String>, next: Next) -> Self {
        Self { mark, word, gate: None, sentence: sentence.into(), next }
    }

    /// `go`, `wait`, `blocked` or `done`.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        match self.word {
            "GO" => "go",
            "DONE" => "done",
            "BLOCKED" | "TROUBLE" | "NOT PROVISIONED" => "blocked",
            _ => "wait",
        }
    }
}

/// A change that waits for its turn, or is on its way to Route 53: two different things, since nothing was sent before
/// its turn came.
fn sending(what: &str, since: Duration, stage: Option<&Stage>) -> Readiness {
    let since = age_text(since);
    let (word, sentence, next) = match stage {
        Some(Stage::Sent(at)) => {
            let until = at.plus(SIGNATURE_LIFE).hms();
            ("SENDING", format!("{what}: {since} · may land until {until}"), Next::WhileSending)
        }
        Some(Stage::Waiting(holder)) => {
            let holder = holder.as_ref().map_or_else(|| "another process".to_owned(), Holder::text);
            ("WAITING", format!("{what}: nothing was sent, for {since}; the turn is held by {holder}"), Next::Wait)
        }
        None => ("WAITING", format!("{what}: nothing was sent yet, {since}"), Next::Wait),
    };
    Readiness::new(Mark::Waiting, word, sentence, next)
}

/// Folds gates and weights into one verdict.
#[must_use]
pub fn readiness(picture: &Picture<'_>) -> Readiness {
    match &picture.under_way {
        Some(UnderWay::Sending(what, since, stage)) => return sending(what, *since, stage.as_ref()),
        Some(UnderWay::Settling) => {
            let sentence = "a change without a known outcome is being settled from what is there";
            return Readiness::new(Mark::Waiting, "SETTLING", sentence, Next::Wait);
        }
        None => {}
    }
    if !picture.stack.is_provisioned() {
        let (sentence, next) = unprovisioned(picture);
        return Readiness::new(Mark::Waiting, "NOT PROVISIONED", sentence, next);
    }
    let mut open: Vec<(&Gate, Mark)> =
        picture.gates.iter().filter(|g| !g.passes()).map(|g| (g, picture.mark(g))).collect();
    open.sort_by_key(|(gate, mark)| (rank(*mark), !matches!(gate.id, GateId::DnsSettled | GateId::Bake)));
    let worst = open.first().map(|(_, mark)| *mark);
    let (silent, asked) = picture.unheard();
    let undecided = silent > 0 && worst.is_some_and(|mark| mark != Mark::Fail);
    if picture.gates.len() != GateId::ALL.len() || undecided {
        let sentence = format!("first answers are coming in: {} of {asked} sources so far", asked - silent);
        return Readiness::new(Mark::Waiting, "READING", sentence, Next::Wait);
    }
    let verdict = match picture.facts.shiftable() {
        Some(group) if group.weights().legacy() == 0 => at_the_end(picture, &open),
        group => on_the_way(picture, &open, group),
    };
    Readiness { gate: open.first().map(|(gate, _)| gate.id), ..verdict }
}

/// All traffic is on the new stack.
fn at_the_end(picture: &Picture<'_>, open: &[(&Gate, Mark)]) -> Readiness {
    const ALL: &str = "all traffic is on the new stack";
    match open.first() {
        None => Readiness::new(Mark::Pass, "DONE", format!("{ALL} and every gate passes"), Next::Rollback),
        Some((_, Mark::Waiting)) => {
            Readiness::new(Mark::Waiting, "WATCH", format!("{ALL}: {}", list(picture, open)), Next::Rollback)
        }
        Some((_, mark)) => Readiness::new(*mark, "TROUBLE", format!("{ALL}: {}", list(picture, open)), Next::Rollback),
    }
}

fn on_the_way(picture: &Picture<'_>, open: &[(&Gate, Mark)], group: Option<&RecordGroup>) -> Readiness {
    let share = group.map(RecordGroup::new_share);
    let step = share.map_or_else(|| "next step".to_owned(), |from| format!("{} → {}", from.get(), from.step(STEP)));
    match open.first() {
        None => {
            let read_only = if picture.watcher.read_only { "; READ-ONLY: nothing is sent from here" } else { "" };
            let next = match share {
                Some(share) if !picture.watcher.read_only => Next::Step(share, share.step(STEP)),
                _ => Next::Wait,
            };
            Readiness::new(Mark::Pass, "GO", format!("every gate passes{read_only}"), next)
        }
        Some((_, Mark::Waiting)) => {
            Readiness::new(Mark::Waiting, "WAIT", format!("{step}: {}", list(picture, open)), Next::Wait)
        }
        Some((gate, mark)) => {
            let next = Next::Resolve(gate.reason.clone());
            Readiness::new(*mark, "BLOCKED", format!("{step}: {}", list(picture, open)), next)
        }
    }
}

/// What is next before the first `up` and after the last `destroy`. Nothing here is a fault: a stack that nobody has
/// provisioned yet is how every migration begins.
fn unprovisioned(picture: &Picture<'_>) -> (String, Next) {
    match picture.stack.unset.len() {
        0 => {}
        1 => return ("1 thing is to be set first".to_owned(), Next::ShowUnset),
        unset => return (format!("{unset} things are to be set first"), Next::ShowUnset),
    }
    if let Some(run) = &picture.run {
        return (format!("pulumi {run} goes on"), Next::Wait);
    }
    if !picture.missing.is_empty() {
        return (format!("the configuration lacks {}", picture.missing), Next::Configure);
    }
    match picture.name_state() {
        Some(NameState::Simple(Some(Side::Legacy))) => ("the name is not a weighted pair yet".to_owned(), Next::Adopt),
        Some(NameState::Simple(_)) => {
            let sentence = "point the name at the legacy load balancer first: no pair can be made of it";
            (sentence.to_owned(), Next::Resolve(sentence.to_owned()))
        }
        _ => ("the new stack can be provisioned".to_owned(), Next::Provision),
    }
}

const fn rank(mark: Mark) -> u8 {
    match mark {
        Mark::Fail => 0,
        Mark::Unknown | Mark::Stale => 1,
        Mark::Waiting => 2,
        Mark::Pass => 3,
    }
}

/// What is open, the worst first. One alone says its whole sentence; of several each says its value.
fn list(picture: &Picture<'_>, open: &[(&Gate, Mark)]) -> String {
    if let [(gate, mark)] = open
        && *mark != Mark::Waiting
    {
        return format!("{} {}: {}", gate.id, mark.word(), gate.reason);
    }
    let baking = open.iter().any(|(gate, _)| gate.id == GateId::Bake);
    // The comparison waits for the same minutes as the bake: said once is enough.
    let is_said = |gate: &Gate, mark: Mark| {
        baking && mark == Mark::Waiting && matches!(gate.id, GateId::Errors | GateId::Latency)
    };
    let parts = open.iter().filter(|(gate, mark)| !is_said(gate, *mark)).map(|(gate, _)| picture.brief(gate));
    parts.collect::<Vec<_>>().join(" · ")
}
