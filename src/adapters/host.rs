//! What this process can say about itself: its host, its user, its shell; and that nobody may read its memory.
//!
//! It asks the system, and nothing outside of it.

use rustix::process::{DumpableBehavior, Resource, Rlimit, setrlimit};

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
    let of = |process: &str| std::fs::read_to_string(format!("/proc/{process}/stat")).ok();
    of("self").is_some_and(|own| can_be_continued(&own, |process| of(&process.to_string())))
}

/// The same, of what the kernel says of a process and of others by their numbers. Asked for one by one, it answers 0 for
/// what is outside of this process's namespace, as in a container.
fn can_be_continued(own: &str, stat_of: impl Fn(u32) -> Option<String>) -> bool {
    let Some(own) = Place::read(own) else { return false };
    let leader = if own.group == own.process { Some(own) } else { stat_of(own.group).as_deref().and_then(Place::read) };
    let above = leader.and_then(|leader| Place::read(&stat_of(leader.parent)?));
    // Nobody is above the first process of a session, and who is in another session has no say here.
    above.is_some_and(|above| above.session == own.session)
}

/// Where a process stands among others (`proc_pid_stat(5)`, fields 1, 4, 5 and 6).
#[derive(Clone, Copy)]
struct Place {
    process: u32,
    parent: u32,
    group: u32,
    session: u32,
}

impl Place {
    /// The name in field 2 may hold spaces and brackets.
    fn read(stat: &str) -> Option<Self> {
        let (begin, rest) = stat.rsplit_once(')')?;
        let process = begin.split_once(' ')?.0.parse().ok()?;
        let mut numbers = rest.split_ascii_whitespace().skip(1).map(str::parse);
        let mut next = || numbers.next()?.ok();
        Some(Self { process, parent: next()?, group: next()?, session: next()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHELL: &str = "20 (bash) S 10 20 20 34816 30 4194304 0";
    const OWN: &str = "30 (tapctl) S 20 30 20 34816 30 4194304 0";

    fn has_shell_among(own: &str, others: &[&str]) -> bool {
        can_be_continued(own, |process| {
            others.iter().find(|stat| stat.starts_with(&format!("{process} "))).map(|stat| (*stat).to_owned())
        })
    }

    #[test]
    fn a_job_goes_on_where_a_shell_of_its_session_is_above_it() {
        assert!(has_shell_among(OWN, &[SHELL]));
        // In a pipe or a script the first process of the job stands below the shell.
        assert!(has_shell_among("31 (tap) ctl (x) S 30 30 20 0", &["30 (sh) S 20 30 20 0", SHELL]));
    }

    #[test]
    fn without_a_shell_of_its_session_it_would_stay_stopped() {
        for (case, own, others) in [
            ("the first process of its session", "30 (tapctl) S 20 30 30 0", vec![SHELL]),
            ("started from outside of its namespace", "1 (tapctl) S 0 0 0 0", vec![]),
            ("a session that is outside of its namespace", "30 (tapctl) S 20 30 30 0", vec!["20 (x) S 0 0 0 0"]),
            ("a job whose first process is gone", "31 (tapctl) S 1 30 20 0", vec![SHELL]),
            ("nothing is known", "", vec![]),
            ("what is no number", "30 (tapctl) S x y z", vec![SHELL]),
            ("cut short", "30 (tapctl", vec![SHELL]),
        ] {
            assert!(!has_shell_among(own, &others), "{case}");
        }
    }
}
