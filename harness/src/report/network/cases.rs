//! [`Case`]: a tool in an environment, with the walks of both sides; a [`Topic`] has those of one environment.

use std::collections::BTreeMap;

use crate::analysis::compare::{Version, matching, version};
use crate::gate::groups;
use crate::model::{Kind, Metric};
use crate::report::Report;
use crate::results::TrialRecord;

/// One environment of one run.
pub(super) struct Topic<'a> {
    /// `host` or `vm`.
    pub(super) name: String,
    /// Every comparison of a tool with the baseline.
    pub(super) cases: Vec<Case<'a>>,
    /// The walks of baselines that nothing is compared with, those that completed.
    pub(super) baselines: Vec<&'a TrialRecord>,
}

/// A tool under one set of parameters.
pub(super) struct Case<'a> {
    /// The id of the comparison.
    pub(super) id: &'a str,
    /// What the case is called; unique in its topic.
    pub(super) name: String,
    /// The tool's command line.
    pub(super) command: String,
    /// The walks without the tool that count.
    pub(super) base: Vec<&'a TrialRecord>,
    /// Those with it.
    pub(super) tool: Vec<&'a TrialRecord>,
}

/// The environments of a run, in the order in which they were run.
pub(super) fn topics<'a>(report: &Report<'a>) -> Vec<Topic<'a>> {
    let mut topics: Vec<Topic<'a>> = Vec::new();
    for (comparison, runs) in groups(report.results) {
        let Some(first) = runs.iter().copied().find(|run| run.kind == Some(Kind::Network)) else {
            continue;
        };
        let name = environment(first);
        let index = topics.iter().position(|topic| topic.name == name).unwrap_or(topics.len());
        if index == topics.len() {
            topics.push(Topic { name, cases: Vec::new(), baselines: Vec::new() });
        }
        let topic = &mut topics[index];
        match comparison {
            Some(id) => topic.cases.push(case(id, first, &runs)),
            None => topic.baselines.extend(runs.into_iter().filter(|run| matching::counts(run))),
        }
    }
    for topic in &mut topics {
        tell_apart(&mut topic.cases);
    }
    topics
}

impl Case<'_> {
    /// The mean of a metric of a test over the walks of one side, in its base unit.
    pub(super) fn base(&self, metric: &Metric, test: &str) -> Option<f64> {
        mean(self.base.iter().filter_map(|run| value(run, metric, Some(test))))
    }

    /// The same of the other side.
    pub(super) fn tool(&self, metric: &Metric, test: &str) -> Option<f64> {
        mean(self.tool.iter().filter_map(|run| value(run, metric, Some(test))))
    }
}

/// What a walk measured: the mean over the readings of a metric, of one source or any.
pub(super) fn value(run: &TrialRecord, metric: &Metric, source: Option<&str>) -> Option<f64> {
    let readings = run.samples.iter().flat_map(|sample| &sample.readings);
    let of = readings.filter(|reading| {
        reading.metric == metric.name && source.is_none_or(|source| *reading.source == *source)
    });
    mean(of.map(|reading| reading.value))
}

/// The mean of any values at all.
pub(super) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0.0, 0.0), |(count, sum), value| (count + 1.0, sum + value));
    (count > 0.0).then(|| sum / count)
}

fn environment(run: &TrialRecord) -> String {
    let param = || run.scenario_params.get("environment")?.as_str().map(str::to_owned);
    let traffic = run.traffic().map(|traffic| traffic.environment);
    traffic.or_else(param).unwrap_or_else(|| "network".to_owned())
}

fn case<'a>(id: &'a str, first: &TrialRecord, runs: &[&'a TrialRecord]) -> Case<'a> {
    let side = |wanted| -> Vec<&'a TrialRecord> {
        let own = |run: &&TrialRecord| version(run) == Some(wanted) && matching::counts(run);
        runs.iter().copied().filter(own).collect()
    };
    let tool = runs.iter().find_map(|run| run.traffic()?.tool);
    let name = tool.as_ref().and_then(|tool| tool.case.clone());
    let name = name.unwrap_or_else(|| {
        let tool = tool.as_ref().map(|tool| tool.name.clone());
        by_parameters(first, tool.unwrap_or_else(|| id.to_owned()))
    });
    let command = tool.map(|tool| tool.command).unwrap_or_default();
    Case { id, name, command, base: side(Version::A), tool: side(Version::B) }
}

/// A name for a case whose own was not recorded: the tool, and the parameters that tell its cases apart.
fn by_parameters(run: &TrialRecord, tool: String) -> String {
    let param = run.scenario_params.get("tool").and_then(|name| name.as_str());
    let mut name = param.map_or(tool, str::to_owned);
    let params = run.params_of_all_repetitions();
    let known = ["tool", "category", "environment", matching::VERSION];
    let mut own: Vec<_> = params.iter().filter(|(key, _)| !known.contains(&key.as_str())).collect();
    // The direction, the protocol, what else there is.
    let rank =
        |key: &str| ["direction", "protocol"].iter().position(|first| *first == key).unwrap_or(2);
    own.sort_by_key(|(key, _)| (rank(key), key.as_str()));
    for (key, value) in own {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let key = if key == "direction" { String::new() } else { format!("{key}_") };
        name.push_str(&format!("_{key}{value}"));
    }
    name
}

/// Cases of several scenarios may have one name; they are then shown under their ids.
fn tell_apart(cases: &mut [Case<'_>]) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for case in cases.iter() {
        *counts.entry(case.name.clone()).or_default() += 1;
    }
    for case in cases.iter_mut().filter(|case| counts.get(&case.name).is_some_and(|n| *n > 1)) {
        case.name = case.id.to_owned();
    }
}
