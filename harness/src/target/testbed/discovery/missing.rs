//! [`MissingFact`]: what could not be found, with the command that should have told it.

use std::fmt;

use serde::Serialize;

use super::ask::Said;
use crate::host::node::NodeError;

/// A fact that could not be found. What hangs on it is named with it and reported nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingFact {
    /// Where it was looked for.
    pub node: String,
    /// What was looked for, for example `test_ip`.
    pub fact: String,
    /// Why it was not found, and what was expected.
    pub why: String,
    /// The command that was tried.
    pub command: String,
    /// The last lines that it printed.
    pub output: String,
    /// Facts that cannot be known without it.
    pub also: Vec<String>,
}

/// Something that was taken in place of something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// The node.
    pub node: String,
    /// What, and why.
    pub text: String,
}

/// The fact that a node answers at all.
pub const CONNECTION: &str = "connection";

const LINES: usize = 5;
const WIDTH: usize = 240;

impl MissingFact {
    /// `also` are the facts that hang on it.
    pub(super) fn new(
        node: &str,
        fact: &str,
        why: impl Into<String>,
        said: &Said,
        also: &[&str],
    ) -> Self {
        Self {
            node: node.to_owned(),
            fact: fact.to_owned(),
            why: why.into(),
            command: said.command.clone(),
            output: tail(&format!("{}\n{}", said.stdout, said.stderr)),
            also: also.iter().map(|fact| (*fact).to_owned()).collect(),
        }
    }

    pub(super) fn unreachable(error: &NodeError, also: impl IntoIterator<Item = String>) -> Self {
        Self {
            node: error.node.clone(),
            fact: CONNECTION.to_owned(),
            why: "the node does not answer".to_owned(),
            command: format!("ssh to {}", error.node),
            output: tail(&error.message),
            also: also.into_iter().collect(),
        }
    }
}

impl fmt::Display for MissingFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { node, fact, why, command, output, also } = self;
        write!(f, "{node}: {fact}: {why}\n  tried: {}", command.replace('\n', "\n         "))?;
        match output.as_str() {
            "" => f.write_str("\n  it printed nothing")?,
            output => write!(f, "\n  it printed:\n    {}", output.replace('\n', "\n    "))?,
        }
        if !also.is_empty() {
            write!(f, "\n  unknown without it: {}", also.join(", "))?;
        }
        Ok(())
    }
}

/// The last lines; of a long line, such as a whole document, the beginning.
fn tail(text: &str) -> String {
    let lines: Vec<&str> =
        text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let last = lines[lines.len().saturating_sub(LINES)..].iter().map(|line| {
        match line.char_indices().nth(WIDTH) {
            Some((end, _)) => format!("{}...", &line[..end]),
            None => (*line).to_owned(),
        }
    });
    last.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_quoted_by_its_last_lines_each_cut_to_a_width() {
        assert_eq!(tail("1\n2\n\n3\n4\n5\n6\n"), "2\n3\n4\n5\n6");
        let long = tail(&"ä".repeat(1000));
        assert_eq!(long.chars().count(), WIDTH + 3);
        assert_eq!(tail("\n \n"), "");
    }

    #[test]
    fn a_missing_fact_names_the_command_and_what_hangs_on_it() {
        let said = Said {
            command: "virsh x".into(),
            code: 1,
            stdout: String::new(),
            stderr: "no\n".into(),
        };
        let missing = MissingFact::new("a", "vnet", "there is none", &said, &["bridge", "mac"]);
        assert_eq!(
            missing.to_string(),
            "a: vnet: there is none\n  tried: virsh x\n  it printed:\n    no\n  unknown without it: bridge, mac"
        );
    }
}
