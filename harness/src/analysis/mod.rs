//! Facts drawn from results.

pub mod describe;
pub mod fit;
pub mod regression;
