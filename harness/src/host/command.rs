//! A [`Command`] on this machine, and [`run`], which runs one to its end.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::Instant;

use super::group::{ProcessGroup, StopError};
use super::{environment, log};

/// What to start, and with what around it. Its input is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The program: a path, or a name to find on `PATH`.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Variables added to the harness's own, less those that cargo sets for test binaries.
    pub env: BTreeMap<String, String>,
    /// Variables of the harness that it must not see.
    pub unset: Vec<String>,
    /// Its working directory; `None` is the harness's own.
    pub cwd: Option<PathBuf>,
    /// A file that its output is appended to.
    pub log: Option<PathBuf>,
    /// Carries the owner's mark, so that a later run ends it, and a stop finds it, wherever it went. Off for builds,
    /// whose daemons (compile caches) are meant to stay.
    pub marked: bool,
}

impl Command {
    /// A program and its arguments.
    pub fn new(
        program: impl Into<PathBuf>,
        args: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self {
            program: program.into(),
            args: args.into_iter().map(Into::into).collect(),
            env: BTreeMap::new(),
            unset: Vec::new(),
            cwd: None,
            log: None,
            marked: true,
        }
    }

    /// A line for the shell.
    pub fn shell(script: impl Into<String>) -> Self {
        Self::new("/bin/sh", ["-c".to_owned(), script.into()])
    }

    /// A program and its arguments as scenarios write them: run in `root`, where a program with a slash is looked for.
    /// `None` for an empty list.
    #[must_use]
    pub fn in_root(root: &Path, words: &[String]) -> Option<Self> {
        let (program, args) = words.split_first()?;
        let program = if program.contains('/') { root.join(program) } else { program.into() };
        Some(Self { cwd: Some(root.to_owned()), ..Self::new(program, args.iter().cloned()) })
    }

    /// The file that would be started: the program itself where it has a slash, else the first of its name on `PATH`.
    #[must_use]
    pub fn found(&self) -> Option<PathBuf> {
        if self.program.components().count() > 1 {
            return is_program(&self.program).then(|| self.program.clone());
        }
        let path = self.env.get("PATH").map(OsString::from).or_else(|| std::env::var_os("PATH"))?;
        std::env::split_paths(&path)
            .map(|directory| directory.join(&self.program))
            .find(|file| is_program(file))
    }

    pub(super) fn to_process(&self) -> tokio::process::Command {
        let mut process = tokio::process::Command::new(&self.program);
        process.args(&self.args).stdin(Stdio::null()).process_group(0);
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(environment::is_own) {
                process.env_remove(name);
            }
        }
        for name in &self.unset {
            process.env_remove(name);
        }
        process.envs(self.env.iter().map(|(name, value)| (OsString::from(name), value)));
        if let Some(cwd) = &self.cwd {
            process.current_dir(cwd);
        }
        process
    }

    pub(super) fn open_log(&self) -> Result<Option<File>, CommandError> {
        let Some(path) = &self.log else { return Ok(None) };
        let open = OpenOptions::new().create(true).append(true).open(path);
        open.map(Some).map_err(|source| CommandError::Log { path: path.clone(), source })
    }
}

/// True for a file that may be executed.
#[must_use]
pub fn is_program(file: &Path) -> bool {
    file.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.program.display())?;
        self.args.iter().try_for_each(|arg| write!(f, " {arg}"))
    }
}

/// A command that could not be run to its end. How it ended is no error, but part of [`Output`].
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It did not start.
    #[error("`{command}` cannot be started: {source}")]
    Start {
        /// The command line.
        command: String,
        /// Why.
        source: io::Error,
    },
    /// Its log cannot be written.
    #[error("the log {} cannot be written: {source}", .path.display())]
    Log {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It did not end in time, and was ended.
    #[error("`{command}` did not end within {}; it printed:{tail}", crate::model::quantity::Length(*.within))]
    TimedOut {
        /// The command line.
        command: String,
        /// How long it had.
        within: Duration,
        /// Its last lines.
        tail: String,
    },
    /// Its end cannot be learned.
    #[error("`{command}` cannot be waited for: {source}")]
    Wait {
        /// The command line.
        command: String,
        /// Why.
        source: io::Error,
    },
    /// It, or something it started, cannot be ended.
    #[error(transparent)]
    Stop(#[from] StopError),
}

/// How a command ended and what it printed (the last 8 MiB of each).
#[derive(Clone, Debug)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed to its standard output.
    pub stdout: String,
    /// What it printed to its standard error.
    pub stderr: String,
    /// Both, as they came.
    pub text: String,
}

impl Output {
    /// The last lines, for a message; see [`log::quote`].
    #[must_use]
    pub fn tail(&self) -> String {
        log::quote(&self.text)
    }
}

/// Runs a command to its end, for no longer than `within`.
///
/// Whatever of its process group is left then is ended, as is all of it when the future is dropped.
///
/// # Errors
/// [`CommandError`] when it cannot be started, or does not end in time.
pub async fn run(command: &Command, within: Duration) -> Result<Output, CommandError> {
    run_keeping(command, within, KEPT).await
}

/// As [`run`], but keeps all that it prints.
///
/// # Errors
/// As [`run`].
pub(super) async fn run_whole(command: &Command, within: Duration) -> Result<Output, CommandError> {
    run_keeping(command, within, usize::MAX).await
}

async fn run_keeping(
    command: &Command,
    within: Duration,
    most: usize,
) -> Result<Output, CommandError> {
    let mut group = ProcessGroup::piped(command)?;
    let (stdout, stderr) = group.pipes();
    let mut seen = Seen { most, log: command.open_log()?, ..Seen::default() };
    let ended = tokio::time::timeout(within, collect(&mut group, stdout, stderr, &mut seen)).await;
    group.stop(Duration::ZERO).await?;
    match ended {
        Ok(Ok(status)) => Ok(Output {
            status,
            stdout: seen.text(&seen.stdout),
            stderr: seen.text(&seen.stderr),
            text: seen.text(&seen.both),
        }),
        Ok(Err(source)) => Err(CommandError::Wait { command: command.to_string(), source }),
        Err(_) => Err(CommandError::TimedOut {
            command: command.to_string(),
            within,
            tail: log::quote(&seen.text(&seen.both)),
        }),
    }
}

#[derive(Default)]
struct Seen {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    both: Vec<u8>,
    /// How much of each is kept at least.
    most: usize,
    log: Option<File>,
}

impl Seen {
    fn keep(&mut self, own: fn(&mut Self) -> &mut Vec<u8>, bytes: &[u8]) -> io::Result<()> {
        let most = self.most;
        for kept in [own, |seen| &mut seen.both] {
            let kept = kept(self);
            kept.extend_from_slice(bytes);
            if kept.len() > most.saturating_mul(2) {
                kept.drain(..kept.len() - most);
            }
        }
        self.log.as_mut().map_or(Ok(()), |log| log.write_all(bytes))
    }

    fn text(&self, bytes: &[u8]) -> String {
        String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(self.most)..]).into_owned()
    }
}

const KEPT: usize = 8 * 1024 * 1024;

/// How long a pipe is read after the command ended, as something it started may hold it open for ever.
const DRAIN: Duration = Duration::from_millis(500);

async fn collect(
    group: &mut ProcessGroup,
    mut stdout: impl AsyncRead + Unpin,
    mut stderr: impl AsyncRead + Unpin,
    seen: &mut Seen,
) -> io::Result<ExitStatus> {
    let (mut out, mut err) = (vec![0; 8192], vec![0; 8192]);
    let (mut out_open, mut err_open) = (true, true);
    let mut ended = None;
    let mut until = Instant::now();
    loop {
        match ended {
            Some(status) if !(out_open || err_open) => return Ok(status),
            _ => {}
        }
        tokio::select! {
            read = stdout.read(&mut out), if out_open => {
                let count = read?;
                out_open = count > 0;
                seen.keep(|seen| &mut seen.stdout, &out[..count])?;
            }
            read = stderr.read(&mut err), if err_open => {
                let count = read?;
                err_open = count > 0;
                seen.keep(|seen| &mut seen.stderr, &err[..count])?;
            }
            status = group.wait(), if ended.is_none() => {
                ended = Some(status?);
                until = Instant::now() + DRAIN;
            }
            () = tokio::time::sleep_until(until), if ended.is_some() => {
                out_open = false;
                err_open = false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn a_command_gives_its_status_and_both_outputs() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut command = Command::shell("echo $WORD; echo bad >&2; exit 3");
        command.env.insert("WORD".into(), "good".into());
        command.log = Some(log.path().to_owned());
        let output = run(&command, LONG).await.unwrap();
        assert_eq!(output.status.code(), Some(3));
        assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("good\n", "bad\n"));
        assert_eq!(std::fs::read_to_string(log.path()).unwrap().len(), "good\nbad\n".len());
        assert!(output.tail().contains("\n    bad"), "{}", output.tail());
    }

    #[tokio::test]
    async fn a_command_that_takes_too_long_is_ended_and_quoted() {
        let command = Command::shell("echo waiting; sleep 60");
        let error = run(&command, Duration::from_millis(30)).await.unwrap_err().to_string();
        assert!(error.contains("did not end within 30ms; it printed:"), "{error}");
    }

    #[tokio::test]
    async fn what_a_command_leaves_in_its_group_is_ended() {
        let output = run(&Command::shell("sleep 60 >&- 2>&- & echo $!"), LONG).await.unwrap();
        let pid = output.stdout.trim().parse().unwrap();
        // It was killed; a busy kernel may take a moment to say so.
        let has_ended = || crate::host::procfs::Stat::of(pid).is_none_or(|stat| stat.ended);
        let ended = tokio::time::timeout(LONG, async {
            while !has_ended() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        assert!(ended.await.is_ok(), "{pid}");
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_named() {
        let command = Command::in_root(Path::new("/nowhere"), &["bin/x".into()]).unwrap();
        let error = run(&command, LONG).await.unwrap_err().to_string();
        assert!(error.starts_with("`/nowhere/bin/x` cannot be started: "), "{error}");
        assert_eq!(Command::in_root(Path::new("/"), &[]), None);
    }
}
