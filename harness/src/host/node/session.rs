//! [`Session`]: a shell on a node that stays open, for what is asked again and again.
//!
//! A command of its own costs a node a session of sshd and a login shell each time, which on a slow guest is more than
//! what is asked.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::time::timeout;

use super::{Node, NodeError, client, connection};
use crate::host::ProcessGroup;
use crate::model::quantity::Length;

/// A POSIX shell on a node. It ends when this is dropped.
#[derive(Debug)]
pub struct Session {
    node: Node,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    _group: ProcessGroup,
}

impl Node {
    /// Opens a shell on the node; nothing is known yet of whether it can be reached.
    ///
    /// # Errors
    /// [`NodeError`] when `ssh` cannot be started.
    pub fn session(&self) -> Result<Session, NodeError> {
        let command = client::client(&self.spec, &self.control, "exec /bin/sh");
        let (group, input, output) = ProcessGroup::spoken_to(&command)
            .map_err(|error| self.error(connection::not_started(&error)))?;
        let output = BufReader::new(output);
        Ok(Session { node: self.clone(), input, output, _group: group })
    }
}

impl Session {
    /// Has the shell carry out a script whose last line prints `end`, and gives what it printed, `end` too. Nothing in
    /// the script may read from its standard input, where the next script comes from.
    ///
    /// # Errors
    /// [`NodeError`] when the shell is gone or `end` does not come in time. The session is then of no more use.
    pub async fn ask(
        &mut self,
        script: &str,
        end: &str,
        within: Duration,
    ) -> Result<String, NodeError> {
        let Self { node, input, output, .. } = self;
        let lost = || node.error("the connection was lost, or the shell ended");
        let answer = async {
            input.write_all(script.as_bytes()).await.map_err(|_| lost())?;
            input.flush().await.map_err(|_| lost())?;
            let mut text = String::new();
            loop {
                let begin = text.len();
                match output.read_line(&mut text).await {
                    Ok(0) | Err(_) => return Err(lost()),
                    Ok(_) if text[begin..].trim_end() == end => return Ok(text),
                    Ok(_) => {}
                }
            }
        };
        let answer = timeout(within, answer).await;
        answer.unwrap_or_else(|_| {
            Err(self.node.error(format!("no answer within {}", Length(within))))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::node as here;
    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn a_session_answers_again_and_again_and_remembers() {
        let directory = tempfile::tempdir().unwrap();
        let mut session = here(directory.path()).session().unwrap();
        let first = session.ask("x=7; echo one; echo two\necho @end\n", "@end", LONG).await;
        assert_eq!(first.unwrap(), "one\ntwo\n@end\n");
        let second = session.ask("echo $x\necho @end\n", "@end", LONG).await;
        assert_eq!(second.unwrap(), "7\n@end\n");
    }

    #[tokio::test]
    async fn a_shell_that_ends_and_one_that_is_silent_are_told_apart() {
        let directory = tempfile::tempdir().unwrap();
        let mut session = here(directory.path()).session().unwrap();
        let gone = session.ask("echo last words; exit 3\n", "@end", LONG).await.unwrap_err();
        assert!(gone.message.contains("ended"), "{gone}");
        let mut session = here(directory.path()).session().unwrap();
        let brief = Duration::from_millis(20);
        let silent = session.ask("read -r never\n", "@end", brief).await.unwrap_err();
        assert_eq!(silent.message, "no answer within 20ms");
    }
}
