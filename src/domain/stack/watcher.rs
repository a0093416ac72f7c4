//! Who watches the stack, from where, and what may be sent from there.
//!
//! Pure.

use crate::domain::endpoint::Endpoint;

/// This process, as far as it matters to whoever reads what it did.
#[derive(Debug, Clone, PartialEq)]
pub struct Watcher {
    /// No write is ever sent.
    pub read_only: bool,
    /// Why not, in a sentence.
    pub read_only_why: String,
    /// Where the requests of each service go.
    pub api_endpoints: Vec<Endpoint>,
    /// Set while a simulator answers instead of AWS: its speed and scenario.
    pub simulation: Option<Simulation>,
    /// Who operates, until STS has answered.
    pub operator: String,
    /// This host.
    pub host: String,
}

/// The simulator that answers instead of AWS.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulation {
    /// Virtual seconds per second.
    pub speed: f64,
    /// Scenario name.
    pub scenario: String,
}

#[cfg(test)]
pub(crate) mod fixtures {
    //! Who watches in the tests.

    use super::Watcher;

    /// The operator on her bastion, who may write.
    pub(crate) fn watcher() -> Watcher {
        Watcher {
            read_only: false,
            read_only_why: "this is --read-only".into(),
            api_endpoints: Vec::new(),
            simulation: None,
            operator: "maria".into(),
            host: "bastion".into(),
        }
    }
}
