//! `proofload init` in a package elsewhere that depends on this one by its path.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::workspace::{Suite, proofload};

#[test]
fn a_package_elsewhere_gets_a_test_that_cargo_knows_and_a_scenario_that_is_listed() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    fs::create_dir(root.join("src")).unwrap();
    fs::write(root.join("src/main.rs"), "fn main() {}\n").unwrap();
    let manifest = format!(
        "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [dev-dependencies]\nproofload = {{ path = {:?} }}\n",
        env!("CARGO_MANIFEST_DIR")
    );
    fs::write(root.join("Cargo.toml"), manifest).unwrap();

    let output = proofload(&["init", root.to_str().unwrap()]).expect(0);
    assert!(!output.stdout.contains("cargo add"), "it depends on it already: {}", output.stdout);

    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["metadata", "--offline", "--no-deps", "--format-version", "1"];
    let metadata = Command::new(cargo).args(arguments).current_dir(root).output().unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let package = &metadata["packages"][0];
    let dependency = &package["dependencies"][0];
    assert_eq!((&dependency["name"], &dependency["kind"]), (&"proofload".into(), &"dev".into()));
    let targets = package["targets"].as_array().unwrap();
    let perf = targets.iter().find(|target| target["name"] == "perf").unwrap();
    assert_eq!(perf["kind"][0], "test");
    assert_eq!(perf["test"], false, "plain `cargo test` never starts a system");

    let listed = Suite::at(root, &["--list"]).run().expect(0);
    assert_eq!(listed.stdout, "baseline::baseline: test\n");
    assert!(!root.join("results").exists());
}

#[test]
fn a_directory_without_a_package_is_refused_with_one_line() {
    let directory = tempfile::tempdir().unwrap();
    let output = proofload(&["init", directory.path().to_str().unwrap()]).expect(2);
    assert_eq!((output.stdout.as_str(), output.stderr.lines().count()), ("", 1));
    assert!(output.stderr.starts_with("error: "), "{}", output.stderr);
}
