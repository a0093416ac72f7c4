//! Whether a Pulumi program may be run without being named: it gets the engineer's keys.
//!
//! A program that merely lies where the engineer stands is taken only from a folder that nobody else could have changed.
//! Looks at owners and rights, and starts nothing.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Others may write into such a folder, but only remove what is their own.
const STICKY: u32 = 0o1000;
/// Rights of group and others to write.
const OTHERS_WRITE: u32 = 0o022;
/// What of a program is executed, seen from its folder.
const EXECUTED: [&str; 6] = ["Pulumi.yaml", "__main__.py", "lib", "venv", "venv/bin", "venv/bin/python"];

/// Why a folder is not trusted; nothing where it is, or where there is none.
#[must_use]
pub fn why_not(folder: &Path) -> Option<String> {
    let folder = std::fs::canonicalize(folder).ok()?;
    let own = rustix::process::geteuid().as_raw();
    let inside = EXECUTED.iter().map(|name| folder.join(name)).filter(|path| path.exists());
    let parents = folder.ancestors().skip(1).map(Path::to_owned).map(|path| (path, true));
    let all = std::iter::once((folder.clone(), false)).chain(inside.map(|path| (path, false))).chain(parents);
    for (path, is_parent) in all {
        let metadata = match std::fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) => return Some(format!("{} cannot be looked at: {error}", path.display())),
        };
        if let Some(why) = distrust(metadata.uid(), metadata.mode(), own, is_parent) {
            return Some(format!("{} {why}", path.display()));
        }
    }
    None
}

fn distrust(owner: u32, mode: u32, own: u32, is_parent: bool) -> Option<String> {
    if owner != own && owner != 0 {
        return Some(format!("belongs to somebody else (uid {owner})"));
    }
    let held = is_parent && mode & STICKY != 0;
    (mode & OTHERS_WRITE != 0 && !held).then(|| format!("can be written by others (mode {:o})", mode & 0o7777))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_own_folders_and_those_of_root_that_nobody_else_writes_are_trusted() {
        assert_eq!(distrust(1000, 0o755, 1000, false), None);
        assert_eq!(distrust(0, 0o755, 1000, false), None);
        assert_eq!(distrust(0, 0o1777, 1000, true), None, "/tmp on the way to an own folder");
        assert!(distrust(0, 0o1777, 1000, false).is_some(), "/tmp itself");
        assert!(distrust(1001, 0o755, 1000, true).is_some());
        assert!(distrust(1000, 0o775, 1000, false).is_some());
        assert!(distrust(1001, 0o755, 0, false).is_some(), "root trusts nobody's folder but its own");
    }

    #[test]
    fn what_is_executed_counts_as_the_folder_does() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("pulumi");
        std::fs::create_dir_all(program.join("venv/bin")).unwrap();
        std::fs::write(program.join("Pulumi.yaml"), "name: x\n").unwrap();
        let set = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        set(&program, 0o755);
        for path in ["Pulumi.yaml", "venv", "venv/bin"] {
            set(&program.join(path), 0o755);
        }
        assert_eq!(why_not(&program), None);
        assert_eq!(why_not(&folder.path().join("nowhere")), None, "that is for others to say");
        set(&program.join("venv/bin"), 0o777);
        assert!(why_not(&program).unwrap().contains("venv/bin can be written by others"), "{:?}", why_not(&program));
    }
}
