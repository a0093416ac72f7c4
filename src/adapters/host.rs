//! What this process can say about itself: its host and its user.
//!
//! It asks the system, and nothing outside of it.

use crate::domain::text::Foreign;

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
