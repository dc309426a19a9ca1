//! What the caller tells, read once: JSON into a type, with errors that quote nothing of it.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header;
use axum::http::request::Parts;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use connector::desk::{Language, Session};
use jiff::civil::Date;

use crate::problem::{Code, Problem};

/// The longest id, name or address, in bytes.
const LONGEST_TEXT: usize = 500;

/// What is wrong with a text that is no date.
const NO_DATE: &str = "a date is written as YYYY-MM-DD";

/// A body of JSON.
pub(crate) struct Told<T>(pub(crate) T);

impl<T, S> FromRequest<S> for Told<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if media_type(&request) != Some("application/json") {
            return Err(Problem::with(
                Code::UnsupportedMediaType,
                "This address reads `content-type: application/json`.",
            ));
        }
        let bytes =
            Bytes::from_request(request, state)
                .await
                .map_err(|rejection| match rejection.status().as_u16() {
                    413 => Problem::from(Code::BodyTooLarge),
                    _ => Problem::with(Code::BodyUnreadable, "The body did not arrive whole."),
                })?;
        read(&bytes).map(Self)
    }
}

/// The employee whom an address names.
pub(crate) struct Employee(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Employee {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(employee) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::field("employee", "it is not UTF-8, percent-encoded"))?;
        text("employee", &employee)?;
        Ok(Self(employee))
    }
}

/// A date as `YYYY-MM-DD`, if there is one.
pub(crate) fn date<'de, D: Deserializer<'de>>(told: D) -> Result<Option<Date>, D::Error> {
    let Some(text) = Option::<String>::deserialize(told)? else {
        return Ok(None);
    };
    connector::parse_date(&text)
        .map(Some)
        .ok_or_else(|| D::Error::custom(NO_DATE))
}

/// The media type of a request's body, without parameters.
pub(crate) fn media_type(request: &Request) -> Option<&str> {
    let value = request.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(str::trim)
}

/// JSON as what it is to be, or which member is not as it should be.
pub(crate) fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(json).map_err(|error| {
        let path = is_data(&error).then(|| path_to_fault::<T>(json)).flatten();
        Problem::with(Code::BodyUnreadable, unreadable(&error, path.as_deref()))
    })
}

fn is_data(error: &serde_json::Error) -> bool {
    error.classify() == serde_json::error::Category::Data
}

/// Which member it is, looked for only where something is wrong: a feed has a million lines that are right.
fn path_to_fault<T: DeserializeOwned>(json: &[u8]) -> Option<String> {
    let mut json = serde_json::Deserializer::from_slice(json);
    let told = serde_path_to_error::deserialize::<_, T>(&mut json).err()?;
    let path = told.path().to_string();
    (path != ".").then_some(path)
}

/// What is wrong, and where. What stands there may be somebody's name: only names of members are told, and words of ours.
fn unreadable(error: &serde_json::Error, path: Option<&str>) -> String {
    if !is_data(error) {
        let (line, column) = (error.line(), error.column());
        // A feed counts its lines, each of which is a text of its own.
        return match line {
            1 => format!("Column {column}: this is not JSON."),
            _ => format!("Line {line}, column {column}: this is not JSON."),
        };
    }
    let text = error.to_string();
    let text = text
        .rsplit_once(" at line ")
        .map_or(&*text, |(text, _)| text);
    let about_a_member = ["missing field `", "unknown field `"];
    let what = if about_a_member.iter().any(|one| text.starts_with(one)) {
        text.to_owned()
    } else if text.starts_with(NO_DATE) {
        NO_DATE.to_owned()
    } else if let Some((_, words)) = text
        .rsplit_once(", expected ")
        .filter(|_| text.starts_with("unknown variant `"))
    {
        format!("it is {words}")
    } else {
        "a value is not of the kind that is wanted".to_owned()
    };
    match path {
        Some(path) => format!("`{path}`: {what}."),
        None => format!("{what}."),
    }
}

/// The session and the employee in it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SessionOf {
    /// The host's key of the log-in: what is verified in it counts in it and nowhere else. Kept as a hash.
    #[schema(example = "9b1f0c6e…")]
    pub(crate) session: String,
    /// The host's id of whoever is logged in.
    #[schema(example = "e-1042")]
    pub(crate) employee: String,
}

impl SessionOf {
    pub(crate) fn check(&self) -> Result<Session<'_>, Problem> {
        text("session", &self.session)?;
        text("employee", &self.employee)?;
        Ok(Session {
            id: &self.session,
            employee: &self.employee,
        })
    }
}

/// An employee as the host's record has them now.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmployeeTold {
    /// The host's id.
    #[schema(example = "e-1042")]
    pub(crate) id: String,
    /// All first names.
    #[schema(example = "Amina Grace")]
    pub(crate) first_names: String,
    /// Surname.
    #[schema(example = "Okafor")]
    pub(crate) surname: String,
    /// A name that they go by, if the host holds one. It counts as a first name.
    #[serde(default)]
    #[schema(example = "Grace")]
    pub(crate) known_as: Option<String>,
    /// Date of birth, if the host holds it.
    #[serde(default, deserialize_with = "date")]
    #[schema(value_type = Option<String>, format = Date, example = "1990-02-03")]
    pub(crate) date_of_birth: Option<Date>,
    /// Where mails about credentials go, if the host knows.
    #[serde(default)]
    #[schema(example = "amina@anytown.example")]
    pub(crate) email: Option<String>,
    /// The language of mails to them; without it, the one that was told before, or English. What there is no text in is
    /// written in English.
    #[serde(default)]
    #[schema(nullable = false)]
    pub(crate) language: Option<MailLanguage>,
}

/// A language that mails are written in [ISO 639-1].
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MailLanguage {
    /// English.
    En,
    /// Welsh.
    Cy,
}

impl From<MailLanguage> for Language {
    fn from(language: MailLanguage) -> Self {
        match language {
            MailLanguage::En => Self::English,
            MailLanguage::Cy => Self::Welsh,
        }
    }
}

impl EmployeeTold {
    pub(crate) fn check(&self) -> Result<(), Problem> {
        text("employee.id", &self.id)?;
        text("employee.first_names", &self.first_names)?;
        text("employee.surname", &self.surname)?;
        for (name, value) in [
            ("employee.known_as", &self.known_as),
            ("employee.email", &self.email),
        ] {
            if let Some(value) = value {
                text(name, value)?;
            }
        }
        Ok(())
    }
}

/// One line that is not empty and can be kept.
pub(crate) fn text(name: &str, value: &str) -> Result<(), Problem> {
    if value.trim().is_empty() {
        return Err(Problem::field(name, "it is empty"));
    }
    if value.len() > LONGEST_TEXT {
        return Err(Problem::field(name, "it is longer than 500 bytes"));
    }
    if value.chars().any(char::is_control) {
        return Err(Problem::field(name, "it holds a control character"));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn said(body: &str) -> String {
        let refused = read::<EmployeeTold>(body.as_bytes()).err().unwrap();
        refused.detail().to_owned()
    }

    #[test]
    fn sec_40_an_error_names_the_member_and_quotes_no_value() {
        let right = r#"{"id": "e-1", "first_names": "Amina", "surname": "O""#;
        for (body, says) in [
            (
                r#"{"id": "e-1"}"#.to_owned(),
                "missing field `first_names`.",
            ),
            (
                format!(r#"{right}, "Okafor": 1}}"#).replace("Okafor", "shoe"),
                "`shoe`: unknown field `shoe`, expected one of",
            ),
            (
                format!(r#"{right}, "email": 3}}"#),
                "`email`: a value is not of the kind that is wanted.",
            ),
            (
                format!(r#"{right}, "language": "Okafor, expected Okafor"}}"#),
                "`language`: it is `en` or `cy`.",
            ),
            (
                format!(r#"{right}, "date_of_birth": "Okafor"}}"#),
                "`date_of_birth`: a date is written as YYYY-MM-DD.",
            ),
            (format!("{right}, }}"), "Column 55: this is not JSON."),
            (format!("\n{right}"), "Line 2, column 52: this is not JSON."),
        ] {
            let said = said(&body);
            assert!(said.starts_with(says), "{said}");
        }
        for body in [
            r#"{"id": "e-1", "first_names": "Amina", "surname": 3, "date_of_birth": "Okafor"}"#,
            r#"{"id": "e-1", "first_names": "Amina", "surname": "O", "date_of_birth": "Okafor"}"#,
            r#"{"id": "Okafor""#,
        ] {
            assert!(!said(body).contains("Okafor"), "{}", said(body));
        }
    }

    #[test]
    fn a_date_that_is_told_is_written_in_one_way() {
        let told = |date: &str| {
            let body = format!(
                r#"{{"id": "e-1", "first_names": "Amina", "surname": "O", "date_of_birth": {date}}}"#
            );
            serde_json::from_str::<EmployeeTold>(&body).map(|employee| employee.date_of_birth)
        };
        assert_eq!(told("null").unwrap(), None);
        assert!(told(r#""1990-02-03""#).unwrap().is_some());
        for date in [
            "19900203",
            "1990-02-03T00:00:00",
            "+001990-02-03",
            "1990-02-30",
            "",
        ] {
            let error = told(&format!("{date:?}")).unwrap_err();
            assert!(error.to_string().starts_with(NO_DATE), "{date}: {error}");
        }
    }
}
