//! [`Total`]: a sum over processes that come and go, which never falls.
//!
//! When a parent waits for a child, the kernel adds the child's counter to the parent's: then it is still in the sum.
//! Nobody waits for some children, and theirs would be lost: what they last showed is kept.

use std::collections::HashMap;

/// One process's counter at one reading.
#[derive(Clone, Copy, Debug)]
pub(in crate::probe) struct Counter {
    pub(in crate::probe) pid: u32,
    pub(in crate::probe) parent: u32,
    /// Its own and that of the children it waited for.
    pub(in crate::probe) value: u64,
    /// The part of `value` in which waited-for children show: all of it, where the kernel does not tell them apart.
    pub(in crate::probe) waited: u64,
}

#[derive(Debug, Default)]
pub(in crate::probe) struct Total {
    before: HashMap<u32, Counter>,
    now: HashMap<u32, Counter>,
    kept: u64,
    last: u64,
}

impl Total {
    /// The sum over everything that ran or runs.
    pub(in crate::probe) fn update(&mut self, counters: impl Iterator<Item = Counter>) -> u64 {
        self.now.clear();
        self.now.extend(counters.map(|counter| (counter.pid, counter)));
        // What each living process may have taken over from ended children since the reading before.
        let mut taken: HashMap<u32, u64> = HashMap::new();
        for ended in self.before.values().filter(|counter| !self.now.contains_key(&counter.pid)) {
            let heir = self.heir(ended);
            let absorbed = heir.is_some_and(|heir| {
                let waited_before = self.before.get(&heir.pid).map_or(0, |before| before.waited);
                let taken = taken.entry(heir.pid).or_default();
                let fits = heir.waited.saturating_sub(waited_before) >= *taken + ended.value;
                *taken += if fits { ended.value } else { 0 };
                fits
            });
            self.kept += if absorbed { 0 } else { ended.value };
        }
        let living: u64 = self.now.values().map(|counter| counter.value).sum();
        std::mem::swap(&mut self.before, &mut self.now);
        self.last = self.last.max(living + self.kept);
        self.last
    }

    /// The nearest ancestor that still runs.
    fn heir(&self, ended: &Counter) -> Option<&Counter> {
        let mut parent = ended.parent;
        // Process ids may have been used again; a chain longer than the processes there were would be a circle.
        for _ in 0..=self.before.len() {
            if let Some(heir) = self.now.get(&parent) {
                return Some(heir);
            }
            parent = self.before.get(&parent)?.parent;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each reading is a list of (pid, parent, value, waited) and the sum expected.
    type Reading<'a> = (&'a [(u32, u32, u64, u64)], u64);

    fn check(readings: &[Reading<'_>]) {
        let mut total = Total::default();
        for (counters, expected) in readings {
            let counters = counters.iter().map(|&(pid, parent, value, waited)| Counter {
                pid,
                parent,
                value,
                waited,
            });
            assert_eq!(total.update(counters), *expected, "{readings:?}");
        }
    }

    #[test]
    fn a_waited_for_child_is_counted_once() {
        check(&[
            (&[(1, 0, 10, 0), (2, 1, 7, 0)], 17),
            (&[(1, 0, 18, 8)], 18),
            (&[(1, 0, 20, 8)], 20),
        ]);
    }

    #[test]
    fn a_child_that_nobody_waited_for_is_kept() {
        check(&[
            (&[(1, 0, 10, 0), (2, 1, 7, 0)], 17),
            (&[(1, 0, 11, 0)], 18),
            (&[(1, 0, 12, 0)], 19),
        ]);
    }

    #[test]
    fn of_two_children_the_parent_took_over_one() {
        check(&[(&[(1, 0, 10, 0), (2, 1, 7, 0), (3, 1, 7, 0)], 24), (&[(1, 0, 17, 7)], 24)]);
    }

    #[test]
    fn a_grandchild_goes_to_the_nearest_living_ancestor() {
        check(&[(&[(1, 0, 0, 0), (2, 1, 5, 0), (3, 2, 6, 0)], 11), (&[(1, 0, 12, 12)], 12)]);
    }

    #[test]
    fn an_orphan_is_kept_and_nothing_ever_falls() {
        check(&[(&[(2, 9, 7, 0)], 7), (&[], 7), (&[(3, 9, 1, 0)], 8), (&[(3, 9, 0, 0)], 8)]);
    }
}
