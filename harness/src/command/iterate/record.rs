//! [`Iteration`]: what one iteration came to, as its directory keeps it.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::command::Failure;

/// The file whose presence says that an iteration is over.
const FILE: &str = "iteration.json";

/// One iteration that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Iteration {
    /// From 1.
    pub(super) number: u32,
    /// What it came to.
    pub(super) status: Status,
    /// The exit code of its run.
    pub(super) code: u8,
    /// When it was over, RFC 3339.
    pub(super) completed_at: String,
    /// What was collected, by node.
    pub(super) nodes: Vec<(String, Kept)>,
}

/// What came from one node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// How many files.
    pub(super) files: usize,
    /// Their size.
    pub(super) bytes: u64,
    /// True where they were removed on the node.
    pub(super) cleaned: bool,
    /// Why nothing, or not all, came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

impl Kept {
    /// Nothing, or not all, and why.
    pub(super) fn failed(why: impl ToString) -> Self {
        Self { error: Some(why.to_string()), ..Self::default() }
    }
}

/// What an iteration came to, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Status {
    /// Every trial passed, and everything was collected.
    Success,
    /// Nothing failed, but not every trial could be decided.
    Inconclusive,
    /// A trial failed its limits, or a tool died.
    TestFailed,
    /// What the nodes keep could not be brought here, or not be removed there.
    CollectionFailed,
    /// The rig failed, or nothing was run.
    Failed,
}

impl Status {
    fn of(code: u8, ran: bool, is_collected: bool) -> Self {
        match code {
            0 | 1 | 3 if ran && !is_collected => Self::CollectionFailed,
            0 if ran => Self::Success,
            1 if ran => Self::TestFailed,
            3 if ran => Self::Inconclusive,
            _ => Self::Failed,
        }
    }

    /// The worst of several.
    pub(super) fn worst(all: impl IntoIterator<Item = Self>) -> Option<Self> {
        all.into_iter().max()
    }

    /// The exit code of a command whose worst iteration this was.
    pub(super) fn exit_code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Inconclusive => 3,
            Self::TestFailed => 1,
            Self::CollectionFailed | Self::Failed => 4,
        }
    }

    /// The word in summaries.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Success => "SUCCESS",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::TestFailed => "TEST_FAILED",
            Self::CollectionFailed => "COLLECTION_FAILED",
            Self::Failed => "FAILED",
        }
    }
}

impl Iteration {
    /// An iteration that is over now. `ran` is false where every trial was skipped or none came to its end.
    pub(super) fn new(number: u32, code: u8, ran: bool, nodes: Vec<(String, Kept)>) -> Self {
        let is_collected = nodes.iter().all(|(_, kept)| kept.error.is_none());
        Self {
            number,
            status: Status::of(code, ran, is_collected),
            code,
            completed_at: jiff::Timestamp::now().to_string(),
            nodes,
        }
    }

    /// What a directory keeps of an iteration that is over and whose files have all arrived; of any other `None`, so that
    /// it is taken up again.
    pub(super) fn read(directory: &Path) -> Result<Option<Self>, Failure> {
        let path = directory.join(FILE);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(Failure::usage(format!("error: {}: {error}", path.display())));
            }
        };
        let iteration: Self = serde_json::from_slice(&text)
            .map_err(|error| Failure::usage(format!("error: {}: {error}", path.display())))?;
        Ok(Some(iteration).filter(|iteration| iteration.status < Status::CollectionFailed))
    }

    pub(super) fn write(&self, directory: &Path) -> io::Result<()> {
        // By way of another name: half a file would pass for none, and the iteration be run again over it.
        let part = directory.join("iteration.json.part");
        std::fs::write(&part, serde_json::to_vec_pretty(self)?)?;
        std::fs::rename(part, directory.join(FILE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: u8, ran: bool, error: Option<&str>, expected: (Status, u8)) {
        let kept = error.map(Kept::failed).unwrap_or_default();
        let iteration = Iteration::new(1, code, ran, vec![("a".to_owned(), kept)]);
        assert_eq!((iteration.status, iteration.status.exit_code()), expected, "{code} {ran}");
    }

    #[test]
    fn a_run_and_its_collection_give_a_status() {
        check(0, true, None, (Status::Success, 0));
        check(1, true, None, (Status::TestFailed, 1));
        check(3, true, None, (Status::Inconclusive, 3));
        check(4, true, None, (Status::Failed, 4));
        check(0, false, None, (Status::Failed, 4));
        check(0, true, Some("gone"), (Status::CollectionFailed, 4));
        check(4, true, Some("gone"), (Status::Failed, 4));
        assert_eq!(Status::worst([Status::Success, Status::TestFailed]), Some(Status::TestFailed));
    }

    #[test]
    fn an_iteration_that_is_over_is_read_back_and_one_that_was_not_collected_is_taken_up_again() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(Iteration::read(directory.path()).unwrap(), None);
        let over = Iteration::new(2, 1, true, vec![("a".to_owned(), Kept::default())]);
        over.write(directory.path()).unwrap();
        assert_eq!(Iteration::read(directory.path()).unwrap(), Some(over));
        let lost = Iteration::new(2, 1, true, vec![("a".to_owned(), Kept::failed("gone"))]);
        lost.write(directory.path()).unwrap();
        assert_eq!(Iteration::read(directory.path()).unwrap(), None);
        std::fs::write(directory.path().join(FILE), "{").unwrap();
        assert_eq!(Iteration::read(directory.path()).unwrap_err().code, 2);
    }
}
