//! `init` in packages of every kind.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::{Arguments, Ci, run};
use crate::model::Kind;
use crate::model::spec::TargetSpec;
use crate::scenario::{self, Names, Workspace};

const PACKAGE: &str = "# Kept.\n[package]\nname = \"shop\" # And this.\nversion = \"0.1.0\"\n";

fn package(manifest: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("Cargo.toml"), manifest).unwrap();
    directory
}

fn arguments(directory: &Path) -> Arguments {
    Arguments { directory: directory.to_owned(), ci: None, force: false }
}

/// Everything below a directory, by relative path.
fn tree(directory: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut left = vec![directory.to_owned()];
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let name = path.strip_prefix(directory).unwrap().to_string_lossy().into_owned();
            files.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
    files
}

#[test]
fn the_written_scenario_loads() {
    let directory = package(PACKAGE);
    run(&arguments(directory.path())).unwrap();
    let workspace = Workspace::open(directory.path(), []).unwrap();
    let files = scenario::files(&workspace.scenarios).unwrap();
    let names = Names::default();
    let scenario = scenario::load(&workspace, &files[0], &names).unwrap();
    assert_eq!((scenario.kind, scenario.rules.thresholds.len()), (Kind::Baseline, 2));
    let TargetSpec::Process(process) = &scenario.targets[0] else { panic!("not a process target") };
    assert_eq!(process.service[0].command, ["target/release/shop"]);
}

#[test]
fn the_manifest_keeps_its_text_and_declares_the_test() {
    let directory = package(PACKAGE);
    let answer = run(&arguments(directory.path())).unwrap();
    let files = tree(directory.path());
    let rest = files["Cargo.toml"].strip_prefix(PACKAGE).unwrap();
    let table: toml::Table = toml::from_str(rest).unwrap();
    assert_eq!(table["test"][0]["harness"].as_bool(), Some(false), "{rest}");
    assert_eq!(table["test"][0]["test"].as_bool(), Some(false), "{rest}");
    assert!(answer.text.contains("cargo add --dev proofload"), "{}", answer.text);
    assert!(files["tests/perf.rs"].contains("proofload::Suite::at(env!(\"CARGO_MANIFEST_DIR\"))"));
    assert_eq!(files[".gitignore"], "/results/\n");
}

#[test]
fn a_second_time_changes_nothing_and_says_so() {
    let directory = package(PACKAGE);
    run(&arguments(directory.path())).unwrap();
    fs::write(directory.path().join("scenarios/baseline.toml"), "mine").unwrap();
    let before = tree(directory.path());
    let answer = run(&arguments(directory.path())).unwrap();
    assert_eq!(tree(directory.path()), before);
    assert_eq!(answer.text.matches("is there already").count(), 4, "{}", answer.text);
}

#[test]
fn force_overwrites_files_but_appends_nothing_twice() {
    let directory = package(PACKAGE);
    run(&arguments(directory.path())).unwrap();
    let before = tree(directory.path());
    fs::write(directory.path().join("scenarios/baseline.toml"), "mine").unwrap();
    run(&Arguments { force: true, ..arguments(directory.path()) }).unwrap();
    assert_eq!(tree(directory.path()), before);
}

#[test]
fn a_member_of_a_workspace_finds_what_the_workspace_builds() {
    let root = package("[workspace]\nmembers = [\"apps/shop\"]\n");
    let member = root.path().join("apps/shop");
    fs::create_dir_all(&member).unwrap();
    fs::write(member.join("Cargo.toml"), PACKAGE).unwrap();
    run(&arguments(&member)).unwrap();
    let scenario = fs::read_to_string(member.join("scenarios/baseline.toml")).unwrap();
    assert!(scenario.contains("command = [\"../../target/release/shop\"]"), "{scenario}");
}

#[test]
fn the_manifest_is_left_alone_where_appending_would_break_it() {
    for tests in ["test = [{ name = \"other\" }]\n", "[[test]]\nname = \"perf\"\n"] {
        // Top-level keys come before tables.
        let manifest = if tests.starts_with("test") {
            format!("{tests}{PACKAGE}")
        } else {
            format!("{PACKAGE}{tests}")
        };
        let directory = package(&manifest);
        let answer = run(&arguments(directory.path())).unwrap();
        assert_eq!(tree(directory.path())["Cargo.toml"], manifest);
        assert!(answer.text.contains("harness = false"), "{}", answer.text);
    }
}

#[test]
fn a_dependency_that_is_there_is_not_asked_for() {
    let directory = package(&format!("{PACKAGE}[dev-dependencies]\nproofload = \"0.1\""));
    let answer = run(&arguments(directory.path())).unwrap();
    assert!(!answer.text.contains("cargo add"), "{}", answer.text);
    toml::from_str::<toml::Table>(&tree(directory.path())["Cargo.toml"]).unwrap();
}

#[test]
fn an_ignore_file_gets_one_line_and_keeps_its_own() {
    for (before, after) in [
        ("/target", "/target\n/results/\n"),
        ("/target\n", "/target\n/results/\n"),
        ("results/\n", "results/\n"),
        ("/results", "/results"),
    ] {
        let directory = package(PACKAGE);
        fs::write(directory.path().join(".gitignore"), before).unwrap();
        run(&arguments(directory.path())).unwrap();
        assert_eq!(tree(directory.path())[".gitignore"], after);
    }
}

#[test]
fn a_job_is_written_only_where_it_is_asked_for() {
    let directory = package(PACKAGE);
    run(&arguments(directory.path())).unwrap();
    assert!(!directory.path().join(".github").exists());
    run(&Arguments { ci: Some(Ci::Github), ..arguments(directory.path()) }).unwrap();
    assert!(
        tree(directory.path())[".github/workflows/perf.yml"].contains("cargo test --test perf")
    );
}

#[test]
fn what_is_no_package_is_bad_input_and_stays_empty() {
    for manifest in [None, Some("[workspace]\nmembers = []\n"), Some("not toml")] {
        let directory = tempfile::tempdir().unwrap();
        if let Some(manifest) = manifest {
            fs::write(directory.path().join("Cargo.toml"), manifest).unwrap();
        }
        let before = tree(directory.path());
        assert_eq!(run(&arguments(directory.path())).unwrap_err().code, 2, "{manifest:?}");
        assert_eq!(tree(directory.path()), before);
    }
}
