//! What a run leaves in its directory, and what it must not.

use std::fs;
use std::path::Path;

use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers};

use crate::workspace::{Output, Workspace, names};

const FILES: [&str; 6] =
    ["journal.jsonl", "junit.xml", "plan.json", "report.md", "results.json", "samples.csv"];

#[test]
fn a_run_leaves_files_for_people_and_programs() {
    let workspace = Workspace::of(&["fails", "stack", "steps"]);
    workspace.write("summary.md", "before\n");
    let summary = workspace.path("summary.md");
    let suite = workspace.suite(&[]).env("GITHUB_STEP_SUMMARY", summary.to_str().unwrap());
    let output = suite.env("GITHUB_ACTIONS", "true").run().expect(1);

    let latest = workspace.path("results/latest");
    let target = fs::read_link(&latest).unwrap();
    assert_eq!(target.components().count(), 1, "the link must survive a move of the directory");
    assert_eq!(workspace.results().test_id, target.to_str().unwrap());
    let present = names(&latest);
    assert_eq!(names(&latest.join("logs")), ["baseline--fails", "build.log"]);
    assert!(FILES.iter().all(|file| present.iter().any(|name| name == file)), "{present:?}");

    the_skipped_trial_is_there_with_its_reason(&workspace);
    readings_of_own_parts_are_there(&workspace);
    github_is_told(&output, &fs::read_to_string(summary).unwrap());
    nothing_is_colored(&output, &latest);
    let builds = fs::read_to_string(workspace.path("builds.txt")).unwrap();
    assert_eq!(builds, "built\n", "once for both trials");
}

fn the_skipped_trial_is_there_with_its_reason(workspace: &Workspace) {
    let results = workspace.results();
    let trial = results.scenarios.iter().find(|trial| trial.id == "baseline::stack").unwrap();
    let trial = serde_json::to_value(trial).unwrap();
    assert_eq!(trial["verdict"], "skipped");
    assert!(trial["outcome"].to_string().contains("no Docker daemon listens at /nonexistent"));
    let json = workspace.analyze("results/latest", &["--format", "json"]).json();
    let check = json["checks"].as_array().unwrap().iter().find(|check| check["id"] == trial["id"]);
    assert_eq!(check.unwrap()["verdict"], "skipped");
}

fn readings_of_own_parts_are_there(workspace: &Workspace) {
    let csv = fs::read_to_string(workspace.path("results/latest/samples.csv")).unwrap();
    for agents in [1, 2] {
        let start = format!("\"load::steps::agents={agents}\"").replace('"', "");
        let own =
            |line: &&str| line.starts_with(&start) && line.ends_with(",api,queue.length,3.5,count");
        assert!(csv.lines().any(|line| own(&line)), "{csv}");
    }
    let results = workspace.results();
    let trial = results.scenarios.iter().find(|trial| trial.id == "load::steps::agents=2").unwrap();
    assert_eq!(trial.scenario_params["total_agents"], 2);
    assert_eq!(trial.metrics.len(), 1, "units of metrics that are not in the catalog");
}

fn github_is_told(output: &Output, summary: &str) {
    assert!(summary.starts_with("before\n# "), "{summary}");
    assert!(summary.contains("baseline::fails"), "{summary}");
    let annotations: Vec<&str> =
        output.stderr.lines().filter(|line| line.starts_with("::")).collect();
    let expected = "::error title=fail%3A baseline%3A%3Afails::gate: memory.rss of api";
    assert!(matches!(annotations[..], [one, _] if one.starts_with(expected)), "{annotations:?}");
}

fn nothing_is_colored(output: &Output, latest: &Path) {
    let mut texts = vec![output.stdout.clone(), output.stderr.clone()];
    texts.extend(FILES.map(|file| fs::read_to_string(latest.join(file)).unwrap()));
    assert!(texts.iter().all(|text| !text.contains('\u{1b}')), "no terminal reads this");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_in_no_file_and_not_in_the_output_even_when_the_system_says_it() {
    const SECRET: &str = "s3cr3t/with=signs";
    let server = MockServer::start().await;
    let key = |request: &Request| request.headers["x-key"].to_str().unwrap().to_owned();
    let echo = move |code: u16| {
        move |request: &Request| {
            let body = format!("{} {}", key(request), String::from_utf8_lossy(&request.body));
            ResponseTemplate::new(code).set_body_string(body)
        }
    };
    for (path, code) in [("/good", 200), ("/bad", 500)] {
        Mock::given(matchers::path(path)).respond_with(echo(code)).mount(&server).await;
    }
    let workspace = Workspace::of(&[]);
    for path in ["good", "bad"] {
        let scenario = format!(
            r#"
            kind = "load"
            load.levels = [1]
            target.process.service = [{{ name = "api", command = ["sleep", "60"] }}]
            [driver.agents]
            base_url = "{}"
            headers = {{ "X-Key" = "${{env:SHOP_KEY}}" }}
            spawn = {{ method = "POST", path = "/{path}", body = '{{"key": "${{env:SHOP_KEY}}", "n": {{count}}}}' }}
            "#,
            server.uri()
        );
        workspace.write(&format!("scenarios/{path}.toml"), &scenario);
    }
    let output = workspace.suite(&[]).env("SHOP_KEY", SECRET).run().expect(1);

    let requests = server.received_requests().await.unwrap();
    assert!(requests.iter().all(|request| request.headers["x-key"] == SECRET), "it must be sent");
    assert_eq!(requests.len(), 2);
    assert!(output.stdout.contains("***"), "the answer is quoted without it: {}", output.stdout);
    let mut texts = vec![("output".to_owned(), format!("{}{}", output.stdout, output.stderr))];
    read_all(&workspace.path("results/latest/"), &mut texts);
    assert!(texts.len() > FILES.len(), "{texts:?}");
    for (name, text) in texts {
        assert!(!text.contains(SECRET) && !text.contains("s3cr3t"), "{name}: {text}");
    }
}

/// Every file below a directory.
fn read_all(directory: &Path, texts: &mut Vec<(String, String)>) {
    for name in names(directory) {
        let path = directory.join(&name);
        if path.is_dir() {
            read_all(&path, texts);
        } else {
            texts.push((name, String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned()));
        }
    }
}

#[test]
fn only_the_newest_runs_are_kept_and_nothing_that_is_no_run_is_removed() {
    let workspace = Workspace::of(&["stack"]);
    fs::create_dir_all(workspace.path("results/mine")).unwrap();
    let mut ids = Vec::new();
    for _ in 0..4 {
        workspace.suite(&[]).run().expect(0);
        ids.push(workspace.results().test_id);
    }
    let mut expected = vec![ids[2].clone(), ids[3].clone(), "latest".into(), "mine".into()];
    expected.sort();
    assert_eq!(names(&workspace.path("results")), expected);
}
