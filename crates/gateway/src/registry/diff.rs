//! What differs between two bodies, for a person who decides whether it is what they meant.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// One thing that differs. Where neither side is there, the same things stand in another order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RegistryDifference)]
pub struct Difference {
    /// Which member, from the outside in; of attributes by their name.
    #[schema(example = "attributes.MH-Level.label")]
    pub member: String,
    /// What stands there and goes; absent where nothing goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Level")]
    pub before: Option<String>,
    /// What comes; absent where nothing comes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Grade")]
    pub after: Option<String>,
    /// Whether it is one of a list's entries.
    #[serde(skip)]
    is_entry: bool,
}

/// As a line of a plan or of the history.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.member)?;
        match (&self.before, &self.after, self.is_entry) {
            (Some(before), None, true) => write!(f, "− {before}"),
            (None, Some(after), true) => write!(f, "+ {after}"),
            (Some(before), None, false) => write!(f, "{before} is taken out"),
            (None, Some(after), false) => f.write_str(after),
            (Some(before), Some(after), _) => write!(f, "{before} → {after}"),
            (None, None, _) => f.write_str("in another order"),
        }
    }
}

/// One for each member that differs; of lists, what goes and what comes.
pub(super) fn differences(from: &Value, to: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", Some(from), Some(to), &mut found);
    found
}

/// The same, a line each.
pub(super) fn lines(from: &Value, to: &Value) -> Vec<String> {
    let found = differences(from, to);
    found.iter().map(ToString::to_string).collect()
}

fn compare(path: &str, from: Option<&Value>, to: Option<&Value>, found: &mut Vec<Difference>) {
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
                compare(&path, from.get(name), to.get(name), found);
            }
        }
        (Some(Value::Array(from)), Some(Value::Array(to))) => compare_lists(path, from, to, found),
        (from, to) => found.push(Difference {
            member: path.to_owned(),
            before: from.map(short),
            after: to.map(short),
            is_entry: false,
        }),
    }
}

/// Each entry once, also where one stands there twice. Attributes are the same ones as long as they have their name: of those, each
/// member by itself. What else has a name may have it from whoever is being looked at (a key), so it says nothing there.
fn compare_lists(path: &str, from: &[Value], to: &[Value], found: &mut Vec<Difference>) {
    let entry = |before: Option<&Value>, after: Option<&Value>| Difference {
        member: path.to_owned(),
        before: before.map(short),
        after: after.map(short),
        is_entry: true,
    };
    let is_same = |one: &Value, other: &Value| {
        one == other || (path == "attributes" && name(one).is_some() && name(one) == name(other))
    };
    let mut left: Vec<Option<&Value>> = to.iter().map(Some).collect();
    let mut places = Vec::new();
    for one in from {
        let place = left
            .iter()
            .position(|other| other.is_some_and(|other| is_same(one, other)));
        let Some(place) = place else {
            found.push(entry(Some(one), None));
            continue;
        };
        places.push(place);
        let path = format!("{path}.{}", name(one).unwrap_or_default());
        compare(&path, Some(one), left[place].take(), found);
    }
    found.extend(left.into_iter().flatten().map(|one| entry(None, Some(one))));
    if !places.is_sorted() {
        found.push(entry(None, None));
    }
}

fn name(entry: &Value) -> Option<&str> {
    entry.get("name").and_then(Value::as_str)
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

    #[test]
    fn of_an_attribute_that_stays_each_member_is_told_by_itself_and_its_place_too() {
        let of = |name: &str, label: &str| json!({ "name": name, "label": label });
        let from = json!({ "attributes": [of("a", "A"), of("b", "B"), of("c", "C")] });
        let to = json!({ "attributes": [of("c", "C"), of("b", "Bee"), of("d", "D")] });
        let found = differences(&from, &to);
        let told: Vec<String> = found.iter().map(ToString::to_string).collect();
        let expected = [
            "attributes: − a (label \"A\")",
            "attributes.b.label: B → Bee",
            "attributes: + d (label \"D\")",
            "attributes: in another order",
        ];
        assert_eq!(told, expected);
        let apart: Vec<_> = found
            .iter()
            .map(|one| (one.before.as_deref(), one.after.as_deref()))
            .collect();
        let expected = [
            (Some("a (label \"A\")"), None),
            (Some("B"), Some("Bee")),
            (None, Some("d (label \"D\")")),
            (None, None),
        ];
        assert_eq!(apart, expected);
        assert!(differences(&to, &to).is_empty());
    }

    /// A key brings its members along: none of them may hide from the second person that there is another key.
    #[test]
    fn a_key_that_comes_or_takes_anothers_place_is_told_whatever_it_calls_itself() {
        let of = |kid: &str| json!({ "name": "ours", "kid": kid });
        let keys = |kids: &[&str]| {
            let keys: Vec<_> = kids.iter().copied().map(of).collect();
            json!({ "jwks": { "keys": keys } })
        };
        let one = |kid: &str| short(&of(kid));
        for (from, to, expected) in [
            (
                keys(&["a"]),
                keys(&["a", "b"]),
                vec![format!("jwks.keys: + {}", one("b"))],
            ),
            (
                keys(&["a", "b"]),
                keys(&["a", "c"]),
                vec![
                    format!("jwks.keys: − {}", one("b")),
                    format!("jwks.keys: + {}", one("c")),
                ],
            ),
            (
                keys(&["a", "a"]),
                keys(&["a"]),
                vec![format!("jwks.keys: − {}", one("a"))],
            ),
            (
                keys(&["a", "b"]),
                keys(&["b", "a"]),
                vec!["jwks.keys: in another order".to_owned()],
            ),
        ] {
            assert_eq!(lines(&from, &to), expected);
        }
    }
}
