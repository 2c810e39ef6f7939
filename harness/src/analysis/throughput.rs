//! [`Throughput`]: how the work done grows with agents, over the trials of kind `load` whose scenario names a metric
//! of throughput.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::analysis::digits::short;
use crate::analysis::rules;
use crate::analysis::scaling::{Group, groups, is_sampled};
use crate::analysis::series::{by_source, is_counter};
use crate::analysis::usl::{FARTHEST, Law, Peak};
use crate::model::Stat;
use crate::results::Results;

/// One source's throughput against agents.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Throughput {
    /// The scenario, without the level.
    pub scenario_name: String,
    /// The parameters that its trials share.
    pub scenario_params: Map<String, Value>,
    /// The container, process or driver.
    pub source: String,
    /// The metric.
    pub metric: String,
    /// `mean` or `rate`: what a run comes to.
    pub stat: String,
    /// Throughput of one agent alone, in the unit of the metric, per second where `stat` is `rate`.
    pub lambda: Option<f64>,
    /// Contention, as the Universal Scalability Law has it.
    pub sigma: Option<f64>,
    /// Coherency.
    pub kappa: Option<f64>,
    /// The load of most throughput; absent where there is none within one and a half times the largest level.
    pub peak: Option<Peak>,
    /// The points, by rising agents.
    pub data_points: Vec<ThroughputPoint>,
    /// The answer in one sentence.
    pub reason: String,
}

/// What one trial came to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ThroughputPoint {
    /// Live agents over all groups.
    pub agents: f64,
    /// In the unit of the metric, per second where the statistic is a rate.
    pub throughput: f64,
}

/// The throughput of every source that was read at two levels or more.
#[must_use]
pub fn throughputs(results: &Results) -> Vec<Throughput> {
    groups(results).iter().flat_map(group).collect()
}

fn group(group: &Group<'_>) -> Vec<Throughput> {
    let wanted = group.trials.iter().find_map(|trial| rules::of(trial).load.throughput.as_ref());
    let Some(wanted) = wanted else { return Vec::new() };
    let counts = is_counter(&wanted.metric);
    let stat = wanted.stat.unwrap_or(if counts { Stat::Rate } else { Stat::Mean });
    let mut sources: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
    for trial in &group.trials {
        let Some(agents) = trial.total_agents() else { continue };
        for (source, series) in by_source(trial, &wanted.metric, is_sampled) {
            let value = match stat {
                Stat::Rate => series.increase().map(|increase| increase / series.span()),
                _ => series.describe().map(|described| described.mean),
            };
            if let Some(value) = value {
                sources.entry(source).or_default().push((agents, value));
            }
        }
    }
    let finding = |(source, mut points): (&str, Vec<(f64, f64)>)| {
        points.sort_by(|p, q| p.0.total_cmp(&q.0).then(p.1.total_cmp(&q.1)));
        if points.first()?.0 == points.last()?.0 {
            return None;
        }
        let law = Law::through(&points);
        let peak = law.and_then(|law| law.peak(&points));
        Some(Throughput {
            scenario_name: group.name.clone(),
            scenario_params: group.params.clone(),
            source: source.to_owned(),
            metric: wanted.metric.clone(),
            stat: stat.to_string(),
            lambda: law.map(|law| law.lambda),
            sigma: law.map(|law| law.sigma),
            kappa: law.map(|law| law.kappa),
            peak,
            reason: reason(&points, law, peak),
            data_points: points
                .into_iter()
                .map(|(agents, throughput)| ThroughputPoint { agents, throughput })
                .collect(),
        })
    };
    sources.into_iter().filter_map(finding).collect()
}

fn reason(points: &[(f64, f64)], law: Option<Law>, peak: Option<Peak>) -> String {
    let highest = points.last().map_or(0.0, |point| point.0);
    let whole = |agents: f64| short(agents.round());
    let Some(law) = law else {
        return "fewer than four levels with throughput: it is not told where it peaks".to_owned();
    };
    let alone = if points.iter().any(|point| point.0 == 1.0) {
        ""
    } else {
        "; a level of one agent would tell more"
    };
    match peak {
        Some(Peak { agents, interval: [low, high], throughput }) => {
            let end = |end: Option<f64>, else_: String| end.map_or(else_, whole);
            let low = end(low, "less".to_owned());
            let high = end(high, format!("more than {}", whole(FARTHEST * highest)));
            let (agents, throughput) = (whole(agents), short(throughput));
            format!(
                "peaks at {agents} agents [{low}, {high}] with {throughput}; more load gives less{alone}"
            )
        }
        None if law.summit().is_some() => format!(
            "still grows at {} agents; it would peak beyond {}, where nothing is said{alone}",
            whole(highest),
            whole(FARTHEST * highest),
        ),
        None => format!("still grows at {} agents, and no peak can be seen{alone}", whole(highest)),
    }
}
