//! Hooks over a fake of nodes that fails where it is told to, and over this machine's own shell.

use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::*;
use crate::model::spec::network::NodeSpec;

const LEVELS: [Level; 4] = [Level::Global, Level::Tool, Level::Case, Level::Test];

/// Remembers what it was asked to run, as `node line`, and fails where `fails` says so of the how manieth.
struct Fake {
    ran: Arc<Mutex<Vec<String>>>,
    fails: Vec<usize>,
}

#[async_trait]
impl Runner for Fake {
    fn nodes(&self) -> Vec<String> {
        vec!["a".into(), "b".into()]
    }

    async fn run(&self, node: &str, line: &str) -> Result<RemoteOutput, NodeError> {
        let mut ran = self.ran.lock().unwrap();
        ran.push(format!("{node} {line}"));
        let code = i32::from(self.fails.contains(&(ran.len() - 1)));
        Ok(RemoteOutput { code, stdout: String::new(), stderr: String::new() })
    }

    async fn upload(&self, _: &str, _: &Path, _: &str) -> Result<(), NodeError> {
        Ok(())
    }

    async fn end_lines(&self) {}
}

/// Two hooks a level, the first on all nodes.
fn all() -> Vec<Hook> {
    let hook = |level: Level, number: usize| {
        let name = format!("{level:?}{number}").to_lowercase();
        Hook {
            level,
            node: (number == 2).then(|| "b".to_owned()),
            init: Some(format!("init {name}")),
            post: Some(format!("post {name}")),
            name,
        }
    };
    LEVELS.iter().flat_map(|&level| [hook(level, 1), hook(level, 2)]).collect()
}

/// Enters levels as a run does, each inside the one before, several tests in the last, and stops at the first failure.
async fn walk(hooks: &mut Hooks, tests: usize) -> Vec<String> {
    let mut errors = Vec::new();
    let mut entered = Ok(());
    for level in &LEVELS[..3] {
        if entered.is_ok() {
            entered = hooks.enter(*level, "x").await;
        }
    }
    for _ in 0..tests {
        if entered.is_ok() {
            entered = hooks.enter(Level::Test, "x").await;
            let left = hooks.leave(Level::Test).await;
            errors.extend(left.err().into_iter().flat_map(|error| error.0));
        }
    }
    errors.extend(entered.err().into_iter().flat_map(|error| error.0));
    for level in [Level::Case, Level::Tool, Level::Global] {
        let left = hooks.leave(level).await;
        errors.extend(left.err().into_iter().flat_map(|error| error.0));
    }
    errors
}

/// What the event log says of a walk with such failures, after checking that it nests.
fn check(tests: usize, fails: Vec<usize>) -> Vec<serde_json::Value> {
    let ran = Arc::new(Mutex::new(Vec::new()));
    let file = tempfile::NamedTempFile::new().unwrap();
    let fake = Fake { ran: Arc::clone(&ran), fails: fails.clone() };
    let mut hooks = Hooks::new(&all(), Box::new(fake), Path::new("/"));
    hooks.log_to(file.path());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let errors = runtime.block_on(walk(&mut hooks, tests));
    let text = std::fs::read_to_string(file.path()).unwrap();
    let events: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ran = ran.lock().unwrap();
    assert_eq!(events.len(), ran.len());
    let happened = fails.iter().filter(|&&at| at < ran.len()).count();
    assert_eq!(errors.len(), happened, "every failure is told once: {errors:?}");

    let mut open = Vec::new();
    for (event, ran) in events.iter().zip(ran.iter()) {
        let text = |key: &str| event[key].as_str().unwrap();
        let own = (text("hook"), text("node"));
        assert_eq!(*ran, format!("{} {} {}", own.1, text("what"), own.0));
        match text("what") {
            "init" => open.push(own),
            _ => assert_eq!(open.pop(), Some(own), "the last that began ends first"),
        }
        let level = LEVELS.iter().position(|level| {
            own.0.starts_with(text("level")) && {
                format!("{level:?}").to_lowercase() == text("level")
            }
        });
        assert_eq!(event["depth"].as_u64(), level.map(|level| level as u64 + 1));
    }
    assert_eq!(open, [], "everything that began has ended");
    events
}

#[test]
fn levels_nest_and_all_run_where_nothing_fails() {
    let events = check(2, Vec::new());
    // Three levels and two tests, two hooks each, one of them on two nodes, before and after.
    assert_eq!(events.len(), (3 + 2) * 3 * 2);
}

#[test]
fn what_comes_after_a_failure_of_any_command_is_what_was_begun_alone() {
    for at in 0..30 {
        check(2, vec![at]);
    }
    // The first command of all: only its own counterpart runs.
    assert_eq!(check(2, vec![0]).len(), 2);
    // The second hook of the tool: its counterpart, and those of all that was begun before.
    assert_eq!(check(2, vec![5]).len(), 12);
}

proptest! {
    #[test]
    fn whatever_fails_every_init_has_its_post_in_reverse(
        tests in 0_usize..4,
        fails in prop::collection::btree_set(0_usize..42, 0..12),
    ) {
        check(tests, fails.into_iter().collect());
    }
}

#[tokio::test]
async fn what_is_open_keeps_its_hooks_when_others_are_taken() {
    let ran = Arc::new(Mutex::new(Vec::new()));
    let fake = Fake { ran: Arc::clone(&ran), fails: Vec::new() };
    let mut hooks = Hooks::new(&all(), Box::new(fake), Path::new("/"));
    hooks.enter(Level::Tool, "one").await.unwrap();
    hooks.replace(&[]);
    hooks.leave(Level::Tool).await.unwrap();
    hooks.enter(Level::Tool, "two").await.unwrap();
    assert!(hooks.is_open(Level::Tool) && !hooks.is_open(Level::Global));
    assert_eq!(ran.lock().unwrap().len(), 6);
}

/// A node that does not answer for its first lines.
struct Lost(Mutex<u32>);

#[async_trait]
impl Runner for Lost {
    fn nodes(&self) -> Vec<String> {
        vec!["a".into()]
    }

    async fn run(&self, node: &str, _: &str) -> Result<RemoteOutput, NodeError> {
        let mut left = self.0.lock().unwrap();
        *left = left.saturating_sub(1);
        match *left {
            0 => Ok(RemoteOutput { code: 0, stdout: String::new(), stderr: String::new() }),
            _ => Err(NodeError { node: node.into(), message: "connection refused".into() }),
        }
    }

    async fn upload(&self, _: &str, _: &Path, _: &str) -> Result<(), NodeError> {
        Ok(())
    }

    async fn end_lines(&self) {}
}

#[tokio::test(start_paused = true)]
async fn a_post_waits_for_a_node_that_comes_back_and_an_init_does_not() {
    let check = async |refused: u32, expected: Result<(), &str>| {
        let lost = Lost(Mutex::new(refused + 1));
        let post = Hook { init: None, ..all().remove(4) };
        let mut hooks = Hooks::new(&[post], Box::new(lost), Path::new("/"));
        hooks.enter(Level::Case, "case").await.unwrap();
        assert_eq!(hooks.leave_within(), Duration::from_secs(130));
        let left = hooks.leave(Level::Case).await.map_err(|error| error.to_string());
        assert_eq!(left.is_ok(), expected.is_ok(), "{refused}: {left:?}");
        assert_eq!(hooks.leave_within(), Duration::ZERO);
    };
    check(5, Ok(())).await;
    check(50, Err("connection refused")).await;
    let lost = Box::new(Lost(Mutex::new(2)));
    let mut hooks = Hooks::new(&all()[4..5], lost, Path::new("/"));
    assert!(hooks.enter(Level::Case, "case").await.is_err());
}

#[tokio::test]
async fn builtins_do_what_they_say() {
    let directory = tempfile::tempdir().unwrap();
    let workdir = directory.path().join("work");
    std::fs::create_dir_all(directory.path().join("from")).unwrap();
    std::fs::create_dir(&workdir).unwrap();
    std::fs::write(directory.path().join("from/a"), "a").unwrap();
    let spec = NodeSpec {
        name: "here".into(),
        ssh: "local:".into(),
        ssh_config: None,
        workdir: workdir.to_str().unwrap().into(),
        sudo: false,
    };
    let hook = |line: &str| Hook {
        level: Level::Case,
        name: "it".into(),
        node: None,
        init: Some(line.into()),
        post: None,
    };
    let run = async |line: &str| {
        let runner = Box::new(OnNodes { all: vec![Node::new(&spec)], usual: vec!["here".into()] });
        let mut hooks = Hooks::new(&[hook(line)], runner, directory.path());
        hooks.enter(Level::Case, "case").await.map_err(|error| error.to_string())
    };
    run("builtin:mkdir 'a b/c' d").await.unwrap();
    assert!(workdir.join("a b/c").is_dir() && workdir.join("d").is_dir());
    run("builtin:upload from to").await.unwrap();
    assert_eq!(std::fs::read_to_string(workdir.join("to/a")).unwrap(), "a");
    run("builtin:remove 'a b' d to/a").await.unwrap();
    assert!(!workdir.join("a b").exists() && workdir.join("to").is_dir());
    run("builtin:require sh cat").await.unwrap();
    run("test \"$PWD\" = \"$(pwd)\" && cd to").await.unwrap();
    for (line, expected) in [
        ("builtin:remove ..", "is not below the workdir"),
        ("builtin:remove /etc/x", "is not below the workdir"),
        ("builtin:remove .", "is not below the workdir"),
        ("builtin:require sh nosuchprogram", "install `nosuchprogram` (package nosuchprogram)"),
        ("builtin:mkdir", "is no command of hooks"),
        ("builtin:fly", "they are mkdir PATH..."),
        ("echo no; exit 3", "init of hook `it` on here failed: code 3; it printed:\n    no"),
    ] {
        let error = run(line).await.unwrap_err();
        assert!(error.contains(expected), "{line}: {error}");
    }
    std::fs::remove_dir_all(&workdir).unwrap();
    let witness = directory.path().join("witness");
    for line in [&*format!("touch {}", witness.display()), "builtin:remove to", "builtin:mkdir a"] {
        let error = run(line).await.unwrap_err();
        assert!(
            error.contains("code 1; it printed:\n    the workdir cannot be entered"),
            "{error}"
        );
    }
    assert!(!witness.exists(), "a line ran outside the workdir");
}
