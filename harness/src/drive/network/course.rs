//! [`Course`]: one test under way. Servers are started and waited for, then all clients at once; in the end everything
//! is ended by its id.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::future::join_all;

use super::DriverError;
use super::clients::{Process, script};
use super::counters::{self, BothEnds};
use super::names::Names;
use super::remote::{BRIEF, Group, Remote, line, lost, succeed, tail, word};
use super::socket::{self, listeners};
use super::tool::{Between, NetTool, find};
use crate::host::node::{GroupState, NodeError, Stopped};
use crate::host::{Check, wait_for};
use crate::model::spec::NetworkSpec;
use crate::model::spec::network::{Flow, Test};

const POLL: Duration = Duration::from_millis(50);

/// How long clients and servers have to end by themselves when they are asked to.
const GRACE: Duration = Duration::from_secs(2);

/// How often in a row a node may not answer before it is given up.
const PATIENCE: u32 = 20;

/// Between the counters and the listeners of a node.
pub(super) const LISTENERS: &str = "@listeners";

/// The name of the group of all clients of a test on its node.
const CLIENTS: &str = "clients";

/// The two nodes, and what runs between them.
#[derive(Clone, Copy)]
pub(super) struct Ends<'a> {
    pub(super) spec: &'a NetworkSpec,
    pub(super) server: &'a dyn Remote,
    pub(super) client: &'a dyn Remote,
}

/// The processes of one tool in a test.
pub(super) struct Part {
    pub(super) tool: &'static dyn NetTool,
    pub(super) flow: Flow,
    pub(super) processes: Vec<Process>,
    /// False of traffic that only runs beside the test.
    pub(super) reported: bool,
}

/// A server, and where its output goes.
pub(super) struct Server {
    pub(super) group: Box<dyn Group>,
    pub(super) command: String,
    pub(super) output: String,
    port: u16,
}

/// A test under way.
pub(super) struct Course {
    pub(super) test: Test,
    pub(super) names: Names,
    pub(super) parts: Vec<Part>,
    pub(super) servers: Vec<Server>,
    pub(super) before: BothEnds,
    clients: Option<Box<dyn Group>>,
}

/// What a test consists of, or why it cannot be run.
pub(super) fn parts(
    spec: &NetworkSpec,
    test: &Test,
    names: &Names,
) -> Result<Vec<Part>, DriverError> {
    let mut parts = vec![part(spec, &test.tool, &test.flow, |index, tool| {
        names.process(&test.flow, index, tool.extension())
    })?];
    if let Some(beside) = &test.beside {
        // It has begun when the test begins to count, and ends with it.
        let flow = Flow { length: test.flow.length, omit: test.flow.omit, ..beside.flow.clone() };
        let file = |index: u32, tool: &dyn NetTool| {
            names.beside(tool.name(), port(&flow, index), tool.extension())
        };
        parts.push(Part { reported: false, ..part(spec, &beside.tool, &flow, file)? });
    }
    let mut ports: Vec<u16> =
        parts.iter().flat_map(|part| &part.processes).map(|process| process.between.port).collect();
    ports.sort_unstable();
    match ports.windows(2).find(|pair| pair[0] == pair[1]) {
        None => Ok(parts),
        Some(pair) => Err(DriverError::rig(format!(
            "test {}: two servers on port {}: give one of them another `port`",
            test.name, pair[0]
        ))),
    }
}

fn part(
    spec: &NetworkSpec,
    tool: &str,
    flow: &Flow,
    file: impl Fn(u32, &dyn NetTool) -> String,
) -> Result<Part, DriverError> {
    let tool = find(tool).ok_or_else(|| {
        let known: Vec<&str> = super::tool::TOOLS.iter().map(|tool| tool.name()).collect();
        DriverError::rig(format!("no network tool `{tool}`: there are {}", known.join(", ")))
    })?;
    let within = (flow.seconds() + spec.within.0.as_secs_f64()).ceil();
    let process = |index: u32| {
        let between =
            Between { server: spec.server.ip, client: spec.client.ip, port: port(flow, index) };
        let command = tool.client(flow, between).map_err(DriverError::rig)?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
        let within = within as u64;
        Ok(Process { file: file(index, tool), command, between, within })
    };
    let processes = (0..flow.processes.max(1)).map(process).collect::<Result<_, DriverError>>()?;
    Ok(Part { tool, flow: flow.clone(), processes, reported: true })
}

/// The port of a process; the last one where there are no more.
fn port(flow: &Flow, index: u32) -> u16 {
    u16::try_from(u32::from(flow.port) + index).unwrap_or(u16::MAX)
}

impl Course {
    /// A test of which nothing has been started.
    pub(super) fn new(spec: &NetworkSpec, test: &Test, stamp: String) -> Result<Self, DriverError> {
        let names = Names::new(&spec.results, test, stamp);
        let parts = parts(spec, test, &names)?;
        Ok(Self {
            test: test.clone(),
            names,
            parts,
            servers: Vec::new(),
            before: BothEnds::default(),
            clients: None,
        })
    }

    /// Starts everything, and returns once the clients run.
    ///
    /// What was started stays known when this is cut off, so that [`Course::end`] ends it.
    pub(super) async fn begin(&mut self, ends: Ends<'_>) -> Result<(), DriverError> {
        self.before = self.prepare(ends).await?;
        self.serve(ends).await?;
        let processes: Vec<&Process> =
            self.parts.iter().rev().flat_map(|part| &part.processes).collect();
        let script = script(&self.names.client(), &processes)?;
        self.clients = Some(ends.client.group(CLIENTS));
        let started = ends.client.start(CLIENTS, &script, &self.names.timing()).await;
        self.clients = Some(started.map_err(|error| lost(&error))?);
        Ok(())
    }

    /// Makes the directories, and keeps the commands in them: where nothing can be written, that is known before. Also
    /// looks for servers of somebody else, and gives the counters, as nothing is sent yet. In one line per node, as
    /// a line takes a slow guest half a second.
    async fn prepare(&self, ends: Ends<'_>) -> Result<BothEnds, DriverError> {
        let mut commands = String::new();
        for process in self.parts.iter().flat_map(|part| &part.processes) {
            commands += &format!("{}: {}\n", process.file, line(&process.command)?);
        }
        let at = word(&self.names.client())?;
        let mut keep =
            vec![format!("mkdir -p -- {at} && printf %s {} > {at}/commands.txt", word(&commands)?)];
        keep.extend(counters::line(&ends.spec.client)?);
        let ports: Vec<u16> = self.wanted()?.iter().map(|(port, ..)| *port).collect();
        let mut look = vec![format!("mkdir -p -- {}", word(&self.names.server())?)];
        look.extend(counters::line(&ends.spec.server)?);
        look.push(format!("echo {LISTENERS}"));
        if !ports.is_empty() {
            look.push(socket::line(&ports));
        }
        let [keep, look] = [keep, look].map(|lines| lines.join(" && "));
        let (kept, looked) = tokio::join!(
            succeed(ends.client, &keep, "make a place for results and read counters"),
            succeed(
                ends.server,
                &look,
                "make a place for results, read counters and list listening sockets"
            )
        );
        let (kept, looked) = (kept?, looked?);
        let (counters, listing) = looked.split_once(LISTENERS).ok_or_else(|| {
            let name = ends.server.name();
            DriverError::rig(format!("{name} does not say who listens: it printed {looked:?}"))
        })?;
        match listeners(listing, ends.spec.server.ip).first() {
            None => Ok(BothEnds {
                client: counters::printed_by(&ends.spec.client, &kept)?,
                server: counters::printed_by(&ends.spec.server, counters)?,
            }),
            Some(taken) => Err(DriverError::rig(format!(
                "port {} on {} is taken by {taken}: end it, or give the test another port",
                taken.port,
                ends.server.name()
            ))),
        }
    }

    /// The servers that are needed, with their commands and where their output goes.
    fn wanted(&self) -> Result<Vec<(u16, String, String)>, DriverError> {
        let mut wanted = Vec::new();
        for part in &self.parts {
            for Process { between, .. } in &part.processes {
                if let Some(words) = part.tool.server(&part.flow, *between) {
                    let output = self.names.log(part.tool.name(), between.port);
                    wanted.push((between.port, line(&words)?, output));
                }
            }
        }
        Ok(wanted)
    }

    async fn serve(&mut self, ends: Ends<'_>) -> Result<(), DriverError> {
        let name = |port: u16| format!("server-{port}");
        // Known before they run, so that they are ended also where this is cut off.
        for (port, command, output) in self.wanted()? {
            let group = ends.server.group(&name(port));
            self.servers.push(Server { group, command, output, port });
        }
        let start = |server: &mut Server| {
            let (name, command, output) =
                (name(server.port), server.command.clone(), server.output.clone());
            async move { ends.server.start(&name, &command, &output).await }
        };
        let started = join_all(self.servers.iter_mut().map(start)).await;
        for (server, started) in self.servers.iter_mut().zip(started) {
            server.group = started.map_err(|error| lost(&error))?;
        }
        if self.servers.is_empty() {
            return Ok(());
        }
        let listening = wait_for(ends.spec.within.0, POLL, || self.listen(ends));
        let Err(error) = listening.await else { return Ok(()) };
        let mut message = format!("a server on {} does not serve: {error}", ends.server.name());
        for server in &self.servers {
            let tail = tail(ends.server, &server.output).await;
            message += &format!("\n  `{}`:{tail}", server.command);
        }
        Err(DriverError::rig(message))
    }

    /// Whether all servers listen.
    async fn listen(&self, ends: Ends<'_>) -> Check<()> {
        let ports: Vec<u16> = self.servers.iter().map(|server| server.port).collect();
        let listed = match ends.server.run(&socket::line(&ports), BRIEF).await {
            Ok(output) if output.code != 0 => {
                return Check::NotYet(format!("ss fails: {}", output.stderr.trim()));
            }
            Ok(output) => listeners(&output.stdout, ends.spec.server.ip),
            Err(error) => return Check::NotYet(error.to_string()),
        };
        let mut silent = self
            .servers
            .iter()
            .filter(|server| !listed.iter().any(|listener| listener.port == server.port));
        let Some(server) = silent.next() else { return Check::Ready(()) };
        match server.group.state().await {
            Ok(GroupState::Ended(code)) => Check::Failed(format!(
                "that for port {} ended with exit status {code}",
                server.port
            )),
            _ => Check::NotYet(format!("nobody listens on port {}", server.port)),
        }
    }

    /// Waits until all clients have ended.
    pub(super) async fn finish(&mut self, ends: Ends<'_>) -> Result<(), DriverError> {
        let Some(clients) = &self.clients else {
            return Err(DriverError::rig("the test was never begun"));
        };
        let longest = self.parts.iter().flat_map(|part| &part.processes).map(|one| one.within);
        let within = Duration::from_secs(longest.max().unwrap_or(0)) + BRIEF;
        let missed = AtomicU32::new(0);
        let ended = wait_for(within, POLL, || async {
            match clients.state().await {
                Ok(GroupState::Running) => {
                    missed.store(0, Ordering::Relaxed);
                    Check::NotYet("they still run".to_owned())
                }
                Ok(GroupState::Ended(_)) => Check::Ready(()),
                Ok(GroupState::Unknown) => Check::Failed("nothing is known of them".to_owned()),
                Err(error) if missed.fetch_add(1, Ordering::Relaxed) >= PATIENCE => {
                    Check::Failed(error.to_string())
                }
                Err(error) => Check::NotYet(error.to_string()),
            }
        });
        let name = ends.client.name();
        ended.await.map_err(|error| {
            DriverError::rig(format!("the clients on {name} did not end: {error}"))
        })?;
        // Their leader has waited for all of them.
        self.clients = None;
        Ok(())
    }

    /// Ends the servers, all at once; how each ended.
    pub(super) async fn end_servers(&self) -> Vec<Result<Stopped, NodeError>> {
        join_all(self.servers.iter().map(|server| server.group.stop(GRACE))).await
    }

    /// Ends what runs, all at once. It may be called again.
    pub(super) async fn end(&self) -> Result<(), DriverError> {
        // Clients first: a server that goes away under them would be their failure.
        let clients = self.clients.iter().map(|group| group.stop(GRACE));
        let clients = join_all(clients).await;
        let servers = self.end_servers().await;
        let stopped = clients.into_iter().chain(servers).collect::<Result<Vec<_>, _>>();
        stopped.map(drop).map_err(|error| lost(&error))
    }
}

impl Server {
    /// How it failed, if it did; an error where its node cannot be asked.
    pub(super) async fn failure(&self, node: &dyn Remote) -> Result<Option<String>, NodeError> {
        let GroupState::Ended(code @ (..=-1 | 1..)) = self.group.state().await? else {
            return Ok(None);
        };
        let (tail, name) = (tail(node, &self.output).await, node.name());
        Ok(Some(format!("`{}` on {name} ended with exit status {code}:{tail}", self.command)))
    }
}

/// Reads the counters of both ends.
pub(super) async fn read_counters(ends: Ends<'_>) -> Result<BothEnds, DriverError> {
    let (client, server) = tokio::join!(
        counters::read(ends.client, &ends.spec.client),
        counters::read(ends.server, &ends.spec.server)
    );
    Ok(BothEnds { client: client?, server: server? })
}
