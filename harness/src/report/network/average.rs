//! [`files`]: what several iterations come to. Values are averaged, and differences are worked out from the averages: the
//! mean of percentages of different baselines is the difference of nothing.

use std::path::{Path, PathBuf};

use super::cases::mean;
use super::columns::Columns;
use super::safe;
use super::table::{Row, Table, written};

/// The files below `aggregated`, from the tables of all iterations with the environment that each is of.
pub(super) fn files(tables: &[(String, Columns, Table)]) -> Vec<(PathBuf, String)> {
    let directory = Path::new("aggregated");
    let mut topics: Vec<&str> = Vec::new();
    for (topic, ..) in tables {
        if !topics.contains(&topic.as_str()) {
            topics.push(topic);
        }
    }
    let mut files = Vec::new();
    let mut all: Vec<Vec<String>> = Vec::new();
    for topic in topics {
        for columns in Columns::ALL {
            let of = |(own, kind, _): &&(String, Columns, Table)| own == topic && *kind == columns;
            let own: Vec<&Table> = tables.iter().filter(of).map(|(.., table)| table).collect();
            let Some(table) = average(&own) else { continue };
            let folder = if columns == Columns::Summary { "summary" } else { "details" };
            let name = format!("{}_{}_avg.csv", safe(topic), columns.as_str());
            files.push((directory.join(folder).join(name), table.csv()));
            if columns == Columns::Summary {
                if all.is_empty() {
                    all = table.header(&["Topic", "Tool Case", "Command"]);
                }
                all.extend(table.rows.iter().map(|row| table.line(row, &[topic])));
            }
        }
    }
    if !all.is_empty() {
        files.push((directory.join("all_tools_summary.csv"), written(&all)));
    }
    files
}

/// The mean of every value over the tables that have it, case by case.
fn average(tables: &[&Table]) -> Option<Table> {
    let columns = tables.first()?.columns.clone();
    let mut cases: Vec<&Row> = Vec::new();
    for row in tables.iter().flat_map(|table| &table.rows) {
        if !cases.iter().any(|known| known.case == row.case) {
            cases.push(row);
        }
    }
    let rows = cases.into_iter().map(|first| {
        let same = || tables.iter().flat_map(|table| &table.rows).filter(|r| r.case == first.case);
        let value = |index: usize| mean(same().filter_map(|row| *row.values.get(index)?));
        let values = (0..columns.len()).map(value).collect();
        Row { case: first.case.clone(), command: first.command.clone(), values }
    });
    Some(Table { rows: rows.collect(), columns })
}
