//! Follows an accepted change from PENDING to INSYNC, reads the records back and writes down what was found.
//!
//! It may use the ports and the domain. It holds no lock: others may work while this waits.

use std::time::Duration;

use tokio::time::sleep;

use crate::domain::facts::{Observation, Query, Source};
use crate::domain::record::Event;
use crate::domain::schedule::{backoff, interval};
use crate::domain::traffic::{Change, ChangeStatus, GroupError, RecordGroup};
use crate::domain::units::{Timestamp, WeightPair};
use crate::ports::{ErrorKind, PortError};

use super::ports_set::{JournalWriter, Ports};

/// So many failures in a row, with the waits between them some ten minutes, end the following.
const MAX_FAILURES: u32 = 8;

/// How fast time goes, and how long to wait at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Seconds of the facts' clock in one second: 1 but for a simulator.
    pub speed: f64,
    /// Longest wait, by the facts' clock.
    pub deadline: Duration,
}

impl Pace {
    /// A wait by the facts' clock as a wait in this room.
    #[must_use]
    pub fn real(self, wait: Duration) -> Duration {
        // A simulator's speed must not turn into a busy loop.
        wait.div_f64(self.speed.max(0.01)).clamp(Duration::from_millis(20), wait.max(Duration::from_millis(20)))
    }
}

/// What the records said after INSYNC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadBack {
    /// The change, INSYNC.
    pub change: Change,
    /// The group as it is, or its shape.
    pub found: Result<RecordGroup, GroupError>,
    /// Whether it has the weights that were confirmed.
    pub verified: bool,
}

/// Asks until the change is INSYNC; tells also when it was last seen not to be. `progress` hears every answer with its instant.
///
/// # Errors
/// The last failure after too many in a row; [`ErrorKind::TimedOut`] when the change stays PENDING for too long.
pub async fn until_insync(
    ports: &Ports,
    id: &str,
    pace: Pace,
    progress: &mut (dyn FnMut(&Change, Timestamp) + Send),
) -> Result<(Change, Option<Timestamp>), PortError> {
    let wait = interval(Source::Change, true);
    let mut waited = Duration::ZERO;
    let mut failures = 0;
    let mut pending_at = None;
    loop {
        match ports.observe.observe(Query::Change(id.to_owned())).await {
            Ok(Observation::Change(change)) => {
                failures = 0;
                let now = ports.clock.now();
                progress(&change, now);
                if change.status == ChangeStatus::Insync {
                    return Ok((change, pending_at));
                }
                pending_at = Some(now);
            }
            Ok(_) => return Err(PortError::new(ErrorKind::Garbled, "change", "another question was answered")),
            Err(error) => {
                failures += 1;
                if failures >= MAX_FAILURES {
                    return Err(error);
                }
            }
        }
        let next = backoff(wait, failures);
        if waited + next > pace.deadline {
            let text = format!("{id} is still PENDING after {} s", waited.as_secs());
            return Err(PortError::new(ErrorKind::TimedOut, "route53:GetChange", text));
        }
        sleep(pace.real(next)).await;
        waited += next;
    }
}

/// Reads the records back after INSYNC, compares them with what was confirmed, and writes the finding down.
///
/// # Errors
/// When the records cannot be read or the finding cannot be written.
pub async fn read_back(
    ports: &Ports,
    (change, pending_at): (Change, Option<Timestamp>),
    wanted: WeightPair,
    operator: &str,
    host: &str,
) -> Result<ReadBack, PortError> {
    let found = ports.read_group().await?;
    let verified = found.as_ref().is_ok_and(|group| group.weights() == wanted);
    if let Ok(group) = &found {
        let event = Event::Insync { change: change.id.clone(), weights: group.weights(), verified, pending_at };
        let mut writer = JournalWriter::new(ports, operator, host);
        writer.goes_on_aside();
        writer.append(event).await?;
    }
    Ok(ReadBack { change, found, verified })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::fakes::{Fake, pair};

    const PACE: Pace = Pace { speed: 1.0, deadline: Duration::from_secs(1800) };

    #[tokio::test(start_paused = true)]
    async fn it_asks_until_insync_and_reads_back() {
        let fake = Fake::new(pair(90, 10));
        fake.change(ChangeStatus::Pending);
        fake.insync_after(4);
        let mut heard = Vec::new();
        let mut progress = |change: &Change, _| heard.push(change.status);
        let change = until_insync(&fake.ports(), "/change/C1", PACE, &mut progress).await.unwrap();
        assert_eq!(heard.len(), 5);
        let read = read_back(&fake.ports(), change, pair(90, 10), "me", "here").await.unwrap();
        assert!(read.verified);
        assert_eq!(fake.events().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_that_never_gets_there_ends_at_the_deadline() {
        let fake = Fake::new(pair(90, 10));
        fake.change(ChangeStatus::Pending);
        let began = tokio::time::Instant::now();
        let error = until_insync(&fake.ports(), "/change/C1", PACE, &mut |_, _| {}).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::TimedOut);
        assert!(began.elapsed() <= PACE.deadline);
    }

    #[tokio::test(start_paused = true)]
    async fn a_few_failures_are_sat_out_and_many_are_not() {
        let fake = Fake::new(pair(90, 10));
        fake.change(ChangeStatus::Insync);
        fake.fail(Source::Change, ErrorKind::Throttled, 3);
        assert!(until_insync(&fake.ports(), "/change/C1", PACE, &mut |_, _| {}).await.is_ok());
        fake.fail(Source::Change, ErrorKind::Credentials, 100);
        let error = until_insync(&fake.ports(), "/change/C1", PACE, &mut |_, _| {}).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Credentials);
    }

    #[tokio::test]
    async fn other_weights_than_confirmed_are_told() {
        let fake = Fake::new(pair(70, 30));
        let change = Change { id: "/change/C1".into(), status: ChangeStatus::Insync, at: Timestamp::default() };
        assert!(!read_back(&fake.ports(), (change, None), pair(90, 10), "me", "here").await.unwrap().verified);
    }
}
