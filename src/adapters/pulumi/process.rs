//! Who a process id belongs to. A number alone is not enough: the kernel gives it to somebody else later.
//!
//! On Linux the identity is the boot and the start time of the process (`/proc/PID/stat`, field 22, proc(5));
//! elsewhere `ps` tells the start time.

use std::fs;
use std::io;
use std::path::Path;

use rustix::process::{Pid, Signal};
use serde::{Deserialize, Serialize};

use crate::domain::pulumi::ended::Unseen;
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

    /// Whether it was started since this host was.
    #[must_use]
    pub fn is_of_this_boot(&self) -> bool {
        self.identity.split_once(':').is_some_and(|(of, _)| !of.is_empty() && of == boot())
    }

    /// Whether it still lives, as far as can be told from here.
    #[must_use]
    pub fn life(&self) -> Life {
        self.life_as(&look(self.pid), namespace().as_deref())
    }

    /// The same, of what is found under its number where this process stands.
    fn life_as(&self, found: &Found, here: Option<&str>) -> Life {
        let is_of_here = self.namespace.as_deref() == here;
        match found {
            Found::Process(identity) if is_of_here && *identity == self.identity => Life::Lives,
            Found::Unreadable if is_of_here => Life::Unknown(Unseen::Hidden),
            // Nothing of an earlier boot of this host lives. A container, whose host may be another one by now, is not it.
            _ if is_of_here && here.is_none_or(|here| here == INITIAL) => Life::Gone,
            _ if !self.is_of_this_boot() => Life::Unknown(Unseen::OtherBoot),
            _ if is_of_here => Life::Gone,
            _ => Life::Unknown(Unseen::OtherContainer),
        }
    }

    /// Whether it is known to live.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.life() == Life::Lives
    }

    /// Sends a signal to exactly this process.
    ///
    /// # Errors
    /// `NotFound` when it is gone, and what the kernel says when it refuses, or why it cannot be told whose the number is.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        let gone = || io::Error::new(io::ErrorKind::NotFound, "the process is gone");
        let check = || match self.life() {
            Life::Lives => Ok(()),
            Life::Gone => Err(gone()),
            Life::Unknown(why) => Err(io::Error::other(why.words())),
        };
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw).ok_or_else(gone)?;
        #[cfg(target_os = "linux")]
        {
            // The descriptor holds on to the process, so that what is checked is what gets the signal.
            if let Ok(handle) = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
                check()?;
                return Ok(rustix::process::pidfd_send_signal(handle, signal)?);
            }
        }
        check()?;
        Ok(rustix::process::kill_process(pid, signal)?)
    }
}

/// What is known of a process whose number was written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// It lives.
    Lives,
    /// There is no such process any more.
    Gone,
    /// It cannot be told from here.
    Unknown(Unseen),
}

/// What is found under a number.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    /// A process, and what tells it from others.
    Process(String),
    /// None, or only its remains.
    Nothing,
    /// There is one, or it cannot be told, and nobody lets it be looked at.
    Unreadable,
}

/// What tells the process that has this number now from others; nothing when there is none.
fn identity(pid: u32) -> Option<String> {
    match look(pid) {
        Found::Process(identity) => Some(identity),
        Found::Nothing | Found::Unreadable => None,
    }
}

#[cfg(target_os = "linux")]
fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

#[cfg(not(target_os = "linux"))]
fn boot() -> String {
    String::new()
}

#[cfg(target_os = "linux")]
fn look(pid: u32) -> Found {
    look_in(Path::new("/proc"), pid, &has_number)
}

/// The same below `proc`. Mounted with `hidepid` it has no entry for what belongs to others, which `has_number` tells from
/// one that is gone.
#[cfg(target_os = "linux")]
fn look_in(proc: &Path, pid: u32, has_number: &dyn Fn(u32) -> bool) -> Found {
    match fs::read_to_string(proc.join(pid.to_string()).join("stat")) {
        Ok(stat) if is_over(&stat) => Found::Nothing,
        Ok(stat) => ticks_in(&stat).map_or(Found::Unreadable, |ticks| Found::Process(format!("{}:{ticks}", boot()))),
        Err(error) if has_ended(&error) && !has_number(pid) => Found::Nothing,
        Err(_) => Found::Unreadable,
    }
}

#[cfg(not(target_os = "linux"))]
fn look(pid: u32) -> Found {
    let asked = std::process::Command::new("ps").args(["-o", "stat=,lstart=", "-p", &pid.to_string()]).output();
    let Ok(text) = asked.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()) else {
        return Found::Unreadable;
    };
    match text.trim().split_once(char::is_whitespace) {
        Some((state, _)) if state.starts_with('Z') => Found::Nothing,
        Some((_, started)) => Found::Process(started.trim().to_owned()),
        None if has_number(pid) => Found::Unreadable,
        None => Found::Nothing,
    }
}

/// Whether the kernel knows a process with this number, whoever it belongs to.
fn has_number(pid: u32) -> bool {
    let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
    number.is_some_and(|number| rustix::process::test_kill_process(number) != Err(rustix::io::Errno::SRCH))
}

/// Field 22. The name in field 2 may hold spaces and brackets, so that counting starts after its last bracket.
fn ticks_in(stat: &str) -> Option<u64> {
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(19)?.parse().ok()
}

/// Whether the process is only waiting for its parent to notice its end: it works on nothing any more.
fn is_over(stat: &str) -> bool {
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_ascii_whitespace().next());
    matches!(state, Some("Z" | "X"))
}

/// The PID namespace of this process, in the kernel's words; nothing where there are none.
fn namespace() -> Option<String> {
    Some(fs::read_link("/proc/self/ns/pid").ok()?.to_string_lossy().into_owned())
}

/// No process of any namespace has a larger number (`PID_MAX_LIMIT`, proc(5)).
#[cfg(target_os = "linux")]
const MOST_PIDS: u32 = 1 << 22;
/// The namespace from which all processes of the host are seen (`PROC_PID_INIT_INO` of the kernel).
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
    has_number(pid) && look(pid) != Found::Nothing
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

    #[cfg(target_os = "linux")]
    #[test]
    fn only_no_such_process_is_gone_and_what_may_not_be_looked_at_is_not_known() {
        let proc = tempfile::tempdir().unwrap();
        let found = |has_number: bool| look_in(proc.path(), 7, &|_| has_number);
        assert_eq!(found(false), Found::Nothing);
        assert_eq!(found(true), Found::Unreadable, "hidepid=2: it has no entry, and lives");
        let stat = proc.path().join("7/stat");
        fs::create_dir_all(&stat).unwrap();
        assert_eq!(found(false), Found::Unreadable, "hidepid=1, or a disk that does not answer");
        fs::remove_dir(&stat).unwrap();
        fs::write(&stat, "7 (pulumi)").unwrap();
        assert_eq!(found(true), Found::Unreadable, "cut short");
        let tail = (4..=21).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
        fs::write(&stat, format!("7 (pulumi) Z {tail} 777 0")).unwrap();
        assert_eq!(found(true), Found::Nothing, "it only waits for its parent");
        fs::write(&stat, format!("7 (pulumi) S {tail} 777 0")).unwrap();
        assert_eq!(found(true), Found::Process(format!("{}:777", boot())));
    }

    #[test]
    fn what_is_known_of_a_process_follows_from_where_it_was_started_and_when() {
        const BELOW: &str = "pid:[4026532999]";
        let at = |identity: &str, namespace: &str| ProcessId {
            pid: 7,
            identity: identity.to_owned(),
            namespace: Some(namespace.to_owned()),
        };
        let now = format!("{}:777", boot());
        let own = Found::Process(now.clone());
        let (gone, unknown) = (Life::Gone, Life::Unknown);
        for (case, process, found, here, life) in [
            ("itself", at(&now, INITIAL), &own, INITIAL, Life::Lives),
            ("its number was given away", at("earlier:1", INITIAL), &own, INITIAL, gone),
            ("the host was started again", at("earlier:1", INITIAL), &Found::Nothing, INITIAL, gone),
            ("it may not be looked at", at(&now, INITIAL), &Found::Unreadable, INITIAL, unknown(Unseen::Hidden)),
            ("this container's", at(&now, BELOW), &Found::Nothing, BELOW, gone),
            ("another container's", at(&now, BELOW), &Found::Nothing, INITIAL, unknown(Unseen::OtherContainer)),
            ("its number is another's here", at(&now, BELOW), &own, INITIAL, unknown(Unseen::OtherContainer)),
            ("a container of another boot", at("earlier:1", BELOW), &Found::Nothing, BELOW, unknown(Unseen::OtherBoot)),
        ] {
            assert_eq!(process.life_as(found, Some(here)), life, "{case}");
        }
    }

    #[test]
    fn a_process_is_known_by_more_than_its_number() {
        let own = ProcessId::own().unwrap();
        assert!(own.is_alive());
        let other = ProcessId { identity: format!("{}:1", boot()), ..own.clone() };
        assert_eq!(other.life(), Life::Gone);
        assert_eq!(other.signal(Signal::INT).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(ProcessId::of(u32::MAX), None);
        assert!(exists(own.pid) && exists(1) && !exists(u32::MAX) && !exists(0));
    }

    #[test]
    fn a_name_with_brackets_does_not_move_the_fields() {
        let tail = (4..=21).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
        assert_eq!(ticks_in(&format!("42 (a) S (b) S {tail} 777 0 0")), Some(777));
        assert!(is_over(&format!("42 (gone) Z {tail} 777 0 0")) && !is_over(&format!("42 (a) Z) S {tail} 777 0 0")));
        assert_eq!(ticks_in("garbage"), None);
    }
}
