//! Which of the catalogue's texts the pages of an interaction say: by purpose, by how far it is, by how it ended.

use std::fmt;

use askama::filters::{Escaper, Html, HtmlSafe};
use jiff::Timestamp;
use ui::Language;

use super::super::look::Look;
use super::view::{About, Ending, Progress, Purpose, Unusable};

/// A text about an interaction, with whatever it may name in its places.
pub fn about(look: &Look, about: &About, key: &str) -> String {
    look.say(
        key,
        &[
            ("relying_party", &about.relying_party),
            ("organisation", &about.organisation),
            ("credential", &credential(look, about)),
        ],
    )
}

/// The same as a template writes it. What credentials are called is set up in English only, and a page in another
/// language says so of them [WCAG 3.1.2].
pub fn marked(look: &Look, of: &About, key: &str) -> Marked {
    let names = credential_by(look, of, |name| format!("{OPENS}{name}{CLOSES}"));
    let text = look.say(
        key,
        &[
            ("relying_party", &of.relying_party),
            ("organisation", &of.organisation),
            ("credential", &names),
        ],
    );
    let mut html = String::with_capacity(text.len() + 32);
    // Writing into a string does not fail.
    let _ = Html.write_escaped_str(&mut html, &text);
    let is_english = look.language() == Language::English;
    let [open, close] = if is_english {
        ["", ""]
    } else {
        ["<span lang=\"en\">", "</span>"]
    };
    Marked(html.replace(OPENS, open).replace(CLOSES, close))
}

/// Text that is escaped already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked(String);

impl fmt::Display for Marked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// Only `marked` makes one, and it escapes.
impl HtmlSafe for Marked {}

/// Around a credential's name until the text is escaped. Private use characters: no text has them, and one that did
/// would only be marked as English.
const OPENS: char = '\u{e000}';
const CLOSES: char = '\u{e001}';

/// The main heading of the page that waits.
pub fn heading(look: &Look, of: &About, progress: Progress) -> String {
    about(look, of, heading_key(of, progress))
}

/// Which text it is.
pub const fn heading_key(of: &About, progress: Progress) -> &'static str {
    match (progress, of.purpose) {
        (Progress::Waiting, Purpose::Verify) => "title-share",
        (Progress::Waiting, Purpose::Issue) => "title-add",
        (Progress::Scanned, _) => "title-scanned",
        (Progress::Opened, _) => "title-opened",
        // Whichever way the wallet came.
        (Progress::Checking | Progress::Returning, _) => "title-answered",
        (Progress::Done, Purpose::Verify) => {
            of.one_or_several("title-shared", "title-shared-several")
        }
        (Progress::Done, Purpose::Issue) => "title-added",
    }
}

/// The heading where a finger on the screen is told first of the wallet on this device: it scans nothing.
pub const fn touch_key(of: &About) -> &'static str {
    match of.purpose {
        Purpose::Verify => "title-share-here",
        Purpose::Issue => "title-add-here",
    }
}

/// What the status line says; a screen reader reads it out when it changes.
pub fn status(look: &Look, of: &About, progress: Progress, deadline: Timestamp) -> String {
    let key = match (progress, of.purpose) {
        (Progress::Waiting, _) => {
            let until = ui::time::clock_in(look.language(), deadline);
            return look.say("status-waiting", &[("until", &until)]);
        }
        (Progress::Scanned | Progress::Opened, Purpose::Verify) => "status-scanned-share",
        (Progress::Scanned | Progress::Opened, Purpose::Issue) => "status-scanned-add",
        (Progress::Checking, Purpose::Verify) => "status-checking-share",
        (Progress::Checking, Purpose::Issue) => "status-checking-add",
        (Progress::Returning, _) => "status-returning",
        (Progress::Done, _) => "status-done",
    };
    about(look, of, key)
}

/// The status while nothing happened yet, where the wallet is probably on this device.
pub fn touch_status(look: &Look, deadline: Timestamp) -> String {
    let until = ui::time::clock_in(look.language(), deadline);
    look.say("status-waiting-here", &[("until", &until)])
}

/// What a screen reader says of the code: its purpose, not its content [WCAG 1.1.1].
pub fn code_label(look: &Look, of: &About) -> String {
    let key = match of.purpose {
        Purpose::Verify => "code-share",
        Purpose::Issue => "code-add",
    };
    about(look, of, key)
}

/// The main heading of a page that tells how it ended.
pub fn ended(look: &Look, of: &About, ending: Ending) -> String {
    about(look, of, ended_key(of, ending))
}

/// The same for the page itself.
pub fn ended_marked(look: &Look, of: &About, ending: Ending) -> Marked {
    marked(look, of, ended_key(of, ending))
}

const fn ended_key(of: &About, ending: Ending) -> &'static str {
    match (ending, of.purpose) {
        (Ending::Expired, _) => "expired-title",
        (Ending::Cancelled, _) => "cancelled-title",
        (Ending::Declined | Ending::NotKept, Purpose::Verify) => {
            of.one_or_several("declined-share-title", "declined-share-title-several")
        }
        (Ending::Declined, Purpose::Issue) => "declined-add-title",
        (Ending::NotKept, Purpose::Issue) => "not-kept-title",
        (Ending::WrongCredential, _) => {
            of.one_or_several("wrong-credential-title", "wrong-credential-title-several")
        }
        (Ending::CredentialMissing, _) => {
            of.one_or_several("missing-title", "missing-title-several")
        }
        (Ending::TooLate, _) => "too-late-title",
        (Ending::WalletFault, Purpose::Verify) => {
            of.one_or_several("wallet-share-title", "wallet-share-title-several")
        }
        (Ending::WalletFault, Purpose::Issue) => "wallet-add-title",
        (Ending::PinWrong, _) => "pin-wrong-title",
        (Ending::DifferentPeople, _) => "different-people-title",
        (Ending::CredentialUnusable(_), _) => {
            of.one_or_several("unusable-title", "unusable-title-several")
        }
        (Ending::SerialNumberTaken, _) => "serial-number-taken-title",
        (Ending::ServiceProblem, _) => "problem-title",
    }
}

/// The explanation: what it was, that nothing was shared or added, and what to do.
pub fn why(of: &About, ending: Ending) -> Vec<&'static str> {
    match (ending, of.purpose) {
        (Ending::Expired, Purpose::Verify) => vec!["expired-text", "nothing-shared"],
        (Ending::Expired, Purpose::Issue) => vec!["expired-text", "nothing-added"],
        // A wallet answers the same whether the person said no or it holds nothing to share.
        (Ending::Declined | Ending::NotKept, Purpose::Verify) => vec![
            "nothing-shared",
            of.one_or_several("declined-share-next", "declined-share-next-several"),
        ],
        (Ending::Cancelled, Purpose::Verify) => vec!["cancelled-text", "nothing-shared"],
        (Ending::Declined, Purpose::Issue) => vec!["declined-add-text", "nothing-added"],
        (Ending::Cancelled, Purpose::Issue) => vec!["cancelled-text", "nothing-added"],
        (Ending::NotKept, Purpose::Issue) => vec!["not-kept-text", "not-kept-next"],
        (Ending::WrongCredential, _) => vec![
            "nothing-shared",
            of.one_or_several("wrong-credential-text", "wrong-credential-text-several"),
            of.one_or_several("from-employer", "from-employer-several"),
        ],
        (Ending::CredentialMissing, _) => vec![
            "nothing-shared",
            of.one_or_several("missing-text", "missing-text-several"),
            of.one_or_several("from-employer", "from-employer-several"),
        ],
        (Ending::TooLate, Purpose::Verify) => vec!["nothing-shared", "too-late-text"],
        (Ending::TooLate, Purpose::Issue) => vec!["nothing-added", "too-late-text"],
        (Ending::WalletFault, Purpose::Verify) => vec!["nothing-shared", "wallet-share-text"],
        (Ending::WalletFault, Purpose::Issue) => vec!["nothing-added", "wallet-add-text"],
        (Ending::PinWrong, _) => vec!["nothing-added", "pin-wrong-text"],
        (Ending::DifferentPeople, _) => vec!["different-people-text", "nothing-shared"],
        (Ending::CredentialUnusable(why), _) => unusable(why),
        (Ending::SerialNumberTaken, _) => vec!["nothing-added", "serial-number-taken-text"],
        (Ending::ServiceProblem, _) => vec!["information-safe", "try-later"],
    }
}

fn unusable(why: Unusable) -> Vec<&'static str> {
    match why {
        Unusable::Expired => vec!["unusable-expired", "unusable-expired-next"],
        Unusable::NotYetValid => vec!["unusable-not-yet-valid", "unusable-not-yet-valid-next"],
        Unusable::Revoked => vec!["unusable-revoked", "unusable-revoked-next"],
        Unusable::Suspended => vec!["unusable-suspended", "unusable-suspended-next"],
        Unusable::NotTrusted => vec!["unusable-not-trusted", "unusable-not-trusted-next"],
    }
}

impl About {
    /// Whether the page speaks of more than one credential.
    pub const fn are_several(&self) -> bool {
        self.credentials.len() > 1
    }

    const fn one_or_several(&self, one: &'static str, several: &'static str) -> &'static str {
        if self.are_several() { several } else { one }
    }
}

/// What is shared, as it stands inside a sentence, `staff identity and fire safety training`; what is added, as its
/// name.
fn credential(look: &Look, about: &About) -> String {
    credential_by(look, about, |name| name)
}

fn credential_by(look: &Look, about: &About, write: impl Fn(String) -> String) -> String {
    let labels = about.credentials.iter();
    let names = labels.map(|label| match about.purpose {
        Purpose::Verify => in_sentence(label),
        Purpose::Issue => label.clone(),
    });
    let names: Vec<String> = names.map(write).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => {
            look.say("list", &[("rest", &rest.join(", ")), ("last", last)])
        }
        _ => names.concat(),
    }
}

/// A label as it stands inside a sentence: `staff identity`, but `NHS induction`.
fn in_sentence(label: &str) -> String {
    let mut letters = label.chars();
    match (letters.next(), letters.next()) {
        (Some(first), second) if !second.is_some_and(char::is_uppercase) => {
            let rest = &label[first.len_utf8()..];
            first.to_lowercase().chain(rest.chars()).collect()
        }
        _ => label.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ui::{Brand, Language};

    use super::*;

    fn say(purpose: Purpose, labels: &[&str]) -> String {
        let about = About {
            purpose,
            relying_party: String::new(),
            organisation: String::new(),
            credentials: labels.iter().map(|label| (*label).to_owned()).collect(),
            reference: String::new(),
        };
        let look = Look::new(&Arc::new(Brand::default()), Language::English);
        credential(&look, &about)
    }

    #[test]
    fn the_label_of_a_type_stands_in_a_sentence_as_people_write_it() {
        for (label, said) in [
            ("Staff identity", "staff identity"),
            ("NHS induction", "NHS induction"),
            ("Évaluation", "évaluation"),
            ("", ""),
        ] {
            assert_eq!(say(Purpose::Verify, &[label]), said);
            assert_eq!(say(Purpose::Issue, &[label]), label);
        }
    }

    #[test]
    fn several_labels_are_joined_as_a_sentence_joins_things() {
        let three = ["Staff identity", "NHS induction", "Fire safety training"];
        assert_eq!(
            say(Purpose::Verify, &three),
            "staff identity, NHS induction and fire safety training"
        );
    }
}
