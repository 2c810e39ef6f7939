//! [`Course::collect`]: the figures of a test that has ended, or whose fault it is that there are none.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use super::DriverError;
use super::clients::{HUNG, Lived, Process, Timing, overlap, timings};
use super::counters::{BothEnds, Counted, disagreement};
use super::course::{Course, Ends, Part, read_counters};
use super::figures::Figures;
use super::remote::{BRIEF, Remote, lost, succeed, word};
use super::tool::Printed;
use crate::model::metric::{NET_PACKETS_COUNTED, NET_PACKETS_SENT_COUNTED};
use crate::model::spec::network::{Protocol, Shape, Topic};
use crate::model::{EventKind, Incident, Observation, Reading};

/// The part of a test for which all its flows must have run, for their rates to be added.
const TOGETHER: f64 = 0.9;

/// A datagram that is larger may be sent in several packets.
const ONE_PACKET: u32 = 1400;

/// The most that is fetched of one file, in bytes; the whole of it stays on the node.
const FETCHED: u32 = 16 * 1024 * 1024;

/// How one process went.
struct Ran<'a> {
    part: &'a Part,
    process: &'a Process,
    timing: Timing,
    result: Result<Figures, String>,
}

impl Course {
    /// Waits for the clients, ends the servers, keeps what all of them printed below `logs`, and reads it.
    ///
    /// # Errors
    /// [`DriverError`]: the system's where a flow failed with a tool beside it, the rig's where it had none, or where a
    /// server or a node failed.
    pub(super) async fn collect(
        &mut self,
        ends: Ends<'_>,
        logs: &Path,
    ) -> Result<Observation, DriverError> {
        self.finish(ends).await?;
        let this = &*self;
        let (after, ran) = tokio::join!(read_counters(ends), this.read(ends, logs));
        let mut failures = String::new();
        if !ran.as_ref().is_ok_and(|ran| ran.iter().all(|one| one.result.is_ok())) {
            for server in &this.servers {
                if let Some(failure) = server.failure(ends.server).await {
                    let _ = write!(failures, "\n  {failure}");
                }
            }
        }
        this.end().await?;
        let outputs = this.servers.iter().map(|server| server.output.clone());
        let outputs: Vec<String> = outputs.collect();
        keep(ends.server, &ends.spec.results, &outputs, logs).await?;
        let after = after?;
        let ran = ran?;
        let refused: Vec<String> = ran.iter().filter_map(Ran::refused).collect();
        if !refused.is_empty() {
            let message = format!("{}: {}", this.test.name, refused.join("; "));
            return Err(match (failures.is_empty(), &ends.spec.tool) {
                (false, _) => DriverError::rig(format!("{message}{failures}")),
                (true, None) => DriverError::rig(message),
                (true, Some(tool)) => {
                    DriverError::system(format!("{message} (beside tool {})", tool.name))
                }
            });
        }
        this.observed(&ran, after)
    }

    async fn read(&self, ends: Ends<'_>, logs: &Path) -> Result<Vec<Ran<'_>>, DriverError> {
        let (node, names) = (ends.client, &self.names);
        let directory = names.client();
        let mut files = vec![names.timing()];
        for process in self.parts.iter().flat_map(|part| &part.processes) {
            files.push(format!("{directory}/{}", process.file));
            files.push(format!("{directory}/{}.err", process.file));
        }
        let mut kept = keep(node, &ends.spec.results, &files, logs).await?.into_iter();
        let written = kept.next().unwrap_or_default();
        let Some(timings) = timings(&written) else {
            let space =
                node.run("df -P . | tail -n 1", BRIEF).await.map_err(|error| lost(&error))?;
            return Err(DriverError::rig(format!(
                "{} on {} breaks off: {}; its file system: {}",
                names.timing(),
                node.name(),
                written.lines().last().unwrap_or("it is empty"),
                space.stdout.trim()
            )));
        };
        let mut ran = Vec::new();
        for part in &self.parts {
            for process in &part.processes {
                let stdout = kept.next().unwrap_or_default();
                let stderr = kept.next().unwrap_or_default();
                let timing = timings.iter().find(|timing| timing.file == process.file);
                let Some(timing) = timing.cloned() else {
                    let (node, file) = (node.name(), &process.file);
                    let message = format!("{node}: nobody knows how {file} ended");
                    return Err(DriverError::rig(message));
                };
                let printed = Printed { code: timing.code, stdout, stderr };
                let result = match timing.code {
                    HUNG => {
                        Err(format!("it did not end within {} s and was ended", process.within))
                    }
                    _ => {
                        let parsed = part.tool.parse(&printed, &part.flow);
                        parsed.map_err(|refused| refused.to_string())
                    }
                };
                ran.push(Ran { part, process, timing, result });
            }
        }
        Ok(ran)
    }

    /// What is to be reported of flows that are all whole.
    fn observed(&self, ran: &[Ran<'_>], after: BothEnds) -> Result<Observation, DriverError> {
        let source: Arc<str> = self.test.name.as_str().into();
        let mut seen = Observation::default();
        let reported: Vec<(&Ran<'_>, &Figures)> = ran
            .iter()
            .filter(|ran| ran.part.reported)
            .filter_map(|ran| Some((ran, ran.result.as_ref().ok()?)))
            .collect();
        let all: Vec<Figures> = reported.iter().map(|(_, figures)| (*figures).clone()).collect();
        if ran.len() > 1 {
            let flows = ran.iter().map(|ran| {
                let (began, ended) = ran.timing.lived?;
                Some(Lived { began, ended, counted: ran.result.as_ref().ok()?.duration })
            });
            let said = match flows.collect::<Option<Vec<Lived>>>() {
                None => {
                    Some("is not known: `date` on its node has no fractions of a second".to_owned())
                }
                Some(flows) => {
                    let (least, most) = overlap(&flows);
                    let percent = format!("{:.0}% and {:.0}%", least * 100.0, most * 100.0);
                    if most < TOGETHER {
                        return Err(DriverError::rig(format!(
                            "{source}: its {} flows ran together for {:.0}% of their time at most: their figures \
                             cannot be put together; look for a client that started late",
                            ran.len(),
                            most * 100.0
                        )));
                    }
                    (least < TOGETHER).then(|| {
                        format!("is between {percent} of their time: connecting and closing took as long as that")
                    })
                }
            };
            let note = said.map(|said| format!("how long its flows ran together {said}"));
            seen.incidents.extend(note.map(|note| Incident::new(EventKind::Note, &source, note)));
        }
        let figures = Figures::together(&all);
        seen.readings = figures.readings(&source);
        let flow = &self.test.flow;
        let counted = Counted::between(self.before, after, flow.direction);
        let per_second = |packets: Option<f64>| packets.map(|packets| packets / flow.seconds());
        let (sent, received) = (per_second(counted.sent), per_second(counted.received));
        seen.readings
            .extend(sent.map(|rate| Reading::new(&NET_PACKETS_SENT_COUNTED, &source, rate)));
        seen.readings
            .extend(received.map(|rate| Reading::new(&NET_PACKETS_COUNTED, &source, rate)));
        if self.tells_packets() {
            let both = [
                disagreement("sent", figures.packets_sent, sent),
                disagreement("received", figures.packets_received, received),
            ];
            let notes = both.into_iter().flatten();
            seen.incidents.extend(notes.map(|note| Incident::new(EventKind::Note, &source, note)));
        }
        Ok(seen)
    }

    /// True where what the tool counts are packets, and no other traffic is.
    fn tells_packets(&self) -> bool {
        let flow = &self.test.flow;
        self.test.topic == Topic::Pps
            && flow.protocol == Protocol::Udp
            && flow.shape == Shape::Stream
            && flow.block.is_none_or(|bytes| bytes <= ONE_PACKET)
            && self.test.beside.is_none()
    }
}

impl Ran<'_> {
    fn refused(&self) -> Option<String> {
        let why = self.result.as_ref().err()?;
        let (tool, between) = (self.part.tool.name(), &self.process.between);
        let beside = if self.part.reported { "" } else { " beside it" };
        let (client, server, port) = (between.client, between.server, between.port);
        Some(format!("{tool}{beside} from {client} to {server} port {port}: {why}"))
    }
}

/// What files on a node hold, which is also written below `logs`.
pub(super) async fn keep(
    node: &dyn Remote,
    results: &str,
    files: &[String],
    logs: &Path,
) -> Result<Vec<String>, DriverError> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    // Nothing that a tool prints holds the moment at which it is fetched.
    let mark = format!("--- proofload {} ---", jiff::Timestamp::now().as_nanosecond());
    let mut line = String::new();
    for file in files {
        line += &format!("printf '%s\\n' '{mark}' && tail -c {FETCHED} -- {} && ", word(file)?);
    }
    let printed = succeed(node, &(line + ":"), "fetch results").await?;
    let mark = format!("{mark}\n");
    let held: Vec<String> = printed.split(&mark).skip(1).map(str::to_owned).collect();
    if held.len() != files.len() {
        let (name, found, of) = (node.name(), held.len(), files.len());
        return Err(DriverError::rig(format!("fetch results on {name}: {found} files of {of}")));
    }
    for (file, held) in files.iter().zip(&held) {
        let below = file.strip_prefix(results).unwrap_or(file).trim_start_matches('/');
        let path = logs.join(node.name()).join(below);
        let directory = path.parent().unwrap_or(logs);
        std::fs::create_dir_all(directory)
            .and_then(|()| std::fs::write(&path, held))
            .map_err(|error| DriverError::rig(format!("write {}: {error}", path.display())))?;
    }
    Ok(held)
}
