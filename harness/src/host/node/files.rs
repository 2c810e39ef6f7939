//! Files to a node and from it: [`Node::upload`] and [`Node::copy_to_local`], checked by their sums.

use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Node, NodeError, RemoteOutput, client, connection, explain, script};
use crate::host::command::{self, Command};
use crate::host::quote::quote;
use crate::model::quantity::Length;

/// How long files that are sent may take on their way, and how long those that are brought may stand still. A lost
/// connection is noticed by `ssh` itself, long before.
const TRANSFER: Duration = Duration::from_secs(300);

/// Between two looks at what has arrived.
const LOOK: Duration = Duration::from_secs(1);

/// How much of a transfer has arrived here, where that can be told.
type Arrived<'a> = &'a (dyn Fn() -> u64 + Sync);

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
        let unknown = || 0;
        self.transfer(&format!("tar -C {from} -cf - . | "), &line, "", &what, &unknown).await?;
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
        let arrived = || size(Path::new(&part));
        let sent = self.transfer("", &line, &format!(" > {to}"), &what, &arrived).await?;
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
        let words: Result<Vec<String>, NodeError> =
            names.iter().map(|name| self.word(name)).collect();
        // GNU tar takes a backslash for a beginning of something else unless told; others do not know the option.
        let plain = names.iter().any(|name| name.contains('\\'));
        let plain = if plain { "--no-unquote " } else { "" };
        let line = format!("cd {from} && tar -cf - {plain}-- {}", words?.join(" "));
        let to = self.word(&local.display().to_string())?;
        let what = format!("{remote} cannot be copied to {}", local.display());
        let arrived = || names.iter().map(|name| size(&local.join(name))).sum();
        self.transfer("", &line, &format!(" | tar -C {to} -o -xf -"), &what, &arrived).await?;
        Ok(())
    }

    /// As [`Node::run`], but gives all that the line prints, however much that is. Its standard error is kept whole too.
    ///
    /// # Errors
    /// As [`Node::run`]; but a line that does not end in time may go on.
    pub(in crate::host) async fn run_whole(
        &self,
        line: &str,
        within: Duration,
    ) -> Result<RemoteOutput, NodeError> {
        let nonce = self.nonce();
        let wrapped = script::wrapped(&nonce, "", &self.spec.workdir, line, "")
            .map_err(|message| self.error(message))?;
        let client = client::client(&self.spec, &self.control, &wrapped);
        let ended = command::run_whole(&client, within).await;
        let ended = ended.map_err(|error| self.error(connection::not_started(&error)))?;
        match script::reply(&nonce, &ended.stdout, &ended.stderr) {
            script::Reply::Ended(output) if ended.status.success() => Ok(output),
            _ => Err(self.error(explain::explain(&ended.stderr.replace(&nonce, "")))),
        }
    }

    /// Runs a line on the node with a pipe here before or after it, for as long as something arrives; gives what it
    /// printed to its standard error.
    async fn transfer(
        &self,
        before: &str,
        line: &str,
        after: &str,
        what: &str,
        arrived: Arrived<'_>,
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
        let ended = tokio::select! {
            ended = command::run(&command, Duration::MAX) => ended,
            () = stalled(arrived) => {
                let within = Length(TRANSFER);
                return Err(self.error(format!("{what}: it stood still for {within}")));
            }
        };
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

/// Ends once nothing has arrived for [`TRANSFER`].
async fn stalled(arrived: Arrived<'_>) {
    let (mut seen, mut since) = (arrived(), Instant::now());
    while since.elapsed() < TRANSFER {
        sleep(LOOK).await;
        let now = arrived();
        if now != seen {
            (seen, since) = (now, Instant::now());
        }
    }
}

/// The size of a file; of one that is not there none.
fn size(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |data| data.len())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::super::tests::node;
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_transfer_may_take_as_long_as_it_likes_while_something_arrives() {
        let began = Instant::now();
        let bytes = AtomicU64::new(0);
        // Ten hours at a byte a second, then nothing more.
        let slow = || bytes.fetch_add(1, Ordering::Relaxed).min(36_000);
        stalled(&slow).await;
        let took = began.elapsed().as_secs();
        assert!((36_000 + 299..36_000 + 303).contains(&took), "{took}");
    }

    #[tokio::test]
    async fn a_line_that_prints_more_than_is_kept_of_others_is_read_whole() {
        let directory = tempfile::tempdir().unwrap();
        let line = "echo first; head -c 20000000 /dev/zero | tr '\\0' x; echo; exit 7";
        let output = node(directory.path()).run_whole(line, Duration::from_secs(60)).await.unwrap();
        assert_eq!((output.code, output.stdout.len()), (7, 20_000_007));
        assert!(output.stdout.starts_with("first\nxx"));
    }
}
