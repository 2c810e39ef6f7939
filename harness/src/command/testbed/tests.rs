//! What is printed of the testbed, and what of its options.

use super::*;

fn row(part: &str, state: Standing) -> Row {
    Row { part: part.into(), state, found: "as seen".into() }
}

#[test]
fn it_is_up_when_no_part_is_missing() {
    let check = |states: &[Standing], up: bool, told: &str| {
        let rows: Vec<Row> = states.iter().map(|state| row("host-server: sshd", *state)).collect();
        assert_eq!(is_up(&rows), up, "{states:?}");
        let text = text(&rows, Path::new("/var/lib/x"));
        assert!(text.contains(told), "{text}");
    };
    check(&[Standing::Ok, Standing::Ok], true, "up: ssh -F /var/lib/x/ssh_config host-server\n");
    check(&[Standing::Ok, Standing::Missing], false, "not up: run `testbed up`");
}

#[test]
fn what_was_ended_is_told() {
    assert_eq!(ended_text(&[], Format::Text).unwrap(), "down: there was nothing to end\n");
    let ended = ["host-server (pid 7)".to_owned()];
    assert!(ended_text(&ended, Format::Text).unwrap().contains("ended  host-server (pid 7)\n"));
    let object: serde_json::Value =
        serde_json::from_str(&ended_text(&ended, Format::Json).unwrap()).unwrap();
    assert_eq!(object["ended"][0], "host-server (pid 7)");
}

#[test]
fn the_scripts_are_for_any_posix_shell() {
    let scripts = up::SCRIPTS.iter().map(|(_, text)| *text);
    for script in scripts.chain([include_str!("image.sh")]) {
        assert!(script.starts_with("#!/bin/sh\n# "), "{}", script.lines().next().unwrap_or(""));
        assert!(!script.contains("[[") && !script.contains("pkill"), "{script}");
    }
}
