//! The routes of the admin API and the verbs of `lanyard admin`: neither has what the other has not.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Command, FromArgMatches as _, Subcommand as _};
use serde_json::Value;

use super::verbs::{Call, Verb};

#[path = "../../../gateway/tests/it/described.rs"]
mod described;

const DESCRIPTION: &str = "../../docs/reference/admin.openapi.json";

const SIGNS_IN: &str = "how a person signs in at the console; a command brings a token";

/// Routes that no verb says, and why.
const WITHOUT_A_VERB: [(&str, &str); 8] = [
    ("post sessions", SIGNS_IN),
    ("post sessions/emergency", SIGNS_IN),
    ("post sessions/end", SIGNS_IN),
    ("get sign-in", SIGNS_IN),
    ("post sign-in", SIGNS_IN),
    ("post sign-in/confirm", SIGNS_IN),
    ("post sign-in/password", SIGNS_IN),
    (
        "get interactions/{interaction}",
        "`interaction show` finds it by its id as by any other name",
    ),
];

/// One verb as it is said, at its barest or with one thing more.
struct Said {
    words: Vec<String>,
    call: Call,
}

/// Files that verbs read. The folder goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!("lanyard-verbs-{}", uuid::Uuid::new_v4());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("type.json"), r#"{ "name": "T" }"#).unwrap();
        std::fs::write(folder.join("declaration.toml"), "").unwrap();
        std::fs::write(folder.join("any"), "1").unwrap();
        Self(folder)
    }

    /// What is said for an argument: a file where one is read, an object where one is changed, and else a number, which reads
    /// as a word, too.
    fn word(&self, verb: &[String], argument: &Arg) -> String {
        let file = |name: &str| self.0.join(name).display().to_string();
        match (verb[0].as_str(), argument.get_id().as_str()) {
            ("type", "file") => file("type.json"),
            ("registry", "file") => file("declaration.toml"),
            (_, "file" | "files" | "signing_key_file") => file("any"),
            (_, "change" | "detail") => "{}".to_owned(),
            (_, "on") => "2026-11-20".to_owned(),
            _ => "1".to_owned(),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Everything that can be said, as far as it is sent.
fn all_said() -> Vec<Said> {
    fn walk(
        command: &Command,
        words: &[String],
        root: &Command,
        folder: &Folder,
        into: &mut Vec<Said>,
    ) {
        if command.has_subcommands() {
            for verb in command.get_subcommands() {
                let words = [words, &[verb.get_name().to_owned()]].concat();
                walk(verb, &words, root, folder, into);
            }
            return;
        }
        let said = |argument: &Arg| {
            let word = folder.word(words, argument);
            match argument.get_long() {
                None => vec![word],
                Some(long) if matches!(argument.get_action(), ArgAction::SetTrue) => {
                    vec![format!("--{long}")]
                }
                Some(long) => vec![format!("--{long}"), word],
            }
        };
        let (needed, others): (Vec<_>, Vec<_>) = command
            .get_arguments()
            .filter(|argument| argument.get_id() != "help")
            .partition(|argument| argument.is_required_set());
        let barest: Vec<String> = needed.into_iter().flat_map(said).collect();
        let others: Vec<Vec<String>> = others.into_iter().map(said).collect();
        let all = others.concat();
        let more = [Vec::new(), all].into_iter().chain(others);
        let before = into.len();
        for more in more {
            let words = [words, &barest, &more].concat();
            // Some belong together, and some exclude each other.
            let Ok(found) = root.clone().try_get_matches_from(&words) else {
                continue;
            };
            let call = Verb::from_arg_matches(&found).unwrap().call();
            let call = call.unwrap_or_else(|error| panic!("{words:?}: {error:#}"));
            into.push(Said { words, call });
        }
        assert!(
            into.len() > before,
            "{words:?}: say in `Folder::word` what its arguments are"
        );
    }
    let root = Command::new("admin")
        .no_binary_name(true)
        .subcommand_required(true);
    let root = Verb::augment_subcommands(root);
    let mut all = Vec::new();
    walk(&root, &[], &root, &Folder::new(), &mut all);
    // Nothing is sent for a token of one's own making.
    all.retain(|said| said.words[0] != "token");
    all
}

fn description() -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(DESCRIPTION);
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// The route that a call comes to, as `method path`, and what the description says of it.
fn route<'a>(document: &'a Value, said: &Said) -> (String, &'a Value) {
    let method = said.call.method.as_str().to_lowercase();
    let steps: Vec<&str> = said.call.path.split('/').collect();
    let fits = |path: &str| {
        let known: Vec<&str> = path.split('/').collect();
        let fits = |(known, step): (&&str, &&str)| known == step || known.starts_with('{');
        known.len() == steps.len() && known.iter().zip(&steps).all(fits)
    };
    let paths = document["paths"].as_object().unwrap().iter();
    let mut found: Vec<_> = paths
        .filter(|(path, item)| fits(path) && item.get(&method).is_some())
        .collect();
    // A word before a place for any word.
    found.sort_by_key(|(path, _)| path.matches('{').count());
    let (path, item) = found.first().unwrap_or_else(|| {
        panic!(
            "{:?} says {method} {}, which is no route",
            said.words, said.call.path
        )
    });
    let path = path.strip_prefix("/admin/v1/").unwrap();
    (format!("{method} {path}"), &item[&method])
}

#[test]
fn every_route_of_the_admin_api_has_a_verb_and_every_verb_a_route() {
    let document = description();
    let routes: BTreeSet<String> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            let path = path.strip_prefix("/admin/v1/").unwrap();
            let methods = item.as_object().unwrap().keys();
            methods.map(move |method| format!("{method} {path}"))
        })
        .collect();
    let said: BTreeSet<String> = all_said()
        .iter()
        .map(|said| route(&document, said).0)
        .collect();
    let silent: BTreeSet<String> = routes.difference(&said).cloned().collect();
    let known = WITHOUT_A_VERB.map(|(route, _)| route.to_owned()).into();
    assert_eq!(silent, known, "routes without a verb, and the list of them");
}

#[test]
fn a_verb_says_nothing_that_its_route_does_not_read() {
    let document = description();
    for said in all_said() {
        let (name, route) = route(&document, &said);
        let parameters = route["parameters"].as_array().into_iter().flatten();
        let parameters: Vec<_> = parameters.map(|one| &one["name"]).collect();
        for (parameter, _) in &said.call.query {
            let read = parameters.iter().any(|name| *name == parameter);
            assert!(read, "{:?}: {name} does not read {parameter}", said.words);
        }
        let Some(body) = &said.call.body else {
            continue;
        };
        let schema = &route["requestBody"]["content"]["application/json"]["schema"];
        let members = described::members(&document, schema);
        let spoken = body.as_object().unwrap().iter();
        for (member, _) in spoken.filter(|(_, value)| !value.is_null()) {
            let read = members.contains(member);
            assert!(
                read,
                "{:?}: {name} does not read {member} but {members:?}",
                said.words
            );
        }
    }
}
