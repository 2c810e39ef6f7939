//! `junit.xml` in the dialect that Jenkins, GitLab and nextest read: one test case per trial, numbers as properties.

use std::time::Duration;

use quick_junit::{
    NonSuccessKind, Property, Report as Document, SerializeError, TestCase, TestCaseStatus,
    TestSuite,
};

use super::sections::Tested;
use super::{Report, sections};
use crate::gate::{Check, failure};
use crate::model::Verdict;

/// Renders the document. A trial that failed, or of which nothing can be said, is a failure; one on which the rig
/// broke an error; one that was not run skipped.
///
/// # Errors
/// Those of the XML writer.
pub fn render(report: &Report<'_>) -> Result<String, SerializeError> {
    let mut suite = TestSuite::new("proofload");
    suite.add_property(("test_id", report.results.test_id.as_str()));
    suite.add_property(("verdict", report.judgement.verdict.as_str()));
    let mut total = 0.0;
    let tested: Vec<Tested<'_>> = sections::trials(report).collect();
    for tested in &tested {
        total += tested.took().unwrap_or(0.0);
        suite.add_test_case(case(report, tested));
    }
    // Checks on the run as such belong to no trial.
    let of_run = |check: &&Check| tested.iter().all(|tested| !tested.owns(check));
    for check in report.judgement.checks.iter().filter(of_run) {
        let own = std::slice::from_ref(check);
        suite.add_test_case(TestCase::new(check.id.as_str(), status(check.verdict, own)));
    }
    let mut document = Document::new("proofload");
    if let Ok(time) = Duration::try_from_secs_f64(total) {
        suite.set_time(time);
        document.set_time(time);
    }
    document.add_test_suite(suite);
    document.to_string()
}

fn case(report: &Report<'_>, tested: &Tested<'_>) -> TestCase {
    let all = report.judgement.checks.iter();
    let checks: Vec<Check> = all.filter(|check| tested.owns(check)).cloned().collect();
    let mut case = TestCase::new(tested.id, status(tested.verdict, &checks));
    let kind = tested.runs.first().and_then(|run| run.kind);
    case.set_classname(kind.map_or("proofload", crate::model::Kind::as_str));
    case.set_assertions(checks.len());
    if let Some(Ok(time)) = tested.took().map(Duration::try_from_secs_f64) {
        case.set_time(time);
    }
    case.add_properties(properties(report, tested, &checks));
    case
}

fn status(verdict: Verdict, checks: &[Check]) -> TestCaseStatus {
    let kind = match verdict {
        Verdict::Pass | Verdict::Warn => return TestCaseStatus::success(),
        Verdict::Skipped => {
            let mut status = TestCaseStatus::skipped();
            if let Some(check) = checks.first() {
                status.set_message(check.reason.as_str());
            }
            return status;
        }
        Verdict::Error => NonSuccessKind::Error,
        Verdict::Fail | Verdict::Inconclusive | Verdict::NoData => NonSuccessKind::Failure,
    };
    let mut status = TestCaseStatus::non_success(kind);
    let text = failure(checks).unwrap_or_else(|| verdict.as_str().to_owned());
    // The attribute is what lists show: one line. The element holds all.
    status.set_message(text.lines().next().unwrap_or_default());
    status.set_type(verdict.as_str());
    status.set_description(text);
    status
}

/// `<container>.<statistic>` with a number, then one property per check.
fn properties(report: &Report<'_>, tested: &Tested<'_>, checks: &[Check]) -> Vec<Property> {
    let mut properties = Vec::new();
    // The numbers of a comparison are those of its checks; its runs are many.
    let own = |id: &str| !tested.is_comparison && id == tested.id;
    let mut add = |name: String, value: Option<f64>| {
        properties.extend(value.map(|value| Property::new(name, value.to_string())));
    };
    let summaries = report.analysis.summaries.iter().filter(|summary| own(&summary.id));
    for (name, used) in summaries.flat_map(|summary| &summary.focus_containers) {
        add(format!("{name}.memory_mean_mb"), used.memory_mean_mb);
        add(format!("{name}.memory_max_mb"), used.memory_max_mb);
        add(format!("{name}.memory_slope_mb_per_min"), used.memory_slope_mb_per_min);
        add(format!("{name}.cpu_mean_percent"), used.cpu_mean_percent);
        add(format!("{name}.cpu_max_percent"), used.cpu_max_percent);
    }
    for leak in report.analysis.leaks.iter().filter(|leak| own(&leak.id)) {
        // What is counted has a slope for each metric, in counts per minute.
        let (name, unit) = match leak.unit {
            None => (leak.container.clone(), "mb_per_min"),
            Some(_) => (format!("{}.{}", leak.container, leak.channel), "per_min"),
        };
        add(format!("{name}.leak_slope_{unit}"), leak.slope_mb_per_min);
        add(format!("{name}.leak_detectable_{unit}"), leak.detectable_mb_per_min);
    }
    for reset in report.analysis.resets.iter().filter(|reset| own(&reset.id)) {
        add(format!("{}.reset_diff_percent", reset.container), reset.diff_percent);
    }
    for check in checks {
        let name = format!("check {} {}: {}", check.source, check.metric, check.expected);
        let actual = check.actual.map(|actual| format!(" {actual}")).unwrap_or_default();
        properties.push(Property::new(name, format!("{}{actual}", check.verdict.as_str())));
    }
    properties
}
