//! The probe `cadvisor`: containers as cAdvisor's API v1.3 sees them.
//!
//! cAdvisor answers from a cache that it fills at its own pace, by default slower for idle containers: a reading whose
//! timestamp was seen already is dropped. For evenly spaced readings start it with `--housekeeping_interval=1s
//! --allow_dynamic_housekeeping=false`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::Client;
use serde::Deserialize;

use super::missed::Missed;
use super::usage::{METRICS, Usage, real_limit};
use super::{Probe, ProbeError};
use crate::host::http::client;
use crate::model::spec::probe::CadvisorSpec;
use crate::model::{EventKind, Handle, Incident, Member, Metric, Observation};

/// All containers' statistics come in one answer, which may be large.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks a cAdvisor about the containers of a target.
pub struct Cadvisor {
    client: Client,
    url: String,
    watched: Vec<Watched>,
    missed: Missed,
}

struct Watched {
    name: Arc<str>,
    /// None for a process, which cAdvisor does not know.
    id: Option<String>,
    seen: Option<Timestamp>,
    said: bool,
}

impl Cadvisor {
    /// Gets ready to ask; nothing is sent yet.
    ///
    /// # Errors
    /// When no HTTP client can be had.
    pub fn open(spec: &CadvisorSpec, members: &[Member]) -> Result<Self, ProbeError> {
        let client = client(PATIENCE)
            .map_err(|error| ProbeError(format!("set up an HTTP client: {error}")))?;
        let url = format!("{}/api/v1.3/docker/", spec.url.trim_end_matches('/'));
        let watched = members.iter().map(|member| {
            let id = match &member.handle {
                Handle::Container { id } => Some(id.clone()),
                Handle::Process { .. } | Handle::Node { .. } => None,
            };
            Watched { name: Arc::clone(&member.name), id, seen: None, said: false }
        });
        Ok(Self { client, url, watched: watched.collect(), missed: Missed::default() })
    }

    async fn ask(&self) -> Result<HashMap<String, Info>, String> {
        let failed = |error: reqwest::Error| format!("{}: {}", self.url, chain(&error));
        let answer = self.client.get(&self.url).send().await.map_err(failed)?;
        let answer = answer.error_for_status().map_err(|error| chain(&error))?;
        answer.json().await.map_err(failed)
    }
}

#[async_trait]
impl Probe for Cadvisor {
    fn metrics(&self) -> Vec<Metric> {
        METRICS.to_vec()
    }

    async fn read(&mut self) -> Observation {
        let mut out = Observation::default();
        let server = Arc::from("cadvisor");
        let infos = match self.ask().await {
            Ok(infos) => infos,
            Err(why) => {
                out.incidents.extend(self.missed.lost(&server, "", why));
                return out;
            }
        };
        self.missed.found(&server, "");
        for watched in &mut self.watched {
            let name = Arc::clone(&watched.name);
            let Some(id) = &watched.id else {
                if !std::mem::replace(&mut watched.said, true) {
                    let why = "cAdvisor reads containers, and this is a process";
                    out.incidents.push(Incident::new(EventKind::Unavailable, &name, why));
                }
                continue;
            };
            let Some(info) =
                infos.iter().find(|(key, info)| info.is(key, id)).map(|(_, info)| info)
            else {
                out.incidents.extend(self.missed.lost(
                    &name,
                    "",
                    format!("cAdvisor knows no container {id}"),
                ));
                continue;
            };
            let Some((last, earlier)) = info.stats.split_last() else {
                out.incidents.extend(self.missed.lost(
                    &name,
                    "",
                    "cAdvisor has no statistics of it",
                ));
                continue;
            };
            self.missed.found(&name, "");
            if watched.seen.is_some_and(|seen| seen >= last.timestamp) {
                continue;
            }
            watched.seen = Some(last.timestamp);
            let before = earlier.last().map(|stats| usage(stats, info));
            usage(last, info).append(before.as_ref(), &name, &mut out.readings);
        }
        out
    }
}

/// An error with its causes, which reqwest leaves out.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn usage(stats: &Stats, info: &Info) -> Usage {
    let memory = stats.memory.as_ref();
    let cpu = stats.cpu.as_ref();
    // What it was not asked to collect, it answers with zeros.
    let counted =
        |count: fn(&Tasks) -> u64| stats.processes.as_ref().map(count).filter(|count| *count > 0);
    let network = |bytes: fn(&Interface) -> u64| {
        let interfaces = stats.network.as_ref()?.interfaces.as_ref()?;
        let outward = interfaces.iter().filter(|interface| interface.name != "lo");
        (!interfaces.is_empty()).then(|| outward.map(bytes).sum())
    };
    let disk = |operation: &str| {
        let disks = stats.diskio.as_ref()?.io_service_bytes.as_ref()?;
        Some(disks.iter().filter_map(|disk| disk.stats.get(operation)).sum())
    };
    let seconds = |nanoseconds: u64| nanoseconds as f64 / 1e9;
    Usage {
        at: stats.timestamp.as_nanosecond() as f64 / 1e9,
        life: 0,
        usage: memory.map(|memory| memory.usage),
        working_set: memory.map(|memory| memory.working_set),
        // Its `rss` is the anonymous memory of either cgroup version.
        anon: memory.map(|memory| memory.rss),
        rss: memory.and_then(|memory| Some(memory.rss + memory.mapped_file?)),
        limit: info.spec.memory.as_ref().and_then(|memory| real_limit(memory.limit)),
        cpu_time: cpu.map(|cpu| seconds(cpu.usage.total)),
        cpu_throttled: cpu.and_then(|cpu| Some(seconds(cpu.cfs.as_ref()?.throttled_time))),
        received: network(|interface| interface.rx_bytes),
        sent: network(|interface| interface.tx_bytes),
        disk_read: disk("Read"),
        disk_written: disk("Write"),
        processes: counted(|tasks| tasks.process_count),
        threads: counted(|tasks| tasks.threads_current),
        files: counted(|tasks| tasks.fd_count),
        sockets: counted(|tasks| tasks.socket_count),
    }
}

#[derive(Deserialize)]
struct Info {
    id: Option<String>,
    aliases: Option<Vec<String>>,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    stats: Vec<Stats>,
}

impl Info {
    /// `key` is a path such as `/docker/<id>` or `/system.slice/docker-<id>.scope`.
    fn is(&self, key: &str, id: &str) -> bool {
        let last = key.rsplit('/').next().unwrap_or(key);
        let last = last
            .strip_prefix("docker-")
            .and_then(|last| last.strip_suffix(".scope"))
            .unwrap_or(last);
        let alias = || self.aliases.iter().flatten().any(|alias| alias == id);
        self.id.as_deref() == Some(id) || last == id || alias()
    }
}

#[derive(Default, Deserialize)]
struct Spec {
    memory: Option<MemorySpec>,
}

#[derive(Deserialize)]
struct MemorySpec {
    #[serde(default)]
    limit: u64,
}

#[derive(Deserialize)]
struct Stats {
    timestamp: Timestamp,
    cpu: Option<Cpu>,
    memory: Option<Memory>,
    network: Option<Network>,
    diskio: Option<DiskIo>,
    processes: Option<Tasks>,
}

#[derive(Deserialize)]
struct Cpu {
    usage: CpuUsage,
    cfs: Option<Cfs>,
}

#[derive(Deserialize)]
struct CpuUsage {
    total: u64,
}

#[derive(Deserialize)]
struct Cfs {
    throttled_time: u64,
}

#[derive(Deserialize)]
struct Memory {
    usage: u64,
    working_set: u64,
    rss: u64,
    mapped_file: Option<u64>,
}

#[derive(Deserialize)]
struct Network {
    interfaces: Option<Vec<Interface>>,
}

#[derive(Deserialize)]
struct Interface {
    name: String,
    rx_bytes: u64,
    tx_bytes: u64,
}

#[derive(Deserialize)]
struct DiskIo {
    io_service_bytes: Option<Vec<Disk>>,
}

#[derive(Deserialize)]
struct Disk {
    stats: HashMap<String, u64>,
}

#[derive(Deserialize)]
struct Tasks {
    #[serde(default)]
    process_count: u64,
    #[serde(default)]
    fd_count: u64,
    #[serde(default)]
    socket_count: u64,
    #[serde(default)]
    threads_current: u64,
}

#[cfg(test)]
#[path = "cadvisor_tests.rs"]
mod tests;
