//! [`CellComparison`]: one cell on both sides; and the walk over categories and rows that finds the cells.

use serde::Serialize;

use super::significance::{Spread, Test, paired, student, welch};
use super::{CategoryComparison, Column, Missing, Repetition, RowComparison, direction};
use crate::results::PerfConf;
use crate::results::rhs::{RhsCategory, RhsRow};

/// One cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CellComparison {
    /// The readings of both sides; a repetition without one is left out.
    pub values: Cells,
    /// The readings of the first side, summed up; absent of none.
    pub a: Option<Spread>,
    /// Those of the second.
    pub b: Option<Spread>,
    /// The average as printed: the mean, or the ratio of two means (`avg_update`).
    pub average_a: Option<f64>,
    /// The same of the second side.
    pub average_b: Option<f64>,
    /// The change of the average, as a fraction of the first; absent where that is 0.
    pub change: Option<f64>,
    /// Student's t-test of the readings; absent where there is no scatter to judge by.
    pub student: Option<Test>,
    /// The sign of the change, and 1 - p of [`CellComparison::student`]: `-0.99` where the second side is lower.
    pub significance: Option<f64>,
    /// Welch's t-test of the readings.
    pub welch: Option<Test>,
    /// Its p-value, corrected for the number of cells.
    pub adjusted_p: Option<f64>,
    /// The 95% interval of the relative change of the readings' mean.
    pub interval: Option<[f64; 2]>,
}

/// The readings of both sides.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Cells {
    /// First.
    pub a: Vec<f64>,
    /// Second.
    pub b: Vec<f64>,
}

pub(super) fn categories(
    conf: &PerfConf,
    a: &[Repetition],
    b: &[Repetition],
) -> Result<(Vec<CategoryComparison>, Vec<Missing>), String> {
    let mut names: Vec<&str> = Vec::new();
    for category in a.iter().chain(b).flat_map(|file| &file.table.categories) {
        if !names.contains(&category.name.as_str()) {
            names.push(&category.name);
        }
    }
    let mut missing = Vec::new();
    let mut categories = Vec::new();
    for name in names {
        let columns = columns(name, a, b)?;
        for ratio in &conf.ratios {
            let most = ratio.column.max(ratio.numerator).max(ratio.denominator);
            let least = ratio.column.min(ratio.numerator).min(ratio.denominator);
            if most >= columns.len() || least < conf.keys {
                return Err(format!(
                    "avg_update {},{},{} names a column that {name:?} does not have behind its keys: it has {}, from {} to {}",
                    ratio.column,
                    ratio.numerator,
                    ratio.denominator,
                    columns.len(),
                    conf.keys,
                    columns.len().saturating_sub(1)
                ));
            }
        }
        categories.push(category(conf, name, columns, a, b, &mut missing));
    }
    if categories.is_empty() {
        return Err("no table in any file: expected a header and rows with cells between |".into());
    }
    Ok((categories, missing))
}

/// The columns of a category, which must be the same in every file.
fn columns<'a>(
    name: &str,
    a: &'a [Repetition],
    b: &'a [Repetition],
) -> Result<&'a [String], String> {
    let mut found: Option<(&Repetition, &[String])> = None;
    for file in a.iter().chain(b) {
        let Some(category) = of(file, name) else { continue };
        match found {
            Some((first, columns)) if columns != category.columns => {
                return Err(format!(
                    "the columns of {name:?} are not the same in all files: {} in {}, {} in {}",
                    columns.join("|"),
                    first.file,
                    category.columns.join("|"),
                    file.file
                ));
            }
            Some(_) => {}
            None => found = Some((file, &category.columns)),
        }
    }
    Ok(found.map(|found| found.1).unwrap_or_default())
}

fn of<'a>(file: &'a Repetition, name: &str) -> Option<&'a RhsCategory> {
    file.table.categories.iter().find(|category| category.name == name)
}

fn row<'a>(file: &'a Repetition, name: &str, key: &[String]) -> Option<&'a RhsRow> {
    of(file, name)?.rows.iter().find(|row| row.key == key)
}

fn category(
    conf: &PerfConf,
    name: &str,
    columns: &[String],
    a: &[Repetition],
    b: &[Repetition],
    missing: &mut Vec<Missing>,
) -> CategoryComparison {
    let mut keys: Vec<&[String]> = Vec::new();
    for row in a.iter().chain(b).filter_map(|file| of(file, name)).flat_map(|c| &c.rows) {
        if !keys.contains(&&*row.key) {
            keys.push(&row.key);
        }
    }
    let mut rows = Vec::new();
    for key in keys {
        let lacks = |side: &[Repetition]| -> Vec<String> {
            let lacking = side.iter().filter(|file| row(file, name, key).is_none());
            lacking.map(|file| file.file.clone()).collect()
        };
        let (lacks_a, lacks_b) = (lacks(a), lacks(b));
        let whole_side = lacks_a.len() == a.len() || lacks_b.len() == b.len();
        let files = [lacks_a, lacks_b].concat();
        if !files.is_empty() {
            let (category, key) = (name.to_owned(), key.to_vec());
            missing.push(Missing { category, key, files, whole_side });
        }
        if !whole_side {
            rows.push(compared(conf, name, key, columns.len() - key.len(), a, b));
        }
    }
    let (keys, others) = columns.split_at(conf.keys.min(columns.len()));
    let columns = others.iter().enumerate().map(|(index, column)| {
        let named = conf.better.iter().find(|(name, _)| name == column);
        let better = named.map_or_else(|| direction::by_name(column), |(_, better)| *better);
        let important = conf
            .important
            .as_ref()
            .map_or_else(|| direction::is_important(column), |names| names.contains(column));
        let (total, total_significance) = total(&rows, index);
        Column { name: column.clone(), better, important, total, total_significance }
    });
    let columns = columns.collect();
    CategoryComparison { name: name.to_owned(), keys: keys.to_vec(), columns, rows }
}

/// The paired test over the rows of a category: of the logs of the averages, so that a row counts by its ratio.
fn total(rows: &[RowComparison], index: usize) -> (Option<Test>, Option<f64>) {
    let log_ratio = |row: &RowComparison| {
        let cell = &row.cells[index];
        let (a, b) = (cell.average_a?, cell.average_b?);
        (a > 0.0 && b > 0.0).then(|| b.ln() - a.ln())
    };
    let ratios: Vec<f64> = rows.iter().filter_map(log_ratio).collect();
    let total = paired(&ratios);
    let sum: f64 = ratios.iter().sum();
    (total, total.map(|test| signed(test.p, sum)))
}

/// 1 - p with the sign of the change.
fn signed(p: f64, change: f64) -> f64 {
    if change < 0.0 { p - 1.0 } else { 1.0 - p }
}

fn compared(
    conf: &PerfConf,
    name: &str,
    key: &[String],
    count: usize,
    a: &[Repetition],
    b: &[Repetition],
) -> RowComparison {
    let values = |side: &[Repetition], index: usize| -> Vec<f64> {
        let rows = side.iter().filter_map(|file| row(file, name, key));
        rows.filter_map(|row| row.values.get(index).copied().flatten()).collect()
    };
    let mut cells: Vec<CellComparison> =
        (0..count).map(|index| CellComparison::of(values(a, index), values(b, index))).collect();
    for ratio in &conf.ratios {
        let index = |column: usize| column - conf.keys;
        let (top, bottom) =
            (cells[index(ratio.numerator)].clone(), cells[index(ratio.denominator)].clone());
        let divided = |top: Option<f64>, bottom: Option<f64>| {
            Some(top? / bottom?).filter(|ratio| ratio.is_finite())
        };
        // The original tests the column's own readings, which are another quantity: ours are the ratios of each file.
        let each = |side: &[Repetition]| -> Vec<f64> {
            let value = |row: &RhsRow, column| row.values.get(index(column)).copied().flatten();
            let rows = side.iter().filter_map(|file| row(file, name, key));
            let ratios = rows.filter_map(|row| {
                divided(value(row, ratio.numerator), value(row, ratio.denominator))
            });
            ratios.collect()
        };
        let own = CellComparison::of(each(a), each(b));
        let cell = &mut cells[index(ratio.column)];
        (cell.welch, cell.interval) = (own.welch, own.interval);
        cell.average_a = divided(top.average_a, bottom.average_a);
        cell.average_b = divided(top.average_b, bottom.average_b);
        cell.describe();
    }
    RowComparison { key: key.to_vec(), cells }
}

impl CellComparison {
    fn of(a: Vec<f64>, b: Vec<f64>) -> Self {
        let (spread_a, spread_b) = (Spread::of(&a), Spread::of(&b));
        let both = spread_a.as_ref().zip(spread_b.as_ref());
        let welch = both.and_then(|(a, b)| welch(a, b));
        let base = spread_a.map(|a| a.mean.abs()).filter(|base| *base > 0.0);
        let mut cell = Self {
            values: Cells { a, b },
            a: spread_a,
            b: spread_b,
            average_a: spread_a.map(|a| a.mean),
            average_b: spread_b.map(|b| b.mean),
            change: None,
            student: both.and_then(|(a, b)| student(a, b)),
            significance: None,
            welch,
            adjusted_p: None,
            interval: welch.zip(base).map(|(test, base)| test.interval.map(|end| end / base)),
        };
        cell.describe();
        cell
    }

    /// What follows from the averages.
    fn describe(&mut self) {
        let averages = self.average_a.zip(self.average_b);
        let (Some((a, b)), Some(test)) = (averages, self.student) else {
            self.change = averages.filter(|(a, _)| *a != 0.0).map(|(a, b)| (b - a) / a.abs());
            self.significance = None;
            return;
        };
        self.change = (a != 0.0).then(|| (b - a) / a.abs());
        self.significance = Some(signed(test.p, b - a));
    }
}
