//! [`Ask`]: runs lines on a node, several in one round trip; [`Nodes`] does so over SSH.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;

use super::Tried;
use crate::host::Node;
use crate::host::node::NodeError;
use crate::model::spec::network::NodeSpec;

/// Who answers: the shells of nodes, or in tests a transcript.
#[async_trait]
pub trait Ask: Send + Sync {
    /// Runs each line in a subshell of its own, in one round trip, and returns what each said, in order. `$SUDO` stands
    /// in front of what needs root; it is empty where that is not needed or not allowed.
    ///
    /// # Errors
    /// [`NodeError`] when the node cannot be reached, or does not answer in time.
    async fn ask(&self, node: &str, lines: &[String]) -> Result<Vec<Said>, NodeError>;
}

/// What a line said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The line as it was run.
    pub command: String,
    /// Its exit code.
    pub code: i32,
    /// What it printed to its standard output.
    pub stdout: String,
    /// What it printed to its standard error.
    pub stderr: String,
}

/// Nodes by their names.
#[derive(Clone, Debug)]
pub struct Nodes {
    nodes: BTreeMap<String, Node>,
}

/// How long a node may take for one round trip: more than the lines' own limits come to on a node that works.
const WITHIN: Duration = Duration::from_secs(45);

impl Nodes {
    /// Nothing is contacted yet.
    pub fn new<'a>(specs: impl IntoIterator<Item = &'a NodeSpec>) -> Self {
        let nodes = specs.into_iter().map(|spec| (spec.name.clone(), Node::new(spec))).collect();
        Self { nodes }
    }
}

#[async_trait]
impl Ask for Nodes {
    async fn ask(&self, name: &str, lines: &[String]) -> Result<Vec<Said>, NodeError> {
        let failed = |message: String| NodeError { node: name.to_owned(), message };
        let node = self.nodes.get(name).ok_or_else(|| failed("there is no such node".into()))?;
        let output = node.run(&script(lines, node.spec().sudo), WITHIN).await?;
        read(lines, &output.stdout).ok_or_else(|| {
            let tail = crate::host::log::quote(&format!("{}\n{}", output.stdout, output.stderr));
            failed(format!("its shell is no POSIX shell, or prints while it starts:{tail}"))
        })
    }
}

impl Said {
    /// What it printed to its standard output, where it succeeded.
    #[must_use]
    pub fn good(&self) -> Option<&str> {
        (self.code == 0).then_some(self.stdout.as_str())
    }

    /// True where the program is not installed, also where `sudo` is the one who says so.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        let is_missing = self.code == 127 || self.stderr.contains("command not found");
        self.code != 0 && is_missing && !self.is_refused_by_sudo()
    }

    /// True where `sudo` is not installed or did not run the program, so that nothing is known of that.
    #[must_use]
    pub fn is_refused_by_sudo(&self) -> bool {
        let last = self.stderr.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        let is_refused = match last.split_once("sudo: ") {
            // It says so of another program.
            Some(("", said)) => !said.ends_with(": command not found"),
            Some((_, said)) => said.ends_with("not found"),
            None => last.starts_with("Sorry, user "),
        };
        self.code != 0 && self.command.contains("sudo -n ") && is_refused
    }

    pub(super) fn tried(&self, node: &str) -> Tried {
        Tried { node: node.to_owned(), command: self.command.clone(), code: self.code }
    }
}

/// Begins the lines that frame what was said.
const MARK: &str = "=proofload=";

/// All lines in one, each framed by its exit code and its standard error, which is kept apart without a file.
fn script(lines: &[String], sudo: bool) -> String {
    let mut script = String::from("export LC_ALL=C\nexec </dev/null\nSUDO=\n");
    if sudo {
        script.push_str("[ \"$(id -u)\" = 0 ] || SUDO='sudo -n'\n");
    }
    script.push_str(&format!("printf '{MARK} %s\\n' \"$SUDO\"\n"));
    for line in lines {
        script.push_str(&format!(
            "{{ err=$({{ {line}\n}} 2>&1 >&3 3>&-); code=$?; }} 3>&1\nprintf '\\n{MARK} %s\\n%s\\n{MARK} end\\n' \"$code\" \"$err\"\n"
        ));
    }
    script
}

/// What every line said; `None` where the frames are not those of [`script`].
fn read(lines: &[String], stdout: &str) -> Option<Vec<Said>> {
    // A greeting of the shell's own start files stands before the first mark.
    let (_, rest) = stdout.split_once(MARK)?;
    let (sudo, mut rest) = rest.split_once('\n')?;
    let prefix = match sudo.trim() {
        "" => String::new(),
        sudo => format!("{sudo} "),
    };
    lines
        .iter()
        .map(|line| {
            let (stdout, after) = rest.split_once(&format!("\n{MARK} "))?;
            let (code, after) = after.split_once('\n')?;
            let (stderr, after) = after.split_once(&format!("\n{MARK} end\n"))?;
            rest = after;
            Some(Said {
                command: line.replace("$SUDO ", &prefix),
                code: code.trim().parse().ok()?,
                stdout: stdout.to_owned(),
                stderr: stderr.to_owned(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{Command, run};

    async fn asked(lines: &[&str], sudo: bool) -> Vec<Said> {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        let command = Command::shell(script(&lines, sudo));
        let output = run(&command, Duration::from_secs(10)).await.unwrap();
        read(&lines, &output.stdout).unwrap()
    }

    #[tokio::test]
    async fn each_line_has_its_own_code_and_outputs() {
        let said = asked(
            &[
                "echo out; echo err >&2; exit 3",
                "cd /nowhere && echo reached",
                "printf 'no end'",
                "echo 'two\nlines' && no-such-program-here",
                "cat",
            ],
            false,
        )
        .await;
        let codes: Vec<i32> = said.iter().map(|said| said.code).collect();
        assert_eq!(codes, [3, 2, 0, 127, 0]);
        assert_eq!((said[0].stdout.trim(), said[0].stderr.trim()), ("out", "err"));
        assert!(said[1].stderr.contains("/nowhere") && said[1].stdout.is_empty(), "{:?}", said[1]);
        assert_eq!(said[2].stdout, "no end");
        assert_eq!(said[3].stdout, "two\nlines\n");
        assert!(said[3].is_absent() && !said[1].is_absent());
        assert_eq!(said[4].good(), Some(""));
    }

    #[tokio::test]
    async fn a_command_is_told_as_it_was_run() {
        let said = asked(&["true || $SUDO true"], true).await;
        let known = ["true || true", "true || sudo -n true"];
        assert!(known.contains(&said[0].command.as_str()), "{:?}", said[0].command);
        assert_eq!(asked(&["$SUDO echo yes"], false).await[0].command, "echo yes");
    }

    #[test]
    fn a_program_is_absent_only_where_it_was_looked_for() {
        let check = |code: i32, stderr: &str, is_absent: bool, is_refused: bool| {
            let said = Said {
                command: "sudo -n ovs-vsctl list Bridge".into(),
                code,
                stdout: String::new(),
                stderr: stderr.into(),
            };
            assert_eq!(
                (said.is_absent(), said.is_refused_by_sudo()),
                (is_absent, is_refused),
                "{stderr}"
            );
        };
        check(1, "sudo: ovs-vsctl: command not found\n", true, false);
        check(127, "timeout: failed to run command 'virsh'", true, false);
        check(127, "sh: 2: sudo: not found\n", false, true);
        check(127, "bash: line 2: sudo: command not found", false, true);
        check(127, "sudo: command not found", false, true);
        check(1, "sudo: a password is required\n", false, true);
        check(1, "Sorry, user a is not allowed to execute '/usr/bin/x' as root on b.", false, true);
        check(1, "sudo: unable to resolve host b\nsudo: x: command not found\n", true, false);
        check(1, "sudo: unable to resolve host b\novs-vsctl: failed", false, false);
        check(1, "ovs-vsctl: database connection failed", false, false);
        check(0, "sudo: unable to resolve host b", false, false);
    }

    #[test]
    fn a_greeting_before_the_frames_is_passed_over_and_a_cut_answer_is_refused() {
        let line = ["true".to_owned()];
        let whole = format!("Welcome!\n{MARK} sudo -n\nout\n{MARK} 0\nerr\n{MARK} end\n");
        let said = read(&line, &whole).unwrap();
        assert_eq!((said[0].stdout.as_str(), said[0].stderr.as_str()), ("out", "err"));
        for text in ["", "Welcome!", &whole[..whole.len() - 5], "This account is not available.\n"]
        {
            assert_eq!(read(&line, text), None, "{text}");
        }
    }
}
