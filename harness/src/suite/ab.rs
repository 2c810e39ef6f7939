//! [`compare`]: a comparison is run as pairs of whole walks, until it is decided or its time is used up.

use std::io;
use std::sync::OnceLock;

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::live::Live;
use super::opening::header;
use super::progress::Progress;
use crate::analysis::compare;
use crate::gate::{Check, comparison};
use crate::model::quantity::Length;
use crate::model::{Outcome, Rules, Verdict};
use crate::plan::{Comparison, Trial};
use crate::results::document::{COMPARISON, DISCARDED, FIRST};
use crate::results::{self, Line, Results, RunDirectory, TrialHeader, TrialRecord};
use crate::scenario::Ab;

/// How many of the newest earlier runs are looked at for what they say of scatter.
const PAST: usize = 20;
/// Pairs that do not count are made up for, until there were so many times the most that may count.
const PATIENCE: u32 = 2;

/// Runs a comparison and judges it.
///
/// # Errors
/// Those of keeping results.
pub(super) async fn compare(
    live: &Live,
    trial: &Trial,
    sides: &Comparison,
) -> io::Result<(Verdict, Vec<Check>)> {
    let rules = with_priors(live, trial);
    let looks = rules.ab.as_ref().map_or(&[][..], |ab| &ab.looks);
    let most = looks.last().copied().unwrap_or(0);
    let mut course = Course { live, trial, rules: &rules, most, runs: Vec::new() };
    if course.build(sides).await? {
        let began = Instant::now();
        let mut looked = 0;
        let mut pair = u32::from(!sides.warmup);
        while course.pair(sides, pair).await? {
            let counted = course.counted();
            let due = counted > looked && looks.contains(&counted);
            looked = if due { counted } else { looked };
            let over = counted >= most || pair >= PATIENCE * most || live.is_stopped();
            if over || due && course.judge().decided {
                break;
            }
            if sides.ends_block(pair) && began.elapsed() >= sides.budget {
                course.out_of_time(counted, sides)?;
                break;
            }
            pair += 1;
        }
    }
    let judged = course.judge();
    Ok((judged.verdict, judged.checks))
}

/// A comparison as far as it went.
struct Course<'a> {
    live: &'a Live,
    trial: &'a Trial,
    rules: &'a Rules,
    /// How many pairs may count.
    most: u32,
    runs: Vec<TrialRecord>,
}

impl Course<'_> {
    /// Builds both sides before the first run, lest a build warm the machine up between two of them. False where that
    /// failed: the run of that side then says so.
    async fn build(&mut self, sides: &Comparison) -> io::Result<bool> {
        for side in [&sides.a, &sides.b] {
            let built = {
                let mut progress = Progress::new(&self.trial.id);
                self.live.build(side, &mut |doing| progress.doing(doing, None)).await
            };
            if built.is_err() {
                let pair = u32::from(!sides.warmup);
                let runs = sides.pair(pair).into_iter();
                for run in runs.filter(|run| run.side == side.side) {
                    self.run(run, pair).await?;
                }
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Walks both sides; false where one of them did not come to its end, which ends the comparison.
    async fn pair(&mut self, sides: &Comparison, number: u32) -> io::Result<bool> {
        for run in sides.pair(number) {
            if !self.run(run, number).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn run(&mut self, run: Trial, pair: u32) -> io::Result<bool> {
        let side = run.params.get(Ab::SIDE).map(ToString::to_string);
        let (counted, most) = (self.counted(), self.most);
        let which = match pair {
            0 => "warm-up".to_owned(),
            // Once pairs are made up for, their number says little of how far it is.
            _ if counted + 1 < pair => format!("pair {pair}, {counted} of at most {most} count"),
            _ => format!("pair {pair} of at most {most}"),
        };
        let label = format!("{} ({which}, {})", self.trial.id, side.unwrap_or_default());
        let header = TrialHeader {
            rules: self.rules.clone(),
            metadata: self.metadata(&run, pair),
            ..header(&run)
        };
        let (record, _) = self.live.one(&run, header, &label).await?;
        let completed = record.outcome == Some(Outcome::Completed);
        self.runs.push(record);
        Ok(completed)
    }

    fn metadata(&self, run: &Trial, pair: u32) -> Map<String, Value> {
        let mut metadata = header(run).metadata;
        metadata.insert(COMPARISON.to_owned(), self.trial.id.clone().into());
        let values = run.side.0.iter().filter(|(name, _)| name != Ab::SIDE);
        let values = values
            .map(|(name, value)| (name.clone(), serde_json::to_value(value).unwrap_or_default()));
        metadata.insert("side".to_owned(), Value::Object(values.collect()));
        if pair == 0 {
            metadata.insert(DISCARDED.to_owned(), true.into());
        }
        if self.runs.is_empty() {
            metadata.insert(FIRST.to_owned(), true.into());
        }
        metadata
    }

    fn counted(&self) -> u32 {
        let runs: Vec<&TrialRecord> = self.runs.iter().collect();
        u32::try_from(compare::pairs(&runs).len()).unwrap_or(u32::MAX)
    }

    /// Keeps with the last run that the time was used up, so that a later judgement can say it too.
    fn out_of_time(&mut self, counted: u32, sides: &Comparison) -> io::Result<()> {
        let Some(last) = self.runs.last_mut() else { return Ok(()) };
        let (most, key, budget) = (self.most, sides.budget_key, Length(sides.budget));
        let reason = format!("ended after {counted} of {most} pairs: {key} = {budget} is used up");
        let line = Line::Ended { id: last.id.clone(), reason };
        self.live.write(&line)?;
        last.take(line);
        Ok(())
    }

    fn judge(&self) -> crate::gate::ab::Comparison {
        comparison::judge(&self.trial.id, &self.runs.iter().collect::<Vec<_>>())
    }
}

/// The rules of a comparison, with what earlier runs of it say of scatter.
fn with_priors(live: &Live, trial: &Trial) -> Rules {
    let mut rules = trial.rules.clone();
    let header = header(trial);
    let asked = compare::Asked {
        comparison: &trial.id,
        metadata: &header.metadata,
        machine: Some(live.machine()),
    };
    let past = live.past().read(live.directory());
    for metric in rules.ab.iter_mut().flat_map(|ab| &mut ab.metrics) {
        metric.priors = compare::priors(past, asked, metric);
    }
    rules
}

/// The newest earlier runs, as far as they hold comparisons; read once, when the first of them is wanted.
#[derive(Default)]
pub(super) struct Past(OnceLock<Vec<Results>>);

impl Past {
    fn read(&self, directory: &RunDirectory) -> &[Results] {
        self.0.get_or_init(|| {
            let runs = directory.others().unwrap_or_default();
            let newest = runs.iter().rev().take(PAST);
            // What cannot be read says nothing.
            let read = newest.filter_map(|run| {
                let mut results = results::read(run).ok()?;
                results.scenarios.retain(|run| run.comparison().is_some());
                (!results.scenarios.is_empty()).then_some(results)
            });
            read.collect()
        })
    }
}
