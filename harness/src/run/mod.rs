//! The walk of one trial: a target comes up, phases are walked while it is loaded and read, and it goes down again.
//!
//! [`trial`] does it all and says how it ended. It knows phases, not kinds; it measures and never judges.

mod clock;
mod environment;
mod rig;
mod sampler;
mod walk;

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::results::Line;

pub use environment::environment;
pub use rig::{OpenProbes, Parts, Rig, driver, probes};
pub use walk::{Walked, trial};

/// What follows from a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing.
    GoOn,
    /// Something that the reader of the results should know.
    Note(String),
    /// The walk is over, for this reason.
    End(String),
}

/// What a walk tells as it goes.
pub trait Observer: Send {
    /// Keeps a line of the journal.
    ///
    /// # Errors
    /// Why it could not be kept, such as a full disk. The walk then ends as broken.
    fn record(&mut self, line: Line) -> Result<(), String>;

    /// Shows what is going on, and for how long yet where that is known.
    fn progress(&mut self, doing: &str, left: Option<Duration>);
}
