//! `testbed`: two hosts and two guests on this machine, for trials that go over a real network.
//!
//! A host is a set of namespaces with its own sshd, Open vSwitch (userspace datapath) and libvirt; a guest is a libvirt
//! domain under qemu without KVM. `part::Part` names what there is: `up` starts the parts that are missing,
//! `status` looks at each, and `down` ends exactly what was recorded.

mod down;
mod guest;
mod node;
mod packages;
mod part;
mod record;
mod state;
mod step;
mod texts;
mod truth;
mod up;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use serde::Serialize;

use self::state::State;
use super::runtime::{Interrupts, runtime};
use super::{Answer, Failure};
use crate::report::table;

/// The arguments of `testbed`.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// What to do with it
    #[command(subcommand)]
    pub action: Action,
    /// Where keys, the guests' image, records and logs are kept: a directory that `up` makes, or that is empty; not below
    /// /tmp, /run or /root
    #[arg(long, global = true, value_name = "DIR", default_value = state::DEFAULT)]
    pub state: PathBuf,
    /// How to print
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// What can be done with the testbed.
#[derive(Clone, Debug, Subcommand)]
pub enum Action {
    /// Build it, or start again what died of it
    ///
    /// Installs the Debian packages that are missing, after saying which, and starts none of their services.
    Up {
        /// Where the guests' Debian comes from, when their image has to be built
        #[arg(long, value_name = "URL", default_value = guest::MIRROR)]
        mirror: String,
    },
    /// End exactly what `up` started; the guests' image and the keys are kept
    Down {
        /// Remove the state directory too
        #[arg(long)]
        purge: bool,
    },
    /// Say of each part whether it is there; exits with 4 where one is missing
    Status,
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a terminal.
    Text,
    /// One object, for a program.
    Json,
}

pub(super) fn run(arguments: &Arguments) -> Result<Answer, Failure> {
    let state = State::at(&arguments.state).map_err(Failure::usage)?;
    let is_made = state.is_made().map_err(Failure::usage)?;
    require_root()?;
    let runtime = runtime()?;
    let _lock = match &arguments.action {
        Action::Status => None,
        // What was started is found without it, and it need not be made for that.
        Action::Down { .. } if !is_made => None,
        Action::Up { .. } | Action::Down { .. } => Some(state.lock()?),
    };
    match &arguments.action {
        Action::Up { mirror } => runtime.block_on(up_or_undo(&state, mirror))?,
        Action::Down { purge } => {
            let ended = runtime.block_on(down::run(&state)).map_err(Failure::rig)?;
            if *purge {
                state.remove().map_err(Failure::rig)?;
            }
            return Ok(Answer::pass(ended_text(&ended, arguments.format)?));
        }
        Action::Status => {}
    }
    let rows = runtime.block_on(part::look_at_all(&state));
    let code = if is_up(&rows) { 0 } else { 4 };
    let text = match arguments.format {
        Format::Text => text(&rows, state.root()),
        Format::Json => json(&serde_json::json!({ "up": is_up(&rows), "parts": rows }))?,
    };
    Ok(Answer { text, code })
}

/// Brings it up. When that is interrupted, nothing of it stays, unless its hosts ran before.
///
/// What a failed step leaves stays for a look at it.
async fn up_or_undo(state: &State, mirror: &str) -> Result<(), Failure> {
    let mut interrupts = Interrupts::listen()?;
    let ran = up::hosts_run(state).map_err(Failure::rig)?;
    let code = tokio::select! {
        result = up::run(state, mirror) => return result.map_err(Failure::rig),
        code = interrupts.code() => code,
    };
    let message = match down_unless(state, ran).await {
        Ok(false) => "interrupted: the testbed ran before, and was left as it is".to_owned(),
        Ok(true) => "interrupted: what was started has been ended".to_owned(),
        Err(error) => format!("interrupted; {error}: run `testbed down`"),
    };
    Err(Failure { code, message })
}

/// Ends everything unless it ran before. True where it did.
async fn down_unless(state: &State, ran: bool) -> Result<bool, step::StepError> {
    if !ran {
        down::run(state).await?;
    }
    Ok(!ran)
}

/// How a part stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Row {
    part: String,
    state: Standing,
    /// What was seen, or why it counts as missing.
    found: String,
}

/// Whether a part is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Standing {
    Ok,
    Missing,
}

fn is_up(rows: &[Row]) -> bool {
    rows.iter().all(|row| row.state == Standing::Ok)
}

fn text(rows: &[Row], root: &Path) -> String {
    let lines = rows.iter().map(|row| {
        let state = if row.state == Standing::Ok { "ok" } else { "missing" };
        vec![state.to_owned(), row.part.clone(), row.found.clone()]
    });
    let table = table::render(&["state", "part", "found"], lines);
    let end = if is_up(rows) {
        format!("up: ssh -F {}/ssh_config host-server", root.display())
    } else {
        "not up: run `testbed up`, which starts what is missing".to_owned()
    };
    format!("{table}\n{end}\n")
}

fn ended_text(ended: &[String], format: Format) -> Result<String, Failure> {
    match format {
        Format::Json => json(&serde_json::json!({ "ended": ended })),
        Format::Text if ended.is_empty() => Ok("down: there was nothing to end\n".to_owned()),
        Format::Text => {
            let lines: String = ended.iter().map(|what| format!("   ended  {what}\n")).collect();
            Ok(lines + "down\n")
        }
    }
}

fn json(value: &serde_json::Value) -> Result<String, Failure> {
    serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(Failure::rig)
}

fn require_root() -> Result<(), Failure> {
    use std::os::unix::fs::MetadataExt as _;
    // The owner of a process's own directory is its effective user.
    let user = std::fs::metadata("/proc/self").map_err(Failure::rig)?.uid();
    if user == 0 {
        return Ok(());
    }
    Err(Failure::rig(
        "the testbed makes network namespaces, which only root may: run it with sudo, on a machine for tests",
    ))
}

/// How long one look at a part may take: on a busy machine an emulated guest needs many seconds for a key exchange.
const LOOK: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests;
