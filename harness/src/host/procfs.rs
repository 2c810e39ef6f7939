//! What `/proc` says of processes: who is in a group, who still lives, who carries a mark.

use std::fs;
use std::path::{Path, PathBuf};

/// One line of `/proc/<pid>/stat`, as far as it is used here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    /// The process id.
    pub pid: u32,
    /// The parent's process id.
    pub parent: u32,
    /// The process group.
    pub group: u32,
    /// True for a zombie or a dead process: it runs no more, and waits to be reaped by its parent.
    pub ended: bool,
    /// When it started, in clock ticks since boot.
    pub start: u64,
}

impl Stat {
    /// Reads the text of `/proc/<pid>/stat`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // The command's name is in parentheses and may hold anything, parentheses too.
        let (head, rest) = text.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        Some(Self {
            pid: head.split_once(' ')?.0.parse().ok()?,
            ended: matches!(*fields.first()?, "Z" | "X" | "x"),
            parent: fields.get(1)?.parse().ok()?,
            group: fields.get(2)?.parse().ok()?,
            start: fields.get(19)?.parse().ok()?,
        })
    }

    /// The process of this id, if it is there and may be seen.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        Self::parse(&String::from_utf8_lossy(&fs::read(file(pid, "stat")).ok()?))
    }

    /// Every process that may be seen.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        entries
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter_map(Self::of)
            .collect()
    }

    /// The processes of a group that still run.
    #[must_use]
    pub fn group(group: u32) -> Vec<Self> {
        Self::all().into_iter().filter(|stat| stat.group == group && !stat.ended).collect()
    }
}

/// The value of an environment variable that the process was started with, if that may be read.
#[must_use]
pub fn variable(pid: u32, name: &str) -> Option<String> {
    let environ = fs::read(file(pid, "environ")).ok()?;
    environ.split(|&byte| byte == 0).find_map(|entry| {
        let value = entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
        Some(String::from_utf8_lossy(value).into_owned())
    })
}

/// The command line of a process, its arguments parted by spaces.
#[must_use]
pub fn command_line(pid: u32) -> String {
    let line = fs::read(file(pid, "cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).trim_end_matches('\0').replace('\0', " ")
}

fn file(pid: u32, name: &str) -> PathBuf {
    Path::new("/proc").join(pid.to_string()).join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_name_may_hold_parentheses_and_spaces() {
        let text = "42 (a) b (c) S 1 40 40 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 9173 0 0";
        let stat = Stat { pid: 42, parent: 1, group: 40, ended: false, start: 9173 };
        assert_eq!(Stat::parse(text), Some(stat));
        assert_eq!(Stat::parse("42 (a"), None);
    }

    #[test]
    fn this_process_finds_itself() {
        let own = Stat::of(std::process::id()).unwrap();
        assert!(!own.ended && own.start > 0, "{own:?}");
        assert!(Stat::group(own.group).contains(&own));
        assert_eq!(variable(own.pid, "PATH"), std::env::var("PATH").ok());
        assert!(!command_line(own.pid).is_empty());
    }
}
