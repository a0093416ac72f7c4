//! Who a process id belongs to. A number alone is not enough: the kernel gives it to somebody else later.
//!
//! On Linux the identity is the boot and the start time of the process (`/proc/PID/stat`, field 22, proc(5));
//! elsewhere `ps` tells the start time.

use std::fs;
use std::io;
use std::path::Path;

use rustix::process::{Pid, Signal};
use serde::{Deserialize, Serialize};

use crate::domain::units::Timestamp;

/// A process, so that a later process with the same number is not taken for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    /// Its number.
    pub pid: u32,
    /// What tells it from others with the same number.
    pub identity: String,
    /// Whose numbers it has: its PID namespace, where there are such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

impl ProcessId {
    /// The process that has this number now; nothing when there is none, or only its remains.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        Some(Self { pid, identity: identity(pid)?, namespace: namespace() })
    }

    /// This process.
    #[must_use]
    pub fn own() -> Option<Self> {
        Self::of(std::process::id())
    }

    /// Whether it is one of those whose numbers are seen from here.
    #[must_use]
    pub fn is_of_here(&self) -> bool {
        self.namespace == namespace()
    }

    /// Whether it still lives.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        identity(self.pid).is_some_and(|found| found == self.identity)
    }

    /// Sends a signal to exactly this process.
    ///
    /// # Errors
    /// `NotFound` when it is gone, and what the kernel says when it refuses.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        let gone = || io::Error::new(io::ErrorKind::NotFound, "the process is gone");
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw).ok_or_else(gone)?;
        #[cfg(target_os = "linux")]
        {
            // The descriptor holds on to the process, so that what is checked is what gets the signal.
            if let Ok(handle) = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
                if !self.is_alive() {
                    return Err(gone());
                }
                return Ok(rustix::process::pidfd_send_signal(handle, signal)?);
            }
        }
        if !self.is_alive() {
            return Err(gone());
        }
        Ok(rustix::process::kill_process(pid, signal)?)
    }
}

#[cfg(target_os = "linux")]
fn identity(pid: u32) -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    Some(format!("{}:{}", boot.trim(), start_ticks(pid)?))
}

#[cfg(not(target_os = "linux"))]
fn identity(pid: u32) -> Option<String> {
    let output =
        std::process::Command::new("ps").args(["-o", "stat=,lstart=", "-p", &pid.to_string()]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (state, started) = text.trim().split_once(char::is_whitespace)?;
    (!state.starts_with('Z')).then(|| started.trim().to_owned())
}

/// Field 22. The name in field 2 may hold spaces and brackets, so that counting starts after its last bracket.
fn start_ticks(pid: u32) -> Option<u64> {
    ticks_in(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn ticks_in(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// The PID namespace of this process, in the kernel's words; nothing where there are none.
fn namespace() -> Option<String> {
    Some(fs::read_link("/proc/self/ns/pid").ok()?.to_string_lossy().into_owned())
}

/// No process of any namespace has a larger number (`PID_MAX_LIMIT`, proc(5)).
#[cfg(target_os = "linux")]
const MOST_PIDS: u32 = 1 << 22;
/// The namespace from which all processes of the host are seen (`PROC_PID_INIT_INO` of the kernel).
#[cfg(target_os = "linux")]
const INITIAL: &str = "pid:[4026531836]";

/// Whether it is known that no process of this host has this number, although none has it here: also no one of another
/// PID namespace, whose numbers are its own. A container may share its host's name.
#[cfg(target_os = "linux")]
#[must_use]
pub fn is_nowhere(pid: u32) -> bool {
    let is_in_none = || is_in_no_other_namespace(Path::new("/proc"), pid).unwrap_or(false);
    pid > MOST_PIDS || (namespace().as_deref() == Some(INITIAL) && is_in_none())
}

/// Whether it is known that no process of this host has this number.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn is_nowhere(pid: u32) -> bool {
    !exists(pid)
}

/// Whether no process of the host has this number in a namespace of its own, as far as `proc` shows them all: mounted
/// with `hidepid` it hides those of others, or what is said of them, and that of the first process as well.
///
/// # Errors
/// What keeps a process from being looked at, so that it cannot be told.
#[cfg(target_os = "linux")]
fn is_in_no_other_namespace(proc: &Path, pid: u32) -> io::Result<bool> {
    fs::read_to_string(proc.join("1/status"))?;
    for entry in fs::read_dir(proc)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        match fs::read_to_string(entry.path().join("status")) {
            Ok(status) if inner_numbers(&status).contains(&pid) => return Ok(false),
            Ok(_) => {}
            // One that has ended meanwhile works on nothing.
            Err(error) if has_ended(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// Whether that is what the kernel says of a process that is gone.
#[cfg(target_os = "linux")]
fn has_ended(error: &io::Error) -> bool {
    let gone = rustix::io::Errno::SRCH.raw_os_error();
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(gone)
}

/// The numbers of a process in the namespaces below this one.
#[cfg(target_os = "linux")]
fn inner_numbers(status: &str) -> Vec<u32> {
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
    numbers.split_ascii_whitespace().skip(1).filter_map(|number| number.parse().ok()).collect()
}

/// Whether a process with this number exists, whoever it belongs to; a process that may not be looked at does.
#[must_use]
pub fn exists(pid: u32) -> bool {
    let Some(number) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return false };
    match rustix::process::test_kill_process(number) {
        // What is only waiting for its parent works on nothing any more.
        Ok(()) => identity(pid).is_some() || fs::metadata(format!("/proc/{pid}")).is_err(),
        Err(error) => error != rustix::io::Errno::SRCH,
    }
}

/// Whether the process that has this number now may be a Pulumi: its name begins so, or cannot be read.
#[must_use]
pub fn may_be_pulumi(pid: u32) -> bool {
    match fs::read_to_string(format!("/proc/{pid}/comm")) {
        Ok(name) => name.starts_with("pulumi"),
        Err(_) => true,
    }
}

/// This host's name, as lock files hold it.
#[must_use]
pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Bytes that are free for this user where `path` lies; nothing when the system does not say.
#[must_use]
pub fn free_bytes(path: &Path) -> Option<u64> {
    let stats = rustix::fs::statvfs(path).ok()?;
    Some(stats.f_bavail.saturating_mul(stats.f_frsize))
}

/// Now, by the clock of this host.
#[must_use]
pub fn wall_now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn a_number_may_be_taken_in_another_namespace() {
        assert_eq!(inner_numbers("Name:\tpulumi\nNSpid:\t4711\t7\nNStgid:\t4711\t7\n"), [7]);
        assert_eq!(inner_numbers("Name:\tpulumi\nNSpid:\t4711\n"), Vec::<u32>::new());
        assert_eq!(inner_numbers(""), Vec::<u32>::new());
        assert!(is_nowhere(u32::MAX), "no namespace has such a number");
        let own = ProcessId::own().unwrap();
        assert!(own.is_of_here());
        assert!(!ProcessId { namespace: Some("pid:[1]".into()), ..own.clone() }.is_of_here());
        assert!(!ProcessId { namespace: None, ..own }.is_of_here(), "an older record does not say");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_that_may_not_be_looked_at_is_not_known_to_be_none() {
        let proc = tempfile::tempdir().unwrap();
        let process = |number: &str, inner: &str| {
            fs::create_dir(proc.path().join(number)).unwrap();
            fs::write(proc.path().join(number).join("status"), format!("NSpid:\t{number}{inner}\n")).unwrap();
        };
        let looked = || is_in_no_other_namespace(proc.path(), 7).ok();
        process("4711", "");
        assert_eq!(looked(), None, "hidepid=2: not even the first process is seen");
        process("1", "");
        fs::create_dir(proc.path().join("4712")).unwrap();
        assert_eq!(looked(), Some(true), "one that has just ended");
        fs::create_dir(proc.path().join("4712/status")).unwrap();
        assert_eq!(looked(), None, "hidepid=1: it is seen, and nothing of it may be read");
        fs::remove_dir(proc.path().join("4712/status")).unwrap();
        process("4713", "\t7");
        assert_eq!(looked(), Some(false));
        assert!(has_ended(&rustix::io::Errno::SRCH.into()) && !has_ended(&rustix::io::Errno::ACCESS.into()));
    }

    #[test]
    fn a_process_is_known_by_more_than_its_number() {
        let own = ProcessId::own().unwrap();
        assert!(own.is_alive());
        let other = ProcessId { identity: "another boot:1".into(), ..own.clone() };
        assert!(!other.is_alive());
        assert_eq!(other.signal(Signal::INT).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(ProcessId::of(u32::MAX), None);
        assert!(exists(own.pid) && exists(1) && !exists(u32::MAX) && !exists(0));
    }

    #[test]
    fn a_name_with_brackets_does_not_move_the_fields() {
        let tail = (4..=21).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
        assert_eq!(ticks_in(&format!("42 (a) S (b) S {tail} 777 0 0")), Some(777));
        assert_eq!(ticks_in(&format!("42 (gone) Z {tail} 777 0 0")), None);
        assert_eq!(ticks_in("garbage"), None);
    }
}
