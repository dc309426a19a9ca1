//! `lanyard connector match` as a host in another language uses it: lines in, lines out.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::operated::LANYARD;

/// Answers to these lines, what went to standard error, and whether it succeeded.
fn compared(policy: &[&str], lines: &str) -> (Vec<Value>, String, bool) {
    let mut process = Command::new(LANYARD)
        .args(["connector", "match"])
        .args(policy)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = process.stdin.take().unwrap();
    input.write_all(lines.as_bytes()).unwrap();
    drop(input);
    let output = process.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let answers = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let errors = String::from_utf8(output.stderr).unwrap();
    (answers.collect(), errors, output.status.success())
}

fn pair(record: (&str, &str, Option<&str>), identity: (&str, &str, &str)) -> String {
    let line = json!({
        "record": { "first_names": record.0, "surname": record.1, "date_of_birth": record.2 },
        "identity": { "first_name": identity.0, "surname": identity.1, "date_of_birth": identity.2 },
    });
    format!("{line}\n")
}

#[test]
fn each_line_is_answered_by_the_policy() {
    let born = "1990-04-12";
    let lines = [
        pair(("Zoë", "O’Neill", Some(born)), ("ZOE", "ONeill", born)),
        pair(
            ("Anthony", "Okafor", Some(born)),
            ("Anthonie", "Okafor", born),
        ),
        pair(("Anna", "Taylor", None), ("Anna", "Taylor", born)),
        pair(
            ("Anna", "Taylor", Some(born)),
            ("Ben", "Taylor", "1991-04-12"),
        ),
    ]
    .concat();
    let exactly = [
        json!({ "outcome": "match", "why": [] }),
        json!({ "outcome": "review", "why": ["first-name-differs", "names-similar"] }),
        json!({ "outcome": "match", "why": ["birth-date-not-held"] }),
        json!({ "outcome": "no", "why": ["first-name-differs", "birth-date-differs"] }),
    ];
    for policy in [&[][..], &["--policy", "exact"]] {
        let (answers, errors, succeeded) = compared(policy, &lines);
        assert_eq!(answers, exactly);
        assert!(succeeded && errors.is_empty(), "{errors}");
    }
    let (answers, _, _) = compared(&["--policy", "fuzzy"], &lines);
    assert_eq!(answers[1], json!({ "outcome": "match", "why": [] }));
}

#[test]
fn a_known_as_name_on_the_record_counts_as_a_first_name() {
    let born = "1990-04-12";
    let line = pair(("William", "Okafor", Some(born)), ("Bill", "Okafor", born));
    let known = line.replace("\"record\":{", "\"record\":{\"known_as\":\"Bill\",");
    let (answers, _, succeeded) = compared(&[], &format!("{line}{known}"));
    assert!(succeeded);
    let why = ["first-name-differs", "first-name-pet-form"];
    assert_eq!(answers[0], json!({ "outcome": "review", "why": why }));
    assert_eq!(answers[1], json!({ "outcome": "match", "why": [] }));
}

/// A line that cannot be read holds up no other, and nobody's name goes where names do not belong.
#[test]
fn a_line_that_is_no_pair_is_answered_as_such_and_tells_nothing_of_the_person() {
    let born = "1990-04-12";
    let good = pair(("Anna", "Taylor", Some(born)), ("Anna", "Taylor", born));
    let no_date = good.replace(born, "12/04/1990");
    let more = good.replace("\"record\":{", "\"record\":{\"pet_name\":\"Annie\",");
    let lines = format!("{good}\nAnna Taylor\n{no_date}{more}{good}");
    let (answers, errors, succeeded) = compared(&[], &lines);
    assert!(!succeeded);
    assert_eq!(answers.len(), 5);
    let matches = json!({ "outcome": "match", "why": [] });
    assert_eq!((&answers[0], &answers[4]), (&matches, &matches));
    for (answer, says) in answers[1..4]
        .iter()
        .zip(["not JSON", "YYYY-MM-DD", "not a record"])
    {
        let error = answer["error"].as_str().unwrap();
        assert!(error.contains(says), "{error}");
        for personal in ["Anna", "Annie", "Taylor", "1990", "pet_name"] {
            assert!(
                !error.contains(personal) && !errors.contains(personal),
                "{error}"
            );
        }
    }
}
