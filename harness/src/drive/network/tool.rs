//! [`NetTool`]: a program that measures the network between two nodes. It names command lines and reads what they
//! print; it starts nothing.
//!
//! [`TOOLS`] are those there are.

use std::net::IpAddr;

use super::figures::Figures;
use super::{iperf3::Iperf3, netperf::Netperf, ping::Ping};
use crate::model::spec::network::Flow;

/// Where one process of a flow runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Between {
    /// The address that is listened on.
    pub server: IpAddr,
    /// The address that is sent from.
    pub client: IpAddr,
    /// The port of the server.
    pub port: u16,
}

/// How a client ended and what it printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Printed {
    /// Its exit code.
    pub code: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// A network tool.
pub trait NetTool: Sync {
    /// Its name in configurations.
    fn name(&self) -> &'static str;

    /// What its output is kept as: the extension of a file.
    fn extension(&self) -> &'static str;

    /// The server's program and arguments: it stays in the foreground and listens on TCP `between.port`. `None` where
    /// the client needs none.
    fn server(&self, flow: &Flow, between: Between) -> Option<Vec<String>>;

    /// The client's program and arguments, run with the locale `C`.
    ///
    /// # Errors
    /// What the tool cannot do of the flow; a lower-case fragment.
    fn client(&self, flow: &Flow, between: Between) -> Result<Vec<String>, String>;

    /// What one client measured.
    ///
    /// # Errors
    /// [`Refused`] for anything but a whole flow of the length that was asked for.
    fn parse(&self, printed: &Printed, flow: &Flow) -> Result<Figures, Refused>;
}

/// Every network tool.
pub const TOOLS: &[&dyn NetTool] = &[&Iperf3, &Netperf, &Ping];

/// The tool of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn NetTool> {
    TOOLS.iter().copied().find(|tool| tool.name() == name)
}

/// A flow that did not come about, or not as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The tool says that it failed.
    #[error("{0}")]
    Failed(String),
    /// Nothing arrived.
    #[error("nothing arrived{0}")]
    Zero(String),
    /// It ended early or stalled: less than 80% of what was asked for came about. What did is said.
    #[error("{0}")]
    Short(String),
    /// What it printed breaks off, or lacks the figures of the whole flow.
    #[error("the output is not whole: {0}")]
    Incomplete(String),
}

/// The part of what was asked for that must at least have come about: of the length of a flow, or of its requests.
pub(super) const WHOLE: f64 = 0.8;

/// Holds a flow's length to what was asked for.
pub(super) fn long_enough(lasted: f64, flow: &Flow) -> Result<(), Refused> {
    let asked = flow.length.0.as_secs_f64();
    // Written so that a length which is no number is short as well.
    match lasted >= asked * WHOLE {
        true => Ok(()),
        false => Err(Refused::Short(format!("the flow lasted {lasted:.2} s of {asked:.2} s"))),
    }
}

/// The last lines that a tool printed to tell why it failed, as one.
pub(super) fn own_words(printed: &Printed) -> String {
    let spoken: Vec<&str> = [&printed.stdout, &printed.stderr]
        .into_iter()
        .flat_map(|text| text.lines())
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let last = &spoken[spoken.len().saturating_sub(4)..];
    match last {
        [] => format!("exit status {} without a word", printed.code),
        last => format!("exit status {}: {}", printed.code, last.join("; ")),
    }
}

/// Words of a command line.
pub(super) fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).into()
}

#[cfg(test)]
mod tests;
