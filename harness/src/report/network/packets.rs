//! [`counted`]: what tools and interfaces counted of packets, side by side; [`warnings`]: what walks had to say besides.

use super::cases::{Topic, mean, value};
use super::overview::titled;
use crate::analysis::compare::matching::trial_id;
use crate::model::metric::{
    NET_PACKETS, NET_PACKETS_COUNTED, NET_PACKETS_LOST, NET_PACKETS_SENT, NET_PACKETS_SENT_COUNTED,
};
use crate::model::{EventKind, Metric};
use crate::report::sections::NOTHING;
use crate::report::units;
use crate::results::TrialRecord;

/// What stands in the columns behind case, side and test.
const SHOWN: [&Metric; 5] = [
    &NET_PACKETS_SENT,
    &NET_PACKETS_SENT_COUNTED,
    &NET_PACKETS,
    &NET_PACKETS_COUNTED,
    &NET_PACKETS_LOST,
];

const HEADER: [&str; 8] = [
    "tool case",
    "side",
    "test",
    "sent",
    "sent, by the interface",
    "arrived",
    "arrived, by the interface",
    "lost",
];

/// Walks of one side, with the case and the side that they are of.
type Side<'a> = (&'a str, &'static str, Vec<&'a TrialRecord>);

/// A row per side and test whose tool counts packets, or tells what was lost: means over the walks.
pub(super) fn counted(topic: &Topic<'_>) -> String {
    let sides = sides(topic);
    let rows = sides.iter().flat_map(|(case, side, runs)| {
        tests(runs).into_iter().filter_map(move |test| {
            let shown = SHOWN.map(|metric| {
                let values = runs.iter().filter_map(|run| value(run, metric, Some(&test)));
                Some(units::value(mean(values)?, metric.unit))
            });
            let [sent, _, arrived, _, lost] = &shown;
            sent.as_ref().or(arrived.as_ref()).or(lost.as_ref())?;
            let own = [(*case).to_owned(), (*side).to_owned(), test];
            let shown = shown.into_iter().map(|cell| cell.unwrap_or_else(|| NOTHING.to_owned()));
            Some(own.into_iter().chain(shown).collect())
        })
    });
    titled("Packets", &HEADER, rows)
}

/// A row per note on a test.
pub(super) fn warnings(topic: &Topic<'_>) -> String {
    let sides = sides(topic);
    let rows = sides.iter().flat_map(|(_, _, runs)| {
        let tests = tests(runs);
        let own = runs.iter().flat_map(|run| run.events.iter().map(move |event| (run, event)));
        own.filter(move |(_, event)| {
            event.kind == EventKind::Note && tests.iter().any(|test| *test == *event.source)
        })
        .map(|(run, event)| vec![run.id.clone(), event.source.clone(), event.message.clone()])
    });
    titled("Warnings", &["trial", "test", "what is to be known of it"], rows)
}

fn sides<'a>(topic: &'a Topic<'_>) -> Vec<Side<'a>> {
    let of_cases = topic.cases.iter().flat_map(|case| {
        let name = case.name.as_str();
        [(name, "baseline", case.base.clone()), (name, "tool", case.tool.clone())]
    });
    let alone = alone(topic).into_iter().map(|(id, runs)| (id, "alone", runs));
    of_cases.chain(alone).collect()
}

/// The walks of baselines that nothing is compared with, by the trial that they are runs of.
pub(super) fn alone<'a>(topic: &'a Topic<'_>) -> Vec<(&'a str, Vec<&'a TrialRecord>)> {
    let mut trials: Vec<(&str, Vec<&TrialRecord>)> = Vec::new();
    for &run in &topic.baselines {
        let id = trial_id(run);
        match trials.iter_mut().find(|(known, _)| *known == id) {
            Some((_, runs)) => runs.push(run),
            None => trials.push((id, vec![run])),
        }
    }
    trials
}

/// The names of the tests of walks that are of one trial.
fn tests(runs: &[&TrialRecord]) -> Vec<String> {
    let traffic = runs.first().and_then(|run| run.traffic());
    traffic.into_iter().flat_map(|traffic| traffic.tests).map(|test| test.name).collect()
}
