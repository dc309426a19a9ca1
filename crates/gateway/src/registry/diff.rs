//! What differs between two bodies, for a person who decides whether it is what they meant.

use std::collections::BTreeSet;

use serde_json::Value;

/// One line for each member that differs; of lists, what comes and what goes.
pub(super) fn lines(from: &Value, to: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    compare("", Some(from), Some(to), &mut lines);
    lines
}

fn compare(path: &str, from: Option<&Value>, to: Option<&Value>, lines: &mut Vec<String>) {
    match (from, to) {
        (from, to) if from == to => {}
        (Some(Value::Object(from)), Some(Value::Object(to))) => {
            let names: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
            for name in names {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                compare(&path, from.get(name), to.get(name), lines);
            }
        }
        (Some(Value::Array(from)), Some(Value::Array(to))) => compare_lists(path, from, to, lines),
        (None, Some(to)) => lines.push(format!("{path}: {}", short(to))),
        (Some(from), None) => lines.push(format!("{path}: {} is taken out", short(from))),
        (Some(from), Some(to)) => lines.push(format!("{path}: {} → {}", short(from), short(to))),
        (None, None) => {}
    }
}

fn compare_lists(path: &str, from: &[Value], to: &[Value], lines: &mut Vec<String>) {
    let gone = from.iter().filter(|one| !to.contains(one));
    let come = to.iter().filter(|one| !from.contains(one));
    let before = lines.len();
    lines.extend(gone.map(|one| format!("{path}: − {}", short(one))));
    lines.extend(come.map(|one| format!("{path}: + {}", short(one))));
    if lines.len() == before {
        lines.push(format!("{path}: in another order"));
    }
}

/// A value on one line. Attributes and trust rows are named, which says more than their beginning.
fn short(value: &Value) -> String {
    const LONGEST: usize = 120;
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Object(members) => {
            let name = members
                .get("name")
                .or_else(|| members.get("credential_type"));
            let rest = members
                .iter()
                .filter(|(_, value)| Some(*value) != name)
                .map(|(key, value)| format!("{key} {value}"));
            let rest = rest.collect::<Vec<_>>().join(", ");
            match name.and_then(Value::as_str) {
                Some(name) => format!("{name} ({rest})"),
                None => rest,
            }
        }
        other => other.to_string(),
    };
    if text.chars().count() > LONGEST {
        text.chars().take(LONGEST).chain(['…']).collect()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_difference_is_told_by_what_comes_and_what_goes() {
        let from = json!({
            "name": "Anytown", "redirect_uris": ["https://a.example/cb", "https://b.example/cb"],
            "webhook": { "url": "https://a.example/events" }, "dialect": "v2",
        });
        let to = json!({
            "name": "Anytown NHS Trust", "redirect_uris": ["https://b.example/cb", "https://c.example/cb"],
            "webhook": { "url": "https://b.example/events" }, "jwks_uri": "https://a.example/jwks",
        });
        let expected = [
            "dialect: v2 is taken out",
            "jwks_uri: https://a.example/jwks",
            "name: Anytown → Anytown NHS Trust",
            "redirect_uris: − https://a.example/cb",
            "redirect_uris: + https://c.example/cb",
            "webhook.url: https://a.example/events → https://b.example/events",
        ];
        assert_eq!(lines(&from, &to), expected);
        assert!(lines(&to, &to).is_empty());
        let turned = lines(
            &json!({ "formats": ["a", "b"] }),
            &json!({ "formats": ["b", "a"] }),
        );
        assert_eq!(turned, ["formats: in another order"]);
    }
}
