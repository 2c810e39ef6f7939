//! [`Container`]: one container, read from its cgroup files, else from Docker's statistics.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::cgroup::{Cgroup, Network};
use super::docker::{Daemon, State};
use super::usage::Usage;

/// How long to wait before the daemon is asked again about a container that is gone.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// The daemon's statistics come once a second; this long without is a loss.
const STALE: Duration = Duration::from_secs(5);

/// What came of one look at a member.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Look {
    /// What it has used.
    Used(Usage),
    /// Nothing new since the look before.
    NoNews,
    /// It cannot be read; with the reason.
    Missed(String),
}

/// One container through all its lives.
pub(super) struct Container {
    id: String,
    via: Via,
    life: u32,
    /// Why the cgroup files are not used, if so.
    fallback: Option<String>,
}

enum Via {
    Cgroup(Cgroup),
    Stream(Live),
    Gone { why: String, ask: Instant },
}

impl Container {
    /// A container that was not looked at yet.
    pub(super) fn new(id: String) -> Self {
        let via = Via::Gone { why: "it was not found yet".to_owned(), ask: Instant::now() };
        Self { id, via, life: 0, fallback: None }
    }

    /// Reads what is at hand, without asking the daemon.
    pub(super) fn look(&mut self, buffer: &mut Vec<u8>) -> Look {
        match &mut self.via {
            Via::Cgroup(cgroup) => match cgroup.read(buffer) {
                Ok(usage) => Look::Used(Usage { life: self.life, ..usage }),
                Err(error) => {
                    let why = format!("its control group is gone: {error}");
                    self.via = Via::Gone { why: why.clone(), ask: Instant::now() };
                    Look::Missed(why)
                }
            },
            Via::Stream(live) => live.take(),
            Via::Gone { why, .. } => Look::Missed(why.clone()),
        }
    }

    /// True when the daemon should be asked where the container is now.
    pub(super) fn is_lost(&self) -> bool {
        matches!(&self.via, Via::Gone { ask, .. } if Instant::now() >= *ask)
    }

    /// Asks the daemon where the container is now.
    pub(super) async fn find(&mut self, daemon: &Daemon, root: &Path) {
        let gone = |why: String| Via::Gone { why, ask: Instant::now() + ASK_AGAIN };
        self.via = match self.open(daemon, root).await {
            Ok(via) => via,
            Err(why) => gone(why),
        };
    }

    async fn open(&mut self, daemon: &Daemon, root: &Path) -> Result<Via, String> {
        let state = daemon.inspect(&self.id).await?.ok_or("it was removed")?;
        let pid = state.pid.ok_or_else(|| not_running(&state))?;
        self.life += 1;
        let refused = match Cgroup::open(root, &self.id, pid, network(&state)) {
            Ok(cgroup) => return Ok(Via::Cgroup(cgroup)),
            Err(refused) => refused,
        };
        // It may have ended while we looked: only a container that still runs is out of reach.
        let state = daemon.inspect(&self.id).await?.ok_or("it was removed")?;
        if state.pid != Some(pid) {
            return Err(not_running(&state));
        }
        self.fallback = Some(refused);
        Ok(Via::Stream(Live::start(daemon.clone(), self.id.clone(), state.limit, self.life)))
    }

    /// What cannot be measured, and why.
    pub(super) fn unavailable(&self) -> Vec<String> {
        match (&self.via, &self.fallback) {
            (Via::Cgroup(cgroup), _) => cgroup.unavailable().collect(),
            (Via::Stream(_), Some(why)) => vec![format!(
                "cgroup files cannot be read ({why}): Docker's statistics are used, one a second, without processes and files.open"
            )],
            _ => Vec::new(),
        }
    }
}

fn not_running(state: &State) -> String {
    if state.ended { format!("it ended with exit code {}", state.exit_code) } else { "it does not run".to_owned() }
}

fn network(state: &State) -> Network<'static> {
    match state.network.as_str() {
        "host" => Network::None("it shares the host's network"),
        "none" => Network::None("it has no network"),
        _ => Network::Own,
    }
}

/// Docker's statistics of one container, taken by a task that ends with this value.
struct Live {
    latest: Arc<Mutex<Latest>>,
    task: JoinHandle<()>,
    limit: Option<u64>,
    life: u32,
}

struct Latest {
    /// Not read yet.
    usage: Option<Usage>,
    /// The time of the last one, to know a repeat by.
    at: f64,
    heard: Instant,
    trouble: Option<String>,
}

impl Live {
    fn start(daemon: Daemon, id: String, limit: Option<u64>, life: u32) -> Self {
        let latest = Latest { usage: None, at: 0.0, heard: Instant::now(), trouble: None };
        let latest = Arc::new(Mutex::new(latest));
        let heard = Arc::clone(&latest);
        let task = tokio::spawn(async move {
            loop {
                let mut answers = std::pin::pin!(daemon.stats(&id));
                while let Some(answer) = answers.next().await {
                    lock(&heard).hear(answer);
                }
                sleep(ASK_AGAIN).await;
            }
        });
        Self { latest, task, limit, life }
    }

    fn take(&self) -> Look {
        let mut latest = lock(&self.latest);
        if let Some(usage) = latest.usage.take() {
            return Look::Used(Usage { limit: self.limit, life: self.life, ..usage });
        }
        match &latest.trouble {
            Some(trouble) => Look::Missed(trouble.clone()),
            None if latest.heard.elapsed() > STALE => Look::Missed("Docker's statistics stopped".to_owned()),
            None => Look::NoNews,
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Latest {
    fn hear(&mut self, answer: Result<Option<Usage>, String>) {
        match answer {
            Ok(Some(usage)) => {
                self.trouble = None;
                if usage.at > self.at {
                    self.heard = Instant::now();
                    self.at = usage.at;
                    self.usage = Some(usage);
                }
            }
            Ok(None) => self.trouble = Some("it does not run".to_owned()),
            Err(error) => self.trouble = Some(error),
        }
    }
}

fn lock(latest: &Mutex<Latest>) -> std::sync::MutexGuard<'_, Latest> {
    latest.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn statistics_are_told_once_and_their_end_is_noticed() {
        let latest = Latest { usage: None, at: 0.0, heard: Instant::now(), trouble: None };
        let latest = Arc::new(Mutex::new(latest));
        let task = tokio::spawn(async {});
        let live = Live { latest: Arc::clone(&latest), task, limit: Some(9), life: 3 };
        let sample = |at| Usage { at, anon: Some(5), ..Usage::default() };
        let told = |at| Look::Used(Usage { limit: Some(9), life: 3, ..sample(at) });
        assert_eq!(live.take(), Look::NoNews);
        lock(&latest).hear(Ok(Some(sample(1.0))));
        assert_eq!((live.take(), live.take()), (told(1.0), Look::NoNews));
        lock(&latest).hear(Ok(Some(sample(1.0))));
        assert_eq!(live.take(), Look::NoNews, "a repeat is no reading");
        lock(&latest).hear(Ok(None));
        assert_eq!(live.take(), Look::Missed("it does not run".to_owned()));
        lock(&latest).hear(Ok(Some(sample(2.0))));
        assert_eq!(live.take(), told(2.0));
        tokio::time::advance(STALE + Duration::from_millis(1)).await;
        assert_eq!(live.take(), Look::Missed("Docker's statistics stopped".to_owned()));
    }
}
