//! The probe `oom`: kills for want of memory, deaths, restarts and failed health checks of every member of the target.
//!
//! Containers are watched through three sources, since each misses something: the daemon's events, the state that it
//! answers with, and the kernel's own count. A [`Ledger`] settles them. Processes are watched through procfs; whether
//! one below the first was killed for want of memory can only be told while nothing at all was on this machine.

mod ledger;
mod process;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::future::join_all;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use ledger::{Ledger, Seen};
use process::{HostKills, Leader};

use super::cgroup::OomCounter;
use super::docker::{Daemon, Happening, State};
use super::kept::{Kept, fields};
use super::missed::Missed;
use super::procfs::Processes;
use super::{Probe, ProbeError};
use crate::model::metric::OOM_KILLS;
use crate::model::{EventKind, Handle, Incident, Member, Metric, Observation, Reading};

/// How often the daemon is asked for a container's state when nothing calls for it: with the kernel's count at hand,
/// which vanishes with the container, and without.
const ASK_COUNTED: Duration = Duration::from_secs(5);
const ASK_UNCOUNTED: Duration = Duration::from_secs(1);
/// How long to wait before listening to events again after the daemon hung up.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);

/// Watches whether the members of a target survive.
pub struct Oom {
    root: PathBuf,
    docker: Option<(Daemon, Listener)>,
    containers: Vec<Watched>,
    leaders: Vec<(Arc<str>, Leader)>,
    processes: Processes,
    host: Option<HostCounter>,
    missed: Missed,
    buffer: Vec<u8>,
}

struct Watched {
    name: Arc<str>,
    id: String,
    ledger: Option<Ledger>,
    counter: Option<OomCounter>,
    removed: bool,
    ask: Instant,
}

impl Oom {
    /// Begins to watch these members. What happened to them before is not told.
    ///
    /// `root` is the root of the file system in which procfs and cgroupfs are, `/` but in tests.
    ///
    /// # Errors
    /// When a member is a container and no Docker daemon answers.
    pub async fn open(members: &[Member], root: &Path) -> Result<Self, ProbeError> {
        let mut processes = Processes::new(Path::new("/"));
        let (mut containers, mut leaders) = (Vec::new(), Vec::new());
        for member in members {
            let name = Arc::clone(&member.name);
            match &member.handle {
                Handle::Process { pid } => leaders.push((name, Leader::new(*pid, &mut processes))),
                Handle::Container { id } => containers.push(Watched {
                    name,
                    id: id.clone(),
                    ledger: None,
                    counter: None,
                    removed: false,
                    ask: Instant::now(),
                }),
            }
        }
        let mut buffer = Vec::new();
        let docker = if containers.is_empty() {
            None
        } else {
            let daemon = Daemon::connect().await?;
            let listener = Listener::start(&daemon, containers.iter().map(|watched| watched.id.clone()).collect());
            Some((daemon, listener))
        };
        if let Some((daemon, _)) = &docker {
            let states = join_all(containers.iter().map(|watched| daemon.inspect(&watched.id))).await;
            for (watched, state) in containers.iter_mut().zip(states) {
                let gone = || format!("there is no container {} for {}", watched.id, watched.name);
                let state = state.map_err(ProbeError)?.ok_or_else(|| ProbeError(gone()))?;
                watched.open_counter(root, &state);
                let count = watched.counter.as_ref().and_then(|counter| counter.read(&mut buffer).ok()?);
                watched.ledger = Some(Ledger::new(&state, count));
            }
        }
        let host = if leaders.is_empty() { None } else { HostCounter::open(&mut buffer) };
        Ok(Self {
            root: root.to_owned(),
            docker,
            containers,
            leaders,
            processes,
            host,
            missed: Missed::default(),
            buffer,
        })
    }

    async fn read_containers(&mut self, out: &mut Observation) {
        let Some((daemon, listener)) = &mut self.docker else { return };
        let mut happenings: HashMap<String, Vec<Happening>> = HashMap::new();
        let events = Arc::from("oom");
        while let Ok(heard) = listener.heard.try_recv() {
            match heard {
                Ok((id, happening)) => {
                    self.missed.found(&events, "events");
                    happenings.entry(id).or_default().push(happening);
                }
                Err(why) => out.incidents.extend(self.missed.lost(&events, "events", why)),
            }
        }
        let mut seen: Vec<Seen> = Vec::with_capacity(self.containers.len());
        for watched in &mut self.containers {
            let happenings = happenings.remove(&watched.id).unwrap_or_default();
            let counter = watched.count(&mut self.buffer);
            if !happenings.is_empty() {
                watched.ask = Instant::now();
            }
            seen.push(Seen { counter, happenings, state: None });
        }
        let now = Instant::now();
        let asked = self.containers.iter().enumerate().filter(|(_, watched)| !watched.removed && watched.ask <= now);
        let daemon = &*daemon;
        let answers = asked.map(|(index, watched)| async move { (index, daemon.inspect(&watched.id).await) });
        for (index, answer) in join_all(answers).await {
            let watched = &mut self.containers[index];
            match answer {
                Ok(state) => {
                    self.missed.found(&watched.name, "state");
                    watched.removed = state.is_none();
                    seen[index].state = state;
                }
                Err(why) => out.incidents.extend(self.missed.lost(&watched.name, "state", why)),
            }
            let wait = if watched.counter.is_some() { ASK_COUNTED } else { ASK_UNCOUNTED };
            watched.ask = Instant::now() + wait;
        }
        for (watched, seen) in self.containers.iter_mut().zip(seen) {
            watched.settle(seen, &self.root, out);
        }
    }

    fn read_processes(&mut self, out: &mut Observation) {
        let host = self.host.as_mut().and_then(|host| host.read(&mut self.buffer));
        for (name, leader) in &mut self.leaders {
            let news = leader.look(&mut self.processes, host);
            out.incidents.extend(news.map(|(kind, message)| Incident::new(kind, name, message)));
            let nobody = host.is_some_and(|host| host.since_start == 0);
            if nobody || leader.kills > 0 {
                out.readings.push(Reading::new(&OOM_KILLS, name, leader.kills as f64));
            } else {
                let why = match host {
                    None => "the kernel does not count its kills for want of memory in /proc/vmstat",
                    Some(_) => "the kernel killed for want of memory on this machine, and whether a process of this member was among them is not known",
                };
                if let Some(said) = self.missed.lost(name, "kills", why) {
                    out.incidents.push(Incident { kind: EventKind::Unavailable, ..said });
                }
            }
        }
    }
}

#[async_trait]
impl Probe for Oom {
    fn metrics(&self) -> Vec<Metric> {
        vec![OOM_KILLS]
    }

    async fn read(&mut self) -> Observation {
        let mut out = Observation::default();
        self.read_containers(&mut out).await;
        self.read_processes(&mut out);
        out
    }
}

impl Watched {
    fn open_counter(&mut self, root: &Path, state: &State) {
        self.counter = state.pid.and_then(|pid| OomCounter::open(root, &self.id, pid).ok());
    }

    /// The kernel's count. When it is gone, the container is, and the daemon shall be asked at once.
    fn count(&mut self, buffer: &mut Vec<u8>) -> Option<u64> {
        let count = self.counter.as_ref()?.read(buffer);
        count.unwrap_or_else(|_gone| {
            self.counter = None;
            self.ask = Instant::now();
            None
        })
    }

    fn settle(&mut self, seen: Seen, root: &Path, out: &mut Observation) {
        let Some(ledger) = &mut self.ledger else { return };
        let state = seen.state.clone();
        // A counter that was just read is of the present life, unless the container was started since.
        let lost = self.counter.is_none() || seen.happenings.contains(&Happening::Start);
        let mut news = ledger.settle(seen);
        if self.removed {
            news.extend(ledger.removed());
        } else {
            out.readings.push(Reading::new(&OOM_KILLS, &self.name, ledger.kills() as f64));
        }
        out.incidents.extend(news.into_iter().map(|(kind, message)| Incident::new(kind, &self.name, message)));
        if let Some(state) = state
            && lost
        {
            self.open_counter(root, &state);
        }
    }
}

/// The daemon's events, collected by a task that ends with this value.
struct Listener {
    heard: mpsc::UnboundedReceiver<Result<(String, Happening), String>>,
    task: JoinHandle<()>,
}

impl Listener {
    fn start(daemon: &Daemon, ids: Vec<String>) -> Self {
        let (tell, heard) = mpsc::unbounded_channel();
        let daemon = daemon.clone();
        let task = tokio::spawn(async move {
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            loop {
                let mut why = "docker events: the daemon ended the stream".to_owned();
                let mut events = std::pin::pin!(daemon.events(&ids));
                while let Some(event) = events.next().await {
                    match event {
                        Ok(event) => drop(tell.send(Ok(event))),
                        Err(error) => why = error,
                    }
                }
                if tell.send(Err(why)).is_err() {
                    return;
                }
                sleep(LISTEN_AGAIN).await;
            }
        });
        Self { heard, task }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// `oom_kill` of `/proc/vmstat`.
struct HostCounter {
    file: Kept,
    base: u64,
    last: u64,
}

impl HostCounter {
    fn open(buffer: &mut Vec<u8>) -> Option<Self> {
        let file = Kept::open(Path::new("/proc/vmstat")).ok()?;
        let [base] = fields(file.read(buffer).ok()?, ["oom_kill"]);
        Some(Self { file, base: base?, last: base? })
    }

    fn read(&mut self, buffer: &mut Vec<u8>) -> Option<HostKills> {
        let [now] = fields(self.file.read(buffer).ok()?, ["oom_kill"]);
        let now = now?;
        let kills = HostKills {
            since_start: now.saturating_sub(self.base),
            since_tick: now.saturating_sub(self.last),
        };
        self.last = now;
        Some(kills)
    }
}
