//! A record and an identity as JSON, for hosts in other languages and for trying a policy: every line has an answer.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{MatchOutcome, OnRecord, Policy, compare};
use crate::Identity;
use crate::identity::parse_date;

/// The identity holds no date of birth: it is incomplete, and nobody is compared with it.
const BIRTH_DATE_MISSING: &str = "birth-date-missing";
/// What stands for a date of birth is no `YYYY-MM-DD`.
const BIRTH_DATE_UNREADABLE: &str = "birth-date-unreadable";
/// The line is no pair.
const LINE_UNREADABLE: &str = "line-unreadable";

/// What the host holds, and what the credential says. Other members are the caller's own, and are passed over. What is
/// absent, `null` or empty is not held.
#[derive(Clone, Deserialize)]
pub struct WrittenPair {
    /// The employee as the host's record has them.
    pub record: WrittenRecord,
    /// What the credential says.
    pub identity: WrittenIdentity,
}

/// [`OnRecord`] as JSON.
#[derive(Clone, Deserialize)]
pub struct WrittenRecord {
    /// All first names.
    pub first_names: Option<String>,
    /// The surname.
    pub surname: Option<String>,
    /// A name that the person goes by.
    pub known_as: Option<String>,
    /// The date of birth, as `YYYY-MM-DD`.
    pub date_of_birth: Option<String>,
}

/// The part of an identity that is compared, as JSON.
#[derive(Clone, Deserialize)]
pub struct WrittenIdentity {
    /// The first name or names.
    pub first_name: Option<String>,
    /// The surname.
    pub surname: Option<String>,
    /// The date of birth, as `YYYY-MM-DD`.
    pub date_of_birth: Option<String>,
}

/// What is answered to a line. It holds nothing of the person, and may be logged and kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Answer {
    /// The verdict: `No` wherever it cannot be told.
    pub outcome: MatchOutcome,
    /// The codes of [`super::Reason`]; or, of a pair that was not compared, `birth-date-missing` or
    /// `birth-date-unreadable`; or, of a line that is no pair, `line-unreadable`.
    pub why: Vec<&'static str>,
    /// What is wrong with a line that is no pair.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Answer {
    /// To a line that is no pair, and why it is none: a sentence that quotes nothing of the line.
    pub fn unreadable(error: impl Into<String>) -> Self {
        Self {
            error: Some(error.into()),
            ..Self::not_compared(LINE_UNREADABLE)
        }
    }

    fn not_compared(code: &'static str) -> Self {
        Self {
            outcome: MatchOutcome::No,
            why: vec![code],
            error: None,
        }
    }
}

impl WrittenPair {
    /// Compare the two. A date that the identity lacks, or that is none on either side, is a `No`: no names are compared.
    pub fn compare(&self, policy: Policy) -> Answer {
        let (record, identity) = (&self.record, &self.identity);
        let (Ok(date_of_birth), Ok(birth_date)) = (
            held(record.date_of_birth.as_deref()),
            held(identity.date_of_birth.as_deref()),
        ) else {
            return Answer::not_compared(BIRTH_DATE_UNREADABLE);
        };
        let Some(birth_date) = birth_date else {
            return Answer::not_compared(BIRTH_DATE_MISSING);
        };
        let record = OnRecord {
            first_names: record.first_names.as_deref().unwrap_or_default(),
            surname: record.surname.as_deref().unwrap_or_default(),
            known_as: record.known_as.as_deref(),
            date_of_birth,
        };
        let identity = Identity {
            legal_first_name: identity.first_name.clone().unwrap_or_default(),
            legal_surname: identity.surname.clone().unwrap_or_default(),
            birth_date,
            // Says who somebody is to the staff passport, and is not compared.
            unique_identifier: Uuid::nil(),
        };
        let found = compare(&record, &identity, policy);
        Answer {
            outcome: found.outcome,
            why: found.why.iter().map(|reason| reason.code()).collect(),
            error: None,
        }
    }
}

/// The date that is held, if one is; an error where something else stands for it.
fn held(text: Option<&str>) -> Result<Option<jiff::civil::Date>, ()> {
    match text.map(str::trim).filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => parse_date(text).map(Some).ok_or(()),
    }
}

/// Answer one line of JSON: a [`WrittenPair`], or anything else.
pub fn compare_line(line: &[u8], policy: Policy) -> Answer {
    let Ok(text) = std::str::from_utf8(line) else {
        return Answer::unreadable("the line is not UTF-8: write it in that encoding");
    };
    match serde_json::from_str::<WrittenPair>(text) {
        Ok(pair) => pair.compare(policy),
        Err(error) => {
            let what = match error.classify() {
                serde_json::error::Category::Data => {
                    "this is no `record` and `identity`, each an object with its names and dates as text, each member once"
                }
                _ => "this is not JSON",
            };
            Answer::unreadable(format!("{what}: column {}", error.column()))
        }
    }
}
