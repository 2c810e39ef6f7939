//! [`Course::collect`]: the figures of a test that has ended, or whose fault it is that there are none.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::DriverError;
use super::clients::{HUNG, Lived, Process, Timing, overlap, timings};
use super::counters::{BothEnds, Counted};
use super::course::{Course, Ends, Part, read_counters};
use super::figures::Figures;
use super::remote::{BRIEF, Remote, lost, succeed, word};
use super::tool::Printed;
use crate::host::node::Stopped;
use crate::model::metric::{NET_PACKETS_COUNTED, NET_PACKETS_SENT_COUNTED};
use crate::model::spec::network::{Protocol, Shape};
use crate::model::{EventKind, Incident, Observation, Reading};

/// The part of a test for which all its flows must have run, for their rates to be added.
const TOGETHER: f64 = 0.9;

/// A datagram that is larger may be sent in several packets.
const ONE_PACKET: u32 = 1400;

/// The largest log of a tool under test that is copied, in bytes.
const LARGEST: u64 = 64 * 1024 * 1024;

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
    /// [`DriverError`]: the system's where a flow failed with a tool beside it, whatever its server says; the rig's where
    /// there is no tool, or a node cannot be reached.
    pub(super) async fn collect(
        &mut self,
        ends: Ends<'_>,
        logs: &Path,
    ) -> Result<Observation, DriverError> {
        self.finish(ends).await?;
        let this = &*self;
        let outputs = this.servers.iter().map(|server| server.output.clone());
        let outputs: Vec<String> = outputs.collect();
        // On both nodes at once: what is not the tests' takes longest on slow guests.
        let served = async {
            let stopped = this.end_servers().await;
            (stopped, keep(ends.server, &ends.spec.results, &outputs, logs).await)
        };
        let (after, ran, (stopped, kept)) =
            tokio::join!(read_counters(ends), this.read(ends, logs), served);
        let (mut failures, mut unreachable) = (String::new(), false);
        if !ran.as_ref().is_ok_and(|ran| ran.iter().all(|one| one.result.is_ok())) {
            for (server, stopped) in this.servers.iter().zip(&stopped) {
                let failure = match stopped {
                    Ok(Stopped::Before) => server.failure(ends.server).await,
                    Ok(_) => Ok(None),
                    Err(error) => Err(error.clone()),
                };
                unreachable |= failure.is_err();
                if let Some(failure) = failure.unwrap_or_else(|error| Some(error.to_string())) {
                    let _ = write!(failures, "\n  {failure}");
                }
            }
        }
        let ran = ran?;
        let refused: Vec<String> = ran.iter().filter_map(Ran::refused).collect();
        if !refused.is_empty() {
            let message = format!("{}: {}", this.test.name, refused.join("; "));
            return Err(match &ends.spec.tool {
                Some(tool) if !unreachable => {
                    let beside = format!(" (beside tool {})", tool.name);
                    DriverError::system(message + &beside + &failures)
                }
                _ => DriverError::rig(message + &failures),
            });
        }
        stopped.into_iter().collect::<Result<Vec<_>, _>>().map_err(|error| lost(&error))?;
        kept?;
        this.observed(&ran, after?)
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
        let written = text(kept.next())?;
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
                let stdout = text(kept.next())?;
                let stderr = text(kept.next())?;
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
                Some(Lived { began, ended, counted: ran.result.as_ref().ok()?.arriving })
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
        // Interfaces count what the tool leaves out, too.
        let omit = flow.omit.0.as_secs_f64();
        let times = [omit + figures.sending, omit + figures.arriving];
        let counted = Counted::between(self.before, after, flow.direction, times);
        for (metric, rate) in
            [(&NET_PACKETS_SENT_COUNTED, counted.sent), (&NET_PACKETS_COUNTED, counted.received)]
        {
            seen.readings.extend(rate.map(|rate| Reading::new(metric, &source, rate)));
        }
        if self.tells_packets() {
            let both = [
                counted.differs_from_sent(figures.packets_sent),
                counted.differs_from_received(figures.packets_received),
            ];
            let notes = both.into_iter().flatten();
            seen.incidents.extend(notes.map(|note| Incident::new(EventKind::Note, &source, note)));
        }
        Ok(seen)
    }

    /// True where what the tool counts are packets, and no other traffic is.
    fn tells_packets(&self) -> bool {
        let flow = &self.test.flow;
        // Unless it is told a size, iperf3 takes one that fits into a packet, and netperf the largest there is.
        let one_packet = match flow.block {
            Some(bytes) => bytes <= ONE_PACKET,
            None => self.test.tool == "iperf3",
        };
        let datagrams = flow.protocol == Protocol::Udp && flow.shape == Shape::Stream;
        datagrams && one_packet && self.test.beside.is_none()
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

/// Copies files on a node, all of them below `results`, whole and in one go below `logs`; gives where they are now.
pub(super) async fn keep(
    node: &dyn Remote,
    results: &str,
    files: &[String],
    logs: &Path,
) -> Result<Vec<PathBuf>, DriverError> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = files.iter().map(|file| below(results, file)).collect();
    let local = logs.join(node.name());
    std::fs::create_dir_all(&local).map_err(|error| broken("make", &local, &error))?;
    node.fetch(results, &names, &local).await.map_err(|error| lost(&error))?;
    Ok(names.iter().map(|name| local.join(name)).collect())
}

/// As [`keep`] for one file, which stays on its node where it is larger than [`LARGEST`]: a note in its place says so.
pub(super) async fn keep_log(
    node: &dyn Remote,
    results: &str,
    file: &str,
    logs: &Path,
) -> Result<(), DriverError> {
    let counted = succeed(node, &format!("wc -c < {}", word(file)?), "measure a log").await?;
    let bytes = counted.trim().parse::<u64>().map_err(|_| {
        DriverError::rig(format!("measure {file} on {}: it has `{counted}` bytes", node.name()))
    })?;
    if bytes <= LARGEST {
        return keep(node, results, &[file.to_owned()], logs).await.map(drop);
    }
    let path = logs.join(node.name()).join(format!("{}.elsewhere.txt", below(results, file)));
    let note = format!(
        "{file} in the workdir of node {} has {bytes} bytes, and was left there: more than {LARGEST} are not copied\n",
        node.name()
    );
    std::fs::create_dir_all(path.parent().unwrap_or(logs))
        .and_then(|()| std::fs::write(&path, note))
        .map_err(|error| broken("write", &path, &error))
}

fn below<'a>(results: &str, file: &'a str) -> &'a str {
    file.strip_prefix(results).unwrap_or(file).trim_start_matches('/')
}

/// What a kept file holds. What is no text in it is no figure either.
fn text(path: Option<PathBuf>) -> Result<String, DriverError> {
    let Some(path) = path else { return Ok(String::new()) };
    let held = std::fs::read(&path).map_err(|error| broken("read", &path, &error))?;
    Ok(String::from_utf8_lossy(&held).into_owned())
}

fn broken(what: &str, path: &Path, error: &std::io::Error) -> DriverError {
    DriverError::rig(format!("{what} {}: {error}", path.display()))
}
