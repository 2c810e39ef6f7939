//! [`Step`]: one command of `up` or `down`, whose failure says what was run, what it printed and what to do.

use std::time::Duration;

use crate::host::{self, Command, CommandError};

/// A step that failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum StepError {
    /// A command failed.
    #[error("failed to {what}: `{command}` ended with {status}; it printed:{tail}\n{hint}")]
    Failed {
        what: String,
        command: String,
        status: std::process::ExitStatus,
        tail: String,
        hint: String,
    },
    /// A command could not be run to its end.
    #[error("failed to {what}: {source}\n{hint}")]
    Command { what: String, source: CommandError, hint: String },
    /// A file could not be read or written.
    #[error("failed to {what}: {source}")]
    File { what: String, source: std::io::Error },
    /// Something did not come about.
    #[error("failed to {what}: {status}\n{hint}")]
    Unmet { what: String, status: String, hint: String },
}

/// A command with what it is for.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// Reads after "failed to".
    what: String,
    command: Command,
    within: Duration,
    hint: String,
}

const HINT: &str =
    "Run `testbed down` and then `testbed up` again; `testbed status` shows what is there.";

impl Step {
    /// A program that has a minute.
    pub(super) fn new(what: impl Into<String>, program: &str, args: &[&str]) -> Self {
        let mut command = Command::new(program, args.iter().copied());
        // What it leaves running is meant to outlive this command, and every run of the harness.
        command.marked = false;
        command.env.insert("LC_ALL".into(), "C".into());
        let within = Duration::from_secs(60);
        Self { what: what.into(), command, within, hint: HINT.to_owned() }
    }

    pub(super) fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    pub(super) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Runs it, and gives what it printed to its standard output.
    ///
    /// # Errors
    /// [`StepError`] when it does not end with success, in time.
    pub(super) async fn run(self) -> Result<String, StepError> {
        let Self { what, command, within, hint } = self;
        match host::run(&command, within).await {
            Ok(output) if output.status.success() => Ok(output.stdout),
            Ok(output) => Err(StepError::Failed {
                what,
                command: command.to_string(),
                status: output.status,
                tail: output.tail(),
                hint,
            }),
            Err(source) => Err(StepError::Command { what, source, hint }),
        }
    }

    /// Runs it as a look at something: what it printed says how things stand.
    ///
    /// # Errors
    /// What it printed, or why it could not be run.
    pub(super) async fn look(self) -> Result<String, String> {
        match host::run(&self.command, self.within).await {
            Ok(output) if output.status.success() => Ok(output.stdout.trim().to_owned()),
            Ok(output) => Err(first_line(&output.text)),
            Err(error) => Err(first_line(&error.to_string())),
        }
    }
}

/// An error of a file, said after "failed to".
pub(super) fn file(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> StepError {
    let what = what.into();
    move |source| StepError::File { what, source }
}

/// The first line that says something: what follows are the complaints of those that were in between.
fn first_line(text: &str) -> String {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("no answer").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_failed_step_says_what_was_run_and_what_to_do() {
        let step =
            Step::new("make a bridge", "/bin/sh", &["-c", "echo no such device >&2; exit 2"]);
        let error = step.run().await.unwrap_err().to_string();
        assert!(error.starts_with("failed to make a bridge: `/bin/sh -c "), "{error}");
        assert!(error.contains("no such device") && error.ends_with(HINT), "{error}");
    }

    #[tokio::test]
    async fn a_look_that_fails_gives_the_first_line() {
        let look =
            Step::new("look", "/bin/sh", &["-c", "echo; echo sshd is gone; echo bye; exit 1"]);
        assert_eq!(look.look().await, Err("sshd is gone".to_owned()));
    }

    #[tokio::test]
    async fn a_step_carries_no_mark_of_a_run() {
        let step = Step::new("look", "/bin/sh", &["-c", "echo ${PROOFLOAD_OWNER-none}"]);
        assert_eq!(step.look().await, Ok("none".to_owned()));
    }
}
