//! Comparisons of made-up runs.

use proptest::prelude::*;
use serde_json::Map;

use super::*;
use crate::analysis::analyze;
use crate::analysis::tests::{read, ruled, run, trial};
use crate::model::rules::{AbMetric, AbRule};
use crate::model::{Kind, Metric, Outcome, Severity, Stat, metric};
use crate::results::document::Date;
use crate::results::{Results, parse};

const ID: &str = "load::x::agents=10";

pub(crate) fn of(metric: &Metric) -> AbMetric {
    AbMetric {
        metric: metric.name.to_string(),
        source: None,
        stat: Stat::Mean,
        severity: Severity::Fail,
        min_effect: None,
        margin: None,
        priors: BTreeMap::new(),
    }
}

pub(crate) fn rule(looks: &[u32], metrics: Vec<AbMetric>) -> AbRule {
    AbRule { looks: looks.to_vec(), min_effect: 0.02, margin: 0.05, within: None, metrics }
}

/// A completed trial, made once: the rules come from a golden file.
fn blank() -> TrialRecord {
    static BLANK: std::sync::LazyLock<TrialRecord> = std::sync::LazyLock::new(|| TrialRecord {
        scenario_name: "x".to_owned(),
        ..trial(Kind::Load, "load::x")
    });
    BLANK.clone()
}

/// Pairs of runs of one comparison: for every metric the values of a and b, of source `api`.
pub(crate) fn pairs_of(rule: &AbRule, series: &[(&Metric, &[(f64, f64)])]) -> Vec<TrialRecord> {
    let count = series.first().map_or(0, |(_, values)| values.len());
    let mut trials = Vec::new();
    for pair in 0..count {
        for (version, name) in ["a", "b"].into_iter().enumerate() {
            let id = format!("{ID}::ab={name}::r={}", pair + 1);
            let mut trial = ruled(blank(), |rules| rules.ab = Some(rule.clone()));
            trial.id = id;
            trial.scenario_params.insert("agents".into(), 10.into());
            trial.scenario_params.insert("ab".into(), name.into());
            trial.metadata.insert("comparison".into(), ID.into());
            trial.repeat = u32::try_from(pair + 1).unwrap();
            for (metric, values) in series {
                let (a, b) = values[pair];
                let value = if version == 0 { a } else { b };
                read(&mut trial, ("sample", 0), (metric, "api"), 1.0, &[value, value]);
            }
            trials.push(trial);
        }
    }
    trials
}

fn changes(trials: &[TrialRecord]) -> Vec<Change> {
    comparison(&trials.iter().collect::<Vec<_>>()).changes
}

/// One metric, its values times 100 MB.
fn check(
    looks: &[u32],
    metric: &Metric,
    values: &[(f64, f64)],
    verdict: ChangeVerdict,
    reason: &str,
) {
    let values: Vec<(f64, f64)> = values.iter().map(|(a, b)| (a * 1e8, b * 1e8)).collect();
    let found = changes(&pairs_of(&rule(looks, vec![of(metric)]), &[(metric, &values)]));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].verdict, verdict, "{}", found[0].reason);
    assert!(found[0].reason.contains(reason), "{reason:?} is not in {:?}", found[0].reason);
}

const SLOW: [(f64, f64); 5] = [(1.0, 1.2), (1.01, 1.21), (0.99, 1.2), (1.0, 1.19), (1.0, 1.21)];
const SAME: [(f64, f64); 5] = [(1.0, 1.0), (1.01, 1.0), (0.99, 1.0), (1.0, 1.01), (1.0, 0.99)];
const WIDE: [(f64, f64); 5] = [(1.0, 1.1), (1.0, 0.9), (1.0, 1.15), (1.0, 0.95), (1.0, 1.02)];

#[test]
fn outcomes_come_in_their_order() {
    use ChangeVerdict::{Fail, Inconclusive, Pass};
    const ANON: &Metric = &metric::MEMORY_ANON;
    check(
        &[5],
        ANON,
        &SLOW,
        Fail,
        "(95% interval +19.08% to +21.33%, 5 pairs): surely more than 2% worse",
    );
    check(&[5], ANON, &SAME, Pass, "surely less than 5% worse");
    check(&[5], ANON, &WIDE, Inconclusive, "pairs would tell a change of 5%");
    check(
        &[5],
        ANON,
        &SLOW[..2],
        Inconclusive,
        "a verdict needs at least 3 pairs, and about 3 pairs",
    );
    check(&[5], ANON, &SLOW[..1], Inconclusive, "+20.00% (1 pair): a verdict needs at least 3");
    // Surely worse, but not surely by the smallest effect of interest.
    let slight = [(1.0, 1.03), (1.0, 1.035), (1.0, 1.01), (1.0, 1.04), (1.0, 1.025)];
    check(&[5], ANON, &slight, Fail, "surely worse, by 2% or more as estimated");
    let better = SLOW.map(|(a, b)| (b, a));
    check(&[5], ANON, &better, Pass, "surely less than 5% worse, and surely better");
    // More is better.
    check(&[5], &metric::AGENTS_LIVE, &better, Fail, "surely more than 2% worse");
    check(&[5], &metric::AGENTS_LIVE, &SLOW, Pass, "surely better");
}

#[test]
fn the_numbers_are_those_of_the_paired_t() {
    // scipy.stats.ttest_rel of the logs, alternative = "greater", and its confidence interval.
    let found = changes(&pairs_of(
        &rule(&[5], vec![of(&metric::MEMORY_ANON)]),
        &[(&metric::MEMORY_ANON, &WIDE)],
    ));
    let change = &found[0];
    let close = |actual: Option<f64>, expected: f64| {
        let actual = actual.unwrap();
        assert!((actual - expected).abs() < 1e-9, "{actual} is not {expected}");
    };
    close(change.p, 0.343_046_455_984_606_65);
    close(change.ratio, 1.019_838_404_603_553);
    close(change.interval.map(|ends| ends[0]), 0.899_626_066_169_151_4);
    close(change.interval.map(|ends| ends[1]), 1.156_114_090_750_191_2);
    close(change.estimate, 0.019_838_404_603_553);
    assert_eq!((change.n, change.runs, change.freedom), (5, [5, 5], Some(4.0)));
    assert_eq!((change.p, change.p), (change.p_holm, change.p_bh));
}

#[test]
fn an_early_look_asks_for_more_and_says_so() {
    use ChangeVerdict::{Fail, Inconclusive};
    let three = [(1.0, 1.05), (1.0, 1.09), (1.0, 1.07)];
    check(&[3], &metric::MEMORY_ANON, &three, Fail, "worse");
    let why = "worse, but not surely enough for a look after 3 of 10 pairs";
    check(&[3, 5, 7, 10], &metric::MEMORY_ANON, &three, Inconclusive, why);
    // What is beyond doubt ends at the first look.
    let clear = [(1.0, 1.5), (1.0, 1.5), (1.0, 1.501)];
    check(&[3, 5, 7, 10], &metric::MEMORY_ANON, &clear, Fail, "surely more than 2% worse");
}

#[test]
fn what_has_no_logarithm_is_said_so() {
    use ChangeVerdict::{Inconclusive, Pass};
    let cpu = &metric::CPU_USAGE;
    check(&[5], cpu, &[(0.0, 0.0); 3], Pass, "0 in every run of both: no change");
    check(&[5], cpu, &[(0.0, 0.0); 2], Inconclusive, "no change");
    check(&[5], cpu, &[(0.0, 1.0), (1.0, 1.0), (1.0, 1.0)], Inconclusive, "has no logarithm");
    check(&[5], cpu, &[(-1.0, 1.0), (1.0, 1.0), (1.0, 1.0)], Inconclusive, "has no logarithm");
    let unknown = Metric::lower("my.metric", crate::model::Unit::Seconds);
    check(&[5], &unknown, &SLOW, Inconclusive, "whether a higher or a lower value is better");
}

#[test]
fn many_comparisons_need_more_than_one() {
    let slight = [(1.0, 1.05), (1.0, 1.01), (1.0, 1.04), (1.0, 1.03), (1.0, 1.005)];
    let metrics = [
        &metric::MEMORY_ANON,
        &metric::MEMORY_USAGE,
        &metric::MEMORY_RSS,
        &metric::CPU_USAGE,
        &metric::THREADS,
        &metric::OPEN_FILES,
        &metric::PROCESSES,
        &metric::MEMORY_FRACTION,
        &metric::AGENTS_SPAWN_TIME,
        &metric::MEMORY_WORKING_SET,
    ];
    let series: Vec<(&Metric, &[(f64, f64)])> = metrics
        .iter()
        .enumerate()
        .map(|(index, metric)| (*metric, if index == 0 { &slight[..] } else { &SAME[..] }))
        .collect();
    let found = changes(&pairs_of(&rule(&[5], metrics.map(of).to_vec()), &series));
    let worse = &found[0];
    assert_eq!(worse.verdict, ChangeVerdict::Inconclusive, "{}", worse.reason);
    assert!(worse.reason.contains("worse if taken alone, but not surely among 10 comparisons"));
    assert!(worse.p.unwrap() < 0.025 && worse.p_bh <= worse.p_holm);
    // Surely worse among all of them; and its own interval lies beyond the limit, which is not judged by it.
    let beyond = [(1.0, 1.05), (1.0, 1.03), (1.0, 1.06), (1.0, 1.04), (1.0, 1.03)];
    let series: Vec<(&Metric, &[(f64, f64)])> = series
        .iter()
        .enumerate()
        .map(|(index, (metric, same))| (*metric, if index == 0 { &beyond[..] } else { *same }))
        .collect();
    let mut rule = rule(&[5], metrics.map(of).to_vec());
    rule.metrics[0].severity = Severity::Warn;
    let found = changes(&pairs_of(&rule, &series));
    let warned = &found[0];
    assert!(warned.interval.unwrap()[0] > 1.02, "{}", warned.reason);
    assert_eq!(warned.verdict, ChangeVerdict::Warn, "{}", warned.reason);
    let said = "surely worse, by 2% or more as estimated; more than 2% worse if taken alone, but not surely among 10 \
                comparisons";
    assert!(warned.reason.contains(said), "{}", warned.reason);
    // Alone it fails.
    let alone = changes(&pairs_of(&rule, &series[..1]));
    assert_eq!(alone[0].verdict, ChangeVerdict::Fail, "{}", alone[0].reason);
}

#[test]
fn what_did_not_end_or_was_a_warm_up_is_no_part_of_a_pair() {
    let mut trials =
        pairs_of(&rule(&[5], vec![of(&metric::MEMORY_ANON)]), &[(&metric::MEMORY_ANON, &SLOW)]);
    trials[0].metadata.insert("discarded".into(), true.into());
    trials[3].outcome = Some(Outcome::Aborted("died".into()));
    let found = changes(&trials);
    assert_eq!((found[0].n, found[0].look.unwrap().pairs), (3, 3));
    assert_eq!(comparison(&[]), Found::default());
}

#[test]
fn a_claim_of_equivalence_is_made_only_where_it_was_shown() {
    let claim = |values: &[(f64, f64)]| {
        let rule = AbRule { within: Some(0.05), ..rule(&[5], vec![of(&metric::MEMORY_ANON)]) };
        let found = changes(&pairs_of(&rule, &[(&metric::MEMORY_ANON, values)]));
        let claim = found[0].equivalence.clone().unwrap();
        assert!(found[0].reason.ends_with(&claim.claim), "{}", found[0].reason);
        (claim.shown, claim.refuted)
    };
    assert_eq!(claim(&SAME), (true, false));
    assert_eq!(claim(&WIDE), (false, false));
    assert_eq!(claim(&SLOW), (false, true));
}

#[test]
fn findings_survive_the_file_and_its_order() {
    let mut trials =
        pairs_of(&rule(&[5], vec![of(&metric::MEMORY_ANON)]), &[(&metric::MEMORY_ANON, &SLOW)]);
    let found = changes(&trials);
    assert_eq!(analyze(&run(trials.clone())).changes, found);
    trials.reverse();
    let text = serde_json::to_string(&run(trials)).unwrap();
    assert_eq!(analyze(&parse(&text).unwrap()).changes, found);
}

/// Half of the pooled variance of past pairs' log differences is that of a single run.
#[test]
fn priors_pool_the_scatter_of_past_pairs_and_not_their_changes() {
    let rule = rule(&[5], vec![of(&metric::MEMORY_ANON)]);
    let past = |shift: f64| -> Results {
        let values: Vec<(f64, f64)> =
            [0.01, -0.01, 0.03, -0.03, 0.0].map(|d: f64| (1.0, (d + shift).exp())).to_vec();
        run(pairs_of(&rule, &[(&metric::MEMORY_ANON, &values)]))
    };
    let of = &rule.metrics[0];
    let asked = Asked { comparison: ID, metadata: &Map::new(), machine: None };
    let found = priors(&[past(0.0), past(0.5)], asked, of);
    let prior = found["api"];
    // Sum of squares 0.002 over 4 degrees of freedom, halved.
    assert!((prior.sd - 0.000_25_f64.sqrt()).abs() < 1e-12, "{prior:?}");
    assert_eq!((found.len(), prior.runs), (1, 2), "runs, and not their pairs");
    let other = Asked { comparison: "load::other", ..asked };
    assert!(priors(&[past(0.0)], other, of).is_empty());
    // A single pair has no scatter.
    let mut single = past(0.0);
    single.scenarios.truncate(2);
    assert_eq!(priors(&[single, past(0.0)], asked, of)["api"].runs, 1);
    let elsewhere = Results {
        environment: Some(crate::results::Environment { cpus: 2, ..Default::default() }),
        ..past(0.0)
    };
    let here = crate::results::Environment { cpus: 4, ..Default::default() };
    assert!(priors(&[elsewhere], Asked { machine: Some(&here), ..asked }, of).is_empty());
    // One id stands for short runs in one profile and for long ones in another.
    let phases = |length: &str| serde_json::json!([{ "name": "sample", "length": length }]);
    let (short, long) = (phases("4s"), phases("60s"));
    let mut quick = past(0.0);
    for trial in &mut quick.scenarios {
        trial.metadata.insert("phases".into(), short.clone());
    }
    let runs = |phases: &serde_json::Value| {
        let metadata = Map::from_iter([("phases".to_owned(), phases.clone())]);
        let asked = Asked { metadata: &metadata, ..asked };
        priors(&[quick.clone(), past(0.0)], asked, of).get("api").map(|prior| prior.runs)
    };
    assert_eq!((runs(&short), runs(&long)), (Some(1), None));
}

#[test]
fn what_another_testbed_showed_of_scatter_does_not_weigh() {
    let past = crate::analysis::tests::network::network();
    let run = past.scenarios.iter().find(|run| run.comparison().is_some()).unwrap();
    let of = &run.rules.as_ref().unwrap().ab.as_ref().unwrap().metrics[0];
    let runs = |metadata: &Map<String, Value>| {
        let asked = Asked { comparison: run.comparison().unwrap(), metadata, machine: None };
        let found = priors(std::slice::from_ref(&past), asked, of);
        found.get("throughput_single").map(|prior| prior.runs)
    };
    assert_eq!(runs(&run.metadata), Some(1));
    for (path, other) in [("ip", "198.18.1.9"), ("node", "elsewhere")] {
        let mut metadata = run.metadata.clone();
        metadata["network"]["server"][path] = other.into();
        assert_eq!(runs(&metadata), None, "{path}");
    }
    assert_eq!(runs(&Map::new()), None, "of ends that nobody knows");
}

/// A run of a version that began in this minute.
fn begun(params: &[(&str, i64)], minute: i64, value: f64) -> TrialRecord {
    let mut trial = blank();
    for (name, value) in params {
        trial.scenario_params.insert((*name).to_owned(), (*value).into());
    }
    let begin = jiff::Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_mins(minute);
    trial.started_at = Date(begin);
    read(&mut trial, ("sample", 0), (&metric::MEMORY_ANON, "api"), 1.0, &[value]);
    trial
}

fn designs(base: &[i64], new: &[i64]) -> Design {
    let trials = |minutes: &[i64]| -> Vec<TrialRecord> {
        minutes.iter().map(|minute| begun(&[], *minute, 1e8)).collect()
    };
    let (base, new) = (trials(base), trials(new));
    let (sides, _) = sides(&base.iter().collect::<Vec<_>>(), &new.iter().collect::<Vec<_>>());
    let rule = rule(&[], vec![of(&metric::MEMORY_ANON)]);
    between(&sides, &rule, |_, _| BTreeMap::new()).changes[0].design
}

#[test]
fn only_runs_that_took_turns_are_pairs() {
    assert_eq!(designs(&[0, 3, 4], &[1, 2, 5]), Design::Paired);
    assert_eq!(designs(&[0, 2, 4], &[1, 3, 5]), Design::Paired);
    assert_eq!(designs(&[0, 1, 2], &[3, 4, 5]), Design::Unpaired);
    assert_eq!(designs(&[0, 3], &[1, 2, 5]), Design::Unpaired);
    assert_eq!(designs(&[0], &[1]), Design::Unpaired);
    // Begun at once: nothing says which came first.
    assert_eq!(designs(&[0, 0], &[0, 0]), Design::Unpaired);
}

#[test]
fn what_is_there_twice_is_named() {
    let one = begun(&[("agents", 10)], 0, 1.0);
    let mut again = one.clone();
    assert_eq!(duplicate(&[one.clone(), begun(&[("agents", 20)], 0, 1.0)]), None);
    assert!(duplicate(&[one.clone(), again.clone()]).unwrap().contains("repetition 1"));
    again.repeat = 2;
    assert_eq!(duplicate(&[one.clone(), again.clone()]), None);
    let reading = again.samples[0].readings[0].clone();
    again.samples[0].readings.push(reading);
    assert!(duplicate(&[one, again]).unwrap().contains("two series memory.anon of api"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Neither the order of trials nor one that the other side lacks changes what is compared with what.
    #[test]
    fn trials_are_matched_by_all_dimensions_and_never_by_position(
        order in Just((0..12_usize).collect::<Vec<_>>()).prop_shuffle(), extra in 100..200_i64,
    ) {
        let level = |index: usize| [("agents", (index % 4) as i64), ("size", (index % 2) as i64)];
        let value = |index: usize| 1e8 * (1.0 + (index % 4) as f64);
        let base: Vec<TrialRecord> =
            (0..12).map(|index| begun(&level(index), index as i64, value(index))).collect();
        let mut new: Vec<TrialRecord> = order
            .iter()
            .map(|&index| begun(&level(index), 100 + index as i64, value(index) * 1.5))
            .collect();
        new.insert(0, begun(&[("agents", extra)], 0, 1.0));
        let (found, unmatched) =
            sides(&base.iter().collect::<Vec<_>>(), &new.iter().collect::<Vec<_>>());
        prop_assert_eq!(found.len(), 4);
        prop_assert_eq!((unmatched.len(), unmatched[0].only_in), (1, "new"));
        let rule = rule(&[], vec![of(&metric::MEMORY_ANON)]);
        for change in between(&found, &rule, |_, _| BTreeMap::new()).changes {
            prop_assert!((change.ratio.unwrap() - 1.5).abs() < 1e-9);
            prop_assert_eq!(change.runs, [3, 3]);
        }
    }
}
