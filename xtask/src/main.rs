//! The commands of this repository: those that the library gives everybody, and its own.

mod fixtures;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use proofload::command::{self, EXIT_CODES};

/// Proofload's own repository: judge, compare and set up performance tests, and keep the tree in order.
#[derive(Parser)]
#[command(name = "xtask", bin_name = "cargo xtask", max_term_width = 100, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
#[expect(clippy::large_enum_variant, reason = "one per process; a box would only be in the way")]
enum Command {
    #[command(flatten)]
    Library(command::Command),
    /// Check the rules of the tree: layers, doors of outside crates, lengths, docs, README tables
    Tidy,
    /// Build what the demos run: the static workload, and its image where a Docker daemon answers
    Fixtures,
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Library(command) => command::run(command),
        Command::Tidy => tidy::run(&root()),
        Command::Fixtures => fixtures::run(&root()),
    }
}

/// The root of this repository.
fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}
