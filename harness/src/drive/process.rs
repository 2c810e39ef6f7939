//! [`Group`]: a process with everything it started, ended as one.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::time::Instant;

const POLL: Duration = Duration::from_millis(10);

/// A running process group. Dropping it kills it.
#[derive(Debug)]
pub(super) struct Group {
    child: Child,
    id: Pid,
    status: Option<ExitStatus>,
    ended: bool,
}

impl Group {
    /// Starts a command in a group of its own, with both outputs going to `log`.
    pub(super) fn spawn(
        command: &[String],
        env: impl IntoIterator<Item = (String, String)>,
        cwd: &Path,
        log: File,
    ) -> io::Result<Self> {
        let missing = || io::Error::new(io::ErrorKind::InvalidInput, "there is no program");
        let (program, args) = command.split_first().ok_or_else(missing)?;
        let child = Command::new(program)
            .args(args)
            .envs(env)
            .current_dir(cwd)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let id = id.ok_or_else(|| io::Error::other("the process has no id"))?;
        Ok(Self { child, id: Pid::from_raw(id), status: None, ended: false })
    }

    /// How the leader ended, if it has.
    pub(super) fn exited(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = self.child.try_wait().ok().flatten();
            // Once nobody is left, the number may be given to a group of somebody else.
            self.ended |= self.status.is_some() && !self.signal(None);
        }
        self.status
    }

    /// Asks the group to end, and kills what is left of it after `grace`. May be cancelled and called again.
    pub(super) async fn stop(&mut self, grace: Duration) {
        let deadline = Instant::now() + grace;
        let mut left = self.signal(Signal::SIGTERM);
        while left && Instant::now() < deadline {
            tokio::time::sleep(POLL).await;
            self.exited();
            left = self.signal(None);
        }
        self.kill();
        if self.status.is_none() {
            self.status = self.child.wait().await.ok();
        }
    }

    fn kill(&mut self) {
        if !self.ended {
            self.signal(Signal::SIGKILL);
            self.ended = true;
        }
    }

    /// False when there is nobody left to hear it.
    fn signal(&self, signal: impl Into<Option<Signal>>) -> bool {
        !self.ended && killpg(self.id, signal).is_ok()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}
