//! [`ProcessGroup`]: a command that runs in a process group of its own, and is ended with all it started.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};

use super::command::{Command, CommandError};
use super::owner::{self, Owner};
use super::procfs::{self, Stat};
use super::wait::{Check, wait_for};

/// Tells the groups of one harness process apart, so that what left its group is found all the same.
const VARIABLE: &str = "PROOFLOAD_GROUP";

/// How long the kernel has to end what was killed.
const KILL: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(10);

/// A started command with all its descendants. Dropping it kills them.
#[derive(Debug)]
pub struct ProcessGroup {
    child: Child,
    pid: u32,
    /// The value of [`VARIABLE`], for a command that is marked.
    mark: Option<String>,
    status: Option<ExitStatus>,
    ended: bool,
}

/// Processes that do not end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("processes of `{command}` do not end even when killed: {pids}")]
pub struct StopError {
    /// The leader's command line.
    pub command: String,
    /// Their ids.
    pub pids: String,
}

impl ProcessGroup {
    /// Starts a command; its output goes to its log, or nowhere.
    ///
    /// # Errors
    /// [`CommandError`] when it cannot be started, or its log not be opened.
    pub fn spawn(command: &Command) -> Result<Self, CommandError> {
        match command.open_log()? {
            None => Self::start(command, Stdio::null(), [Stdio::null(), Stdio::null()]),
            Some(log) => {
                let same = log.try_clone().map_err(|source| CommandError::Log {
                    path: command.log.clone().unwrap_or_default(),
                    source,
                })?;
                Self::start(command, Stdio::null(), [log.into(), same.into()])
            }
        }
    }

    pub(super) fn piped(command: &Command) -> Result<Self, CommandError> {
        Self::start(command, Stdio::null(), [Stdio::piped(), Stdio::piped()])
    }

    /// Starts a command that is spoken to: gives its input and its standard output. Its errors go nowhere.
    pub(super) fn spoken_to(
        command: &Command,
    ) -> Result<(Self, ChildStdin, ChildStdout), CommandError> {
        let mut group = Self::start(command, Stdio::piped(), [Stdio::piped(), Stdio::null()])?;
        match (group.child.stdin.take(), group.child.stdout.take()) {
            (Some(input), Some(output)) => Ok((group, input, output)),
            _ => Err(CommandError::Start {
                command: command.to_string(),
                source: io::Error::other("it has no pipes"),
            }),
        }
    }

    fn start(
        command: &Command,
        stdin: Stdio,
        [stdout, stderr]: [Stdio; 2],
    ) -> Result<Self, CommandError> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let mut process = command.to_process();
        process.stdin(stdin).stdout(stdout).stderr(stderr);
        let mark = command.marked.then(|| NEXT.fetch_add(1, Ordering::Relaxed).to_string());
        match &mark {
            Some(mark) => {
                process.env(VARIABLE, mark);
                if !command.env.contains_key(owner::VARIABLE) {
                    process.env(owner::VARIABLE, Owner::current().to_string());
                }
            }
            None => {
                process.env_remove(VARIABLE).env_remove(owner::VARIABLE);
            }
        }
        let failed = |source| CommandError::Start { command: command.to_string(), source };
        let child = process.spawn().map_err(failed)?;
        let pid = child.id().ok_or_else(|| failed(io::Error::other("it has no process id")))?;
        Ok(Self { child, pid, mark, status: None, ended: false })
    }

    pub(super) fn pipes(&mut self) -> (Pipe<ChildStdout>, Pipe<ChildStderr>) {
        (Pipe(self.child.stdout.take()), Pipe(self.child.stderr.take()))
    }

    /// The id of the group and of the process that leads it.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// How the leader ended, if it has.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = self.child.try_wait().ok().flatten();
        }
        self.status
    }

    /// Waits for the leader to end.
    ///
    /// # Errors
    /// What the system says when it cannot be waited for.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.status {
            return Ok(status);
        }
        let status = self.child.wait().await?;
        self.status = Some(status);
        Ok(status)
    }

    /// True while any process of the group runs.
    #[must_use]
    pub fn runs(&self) -> bool {
        !self.ended && !self.members().is_empty()
    }

    /// Asks the whole group to end, kills what has not ended after `grace`, and waits until all of it is gone.
    ///
    /// It may be called again, also after it was cancelled.
    ///
    /// # Errors
    /// [`StopError`] for processes that even a kill does not end.
    pub async fn stop(&mut self, grace: Duration) -> Result<(), StopError> {
        if self.ended {
            return Ok(());
        }
        // Known only while it runs.
        let command = procfs::command_line(self.pid);
        if !grace.is_zero() {
            self.signal(Signal::SIGTERM);
            let _ = wait_for(grace, POLL, || std::future::ready(self.gone())).await;
        }
        let killed = wait_for(KILL, POLL, || {
            // Again and again, for what was started meanwhile.
            self.signal(Signal::SIGKILL);
            std::future::ready(self.gone())
        })
        .await;
        if killed.is_err() {
            let pids: Vec<String> =
                self.members().iter().map(|stat| stat.pid.to_string()).collect();
            return Err(StopError { command, pids: pids.join(", ") });
        }
        let _ = self.wait().await;
        self.ended = true;
        Ok(())
    }

    fn gone(&self) -> Check<()> {
        if self.members().is_empty() { Check::Ready(()) } else { Check::NotYet(String::new()) }
    }

    /// What runs of the group, and what left it but carries its mark.
    fn members(&self) -> Vec<Stat> {
        let mut all = Stat::all();
        all.retain(|stat| {
            // Once the leader is reaped, its number may be given to a group of somebody else.
            let in_group = stat.group == self.pid && (self.status.is_none() || self.mark.is_none());
            !stat.ended && (in_group || self.carries_mark(stat.pid))
        });
        all
    }

    fn carries_mark(&self, pid: u32) -> bool {
        self.mark.is_some()
            && procfs::variable(pid, VARIABLE) == self.mark
            && procfs::variable(pid, owner::VARIABLE) == Some(Owner::current().to_string())
    }

    fn signal(&self, signal: Signal) {
        let raw = |pid| i32::try_from(pid).map(Pid::from_raw);
        // In one call for the group, so that none of it forks away in between.
        if self.status.is_none()
            && let Ok(group) = raw(self.pid)
        {
            let _ = killpg(group, signal);
        }
        for stat in self.members() {
            if (stat.group != self.pid || self.status.is_some())
                && let Ok(pid) = raw(stat.pid)
            {
                let _ = kill(pid, signal);
            }
        }
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        if !self.ended {
            self.signal(Signal::SIGKILL);
            // What is not reaped now, tokio reaps when it ends.
            self.exited();
        }
    }
}

/// A pipe, or the end of one that is not there.
pub(super) struct Pipe<P>(Option<P>);

impl<P: tokio::io::AsyncRead + Unpin> tokio::io::AsyncRead for Pipe<P> {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        match &mut self.0 {
            Some(pipe) => std::pin::Pin::new(pipe).poll_read(context, buffer),
            None => std::task::Poll::Ready(Ok(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;

    const LONG: Duration = Duration::from_secs(10);

    /// Starts a script and waits until it says so in its log.
    async fn start(script: &str) -> (ProcessGroup, tempfile::NamedTempFile) {
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut command = Command::shell(script);
        command.log = Some(log.path().to_owned());
        let group = ProcessGroup::spawn(&command).unwrap();
        wait_for(LONG, Duration::from_millis(1), || async {
            let text = std::fs::read_to_string(log.path()).unwrap();
            if text.contains("up\n") { Check::Ready(()) } else { Check::NotYet(text) }
        })
        .await
        .unwrap();
        (group, log)
    }

    #[tokio::test]
    async fn the_whole_group_is_asked_to_end_and_waited_for() {
        let script = "trap 'kill %1; echo bye; exit 0' TERM; sleep 60 & echo up; wait";
        let (mut group, log) = start(script).await;
        assert!(group.runs());
        assert_eq!(Stat::group(group.pid()).len(), 2);
        group.stop(LONG).await.unwrap();
        assert_eq!(group.exited().unwrap().code(), Some(0));
        assert!(std::fs::read_to_string(log.path()).unwrap().ends_with("bye\n"));
        assert!(!group.runs() && Stat::of(group.pid()).is_none());
        group.stop(LONG).await.unwrap();
    }

    #[tokio::test]
    async fn what_ignores_the_request_is_killed() {
        let (mut group, _log) = start("trap '' TERM; echo up; while :; do sleep 60; done").await;
        group.stop(Duration::from_millis(20)).await.unwrap();
        assert_eq!(group.exited().unwrap().signal(), Some(9));
    }

    #[tokio::test]
    async fn descendants_are_ended_though_their_leader_has_and_though_they_left_the_group() {
        let script = "sleep 60 & setsid sh -c 'echo up; exec sleep 60' & :";
        let (mut group, _log) = start(script).await;
        assert!(group.wait().await.unwrap().success());
        assert!(group.runs());
        let left = group.members();
        assert_eq!(left.len(), 2, "{left:?}");
        group.stop(LONG).await.unwrap();
        assert!(left.iter().all(|stat| Stat::of(stat.pid).is_none_or(|stat| stat.ended)));
    }

    #[tokio::test]
    async fn a_dropped_group_is_killed() {
        let (group, _log) = start("sleep 60 & echo up; wait").await;
        let id = group.pid();
        drop(group);
        wait_for(LONG, Duration::from_millis(1), || {
            let left = Stat::group(id);
            std::future::ready(match left.is_empty() {
                true => Check::Ready(()),
                false => Check::NotYet(format!("{left:?}")),
            })
        })
        .await
        .unwrap();
    }
}
