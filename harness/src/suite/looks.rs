//! [`Looks`]: decides while a run goes on, by its thresholds and by looks at its leaks.

use std::sync::{Mutex, PoisonError};

use super::live::now;
use super::opening::header;
use crate::gate;
use crate::model::rules::{LeakGate, LeakMethod};
use crate::model::{Kind, Phase, Sample};
use crate::plan::Trial;
use crate::results::TrialRecord;
use crate::run::Decision;

/// The phase in which memory grows under a load that is held.
const HELD: &str = "active";

/// What decides about one trial while it goes on.
pub(super) struct Looks<'a> {
    trial: &'a Trial,
    held: Option<&'a Phase>,
    seen: Mutex<Seen>,
}

struct Seen {
    /// What was read so far under the load.
    record: TrialRecord,
    /// How many looks were taken.
    taken: usize,
}

impl<'a> Looks<'a> {
    pub(super) fn new(trial: &'a Trial) -> Self {
        let rule = &trial.rules.leak;
        let looks = trial.kind == Kind::Duration
            && rule.rule == LeakMethod::Leakscore
            && rule.gate == LeakGate::Verdict
            && !rule.looks.is_empty();
        let held = trial.phases.iter().find(|phase| looks && phase.name == HELD);
        let record = TrialRecord::begun(now(), header(trial));
        Self { trial, held, seen: Mutex::new(Seen { record, taken: 0 }) }
    }

    /// What follows from a sample.
    pub(super) fn decide(&self, sample: &Sample) -> Decision {
        let Trial { rules, total_agents, params, .. } = self.trial;
        if let Some(reason) = gate::decided(rules, *total_agents, params, sample) {
            return Decision::End(reason);
        }
        match self.held {
            Some(held) if *sample.phase == *HELD => self.look(held, sample),
            _ => Decision::GoOn,
        }
    }

    fn look(&self, held: &Phase, sample: &Sample) -> Decision {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.record.samples.push(sample.clone());
        let Some(look) = self.trial.rules.leak.looks.get(seen.taken) else {
            return Decision::GoOn;
        };
        let began = seen.record.samples[0].elapsed;
        // A reading stands for the interval that it begins; half of one is for those that are late.
        let covered = sample.elapsed - began + 1.5 * held.interval.as_secs_f64();
        if look.0 >= held.length || covered < look.0.as_secs_f64() {
            return Decision::GoOn;
        }
        seen.taken += 1;
        let gate::leaks::Look { ends, seen } = gate::leaks::look(&seen.record);
        if ends {
            Decision::End(format!("{seen} after {look}"))
        } else {
            Decision::Note(format!("looked after {look} and went on: {seen}"))
        }
    }
}

#[cfg(test)]
mod tests;
