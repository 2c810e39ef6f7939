//! Which outside crates may be used where in the library: each behind one door, so that it can be replaced there.

use std::path::Path;

use super::{Page, Source, Violation};

/// A crate that only some modules may name.
struct Door {
    name: &'static str,
    rooms: &'static [&'static str],
    reason: &'static str,
}

const DOORS: &[Door] = &[
    // What users see.
    Door {
        name: "clap",
        rooms: &["suite", "command"],
        reason: "options are plain structs elsewhere",
    },
    Door {
        name: "libtest_mimic",
        rooms: &["suite"],
        reason: "only the front door knows that trials are tests",
    },
    Door { name: "indicatif", rooms: &["suite"], reason: "only the front door has a terminal" },
    Door { name: "comfy_table", rooms: &["report"], reason: "one place lays out text" },
    Door { name: "csv", rooms: &["report"], reason: "one file per format" },
    Door { name: "quick_junit", rooms: &["report"], reason: "one file per format" },
    // What users write.
    Door {
        name: "annotate_snippets",
        rooms: &["scenario"],
        reason: "only what was typed in has lines to point at",
    },
    Door { name: "serde_saphyr", rooms: &["scenario"], reason: "one module reads and writes YAML" },
    Door { name: "strsim", rooms: &["scenario"], reason: "scenario::nearest serves everybody" },
    // What is measured, and with what.
    Door {
        name: "statrs",
        rooms: &["analysis"],
        reason: "statistics are stated once, with their source",
    },
    Door {
        name: "md5",
        rooms: &["plan/network"],
        reason: "names of result directories, as the original makes them",
    },
    Door { name: "rand", rooms: RANDOM, reason: RANDOM_REASON },
    Door { name: "rand_distr", rooms: RANDOM, reason: RANDOM_REASON },
    Door { name: "rand_pcg", rooms: RANDOM, reason: RANDOM_REASON },
    Door {
        name: "bollard",
        rooms: &["target/compose", "probe"],
        reason: "its types change with its features, so they stay where the daemon is spoken to",
    },
    Door {
        name: "procfs_core",
        rooms: &["host", "probe"],
        reason: "parsers of the kernel's files",
    },
    Door { name: "shlex", rooms: &["host"], reason: "one place quotes for shells" },
    Door {
        name: "roxmltree",
        rooms: &["target/testbed"],
        reason: "one place reads what libvirt prints",
    },
    Door {
        name: "rustls",
        rooms: &["host/http"],
        reason: "the one place that chooses a provider of cryptography",
    },
    Door { name: "reqwest", rooms: HTTP, reason: HTTP_REASON },
    Door { name: "hyper", rooms: HTTP, reason: HTTP_REASON },
    Door { name: "hyper_util", rooms: HTTP, reason: HTTP_REASON },
    Door { name: "http_body_util", rooms: HTTP, reason: HTTP_REASON },
    Door {
        name: "secrecy",
        rooms: &["drive"],
        reason: "secrets are sent by drivers and kept by nobody",
    },
    Door {
        name: "regex",
        rooms: &["host", "target", "drive", "probe", "command/compare_table"],
        reason: "for what other programs print, and for the names that they give their files",
    },
    Door {
        name: "nix",
        rooms: &["host", "drive", "run", "suite"],
        reason: "signals, users and clocks of this machine",
    },
];

const RANDOM: &[&str] = &["simulate"];
const RANDOM_REASON: &str = "what is measured or judged is never random";

const HTTP: &[&str] = &["host/http", "target", "drive", "probe"];
const HTTP_REASON: &str =
    "whoever waits for, loads or reads a system may speak HTTP to it, nobody else";

/// Crates whose types are vocabulary. Those that only the run half has are kept out of the pure half by the
/// compiler: `cargo check -p proofload --no-default-features`.
const OPEN: &[&str] = &[
    "async_trait",
    "bytesize",
    "futures_util",
    "jiff",
    "schemars",
    "serde",
    "serde_json",
    "thiserror",
    "tokio",
    "tokio_util",
    "toml",
];

pub(super) fn check(sources: &[Source], manifest: Option<&Page>) -> Vec<Violation> {
    let mut violations: Vec<Violation> = sources.iter().flat_map(file).collect();
    for (line, name) in manifest.map(dependencies).unwrap_or_default() {
        let known = OPEN.contains(&name.as_str()) || DOORS.iter().any(|door| door.name == name);
        if let (false, Some(page)) = (known, manifest) {
            let message = format!(
                "crate `{name}` has no row in xtask/src/tidy/doors.rs: say where it may be used, and why only there"
            );
            violations.push(Violation::new(&page.path, line, message));
        }
    }
    violations
}

fn file(source: &Source) -> Vec<Violation> {
    let own = source.module.join("/");
    let mut violations = Vec::new();
    for door in DOORS {
        if door.rooms.iter().any(|room| Path::new(&own).starts_with(room)) {
            continue;
        }
        if is_ours(&source.code, door.name) {
            continue;
        }
        // One line per file is enough to find it.
        if let Some(at) = uses(&source.code, door.name) {
            let message = format!(
                "crate `{}` may only be used in {}: {}",
                door.name,
                door.rooms.join(", "),
                door.reason
            );
            violations.push(Violation::new(&source.path, source.line(at), message));
        }
    }
    violations
}

/// True where `name` is a module of our own here: declared, or imported from one.
fn is_ours(code: &str, name: &str) -> bool {
    let own = |path: &str| ["crate", "super", "self"].iter().any(|root| path.starts_with(root));
    let words = |path: &str| {
        path.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == name)
    };
    code.split(';').any(|statement| {
        // What stands in front of the last `use` belongs to the item before.
        let import =
            statement.rsplit_once("use ").is_some_and(|(_, path)| own(path) && words(path));
        import || statement.trim_end().ends_with(&format!("mod {name}"))
    })
}

/// Where a crate is first named: at the start of a path, or whole in a `use`.
fn uses(code: &str, name: &str) -> Option<usize> {
    code.match_indices(name).map(|(at, _)| at).find(|at| {
        let before = &code[..*at];
        let after = &code[at + name.len()..];
        // `::bollard::x` starts at the root; `a::bollard::x` and `a.csv` do not.
        let path = before.strip_suffix("::").unwrap_or(before);
        let starts =
            !path.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '>' | ':'));
        let in_use = before.trim_end().ends_with("use");
        starts && (after.starts_with("::") || in_use && after.starts_with([';', ' ']))
    })
}

/// The names under `[dependencies]`, as code spells them, with their lines.
fn dependencies(manifest: &Page) -> Vec<(usize, String)> {
    let mut here = false;
    let mut names = Vec::new();
    for (index, line) in manifest.text.lines().enumerate() {
        if line.starts_with('[') {
            here = line.trim_end() == "[dependencies]";
        } else if here {
            let end = line
                .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-')))
                .unwrap_or(line.len());
            if end > 0 {
                names.push((index + 1, line[..end].replace('-', "_")));
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::super::{Page, source};
    use super::{DOORS, OPEN, check};

    fn page(path: &str, text: &str) -> Page {
        Page { path: path.into(), text: text.to_owned() }
    }

    fn count(path: &str, text: &str) -> usize {
        check(&source::library(&[page(path, text)]), None).len()
    }

    #[test]
    fn a_crate_outside_its_rooms_is_found_however_it_is_named() {
        for text in [
            "use bollard::Docker;",
            "fn f() { ::bollard::Docker::new() }",
            "fn f(a: &bollard::Docker) {}",
            "use bollard;",
            "use bollard as docker;",
            "type A = Vec<bollard::Docker>;",
        ] {
            assert_eq!(count("harness/src/run/walk.rs", text), 1, "{text}");
        }
    }

    #[test]
    fn rooms_and_words_that_only_look_alike_are_passed_over() {
        assert_eq!(count("harness/src/probe/docker.rs", "use bollard::Docker;"), 0);
        assert_eq!(count("harness/src/target/compose/state.rs", "use bollard::Docker;"), 0);
        assert_eq!(count("harness/src/target/process.rs", "use bollard::Docker;"), 1);
        for text in [
            "use crate::report::csv::write;",
            "use crate::report::{csv, text};\nfn f() { csv::render() }",
            "pub mod csv;\nfn f() { csv::render() }",
            "let regex = 1;",
            "not_clap::x()",
            "// use clap::Parser;",
        ] {
            assert_eq!(count("harness/src/run/walk.rs", text), 0, "{text}");
        }
    }

    #[test]
    fn a_dependency_without_a_row_is_refused() {
        let manifest = page(
            "harness/Cargo.toml",
            "[dependencies]\nserde.workspace = true\nleft-pad = \"1\"\n[dev-dependencies]\nx = \"1\"\n",
        );
        let found: Vec<String> =
            check(&[], Some(&manifest)).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("harness/Cargo.toml:3: crate `left_pad`"), "{found:?}");
    }

    #[test]
    fn no_crate_stands_twice_in_the_tables() {
        let mut names: Vec<&str> =
            DOORS.iter().map(|door| door.name).chain(OPEN.iter().copied()).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
