//! One made table in every format.

use serde_json::Value;

use super::*;
use crate::analysis::table::{Repetition, compare};
use crate::gate::table::{TableLimits, judge};
use crate::results::{PerfConf, RhsTable};

/// A processor column that grows by a tenth, a throughput that falls by 1%, a count that doubles.
fn with<T>(read: impl FnOnce(TableReport<'_>) -> T) -> T {
    let conf = "[netperf]\nresult_file_pattern = x\ndesc = <b>bold</b>\n";
    let conf = PerfConf::parse(conf, "netperf").unwrap();
    let side = |version: &str, cpu: f64, thr: f64, packets: f64| -> Vec<Repetition> {
        let file = |index: u32| {
            let noise = 1.0 + 0.001 * f64::from(index);
            let text = format!(
                "### kernel : {version}\nTCP <1>\nsize|%CPU|throughput|a\"b|latency\n64|{}|{}|{}|7\n128|{}|{}|{}|7\n",
                cpu * noise,
                thr * noise,
                packets,
                cpu * noise * 2.0,
                thr / noise,
                packets + f64::from(index)
            );
            Repetition {
                file: format!("{version}/{index}"),
                table: RhsTable::parse(&text, 1).unwrap(),
            }
        };
        (0..4).map(file).collect()
    };
    let comparison =
        compare(&conf, &side("5<6", 20.0, 900.0, 5.0), &side("6", 22.0, 891.0, 10.0)).unwrap();
    let judgement = judge(&comparison, TableLimits::default());
    read(TableReport { judgement: &judgement, comparison: &comparison })
}

#[track_caller]
fn holds(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}

#[test]
fn the_text_has_the_lines_of_the_original_and_ours() {
    let text = with(|report| render(report, Format::Text));
    assert!(
        text.starts_with("netperf: fail: 6 judged (2 fail, 4 pass), 2 reported only\n"),
        "{text}"
    );
    holds(
        &text,
        &[
            "4 repetitions against 4\n",
            "kernel: 5<6 became 6\n",
            "\nTCP <1>\n",
            "\n  size  ",
            "Avg 1",
            "%SD 2",
        ],
    );
    holds(
        &text,
        &[
            "%Diff between Avg",
            "+10 ",
            " -1 ",
            "+100",
            "Significance",
            "+0.999+",
            "-0.999+",
            "Welch p, all cells",
        ],
    );
    holds(
        &text,
        &["Total Significance", "\nFindings\n", "worse: 10% higher (95% interval", EXPLAINED],
    );
    // The constant column has no significance, and no NaN.
    assert!(!text.contains("nan") && !text.contains("NaN"), "{text}");
}

#[test]
fn the_page_is_highlighted_by_direction_and_weight_and_is_escaped() {
    let page = with(html::render);
    holds(
        &page,
        &["<td class=\"bad dark\">+10</td>", "<td class=\"bad light\">-1</td>", "<td>+100</td>"],
    );
    holds(
        &page,
        &[
            "<td class=\"sig\">+0.999+</td>",
            "<td class=\"sig\">-0.999+</td>",
            "rowspan=\"8\">64</td>",
        ],
    );
    holds(
        &page,
        &[
            "&lt;b&gt;bold&lt;/b&gt;",
            "TCP &lt;1&gt;",
            "a&quot;b",
            "<details>",
            "<td>5 6 7 8</td>",
            EXPLAINED,
        ],
    );
    assert!(!page.contains("<b>") && !page.contains("src=") && !page.contains("<link"));
    for tag in ["table", "tr", "td", "th", "ul", "li", "p", "details"] {
        let opened =
            page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn markdown_and_json_come_whole() {
    let text = with(|report| render(report, Format::Markdown));
    holds(
        &text,
        &[
            "# netperf\n",
            "## TCP &lt;1&gt;\n",
            "| size |  | %CPU | throughput | a\"b | latency |\n",
            "| fail | TCP &lt;1&gt; | 64 | %CPU |",
        ],
    );
    let json: Value = serde_json::from_str(&with(|report| render(report, Format::Json))).unwrap();
    assert_eq!(json["judgement"]["verdict"], "fail");
    let cell = &json["comparison"]["categories"][0]["rows"][0]["cells"][0];
    assert_eq!(cell["values"]["a"].as_array().unwrap().len(), 4);
    assert!(json["comparison"]["categories"][0]["rows"][0]["cells"][3]["student"].is_null());
}
