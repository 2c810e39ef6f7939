//! Error rates of the verdict on resets.

use super::paper::{self, Stretch};
use super::{Expected, Rate};
use crate::analysis::{MIB, ResetVerdict, reset};
use crate::model::{Kind, metric};
use crate::results::Line;
use crate::simulate::resets::service;

/// Cycles per trial, as the defaults have them.
const CYCLES: usize = 4;

/// False alarms on services that keep part of their first peak and no more, and power against what every cycle keeps.
#[must_use]
pub fn rates(seed: u64, per_cell: usize) -> Vec<Rate> {
    let failed = |kept: f64, index: usize| {
        let record = paper::record(trial(seed, kept, index).1);
        let resets = record.iter().flat_map(reset::resets);
        resets.into_iter().any(|reset| reset.verdict == ResetVerdict::Fail)
    };
    let cell = |kept: f64, what: &str, expected| Rate {
        rule: "growth over resets".to_owned(),
        what: what.to_owned(),
        hits: (0..per_cell).filter(|index| failed(kept, *index)).count(),
        trials: per_cell,
        expected,
    };
    vec![
        cell(0.0, "false alarms", Expected::AtMost(0.01)),
        cell(0.02, "power, 2% of the baseline kept per cycle", Expected::AtLeast(0.90)),
        cell(0.05, "power, 5% of the baseline kept per cycle", Expected::Reported),
    ]
}

/// A trial of kind `reset` with a simulated service, and its id.
pub(super) fn trial(seed: u64, kept: f64, index: usize) -> (String, Vec<Line>) {
    let service = service(seed, kept, CYCLES, index);
    let bytes = |mib: &[f64]| mib.iter().map(|mib| mib * MIB).collect::<Vec<f64>>();
    let (baseline, posts) = (bytes(&service.baseline_mb), service.posts_mb.iter());
    let posts: Vec<Vec<f64>> = posts.map(|post| bytes(post)).collect();
    let before = Stretch { phase: "baseline", cycle: 0, values: &baseline };
    let after = |(cycle, values)| Stretch { phase: "post", cycle, values };
    let stretches: Vec<Stretch<'_>> = std::iter::once(before)
        .chain((1..).zip(posts.iter().map(Vec::as_slice)).map(after))
        .collect();
    // Resets are compared by their working set and judged by the floors of the same.
    let id = format!("reset::simulated::kept={kept},index={index}");
    let lines = paper::lines(&id, Kind::Reset, &metric::MEMORY_WORKING_SET, &stretches);
    (id, lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resets_are_judged_as_often_right_as_the_table_says() {
        for rate in rates(11, 150) {
            assert!(!rate.is_off(), "{rate:?}");
        }
    }
}
