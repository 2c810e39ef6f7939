//! [`Source`]: a Rust file of the library, reduced to the code that is compiled outside tests.

use std::path::{Path, PathBuf};

use super::Page;

/// The code of one file, with comments, literals and test items blanked. Lines stay where they were.
pub(super) struct Source {
    /// Relative to the repository.
    pub(super) path: PathBuf,
    /// The module path below the crate root, for example `["target", "compose", "cli"]`; empty for `lib.rs`.
    pub(super) module: Vec<String>,
    pub(super) code: String,
}

impl Source {
    /// The line of a byte of `code`, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.code[..at].matches('\n').count() + 1
    }
}

/// The library's files, but those of tests and binaries.
pub(super) fn library(pages: &[Page]) -> Vec<Source> {
    let root = Path::new("harness/src");
    let mut tests: Vec<Vec<String>> = Vec::new();
    let mut sources = Vec::new();
    for page in pages {
        let Ok(relative) = page.path.strip_prefix(root) else { continue };
        if page.path.extension().is_none_or(|ext| ext != "rs") || relative.starts_with("bin") {
            continue;
        }
        let module = module(relative);
        let (code, test_modules) = without_tests(&without_text(&page.text));
        tests.extend(test_modules.into_iter().map(|name| [module.clone(), vec![name]].concat()));
        sources.push(Source { path: page.path.clone(), module, code });
    }
    sources.retain(|source| !tests.iter().any(|test| source.module.starts_with(test)));
    sources
}

fn module(relative: &Path) -> Vec<String> {
    let whole = relative.with_extension("");
    let mut names: Vec<String> =
        whole.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    names.pop_if(|last| last == "mod" || last == "lib");
    names
}

/// Blanks comments and the inside of string and character literals.
fn without_text(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word_before = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if first == '"' {
            quoted(rest)
        } else if first == 'r' && !word_before {
            raw_string(rest).unwrap_or(0)
        } else if first == '\'' {
            character(rest)
        } else {
            0
        };
        if length == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[length..];
        }
    }
    code
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

/// The length of `r"..."` or `r#"..."#`; `None` for a word that starts with r.
fn raw_string(text: &str) -> Option<usize> {
    let hashes = text[1..].chars().take_while(|c| *c == '#').count();
    let inside = text[1 + hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = inside.find(&end).map_or(inside.len(), |at| at + end.len());
    Some(2 + hashes + length)
}

/// The length of a character literal; 0 for a lifetime.
fn character(text: &str) -> usize {
    let mut inside = text.char_indices().skip(1);
    match (inside.next(), inside.next()) {
        // What is escaped may be a quote itself.
        (Some((_, '\\')), Some((at, c))) => {
            let from = at + c.len_utf8();
            text[from..].find('\'').map_or(0, |end| from + end + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

/// Blanks the items under `#[cfg(test)]`, and names those that are modules in files of their own.
fn without_tests(code: &str) -> (String, Vec<String>) {
    const MARK: &str = "#[cfg(test)]";
    let mut kept = String::with_capacity(code.len());
    let mut modules = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find(MARK) {
        kept.push_str(&rest[..at]);
        let after = &rest[at + MARK.len()..];
        let length = item(after);
        let words: Vec<&str> = after[..length].split_whitespace().collect();
        if let Some(name) =
            words.iter().position(|word| *word == "mod").and_then(|at| words.get(at + 1))
        {
            modules.extend(name.strip_suffix(';').map(str::to_owned));
        }
        let cut = at + MARK.len() + length;
        kept.extend(rest[at..cut].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &rest[cut..];
    }
    kept.push_str(rest);
    (kept, modules)
}

/// The length of the item that `code` begins with, with its further attributes.
fn item(code: &str) -> usize {
    const ITEMS: [&str; 12] = [
        "pub", "fn", "mod", "use", "impl", "struct", "enum", "const", "static", "trait", "type",
        "async",
    ];
    let mut start = code.len() - code.trim_start().len();
    while code[start..].starts_with("#[") {
        let end = code[start..].find(']').map_or(code.len(), |at| start + at + 1);
        start = end + code[end..].len() - code[end..].trim_start().len();
    }
    let word = code[start..].split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    // Only a field, a variant or an argument ends at a comma.
    let ends_at_comma = !ITEMS.contains(&word);
    let mut depth = 0_i32;
    for (at, c) in code[start..].char_indices() {
        let after = start + at + c.len_utf8();
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        let closes = c == '}' && depth == 0 && !code[after..].trim_start().starts_with(';');
        if depth == 0 && (c == ';' || closes || c == ',' && ends_at_comma) {
            return after;
        }
        if depth < 0 {
            return start + at;
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::{Page, library};

    fn code(text: &str) -> String {
        let page = Page { path: "harness/src/run/mod.rs".into(), text: text.to_owned() };
        library(&[page]).remove(0).code.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_and_literals_are_no_code() {
        assert_eq!(code("a // b\nc /* d /* e */ f */ g"), "a c g");
        assert_eq!(
            code(r#"f("a\"b", 'x', '\'', '"', b"c") as &'a str"#),
            "f( , , , , b ) as &'a str"
        );
        assert_eq!(code(r##"for x in r#"a"b"# {}"##), "for x in {}");
    }

    #[test]
    fn test_items_are_left_out() {
        assert_eq!(code("a();\n#[cfg(test)]\nmod tests { fn f() { g(); } }\nb();"), "a(); b();");
        assert_eq!(code("#[cfg(test)]\nuse a::{b, c};\nd();"), "d();");
        assert_eq!(code("#[cfg(test)]\n#[derive(A)]\nstruct B<C, D>(C, D);\ne();"), "e();");
        assert_eq!(code("S { #[cfg(test)] a: f(1, 2), b }"), "S { b }");
        assert_eq!(code("#[cfg(test)]\npub(crate) fn f(a: [u8; 2]) -> u8 { 1 }\ng();"), "g();");
    }

    #[test]
    fn files_of_test_modules_are_left_out() {
        let page = |path: &str, text: &str| Page { path: path.into(), text: text.to_owned() };
        let sources = library(&[
            page("harness/src/lib.rs", "mod a;"),
            page(
                "harness/src/a.rs",
                "#[cfg(test)]\nmod tests;\n#[cfg(test)]\npub(crate) mod fake;",
            ),
            page("harness/src/a/b.rs", ""),
            page("harness/src/a/tests.rs", ""),
            page("harness/src/a/tests/more.rs", ""),
            page("harness/src/a/fake.rs", ""),
            page("harness/src/bin/x.rs", ""),
            page("harness/tests/perf.rs", ""),
        ]);
        let modules: Vec<String> = sources.iter().map(|source| source.module.join("::")).collect();
        assert_eq!(modules, ["", "a", "a::b"]);
    }
}
