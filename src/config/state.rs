//! Where state goes: the journal, the log, Pulumi runs. A folder for each stack, for its owner alone.
//!
//! It makes the folder and checks its rights; what lies in it belongs to the adapters.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::ownership::Ownership;
use super::{ConfigError, Env};

/// Rights of the state folder: its owner's.
pub const FOLDER_MODE: u32 = 0o700;

/// The state folder of a stack: `TAPCTL_STATE_DIR` itself, else `$XDG_STATE_HOME/tapctl/STACK`, else
/// `~/.local/state/tapctl/STACK`.
///
/// # Errors
/// [`ConfigError::NoStateFolder`] when none of the variables is set.
pub fn folder(stack: &str, env: Env<'_>) -> Result<PathBuf, ConfigError> {
    if let Some(own) = env("TAPCTL_STATE_DIR") {
        return Ok(PathBuf::from(own));
    }
    let base = env("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let base = base.or_else(|| env("HOME").map(|home| Path::new(&home).join(".local").join("state")));
    Ok(base.ok_or(ConfigError::NoStateFolder)?.join("tapctl").join(folder_name(stack)))
}

/// A stack's name as the name of a folder: `org/project/prod` must not become three folders, `..` none.
fn folder_name(stack: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String = stack.chars().map(|c| if fits(c) { c } else { '-' }).collect();
    if name.chars().all(|c| c == '.') { "stack".to_owned() } else { name }
}

/// Makes the folder where it is missing, and takes the rights of others away where it is there. The folder itself is
/// looked at, never what a link leads to, and it has to be this user's own. Whoever has a folder above it, or may turn a
/// link on the way to it, could put another one in its place.
///
/// # Errors
/// What the system says, or whose folder it is.
pub fn prepare(folder: &Path) -> io::Result<()> {
    let is_safe = || way_to(folder).map_err(|why| io::Error::new(io::ErrorKind::PermissionDenied, why));
    // Before anything is made, and once more with all that was made.
    is_safe()?;
    make(folder)?;
    is_safe()?;
    take(folder)
}

/// The same for what must never be blocked, the way back and what stops a run: where only the way to the folder is
/// doubtful, it is used all the same, and what is doubtful is told. The folder itself is judged as ever.
///
/// # Errors
/// As [`prepare`], but for the way.
pub fn prepare_anyway(folder: &Path) -> io::Result<Option<String>> {
    make(folder)?;
    take(folder)?;
    Ok(way_to(folder).err().map(|why| format!("{} is used, although {why}", folder.display())))
}

/// Why somebody else could put another folder in this one's place, and what helps.
fn way_to(folder: &Path) -> Result<(), String> {
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ownership::of_this_user().walk_into(above).map_err(|why| format!("on the way to it, {why}; {WAY_OUT}"))
}

/// A volume of a pod (emptyDir) belongs to root with mode 777, with `fsGroup` and below a plain `subPath` as well.
const WAY_OUT: &str = "chmod go-w it where it is yours (chmod +t by its owner otherwise), or name a folder whose way only you \
     and root can write; in a pod, let an init container of the same user make one of mode 700 in the volume, mount that \
     with subPath and name the mount";

fn make(folder: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder)
}

/// Makes sure that the folder is this user's alone, with all that is kept in it.
fn take(folder: &Path) -> io::Result<()> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = rustix::fs::open(folder, flags, Mode::empty()).map_err(|error| match error {
        Errno::LOOP | Errno::NOTDIR => io::Error::other("it is a link, and no folder itself"),
        other => other.into(),
    })?;
    let found = rustix::fs::fstat(&opened)?;
    let own = rustix::process::geteuid().as_raw();
    if found.st_uid != own {
        let whose = format!("it belongs to somebody else (uid {}, this is uid {own})", found.st_uid);
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, whose));
    }
    if found.st_mode & 0o777 != FOLDER_MODE {
        rustix::fs::fchmod(&opened, Mode::from_raw_mode(FOLDER_MODE))?;
    }
    look_through(&opened, own, DEPTH)
}

/// Refuses what somebody may have put into the folder while others could write there: a link leads the journal, or
/// whatever is written in its name, to another place, and a file of somebody else says what that one wants. From now on
/// nobody else can put anything there.
fn look_through(folder: impl AsFd, own: u32, depth: usize) -> io::Result<()> {
    for entry in rustix::fs::Dir::read_from(&folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_of_the_folder = matches!(name.to_bytes(), b"." | b"..");
        if is_of_the_folder || depth == DEPTH && !OURS.iter().any(|ours| name.to_bytes().starts_with(ours.as_bytes())) {
            continue;
        }
        let found = match rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => found,
            // Another process has just put its file in place.
            Err(Errno::NOENT) => continue,
            Err(error) => return Err(error.into()),
        };
        let wrong = |why: String| {
            let what = format!("{} in it {why}; move it away", name.to_string_lossy());
            Err(io::Error::new(io::ErrorKind::PermissionDenied, what))
        };
        if FileType::from_raw_mode(found.st_mode) == FileType::Symlink {
            return wrong("is a link".to_owned());
        }
        if found.st_uid != own {
            return wrong(format!("belongs to somebody else (uid {}, this is uid {own})", found.st_uid));
        }
        if FileType::from_raw_mode(found.st_mode) == FileType::Directory && depth > 1 {
            let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            match rustix::fs::openat(&folder, name, flags, Mode::empty()) {
                Ok(inner) => look_through(inner, own, depth - 1)?,
                // An old run that another process has just removed.
                Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

/// Folders that are looked through below each other: this one, `runs`, and that of each run.
const DEPTH: usize = 3;

/// How the names begin of what this program keeps in its folder.
const OURS: [&str; 4] = ["journal", "lock", "runs", "tapctl.log"];

/// A place where no folder can be, for what only looks where none can be made: nothing is read there, and nothing written.
#[must_use]
pub fn nowhere() -> PathBuf {
    PathBuf::from("/dev/null/tapctl")
}

/// Proves that files can be written here: makes one of its own, brings it to the disk and removes it. A look at rights
/// proves nothing of a disk that is full, read-only or over its quota.
///
/// # Errors
/// What the system says of the first step that fails.
pub fn prove_writable(folder: &Path) -> io::Result<()> {
    let path = folder.join(format!(".probe-{}", rustix::process::getpid().as_raw_nonzero()));
    // Left by a process of the same number that was killed right here.
    let _none = std::fs::remove_file(&path);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    // As much as a long line of the journal: a file system keeps a few bytes even where it has no room.
    let written = file.write_all(&vec![b' '; 64 * 1024]).and_then(|()| file.sync_all());
    let removed = std::fs::remove_file(&path);
    written.and(removed)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_proves_that_a_folder_can_be_written_is_gone_again() {
        let base = tempfile::tempdir().unwrap();
        let left = base.path().join(format!(".probe-{}", rustix::process::getpid().as_raw_nonzero()));
        std::fs::write(&left, "left by one that was killed").unwrap();
        prove_writable(base.path()).unwrap();
        assert_eq!(std::fs::read_dir(base.path()).unwrap().count(), 0);
        for nowhere in [base.path().join("gone"), PathBuf::from("/proc")] {
            assert!(prove_writable(&nowhere).is_err(), "{}", nowhere.display());
        }
    }

    #[test]
    fn a_link_and_the_folder_of_somebody_else_are_no_state_folder() {
        let base = tempfile::tempdir().unwrap();
        let (real, link) = (base.path().join("real"), base.path().join("link"));
        prepare(&real).unwrap();
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert!(prepare(&link).unwrap_err().to_string().contains("link"));
        assert_eq!(
            std::fs::metadata(&real).unwrap().permissions().mode() & 0o777,
            0o755,
            "nothing is changed through it"
        );
        // Only the superuser can give a folder away.
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&real, Some(65_534), None).unwrap();
            assert!(prepare(&real).unwrap_err().to_string().contains("uid 65534"));
        }
    }

    #[test]
    fn what_was_planted_in_the_folder_is_named_and_nothing_is_opened() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("state");
        prepare(&folder).unwrap();
        std::fs::write(folder.join("notes.txt"), "").unwrap();
        std::os::unix::fs::symlink("/nowhere", folder.join("of-somebody")).unwrap();
        for name in ["journal.jsonl", "journal-3.jsonl", "lock", "runs", "tapctl.log"] {
            let path = folder.join(name);
            std::os::unix::fs::symlink(base.path(), &path).unwrap();
            let error = prepare(&folder).unwrap_err().to_string();
            assert!(error.contains(&format!("{name} in it is a link")), "{error}");
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, "").unwrap();
            prepare(&folder).unwrap();
            // Only the superuser can give a file away.
            if rustix::process::geteuid().is_root() {
                std::os::unix::fs::chown(&path, Some(65_534), None).unwrap();
                assert!(prepare(&folder).unwrap_err().to_string().contains("uid 65534"), "{name}");
            }
            std::fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn what_lies_in_the_folder_of_a_run_is_looked_at_as_well() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("state");
        prepare(&folder).unwrap();
        let run = folder.join("runs/20261122T120000000Z-up");
        std::fs::create_dir_all(&run).unwrap();
        std::fs::write(run.join("state.json"), "{}").unwrap();
        prepare(&folder).unwrap();
        std::os::unix::fs::symlink("/nowhere", run.join("plan")).unwrap();
        let error = prepare(&folder).unwrap_err().to_string();
        assert!(error.contains("plan in it is a link"), "{error}");
        std::fs::remove_file(run.join("plan")).unwrap();
        // Only the superuser can give a file away.
        if rustix::process::geteuid().is_root() {
            for path in [run.join("state.json"), run.clone(), folder.join("runs")] {
                std::os::unix::fs::chown(&path, Some(65_534), None).unwrap();
                assert!(prepare(&folder).unwrap_err().to_string().contains("uid 65534"), "{}", path.display());
                std::os::unix::fs::chown(&path, Some(0), None).unwrap();
            }
        }
        prepare(&folder).unwrap();
    }

    #[test]
    fn whoever_can_turn_the_way_to_the_folder_has_the_folder() {
        let base = tempfile::tempdir().unwrap();
        let (above, link) = (base.path().join("above"), base.path().join("open/link"));
        let set = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        let says = |folder: &Path, what: &str| {
            let error = prepare(folder).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{error}");
            assert!(error.to_string().contains(what), "{error}");
        };
        std::fs::create_dir_all(&above).unwrap();
        std::fs::create_dir_all(base.path().join("open")).unwrap();
        set(&above, 0o777);
        says(&above.join("state"), "above can be written by others (mode 777)");
        says(&above.join("not/made/yet"), "above can be written by others");
        assert!(!above.join("state").exists() && !above.join("not").exists(), "nothing is made there");
        set(&above, 0o1777);
        prepare(&above.join("state")).unwrap();
        set(&above, 0o755);
        // A link on the way is as good as the folder that it lies in.
        std::os::unix::fs::symlink(&above, &link).unwrap();
        set(&base.path().join("open"), 0o755);
        prepare(&link.join("state")).unwrap();
        set(&base.path().join("open"), 0o777);
        says(&link.join("state"), "open can be written by others");
        set(&base.path().join("open"), 0o755);
        // Only the superuser can give a folder away.
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::lchown(&link, Some(65_534), None).unwrap();
            says(&link.join("state"), "link belongs to somebody else (uid 65534)");
            std::os::unix::fs::chown(&above, Some(65_534), None).unwrap();
            says(&above.join("state"), "above belongs to somebody else (uid 65534)");
        }
    }

    #[test]
    fn what_must_never_be_blocked_is_told_of_a_doubtful_way_and_takes_no_folder_of_others() {
        let base = tempfile::tempdir().unwrap();
        let set = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        let folder = base.path().join("above/state");
        assert_eq!(prepare_anyway(&folder).unwrap(), None);
        set(&base.path().join("above"), 0o777);
        set(&folder, 0o755);
        let why = prepare_anyway(&folder).unwrap().unwrap();
        assert!(why.contains("above can be written by others (mode 777)"), "{why}");
        assert!(why.contains("chmod go-w") && why.contains("subPath"), "{why}");
        assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, FOLDER_MODE);
        assert!(prepare_anyway(&base.path().join("above/new")).unwrap().is_some(), "it may have to be made");
        std::os::unix::fs::symlink(&folder, base.path().join("above/link")).unwrap();
        prepare_anyway(&base.path().join("above/link")).unwrap_err();
        std::os::unix::fs::symlink("/nowhere", folder.join("journal.jsonl")).unwrap();
        prepare_anyway(&folder).unwrap_err();
    }

    #[test]
    fn the_own_variable_is_the_folder_itself() {
        let env = |name: &str| match name {
            "TAPCTL_STATE_DIR" => Some("/own".to_owned()),
            "XDG_STATE_HOME" => Some("/xdg".to_owned()),
            _ => None,
        };
        assert_eq!(folder("prod", &env).unwrap(), Path::new("/own"));
        let xdg = |name: &str| (name == "XDG_STATE_HOME").then(|| "/xdg".to_owned());
        assert_eq!(folder("org/app/prod", &xdg).unwrap(), Path::new("/xdg/tapctl/org-app-prod"));
        assert_eq!(folder("..", &xdg).unwrap(), Path::new("/xdg/tapctl/stack"));
        let home = |name: &str| (name == "HOME").then(|| "/home/me".to_owned());
        assert_eq!(folder("prod", &home).unwrap(), Path::new("/home/me/.local/state/tapctl/prod"));
        assert_eq!(folder("prod", &|_: &str| None), Err(ConfigError::NoStateFolder));
    }

    #[test]
    fn the_folder_is_its_owners_alone() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("a").join("b");
        prepare(&folder).unwrap();
        let mode = || std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), FOLDER_MODE);
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        prepare(&folder).unwrap();
        assert_eq!(mode(), FOLDER_MODE);
    }
}
