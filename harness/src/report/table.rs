//! Plain tables: columns of text, no lines between them.

use comfy_table::{Table, presets};

/// Lays out rows under a header; every line begins with a space and ends without one.
#[must_use]
pub fn render(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header.iter().map(|name| (*name).to_owned()));
    for row in rows {
        table.add_row(row);
    }
    let lines = table.to_string();
    let lines = lines.lines().map(|line| format!(" {}\n", line.trim_end()));
    lines.collect()
}
