//! Whether a Pulumi program may be run without being named: it gets the engineer's keys.
//!
//! A program that merely lies where the engineer stands is taken only from a folder that nobody else could have changed.
//! Looks at owners and rights, and starts nothing.

use std::collections::HashSet;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Others may write into such a folder, but only remove what is their own.
const STICKY: u32 = 0o1000;
/// Rights of group and others to write.
const OTHERS_WRITE: u32 = 0o022;
/// Files of a program that are looked at: the bundled one has some twenty beside its virtual environment, which has some
/// ten thousand.
const MAX_FILES: usize = 100_000;

/// Why a folder is not trusted; nothing where it is, or where there is none. Every file in it counts: what is imported
/// is executed, and `Pulumi.yaml` names further programs.
#[must_use]
pub fn why_not(folder: &Path) -> Option<String> {
    let folder = match std::fs::canonicalize(folder) {
        Ok(folder) => folder,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return None,
        Err(error) => return Some(format!("{} cannot be looked at: {error}", folder.display())),
    };
    let mut look = Look { own: rustix::process::geteuid().as_raw(), seen: HashSet::new(), left: MAX_FILES };
    look.way_to(&folder).and_then(|()| look.all_in(&folder)).err()
}

/// What was looked at so far.
struct Look {
    own: u32,
    /// Folders outside of the program's that links lead through.
    seen: HashSet<PathBuf>,
    left: usize,
}

impl Look {
    /// A folder or file, and everything above it: whoever may write there may put another one in its place.
    fn way_to(&mut self, path: &Path) -> Result<(), String> {
        for (index, above) in path.ancestors().enumerate() {
            if index > 0 && !self.seen.insert(above.to_owned()) {
                break;
            }
            let metadata = std::fs::metadata(above).map_err(|error| unseen(above, &error))?;
            self.judge(above, &metadata, index > 0)?;
        }
        Ok(())
    }

    fn all_in(&mut self, folder: &Path) -> Result<(), String> {
        for entry in std::fs::read_dir(folder).map_err(|error| unseen(folder, &error))? {
            let path = entry.map_err(|error| unseen(folder, &error))?.path();
            self.left = self.left.checked_sub(1).ok_or_else(|| {
                format!("{} holds more than {MAX_FILES} files, too many to look at", folder.display())
            })?;
            let metadata = std::fs::symlink_metadata(&path).map_err(|error| unseen(&path, &error))?;
            if metadata.is_symlink() {
                self.link(&path, metadata.uid())?;
            } else {
                self.judge(&path, &metadata, false)?;
                if metadata.is_dir() {
                    self.all_in(&path)?;
                }
            }
        }
        Ok(())
    }

    /// A link has no rights of its own: its owner made it, and where it leads counts. One that leads nowhere executes
    /// nothing.
    fn link(&mut self, path: &Path, owner: u32) -> Result<(), String> {
        if let Some(why) = distrust(owner, 0, self.own, false) {
            return Err(format!("{} {why}", path.display()));
        }
        match std::fs::canonicalize(path) {
            Ok(target) => self.way_to(&target),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(unseen(path, &error)),
        }
    }

    fn judge(&self, path: &Path, metadata: &Metadata, is_parent: bool) -> Result<(), String> {
        match distrust(metadata.uid(), metadata.mode(), self.own, is_parent) {
            Some(why) => Err(format!("{} {why}", path.display())),
            None => Ok(()),
        }
    }
}

fn unseen(path: &Path, error: &io::Error) -> String {
    format!("{} cannot be looked at: {error}", path.display())
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
        std::fs::create_dir_all(program.join("lib/deep")).unwrap();
        for file in ["lib/deep/part.py", "Pulumi.prod.yaml", "venv/bin/activate"] {
            std::fs::write(program.join(file), "").unwrap();
            set(&program.join(file), 0o644);
        }
        set(&program.join("lib"), 0o755);
        set(&program.join("lib/deep"), 0o755);
        std::os::unix::fs::symlink("/bin/sh", program.join("venv/bin/python")).unwrap();
        std::os::unix::fs::symlink("/nowhere/at/all", program.join("venv/bin/python3")).unwrap();
        assert_eq!(why_not(&program), None);
        for (path, mode, is_file) in [
            ("venv/bin", 0o777, false),
            ("lib/deep", 0o775, false),
            ("lib/deep/part.py", 0o666, true),
            ("Pulumi.prod.yaml", 0o646, true),
        ] {
            set(&program.join(path), mode);
            let why = why_not(&program).unwrap();
            assert!(why.contains(&format!("{path} can be written by others")), "{why}");
            set(&program.join(path), if is_file { 0o644 } else { 0o755 });
        }
        // Whoever may write where a link leads decides what is executed.
        let open = folder.path().join("open");
        std::fs::create_dir(&open).unwrap();
        std::fs::write(open.join("python"), "").unwrap();
        set(&open.join("python"), 0o755);
        set(&open, 0o777);
        std::fs::remove_file(program.join("venv/bin/python")).unwrap();
        std::os::unix::fs::symlink(open.join("python"), program.join("venv/bin/python")).unwrap();
        let why = why_not(&program).unwrap();
        assert!(why.contains("open can be written by others"), "{why}");
        set(&open, 0o755);
        assert_eq!(why_not(&program), None);
        // Only the superuser can give a file away.
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(program.join("lib/deep/part.py"), Some(65_534), None).unwrap();
            assert!(why_not(&program).unwrap().contains("belongs to somebody else (uid 65534)"));
        }
    }
}
