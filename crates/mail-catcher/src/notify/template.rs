//! A template with `((placeholders))`, and what becomes of it with values.

use serde_json::{Map, Value};
use uuid::Uuid;

/// A template for e-mails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its id.
    pub id: Uuid,
    /// What its owner calls it.
    pub name: String,
    /// The subject, with placeholders.
    pub subject: String,
    /// The text, with placeholders.
    pub body: String,
    /// How often it was changed, and once.
    pub version: u32,
}

impl Template {
    /// Subject and text with the values; `Err` with the names for which there is none, in order.
    pub(super) fn fill(
        &self,
        values: &Map<String, Value>,
    ) -> Result<(String, String), Vec<String>> {
        let mut missing = Vec::new();
        let subject = fill(&self.subject, values, &mut missing);
        let body = fill(&self.body, values, &mut missing);
        if missing.is_empty() {
            Ok((subject, body))
        } else {
            missing.dedup();
            Err(missing)
        }
    }

    /// The names of its placeholders, in order of their first appearance.
    pub(super) fn names(&self) -> Vec<String> {
        let mut missing = Vec::new();
        fill(&self.subject, &Map::new(), &mut missing);
        fill(&self.body, &Map::new(), &mut missing);
        missing.dedup();
        missing
    }
}

fn fill(text: &str, values: &Map<String, Value>, missing: &mut Vec<String>) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("((") {
        let Some(length) = rest[at..].find("))") else {
            break;
        };
        filled.push_str(&rest[..at]);
        let inside = &rest[at + 2..at + length];
        rest = &rest[at + length + 2..];
        let (name, condition) = match inside.split_once("??") {
            Some((name, text)) => (name, Some(text)),
            None => (inside, None),
        };
        let value = values
            .iter()
            .find(|(known, _)| folded(known) == folded(name));
        match (value, condition) {
            (None, _) => missing.push(name.trim().to_owned()),
            (Some((_, value)), None) => filled.push_str(&written(value)),
            (Some((_, value)), Some(text)) if is_yes(value) => filled.push_str(text),
            (Some(_), Some(_)) => {}
        }
    }
    filled.push_str(rest);
    filled
}

/// A list becomes bullet points.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items
                .iter()
                .map(|item| format!("* {}", written(item)))
                .collect();
            format!("\n\n{}\n", items.join("\n"))
        }
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn is_yes(value: &Value) -> bool {
    let text = written(value).to_lowercase();
    matches!(
        text.as_str(),
        "yes" | "y" | "true" | "t" | "1" | "include" | "show"
    )
}

/// Case, spaces, hyphens and underscores do not count in a name.
fn folded(name: &str) -> String {
    let dropped = |letter: &char| !letter.is_whitespace() && !matches!(letter, '-' | '_');
    name.chars()
        .filter(dropped)
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn a_template_says_its_values_and_names_those_that_are_missing() {
        let template = Template {
            id: Uuid::nil(),
            name: "one".to_owned(),
            subject: "For ((first name))".to_owned(),
            body: "Dear ((first_name)), ((new??you are new.)) ((list)) (one) ((open".to_owned(),
            version: 1,
        };
        let values = |value: Value| value.as_object().unwrap().clone();
        let (subject, body) = template
            .fill(&values(
                json!({ "First Name": "((new))", "new": "yes", "list": ["a", "b"] }),
            ))
            .unwrap();
        assert_eq!(subject, "For ((new))");
        assert_eq!(
            body,
            "Dear ((new)), you are new. \n\n* a\n* b\n (one) ((open"
        );
        let missing = template.fill(&values(json!({ "list": "x" }))).unwrap_err();
        assert_eq!(missing, ["first name", "first_name", "new"]);
        assert_eq!(template.names().last().unwrap(), "list");
    }
}
