//! The summaries of iterations, as text.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::record::{Iteration, Status};

/// What one iteration left, node by node.
pub(super) fn collection(iteration: &Iteration) -> String {
    let mut text = format!(
        "Iteration: {}\nCollection time: {}\nHosts collected: {}\nStatus: {}\n",
        iteration.number,
        iteration.completed_at,
        iteration.nodes.iter().filter(|(_, kept)| kept.error.is_none()).count(),
        iteration.status.as_str()
    );
    for (node, kept) in &iteration.nodes {
        let _ = match &kept.error {
            Some(error) => writeln!(text, "  {node}: NOT COLLECTED: {error}"),
            None => {
                let there = if kept.cleaned { "removed there" } else { "left there" };
                writeln!(text, "  {node}: {} files, {} bytes, {there}", kept.files, kept.bytes)
            }
        };
    }
    text
}

/// A line per iteration, and how many were good.
pub(super) fn overall(iterations: &[(PathBuf, Iteration)]) -> String {
    let good =
        iterations.iter().filter(|(_, iteration)| iteration.status == Status::Success).count();
    let mut text = format!("{good} of {} iterations succeeded\n", iterations.len());
    for (directory, iteration) in iterations {
        let Iteration { number, status, completed_at, nodes, .. } = iteration;
        let files: usize = nodes.iter().map(|(_, kept)| kept.files).sum();
        let _ = writeln!(
            text,
            "  iteration {number}: {} ({files} files, {completed_at}) {}",
            status.as_str(),
            directory.display()
        );
        for (node, error) in
            nodes.iter().filter_map(|(node, kept)| Some((node, kept.error.as_ref()?)))
        {
            let _ = writeln!(text, "    {node}: {error}");
        }
    }
    text
}
