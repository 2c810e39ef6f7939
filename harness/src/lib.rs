//! Performance tests inside `cargo test`: start a real system, load it, read it, and get a verdict.
//!
//! The pure half (`model` to `report`) reads, judges and prints results without starting anything, and builds
//! without the feature `run`; the run half (`host` to `suite`) brings systems up, loads and reads them.

pub mod model;

pub mod analysis;
#[cfg(feature = "run")]
pub mod command;
#[cfg(feature = "run")]
pub mod drive;
pub mod gate;
#[cfg(feature = "run")]
pub mod host;
pub mod plan;
#[cfg(feature = "run")]
pub mod probe;
pub mod report;
pub mod results;
#[cfg(feature = "run")]
pub mod run;
pub mod scenario;
pub mod simulate;
#[cfg(feature = "run")]
pub mod suite;
#[cfg(feature = "run")]
pub mod target;

/// For implementing [`drive::Driver`], [`probe::Probe`] and [`target::Target`].
#[cfg(feature = "run")]
pub use async_trait::async_trait;
#[cfg(feature = "run")]
pub use suite::Suite;
/// The settings of registered drivers and probes are TOML.
pub use toml;
