//! Whether a Pulumi program may be run without being named: it gets the engineer's keys.
//!
//! A program that merely lies where the engineer stands is taken only from a folder that nobody else could have changed.
//! Looks at owners and rights, and starts nothing.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::ownership::{Ownership, unseen};

/// Files of a program that are looked at: the bundled one has some twenty beside its virtual environment, which has some
/// ten thousand.
const MAX_FILES: usize = 100_000;

/// Why a folder is not trusted; nothing where it is, or where there is none. Every file in it counts, and in every folder
/// that a link in it leads to: what is imported is executed, and `Pulumi.yaml` names further programs.
#[must_use]
pub fn why_not(folder: &Path) -> Option<String> {
    judged(folder, Ownership::of_this_user())
}

fn judged(folder: &Path, ownership: Ownership) -> Option<String> {
    Look { ownership, seen: HashSet::new(), left: MAX_FILES }.follow(folder).err()
}

/// What was looked at so far.
struct Look {
    ownership: Ownership,
    /// Folders whose contents were looked at.
    seen: HashSet<PathBuf>,
    left: usize,
}

impl Look {
    /// A path, and all that it leads to; one that leads nowhere executes nothing.
    fn follow(&mut self, path: &Path) -> Result<(), String> {
        match self.ownership.walk(path)? {
            Some(end) => self.at(&end),
            None => Ok(()),
        }
    }

    /// A file, or a folder with all in it.
    fn at(&mut self, path: &Path) -> Result<(), String> {
        let metadata = std::fs::symlink_metadata(path).map_err(|error| unseen(path, &error))?;
        if let Some(why) = self.ownership.distrust(&metadata, false) {
            return Err(format!("{} {why}", path.display()));
        }
        if !metadata.is_dir() || !self.seen.insert(path.to_owned()) {
            return Ok(());
        }
        for entry in std::fs::read_dir(path).map_err(|error| unseen(path, &error))? {
            let entry = entry.map_err(|error| unseen(path, &error))?;
            self.left = self
                .left
                .checked_sub(1)
                .ok_or_else(|| format!("{} holds more than {MAX_FILES} files, too many to look at", path.display()))?;
            let is_link = entry.file_type().map_err(|error| unseen(path, &error))?.is_symlink();
            // The way to what is no link was looked at with its folder.
            if is_link { self.follow(&entry.path())? } else { self.at(&entry.path())? }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    /// Everybody's groups are shared.
    fn why_not(folder: &Path) -> Option<String> {
        judged(folder, Ownership { private: [None; 2], ..Ownership::of_this_user() })
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
            assert!(why.contains(&format!("{path} can be written by ")), "{why}");
            set(&program.join(path), if is_file { 0o644 } else { 0o755 });
        }
        set(&program, 0o775);
        assert!(why_not(&program).unwrap().contains("by its group"));
        let group = std::fs::metadata(&program).unwrap().gid();
        let alone = Ownership { private: [Some(group), None], ..Ownership::of_this_user() };
        assert_eq!(judged(&program, alone), None, "umask 002, and a group of one's own");
        set(&program, 0o755);
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
        // A folder that is linked is imported from like one that lies there.
        std::os::unix::fs::symlink(&open, program.join("vendored")).unwrap();
        std::fs::create_dir(open.join("deep")).unwrap();
        std::fs::write(open.join("deep/module.py"), "").unwrap();
        set(&open.join("deep"), 0o755);
        set(&open.join("deep/module.py"), 0o646);
        let why = why_not(&program).unwrap();
        assert!(why.contains("deep/module.py can be written by others"), "{why}");
        set(&open.join("deep/module.py"), 0o644);
        std::os::unix::fs::symlink("..", open.join("deep/round")).unwrap();
        assert_eq!(why_not(&program), None);
        // Only the superuser can give a file away.
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(program.join("lib/deep/part.py"), Some(65_534), None).unwrap();
            assert!(why_not(&program).unwrap().contains("belongs to somebody else (uid 65534)"));
        }
    }
}
