//! One look at what the zone's name servers answer: each is asked until its share is known well enough.
//!
//! It may use the ports and the domain. Nothing is kept between two looks.

use futures_util::future::join_all;

use crate::domain::evidence::answers::Counts;
use crate::domain::evidence::servers::{Heard, Sample};
use crate::domain::traffic::RecordGroup;
use crate::ports::{Clock, NameServers, PortError};

/// Queries to one server that are under way at once: a burst would lose some on the way and look like a dead server.
const AT_ONCE: u32 = 8;

/// Asks all of the zone's name servers.
///
/// # Errors
/// [`PortError`] when it is not known who they are.
pub async fn sample(servers: &dyn NameServers, group: &RecordGroup, clock: &dyn Clock) -> Result<Sample, PortError> {
    let names = servers.look_up(group).await?;
    let heard = join_all(names.into_iter().map(|server| hear(servers, server))).await;
    Ok(Sample { at: clock.now(), heard })
}

async fn hear(servers: &dyn NameServers, server: String) -> Heard {
    let mut counts = Counts::default();
    while counts.wants_more() {
        for answer in join_all((0..AT_ONCE).map(|_| servers.ask(&server))).await {
            counts.add(answer);
        }
    }
    Heard { server, counts }
}
