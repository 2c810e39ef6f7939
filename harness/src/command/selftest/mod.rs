//! How often each rule is wrong: the rules are applied to data with a known truth, and counted.

pub mod rate;
pub mod resets;

mod paper;

pub use rate::{Expected, Rate};
