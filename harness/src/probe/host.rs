//! The probe `host`: what this machine did meanwhile, by which one can tell whether a trial's data are worth judging.
//!
//! It always runs. Processor time comes from `/proc/stat` in clock ticks of 10 ms, that of the harness from its own
//! process tree less the target's, and the quota's from the control groups that the harness is in.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;

use super::Probe;
use super::cgroup::own_groups;
use super::kept::{Kept, fields};
use super::missed::Missed;
use super::procfs::{Others, Processes, TICKS};
use crate::model::metric::{
    HOST_CLOCK_OFFSET, HOST_CPU_BUSY, HOST_CPU_HARNESS, HOST_CPU_STEAL, HOST_CPU_THROTTLED,
    HOST_CPUS,
};
use crate::model::{Handle, Incident, Member, Metric, Observation, Reading};

/// Over less time than two ticks a rate says nothing.
const LEAST: Duration = Duration::from_millis(20);

/// Reads this machine.
pub struct Host {
    source: Arc<str>,
    stat: Result<Kept, String>,
    /// `cpu.stat` of every group that this process is in.
    quotas: Vec<Kept>,
    processes: Processes,
    harness: Others,
    clock: (Instant, SystemTime),
    before: Option<(Instant, Times, f64)>,
    missed: Missed,
    buffer: Vec<u8>,
}

/// The counters of the line `cpu` of `/proc/stat`, in ticks, and how many processors there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) busy: u64,
    steal: u64,
    pub(super) cpus: u32,
}

impl Times {
    /// Reads the text of `/proc/stat`. Time of guests is part of `user` and `nice` already (proc(5)).
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut times: Option<(u64, u64)> = None;
        let mut cpus = 0;
        for line in text.lines().take_while(|line| line.starts_with("cpu")) {
            let (name, counters) = line.split_once(' ')?;
            if name != "cpu" {
                cpus += 1;
                continue;
            }
            let counters: Vec<u64> =
                counters.split_ascii_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
            let [user, nice, system, _idle, _iowait, irq, softirq, steal, ..] = counters[..] else {
                return None;
            };
            times = Some((user + nice + system + irq + softirq, steal));
        }
        times.map(|(busy, steal)| Self { busy, steal, cpus })
    }
}

/// For how long a group was held back, in seconds, from the text of its `cpu.stat`: version 2 says it in microseconds,
/// version 1 in nanoseconds. `None` of a group that has no quota to speak of, such as the root.
fn throttled(text: &str) -> Option<f64> {
    match fields(text, ["throttled_usec", "throttled_time"]) {
        [Some(micros), _] => Some(micros as f64 / 1e6),
        [None, Some(nanos)] => Some(nanos as f64 / 1e9),
        [None, None] => None,
    }
}

impl Host {
    /// Gets ready to read this machine, on which the members of the target run. `root` is the root of the file system,
    /// `/` but in tests.
    #[must_use]
    pub fn open(members: &[Member], root: &Path) -> Self {
        Self::of(members, root, std::process::id())
    }

    fn of(members: &[Member], root: &Path, own: u32) -> Self {
        let path = root.join("proc/stat");
        let stat = Kept::open(&path).map_err(|error| format!("{}: {error}", path.display()));
        let leaders = members.iter().filter_map(|member| match member.handle {
            Handle::Process { pid } => Some(pid),
            Handle::Container { .. } | Handle::Node { .. } => None,
        });
        Self {
            source: "host".into(),
            stat,
            quotas: quotas(root).unwrap_or_default(),
            processes: Processes::new(root),
            harness: Others::new(own, leaders.collect()),
            clock: (Instant::now(), SystemTime::now()),
            before: None,
            missed: Missed::default(),
            buffer: Vec::new(),
        }
    }

    fn times(&mut self) -> Result<Times, String> {
        let stat = self.stat.as_ref().map_err(Clone::clone)?;
        let text = stat.read(&mut self.buffer).map_err(|error| format!("proc/stat: {error}"))?;
        Times::parse(text).ok_or_else(|| "proc/stat: expected a line `cpu` of counters".to_owned())
    }

    fn usage(&mut self, now: Instant, readings: &mut Vec<Reading>) -> Result<(), String> {
        let times = self.times()?;
        let harness = self.harness.time(&mut self.processes);
        let harness = harness.map_err(|error| format!("proc: {error}"))?;
        let mut add = |metric: &Metric, value: f64| {
            readings.push(Reading::new(metric, &self.source, value));
        };
        add(&HOST_CPUS, f64::from(times.cpus));
        let Some((then, before, harness_before)) = self.before else {
            self.before = Some((now, times, harness));
            return Ok(());
        };
        let elapsed = now - then;
        if elapsed < LEAST {
            return Ok(());
        }
        let rate = |ticks: u64| ticks as f64 / TICKS / elapsed.as_secs_f64();
        // Steal was seen to step back on some hypervisors.
        add(&HOST_CPU_BUSY, rate(times.busy.saturating_sub(before.busy)));
        add(&HOST_CPU_STEAL, rate(times.steal.saturating_sub(before.steal)));
        add(&HOST_CPU_HARNESS, (harness - harness_before).max(0.0) / elapsed.as_secs_f64());
        self.before = Some((now, times, harness));
        Ok(())
    }

    fn observe(&mut self, now: Instant, wall: SystemTime) -> Observation {
        let mut readings = Vec::new();
        let mut incidents: Vec<Incident> = Vec::new();
        match self.usage(now, &mut readings) {
            Ok(()) => self.missed.found(&self.source, "stat"),
            Err(why) => incidents.extend(self.missed.lost(&self.source, "stat", why)),
        }
        let seconds = |quota: &Kept| throttled(quota.read(&mut self.buffer).ok()?);
        let held_back: Vec<f64> = self.quotas.iter().filter_map(seconds).collect();
        if !held_back.is_empty() {
            let total = held_back.iter().sum();
            readings.push(Reading::new(&HOST_CPU_THROTTLED, &self.source, total));
        }
        let offset = signed(wall, self.clock.1) - (now - self.clock.0).as_secs_f64();
        readings.push(Reading::new(&HOST_CLOCK_OFFSET, &self.source, offset));
        Observation { readings, incidents }
    }
}

/// Seconds from one date to another, which may lie before it.
fn signed(now: SystemTime, then: SystemTime) -> f64 {
    match now.duration_since(then) {
        Ok(later) => later.as_secs_f64(),
        Err(earlier) => -earlier.duration().as_secs_f64(),
    }
}

/// The counters of the groups that this process is in: any of them may have a quota.
fn quotas(root: &Path) -> io::Result<Vec<Kept>> {
    let membership = std::fs::read_to_string(root.join("proc/self/cgroup"))?;
    let mounts = std::fs::read_to_string(root.join("proc/self/mountinfo"))?;
    let groups = own_groups(root, &membership, &mounts).into_iter();
    let files = groups.filter_map(|group| Kept::open(&group.join("cpu.stat")).ok());
    let has_quota =
        |file: &Kept| file.read(&mut Vec::new()).is_ok_and(|text| throttled(text).is_some());
    Ok(files.filter(has_quota).collect())
}

#[async_trait]
impl Probe for Host {
    fn metrics(&self) -> Vec<Metric> {
        vec![
            HOST_CPU_BUSY,
            HOST_CPU_STEAL,
            HOST_CPU_HARNESS,
            HOST_CPU_THROTTLED,
            HOST_CPUS,
            HOST_CLOCK_OFFSET,
        ]
    }

    async fn read(&mut self) -> Observation {
        self.observe(Instant::now(), SystemTime::now())
    }
}

#[cfg(test)]
#[path = "host_tests.rs"]
mod tests;
