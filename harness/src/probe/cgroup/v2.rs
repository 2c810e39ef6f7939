//! The files of cgroup version 2: one directory for everything, times in microseconds.

use std::io;
use std::path::Path;

use crate::probe::kept::{Kept, fields};
use crate::probe::usage::{Usage, real_limit};

#[derive(Debug)]
pub(super) struct Files {
    current: Kept,
    stat: Kept,
    limit: Kept,
    cpu: Option<Kept>,
    disk: Option<Kept>,
    tasks: Option<Kept>,
}

impl Files {
    pub(super) fn open(group: &Path) -> io::Result<Self> {
        Ok(Self {
            current: Kept::open(&group.join("memory.current"))?,
            stat: Kept::open(&group.join("memory.stat"))?,
            limit: Kept::open(&group.join("memory.max"))?,
            cpu: Kept::open(&group.join("cpu.stat")).ok(),
            disk: Kept::open(&group.join("io.stat")).ok(),
            tasks: Kept::open(&group.join("pids.current")).ok(),
        })
    }

    pub(super) fn read(&self, buffer: &mut Vec<u8>, usage: &mut Usage) -> io::Result<()> {
        if let Some(cpu) = &self.cpu {
            let times = fields(cpu.read(buffer)?, ["usage_usec", "throttled_usec"]);
            [usage.cpu_time, usage.cpu_throttled] = times.map(|time| Some(time? as f64 / 1e6));
        }
        usage.usage = self.current.number(buffer)?;
        let [anon, mapped, inactive] =
            fields(self.stat.read(buffer)?, ["anon", "file_mapped", "inactive_file"]);
        usage.anon = anon;
        usage.rss = anon.zip(mapped).map(|(anon, mapped)| anon + mapped);
        usage.working_set =
            usage.usage.zip(inactive).map(|(usage, inactive)| usage.saturating_sub(inactive));
        // "max" is no number, and no limit.
        usage.limit = self.limit.number(buffer)?.and_then(real_limit);
        if let Some(disk) = &self.disk {
            (usage.disk_read, usage.disk_written) = disk_bytes(disk.read(buffer)?);
        }
        if let Some(tasks) = &self.tasks {
            usage.threads = tasks.number(buffer)?;
        }
        Ok(())
    }

    pub(super) fn absent(&self) -> Vec<&'static str> {
        let files =
            [("cpu.stat", &self.cpu), ("io.stat", &self.disk), ("pids.current", &self.tasks)];
        files.into_iter().filter(|(_, file)| file.is_none()).map(|(name, _)| name).collect()
    }
}

/// Sums of lines such as `8:0 rbytes=4096 wbytes=0 rios=1 wios=0`. No line is no traffic.
fn disk_bytes(text: &str) -> (Option<u64>, Option<u64>) {
    let (mut read, mut written) = (0, 0);
    for word in text.split_ascii_whitespace() {
        match word.split_once('=') {
            Some(("rbytes", bytes)) => read += bytes.parse().unwrap_or(0),
            Some(("wbytes", bytes)) => written += bytes.parse().unwrap_or(0),
            _ => {}
        }
    }
    (Some(read), Some(written))
}
