//! One report in every format.

use serde_json::Value;

use super::*;
use crate::analysis::analyze;
use crate::analysis::tests::{OWN, SEED, read, ruled, run, trial};
use crate::gate::{Check, judge};
use crate::model::rules::LeakGate;
use crate::model::{Event, EventKind, Kind, Outcome, Verdict, metric};
use crate::results::{SamplerCost, parse};

/// Reports on a run.
fn with<T>(results: &Results, read: impl FnOnce(&Report<'_>) -> T) -> T {
    let analysis = analyze(results);
    let judgement = judge(results, &analysis);
    read(&Report { results, analysis: &analysis, judgement: &judgement })
}

fn rendered(text: &str, format: Format) -> String {
    with(&parse(text).unwrap(), |report| render(report, format, false))
}

#[track_caller]
fn holds(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}

#[test]
fn the_summary_names_every_verdict_formula_leak_and_reset() {
    let text = rendered(SEED, Format::Text);
    let first = text.lines().next().unwrap();
    assert_eq!(first, "20260130_143022: fail: 10 trials (3 fail, 1 inconclusive, 6 pass)");
    holds(
        &text,
        &[
            "memory_mb = 2.45 * agents + 312.6",
            "slope is 1.978 MiB/min (95% interval 1.659 to 2.296): it grows without end:",
            "score 60.84, above ",
            "2 to 3 times what leaks of live objects",
            "290 agents [284, 296]",
            "docs/statistics.md#scaling-laws",
            "smallest leak it could have seen",
            "0.4687 MiB/min",
            "aborted: OOM detected in: rideshare-simulation",
            "312.4 MiB",
            "18.86%",
        ],
    );
    assert!(!text.contains('\u{1b}'));
    let checks: Vec<&str> =
        text.lines().skip_while(|line| !line.starts_with("Checks")).skip(2).collect();
    assert!(checks[0].trim_start().starts_with("fail"), "worst first: {}", checks[0]);
    holds(
        &rendered(OWN, Format::Text),
        &["duration::quick::minutes=0.15", "smaller leaks are unknown"],
    );
}

#[test]
fn a_run_without_scatter_claims_no_certainty() {
    let mut flat = trial(Kind::Duration, "duration::flat");
    flat.rules.as_mut().unwrap().leak.gate = LeakGate::Gross;
    read(&mut flat, ("active", 0), (&metric::MEMORY_ANON, "api"), 1.0, &[1_048_576.0; 9]);
    let text = with(&run(vec![flat]), |report| render(report, Format::Markdown, false));
    holds(
        &text,
        &["| unknown | duration::flat | api | memory.anon | 0 MiB/min | - | normal | - |"],
    );
    holds(&text, &["smaller leaks are unknown (8 s of readings"]);
    for claim in ["0 to 0", "below 0"] {
        assert!(!text.contains(claim), "{claim:?} is in:\n{text}");
    }
}

#[test]
fn events_are_listed_worst_first_each_on_one_line() {
    let event = |kind: EventKind, number: u32, message: &str| Event {
        kind,
        elapsed_seconds: f64::from(number),
        timestamp_iso: jiff::Timestamp::UNIX_EPOCH,
        source: "api".to_owned(),
        phase: "sample".to_owned(),
        message: message.to_owned(),
    };
    let (mut one, mut two) = (trial(Kind::Load, "load::one"), trial(Kind::Load, "load::two"));
    let notes = (1..=60).map(|number| event(EventKind::Note, number, &format!("note {number}.")));
    one.events.extend(notes);
    two.events.push(event(EventKind::ProbeMissed, 3, "no answer:\ntimed out"));
    two.events.push(event(EventKind::OomKill, 125, "killed"));
    let results = run(vec![one, two]);
    let text = with(&results, |report| render(report, Format::Text, false));
    let table = text.lines().skip_while(|line| *line != "Events").skip(2);
    let rows: Vec<String> = table
        .take_while(|line| !line.is_empty())
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(rows.len(), 51, "{text}");
    assert_eq!(rows[0], "2m 05s load::two oom-kill api killed");
    assert_eq!(rows[1], "3 s load::two probe-missed api no answer: timed out");
    assert_eq!(rows[49], "48 s load::one note api note 48.");
    assert_eq!(rows[50], "- - - - and 12 more, which results.json lists");
    let markdown = with(&results, |report| render(report, Format::Markdown, false));
    holds(&markdown, &["## Events", "| 2m 05s | load::two | oom-kill | api | killed |"]);
    holds(&rendered(SEED, Format::Text), &["oom-kill"]);
}

#[test]
fn samples_that_fell_behind_are_warned_of() {
    let check = |missed: u64, worst_gap_intervals: f64, warning: Option<&str>| {
        let mut late = trial(Kind::Load, "load::late");
        late.sampler = Some(SamplerCost {
            worst_lateness_seconds: 0.35,
            samples: 37,
            missed,
            worst_gap_intervals,
            ..SamplerCost::default()
        });
        let results = run(vec![late]);
        for format in [Format::Text, Format::Markdown] {
            let text = with(&results, |report| render(report, format, false));
            holds(&text, &["worst lateness", "350 ms"]);
            let lines: Vec<&str> = text.lines().filter(|line| line.contains("warning: ")).collect();
            assert_eq!(lines.len(), usize::from(warning.is_some()), "{text}");
            holds(&text, warning.as_slice());
        }
    };
    check(0, 2.0, None);
    check(3, 1.5, Some("warning: load::late: 3 of 40 samples were missed; the machine"));
    check(0, 2.5, Some("warning: load::late: two samples lie 2.5 intervals apart; the machine"));
    check(3, 4.0, Some("3 of 40 samples were missed and two samples lie 4 intervals apart;"));
}

#[test]
fn samples_that_fell_behind_in_a_comparison_are_warned_of_once() {
    let mut late = trial(Kind::Load, "load::late::ab=b::r=1");
    late.sampler = Some(SamplerCost { samples: 30, missed: 10, ..SamplerCost::default() });
    let ab = serde_json::json!({ "looks": [3], "min_effect": 0.02, "margin": 0.05, "metrics": [] });
    let limits = serde_json::json!({
        "gate": true, "missing": 0.05, "late": 1.0, "samples": 3, "step": "500ms", "steal": 0.1,
        "throttled": 0.05, "elsewhere": 0.5,
    });
    let mut late = ruled(late, |rules| {
        rules.ab = serde_json::from_value(ab).unwrap();
        rules.validity = serde_json::from_value(limits).unwrap();
    });
    late.metadata.insert("comparison".into(), "load::late".into());
    let text = with(&run(vec![late]), |report| render(report, Format::Text, false));
    assert_eq!(text.matches("warning: load::late").count(), 1, "{text}");
    holds(&text, &["warning: load::late: 1 of 1 runs and their pairs are not compared"]);
}

#[test]
fn a_long_reason_is_broken_into_lines_and_kept() {
    let mut died = trial(Kind::Load, "load::x");
    let reason = "pass ".repeat(50);
    died.outcome = Some(Outcome::Aborted(reason.clone()));
    let results = run(vec![died]);
    let text = with(&results, |report| render(report, Format::Text, false));
    let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(widest < 150, "{widest}:\n{text}");
    assert_eq!(text.matches("pass").count(), 50);
    // A word of a reason is no verdict.
    let painted = with(&results, |report| render(report, Format::Text, true));
    assert!(!painted.contains("\u{1b}[32m"), "{painted}");
}

#[test]
fn color_paints_verdicts_and_changes_nothing_else() {
    let results = parse(OWN).unwrap();
    let plain = with(&results, |report| render(report, Format::Text, false));
    let painted = with(&results, |report| render(report, Format::Text, true));
    holds(&painted, &["\u{1b}[1;31mfail\u{1b}[0m", "\u{1b}[32mpass\u{1b}[0m", "\u{1b}[2mskipped"]);
    let mut stripped = painted;
    for code in ["\u{1b}[0m", "\u{1b}[1;31m", "\u{1b}[32m", "\u{1b}[33m", "\u{1b}[2m"] {
        stripped = stripped.replace(code, "");
    }
    assert_eq!(stripped, plain);
    assert!(with(&results, |report| !render(report, Format::Json, true).contains('\u{1b}')));
}

#[test]
fn json_is_one_object_with_the_promised_keys() {
    for (text, rule) in [(SEED, "leakscore"), (OWN, "seed")] {
        let json: Value = serde_json::from_str(&rendered(text, Format::Json)).unwrap();
        let mut keys: Vec<&String> = json.as_object().unwrap().keys().collect();
        keys.sort();
        assert_eq!(keys, ["analysis", "checks", "incomplete", "verdict", "warnings"]);
        for check in json["checks"].as_array().unwrap() {
            let mut keys: Vec<&String> = check.as_object().unwrap().keys().collect();
            keys.sort();
            assert_eq!(keys, ["actual", "expected", "id", "metric", "reason", "source", "verdict"]);
            assert!(check["expected"].is_string());
            assert!(check["actual"].is_number() || check["actual"].is_null());
        }
        let leak = &json["analysis"]["leaks"][0];
        for key in [
            "scenario_name",
            "scenario_params",
            "container",
            "channel",
            "slope_mb_per_min",
            "interval",
            "detectable_mb_per_min",
            "band",
            "verdict",
            "reason",
        ] {
            assert!(!leak[key].is_null(), "{key}: {leak}");
        }
        assert_eq!(leak["rule"], rule);
        assert_eq!(json["analysis"]["changes"], Value::Array(Vec::new()));
        let has = |object: &Value, keys: &[&str]| {
            for key in keys {
                assert!(!object[*key].is_null(), "{key}: {object}");
            }
        };
        has(
            &json["analysis"]["resets"][0],
            &[
                "scenario_name",
                "scenario_params",
                "container",
                "baseline_mb",
                "load_peak_mb",
                "post_reset_mb",
                "diff_percent",
                "verdict",
            ],
        );
        let is_curve = |value: &&Value| value["best_fit"].is_object();
        let curve = json["analysis"].as_object().unwrap().values().find(is_curve).unwrap();
        has(curve, &["all_fits", "data_points"]);
        for fit in curve["all_fits"].as_array().unwrap().iter().chain([&curve["best_fit"]]) {
            has(fit, &["fit_type", "formula", "r_squared", "coefficients"]);
            has(&fit["coefficients"], &["a"]);
        }
        let used = &json["analysis"]["scenario_summaries"][0]["focus_containers"];
        let used = used.as_object().unwrap().values().next().unwrap();
        for key in [
            "memory_mean_mb",
            "memory_max_mb",
            "memory_p95_mb",
            "memory_limit_mb",
            "cpu_mean_percent",
            "cpu_max_percent",
            "memory_slope_mb_per_min",
        ] {
            assert!(used[key].is_number(), "{key}: {used}");
        }
    }
}

#[test]
fn markdown_tables_survive_what_a_system_prints() {
    let mut died = trial(Kind::Load, "load::x|y");
    died.outcome = Some(Outcome::Aborted("<script>|\n`rm`\u{1b}[31m & [a](b)".into()));
    let text = with(&run(vec![died]), |report| render(report, Format::Markdown, false));
    holds(&text, &[r"load::x\|y", r"&lt;script&gt;\| \`rm\` \[31m &amp; \[a\](b)"]);
    let columns = |line: &str| line.replace("\\|", "").matches('|').count();
    for line in text.lines().filter(|line| line.starts_with("| fail | load")) {
        assert!(matches!(columns(line), 7 | 8), "{line}");
    }
    let text = rendered(OWN, Format::Markdown);
    holds(&text, &["**fail: 10 trials", "## Use by phase", "| cooldown | 15 |", "Example CPU"]);
}

#[test]
fn annotations_are_escaped_counted_and_worst_first() {
    let check = |number: usize, verdict: Verdict| Check {
        id: format!("load::x::agents={number},b=1"),
        metric: "memory.anon".to_owned(),
        source: "api".to_owned(),
        expected: "mean < 50%".to_owned(),
        actual: Some(1.0),
        verdict,
        reason: "line one\nline two".to_owned(),
        shown: None,
    };
    let mut checks = vec![check(0, Verdict::Pass), check(0, Verdict::Skipped)];
    checks.extend((1..=12).map(|number| check(number, Verdict::Inconclusive)));
    checks.extend([check(13, Verdict::Warn), check(14, Verdict::Fail)]);
    let judgement =
        Judgement { verdict: Verdict::Fail, incomplete: false, checks, warnings: Vec::new() };
    let text = github::annotations(&judgement);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 11, "{text}");
    assert_eq!(
        lines[0],
        "::error title=fail%3A load%3A%3Ax%3A%3Aagents=14%2Cb=1::gate: memory.anon of api: \
         expected mean < 50%25; line one%0Aline two"
    );
    assert_eq!(lines[9], "::error title=4 more checks::see the summary of the step");
    assert!(lines[10].starts_with("::warning title=warn%3A load"));
}

#[test]
fn a_long_summary_is_cut_at_the_end_of_a_line() {
    let short = "# ä\n";
    assert_eq!(github::step_summary(short), short);
    let long = "zeile mit ä und ö\n".repeat(70_000);
    let cut = github::step_summary(&long);
    assert!(cut.len() <= 1024 * 1024 && cut.len() > 1024 * 1024 - 200, "{}", cut.len());
    holds(&cut[cut.len() - 100..], &["und ö\n\nCut here"]);
    assert!(github::step_summary(&"ä".repeat(700_000)).starts_with("\nCut here"));
}

#[test]
fn junit_has_one_case_per_trial_and_tells_failures_from_errors() {
    let mut results = parse(OWN).unwrap();
    let mut broken = trial(Kind::Load, "load::broken");
    broken.outcome = Some(Outcome::Broken("no port \u{1b}[31mleft <here>".into()));
    results.scenarios.push(broken);
    results.scenarios.push(trial(Kind::Baseline, "baseline::empty"));
    let xml = with(&results, |report| junit::render(report).unwrap());
    assert_eq!(xml.matches("<testcase ").count(), results.scenarios.len());
    holds(
        &xml,
        &[
            r#"tests="12" skipped="1" failures="3" errors="1""#,
            r#"<testcase name="duration::leaky::minutes=5" classname="duration""#,
            r#"<failure message="gate: memory.anon of api: expected slope &lt;= 1 MiB/min; slope is"#,
            r#"<failure message="aborted: oom-kill of api: killed for want of memory" type="fail">"#,
            r#"type="no-data">"#,
            r#"<error message="rig: no port left &lt;here&gt;" type="error">"#,
            r#"<skipped message="skipped: no Docker daemon answers"/>"#,
            r#"<property name="api.memory_mean_mb" value="23.98"#,
            r#"<property name="api.leak_slope_mb_per_min" value="2.00225"#,
            r#"<property name="check api memory.anon: p95 &lt; 120 MiB" value="pass "#,
        ],
    );
}

#[test]
fn csv_has_one_line_per_reading_with_its_unit() {
    let results = parse(OWN).unwrap();
    let text = csv::render(&results);
    let readings: usize =
        results.scenarios.iter().flat_map(|t| &t.samples).map(|s| s.readings.len()).sum();
    let mut lines = text.lines();
    assert_eq!(
        lines.next().unwrap(),
        "trial_id,timestamp,elapsed_seconds,phase,cycle,source,metric,value,unit"
    );
    assert_eq!(lines.clone().count(), readings);
    let first = lines.next().unwrap();
    assert!(
        first.starts_with(
            "baseline::steady,2026-11-21T09:00:01.5Z,1.5,baseline,0,api,memory.working_set,"
        ),
        "{first}"
    );
    assert!(first.ends_with(",bytes"), "{first}");
    holds(&text, &[",post,2,api,cpu.time,", ",agents,agents.live,10,count\n"]);
}

#[test]
fn formats_are_named_as_on_the_command_line() {
    for format in Format::ALL {
        assert_eq!(Format::parse(format.as_str()), Some(format));
    }
    assert_eq!(Format::parse("html"), None);
}
