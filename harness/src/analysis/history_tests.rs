//! Made runs as a history.

use super::*;
use crate::analysis::tests::OWN;
use crate::results::parse;

#[test]
fn an_id_is_the_same_in_every_repetition_and_version() {
    for (id, expected) in [
        ("load::scaling::process::agents=5::r=2", "load::scaling::process::agents=5"),
        ("baseline::idle::ab=a", "baseline::idle"),
        ("load::x::agents=5,ab=b::r=10", "load::x::agents=5"),
        ("load::r=x::agents=5", "load::r=x::agents=5"),
    ] {
        assert_eq!(identity(id), expected);
    }
}

#[test]
fn a_run_gives_means_of_the_followed_metrics() {
    let results = parse(OWN).unwrap();
    let history = assemble(vec![contribution(&results)]);
    let find = |metric: &str| {
        let mut series = history.series.iter();
        series.find(|s| s.trial == "baseline::steady" && s.metric == metric).unwrap()
    };
    let trial = &results.scenarios[0];
    let readings = trial.samples.iter().flat_map(|sample| &sample.readings);
    let anon: Vec<f64> = readings.filter(|r| r.metric == "memory.anon").map(|r| r.value).collect();
    let series = find("memory.anon");
    assert_eq!(series.points, [Point { run: 0, value: mean(&anon).unwrap() }]);
    assert_eq!(
        (series.better, series.unit, series.scale),
        (Better::Lower, Unit::Bytes, Scale::Mean)
    );
    assert!(history.series.iter().all(|series| series.metric != "cpu.time"));
}

#[test]
fn runs_are_put_in_the_order_of_time_and_counted_once() {
    let mut early = parse(OWN).unwrap();
    early.test_id = "z".into();
    let mut late = parse(OWN).unwrap();
    late.started_at.0 += jiff::SignedDuration::from_secs(60);
    late.config["commit"] = "abc".into();
    let history = assemble(vec![contribution(&late), contribution(&early), contribution(&late)]);
    let runs: Vec<_> = history.runs.iter().map(|run| run.commit.as_deref()).collect();
    assert_eq!(runs, [None, Some("abc")]);
    assert!(history.series.iter().all(|series| series.points.len() == 2));
}

#[test]
fn versions_run_in_turn_give_their_ratio() {
    let mut results = parse(OWN).unwrap();
    let base = results.scenarios[0].clone();
    results.scenarios.clear();
    for (repeat, side, factor) in [
        (0, "a", 1.0),
        (0, "b", 9.0),
        (1, "a", 1.0),
        (1, "b", 1.1),
        (2, "b", 1.1),
        (2, "a", 1.0),
        (3, "a", 1.0),
    ] {
        let mut trial = base.clone();
        trial.repeat = repeat;
        trial.id = format!("baseline::steady::ab={side}::r={repeat}");
        trial.scenario_params.insert("ab".into(), side.into());
        for reading in trial.samples.iter_mut().flat_map(|sample| &mut sample.readings) {
            reading.value *= factor;
        }
        results.scenarios.push(trial);
    }
    let history = assemble(vec![contribution(&results)]);
    let series = history.series.iter().find(|s| s.metric == "memory.anon").unwrap();
    assert_eq!((series.trial.as_str(), series.scale), ("baseline::steady", Scale::Ratio));
    assert!((series.points[0].value - 1.1).abs() < 1e-12, "{series:?}");
}

#[test]
fn a_trial_whose_data_are_not_valid_is_left_out_and_said_so() {
    let mut results = parse(OWN).unwrap();
    results.scenarios.truncate(1);
    let trial = &mut results.scenarios[0];
    trial.rules.as_mut().unwrap().validity = Some(
        serde_json::from_value(serde_json::json!({
            "gate": true, "missing": 0.05, "late": 1.0, "samples": 3, "step": "500ms", "steal": 0.1,
            "throttled": 0.05, "elsewhere": 0.5,
        }))
        .unwrap(),
    );
    trial.sampler =
        Some(crate::results::SamplerCost { missed: 10, samples: 10, ..Default::default() });
    let history = assemble(vec![contribution(&results)]);
    assert_eq!((history.runs.len(), history.series.len()), (1, 0));
    let [said] = &history.left_out[..] else { panic!("{:?}", history.left_out) };
    assert!(said.contains("1 trials") && said.contains("50% of the samples"), "{said}");
}

#[test]
fn a_run_of_another_profile_than_the_newest_is_left_out_and_named() {
    let of = |seconds: i64, name: &str, profile: &str| {
        let mut results = parse(OWN).unwrap();
        results.test_id = name.into();
        results.started_at.0 += jiff::SignedDuration::from_secs(seconds);
        results.config = serde_json::json!({ "profile": profile });
        contribution(&results)
    };
    let history = assemble(vec![
        of(3, "d", "full"),
        of(2, "c", "quick"),
        of(1, "b", "quick"),
        of(0, "a", "full"),
    ]);
    let runs: Vec<_> = history.runs.iter().map(|run| run.test_id.as_str()).collect();
    assert_eq!(runs, ["a", "d"]);
    let said = "left out, being of profile quick where the newest run is of profile full: b, c";
    assert_eq!(history.left_out, [said]);
    assert!(history.series.iter().all(|series| series.points.len() == 2));
}
