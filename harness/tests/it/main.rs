//! The suite and its commands as their users see them. One binary: add a module, not a file beside this one.
