//! README.md against the code: what a user may type or meet must be named there.

use std::path::Path;

use clap::Subcommand as _;
use proofload::command::{Command, EXIT_CODES};
use proofload::model::{Kind, metric};
use proofload::scenario;

use super::{Page, Violation};

const README: &str = "README.md";

/// A word that README must have, where it comes from, and how it must stand there.
struct Wanted {
    word: String,
    origin: &'static str,
    form: Form,
}

#[derive(Clone, Copy)]
enum Form {
    /// Between backticks or in a fenced block, alone or with other words.
    Code,
    /// In the first cell of a table's row.
    Row,
}

pub(super) fn check(pages: &[Page]) -> Vec<Violation> {
    let path = Path::new(README);
    let Some(page) = pages.iter().find(|page| page.path == path) else {
        return vec![Violation::new(path, 1, "is missing")];
    };
    let missing =
        wanted().into_iter().filter(|wanted| !is_named(&page.text, &wanted.word, wanted.form));
    let message = |Wanted { word, origin, form }: Wanted| match form {
        Form::Code => format!(
            "`{word}` ({origin}) is not named: write it as code, between backticks or in a fenced block"
        ),
        Form::Row => format!(
            "{word} ({origin}) is not in a table: write a row with {word} in its first cell"
        ),
    };
    missing.map(|wanted| Violation::new(path, 1, message(wanted))).collect()
}

fn wanted() -> Vec<Wanted> {
    let code = |word: &str, origin| Wanted { word: word.to_owned(), origin, form: Form::Code };
    let mut wanted = Vec::new();
    wanted.extend(Kind::ALL.iter().map(|kind| code(kind.as_str(), "a kind of model::Kind::ALL")));
    wanted.extend(
        metric::CATALOG
            .iter()
            .map(|metric| code(&metric.name, "a metric of model::metric::CATALOG")),
    );
    wanted.extend(profiles().map(|name| code(name, "a profile of scenario/defaults.toml")));
    let commands = Command::augment_subcommands(clap::Command::new("proofload"));
    wanted.extend(
        commands
            .get_subcommands()
            .map(|command| code(command.get_name(), "a command of command::Command")),
    );
    wanted.extend(exit_codes().map(|word| Wanted {
        word: word.to_owned(),
        origin: "an exit code of command::EXIT_CODES",
        form: Form::Row,
    }));
    wanted
}

fn profiles() -> impl Iterator<Item = &'static str> {
    scenario::DEFAULTS.lines().filter_map(|line| line.strip_prefix("[profile.")?.strip_suffix(']'))
}

/// The numbers in front of the lines of the help text: `  130, 143  interrupted`.
fn exit_codes() -> impl Iterator<Item = &'static str> {
    let rows = EXIT_CODES.lines().filter_map(|line| line.strip_prefix("  "));
    rows.filter_map(|row| row.split("  ").next()).flat_map(|codes| codes.split(", "))
}

fn is_named(text: &str, word: &str, form: Form) -> bool {
    let mut fenced = false;
    text.lines().any(|line| {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            return false;
        }
        match form {
            Form::Code if fenced => has_word(line, word),
            Form::Code => line.split('`').skip(1).step_by(2).any(|code| has_word(code, word)),
            Form::Row => {
                let cell = line.strip_prefix('|').and_then(|row| row.split('|').next());
                !fenced && cell.is_some_and(|cell| has_word(cell, word))
            }
        }
    })
}

/// True where `word` stands between characters that no name has.
fn has_word(text: &str, word: &str) -> bool {
    let in_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
    text.match_indices(word).any(|(at, _)| {
        !text[..at].ends_with(in_name) && !text[at + word.len()..].starts_with(in_name)
    })
}

#[cfg(test)]
mod tests {
    use super::{Form, check, exit_codes, is_named, profiles, wanted};
    use crate::tidy::Page;

    #[test]
    fn everything_that_users_meet_is_wanted() {
        assert_eq!(exit_codes().collect::<Vec<_>>(), ["0", "1", "2", "3", "4", "130", "143"]);
        assert_eq!(profiles().collect::<Vec<_>>(), ["quick", "ci", "full", "seed"]);
        let words: Vec<String> = wanted().into_iter().map(|wanted| wanted.word).collect();
        for word in ["load", "memory.anon", "init"] {
            assert!(words.iter().any(|known| known == word), "{word} in {words:?}");
        }
    }

    #[test]
    fn a_word_counts_only_whole_and_in_its_form() {
        let named = |text, word| is_named(text, word, Form::Code);
        assert!(named("run `cargo test -- load` now", "load"));
        assert!(named("| `memory.anon` | bytes |", "memory.anon"));
        assert!(named("```sh\ncargo xtask init\n```", "init"));
        assert!(!named("the load is `here`", "load"));
        assert!(!named("`overload`, `load.levels`", "load"));
        assert!(!named("`memory.anon_huge`", "memory.anon"));
        let row = |text| is_named(text, "1", Form::Row);
        assert!(row("| 1 | failed |") && row("| `1` | failed |") && row("| 0, 1 | both |"));
        assert!(!row("| 10 | failed |") && !row("| a | 1 |") && !row("1 failed"));
    }

    #[test]
    fn a_page_that_names_everything_passes_and_an_empty_one_names_what_it_lacks() {
        let page = |text: String| [Page { path: "README.md".into(), text }];
        let whole: String =
            wanted().iter().map(|wanted| format!("| `{}` | x |\n", wanted.word)).collect();
        assert_eq!(check(&page(whole)), []);
        assert_eq!(check(&page(String::new())).len(), wanted().len());
        assert_eq!(check(&[]).len(), 1);
    }
}
