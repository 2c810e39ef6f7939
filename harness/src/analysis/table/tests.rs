//! Two sides of made tables against numbers of scipy.

use std::path::Path;

use serde_json::Value;

use super::*;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/table");

fn conf(test: &str) -> PerfConf {
    let text = std::fs::read_to_string(Path::new(DATA).join("perf.conf")).unwrap();
    PerfConf::parse(&text, test).unwrap()
}

fn side(name: &str, keys: usize) -> Vec<Repetition> {
    let mut runs: Vec<_> = std::fs::read_dir(Path::new(DATA).join(name))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    runs.sort();
    let read = |path: std::path::PathBuf| {
        let text = std::fs::read_to_string(path.join("results/netperf-result.RHS")).unwrap();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        Repetition { file, table: RhsTable::parse(&text, keys).unwrap() }
    };
    runs.into_iter().map(read).collect()
}

fn fixture() -> TableComparison {
    compare(&conf("netperf"), &side("a", 2), &side("b", 2)).unwrap()
}

fn of(text: &str) -> Repetition {
    Repetition { file: "f".into(), table: RhsTable::parse(text, 1).unwrap() }
}

#[track_caller]
fn near(actual: f64, expected: &Value, what: &str) {
    let expected = expected.as_f64().unwrap_or_else(|| panic!("{what}: {actual}, expected none"));
    let tolerance = 1e-8 * expected.abs().max(1e-6);
    assert!((actual - expected).abs() <= tolerance, "{what}: {actual} is not {expected}");
}

#[test]
fn every_number_is_that_of_scipy() {
    let golden = std::fs::read_to_string(Path::new(DATA).join("golden.json")).unwrap();
    let golden: Value = serde_json::from_str(&golden).unwrap();
    let comparison = fixture();
    let mut seen = 0;
    for category in &comparison.categories {
        for row in &category.rows {
            for (cell, column) in row.cells.iter().zip(&category.columns) {
                let expected = golden["cells"].as_array().unwrap().iter().find(|cell| {
                    cell["category"] == category.name.as_str()
                        && cell["column"] == column.name.as_str()
                        && cell["key"] == serde_json::json!(row.key)
                });
                let expected = expected.unwrap();
                let what = format!("{} {:?} {}", category.name, row.key, column.name);
                let (a, b) = (cell.a.unwrap(), cell.b.unwrap());
                assert_eq!(
                    (a.n as u64, b.n as u64),
                    (expected["n_a"].as_u64().unwrap(), expected["n_b"].as_u64().unwrap())
                );
                near(cell.average_a.unwrap(), &expected["avg_a"], &what);
                near(cell.average_b.unwrap(), &expected["avg_b"], &what);
                near(a.sd.unwrap(), &expected["sd_a"], &what);
                near(b.sd.unwrap(), &expected["sd_b"], &what);
                near(cell.change.unwrap() * 100.0, &expected["diff"], &what);
                let Some(test) = cell.welch else {
                    assert!(expected["p"].is_null() && cell.significance.is_none(), "{what}");
                    assert_eq!((cell.student, cell.adjusted_p), (None, None));
                    continue;
                };
                near(cell.student.unwrap().p, &expected["p"], &what);
                near(1.0 - cell.significance.unwrap().abs(), &expected["p"], &what);
                assert_eq!(cell.significance.unwrap() > 0.0, cell.change.unwrap() > 0.0, "{what}");
                near(test.p, &expected["welch_p"], &what);
                near(test.interval[0], &expected["low"], &what);
                near(test.interval[1], &expected["high"], &what);
                near(cell.adjusted_p.unwrap(), &expected["holm"], &what);
                seen += 1;
            }
        }
        for column in &category.columns {
            let totals = golden["totals"].as_array().unwrap().iter();
            let mut totals = totals.filter(|total| total["category"] == category.name.as_str());
            let expected = totals.find(|total| total["column"] == column.name.as_str()).unwrap();
            match column.total {
                Some(total) => near(total.p, &expected["p"], &column.name),
                None => assert!(expected["p"].is_null(), "{}", column.name),
            }
        }
    }
    assert_eq!(seen, 60);
}

#[test]
fn a_row_that_one_repetition_lacks_shifts_no_other() {
    let comparison = fixture();
    let [missing] = &comparison.missing[..] else { panic!("{:?}", comparison.missing) };
    assert_eq!(
        (missing.category.as_str(), &missing.key[..]),
        ("TCP_STREAM", &["1024", "1"].map(String::from)[..])
    );
    assert_eq!(missing.files, ["kvm.repeat2.virtio_net.netperf.exhost_guest"]);
    assert!(!missing.whole_side);
    assert_eq!(comparison.versions.len(), 1);
    assert_eq!(comparison.versions[0].0, "guest-kernel-ver");
}

#[test]
fn directions_come_from_the_file_and_else_from_the_name() {
    let comparison = fixture();
    let columns = &comparison.categories[0].columns;
    let better: Vec<_> = columns.iter().map(|column| column.better).collect();
    let (lower, higher) = (Some(Better::Lower), Some(Better::Higher));
    assert_eq!(better, [higher, lower, higher, None, lower, None]);
    assert!(columns[0].important && columns[1].important && !columns[2].important);
}

#[test]
fn a_row_or_a_category_of_one_side_only_is_listed_and_not_compared() {
    let conf = conf("ntttcp");
    let a = of("A\nsize|cpu\n1|2\n2|3\nB\nsize|cpu\n1|1\n");
    let b = of("A\nsize|cpu\n1|2\n");
    let comparison = compare(&conf, &[a.clone(), a], &[b.clone(), b]).unwrap();
    assert_eq!(comparison.categories[0].rows.len(), 1);
    let missing: Vec<_> =
        comparison.missing.iter().map(|m| (m.category.as_str(), m.whole_side)).collect();
    assert_eq!(missing, [("A", true), ("B", true)]);
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let conf = conf("ntttcp");
    let good = of("A\nsize|cpu\n1|2\n");
    let two = [good.clone(), good.clone()];
    let says =
        |conf: &PerfConf, a: &[Repetition], b: &[Repetition]| compare(conf, a, b).unwrap_err();
    assert!(
        says(&conf, &two, &two[..1]).starts_with("the second side has 1 repetition: at least 2")
    );
    assert!(says(&conf, &[], &two).starts_with("the first side has 0 repetitions"));
    let other = of("A\nsize|thr\n1|2\n");
    let error = says(&conf, &two, &[good.clone(), other]);
    assert_eq!(
        error,
        "the columns of \"A\" are not the same in all files: size|cpu in f, size|thr in f"
    );
    let ratio = crate::results::perf_conf::Ratio { column: 4, numerator: 1, denominator: 1 };
    let conf = PerfConf { ratios: vec![ratio], ..conf };
    assert!(says(&conf, &two, &two).starts_with("avg_update 4,1,1 names a column that"));
    assert!(says(&conf, &[of(""), of("")], &[of(""), of("")]).starts_with("no table in any file"));
}
