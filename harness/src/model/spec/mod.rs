//! What a scenario asks for by name: targets, drivers and probes, as data. The run half makes them real.

pub mod driver;
pub mod network;
pub mod probe;
pub mod target;

pub use driver::DriverSpec;
pub use network::{NetworkSpec, TestbedSpec};
pub use probe::ProbeSpec;
pub use target::TargetSpec;
