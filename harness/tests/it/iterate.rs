//! `iterate` and `fetch` over nodes that are this machine, without SSH and without network tools: every server fails at
//! once, and what was kept until then is collected all the same.

use std::fs;
use std::path::{Path, PathBuf};

use proofload::scenario::network::{Cases, Full, expand};
use serde_json::{Value, json};

use crate::workspace::{Output, Workspace, proofload};

/// No machine has its address, so that no server can be bound to it, whether there is one or not.
const NOWHERE: &str = "198.18.255.254";

const NODES: [&str; 2] = ["server", "client"];

/// The directory of raw output below a workdir.
const RESULTS: &str = "performance-test-results";

/// Two nodes, each in a directory of its own.
struct Nodes {
    workspace: Workspace,
}

impl Nodes {
    fn new() -> Self {
        let nodes = Self { workspace: Workspace::of(&[]) };
        let [server, client] = NODES.map(|name| nodes.workdir(name));
        fs::create_dir(nodes.path("config")).unwrap();
        for directory in [&server, &client] {
            fs::create_dir_all(directory).unwrap();
        }
        let [server, client] = [server, client].map(|path| path.display().to_string());
        let minimal = format!(
            "environment: here\nnodes:\n  \
             server: {{ssh: 'local:', workdir: '{server}'}}\n  client: {{ssh: 'local:', workdir: '{client}'}}\n\
             test_pairs:\n  host: {{server: server, client: client}}\n"
        );
        let tools = "tools:\n  categories:\n    some:\n      environment: host\n      tools:\n        \
                     - {script: nothing.sh, template: \"{path}\"}\n";
        let full = format!(
            "version: '1.0'\nenvironment: here\nssh:\n  ssh_hosts:\n    \
             server: {{host: 'local:', workdir: '{server}'}}\n    client: {{host: 'local:', workdir: '{client}'}}\n\
             environments:\n  host:\n    \
             server: {{ssh_ref: server, test_ip: {NOWHERE}}}\n    client: {{ssh_ref: client, test_ip: {NOWHERE}}}\n\
             paths: {{tools_dir: t, results_dir: r, measurement_tools_dir: t}}\n\
             defaults: {{duration: 10, timeout: 120, use_sudo: false, python_interpreter: python3}}\n\
             monitoring: {{enabled: true, cpu: true, memory: true, memory_types: [], log_size: true, cpu_stats: []}}\n{tools}"
        );
        let path = Path::new("config/here-full.yaml");
        let cases = expand(&Full::read(path, &full).unwrap(), path, &full).unwrap().cases;
        nodes.workspace.write("config/minimal-input.yaml", &minimal);
        nodes.workspace.write("config/tools-template.yaml", tools);
        nodes.workspace.write("config/here-full.yaml", &full);
        nodes.workspace.write("config/here-cases.json", &Cases::new("here", cases).to_json());
        nodes.workspace.write(
            "scenarios/here.toml",
            "kind = \"network\"\nrepeat = 2\ntarget.testbed.config = \"config\"\n\
             network = { tests = [\"throughput_single\"] }\n",
        );
        nodes
    }

    fn path(&self, name: &str) -> PathBuf {
        self.workspace.path(name)
    }

    fn workdir(&self, node: &str) -> PathBuf {
        self.path("nodes").join(node)
    }

    /// `iterate` over them, for so many iterations.
    fn iterate(&self, iterations: &str, more: &[&str]) -> Output {
        let [root, results] = [self.path(""), self.path("out")].map(|path| text(&path));
        let own =
            ["iterate", "--root", &root, "--results-dir", &results, "--iterations", iterations];
        proofload(&[&own, more].concat())
    }

    fn iteration(&self, number: u32) -> PathBuf {
        self.path("out").join(format!("iteration_{number:03}"))
    }

    /// What an iteration has come to.
    fn record(&self, number: u32) -> Value {
        let text = fs::read_to_string(self.iteration(number).join("iteration.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// A file that a test has left on a node which began in that second of a day.
    fn leave(&self, node: &str, second: u32) -> String {
        let name =
            format!("baseline/host/{node}_results/throughput/single_{}/out.json", stamp(second));
        let path = self.workdir(node).join(RESULTS).join(&name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{second}")).unwrap();
        name
    }

    /// An iteration whose run has ended, its tool dead, in those ten seconds, and nothing of it collected yet.
    fn ended(&self, number: u32, second: u32) {
        let run = self.iteration(number).join("runs").join(stamp(second));
        for node in NODES {
            let kept = run.join("logs/some").join(node);
            fs::create_dir_all(&kept).unwrap();
            fs::write(kept.join("out.json"), "").unwrap();
        }
        let at = |second: u32| format!("2026-01-01T00:{:02}:{:02}Z", second / 60, second % 60);
        let (began, ended) = (at(second), at(second + 10));
        let trial = json!({
            "id": "network::here::tool=nothing", "kind": "network", "scenario_name": "network::here",
            "started_at": began, "completed_at": ended, "aborted": true, "abort_reason": "it died",
            "outcome": { "outcome": "aborted", "reason": "it died" }, "verdict": "fail",
        });
        let results = json!({
            "schema_version": 1, "test_id": stamp(second), "started_at": began, "completed_at": ended,
            "scenarios": [trial],
        });
        fs::write(run.join("results.json"), results.to_string()).unwrap();
        std::os::unix::fs::symlink(stamp(second), run.with_file_name("latest")).unwrap();
    }
}

/// As names have it.
fn stamp(second: u32) -> String {
    format!("20260101_00{:02}{:02}", second / 60, second % 60)
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// The files below a directory, by their names relative to it.
fn files(directory: &Path) -> Vec<String> {
    let (mut found, mut ahead) = (Vec::new(), vec![directory.to_owned()]);
    while let Some(path) = ahead.pop() {
        match fs::read_dir(&path) {
            Ok(entries) => ahead.extend(entries.map(|entry| entry.unwrap().path())),
            Err(_) if path.exists() => found.push(text(path.strip_prefix(directory).unwrap())),
            Err(_) => {}
        }
    }
    found.sort();
    found
}

#[test]
fn what_a_failed_iteration_left_is_collected_and_the_iteration_run_again_with_the_next_call() {
    let nodes = Nodes::new();
    let before = nodes.leave("client", 0);
    let config = text(&nodes.path("config"));
    let output = nodes.iterate("1", &["--config-dir", &config]).expect(4);
    assert!(output.stdout.starts_with("0 of 1 iterations succeeded\n"), "{}", output.stdout);
    assert_eq!(nodes.record(1)["status"], "FAILED");
    let first = files(&nodes.iteration(1).join("client").join(RESULTS));
    assert!(first.iter().any(|name| name.ends_with("/commands.txt")), "{first:?}");
    let left = files(&nodes.workdir("client").join(RESULTS));
    assert_eq!(left, [before.as_str()], "what was there before stays, and nothing else");
    let summary = fs::read_to_string(nodes.iteration(1).join("collection_summary.txt")).unwrap();
    assert!(summary.contains(&format!("  client: {} files, ", first.len())), "{summary}");

    nodes.iterate("1", &["--config-dir", &config]).expect(4);
    let runs = crate::workspace::names(&nodes.iteration(1).join("runs"));
    assert_eq!(runs.len(), 3, "two runs and the link to the last: {runs:?}");
    let both = files(&nodes.iteration(1).join("client").join(RESULTS));
    assert!(both.len() > first.len() && first.iter().all(|name| both.contains(name)), "{both:?}");
    let collected = nodes.iteration(1).join("client").join(RESULTS);
    let bytes = both.iter().map(|name| fs::metadata(collected.join(name)).unwrap().len());
    assert_eq!(
        nodes.record(1)["nodes"][1],
        json!(["client", {
            "files": both.len(), "bytes": bytes.sum::<u64>(), "cleaned": true
        }])
    );
}

#[test]
fn an_iteration_has_its_own_files_where_those_of_all_are_left_on_the_nodes() {
    let nodes = Nodes::new();
    nodes.iterate("2", &["--no-cleanup"]).expect(4);
    for node in NODES {
        let [one, two] =
            [1, 2].map(|number| files(&nodes.iteration(number).join(node).join(RESULTS)));
        assert!(!one.is_empty() && !two.is_empty(), "{one:?} {two:?}");
        assert!(one.iter().all(|name| !two.contains(name)), "{one:?} {two:?}");
        let mut both = [one, two].concat();
        both.sort();
        assert_eq!(files(&nodes.workdir(node).join(RESULTS)), both, "{node}");
        assert_eq!(nodes.record(2)["nodes"][0][1]["cleaned"], false);
    }
}

#[test]
fn an_iteration_that_was_not_collected_is_collected_with_the_next_call_and_not_run_again() {
    let nodes = Nodes::new();
    nodes.ended(1, 0);
    nodes.ended(2, 60);
    let [first, second] = [3, 63].map(|second| NODES.map(|node| nodes.leave(node, second)));
    let foreign = nodes.leave("client", 30);
    // There is no place for the files of this node.
    let blocked = nodes.iteration(1).join("client");
    fs::write(&blocked, "").unwrap();
    let output = nodes.iterate("2", &[]).expect(4);
    assert!(
        output.stdout.contains("iteration 1: COLLECTION_FAILED (1 files, "),
        "{}",
        output.stdout
    );
    assert!(output.stdout.contains("iteration 2: TEST_FAILED (2 files, "), "{}", output.stdout);
    assert!(output.stdout.contains("    client: client: "), "{}", output.stdout);
    let summary = fs::read_to_string(nodes.iteration(1).join("collection_summary.txt")).unwrap();
    assert!(summary.contains("  server: 1 files, 1 bytes, removed there\n"), "{summary}");
    assert!(summary.contains("  client: NOT COLLECTED: "), "{summary}");
    assert_eq!(files(&nodes.workdir("server")).len(), 0);
    let mut left = [first[1].clone(), foreign.clone()];
    left.sort();
    assert_eq!(files(&nodes.workdir("client").join(RESULTS)), left, "not of iteration 2");

    fs::remove_file(&blocked).unwrap();
    let output = nodes.iterate("2", &[]).expect(1);
    assert!(output.stderr.contains("iteration_002 is there already and is kept"), "{output:?}");
    assert_eq!(nodes.record(1)["status"], "TEST_FAILED");
    for (place, node) in NODES.into_iter().enumerate() {
        for (number, name) in [(1, &first[place]), (2, &second[place])] {
            let found = files(&nodes.iteration(number).join(node).join(RESULTS));
            assert_eq!(found, [name.as_str()], "{node} in iteration {number}");
        }
    }
    assert_eq!(nodes.record(1)["nodes"][0][1], json!({ "files": 1, "bytes": 1, "cleaned": true }));
    assert_eq!(files(&nodes.workdir("client").join(RESULTS)), [foreign]);
    assert_eq!(crate::workspace::names(&nodes.iteration(1).join("runs")).len(), 2);
}

#[test]
fn an_iteration_that_was_killed_once_its_files_were_removed_goes_on_and_lost_files_are_no_success()
{
    let nodes = Nodes::new();
    nodes.ended(1, 0);
    for node in NODES {
        nodes.leave(node, 3);
    }
    nodes.iterate("1", &[]).expect(1);
    // What iterate writes last.
    let record = nodes.iteration(1).join("iteration.json");
    fs::remove_file(&record).unwrap();
    nodes.iterate("1", &[]).expect(1);
    assert_eq!(
        nodes.record(1)["nodes"][1],
        json!(["client", { "files": 1, "bytes": 1, "cleaned": true }])
    );

    fs::remove_file(&record).unwrap();
    fs::remove_dir_all(nodes.iteration(1).join("client")).unwrap();
    let output = nodes.iterate("1", &[]).expect(4);
    assert!(output.stdout.contains("COLLECTION_FAILED"), "{}", output.stdout);
    assert!(output.stdout.contains("has no file of that: was it removed?"), "{}", output.stdout);
}

#[test]
fn nothing_is_collected_while_another_run_has_the_machine() {
    let nodes = Nodes::new();
    nodes.ended(1, 0);
    let left = NODES.map(|node| nodes.leave(node, 3));
    let lock = fs::File::create(nodes.path("run.lock")).unwrap();
    lock.lock().unwrap();
    let output = nodes.iterate("1", &[]).expect(4);
    assert!(output.stdout.contains("another run still holds"), "{}", output.stdout);
    assert_eq!(files(&nodes.workdir("server").join(RESULTS)), [left[0].as_str()]);
    drop(lock);
    nodes.iterate("1", &[]).expect(1);
    assert_eq!(files(&nodes.iteration(1).join("server").join(RESULTS)), [left[0].as_str()]);
}

#[test]
fn a_directory_of_a_node_is_fetched_and_nothing_removed() {
    let nodes = Nodes::new();
    let names = [3, 4].map(|second| nodes.leave("server", second));
    let (config, local) = (text(&nodes.path("config")), nodes.path("fetched"));
    let here = text(&local);
    let of_server = ["fetch", "--host", "server", "--config-dir", &config, "--local-dir", &here];
    let output = proofload(&of_server).expect(0);
    assert!(output.stdout.starts_with("server: 2 files, 2 bytes of /"), "{}", output.stdout);
    assert_eq!(files(&local), names);
    assert_eq!(files(&nodes.workdir("server").join(RESULTS)), names);
    let again = proofload(&of_server).expect(0);
    assert!(again.stdout.ends_with("; 2 were here already\n"), "{}", again.stdout);

    // Another directory, of a node that no configuration knows.
    let part = format!("{}/{RESULTS}/{}", text(&nodes.workdir("server")), names[0]);
    let part = text(Path::new(&part).parent().unwrap());
    let other = nodes.path("other");
    let of_path = ["fetch", "--host", "local:", "--remote-path", &part, "--local-dir"];
    proofload(&[&of_path[..], &[&text(&other)]].concat()).expect(0);
    assert_eq!(files(&other), ["out.json"]);

    let of_client = ["fetch", "--host", "client", "--config-dir", &config, "--local-dir", &here];
    let absent = proofload(&of_client).expect(4);
    assert!(absent.stderr.contains("client: there is no directory /"), "{}", absent.stderr);
    let nobody = proofload(&["fetch", "--host", "nobody", "--config-dir", &config]).expect(2);
    assert!(nobody.stderr.contains("expected one of server, client"), "{}", nobody.stderr);
}
