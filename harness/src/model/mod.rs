//! The nouns that every other part speaks of: what can be measured, what was read, what happened, what must hold.
//!
//! Nothing here does I/O or knows a clock. Values are in base units (bytes, seconds, ratio, count, bit/s);
//! only `report` turns them into something shorter to read.

pub mod event;
pub mod kind;
pub mod member;
pub mod metric;
pub mod params;
pub mod phase;
pub mod quantity;
pub mod rules;
pub mod sample;
pub mod spec;
pub mod template;
pub mod threshold;
pub mod verdict;

pub use event::{Event, EventKind, Incident};
pub use kind::Kind;
pub use member::{Handle, Member};
pub use metric::{Better, Metric, Unit};
pub use params::{Param, Params};
pub use phase::{Action, Phase};
pub use rules::Rules;
pub use sample::{Observation, Reading, Sample};
pub use threshold::{Op, Severity, Stat, Threshold};
pub use verdict::{Outcome, Verdict};
