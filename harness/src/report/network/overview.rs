//! [`render`]: `<environment>_overview_<iteration>.md`, with the verdict on every tool and metric.

use super::cases::{Topic, value};
use super::columns::Columns;
use super::packets;
use super::table::Table;
use crate::gate::worst_first;
use crate::report::changes;
use crate::report::markdown::{cell, grid};
use crate::report::sections::NOTHING;
use crate::report::{Report, units};

/// Renders the overview of one environment; `tables` are those of its files.
pub(super) fn render(
    topic: &Topic<'_>,
    iteration: &str,
    report: &Report<'_>,
    tables: &[(Columns, Table)],
) -> String {
    let mut text = format!("# {} - analysis overview\n\n", cell(&topic.name));
    text.push_str(&format!("- Iteration: {}\n", cell(iteration)));
    text.push_str(&format!("- Started: {}\n", report.results.started_at.0));
    text.push_str(&format!("- Cases: {}\n", topic.cases.len()));
    for (columns, table) in tables {
        let (all, word) = (table.rows.len(), columns.as_str());
        let some = table.rows.iter().filter(|row| row.values.iter().any(Option::is_some)).count();
        text.push_str(&format!("- Cases with {word} data: {some} of {all}\n"));
    }
    text.push_str(&verdicts(topic, report));
    text.push_str(&failures(topic, report));
    text.push_str(&packets::warnings(topic));
    text.push_str(&differences(topic, tables));
    text.push_str(&packets::counted(topic));
    text.push_str(&baselines(topic));
    text.push_str(&notes(tables));
    text
}

/// A row per case, metric and test: the paired estimate with its interval, and what follows.
fn verdicts(topic: &Topic<'_>, report: &Report<'_>) -> String {
    let rows = topic.cases.iter().flat_map(|case| {
        let own = report.analysis.changes.iter().filter(|change| change.id == case.id);
        own.map(|change| {
            let mut row = changes::row(change);
            row[1].clone_from(&case.name);
            row
        })
    });
    titled(
        "Verdicts",
        &changes::HEADER.map(|name| if name == "trial" { "tool case" } else { name }),
        rows,
    )
}

/// What went wrong besides: walks that did not come to their end, pairs that cannot be compared.
fn failures(topic: &Topic<'_>, report: &Report<'_>) -> String {
    let is_change = |check: &crate::gate::Check| {
        // Tests of one topic have one metric: `tcp_rr` and `udp_rr` are told apart by their names.
        let own = [&check.id, &check.metric, &check.source];
        let mut changes = report.analysis.changes.iter();
        changes.any(|change| [&change.id, &change.metric, &change.source] == own)
    };
    let rows = topic.cases.iter().flat_map(|case| {
        let runs = report.results.scenarios.iter().filter(|run| run.comparison() == Some(case.id));
        let ids: Vec<&str> = runs.map(|run| run.id.as_str()).chain([case.id]).collect();
        let own = worst_first(&report.judgement.checks).into_iter().filter(move |check| {
            ids.contains(&check.id.as_str()) && check.needs_attention() && !is_change(check)
        });
        own.map(|check| {
            let verdict = check.verdict.as_str().to_owned();
            vec![verdict, case.name.clone(), check.id.clone(), check.message()]
        })
    });
    titled("What went wrong", &["verdict", "tool case", "trial", "reason"], rows)
}

/// The three differences that the original framework shows.
fn differences(topic: &Topic<'_>, tables: &[(Columns, Table)]) -> String {
    let Some((_, table)) = tables.iter().find(|(columns, _)| *columns == Columns::Summary) else {
        return String::new();
    };
    let column = |name: &str| table.columns.iter().position(|column| column.name == name);
    let wanted =
        ["TCP RR Diff (%)", "Client TP Single Diff (%)", "Client PPS Single Diff (%)"].map(column);
    let rows = table.rows.iter().zip(&topic.cases).map(|(row, case)| {
        let shown = wanted.map(|index| {
            let text = index.map(|index| table.cell(row, index)).unwrap_or_default();
            if text.is_empty() { NOTHING.to_owned() } else { text }
        });
        let walks = format!("{} and {}", case.base.len(), case.tool.len());
        [row.case.clone(), row.command.clone()].into_iter().chain(shown).chain([walks]).collect()
    });
    let header = [
        "tool case",
        "command",
        "latency diff (%)",
        "throughput diff (%)",
        "PPS diff (%)",
        "walks of baseline and tool",
    ];
    titled("Differences of means", &header, rows)
}

/// What baselines showed that nothing is compared with: a matrix has one of each combination.
fn baselines(topic: &Topic<'_>) -> String {
    let mut rows = Vec::new();
    for (id, runs) in packets::alone(topic) {
        let traffic = runs.first().and_then(|run| run.traffic());
        for test in traffic.into_iter().flat_map(|traffic| traffic.tests) {
            let metric = test.topic.metric();
            rows.extend(runs.iter().map(|run| {
                let shown = value(run, &metric, Some(&test.name));
                let shown = shown.map(|value| units::value(value, metric.unit));
                vec![
                    id.to_owned(),
                    test.name.clone(),
                    metric.name.to_string(),
                    run.repeat.to_string(),
                    shown.unwrap_or_else(|| NOTHING.to_owned()),
                ]
            }));
        }
    }
    titled("Baselines", &["trial", "test", "metric", "walk", "value"], rows.into_iter())
}

fn notes(tables: &[(Columns, Table)]) -> String {
    let mut text = String::from(
        "\n## Notes\n\n\
         - A positive difference of latency, and a negative one of throughput or packets, is for the worse.\n\
         - The verdict rests on the interval of the paired estimate, which is a ratio of geometric means; differences in \
         the tables are of arithmetic means.\n\
         - Packets are datagrams that were counted; client columns are the sender's figures, server columns the receiver's.\n\
         - Beside packets stands what the interfaces of both ends counted in the same time, which is all their traffic.\n\
         - What was not measured is an empty cell.\n",
    );
    for (columns, table) in tables {
        for row in &table.rows {
            let missing = table.missing(row);
            if !missing.is_empty() {
                let (word, case) = (columns.as_str(), cell(&row.case));
                text.push_str(&format!(
                    "- Not measured, {word} of {case}: {}.\n",
                    missing.join(", ")
                ));
            }
        }
    }
    text
}

/// A table, unless it has no rows.
pub(super) fn titled(
    title: &str,
    header: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
) -> String {
    let rows: Vec<Vec<String>> = rows.collect();
    if rows.is_empty() {
        return String::new();
    }
    let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
    grid(title, &header, rows)
}
