//! Files to a node and from it: [`Node::upload`] and [`Node::copy_to_local`], checked by their sums.

use std::path::Path;
use std::time::Duration;

use super::{Node, NodeError, client, connection, explain, script};
use crate::host::command::{self, Command};
use crate::host::quote::quote;

/// How long files may take on their way.
const TRANSFER: Duration = Duration::from_secs(300);

/// Sums of all files of the directory that it runs in, and the sum of those.
const SUM: &str = "find . -type f -exec cksum {} + | LC_ALL=C sort | cksum";

/// Unpacks beside the destination, compares, and only then copies: a directory and the sum that it must have.
const RECEIVE: &str = r#"new=$1/.proofload-new-$$
trap 'rm -rf -- "$new"' EXIT
mkdir -p -- "$new" && tar -C "$new" -o -xf - || exit 1
sum=$(cd "$new" && SUM)
[ "$sum" = "$2" ] || { echo "what arrived has the sum $sum in place of $2" >&2; exit 1; }
cp -Rpf "$new/." "$1/"
"#;

/// Sends as much of a file as there is now: it may grow meanwhile.
const SEND: &str = r#"size=$(wc -c < "$1") || exit 1
head -c "$size" < "$1" | cksum >&2
head -c "$size" < "$1"
"#;

impl Node {
    /// Makes a directory on the node, with those above it.
    ///
    /// # Errors
    /// [`NodeError`] when the node cannot be reached, or says why it cannot be made.
    pub async fn make_directory(&self, path: &str, within: Duration) -> Result<(), NodeError> {
        let line = format!("mkdir -p -- {}", self.word(path)?);
        let said = self.exec(&line, within).await?;
        if said.code == 0 {
            return Ok(());
        }
        Err(self.error(format!("{path} cannot be made: {}", said.stderr.trim_end())))
    }

    /// Copies all that is in a directory here into one on the node, which is made if missing; what else is there stays.
    ///
    /// # Errors
    /// [`NodeError`] when a side cannot be read or written, or what arrived is not what was sent.
    pub async fn upload(&self, local: &Path, remote: &str) -> Result<(), NodeError> {
        let from = self.word(&local.display().to_string())?;
        let sum = self.here(&format!("cd {from} && {SUM}")).await?;
        let receive = RECEIVE.replace("SUM", SUM);
        let line = self.shell(&receive, &[remote, sum.trim()])?;
        let what = format!("{} cannot be copied to {remote}", local.display());
        self.transfer(&format!("tar -C {from} -cf - . | "), &line, "", &what).await?;
        Ok(())
    }

    /// Copies a file of the node here; a file that is there is replaced once all has arrived.
    ///
    /// # Errors
    /// [`NodeError`] when a side cannot be read or written, or what arrived is not what was sent.
    pub async fn copy_to_local(&self, remote: &str, local: &Path) -> Result<(), NodeError> {
        let mut part = local.as_os_str().to_owned();
        part.push(".part");
        let to = self.word(&part.to_string_lossy())?;
        let line = self.shell(SEND, &[remote])?;
        let what = format!("{remote} cannot be copied to {}", local.display());
        let sent = self.transfer("", &line, &format!(" > {to}"), &what).await?;
        let arrived = self.here(&format!("cksum < {to}")).await?;
        if sent.trim() != arrived.trim() {
            let (sent, arrived) = (sent.trim(), arrived.trim());
            return Err(self.error(format!("{what}: {arrived} arrived in place of {sent}")));
        }
        std::fs::rename(&part, local).map_err(|error| self.error(format!("{what}: {error}")))
    }

    /// Copies files below a directory of the node to the same places below one that is here. They are not compared.
    ///
    /// # Errors
    /// [`NodeError`] when a side cannot be read or written.
    pub async fn download(
        &self,
        remote: &str,
        names: &[&str],
        local: &Path,
    ) -> Result<(), NodeError> {
        let from = self.word(remote)?;
        let names: Result<Vec<String>, NodeError> =
            names.iter().map(|name| self.word(name)).collect();
        let line = format!("cd {from} && tar -cf - -- {}", names?.join(" "));
        let to = self.word(&local.display().to_string())?;
        let what = format!("{remote} cannot be copied to {}", local.display());
        self.transfer("", &line, &format!(" | tar -C {to} -o -xf -"), &what).await?;
        Ok(())
    }

    /// Runs a line on the node with a pipe here before or after it; gives what it printed to its standard error.
    async fn transfer(
        &self,
        before: &str,
        line: &str,
        after: &str,
        what: &str,
    ) -> Result<String, NodeError> {
        let nonce = self.nonce();
        // Nothing but the file may be printed.
        let wrapped = script::silent(&nonce, line).map_err(|message| self.error(message))?;
        let client = client::client(&self.spec, &self.control, &wrapped);
        let mut words = vec![client.program.display().to_string()];
        words.extend(client.args);
        let words: Result<Vec<String>, NodeError> =
            words.iter().map(|word| self.word(word)).collect();
        let command = Command::shell(format!("{before}{}{after}", words?.join(" ")));
        let ended = command::run(&command, TRANSFER).await;
        let ended = ended.map_err(|error| self.error(connection::not_started(&error)))?;
        match script::reply(&nonce, "", &ended.stderr) {
            script::Reply::Ended(said) if said.code == 0 && ended.status.success() => {
                Ok(said.stderr)
            }
            script::Reply::Ended(_) => {
                let printed = ended.stderr.replace(&nonce, "");
                Err(self.error(format!("{what}:{}", crate::host::log::quote(&printed))))
            }
            _ => {
                let why = explain::explain(&ended.stderr.replace(&nonce, ""));
                Err(self.error(format!("{what}: {why}")))
            }
        }
    }

    async fn here(&self, line: &str) -> Result<String, NodeError> {
        match command::run(&Command::shell(line), TRANSFER).await {
            Ok(ended) if ended.status.success() && ended.stderr.is_empty() => Ok(ended.stdout),
            Ok(ended) => Err(self.error(format!("`{line}` failed here:{}", ended.tail()))),
            Err(error) => Err(self.error(error.to_string())),
        }
    }

    fn word(&self, text: &str) -> Result<String, NodeError> {
        quote(text).ok_or_else(|| self.error("a path cannot hold a NUL"))
    }

    fn shell(&self, text: &str, args: &[&str]) -> Result<String, NodeError> {
        script::shell(text, args).map_err(|message| self.error(message))
    }
}
