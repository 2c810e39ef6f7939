//! [`Own`]: which files on the nodes an iteration has made.
//!
//! Their names tell the second in which their test, or their tool, began. A file is an iteration's where that lies within
//! a walk of one of its runs: so files of other iterations, which are there still, and those of other runs stay apart.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use crate::drive::network::stamp;
use crate::results::{self, TrialRecord};

/// How long after its last sign of life a walk that was cut off may have begun a test.
const AFTERWARDS: Duration = Duration::from_secs(60);

/// The length of what [`stamp`] writes.
const STAMP: usize = "20260101_235959".len();

/// What an iteration has made so far, as its runs tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Own {
    /// First and last second of each walk, as names have them.
    walks: Vec<[String; 2]>,
    /// The nodes whose output the runs have kept: they have files.
    nodes: BTreeSet<String>,
}

impl Own {
    /// That of the runs in a directory.
    pub(super) fn of(runs: &Path) -> Self {
        let (mut own, mut walks) = (Self::default(), Vec::new());
        for entry in fs::read_dir(runs).into_iter().flatten().flatten() {
            let path = entry.path();
            // A run that ended before it wrote anything has made nothing; `latest` is another name of one.
            let Some(results) = (!path.is_symlink()).then(|| results::read(&path).ok()).flatten()
            else {
                continue;
            };
            walks.extend(results.scenarios.iter().map(Walk::of));
            let trials = directories(&path.join("logs"));
            let nodes = trials.iter().flat_map(|trial| directories(trial));
            // One whose output did not arrive may have none.
            let kept =
                nodes.filter(|node| fs::read_dir(node).is_ok_and(|mut all| all.next().is_some()));
            own.nodes.extend(kept.filter_map(|node| Some(node.file_name()?.to_str()?.to_owned())));
        }
        walks.sort_by_key(|walk| walk.began);
        for (place, walk) in walks.iter().enumerate() {
            // Walks take turns, so one that was cut off had ended when the next one began.
            let next = walks.get(place + 1).map(|next| next.began);
            let latest = walk.last_sign + AFTERWARDS;
            let ended = walk.ended.unwrap_or_else(|| next.map_or(latest, |next| latest.min(next)));
            own.walks.push([walk.began, ended].map(stamp));
        }
        own
    }

    /// Whether a file of this name is of this iteration.
    pub(super) fn has(&self, name: &str) -> bool {
        // Compared as bytes, text of one length is in the order of its times; what is no time lies in no walk.
        name.as_bytes().windows(STAMP).any(|at| {
            let within =
                |[first, last]: &[String; 2]| first.as_bytes() <= at && at <= last.as_bytes();
            is_stamp(at) && self.walks.iter().any(within)
        })
    }

    /// Whether a node must have files of this iteration.
    pub(super) fn ran_on(&self, node: &str) -> bool {
        self.nodes.contains(node)
    }

    /// The last second that has something of this iteration.
    pub(super) fn last(&self) -> Option<&str> {
        self.walks.iter().map(|[_, last]| last.as_str()).max()
    }
}

fn is_stamp(text: &[u8]) -> bool {
    text.iter().enumerate().all(|(place, byte)| match place {
        8 => *byte == b'_',
        _ => byte.is_ascii_digit(),
    })
}

/// When a walk took place.
struct Walk {
    began: Timestamp,
    /// `None` where it was cut off.
    ended: Option<Timestamp>,
    /// When something was last heard of it.
    last_sign: Timestamp,
}

impl Walk {
    fn of(trial: &TrialRecord) -> Self {
        let began = trial.started_at.0;
        let samples = trial.samples.iter().map(|sample| sample.timestamp);
        let events = trial.events.iter().map(|event| event.timestamp_iso);
        let last_sign = samples.chain(events).fold(began, Timestamp::max);
        Self { began, ended: trial.completed_at.map(|date| date.0), last_sign }
    }
}

/// The directories in one.
fn directories(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn trial(began: &str, ended: Option<&str>, last: Option<&str>) -> Value {
        let sample = |at: &&str| {
            let seconds = at.parse::<Timestamp>().unwrap().as_second();
            json!({ "timestamp": seconds, "timestamp_iso": at, "containers": {} })
        };
        json!({
            "id": began, "kind": "network", "scenario_name": "network::a", "started_at": began,
            "completed_at": ended, "samples": last.iter().map(sample).collect::<Vec<_>>(),
        })
    }

    fn write(runs: &Path, name: &str, trials: &[Value]) {
        let run = runs.join(name);
        fs::create_dir_all(&run).unwrap();
        let results = json!({
            "schema_version": 1, "test_id": name, "started_at": "2026-01-01T00:00:00Z", "scenarios": trials,
        });
        fs::write(run.join("results.json"), results.to_string()).unwrap();
    }

    #[test]
    fn a_file_is_of_the_walk_in_which_its_test_began() {
        let runs = tempfile::tempdir().unwrap();
        let walk = trial("2026-01-01T00:00:05.9Z", Some("2026-01-01T00:00:20.1Z"), None);
        write(runs.path(), "one", &[walk]);
        let own = Own::of(runs.path());
        let check = |name: &str, expected: bool| assert_eq!(own.has(name), expected, "{name}");
        check("baseline/host/client_results/pps/single_20260101_000005/commands.txt", true);
        check(
            "ebpf/x_case_1_tcp_rx_9d5e19/host/ebpf_monitoring/ebpf_output_20260101_000020.log",
            true,
        );
        check("a/single_20260101_000004/b", false);
        check("a/single_20260101_000021/b", false);
        check("a/single_20260101-000010/b", false);
        check("a/b", false);
        assert_eq!(own.last(), Some("20260101_000020"));
        assert_eq!(Own::of(&runs.path().join("none")), Own::default());
    }

    #[test]
    fn a_walk_that_was_cut_off_ends_a_minute_after_its_last_sign_or_when_the_next_begins() {
        let runs = tempfile::tempdir().unwrap();
        let cut = trial("2026-01-01T00:00:00Z", None, Some("2026-01-01T00:00:30Z"));
        write(runs.path(), "one", &[cut]);
        assert_eq!(Own::of(runs.path()).last(), Some("20260101_000130"));
        let next = trial("2026-01-01T00:00:40Z", Some("2026-01-01T00:00:50Z"), None);
        write(runs.path(), "two", &[next]);
        let own = Own::of(runs.path());
        assert!(own.has("a_20260101_000040") && own.has("a_20260101_000035"));
        assert_eq!(own.last(), Some("20260101_000050"));
    }

    #[test]
    fn a_node_has_run_something_where_its_output_was_kept() {
        let runs = tempfile::tempdir().unwrap();
        write(runs.path(), "one", &[]);
        let logs = runs.path().join("one/logs/some");
        fs::create_dir_all(logs.join("lost")).unwrap();
        fs::create_dir_all(logs.join("server")).unwrap();
        fs::write(logs.join("server/a"), "").unwrap();
        fs::write(logs.join("hooks.jsonl"), "").unwrap();
        let own = Own::of(runs.path());
        assert!(own.ran_on("server") && !own.ran_on("lost") && !own.ran_on("hooks.jsonl"));
    }
}
