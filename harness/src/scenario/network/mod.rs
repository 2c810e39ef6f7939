//! The configuration directory of network cases, as it stands on disk: what the user wrote, what was found, and the
//! cases that follow.
//!
//! [`Minimal`] is `minimal-input.yaml`, [`Template`] is `tools-template.yaml`; `cargo xtask bootstrap` finds out the
//! rest and writes [`Full`], `<env>-full.yaml`, and [`Cases`], `<env>-cases.json`. [`expand()`](expand::expand) turns a template into cases.

pub mod cases;
pub mod config;
mod current;
pub mod expand;
pub mod flows;
pub mod full;
pub mod minimal;
pub mod selection;
pub mod sound;
pub mod template;
pub mod yaml;

pub use cases::{Case, Cases};
pub use config::Config;
pub use expand::{Expansion, expand};
pub use full::Full;
pub use minimal::Minimal;
pub use template::Template;
pub use yaml::{Located, Ordered};
