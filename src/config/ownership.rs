//! Who could put something else in the place of a path: every folder and every link that is passed on the way counts.
//!
//! Looks at owners and rights, and changes nothing.

use std::ffi::OsString;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use super::accounts::Accounts;

/// Others may write into such a folder, but only remove what is their own.
const STICKY: u32 = 0o1000;
/// The kernel follows as many links (path_resolution(7)).
const MAX_LINKS: usize = 40;

/// The right of everybody to write, and that of the group.
const OTHERS_WRITE: u32 = 0o002;
const GROUP_WRITES: u32 = 0o020;

/// Whose files are believed, and whose right to write makes what is there somebody else's, too.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ownership {
    /// This user.
    pub(super) own: u32,
    /// Groups in which there is nobody but this user, or nobody but root.
    pub(super) private: [Option<u32>; 2],
    /// The owner of what belongs to nobody of this user namespace, as a container shows its host's folders: nobody in it
    /// can be that user. Only folders and links on the way may have it.
    pub(super) stand_in: Option<u32>,
    /// That owner where a user of this namespace can have the number, too: the kernel says for each folder which of the
    /// two it is.
    pub(super) doubtful: Option<u32>,
}

impl Ownership {
    /// For this user.
    pub(super) fn of_this_user() -> Self {
        let own = rustix::process::geteuid().as_raw();
        let group = rustix::process::getegid().as_raw();
        let accounts = Accounts::here();
        let private = [(group, own), (0, 0)].map(|(gid, user)| accounts.is_private(gid, user).then_some(gid));
        Self { own, private, stand_in: accounts.stand_in(), doubtful: accounts.doubtful() }
    }

    /// Where `path` really leads, one step at a time as the kernel goes; nothing where something on the way is not there.
    /// What lies at its end is judged by its owner alone.
    ///
    /// # Errors
    /// What on the way somebody else has, or could replace.
    pub(super) fn walk(self, path: &Path) -> Result<Option<PathBuf>, String> {
        self.go(path, false)
    }

    /// The same for a folder into which something is put: it is passed like those on the way to it.
    ///
    /// # Errors
    /// As [`Ownership::walk`].
    pub(super) fn walk_into(self, folder: &Path) -> Result<(), String> {
        self.go(folder, true).map(drop)
    }

    fn go(self, path: &Path, into: bool) -> Result<Option<PathBuf>, String> {
        let path = std::path::absolute(path).map_err(|error| unseen(path, &error))?;
        let mut at = PathBuf::from("/");
        let mut rest = steps(&path);
        let mut links = 0;
        self.judge(&at, true)?;
        while let Some(step) = rest.pop() {
            let here = match step {
                Step::Root => {
                    at = PathBuf::from("/");
                    continue;
                }
                Step::Up => {
                    at.pop();
                    continue;
                }
                Step::Down(name) => at.join(name),
            };
            let Some(metadata) = found(&here)? else { return Ok(None) };
            if !metadata.is_symlink() {
                self.judge(&here, into || !rest.is_empty())?;
                at = here;
                continue;
            }
            if let Some(why) = self.is_of_another(metadata.uid(), true) {
                return Err(format!("{} {why}", here.display()));
            }
            links += 1;
            if links > MAX_LINKS {
                return Err(format!("{} leads through more than {MAX_LINKS} links", path.display()));
            }
            rest.extend(steps(&std::fs::read_link(&here).map_err(|error| unseen(&here, &error))?));
        }
        Ok(Some(at))
    }

    fn judge(self, path: &Path, is_passed: bool) -> Result<(), String> {
        let Some(metadata) = found(path)? else { return Ok(()) };
        self.told(metadata.uid(), &|| is_unmapped(path)).judged(path, &metadata, is_passed)
    }

    /// The same, once it is known whether this owner is one of this namespace.
    fn told(self, owner: u32, is_unmapped: &dyn Fn() -> bool) -> Self {
        let stands_in = self.doubtful == Some(owner) && is_unmapped();
        Self { stand_in: if stands_in { Some(owner) } else { self.stand_in }, ..self }
    }

    fn judged(self, path: &Path, metadata: &std::fs::Metadata, is_passed: bool) -> Result<(), String> {
        let why = if is_passed { self.distrust(metadata, true) } else { self.is_of_another(metadata.uid(), false) };
        why.map_or(Ok(()), |why| Err(format!("{} {why}", path.display())))
    }

    /// Why what has this owner, group and rights may be somebody else's; a folder that is only passed through may be one
    /// in which everybody keeps what is his own.
    pub(super) fn distrust(self, metadata: &std::fs::Metadata, is_passed: bool) -> Option<String> {
        self.doubts(metadata.uid(), metadata.gid(), metadata.mode(), is_passed)
    }

    fn doubts(self, owner: u32, group: u32, mode: u32, is_passed: bool) -> Option<String> {
        let held = is_passed && mode & STICKY != 0;
        let by_group = mode & GROUP_WRITES != 0 && !self.private.contains(&Some(group));
        self.is_of_another(owner, is_passed).or_else(|| {
            let who = if mode & OTHERS_WRITE != 0 { "others".to_owned() } else { format!("its group (gid {group})") };
            ((mode & OTHERS_WRITE != 0 || by_group) && !held)
                .then(|| format!("can be written by {who} (mode {:o})", mode & 0o7777))
        })
    }

    fn is_of_another(self, owner: u32, is_passed: bool) -> Option<String> {
        let is_nobodys = is_passed && self.stand_in == Some(owner);
        (owner != self.own && owner != 0 && !is_nobodys).then(|| format!("belongs to somebody else (uid {owner})"))
    }
}

/// Whether a folder belongs to nobody of this user namespace, for whoever may do as any owner in it: the kernel lets such a
/// process leave the time of the last access alone (`O_NOATIME`) only where the owner is a user of the namespace.
#[cfg(target_os = "linux")]
fn is_unmapped(folder: &Path) -> bool {
    use rustix::fs::{Mode, OFlags, open};
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = |flags| open(folder, flags, Mode::empty());
    opened(flags).is_ok() && opened(flags | OFlags::NOATIME).is_err_and(|error| error == rustix::io::Errno::PERM)
}

#[cfg(not(target_os = "linux"))]
fn is_unmapped(_folder: &Path) -> bool {
    false
}

enum Step {
    Root,
    Up,
    Down(OsString),
}

/// The steps of a path, the last one first.
fn steps(path: &Path) -> Vec<Step> {
    let step = |component| match component {
        Component::RootDir => Some(Step::Root),
        Component::ParentDir => Some(Step::Up),
        Component::Normal(name) => Some(Step::Down(name.to_owned())),
        Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().rev().filter_map(step).collect()
}

fn found(path: &Path) -> Result<Option<std::fs::Metadata>, String> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(unseen(path, &error)),
    }
}

pub(super) fn unseen(path: &Path, error: &io::Error) -> String {
    format!("{} cannot be looked at: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn set(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn only_own_folders_and_those_of_root_that_nobody_else_writes_are_trusted() {
        let me = Ownership { own: 1000, private: [Some(1000), Some(0)], stand_in: None, doubtful: None };
        assert_eq!(me.doubts(1000, 1000, 0o755, false), None);
        assert_eq!(me.doubts(0, 0, 0o755, false), None);
        assert_eq!(me.doubts(0, 0, 0o1777, true), None, "/tmp on the way to an own folder");
        assert!(me.doubts(0, 0, 0o1777, false).is_some(), "/tmp itself");
        assert!(me.doubts(1001, 1000, 0o755, true).is_some());
        assert!(me.doubts(1000, 1000, 0o777, true).is_some());
        let root = Ownership { own: 0, private: [Some(0); 2], stand_in: None, doubtful: None };
        assert!(root.doubts(1001, 0, 0o755, false).is_some(), "root trusts nobody's folder but its own");
    }

    #[test]
    fn a_group_may_write_where_nobody_else_is_in_it() {
        let me = Ownership { own: 1000, private: [Some(1000), Some(0)], stand_in: None, doubtful: None };
        for is_passed in [false, true] {
            assert_eq!(me.doubts(1000, 1000, 0o775, is_passed), None, "umask 002, and a group of one's own");
            assert_eq!(me.doubts(0, 0, 0o775, is_passed), None, "root's own");
            let why = me.doubts(1000, 100, 0o2775, is_passed).unwrap();
            assert_eq!(why, "can be written by its group (gid 100) (mode 2775)");
        }
        assert_eq!(me.doubts(0, 100, 0o1775, true), None, "nobody turns what is not his own there");
        let shared = Ownership { private: [None; 2], ..me };
        assert!(shared.doubts(1000, 1000, 0o775, true).is_some());
    }

    #[test]
    fn what_belongs_to_nobody_of_this_namespace_may_be_passed_and_is_not_ones_own() {
        let inside = Ownership { own: 1000, private: [None; 2], stand_in: Some(65_534), doubtful: None };
        assert_eq!(inside.doubts(65_534, 65_534, 0o755, true), None);
        assert!(inside.doubts(65_534, 65_534, 0o755, false).is_some(), "what lies at the end has to be somebody's");
        assert!(inside.doubts(65_534, 65_534, 0o775, true).is_some());
        assert!(inside.doubts(65_534, 65_534, 0o777, true).is_some());
        assert!(inside.doubts(1001, 1001, 0o755, true).is_some());
    }

    #[test]
    fn a_folder_of_nobodys_may_hold_what_is_ones_own_and_is_not_ones_own() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().canonicalize().unwrap();
        // Root's folders are believed in any case.
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&path, Some(65_534), None).unwrap();
        }
        let owner = std::fs::metadata(&path).unwrap().uid();
        let inside = Ownership { own: owner - 1, private: [None; 2], stand_in: Some(owner), doubtful: None };
        assert_eq!(inside.walk_into(&path), Ok(()));
        assert!(inside.walk(&path).unwrap_err().contains("belongs to somebody else"));
        assert!(Ownership { stand_in: None, ..inside }.walk_into(&path).is_err());
    }

    #[test]
    fn what_is_shown_as_nobodys_may_be_passed_where_the_kernel_says_that_it_is_nobodys_of_this_namespace() {
        let inside = Ownership { own: 0, private: [Some(0); 2], stand_in: None, doubtful: Some(65_534) };
        let doubts = |is_unmapped: bool, owner, is_passed| {
            inside.told(owner, &|| is_unmapped).doubts(owner, owner, 0o755, is_passed)
        };
        assert_eq!(doubts(true, 65_534, true), None, "a host's folder");
        assert!(doubts(false, 65_534, true).is_some(), "the container's own nobody, who can turn what is in it");
        assert!(doubts(true, 65_534, false).is_some(), "what lies at the end has to be somebody's");
        assert!(doubts(true, 1001, true).is_some());
        let own = tempfile::tempdir().unwrap();
        assert!(!is_unmapped(own.path()) && !is_unmapped(&own.path().join("none")));
    }

    #[test]
    fn every_link_and_folder_of_a_chain_counts_also_those_in_its_middle() {
        let base = tempfile::tempdir().unwrap();
        let at = |name: &str| base.path().canonicalize().unwrap().join(name);
        for name in ["end", "middle", "start"] {
            std::fs::create_dir(at(name)).unwrap();
            set(&at(name), 0o755);
        }
        // start/link -> middle/link -> end: the canonical path does not show that `middle` was passed.
        symlink(at("end"), at("middle/link")).unwrap();
        symlink("../middle/link", at("start/link")).unwrap();
        let walked = || Ownership::of_this_user().walk(&at("start/link/file"));
        assert_eq!(walked(), Ok(None), "there is no such file");
        std::fs::write(at("end/file"), "").unwrap();
        assert_eq!(walked(), Ok(Some(at("end/file"))));
        for name in ["end", "middle", "start"] {
            set(&at(name), 0o777);
            let why = walked().unwrap_err();
            assert!(why.contains(&format!("{name} can be written by others (mode 777)")), "{why}");
            set(&at(name), 0o1777);
            assert_eq!(walked(), Ok(Some(at("end/file"))), "nobody turns what is not his own there");
            set(&at(name), 0o755);
        }
        // Only the superuser can give a link away.
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::lchown(at("middle/link"), Some(65_534), None).unwrap();
            let why = walked().unwrap_err();
            assert!(why.contains("middle/link belongs to somebody else (uid 65534)"), "{why}");
        }
        symlink("loop", at("loop")).unwrap();
        assert!(Ownership::of_this_user().walk(&at("loop")).unwrap_err().contains("more than 40 links"));
    }
}
