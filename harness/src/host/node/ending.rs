//! Ending what is on a node, by mark and by recorded session: one group, all that a run started, and what runs left
//! that were killed.

use std::collections::BTreeSet;
use std::time::Duration;

use super::group::OPERATION;
use super::script::{self, As};
use super::{GROUP, MARK, Node, NodeError, RUN, RemoteOutput};
use crate::host::owner::Owner;

/// How long what is ended without ceremony has before it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// What to end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scope<'a> {
    /// One group of this run.
    Group(&'a str),
    /// One line that [`Node::run`] runs, by its mark.
    Line(&'a str),
    /// All lines of trials of this run, whoever waits for them.
    Lines,
    /// Everything of this run but what lines around trials left.
    Trial,
    /// Everything of this run.
    All,
    /// Everything of runs that were killed.
    Owners(&'a [Owner]),
}

/// How to end it.
#[derive(Clone, Debug)]
pub(super) struct Ending<'a> {
    pub(super) scope: Scope<'a>,
    /// How long it may take to end by itself, unmentioned.
    pub(super) patience: Duration,
    /// How long it may take when asked.
    pub(super) grace: Duration,
    /// True to remove what is kept about it on the node.
    pub(super) remove: bool,
}

impl<'a> Ending<'a> {
    pub(super) fn of(scope: Scope<'a>) -> Self {
        Self { scope, patience: Duration::ZERO, grace: GRACE, remove: false }
    }
}

/// What was ended.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ended {
    /// Pid and command line of each.
    pub(super) processes: Vec<String>,
    /// True where some had to be killed.
    pub(super) killed: bool,
}

impl Node {
    /// Ends everything that this run started on the node, and removes its state directory there. One line for each
    /// process that was ended. Harmless twice.
    ///
    /// # Errors
    /// [`NodeError`] when the node cannot be reached, or names what does not end even when killed.
    pub async fn end_all(&self) -> Result<Vec<String>, NodeError> {
        Ok(self.end(&Ending { remove: true, ..Ending::of(Scope::All) }).await?.processes)
    }

    /// Ends everything that this run's trials started on the node and that does not end by itself within `patience`;
    /// what it recorded stays. One line for each process that was ended.
    ///
    /// # Errors
    /// As [`Node::end_all`].
    pub async fn end_left(&self, patience: Duration) -> Result<Vec<String>, NodeError> {
        Ok(self.end(&Ending { patience, ..Ending::of(Scope::Trial) }).await?.processes)
    }

    /// Ends the lines of trials that still run on the node, as their callers no longer wait for them.
    ///
    /// # Errors
    /// As [`Node::end_all`].
    pub async fn end_lines(&self) -> Result<(), NodeError> {
        self.end(&Ending::of(Scope::Lines)).await.map(drop)
    }

    /// Ends what runs left on the node that this machine ran and that were killed, and removes their state
    /// directories. One line for each process and run. What runs of other machines started is let alone.
    ///
    /// # Errors
    /// As [`Node::end_all`].
    pub async fn sweep(&self) -> Result<Vec<String>, NodeError> {
        let line = self.operation(script::OWNERS, self.root(), &[&self.state_base()])?;
        let listed = self.exec(&line, OPERATION).await?;
        let gone: Vec<Owner> = owners(&listed.stdout).into_iter().filter(Owner::is_gone).collect();
        if gone.is_empty() {
            return Ok(Vec::new());
        }
        let ending = Ending { remove: true, ..Ending::of(Scope::Owners(&gone)) };
        let ended = self.end(&ending).await?;
        let name = &self.spec.name;
        let processes = ended
            .processes
            .iter()
            .map(|process| format!("ended {process} on {name}, left by a run that was killed"));
        let runs = gone.iter().map(|owner| format!("removed what run {owner} left on {name}"));
        Ok(processes.chain(runs).collect())
    }

    pub(super) async fn end(&self, ending: &Ending<'_>) -> Result<Ended, NodeError> {
        let base = self.state_base();
        let (marks, places) = match ending.scope {
            Scope::Group(name) => {
                let record = format!("{}/{name}.group", self.state_dir());
                (vec![self.mark(&format!("{GROUP}:{name}"))], vec![record])
            }
            Scope::Line(mark) => (vec![mark.to_owned()], Vec::new()),
            Scope::Lines => (vec![self.mark(RUN)], Vec::new()),
            Scope::Trial => (vec![self.mark(RUN), self.mark(GROUP)], vec![self.state_dir()]),
            Scope::All => (vec![self.mark("")], vec![self.state_dir()]),
            // Whatever the node was called then.
            Scope::Owners(owners) => (
                owners.iter().map(|owner| format!("{owner}:")).collect(),
                owners.iter().map(|owner| format!("{base}/{owner}")).collect(),
            ),
        };
        let marks: Vec<String> = marks.iter().map(|mark| format!("{MARK}={mark}")).collect();
        let marks = marks.join("\n");
        let (patience, grace) = (hundredths(ending.patience), hundredths(ending.grace));
        let mut args = vec![&*patience, &*grace, &*marks];
        args.push(if ending.remove { "remove" } else { "keep" });
        args.extend(places.iter().map(String::as_str));
        let line = self.operation(script::END, self.root(), &args)?;
        let within = ending.patience + ending.grace + OPERATION;
        let said = self.exec(&line, within).await?;
        self.read(&said)
    }

    pub(super) fn root(&self) -> As {
        if self.spec.sudo { As::Root } else { As::User }
    }

    fn read(&self, said: &RemoteOutput) -> Result<Ended, NodeError> {
        if said.code != 0 {
            return Err(self.unexpected("end", said));
        }
        let mut ended = Ended::default();
        let mut left = Vec::new();
        for line in said.stdout.lines() {
            match line.split_once(' ') {
                Some(("ended", process)) => ended.processes.push(described(process)),
                Some(("left", process)) => left.push(described(process)),
                _ => ended.killed |= line == "killed",
            }
        }
        if left.is_empty() {
            return Ok(ended);
        }
        let sudo =
            if self.spec.sudo { "" } else { " (are they root's? `sudo` is off for the node)" };
        Err(self.error(format!("processes do not end even when killed: {}{sudo}", left.join(", "))))
    }
}

/// `PID LINE`, as it is told.
fn described(process: &str) -> String {
    let (pid, line) = process.split_once(' ').unwrap_or((process, ""));
    let short: String = line.trim_end().chars().take(200).collect();
    format!("`{short}` (pid {pid})")
}

/// The owners that `owners.sh` lists.
fn owners(text: &str) -> Vec<Owner> {
    let names: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("owner ")).collect();
    names.into_iter().filter_map(Owner::parse).collect()
}

fn hundredths(length: Duration) -> String {
    (length.as_millis() / 10).to_string()
}
