//! Answers as a person reads them: lists as tables, everything else as a member on each line.

use serde_json::Value;

use crate::say::say;

/// How an answer is shown.
#[derive(Clone, Copy, Debug)]
pub enum Show {
    /// The list of that name, with these columns.
    Table(&'static str, &'static [&'static str]),
    /// A member on each line.
    Record,
    /// The text of the first member as it stands, and the second after it.
    Text(&'static str, &'static str),
    /// That member and nothing else, for a file or a vault; the rest goes to standard error.
    Once(&'static str),
}

/// Prints it.
pub fn show(answer: &Value, how: Show) -> anyhow::Result<()> {
    match how {
        Show::Table(name, columns) => {
            let none = Vec::new();
            let rows = answer[name].as_array().unwrap_or(&none);
            for line in table(rows, columns) {
                say(line)?;
            }
            if let Some(next) = answer["next"].as_i64() {
                say(format_args!("There are more: --before {next}"))?;
            }
            Ok(())
        }
        Show::Record => record(answer).into_iter().try_for_each(say),
        Show::Text(name, end) => {
            let lines = answer[name].as_str().unwrap_or_default().lines();
            lines.map(|line| text("", &line.into())).try_for_each(say)?;
            say(format_args!("{end}: {}", text(end, &answer[end])))
        }
        Show::Once(name) => {
            say(text(name, &answer[name]))?;
            let mut rest = answer.clone();
            if let Some(members) = rest.as_object_mut() {
                members.remove(name);
            }
            for line in record(&rest) {
                eprintln!("{line}");
            }
            eprintln!("It is shown this once and cannot be looked up.");
            Ok(())
        }
    }
}

fn table(rows: &[Value], columns: &[&str]) -> Vec<String> {
    let head = columns.iter().map(|name| name.replace('_', " ")).collect();
    let cells = rows
        .iter()
        .map(|row| columns.iter().map(|name| text(name, &row[*name])).collect());
    let lines: Vec<Vec<String>> = std::iter::once(head).chain(cells).collect();
    let width = |at: usize| {
        lines
            .iter()
            .map(|line| line[at].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let line = |cells: &Vec<String>| {
        let padded = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.iter().map(line).collect()
}

fn record(answer: &Value) -> Vec<String> {
    let Some(members) = answer.as_object() else {
        return vec![text("", answer)];
    };
    let width = members.keys().map(String::len).max().unwrap_or(0);
    members
        .iter()
        .map(|(name, value)| format!("{name:width$}  {}", text(name, value)))
        .collect()
}

/// A value on one line. What others wrote must not speak to the terminal.
fn text(name: &str, value: &Value) -> String {
    let text = match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(seconds) if name == "at" => seconds
            .as_i64()
            .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
            .map_or_else(|| seconds.to_string(), |at| at.to_string()),
        other => other.to_string(),
    };
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_a_table_and_what_is_missing_is_a_dash() {
        let rows = [
            json!({ "id": "op-1", "name": "ann" }),
            json!({ "id": "op-22", "role": "viewer" }),
        ];
        assert_eq!(
            table(&rows, &["id", "name", "role"]),
            ["id     name  role", "op-1   ann   -", "op-22  -     viewer"]
        );
    }

    #[test]
    fn what_others_wrote_does_not_speak_to_the_terminal() {
        assert_eq!(text("", &json!("a\u{1b}[31mb\n")), "a [31mb ");
        assert_eq!(text("at", &json!(0)), "1970-01-01T00:00:00Z");
    }
}
