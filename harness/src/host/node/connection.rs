//! [`Connection`]: a node's shared connection, kept by a master process of its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Node, NodeError, client, explain};
use crate::host::wait::{Check, WaitError, wait_for};
use crate::host::{CommandError, ProcessGroup};

/// How long a connection may take, jump hosts and all.
const CONNECT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(10);

/// How long a master has to say good-bye.
const CLOSE: Duration = Duration::from_secs(2);

/// The connection that all [`Node`]s of one specification share in this run. Dropping it ends it.
#[derive(Debug)]
pub struct Connection {
    /// `None` where the node is this machine.
    master: Option<ProcessGroup>,
    control: PathBuf,
}

impl Connection {
    /// True while the connection stands. Without it, commands connect by themselves.
    pub fn is_up(&mut self) -> bool {
        self.master.as_mut().is_none_or(|master| master.exited().is_none())
    }

    /// Ends the connection and removes its files. Harmless twice.
    pub async fn close(&mut self) {
        if let Some(master) = &mut self.master {
            // What even a kill does not end is found by its mark.
            let _ = master.stop(CLOSE).await;
            client::remove(&self.control);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.master.take().is_some() {
            client::remove(&self.control);
        }
    }
}

impl Node {
    /// Connects, for this node and all others of its specification in this run, until what it returns is dropped.
    ///
    /// # Errors
    /// [`NodeError`] that says why it cannot be reached, and what to do.
    pub async fn connect(&self) -> Result<Connection, NodeError> {
        let control = self.control.clone();
        if client::is_local(&self.spec) {
            return Ok(Connection { master: None, control });
        }
        client::prepare(&control)
            .map_err(|error| self.error(format!("no place for its control socket: {error}")))?;
        client::remove(&control);
        client::prepare(&control)
            .map_err(|error| self.error(format!("no place for its control socket: {error}")))?;
        let log = control.with_extension("log");
        let master = ProcessGroup::spawn(&client::master(&self.spec, &control, &log));
        let master = master.map_err(|error| self.error(not_started(&error)))?;
        let mut connection = Connection { master: Some(master), control };
        let connected =
            wait_for(CONNECT, POLL, || std::future::ready(state(&mut connection, &log)));
        match connected.await {
            Ok(()) => Ok(connection),
            Err(WaitError::Failed(printed)) => Err(self.error(explain::explain(&printed))),
            Err(WaitError::TimedOut { status, .. }) => {
                Err(self.error(explain::explain(&format!("{status}\nthe connection timed out"))))
            }
        }
    }
}

/// The socket is there once the node has let us in.
fn state(connection: &mut Connection, log: &Path) -> Check<()> {
    let printed = || std::fs::read_to_string(log).unwrap_or_default();
    if !connection.is_up() {
        return Check::Failed(printed());
    }
    if connection.control.exists() { Check::Ready(()) } else { Check::NotYet(printed()) }
}

pub(super) fn not_started(error: &CommandError) -> String {
    match error {
        CommandError::Start { .. } => format!("{error}: is OpenSSH's client installed?"),
        _ => error.to_string(),
    }
}
