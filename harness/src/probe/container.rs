//! [`Container`]: one container, read from its cgroup files, else from Docker's statistics.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::ProbeError;
use super::cgroup::{Cgroup, Network};
use super::docker::{Daemon, State};
use super::usage::Usage;

/// How long to wait before the daemon is asked again about a container that is gone.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// The daemon's statistics come once a second; this long without is a loss.
const STALE: Duration = Duration::from_secs(5);

/// What came of one look at a member.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one at a time, on the stack, for one tick")]
pub(super) enum Look {
    /// What it has used.
    Used(Usage),
    /// Nothing new since the look before, or not known yet what became of it.
    NoNews,
    /// It cannot be read; with the reason.
    Missed(String),
}

/// One container through all its lives.
pub(super) struct Container {
    place: Place,
    via: Via,
    life: u32,
}

/// Where to look for it.
#[derive(Clone)]
struct Place {
    id: String,
    daemon: Daemon,
    root: PathBuf,
}

enum Via {
    Cgroup(Cgroup),
    /// With the reason why the cgroup files are not used.
    Stream(Live, String),
    /// With the reason, once it is known. The search goes on in the background: a sample never waits for the daemon.
    Gone(Search, Option<String>),
}

impl Container {
    /// Finds a container.
    pub(super) async fn open(id: String, daemon: Daemon, root: PathBuf) -> Self {
        let place = Place { id, daemon, root };
        let via = match place.find().await {
            Ok(via) => via,
            Err(why) => Via::Gone(Search::start(&place), Some(why)),
        };
        Self { place, via, life: 0 }
    }

    /// A container of which only the files below `root` are there, and whose first process is `pid`.
    ///
    /// # Errors
    /// Says why they cannot be read.
    pub(super) fn captured(id: String, pid: u32, root: PathBuf) -> Result<Self, ProbeError> {
        let cgroup = Cgroup::open(&root, &id, pid, Network::Own)
            .map_err(|why| ProbeError(format!("read container {id}: {why}")))?;
        let place = Place { id, daemon: Daemon::nowhere()?, root };
        Ok(Self { place, via: Via::Cgroup(cgroup), life: 0 })
    }

    /// Reads what is at hand.
    pub(super) async fn look(&mut self, buffer: &mut Vec<u8>) -> Look {
        if let Via::Gone(search, why) = &mut self.via {
            match search.end().await {
                Some(Ok(via)) => {
                    self.via = via;
                    self.life += 1;
                }
                Some(Err(reason)) => {
                    *search = Search::start_later(&self.place);
                    *why = Some(reason);
                }
                None => {}
            }
        }
        let look = match &mut self.via {
            Via::Cgroup(cgroup) => {
                cgroup.read(buffer).map_or(None, |usage| Some(Look::Used(usage)))
            }
            Via::Stream(live, _) => Some(live.take()),
            Via::Gone(_, Some(why)) => Some(Look::Missed(why.clone())),
            Via::Gone(_, None) => Some(Look::NoNews),
        };
        match look {
            Some(Look::Used(usage)) => Look::Used(Usage { life: self.life, ..usage }),
            Some(look) => look,
            None => {
                self.via = Via::Gone(Search::start(&self.place), None);
                Look::NoNews
            }
        }
    }

    /// What cannot be measured, and why.
    pub(super) fn unavailable(&self) -> Vec<String> {
        match &self.via {
            Via::Cgroup(cgroup) => cgroup.unavailable().collect(),
            Via::Stream(_, why) => vec![format!(
                "cgroup files cannot be read ({why}): Docker's statistics are used, one a second, without processes and files.open"
            )],
            Via::Gone(..) => Vec::new(),
        }
    }
}

impl Place {
    async fn find(&self) -> Result<Via, String> {
        let removed = "it was removed";
        let state = self.daemon.inspect(&self.id).await?.ok_or(removed)?;
        let pid = state.pid.ok_or_else(|| not_running(&state))?;
        let refused = match Cgroup::open(&self.root, &self.id, pid, network(&state)) {
            Ok(cgroup) => return Ok(Via::Cgroup(cgroup)),
            Err(refused) => refused,
        };
        // It may have ended while we looked: only a container that still runs is out of reach.
        let state = self.daemon.inspect(&self.id).await?.ok_or(removed)?;
        if state.pid != Some(pid) {
            return Err(not_running(&state));
        }
        Ok(Via::Stream(Live::start(self.daemon.clone(), self.id.clone(), state.limit), refused))
    }
}

/// A question to the daemon that is under way, and ends with this value.
struct Search(JoinHandle<Result<Via, String>>);

impl Search {
    fn start(place: &Place) -> Self {
        let place = place.clone();
        Self(tokio::spawn(async move { place.find().await }))
    }

    fn start_later(place: &Place) -> Self {
        let place = place.clone();
        Self(tokio::spawn(async move {
            sleep(ASK_AGAIN).await;
            place.find().await
        }))
    }

    /// What came of it, if it is over.
    async fn end(&mut self) -> Option<Result<Via, String>> {
        if !self.0.is_finished() {
            return None;
        }
        Some(
            (&mut self.0)
                .await
                .unwrap_or_else(|error| Err(format!("the search for it failed: {error}"))),
        )
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn not_running(state: &State) -> String {
    if state.ended {
        format!("it ended with exit code {}", state.exit_code)
    } else {
        "it does not run".to_owned()
    }
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
    fn start(daemon: Daemon, id: String, limit: Option<u64>) -> Self {
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
        Self { latest, task, limit }
    }

    fn take(&self) -> Look {
        let mut latest = lock(&self.latest);
        if let Some(usage) = latest.usage.take() {
            return Look::Used(Usage { limit: self.limit, ..usage });
        }
        match &latest.trouble {
            Some(trouble) => Look::Missed(trouble.clone()),
            None if latest.heard.elapsed() > STALE => {
                Look::Missed("Docker's statistics stopped".to_owned())
            }
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
        let live = Live { latest: Arc::clone(&latest), task, limit: Some(9) };
        let sample = |at| Usage { at, anon: Some(5), ..Usage::default() };
        let told = |at| Look::Used(Usage { limit: Some(9), ..sample(at) });
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
