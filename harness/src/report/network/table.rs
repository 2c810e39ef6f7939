//! [`Table`]: rows of numbers under columns of which some are worked out from others.

/// What the cells of a column hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cells {
    /// A number that was measured.
    Measured,
    /// By how many percent the value so many columns to the left differs from the one to the left.
    Difference(usize),
    /// A number of bytes, that of the column to the left, for people.
    Human,
}

/// One column behind the name and the command of a case.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column {
    /// The group that begins with it, in tables that have groups.
    pub(super) group: &'static str,
    pub(super) name: &'static str,
    pub(super) cells: Cells,
}

/// One case.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) case: String,
    pub(super) command: String,
    /// One per column; `None` of what was not measured, and of what is worked out.
    pub(super) values: Vec<Option<f64>>,
}

/// A table of cases.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Row>,
}

/// What cells are called that stand before the columns.
const FIRST: [&str; 2] = ["Tool Case", "Command"];

impl Table {
    /// As CSV; with two rows of headers where columns have groups.
    pub(super) fn csv(&self) -> String {
        let mut lines = self.header(&FIRST);
        lines.extend(self.rows.iter().map(|row| self.line(row, &[])));
        written(&lines)
    }

    /// The rows of headers, behind these.
    pub(super) fn header(&self, first: &[&str]) -> Vec<Vec<String>> {
        let line = |first: Vec<&str>, own: fn(&Column) -> &'static str| -> Vec<String> {
            first.into_iter().chain(self.columns.iter().map(own)).map(str::to_owned).collect()
        };
        let names = |first| line(first, |column| column.name);
        if self.columns.iter().all(|column| column.group.is_empty()) {
            return vec![names(first.to_vec())];
        }
        vec![line(first.to_vec(), |column| column.group), names(vec![""; first.len()])]
    }

    /// The cells of a row, behind these.
    pub(super) fn line(&self, row: &Row, first: &[&str]) -> Vec<String> {
        let own = [row.case.as_str(), row.command.as_str()];
        let mut line: Vec<String> = first.iter().copied().chain(own).map(str::to_owned).collect();
        line.extend((0..self.columns.len()).map(|index| self.cell(row, index)));
        line
    }

    /// A cell of a row; empty where it cannot be told.
    pub(super) fn cell(&self, row: &Row, index: usize) -> String {
        let value = |index: usize| row.values.get(index).copied().flatten();
        let left = |by: usize| index.checked_sub(by).and_then(value);
        let text = match self.columns[index].cells {
            Cells::Measured => value(index).map(number),
            Cells::Human => left(1).map(human),
            Cells::Difference(by) => {
                difference(left(by), left(1)).map(|percent| rounded(percent, 1e2))
            }
        };
        text.unwrap_or_default()
    }

    /// The names of the columns that are empty in a row.
    pub(super) fn missing(&self, row: &Row) -> Vec<String> {
        let mut group = "";
        let mut missing = Vec::new();
        for (index, column) in self.columns.iter().enumerate() {
            group = if column.group.is_empty() { group } else { column.group };
            if column.cells == Cells::Measured && self.cell(row, index).is_empty() {
                missing.push(format!("{group} {}", column.name).trim_start().to_owned());
            }
        }
        missing
    }
}

/// By how many percent a value differs from a baseline; nothing over a baseline of 0.
pub(super) fn difference(value: Option<f64>, base: Option<f64>) -> Option<f64> {
    let base = base.filter(|base| *base != 0.0)?;
    Some((value? - base) / base * 100.0)
}

/// Lines as CSV.
pub(super) fn written(lines: &[Vec<String>]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for line in lines {
        // Writing to memory does not fail, and all lines have one length.
        let _ = writer.write_record(line);
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

/// A number without the noise of binary fractions.
fn number(value: f64) -> String {
    rounded(value, 1e6)
}

fn rounded(value: f64, by: f64) -> String {
    // The sum turns a minus zero into zero.
    ((value * by).round() / by + 0.0).to_string()
}

/// A size as the original framework writes it.
fn human(bytes: f64) -> String {
    let mut value = bytes;
    for unit in ["B", "KB", "MB", "GB"] {
        if value.abs() < 1024.0 {
            return format!("{value:.1} {unit}");
        }
        value /= 1024.0;
    }
    format!("{value:.1} TB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_those_of_the_original_framework() {
        for (value, base, percent) in [
            (141.91, 73.34, "93.5"),
            (89.3, 73.34, "21.76"),
            (67.17, 87.55, "-23.28"),
            (9.72, 14.47, "-32.83"),
            (5.0, 5.0, "0"),
        ] {
            let found = difference(Some(value), Some(base)).map(|found| rounded(found, 1e2));
            assert_eq!(found.as_deref(), Some(percent));
        }
        for (value, base) in [(None, Some(1.0)), (Some(1.0), None), (Some(1.0), Some(0.0))] {
            assert_eq!(difference(value, base), None);
        }
    }

    #[test]
    fn sizes_have_one_decimal() {
        for (bytes, text) in [
            (0.0, "0.0 B"),
            (1023.0, "1023.0 B"),
            (1536.0, "1.5 KB"),
            (5e6, "4.8 MB"),
            (4e15, "3638.0 TB"),
        ] {
            assert_eq!(human(bytes), text);
        }
    }
}
