//! What the commands around Pulumi print with `--json`, held against the schemas that docs/json.md promises to scripts.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::stack::Stack;

/// Why a value is not as a schema says. Knows the words that these schemas use, and no other.
fn against(schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let wrong = |what: &Value| vec![format!("{at} is {value}, not {what}")];
    let mut found = Vec::new();
    for (word, says) in schema.as_object().unwrap() {
        match word.as_str() {
            "$schema" | "title" => {}
            "const" if says == value => {}
            "enum" if says.as_array().unwrap().contains(value) => {}
            "type" if says.as_array().map_or_else(|| is_a(says, value), |any| any.iter().any(|a| is_a(a, value))) => {}
            "minimum" if value.as_f64().is_none_or(|number| number >= says.as_f64().unwrap()) => {}
            "required" => {
                let names = says.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
                found.extend(names.filter(|name| value.get(name).is_none()).map(|name| format!("{at} lacks {name}")));
            }
            "properties" => {
                for (name, schema) in says.as_object().unwrap() {
                    found.extend(
                        value
                            .get(name)
                            .map(|value| against(schema, value, &format!("{at}.{name}")))
                            .into_iter()
                            .flatten(),
                    );
                }
            }
            "items" => {
                let items = value.as_array().into_iter().flatten();
                found.extend(items.flat_map(|item| against(says, item, &format!("{at}[]"))));
            }
            _ => found.extend(wrong(says)),
        }
    }
    found
}

fn is_a(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "null" => value.is_null(),
        other => panic!("{other}"),
    }
}

fn schema(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/schemas/{name}.schema.json"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[track_caller]
fn holds(name: &str, value: &Value) {
    assert_eq!(against(&schema(name), value, name), Vec::<String>::new());
    // Whatever is promised to be there is missed when it is gone.
    for key in schema(name)["required"].as_array().unwrap() {
        let mut without = value.clone();
        without.as_object_mut().unwrap().remove(key.as_str().unwrap());
        assert_ne!(against(&schema(name), &without, name), Vec::<String>::new(), "{key}");
    }
}

#[test]
fn what_runs_and_what_stops_is_told_as_it_is_promised() {
    let stack = Stack::lacking_one();
    let said = |line: &str| stack.run(&format!("{line} --yes --json")).ended(0).json();
    holds("stop", &said("interrupt"));
    holds("stop", &said("unlock"));
    let previewed = stack.run("preview --json").ended(0).json();
    assert!(previewed["steps"].as_array().is_some_and(|steps| !steps.is_empty()), "{previewed}");
    holds("preview", &previewed);
    holds("run", &said("up"));
    holds("run", &stack.run("attach --json").ended(0).json());
    holds("run", &said("refresh"));
    stack.lock_of_the_dead();
    let locked = stack.run("preview --json").ended(0).json();
    assert_eq!(locked["locks"].as_array().map(Vec::len), Some(1), "{locked}");
    holds("preview", &locked);
    let cleared = said("unlock");
    assert_eq!(cleared["locks"].as_array().map(Vec::len), Some(1), "{cleared}");
    holds("stop", &cleared);
    said("release --to legacy");
    stack.drill.advance(7200);
    let destroyed = said("destroy");
    assert!(destroyed["orphans"].is_array(), "{destroyed}");
    holds("run", &destroyed);
}
