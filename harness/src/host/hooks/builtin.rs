//! Commands of hooks that are known by name: [`run`] carries out one, or a line of the shell.

use std::path::Path;

use super::Runner;
use crate::host::node::{NodeError, RemoteOutput};
use crate::host::quote::{quote, words};

const PREFIX: &str = "builtin:";

/// What each is called, and what it takes.
const KNOWN: &str = "mkdir PATH..., remove PATH..., require PROGRAM..., upload LOCAL REMOTE";

/// Packages of Debian whose names are not those of their programs.
const PACKAGES: &[(&str, &str)] = &[
    ("bpftool", "bpftool"),
    ("clang", "clang"),
    ("ip", "iproute2"),
    ("netserver", "netperf"),
    ("ovs-vsctl", "openvswitch-switch"),
    ("ping", "iputils-ping"),
    ("python3-bpfcc", "python3-bpfcc"),
    ("setsid", "util-linux"),
    ("tc", "iproute2"),
    ("virsh", "libvirt-clients"),
];

/// Removes what is given, where it is below the directory that it runs in.
const REMOVE: &str = r#"for path in "$@"; do
    case /$path/ in
        //*/ | */../* | /./ | //) echo "$path is not below the workdir" >&2; exit 2 ;;
    esac
    rm -rf -- "./$path" || exit 1
done
"#;

const REQUIRE: &str = r#"code=0
for program in "$@"; do
    command -v "$program" > /dev/null || { printf '%s\n' "$program"; code=1; }
done
exit $code
"#;

/// Runs one command of a hook.
pub(super) async fn run(
    runner: &dyn Runner,
    node: &str,
    line: &str,
    root: &Path,
) -> Result<RemoteOutput, NodeError> {
    let Some(builtin) = line.trim_start().strip_prefix(PREFIX) else {
        return runner.run(node, line).await;
    };
    let fail = |message: String| NodeError { node: node.to_owned(), message };
    let unknown = || fail(format!("`{line}` is no command of hooks: they are {KNOWN}"));
    let words = words(builtin).ok_or_else(unknown)?;
    let (name, args) = words.split_first().ok_or_else(unknown)?;
    match (name.as_str(), args) {
        ("mkdir", [_, ..]) => runner.run(node, &shell("mkdir -p -- \"$@\"", args)).await,
        ("remove", [_, ..]) => runner.run(node, &shell(REMOVE, args)).await,
        ("require", [_, ..]) => {
            let output = runner.run(node, &shell(REQUIRE, args)).await?;
            if output.code == 0 { Ok(output) } else { Err(fail(missing(&output.stdout))) }
        }
        ("upload", [local, remote]) => {
            runner.upload(node, &root.join(local), remote).await?;
            Ok(RemoteOutput { code: 0, stdout: String::new(), stderr: String::new() })
        }
        _ => Err(unknown()),
    }
}

fn shell(script: &str, args: &[String]) -> String {
    // Words of a line hold no NUL where the line went through a configuration file.
    let words = [script, "builtin"].into_iter().chain(args.iter().map(String::as_str));
    let quoted: Vec<String> = words.filter_map(quote).collect();
    format!("/bin/sh -c {}", quoted.join(" "))
}

fn missing(programs: &str) -> String {
    let missing = programs.split_whitespace().map(|program| {
        let known = PACKAGES.iter().find(|(name, _)| *name == program);
        format!("`{program}` (package {})", known.map_or(program, |(_, package)| package))
    });
    let missing: Vec<String> = missing.collect();
    format!("programs are missing: install {}", missing.join(", "))
}
