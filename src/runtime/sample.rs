//! One look at what the zone's name servers answer: all are asked until the share of each is known well enough.
//!
//! It may use the ports and the domain. Nothing is kept between two looks.

use futures_util::future::join_all;

use crate::domain::evidence::answers::Counts;
use crate::domain::evidence::servers::{Heard, Sample};
use crate::domain::traffic::RecordGroup;
use crate::ports::{Clock, NameServers, PortError};

/// Queries to one server that are under way at once: a burst would lose some on the way and look like a dead server.
const AT_ONCE: u32 = 8;

/// Asks all of the zone's name servers, each at most `most` times.
///
/// # Errors
/// [`PortError`] when it is not known who they are.
pub async fn sample(
    servers: &dyn NameServers,
    group: &RecordGroup,
    most: u32,
    clock: &dyn Clock,
) -> Result<Sample, PortError> {
    let names = servers.look_up(group).await?;
    let mut heard: Vec<Heard> = names.into_iter().map(|server| Heard { server, counts: Counts::default() }).collect();
    // Clients take one server as soon as another: each gets as many queries, or the share of all would be that of those
    // which were asked more.
    while heard.iter().any(|heard| heard.counts.wants_more(most)) {
        join_all(
            heard.iter_mut().filter(|heard| heard.counts.takes_more(most)).map(|heard| hear(servers, heard, most)),
        )
        .await;
    }
    Ok(Sample { at: clock.now(), heard })
}

async fn hear(servers: &dyn NameServers, heard: &mut Heard, most: u32) {
    let at_once = AT_ONCE.min(most.saturating_sub(heard.counts.asked()));
    for answer in join_all((0..at_once).map(|_| servers.ask(&heard.server))).await {
        heard.counts.add(answer);
    }
}
