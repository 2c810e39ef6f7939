//! Network cases between two nodes: the nodes of a [`TestbedSpec`], and the [`NetworkSpec`] of what runs between them.
//!
//! Commands of a spec are complete: every variable of the configuration is filled in when a trial is planned.

use std::net::IpAddr;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::metric::{Metric, NET_LATENCY_MEAN, NET_PACKETS, NET_THROUGHPUT};
use crate::model::quantity::Length;

/// Hosts and virtual machines that are there already, reached over SSH.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestbedSpec {
    /// The directory of the configuration, relative to the workspace root.
    pub config: PathBuf,
    /// Every node of the configuration.
    pub nodes: Vec<NodeSpec>,
    /// The names of those that are read while a trial runs.
    pub watched: Vec<String>,
    /// What is copied to every node that runs a tool, relative to `config`: the tools under test.
    pub tools: Option<PathBuf>,
    /// Of the levels [`Level::Global`] and [`Level::Tool`], in declared order.
    pub hooks: Vec<Hook>,
    /// The tool under test whose hooks of [`Level::Tool`] surround the trials; `None` where there is none.
    pub tool: Option<String>,
    /// The node of the tool under test, also on the side of a comparison that goes without it; `None` where
    /// there is no tool.
    pub tool_node: Option<String>,
}

/// One host or virtual machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeSpec {
    /// Its name in the configuration, for example `host-server`.
    pub name: String,
    /// `user@host`, `host` or `ssh://user@host:port`, as `ssh` takes it; `local:` for this machine, without SSH.
    pub ssh: String,
    /// A configuration file for `ssh` in place of the user's own.
    pub ssh_config: Option<PathBuf>,
    /// The directory on the node below which everything is written: an absolute path.
    pub workdir: String,
    /// True where commands that need root are run with `sudo -n`.
    pub sudo: bool,
}

/// What runs between two nodes, and with which tool beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkSpec {
    /// `host` or `vm`: which of the configuration's environments.
    pub environment: String,
    /// The side that listens.
    pub server: End,
    /// The side that connects.
    pub client: End,
    /// The tests, in order; phases name them by their place.
    pub tests: Vec<Test>,
    /// The tool under test; `None` of a baseline.
    pub tool: Option<Tool>,
    /// Every node of the configuration, any of which a hook may name.
    pub nodes: Vec<NodeSpec>,
    /// Of the levels [`Level::Case`] and [`Level::Test`], in declared order; those above are the testbed's.
    pub hooks: Vec<Hook>,
    /// Where raw output is kept on the nodes, relative to each node's workdir, for example
    /// `performance-test-results/baseline/host`.
    pub results: String,
    /// How long a server or a tool may take to become ready.
    pub within: Length,
    /// How long a tool may take to end when it is asked to.
    pub grace: Length,
}

/// One end of the traffic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// The node that runs the network tools.
    pub node: NodeSpec,
    /// The address that traffic is bound to.
    pub ip: IpAddr,
    /// The interface whose counters are read beside the tools' own figures, on `node`.
    pub interface: Option<String>,
}

/// A tool under test: started before the traffic, ended after it, and sampled meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Its name in results: the script without its extension.
    pub name: String,
    /// What its case is called in tables, with the parameters of the matrix.
    pub case: String,
    /// Where it runs.
    pub node: NodeSpec,
    /// A line for the node's shell.
    pub command: String,
    /// A regular expression that a line of its output matches once it is ready; without one it is ready when it has
    /// been alive for `settle`.
    pub ready: Option<String>,
    /// See `ready`.
    pub settle: Length,
}

/// What a test is about: the limit that its figures are held to, and the table that they are reported in.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Topic {
    /// Bits per second.
    Throughput,
    /// Time per transaction.
    Latency,
    /// Packets per second.
    Pps,
}

impl Topic {
    /// The figure that a test of it is judged by.
    #[must_use]
    pub fn metric(self) -> Metric {
        match self {
            Self::Throughput => NET_THROUGHPUT,
            Self::Latency => NET_LATENCY_MEAN,
            Self::Pps => NET_PACKETS,
        }
    }
}

/// One flow, or several of one kind, between the two ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Test {
    /// Unique in its trial, for example `throughput_single`: the phase's name and the readings' source.
    pub name: String,
    /// What its figures are about.
    pub topic: Topic,
    /// Which network tool runs it: a name in the table of network tools, for example `iperf3`.
    pub tool: String,
    /// What it asks of the tool.
    pub flow: Flow,
    /// Runs for as long as the test and is not reported: latency under load.
    pub beside: Option<Box<Beside>>,
}

/// Traffic beside a test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Beside {
    /// The network tool.
    pub tool: String,
    /// What it asks of the tool; its length is that of the test.
    pub flow: Flow,
}

/// What a network tool is asked to send.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    /// What is sent.
    pub shape: Shape,
    /// The transport.
    pub protocol: Protocol,
    /// Which way bulk data go.
    pub direction: Direction,
    /// Processes of the tool, each on a port of its own: `port`, `port + 1`, ...
    pub processes: u32,
    /// Parallel streams of each process.
    pub streams: u32,
    /// How long data count.
    pub length: Length,
    /// How long is sent before that and not counted.
    pub omit: Length,
    /// The most that each stream sends, in bit/s.
    pub rate: Option<f64>,
    /// Bytes per write, datagram or request; the tool's own default where absent.
    pub block: Option<u32>,
    /// The first port.
    pub port: u16,
}

impl Flow {
    /// How long the flow takes in all, in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        (self.length.0 + self.omit.0).as_secs_f64()
    }
}

/// What a flow consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Bulk data.
    Stream,
    /// A request, its response, the next request, on one connection.
    RequestResponse,
    /// A connection, a request, its response, the end of the connection, and again.
    ConnectRequestResponse,
}

/// The transport of a flow.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Transmission Control Protocol.
    Tcp,
    /// User Datagram Protocol.
    Udp,
    /// Internet Control Message Protocol.
    Icmp,
}

/// Which way bulk data go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the client to the server.
    Forward,
    /// From the server to the client.
    Reverse,
    /// Both ways at once.
    Both,
}

/// The name of the group that a tool under test runs in on its node, by which the probe of nodes finds it, and the source
/// of what is read of it.
pub const TOOL: &str = "tool";

/// What a hook surrounds. Levels nest in this order.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Everything between entering the testbed and leaving it.
    Global,
    /// All that is run for one tool under test.
    Tool,
    /// One walk: a baseline or a tool, and all tests on it.
    Case,
    /// One test.
    Test,
}

/// Commands before and after something. Every `init` that was begun has its `post`, also after a failure.
///
/// A command is a line for the node's shell, run in the node's workdir, or one of these, whose words are taken apart as a
/// shell does it, and whose paths are relative to the workdir:
/// - `builtin:mkdir PATH...` makes directories, with those above them;
/// - `builtin:remove PATH...` removes files and directories below the workdir;
/// - `builtin:require PROGRAM...` fails where one of the programs is missing, and says which package has it;
/// - `builtin:upload LOCAL REMOTE` copies the content of a directory here, relative to the workspace root, to the node.
///
/// What an `init` of the levels `global` and `tool` leaves running in the background on a node lives until its `post`; what
/// is left then is ended. What one of the levels `case` and `test` leaves running when its trial is over is ended, and
/// fails it. What is open when the harness itself is killed is not undone: the next run ends its processes alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    /// What it surrounds.
    pub level: Level,
    /// Told in the event log.
    pub name: String,
    /// The node that it runs on. Where absent: every node that can be reached, of the levels `case` and `test` those that
    /// take part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// A line for the node's shell before; a failure fails what it surrounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init: Option<String>,
    /// A line for the node's shell after, whatever happened in between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post: Option<String>,
}
