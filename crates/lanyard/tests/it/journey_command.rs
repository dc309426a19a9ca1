//! `lanyard journey --json`, as a program reads it.

use std::process::{Command, Output};

use serde_json::Value;

use crate::database::{Database, on_both_engines};
use crate::operated::LANYARD;
use crate::ports::Ports;

/// Plays, and gives the exit code and the one document that standard output consists of.
pub(crate) fn play(arguments: &[&str]) -> (Option<i32>, Value) {
    let mut command = Command::new(LANYARD);
    let command = command
        .args(["journey", "--json"])
        .args(arguments)
        .env_remove("RUST_LOG");
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let document = serde_json::from_slice(&stdout).unwrap_or_else(|error| {
        let [stdout, stderr] = [&stdout, &stderr].map(|text| String::from_utf8_lossy(text));
        panic!("standard output is not one document ({error}): {stdout}\n{stderr}")
    });
    (status.code(), document)
}

/// The names of the steps, if each of them says what `ok` says.
pub(crate) fn steps(document: &Value, ok: bool) -> Vec<&str> {
    assert_eq!(document["ok"], ok, "{document}");
    let steps = document["steps"].as_array().unwrap();
    for step in steps {
        assert_eq!(step["ok"], ok, "{document}");
        assert!(step["ms"].is_u64(), "{document}");
    }
    steps
        .iter()
        .map(|step| step["name"].as_str().unwrap())
        .collect()
}

on_both_engines!(a_journey_that_holds_ends_with_exit_code_0_and_one_document);

async fn a_journey_that_holds_ends_with_exit_code_0_and_one_document(database: Database) {
    let address = database.address();
    // On SQLite the sandbox that it makes has a database of its own.
    let arguments = if address.starts_with("postgres") {
        vec!["--database", &address]
    } else {
        vec![]
    };
    let (code, document) = play(&arguments);
    assert_eq!(
        steps(&document, true),
        ["verify", "issue", "present", "revoke", "refused"]
    );
    assert_eq!(code, Some(0));
}

#[test]
fn a_journey_at_a_gateway_that_does_not_answer_fails_and_says_so() {
    let ports = Ports::claim();
    let gateway = format!("http://localhost:{}", ports.first);
    let wallet = format!("http://localhost:{}", ports.first + 2);
    let key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    let (code, document) = play(&[
        "--gateway",
        &gateway,
        "--wallet",
        &wallet,
        "--holder",
        "anna",
        "--client-id",
        "c",
        "--client-secret",
        "s",
        "--signing-key",
        key,
        "--organisation-id",
        "anytown",
    ]);
    assert_eq!(
        steps(&document, false),
        ["verify", "issue", "present", "revoke", "refused"]
    );
    assert_eq!(code, Some(1));
}
