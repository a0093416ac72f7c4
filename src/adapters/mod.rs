//! The adapters: the ports of [`crate::ports`] kept by AWS, by files and by the system's clock.
//!
//! Everything that talks to the outside world lives here, and nothing here decides anything: an adapter turns an
//! answer into a value of the domain or into a `PortError`, and never guesses what was not answered.

pub mod aws;
pub mod clock;
pub mod ends;
pub mod environment;
pub mod host;
pub mod journal;
pub mod log;
pub mod name_servers;
pub mod pulumi;
pub mod refuse;
pub mod sim_probe;
