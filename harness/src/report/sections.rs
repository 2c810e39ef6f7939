//! The tables that the text and the Markdown report share.

mod scaling;

use super::units::{mib, mib_per_minute, percent, seconds};
use super::{Report, changes, events};
use crate::analysis::{Band, LeakVerdict, ResetVerdict};
use crate::gate::{VALIDITY, groups, worst_first};
use crate::model::Verdict;
use crate::model::rules::ResetMethod;
use crate::results::TrialRecord;

/// A titled table; without rows it is left out.
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) header: &'static [&'static str],
    pub(super) rows: Vec<Vec<String>>,
    /// The heading of the page on methods that explains what the rows say, as its anchor.
    pub(super) explained: Option<&'static str>,
}

impl Section {
    /// Where the rows are explained.
    pub(super) fn explanation(&self) -> Option<String> {
        const METHODS: &str =
            concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/statistics.md");
        self.explained.map(|anchor| format!("{METHODS}#{anchor}"))
    }

    /// What a reader could take the rows for, and they are not.
    pub(super) fn caveat(&self) -> Option<&'static str> {
        (self.title == GROWTH).then_some(
            "Growth is that of resident memory: in garbage-collected runtimes 2 to 3 times what leaks of live objects.",
        )
    }
}

/// The title of what is judged of growth over time.
const GROWTH: &str = "Growth under constant load";

/// What cannot be told.
pub(super) const NOTHING: &str = "-";

fn or_nothing<T>(value: Option<T>, shown: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| NOTHING.to_owned(), shown)
}

/// The first line: `fail: 2 of 5 trials did not pass`.
pub(super) fn headline(report: &Report<'_>) -> String {
    let verdicts: Vec<Verdict> = trials(report).map(|tested| tested.verdict).collect();
    let mut parts: Vec<String> = Vec::new();
    for verdict in VERDICTS {
        let count = verdicts.iter().filter(|found| **found == verdict).count();
        if count > 0 {
            parts.push(format!("{count} {}", verdict.as_str()));
        }
    }
    let trials = if verdicts.len() == 1 {
        "1 trial".to_owned()
    } else {
        format!("{} trials", verdicts.len())
    };
    let parts = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
    let cut_off = if report.judgement.incomplete { ", cut off" } else { "" };
    format!("{}: {trials}{parts}{cut_off}", report.judgement.verdict.as_str())
}

/// From worst to best.
pub(super) const VERDICTS: [Verdict; 7] = [
    Verdict::Error,
    Verdict::Fail,
    Verdict::NoData,
    Verdict::Inconclusive,
    Verdict::Warn,
    Verdict::Skipped,
    Verdict::Pass,
];

/// One test trial: a trial, or all runs of a comparison.
pub(super) struct Tested<'a> {
    pub(super) id: &'a str,
    /// The worst of its checks.
    pub(super) verdict: Verdict,
    pub(super) runs: Vec<&'a TrialRecord>,
    pub(super) is_comparison: bool,
}

impl Tested<'_> {
    /// True of a check on it, or on one of its runs.
    pub(super) fn owns(&self, check: &crate::gate::Check) -> bool {
        check.id == self.id || self.runs.iter().any(|run| run.id == check.id)
    }

    /// How long all of it took in seconds, where that is known.
    pub(super) fn took(&self) -> Option<f64> {
        let lengths = self.runs.iter().filter_map(|run| run.duration_seconds);
        lengths.reduce(|all, length| all + length)
    }
}

/// Every test trial with the worst of its checks.
pub(super) fn trials<'a>(report: &Report<'a>) -> impl Iterator<Item = Tested<'a>> {
    let checks = &report.judgement.checks;
    groups(report.results).into_iter().map(move |(comparison, runs)| {
        let id = comparison.unwrap_or_else(|| runs.first().map_or("", |run| run.id.as_str()));
        let is_comparison = comparison.is_some();
        let tested = Tested { id, verdict: Verdict::NoData, runs, is_comparison };
        let own = checks.iter().filter(|check| tested.owns(check)).map(|check| check.verdict);
        Tested { verdict: Verdict::worst(own).unwrap_or(Verdict::NoData), ..tested }
    })
}

/// What a terminal shows.
pub(super) fn main(report: &Report<'_>) -> Vec<Section> {
    vec![
        trial_table(report),
        checks(report),
        events::section(report),
        scaling::memory(report),
        scaling::throughput(report),
        leaks(report),
        resets(report),
        changes::section(report.analysis),
        changes::unmatched(report.analysis),
    ]
}

/// What only a file has room for.
pub(super) fn details(report: &Report<'_>) -> Vec<Section> {
    vec![usage(report), phases(report), apart(report)]
}

fn trial_table(report: &Report<'_>) -> Section {
    let events = |run: &&TrialRecord| {
        run.events.len() + if run.events.is_empty() { run.oom_events.len() } else { 0 }
    };
    let row = |tested: Tested<'_>| {
        let runs = &tested.runs;
        let costs = runs.iter().filter_map(|run| run.sampler);
        let late = costs.map(|cost| cost.worst_lateness_seconds).reduce(f64::max);
        let count = runs.len();
        let discarded = runs.iter().filter(|run| run.is_discarded()).count();
        let of = if tested.is_comparison {
            let runs = if count == 1 { "run" } else { "runs" };
            format!(" ({count} {runs}, {discarded} of them warm-up)")
        } else {
            String::new()
        };
        vec![
            tested.verdict.as_str().to_owned(),
            format!("{}{of}", tested.id),
            or_nothing(tested.took(), seconds),
            runs.iter().map(|run| run.samples.len()).sum::<usize>().to_string(),
            or_nothing(late, seconds),
            runs.iter().map(events).sum::<usize>().to_string(),
        ]
    };
    Section {
        title: "Trials",
        header: &["verdict", "trial", "took", "samples", "worst lateness", "events"],
        rows: trials(report).map(row).collect(),
        explained: None,
    }
}

fn checks(report: &Report<'_>) -> Section {
    let row = |check: &crate::gate::Check| {
        vec![
            check.verdict.as_str().to_owned(),
            check.id.clone(),
            check.metric.clone(),
            check.source.clone(),
            check.expected.clone(),
            check.shown.clone().unwrap_or_else(|| NOTHING.to_owned()),
            check.reason.clone(),
        ]
    };
    Section {
        title: "Checks, worst first",
        header: &["verdict", "trial", "metric", "source", "expected", "actual", "reason"],
        rows: worst_first(&report.judgement.checks).into_iter().map(row).collect(),
        explained: report
            .judgement
            .checks
            .iter()
            .any(|check| check.metric == VALIDITY)
            .then_some("when-a-run-cannot-be-judged"),
    }
}

fn leaks(report: &Report<'_>) -> Section {
    let row = |leak: &crate::analysis::Leak| {
        // Without scatter the interval is a point, and claims a certainty that no reading has.
        let interval = leak.interval.filter(|[low, high]| low < high).map(|[low, high]| {
            use crate::analysis::digits::short;
            format!("{} to {}", short(low), short(high))
        });
        let verdict = match leak.verdict {
            LeakVerdict::Leak => "leak",
            LeakVerdict::Suspect => "suspect",
            LeakVerdict::Clean => "clean",
            LeakVerdict::Unknown => "unknown",
        };
        let band = leak.band.map_or(NOTHING, |band| match band {
            Band::Normal => "normal",
            Band::Watch => "watch",
            Band::Leak => "leak",
        });
        let slope = |slope: f64| match leak.unit {
            None => mib_per_minute(slope),
            Some(unit) => format!("{} {unit}", crate::analysis::digits::short(slope)),
        };
        vec![
            verdict.to_owned(),
            leak.id.clone(),
            leak.container.clone(),
            leak.channel.clone(),
            or_nothing(leak.slope_mb_per_min, slope),
            interval.unwrap_or_else(|| NOTHING.to_owned()),
            band.to_owned(),
            or_nothing(leak.detectable_mb_per_min, slope),
            leak.reason.clone(),
        ]
    };
    Section {
        title: GROWTH,
        header: &[
            "finding",
            "trial",
            "container",
            "channel",
            "slope",
            "95% interval",
            "band",
            "smallest leak it could have seen",
            "reason",
        ],
        rows: report.analysis.leaks.iter().map(row).collect(),
        explained: Some("leaks"),
    }
}

fn apart(report: &Report<'_>) -> Section {
    let rows = report.analysis.leaks.iter().flat_map(|leak| {
        let row = |apart: &crate::analysis::leak::Apart| {
            let slope = mib_per_minute(apart.slope_mb_per_min);
            vec![leak.id.clone(), leak.container.clone(), apart.channel.clone(), slope]
        };
        leak.apart.iter().map(row)
    });
    Section {
        title: "Growth that is not judged",
        header: &["trial", "container", "channel", "slope"],
        rows: rows.collect(),
        explained: Some("leaks"),
    }
}

fn resets(report: &Report<'_>) -> Section {
    let row = |reset: &crate::analysis::Reset| {
        let verdict = match reset.verdict {
            ResetVerdict::Pass => "pass",
            ResetVerdict::Fail => "fail",
            ResetVerdict::Unknown => "unknown",
        };
        let growth = reset.growth.as_ref().map(|growth| growth.percent_per_cycle);
        let bounds = reset.growth.as_ref().map(|growth| growth.bounds_percent.map(percent));
        let rule = match reset.rule {
            ResetMethod::Growth => "growth",
            ResetMethod::Within => "within",
        };
        vec![
            verdict.to_owned(),
            reset.id.clone(),
            reset.container.clone(),
            rule.to_owned(),
            reset.cycles.to_string(),
            or_nothing(growth, percent),
            or_nothing(bounds, |[low, high]| format!("{low} to {high}")),
            mib(reset.baseline_mb),
            or_nothing(reset.load_peak_mb, mib),
            mib(reset.post_reset_mb),
            or_nothing(reset.diff_percent, percent),
            reset.reason.clone(),
        ]
    };
    Section {
        title: "Memory over resets",
        header: &[
            "finding",
            "trial",
            "container",
            "rule",
            "resets",
            "growth per cycle",
            "one-sided 95% bounds",
            "baseline",
            "peak",
            "after",
            "from baseline",
            "reason",
        ],
        rows: report.analysis.resets.iter().map(row).collect(),
        explained: Some("resets"),
    }
}

fn usage(report: &Report<'_>) -> Section {
    let mut rows = Vec::new();
    for summary in &report.analysis.summaries {
        for (name, used) in &summary.focus_containers {
            let limit = (used.memory_limit_mb > 0.0).then_some(used.memory_limit_mb);
            rows.push(vec![
                summary.id.clone(),
                name.clone(),
                or_nothing(used.memory_mean_mb, mib),
                or_nothing(used.memory_std_mb, mib),
                or_nothing(used.memory_p95_mb, mib),
                or_nothing(used.memory_max_mb, mib),
                or_nothing(limit, mib),
                or_nothing(used.memory_slope_mb_per_min, mib_per_minute),
                or_nothing(used.cpu_mean_percent, percent),
                or_nothing(used.cpu_p95_percent, percent),
                or_nothing(used.cpu_max_percent, percent),
            ]);
        }
    }
    Section {
        title: "Use by container",
        header: &[
            "trial",
            "container",
            "memory",
            "std",
            "p95",
            "max",
            "limit",
            "slope",
            "cpu",
            "cpu p95",
            "cpu max",
        ],
        rows,
        explained: None,
    }
}

fn phases(report: &Report<'_>) -> Section {
    let mut rows = Vec::new();
    for summary in &report.analysis.summaries {
        for (name, used) in &summary.focus_containers {
            for phase in &used.phases {
                let cycle =
                    if phase.cycle > 0 { format!(" {}", phase.cycle) } else { String::new() };
                rows.push(vec![
                    summary.id.clone(),
                    name.clone(),
                    format!("{}{cycle}", phase.phase),
                    phase.readings.to_string(),
                    or_nothing(phase.memory_mean_mb, mib),
                    or_nothing(phase.memory_max_mb, mib),
                    or_nothing(phase.memory_slope_mb_per_min, mib_per_minute),
                    or_nothing(phase.cpu_mean_percent, percent),
                    or_nothing(phase.cpu_max_percent, percent),
                ]);
            }
        }
    }
    Section {
        title: "Use by phase",
        header: &[
            "trial",
            "container",
            "phase",
            "readings",
            "memory",
            "max",
            "slope",
            "cpu",
            "cpu max",
        ],
        rows,
        explained: None,
    }
}
