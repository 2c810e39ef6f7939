//! What scenarios become: ids, phases, filled-in placeholders.

mod ab;

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;

use super::{Trial, trials};
use crate::model::Action;
use crate::scenario::{self, Names, Scenario, Workspace};

const PROCESS: &str = "[[target.process.service]]\nname = \"api\"\ncommand = [\"api\"]\n";
const COMPOSE: &str = "[target.compose]\nattach = true\n";
const AGENTS: &str = r#"
[driver.agents]
base_url = "http://127.0.0.1:1"
groups = ["drivers", "riders"]
spawn = { method = "POST", path = "/agents/{group}", body = '{"count": {count}}' }
reset = { method = "POST", path = "/reset" }
"#;

fn plan(text: &str, profile: &str) -> Vec<Trial> {
    planned(text, profile).1
}

fn planned(text: &str, profile: &str) -> (Scenario, Vec<Trial>) {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("checkout.toml");
    std::fs::write(&file, text).unwrap();
    let environment = [("PROOFLOAD_PROFILE".to_owned(), profile.to_owned())];
    let workspace = Workspace::open(root.path(), environment).unwrap();
    let scenario = scenario::load(&workspace, &file, &Names::default());
    let scenario = scenario.unwrap_or_else(|error| panic!("{error}\nof\n{text}"));
    let trials = trials(&scenario);
    (scenario, trials)
}

fn check_ids(text: &str, expected: &[&str]) {
    let trials = plan(text, "seed");
    let ids: Vec<&str> = trials.iter().map(|trial| trial.id.as_str()).collect();
    assert_eq!(ids, expected, "{text}");
}

/// Every phase of every trial as `name[#cycle] seconds/interval [action] [watched]`.
fn check_phases(text: &str, profile: &str, expected: &[&[&str]]) {
    let shown: Vec<Vec<String>> = plan(text, profile)
        .iter()
        .map(|trial| {
            let phase = |phase: &crate::model::Phase| {
                let cycle =
                    if phase.cycle > 0 { format!("#{}", phase.cycle) } else { String::new() };
                let action = match phase.enter {
                    Action::Keep => String::new(),
                    Action::Level(level) => format!(" level {level}"),
                    Action::Stop => " stop".to_owned(),
                    Action::Reset => " reset".to_owned(),
                    Action::Start => " start".to_owned(),
                    Action::Test(place) => format!(" test {place}"),
                    Action::Collect => " collect".to_owned(),
                };
                let watched = if phase.sampled { "" } else { " watched" };
                let (length, interval) = (phase.length.as_secs_f64(), phase.interval.as_secs_f64());
                format!("{}{cycle} {length}/{interval}{action}{watched}", phase.name)
            };
            trial.phases.iter().map(phase).collect()
        })
        .collect();
    assert_eq!(shown, expected, "{text}");
}

#[test]
fn an_id_says_kind_scenario_and_parameters() {
    check_ids(&format!("kind = \"baseline\"\n{PROCESS}"), &["baseline::checkout"]);
    check_ids(&format!("kind = \"reset\"\n{PROCESS}{AGENTS}"), &["reset::checkout"]);
    check_ids(
        &format!("kind = \"load\"\n{PROCESS}{AGENTS}"),
        &[
            "load::checkout::agents=10",
            "load::checkout::agents=20",
            "load::checkout::agents=40",
            "load::checkout::agents=80",
        ],
    );
    check_ids(
        &format!("kind = \"duration\"\nduration.minutes = [0.15, 1, 8]\n{PROCESS}{AGENTS}"),
        &[
            "duration::checkout::minutes=0.15",
            "duration::checkout::minutes=1",
            "duration::checkout::minutes=8",
        ],
    );
}

#[test]
fn an_id_names_the_target_only_among_several_and_the_repeat_only_among_several() {
    check_ids(
        &format!("kind = \"baseline\"\n{COMPOSE}{PROCESS}"),
        &["baseline::checkout::process", "baseline::checkout::compose"],
    );
    check_ids(
        &format!("kind = \"baseline\"\nrepeat = 2\n{PROCESS}"),
        &["baseline::checkout::r=1", "baseline::checkout::r=2"],
    );
    check_ids(
        &format!("kind = \"load\"\nload.levels = [7]\nrepeat = 2\n{PROCESS}{COMPOSE}{AGENTS}"),
        &[
            "load::checkout::process::agents=7::r=1",
            "load::checkout::process::agents=7::r=2",
            "load::checkout::compose::agents=7::r=1",
            "load::checkout::compose::agents=7::r=2",
        ],
    );
}

#[test]
fn matrix_parameters_stand_in_declared_order_before_the_kinds_own() {
    check_ids(
        &format!(
            "kind = \"load\"\nload.levels = [1, 2]\n\
             matrix = {{ size = [\"small\", \"large\"], cache = [true] }}\n{PROCESS}{AGENTS}"
        ),
        &[
            "load::checkout::size=small,cache=true,agents=1",
            "load::checkout::size=small,cache=true,agents=2",
            "load::checkout::size=large,cache=true,agents=1",
            "load::checkout::size=large,cache=true,agents=2",
        ],
    );
}

#[test]
fn a_trial_id_is_the_same_in_every_profile() {
    let text = format!("kind = \"reset\"\nmatrix.size = [1, 2]\n{PROCESS}{AGENTS}");
    let ids = |profile| plan(&text, profile).into_iter().map(|trial| trial.id).collect::<Vec<_>>();
    for profile in ["quick", "ci", "full"] {
        assert_eq!(ids(profile), ids("seed"), "{profile}");
    }
}

#[test]
fn the_name_is_the_id_without_parameters_and_repeat() {
    let text = format!("kind = \"load\"\nrepeat = 2\n{PROCESS}{COMPOSE}{AGENTS}");
    let names: BTreeSet<String> = plan(&text, "seed").into_iter().map(|trial| trial.name).collect();
    let expected = ["load::checkout::compose", "load::checkout::process"];
    assert_eq!(names, BTreeSet::from(expected.map(str::to_owned)));
}

#[test]
fn every_kind_walks_the_phases_of_the_seed() {
    check_phases(
        &format!("kind = \"baseline\"\n{PROCESS}"),
        "seed",
        &[&["warmup 10/2 watched", "sample 30/2"]],
    );
    check_phases(
        &format!("kind = \"load\"\n{PROCESS}{AGENTS}"),
        "seed",
        &[
            &["settle 5/2 level 10 watched", "sample 60/2"],
            &["settle 5/2 level 20 watched", "sample 60/2"],
            &["settle 5/2 level 40 watched", "sample 60/2"],
            &["settle 5/2 level 80 watched", "sample 60/2"],
        ],
    );
    check_phases(
        &format!("kind = \"duration\"\n{PROCESS}{AGENTS}"),
        "seed",
        &[
            &["settle 5/2 level 40 watched", "active 60/2"],
            &["settle 5/2 level 40 watched", "active 120/2"],
            &["settle 5/2 level 40 watched", "active 240/2"],
            &["settle 5/2 level 40 watched", "active 480/2"],
        ],
    );
    check_phases(
        &format!("kind = \"reset\"\n{PROCESS}{AGENTS}"),
        "seed",
        &[&[
            "warmup 10/2 watched",
            "baseline 10/2",
            "settle#1 5/2 level 40 watched",
            "load#1 30/2",
            "settle#1 5/2 reset watched",
            "post#1 30/2",
        ]],
    );
}

#[test]
fn the_phases_that_are_read_are_those_that_the_protocol_names() {
    let phases = "duration.phases = { active = \"5m\", drain = \"2m\", cooldown = \"10m\" }";
    for (kind, keys) in
        [("baseline", ""), ("load", ""), ("duration", ""), ("duration", phases), ("reset", "")]
    {
        let text = format!("kind = \"{kind}\"\n{keys}\n{PROCESS}{AGENTS}");
        let (scenario, trials) = planned(&text, "full");
        let mut read: Vec<&str> = Vec::new();
        for phase in trials[0].phases.iter().filter(|phase| phase.sampled) {
            if !read.contains(&phase.name.as_str()) {
                read.push(&phase.name);
            }
        }
        assert_eq!(scenario.protocol.sampled(scenario.kind), read, "{text}");
    }
}

#[test]
fn a_reset_repeats_load_and_post_once_per_cycle() {
    let text = format!("kind = \"reset\"\n{PROCESS}{AGENTS}");
    let trials = plan(&text, "full");
    let cycles = |name: &str| {
        let phases = trials[0].phases.iter().filter(|phase| phase.name == name);
        phases.map(|phase| phase.cycle).collect::<Vec<_>>()
    };
    assert_eq!((cycles("load"), cycles("post")), (vec![1, 2, 3, 4], vec![1, 2, 3, 4]));
    assert_eq!(cycles("baseline"), [0]);
}

#[test]
fn a_duration_with_phases_is_one_trial_that_stops_the_load_once() {
    let with = |keys: &str| format!("kind = \"duration\"\n{keys}\n{PROCESS}{AGENTS}");
    let all = "duration.phases = { active = \"5m\", drain = \"2m\", cooldown = \"10m\" }\n\
               duration.intervals = { drain = \"4s\", cooldown = \"8s\" }";
    check_phases(
        &with(all),
        "seed",
        &[&["settle 5/2 level 40 watched", "active 300/2", "drain 120/4 stop", "cooldown 600/8"]],
    );
    check_ids(&with(all), &["duration::checkout::minutes=5"]);
    check_phases(
        &with("duration.phases = { active = \"90s\", cooldown = \"1m\" }"),
        "seed",
        &[&["settle 5/2 level 40 watched", "active 90/2", "cooldown 60/2 stop"]],
    );
    check_phases(
        &with("duration.minutes = [1]\nduration.agents = 3\nduration.intervals.active = \"1s\""),
        "seed",
        &[&["settle 5/2 level 3 watched", "active 60/1"]],
    );
}

#[test]
fn total_agents_are_the_level_times_the_groups() {
    let check = |text: String, expected: &[Option<u64>]| {
        let totals: Vec<_> = plan(&text, "seed").iter().map(|trial| trial.total_agents).collect();
        assert_eq!(totals, expected, "{text}");
    };
    let command = "[driver.command]\ncommand = [\"k6\"]\n";
    check(
        format!("kind = \"load\"\n{PROCESS}{AGENTS}"),
        &[Some(20), Some(40), Some(80), Some(160)],
    );
    check(
        format!("kind = \"load\"\n{PROCESS}{command}"),
        &[Some(10), Some(20), Some(40), Some(80)],
    );
    check(format!("kind = \"reset\"\n{PROCESS}{AGENTS}"), &[Some(80)]);
    check(format!("kind = \"baseline\"\n{PROCESS}{AGENTS}"), &[None]);
}

#[test]
fn placeholders_are_filled_in_and_the_drivers_own_stay() {
    let text = r#"
kind = "load"
load.levels = [7]
matrix = { size = ["small", "large"] }
[target.process]
build = "make {size}"
[[target.process.service]]
name = "api"
command = ["api", "--{size}", "{{size}", "${size}"]
[driver.agents]
base_url = "http://{size}"
spawn = { method = "POST", path = "/{group}/{agents}", body = '{"count": {count}, "size": "{size}"}' }
"#;
    let trials = plan(text, "seed");
    let large = serde_json::to_value(&trials[1]).unwrap();
    assert_eq!(large["target"]["process"]["build"], "make large");
    assert_eq!(
        large["target"]["process"]["service"][0]["command"],
        json!(["api", "--large", "{size}", "${size}"])
    );
    assert_eq!(large["driver"]["agents"]["base_url"], "http://large");
    assert_eq!(large["driver"]["agents"]["spawn"]["path"], "/{group}/7");
    assert_eq!(
        large["driver"]["agents"]["spawn"]["body"],
        r#"{"count": {count}, "size": "large"}"#
    );
    assert_eq!(large["params"], json!({ "size": "large", "agents": 7 }));
}

#[test]
fn the_driver_of_a_held_level_knows_its_agents() {
    for kind in ["duration", "reset"] {
        let driver = "[driver.command]\ncommand = [\"k6\", \"{agents}\"]\n";
        let trials = plan(&format!("kind = \"{kind}\"\n{PROCESS}{driver}"), "seed");
        let trial = serde_json::to_value(&trials[0]).unwrap();
        assert_eq!(trial["driver"]["command"]["command"], json!(["k6", "40"]), "{kind}");
    }
}

#[test]
fn a_parameter_of_the_plan_fills_in_where_the_target_is_brought_up() {
    let service =
        "[[target.process.service]]\nname = \"api\"\ncommand = [\"api\", \"{minutes}\"]\n";
    let trials = plan(&format!("kind = \"duration\"\n{service}{AGENTS}"), "seed");
    let trial = serde_json::to_value(&trials[3]).unwrap();
    assert_eq!(trial["target"]["process"]["service"][0]["command"], json!(["api", "8"]));
}

#[test]
fn repetitions_of_levels_multiply_and_a_shuffle_keeps_each_repetition_together() {
    let text =
        |keys: &str| format!("kind = \"load\"\nload.levels = [1, 2, 4]\n{keys}\n{PROCESS}{AGENTS}");
    check_ids(
        &text("repeat = 2\nload.repeat = 1"),
        &[
            "load::checkout::agents=1::r=1",
            "load::checkout::agents=1::r=2",
            "load::checkout::agents=2::r=1",
            "load::checkout::agents=2::r=2",
            "load::checkout::agents=4::r=1",
            "load::checkout::agents=4::r=2",
        ],
    );
    let ids = |keys: &str| -> Vec<String> {
        plan(&text(keys), "seed").into_iter().map(|trial| trial.id).collect()
    };
    let (sorted, shuffled) = (
        ids("repeat = 2\nload.repeat = 4"),
        ids("repeat = 2\nload.repeat = 4\nload.shuffle = true"),
    );
    assert_eq!(sorted.len(), 3 * 8);
    let set = |ids: &[String]| ids.iter().cloned().collect::<BTreeSet<String>>();
    assert_eq!(set(&sorted), set(&shuffled));
    let blocks: Vec<Vec<&str>> = shuffled
        .chunks(3)
        .enumerate()
        .map(|(block, ids)| {
            let end = format!("::r={}", block + 1);
            let level = |id: &'_ String| -> &'static str {
                assert!(id.ends_with(&end), "{id} in block {}", block + 1);
                ["1", "2", "4"]
                    .into_iter()
                    .find(|at| id.contains(&format!("agents={at}::")))
                    .unwrap()
            };
            ids.iter().map(level).collect()
        })
        .collect();
    for block in &blocks {
        assert_eq!(block.iter().collect::<BTreeSet<_>>().len(), 3, "{blocks:?}");
    }
    assert!(blocks.iter().collect::<BTreeSet<_>>().len() >= 3, "{blocks:?}");
}

fn values() -> impl Strategy<Value = Vec<String>> {
    let value = prop_oneof![
        any::<i16>().prop_map(|n| n.to_string()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        "[a-z0-9=:/. -]{1,6}"
            .prop_filter("refused", |text| !text.contains("::"))
            .prop_map(|text| format!("{text:?}")),
    ];
    proptest::collection::vec(value, 1..4).prop_filter("refused", |values| {
        let shown: BTreeSet<&str> = values.iter().map(|value| value.trim_matches('"')).collect();
        shown.len() == values.len()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn ids_are_unique_and_planning_is_deterministic(
        matrix in proptest::collection::vec(values(), 0..4),
        levels in proptest::collection::btree_set(0_u32..100, 1..4),
        repeat in 1_u32..4,
        both in any::<bool>(),
        shuffle in any::<bool>(),
    ) {
        let rows = matrix.iter().enumerate();
        let rows: String =
            rows.map(|(i, values)| format!("matrix.p{i} = [{}]\n", values.join(", "))).collect();
        let compose = if both { COMPOSE } else { "" };
        let levels: Vec<u32> = levels.into_iter().collect();
        let text = format!(
            "kind = \"load\"\nload.levels = {levels:?}\nload.shuffle = {shuffle}\nload.repeat = {repeat}\n\
             {rows}{compose}{PROCESS}{AGENTS}"
        );
        let first = plan(&text, "seed");
        let ids: BTreeSet<&str> = first.iter().map(|trial| trial.id.as_str()).collect();
        let combinations: usize = matrix.iter().map(Vec::len).product();
        let expected = combinations * levels.len() * repeat as usize * (1 + usize::from(both));
        prop_assert_eq!(ids.len(), expected);
        prop_assert_eq!(first.len(), expected);
        prop_assert_eq!(&first, &plan(&text, "seed"));
    }
}
