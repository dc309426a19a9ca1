//! Every mail as it is rendered, on a page that people read; and who read it since it last changed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::OURS;
use crate::desk::Cause;

/// Who reads a mail reads it against these.
const RULES: [(&str, &str); 9] = [
    (
        "Plain text, a short subject, no attachment.",
        "a test counts; `desk/mail/post.rs` composes nothing else",
    ),
    (
        "One link at most, and it is the portal's bare address, also to be typed.",
        "`sec_31_there_is_one_link_at_most_and_it_is_the_portals_bare_address`",
    ),
    (
        "No value of the credential, no number that names a person, no date of birth.",
        "`PLACEHOLDERS` is all that a text is given",
    ),
    (
        "It says what happened, on which day, and why, from a closed list.",
        "the reader",
    ),
    (
        "Nothing in it tells of a dismissal, a check that failed, or health.",
        "the reader; the list is closed",
    ),
    (
        "It says what to do, in steps, and what we cannot do.",
        "the reader",
    ),
    (
        "It asks for no answer, no password and no code to be scanned.",
        "a test looks for the words; the reader",
    ),
    (
        "It names the organisation and whom to ask.",
        "a text without `{organisation}` or `{contact}` is refused",
    ),
    (
        "Plain words; no sentence above 25 words.",
        "a test counts; the reader",
    ),
];

/// What each cause is called on the page, and the file of its mail.
const fn file(cause: Cause) -> (&'static str, &'static str) {
    match cause {
        Cause::Corrected => ("The record says something else now", "corrected"),
        Cause::EndedEarly => ("What it was about ended earlier", "ended-early"),
        Cause::AddedInError => ("It should not have been there", "added-in-error"),
        Cause::Replaced => ("A newer one takes its place", "replaced"),
        Cause::NotConfirmed => (
            "Nobody learnt whether it reached the wallet",
            "not-confirmed",
        ),
        Cause::WalletLost => ("The wallet that held it is lost", "wallet-lost"),
        Cause::RevokedAtGateway => (
            "The service that issues it had cancelled it",
            "revoked-at-gateway",
        ),
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/desk/mail/letters")
}

fn letter(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap()
}

fn digest(text: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Of each file: when it was read, and what it was then.
fn read() -> BTreeMap<String, (String, String)> {
    let lines = letter("read");
    let lines = lines.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let mut words = line.split_whitespace().map(str::to_owned);
            let mut next = || words.next().unwrap();
            let (day, digest, name) = (next(), next(), next());
            (name, (day, digest))
        })
        .collect()
}

#[test]
fn every_mail_was_read_as_it_is_rendered_since_its_words_last_changed() {
    let read = read();
    for cause in Cause::ALL {
        let name = format!("{}.txt", file(cause).1);
        let now = digest(&letter(&name));
        assert_eq!(
            read.get(&name).map(|(_, then)| then.as_str()),
            Some(now.as_str()),
            "{name} is not what somebody read: read docs/reference/mails.md against its rules, then write the day, this \
             digest and the name into crates/connector/src/desk/mail/letters/read"
        );
    }
}

#[test]
fn no_mail_has_a_long_subject_or_sentence_or_asks_for_what_nobody_should_give() {
    // What a phone shows of it.
    assert!(OURS.lines().next().unwrap().chars().count() <= 50);
    for cause in Cause::ALL {
        let text = letter(&format!("{}.txt", file(cause).1));
        // A full stop within an address ends no sentence.
        for sentence in text.split(['\n']).flat_map(|line| line.split(". ")) {
            let words = sentence.split_whitespace().count();
            assert!(words <= 25, "{cause:?}, {words} words: {sentence}");
        }
        let lower = text.to_lowercase();
        for asked in [
            "password",
            "pin",
            "scan",
            "reply to",
            "attach",
            "urgent",
            "within 24",
        ] {
            let asks = lower
                .split(|letter: char| !letter.is_alphanumeric() && letter != ' ')
                .any(|part| format!(" {part} ").contains(&format!(" {asked} ")));
            assert!(!asks, "{cause:?} says {asked:?}");
        }
    }
}

#[test]
fn the_page_of_mails_is_what_is_sent() {
    let mut page = String::from(
        "# Every mail, word by word\n\n\
         Generated by `cargo xtask generate` from what the tests render; do not edit.\n\n\
         These are the mails that a connector writes to employees, in our words and as they arrive. An operator's own words\n\
         take their place ([Tell employees by email](../operate/mail.md)); at GOV.UK Notify they are\n\
         the template's. Who changes one reads it whole, against these rules:\n\n\
         | rule | who sees to it |\n|---|---|\n",
    );
    for (rule, seen_to) in RULES {
        writeln!(page, "| {rule} | {seen_to} |").unwrap();
    }
    let subject = OURS.lines().next().unwrap();
    writeln!(page, "\nThe subject of all of them: *{subject}*.").unwrap();
    let read = read();
    for cause in Cause::ALL {
        let (what, name) = file(cause);
        let name = format!("{name}.txt");
        let (day, _) = &read[&name];
        let text = letter(&name);
        writeln!(page, "\n## {what}\n\nRead on {day}.\n\n```text\n{text}```").unwrap();
    }
    page.push_str(
        "\n## In Welsh\n\n\
         A draft: it is read by nobody who speaks Welsh, and is not sent unless an operator takes it over.\n",
    );
    for cause in Cause::ALL {
        let (what, name) = file(cause);
        let text = letter(&format!("{name}.cy.txt"));
        writeln!(page, "\n### {what} (Welsh, draft)\n\n```text\n{text}```").unwrap();
    }
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/mails.md");
    if std::env::var_os("LANYARD_WRITE_REFERENCE").is_some() {
        std::fs::write(&committed, &page).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(&committed).unwrap_or_default(),
        page,
        "run `cargo xtask generate`"
    );
}
