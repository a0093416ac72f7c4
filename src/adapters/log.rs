//! The program's own log: a file in the state folder, for its owner alone, bounded in size.
//!
//! Only what tapctl itself notes goes into it. The AWS clients' own notes stay out at every level, because they hold
//! signed requests.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;

use crate::domain::text::Printable;

const NAME: &str = "tapctl.log";
/// A log that has grown beyond this is set aside as `tapctl.log.1`, in place of the one before.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Starts to log into `folder` what `level` and the levels above it say: a word of `tracing`, or `off`.
///
/// # Errors
/// When the file cannot be opened, or something in this process logs already.
pub fn start(level: &str, folder: &Path) -> io::Result<()> {
    if level == "off" {
        return Ok(());
    }
    let file = open(folder)?;
    let filter = EnvFilter::new(format!("off,tapctl={level}"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        // What cannot be noted, on a full disk, is said nowhere else: least of all on the terminal that is drawn on.
        .log_internal_errors(false)
        .with_writer(Mutex::new(Harmless(file)))
        .try_init()
        .map_err(io::Error::other)
}

/// Writes events, each on one line of its own, in the form in which they may be shown.
struct Harmless<W>(W);

impl<W: Write> Write for Harmless<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = Printable::line(text.trim_end_matches('\n'));
        self.0.write_all(format!("{}\n", line.as_str()).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn open(folder: &Path) -> io::Result<File> {
    let path = folder.join(NAME);
    if std::fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.len() > MAX_BYTES) {
        std::fs::rename(&path, folder.join(format!("{NAME}.1")))?;
    }
    let no_links = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    OpenOptions::new().create(true).append(true).mode(0o600).custom_flags(no_links).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_whatever_it_holds() {
        let mut kept = Vec::new();
        Harmless(&mut kept).write_all(b"WARN a name\n2026 INFO all is well \x1b[2J\n").unwrap();
        assert_eq!(String::from_utf8(kept).unwrap(), "WARN a name\\n2026 INFO all is well \\x1b[2J\n");
    }

    #[test]
    fn a_log_that_grew_too_long_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        open(folder.path()).unwrap().write_all(&vec![b'x'; MAX_BYTES as usize + 1]).unwrap();
        assert_eq!(open(folder.path()).unwrap().metadata().unwrap().len(), 0);
        assert!(folder.path().join("tapctl.log.1").exists());
    }
}
