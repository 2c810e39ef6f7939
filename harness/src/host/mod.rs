//! Where commands run: on this machine in a group of their own, waited for, and marked so that a later run can end
//! what a killed one left.

pub mod command;
mod environment;
pub mod group;
pub mod hooks;
pub mod http;
pub mod log;
pub mod node;
pub mod owner;
pub mod procfs;
pub mod quote;
pub mod wait;

pub use command::{Command, CommandError, Output, run};
pub use group::ProcessGroup;
pub use node::Node;
pub use wait::{Check, WaitError, wait_for};
