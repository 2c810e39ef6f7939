//! [`Listener`]: hears the daemon out in the background, so that a sample never waits for it.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::probe::docker::{Daemon, Happening, State};

/// How long to wait before listening to events again after the daemon hung up.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);

/// What came from the daemon.
pub(super) enum Heard {
    /// Something happened to a container, or it was asked about.
    Container {
        /// Its full id.
        id: String,
        /// What happened, if anything.
        happening: Option<Happening>,
        /// Its state after that; none when it was removed.
        state: Result<Option<State>, String>,
    },
    /// Events are no longer heard; with the reason. They will be again.
    Lost(String),
}

/// A task that hears the events of some containers, and asks for their state at each. It ends with this value.
pub(super) struct Listener {
    ask: UnboundedSender<String>,
    heard: UnboundedReceiver<Heard>,
    task: JoinHandle<()>,
}

impl Listener {
    pub(super) fn start(daemon: Daemon, ids: Vec<String>) -> Self {
        let (ask, asked) = mpsc::unbounded_channel();
        let (tell, heard) = mpsc::unbounded_channel();
        let task = tokio::spawn(listen(daemon, ids, asked, tell));
        Self { ask, heard, task }
    }

    /// Asks for the state of a container; the answer is heard later.
    pub(super) fn ask(&self, id: &str) {
        // The task ends only with this value.
        let _ = self.ask.send(id.to_owned());
    }

    /// The next thing that came, if any.
    pub(super) fn heard(&mut self) -> Option<Heard> {
        self.heard.try_recv().ok()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(
    daemon: Daemon,
    ids: Vec<String>,
    mut asked: UnboundedReceiver<String>,
    tell: UnboundedSender<Heard>,
) {
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let look = async |id: String, happening: Option<Happening>| {
        let state = daemon.inspect(&id).await;
        let _ = tell.send(Heard::Container { id, happening, state });
    };
    loop {
        let mut events = std::pin::pin!(daemon.events(&ids));
        let mut batch = Vec::new();
        let why = loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(Ok((id, happening))) => look(id, Some(happening)).await,
                    Some(Err(why)) => break why,
                    None => break "docker events: the daemon ended the stream".to_owned(),
                },
                count = asked.recv_many(&mut batch, ids.len()) => match count {
                    0 => return,
                    _ => drop(join_all(batch.drain(..).map(|id| look(id, None))).await),
                },
            }
        };
        let _ = tell.send(Heard::Lost(why));
        sleep(LISTEN_AGAIN).await;
    }
}
