//! Ten thousand trials, from their scenario files to a sorted list: what `--list` and every nextest process wait for.
//!
//! The promise is less than 200 ms.

use std::fs;
use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use proofload::plan::{self, Trial};
use proofload::scenario::{self, Names, Scenario, Workspace};

const SCENARIOS: usize = 50;

/// 200 trials: 5 modes, 10 sizes and 4 levels.
const SCENARIO: &str = r#"
kind = "load"
description = "memory per agent"
matrix = { mode = ["a", "b", "c", "d", "e"], size = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] }

[load]
levels = [5, 10, 20, 40]

[target.process]
[[target.process.service]]
name = "api"
command = ["/bin/api", "--listen", "127.0.0.1:18080", "--mode", "{mode}", "--size", "{size}MiB"]
ready = { http = "http://127.0.0.1:18080/healthz" }

[driver.agents]
base_url = "http://127.0.0.1:18080"
groups = ["drivers", "riders"]
start = { method = "POST", path = "/start" }
spawn = { method = "POST", path = "/agents/{group}", body = '{"count": {count}}', expect = [201] }
status = { method = "GET", path = "/agents", live = "/live" }
stop = { method = "POST", path = "/stop" }
reset = { method = "POST", path = "/reset" }

[[threshold]]
check = "mean memory.anon < 4 MiB"
"#;

fn load(root: &Path) -> Vec<Scenario> {
    let workspace = Workspace::open(root, []).expect("the workspace is in order");
    let files = scenario::files(&workspace.scenarios).expect("there are scenarios");
    let names = Names::default();
    let scenarios = files.iter().map(|file| scenario::load(&workspace, file, &names));
    scenarios.collect::<Result<_, _>>().expect("the scenarios are in order")
}

fn plan(scenarios: &[Scenario]) -> Vec<Trial> {
    let mut trials: Vec<Trial> = scenarios.iter().flat_map(plan::trials).collect();
    trials.sort_by_key(|trial| trial.kind);
    trials
}

fn listing(criterion: &mut Criterion) {
    // With PROOFLOAD_BENCH_ROOT the workspace stays, for a whole test binary to be timed on it with `--list`.
    let temporary = tempfile::tempdir().expect("there is a temporary directory");
    let kept = std::env::var_os("PROOFLOAD_BENCH_ROOT");
    let root = kept.as_ref().map_or(temporary.path(), |root| Path::new(root));
    fs::create_dir_all(root.join("scenarios")).expect("the directory can be written");
    for index in 0..SCENARIOS {
        let file = root.join(format!("scenarios/load-{index:02}.toml"));
        fs::write(file, SCENARIO).expect("the file can be written");
    }
    let scenarios = load(root);
    assert_eq!(plan(&scenarios).len(), 10_000);
    let mut group = criterion.benchmark_group("ten_thousand_trials");
    group.sample_size(10);
    group.bench_function("load", |bench| bench.iter(|| load(black_box(root))));
    group.bench_function("plan", |bench| bench.iter(|| plan(black_box(&scenarios))));
    group.bench_function("whole", |bench| bench.iter(|| plan(&load(black_box(root)))));
    group.finish();
}

criterion_group!(benches, listing);
criterion_main!(benches);
