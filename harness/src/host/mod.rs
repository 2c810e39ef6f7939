//! Where commands run.

pub mod http;
