//! What was measured, on disk: the journal is the truth, `results.json` is assembled from it.

pub mod directory;
pub mod document;
pub mod journal;
pub mod network;
pub mod perf_conf;
pub mod rhs;

mod read;
mod samples;

pub use directory::RunDirectory;
pub use document::{Environment, OomEvent, Results, SCHEMA_VERSION, SamplerCost, TrialRecord};
pub use journal::{Journal, Line, TrialHeader};
pub use network::Traffic;
pub use perf_conf::PerfConf;
pub(crate) use read::SEED_RESET;
pub use read::{ResultsError, parse, read};
pub use rhs::RhsTable;

#[cfg(test)]
mod tests;
