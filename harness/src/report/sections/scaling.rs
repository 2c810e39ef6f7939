//! Curves over load: of memory, and of the work done.

use super::super::Report;
use super::{NOTHING, Section, or_nothing};
use crate::analysis::digits::short;
use crate::analysis::fit::Fit;
use crate::analysis::{Scaling, Throughput};

/// Memory against agents.
pub(super) fn memory(report: &Report<'_>) -> Section {
    let row = |scaling: &Scaling| {
        let fit = &scaling.best_fit;
        let others =
            scaling.all_fits.iter().filter(|other| other.plausible && other.family != fit.family);
        let others: Vec<String> = others.map(plausible).collect();
        let sentences = std::iter::once(scaling.reason.clone());
        let sentences = sentences.chain(scaling.warnings.iter().map(ToString::to_string));
        vec![
            scaling.container.clone(),
            scaling.scenario_name.clone(),
            fit.formula.clone(),
            format!("{:.4}", fit.r_squared),
            scaling.data_points.len().to_string(),
            if others.is_empty() { NOTHING.to_owned() } else { others.join(", ") },
            sentences.collect::<Vec<String>>().join("; "),
        ]
    };
    Section {
        title: "Memory against agents",
        header: &["container", "scenario", "best fit", "R²", "points", "also plausible", "reason"],
        rows: report.analysis.scalings.iter().map(row).collect(),
        explained: Some("scaling-laws"),
    }
}

/// A family that is not ruled out, with its weight where it has one.
fn plausible(fit: &Fit) -> String {
    let weight = fit.weight.map(|weight| format!(" ({:.0}%)", weight * 100.0));
    format!("{}{}", fit.family.as_str(), weight.unwrap_or_default())
}

/// Work done against agents.
pub(super) fn throughput(report: &Report<'_>) -> Section {
    let row = |found: &Throughput| {
        let number = |value: Option<f64>| or_nothing(value, short);
        vec![
            found.source.clone(),
            found.scenario_name.clone(),
            format!("{} {}", found.stat, found.metric),
            found.data_points.len().to_string(),
            number(found.lambda),
            number(found.sigma),
            number(found.kappa),
            found.reason.clone(),
        ]
    };
    Section {
        title: "Throughput against agents",
        header: &[
            "source",
            "scenario",
            "throughput",
            "points",
            "of one agent",
            "contention",
            "coherency",
            "reason",
        ],
        rows: report.analysis.throughput.iter().map(row).collect(),
        explained: Some("scaling-laws"),
    }
}
