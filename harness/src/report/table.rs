//! Plain tables: columns of text, no lines between them.

use comfy_table::{ColumnConstraint, Table, Width, presets};

/// The width of a column of reasons, in characters; longer ones are broken into lines.
const REASON: u16 = 80;

/// Lays out rows under a header; every line begins with a space and ends without one.
#[must_use]
pub fn render(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header.iter().map(|name| (*name).to_owned()));
    if let (Some(&"reason"), Some(reasons)) =
        (header.last(), table.column_mut(header.len().saturating_sub(1)))
    {
        reasons.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(REASON)));
    }
    for row in rows {
        table.add_row(row);
    }
    let lines = table.to_string();
    let lines = lines.lines().map(|line| format!(" {}\n", line.trim_end()));
    lines.collect()
}
