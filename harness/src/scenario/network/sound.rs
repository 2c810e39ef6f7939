//! What network trials may ask for: the rules that scenarios and workflow files are both held to.
//!
//! Each says what it expected; the caller knows the place.

use std::ops::RangeInclusive;
use std::path::{Component, Path};

use super::flows::TOOLS;
use crate::model::Param;
use crate::model::quantity::Length;
use crate::model::spec::network::{Flow, Hook, NodeSpec, Test};
use crate::scenario::check::{is_name, placeholders};
use crate::scenario::error::hint;

/// Names of a trial's own parameters and phases, which nothing else may have.
pub const OWN: [&str; 5] = ["tool", "category", "environment", "start", "stop"];

/// Those of its parameters.
pub const PARAMS: &[&str] = OWN.split_at(3).0;

/// Bytes of a write, datagram or request.
pub const BLOCK: RangeInclusive<u32> = 1..=1_048_576;

/// Blocks of a comparison, and walks of a baseline.
///
/// # Errors
/// A sentence.
pub fn repeat(repeat: u32) -> Result<(), String> {
    let most = crate::scenario::Scenario::MOST_REPEATS;
    require((2..=most).contains(&repeat), || {
        format!(
            "expected at least 2 blocks and at most {most}, found {repeat}: a block is two pairs, and a verdict needs three"
        )
    })
}

/// By how much a figure may be worse.
///
/// # Errors
/// A sentence.
pub fn limit(limit: f64) -> Result<(), String> {
    require(limit > 0.0 && limit < 1.0, || {
        format!("expected a fraction above 0 and below 1, for example 0.05, found {limit}")
    })
}

/// A time that something takes, or that lies between two readings.
///
/// # Errors
/// A sentence.
pub fn time(length: Length) -> Result<(), String> {
    require(!length.0.is_zero(), || "expected a time above 0, for example \"10s\"".to_owned())
}

/// A name of a network tool.
///
/// # Errors
/// A sentence.
pub fn tool(name: &str) -> Result<(), String> {
    require(TOOLS.contains(&name), || {
        let suggestion = hint(name, TOOLS.iter().copied());
        format!("unknown network tool {name:?}{suggestion}: expected {}", TOOLS.join(", "))
    })
}

/// What a network tool is asked to send.
///
/// # Errors
/// The key of the flow, and a sentence.
pub fn flow(flow: &Flow) -> Result<(), (&'static str, String)> {
    time(flow.length).map_err(|message| ("length", message))?;
    let last = u32::from(flow.port).checked_add(flow.processes);
    let fits = flow.port > 0 && last.is_some_and(|last| last <= 65536);
    require(flow.processes > 0 && flow.streams > 0 && fits, || {
        format!(
            "expected at least one process and one stream, on ports up to 65535, found {} and {} from port {} on",
            flow.processes, flow.streams, flow.port
        )
    })
    .map_err(|message| ("processes", message))?;
    require(flow.rate.is_none_or(|rate| rate > 0.0 && rate.is_finite()), || {
        "expected a rate above 0 bit/s".to_owned()
    })
    .map_err(|message| ("rate", message))?;
    require(flow.block.is_none_or(|block| BLOCK.contains(&block)), || {
        "expected a size from 1 B to 1 MiB".to_owned()
    })
    .map_err(|message| ("block", message))
}

/// A test's name among those before it, and its length.
///
/// # Errors
/// A sentence.
pub fn test(test: &Test, before: &[Test], interval: Length) -> Result<(), String> {
    let is_new = !before.iter().any(|other| other.name == test.name);
    let is_free = is_name(&test.name) && !OWN.contains(&test.name.as_str());
    require(is_new && is_free, || {
        format!(
            "expected a test's name of its own, of letters, digits, - _ and ., found {:?}",
            test.name
        )
    })?;
    let least = interval.0.checked_mul(2);
    require(least.is_some_and(|least| test.flow.length.0 >= least), || {
        format!(
            "{}: expected at least two intervals of {interval}, found {}",
            test.name, test.flow.length
        )
    })
}

/// A hook: what it does, and where.
///
/// # Errors
/// Its key, and a sentence.
pub fn hook(hook: &Hook, nodes: &[NodeSpec]) -> Result<(), (&'static str, String)> {
    let Hook { name, node, init, post, .. } = hook;
    require(init.is_some() || post.is_some(), || {
        format!("hook {name:?} does nothing: expected `init`, `post` or both")
    })
    .map_err(|message| ("name", message))?;
    let Some(node) = node else { return Ok(()) };
    let known = || nodes.iter().map(|node| node.name.as_str());
    require(known().any(|name| name == node), || {
        let suggestion = hint(node, known());
        let known: Vec<&str> = known().collect();
        format!("unknown node {node:?}{suggestion}: expected one of {}", known.join(", "))
    })
    .map_err(|message| ("node", message))
}

/// A parameter of a case or of the matrix.
///
/// # Errors
/// A sentence.
pub fn param(name: &str, value: &Param) -> Result<(), String> {
    require(!OWN.contains(&name), || {
        format!("{name:?} cannot name a parameter: trials have one of that name")
    })?;
    placeholders::is_free(name)?;
    part(&value.to_string()).map_err(|message| format!("{name}: {message}"))
}

/// A value that is a part of a trial's id.
///
/// # Errors
/// A sentence.
pub fn part(value: &str) -> Result<(), String> {
    placeholders::is_clear(value)
}

/// A path that stays below the directory that it is relative to.
///
/// # Errors
/// A sentence.
pub fn below(path: &str) -> Result<(), String> {
    let mut parts = Path::new(path).components();
    let is_below = !path.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)));
    require(is_below, || {
        format!(
            "expected a relative path without \"..\", which stays below the workdir, found {path:?}"
        )
    })
}

fn require(holds: bool, message: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(message()) }
}
