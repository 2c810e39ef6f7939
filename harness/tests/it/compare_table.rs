//! Regression tables over directories of made netperf tables.

use std::fs;
use std::path::{Path, PathBuf};

use proofload::command::compare_table::{TableArguments, run};
use proofload::command::{Answer, Failure};
use proofload::gate::table::TableLimits;
use proofload::report::Format;
use serde_json::Value;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/table");

fn arguments(a: &Path, b: &Path) -> TableArguments {
    TableArguments {
        conf: format!("{DATA}/perf.conf:netperf"),
        a: a.to_owned(),
        b: b.to_owned(),
        format: Format::Text,
        html: None,
        limits: TableLimits::default(),
        allow_inconclusive: false,
    }
}

fn data(name: &str) -> PathBuf {
    Path::new(DATA).join(name)
}

fn compare(format: Format, html: Option<PathBuf>) -> Answer {
    run(&TableArguments { format, html, ..arguments(&data("a"), &data("b")) }).unwrap()
}

#[track_caller]
fn refused(arguments: &TableArguments, parts: &[&str]) {
    let Failure { code, message } = run(arguments).unwrap_err();
    assert_eq!((code, message.lines().count()), (2, 1), "{message}");
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in {message}");
    }
}

#[test]
fn a_regression_is_found_where_it_was_made_and_nowhere_else() {
    let answer = compare(Format::Json, None);
    assert_eq!(answer.code, 1);
    let json: Value = serde_json::from_str(&answer.text).unwrap();
    let checks = json["judgement"]["checks"].as_array().unwrap();
    for check in checks {
        let column = check["column"].as_str().unwrap();
        let slow = check["category"] == "TCP_MAERTS" && check["key"][0] == "16384";
        // Processor use grew by 6% throughout; throughput fell by 15% in two rows, and so does their ratio.
        let made = column == "%CPU" || column == "throughput" && slow;
        let ratio = column == "thr_per_%CPU";
        let failed = check["verdict"] == "fail";
        assert!(failed == made || ratio, "{check}");
        assert!(!check["reason"].as_str().unwrap().is_empty());
    }
}

#[test]
fn the_other_way_round_it_is_an_improvement() {
    let swapped = TableArguments { allow_inconclusive: true, ..arguments(&data("b"), &data("a")) };
    let answer = run(&swapped).unwrap();
    assert_eq!(answer.code, 0, "{}", answer.text);
    assert!(answer.text.contains("better: "), "{}", answer.text);
}

#[test]
fn a_page_of_its_own_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("netperf.html");
    let answer = compare(Format::Text, Some(path.clone()));
    assert!(answer.text.starts_with("netperf: fail: "), "{}", answer.text);
    assert!(answer.text.contains("row 1024|1 of TCP_STREAM is missing in "), "{}", answer.text);
    let page = fs::read_to_string(path).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("class=\"bad dark\""));
    let unwritable = PathBuf::from("/proc/no.html");
    let arguments = TableArguments { html: Some(unwritable), ..arguments(&data("a"), &data("b")) };
    assert_eq!(run(&arguments).unwrap_err().code, 4);
}

#[test]
fn bad_input_is_refused_with_the_file_and_what_was_expected() {
    let base = arguments(&data("a"), &data("b"));
    let conf = |conf: &str| TableArguments { conf: conf.to_owned(), ..base.clone() };
    refused(&conf("perf.conf"), &["expected --table FILE:TEST", "\"perf.conf\""]);
    refused(&conf("/nowhere/perf.conf:netperf"), &["/nowhere/perf.conf: cannot be read"]);
    refused(&conf(&format!("{DATA}/perf.conf:fio")), &["perf.conf:", "expected a section [fio]"]);
    refused(&arguments(&data("a"), &data("nowhere")), &["nowhere: cannot be read"]);
    let directory = tempfile::tempdir().unwrap();
    let one = directory.path().join("netperf");
    fs::create_dir(&one).unwrap();
    refused(
        &arguments(&data("a"), &one),
        &["0 files have a path that contains \"netperf\"", "at least 2"],
    );
    for file in ["1.RHS", "2.RHS"] {
        fs::write(one.join(file), "C\nsize|sessions|cpu\n64|1|2\n64|2|x2\n").unwrap();
    }
    refused(&arguments(&one, &one), &["netperf/1.RHS:4: expected a number in column \"cpu\""]);
    let text = "[netperf]\nresult_file_pattern = (.RHS\n";
    fs::write(directory.path().join("perf.conf"), text).unwrap();
    let path = directory.path().join("perf.conf").display().to_string();
    refused(&conf(&format!("{path}:netperf")), &["result_file_pattern"]);
}
