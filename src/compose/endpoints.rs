//! What answers where the clients send their requests, and what follows for this process: whether it is a simulation,
//! whether anything may be changed, and by whose clock time goes.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use crate::adapters::aws::{Aws, ClientEndpoint};
use crate::adapters::clock::SystemClock;
use crate::adapters::refuse::Refusing;
use crate::adapters::sim_probe::{self, OffsetClock, Probed, Simulator};
use crate::config::{Settings, defaults, process_env};
use crate::domain::endpoint::{Answers, Endpoint, is_simulation, mixture};
use crate::domain::time::Moment;
use crate::domain::units::Timestamp;
use crate::ports::{Clock, ErrorKind, NameServers, Observe, PortError, Traffic};

/// Ends of the hosts that are AWS, in all of its partitions (AWS general reference, "AWS service endpoints").
const AWS_HOSTS: [&str; 10] = [
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".api.aws",
    ".api.amazonwebservices.com.cn",
    ".api.amazonwebservices.eu",
    ".c2s.ic.gov",
    ".sc2s.sgov.gov",
    ".csp.hci.ic.gov",
    ".cloud.adc-e.uk",
];

/// What was found.
pub struct Found {
    /// Where every client sends to.
    pub endpoints: Vec<Endpoint>,
    /// The simulator that answers for everything, and how it is reached.
    pub simulator: Option<(Simulator, String)>,
}

/// Asks the clients where they send to, and on this host what is there. Where nothing leaves this host and nobody has
/// said whose keys to use, none are looked for: simulators take any.
pub async fn look(aws: &Aws, own_keys: bool) -> Found {
    let clients = aws.endpoints().await;
    let mut probed: Vec<(&str, String, Probed)> = Vec::new();
    for ClientEndpoint { url, .. } in &clients {
        if !is_aws(url) && !probed.iter().any(|(seen, ..)| seen == url) {
            let place = sim_probe::place(url, defaults::PROBE_DEADLINE).await;
            let known = probed.iter().find(|(_, seen, _)| *seen == place).map(|(.., found)| found.clone());
            let found = match known {
                Some(found) => found,
                None => sim_probe::probe(url, defaults::PROBE_DEADLINE).await,
            };
            probed.push((url, place, found));
        }
    }
    let endpoints: Vec<Endpoint> = clients.iter().map(|client| endpoint(client, &probed)).collect();
    let simulator = probed.iter().find_map(|(url, _, found)| match found {
        Probed::Simulator(simulator) if is_simulation(&endpoints) => Some((simulator.clone(), (*url).to_owned())),
        _ => None,
    });
    let is_here = |place: &str| place.parse::<SocketAddr>().is_ok_and(|address| address.ip().is_loopback());
    if !own_keys && clients.iter().all(|c| probed.iter().any(|(url, place, _)| *url == c.url && is_here(place))) {
        aws.use_any_keys();
    }
    Found { endpoints, simulator }
}

fn endpoint(client: &ClientEndpoint, probed: &[(&str, String, Probed)]) -> Endpoint {
    let service = client.service;
    match probed.iter().find(|(url, ..)| *url == client.url) {
        None => Endpoint { service, host: client.url.clone(), answers: Answers::Aws },
        Some((_, place, Probed::Simulator(_))) => {
            Endpoint { service, host: place.clone(), answers: Answers::Simulator }
        }
        Some((_, place, _)) => Endpoint { service, host: place.clone(), answers: Answers::Other },
    }
}

/// Who alone may be asked for the zone, where it is not AWS's: the name servers of a simulator, or nobody.
#[must_use]
pub fn name_servers(simulator: Option<&Simulator>, endpoints: &[Endpoint]) -> Option<Vec<(String, SocketAddr)>> {
    let is_awss = endpoints.iter().any(|it| it.service == "route53" && it.answers == Answers::Aws);
    simulator.map(|simulator| simulator.name_servers.clone()).or_else(|| (!is_awss).then(Vec::new))
}

fn is_aws(url: &str) -> bool {
    let Some(host) = url.strip_prefix("https://") else { return false };
    let host = host.split_once(':').map_or(host, |(host, _)| host).to_ascii_lowercase();
    AWS_HOSTS.iter().any(|end| host.ends_with(end))
}

/// Why nothing may be changed by this process, where nothing may.
#[must_use]
pub fn refusal(settings: &Settings, endpoints: &[Endpoint]) -> Option<PortError> {
    if settings.read_only {
        let why = "this is --read-only (or TAPCTL_READ_ONLY, or read_only in the configuration)";
        return Some(
            PortError::new(ErrorKind::Refused, "read-only", why).with_next("start it without to change anything"),
        );
    }
    let worlds = mixture(endpoints)?;
    let why =
        format!("the services are not all in one place ({worlds}), and what is read in one must not move another");
    let next = "send all of them to one place: unset AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_<SERVICE>, take endpoint_url and \
                services out of the profile, or name one place with --endpoint-url";
    Some(PortError::new(ErrorKind::Refused, "endpoints", why).with_next(next))
}

/// The port that changes records; one that refuses for whoever must not write, who then holds nothing that could.
#[must_use]
pub fn traffic(aws: Arc<Aws>, refusal: Option<&PortError>) -> Arc<dyn Traffic> {
    match refusal {
        Some(why) => Arc::new(Refusing(why.clone())),
        None => aws,
    }
}

/// A clock that is settled only once it is known what answers: this host's until then.
#[derive(Default)]
pub struct LateClock(OnceLock<Arc<OffsetClock>>);

impl LateClock {
    /// From now on time goes as in this simulator.
    pub fn follow(&self, simulator: &Simulator) -> Arc<OffsetClock> {
        Arc::clone(self.0.get_or_init(|| Arc::new(OffsetClock::of(simulator))))
    }
}

impl Clock for LateClock {
    fn now(&self) -> Timestamp {
        self.0.get().map_or_else(|| SystemClock.now(), |clock| clock.now())
    }

    fn moment(&self) -> Moment {
        self.0.get().map_or_else(|| SystemClock.moment(), |clock| clock.moment())
    }
}

/// Now, for commands that ask no AWS: a simulator's time, where one is set as the endpoint.
pub async fn now(settings: &Settings) -> Timestamp {
    let variables = ["AWS_ENDPOINT_URL_ROUTE_53", "AWS_ENDPOINT_URL"];
    let endpoint = settings.endpoint_url.clone().or_else(|| variables.iter().find_map(|name| process_env(name)));
    let Some(endpoint) = endpoint else { return SystemClock.now() };
    match sim_probe::probe(&endpoint, defaults::PROBE_DEADLINE).await {
        Probed::Simulator(simulator) => simulator.now,
        Probed::Nobody | Probed::Other => SystemClock.now(),
    }
}

/// What asks and what changes the records where nothing but Pulumi is known of the stack: they refuse.
#[must_use]
pub fn unknown() -> (Arc<dyn Observe>, Arc<dyn Traffic>, Arc<dyn NameServers>) {
    let why = PortError::new(ErrorKind::NotProvisioned, "stack", "nothing but Pulumi is known of this stack");
    let refusing = Arc::new(Refusing(why));
    (Arc::clone(&refusing) as Arc<dyn Observe>, Arc::clone(&refusing) as Arc<dyn Traffic>, refusing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_to_a_host_of_aws_is_aws() {
        for aws in [
            "https://route53.amazonaws.com",
            "https://dms.us-gov-west-1.amazonaws.com",
            "https://ecs.cn-north-1.amazonaws.com.cn",
            "https://vpce-1-x.ecs.us-west-2.vpce.amazonaws.com",
            "https://ecs.us-west-2.api.aws",
        ] {
            assert!(is_aws(aws), "{aws}");
        }
        for other in [
            "http://route53.amazonaws.com",
            "https://amazonaws.com.example.com",
            "https://route53.amazonaws.com.evil:443",
            "https://localhost:4566",
            "",
        ] {
            assert!(!is_aws(other), "{other}");
        }
    }
}
