//! [`Failure`]: why nothing could be run or answered.

use std::fmt;

/// The exit code of bad input: arguments, scenario files, the environment.
const USAGE: u8 = 2;
/// The exit code of a broken rig.
pub(super) const RIG: u8 = 4;

/// Why there is nothing to run, or no way to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// 2 where the user can mend it, 4 where the environment failed, 130 or 143 of an interrupted run.
    pub code: u8,
    /// For standard error.
    pub message: String,
}

impl Failure {
    /// Bad arguments or bad input.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self { code: USAGE, message: message.to_string() }
    }

    /// The environment failed: a disk, a program that is not there.
    pub fn rig(message: impl fmt::Display) -> Self {
        Self { code: RIG, message: format!("rig: {message}") }
    }
}
