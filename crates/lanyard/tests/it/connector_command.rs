//! `lanyard connector match` as a host in another language uses it: lines in, lines out.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use connector::{Identity, OnRecord, Policy};
use serde_json::{Value, json};

use crate::operated::LANYARD;

/// Answers to these lines, what went to standard error, and whether it succeeded.
fn compared(policy: &[&str], lines: impl AsRef<[u8]>) -> (Vec<Value>, String, bool) {
    let mut process = Command::new(LANYARD)
        .args(["connector", "match"])
        .args(policy)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = process.stdin.take().unwrap();
    let lines = lines.as_ref().to_vec();
    // It answers while it reads: who writes all before reading waits for ever.
    let writing = std::thread::spawn(move || input.write_all(&lines).unwrap());
    let output = process.wait_with_output().unwrap();
    writing.join().unwrap();
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
    let (answers, _, succeeded) = compared(&[], format!("{line}{known}"));
    assert!(succeeded);
    let why = ["first-name-differs", "first-name-pet-form"];
    assert_eq!(answers[0], json!({ "outcome": "review", "why": why }));
    assert_eq!(answers[1], json!({ "outcome": "match", "why": [] }));
}

/// A line that cannot be read holds up no other, and nobody's name goes where names do not belong.
#[test]
fn a_line_that_is_no_pair_is_answered_no_and_tells_nothing_of_the_person() {
    let good = same_person();
    let unreadable: [(&[u8], &str); 8] = [
        (b"Anna Taylor", "not JSON"),
        (&good.as_bytes()[..60], "not JSON"),
        (b"[\"Anna\", \"Taylor\"]", "no `record` and `identity`"),
        (b"null", "no `record` and `identity`"),
        (
            b"{\"record\":{\"surname\":\"Taylor\"}}",
            "no `record` and `identity`",
        ),
        (
            b"{\"record\":{\"surname\":7},\"identity\":{\"surname\":\"Taylor\"}}",
            "as text",
        ),
        (
            b"{\"record\":{\"surname\":\"Anna\",\"surname\":\"Taylor\"},\"identity\":{}}",
            "each member once",
        ),
        (
            b"{\"record\":{\"surname\":\"Taylor\xE9\"},\"identity\":{}}",
            "not UTF-8",
        ),
    ];
    for (line, says) in unreadable {
        let lines = [good.as_bytes(), line, b"\n", good.as_bytes()].concat();
        let (answers, errors, succeeded) = compared(&[], lines);
        assert!(!succeeded);
        let matches = json!({ "outcome": "match", "why": [] });
        assert_eq!(answers.len(), 3, "{answers:?}");
        assert_eq!((&answers[0], &answers[2]), (&matches, &matches));
        let error = answers[1]["error"].as_str().unwrap();
        let answer = json!({ "outcome": "no", "why": ["line-unreadable"], "error": error });
        assert_eq!(answers[1], answer);
        assert!(error.contains(says), "{error}");
        for personal in ["Anna", "Taylor", "1990"] {
            assert!(!error.contains(personal), "{error}");
            assert!(!errors.contains(personal), "{errors}");
        }
    }
}

fn same_person() -> String {
    let born = "1990-04-12";
    pair(("Anna", "Taylor", Some(born)), ("Anna", "Taylor", born))
}

/// A pair with `value` for the member at `pointer`; without one, the member is not there.
fn changed(pointer: &str, value: Option<Value>) -> String {
    let mut pair: Value = serde_json::from_str(&same_person()).unwrap();
    let (side, name) = pointer[1..].split_once('/').unwrap();
    let side = pair[side].as_object_mut().unwrap();
    match value {
        Some(value) => side.insert(name.to_owned(), value),
        None => side.remove(name),
    };
    format!("{pair}\n")
}

/// What is absent, null or empty is not held; what is no date is none. Both have an outcome.
#[test]
fn a_pair_that_is_incomplete_has_an_outcome_and_a_reason() {
    let nothing = [None, Some(Value::Null), Some(json!("")), Some(json!(" "))];
    for value in nothing {
        for (pointer, outcome, why) in [
            ("/identity/date_of_birth", "no", "birth-date-missing"),
            ("/record/date_of_birth", "match", "birth-date-not-held"),
            ("/identity/first_name", "no", "name-empty"),
            ("/identity/surname", "no", "name-empty"),
            ("/record/first_names", "no", "name-empty"),
            ("/record/surname", "no", "name-empty"),
        ] {
            let (answers, errors, succeeded) = compared(&[], changed(pointer, value.clone()));
            let answer = json!({ "outcome": outcome, "why": [why] });
            assert_eq!(answers, [answer], "{pointer} {value:?}");
            assert!(succeeded && errors.is_empty(), "{errors}");
        }
    }
}

#[test]
fn a_date_is_written_in_one_way_and_every_other_is_no_match() {
    for date in [
        "1990-02-30",
        "12/04/1990",
        "19900412",
        "1990-4-12",
        "1990-04-12T00:00:00",
        "1990-04-12T00:00:00Z",
        "+001990-04-12",
        "1990-W15-4",
        "not-a-date",
    ] {
        for side in ["/record/date_of_birth", "/identity/date_of_birth"] {
            let (answers, _, succeeded) = compared(&[], changed(side, Some(json!(date))));
            let answer = json!({ "outcome": "no", "why": ["birth-date-unreadable"] });
            assert_eq!(answers, [answer], "{side} {date}");
            assert!(succeeded);
        }
    }
}

/// What a caller keeps beside the pair is the caller's: an id, the answer that is expected.
#[test]
fn members_that_are_not_compared_are_passed_over() {
    let line = json!({
        "id": 7,
        "expected": "match",
        "record": { "first_names": "Anna", "surname": "Taylor", "staff_number": [1, { "outcome": "no" }] },
        "identity": { "first_name": "Anna", "surname": "Taylor", "date_of_birth": "1990-04-12", "unique_identifier": "x" },
    });
    let (answers, _, succeeded) = compared(&[], line.to_string());
    let answer = json!({ "outcome": "match", "why": ["birth-date-not-held"] });
    assert_eq!(answers, [answer]);
    assert!(succeeded);
}

#[test]
fn dw_42_the_command_answers_every_line_of_the_corpus_as_the_library_does() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../connector/corpus/names");
    let mut corpus = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        corpus += &fs::read_to_string(entry.unwrap().path()).unwrap();
    }
    assert!(corpus.lines().count() >= 420);
    for (name, policy) in [("exact", Policy::Exact), ("fuzzy", Policy::Fuzzy)] {
        let (answers, errors, succeeded) = compared(&["--policy", name], &corpus);
        assert!(succeeded && errors.is_empty(), "{errors}");
        assert_eq!(answers.len(), corpus.lines().count());
        for (line, answer) in corpus.lines().zip(&answers) {
            let pair: Value = serde_json::from_str(line).unwrap();
            let found = library(&pair, policy);
            let found = found.unwrap_or_else(|| json!({ "outcome": "no", "why": answer["why"] }));
            assert_eq!(*answer, found, "{line}");
        }
    }
}

/// What the library says of a pair whose dates are dates; `None` for the others.
fn library(pair: &Value, policy: Policy) -> Option<Value> {
    let text = |pointer: &str| pair.pointer(pointer).and_then(Value::as_str);
    let born = text("/record/date_of_birth");
    let record = OnRecord {
        first_names: text("/record/first_names")?,
        surname: text("/record/surname")?,
        known_as: text("/record/known_as"),
        date_of_birth: match born {
            Some(born) => Some(connector::parse_date(born)?),
            None => None,
        },
    };
    let identity = Identity {
        legal_first_name: text("/identity/first_name")?.to_owned(),
        legal_surname: text("/identity/surname")?.to_owned(),
        birth_date: connector::parse_date(text("/identity/date_of_birth")?)?,
        unique_identifier: uuid::Uuid::nil(),
    };
    Some(json!(connector::compare(&record, &identity, policy)))
}

#[test]
fn a_mark_of_byte_order_and_ends_of_lines_of_other_systems_make_no_difference() {
    let good = same_person();
    let line = good.trim_end();
    for lines in [
        format!("\u{FEFF}{line}\r\n\r\n \t\r\n{line}\r\n"),
        format!("\n\n{line}\n{line}"),
        format!("\u{FEFF}\n{line}\n{line}\n\n"),
    ] {
        let (answers, _, succeeded) = compared(&[], &lines);
        let matches = json!({ "outcome": "match", "why": [] });
        assert_eq!(answers, [matches.clone(), matches], "{lines:?}");
        assert!(succeeded);
    }
}

/// One of 256 KiB without its end is read; a longer one is answered and passed over, whatever it is made of.
#[test]
fn sec_34_a_line_longer_than_its_bound_is_answered_and_the_next_one_is_read() {
    const BOUND: usize = 256 * 1024;
    let line = same_person().trim_end().to_owned();
    let padded = |length: usize| format!("{line}{}\n", " ".repeat(length - line.len()));
    let lines = [
        padded(BOUND),
        padded(BOUND + 1),
        "x".repeat(5 * BOUND) + "\n",
        padded(BOUND - 1),
        "\u{E9}".repeat(BOUND),
    ];
    let (answers, _, succeeded) = compared(&[], lines.concat());
    let matches = json!({ "outcome": "match", "why": [] });
    let too_long = json!({
        "outcome": "no",
        "why": ["line-unreadable"],
        "error": "the line is longer than 256 KiB",
    });
    let expected = [&matches, &too_long, &too_long, &matches, &too_long].map(Clone::clone);
    assert_eq!(answers, expected);
    assert!(!succeeded);
}
