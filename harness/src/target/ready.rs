//! The conditions of [`Ready`] that every kind of target shares: HTTP, TCP and a command.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::host::{Command, http, run};
use crate::model::spec::target::Ready;

use super::TargetError;

/// How often a target is looked at while it comes up.
pub(super) const EVERY: Duration = Duration::from_millis(100);

/// How long one look may take.
const ONE: Duration = Duration::from_secs(5);

/// The conditions, ready to be looked at again and again.
pub(super) struct Conditions {
    get: Option<(reqwest::Client, String)>,
    tcp: Option<String>,
    command: Option<Command>,
}

impl Conditions {
    /// `env` is what a command gets, which runs in `root`.
    pub(super) fn new(
        ready: &Ready,
        root: &Path,
        env: &BTreeMap<String, String>,
    ) -> Result<Self, TargetError> {
        let get = match &ready.http {
            None => None,
            Some(url) => {
                let client =
                    http::client(ONE).map_err(|error| TargetError::rig(error.to_string()))?;
                Some((client, url.clone()))
            }
        };
        let command = match &ready.command {
            None => None,
            Some(words) => {
                let command = Command::in_root(root, words)
                    .ok_or_else(|| TargetError::rig("the command of `ready` is empty"))?;
                Some(Command { env: env.clone(), ..command })
            }
        };
        Ok(Self { get, tcp: ready.tcp.clone(), command })
    }

    /// Looks at each; the error says how the first one that does not hold stands.
    pub(super) async fn check(&self) -> Result<(), String> {
        if let Some(address) = &self.tcp {
            connect(address).await.map_err(|why| format!("no connection to {address} ({why})"))?;
        }
        if let Some((client, url)) = &self.get {
            match client.get(url).send().await {
                Ok(answer) if answer.status().is_success() => {}
                Ok(answer) => return Err(format!("GET {url} answers {}", answer.status())),
                Err(error) => {
                    return Err(format!("GET {url} has no answer ({})", root_cause(&error)));
                }
            }
        }
        if let Some(command) = &self.command {
            match run(command, ONE).await {
                Ok(output) if output.status.success() => {}
                Ok(output) => {
                    let (status, tail) = (output.status, output.tail());
                    return Err(format!("`{command}` ended with {status}:{tail}"));
                }
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(())
    }
}

/// Connects within five seconds.
///
/// # Errors
/// Why there is no connection.
pub async fn connect(address: &str) -> Result<(), String> {
    match tokio::time::timeout(ONE, tokio::net::TcpStream::connect(address)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer".to_owned()),
    }
}

/// The `host:port` that these conditions ask.
#[must_use]
pub fn addresses(ready: &Ready) -> Vec<String> {
    let from_url = |url: &String| {
        let url = reqwest::Url::parse(url).ok()?;
        Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
    };
    let mut addresses: Vec<String> =
        ready.http.iter().filter_map(from_url).chain(ready.tcp.clone()).collect();
    addresses.dedup();
    addresses
}

/// A log file that is read on for a line that matches.
pub(super) struct LogLine {
    file: PathBuf,
    pattern: regex::bytes::Regex,
    read: u64,
}

impl LogLine {
    /// Looks at what follows the first `from` bytes.
    pub(super) fn new(file: &Path, from: u64, pattern: &str) -> Result<Self, TargetError> {
        let pattern = regex::bytes::Regex::new(pattern)
            .map_err(|error| TargetError::rig(format!("the log pattern of `ready`: {error}")))?;
        Ok(Self { file: file.to_owned(), pattern, read: from })
    }

    /// True once a line, the one begun last too, has matched.
    pub(super) fn seen(&mut self) -> Result<bool, String> {
        use std::io::{Read as _, Seek as _, SeekFrom};
        let read = || {
            let mut file = std::fs::File::open(&self.file)?;
            file.seek(SeekFrom::Start(self.read))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok::<_, std::io::Error>(bytes)
        };
        let bytes = read().map_err(|error| format!("{}: {error}", self.file.display()))?;
        if bytes.split(|&byte| byte == b'\n').any(|line| self.pattern.is_match(line)) {
            return Ok(true);
        }
        // An unfinished line is read again.
        let lines = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        self.read += lines as u64;
        Ok(false)
    }

    pub(super) fn pattern(&self) -> &str {
        self.pattern.as_str()
    }
}

/// The innermost reason, which is the one that tells something.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_that_must_be_free_are_those_that_are_asked() {
        let check = |http: &str, tcp: &str, expected: &[&str]| {
            let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            let ready = Ready { http: some(http), tcp: some(tcp), ..Ready::default() };
            assert_eq!(addresses(&ready), expected, "{http} {tcp}");
        };
        check("http://127.0.0.1:18080/healthz", "", &["127.0.0.1:18080"]);
        check("http://localhost/", "[::1]:5", &["localhost:80", "[::1]:5"]);
        check("http://127.0.0.1:1/", "127.0.0.1:1", &["127.0.0.1:1"]);
        check("", "", &[]);
    }

    #[test]
    fn a_log_is_read_on_line_by_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let append = |text: &str| {
            use std::io::Write as _;
            file.as_file().write_all(text.as_bytes()).unwrap();
        };
        let before = "ready, the time before\n";
        append(before);
        let mut line = LogLine::new(file.path(), before.len() as u64, "^ready").unwrap();
        append("not ready\nrea");
        assert_eq!(line.seen(), Ok(false));
        append("dy");
        assert_eq!(line.seen(), Ok(true));
        assert!(LogLine::new(file.path(), 0, "(").is_err());
    }

    #[tokio::test]
    async fn each_condition_says_how_it_stands() {
        let root = tempfile::tempdir().unwrap();
        let check = async |ready: Ready| {
            let env = BTreeMap::from([("CODE".to_owned(), "4".to_owned())]);
            Conditions::new(&ready, root.path(), &env).unwrap().check().await
        };
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = free.local_addr().unwrap().to_string();
        assert_eq!(check(Ready { tcp: Some(taken.clone()), ..Ready::default() }).await, Ok(()));
        drop(free);
        let error =
            check(Ready { tcp: Some(taken.clone()), ..Ready::default() }).await.unwrap_err();
        assert!(error.contains(&taken) && error.contains("refused"), "{error}");
        let url = Some(format!("http://{taken}/"));
        let error = check(Ready { http: url, ..Ready::default() }).await.unwrap_err();
        assert!(error.contains("GET http://") && error.contains("refused"), "{error}");
        let words = ["/bin/sh", "-c", "echo no; exit $CODE"].map(str::to_owned).to_vec();
        let error = check(Ready { command: Some(words), ..Ready::default() }).await.unwrap_err();
        assert!(error.ends_with("exit status: 4:\n    no"), "{error}");
        assert_eq!(check(Ready::default()).await, Ok(()));
    }
}
