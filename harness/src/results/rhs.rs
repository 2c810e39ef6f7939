//! [`RhsTable`]: the table that one repetition of a benchmark leaves, as Avocado's netperf and ntttcp tests write it
//! (`.RHS`): lines `### version : value`, lines that name a category, a header and rows with cells between `|`.

use super::perf_conf::LineError;

/// One file: one repetition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RhsTable {
    /// What was measured with what: the `### ` lines, split at the first colon.
    pub versions: Vec<(String, String)>,
    /// The tables, in the order of the file.
    pub categories: Vec<RhsCategory>,
}

/// The rows under one header.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RhsCategory {
    /// Its title, for example `TCP_STREAM`.
    pub name: String,
    /// The names of all columns, those of the keys first.
    pub columns: Vec<String>,
    /// The rows, in the order of the file.
    pub rows: Vec<RhsRow>,
}

/// One line of data.
#[derive(Clone, Debug, PartialEq)]
pub struct RhsRow {
    /// Its line in the file, from 1.
    pub line: usize,
    /// The key cells, as text; numbers in one spelling, so that `64` is `64.0`.
    pub key: Vec<String>,
    /// The others: `None` of an empty cell, `-` or `n/a`, and of a value that is not finite, which is no measurement.
    pub values: Vec<Option<f64>>,
}

impl RhsTable {
    /// Reads a file's text, of which the first `keys` columns name a row.
    ///
    /// A cell counts as a number if it is one (`1e+05`, `nan` and `inf` too), whatever letters are in it. A row is a
    /// line whose cells behind the keys are numbers or empty; one with none is a header.
    ///
    /// # Errors
    /// [`LineError`] for a row with a cell that is no number, with other columns than its header has, or with the key of
    /// another row.
    pub fn parse(text: &str, keys: usize) -> Result<Self, LineError> {
        let mut table = Self::default();
        let mut title = String::new();
        let mut header = None;
        for (index, line) in text.lines().enumerate() {
            let (number, line) = (index + 1, line.trim());
            if line.is_empty() {
                continue;
            }
            if let Some(version) = line.strip_prefix("###") {
                table.versions.push(pair(version));
                continue;
            }
            let cells = cells(line);
            if cells.len() == 1 && parse(cells[0]).is_none() {
                title = line.strip_prefix("Category:").unwrap_or(line).trim().to_owned();
                header = None;
                continue;
            }
            if is_header(&cells, keys) {
                let columns = cells.iter().map(|cell| (*cell).to_owned()).collect();
                let mut name = title.clone();
                if name.is_empty() || table.categories.iter().any(|other| other.name == name) {
                    // Tables without a title of their own are told apart by what is in them.
                    name = format!("{name} {}", cells[keys.min(cells.len() - 1)..].join(" "));
                    name = name.trim().to_owned();
                }
                if table.categories.iter().any(|other| other.name == name) {
                    let message = format!("a second table of category {name:?}");
                    return Err(LineError::new(number, message));
                }
                table.categories.push(RhsCategory { name, columns, rows: Vec::new() });
                header = Some(number);
                continue;
            }
            let (Some(at), Some(category)) = (header, table.categories.last_mut()) else {
                let message = "expected a header such as size|sessions|throughput before rows";
                return Err(LineError::new(number, message));
            };
            category.take(number, at, &cells, keys)?;
        }
        Ok(table)
    }
}

impl RhsCategory {
    fn take(
        &mut self,
        line: usize,
        header: usize,
        cells: &[&str],
        keys: usize,
    ) -> Result<(), LineError> {
        let (found, wanted) = (cells.len(), self.columns.len());
        if found != wanted {
            let message = format!(
                "expected {wanted} cells, as in the header in line {header}, found {found}"
            );
            return Err(LineError::new(line, message));
        }
        let (key, values) = cells.split_at(keys.min(found));
        let key: Vec<String> = key.iter().map(|cell| spelled(cell)).collect();
        if let Some(other) = self.rows.iter().find(|row| row.key == key) {
            let message = format!(
                "row {} stands twice in {:?}, first in line {}: the first {keys} columns (ignore_col) must tell rows apart",
                key.join("|"),
                self.name,
                other.line
            );
            return Err(LineError::new(line, message));
        }
        let value = |(cell, column): (&&str, &String)| match parse(cell) {
            Some(value) => Ok(value.is_finite().then_some(value)),
            None if is_absent(cell) => Ok(None),
            None => {
                let message = format!("expected a number in column {column:?}, found {cell:?}");
                Err(LineError::new(line, message))
            }
        };
        let columns = &self.columns[key.len()..];
        let values = values.iter().zip(columns).map(value).collect::<Result<_, _>>()?;
        self.rows.push(RhsRow { line, key, values });
        Ok(())
    }
}

/// The cells of a line, without the empty one behind a `|` at its end.
fn cells(line: &str) -> Vec<&str> {
    let line = line.strip_suffix('|').unwrap_or(line);
    line.split('|').map(str::trim).collect()
}

/// True of a line of names: no cell behind the keys is a number and one at least is a word, and the keys are no numbers.
fn is_header(cells: &[&str], keys: usize) -> bool {
    if keys > 0 && cells.iter().take(keys).all(|cell| parse(cell).is_some()) {
        return false;
    }
    let behind = if cells.len() > keys { &cells[keys..] } else { cells };
    behind.iter().all(|cell| parse(cell).is_none()) && behind.iter().any(|cell| !is_absent(cell))
}

fn is_absent(cell: &str) -> bool {
    ["", "-", "n/a", "na", "none"].contains(&cell.to_lowercase().as_str())
}

fn parse(cell: &str) -> Option<f64> {
    cell.parse().ok()
}

/// A key in one spelling.
fn spelled(cell: &str) -> String {
    parse(cell).map_or_else(|| cell.to_owned(), |value| value.to_string())
}

fn pair(version: &str) -> (String, String) {
    let (name, value) = version.split_once(':').unwrap_or((version, ""));
    (name.trim().to_owned(), value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_letters_are_numbers_and_what_is_not_finite_is_absent() {
        let text = "### kernel : 5.14\n\nCategory:TCP_STREAM\n size|sessions|thr|cpu\n\
            64|1|1e+05|nan|\n64.0| 4 |inf|-\n  STREAM 2\nsize|sessions|thr|cpu\n64|1|5|6\n";
        let table = RhsTable::parse(text, 2).unwrap();
        assert_eq!(table.versions, [("kernel".to_owned(), "5.14".to_owned())]);
        let [first, second] = &table.categories[..] else { panic!("{table:?}") };
        assert_eq!((first.name.as_str(), second.name.as_str()), ("TCP_STREAM", "STREAM 2"));
        assert_eq!(first.columns, ["size", "sessions", "thr", "cpu"]);
        assert_eq!(
            (&first.rows[0].key[..], first.rows[0].line),
            (&["64", "1"].map(String::from)[..], 5)
        );
        assert_eq!(first.rows[0].values, [Some(1e5), None]);
        assert_eq!(first.rows[1].key, ["64", "4"]);
        assert_eq!(first.rows[1].values, [None, None]);
    }

    #[test]
    fn keys_may_be_words_and_tables_without_a_title_are_named_by_their_columns() {
        let text = "op|size|KB/s\nread|4|10\nwrite|4|8\nop|size|iops\nread|4|3\n";
        let table = RhsTable::parse(text, 2).unwrap();
        let names: Vec<&str> = table.categories.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["KB/s", "iops"]);
        assert_eq!(table.categories[0].rows[1].key, ["write", "4"]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let head = "C\nsize|thr|cpu\n";
        for (rows, expected) in [
            ("64|x|x1", "3: expected a number in column \"thr\", found \"x\""),
            ("64|1|x1", "3: expected a number in column \"cpu\", found \"x1\""),
            ("64|1", "3: expected 3 cells, as in the header in line 2, found 2"),
            (
                "64|1|2\n64.0|1|2",
                "4: row 64 stands twice in \"C\", first in line 3: the first 1 columns (ignore_col) must tell rows apart",
            ),
            ("1|2|3\nsize|thr|cpu\nsize|thr|cpu", "5: a second table of category \"C thr cpu\""),
        ] {
            let error = RhsTable::parse(&format!("{head}{rows}"), 1).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
        let error = RhsTable::parse("1|2|3\n", 1).unwrap_err();
        assert!(error.to_string().starts_with("1: expected a header"), "{error}");
    }
}
