//! The probe `containers`: memory, processor, network, disk, threads and files of every member of the target.
//!
//! A process is read from procfs with its whole tree; a container from its cgroup files, and where those cannot be
//! seen, from Docker's statistics. Processes have no network counters of their own: theirs are absent.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;

use super::container::{Container, Look};
use super::docker::Daemon;
use super::missed::Missed;
use super::procfs::{Processes, Tree};
use super::usage::{METRICS, Usage};
use super::{Probe, ProbeError};
use crate::model::{EventKind, Handle, Incident, Member, Metric, Observation};

/// Above this part of the limit, memory is high; it must fall below the second before it can be high again.
const HIGH: f64 = 0.95;
const NO_LONGER_HIGH: f64 = 0.90;

/// Reads every member of a target.
pub struct Containers {
    watched: Vec<Watched>,
    processes: Option<Processes>,
    teller: Teller,
    buffer: Vec<u8>,
}

struct Watched {
    name: Arc<str>,
    source: Source,
    before: Option<Usage>,
    high: bool,
}

enum Source {
    Process(Box<Tree>),
    Container(Box<Container>),
}

impl Containers {
    /// Gets ready to read these members.
    ///
    /// `root` is the root of the file system in which procfs and cgroupfs are: `/`, unless containers shall be read
    /// from Docker's statistics alone, which any directory without them brings about.
    ///
    /// # Errors
    /// When a member is a container and no Docker daemon answers.
    pub async fn open(members: &[Member], root: &Path) -> Result<Self, ProbeError> {
        let is_container = |member: &Member| matches!(member.handle, Handle::Container { .. });
        let daemon =
            if members.iter().any(is_container) { Some(Daemon::connect().await?) } else { None };
        let processes = members
            .iter()
            .any(|member| matches!(member.handle, Handle::Process { .. }))
            .then(|| Processes::new(Path::new("/")));
        let watched = members.iter().map(async |member| {
            let source = match (&member.handle, &daemon) {
                (Handle::Container { id }, Some(daemon)) => {
                    let container =
                        Container::open(id.clone(), daemon.clone(), root.to_owned()).await;
                    Source::Container(Box::new(container))
                }
                (Handle::Process { pid }, _) => Source::Process(Box::new(Tree::new(*pid))),
                (Handle::Container { .. }, None) | (Handle::Node { .. }, _) => return None,
            };
            Some(Watched { name: Arc::clone(&member.name), source, before: None, high: false })
        });
        let watched = join_all(watched).await.into_iter().flatten().collect();
        Ok(Self { watched, processes, teller: Teller::default(), buffer: Vec::new() })
    }

    /// Reads containers of which only captured files are there, each given by its id and its first process.
    ///
    /// # Errors
    /// When the files of one cannot be read.
    #[doc(hidden)] // For the benches.
    pub fn captured(containers: &[(String, u32)], root: &Path) -> Result<Self, ProbeError> {
        let watched = containers.iter().map(|(id, pid)| {
            let container = Container::captured(id.clone(), *pid, root.to_owned())?;
            let source = Source::Container(Box::new(container));
            Ok(Watched { name: Arc::from(id.as_str()), source, before: None, high: false })
        });
        let watched = watched.collect::<Result<_, ProbeError>>()?;
        Ok(Self { watched, processes: None, teller: Teller::default(), buffer: Vec::new() })
    }
}

#[async_trait]
impl Probe for Containers {
    fn metrics(&self) -> Vec<Metric> {
        METRICS.to_vec()
    }

    async fn read(&mut self) -> Observation {
        let mut out = Observation::default();
        let scanned = match self.processes.as_mut().map(Processes::scan) {
            Some(Err(error)) => {
                let why = format!("/proc cannot be listed: {error}");
                out.incidents.extend(self.teller.missed.lost(
                    &Arc::from("containers"),
                    "/proc",
                    why,
                ));
                false
            }
            _ => true,
        };
        for watched in &mut self.watched {
            let look = match (&mut watched.source, &mut self.processes) {
                (Source::Process(tree), Some(processes)) if scanned => match tree.read(processes) {
                    Some(usage) => Look::Used(usage),
                    None => Look::Missed("no process of its group runs any more".to_owned()),
                },
                (Source::Process(_), _) => Look::NoNews,
                (Source::Container(container), _) => container.look(&mut self.buffer).await,
            };
            self.teller.tell(watched, look, &mut out);
        }
        out
    }
}

/// Turns looks into readings and incidents, and remembers what was said.
#[derive(Default)]
struct Teller {
    missed: Missed,
    said: BTreeSet<(Arc<str>, String)>,
}

impl Teller {
    fn tell(&mut self, watched: &mut Watched, look: Look, out: &mut Observation) {
        let reasons = match &watched.source {
            Source::Process(tree) => tree.unavailable().collect(),
            Source::Container(container) => container.unavailable(),
        };
        for reason in reasons {
            if self.said.insert((Arc::clone(&watched.name), reason.clone())) {
                out.incidents.push(Incident::new(EventKind::Unavailable, &watched.name, reason));
            }
        }
        match look {
            Look::Used(usage) => {
                self.missed.found(&watched.name, "");
                usage.append(watched.before.as_ref(), &watched.name, &mut out.readings);
                out.incidents.extend(memory_high(&mut watched.high, &usage, &watched.name));
                watched.before = Some(usage);
            }
            Look::NoNews => {}
            Look::Missed(why) => {
                watched.before = None;
                out.incidents.extend(self.missed.lost(&watched.name, "", why));
            }
        }
    }
}

fn memory_high(high: &mut bool, usage: &Usage, source: &Arc<str>) -> Option<Incident> {
    let fraction = usage.fraction()?;
    let rises = fraction > HIGH && !*high;
    *high = fraction > HIGH || (*high && fraction >= NO_LONGER_HIGH);
    let (used, limit) = (usage.working_set?, usage.limit?);
    rises.then(|| {
        let message = format!(
            "working set at {:.1}% of its limit ({used} of {limit} bytes)",
            fraction * 100.0
        );
        Incident::new(EventKind::MemoryHigh, source, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn high_memory_is_said_once_a_crossing() {
        let (mut high, api) = (false, Arc::from("api"));
        for (used, said) in [
            (90, false),
            (96, true),
            (99, false),
            (93, false),
            (96, false),
            (89, false),
            (96, true),
        ] {
            let usage = Usage { working_set: Some(used), limit: Some(100), ..Usage::default() };
            assert_eq!(memory_high(&mut high, &usage, &api).is_some(), said, "{used}");
        }
        assert_eq!(
            memory_high(&mut false, &Usage { working_set: Some(9), ..Usage::default() }, &api),
            None
        );
    }

    #[test]
    fn a_member_that_vanished_has_no_readings_and_is_missed_once() {
        let mut watched = Watched {
            name: Arc::from("api"),
            source: Source::Process(Box::new(Tree::new(1))),
            before: None,
            high: false,
        };
        let mut teller = Teller::default();
        let mut check = |look: Look, readings: usize, incidents: usize| {
            let mut out = Observation::default();
            teller.tell(&mut watched, look, &mut out);
            assert_eq!((out.readings.len(), out.incidents.len()), (readings, incidents), "{out:?}");
        };
        let used = |at: f64| Look::Used(Usage { at, cpu_time: Some(at), ..Usage::default() });
        let missed = || Look::Missed("gone".to_owned());
        check(used(1.0), 1, 0);
        check(used(2.0), 2, 0);
        check(Look::NoNews, 0, 0);
        check(missed(), 0, 1);
        check(missed(), 0, 0);
        check(used(3.0), 1, 0);
        check(missed(), 0, 1);
    }

    #[tokio::test]
    async fn processes_are_read_without_docker() {
        let member =
            Member { name: Arc::from("me"), handle: Handle::Process { pid: std::process::id() } };
        let mut probe = Containers::open(&[member], Path::new("/")).await.unwrap();
        let seen = probe.read().await;
        let names: Vec<_> = seen.readings.iter().map(|reading| reading.metric.as_ref()).collect();
        assert!(names.contains(&"memory.anon") && names.contains(&"cpu.time"), "{names:?}");
        assert!(!names.contains(&"memory.limit") && !names.contains(&"network.sent"), "{names:?}");
        assert!(seen.readings.iter().all(|reading| &*reading.source == "me"));
    }
}
