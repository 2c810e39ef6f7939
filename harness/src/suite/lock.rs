//! The machine-wide lock: two runs at a time would measure each other.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Failure, say};

/// Takes the lock, waiting for another run to end. It is held until the file is dropped.
pub(crate) async fn take(path: &Path, within: Duration) -> Result<File, Failure> {
    let mut file = open(path).map_err(|error| {
        Failure::rig(format!("cannot open the lock {}: {error}", path.display()))
    })?;
    let deadline = Instant::now() + within;
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                if !told {
                    say(&format!(
                        "waiting for another run on this machine to end: {}",
                        holder(&mut file)
                    ));
                    told = true;
                }
                sleep(Duration::from_millis(200)).await;
            }
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::rig(format!(
                    "another run still holds {} after {} s: {}",
                    path.display(),
                    within.as_secs(),
                    holder(&mut file)
                )));
            }
            Err(TryLockError::Error(error)) => {
                return Err(Failure::rig(format!("cannot lock {}: {error}", path.display())));
            }
        }
    }
    // Only for the message above; a lock of another user's file is a lock all the same.
    let _ = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| write!(file, "pid {}", std::process::id()));
    Ok(file)
}

/// Who holds the lock, if a run does. Nothing is created, and a run that begins meanwhile waits for a moment at most.
pub(crate) fn held_by(path: &Path) -> Option<String> {
    let mut file = File::open(path).ok()?;
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)).then(|| holder(&mut file))
}

fn open(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    // A file of another user in a sticky directory can be read, and so locked, but not opened with O_CREAT. Never
    // through a link, which anybody may have put there.
    let options = || {
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(nix::libc::O_NOFOLLOW);
        options
    };
    let existing = options().write(true).open(path).or_else(|_| options().open(path));
    let create = || options().write(true).create(true).truncate(false).mode(0o666).open(path);
    existing.or_else(|_| create())
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let _ = file.rewind().and_then(|()| file.read_to_string(&mut text));
    if text.is_empty() { "unknown holder".to_owned() } else { text }
}
