//! The suite and its commands as their users see them. One binary: add a module, not a file beside this one.
//!
//! The suite under test is `examples/custom.rs`, which `cargo test` builds, in a process and over a [`Workspace`] of
//! its own. Its services are `sleep 60`, its phases take milliseconds, and no test needs Docker or a network.
//!
//! [`Workspace`]: workspace::Workspace

mod ab;
mod analyze;
mod compare;
mod compare_runs;
mod compare_table;
mod exit_codes;
mod files;
mod help;
mod history;
mod init;
mod iterate;
mod killed;
mod listing;
mod network;
mod nextest;
mod scenarios;
mod selection;
mod signals;
mod workspace;
