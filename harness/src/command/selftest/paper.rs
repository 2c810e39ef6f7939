//! Trials on paper: simulated readings as the lines that a run would have journalled.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::analysis::rules;
use crate::model::{Kind, Metric, Outcome, Reading, Sample, Verdict};
use crate::results::document::Date;
use crate::results::{Environment, Line, SCHEMA_VERSION, TrialHeader, TrialRecord};

/// Readings of one phase.
pub(super) struct Stretch<'a> {
    pub(super) phase: &'static str,
    /// Which repetition of the phase; 0 where it does not repeat.
    pub(super) cycle: u32,
    /// In the metric's base unit.
    pub(super) values: &'a [f64],
}

/// The lines of a trial that read one metric of one service every 2 s, judged by the default rules.
pub(super) fn lines(id: &str, kind: Kind, metric: &Metric, stretches: &[Stretch<'_>]) -> Vec<Line> {
    const STEP: f64 = 2.0;
    let began = Timestamp::UNIX_EPOCH;
    let header = TrialHeader {
        id: id.to_owned(),
        kind,
        scenario_name: id.to_owned(),
        scenario_params: Map::new(),
        target: "process".to_owned(),
        repeat: 1,
        rules: rules::defaults().clone(),
        metadata: Map::new(),
    };
    let source: Arc<str> = "service".into();
    let mut elapsed = 0.0;
    let mut lines = vec![Line::Begin { at: Date(began), trial: Box::new(header) }];
    for stretch in stretches {
        let phase: Arc<str> = stretch.phase.into();
        for value in stretch.values {
            lines.push(Line::Sample(Sample {
                elapsed,
                timestamp: began + SignedDuration::from_secs_f64(elapsed),
                phase: Arc::clone(&phase),
                cycle: stretch.cycle,
                readings: vec![Reading::new(metric, &source, *value)],
            }));
            elapsed += STEP;
        }
    }
    let at = Date(began + SignedDuration::from_secs_f64(elapsed));
    // What the run's gate said is not read back: a later judgement must come to its own.
    let (outcome, verdict) = (Outcome::Completed, Verdict::Inconclusive);
    lines.push(Line::End { at, outcome, verdict, sampler: None });
    lines
}

/// The trial that these lines tell of.
pub(super) fn record(lines: Vec<Line>) -> Option<TrialRecord> {
    let mut lines = lines.into_iter();
    let Some(Line::Begin { at, trial }) = lines.next() else { return None };
    let mut record = TrialRecord::begun(at, *trial);
    lines.for_each(|line| record.take(line));
    Some(record)
}

/// The journal of a run of these trials, one line each.
pub(super) fn journal(trials: Vec<Vec<Line>>) -> Vec<Line> {
    let at = Date(Timestamp::UNIX_EPOCH);
    let run = Line::Run {
        schema_version: SCHEMA_VERSION,
        test_id: "selftest".to_owned(),
        at,
        config: Value::Null,
        environment: Environment::default(),
    };
    let trials = trials.into_iter().flatten();
    std::iter::once(run).chain(trials).chain([Line::Complete { at }]).collect()
}
