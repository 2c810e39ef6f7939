//! One interval of the probe `containers`: what reading costs the machine that is measured.
//!
//! The promise is less than 20 ms of processor time for 100 containers. The files are captured ones on a disk; the
//! kernel takes some 75 us a container to write the real ones, which is for the testbed to measure.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use proofload::probe::Probe;
use proofload::probe::containers::Containers;
use tokio::runtime::{Builder, Runtime};

/// The container in the captured trees.
const ID: &str = "14b7637d6d1e1a602405cb5c6eb2c0c9b0cde6b93e1bb5880269e423bf9d6edc";
const PID: &str = "4242";

/// Copies a tree with the container under another id and process.
fn copy(from: &Path, to: &Path, id: &str, pid: &str) {
    fs::create_dir_all(to).expect("a temporary directory can be written");
    for entry in fs::read_dir(from).expect("the captured tree is there").flatten() {
        let name = entry.file_name().to_string_lossy().replace(ID, id);
        let name = if name == PID { pid.to_owned() } else { name };
        let to = to.join(name);
        if entry.path().is_dir() {
            copy(&entry.path(), &to, id, pid);
        } else {
            let text = fs::read_to_string(entry.path()).expect("captured files are text");
            let text = text.replace(ID, id);
            let text =
                if entry.file_name() == "cgroup.procs" { text.replace(PID, pid) } else { text };
            fs::write(to, text).expect("a temporary file can be written");
        }
    }
}

/// The root of a file system with so many containers of a cgroup version.
fn tree(version: &str, count: u32) -> (tempfile::TempDir, Vec<(String, u32)>) {
    let captured = Path::new(env!("CARGO_MANIFEST_DIR")).join("../harness/tests/data/probe");
    let captured: PathBuf = captured.join(version);
    let root = tempfile::tempdir().expect("there is a temporary directory");
    let containers: Vec<(String, u32)> =
        (0..count).map(|index| (format!("{index:08x}{}", &ID[8..]), 10_000 + index)).collect();
    for (id, pid) in &containers {
        copy(&captured, root.path(), id, &pid.to_string());
    }
    (root, containers)
}

/// Processor time of this thread so far.
fn processor_time() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().and_then(|word| word.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime can be had")
}

fn interval(criterion: &mut Criterion) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group("containers");
    for version in ["v1", "v2"] {
        for count in [1_u32, 10, 100] {
            let (root, containers) = tree(version, count);
            let mut probe =
                Containers::captured(&containers, root.path()).expect("the tree can be read");
            let readings = runtime.block_on(probe.read()).readings.len();
            assert!(readings >= 12 * count as usize, "{readings} readings of {count} containers");
            // The kernel counts in steps of some milliseconds.
            let intervals = 20_000 / count;
            let before = processor_time();
            for _ in 0..intervals {
                runtime.block_on(probe.read());
            }
            let took = (processor_time() - before) / intervals;
            eprintln!("{version}, {count} containers: {took:?} of processor time an interval");
            let id = BenchmarkId::new(version, count);
            group.bench_function(id, |bench| bench.iter(|| runtime.block_on(probe.read())));
        }
    }
    group.finish();
}

criterion_group!(benches, interval);
criterion_main!(benches);
