//! [`Others`]: a process and all that it started, less some of its descendants: the harness without the target.

use std::collections::HashMap;
use std::io;
use std::time::{Duration, Instant};

use super::total::{Counter, Total};
use super::{Processes, Stat, TICKS};

/// Where the kernel does not list children: how soon a new one is found. What it used until then is not lost.
const LOOK: Duration = Duration::from_secs(1);

/// The processor time of one process and its descendants, but for those that belong to somebody else.
pub(in crate::probe) struct Others {
    root: u32,
    /// Leaders of process groups, whose trees are left out.
    without: Vec<u32>,
    /// Whose each process is, with its start time: it stays so when its parent ends.
    known: HashMap<u32, (u64, Owner)>,
    total: Total,
    /// When every process was looked at last.
    scanned: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Root,
    LeftOut,
    Nobody,
}

impl Others {
    /// The tree of `root` without the groups that these lead and their descendants.
    pub(in crate::probe) fn new(root: u32, without: Vec<u32>) -> Self {
        Self { root, without, known: HashMap::new(), total: Total::default(), scanned: None }
    }

    /// Seconds of processor time so far. What ran and ended between two calls is not in it.
    ///
    /// # Errors
    /// When processes cannot be looked at.
    pub(in crate::probe) fn time(&mut self, processes: &mut Processes) -> io::Result<f64> {
        let known = self.known.iter().filter(|(_, (_, owner))| *owner == Owner::Root);
        let is_out =
            |pid, stat: &Stat| self.without.contains(&pid) || self.without.contains(&stat.group);
        let full = self.scanned.is_none_or(|then| then.elapsed() >= LOOK);
        processes.scan_tree(self.root, known.map(|(pid, _)| *pid), is_out, full)?;
        if full {
            self.scanned = Some(Instant::now());
        }
        let all = &processes.all;
        // Who had nobody may get somebody: a group can be led only after its leader was seen.
        self.known.retain(|pid, (started, owner)| match owner {
            Owner::Nobody => false,
            Owner::LeftOut if !full => true,
            _ => all.get(pid).is_some_and(|stat| stat.started == *started),
        });
        for pid in all.keys() {
            self.owner(*pid, all, 0);
        }
        let ours = self.known.iter().filter(|(_, (_, owner))| *owner == Owner::Root);
        let counters = ours.filter_map(|(pid, _)| {
            let Stat { parent, own_time, waited_time, .. } = *all.get(pid)?;
            // What the root waited for may have been left out.
            let waited = if *pid == self.root { 0 } else { waited_time };
            Some(Counter { pid: *pid, parent, value: own_time + waited, waited })
        });
        Ok(self.total.update(counters) as f64 / TICKS)
    }

    /// Finds out whose a process is, and of its ancestors on the way.
    fn owner(&mut self, pid: u32, all: &HashMap<u32, Stat>, depth: usize) -> Owner {
        if let Some((_, owner)) = self.known.get(&pid) {
            return *owner;
        }
        // A chain longer than the processes there are would be a circle.
        let Some(stat) = all.get(&pid).filter(|_| depth <= all.len()) else { return Owner::Nobody };
        let owner = if self.without.contains(&pid) || self.without.contains(&stat.group) {
            Owner::LeftOut
        } else if pid == self.root {
            Owner::Root
        } else {
            self.owner(stat.parent, all, depth + 1)
        };
        self.known.insert(pid, (stat.started, owner));
        owner
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::procfs;
    use super::*;

    fn time(others: &mut Others, root: &tempfile::TempDir) -> f64 {
        others.time(&mut Processes::new(root.path())).unwrap()
    }

    #[test]
    fn what_this_process_started_is_found_by_its_children() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let mut processes = Processes::new(std::path::Path::new("/"));
        let mut others = Others::new(std::process::id(), Vec::new());
        others.time(&mut processes).unwrap();
        let has_child = processes.all.contains_key(&child.id());
        let mut without = Others::new(std::process::id(), vec![child.id()]);
        without.time(&mut processes).unwrap();
        let owner = without.known.get(&child.id()).map(|known| known.1);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(has_child);
        assert_eq!(owner, Some(Owner::LeftOut));
    }

    #[test]
    fn the_target_and_what_it_started_are_not_the_harness() {
        // 10 is the harness, 11 its driver with the child 12; 20 leads the target, 21 is in its group, 22 its child in
        // a group of its own; 30 is a stranger.
        let first = [
            (1, 0, 1, 99, 'S'),
            (10, 1, 5, 100, 'S'),
            (11, 10, 11, 20, 'S'),
            (12, 11, 11, 3, 'R'),
            (20, 10, 20, 1000, 'S'),
            (21, 10, 20, 1000, 'S'),
            (22, 20, 22, 1000, 'S'),
            (30, 1, 30, 1000, 'S'),
        ];
        let mut others = Others::new(10, vec![20]);
        assert_eq!(time(&mut others, &procfs(&first)), 1.23);
        // The parents ended: 12 stays with the harness and 22 with the target. What 11 had used is kept.
        let later = [
            (1, 0, 1, 99, 'S'),
            (10, 1, 5, 110, 'S'),
            (12, 1, 11, 4, 'R'),
            (22, 10, 22, 1500, 'S'),
        ];
        assert_eq!(time(&mut others, &procfs(&later)), 1.34);
    }
}
