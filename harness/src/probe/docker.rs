//! [`Daemon`]: what the probes ask of Docker, in their own words. Nothing else here knows bollard.

use std::collections::HashMap;
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{
    ContainerInspectResponse, ContainerStateStatusEnum, ContainerStatsResponse, EventMessage,
    HealthStatusEnum,
};
use bollard::query_parameters::{
    EventsOptionsBuilder, InspectContainerOptions, StatsOptionsBuilder,
};
use futures_util::{Stream, StreamExt};

use super::ProbeError;
use super::usage::Usage;

/// A question takes milliseconds; a daemon that needs this long does not answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection to the daemon that `DOCKER_HOST` names, else the local one.
#[derive(Clone, Debug)]
pub(super) struct Daemon(Docker);

/// What the daemon says of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// Its first process, while it runs.
    pub(super) pid: Option<u32>,
    /// True when it ended and nobody is about to start it again.
    pub(super) ended: bool,
    /// Of its last life.
    pub(super) exit_code: i64,
    /// True when the kernel killed something of its last life; it is lost at the next start.
    pub(super) oom_killed: bool,
    /// True while its health check says so.
    pub(super) unhealthy: bool,
    /// When its present life began, in the daemon's words.
    pub(super) started_at: String,
    /// How often its restart policy started it again.
    pub(super) restarts: u64,
    /// The memory limit, in bytes.
    pub(super) limit: Option<u64>,
    /// `bridge`, `host`, `none`, `container:<id>` or a network's name.
    pub(super) network: String,
}

/// Something that the daemon said happened to a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Happening {
    /// The kernel killed one of its processes for want of memory.
    Oom,
    /// Its first process ended.
    Die {
        /// How, if the daemon said so.
        exit_code: Option<i64>,
    },
    /// It was started.
    Start,
    /// Its health check failed as often as it may.
    Unhealthy,
    /// Its health check succeeds.
    Healthy,
}

impl Daemon {
    /// Connects.
    ///
    /// # Errors
    /// When no daemon answers.
    pub(super) async fn connect() -> Result<Self, ProbeError> {
        let failed = |error: Error| {
            ProbeError(format!(
                "reach the Docker daemon: {error}; is it running, and is DOCKER_HOST right?"
            ))
        };
        let docker = Docker::connect_with_defaults().map_err(failed)?.with_timeout(PATIENCE);
        docker.negotiate_version().await.map(Self).map_err(failed)
    }

    /// A daemon that is never reached, for containers of which only the files are there.
    ///
    /// # Errors
    /// When no HTTP client can be had.
    pub(super) fn nowhere() -> Result<Self, ProbeError> {
        // Nothing is sent before it is asked something.
        let docker = Docker::connect_with_http("127.0.0.1:1", 1, bollard::API_DEFAULT_VERSION);
        docker.map(Self).map_err(|error| ProbeError(format!("set up a client: {error}")))
    }

    /// The state of one container; none when it was removed.
    ///
    /// # Errors
    /// A fragment that says why it is not known.
    pub(super) async fn inspect(&self, id: &str) -> Result<Option<State>, String> {
        match self.0.inspect_container(id, None::<InspectContainerOptions>).await {
            Ok(answer) => Ok(Some(state(answer))),
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
            Err(error) => Err(format!("docker inspect: {error}")),
        }
    }

    /// What a container uses, about once a second, each with its own time; none while it does not run.
    pub(super) fn stats(
        &self,
        id: &str,
    ) -> impl Stream<Item = Result<Option<Usage>, String>> + use<> {
        let options = StatsOptionsBuilder::default().stream(true).build();
        self.0.stats(id, Some(options)).map(|answer| match answer {
            Ok(answer) => Ok(usage(&answer)),
            Err(error) => Err(format!("docker stats: {error}")),
        })
    }

    /// What happens to these containers from now on, with the container's id.
    pub(super) fn events(
        &self,
        ids: &[&str],
    ) -> impl Stream<Item = Result<(String, Happening), String>> + use<> {
        let filters: HashMap<&str, Vec<&str>> = HashMap::from([
            ("type", vec!["container"]),
            ("event", vec!["oom", "die", "start", "health_status"]),
            ("container", ids.to_vec()),
        ]);
        let options = EventsOptionsBuilder::default().filters(&filters).build();
        self.0.events(Some(options)).filter_map(|answer| async {
            match answer {
                Ok(message) => happening(message).map(Ok),
                Err(error) => Some(Err(format!("docker events: {error}"))),
            }
        })
    }
}

fn state(answer: ContainerInspectResponse) -> State {
    let host = answer.host_config.unwrap_or_default();
    let limit = host.memory.and_then(|bytes| u64::try_from(bytes).ok()).filter(|bytes| *bytes > 0);
    let state = answer.state.unwrap_or_default();
    let health = state.health.and_then(|health| health.status);
    State {
        pid: state.pid.and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid > 0),
        ended: matches!(
            state.status,
            Some(ContainerStateStatusEnum::EXITED | ContainerStateStatusEnum::DEAD)
        ),
        exit_code: state.exit_code.unwrap_or(0),
        oom_killed: state.oom_killed.unwrap_or(false),
        unhealthy: health == Some(HealthStatusEnum::UNHEALTHY),
        started_at: state.started_at.unwrap_or_default(),
        restarts: answer.restart_count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0),
        limit,
        network: host.network_mode.unwrap_or_default(),
    }
}

/// A container that does not run is answered too, with zeros and a date of the year 1.
fn usage(answer: &ContainerStatsResponse) -> Option<Usage> {
    let at =
        answer.read.map(|read| read.unix_timestamp_nanos() as f64 / 1e9).filter(|at| *at > 0.0)?;
    let memory = answer.memory_stats.as_ref();
    let stat = |v1: &str, v2: &str| {
        let stats = memory?.stats.as_ref()?;
        stats.get(v1).or_else(|| stats.get(v2)).copied()
    };
    let usage = memory.and_then(|memory| memory.usage);
    let anon = stat("total_rss", "anon");
    let mapped = stat("total_mapped_file", "file_mapped");
    let inactive = stat("total_inactive_file", "inactive_file");
    let cpu = answer.cpu_stats.as_ref();
    let time = cpu.and_then(|cpu| cpu.cpu_usage.as_ref()?.total_usage);
    let throttled = cpu.and_then(|cpu| cpu.throttling_data.as_ref()?.throttled_time);
    let seconds = |nanoseconds: u64| nanoseconds as f64 / 1e9;
    let network = |bytes: fn(&bollard::models::ContainerNetworkStats) -> Option<u64>| {
        answer.networks.as_ref()?.values().map(bytes).sum::<Option<u64>>()
    };
    let disk = |operation: &str| {
        // Absent on a machine whose containers never touched a disk, as well as on one that does not count.
        let entries = answer.blkio_stats.as_ref()?.io_service_bytes_recursive.as_ref()?;
        let of = entries
            .iter()
            .filter(|entry| entry.op.as_ref().is_some_and(|op| op.eq_ignore_ascii_case(operation)));
        Some(of.filter_map(|entry| entry.value).sum())
    };
    Some(Usage {
        at,
        life: 0,
        usage,
        working_set: usage.zip(inactive).map(|(usage, inactive)| usage.saturating_sub(inactive)),
        anon,
        rss: anon.zip(mapped).map(|(anon, mapped)| anon + mapped),
        limit: None,
        cpu_time: time.map(seconds),
        cpu_throttled: throttled.map(seconds),
        received: network(|interface| interface.rx_bytes),
        sent: network(|interface| interface.tx_bytes),
        disk_read: disk("read"),
        disk_written: disk("write"),
        processes: None,
        threads: answer.pids_stats.as_ref().and_then(|pids| pids.current),
        files: None,
        sockets: None,
    })
}

fn happening(message: EventMessage) -> Option<(String, Happening)> {
    let actor = message.actor?;
    let attribute = |name: &str| actor.attributes.as_ref()?.get(name);
    let happening = match message.action?.as_str() {
        "oom" => Happening::Oom,
        "die" => {
            Happening::Die { exit_code: attribute("exitCode").and_then(|code| code.parse().ok()) }
        }
        "start" => Happening::Start,
        "health_status: unhealthy" => Happening::Unhealthy,
        "health_status: healthy" => Happening::Healthy,
        _ => return None,
    };
    Some((actor.id?, happening))
}

#[cfg(test)]
mod tests;
