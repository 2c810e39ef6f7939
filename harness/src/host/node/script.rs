//! The lines that are sent to a node: [`wrapped`] around every one, and the operations on groups.
//!
//! Operations are scripts for any POSIX shell (dash, busybox), one per round trip, which use what every system has.

use super::NodeError;
use crate::host::quote::quote;

const WRAP: &str = include_str!("wrap.sh");
const PROCESSES: &str = include_str!("processes.sh");

pub(super) const END: &str = include_str!("end.sh");
pub(super) const OWNERS: &str = include_str!("owners.sh");
pub(super) const START: &str = include_str!("start.sh");
pub(super) const STATE: &str = include_str!("state.sh");
pub(super) const SUPERVISE: &str = include_str!("supervise.sh");

const SILENT: &str = r#"printf '%s\n' "$1" >&2
/bin/sh -c "$2"
printf '\n%s %s\n' "$1" "$?" >&2
"#;

/// Becomes root where that needs no password, and goes on with the script as it is where it does.
const AS_ROOT: &str = r#"script=$1
shift
if [ "$(id -u)" != 0 ] && sudo -n true 2> /dev/null; then
    exec sudo -n /bin/sh -c "$script" proofload "$@"
fi
exec /bin/sh -c "$script" proofload "$@"
"#;

/// Who runs an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum As {
    User,
    /// Root where `sudo` allows it.
    Root,
}

/// The command that a node's shell is given for a line; see `wrap.sh`.
///
/// # Errors
/// As [`shell`].
pub(super) fn wrapped(
    nonce: &str,
    mark: &str,
    workdir: &str,
    line: &str,
    outside: &str,
) -> Result<String, String> {
    Ok(format!("exec {}", shell(&plain(WRAP), &[nonce, mark, workdir, line, outside])?))
}

/// As [`wrapped`], for a line whose standard output is nothing but a file.
///
/// # Errors
/// As [`shell`].
pub(super) fn silent(nonce: &str, line: &str) -> Result<String, String> {
    Ok(format!("exec {}", shell(SILENT, &[nonce, line])?))
}

/// An operation on processes, as a line.
///
/// # Errors
/// As [`shell`].
pub(super) fn operation(script: &str, by: As, args: &[&str]) -> Result<String, String> {
    let script = with_functions(script);
    match by {
        As::User => shell(&script, args),
        As::Root => shell(AS_ROOT, &[&[script.as_str()], args].concat()),
    }
}

/// A script with the functions of `processes.sh` before it.
pub(super) fn with_functions(script: &str) -> String {
    plain(PROCESSES) + &plain(script)
}

/// `/bin/sh -c` with a script and its arguments.
///
/// # Errors
/// A text with a NUL cannot be sent.
pub(super) fn shell(script: &str, args: &[&str]) -> Result<String, String> {
    let mut line = "/bin/sh -c".to_owned();
    for word in [script, "proofload"].iter().chain(args) {
        line.push(' ');
        line += &quote(word).ok_or("a line for a shell cannot hold a NUL")?;
    }
    Ok(line)
}

/// Less its comments, as every call carries it.
fn plain(script: &str) -> String {
    script.lines().filter(|line| !line.trim_start().starts_with('#')).fold(
        String::new(),
        |mut text, line| {
            text += line.trim_start();
            text.push('\n');
            text
        },
    )
}

/// What a wrapped line printed, and its code.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// It ran to its end.
    Ended(super::RemoteOutput),
    /// It began, and its end is not known.
    Cut,
    /// It did not begin.
    None,
}

/// Takes what a wrapped line printed apart. Whatever login scripts and `ssh` itself print comes before it.
pub(super) fn reply(nonce: &str, stdout: &str, stderr: &str) -> Reply {
    let begin = format!("{nonce}\n");
    let after = |text: &str| text.split_once(&begin).map(|(_, own)| own.to_owned());
    // Of very long output only the end was kept, without the first line.
    let own = after(stdout).unwrap_or_else(|| stdout.to_owned());
    let end = format!("\n{nonce} ");
    let Some((head, tail)) = stderr.rsplit_once(&end) else {
        let began = stdout.contains(&begin) || stderr.contains(&begin);
        return if began { Reply::Cut } else { Reply::None };
    };
    let Some(code) = tail.lines().next().and_then(|code| code.parse().ok()) else {
        return Reply::Cut;
    };
    let stderr = format!("{head}\n");
    let stderr = after(&stderr).unwrap_or(stderr);
    let stderr = stderr.strip_suffix('\n').unwrap_or(&stderr).to_owned();
    Reply::Ended(super::RemoteOutput { code, stdout: own, stderr })
}

impl super::Node {
    pub(super) fn operation(
        &self,
        script: &str,
        by: As,
        args: &[&str],
    ) -> Result<String, NodeError> {
        operation(script, by, args).map_err(|message| self.error(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::node::RemoteOutput;

    #[test]
    fn what_comes_before_a_line_and_after_it_is_not_its_own() {
        let ended = |code, stdout: &str, stderr: &str| {
            Reply::Ended(RemoteOutput { code, stdout: stdout.into(), stderr: stderr.into() })
        };
        let check = |stdout, stderr, expected| {
            assert_eq!(reply("n1", stdout, stderr), expected, "{stdout:?} {stderr:?}");
        };
        check("n1\nout\n", "n1\nerr\n\nn1 3\n", ended(3, "out\n", "err\n"));
        check("n1\n", "n1\n\nn1 0\n", ended(0, "", ""));
        check("n1\nno end", "n1\nno end\nn1 255\n", ended(255, "no end", "no end"));
        check("hello\nn1\nout", "Banner\nn1\n\nn1 0\nclosed\n", ended(0, "out", ""));
        check("n1\nout", "n1\nhalf", Reply::Cut);
        check("", "ssh: connect to host x port 22: Connection refused", Reply::None);
    }
}
