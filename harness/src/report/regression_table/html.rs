//! A page that needs no other file, with the highlights that the manual of Avocado's tables asks for: green and red by
//! direction, dark for important columns, light for small differences, one color for significance.

use super::lines::{
    FINDINGS, Line, NOTHING, finding, headline, notes, noteworthy, significance, verdict,
};
use super::{EXPLAINED, TableReport};
use crate::analysis::table::{CategoryComparison, CellComparison, Column};
use crate::model::Better;

/// A difference below this is shown lightly.
const SMALL: f64 = 0.05;
/// Above this a significance is marked.
const MARKED: f64 = 0.95;

const STYLE: &str = "\
body{font:14px/1.4 system-ui,sans-serif;margin:2em;color:#1a1a1a;background:#fff}\
table{border-collapse:collapse;margin:.5em 0 2em;font-variant-numeric:tabular-nums}\
th,td{border:1px solid #c8c8c8;padding:.15em .5em;text-align:right}\
th{background:#f0f0f0}td.l,th.l{text-align:left}td.k{vertical-align:top;text-align:left;font-weight:600}\
tr.first td{border-top:2px solid #666}\
.good{background:#7fc97f}.good.dark{background:#1b7837;color:#fff}.good.light{background:#d9f0d3}\
.bad{background:#f4a582}.bad.dark{background:#b2182b;color:#fff}.bad.light{background:#fddbc7}\
.sig{background:#b8e186;font-weight:700}\
.fail{color:#b2182b;font-weight:700}.pass{color:#1b7837}.inconclusive,.no-data{color:#8a5a00}";

/// Renders the page.
#[must_use]
pub fn render(report: TableReport<'_>) -> String {
    let comparison = report.comparison;
    let title = escape(&comparison.test);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n<p class=\"{}\">{}</p>\n<ul>\n",
        report.judgement.verdict.as_str(),
        escape(&headline(report))
    );
    for note in notes(report) {
        page.push_str(&format!("<li>{}</li>\n", escape(&note)));
    }
    page.push_str("</ul>\n");
    page.push_str(&legend());
    for category in &comparison.categories {
        page.push_str(&format!("<h2>{}</h2>\n", escape(&category.name)));
        page.push_str(&table(report, category));
    }
    let checks = noteworthy(report);
    if !checks.is_empty() {
        page.push_str("<h2>Findings</h2>\n<table>\n<tr>");
        for name in FINDINGS {
            page.push_str(&format!("<th class=\"l\">{name}</th>"));
        }
        page.push_str("</tr>\n");
        for check in checks {
            page.push_str("<tr>");
            for cell in finding(check) {
                page.push_str(&format!("<td class=\"l\">{}</td>", escape(&cell)));
            }
            page.push_str("</tr>\n");
        }
        page.push_str("</table>\n");
    }
    page.push_str(&raw(report));
    page.push_str("</body>\n</html>\n");
    page
}

fn legend() -> String {
    format!(
        "<p>Difference: <span class=\"good\">better</span> <span class=\"bad\">worse</span>; \
         <span class=\"good dark\">dark</span> in important columns, <span class=\"good light\">light</span> below 5%; \
         without color where a column has no direction. \
         <span class=\"sig\">Significance</span> is marked above 0.95: it is 1 - p of Student's t-test of this cell alone, \
         with the sign of the change. The verdict is corrected for the number of cells. \
         <a href=\"{EXPLAINED}\">What this rests on</a></p>\n"
    )
}

fn table(report: TableReport<'_>, category: &CategoryComparison) -> String {
    let mut text = "<table>\n<tr>".to_owned();
    for key in &category.keys {
        text.push_str(&format!("<th class=\"l\">{}</th>", escape(key)));
    }
    text.push_str("<th></th>");
    for column in &category.columns {
        text.push_str(&format!("<th>{}</th>", escape(&column.name)));
    }
    text.push_str("</tr>\n");
    for row in &category.rows {
        for (index, line) in Line::ALL.into_iter().enumerate() {
            text.push_str(if index == 0 { "<tr class=\"first\">" } else { "<tr>" });
            for key in row.key.iter().filter(|_| index == 0) {
                let span = Line::ALL.len();
                text.push_str(&format!("<td class=\"k\" rowspan=\"{span}\">{}</td>", escape(key)));
            }
            text.push_str(&format!("<td class=\"l\">{}</td>", line.name()));
            for (cell, column) in row.cells.iter().zip(&category.columns) {
                let verdict = verdict(report, category, &row.key, &column.name);
                let class = match line {
                    Line::Change => highlight(cell, column),
                    Line::Significance => marked(cell.significance).to_owned(),
                    Line::Verdict => verdict.map_or("", |verdict| verdict.as_str()).to_owned(),
                    _ => String::new(),
                };
                text.push_str(&td(&class, &line.cell(cell, verdict)));
            }
            text.push_str("</tr>\n");
        }
    }
    if category.columns.iter().any(|column| column.total_significance.is_some()) {
        text.push_str(&format!(
            "<tr class=\"first\"><td class=\"k\" colspan=\"{}\">Total Significance</td>",
            category.keys.len() + 1
        ));
        for column in &category.columns {
            text.push_str(&td(
                marked(column.total_significance),
                &significance(column.total_significance),
            ));
        }
        text.push_str("</tr>\n");
    }
    text.push_str("</table>\n");
    text
}

/// Green or red by direction; the shade by how much it matters.
fn highlight(cell: &CellComparison, column: &Column) -> String {
    let (Some(change), Some(better)) = (cell.change, column.better) else { return String::new() };
    if change == 0.0 {
        return String::new();
    }
    let good = (change > 0.0) == (better == Better::Higher);
    let color = if good { "good" } else { "bad" };
    let shade = if change.abs() < SMALL {
        " light"
    } else if column.important {
        " dark"
    } else {
        ""
    };
    format!("{color}{shade}")
}

/// One color, whatever the sign.
fn marked(value: Option<f64>) -> &'static str {
    if value.is_some_and(|value| value.abs() > MARKED) { "sig" } else { "" }
}

fn td(class: &str, text: &str) -> String {
    let text = escape(text);
    if class.is_empty() {
        format!("<td>{text}</td>")
    } else {
        format!("<td class=\"{class}\">{text}</td>")
    }
}

/// What the averages are based on.
fn raw(report: TableReport<'_>) -> String {
    let mut text =
        "<details>\n<summary>Readings that the averages are based on</summary>\n".to_owned();
    let comparison = report.comparison;
    for (name, files) in [("1", &comparison.a), ("2", &comparison.b)] {
        let files: Vec<String> = files.iter().map(|file| escape(file)).collect();
        text.push_str(&format!("<p>{name}: {}</p>\n", files.join("<br>")));
    }
    for category in &comparison.categories {
        text.push_str(&format!("<h3>{}</h3>\n<table>\n<tr>", escape(&category.name)));
        let columns = category.columns.iter().map(|column| &column.name);
        for name in category.keys.iter().chain([&String::new()]).chain(columns) {
            text.push_str(&format!("<th>{}</th>", escape(name)));
        }
        text.push_str("</tr>\n");
        for row in &category.rows {
            for (index, side) in ["1", "2"].into_iter().enumerate() {
                text.push_str("<tr>");
                for key in row.key.iter().filter(|_| index == 0) {
                    text.push_str(&format!("<td class=\"k\" rowspan=\"2\">{}</td>", escape(key)));
                }
                text.push_str(&format!("<td>{side}</td>"));
                for cell in &row.cells {
                    let values = if index == 0 { &cell.values.a } else { &cell.values.b };
                    let values: Vec<String> = values.iter().map(f64::to_string).collect();
                    let values =
                        if values.is_empty() { NOTHING.to_owned() } else { values.join(" ") };
                    text.push_str(&td("", &values));
                }
                text.push_str("</tr>\n");
            }
        }
        text.push_str("</table>\n");
    }
    text.push_str("</details>\n");
    text
}

/// Text that is no markup, in an element or an attribute.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}
