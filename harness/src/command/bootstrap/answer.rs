//! What is printed: [`text`] for people, [`json`] for programs, and [`remarks`] for standard error.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Arguments, Outcome};
use crate::scenario::network::full::Facts;
use crate::target::testbed::discovery::Discovery;

/// What somebody has to know who does not read the answer: what was taken instead, what is missing, why it ends so.
pub(super) fn remarks(outcome: &Outcome) -> Vec<String> {
    let mut lines: Vec<String> = outcome.notes.iter().map(|note| format!("note: {note}")).collect();
    let missing = &outcome.discovery.missing;
    lines.extend(missing.iter().map(|missing| format!("missing: {missing}")));
    match &outcome.failure {
        Some((_, why)) => lines.push(format!("rig: {why}")),
        None if !missing.is_empty() => lines.push(
            "note: no address of a test pair is among what is missing, so tests can run without it"
                .to_owned(),
        ),
        None => {}
    }
    lines
}

/// Facts, commands, cases and files.
pub(super) fn text(arguments: &Arguments, outcome: &Outcome) -> String {
    let mut text = String::new();
    let width = outcome.full.discovered.names().map(str::len).max().unwrap_or(0);
    for (name, facts) in &outcome.full.discovered.0 {
        let _ = writeln!(text, "{name:width$}  {}", told(facts, outcome, name));
    }
    if arguments.verbose || arguments.dry_run {
        text.push_str("\ntried:\n");
        for tried in &outcome.discovery.tried {
            let command = tried.command.replace('\n', "\n    ");
            let _ = writeln!(text, "  {}: {command} [exit code {}]", tried.node, tried.code);
        }
    }
    if arguments.list_cases {
        text.push_str("\ncases:\n");
        for case in outcome.expansion.iter().flat_map(|expansion| &expansion.cases) {
            let _ = writeln!(
                text,
                "  {:>3}  {:<4}  {}\n       {}",
                case.id, case.environment, case.name, case.command
            );
        }
    }
    text.push('\n');
    for (path, content) in &outcome.files {
        if arguments.dry_run {
            let _ = writeln!(text, "would write {}:\n{content}", path.display());
        } else {
            let _ = writeln!(text, "wrote {}", path.display());
        }
    }
    if let Some(expansion) = &outcome.expansion {
        let _ = writeln!(text, "{} cases", expansion.cases.len());
    }
    text
}

fn told(facts: &Facts, outcome: &Outcome, name: &str) -> String {
    let mut parts = Vec::new();
    match (facts.test_ip, &facts.interface) {
        (Some(ip), Some(interface)) => parts.push(format!("{ip} on {interface}")),
        (None, Some(interface)) => parts.push(format!("{interface} without address")),
        _ => parts.push("no address".to_owned()),
    }
    parts.extend(facts.mac.clone());
    parts.extend(facts.vm_interface.as_ref().map(|vnet| format!("at {vnet} of the host")));
    parts.extend(facts.bridge.as_ref().map(|bridge| format!("bridge {bridge}")));
    parts.extend(facts.uplink_bridge.as_ref().map(|bridge| format!("uplink {bridge}")));
    parts.extend(facts.physical_interface.as_ref().map(|physical| {
        let nics = facts.nics.iter().map(|nic| match nic.speed {
            Some(speed) => format!("{} {} Gbit/s", nic.name, speed as f64 / 1e9),
            None => nic.name.clone(),
        });
        format!("out by {physical} ({})", nics.collect::<Vec<_>>().join(", "))
    }));
    parts.extend(facts.qemu_pid.map(|pid| format!("qemu {pid}")));
    let vm = outcome.discovery.vms.get(name);
    parts.extend(vm.and_then(|vm| vm.vhost.as_ref()).map(|_| {
        let pids: Vec<String> = facts.vhost_pids.iter().map(ToString::to_string).collect();
        match pids.is_empty() {
            true => "no vhost threads".to_owned(),
            false => format!("vhost {}", pids.join(" ")),
        }
    }));
    parts.join(", ")
}

/// One object with all facts.
///
/// # Errors
/// Those of `serde_json`.
pub(super) fn json(arguments: &Arguments, outcome: &Outcome) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Whole<'a> {
        environment: &'a str,
        discovery: &'a Discovery,
        notes: &'a [String],
        /// Why it cannot be gone on with.
        failure: Option<&'a str>,
        cases: Option<usize>,
        written: bool,
        files: Vec<String>,
    }
    let whole = Whole {
        environment: &outcome.full.environment,
        discovery: &outcome.discovery,
        notes: &outcome.notes,
        failure: outcome.failure.as_ref().map(|(_, why)| why.as_str()),
        cases: outcome.expansion.as_ref().map(|expansion| expansion.cases.len()),
        written: !arguments.dry_run && !outcome.files.is_empty(),
        files: outcome.files.iter().map(|(path, _)| path.display().to_string()).collect(),
    };
    Ok(serde_json::to_string_pretty(&whole)? + "\n")
}
