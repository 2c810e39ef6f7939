//! Real parts other than Docker: Debian's Prometheus and its node exporter.
//!
//! `cargo test --test testbed`, where the packages prometheus and prometheus-node-exporter are installed.

#[path = "testbed/nodes.rs"]
mod nodes;
#[path = "docker/suite.rs"]
#[expect(dead_code, reason = "the Docker controls use all of it")]
mod suite;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use proofload::analysis::describe;
use proofload::model::{Verdict, metric};

use suite::{ROLE, ROOT, Suite};

fn main() -> ExitCode {
    if std::env::var_os(ROLE).is_some() {
        return proofload::Suite::at(ROOT).main();
    }
    if nodes::plays_the_killed() {
        return ExitCode::SUCCESS;
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let mut trials = nodes::trials();
    trials.extend([Trial::test(
        "prometheus_scraping_real_exporters_reads_what_the_kernel_says",
        || {
            prometheus();
            Ok(())
        },
    )]);
    libtest_mimic::run(&arguments, trials).exit_code()
}

const CONFIG: &str = r#"
global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:
  - job_name: workload
    static_configs: [{ targets: ["127.0.0.1:18080"] }]
  - job_name: node
    static_configs: [{ targets: ["127.0.0.1:19100"] }]
"#;

fn prometheus() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("prometheus.yml");
    std::fs::write(&config, CONFIG).unwrap();
    let scenarios = directory.path().join("scenarios");
    std::fs::create_dir(&scenarios).unwrap();
    let scenario = format!(
        r#"
        kind = "baseline"
        probes = ["containers", "oom", "prometheus"]
        sample = {{ interval = "500ms", warmup = "4s" }}
        baseline.length = "6s"
        [target.process]
        build = "sh fixtures/workload/build.sh"
        [[target.process.service]]
        name = "workload"
        command = ["fixtures/workload/image/workload", "--listen", "127.0.0.1:18080", "--base-memory", "64MiB"]
        ready.http = "http://127.0.0.1:18080/healthz"
        [[target.process.service]]
        name = "node"
        command = ["prometheus-node-exporter", "--web.listen-address=127.0.0.1:19100"]
        ready.http = "http://127.0.0.1:19100/metrics"
        [[target.process.service]]
        name = "prometheus"
        command = ["prometheus", "--config.file={config}", "--storage.tsdb.path={data}", "--web.listen-address=127.0.0.1:19090"]
        ready = {{ http = "http://127.0.0.1:19090/-/ready", within = "30s" }}
        [probe.prometheus]
        url = "http://127.0.0.1:19090"
        [[probe.prometheus.query]]
        metric = "exported.rss"
        expr = 'process_resident_memory_bytes{{job="workload"}}'
        source_label = "job"
        unit = "bytes"
        [[probe.prometheus.query]]
        metric = "node.cpus"
        expr = 'count(node_cpu_seconds_total{{mode="idle"}})'
        [[threshold]]
        metric = "exported.rss"
        stat = "max"
        op = "<"
        value = "128 MiB"
        "#,
        config = config.display(),
        data = directory.path().join("data").display(),
    );
    std::fs::write(scenarios.join("scraped.toml"), scenario).unwrap();
    let run = Suite::over(&scenarios).run();
    run.expect_code(0);
    assert_eq!(run.verdicts(), [("baseline::scraped", Verdict::Pass)]);
    let mean = |metric: &str, source: &str| {
        let readings = run.results.scenarios[0].samples.iter().flat_map(|sample| &sample.readings);
        let values: Vec<f64> = readings
            .filter(|reading| reading.metric == metric && &*reading.source == source)
            .map(|reading| reading.value)
            .collect();
        describe::mean(&values).unwrap_or_else(|| panic!("no reading of {metric} of {source}"))
    };
    let ratio = mean("exported.rss", "workload") / mean(metric::MEMORY_RSS.id(), "workload");
    assert!((ratio - 1.0).abs() < 0.03, "Prometheus and the kernel differ by {ratio}");
    let cpus = std::thread::available_parallelism().unwrap().get();
    assert!((mean("node.cpus", "prometheus") - cpus as f64).abs() < f64::EPSILON);
}
