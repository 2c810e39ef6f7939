//! Nodes that run nothing: they note what they are asked, and answer as a real one would.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use super::Nodes;
use super::course::LISTENERS;
use super::remote::{Group, Remote};
use crate::host::hooks::Runner;
use crate::host::node::{GroupState, NodeError, RemoteOutput, Stopped};
use crate::model::quantity::Length;
use crate::model::spec::NetworkSpec;
use crate::model::spec::network::{
    Direction, End, Flow, NodeSpec, Protocol, Shape, Test, Tool, Topic,
};

/// How the commands begin that print an interface's counters, and who listens.
const COUNTERS: &str = "cat /sys/class/net";
const SOCKETS: &str = "ss -Hltnp";

/// What all nodes of a test know.
#[derive(Default)]
pub(super) struct World {
    /// What was asked, in order, in short.
    pub(super) asked: Vec<String>,
    /// Groups that run, as `node/name`.
    pub(super) running: Vec<String>,
    /// How groups behave that do not just run until they are asked to end; by name.
    pub(super) odd: BTreeMap<&'static str, Odd>,
    /// Somebody else's listeners, as `ss` tells.
    pub(super) listening: String,
    /// What the clients print, by the end of the file's name.
    pub(super) printed: BTreeMap<&'static str, String>,
    /// What tools print.
    pub(super) said: String,
    /// How large their output is, where it is not what they print.
    pub(super) size: Option<u64>,
    /// What follows of the clients' log.
    pub(super) timing: Option<String>,
    /// How often a node was asked anything at all.
    pub(super) looks: u32,
    /// Packets that a node counts between two looks: that its interface received, sent and dropped, and that found a
    /// socket full.
    pub(super) packets: BTreeMap<&'static str, [u64; 4]>,
    /// What they stand at.
    pub(super) counted: BTreeMap<&'static str, [u64; 4]>,
}

/// A group that is not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Odd {
    /// It ends at once, with this exit code.
    Ends(i32),
    /// It ends only when it is killed.
    Stays,
    /// It listens, and ends with this exit code in the middle of the traffic.
    Breaks(i32),
    /// It cannot be asked for any more, once it runs.
    Silent,
    /// It runs, and whoever starts it is never told.
    Hangs,
    /// It cannot be started.
    Refuses,
}

/// The world, shared.
pub(super) type Shared = Arc<Mutex<World>>;

struct FakeNode {
    name: &'static str,
    world: Shared,
}

struct FakeGroup {
    node: &'static str,
    name: String,
    world: Shared,
}

/// The nodes of [`spec`].
pub(super) fn nodes(world: &Shared) -> Nodes {
    Nodes {
        server: node("server", world),
        client: node("client", world),
        tool: Some(node("server", world)),
        hooks: Box::new(HookRunner(Arc::clone(world))),
    }
}

/// Notes the lines of hooks; those that hold `fail` do.
struct HookRunner(Shared);

#[async_trait]
impl Runner for HookRunner {
    fn nodes(&self) -> Vec<String> {
        vec!["server".to_owned(), "client".to_owned()]
    }

    async fn run(&self, node: &str, line: &str) -> Result<RemoteOutput, NodeError> {
        self.0.lock().unwrap().asked.push(format!("{node}: {line}"));
        let code = i32::from(line.contains("fail"));
        Ok(RemoteOutput { code, stdout: String::new(), stderr: String::new() })
    }

    async fn upload(&self, node: &str, _: &Path, _: &str) -> Result<(), NodeError> {
        Err(NodeError { node: node.to_owned(), message: "nothing is uploaded".to_owned() })
    }

    async fn end_lines(&self) {
        self.0.lock().unwrap().asked.push("end lines".to_owned());
    }
}

/// A node of that name.
pub(super) fn node(name: &'static str, world: &Shared) -> Arc<dyn Remote> {
    Arc::new(FakeNode { name, world: Arc::clone(world) })
}

#[async_trait]
impl Remote for FakeNode {
    fn name(&self) -> &str {
        self.name
    }

    async fn run(&self, line: &str, _: Duration) -> Result<RemoteOutput, NodeError> {
        let mut world = self.world.lock().unwrap();
        world.looks += 1;
        let name = self.name;
        let printed = match line {
            line if ["mkdir", COUNTERS, SOCKETS].iter().any(|word| line.starts_with(word)) => {
                world.look(name, line)
            }
            line if line.starts_with("wc -c") => {
                let bytes = world.said.len() as u64;
                world.size.unwrap_or(bytes).to_string()
            }
            line if line.starts_with("getconf") => {
                "100\n5 (t) S 1 5 5 0 -1 0 0 0 0 0 40 10 0 0 20\n".to_owned()
            }
            line if line.starts_with("df") => "/dev/vda 100 100 0 100% /".to_owned(),
            line => world.file(line.rsplit(' ').next().unwrap_or_default()),
        };
        // Only what changes something, and what looks for strangers.
        if line.starts_with("mkdir") {
            world.asked.push(format!("{name}: mkdir"));
        }
        Ok(RemoteOutput { code: 0, stdout: printed, stderr: String::new() })
    }

    async fn start(&self, name: &str, _: &str, _: &str) -> Result<Box<dyn Group>, NodeError> {
        let odd = {
            let mut world = self.world.lock().unwrap();
            world.asked.push(format!("{}: start {name}", self.name));
            let odd = world.odd.get(name).copied();
            if !matches!(odd, Some(Odd::Refuses | Odd::Ends(_))) {
                // Clients run to their end by themselves.
                world.running.push(format!("{}/{name}", self.name));
            }
            odd
        };
        match odd {
            Some(Odd::Refuses) => {
                let (node, message) = (self.name.to_owned(), "no space left on device".to_owned());
                return Err(NodeError { node, message });
            }
            Some(Odd::Hangs) => std::future::pending().await,
            _ => {}
        }
        Ok(self.group(name))
    }

    fn group(&self, name: &str) -> Box<dyn Group> {
        let world = Arc::clone(&self.world);
        Box::new(FakeGroup { node: self.name, name: name.to_owned(), world })
    }

    async fn fetch(&self, remote: &str, names: &[&str], local: &Path) -> Result<(), NodeError> {
        let world = self.world.lock().unwrap();
        for name in names {
            let path = local.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, world.file(&format!("{remote}/{name}"))).unwrap();
        }
        Ok(())
    }
}

#[async_trait]
impl Group for FakeGroup {
    async fn state(&self) -> Result<GroupState, NodeError> {
        let mut world = self.world.lock().unwrap();
        world.looks += 1;
        if self.name == "clients" {
            let id = self.id();
            world.running.retain(|other| *other != id);
        }
        Ok(match world.odd.get(self.name.as_str()) {
            Some(Odd::Silent) => {
                let (node, message) = (self.node.to_owned(), "connection timed out".to_owned());
                return Err(NodeError { node, message });
            }
            Some(Odd::Ends(code) | Odd::Breaks(code)) => GroupState::Ended(*code),
            _ if world.running.contains(&self.id()) => GroupState::Running,
            _ => GroupState::Ended(0),
        })
    }

    async fn stop(&self, _: Duration) -> Result<Stopped, NodeError> {
        let mut world = self.world.lock().unwrap();
        let id = self.id();
        world.asked.push(format!("{}: stop {}", self.node, self.name));
        let ran = world.running.contains(&id);
        world.running.retain(|other| *other != id);
        Ok(match world.odd.get(self.name.as_str()) {
            Some(Odd::Stays) if ran => Stopped::Killed,
            Some(Odd::Breaks(_)) => Stopped::Before,
            // It is ended, and its end is not told.
            Some(Odd::Silent) => {
                let (node, message) = (self.node.to_owned(), "connection timed out".to_owned());
                return Err(NodeError { node, message });
            }
            _ if ran => Stopped::InTime,
            _ => Stopped::Before,
        })
    }

    fn session(&self) -> u32 {
        5
    }
}

impl FakeGroup {
    fn id(&self) -> String {
        format!("{}/{}", self.node, self.name)
    }
}

impl World {
    /// What the parts of a line print that only looks, in their order.
    fn look(&mut self, node: &'static str, line: &str) -> String {
        let mut printed = String::new();
        if line.contains(COUNTERS) {
            printed += &self.counters(node);
        }
        if line.contains(LISTENERS) {
            printed += &format!("{LISTENERS}\n");
        }
        if line.contains(SOCKETS) {
            printed += &self.sockets(node, line);
        }
        printed
    }

    /// What a node counted, with what is more at this look.
    fn counters(&mut self, node: &'static str) -> String {
        let more = self.packets.get(node).copied().unwrap_or_default();
        let stands = self.counted.entry(node).or_default();
        *stands = std::array::from_fn(|place| stands[place] + more[place]);
        let [received, sent, dropped, overflowed] = stands;
        format!("{received}\n{sent}\n{dropped}\nUdp: RcvbufErrors\nUdp: {overflowed}\n")
    }

    fn sockets(&self, node: &str, line: &str) -> String {
        let ours = self.running.iter().filter_map(|id| {
            let port = id.strip_prefix(node)?.strip_prefix("/server-")?;
            line.contains(&format!(":{port} ")).then(|| format!("LISTEN 0 1 0.0.0.0:{port} *:*\n"))
        });
        self.listening.clone() + &ours.collect::<String>()
    }

    /// What a file holds.
    fn file(&self, file: &str) -> String {
        match file {
            file if file.contains("ebpf_output") => self.said.clone(),
            file if file.ends_with(".err") => String::new(),
            file if file.ends_with("timing.log") => match &self.timing {
                Some(timing) => timing.clone(),
                None => self
                    .printed
                    .keys()
                    .map(|file| format!("{file} 0 1.5 4.5\n"))
                    .chain(["all clients have ended\n".to_owned()])
                    .collect(),
            },
            file => {
                let printed = self.printed.iter().find(|(name, _)| file.ends_with(*name));
                printed.map(|(_, text)| text.clone()).unwrap_or_default()
            }
        }
    }
}

/// A flow of two seconds, as the recorded ones are.
pub(super) fn flow() -> Flow {
    Flow {
        shape: Shape::Stream,
        protocol: Protocol::Tcp,
        direction: Direction::Forward,
        processes: 1,
        streams: 1,
        length: Length(Duration::from_secs(2)),
        omit: Length(Duration::ZERO),
        rate: None,
        block: None,
        port: 5001,
    }
}

/// A test of that flow.
pub(super) fn test(name: &str) -> Test {
    Test {
        name: name.to_owned(),
        topic: Topic::Throughput,
        tool: "iperf3".to_owned(),
        flow: flow(),
        beside: None,
    }
}

/// One test between two nodes, without a tool.
pub(super) fn spec() -> NetworkSpec {
    let end = |name: &str, ip: &str| End {
        node: node_spec(name),
        ip: ip.parse().unwrap(),
        interface: Some("eth0".to_owned()),
    };
    NetworkSpec {
        environment: "host".to_owned(),
        server: end("server", "198.18.0.2"),
        client: end("client", "198.18.0.1"),
        tests: vec![test("throughput_single")],
        tool: None,
        nodes: ["server", "client", "third"].map(node_spec).to_vec(),
        hooks: Vec::new(),
        results: "r/host".to_owned(),
        within: Length(Duration::from_secs(10)),
        grace: Length(Duration::from_secs(5)),
    }
}

/// A tool that says `ready`.
pub(super) fn tool() -> Tool {
    Tool {
        name: "watch".to_owned(),
        case: "watch_tcp".to_owned(),
        node: node_spec("server"),
        command: "watch.sh".to_owned(),
        ready: Some("^ready$".to_owned()),
        settle: Length(Duration::from_secs(1)),
    }
}

fn node_spec(name: &str) -> NodeSpec {
    NodeSpec {
        name: name.to_owned(),
        ssh: name.to_owned(),
        ssh_config: None,
        workdir: "/tmp/w".to_owned(),
        sudo: false,
    }
}
