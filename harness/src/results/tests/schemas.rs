//! The committed JSON Schemas: current, and true of what is written and read.
//!
//! `UPDATE_SCHEMAS=1 cargo test -p proofload --lib schemas` rewrites them after a change of the types.

use std::path::Path;

use serde_json::{Value, json};

use super::{begin, complete, event, passed, run, sample, text};
use crate::model::{EventKind, Metric, Unit};
use crate::results::journal::assemble;
use crate::results::{Line, Results};
use crate::scenario::file::ScenarioFile;
use crate::scenario::workspace::WorkspaceFile;

fn generated() -> [(&'static str, schemars::Schema); 3] {
    [
        ("results", schemars::schema_for!(Results)),
        ("scenario", schemars::schema_for!(ScenarioFile)),
        ("workspace", schemars::schema_for!(WorkspaceFile)),
    ]
}

#[test]
fn the_committed_schemas_are_those_of_the_types() {
    for (name, schema) in generated() {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/{name}.schema.json"));
        let current = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &current).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == current,
            "{} is out of date: run this test with UPDATE_SCHEMAS=1 and commit it",
            path.display()
        );
    }
}

/// The first place where a document breaks the part of JSON Schema that the derived schemas use. A validator crate
/// would pull in 27 more.
fn broken(document: &Value, schema: &Value, root: &Value, at: &str) -> Result<(), String> {
    let known = [
        "$defs",
        "$ref",
        "$schema",
        "additionalProperties",
        "anyOf",
        "const",
        "default",
        "description",
        "enum",
        "format",
        "items",
        "maximum",
        "minimum",
        "oneOf",
        "properties",
        "required",
        "title",
        "type",
    ];
    let Value::Object(keywords) = schema else {
        return if *schema == json!(false) { Err(format!("{at}: not allowed")) } else { Ok(()) };
    };
    if let Some(unknown) = keywords.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(format!("{at}: this test does not know the keyword {unknown}"));
    }
    if let Some(Value::String(reference)) = schema.get("$ref") {
        let target = root.pointer(&reference[1..]).ok_or(format!("{at}: dangling {reference}"))?;
        broken(document, target, root, at)?;
    }
    let is = |name: &Value| match name.as_str().unwrap_or_default() {
        "null" => document.is_null(),
        "boolean" => document.is_boolean(),
        "integer" => document.is_i64() || document.is_u64(),
        "number" => document.is_number(),
        "string" => document.is_string(),
        "array" => document.is_array(),
        _ => document.is_object(),
    };
    let fits = match schema.get("type") {
        Some(Value::Array(names)) => names.iter().any(is),
        Some(name) => is(name),
        None => true,
    };
    let listed = schema["enum"].as_array().is_none_or(|values| values.contains(document));
    let constant = schema.get("const").is_none_or(|value| value == document);
    if !(fits && listed && constant) {
        return Err(format!("{at}: {document} is not {schema}"));
    }
    for (keyword, least, most) in [("anyOf", 1, usize::MAX), ("oneOf", 1, 1)] {
        if let Some(Value::Array(schemas)) = schema.get(keyword) {
            let fit = schemas.iter().filter(|one| broken(document, one, root, at).is_ok()).count();
            if !(least..=most).contains(&fit) {
                return Err(format!("{at}: {document} fits {fit} of {keyword}"));
            }
        }
    }
    for (index, item) in document.as_array().into_iter().flatten().enumerate() {
        broken(item, schema.get("items").unwrap_or(&Value::Null), root, &format!("{at}/{index}"))?;
    }
    let Value::Object(fields) = document else { return Ok(()) };
    for required in schema["required"].as_array().into_iter().flatten() {
        if !fields.contains_key(required.as_str().unwrap_or_default()) {
            return Err(format!("{at}: {required} is missing"));
        }
    }
    let other = schema.get("additionalProperties").unwrap_or(&Value::Null);
    fields.iter().try_for_each(|(key, value)| {
        let schema = schema.get("properties").and_then(|all| all.get(key)).unwrap_or(other);
        broken(value, schema, root, &format!("{at}/{key}"))
    })
}

fn check(name: &str, document: &Value, expected: Result<(), &str>) {
    let schemas = generated().map(|(name, schema)| (name, schema.to_value()));
    let (_, schema) = schemas.iter().find(|(other, _)| *other == name).unwrap();
    match (broken(document, schema, schema, ""), expected) {
        (Ok(()), Ok(())) => {}
        (Err(found), Err(part)) if found.contains(part) => {}
        (found, expected) => panic!("{name}: expected {expected:?}, found {found:?}"),
    }
}

fn results() -> Value {
    let metrics = vec![Metric::higher("queue.depth", Unit::Count)];
    let lines = [
        run(),
        begin("a"),
        Line::Metrics { metrics },
        sample(1.0),
        event(EventKind::OomKill),
        passed(),
        begin("b"),
        super::end(crate::model::Outcome::Broken("x".to_owned()), crate::model::Verdict::Error),
        complete(),
    ];
    serde_json::to_value(assemble(&text(&lines)).unwrap()).unwrap()
}

#[test]
fn what_is_written_is_valid() {
    check("results", &results(), Ok(()));
    let cut_off = assemble(&text(&[run(), begin("a"), sample(1.0)])).unwrap();
    check("results", &serde_json::to_value(cut_off).unwrap(), Ok(()));
}

#[test]
fn a_broken_document_is_not_valid() {
    let without = |pointer: &str, key: &str| {
        let mut document = results();
        document.pointer_mut(pointer).unwrap().as_object_mut().unwrap().shift_remove(key);
        document
    };
    check("results", &without("", "test_id"), Err("\"test_id\" is missing"));
    check("results", &without("/scenarios/0", "scenario_name"), Err("/scenarios/0: "));
    check("results", &without("/scenarios/0/samples/0", "containers"), Err("/samples/0: "));
    let mut document = results();
    document["scenarios"][0]["verdict"] = json!("splendid");
    check("results", &document, Err("/scenarios/0/verdict"));
    check("scenario", &json!({ "kind": "load", "sample": { "lenght": "1s" } }), Err("/sample: "));
    check("scenario", &json!({ "kind": "loud" }), Err("/kind"));
    check("workspace", &json!({ "keeep": 3 }), Err("/keeep"));
}

#[test]
fn the_files_that_users_write_are_valid() {
    let json = |text: &str| serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap());
    check("scenario", &json(crate::scenario::DEFAULTS).unwrap(), Ok(()));
    check("scenario", &json(include_str!("../../scenario/tests/contract.toml")).unwrap(), Ok(()));
    let workspace = "keep = 3\n[profile.nightly]\nsample.length = \"2m\"";
    check("workspace", &json(workspace).unwrap(), Ok(()));
}
