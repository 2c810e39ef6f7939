//! Who may import whom among the top-level modules of the library.

use super::{Source, Violation};

/// What a top-level module may import besides itself.
struct Layer {
    module: &'static str,
    may: &'static [&'static str],
    reason: &'static str,
}

const LAYERS: &[Layer] = &[
    // The pure half: a chain.
    Layer { module: "model", may: &[], reason: "the nouns depend on nothing" },
    Layer {
        module: "scenario",
        may: &["model"],
        reason: "what was written knows nothing of what follows from it",
    },
    Layer {
        module: "plan",
        may: &["model", "scenario"],
        reason: "a plan is made before anything is measured",
    },
    Layer {
        module: "results",
        may: &["model", "scenario", "plan"],
        reason: "nothing that keeps readings may judge them",
    },
    Layer {
        module: "analysis",
        may: &["model", "scenario", "plan", "results"],
        reason: "analysis states facts; only the gate knows limits",
    },
    Layer {
        module: "gate",
        may: &["model", "scenario", "plan", "results", "analysis"],
        reason: "a verdict does not depend on how it is printed",
    },
    Layer {
        module: "report",
        may: &["model", "scenario", "plan", "results", "analysis", "gate"],
        reason: "a report renders what is there",
    },
    Layer {
        module: "simulate",
        may: &["model"],
        reason: "data with a known truth must not come from what it tests",
    },
    // The run half.
    Layer {
        module: "host",
        may: &["model"],
        reason: "commands know nothing of what they are run for",
    },
    Layer {
        module: "target",
        may: &["model", "host"],
        reason: "target, drive and probe never see each other",
    },
    Layer {
        module: "drive",
        may: &["model", "host"],
        reason: "target, drive and probe never see each other",
    },
    Layer {
        module: "probe",
        may: &["model", "host"],
        reason: "target, drive and probe never see each other",
    },
    Layer {
        module: "run",
        may: &["model", "host", "target", "drive", "probe", "plan", "results"],
        reason: "the walk knows phases, not kinds, and measures without judging",
    },
    Layer {
        module: "suite",
        may: &[
            "model", "scenario", "plan", "results", "analysis", "gate", "report", "host", "target",
            "drive", "probe", "run",
        ],
        reason: "the front door is not a command",
    },
    Layer {
        module: "command",
        may: &[
            "model", "scenario", "plan", "results", "analysis", "gate", "report", "simulate",
            "host", "target", "drive", "probe", "run", "suite",
        ],
        reason: "commands see everything",
    },
];

pub(super) fn check(sources: &[Source]) -> Vec<Violation> {
    sources.iter().flat_map(file).collect()
}

fn file(source: &Source) -> Vec<Violation> {
    // The crate root declares everything.
    let Some(own) = source.module.first() else { return Vec::new() };
    let Some(layer) = LAYERS.iter().find(|layer| layer.module == own) else {
        let message = format!(
            "module `{own}` has no row in LAYERS of xtask/src/tidy/layers.rs: say what it may import"
        );
        return vec![Violation::new(&source.path, 1, message)];
    };
    let mut violations = Vec::new();
    for (at, other) in imports(source) {
        if other == *own || layer.may.contains(&other.as_str()) {
            continue;
        }
        let message = if LAYERS.iter().any(|layer| layer.module == other) {
            format!("`{own}` may not import `{other}`: {}", layer.reason)
        } else {
            format!(
                "`crate::{other}` is no module with a row in LAYERS of xtask/src/tidy/layers.rs: name the module it is in"
            )
        };
        violations.push(Violation::new(&source.path, source.line(at), message));
    }
    violations
}

/// The first segments of all paths from the crate root, with where they stand.
fn imports(source: &Source) -> Vec<(usize, String)> {
    let code = &source.code;
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::").filter(|(at, _)| starts_word(code, *at)) {
        // `pub(in crate::a)` is a path too, and one that cannot be wrong.
        heads(code, at + "crate::".len(), &mut found);
    }
    // A chain of `super` as long as the module is deep ends at the crate root as well.
    let chain = "super::".repeat(source.module.len());
    for (at, _) in code.match_indices(&chain).filter(|(at, _)| starts_word(code, *at)) {
        heads(code, at + chain.len(), &mut found);
    }
    found
}

fn starts_word(code: &str, at: usize) -> bool {
    !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
}

/// The names at `at`: one, or those in front of a group `{a, b::{c, d}}`.
fn heads(code: &str, at: usize, found: &mut Vec<(usize, String)>) {
    let Some(group) = code[at..].strip_prefix('{') else {
        let name = word(&code[at..]);
        if !name.is_empty() {
            found.push((at, name.to_owned()));
        }
        return;
    };
    let mut depth = 0;
    let mut fresh = true;
    for (offset, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            c if fresh && !c.is_whitespace() => {
                fresh = false;
                let name = word(&group[offset..]);
                if name != "self" {
                    found.push((at + 1 + offset, name.to_owned()));
                }
            }
            _ => {}
        }
    }
}

fn word(code: &str) -> &str {
    let end = code.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(code.len());
    &code[..end]
}

#[cfg(test)]
mod tests {
    use super::super::{Page, source};
    use super::{LAYERS, check};

    fn messages(path: &str, text: &str) -> Vec<String> {
        let page = Page { path: path.into(), text: text.to_owned() };
        let sources = source::library(&[page]);
        check(&sources).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_import_against_the_order_is_found_with_its_line() {
        let text = "//! x\n\nuse crate::model::Kind;\nuse crate::drive::Driver;\n";
        let found = messages("harness/src/probe/docker.rs", text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with("harness/src/probe/docker.rs:4: `probe` may not import `drive`"),
            "{found:?}"
        );
    }

    #[test]
    fn paths_in_code_groups_and_chains_of_super_count() {
        for text in [
            "fn f() { crate::gate::judge() }",
            "use crate::{model::{Kind, Unit}, gate::Gate};",
            "use crate::{\n    gate,\n};",
            "use super::super::gate::Gate;",
        ] {
            assert_eq!(messages("harness/src/run/walk.rs", text).len(), 1, "{text}");
        }
    }

    #[test]
    fn what_is_allowed_or_no_import_is_passed_over() {
        for text in [
            "use crate::{self, model::{Kind, Unit}, results::Line};",
            "//! See [`crate::gate`].\n/// And crate::report.",
            "use super::gate::Gate;",
            "#[cfg(test)]\nmod tests { use crate::gate::Gate; }",
            "const A: &str = \"crate::gate\";",
            "use other_crate::gate::Gate;",
        ] {
            assert_eq!(messages("harness/src/run/walk.rs", text), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_module_without_a_row_is_refused() {
        assert_eq!(messages("harness/src/utils.rs", "").len(), 1);
        assert_eq!(messages("harness/src/run/walk.rs", "use crate::Suite;").len(), 1);
    }

    #[test]
    fn the_table_has_no_cycle_and_names_only_itself() {
        for (index, layer) in LAYERS.iter().enumerate() {
            for other in layer.may {
                let at = LAYERS.iter().position(|layer| layer.module == *other);
                assert!(at.is_some_and(|at| at < index), "{} -> {other}", layer.module);
            }
        }
    }
}
