//! Carries out the zone's first and last day: a simple record becomes the weighted pair, or the pair one record.
//!
//! The same order as for a weight change: the intent on disk, one batch, what the records say where Route 53 did not
//! accept it, the outcome on disk. May use the ports only.

use crate::domain::confirm::Confirmed;
use crate::domain::error::PortError;
use crate::domain::facts::{Observation, Query};
use crate::domain::provision::{News, Trouble};
use crate::domain::record::Event;
use crate::domain::traffic::{Change, GroupKey, Record};
use crate::domain::zone::{Endpoints, Orphan, ZonePlan, orphans};

use super::Ports;
use super::ports_set::Scribe;

/// What became of a batch that was sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Turned {
    /// Route 53 accepted it.
    Accepted(Change),
    /// It was refused, or its answer was lost, and the records were read.
    ReadBack(ReadBack),
}

/// What the records say of a batch that Route 53 did not accept, as far as anybody heard.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadBack {
    /// How the call failed.
    pub error: PortError,
    /// Whether the batch was made; nothing when that is not known.
    pub made: Option<bool>,
    /// In a sentence.
    pub words: &'static str,
    /// The records; none when they could not be read.
    pub found: Vec<Record>,
}

impl Turned {
    /// The sentence for the journal and the screen.
    #[must_use]
    pub fn text(&self, plan: &ZonePlan) -> String {
        match self {
            Self::Accepted(change) => format!("{}: accepted as {}", plan.title(), change.id),
            Self::ReadBack(ReadBack { error, words, .. }) => format!("{}: {error}; {words}", plan.title()),
        }
    }
}

impl ReadBack {
    /// A refusal changed nothing, whatever the records say; after a lost answer they are all that there is.
    fn of(error: PortError, plan: &ZonePlan, key: &GroupKey, read: Result<Vec<Record>, PortError>) -> Self {
        let lost = error.outcome_unknown();
        let (made, words) = match &read {
            Ok(records) if plan.is_as_seen(key, records) => (Some(false), "the records show that nothing was changed"),
            Ok(records) if lost && plan.is_done(records) => (Some(true), "the records show that it was made"),
            Ok(_) if lost => (
                None,
                "it is not known whether it was made, since the records are neither as before nor as confirmed; look \
                 with `tapctl status` before anything else",
            ),
            Err(_) if lost => {
                (None, "it is not known whether it was made; look with `tapctl status` before anything else")
            }
            Ok(_) => (Some(false), "nothing was changed by it, and the records are not as they were seen"),
            Err(_) => (Some(false), "nothing was changed"),
        };
        Self { error, made, words, found: read.unwrap_or_default() }
    }
}

/// Turns the zone's records as confirmed, and says what came of it.
pub async fn turn(ports: &Ports, plan: &Confirmed<ZonePlan>, operator: &str, host: &str) -> News {
    let failed = |message: String, error: &PortError| News::Failed(Trouble { message, hint: error.hint() });
    match turned(ports, plan, operator, host).await {
        Ok(turned) => match &turned {
            Turned::ReadBack(ReadBack { error, made, .. }) if *made != Some(true) => {
                failed(turned.text(plan.get()), error)
            }
            _ => News::Done(turned.text(plan.get())),
        },
        Err(error) => failed(error.to_string(), &error),
    }
}

/// What a `destroy` has left in the zone; the whole zone is looked through, within one deadline.
///
/// # Errors
/// Why it cannot be.
pub async fn left_behind(ports: &Ports, key: &GroupKey, endpoints: &Endpoints) -> Result<Vec<Orphan>, Trouble> {
    match ports.observe.observe(Query::Zone).await {
        Ok(Observation::Zone(zone)) => Ok(orphans(key, endpoints, &zone)),
        Ok(_) => Err(Trouble { message: "another question was answered".to_owned(), hint: String::new() }),
        Err(error) => Err(Trouble { message: error.to_string(), hint: error.hint() }),
    }
}

/// [`turn`], for callers that need the outcome itself. A lost answer is not sent again: the records show whether the
/// batch was carried out, and the journal says it.
///
/// # Errors
/// The failure of the journal, in which case nothing was sent.
pub async fn turned(
    ports: &Ports,
    plan: &Confirmed<ZonePlan>,
    operator: &str,
    host: &str,
) -> Result<Turned, PortError> {
    let _one_at_a_time = ports.exclusive().await?;
    let mut scribe = Scribe::new(ports, operator, host);
    scribe.append(Event::Note { text: format!("about to send: {}", plan.get().call_text()) }).await?;
    let turned = match ports.traffic.turn(plan).await {
        Ok(change) => Turned::Accepted(change),
        Err(error) => Turned::ReadBack(ReadBack::of(error, plan.get(), &ports.key, ports.read_records().await)),
    };
    // What was done is done, whether or not it can be written down: the intent is on disk.
    if let Err(error) = scribe.append(Event::Note { text: turned.text(plan.get()) }).await {
        tracing::error!(%error, "the outcome could not be written");
    }
    Ok(turned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::confirm::YesFlag;
    use crate::domain::error::ErrorKind;
    use crate::domain::traffic::Side;
    use crate::domain::zone::release;
    use crate::runtime::fakes::{Fake, Fate, pair};

    const UNSET: Endpoints = Endpoints { legacy_dns: String::new(), new: None, evaluate_health: true };

    /// Releases the name in `fake`; what is told, and what the journal says in the end.
    async fn released(fake: &Fake) -> (News, String) {
        let ports = fake.ports();
        let plan = release(&ports.key, &UNSET, &ports.read_records().await.unwrap(), Side::Legacy).unwrap();
        let confirmed = Confirmed::by_flag(plan, YesFlag::from_cli(true).unwrap());
        let news = turn(&ports, &confirmed, "kim", "here").await;
        match fake.events().last() {
            Some(Event::Note { text }) => (news, text.clone()),
            other => panic!("no note but {other:?}"),
        }
    }

    #[tokio::test]
    async fn a_lost_answer_is_settled_from_the_records_on_the_screen_and_in_the_journal() {
        let lost = |made| Fate::Fails { kind: ErrorKind::TimedOut, made };
        let fake = Fake::new(pair(100, 0));
        fake.fate(lost(true));
        let (news, noted) = released(&fake).await;
        assert!(noted.contains("the records show that it was made"), "{noted}");
        assert_eq!(news, News::Done(noted));

        let fake = Fake::new(pair(100, 0));
        fake.fate(lost(false));
        let (news, noted) = released(&fake).await;
        assert!(noted.contains("the records show that nothing was changed"), "{noted}");
        assert!(matches!(news, News::Failed(trouble) if trouble.message == noted));
    }

    #[tokio::test]
    async fn what_cannot_be_read_back_stays_unknown_and_a_refusal_changed_nothing() {
        for (kind, said) in [(ErrorKind::Garbled, "it is not known"), (ErrorKind::Denied, "; nothing was changed")] {
            let fake = Fake::new(pair(100, 0));
            fake.fate(Fate::Fails { kind, made: false });
            fake.unreadable_after_the_turn();
            let (news, noted) = released(&fake).await;
            assert!(noted.contains(said), "{noted}");
            assert!(matches!(news, News::Failed(trouble) if trouble.message == noted));
        }
        let fake = Fake::new(pair(100, 0));
        let (_, noted) = released(&fake).await;
        assert!(noted.contains("conflict") && noted.contains("show that nothing was changed"), "{noted}");
    }
}
