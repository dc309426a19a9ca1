//! The corpus of names: what a careful officer expects of each pair was written down before the rules were.
//!
//! `corpus/names/*.jsonl` holds the pairs, `corpus/allowances.jsonl` each pair where the rules deliberately say something
//! else, and why. Both are data: a rule that changes an answer shows here, and no expectation follows the code.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::*;

/// How many answers differ from the officer's. The number is part of what is published: it may only fall.
const ALLOWED: usize = 286;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

fn lines(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn pairs() -> Vec<Value> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder().join("names"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files.iter().flat_map(|file| lines(file)).collect()
}

/// The word for the outcome, by the same reading as `lanyard connector match`.
fn outcome(pair: &Value, policy: Policy) -> &'static str {
    let answer = compare_line(pair.to_string().as_bytes(), policy);
    assert_eq!(answer.error, None, "{pair}");
    word(answer.outcome)
}

fn word(outcome: MatchOutcome) -> &'static str {
    match outcome {
        MatchOutcome::Match => "match",
        MatchOutcome::Review => "review",
        MatchOutcome::No => "no",
    }
}

/// What names a pair: both sides of it.
fn key(of: &Value) -> String {
    format!("{} {}", of["record"], of["identity"])
}

#[test]
fn the_corpus_is_as_large_and_as_mean_as_it_was_ordered() {
    let pairs = pairs();
    let no = |pair: &&Value| pair["exact"] == "no" && pair["fuzzy"] == "no";
    assert!(pairs.len() >= 420, "{}", pairs.len());
    assert!(pairs.iter().filter(no).count() * 3 >= pairs.len());
    let mut seen: Vec<String> = pairs.iter().map(key).collect();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), pairs.len(), "a pair stands there twice");
}

#[test]
fn dw_42_every_pair_of_the_corpus_is_judged_as_written_down_or_as_argued() {
    let mut allowances: BTreeMap<(String, String), Value> =
        lines(&folder().join("allowances.jsonl"))
            .into_iter()
            .map(|line| ((key(&line), line["policy"].to_string()), line))
            .collect();
    assert_eq!(allowances.len(), ALLOWED, "count the allowances anew");
    let mut wrong = Vec::new();
    for pair in pairs() {
        for (policy, name) in [(Policy::Exact, "exact"), (Policy::Fuzzy, "fuzzy")] {
            let expected = pair[name].as_str().unwrap();
            let found = outcome(&pair, policy);
            let allowance = allowances.remove(&(key(&pair), format!("{name:?}")));
            let as_argued = allowance.as_ref().map_or(expected, |allowance| {
                assert_ne!(allowance["outcome"], expected, "{allowance} allows nothing");
                assert!(
                    allowance["because"].as_str().unwrap().len() > 20,
                    "{allowance}"
                );
                allowance["outcome"].as_str().unwrap()
            });
            if found != as_argued {
                wrong.push(format!("{name}|{expected}|{found}|{pair}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\n{} wrong",
        wrong.join("\n"),
        wrong.len()
    );
    assert!(allowances.is_empty(), "of no pair: {:?}", allowances.keys());
}

/// The one thing that must not be argued away: whom the officer calls another person is nobody's match under `exact`.
#[test]
fn sec_36_no_pair_that_is_another_person_matches_under_exact() {
    for pair in pairs() {
        if pair["exact"] == "no" {
            assert_ne!(outcome(&pair, Policy::Exact), "match", "{pair}");
        }
    }
}

/// The page that a host decides by says how often each policy is wrong, and this is where it would grow old.
#[test]
fn the_integrators_page_says_how_often_each_policy_is_wrong() {
    let page = include_str!("../../../../../docs/integrate/matching.md");
    for (policy, name) in [(Policy::Exact, "exact"), (Policy::Fuzzy, "fuzzy")] {
        let mut counts = [0_u32; 5];
        for pair in pairs() {
            let (expected, found) = (pair[name].as_str().unwrap(), outcome(&pair, policy));
            let has = [
                true,
                found == "match" && expected != "match",
                found == "match" && expected == "no",
                found != "match" && expected == "match",
                found == "review",
            ];
            for (count, has) in counts.iter_mut().zip(has) {
                *count += u32::from(has);
            }
        }
        let row = counts.map(|count| count.to_string()).join(" | ");
        let row = format!("| `{name}` | {row} |");
        assert!(page.contains(&row), "the page does not say: {row}");
    }
}
