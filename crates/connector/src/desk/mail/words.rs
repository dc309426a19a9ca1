//! The words of a mail. What varies is made harmless first: names come from records, and what stands in records is not
//! ours.

use jiff::Timestamp;

use super::{Language, MailOptions, Texts};
use crate::desk::Cause;

/// The longest text from a record, in letters.
const LONGEST_VALUE: usize = 100;

/// Everything that a mail about a cancelled credential says besides the text itself. A template that is kept elsewhere
/// is sent the same values under the same names: nothing else leaves this machine.
pub(super) const PLACEHOLDERS: [&str; 10] = [
    "first_name",
    "revoked_on",
    "label",
    "because",
    "the_copy",
    "find_it",
    "delete_it",
    "what_next",
    "contact",
    "organisation",
];

/// A credential that was revoked, as far as the employee is told. No value of it, and no unique identifier.
pub(in crate::desk) struct Revoked<'a> {
    pub(in crate::desk) first_name: &'a str,
    pub(in crate::desk) label: &'a str,
    pub(in crate::desk) cause: Cause,
    /// When it was revoked.
    pub(in crate::desk) at: Timestamp,
    /// `None` where nobody learnt whether it reached the wallet.
    pub(in crate::desk) issued_at: Option<Timestamp>,
    /// In which the employee wishes to be written to.
    pub(in crate::desk) language: Language,
}

/// A subject and a plain text, and the values that the text was made with, as a JSON object.
#[derive(PartialEq, Eq)]
pub(in crate::desk) struct Letter {
    pub(in crate::desk) subject: String,
    pub(in crate::desk) body: String,
    pub(in crate::desk) personalisation: String,
    pub(in crate::desk) language: Language,
}

/// Asks the employee to delete a credential that no longer works. Nothing where there is no text at all.
pub(in crate::desk) fn delete_credential(
    options: &MailOptions,
    texts: &Texts,
    revoked: &Revoked<'_>,
) -> Option<Letter> {
    let wanted = options.language(revoked.language);
    let (language, text) = texts.in_language(wanted);
    let (text_here, language) = match wanted {
        // A template elsewhere may be in a language that no text here is in.
        wanted if options.is_notify() => (text?, wanted),
        _ => (text?, language),
    };
    let values = values(options, revoked, language);
    let personalisation: serde_json::Map<_, _> = values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_str().into()))
        .collect();
    Some(Letter {
        subject: text_here.subject.clone(),
        body: text_here.fill(&values),
        personalisation: serde_json::Value::Object(personalisation).to_string(),
        language,
    })
}

fn values(
    options: &MailOptions,
    revoked: &Revoked<'_>,
    language: Language,
) -> [(&'static str, String); PLACEHOLDERS.len()] {
    let label = plain(revoked.label);
    let [the_copy, find_it, delete_it] = language.copy(&label, revoked.cause, revoked.issued_at);
    let values = [
        first_name(revoked.first_name, language),
        language.date(revoked.at),
        label,
        language.because(revoked.cause).to_owned(),
        the_copy,
        find_it,
        delete_it,
        language.what_next(revoked.cause, options.home.as_ref()),
        options.contact.clone(),
        options.organisation.clone(),
    ];
    let mut names = PLACEHOLDERS.iter();
    values.map(|value| (*names.next().unwrap_or(&""), value))
}

/// A first name for the greeting. Mail programs make links of whatever looks like an address, and the only link of a
/// mail is the portal's: a name that looks like one is left out.
fn first_name(name: &str, language: Language) -> String {
    let name = plain(name);
    let mut letters = name.chars().peekable();
    while let Some(letter) = letters.next() {
        let before_more = letters.peek().is_some_and(|next| !next.is_whitespace());
        if matches!(letter, '/' | ':' | '@' | '\\') || (letter == '.' && before_more) {
            return language.no_name().to_owned();
        }
    }
    if name.is_empty() {
        return language.no_name().to_owned();
    }
    name
}

/// A text from a record as one line: no control characters, nothing that turns the direction of writing, not long, and
/// without the brackets of which GOV.UK Notify makes a link or a placeholder.
fn plain(text: &str) -> String {
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
        .filter(|letter| !turns(*letter) && !matches!(letter, '[' | ']' | '<' | '>'))
        .collect();
    let harmless = harmless.replace("((", "(").replace("))", ")");
    let words: Vec<&str> = harmless.split_whitespace().collect();
    words.join(" ").chars().take(LONGEST_VALUE).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "words_tests.rs"]
mod tests;
