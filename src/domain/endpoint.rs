//! Where requests go: to AWS, to a simulator, to something else; and whether that is one world.
//!
//! Pure. Adapters find out, headers and `status --json` show it, and nothing is changed in two worlds at once.

use serde::Serialize;

/// What answers at an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Answers {
    /// AWS itself.
    Aws,
    /// A simulator of ours, on this host.
    Simulator,
    /// Neither: a proxy, another simulator, nobody.
    Other,
}

/// Where the requests of one service go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Endpoint {
    /// The service, as IAM names it.
    pub service: &'static str,
    /// Host and port.
    pub host: String,
    /// What answers there.
    pub answers: Answers,
}

impl Endpoint {
    /// Endpoints of one world are equal in this: all of AWS is one, and every other host one of its own.
    fn world(&self) -> Option<&str> {
        (self.answers != Answers::Aws).then_some(self.host.as_str())
    }
}

/// Every endpoint that is not AWS, each once: `127.0.0.1:4566`.
#[must_use]
pub fn elsewhere(endpoints: &[Endpoint]) -> Vec<&str> {
    let mut hosts: Vec<&str> = endpoints.iter().filter_map(Endpoint::world).collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts
}

/// Whether one simulator answers for everything.
#[must_use]
pub fn is_simulation(endpoints: &[Endpoint]) -> bool {
    !endpoints.is_empty()
        && endpoints.iter().all(|endpoint| endpoint.answers == Answers::Simulator)
        && mixture(endpoints).is_none()
}

/// Which services go where, when they do not all go to one world: a change would mix what is read in one with what is
/// written in another.
#[must_use]
pub fn mixture(endpoints: &[Endpoint]) -> Option<String> {
    let mut worlds: Vec<(Option<&str>, Vec<&str>)> = Vec::new();
    for endpoint in endpoints {
        match worlds.iter_mut().find(|(world, _)| *world == endpoint.world()) {
            Some((_, services)) if !services.contains(&endpoint.service) => services.push(endpoint.service),
            Some(_) => {}
            None => worlds.push((endpoint.world(), vec![endpoint.service])),
        }
    }
    if worlds.len() < 2 {
        return None;
    }
    let parts = worlds.iter().map(|(world, services)| format!("{} at {}", services.join(", "), world.unwrap_or("AWS")));
    Some(parts.collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(service: &'static str, host: &str, answers: Answers) -> Endpoint {
        Endpoint { service, host: host.to_owned(), answers }
    }

    #[test]
    fn all_of_aws_is_one_world_and_every_other_host_one_of_its_own() {
        let aws = [at("route53", "route53.amazonaws.com:443", Answers::Aws), at("dms", "dms.x:443", Answers::Aws)];
        assert_eq!(mixture(&aws), None);
        assert!(elsewhere(&aws).is_empty() && !is_simulation(&aws));
        let sim = |service, port| at(service, port, Answers::Simulator);
        let one = [sim("route53", "127.0.0.1:1"), sim("dms", "127.0.0.1:1")];
        assert!(is_simulation(&one) && mixture(&one).is_none());
        let two = [sim("route53", "127.0.0.1:1"), sim("dms", "127.0.0.1:2"), sim("ecs", "127.0.0.1:2")];
        assert_eq!(mixture(&two).unwrap(), "route53 at 127.0.0.1:1; dms, ecs at 127.0.0.1:2");
        assert!(!is_simulation(&two));
        let half = [sim("route53", "127.0.0.1:1"), aws[1].clone()];
        assert_eq!(mixture(&half).unwrap(), "route53 at 127.0.0.1:1; dms at AWS");
        assert_eq!(elsewhere(&half), ["127.0.0.1:1"]);
        assert!(!is_simulation(&[]));
    }
}
