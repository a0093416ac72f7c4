//! Asks every source at once and folds what comes back into [`Facts`].
//!
//! It may use the ports and the domain. A source that fails is noted with its error; nothing here fails as a whole.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, timeout_at};

use crate::domain::facts::{Facts, Observation, Query, Source};
use crate::domain::reconcile::{arrived, reconcile};
use crate::domain::record::History;
use crate::domain::traffic::RecordGroup;
use crate::domain::units::Timestamp;
use crate::ports::{ErrorKind, PortError};

use super::ports_set::{JournalRead, JournalWriter, Ports};

/// How often the sources are asked when the clock is set meanwhile.
const TRIES: usize = 2;

/// What is known after asking.
#[derive(Debug, Clone, PartialEq)]
pub struct Collected {
    /// All that was learned.
    pub facts: Facts,
    /// The journal, or why it cannot be read.
    pub journal: Result<JournalRead, PortError>,
    /// When this was complete.
    pub now: Timestamp,
}

/// How long STS may take to tell who asks; the local user stands in for it then.
const IDENTITY_WAIT: Duration = Duration::from_secs(3);

impl Collected {
    /// What the journal says.
    #[must_use]
    pub fn history(&self) -> Option<&History> {
        self.journal.as_ref().ok().map(|read| &read.history)
    }
}

/// Asks `sources` all at once, takes at most `deadline` for all of them together, and adds the answers to `facts`.
///
/// The journal is read first, because it tells which change is on its way. When this host's clock is set meanwhile, or
/// was since `facts` were read, nothing of before counts and every source is asked; set once more, all stays unknown.
pub async fn collect(ports: &Ports, sources: &[Source], mut facts: Facts, deadline: Duration) -> Collected {
    let end = Instant::now() + deadline;
    let journal = ports.read_journal().await;
    let pending = journal.as_ref().ok().and_then(|read| read.history.pending.clone()).map(|(id, _)| id);
    let set = facts.look_at_the_clock(ports.clock.moment()).is_some();
    let mut sources = if set { &Source::ALL } else { sources };
    for _ in 0..TRIES {
        let past = journal.as_ref().ok().and_then(|read| facts.past_wanted(&read.history, ports.aws_now()?));
        let queries: Vec<Query> = sources.iter().filter_map(|source| source.query(pending.as_deref(), past)).collect();
        let answers = join_all(queries.into_iter().map(|query| ask(ports, query, end))).await;
        for (source, answer, at) in answers {
            facts.absorb(&ports.key, source, answer, at);
        }
        facts.clock_skew_ms = (ports.skew)();
        if facts.look_at_the_clock(ports.clock.moment()).is_none() {
            break;
        }
        sources = &Source::ALL;
    }
    Collected { facts, journal, now: ports.clock.now() }
}

async fn ask(ports: &Ports, query: Query, end: Instant) -> (Source, Result<Observation, PortError>, Timestamp) {
    let source = query.source();
    // Who asks is a name for the journal: no way back waits for it as long as for the records.
    let end = if source == Source::Identity { end.min(Instant::now() + IDENTITY_WAIT) } else { end };
    let answer = timeout_at(end, ports.observe.observe(query))
        .await
        .unwrap_or_else(|_| Err(PortError::new(ErrorKind::TimedOut, source.name(), "no answer before the deadline")));
    (source, answer, ports.clock.now())
}

/// Writes down what the facts say about the weights and the journal does not know yet: a change of ours that has become
/// INSYNC, after reading the records back, and weights that nobody here has set.
///
/// Gives what could not be written or read back; the facts stand without it.
pub async fn reconcile_journal(ports: &Ports, collected: &mut Collected, operator: &str, host: &str) -> Vec<PortError> {
    let mut writer = JournalWriter::new(ports, operator, host);
    let mut problems = Vec::new();
    if let Err(error) = note_insync(ports, collected, &mut writer).await {
        problems.push(error);
    }
    if let Err(error) = note_news(ports, collected, &mut writer).await {
        problems.push(error);
    }
    if let Ok(read) = &mut collected.journal {
        for entry in &writer.entries {
            read.history.add(entry);
        }
        read.entries.append(&mut writer.entries);
    }
    problems
}

async fn note_insync(
    ports: &Ports,
    collected: &mut Collected,
    writer: &mut JournalWriter<'_>,
) -> Result<(), PortError> {
    let change = collected.facts.change.as_ref().map(|fact| &fact.value);
    let Some(id) = collected.history().and_then(|history| arrived(history, change)).map(str::to_owned) else {
        return Ok(());
    };
    // The records that were listed beside this answer may be older than it.
    let answer = ports.observe.observe(Query::Records).await;
    let at = ports.clock.now();
    let failed = answer.as_ref().err().cloned();
    collected.facts.absorb(&ports.key, Source::Records, answer, at);
    collected.now = at;
    if let Some(error) = failed {
        return Err(error);
    }
    let found = collected.facts.shiftable().map(RecordGroup::weights);
    let event = found
        .zip(collected.history())
        .and_then(|(found, history)| reconcile(history, found, Some(&id), &collected.facts));
    match event {
        Some(event) => writer.append(event).await,
        None => Ok(()),
    }
}

async fn note_news(ports: &Ports, collected: &Collected, writer: &mut JournalWriter<'_>) -> Result<(), PortError> {
    let found = collected.facts.shiftable().map(RecordGroup::weights);
    let (Some(found), Some(history)) = (found, collected.history()) else { return Ok(()) };
    // Another process may be moving the weights right now; what it has written meanwhile decides.
    if reconcile(history, found, None, &collected.facts).is_some()
        && let Some(event) = reconcile(&ports.read_journal().await?.history, found, None, &collected.facts)
    {
        writer.append(event).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::domain::reading;
    use crate::domain::record::{Event, OutcomeKind};
    use crate::domain::shift::Direction;
    use crate::domain::time::Moment;
    use crate::domain::traffic::ChangeStatus;
    use crate::domain::units::WeightPair;
    use crate::ports::Clock;
    use crate::runtime::fakes::{Fake, entry, pair};

    const LONG: Duration = Duration::from_secs(5);

    #[tokio::test(start_paused = true)]
    async fn sources_are_asked_at_once_and_a_silent_one_ends_at_the_deadline() {
        let fake = Fake::new(pair(100, 0));
        fake.delay(Duration::from_secs(2));
        fake.silence(Source::Tables);
        let began = Instant::now();
        let collected = collect(&fake.ports(), &Source::ALL, Facts::default(), LONG).await;
        assert_eq!(began.elapsed(), LONG, "13 questions of 2 s one after another would take 24 s");
        assert!(collected.facts.shiftable().is_some());
        assert_eq!(collected.facts.error(Source::Tables).map(|e| e.kind), Some(ErrorKind::TimedOut));
    }

    /// A host's clock that somebody sets back by ten minutes between these looks and the ones before them.
    struct SetBack {
        looks: AtomicU64,
        at: &'static [u64],
    }

    impl SetBack {
        fn wall(&self, look: u64) -> Timestamp {
            let set = self.at.iter().filter(|at| **at <= look).count() as u64;
            Timestamp::from_millis(1_795_000_020_000)
                .plus(Duration::from_secs(look))
                .minus(Duration::from_secs(600) * u32::try_from(set).unwrap())
        }
    }

    impl Clock for SetBack {
        fn now(&self) -> Timestamp {
            self.wall(self.looks.load(Ordering::Relaxed))
        }

        fn moment(&self) -> Moment {
            let look = self.looks.fetch_add(1, Ordering::Relaxed) + 1;
            Moment { wall: self.wall(look), steady: Duration::from_secs(look) }
        }
    }

    /// What is gathered twice, one after the other, on a host whose clock is set before these looks.
    async fn gathered_while_set(at: &'static [u64]) -> Collected {
        let fake = Fake::new(pair(80, 20));
        let ports = Ports { clock: Arc::new(SetBack { looks: AtomicU64::new(0), at }), ..fake.ports() };
        let first = collect(&ports, &Source::ALL, Facts::default(), LONG).await;
        collect(&ports, &[Source::Records], first.facts, LONG).await
    }

    #[tokio::test]
    async fn a_clock_that_is_set_while_asking_or_between_has_everything_asked_again() {
        // Looks 1 and 2 are those of the first gathering.
        for at in [&[2][..], &[3], &[4]] {
            let collected = gathered_while_set(at).await;
            let facts = &collected.facts;
            assert_eq!(facts.jump, None, "all was read again after a clock that was set before look {at:?}");
            let asked = facts.sources.values().filter(|health| health.last_ok.is_some()).count();
            assert_eq!(asked, Source::ALL.len() - 1, "everything but a change that is not known");
            for (source, health) in &facts.sources {
                assert!(health.last_ok.unwrap() <= collected.now, "{source:?} is not of the future");
            }
        }
    }

    #[tokio::test]
    async fn a_clock_that_will_not_stand_still_leaves_everything_unknown() {
        let collected = gathered_while_set(&[3, 4, 5, 6]).await;
        let facts = &collected.facts;
        assert!(facts.jump.is_some());
        let group = reading::fact(facts.group.as_ref(), Source::Records, facts, collected.now);
        assert!(group.fresh().is_none() && group.quality.why().contains("clock was set back"), "{group:?}");
        assert!(facts.shiftable().is_some(), "the way back still knows where it starts from");
    }

    #[tokio::test]
    async fn weights_that_nobody_here_set_are_written_down_once() {
        let fake = Fake::new(pair(80, 20));
        for _ in 0..2 {
            let mut collected = collect(&fake.ports(), &[Source::Records], Facts::default(), LONG).await;
            assert_eq!(reconcile_journal(&fake.ports(), &mut collected, "me", "here").await, []);
            assert_eq!(collected.history().unwrap().known.unwrap().0, pair(80, 20));
        }
        assert_eq!(fake.events(), [Event::Seen { weights: pair(80, 20) }]);
    }

    #[tokio::test]
    async fn a_change_that_became_insync_is_read_back_and_written_down() {
        let change = |found: WeightPair| async move {
            let fake = Fake::new(found);
            fake.remember(entry(
                1,
                Event::Intent {
                    id: "a".into(),
                    record: "app.example.com.".into(),
                    from: pair(100, 0),
                    to: pair(90, 10),
                    direction: Direction::Forward,
                    overrides: vec![],
                    evacuation: None,
                },
            ));
            fake.remember(entry(
                2,
                Event::Outcome {
                    id: "a".into(),
                    result: OutcomeKind::Accepted,
                    weights: Some(pair(90, 10)),
                    change: Some("/change/C1".into()),
                    submitted_at: None,
                    detail: String::new(),
                },
            ));
            fake.change(ChangeStatus::Insync);
            let sources = [Source::Records, Source::Change];
            let mut collected = collect(&fake.ports(), &sources, Facts::default(), LONG).await;
            assert_eq!(reconcile_journal(&fake.ports(), &mut collected, "me", "here").await, []);
            assert_eq!(collected.history().unwrap().pending, None);
            fake.events().into_iter().nth(2)
        };
        let insync = |weights, verified| {
            Some(Event::Insync { change: "/change/C1".into(), weights, verified, pending_at: None })
        };
        assert_eq!(change(pair(90, 10)).await, insync(pair(90, 10), true));
        assert_eq!(change(pair(70, 30)).await, insync(pair(70, 30), false));
    }

    #[tokio::test]
    async fn a_journal_that_cannot_be_read_leaves_no_history() {
        let fake = Fake::new(pair(80, 20));
        fake.break_journal();
        let mut collected = collect(&fake.ports(), &[Source::Records], Facts::default(), LONG).await;
        assert!(collected.history().is_none() && collected.facts.shiftable().is_some());
        assert_eq!(reconcile_journal(&fake.ports(), &mut collected, "me", "here").await, []);
    }
}
