//! [`compare`]: two sets of repetitions of one benchmark's table, cell by cell, as Avocado's regression tables have it.
//!
//! Averages, spreads and the two t-tests are those of the original; a cell's Welch test, its interval and the correction
//! for many cells are ours. Rows are matched by their key columns within a category, never by position.

pub mod direction;
pub mod significance;

mod cells;

use serde::Serialize;

pub use cells::{CellComparison, Cells};
pub use significance::{Spread, Test};

use crate::analysis::compare::multiple::holm;
use crate::model::Better;
use crate::results::{PerfConf, RhsTable};

/// One repetition and the name of its file.
#[derive(Clone, Debug, PartialEq)]
pub struct Repetition {
    /// The file, as messages name it.
    pub file: String,
    /// What is in it.
    pub table: RhsTable,
}

/// Everything that two directories of tables have to say.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TableComparison {
    /// The test: the section of `perf.conf`.
    pub test: String,
    /// Its description.
    pub description: Option<String>,
    /// The files of the first side, in their order.
    pub a: Vec<String>,
    /// Those of the second.
    pub b: Vec<String>,
    /// Versions that are not the same on both sides: name, first, second.
    pub versions: Vec<(String, String, String)>,
    /// The tables.
    pub categories: Vec<CategoryComparison>,
    /// Rows that are not in every file, with the files that lack them.
    pub missing: Vec<Missing>,
}

/// One category.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CategoryComparison {
    /// Its title.
    pub name: String,
    /// The names of the key columns.
    pub keys: Vec<String>,
    /// The others.
    pub columns: Vec<Column>,
    /// The rows that both sides have, in the order of the first file.
    pub rows: Vec<RowComparison>,
}

/// A column behind the keys.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its direction; absent where it is reported and not judged.
    pub better: Option<Better>,
    /// True where it is to stand out.
    pub important: bool,
    /// Over the rows: the paired t-test of the logs of their averages, second less first. Absent of fewer than two rows
    /// with averages above 0, and where all ratios are the same.
    pub total: Option<Test>,
    /// The sign of the mean log ratio, and 1 - p: `+0.97` where the second side is higher.
    pub total_significance: Option<f64>,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RowComparison {
    /// The key cells.
    pub key: Vec<String>,
    /// One per column.
    pub cells: Vec<CellComparison>,
}

/// A row that is not everywhere.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Missing {
    /// The category.
    pub category: String,
    /// The row's key; empty where the category itself is missing.
    pub key: Vec<String>,
    /// The files that lack it.
    pub files: Vec<String>,
    /// True where a whole side lacks it, so that nothing can be compared.
    pub whole_side: bool,
}

/// Compares two sets of at least two repetitions.
///
/// # Errors
/// A lower-case fragment, for fewer repetitions, for columns that are not the same in all files, and for an `avg_update`
/// that names a column that is not there.
pub fn compare(
    conf: &PerfConf,
    a: &[Repetition],
    b: &[Repetition],
) -> Result<TableComparison, String> {
    for (side, files) in [("first", a), ("second", b)] {
        if files.len() < 2 {
            return Err(format!(
                "the {side} side has {} repetition{}: at least 2 are needed to tell a difference from scatter",
                files.len(),
                if files.len() == 1 { "" } else { "s" }
            ));
        }
    }
    let (categories, missing) = cells::categories(conf, a, b)?;
    let names = |side: &[Repetition]| side.iter().map(|file| file.file.clone()).collect();
    let mut comparison = TableComparison {
        test: conf.test.clone(),
        description: conf.description.clone(),
        a: names(a),
        b: names(b),
        versions: versions(a, b),
        categories,
        missing,
    };
    adjust(&mut comparison);
    Ok(comparison)
}

/// Holm's correction over all cells that can be judged, and apart over those that are only reported.
fn adjust(comparison: &mut TableComparison) {
    for judged in [true, false] {
        let mut cells: Vec<(&mut CellComparison, f64)> = Vec::new();
        for category in &mut comparison.categories {
            for row in &mut category.rows {
                let columns = category.columns.iter();
                for (cell, column) in row.cells.iter_mut().zip(columns) {
                    let Some(p) = cell.welch.map(|test| test.p) else { continue };
                    if column.better.is_some() == judged {
                        cells.push((cell, p));
                    }
                }
            }
        }
        let ps: Vec<f64> = cells.iter().map(|cell| cell.1).collect();
        for ((cell, _), adjusted) in cells.into_iter().zip(holm(&ps)) {
            cell.adjusted_p = Some(adjusted);
        }
    }
}

/// What differs, of what the files say of themselves.
fn versions(a: &[Repetition], b: &[Repetition]) -> Vec<(String, String, String)> {
    let values = |side: &[Repetition], name: &str| {
        let mut values: Vec<&str> = Vec::new();
        for (key, value) in side.iter().flat_map(|file| &file.table.versions) {
            if key == name && !values.contains(&value.as_str()) {
                values.push(value);
            }
        }
        values.join(", ")
    };
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in a.iter().chain(b).flat_map(|file| &file.table.versions) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let sides = names.into_iter().map(|name| (name.to_owned(), values(a, name), values(b, name)));
    sides.filter(|(_, a, b)| a != b).collect()
}

#[cfg(test)]
mod tests;
