//! [`measure`]: the runs of two versions become one [`Change`] per source, not yet settled.

use std::collections::{BTreeMap, BTreeSet};

use super::change::{Change, ChangeVerdict, Design, SecondOpinion};
use super::estimate::{Estimate, pairs_needed};
use super::matching::{Unmatched, dimensions};
use super::{FEWEST, paired, ranks, welch};
use crate::analysis::describe::mean;
use crate::analysis::series::by_source;
use crate::analysis::statistic::statistic;
use crate::model::rules::{AbMetric, AbRule, Prior};
use crate::model::{Better, Metric, metric};
use crate::results::TrialRecord;

/// The runs of one trial in both versions.
#[derive(Clone, Debug, PartialEq)]
pub enum Runs<'a> {
    /// In turns.
    Pairs(Vec<(&'a TrialRecord, &'a TrialRecord)>),
    /// In sittings of their own: the old version, the new one.
    Apart(Vec<&'a TrialRecord>, Vec<&'a TrialRecord>),
}

impl<'a> Runs<'a> {
    fn split(&self) -> (Vec<&'a TrialRecord>, Vec<&'a TrialRecord>) {
        match self {
            Self::Pairs(pairs) => pairs.iter().copied().unzip(),
            Self::Apart(base, new) => (base.clone(), new.clone()),
        }
    }
}

/// What a run came to, by source; a source of too few readings is absent.
pub(super) fn values(trial: &TrialRecord, of: &AbMetric) -> BTreeMap<String, f64> {
    let wanted = |source: &str| of.source.as_deref().is_none_or(|wanted| wanted == source);
    let series = by_source(trial, &of.metric, |_| true).into_iter();
    let series = series.filter(|(source, _)| wanted(source));
    series
        .filter_map(|(source, series)| {
            let measured = statistic(of.stat, &of.metric, &series).ok()?;
            Some((source.to_owned(), measured.value))
        })
        .collect()
}

/// The unit and direction of a metric, from the catalog or from a run that declares it.
pub(super) fn describe<'a>(name: &str, trials: &[&'a TrialRecord]) -> Option<&'a Metric> {
    let declared = || trials.iter().flat_map(|trial| &trial.metrics).find(|m| m.name == name);
    metric::find(name).or_else(declared)
}

/// Compares one metric of all its sources. Sources that one side alone has are left to the second list.
pub(super) fn measure(
    id: &str,
    runs: &Runs<'_>,
    rule: &AbRule,
    of: &AbMetric,
) -> (Vec<Change>, Vec<Unmatched>) {
    let (base, new) = runs.split();
    let table = |side: &[&TrialRecord]| -> Vec<BTreeMap<String, f64>> {
        side.iter().map(|trial| values(trial, of)).collect()
    };
    let (base_values, new_values) = (table(&base), table(&new));
    let names = |side: &[BTreeMap<String, f64>]| -> BTreeSet<String> {
        side.iter().flat_map(|run| run.keys().cloned()).collect()
    };
    let (base_names, new_names) = (names(&base_values), names(&new_values));
    let (mut changes, mut unmatched) = (Vec::new(), Vec::new());
    let all: Vec<&TrialRecord> = base.iter().chain(&new).copied().collect();
    let Some(first) = all.first() else { return (changes, unmatched) };
    let described = describe(&of.metric, &all);
    for source in base_names.union(&new_names) {
        if !base_names.contains(source) || !new_names.contains(source) {
            let only_in = if base_names.contains(source) { "base" } else { "new" };
            let (metric, source) = (Some(of.metric.clone()), Some(source.clone()));
            unmatched.push(Unmatched { id: id.to_owned(), metric, source, only_in });
            continue;
        }
        let mut change = blank(id, first, rule, of, source, described);
        let get = |side: &[BTreeMap<String, f64>], run: usize| side[run].get(source).copied();
        match runs {
            Runs::Pairs(pairs) => {
                let both = (0..pairs.len())
                    .filter_map(|run| Some((get(&base_values, run)?, get(&new_values, run)?)));
                let (base, new): (Vec<f64>, Vec<f64>) = both.unzip();
                fill(&mut change, &base, &new, of.priors.get(source).copied());
            }
            Runs::Apart(base, new) => {
                change.design = Design::Unpaired;
                change.method = "Welch's t on logs";
                let base = (0..base.len()).filter_map(|run| get(&base_values, run));
                let new = (0..new.len()).filter_map(|run| get(&new_values, run));
                fill(&mut change, &base.collect::<Vec<_>>(), &new.collect::<Vec<_>>(), None);
            }
        }
        changes.push(change);
    }
    (changes, unmatched)
}

fn blank(
    id: &str,
    trial: &TrialRecord,
    rule: &AbRule,
    of: &AbMetric,
    source: &str,
    described: Option<&Metric>,
) -> Change {
    Change {
        id: id.to_owned(),
        scenario_name: trial.scenario_name.clone(),
        dimensions: dimensions(trial),
        metric: of.metric.clone(),
        stat: of.stat,
        source: source.to_owned(),
        unit: described.map(|metric| metric.unit),
        better: described.map(|metric| metric.better),
        design: Design::Paired,
        method: "paired t on logs",
        base: None,
        new: None,
        ratio: None,
        interval: None,
        estimate: None,
        n: 0,
        runs: [0, 0],
        sd: None,
        freedom: None,
        prior: None,
        p: None,
        p_holm: None,
        p_bh: None,
        p_min_effect_holm: None,
        level: 0.0,
        look: None,
        min_effect: of.min_effect.unwrap_or(rule.min_effect),
        margin: of.margin.unwrap_or(rule.margin),
        equivalence: None,
        second_opinion: None,
        needed: None,
        verdict: ChangeVerdict::Inconclusive,
        reason: String::new(),
        warnings: Vec::new(),
        severity: of.severity,
        log: None,
        within: rule.within,
    }
}

/// A standard deviation of a single run's log where neither past nor present runs tell one.
const TYPICAL: f64 = 0.02;

fn fill(change: &mut Change, base: &[f64], new: &[f64], prior: Option<Prior>) {
    change.runs = [base.len(), new.len()];
    change.n = base.len().min(new.len());
    let all = || base.iter().chain(new);
    if change.n == 0 {
        change.reason = "no run of both has a value".to_owned();
        return;
    }
    if all().all(|value| *value == 0.0) {
        // 0 over 0 has no ratio, and there is nothing to tell apart.
        (change.base, change.new, change.estimate) = (Some(0.0), Some(0.0), Some(0.0));
        if change.n >= FEWEST {
            change.verdict = ChangeVerdict::Pass;
        }
        change.reason = "0 in every run of both: no change".to_owned();
        return;
    }
    if all().any(|value| *value <= 0.0) {
        (change.base, change.new) = (mean(base), mean(new));
        change.reason = "a value of 0 or below has no logarithm: no ratio can be told".to_owned();
        return;
    }
    let logs = |values: &[f64]| -> Vec<f64> { values.iter().map(|value| value.ln()).collect() };
    let (base, new) = (logs(base), logs(new));
    let (Some(base_mean), Some(new_mean)) = (mean(&base), mean(&new)) else { return };
    (change.base, change.new) = (Some(base_mean.exp()), Some(new_mean.exp()));
    change.ratio = Some((new_mean - base_mean).exp());
    let Some(better) = change.better else {
        change.reason =
            "nothing says whether a higher or a lower value is better: declare the metric".into();
        return;
    };
    let sign = if better == Better::Higher { -1.0 } else { 1.0 };
    change.estimate = Some(change.fraction(sign * (new_mean - base_mean)));
    let signed = |values: &[f64]| -> Vec<f64> { values.iter().map(|log| sign * log).collect() };
    let (base, new) = (signed(&base), signed(&new));
    let n = change.n as f64;
    let estimate: Option<Estimate> = if change.design == Design::Paired {
        change.prior = prior.filter(|prior| paired::weighs(*prior));
        if change.prior.is_some() {
            change.method = "moderated paired t on logs";
        }
        let differences: Vec<f64> = base.iter().zip(&new).map(|(base, new)| new - base).collect();
        paired::moderated(&differences, prior)
    } else {
        change.second_opinion = ranks::mann_whitney(&base, &new).map(|test| SecondOpinion {
            method: "mann-whitney",
            p: test.p,
            ratio: (sign * test.shift).exp(),
        });
        welch::welch(&base, &new)
    };
    change.log = estimate;
    change.sd = estimate.map(|estimate| estimate.error * n.sqrt());
    change.freedom = estimate.map(|estimate| estimate.freedom);
    change.interval = estimate.map(|estimate| {
        let mut ends = estimate.interval(0.95).map(|end| (sign * end).exp());
        ends.sort_by(f64::total_cmp);
        ends
    });
    let single = change.prior.map_or(TYPICAL, |prior| prior.sd);
    let sd = change.sd.unwrap_or(single * std::f64::consts::SQRT_2);
    change.needed = pairs_needed(sd, change.limit(change.margin));
}
