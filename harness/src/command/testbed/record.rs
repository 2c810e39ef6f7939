//! [`Record`]: what `up` started, so that `down` ends that and nothing else, also after a half-finished `up`.
//!
//! A host is one process with all that runs below it in its own pid namespace. Its pid counts only with its start time
//! and the boot that it was written in, as all three are used again.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::host::procfs::{self, Stat};
use crate::results::directory::replace;

/// The environment variable of a host's first processes, with the state directory: it finds what was started but not
/// yet recorded when `up` was killed.
pub(super) const VARIABLE: &str = "PROOFLOAD_TESTBED";

/// What was started, since which boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    /// The kernel's id of the boot.
    pub(super) boot: String,
    /// The first processes of hosts.
    pub(super) hosts: Vec<Host>,
    /// Links of the root namespace, written before they are made.
    pub(super) links: Vec<String>,
}

/// The process that a host lives and ends with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Host {
    /// The host's name.
    pub(super) name: String,
    /// The pid of its first process, as the root namespace sees it.
    pub(super) pid: u32,
    /// When that started, in clock ticks since boot.
    pub(super) start: u64,
}

impl Host {
    /// True while exactly that process runs.
    pub(super) fn runs(&self) -> bool {
        Stat::of(self.pid).is_some_and(|stat| stat.start == self.start && !stat.ended)
    }
}

impl Record {
    /// An empty record of this boot.
    pub(super) fn new() -> Self {
        Self { boot: boot(), hosts: Vec::new(), links: Vec::new() }
    }

    /// Reads the record; `None` where there is none of this boot, as a reboot ended everything.
    pub(super) fn read(file: &Path) -> std::io::Result<Option<Self>> {
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let record: Self = serde_json::from_str(&text)?;
        Ok(Some(record).filter(|record| record.boot == boot()))
    }

    /// Writes it in one go.
    pub(super) fn write(&self, file: &Path) -> std::io::Result<()> {
        replace(file, &serde_json::to_vec_pretty(self)?)
    }

    /// The host of this name, if its first process runs.
    pub(super) fn host(&self, name: &str) -> Option<&Host> {
        self.hosts.iter().find(|host| host.name == name && host.runs())
    }
}

/// The processes that carry [`VARIABLE`] with this state directory.
pub(super) fn marked(root: &Path) -> Vec<Stat> {
    let root = root.to_string_lossy();
    let mut all = Stat::all();
    all.retain(|stat| {
        !stat.ended && procfs::variable(stat.pid, VARIABLE).is_some_and(|value| value == root)
    });
    all
}

fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_back_in_its_boot_only() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("record.json");
        assert_eq!(Record::read(&file).unwrap(), None);
        let own = Stat::of(std::process::id()).unwrap();
        let host = Host { name: "a".into(), pid: own.pid, start: own.start };
        let mut record = Record { hosts: vec![host], links: vec!["br".into()], ..Record::new() };
        record.write(&file).unwrap();
        assert_eq!(Record::read(&file).unwrap().as_ref(), Some(&record));
        record.boot = "another".into();
        record.write(&file).unwrap();
        assert_eq!(Record::read(&file).unwrap(), None);
    }

    #[test]
    fn a_pid_that_was_used_again_is_no_host() {
        let own = Stat::of(std::process::id()).unwrap();
        let mut host = Host { name: "a".into(), pid: own.pid, start: own.start };
        assert!(host.runs());
        host.start += 1;
        assert!(!host.runs());
        let record = Record { hosts: vec![host], ..Record::new() };
        assert_eq!(record.host("a"), None);
    }
}
