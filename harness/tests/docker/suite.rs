//! Runs of the suite as users run it: in a process of its own, with results in a directory of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use proofload::analysis::{self, Analysis};
use proofload::gate::{self, Check};
use proofload::model::Verdict;
use proofload::results::{self, Results, TrialRecord};
use tempfile::TempDir;

/// With this variable the test binary is the suite itself.
pub(crate) const ROLE: &str = "PROOFLOAD_CONTROL_IS_THE_SUITE";

/// The workspace root.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A suite to be run.
pub(crate) struct Suite {
    command: Command,
    results: TempDir,
}

/// A suite that was run.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stderr: String,
    pub(crate) results: Results,
    pub(crate) analysis: Analysis,
    pub(crate) checks: Vec<Check>,
}

impl Suite {
    /// The suite over a directory of scenarios, relative to the workspace root.
    pub(crate) fn over(scenarios: impl AsRef<Path>) -> Self {
        let results = tempfile::tempdir().unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .env(ROLE, "1")
            .env("PROOFLOAD_SCENARIOS", Path::new(ROOT).join(scenarios))
            .env("PROOFLOAD_RESULTS", results.path())
            .env("PROOFLOAD_REQUIRE", "docker")
            .env_remove("NEXTEST_RUN_ID")
            .env_remove("GITHUB_STEP_SUMMARY")
            .current_dir(ROOT)
            .stdin(Stdio::null());
        Self { command, results }
    }

    pub(crate) fn filter(mut self, filter: &str) -> Self {
        self.command.arg(filter);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Starts it without waiting; its results stay in the directory that is returned.
    pub(crate) fn start(mut self) -> (Child, TempDir) {
        let child = self.command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        (child, self.results)
    }

    /// Runs it to its end. Judging its results again must come to the same.
    pub(crate) fn run(mut self) -> Run {
        let output = self.command.output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let stdout = String::from_utf8_lossy(&output.stdout);
        let directory = run_directory(self.results.path());
        let directory =
            directory.unwrap_or_else(|| panic!("no results were written:\n{stdout}\n{stderr}"));
        let results = results::read(&directory).unwrap();
        let written = results::read(&directory.join("results.json")).unwrap();
        let analysis = analysis::analyze(&results);
        let judged = gate::judge(&results, &analysis);
        let again = gate::judge(&written, &analysis::analyze(&written));
        assert_eq!(judged.verdict, again.verdict, "journal and results.json must be judged alike");
        // Runs of a comparison are judged together.
        for trial in results.scenarios.iter().filter(|trial| trial.comparison().is_none()) {
            let verdicts = judged
                .checks
                .iter()
                .filter(|check| check.id == trial.id)
                .map(|check| check.verdict);
            assert_eq!(
                trial.verdict,
                Verdict::worst(verdicts),
                "{} must be judged as live",
                trial.id
            );
        }
        Run { code: output.status.code(), stderr, results, analysis, checks: judged.checks }
    }
}

impl Run {
    /// The trials, each with its verdict.
    pub(crate) fn verdicts(&self) -> Vec<(&str, Verdict)> {
        let verdict = |trial: &TrialRecord| trial.verdict.unwrap_or(Verdict::NoData);
        self.results.scenarios.iter().map(|trial| (trial.id.as_str(), verdict(trial))).collect()
    }

    /// Checks that did not pass.
    pub(crate) fn failing(&self) -> Vec<&Check> {
        self.checks.iter().filter(|check| check.verdict != Verdict::Pass).collect()
    }

    /// Fails with everything that is known.
    pub(crate) fn expect_code(&self, code: i32) {
        assert_eq!(self.code, Some(code), "{}\n{:#?}", self.stderr, self.failing());
    }
}

/// The newest run below a results directory.
pub(crate) fn run_directory(results: &Path) -> Option<PathBuf> {
    std::fs::canonicalize(results.join("latest")).ok()
}

/// Runs a command and returns what it printed.
pub(crate) fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(ROOT).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Everything in Docker that belongs to a project of ours.
pub(crate) fn docker_objects() -> Vec<String> {
    let label = "{{.Label \"com.docker.compose.project\"}}";
    let mut found = Vec::new();
    for list in [&["ps", "-a"][..], &["network", "ls"], &["volume", "ls"]] {
        let filter = ["--filter", "label=com.docker.compose.project", "--format", label];
        let arguments: Vec<&str> = list.iter().copied().chain(filter).collect();
        let lines = output("docker", &arguments);
        found.extend(
            lines
                .lines()
                .filter(|line| line.starts_with("proofload-"))
                .map(|l| format!("{list:?} {l}")),
        );
    }
    found
}

/// Processes that carry the mark of a run, but for those of the tests themselves.
pub(crate) fn marked_processes() -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(environment) = std::fs::read(entry.path().join("environ")) else { continue };
        let marked =
            environment.split(|byte| *byte == 0).any(|text| text.starts_with(b"PROOFLOAD_OWNER="));
        let command = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if marked && !command.is_empty() {
            found.push(String::from_utf8_lossy(&command).replace('\0', " "));
        }
    }
    found
}
