//! What was done, by whom, to what and why: an entry for every act of an operator and for what the gateway does by itself.
//!
//! An [`Entry`] is one statement of the batch that does the act, so that there is neither without the other:
//!
//! ```ignore
//! app.store
//!     .write([
//!         remove,
//!         Entry::new(Actor::Operator(&id), Act::OperatorRemoved, ("operator", &removed), now)
//!             .ticket(ticket)
//!             .into(),
//!     ])
//!     .await?;
//! ```
//!
//! Within a second each entry gets its place in one chain ([`chain`]), each day the chain's head is signed
//! ([`checkpoint`]), and [`verify`] finds what was changed, removed, inserted or put in another order. What that does
//! not protect from is said in decision 0026.
//!
//! No personal data and no secret stands in an entry: [`Entry::with`] takes this program's own words, [`Entry::id`] what
//! looks like an identifier, and nothing else. `reason` and `ticket` are the operator's own words; the pages that ask for
//! them say that nobody's name belongs there.

mod act;
pub mod chain;
pub mod checkpoint;
mod compromised;
pub mod export;
mod list;
pub mod prune;
mod run;
mod standing;
pub mod verify;

use std::fmt;

use jiff::Timestamp;
use serde_json::{Map, Value};
use store::Statement;

pub use act::Act;
pub use chain::Kept;
pub(crate) use compromised::public_half;
pub use list::{Question, list, of_act};
pub(crate) use run::run;
pub(crate) use standing::{Standing, Trouble, standing};

/// The longest reason and ticket that are kept, in characters; more is cut off.
pub const LONGEST_REASON: usize = 500;

/// The longest identifier that is kept, in bytes.
const LONGEST_ID: usize = 200;

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor<'a> {
    /// An operator, by id.
    Operator(&'a str),
    /// A relying party, by client id.
    Client(&'a str),
    /// Whoever has this machine's command line and the configuration file, by the name of the account. The name is what the
    /// environment says and proves nothing.
    Command(&'a str),
    /// The gateway by itself: what was due.
    Gateway,
}

impl fmt::Display for Actor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator(id) => write!(f, "operator:{}", identifier(id)),
            Self::Client(id) => write!(f, "client:{}", identifier(id)),
            Self::Command(name) => write!(f, "command:{}", identifier(name)),
            Self::Gateway => f.write_str("gateway"),
        }
    }
}

/// Who does something and why: what every entry of one act begins with.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    /// Who.
    pub actor: Actor<'a>,
    /// Why, in the operator's words.
    pub reason: Option<&'a str>,
    /// Under which ticket of the operator's service desk.
    pub ticket: Option<&'a str>,
    /// The proposal that a second person approved.
    pub proposal: Option<&'a str>,
}

impl By<'_> {
    /// An entry of what is done to `object`.
    pub fn entry(&self, act: Act, object: (&'static str, &str), at: Timestamp) -> Entry {
        let entry = Entry::new(self.actor, act, object, at)
            .reason(self.reason)
            .ticket(self.ticket);
        match self.proposal {
            Some(id) => entry.id("proposal", id),
            None => entry,
        }
    }
}

/// Nobody asked why.
impl<'a> From<Actor<'a>> for By<'a> {
    fn from(actor: Actor<'a>) -> Self {
        Self {
            actor,
            reason: None,
            ticket: None,
            proposal: None,
        }
    }
}

/// One entry, to be written in the batch of its act.
#[derive(Clone, Debug)]
#[must_use = "an entry that is not written is an act without one"]
pub struct Entry {
    actor: String,
    act: Act,
    organisation: Option<String>,
    object: String,
    detail: Map<String, Value>,
    reason: Option<String>,
    ticket: Option<String>,
    at: Timestamp,
}

impl Entry {
    /// That `actor` did `act` to `object`: its kind, a word of this program, and its id.
    pub fn new(actor: Actor<'_>, act: Act, object: (&'static str, &str), at: Timestamp) -> Self {
        Self {
            actor: actor.to_string(),
            act,
            organisation: None,
            object: format!("{}:{}", object.0, identifier(object.1)),
            detail: Map::new(),
            reason: None,
            ticket: None,
            at,
        }
    }

    /// Whose object it is. Without one only operators of the whole gateway see the entry.
    pub fn organisation(mut self, organisation: Option<&str>) -> Self {
        self.organisation = organisation.map(identifier);
        self
    }

    /// A detail that is a word of this program: a role, a state, an outcome.
    pub fn with(mut self, name: &'static str, word: &'static str) -> Self {
        self.detail.insert(name.to_owned(), word.into());
        self
    }

    /// A detail that is an identifier. What cannot be one is left out, and `?` stands in its place.
    pub fn id(mut self, name: &'static str, id: &str) -> Self {
        self.detail.insert(name.to_owned(), identifier(id).into());
        self
    }

    /// A detail that is the path of a request, as it is understood: an escape hides nothing. What cannot stand in an identifier is
    /// `~` and its byte in hexadecimal, and a long one is cut.
    pub fn path(self, name: &'static str, path: &str) -> Self {
        self.id(name, &told_path(path))
    }

    /// A detail that is a number.
    pub fn number(mut self, name: &'static str, number: i64) -> Self {
        self.detail.insert(name.to_owned(), number.into());
        self
    }

    /// Why, in the operator's words.
    pub fn reason(mut self, reason: Option<&str>) -> Self {
        self.reason = reason.and_then(words);
        self
    }

    /// Under which ticket of the operator's service desk.
    pub fn ticket(mut self, ticket: Option<&str>) -> Self {
        self.ticket = ticket.and_then(words);
        self
    }
}

impl From<Entry> for Statement {
    fn from(entry: Entry) -> Self {
        Self::new(
            "INSERT INTO audit_entries (happened_at, actor, act, organisation, object, detail, reason, ticket) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(entry.at)
        .bind(entry.actor)
        .bind(entry.act.code())
        .bind(entry.organisation)
        .bind(entry.object)
        .bind(chain::canonical(&Value::Object(entry.detail)))
        .bind(entry.reason)
        .bind(entry.ticket)
    }
}

fn told_path(path: &str) -> String {
    let mut told = String::new();
    let mut rest = path.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = match rest {
            [b'%', high, low, ..] => hex::decode([*high, *low]).ok(),
            _ => None,
        };
        let (byte, after) = match escaped.as_deref() {
            Some([byte]) => (*byte, &after[2..]),
            _ => (*first, after),
        };
        let letter = match byte {
            byte if byte != b'~' && stands_in_an_identifier(byte) => char::from(byte).to_string(),
            byte => format!("~{byte:02X}"),
        };
        if told.len() + letter.len() > LONGEST_ID {
            break;
        }
        told.push_str(&letter);
        rest = after;
    }
    told
}

fn stands_in_an_identifier(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.:/+=@~".contains(&byte)
}

/// The text if it looks like an identifier, and `?` if it does not: what a person wrote must not come to stand here by a
/// slip.
fn identifier(text: &str) -> String {
    if text.is_empty() || text.len() > LONGEST_ID || !text.bytes().all(stands_in_an_identifier) {
        return "?".to_owned();
    }
    text.to_owned()
}

/// A person's words on one line and not too many; `None` if there are none.
fn words(text: &str) -> Option<String> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // Letters that turn the direction of writing make a line read other than it is (SEC-35).
    let turns =
        |letter: &char| !matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let kept: String = line
        .chars()
        .filter(|letter| !letter.is_control())
        .filter(turns)
        .take(LONGEST_REASON)
        .collect();
    (!kept.is_empty()).then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_look_like_an_identifier_does_not_come_to_stand_in_an_entry() {
        assert_eq!(
            identifier("anytown-staff-services"),
            "anytown-staff-services"
        );
        for text in ["", "Anna Example", "a\nb", "Zoë", &"a".repeat(201)] {
            assert_eq!(identifier(text), "?", "{text}");
        }
    }

    #[test]
    fn sec_35_a_reason_is_one_line_whose_direction_nobody_turns() {
        assert_eq!(
            words("  wrong\r\nimport \u{202e}gpj "),
            Some("wrong import gpj".to_owned())
        );
        assert_eq!(words(" \n"), None);
        assert_eq!(
            words(&"é".repeat(900)).map(|text| text.chars().count()),
            Some(500)
        );
    }
}
