//! From scenarios to questions, and from rows to what is printed.

use super::question::{Asked, Question};
use super::row::{Container, Row, State, json, text};
use super::*;

const PROCESS: &str = r#"
kind = "load"
[load]
levels = [1, 2]
[target.process]
build = "make"
service = [{ name = "api", command = ["bin/api"], ready = { tcp = "127.0.0.1:1" } }]
[target.compose]
project = "shop"
attach = true
"#;

const AGENTS: &str = r#"
[driver.agents]
base_url = "http://127.0.0.1:1"
headers = { key = "${env:PROOFLOAD_NO_SUCH_KEY}" }
spawn = { method = "POST", path = "/spawn" }
"#;

fn workspace(files: &[(&str, &str)]) -> (tempfile::TempDir, Workspace) {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("scenarios")).unwrap();
    for (name, text) in files {
        std::fs::write(root.path().join("scenarios").join(name), text).unwrap();
    }
    let workspace = Workspace::open(root.path(), []).unwrap();
    (root, workspace)
}

fn asked(files: &[(&str, &str)]) -> Vec<Asked> {
    let (_root, workspace) = workspace(files);
    let scenarios = load(&workspace, &[]).unwrap_or_else(|failure| panic!("{}", failure.message));
    question::of(scenarios.iter().flat_map(plan::trials))
}

#[test]
fn what_several_trials_need_is_asked_once() {
    let own = format!("{PROCESS}{AGENTS}");
    let command = "[driver.command]\ncommand = [\"load\", \"{agents}\"]\n";
    let other = format!("{PROCESS}{command}");
    let all = asked(&[("one.toml", &own), ("two.toml", &other)]);
    let both = ["one".to_owned(), "two".to_owned()];
    let of = |asks: fn(&Question) -> bool| {
        let found: Vec<&Asked> = all.iter().filter(|asked| asks(&asked.question)).collect();
        found.iter().map(|asked| asked.scenarios.clone()).collect::<Vec<_>>()
    };
    assert_eq!(of(|q| matches!(q, Question::Address { .. })), [both.to_vec()]);
    assert_eq!(of(|q| matches!(q, Question::Projects(_))), [both.to_vec()]);
    assert_eq!(of(|q| matches!(q, Question::Stack(_))).len(), 0, "no file is named");
    assert_eq!(of(|q| matches!(q, Question::Variable { is_set: false, .. })), [both[..1].to_vec()]);
    let api = of(|q| matches!(q, Question::Api { .. }));
    assert_eq!(api.len(), 2, "it must run where it is attached to, and need not elsewhere");
    let programs = of(|q| matches!(q, Question::Program { .. }));
    assert_eq!(programs, [both.to_vec(), both[1..].to_vec()]);
}

#[test]
fn names_that_only_the_test_binary_knows_are_no_errors() {
    let custom = "kind = \"baseline\"\nprobes = [\"queue\"]\n[target.compose]\nattach = true\n\
                  [driver.custom]\nname = \"ticker\"\n";
    let all = asked(&[("custom.toml", custom)]);
    let names: Vec<&str> = all
        .iter()
        .filter_map(|asked| match &asked.question {
            Question::Registered { name, .. } => Some(name.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(names, ["ticker", "queue"]);
}

#[test]
fn scenarios_are_chosen_by_name_or_path_and_all_bad_ones_are_told() {
    let (root, workspace) =
        workspace(&[("a.toml", PROCESS), ("b.toml", "kinds = 1"), ("c.toml", "")]);
    let refused = load(&workspace, &[]).unwrap_err();
    assert_eq!(refused.code, 2);
    assert!(
        refused.message.contains("a.toml") && refused.message.contains("c.toml"),
        "{refused:?}"
    );
    let unknown = load(&workspace, &["d".to_owned()]).unwrap_err();
    assert_eq!(unknown.message, "error: no scenario \"d\": expected a, b, c");
    let good = format!("{PROCESS}{AGENTS}");
    let path = root.path().join("good.toml");
    std::fs::write(&path, good).unwrap();
    let chosen = load(&workspace, &[path.display().to_string()]).unwrap();
    assert_eq!(chosen[0].name, "good");
}

#[test]
fn the_workspace_is_the_nearest_directory_with_scenarios() {
    let (root, _) = workspace(&[]);
    let below = root.path().join("a/b");
    std::fs::create_dir_all(&below).unwrap();
    assert_eq!(nearest(&below).unwrap(), root.path());
    assert_eq!(nearest(Path::new("/proc")).unwrap_err().code, 2);
}

fn rows() -> Vec<Row> {
    let container = Container {
        project: "shop".to_owned(),
        name: "api".to_owned(),
        health: Some("healthy"),
        memory_bytes: Some(52_428_800.0),
        limit_bytes: Some(104_857_600.0),
        memory_fraction: Some(0.5),
        cpu_usage: None,
    };
    vec![
        Row::ok("lock", "free"),
        Row {
            scenarios: vec!["idle".to_owned(), "soak".to_owned()],
            ..Row::off("API", "does not\n  answer").hint("normal")
        },
        Row {
            scenarios: vec!["soak".to_owned()],
            ..Row::missing("variable KEY", "not set").hint("set KEY")
        },
        Row { container: Some(container), ..Row::new("container api", State::Ok, "running") },
    ]
}

#[test]
fn rows_are_a_table_with_what_to_do_below() {
    let expected = "\
\x20 state    what          found            needed by
  ok       lock          free             any run
  off      API           does not answer  all scenarios
  missing  variable KEY  not set          soak

Containers
  state  project  container  status   health   memory  limit    usage  cpu
  ok     shop     api        running  healthy  50 MiB  100 MiB  50.0%  -

To do
 variable KEY: set KEY

Notes
 API: normal

not ready: 1 missing
";
    assert_eq!(text(&rows(), 2), expected);
    assert!(text(&rows()[..2], 2).ends_with("\nready: a run can start\n"));
}

#[test]
fn rows_are_an_object_with_base_units() {
    let value: serde_json::Value = serde_json::from_str(&json(&rows()).unwrap()).unwrap();
    assert_eq!(value["ready"], false);
    assert_eq!(value["rows"][2]["state"], "missing");
    assert_eq!(value["rows"][2]["hint"], "set KEY");
    assert_eq!(value["rows"][3]["container"]["memory_bytes"], 52_428_800.0);
    assert!(value["rows"][3]["container"]["cpu_usage"].is_null());
}
