//! Locks of a stack: reads those of a `file://` backend, says whether their holders live, and clears them when told to.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::capture::{Patience, answer};
use super::command::Pulumi;
use super::folder::storage;
use super::process::{Life, ProcessId, exists, host, is_nowhere, may_be_pulumi};
use crate::domain::confirm::Confirmed;
use crate::domain::error::PortError;
use crate::domain::pulumi::ended::Unseen;
use crate::domain::pulumi::lock::{ClearLocks, Holder, Lock};
use crate::domain::pulumi::problem::PulumiError;

/// Largest lock file that is read; a real one has 120 bytes.
const MAX_LOCK_BYTES: u64 = 16 << 10;
/// Lock files that are read.
const MAX_LOCKS: usize = 20;

/// The locks of a stack in a `file://` backend, and what is known of their holders. Nothing for any other backend:
/// there the run's own message says who holds it (`domain::pulumi::lock::from_message`).
///
/// # Errors
/// `Storage` when the folder of the locks is there and cannot be read.
pub fn of_backend(
    url: &str,
    home: &Path,
    project: &str,
    stack: &str,
    ours: &[ProcessId],
) -> Result<Vec<(Lock, Holder)>, PortError> {
    let Some(root) = file_root(url, home) else { return Ok(Vec::new()) };
    let short = stack.rsplit('/').next().unwrap_or(stack);
    let locks = root.join(".pulumi").join("locks");
    let mut found = Vec::new();
    // Backends from before projects had their own folders keep the locks right below.
    for folder in [locks.join("organization").join(project).join(short), locks.join(short)] {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(storage("locks", &folder, &error)),
        };
        for entry in entries.take(MAX_LOCKS) {
            let path = entry.map_err(|error| storage("locks", &folder, &error))?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let mut text = String::new();
            match fs::File::open(&path).and_then(|file| file.take(MAX_LOCK_BYTES).read_to_string(&mut text)) {
                Ok(_) => {}
                // It was given back between the two looks.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(storage("locks", &path, &error)),
            }
            let lock = Lock::from_json(&text).ok_or_else(|| storage("locks", &path, &"not a lock file"))?;
            found.push((lock.clone(), holder(&lock, ours)));
        }
    }
    Ok(found)
}

fn file_root(url: &str, home: &Path) -> Option<PathBuf> {
    let path = url.strip_prefix("file://")?.split('?').next()?;
    Some(match path.strip_prefix('~') {
        Some(rest) => home.join(rest.trim_start_matches('/')),
        None => PathBuf::from(path),
    })
}

/// What is known of a lock's holder from here. `ours` are the processes of runs that were started from this state folder,
/// whose identity is known; of any other process only its number is. Clocks prove nothing: both that of the lock and that
/// of a process's start move when the time of day is set.
#[must_use]
pub fn holder(lock: &Lock, ours: &[ProcessId]) -> Holder {
    if lock.host != host() {
        return Holder::Elsewhere;
    }
    seen(lock.pid, ours, &is_nowhere)
}

/// The same of a process with the host's name. `is_nowhere` tells whether the number is known to be no process's of any
/// PID namespace: a container may have its host's name, and numbers of its own.
fn seen(pid: u32, ours: &[ProcessId], is_nowhere: &dyn Fn(u32) -> bool) -> Holder {
    let known: Vec<&ProcessId> = ours.iter().filter(|process| process.pid == pid).collect();
    let is_ours_and_gone = !known.is_empty() && known.iter().all(|process| process.is_of_here());
    if known.iter().any(|process| process.is_alive()) {
        return Holder::AliveHere;
    }
    if known.iter().any(|process| process.life() == Life::Unknown(Unseen::Hidden)) {
        return Holder::Unknown;
    }
    match exists(pid) {
        false if is_ours_and_gone || is_nowhere(pid) => Holder::DeadHere,
        // Our run is gone, and its number belongs to another now: to another Pulumi, which may have taken this lock?
        true if known.is_empty() || may_be_pulumi(pid) => Holder::Unknown,
        true if is_ours_and_gone => Holder::DeadHere,
        // It may live in another namespace, whatever has its number in this one.
        _ => Holder::Unseen,
    }
}

/// Clears the locks of a stack, after another look at their holders.
///
/// # Errors
/// [`PulumiError::Refusing`] when a holder lives after all or Pulumi refuses.
pub async fn clear(pulumi: &Pulumi, subject: &Confirmed<ClearLocks>, ours: &[ProcessId]) -> Result<(), PulumiError> {
    let invocation = pulumi.clear_locks();
    let refusing = |message: String| PulumiError::Refusing { line: invocation.line.clone(), message };
    let subject = subject.get();
    if subject.stack() != pulumi.stack {
        return Err(refusing(format!("the locks are those of {}", subject.stack())));
    }
    let holders: Vec<(Lock, Holder)> = subject.locks().iter().map(|lock| (lock.clone(), holder(lock, ours))).collect();
    ClearLocks::new(subject.stack(), &holders).map_err(|refusal| refusing(refusal.to_string()))?;
    answer(&invocation, Patience::Unlimited).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::units::Timestamp;

    fn lock(pid: u32, host: &str, since: Timestamp) -> Lock {
        Lock { pid, host: host.to_owned(), user: "ops".into(), since: Some(since) }
    }

    #[test]
    fn holders_are_judged_by_host_and_identity() {
        let now = super::super::process::wall_now();
        let own = ProcessId::own().unwrap();
        let held = lock(own.pid, &host(), now);
        assert_eq!(holder(&held, std::slice::from_ref(&own)), Holder::AliveHere);
        assert_eq!(holder(&held, &[]), Holder::Unknown, "its number alone proves nothing");
        let gone = ProcessId { identity: "another boot:1".into(), ..own.clone() };
        assert_eq!(holder(&held, std::slice::from_ref(&gone)), Holder::DeadHere, "the number was given away again");
        assert_eq!(holder(&held, &[gone, own.clone()]), Holder::AliveHere);
        assert_eq!(holder(&lock(own.pid, "another-bastion", now), std::slice::from_ref(&own)), Holder::Elsewhere);
        assert_eq!(holder(&lock(u32::MAX, &host(), now), &[]), Holder::DeadHere);
    }

    #[test]
    fn another_pulumi_with_the_number_of_a_run_of_ours_may_hold_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("pulumi-language");
        fs::copy("/bin/sleep", &program).unwrap();
        let mut other = std::process::Command::new(&program).arg("600").spawn().unwrap();
        let gone = ProcessId { pid: other.id(), identity: "another boot:1".into(), ..ProcessId::own().unwrap() };
        let held = lock(other.id(), &host(), super::super::process::wall_now());
        let judged = holder(&held, &[gone]);
        other.kill().unwrap();
        other.wait().unwrap();
        assert_eq!(judged, Holder::Unknown);
        assert_eq!(seen(other.id(), &[], &|_| true), Holder::DeadHere, "now there is no such process");
    }

    #[test]
    fn a_number_that_is_not_seen_from_here_may_live_in_another_namespace() {
        let own = ProcessId::own().unwrap();
        let gone = ProcessId { pid: u32::MAX, identity: "another boot:1".into(), ..own.clone() };
        let elsewhere = ProcessId { namespace: Some("pid:[1]".into()), ..gone.clone() };
        let undated = ProcessId { namespace: None, ..gone.clone() };
        for (ours, nowhere, judged) in [
            (vec![], true, Holder::DeadHere),
            (vec![], false, Holder::Unseen),
            (vec![gone.clone()], false, Holder::DeadHere),
            (vec![elsewhere.clone()], false, Holder::Unseen),
            (vec![undated], false, Holder::Unseen),
            (vec![gone, elsewhere.clone()], false, Holder::Unseen),
            (vec![elsewhere], true, Holder::DeadHere),
        ] {
            assert_eq!(seen(u32::MAX, &ours, &|_| nowhere), judged, "{ours:?} {nowhere}");
        }
        // The number is one of this namespace's by now; in the other one the run may go on.
        let there = ProcessId { namespace: Some("pid:[1]".into()), identity: "another boot:1".into(), ..own.clone() };
        assert_eq!(seen(own.pid, &[there], &|_| false), Holder::Unseen);
    }

    #[test]
    fn no_clock_makes_a_living_holder_a_dead_one() {
        let own = std::process::id();
        for millis in [0, 1_000_000_000_000, 1_900_000_000_000] {
            assert_ne!(holder(&lock(own, &host(), Timestamp::from_millis(millis)), &[]), Holder::DeadHere);
        }
    }

    #[test]
    fn locks_of_a_file_backend_are_read_in_both_layouts() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("file://{}?no_tmp_dir=true", folder.path().display());
        assert_eq!(of_backend(&url, Path::new("/"), "tap", "prod", &[]), Ok(vec![]));
        assert_eq!(of_backend("s3://bucket", Path::new("/"), "tap", "prod", &[]), Ok(vec![]));
        let text = format!(
            r#"{{"pid":{},"username":"ops","hostname":"{}","timestamp":"2001-09-09T01:46:40Z"}}"#,
            u32::MAX,
            host()
        );
        for layout in [".pulumi/locks/organization/tap/prod", ".pulumi/locks/prod"] {
            let locks = folder.path().join(layout);
            fs::create_dir_all(&locks).unwrap();
            fs::write(locks.join("a.json"), &text).unwrap();
        }
        let found = of_backend(&url, Path::new("/"), "tap", "organization/tap/prod", &[]).unwrap();
        assert_eq!(found.len(), 2);
        assert!(ClearLocks::new("prod", &found).is_ok());
        let home = of_backend("file://~", folder.path(), "tap", "prod", &[]).unwrap();
        assert_eq!(home.len(), 2);
        fs::write(folder.path().join(".pulumi/locks/prod/b.json"), "garbage").unwrap();
        assert!(of_backend(&url, Path::new("/"), "tap", "prod", &[]).is_err());
    }
}
