//! The files of cgroup version 1: one directory per controller, times in nanoseconds.

use std::io;
use std::path::PathBuf;

use super::place::Place;
use crate::probe::kept::{Kept, fields};
use crate::probe::usage::{Usage, real_limit};

#[derive(Debug)]
pub(super) struct Files {
    usage: Kept,
    stat: Kept,
    cpu: Option<Kept>,
    quota: Option<Kept>,
    disk: Option<Kept>,
    tasks: Option<Kept>,
}

impl Files {
    pub(super) fn open(place: &Place) -> io::Result<Self> {
        let Place::V1 { memory, cpuacct, cpu, blkio, pids } = place else {
            return Err(io::Error::other("not a group of version 1"));
        };
        let open = |directory: &Option<PathBuf>, name: &str| {
            Kept::open(&directory.as_ref()?.join(name)).ok()
        };
        Ok(Self {
            usage: Kept::open(&memory.join("memory.usage_in_bytes"))?,
            stat: Kept::open(&memory.join("memory.stat"))?,
            cpu: open(cpuacct, "cpuacct.usage"),
            quota: open(cpu, "cpu.stat"),
            disk: open(blkio, "blkio.throttle.io_service_bytes_recursive")
                .or_else(|| open(blkio, "blkio.throttle.io_service_bytes")),
            tasks: open(pids, "pids.current"),
        })
    }

    pub(super) fn read(&self, buffer: &mut Vec<u8>, usage: &mut Usage) -> io::Result<()> {
        let seconds = |nanoseconds: u64| nanoseconds as f64 / 1e9;
        if let Some(cpu) = &self.cpu {
            usage.cpu_time = cpu.number(buffer)?.map(seconds);
        }
        if let Some(quota) = &self.quota {
            let [throttled] = fields(quota.read(buffer)?, ["throttled_time"]);
            usage.cpu_throttled = throttled.map(seconds);
        }
        usage.usage = self.usage.number(buffer)?;
        let [anon, mapped, inactive, limit] = fields(
            self.stat.read(buffer)?,
            ["total_rss", "total_mapped_file", "total_inactive_file", "hierarchical_memory_limit"],
        );
        usage.anon = anon;
        usage.rss = anon.zip(mapped).map(|(anon, mapped)| anon + mapped);
        usage.working_set =
            usage.usage.zip(inactive).map(|(usage, inactive)| usage.saturating_sub(inactive));
        usage.limit = limit.and_then(real_limit);
        if let Some(disk) = &self.disk {
            (usage.disk_read, usage.disk_written) = disk_bytes(disk.read(buffer)?);
        }
        if let Some(tasks) = &self.tasks {
            usage.threads = tasks.number(buffer)?;
        }
        Ok(())
    }

    pub(super) fn absent(&self) -> Vec<&'static str> {
        let files = [
            ("cpuacct.usage", &self.cpu),
            ("cpu.stat", &self.quota),
            ("blkio.throttle.io_service_bytes", &self.disk),
            ("pids.current", &self.tasks),
        ];
        files.into_iter().filter(|(_, file)| file.is_none()).map(|(name, _)| name).collect()
    }
}

/// Sums of lines such as `8:0 Read 4096`. A group that never touched a disk has none, and read 0 bytes.
fn disk_bytes(text: &str) -> (Option<u64>, Option<u64>) {
    let (mut read, mut written) = (0, 0);
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace().skip(1);
        let (Some(what), Some(Ok(bytes))) = (words.next(), words.next().map(str::parse::<u64>))
        else {
            continue;
        };
        match what {
            "Read" => read += bytes,
            "Write" => written += bytes,
            _ => {}
        }
    }
    (Some(read), Some(written))
}
