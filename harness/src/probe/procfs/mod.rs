//! [`Tree`]: everything a started process is, from procfs: its group, its descendants, and those of them whose parents ended.
//!
//! Memory is `RssAnon`, `RssFile` and `RssShmem` summed over the processes, so a page that several share counts several
//! times; a process has neither a limit nor network counters of its own. Processor time comes in clock ticks of 10 ms.

mod others;
mod stat;
mod total;

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Instant;

pub(super) use others::Others;
pub(super) use stat::Stat;
pub(super) use total::{Counter, Total};

use super::cgroup::count_files;
use super::kept::fields;
use super::usage::Usage;

/// Clock ticks a second: `USER_HZ`, which is 100 wherever Linux runs today.
pub(super) const TICKS: f64 = 100.0;

/// All processes at one moment, for all trees of a tick.
pub(super) struct Processes {
    proc: PathBuf,
    buffer: Vec<u8>,
    path: String,
    all: HashMap<u32, Stat>,
}

impl Processes {
    /// `root` is the root of the file system, `/` but in tests.
    pub(super) fn new(root: &Path) -> Self {
        Self {
            proc: root.join("proc"),
            buffer: Vec::new(),
            path: String::new(),
            all: HashMap::new(),
        }
    }

    /// Looks at every process there is.
    pub(super) fn scan(&mut self) -> io::Result<()> {
        self.all.clear();
        for entry in fs::read_dir(&self.proc)? {
            let name = entry?.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
            // A process that ended since the directory was listed is none.
            if let Some(stat) = self.text(pid, "stat").and_then(Stat::parse) {
                self.all.insert(pid, stat);
            }
        }
        Ok(())
    }

    /// Looks at one process, at its descendants but for those below which `is_out`, and at these others. Where the kernel
    /// does not list children (`CONFIG_PROC_CHILDREN`), descendants that are not among the others are found only by a
    /// look at every process there is, which is taken when `full`.
    fn scan_tree(
        &mut self,
        root: u32,
        others: impl Iterator<Item = u32>,
        is_out: impl Fn(u32, &Stat) -> bool,
        full: bool,
    ) -> io::Result<()> {
        let lists = self.proc.join(format!("{root}/task/{root}/children")).exists();
        if full && !lists {
            return self.scan();
        }
        self.all.clear();
        let mut open: Vec<u32> = others.chain([root]).collect();
        while let Some(pid) = open.pop() {
            if self.all.contains_key(&pid) {
                continue;
            }
            let Some(stat) = self.stat(pid) else { continue };
            self.all.insert(pid, stat);
            if !lists || is_out(pid, &stat) {
                continue;
            }
            // What ended meanwhile has no children any more.
            for task in fs::read_dir(self.proc.join(format!("{pid}/task"))).into_iter().flatten() {
                let children =
                    task.and_then(|task| fs::read_to_string(task.path().join("children")));
                let children = children.unwrap_or_default();
                open.extend(
                    children.split_ascii_whitespace().filter_map(|pid| pid.parse::<u32>().ok()),
                );
            }
        }
        Ok(())
    }

    /// One process, without looking at the others.
    pub(super) fn stat(&mut self, pid: u32) -> Option<Stat> {
        self.text(pid, "stat").and_then(Stat::parse)
    }

    fn text(&mut self, pid: u32, file: &str) -> Option<&str> {
        self.read(pid, file).ok()
    }

    fn read(&mut self, pid: u32, file: &str) -> io::Result<&str> {
        use std::fmt::Write as _;
        self.path.clear();
        // Writing to a string cannot fail.
        let _ = write!(self.path, "{pid}/{file}");
        self.buffer.clear();
        File::open(self.proc.join(&self.path))?.read_to_end(&mut self.buffer)?;
        std::str::from_utf8(&self.buffer)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }
}

/// One member that is a process.
pub(super) struct Tree {
    leader: u32,
    /// Who belongs to it, with the start time: a process stays ours when its parent ends.
    ours: HashMap<u32, u64>,
    /// True once all of it ended; what has its number from then on is somebody else.
    gone: bool,
    time: Total,
    read: Total,
    written: Total,
    /// Why disk bytes or files cannot be had, once that is known.
    io: Result<(), String>,
    files: Result<(), String>,
    since: Instant,
}

impl Tree {
    /// The tree of the process group that `leader` leads.
    pub(super) fn new(leader: u32) -> Self {
        Self {
            leader,
            ours: HashMap::new(),
            gone: false,
            time: Total::default(),
            read: Total::default(),
            written: Total::default(),
            io: Ok(()),
            files: Ok(()),
            since: Instant::now(),
        }
    }

    /// Reads it; none when no process of it runs any more.
    pub(super) fn read(&mut self, processes: &mut Processes) -> Option<Usage> {
        if self.gone {
            return None;
        }
        self.find(&processes.all);
        let mut usage = Usage { at: self.since.elapsed().as_secs_f64(), ..Usage::default() };
        let times = self.ours.keys().map(|pid| {
            let Stat { parent, own_time, waited_time, .. } = processes.all[pid];
            Counter { pid: *pid, parent, value: own_time + waited_time, waited: waited_time }
        });
        usage.cpu_time = Some(self.time.update(times) as f64 / TICKS);
        let alive: Vec<(u32, Stat)> = self
            .ours
            .keys()
            .map(|pid| (*pid, processes.all[pid]))
            .filter(|(_, stat)| !stat.ended())
            .collect();
        if alive.is_empty() {
            self.gone = true;
            return None;
        }
        let (mut anon, mut rss, mut readable) = (0, 0, false);
        for (pid, _) in &alive {
            let Some(text) = processes.text(*pid, "status") else { continue };
            let [Some(a), Some(f), Some(s)] = sizes(text) else { continue };
            (anon, rss, readable) = (anon + a, rss + a + f + s, true);
        }
        if readable {
            (usage.anon, usage.rss, usage.working_set) = (Some(anon), Some(rss), Some(rss));
        }
        (usage.disk_read, usage.disk_written) = self.disk(processes).unzip();
        usage.processes = Some(alive.len() as u64);
        usage.threads = Some(alive.iter().map(|(_, stat)| stat.threads).sum());
        if self.files.is_ok() {
            let pids: Vec<u32> = alive.iter().map(|(pid, _)| *pid).collect();
            match count_files(&processes.proc, &pids) {
                Ok(count) => (usage.files, usage.sockets) = (Some(count.files), count.sockets),
                Err(error) => self.files = Err(format!("open files cannot be counted: {error}")),
            }
        }
        Some(usage)
    }

    /// What cannot be measured here, and why.
    pub(super) fn unavailable(&self) -> impl Iterator<Item = String> {
        self.io.as_ref().err().cloned().into_iter().chain(self.files.as_ref().err().cloned())
    }

    /// Brings `ours` up to date: the group, the descendants, and whoever was ours before and still runs.
    fn find(&mut self, all: &HashMap<u32, Stat>) {
        self.ours.retain(|pid, started| all.get(pid).is_some_and(|stat| stat.started == *started));
        let in_group =
            all.iter().filter(|(pid, stat)| **pid == self.leader || stat.group == self.leader);
        self.ours.extend(in_group.map(|(pid, stat)| (*pid, stat.started)));
        let mut strangers = HashSet::new();
        for pid in all.keys() {
            let mut chain = vec![*pid];
            let ours = loop {
                let Some(last) = chain.last() else { break false };
                if self.ours.contains_key(last) {
                    break true;
                }
                let parent = all.get(last).map_or(0, |stat| stat.parent);
                if parent == 0 || strangers.contains(last) || chain.contains(&parent) {
                    break false;
                }
                chain.push(parent);
            };
            if ours {
                self.ours
                    .extend(chain.iter().filter_map(|pid| Some((*pid, all.get(pid)?.started))));
            } else {
                strangers.extend(chain);
            }
        }
    }

    fn disk(&mut self, processes: &mut Processes) -> Option<(u64, u64)> {
        self.io.as_ref().ok()?;
        let mut counters = Vec::with_capacity(self.ours.len());
        for pid in self.ours.keys() {
            let parent = processes.all[pid].parent;
            match processes.read(*pid, "io") {
                Ok(text) => {
                    let [read, written] = fields(text, ["read_bytes:", "write_bytes:"]);
                    counters.push((*pid, parent, read?, written?));
                }
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    self.io = Err(format!("disk bytes cannot be read: {error}"));
                    return None;
                }
                Err(_it_ended) => {}
            }
        }
        // The kernel adds a waited-for child to its parent's own numbers here.
        let pick = |written: bool| {
            counters.iter().map(move |&(pid, parent, r, w)| {
                let value = if written { w } else { r };
                Counter { pid, parent, value, waited: value }
            })
        };
        Some((self.read.update(pick(false)), self.written.update(pick(true))))
    }
}

/// `RssAnon`, `RssFile` and `RssShmem` of `/proc/<pid>/status`, in bytes.
fn sizes(text: &str) -> [Option<u64>; 3] {
    let mut sizes = [None; 3];
    for line in text.lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        if let Some(index) =
            ["RssAnon", "RssFile", "RssShmem"].iter().position(|wanted| *wanted == key)
        {
            let kibibytes =
                value.trim_ascii().strip_suffix(" kB").and_then(|value| value.parse::<u64>().ok());
            sizes[index] = kibibytes.map(|kibibytes| kibibytes * 1024);
        }
    }
    sizes
}

#[cfg(test)]
mod tests;
