//! Proofload.
