//! [`judge`]: the cells of a regression table become verdicts.

use serde::Serialize;

use crate::analysis::compare::FEWEST;
use crate::analysis::digits::short;
use crate::analysis::table::{
    CategoryComparison, CellComparison, Column, RowComparison, TableComparison,
};
use crate::model::{Better, Verdict};

/// Below this corrected p-value a change is shown.
const LEVEL: f64 = 0.05;

/// What a change must reach to matter, as fractions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TableLimits {
    /// A change for the worse that is shown and at least this fails.
    pub min_effect: f64,
    /// A change for the worse that is surely below this passes.
    pub margin: f64,
}

impl Default for TableLimits {
    fn default() -> Self {
        Self { min_effect: 0.02, margin: 0.05 }
    }
}

/// What a regression table comes to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TableJudgement {
    /// The worst of all.
    pub verdict: Verdict,
    /// One per cell of a column with a direction, and one per row that only one side has.
    pub checks: Vec<TableCheck>,
    /// How many cells were reported and not judged, their columns having no direction.
    pub reported: usize,
}

/// What one cell comes to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TableCheck {
    /// The category.
    pub category: String,
    /// The row's key; empty of a whole category.
    pub key: Vec<String>,
    /// The column; absent of a whole row.
    pub column: Option<String>,
    /// The change as a fraction, positive where the number rose.
    pub change: Option<f64>,
    /// Its 95% interval, of this cell alone.
    pub interval: Option<[f64; 2]>,
    /// Welch's p-value, corrected for the number of cells.
    pub adjusted_p: Option<f64>,
    /// What follows.
    pub verdict: Verdict,
    /// Why, in words.
    pub reason: String,
}

/// Judges every cell of a column with a direction.
#[must_use]
pub fn judge(comparison: &TableComparison, limits: TableLimits) -> TableJudgement {
    let mut checks = Vec::new();
    let mut reported = 0;
    for category in &comparison.categories {
        for row in &category.rows {
            for (cell, column) in row.cells.iter().zip(&category.columns) {
                match column.better {
                    Some(better) => checks.push(check(category, row, column, cell, better, limits)),
                    None => reported += 1,
                }
            }
        }
    }
    for missing in comparison.missing.iter().filter(|missing| missing.whole_side) {
        let one = if comparison.a.iter().all(|file| missing.files.contains(file)) {
            "first"
        } else {
            "second"
        };
        checks.push(TableCheck {
            category: missing.category.clone(),
            key: missing.key.clone(),
            column: None,
            change: None,
            interval: None,
            adjusted_p: None,
            verdict: Verdict::NoData,
            reason: format!(
                "no file of the {one} side has this row, so there is nothing to compare"
            ),
        });
    }
    let verdict = Verdict::worst(checks.iter().map(|check| check.verdict));
    TableJudgement { verdict: verdict.unwrap_or(Verdict::NoData), checks, reported }
}

fn check(
    category: &CategoryComparison,
    row: &RowComparison,
    column: &Column,
    cell: &CellComparison,
    better: Better,
    limits: TableLimits,
) -> TableCheck {
    let (verdict, reason) = verdict(cell, better, limits);
    TableCheck {
        category: category.name.clone(),
        key: row.key.clone(),
        column: Some(column.name.clone()),
        change: cell.change,
        interval: cell.interval,
        adjusted_p: cell.adjusted_p,
        verdict,
        reason,
    }
}

fn verdict(cell: &CellComparison, better: Better, limits: TableLimits) -> (Verdict, String) {
    let (a, b) = (cell.values.a.len(), cell.values.b.len());
    if a < 2 || b < 2 {
        let reason = format!("{a} and {b} repetitions have a value, each side needs 2");
        return (Verdict::NoData, reason);
    }
    if a.min(b) < FEWEST {
        let reason = format!("{a} and {b} repetitions; a verdict needs {FEWEST} on each side");
        return (Verdict::Inconclusive, reason);
    }
    let (Some(change), Some(interval), Some(p)) = (cell.change, cell.interval, cell.adjusted_p)
    else {
        return without_test(cell);
    };
    // For the worse is up where lower is better.
    let (worse, most) = match better {
        Better::Lower => (change, interval[1]),
        Better::Higher => (-change, -interval[0]),
    };
    let found = format!(
        "{} (95% interval {} to {}, p = {} over all cells)",
        moved(change),
        percent(interval[0]),
        percent(interval[1]),
        short(p)
    );
    let (smallest, margin) = (percent(limits.min_effect), percent(limits.margin));
    if p <= LEVEL && worse >= limits.min_effect {
        return (Verdict::Fail, format!("worse: {found}, which scatter does not explain"));
    }
    if p <= LEVEL && worse < 0.0 {
        return (Verdict::Pass, format!("better: {found}"));
    }
    if most < limits.margin {
        return (Verdict::Pass, format!("no regression of {margin} or more: {found}"));
    }
    let reason = if p <= LEVEL && worse > 0.0 {
        format!(
            "worse, by less than {smallest} as far as can be told: {found}; more repetitions would tell"
        )
    } else {
        format!("neither shown nor ruled out: {found}; more repetitions would tell")
    };
    (Verdict::Inconclusive, reason)
}

fn without_test(cell: &CellComparison) -> (Verdict, String) {
    match (cell.average_a, cell.average_b) {
        (Some(a), Some(b)) if a == b && cell.welch.is_none() => {
            (Verdict::Pass, format!("the same in every repetition: {}", short(a)))
        }
        (Some(a), Some(b)) if cell.welch.is_none() => {
            let (a, b) = (short(a), short(b));
            (
                Verdict::Inconclusive,
                format!("{a} became {b} without any scatter, so no test can judge it"),
            )
        }
        (a, b) => {
            let shown = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), short);
            let (a, b) = (shown(a), shown(b));
            (Verdict::Inconclusive, format!("{a} became {b}, which has no relative change"))
        }
    }
}

fn moved(change: f64) -> String {
    let size = percent(change.abs());
    if change < 0.0 { format!("{size} lower") } else { format!("{size} higher") }
}

fn percent(fraction: f64) -> String {
    format!("{}%", short(fraction * 100.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::analysis::table::{Repetition, compare};
    use crate::results::{PerfConf, RhsTable};

    /// Judges one row of one column, a value per repetition.
    fn judged(column: &str, a: &[f64], b: &[f64]) -> TableJudgement {
        let conf = "[t]\nresult_file_pattern = x";
        let conf = PerfConf::parse(conf, "t").unwrap();
        let side = |values: &[f64]| -> Vec<Repetition> {
            let table = |value: &f64| RhsTable::parse(&format!("C\nk|{column}\n1|{value:?}\n"), 1);
            let file = |value: &f64| Repetition { file: "f".into(), table: table(value).unwrap() };
            values.iter().map(file).collect()
        };
        judge(&compare(&conf, &side(a), &side(b)).unwrap(), TableLimits::default())
    }

    #[track_caller]
    fn check(column: &str, a: &[f64], b: &[f64], verdict: Verdict, reason: &str) {
        let judgement = judged(column, a, b);
        assert_eq!(judgement.verdict, verdict, "{judgement:?}");
        let found = judgement.checks.first().map_or("", |check| &check.reason);
        assert!(found.starts_with(reason), "{found}");
    }

    #[test]
    fn a_cell_is_judged_by_its_direction() {
        let low = [100.0, 101.0, 99.0, 100.5];
        let high = [110.0, 111.0, 109.0, 110.5];
        check(
            "cpu",
            &low,
            &high,
            Verdict::Fail,
            "worse: 9.988% higher (95% interval 8.512% to 11.46%, p = ",
        );
        check("cpu", &high, &low, Verdict::Pass, "better: 9.081% lower");
        check("throughput", &high, &low, Verdict::Fail, "worse: 9.081% lower");
        check("throughput", &low, &high, Verdict::Pass, "better: 9.988% higher");
        check("cpu", &low, &low, Verdict::Pass, "no regression of 5% or more: 0% higher");
    }

    #[test]
    fn what_was_not_shown_does_not_pass() {
        let noisy = [80.0, 120.0, 95.0];
        check("cpu", &noisy, &[90.0, 118.0, 99.0], Verdict::Inconclusive, "neither shown");
        check("cpu", &[5.0; 3], &[6.0; 3], Verdict::Inconclusive, "5 became 6 without any");
        check("cpu", &[0.0; 3], &[1.0, 2.0, 1.5], Verdict::Inconclusive, "0 became 1.5, which has");
        check("cpu", &[5.0, f64::NAN], &[6.0, 6.0], Verdict::NoData, "1 and 2 repetitions");
        check("cpu", &[5.0, 5.1], &[9.0, 9.1], Verdict::Inconclusive, "2 and 2 repetitions; a");
        check("packets", &[5.0, 5.1], &[9.0, 9.1], Verdict::NoData, "");
        check("cpu", &[5.0; 3], &[5.0; 3], Verdict::Pass, "the same in every repetition: 5");
    }

    #[test]
    fn a_row_of_one_side_only_is_no_data() {
        let conf = PerfConf::parse("[t]\nresult_file_pattern = x", "t").unwrap();
        let of = |text: &str| Repetition {
            file: text.len().to_string(),
            table: RhsTable::parse(text, 1).unwrap(),
        };
        let (a, b) = (of("C\nk|cpu\n1|2\n2|3\n"), of("C\nk|cpu\n1|2\n"));
        let comparison = compare(&conf, &[a.clone(), a], &[b.clone(), b]).unwrap();
        let judgement = judge(&comparison, TableLimits::default());
        assert_eq!(judgement.verdict, Verdict::NoData);
        assert!(judgement.checks[1].reason.starts_with("no file of the second side has this row"));
    }

    proptest! {
        #[test]
        fn identical_sides_never_fail(values in prop::collection::vec(1.0..100.0_f64, 2..8)) {
            prop_assert!(judged("cpu", &values, &values).verdict != Verdict::Fail);
        }

        #[test]
        fn swapping_the_sides_never_leaves_both_failing(
            a in prop::collection::vec(1.0..2.0_f64, 3..6), b in prop::collection::vec(1.0..2.0_f64, 3..6),
        ) {
            let both = [judged("cpu", &a, &b).verdict, judged("cpu", &b, &a).verdict];
            prop_assert!(both != [Verdict::Fail; 2]);
        }
    }
}
