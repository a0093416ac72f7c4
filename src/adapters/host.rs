//! What this process can say about itself: its host, its user, when it was started.
//!
//! It asks the system, and nothing outside of it.

use std::sync::OnceLock;
use std::time::Instant;

use crate::domain::text::Foreign;

static STARTED: OnceLock<Instant> = OnceLock::new();

/// When this process began its work; the first call sets it.
pub fn started() -> Instant {
    *STARTED.get_or_init(Instant::now)
}

/// The host's name.
#[must_use]
pub fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if name.is_empty() { "unknown-host".to_owned() } else { Foreign::take(&name).into_string() }
}

/// The local user, who stands in as the operator until STS has answered.
#[must_use]
pub fn local_user(env: &dyn Fn(&str) -> Option<String>) -> String {
    let named = env("USER").or_else(|| env("LOGNAME")).map(|name| Foreign::take(&name).into_string());
    named.unwrap_or_else(|| format!("uid-{}", rustix::process::getuid().as_raw()))
}
