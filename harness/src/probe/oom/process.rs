//! [`Leader`]: whether a started process still runs, and how it ended.

use crate::model::EventKind;
use crate::probe::procfs::{Processes, Stat};

/// The first process of a member.
pub(super) struct Leader {
    pid: u32,
    started: Option<u64>,
    told: bool,
    /// One, if it was killed for want of memory.
    pub(super) kills: u64,
}

/// The kernel's count of processes that it killed for want of memory on this machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct HostKills {
    /// Since watching began.
    pub(super) since_start: u64,
    /// Since the tick before.
    pub(super) since_tick: u64,
}

impl Leader {
    pub(super) fn new(pid: u32, processes: &mut Processes) -> Self {
        let started = processes.stat(pid).map(|stat| stat.started);
        Self { pid, started, told: false, kills: 0 }
    }

    /// Looks whether it ended, and says so once.
    pub(super) fn look(
        &mut self,
        processes: &mut Processes,
        host: Option<HostKills>,
    ) -> Option<(EventKind, String)> {
        if self.told {
            return None;
        }
        let stat = processes.stat(self.pid).filter(|stat| Some(stat.started) == self.started);
        let news = judge(stat, host)?;
        self.told = true;
        self.kills = u64::from(news.0 == EventKind::OomKill);
        Some(news)
    }
}

/// `stat` is absent for a process of which nothing is left.
fn judge(stat: Option<Stat>, host: Option<HostKills>) -> Option<(EventKind, String)> {
    let oom = |message: &str, kills: u64| {
        let count =
            format!("the kernel counts {kills} more kills for want of memory on this machine");
        Some((EventKind::OomKill, format!("{message}, and {count}")))
    };
    let Some(stat) = stat else {
        return match host {
            Some(HostKills { since_tick, .. }) if since_tick > 0 => oom("it ended", since_tick),
            _ => Some((EventKind::Died, "it ended; somebody else took its exit status".to_owned())),
        };
    };
    if !stat.ended() {
        return None;
    }
    let (code, signal) = (stat.exit >> 8 & 0xff, stat.exit & 0x7f);
    match (signal, host) {
        (9, Some(HostKills { since_start, .. })) if since_start > 0 => {
            oom("it was killed by signal 9", since_start)
        }
        (0, _) => Some((EventKind::Died, format!("it ended with exit code {code}"))),
        (signal, _) => Some((EventKind::Died, format!("it was killed by signal {signal}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_with_what_is_known_of_it() {
        let stat = |state: u8, exit: u32| {
            let (own_time, waited_time) = (0, 0);
            Some(Stat {
                state,
                parent: 1,
                group: 1,
                own_time,
                waited_time,
                threads: 1,
                started: 5,
                exit,
            })
        };
        let check = |stat: Option<Stat>, kills: (u64, u64), expected: Option<(EventKind, &str)>| {
            let host = HostKills { since_start: kills.0, since_tick: kills.1 };
            let found = judge(stat, Some(host));
            assert_eq!(found.as_ref().map(|(kind, text)| (*kind, text.as_str())), expected);
        };
        let one_more = "the kernel counts 1 more kills for want of memory on this machine";
        check(stat(b'S', 0), (1, 1), None);
        check(stat(b'Z', 3 << 8), (0, 0), Some((EventKind::Died, "it ended with exit code 3")));
        check(stat(b'Z', 11), (1, 1), Some((EventKind::Died, "it was killed by signal 11")));
        check(stat(b'Z', 9), (0, 0), Some((EventKind::Died, "it was killed by signal 9")));
        let killed = format!("it was killed by signal 9, and {one_more}");
        check(stat(b'Z', 9), (1, 0), Some((EventKind::OomKill, &killed)));
        check(
            None,
            (1, 0),
            Some((EventKind::Died, "it ended; somebody else took its exit status")),
        );
        check(None, (1, 1), Some((EventKind::OomKill, &format!("it ended, and {one_more}"))));
    }

    #[test]
    fn the_end_is_told_once() {
        let root = tempfile::tempdir().unwrap();
        let mut processes = Processes::new(root.path());
        let mut leader = Leader::new(10, &mut processes);
        assert!(leader.look(&mut processes, None).is_some());
        assert!(leader.look(&mut processes, None).is_none());
    }
}
