//! What the pages say is in the catalogue, all of it, and nothing else is.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Where a key stands in code and templates: `say("key"`, and the keys that code chooses between.
const SAID: [&str; 2] = ["say(\"", "say_with(\""];

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Everything that pages are made of. The samples have made-up data instead of texts.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| !path.ends_with("states"))
        .flat_map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| {
            path.extension()
                .is_some_and(|kind| kind == "rs" || kind == "html")
        })
        .collect()
}

fn texts() -> Vec<(PathBuf, String)> {
    let paths = sources(&here().join("src")).into_iter();
    paths
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path, text)
        })
        .collect()
}

fn catalogue() -> BTreeSet<String> {
    let text = fs::read_to_string(here().join("words/en.ftl")).unwrap();
    let lines = text
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
    lines
        .map(|line| line.split_once(" = ").unwrap().0.to_owned())
        .collect()
}

/// What stands in double quotes.
fn literals(text: &str) -> BTreeSet<&str> {
    text.split('"').skip(1).collect()
}

#[test]
fn every_key_that_is_said_is_in_the_catalogue() {
    let catalogue = catalogue();
    let mut said = 0;
    for (path, text) in texts() {
        for call in SAID {
            // `say(` may stand on one line and its key on the next.
            let dense: String = text.split_whitespace().collect();
            for part in dense.split(call).skip(1) {
                let key = part.split('"').next().unwrap();
                assert!(catalogue.contains(key), "{}: {key}", path.display());
                said += 1;
            }
        }
    }
    assert!(said > 100, "only {said} found");
}

#[test]
fn every_key_of_the_catalogue_is_said() {
    let texts = texts();
    let used: BTreeSet<&str> = texts.iter().flat_map(|(_, text)| literals(text)).collect();
    let unused: Vec<String> = catalogue()
        .into_iter()
        .filter(|key| !used.contains(key.as_str()))
        .collect();
    assert!(unused.is_empty(), "nothing says {unused:?}");
}

/// A template that says a word of its own would say it in every language.
#[test]
fn no_template_says_anything_by_itself() {
    for (path, text) in texts() {
        if path.extension().is_none_or(|kind| kind != "html") {
            continue;
        }
        let mut shown = String::new();
        let mut rest = text.as_str();
        while let Some(start) = rest.find(['<', '{']) {
            shown.push_str(&rest[..start]);
            let end = match &rest[start..start + 2] {
                "{{" => "}}",
                "{%" => "%}",
                "{#" => "#}",
                _ => ">",
            };
            let after = rest[start..].find(end).unwrap() + start + end.len();
            rest = &rest[after..];
        }
        shown.push_str(rest);
        let words: String = shown.chars().filter(|c| c.is_alphabetic()).collect();
        assert_eq!(words, "", "{}", path.display());
    }
}

#[test]
fn the_words_are_those_of_the_house() {
    let text = fs::read_to_string(here().join("words/en.ftl")).unwrap();
    let texts = text.lines().filter_map(|line| line.split_once(" = "));
    let texts: Vec<String> = texts.map(|(_, said)| said.to_lowercase()).collect();
    let said = texts.join(" ");
    let words: BTreeSet<&str> = said.split(|c: char| !c.is_alphabetic()).collect();
    // ‘Issued by’ is what the credential itself says.
    for wrong in [
        "issue", "present", "claims", "claim", "par", "download", "qr",
    ] {
        assert!(!words.contains(wrong), "{wrong}");
    }
    for wrong in ["sign in", "signed in", "sign out", "please"] {
        assert!(!said.contains(wrong), "{wrong}");
    }
}
