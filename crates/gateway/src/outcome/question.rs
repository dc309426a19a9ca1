//! What a relying party asks about: interactions by exactly one of three names, and from where on; or credentials, by their
//! serial numbers or all that are in force.

use jiff::Timestamp;
use standards::oauth::form::Form;
use uuid::Uuid;

use crate::interaction::reference::read_out;

/// How many serial numbers one question may have.
const MOST_SERIAL_NUMBERS: usize = 100;

/// What is asked about.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum By<'a> {
    /// The relying party's own `state`. Some always send the same one.
    State(&'a str),
    /// The `request_uri` that a pushed request was answered with.
    RequestUri(&'a str),
    /// What the employee read out, as it is kept.
    Reference(String),
    /// Of credentials that left the gateway: not about interactions, which are forgotten sooner.
    SerialNumbers(Vec<Uuid>),
    /// Every credential of the client's that is in force, in the order of the serial numbers, behind this one.
    InForceAfter(Uuid),
}

/// A question that can be answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Question<'a> {
    pub(super) by: By<'a>,
    /// Only what comes after this one, the newest being first.
    pub(super) before: Option<Cursor>,
}

/// Where one answer ended and the next begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) began_at: Timestamp,
    pub(super) reference: String,
}

/// Why a question cannot be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unanswerable {
    #[error("send exactly one of state, request_uri, reference, serial_number and in_force_after")]
    NotOne,
    #[error("serial_number has up to 100 GUIDs, separated by single spaces")]
    SerialNumber,
    #[error("in_force_after is the last serial number that you have, or the nil GUID for all")]
    InForceAfter,
    #[error("reference has eight letters and digits, such as K7Q2-9MFD")]
    Reference,
    #[error("before must be the value that the last answer gave")]
    Before,
}

impl<'a> Question<'a> {
    pub(super) fn parse(form: &'a Form) -> Result<Self, Unanswerable> {
        let named = (
            form.find("state"),
            form.find("request_uri"),
            form.find("reference"),
            form.find("serial_number"),
            form.find("in_force_after"),
        );
        let by = match named {
            (Some(state), None, None, None, None) => By::State(state),
            (None, Some(request_uri), None, None, None) => By::RequestUri(request_uri),
            (None, None, Some(reference), None, None) => {
                By::Reference(read_out(reference).ok_or(Unanswerable::Reference)?)
            }
            (None, None, None, Some(numbers), None) => By::SerialNumbers(serial_numbers(numbers)?),
            (None, None, None, None, Some(last)) => {
                let last = Uuid::try_parse(last).map_err(|_| Unanswerable::InForceAfter)?;
                By::InForceAfter(last)
            }
            _ => return Err(Unanswerable::NotOne),
        };
        let before = form
            .find("before")
            .map(|text| Cursor::parse(text).ok_or(Unanswerable::Before))
            .transpose()?;
        Ok(Self { by, before })
    }
}

impl Cursor {
    pub(super) fn to_text(&self) -> String {
        format!("{}.{}", self.began_at.as_second(), self.reference)
    }

    fn parse(text: &str) -> Option<Self> {
        let (seconds, reference) = text.split_once('.')?;
        Some(Self {
            began_at: Timestamp::from_second(seconds.parse().ok()?).ok()?,
            reference: read_out(reference)?,
        })
    }
}

fn serial_numbers(text: &str) -> Result<Vec<Uuid>, Unanswerable> {
    // No more is read than may be there.
    let mut numbers = text.split(' ').take(MOST_SERIAL_NUMBERS + 1);
    let all = numbers.try_fold(Vec::new(), |mut all, number| {
        all.push(Uuid::try_parse(number).ok()?);
        Some(all)
    });
    all.filter(|all| all.len() <= MOST_SERIAL_NUMBERS)
        .ok_or(Unanswerable::SerialNumber)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parse(body: &str) -> Result<String, Unanswerable> {
        let form = Form::parse(body.as_bytes()).unwrap();
        Question::parse(&form).map(|question| format!("{question:?}"))
    }

    #[test]
    fn a_question_names_its_interactions_in_exactly_one_way() {
        for body in [
            "",
            "client_id=a",
            "state=a&reference=K7Q2-9MFD",
            "state=a&request_uri=b",
            "state=a&in_force_after=00000000-0000-0000-0000-000000000000",
        ] {
            assert_eq!(parse(body), Err(Unanswerable::NotOne), "{body}");
        }
        assert!(parse("state=a").unwrap().contains("State(\"a\")"));
        assert!(parse("request_uri=urn%3Aa").unwrap().contains("urn:a"));
    }

    #[test]
    fn a_hundred_serial_numbers_are_one_question_and_more_are_none() {
        let numbers = |count: u128| -> String {
            let all: Vec<String> = (0..count).map(|n| Uuid::from_u128(n).to_string()).collect();
            format!("serial_number={}", all.join("+"))
        };
        assert!(parse(&numbers(1)).is_ok());
        assert!(parse(&numbers(100)).is_ok());
        for wrong in [
            numbers(101),
            "serial_number=x".into(),
            "serial_number=+".into(),
        ] {
            assert_eq!(parse(&wrong), Err(Unanswerable::SerialNumber), "{wrong}");
        }
        let two = format!("{}&state=a", numbers(1));
        assert_eq!(parse(&two), Err(Unanswerable::NotOne));
    }

    #[test]
    fn what_is_in_force_is_told_from_the_first_or_behind_a_serial_number() {
        for number in [Uuid::nil(), Uuid::from_u128(7)] {
            let asked = parse(&format!("in_force_after={number}")).unwrap();
            assert!(asked.contains(&number.to_string()), "{asked}");
        }
        assert_eq!(parse("in_force_after=x"), Err(Unanswerable::InForceAfter));
    }

    #[test]
    fn a_reference_is_found_as_it_was_heard() {
        for text in ["K7Q2-9MF0", "k7q29mfo", " k7q2 – 9mfO ", "K7Q29MF0"] {
            assert_eq!(read_out(text).as_deref(), Some("K7Q2-9MF0"), "{text}");
        }
        assert_eq!(read_out("il00-0000").as_deref(), Some("1100-0000"));
        for text in [
            "",
            "K7Q2",
            "K7Q2-9MFU",
            "K7Q2-9MFDA",
            "K7Q2_9MFD",
            "é7Q2-9MFD",
        ] {
            assert_eq!(read_out(text), None, "{text}");
        }
        assert_eq!(parse("reference=x"), Err(Unanswerable::Reference));
    }

    #[test]
    fn a_place_between_two_answers_reads_back() {
        let cursor = Cursor {
            began_at: Timestamp::from_second(1_800_000_000).unwrap(),
            reference: "K7Q2-9MFD".into(),
        };
        assert_eq!(Cursor::parse(&cursor.to_text()), Some(cursor));
        for text in [
            "",
            "1",
            "x.K7Q2-9MFD",
            "1.x",
            "99999999999999999999.K7Q2-9MFD",
        ] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
        assert_eq!(parse("state=a&before=1"), Err(Unanswerable::Before));
    }
}
