//! Comparisons: one trial that holds two.

use serde_json::json;

use super::{check_ids, plan};

const SIDES: &str = r#"
kind = "load"
load.levels = [7]
[ab]
a = { version = "1.4", size = 10 }
b = { version = "1.5", size = 20 }
[target.process]
build = "make {version}"
service = [{ name = "api", command = ["bin/{version}/api", "{ab}"], env = { SIZE = "{size}" }, cwd = "trees/{ab}" }]
[driver.agents]
base_url = "http://127.0.0.1:1"
spawn = { method = "POST", path = "/{version}/{agents}/{group}" }
"#;

#[test]
fn a_comparison_is_one_trial_that_holds_both_sides() {
    check_ids(SIDES, &["load::checkout::agents=7"]);
    let trial = plan(SIDES, "seed").remove(0);
    assert!(trial.params.get("ab").is_none() && trial.side.is_empty());
    let sides = trial.comparison.unwrap();
    assert_eq!(sides.a.id, "load::checkout::agents=7::ab=a");
    assert_eq!(sides.b.params.to_string(), "agents=7,ab=b", "the values are no identity");
    assert_eq!(sides.b.placeholders().get("version").unwrap().to_string(), "1.5");
    let target = serde_json::to_value(&sides.b.target).unwrap();
    let service = &target["process"]["service"][0];
    assert_eq!(target["process"]["build"], "make 1.5");
    assert_eq!(service["command"], json!(["bin/1.5/api", "b"]));
    assert_eq!((&service["env"]["SIZE"], &service["cwd"]), (&json!("20"), &json!("trees/b")));
    let driver = serde_json::to_value(&sides.a.driver).unwrap();
    assert_eq!(driver["agents"]["spawn"]["path"], "/1.4/7/{group}");
    assert_eq!(sides.a.rules.ab.as_ref().unwrap().looks, [3, 5, 7, 10]);
    assert!(sides.ends_block(1) && sides.budget_key == "ab.budget", "it may end after any pair");
    assert!(plan(&SIDES.replace("[ab]", "[ab]\nwarmup = false"), "seed")[0].comparison.is_some());
}

#[test]
fn a_side_is_walked_to_its_end_whatever_is_seen_of_leaks() {
    let over = "kind = \"duration\"\nleak.confirm = true";
    let text = SIDES.replace("kind = \"load\"\nload.levels = [7]", over);
    let alone = text.replace("{version}", "1").replace("{size}", "2").replace("{ab}", "c");
    let (start, end) = (alone.find("[ab]").unwrap(), alone.find("[target").unwrap());
    let alone = [&alone[..start], &alone[end..]].concat();
    let alone = &plan(&alone, "full")[0].rules.leak;
    assert!(alone.looks.len() == 2 && alone.confirm, "without sides both apply");
    let sides = plan(&text, "full").remove(0).comparison.unwrap();
    for side in [&sides.a, &sides.b].into_iter().chain(&sides.pair(1)) {
        assert!(side.rules.leak.looks.is_empty() && !side.rules.leak.confirm, "{}", side.id);
    }
}

#[test]
fn the_order_of_a_pair_alternates_after_the_warm_up() {
    let sides = plan(SIDES, "seed").remove(0).comparison.unwrap();
    let order: Vec<String> = (0..5)
        .flat_map(|pair| sides.pair(pair))
        .map(|run| {
            assert_eq!(
                run.id,
                format!(
                    "load::checkout::agents=7::ab={}::r={}",
                    run.params.get("ab").unwrap(),
                    run.repeat
                )
            );
            format!("{}{}", run.params.get("ab").unwrap(), run.repeat)
        })
        .collect();
    assert_eq!(order.join(" "), "a0 b0 a1 b1 b2 a2 a3 b3 b4 a4");
}
