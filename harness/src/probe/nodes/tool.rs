//! [`Tree`]: what the processes of a tool under test have used, which come and go.

use std::collections::HashMap;
use std::sync::Arc;

use procfs_core::process::Stat;

use super::LEAST;
use super::answer::Tool;
use crate::model::metric::{
    CPU_TIME, CPU_USAGE, FAULTS_MAJOR, FAULTS_MINOR, LOG_SIZE, MEMORY_RSS, MEMORY_VIRTUAL,
    PROCESSES,
};
use crate::model::{Metric, Reading};
use crate::probe::procfs::{Counter, TICKS, Total};

/// The process tree of a tool: its session, their descendants, and those of them whose parents ended.
#[derive(Default)]
pub(super) struct Tree {
    session: i32,
    /// Who belongs to it, with the start time: process ids are used again.
    ours: HashMap<i32, u64>,
    time: Total,
    minor: Total,
    major: Total,
    /// The node's clock and the processor time at the reading before.
    before: Option<(f64, f64)>,
}

impl Tree {
    /// The processes that belonged to it at the last reading.
    pub(super) fn known(&self) -> impl Iterator<Item = u32> {
        self.ours.keys().filter_map(|pid| u32::try_from(*pid).ok())
    }

    /// Takes in what the node said at `uptime`; nothing where no process of the tool runs.
    pub(super) fn update(
        &mut self,
        tool: &Tool,
        uptime: f64,
        page: u64,
        source: &Arc<str>,
    ) -> Vec<Reading> {
        if tool.session != self.session {
            *self = Self { session: tool.session, ..Self::default() };
        }
        let ours = self.find(&tool.processes, tool.started);
        let running: Vec<&Stat> =
            ours.iter().copied().filter(|stat| !matches!(stat.state, 'Z' | 'X' | 'x')).collect();
        if running.is_empty() {
            return Vec::new();
        }
        let time = self.time.update(ours.iter().map(|stat| {
            let waited = unsigned(stat.cutime) + unsigned(stat.cstime);
            counter(stat, stat.utime + stat.stime, waited)
        })) as f64
            / TICKS;
        let minor =
            self.minor.update(ours.iter().map(|stat| counter(stat, stat.minflt, stat.cminflt)));
        let major =
            self.major.update(ours.iter().map(|stat| counter(stat, stat.majflt, stat.cmajflt)));
        // It has root's rights for the tool, and is no part of it.
        let own = || running.iter().filter(|stat| stat.comm != "sudo");
        let rss: u64 = own().map(|stat| stat.rss * page).sum();
        let mapped: u64 = own().map(|stat| stat.vsize).sum();
        let mut readings = Vec::new();
        let mut add = |metric: &Metric, value| readings.push(Reading::new(metric, source, value));
        let elapsed = self.before.map_or(0.0, |(then, _)| uptime - then);
        if let Some((_, used)) = self.before.filter(|_| elapsed >= LEAST) {
            add(&CPU_USAGE, (time - used).max(0.0) / elapsed);
        }
        if self.before.is_none() || elapsed >= LEAST {
            self.before = Some((uptime, time));
        }
        add(&CPU_TIME, time);
        add(&MEMORY_RSS, rss as f64);
        add(&MEMORY_VIRTUAL, mapped as f64);
        add(&FAULTS_MINOR, minor as f64);
        add(&FAULTS_MAJOR, major as f64);
        if let Some(bytes) = tool.output {
            add(&LOG_SIZE, bytes as f64);
        }
        add(&PROCESSES, own().count() as f64);
        readings
    }

    /// Brings `ours` up to date, and gives them. The node picked them by process id alone.
    fn find<'a>(&mut self, all: &'a [Stat], started: u64) -> Vec<&'a Stat> {
        // A leader that started at another time leads a session of the same number, long after ours.
        let is_other = |stat: &Stat| stat.pid == self.session && stat.starttime != started;
        let is_gone = started > 0 && all.iter().any(is_other);
        let known = |stat: &&Stat| self.ours.get(&stat.pid) == Some(&stat.starttime);
        let (mut ours, mut others): (Vec<&Stat>, Vec<&Stat>) =
            all.iter().partition(|stat| (stat.session == self.session && !is_gone) || known(stat));
        loop {
            let is_child = |stat: &&Stat| ours.iter().any(|parent| parent.pid == stat.ppid);
            let (children, rest): (Vec<&Stat>, Vec<&Stat>) = others.into_iter().partition(is_child);
            others = rest;
            if children.is_empty() {
                break;
            }
            ours.extend(children);
        }
        self.ours = ours.iter().map(|stat| (stat.pid, stat.starttime)).collect();
        ours
    }
}

fn counter(stat: &Stat, own: u64, waited: u64) -> Counter {
    let id = |id: i32| u32::try_from(id).unwrap_or(0);
    Counter { pid: id(stat.pid), parent: id(stat.ppid), value: own + waited, waited }
}

fn unsigned(ticks: i64) -> u64 {
    u64::try_from(ticks).unwrap_or(0)
}
