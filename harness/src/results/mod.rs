//! What was measured, on disk: the journal is the truth, `results.json` is assembled from it.

pub mod directory;
pub mod document;
pub mod journal;

mod read;
mod samples;

pub use directory::RunDirectory;
pub use document::{Environment, OomEvent, Results, SCHEMA_VERSION, SamplerCost, TrialRecord};
pub use journal::{Journal, Line, TrialHeader};
pub use read::{ResultsError, parse, read};

#[cfg(test)]
mod tests;
