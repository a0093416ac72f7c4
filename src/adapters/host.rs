//! What this process can say about itself: its host, its user, its shell; and that nobody may read its memory.
//!
//! It asks the system, and nothing outside of it.

use rustix::process::{DumpableBehavior, Pid, Resource, Rlimit, getpgrp, getpid, getppid, getsid, setrlimit};

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

/// Leaves no image of this process behind, whatever ends it: its memory holds keys. Children inherit the limit.
pub fn leave_no_core() {
    // A system that refuses either has reasons of its own, and nothing here depends on it.
    let _limited = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _closed = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Whether something in this session could let this job go on once it has stopped. A job without that is an orphan
/// (POSIX, "orphaned process group"), as under `ssh -t host tapctl`: stopped, it would stay so.
#[must_use]
pub fn has_shell() -> bool {
    let leader = getpgrp();
    let above = if leader == getpid() { getppid() } else { parent_of(leader) };
    // Nobody is above the first process of a session, and who is in another session has no say here.
    above.is_some_and(|above| getsid(Some(above)).is_ok_and(|session| getsid(None) == Ok(session)))
}

/// Field 4 of what the kernel says of a process; the name in field 2 may hold spaces and brackets.
fn parent_of(process: Pid) -> Option<Pid> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_pid())).ok()?;
    let parent = stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?;
    Pid::from_raw(parent.parse().ok()?)
}
