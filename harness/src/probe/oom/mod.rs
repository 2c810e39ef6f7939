//! The probe `oom`: kills for want of memory, deaths, restarts and failed health checks of every member of the target.
//!
//! Containers are watched through three sources, since each misses something: the daemon's events, the state that it
//! answers with, and the kernel's own count. A ledger settles them. Processes are watched through procfs; whether
//! one below the first was killed for want of memory can only be told while nothing at all was on this machine.

mod ledger;
mod listener;
mod process;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use tokio::time::Instant;

use ledger::{Ledger, Seen};
use listener::{Heard, Listener};
use process::{HostKills, Leader};

use super::cgroup::OomCounter;
use super::docker::{Daemon, State};
use super::kept::{Kept, fields};
use super::missed::Missed;
use super::procfs::Processes;
use super::{Probe, ProbeError};
use crate::model::metric::OOM_KILLS;
use crate::model::{EventKind, Handle, Incident, Member, Metric, Observation, Reading};

/// How often the daemon is asked for a container's state when nothing calls for it: one that runs where the kernel's
/// count cannot be read, and any other. The count vanishes with the container, which calls for asking at once.
const ASK_UNCOUNTED: Duration = Duration::from_secs(1);
const ASK: Duration = Duration::from_secs(5);

/// Watches whether the members of a target survive.
pub struct Oom {
    root: PathBuf,
    listener: Option<Listener>,
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
    running: bool,
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
                Handle::Node { .. } => {}
                Handle::Container { id } => containers.push(Watched {
                    name,
                    id: id.clone(),
                    ledger: None,
                    counter: None,
                    running: false,
                    removed: false,
                    ask: Instant::now(),
                }),
            }
        }
        let mut buffer = Vec::new();
        let mut listener = None;
        if !containers.is_empty() {
            let daemon = Daemon::connect().await?;
            let states =
                join_all(containers.iter().map(|watched| daemon.inspect(&watched.id))).await;
            for (watched, state) in containers.iter_mut().zip(states) {
                let gone = || format!("there is no container {} for {}", watched.id, watched.name);
                let state = state.map_err(ProbeError)?.ok_or_else(|| ProbeError(gone()))?;
                watched.find(root, &state);
                let count =
                    watched.counter.as_ref().and_then(|counter| counter.read(&mut buffer).ok()?);
                watched.ledger = Some(Ledger::new(&state, count));
            }
            listener = Some(Listener::start(
                daemon,
                containers.iter().map(|watched| watched.id.clone()).collect(),
            ));
        }
        let host = if leaders.is_empty() { None } else { HostCounter::open(&mut buffer) };
        Ok(Self {
            root: root.to_owned(),
            listener,
            containers,
            leaders,
            processes,
            host,
            missed: Missed::default(),
            buffer,
        })
    }

    fn read_containers(&mut self, out: &mut Observation) {
        let Some(listener) = &mut self.listener else { return };
        // The counts before the news, so that what is said of a count's life was said after the count was taken.
        let mut counts: Vec<Option<u64>> =
            self.containers.iter_mut().map(|watched| watched.count(&mut self.buffer)).collect();
        let events = Arc::from("oom");
        while let Some(heard) = listener.heard() {
            match heard {
                Heard::Lost(why) => out.incidents.extend(self.missed.lost(&events, "events", why)),
                Heard::Container { id, happening, state } => {
                    if happening.is_some() {
                        self.missed.found(&events, "events");
                    }
                    let Some(index) = self.containers.iter().position(|watched| watched.id == id)
                    else {
                        continue;
                    };
                    let watched = &mut self.containers[index];
                    let state = match state {
                        Ok(state) => {
                            self.missed.found(&watched.name, "state");
                            watched.removed = state.is_none();
                            state
                        }
                        Err(why) => {
                            out.incidents.extend(self.missed.lost(&watched.name, "state", why));
                            None
                        }
                    };
                    let seen = Seen {
                        counter: counts[index],
                        happenings: happening.into_iter().collect(),
                        state,
                    };
                    if watched.settle(seen, &self.root, out) {
                        counts[index] = None;
                    }
                }
            }
        }
        for (watched, counter) in self.containers.iter_mut().zip(counts) {
            watched.settle(Seen { counter, ..Seen::default() }, &self.root, out);
            if !watched.removed {
                let kills = watched.ledger.as_ref().map(Ledger::kills);
                out.readings.extend(
                    kills.map(|kills| Reading::new(&OOM_KILLS, &watched.name, kills as f64)),
                );
            }
            if !watched.removed && watched.ask <= Instant::now() {
                listener.ask(&watched.id);
                let blind = watched.running && watched.counter.is_none();
                watched.ask = Instant::now() + if blind { ASK_UNCOUNTED } else { ASK };
            }
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
                    None => {
                        "the kernel does not count its kills for want of memory in /proc/vmstat"
                    }
                    Some(_) => {
                        "the kernel killed for want of memory on this machine, and whether a process of this member was among them is not known"
                    }
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
        self.read_containers(&mut out);
        self.read_processes(&mut out);
        out
    }
}

impl Watched {
    /// Opens the kernel's count of the present life.
    fn find(&mut self, root: &Path, state: &State) {
        self.running = state.pid.is_some();
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

    /// Tells what is news; true when the container was found to be in another life.
    fn settle(&mut self, seen: Seen, root: &Path, out: &mut Observation) -> bool {
        let Some(ledger) = &mut self.ledger else { return false };
        let state = seen.state.clone();
        let life = ledger.started_at().to_owned();
        let mut news = ledger.settle(seen);
        if self.removed {
            news.extend(ledger.removed());
        }
        let another = ledger.started_at() != life;
        out.incidents.extend(
            news.into_iter().map(|(kind, message)| Incident::new(kind, &self.name, message)),
        );
        if let Some(state) = state {
            self.running = state.pid.is_some();
            if another || self.counter.is_none() {
                self.find(root, &state);
            }
        }
        another
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
