//! [`decided`]: thresholds that end a trial early, `abort_on_fail`.

use super::thresholds::divisor;
use crate::model::{Param, Params, Rules, Sample};

/// Says which threshold a sample has broken beyond repair, if one that ends the trial.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "numbers of agents are far below 2^53")]
pub fn decided(
    rules: &Rules,
    total_agents: Option<u64>,
    params: &Params,
    sample: &Sample,
) -> Option<String> {
    rules.thresholds.iter().filter(|threshold| threshold.abort_on_fail).find_map(|threshold| {
        let number = |name: &str| params.get(name).and_then(Param::as_number);
        let divisor = match threshold.per.as_deref() {
            None => 1.0,
            Some(per) => divisor(per, total_agents.map(|agents| agents as f64), number)?,
        };
        let broken = sample.readings.iter().find(|reading| {
            let here = threshold.phase.as_deref().is_none_or(|phase| phase == &*sample.phase);
            let of = threshold.source.as_deref().is_none_or(|source| source == &*reading.source);
            let breaks = || !threshold.op.holds(reading.value / divisor, threshold.value.value);
            here && of && reading.metric == *threshold.metric && breaks()
        })?;
        let (metric, source) = (&threshold.metric, &broken.source);
        Some(format!(
            "{metric} of {source} is {}, required {}",
            broken.value,
            threshold.requirement()
        ))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::rules::{LeakGate, LeakMethod, LeakRule, ResetMethod, ResetRule};
    use crate::model::{Op, Reading, Severity, Stat, Threshold, metric};

    fn check(per: Option<&str>, abort_on_fail: bool, phase: &str, expected: bool) {
        let threshold = Threshold {
            metric: "memory.anon".to_owned(),
            source: Some("api".to_owned()),
            phase: Some("sample".to_owned()),
            stat: Stat::Max,
            op: Op::Less,
            value: "10".parse().unwrap(),
            severity: Severity::Fail,
            per: per.map(str::to_owned),
            abort_on_fail,
        };
        let slope = |text: &str| text.parse().unwrap();
        let leak = LeakRule {
            rule: LeakMethod::Leakscore,
            gate: LeakGate::Off,
            least: slope("1 MiB/min"),
            watch: slope("1 MiB/min"),
            leak: slope("1 MiB/min"),
            gross: slope("1 MiB/min"),
            certain: true,
            shortest: "1m".parse().unwrap(),
            looks: Vec::new(),
            confirm: false,
        };
        let rules = Rules {
            thresholds: vec![threshold],
            leak,
            reset: ResetRule {
                rule: ResetMethod::Within,
                growth: 0.01,
                detect: 0.05,
                within: 0.1,
                gate: true,
            },
            load: crate::model::rules::LoadRule::default(),
            ab: None,
            validity: None,
        };
        let api: Arc<str> = "api".into();
        let sample = Sample {
            elapsed: 0.0,
            timestamp: jiff::Timestamp::UNIX_EPOCH,
            phase: phase.into(),
            cycle: 0,
            readings: vec![Reading::new(&metric::MEMORY_ANON, &api, 12.0)],
        };
        let params = Params(vec![("size".to_owned(), Param::Integer(0))]);
        let decided = decided(&rules, Some(2), &params, &sample);
        assert_eq!(decided.is_some(), expected, "{per:?} {abort_on_fail} {phase}");
    }

    #[test]
    fn only_a_reading_beyond_the_limit_of_an_aborting_threshold_decides() {
        check(None, true, "sample", true);
        check(None, true, "settle", false);
        check(None, false, "sample", false);
        check(Some("agents"), true, "sample", false);
        // Nothing is divided by 0: the gate has no verdict on it either.
        check(Some("size"), true, "sample", false);
    }
}
