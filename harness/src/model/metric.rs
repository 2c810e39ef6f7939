//! [`Metric`]: a name, a unit and a direction; and the catalog of those that the built-in probes read.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The base unit of a metric's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
    /// A fraction; 1.0 is 100 percent (of one core, for processor use).
    Ratio,
    /// A number of things.
    Count,
    /// Bits per second.
    BitsPerSecond,
    /// Things per second.
    PerSecond,
}

/// Which direction of change is an improvement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// Less is better.
    Lower,
    /// More is better.
    Higher,
}

/// Something that can be measured.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Metric {
    /// A dotted name, for example `memory.anon`.
    pub name: Cow<'static, str>,
    /// The unit of its values.
    pub unit: Unit,
    /// The direction of improvement.
    pub better: Better,
}

impl Metric {
    /// A metric of which less is better.
    #[must_use]
    pub const fn lower(name: &'static str, unit: Unit) -> Self {
        Self { name: Cow::Borrowed(name), unit, better: Better::Lower }
    }

    /// A metric of which more is better.
    #[must_use]
    pub const fn higher(name: &'static str, unit: Unit) -> Self {
        Self { name: Cow::Borrowed(name), unit, better: Better::Higher }
    }

    /// The name as the built-in probes write it.
    ///
    /// # Panics
    /// If the name is not a `'static` one, which no catalog entry is.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        match self.name {
            Cow::Borrowed(name) => name,
            Cow::Owned(_) => panic!("only catalog metrics have a static name"),
        }
    }
}

/// Memory charged to the container, page cache included.
pub const MEMORY_USAGE: Metric = Metric::lower("memory.usage", Unit::Bytes);
/// Usage less the inactive file cache (cAdvisor's and kubelet's working set); the resident set of a process tree.
pub const MEMORY_WORKING_SET: Metric = Metric::lower("memory.working_set", Unit::Bytes);
/// Anonymous memory: cgroup v2 `anon`, v1 `total_rss`, the private anonymous part of a process tree's resident set. Leaks are judged on it.
pub const MEMORY_ANON: Metric = Metric::lower("memory.anon", Unit::Bytes);
/// Resident set: anonymous and mapped file pages.
pub const MEMORY_RSS: Metric = Metric::lower("memory.rss", Unit::Bytes);
/// The limit in force; absent when there is none.
pub const MEMORY_LIMIT: Metric = Metric::higher("memory.limit", Unit::Bytes);
/// Working set as a fraction of the limit; absent without a limit.
pub const MEMORY_FRACTION: Metric = Metric::lower("memory.fraction", Unit::Ratio);
/// Processor time per elapsed time, since the reading before; 1.0 is one core.
pub const CPU_USAGE: Metric = Metric::lower("cpu.usage", Unit::Ratio);
/// Processor time used since the source started.
pub const CPU_TIME: Metric = Metric::lower("cpu.time", Unit::Seconds);
/// Time for which the processor quota held the container back, since it started.
pub const CPU_THROTTLED: Metric = Metric::lower("cpu.throttled", Unit::Seconds);
/// Bytes received from the network since the source started.
pub const NETWORK_RECEIVED: Metric = Metric::lower("network.received", Unit::Bytes);
/// Bytes sent to the network since the source started.
pub const NETWORK_SENT: Metric = Metric::lower("network.sent", Unit::Bytes);
/// Bytes read from disks since the source started.
pub const DISK_READ: Metric = Metric::lower("disk.read", Unit::Bytes);
/// Bytes written to disks since the source started.
pub const DISK_WRITTEN: Metric = Metric::lower("disk.written", Unit::Bytes);
/// Processes.
pub const PROCESSES: Metric = Metric::lower("processes", Unit::Count);
/// Threads (the `pids` of a cgroup).
pub const THREADS: Metric = Metric::lower("threads", Unit::Count);
/// Open file descriptors.
pub const OPEN_FILES: Metric = Metric::lower("files.open", Unit::Count);
/// Open file descriptors that are sockets; absent of a process with more than 1,024 descriptors.
pub const SOCKETS: Metric = Metric::lower("sockets.open", Unit::Count);
/// Processes killed for want of memory since the source started.
pub const OOM_KILLS: Metric = Metric::lower("oom.kills", Unit::Count);
/// Agents that the application says are live.
pub const AGENTS_LIVE: Metric = Metric::higher("agents.live", Unit::Count);
/// Time from the first spawn request to the wanted number being live.
pub const AGENTS_SPAWN_TIME: Metric = Metric::lower("agents.spawn_time", Unit::Seconds);
/// How long a probe took to read.
pub const PROBE_DURATION: Metric = Metric::lower("probe.duration", Unit::Seconds);
/// How late a sample was taken after its due time.
pub const SAMPLER_LATENESS: Metric = Metric::lower("sampler.lateness", Unit::Seconds);

/// Processor time of everything on this machine per elapsed time, waiting for disks left out; 1.0 is one core.
pub const HOST_CPU_BUSY: Metric = Metric::lower("host.cpu.busy", Unit::Ratio);
/// Processor time that the hypervisor gave to others while this machine wanted it, per elapsed time; 1.0 is one core.
pub const HOST_CPU_STEAL: Metric = Metric::lower("host.cpu.steal", Unit::Ratio);
/// Processor time of the harness and what it started, such as drivers, but not the target; 1.0 is one core.
pub const HOST_CPU_HARNESS: Metric = Metric::lower("host.cpu.harness", Unit::Ratio);
/// Time for which a processor quota held back the harness's own control group, since that began; absent without one.
pub const HOST_CPU_THROTTLED: Metric = Metric::lower("host.cpu.throttled", Unit::Seconds);
/// Processors of this machine that are online.
pub const HOST_CPUS: Metric = Metric::higher("host.cpus", Unit::Count);
/// How far the wall clock went beyond the monotonic one since the trial's first reading.
pub const HOST_CLOCK_OFFSET: Metric = Metric::lower("host.clock.offset", Unit::Seconds);

/// Processor time of everything on a node per elapsed time of the node's clock, waiting for disks left out; 1.0 is one
/// core. The source is the node.
pub const NODE_CPU_BUSY: Metric = Metric::lower("node.cpu.busy", Unit::Ratio);
/// Processors of a node that are online.
pub const NODE_CPUS: Metric = Metric::higher("node.cpus", Unit::Count);

/// Payload that arrived per second, over all processes and streams of a test; the source is the test.
pub const NET_THROUGHPUT: Metric = Metric::higher("net.throughput", Unit::BitsPerSecond);
/// Payload that was handed to the network per second.
pub const NET_THROUGHPUT_SENT: Metric = Metric::higher("net.throughput.sent", Unit::BitsPerSecond);
/// Segments that TCP sent again.
pub const NET_RETRANSMITS: Metric = Metric::lower("net.retransmits", Unit::Count);
/// Datagrams that arrived per second.
pub const NET_PACKETS: Metric = Metric::higher("net.packets", Unit::PerSecond);
/// Datagrams that were sent per second.
pub const NET_PACKETS_SENT: Metric = Metric::higher("net.packets.sent", Unit::PerSecond);
/// Datagrams that were sent and did not arrive, as a fraction.
pub const NET_PACKETS_LOST: Metric = Metric::lower("net.packets.lost", Unit::Ratio);
/// Packets per second that the sender's interface counted.
pub const NET_PACKETS_SENT_COUNTED: Metric =
    Metric::higher("net.packets.sent.counted", Unit::PerSecond);
/// Packets per second that the receiver's interface counted.
pub const NET_PACKETS_COUNTED: Metric = Metric::higher("net.packets.counted", Unit::PerSecond);
/// Transactions per second.
pub const NET_TRANSACTIONS: Metric = Metric::higher("net.transactions", Unit::PerSecond);
/// Time per transaction: the shortest.
pub const NET_LATENCY_MIN: Metric = Metric::lower("net.latency.min", Unit::Seconds);
/// Time per transaction: the mean.
pub const NET_LATENCY_MEAN: Metric = Metric::lower("net.latency.mean", Unit::Seconds);
/// Time per transaction: the median.
pub const NET_LATENCY_P50: Metric = Metric::lower("net.latency.p50", Unit::Seconds);
/// Time per transaction: the 90th percentile.
pub const NET_LATENCY_P90: Metric = Metric::lower("net.latency.p90", Unit::Seconds);
/// Time per transaction: the 99th percentile.
pub const NET_LATENCY_P99: Metric = Metric::lower("net.latency.p99", Unit::Seconds);
/// Time per transaction: the longest.
pub const NET_LATENCY_MAX: Metric = Metric::lower("net.latency.max", Unit::Seconds);
/// Time per transaction: the standard deviation.
pub const NET_LATENCY_STDDEV: Metric = Metric::lower("net.latency.stddev", Unit::Seconds);
/// Processor use of the sending tool's machine or process, as the tool says; 1.0 is one core.
pub const NET_CPU_SENDER: Metric = Metric::lower("net.cpu.sender", Unit::Ratio);
/// The same of the receiving one.
pub const NET_CPU_RECEIVER: Metric = Metric::lower("net.cpu.receiver", Unit::Ratio);
/// Processor time of the sender per 10^9 bytes that arrived.
pub const NET_CPU_PER_GIGABYTE_SENDER: Metric =
    Metric::lower("net.cpu.per_gigabyte.sender", Unit::Seconds);
/// The same of the receiver.
pub const NET_CPU_PER_GIGABYTE_RECEIVER: Metric =
    Metric::lower("net.cpu.per_gigabyte.receiver", Unit::Seconds);
/// Time from the start of a tool under test until it was ready.
pub const TOOL_STARTUP_TIME: Metric = Metric::lower("tool.startup.time", Unit::Seconds);
/// Processor time that a tool under test had used when it was ready.
pub const TOOL_STARTUP_CPU: Metric = Metric::lower("tool.startup.cpu", Unit::Seconds);
/// Memory mapped by a process tree, resident or not.
pub const MEMORY_VIRTUAL: Metric = Metric::lower("memory.virtual", Unit::Bytes);
/// Page faults of a process tree that needed no disk, since it started.
pub const FAULTS_MINOR: Metric = Metric::lower("faults.minor", Unit::Count);
/// Page faults of a process tree that read a disk, since it started.
pub const FAULTS_MAJOR: Metric = Metric::lower("faults.major", Unit::Count);
/// Output that a tool under test has written.
pub const LOG_SIZE: Metric = Metric::lower("log.size", Unit::Bytes);

/// Every metric that the built-in parts emit.
pub const CATALOG: &[Metric] = &[
    MEMORY_USAGE,
    MEMORY_WORKING_SET,
    MEMORY_ANON,
    MEMORY_RSS,
    MEMORY_LIMIT,
    MEMORY_FRACTION,
    CPU_USAGE,
    CPU_TIME,
    CPU_THROTTLED,
    NETWORK_RECEIVED,
    NETWORK_SENT,
    DISK_READ,
    DISK_WRITTEN,
    PROCESSES,
    THREADS,
    OPEN_FILES,
    SOCKETS,
    OOM_KILLS,
    AGENTS_LIVE,
    AGENTS_SPAWN_TIME,
    PROBE_DURATION,
    SAMPLER_LATENESS,
    HOST_CPU_BUSY,
    HOST_CPU_STEAL,
    HOST_CPU_HARNESS,
    HOST_CPU_THROTTLED,
    HOST_CPUS,
    HOST_CLOCK_OFFSET,
    NODE_CPU_BUSY,
    NODE_CPUS,
    NET_THROUGHPUT,
    NET_THROUGHPUT_SENT,
    NET_RETRANSMITS,
    NET_PACKETS,
    NET_PACKETS_SENT,
    NET_PACKETS_LOST,
    NET_PACKETS_SENT_COUNTED,
    NET_PACKETS_COUNTED,
    NET_TRANSACTIONS,
    NET_LATENCY_MIN,
    NET_LATENCY_MEAN,
    NET_LATENCY_P50,
    NET_LATENCY_P90,
    NET_LATENCY_P99,
    NET_LATENCY_MAX,
    NET_LATENCY_STDDEV,
    NET_CPU_SENDER,
    NET_CPU_RECEIVER,
    NET_CPU_PER_GIGABYTE_SENDER,
    NET_CPU_PER_GIGABYTE_RECEIVER,
    TOOL_STARTUP_TIME,
    TOOL_STARTUP_CPU,
    MEMORY_VIRTUAL,
    FAULTS_MINOR,
    FAULTS_MAJOR,
    LOG_SIZE,
];

/// The catalog entry of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Metric> {
    CATALOG.iter().find(|metric| metric.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_dotted_lower_case() {
        let mut seen = std::collections::BTreeSet::new();
        for metric in CATALOG {
            assert!(seen.insert(metric.id()), "{} stands twice", metric.id());
            assert!(
                metric.name.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '.' | '_')),
                "{}",
                metric.id()
            );
        }
    }
}
