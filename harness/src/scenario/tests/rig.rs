//! What only the run would find out, though the text says it, is refused where it stands.

use super::refusals::{check, check_text};
use super::{DRIVER, TARGET, complete};

const COMPOSE: &str = "fixtures/stacks/steady/compose.yml";

#[test]
fn a_placeholder_is_refused_where_that_request_does_not_know_it() {
    let stop = |path: &str| format!("stop = {{ method = \"POST\", path = \"{path}\" }} #!");
    check("", &stop("/{group}"), "unknown placeholder {group}: expected {agents}; write");
    check("", &stop("/{count}"), "unknown placeholder {count}");
    check("", "start = { method = \"POST\", path = \"/\", body = \"{count}\" } #!", "{count}");
    check(
        "",
        "status = { method = \"GET\", path = \"/{count}\", live = \"\" } #!",
        "unknown placeholder {count}: expected {agents}, {group}",
    );
    check("", "headers = { a = \"{group}\" } #!", "unknown placeholder {group}");
    let command = |word: &str| {
        format!("kind = \"load\"\n{TARGET}[driver.command]\ncommand = [\"k6\", \"{word}\"] #!\n")
    };
    check_text(&command("{group}"), "unknown placeholder {group}: expected {agents}, {log_dir}");
    check_text(&command("{count}"), "unknown placeholder {count}");
    complete(&command("{agents}{log_dir}").replace(" #!", ""), "", &[]).unwrap();
}

#[test]
fn a_request_that_cannot_be_sent_or_understood_is_refused() {
    let methods = "expected GET, POST, PUT, PATCH or DELETE, found \"POTS\"";
    check("", "stop = { path = \"/\", method = \"POTS\" } #!", methods);
    check("", "status = { path = \"/\", live = \"\", method = \"POTS\" } #!", methods);
    check(
        "",
        "status = { method = \"GET\", path = \"/\", live = \"agents\" } #!",
        "expected a JSON pointer such as \"/live\", or \"\" for the whole answer, found \"agents\"",
    );
    let text =
        format!("kind = \"load\"\n{TARGET}{DRIVER}stop = {{ method = \"post\", path = \"/\" }}");
    complete(&text, "", &[]).unwrap();
}

#[test]
fn a_process_cannot_be_asked_whether_it_is_healthy() {
    check_text(
        &format!("kind = \"baseline\"\n{TARGET}ready = {{ healthy = true }} #!\n"),
        "`healthy` is for containers: use `http`, `tcp`, `log` or `command`",
    );
}

#[test]
fn a_file_is_looked_for_under_every_name_that_the_matrix_gives_it() {
    let text = |stacks: &str, file: &str| {
        format!("kind = \"baseline\"\nmatrix.stack = [{stacks}]\n[target.compose]\n{file} #!\n")
    };
    let by_stack = "file = \"fixtures/stacks/{stack}/compose.yml\"";
    complete(&text("\"steady\"", by_stack).replace(" #!", ""), "", &[])
        .unwrap_or_else(|error| panic!("{error}"));
    check_text(&text("\"steady\", \"leaky\"", by_stack), "no such file below");
    check_text(&text("\"steady\", \"leaky\"", by_stack), "fixtures/stacks/leaky/compose.yml");
    let env = format!("file = \"{COMPOSE}\"\nenv_file = \"{{stack}}\"");
    complete(&text("\".env\"", &env).replace(" #!", ""), "", &[])
        .unwrap_or_else(|error| panic!("{error}"));
    check_text(&text("\".envy\"", &env), ".envy");
}
