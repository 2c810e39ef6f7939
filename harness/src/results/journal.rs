//! [`Journal`]: one JSON line per thing that happened, appended as it happens. A killed run loses at most its last line.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::document::{
    CONFIRMS, Date, ENDED, Environment, FIRST, OomEvent, Results, SCHEMA_VERSION, SamplerCost,
    TrialRecord,
};
use super::read::is_newer;
use super::samples::{ReadSample, Written, seconds};
use crate::model::{Event, EventKind, Kind, Metric, Outcome, Rules, Sample, Verdict};

/// What a trial is, known before it starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrialHeader {
    /// The trial's id.
    pub id: String,
    /// What is asked.
    pub kind: Kind,
    /// The id without parameters and repeat.
    pub scenario_name: String,
    /// Parameters, and `total_agents` where agents run.
    pub scenario_params: Map<String, Value>,
    /// `process` or `compose`.
    pub target: String,
    /// Which repetition, from 1; in a comparison the number of the pair, where 0 is the warm-up.
    pub repeat: u32,
    /// What it is judged by.
    pub rules: Rules,
    /// Anything else, such as the description.
    pub metadata: Map<String, Value>,
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "line")]
pub enum Line {
    /// A process began to write. The first one begins the run.
    Run {
        /// See [`SCHEMA_VERSION`].
        schema_version: u32,
        /// The run's name.
        test_id: String,
        /// When.
        at: Date,
        /// The settings.
        config: Value,
        /// The machine.
        environment: Environment,
    },
    /// A trial began.
    Begin {
        /// When.
        at: Date,
        /// Which.
        trial: Box<TrialHeader>,
    },
    /// Its metrics are known.
    Metrics {
        /// Those that are not in the catalog.
        metrics: Vec<Metric>,
    },
    /// A sample was taken.
    #[serde(serialize_with = "write_sample", deserialize_with = "read_sample")]
    Sample(Sample),
    /// Something happened.
    Event(Event),
    /// The trial ended.
    End {
        /// When.
        at: Date,
        /// How.
        outcome: Outcome,
        /// What the gate made of it.
        verdict: Verdict,
        /// What reading cost.
        #[serde(default)]
        sampler: Option<SamplerCost>,
    },
    /// What the gate made of an earlier trial once another had confirmed it, or had not.
    Verdict {
        /// The trial's id.
        id: String,
        /// What it is now.
        verdict: Verdict,
    },
    /// Why no further pair of a comparison was begun after this trial, where that was for want of time.
    Ended {
        /// The trial's id.
        id: String,
        /// A sentence fragment with the numbers.
        reason: String,
    },
    /// A process ended as it should.
    Complete {
        /// When.
        at: Date,
    },
}

fn write_sample<S: Serializer>(sample: &Sample, serializer: S) -> Result<S::Ok, S::Error> {
    Written(sample).serialize(serializer)
}

fn read_sample<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Sample, D::Error> {
    ReadSample::deserialize(deserializer)?
        .into_journalled()
        .ok_or_else(|| serde::de::Error::missing_field("timestamp"))
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    file: File,
    /// The last line may be there in part.
    unfinished: bool,
}

impl Journal {
    /// Opens the journal of a run directory for appending.
    ///
    /// # Errors
    /// The operating system's.
    pub fn open(path: &Path) -> io::Result<Self> {
        // A predecessor that was killed may have left half a line: it must not swallow the first of ours.
        let unfinished =
            std::fs::read(path).is_ok_and(|text| text.last().is_some_and(|byte| *byte != b'\n'));
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { file, unfinished })
    }

    /// Appends one line; when this returns, only the loss of the machine can lose it.
    ///
    /// # Errors
    /// The operating system's, such as a full disk.
    pub fn write(&mut self, line: &Line) -> io::Result<()> {
        let mut text = if self.unfinished { vec![b'\n'] } else { Vec::new() };
        serde_json::to_writer(&mut text, line)?;
        text.push(b'\n');
        // A full disk takes part of a line, which must not swallow the next one.
        self.unfinished = true;
        self.file.write_all(&text)?;
        self.unfinished = false;
        Ok(())
    }
}

/// Assembles results from a journal's text. A line that was cut off or damaged is passed over, and the run is then
/// incomplete: what it said is lost.
///
/// # Errors
/// A sentence that says why the text is no journal.
pub fn assemble(text: &str) -> Result<Results, String> {
    let mut results: Option<Results> = None;
    let mut processes_open = 0_usize;
    let mut trial_open = false;
    let mut damaged = false;
    for (number, line) in text.lines().enumerate() {
        if line.is_empty() {
            continue;
        }
        let Ok(line) = serde_json::from_str::<Line>(line) else {
            if results.is_none() {
                let foreign = || format!("line {}: expected a journal's first line", number + 1);
                return Err(is_newer(line).unwrap_or_else(foreign));
            }
            damaged = true;
            continue;
        };
        match line {
            Line::Run { schema_version, test_id, at, config, environment } => {
                if schema_version > SCHEMA_VERSION {
                    return Err(newer(schema_version));
                }
                processes_open += 1;
                trial_open = false;
                results.get_or_insert_with(|| Results {
                    schema_version,
                    test_id,
                    started_at: at,
                    completed_at: None,
                    incomplete: true,
                    config,
                    environment: Some(environment),
                    scenarios: Vec::new(),
                    analysis: Value::Null,
                });
            }
            Line::Complete { at } => {
                processes_open = processes_open.saturating_sub(1);
                if let Some(results) = &mut results {
                    results.completed_at = Some(at);
                }
            }
            Line::Verdict { id, verdict } => {
                let trials = results.iter_mut().flat_map(|results| &mut results.scenarios);
                for trial in trials.filter(|trial| trial.id == id) {
                    trial.verdict = Some(verdict);
                }
            }
            Line::Ended { id, reason } => {
                let trials = results.iter_mut().flat_map(|results| &mut results.scenarios);
                for trial in trials.filter(|trial| trial.id == id) {
                    trial.take(Line::Ended { id: id.clone(), reason: reason.clone() });
                }
            }
            line => {
                let results = results.as_mut().ok_or("expected a journal's first line")?;
                // Without its first line a trial is lost: nothing of it may go to the trial before.
                if trial_open || matches!(line, Line::Begin { .. }) {
                    trial_open = !matches!(line, Line::End { .. });
                    apply(&mut results.scenarios, line);
                }
            }
        }
    }
    let mut results = results.ok_or("the journal is empty")?;
    let cut_off = results.scenarios.iter().any(|trial| trial.outcome.is_none());
    results.incomplete = processes_open > 0 || damaged || cut_off;
    if results.incomplete {
        results.completed_at = None;
    }
    Ok(results)
}

/// The sentence for a file of a version that this library does not know.
pub(super) fn newer(version: u32) -> String {
    format!(
        "the file has schema_version {version}, this version of proofload reads up to {SCHEMA_VERSION}: update proofload"
    )
}

fn apply(trials: &mut Vec<TrialRecord>, line: Line) {
    if let Line::Begin { at, trial } = line {
        // A retry of a trial replaces it, with the run that confirmed it, and one of a comparison all of its runs: it
        // may take fewer.
        let begun = TrialRecord::begun(at, *trial);
        let anew = begun.comparison().filter(|_| begun.metadata.contains_key(FIRST));
        let replaced = |earlier: &TrialRecord| {
            let confirmed = earlier.metadata.get(CONFIRMS).and_then(Value::as_str);
            earlier.id == begun.id
                || confirmed == Some(begun.id.as_str())
                || anew.is_some() && earlier.comparison() == anew
        };
        trials.retain(|earlier| !replaced(earlier));
        trials.push(begun);
    } else if let Some(trial) = trials.last_mut() {
        trial.take(line);
    }
}

impl TrialRecord {
    /// Takes over what a line says of the trial.
    pub fn take(&mut self, line: Line) {
        match line {
            Line::Metrics { metrics } => self.metrics = metrics,
            Line::Sample(sample) => self.samples.push(sample),
            Line::Event(event) => {
                if event.kind == EventKind::OomKill {
                    self.oom_events.push(OomEvent {
                        container_name: event.source.clone(),
                        timestamp: seconds(event.timestamp_iso),
                        timestamp_iso: event.timestamp_iso.to_string(),
                        message: event.message.clone(),
                    });
                }
                self.events.push(event);
            }
            Line::End { at, outcome, verdict, sampler } => {
                self.duration_seconds = Some(seconds(at.0) - seconds(self.started_at.0));
                self.completed_at = Some(at);
                if let Outcome::Aborted(reason) = &outcome {
                    self.aborted = true;
                    self.abort_reason = Some(reason.clone());
                }
                self.outcome = Some(outcome);
                self.verdict = Some(verdict);
                self.sampler = sampler;
            }
            Line::Ended { reason, .. } => {
                self.metadata.insert(ENDED.to_owned(), reason.into());
            }
            Line::Run { .. }
            | Line::Begin { .. }
            | Line::Verdict { .. }
            | Line::Complete { .. } => {}
        }
    }

    /// A trial of which nothing is known but what it is.
    #[must_use]
    pub fn begun(at: Date, header: TrialHeader) -> Self {
        Self {
            id: header.id,
            kind: Some(header.kind),
            scenario_name: header.scenario_name,
            scenario_params: header.scenario_params,
            target: Some(header.target),
            repeat: header.repeat,
            started_at: at,
            completed_at: None,
            duration_seconds: None,
            samples: Vec::new(),
            events: Vec::new(),
            oom_events: Vec::new(),
            aborted: false,
            abort_reason: None,
            outcome: None,
            verdict: None,
            rules: Some(header.rules),
            metrics: Vec::new(),
            sampler: None,
            metadata: header.metadata,
        }
    }
}
