//! How often each rule is wrong: the rules are applied to data with a known truth, and counted.

pub mod rate;

pub use rate::{Expected, Rate};
