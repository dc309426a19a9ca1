//! The words of a mail. What varies is made harmless first: names come from records, and what stands in records is not
//! ours.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::MailOptions;
use crate::desk::Cause;

/// The name under which a mail of these words is kept: one for each credential.
pub(in crate::desk) const DELETE_CREDENTIAL: &str = "delete-credential";

const DELETE_CREDENTIAL_SUBJECT: &str = "Delete a credential from your digital wallet";
const DELETE_CREDENTIAL_BODY: &str = include_str!("delete_credential.txt");

/// The rule of Europe/London since 1996, so that a machine without a time zone database says the same.
const LONDON: &str = "GMT0BST,M3.5.0/1,M10.5.0";

/// The longest text from a record, in letters.
const LONGEST_VALUE: usize = 100;

/// What stands for a first name that is not there, or not fit for a mail.
const NO_NAME: &str = "colleague";

/// A credential that was revoked, as far as the employee is told. No value of it, and no unique identifier.
pub(in crate::desk) struct Revoked<'a> {
    pub(in crate::desk) first_name: &'a str,
    pub(in crate::desk) label: &'a str,
    pub(in crate::desk) cause: Cause,
    /// When it was revoked.
    pub(in crate::desk) at: Timestamp,
    /// `None` where nobody learnt whether it reached the wallet.
    pub(in crate::desk) issued_at: Option<Timestamp>,
}

/// A subject and a plain text.
#[derive(PartialEq, Eq)]
pub(in crate::desk) struct Letter {
    pub(in crate::desk) subject: &'static str,
    pub(in crate::desk) body: String,
}

/// A template names something that nobody gave. A fault of this program, which its tests rule out.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the words of a mail name `{0}`, which is not known")]
pub(in crate::desk) struct UnknownPlaceholder(String);

/// Asks the employee to delete a credential that no longer works.
pub(in crate::desk) fn delete_credential(
    options: &MailOptions,
    revoked: &Revoked<'_>,
) -> Result<Letter, UnknownPlaceholder> {
    let label = one_line(revoked.label);
    let (the_copy, find_it, delete_it) = match revoked.issued_at {
        Some(at) if revoked.cause == Cause::WalletLost => (
            "The copy in that wallet no longer works.",
            format!(
                "If it is the one that was lost, find the {label} credential added on {}.",
                date(at)
            ),
            "Delete it.",
        ),
        Some(at) => (
            "The copy in your wallet no longer works.",
            format!("Find the {label} credential added on {}.", date(at)),
            "Delete it.",
        ),
        None => (
            "If there is a copy in your wallet, it does not work.",
            format!("Look for the {label} credential."),
            "If it is there, delete it.",
        ),
    };
    let body = fill(
        DELETE_CREDENTIAL_BODY,
        &[
            ("first_name", &first_name(revoked.first_name)),
            ("revoked_on", &date(revoked.at)),
            ("label", &label),
            ("because", because(revoked.cause)),
            ("the_copy", the_copy),
            ("find_it", &find_it),
            ("delete_it", delete_it),
            ("what_next", &what_next(options, revoked.cause)),
            ("contact", &options.contact),
            ("organisation", &options.organisation),
        ],
    )?;
    Ok(Letter {
        subject: DELETE_CREDENTIAL_SUBJECT,
        body,
    })
}

/// A closed list: nothing here can tell of a dismissal, a failed check or health.
fn because(cause: Cause) -> &'static str {
    match cause {
        Cause::Corrected => "your record was corrected",
        Cause::EndedEarly => "it ended early",
        Cause::AddedInError => "it was added in error",
        Cause::Replaced => "it was replaced by a newer one",
        Cause::NotConfirmed => "we could not confirm that it reached your wallet",
        Cause::WalletLost => "the wallet that held it was reported lost",
    }
}

fn what_next(options: &MailOptions, cause: Cause) -> String {
    match (cause, &options.home) {
        (Cause::EndedEarly | Cause::AddedInError, Some(home)) => format!(
            "There is no new one to add. You can see your records in your staff account at {home}. \
             You can type this address into your browser instead of following the link."
        ),
        (Cause::EndedEarly | Cause::AddedInError, None) => {
            "There is no new one to add. You can see your records in your staff account.".to_owned()
        }
        (Cause::Replaced, _) => "Your newer credential is not affected.".to_owned(),
        (_, Some(home)) => format!(
            "If you still need it, log in to your staff account at {home} and add the new one. \
             You can type this address into your browser instead of following the link."
        ),
        (_, None) => {
            "If you still need it, log in to your staff account and add the new one.".to_owned()
        }
    }
}

/// `18 November 2026`, in London.
fn date(at: Timestamp) -> String {
    static ZONE: LazyLock<TimeZone> =
        LazyLock::new(|| TimeZone::posix(LONDON).unwrap_or(TimeZone::UTC));
    at.to_zoned(ZONE.clone()).strftime("%-d %B %Y").to_string()
}

/// A first name for the greeting. Mail programs make links of whatever looks like an address, and the only link of a
/// mail is the portal's: a name that looks like one is left out.
fn first_name(name: &str) -> String {
    let name = one_line(name);
    let mut letters = name.chars().peekable();
    while let Some(letter) = letters.next() {
        let before_more = letters.peek().is_some_and(|next| !next.is_whitespace());
        if matches!(letter, '/' | ':' | '@' | '\\') || (letter == '.' && before_more) {
            return NO_NAME.to_owned();
        }
    }
    if name.is_empty() {
        return NO_NAME.to_owned();
    }
    name
}

/// A text from a record as one line: no control characters, nothing that turns the direction of writing, not long.
fn one_line(text: &str) -> String {
    let turns = |letter: char| matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let harmless: String = text
        .chars()
        .map(|letter| {
            if letter.is_control() || letter.is_whitespace() {
                ' '
            } else {
                letter
            }
        })
        .filter(|letter| !turns(*letter))
        .collect();
    let words: Vec<&str> = harmless.split_whitespace().collect();
    words.join(" ").chars().take(LONGEST_VALUE).collect()
}

/// Puts values in the places of their names. What a value contains is never read as a name.
fn fill(template: &str, values: &[(&str, &str)]) -> Result<String, UnknownPlaceholder> {
    let mut filled = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let (name, after) = after
            .split_once('}')
            .ok_or_else(|| UnknownPlaceholder(after.to_owned()))?;
        let value = values.iter().find(|(known, _)| *known == name);
        let (_, value) = value.ok_or_else(|| UnknownPlaceholder(name.to_owned()))?;
        filled.push_str(value);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "words_tests.rs"]
mod tests;
