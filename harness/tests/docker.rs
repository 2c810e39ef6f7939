//! Controls on a real Docker daemon: what must pass passes, what must fail fails, and nothing is left behind.
//!
//! `cargo test --test docker`. The suite under test runs in processes of its own: this binary again, in another role.

#[path = "docker/suite.rs"]
mod suite;

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use libtest_mimic::{Arguments, Trial};
use proofload::model::{Verdict, metric};
use proofload::results;

use suite::{ROLE, ROOT, Suite, docker_objects, marked_processes, output, run_directory};

fn main() -> ExitCode {
    if std::env::var_os(ROLE).is_some() {
        return proofload::Suite::at(ROOT).main();
    }
    let mut arguments = Arguments::from_args();
    // The controls take turns by the machine-wide lock in any case.
    arguments.test_threads = Some(1);
    let controls: &[(&str, fn())] = &[
        ("the_steady_stack_passes_all_four_kinds_and_its_memory_per_agent_is_found", steady),
        ("the_leaky_stack_fails_by_its_slope_alone_and_passes_without_the_leak", leaky),
        ("the_sticky_stack_fails_its_reset", sticky),
        ("the_crashy_stack_aborts_with_its_oom_kill_and_the_next_trial_runs", crashy),
        ("a_known_burner_and_a_known_allocator_are_read_within_three_percent", accuracy),
        ("several_services_are_watched_and_a_one_shot_is_waited_for", multi),
        ("a_project_that_runs_already_is_attached_to_and_left_alone", attach),
        ("an_interrupt_takes_everything_down_and_exits_with_130", interrupt),
        ("a_kill_at_any_moment_leaves_readable_results_and_the_next_run_cleans_up", kill),
    ];
    let trials = controls.iter().map(|&(name, control)| {
        Trial::test(name, move || {
            control();
            Ok(())
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn steady() {
    let run = Suite::over("scenarios").filter("compose").run();
    run.expect_code(0);
    assert_eq!(run.results.scenarios.len(), 7);
    assert!(
        run.verdicts().iter().all(|(_, verdict)| *verdict == Verdict::Pass),
        "{:?}",
        run.verdicts()
    );
    let analysis = serde_json::to_value(&run.analysis).unwrap();
    let fit = &analysis["api"]["best_fit"];
    assert_eq!(fit["fit_type"], "linear", "{fit}");
    let per_agent = fit["coefficients"]["a"].as_f64().unwrap();
    assert!((per_agent - 1.0).abs() < 0.05, "1 MiB per agent was read as {per_agent}");
    assert_eq!(docker_objects(), [""; 0]);
}

fn leaky() {
    let suite = || Suite::over("fixtures/scenarios").filter("leaky::compose");
    let run = suite().run();
    run.expect_code(1);
    let failing = run.failing();
    assert_eq!(failing.len(), 1, "{failing:#?}");
    assert_eq!((failing[0].metric.as_str(), failing[0].source.as_str()), ("memory.anon", "api"));
    let slope = run.analysis.leaks[0].slope_mb_per_min.unwrap();
    assert!((slope / 240.0 - 1.0).abs() < 0.05, "240 MiB/min was read as {slope}");
    suite().env("PROOFLOAD__MATRIX__LEAK", "[\"0\"]").run().expect_code(0);
}

fn sticky() {
    let run = Suite::over("fixtures/scenarios").filter("sticky::compose").run();
    run.expect_code(1);
    assert_eq!(run.failing().len(), 1, "{:#?}", run.failing());
    let reset = &run.analysis.resets[0];
    assert!(reset.post_reset_mb > reset.baseline_mb * 1.5, "{reset:?}");
}

fn crashy() {
    let run = Suite::over("fixtures/scenarios").filter("crashy::compose").run();
    run.expect_code(1);
    assert_eq!(run.results.scenarios.len(), 2, "the next trial runs");
    for trial in &run.results.scenarios {
        assert!(trial.aborted, "{}", trial.id);
        assert!(
            trial.abort_reason.as_ref().unwrap().starts_with("OOM detected in api"),
            "{:?}",
            trial.abort_reason
        );
        assert_eq!(trial.oom_events.len(), 1, "{:?}", trial.events);
        assert_eq!(trial.oom_events[0].container_name, "api");
        assert!(trial.oom_events[0].timestamp > 1.7e9);
    }
}

/// Writes one scenario to a directory of its own.
fn scenario(name: &str, text: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(name).with_extension("toml"), text).unwrap();
    directory
}

fn accuracy() {
    let workload = "fixtures/workload/image/workload";
    let directory = scenario(
        "known",
        &format!(
            r#"
            kind = "baseline"
            sample = {{ interval = "500ms", warmup = "2s" }}
            baseline.length = "8s"
            [target.process]
            build = "sh fixtures/workload/build.sh"
            [[target.process.service]]
            name = "burner"
            command = ["{workload}", "burn-cpu", "--cores", "0.5", "--seconds", "60"]
            [[target.process.service]]
            name = "holder"
            command = ["{workload}", "hold-memory", "--bytes", "64MiB", "--seconds", "60"]
            [target.compose]
            build = "sh fixtures/workload/build.sh image"
            file = "fixtures/stacks/accuracy/compose.yml"
            "#
        ),
    );
    let run = Suite::over(directory.path()).run();
    run.expect_code(0);
    assert_eq!(run.results.scenarios.len(), 2);
    for trial in &run.results.scenarios {
        let mean = |metric: &str, source: &str| {
            let values: Vec<f64> = trial
                .samples
                .iter()
                .flat_map(|sample| &sample.readings)
                .filter(|reading| reading.metric == metric && &*reading.source == source)
                .map(|reading| reading.value)
                .collect();
            assert!(values.len() >= 15, "{} has {} readings of {metric}", trial.id, values.len());
            proofload::analysis::describe::mean(&values).unwrap()
        };
        let cores = mean(metric::CPU_USAGE.id(), "burner");
        assert!((cores / 0.5 - 1.0).abs() < 0.03, "{}: half a core was read as {cores}", trial.id);
        let held = mean(metric::MEMORY_ANON.id(), "holder") / f64::from(64 << 20);
        assert!((held - 1.0).abs() < 0.03, "{}: 64 MiB were read as {held} of it", trial.id);
    }
}

fn multi() {
    let directory = scenario(
        "several",
        r#"
        kind = "baseline"
        baseline.length = "2s"
        [target.compose]
        build = "sh fixtures/workload/build.sh image"
        file = "fixtures/stacks/multi/compose.yml"
        profiles = ["extras"]
        services = ["api", "worker", "reporter"]
        [[threshold]]
        metric = "memory.anon"
        source = "reporter"
        stat = "max"
        op = "<"
        value = "1 KiB"
        severity = "warn"
        "#,
    );
    let run = Suite::over(directory.path()).run();
    run.expect_code(0);
    assert_eq!(run.verdicts(), [("baseline::several", Verdict::Warn)]);
    let trial = &run.results.scenarios[0];
    let mut watched: Vec<&str> = trial
        .samples
        .iter()
        .flat_map(|sample| &sample.readings)
        .filter(|reading| reading.metric == metric::MEMORY_ANON.id())
        .map(|reading| &*reading.source)
        .collect();
    watched.sort_unstable();
    watched.dedup();
    assert_eq!(watched, ["api", "reporter", "worker"]);
}

fn attach() {
    let project = format!("attachcontrol{}", std::process::id());
    let file = "fixtures/stacks/steady/compose.yml";
    output("sh", &["fixtures/workload/build.sh", "image"]);
    output("docker-compose", &["-p", &project, "-f", file, "up", "-d"]);
    let running = || {
        output(
            "docker",
            &["ps", "-q", "--filter", &format!("label=com.docker.compose.project={project}")],
        )
    };
    let before = running();
    let directory = scenario(
        "running",
        &format!(
            r#"
            kind = "baseline"
            baseline.length = "2s"
            [target.compose]
            file = "{file}"
            attach = true
            project = "{project}"
            "#
        ),
    );
    let run = Suite::over(directory.path()).run();
    let after = running();
    output("docker-compose", &["-p", &project, "-f", file, "down", "-v"]);
    run.expect_code(0);
    assert!(!before.is_empty());
    assert_eq!(before, after);
}

fn interrupt() {
    let (mut child, results) = Suite::over("scenarios").filter("idle::compose").start();
    await_moment("containers", || !docker_objects().is_empty());
    output("kill", &["-INT", &child.id().to_string()]);
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    assert_eq!(docker_objects(), [""; 0]);
    assert_eq!(marked_processes(), [""; 0]);
    let run = results::read(&run_directory(results.path()).unwrap()).unwrap();
    assert!(run.incomplete);
}

#[expect(
    clippy::disallowed_methods,
    reason = "the control acts on a process that announces nothing"
)]
fn wait(time: Duration) {
    std::thread::sleep(time);
}

/// Waits for a moment of another process's life.
fn await_moment(what: &str, come: impl Fn() -> bool) {
    for _ in 0..1200 {
        if come() {
            return;
        }
        wait(Duration::from_millis(50));
    }
    panic!("{what}: not seen within a minute");
}

/// When a run is killed, at random within: what the journal of the run says when the moment comes.
const MOMENTS: [(&str, &str); 5] = [
    ("at its start", ""),
    ("while the target comes up", "\"line\":\"begin\""),
    ("while it samples", "\"line\":\"sample\""),
    ("while it goes down and results are renamed", "\"line\":\"end\""),
    ("anywhere in its first trial", ""),
];

fn kill() {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let mut random = seed;
    let mut notes = 0;
    for round in 0..10 {
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (moment, line) = MOMENTS[round % MOMENTS.len()];
        let filter = if round < MOMENTS.len() { "idle::compose" } else { "idle" };
        let (mut child, results) = Suite::over("scenarios").filter(filter).start();
        let journal = || {
            let directory = run_directory(results.path());
            directory
                .and_then(|path| std::fs::read_to_string(path.join("journal.jsonl")).ok())
                .unwrap_or_default()
        };
        if !line.is_empty() {
            await_moment(moment, || journal().contains(line));
        }
        let within = match round % MOMENTS.len() {
            2 => 3500,
            3 => 30,
            4 => 9000,
            _ => 2500,
        };
        let millis = (random >> 33) % within;
        wait(Duration::from_millis(millis));
        // By id, and only the process itself: what it started is left to the next run.
        let _ = child.kill();
        let output = child.wait_with_output().unwrap();
        notes += String::from_utf8_lossy(&output.stderr).matches("note: ").count();
        let when = format!("seed {seed}, killed {millis} ms after: {moment}");
        let Some(directory) = run_directory(results.path()) else { continue };
        let text = journal();
        if text.is_empty() {
            continue;
        }
        let read = results::read(&directory).unwrap_or_else(|error| panic!("{when}: {error}"));
        assert_eq!(read.incomplete, !text.contains("\"line\":\"complete\""), "{when}");
        let samples: usize = read.scenarios.iter().map(|trial| trial.samples.len()).sum();
        assert_eq!(samples, text.matches("\"line\":\"sample\"").count(), "{when}");
        if directory.join("results.json").exists() {
            results::read(&directory.join("results.json"))
                .unwrap_or_else(|error| panic!("{when}: {error}"));
        }
    }
    let last = Suite::over("scenarios").filter("idle::process").run();
    last.expect_code(0);
    notes += last.stderr.matches("note: ").count();
    assert!(notes >= 3, "what killed runs left is removed with a line that says so, seen {notes}");
    assert_eq!(docker_objects(), [""; 0]);
    assert_eq!(marked_processes(), [""; 0]);
}
