//! Files of the state folder: private, synced, locked for no longer than a bound, and never waited for.

use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io::{self};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::domain::change::turn::Holder;

/// How long an append waits for another process that is just writing its line.
const APPEND_BOUND: Duration = Duration::from_secs(2);

/// Whether a holder on this host is stopped, as `/proc` says; nothing for another host, or when it is gone.
pub(super) fn is_stopped(held: &Holder, host: &str) -> Option<bool> {
    if held.host != host {
        return None;
    }
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", held.pid)).ok()?;
    // The name in parentheses may hold anything, so the state is the first word after the last of them.
    let state = stat.rsplit(')').next()?.split_whitespace().next()?;
    Some(state == "T" || state == "t")
}

/// Waits for the file's lock, but not for ever: a process that was stopped while it wrote keeps it.
pub(super) fn lock_for_writing(file: &File) -> io::Result<()> {
    let end = Instant::now() + APPEND_BOUND;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if Instant::now() >= end => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "another process keeps it locked"));
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    // A FIFO would be waited for without end: it is opened without waiting, and refused below.
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    options.read(true).append(true).mode(0o600).custom_flags(flags.bits().cast_signed());
    options
}

/// Makes a file to read and append that nobody else can read, and that was not there.
pub(super) fn create_private(path: &Path) -> io::Result<File> {
    private().create_new(true).open(path)
}

/// Opens a file to read and append that nobody else can read; tells whether it was just made.
pub(super) fn open_private(path: &Path) -> io::Result<(File, bool)> {
    match create_private(path) {
        Ok(file) => Ok((file, true)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let file = private().create(true).open(path)?;
            must_be_a_file(&file)?;
            if file.metadata()?.permissions().mode() & 0o077 != 0 {
                file.set_permissions(Permissions::from_mode(0o600))?;
            }
            Ok((file, false))
        }
        Err(error) => Err(error),
    }
}

/// Opens a file to read, without waiting for whoever would write into a pipe.
pub(super) fn open_to_read(path: &Path) -> io::Result<File> {
    // Whoever writes follows no link either: a journal that is read elsewhere would be another one.
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    must_be_a_file(&file)?;
    Ok(file)
}

/// Refuses what is no regular file: a pipe or a device in the journal's place would hang whoever reads it.
fn must_be_a_file(file: &File) -> io::Result<()> {
    if file.metadata()?.is_file() {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "this is no regular file; move it away"))
}

pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}
