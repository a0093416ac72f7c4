//! A file that is written whole or not at all, and never in place of something else.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// Writes the text: to a new file, or in place of one that begins with the line `mark`. Like the journal's files it is for
/// its owner alone.
///
/// # Errors
/// Says what is in the way.
pub(super) fn write(path: &Path, text: &str, mark: &str) -> io::Result<()> {
    let is_there = match fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => return Err(io::Error::other("it is there, and is no ordinary file")),
        Ok(_) if !begins_with(path, mark)? => {
            return Err(io::Error::other("it is there, and is no runbook of tapctl; it stays as it is"));
        }
        Ok(_) => true,
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(error),
    };
    let beside = beside(path)?;
    let placed = fill(&beside, text).and_then(|()| {
        // A link fails where a file has come to be meanwhile; a new name would take its place.
        if is_there { fs::rename(&beside, path) } else { fs::hard_link(&beside, path) }
    });
    if !is_there || placed.is_err() {
        // Under its own name it helps nobody.
        let _gone = fs::remove_file(&beside);
    }
    placed?;
    File::open(folder(path))?.sync_all()
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| io::Error::other("it names no file"))?;
    let mut own = std::ffi::OsString::from(".");
    own.push(name);
    own.push(format!(".{}.new", std::process::id()));
    Ok(folder(path).join(own))
}

fn fill(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn begins_with(path: &Path, mark: &str) -> io::Result<bool> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let mut first = Vec::new();
    BufReader::new(file.take(mark.len() as u64 + 1)).read_until(b'\n', &mut first)?;
    Ok(first == format!("{mark}\n").into_bytes())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    const MARK: &str = "<!-- mark -->";

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn it_is_private_whole_and_written_anew_over_its_like() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runbook.md");
        for text in ["<!-- mark -->\none\n", "<!-- mark -->\ntwo\n"] {
            write(&path, text, MARK).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            assert_eq!(names(folder.path()), ["runbook.md"]);
        }
    }

    #[test]
    fn what_is_no_runbook_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let notes = folder.path().join("notes.md");
        for text in ["", "my notes\n", "<!-- mark --> and more\n", "<!-- mark -->"] {
            fs::write(&notes, text).unwrap();
            let refused = write(&notes, "<!-- mark -->\n", MARK).unwrap_err();
            assert!(refused.to_string().contains("no runbook"), "{refused}");
            assert_eq!(fs::read_to_string(&notes).unwrap(), text);
        }
        fs::write(&notes, "<!-- mark -->\nold\n").unwrap();
        let link = folder.path().join("link.md");
        symlink(&notes, &link).unwrap();
        for odd in [link.as_path(), folder.path()] {
            let refused = write(odd, "<!-- mark -->\n", MARK).unwrap_err();
            assert!(refused.to_string().contains("no ordinary file"), "{refused}");
        }
        assert_eq!(fs::read_to_string(&notes).unwrap(), "<!-- mark -->\nold\n");
        assert!(write(&folder.path().join("none").join("x.md"), "", MARK).is_err());
        assert_eq!(names(folder.path()).len(), 2, "nothing is left beside them");
    }
}
