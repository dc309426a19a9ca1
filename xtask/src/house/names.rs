//! Names that say nothing: the words of the house are in `docs/glossary.md`.

use super::Breach;
use super::source::{Definition, Source};

/// Say instead: parse, check, find, insert, advance, fetch, answer.
const EMPTY_PREFIXES: [&str; 3] = ["get_", "handle_", "process_"];

/// Say instead what the thing is or does.
const EMPTY_WORDS: [&str; 4] = ["dto", "helper", "manager", "util"];

pub(super) fn check(path: &str, source: &Source) -> Vec<Breach> {
    source
        .definitions
        .iter()
        .filter_map(|definition| check_definition(path, definition))
        .collect()
}

fn check_definition(path: &str, definition: &Definition) -> Option<Breach> {
    let Definition { kind, name, line } = definition;
    let words = words(name);
    let empty = EMPTY_PREFIXES
        .iter()
        .find(|prefix| kind == "fn" && name.starts_with(**prefix))
        .or_else(|| {
            EMPTY_WORDS.iter().find(|empty| {
                words
                    .iter()
                    .any(|word| word.strip_suffix('s').unwrap_or(word) == **empty)
            })
        })?;
    Some(Breach::new(
        path,
        *line,
        format!("`{empty}` in the name `{name}` says nothing: use a word of docs/glossary.md"),
    ))
}

/// The words of a name in either spelling, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for letter in name.chars() {
        if letter == '_' || letter.is_uppercase() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| letter != '_') {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::source::parse;
    use super::*;

    fn breaches(text: &str) -> Vec<String> {
        check("a.rs", &parse(text).unwrap())
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn empty_names_are_reported() {
        for text in [
            "fn get_key() {}",
            "async fn handle_par() {}",
            "fn process_it() {}",
            "struct KeyManager;",
            "mod utils;",
            "enum TokenDto {}",
        ] {
            assert_eq!(breaches(text).len(), 1, "{text}");
        }
    }

    #[test]
    fn names_that_only_look_like_them_are_left_alone() {
        for text in [
            "fn budget_left() {}",
            "fn processing() {}",
            "struct Handle;",
            "fn f() { map.get_mut(1); }",
            "fn utility() {}",
        ] {
            assert_eq!(breaches(text), [""; 0], "{text}");
        }
    }
}
