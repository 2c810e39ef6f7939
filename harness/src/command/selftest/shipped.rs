//! Simulated runs on the shipped path: a journal on disk, the results that are read from it, the analysis, the gate.

use std::fs;

use super::paper;
use super::{Expected, Failure, Judge, Outcome, Rate, resets};
use crate::analysis;
use crate::gate::Judgement;
use crate::model::Verdict;
use crate::results::{self, Journal, Line, RunDirectory};

/// A set of simulated trials that are all sound or all faulty.
struct Set {
    what: &'static str,
    trials: Vec<Vec<Line>>,
    expected: Expected,
}

/// Judges `count` trials of every set, each set as one run.
pub(super) fn run(seed: u64, count: usize, judge: Judge) -> Result<Vec<Outcome>, Failure> {
    let resets = |kept: f64| (0..count).map(|index| resets::trial(seed, kept, index)).collect();
    let sets = [
        Set {
            what: "resets of sound services that fail",
            trials: resets(0.0),
            expected: Expected::AtMost(0.01),
        },
        Set {
            what: "resets that keep 5% per cycle that fail",
            trials: resets(0.05),
            expected: Expected::AtLeast(0.90),
        },
    ];
    sets.into_iter().map(|set| outcome(set, judge)).collect()
}

fn outcome(set: Set, judge: Judge) -> Result<Outcome, Failure> {
    let trials = set.trials.len();
    let judgement = judged(set.trials, judge).map_err(Failure::rig)?;
    let red = |verdict: Verdict| matches!(verdict, Verdict::Fail | Verdict::Warn);
    let hits = judgement.checks.iter().filter(|check| red(check.verdict)).count();
    let rate = Rate {
        rule: "the whole path".to_owned(),
        what: set.what.to_owned(),
        hits,
        trials,
        expected: set.expected,
    };
    let wanted = match set.expected {
        Expected::AtMost(most) => format!("at most {}%", most * 100.0),
        Expected::AtLeast(least) => format!("at least {}%", least * 100.0),
        Expected::Between(..) | Expected::Reported => String::new(),
    };
    let (holds, what) = (!rate.is_off(), rate.what);
    Ok(Outcome { what, wanted, found: format!("{hits} of {trials}"), holds })
}

/// Journals the trials in a directory of their own, reads them back and judges them.
fn judged(trials: Vec<Vec<Line>>, judge: Judge) -> std::io::Result<Judgement> {
    let directory = std::env::temp_dir().join(format!("proofload-selftest-{}", std::process::id()));
    let attempt = || {
        fs::create_dir_all(&directory)?;
        let mut journal = Journal::open(&RunDirectory::at(&directory).journal())?;
        for line in paper::journal(trials) {
            journal.write(&line)?;
        }
        let results = results::read(&directory).map_err(std::io::Error::other)?;
        Ok(judge(&results, &analysis::analyze(&results)))
    };
    let judgement = attempt();
    let _ = fs::remove_dir_all(&directory);
    judgement
}
