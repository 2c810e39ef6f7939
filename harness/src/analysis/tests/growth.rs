//! Growth over time.

use super::*;
use crate::model::rules::{LeakGate, LeakMethod};

/// `slope`, ends of the interval, and what follows.
#[track_caller]
fn check_leak(
    analysis: &Analysis,
    (id, container, channel): (&str, &str, &str),
    [slope, low, high, detectable]: [f64; 4],
    (band, verdict): (Band, LeakVerdict),
) {
    let found = |leak: &&Leak| leak.id == id && leak.container == container;
    let leak = analysis.leaks.iter().find(found).unwrap();
    close(leak.slope_mb_per_min, slope);
    close(leak.interval.map(|ends| ends[0]), low);
    close(leak.interval.map(|ends| ends[1]), high);
    close(leak.detectable_mb_per_min, detectable);
    assert_eq!(
        (leak.channel.as_str(), leak.band, leak.verdict),
        (channel, Some(band), verdict),
        "{leak:?}"
    );
}

#[test]
fn leaks_of_a_foreign_file_are_judged_on_the_memory_that_it_has() {
    let analysis = analyze(&parse(SEED).unwrap());
    // The line through the floors, by the prototype of the rule.
    let check = |id, container, numbers, verdict| {
        check_leak(&analysis, (id, container, "memory_used_mb"), numbers, verdict);
    };
    check(
        "duration_leak_8m",
        "rideshare-simulation",
        [1.977519328867821, 1.6589572873995238, 2.2960813703361183, 0.4686819219700292],
        (Band::Leak, LeakVerdict::Leak),
    );
    check(
        "duration_leak_8m",
        "rideshare-kafka",
        [-0.03754252389440261, -0.2532138613174005, 0.17812881352859528, 0.31730477514320155],
        (Band::Normal, LeakVerdict::Clean),
    );
    check(
        "duration_leak_4m",
        "rideshare-simulation",
        [-0.19463211476163997, -0.6673587342952656, 0.2780945047719857, 0.6954953565346971],
        (Band::Normal, LeakVerdict::Clean),
    );
    check(
        "duration_leak_1m",
        "rideshare-kafka",
        [0.9664019547950617, -0.21746312820338232, 2.1502670377935056, 1.7417522812683792],
        (Band::Watch, LeakVerdict::Unknown),
    );
}

#[test]
fn leaks_of_our_own_file_are_judged_on_anonymous_memory_under_load() {
    let analysis = analyze(&parse(OWN).unwrap());
    let check = |id, numbers, verdict| {
        check_leak(&analysis, (id, "api", "memory.anon"), numbers, verdict);
    };
    check(
        "duration::leaky::minutes=5",
        [2.0022569058624837, 1.9930713013835424, 2.011442510341425, 0.016733869601229773],
        (Band::Leak, LeakVerdict::Leak),
    );
    check(
        "duration::steady::minutes=5",
        [0.0030940958487043865, -0.004777914783029355, 0.010966106480438128, 0.014340830776343917],
        (Band::Normal, LeakVerdict::Clean),
    );
    check(
        "duration::quick::minutes=0.15",
        [0.045855978260869484, -0.5332290962801755, 0.6249410528019144, 1.0337255576959044],
        (Band::Normal, LeakVerdict::Unknown),
    );
    let phases = &summary(&analysis, "duration::leaky::minutes=5", "api").phases;
    let names: Vec<(&str, usize)> =
        phases.iter().map(|phase| (phase.phase.as_str(), phase.readings)).collect();
    assert_eq!(names, [("active", 150), ("drain", 15), ("cooldown", 15)]);
}

#[test]
fn growth_is_judged_only_as_far_as_the_run_can_tell() {
    use LeakVerdict::{Clean, Leak, Suspect, Unknown};
    // Growth in MiB/min over minutes, read every 2 s, with readings off by `scatter` MiB up and down in turn.
    let check =
        |slope: f64, minutes: f64, scatter: f64, gate: LeakGate, certain: bool, expected| {
            let mut trial = ruled(trial(Kind::Duration, "duration::x"), |rules| {
                rules.leak.rule = LeakMethod::Seed;
                rules.leak.gate = gate;
                rules.leak.certain = certain;
            });
            let count = (minutes * 30.0) as usize;
            let signs = [1.0, -1.0, -1.0, 1.0].iter().cycle();
            let value = |(index, sign): (usize, &f64)| {
                (100.0 + slope * index as f64 / 30.0 + sign * scatter) * MIB
            };
            let values: Vec<f64> = signs.take(count).enumerate().map(value).collect();
            read(&mut trial, ("active", 0), (&metric::MEMORY_ANON, "api"), 2.0, &values);
            let leaks = leak::leaks(&trial);
            assert_eq!(leaks[0].verdict, expected, "{slope} over {minutes} min: {leaks:?}");
        };
    let verdict = LeakGate::Verdict;
    check(0.0, 8.0, 0.0, verdict, true, Clean);
    check(0.1, 8.0, 0.5, verdict, true, Clean);
    check(0.7, 8.0, 0.5, verdict, true, Suspect);
    check(2.0, 8.0, 0.5, verdict, true, Leak);
    // Just long enough, and just not.
    check(2.0, 4.0, 0.5, verdict, true, Leak);
    check(2.0, 3.9, 0.5, verdict, true, Unknown);
    // The interval includes the limit.
    check(1.05, 4.0, 2.0, verdict, true, Unknown);
    // Certainly no leak, perhaps worth watching.
    check(0.3, 4.0, 1.8, verdict, true, Suspect);
    // The original framework's rule looks at the slope alone.
    check(1.05, 1.0, 2.0, verdict, false, Leak);
    check(0.7, 1.0, 2.0, verdict, false, Suspect);
    check(0.3, 1.0, 2.0, verdict, false, Clean);
    // A short profile fails nothing but gross growth, and knows nothing of the rest.
    check(70.0, 0.5, 0.1, LeakGate::Gross, true, Leak);
    check(61.0, 0.5, 3.0, LeakGate::Gross, true, Unknown);
    check(10.0, 0.5, 0.1, LeakGate::Gross, true, Unknown);
    check(10.0, 8.0, 0.1, LeakGate::Gross, true, Unknown);
    check(0.0, 8.0, 0.1, LeakGate::Gross, true, Clean);
}

/// A trial of kind `duration` whose anonymous memory grows by `slope` MiB per minute, read `count` times.
fn growing(slope: f64, step: f64, count: u32) -> TrialRecord {
    let mut trial = ruled(trial(Kind::Duration, "duration::x"), |rules| {
        rules.leak.rule = LeakMethod::Seed;
    });
    let value = |index| (100.0 + slope * f64::from(index) * step / 60.0) * MIB;
    let values: Vec<f64> = (0..count).map(value).collect();
    read(&mut trial, ("active", 0), (&metric::MEMORY_ANON, "api"), step, &values);
    trial
}

#[test]
fn what_was_read_too_irregularly_is_unknown_and_what_else_is_read_is_reported_apart() {
    let found = |late: f64, keep: fn(usize) -> bool| {
        let mut trial = trial(Kind::Duration, "duration::x");
        let flat = [100.0 * MIB; 150];
        read(&mut trial, ("active", 0), (&metric::MEMORY_ANON, "api"), 2.0, &flat);
        for (index, sample) in trial.samples.iter_mut().enumerate() {
            let cache = (200.0 + index as f64 / 30.0) * MIB;
            let (api, own) = ("api".into(), "sampler".into());
            sample.readings.push(Reading::new(&metric::MEMORY_USAGE, &api, cache));
            sample.readings.push(Reading::new(&metric::SAMPLER_LATENESS, &own, late));
        }
        let mut index = 0;
        trial.samples.retain(|_| {
            index += 1;
            keep(index - 1)
        });
        let mut leaks = leak::leaks(&trial);
        assert_eq!(leaks.len(), 1);
        leaks.remove(0)
    };
    let regular = found(0.01, |_| true);
    assert_eq!(regular.verdict, LeakVerdict::Clean, "{}", regular.reason);
    assert_eq!(regular.apart[0].channel, "memory.usage");
    close(Some(regular.apart[0].slope_mb_per_min), 1.0);
    let late = found(2.5, |_| true);
    assert_eq!(late.verdict, LeakVerdict::Unknown);
    assert!(
        late.reason.starts_with("one sample in twenty was taken 2.5 s late"),
        "{}",
        late.reason
    );
    let gaps = found(0.01, |index| index % 10 != 5);
    assert_eq!(gaps.verdict, LeakVerdict::Unknown);
    assert_eq!(gaps.reason, "15 of 150 readings are missing, and 5% may be");
    // A single gap is filled.
    assert_eq!(found(0.01, |index| index != 70).verdict, LeakVerdict::Clean);
}

#[test]
fn growth_in_few_steps_is_unknown_and_says_why() {
    let found = |gate: LeakGate, steps: &[f64]| {
        let mut trial = ruled(trial(Kind::Duration, "duration::x"), |rules| {
            rules.leak.gate = gate;
        });
        let signs = [0.02, -0.02, -0.02, 0.02].iter().cycle();
        let value = |(index, noise): (u32, &f64)| {
            let taken = steps.iter().filter(|at| **at <= 2.0 * f64::from(index)).count();
            (100.0 + 2.0 * taken as f64 + noise) * MIB
        };
        let values: Vec<f64> = (0..240).zip(signs).map(value).collect();
        read(&mut trial, ("active", 0), (&metric::MEMORY_ANON, "api"), 2.0, &values);
        leak::leaks(&trial).remove(0)
    };
    let rare = [8.0, 20.0, 50.0, 120.0, 250.0, 400.0];
    let leak = found(LeakGate::Verdict, &rare);
    assert_eq!(leak.verdict, LeakVerdict::Unknown);
    assert!(leak.score > leak.limits.map(|limits| limits.leak), "{leak:?}");
    assert_eq!(
        leak.reason,
        "score 28.99, but it grows in few steps, as an allocator's high-water mark does: 11 of 15 parts of the run stood still; a longer run would tell"
    );
    let json = serde_json::to_value(&leak).unwrap();
    assert_eq!(json["doubt"], serde_json::json!({ "steps": { "still": 11, "of": 15 } }));
    assert_eq!(found(LeakGate::Gross, &rare).verdict, LeakVerdict::Unknown);
    let often: Vec<f64> = (0..16).map(|step| f64::from(step) * 30.0).collect();
    let leak = found(LeakGate::Verdict, &often);
    assert_eq!((leak.verdict, leak.doubt), (LeakVerdict::Leak, None));
    assert!(serde_json::to_value(&leak).unwrap().get("doubt").is_none());
}

#[test]
fn a_leak_limit_below_the_watch_limit_is_a_limit_all_the_same() {
    let check = |slope: f64, band: Band, verdict: LeakVerdict| {
        let trial = ruled(growing(slope, 2.0, 200), |rules| {
            rules.leak.leak = "0.2 MiB/min".parse().unwrap();
        });
        let leak = &leak::leaks(&trial)[0];
        assert_eq!((leak.band, leak.verdict), (Some(band), verdict), "{leak:?}");
    };
    check(0.3, Band::Leak, LeakVerdict::Leak);
    check(0.7, Band::Leak, LeakVerdict::Leak);
    check(0.1, Band::Normal, LeakVerdict::Clean);
}

#[test]
fn missing_readings_do_not_make_a_run_longer() {
    let check = |step: f64, count: u32, verdict: LeakVerdict| {
        let leak = &leak::leaks(&growing(0.0, step, count))[0];
        assert_eq!(leak.verdict, verdict, "{leak:?}");
    };
    // A verdict needs 240 s.
    check(2.0, 120, LeakVerdict::Clean);
    check(12.0, 20, LeakVerdict::Clean);
    check(60.0, 3, LeakVerdict::Unknown);
    check(60.0, 4, LeakVerdict::Unknown);
    check(60.0, 5, LeakVerdict::Clean);
}

#[test]
fn readings_without_scatter_tell_no_smallest_leak() {
    let leak = |slope| leak::leaks(&growing(slope, 2.0, 5)).remove(0);
    assert_eq!(leak(0.0).detectable_mb_per_min, None);
    assert_eq!(leak(0.0).interval, Some([0.0, 0.0]));
}

#[test]
fn a_single_reading_is_a_finding_that_knows_nothing() {
    let mut trial = trial(Kind::Duration, "duration::x");
    read(&mut trial, ("active", 0), (&metric::MEMORY_ANON, "api"), 2.0, &[MIB]);
    let json = serde_json::to_value(leak::leaks(&trial)).unwrap();
    assert_eq!(json[0]["verdict"], "unknown");
    for key in ["slope_mb_per_min", "interval", "detectable_mb_per_min", "band"] {
        assert_eq!(json[0][key], Value::Null, "{key}");
    }
}
