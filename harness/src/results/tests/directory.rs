//! Run directories: making, pointing at, keeping, replacing.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::results::RunDirectory;

fn now() -> jiff::Timestamp {
    "2026-01-30T14:30:22Z".parse().unwrap()
}

fn names(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_run_is_named_after_its_time_and_never_shares_a_directory() {
    let root = tempfile::tempdir().unwrap();
    let results = root.path().join("results");
    let made: Vec<String> =
        (0..3).map(|_| RunDirectory::create(&results, now()).unwrap().test_id()).collect();
    assert_eq!(made, ["20260130_143022", "20260130_143022_2", "20260130_143022_3"]);
    assert_eq!(names(&results), made);
}

#[test]
fn processes_of_one_run_share_a_directory() {
    let root = tempfile::tempdir().unwrap();
    let first = RunDirectory::shared(root.path(), "abc").unwrap();
    assert_eq!(RunDirectory::shared(root.path(), "abc").unwrap(), first);
    assert_eq!(first.path(), root.path().join("abc"));
}

#[test]
fn latest_follows_the_last_run() {
    let root = tempfile::tempdir().unwrap();
    for name in ["one", "two"] {
        let run = RunDirectory::shared(root.path(), name).unwrap();
        run.make_latest().unwrap();
        assert_eq!(fs::read_link(root.path().join("latest")).unwrap(), Path::new(name));
        assert_eq!(
            fs::canonicalize(root.path().join("latest")).unwrap(),
            fs::canonicalize(run.path()).unwrap()
        );
    }
    assert_eq!(names(root.path()), ["latest", "one", "two"]);
}

#[test]
fn a_file_is_replaced_whole_and_leaves_nothing_beside_it() {
    let root = tempfile::tempdir().unwrap();
    let run = RunDirectory::at(root.path());
    run.replace("results.json", b"a long first version").unwrap();
    run.replace("results.json", b"second").unwrap();
    assert_eq!(fs::read(run.results()).unwrap(), b"second");
    assert_eq!(names(root.path()), ["results.json"]);

    fs::create_dir(root.path().join("charts")).unwrap();
    run.replace("charts/memory.svg", b"<svg/>").unwrap();
    assert_eq!(names(&root.path().join("charts")), ["memory.svg"]);

    let gone = RunDirectory::at(&root.path().join("gone"));
    assert!(gone.replace("results.json", b"x").is_err());
}

#[test]
fn only_the_newest_runs_are_kept_and_nothing_that_is_not_ours_goes() {
    let check = |keep: usize, current: &str, expected: &[&str]| {
        let root = tempfile::tempdir().unwrap();
        // Names say nothing about age: `a` is the newest.
        for (age, name) in ["a", "b", "c", "d"].into_iter().enumerate() {
            let run = RunDirectory::shared(root.path(), name).unwrap();
            let journal = fs::File::create(run.journal()).unwrap();
            let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(1000 - age as u64);
            journal.set_modified(modified).unwrap();
        }
        fs::create_dir(root.path().join("mine")).unwrap();
        fs::write(root.path().join("notes.txt"), "").unwrap();
        let current = RunDirectory::shared(root.path(), current).unwrap();
        current.make_latest().unwrap();
        current.prune(keep).unwrap();
        let mut expected: Vec<&str> = expected.to_vec();
        expected.extend(["latest", "mine", "notes.txt"]);
        assert_eq!(names(root.path()), expected, "keep {keep}");
    };
    check(20, "a", &["a", "b", "c", "d"]);
    check(4, "a", &["a", "b", "c", "d"]);
    check(2, "a", &["a", "b"]);
    check(2, "d", &["a", "d"]);
    check(1, "d", &["d"]);
    check(0, "c", &["c"]);
}

#[test]
fn the_logs_of_a_trial_have_a_directory_of_their_own() {
    let root = tempfile::tempdir().unwrap();
    let run = RunDirectory::at(root.path());
    let logs = |id: &str| run.logs(id).unwrap();
    assert_eq!(
        logs("load::checkout::agents=40"),
        root.path().join("logs/load--checkout--agents=40")
    );
    assert_eq!(logs("load::a::url=a/b"), root.path().join("logs/load--a--url=a_b"));
    assert!(logs("baseline::a").is_dir());
}

#[test]
fn the_lock_of_a_run_is_free_again_when_it_is_dropped() {
    let root = tempfile::tempdir().unwrap();
    let run = RunDirectory::at(root.path());
    let held = run.lock().unwrap();
    let other = fs::File::open(root.path().join(".lock")).unwrap();
    assert!(other.try_lock().is_err());
    drop(held);
    assert!(other.try_lock().is_ok());
}
