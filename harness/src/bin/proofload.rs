//! The commands of Proofload for repositories that have no xtask.

use std::process::ExitCode;

use clap::Parser;
use proofload::command::{self, Command, EXIT_CODES};

/// Judge, compare and set up performance tests that run inside `cargo test`.
#[derive(Parser)]
#[command(version, max_term_width = 100, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    command::run(Cli::parse().command)
}
