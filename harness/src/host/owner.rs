//! Whose a process or a Compose project is, and ending what a run left that was killed.
//!
//! Every child gets the variable [`VARIABLE`], which its descendants inherit, and every Compose project a name made
//! from the same words: `<space>-<pid>-<start>`, the harness process that owns it. An [`Owner`] of this space that no
//! longer runs left them behind. Owners that live, and those of other machines or pid namespaces, are let alone.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::procfs::{self, Stat};
use super::wait::{Check, wait_for};

/// The environment variable that marks a process with its owner.
pub const VARIABLE: &str = "PROOFLOAD_OWNER";

const PROJECT_PREFIX: &str = "proofload-";

/// One harness process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Where its pid means something: the machine and the pid namespace.
    space: String,
    pid: u32,
    /// When it started, as pids are used again.
    start: u64,
}

impl Owner {
    /// This process.
    #[must_use]
    pub fn current() -> &'static Self {
        static CURRENT: LazyLock<Owner> = LazyLock::new(|| {
            let pid = std::process::id();
            Owner { space: space(), pid, start: Stat::of(pid).map_or(0, |stat| stat.start) }
        });
        &CURRENT
    }

    /// Reads the value of [`VARIABLE`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '-');
        let (space, pid, start) = (parts.next()?, parts.next()?, parts.next()?);
        let pid = pid.parse().ok().filter(|&pid| pid > 0 && i32::try_from(pid).is_ok())?;
        Some(Self { space: space.to_owned(), pid, start: start.parse().ok()? })
    }

    /// Reads the owner from a name that [`Owner::project`] made.
    #[must_use]
    pub fn of_project(name: &str) -> Option<Self> {
        let (owner, number) = name.strip_prefix(PROJECT_PREFIX)?.rsplit_once('-')?;
        number.parse::<u32>().ok()?;
        Self::parse(owner)
    }

    /// A new name for a Compose project, in the spelling that every version of Compose takes.
    #[must_use]
    pub fn project(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        format!("{PROJECT_PREFIX}{self}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// How the names of all the projects of this space begin.
    #[must_use]
    pub fn project_prefix(&self) -> String {
        format!("{PROJECT_PREFIX}{}-", self.space)
    }

    /// True for an owner of this process's space that runs no more. False when in doubt.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.space == Self::current().space && !self.runs()
    }

    fn runs(&self) -> bool {
        if let Some(stat) = Stat::of(self.pid) {
            return stat.start == self.start && !stat.ended;
        }
        // A process of somebody else may be hidden in /proc, but not from a signal.
        !matches!(kill(pid(self.pid), None), Err(Errno::ESRCH))
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.space, self.pid, self.start)
    }
}

/// Ends the processes that killed runs left, and says so, one line for each.
///
/// Call it before `target::compose::reap_projects`: among them may be a Compose that still creates containers.
pub async fn reap_processes() -> Vec<String> {
    reap(Owner::is_gone).await
}

/// How many processes of killed runs there are, for the next run to end.
#[must_use]
pub fn left_over() -> usize {
    marked(Owner::is_gone).len()
}

async fn reap(is_gone: impl Fn(&Owner) -> bool) -> Vec<String> {
    let mut left = marked(&is_gone);
    let mut lines: Vec<String> = left
        .iter()
        .map(|stat| {
            let command = procfs::command_line(stat.pid);
            format!("ended `{command}` (pid {}), left by a run that was killed", stat.pid)
        })
        .collect();
    let ended = wait_for(Duration::from_secs(5), Duration::from_millis(10), || {
        // What they started meanwhile carries the mark too.
        left = marked(&is_gone);
        for stat in &left {
            let _ = kill(pid(stat.pid), Signal::SIGKILL);
        }
        let pids: Vec<String> = left.iter().map(|stat| stat.pid.to_string()).collect();
        let status =
            if pids.is_empty() { Check::Ready(()) } else { Check::NotYet(pids.join(", ")) };
        std::future::ready(status)
    })
    .await;
    if let Err(error) = ended {
        lines.push(format!("processes that a killed run left cannot be ended: {error}"));
    }
    lines
}

/// The running processes with the mark of such an owner, less this one and those it descends from.
fn marked(is_gone: impl Fn(&Owner) -> bool) -> Vec<Stat> {
    let mut all = Stat::all();
    let mut own = std::process::id();
    while let Some(at) = all.iter().position(|stat| stat.pid == own) {
        own = all.swap_remove(at).parent;
    }
    all.retain(|stat| {
        !stat.ended
            && procfs::variable(stat.pid, VARIABLE)
                .and_then(|value| Owner::parse(&value))
                .is_some_and(|owner| is_gone(&owner))
    });
    all
}

fn pid(pid: u32) -> Pid {
    // Kernel pids are below 2^22; 0 would mean a whole group.
    Pid::from_raw(i32::try_from(pid).unwrap_or(i32::MAX))
}

/// A short name for this machine and pid namespace.
fn space() -> String {
    let machine = ["/etc/machine-id", "/proc/sys/kernel/hostname"]
        .iter()
        .filter_map(|file| fs::read_to_string(file).ok())
        .find(|text| !text.trim().is_empty())
        .unwrap_or_default();
    let namespace = fs::metadata("/proc/self/ns/pid").map_or(0, |metadata| metadata.ino());
    short_hash(&format!("{} {namespace}", machine.trim()))
}

/// Ten hexadecimal digits that stay the same from version to version (FNV-1a).
#[must_use]
pub fn short_hash(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{:010x}", (hash ^ (hash >> 40)) & 0xff_ffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{Command, ProcessGroup};

    /// An owner in a space of its own, so that the test touches nothing else.
    fn gone(test: &str) -> Owner {
        Owner { space: format!("{test}{}", std::process::id()), pid: 1, start: 0 }
    }

    #[test]
    fn an_owner_is_read_back_from_its_mark_and_its_projects() {
        let owner = Owner::current();
        assert_eq!(Owner::parse(&owner.to_string()).as_ref(), Some(owner));
        let project = owner.project();
        assert_eq!(Owner::of_project(&project).as_ref(), Some(owner));
        assert!(project.starts_with(&owner.project_prefix()), "{project}");
        assert_ne!(project, owner.project());
        assert!(
            project.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
            "{project}"
        );
    }

    #[test]
    fn other_names_have_no_owner() {
        for name in ["steady", "proofload-1a2b", "proofload-a-0-1-1", "proofload-a--1-1-1", ""] {
            assert_eq!(Owner::of_project(name), None, "{name}");
        }
    }

    #[test]
    fn only_an_owner_of_this_space_that_ended_is_gone() {
        let own = Owner::current();
        assert!(!own.is_gone());
        assert!(Owner { start: own.start + 1, ..own.clone() }.is_gone(), "the pid was used again");
        assert!(Owner { pid: 4_194_304, ..own.clone() }.is_gone(), "no pid is that high");
        assert!(!Owner { pid: 4_194_304, space: "elsewhere".into(), ..own.clone() }.is_gone());
    }

    #[test]
    fn the_hash_is_the_same_in_every_version() {
        assert_eq!(short_hash(""), "e484e9d1b9");
        assert_ne!(short_hash("a"), short_hash("b"));
    }

    #[tokio::test]
    async fn what_carries_the_mark_of_an_owner_that_is_gone_is_ended() {
        let owner = gone("reaped");
        let script = "(exec 3<&-; sleep 60) & echo started; wait";
        let mut command = Command::shell(script);
        command.env.insert(VARIABLE.into(), owner.to_string());
        let mut left = ProcessGroup::spawn(&command).unwrap();
        wait_for(Duration::from_secs(5), Duration::from_millis(2), || {
            // The mark is there once the shell has replaced the fork.
            let there = marked(|other| *other == owner).len() == 2;
            std::future::ready(if there { Check::Ready(()) } else { Check::NotYet("".into()) })
        })
        .await
        .unwrap();
        let lines = reap(|other| *other == owner).await;
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].starts_with("ended `") && lines[0].ends_with("a run that was killed"));
        assert!(!left.wait().await.unwrap().success());
        assert!(reap(|other| *other == owner).await.is_empty());
    }
}
