//! Judges pairs of names by each policy and by two plainer rules, for `cargo xtask bench matching`.
//!
//! Standard input: a line for each pair, as `corpus/names/*.jsonl` has them. Standard output: one JSON object for each
//! rule, with the outcome of every pair in order and the comparisons per second. The second of the plainer rules is
//! written here anew, without the normalising and the guards of ours: it is the peer, not a copy.

use std::hint::black_box;
use std::io::{self, BufRead as _, Write as _};
use std::time::{Duration, Instant};

use connector::{MatchOutcome, Policy, WrittenPair};
use rphonetic::{DoubleMetaphone, Encoder as _};
use serde_json::json;

/// How long each rule is timed.
const TIMED: Duration = Duration::from_millis(1500);

type Rule = fn(&WrittenPair) -> &'static str;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut pairs = Vec::new();
    for line in io::stdin().lock().lines() {
        pairs.push(serde_json::from_str::<WrittenPair>(&line?)?);
    }
    let rules: [(&str, Rule); 4] = [
        ("exact", |pair| ours(pair, Policy::Exact)),
        ("fuzzy", |pair| ours(pair, Policy::Fuzzy)),
        ("case-folded equality", equal),
        ("client A's rule alone", client_a),
    ];
    for (name, rule) in rules {
        let outcomes: Vec<&str> = pairs.iter().map(rule).collect();
        let (began, mut compared) = (Instant::now(), 0_u32);
        while began.elapsed() < TIMED && !pairs.is_empty() {
            for pair in &pairs {
                black_box(rule(black_box(pair)));
                compared += 1;
            }
        }
        let per_second = f64::from(compared) / began.elapsed().as_secs_f64();
        let told = json!({ "rule": name, "outcomes": outcomes, "per_second": per_second });
        writeln!(io::stdout(), "{told}")?;
    }
    Ok(())
}

fn ours(pair: &WrittenPair, policy: Policy) -> &'static str {
    match pair.compare(policy).outcome {
        MatchOutcome::Match => "match",
        MatchOutcome::Review => "review",
        _ => "no",
    }
}

/// Same date where the record holds one, same letters but for their case.
fn equal(pair: &WrittenPair) -> &'static str {
    judge(pair, |one, other| {
        one.to_lowercase() == other.to_lowercase()
    })
}

/// Sound and edit distance as the deployed integrator has them.
fn client_a(pair: &WrittenPair) -> &'static str {
    judge(pair, |on_record, in_credential| {
        let whole = [in_credential];
        let pieces = in_credential
            .split([' ', '-'])
            .filter(|piece| !piece.is_empty());
        let best = whole
            .into_iter()
            .chain(pieces)
            .map(|candidate| {
                let sound = likeness(&code(on_record), &code(candidate));
                let text = likeness(&on_record.to_lowercase(), &candidate.to_lowercase());
                (sound, text)
            })
            .max_by(|one, other| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)));
        best.is_some_and(|(sound, text)| text >= if sound >= 1.0 { 0.5 } else { 0.8 })
    })
}

fn code(name: &str) -> String {
    // The encoder stops the program at other letters.
    let latin: String = name.chars().filter(char::is_ascii_alphabetic).collect();
    DoubleMetaphone::new(Some(4)).encode(&latin)
}

fn likeness(one: &str, other: &str) -> f64 {
    if one.is_empty() || other.is_empty() {
        0.0
    } else {
        strsim::normalized_levenshtein(one, other)
    }
}

fn name(held: Option<&String>) -> &str {
    held.map(String::as_str).unwrap_or_default()
}

fn judge(pair: &WrittenPair, agree: impl Fn(&str, &str) -> bool) -> &'static str {
    let (record, identity) = (&pair.record, &pair.identity);
    let born_alike =
        record.date_of_birth.is_none() || record.date_of_birth == identity.date_of_birth;
    let same = born_alike
        && agree(
            name(record.first_names.as_ref()),
            name(identity.first_name.as_ref()),
        )
        && agree(
            name(record.surname.as_ref()),
            name(identity.surname.as_ref()),
        );
    if same { "match" } else { "no" }
}
