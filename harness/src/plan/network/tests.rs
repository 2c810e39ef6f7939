//! Workflows and their trials.
