//! What a finished verification says about the employee.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value};
use uuid::Uuid;

/// One credential's attributes by name. Debug prints only the names.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Attributes(BTreeMap<String, String>);

impl Attributes {
    /// The attribute of this name.
    pub fn find(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All attributes, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(String, String)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Credentials that the gateway has checked, as the employee's wallet showed them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Verified {
    /// The wallet's holder as the gateway names them to this relying party.
    pub subject: String,
    /// The attributes of each credential type that was asked for.
    pub credentials: BTreeMap<String, Attributes>,
    /// When the gateway said so.
    pub at: Timestamp,
}

/// The four facts of an identity credential that the integration rests on. Debug prints none.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The first name or names.
    pub legal_first_name: String,
    /// The surname.
    pub legal_surname: String,
    /// The date of birth.
    pub birth_date: Date,
    /// The staff passport's own identifier of its holder.
    pub unique_identifier: Uuid,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(…)")
    }
}

/// Why a verification does not identify anybody.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdentityError {
    /// The verification did not ask for an identity credential.
    #[error("no identity credential was asked for")]
    NotAsked,
    /// An attribute is not there, or empty.
    #[error("the identity credential has no {0}")]
    Missing(&'static str),
    /// An attribute is not in its form.
    #[error("the identity credential's {0} is not in the form that the contract has")]
    Malformed(&'static str),
}

impl Verified {
    /// Sort the ID token's claims `Type.Attribute` by the types that were asked for; the error is
    /// the first type that is not there. Claims of other types were not asked for, and nothing
    /// is built on them.
    pub(crate) fn from_claims(
        claims: &Map<String, Value>,
        credential_types: &[String],
        at: Timestamp,
    ) -> Result<Self, String> {
        let mut credentials = BTreeMap::new();
        for credential_type in credential_types {
            let attributes: Attributes = claims
                .iter()
                .filter_map(|(claim, value)| {
                    let name = claim
                        .strip_prefix(credential_type.as_str())?
                        .strip_prefix('.')?;
                    Some((name.to_owned(), value.as_str()?.to_owned()))
                })
                .collect();
            if attributes.is_empty() {
                return Err(credential_type.clone());
            }
            credentials.insert(credential_type.clone(), attributes);
        }
        let subject = claims
            .get("sub")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        Ok(Self {
            subject,
            credentials,
            at,
        })
    }

    /// The employee's identity. Every fact must be there and in its form: an identity without its
    /// unique identifier is no identity.
    pub fn identity(&self) -> Result<Identity, IdentityError> {
        self.identity_of("Identity")
    }

    /// As [`Verified::identity`], where the identity credential's type has another name.
    pub fn identity_of(&self, credential_type: &str) -> Result<Identity, IdentityError> {
        let credential = self
            .credentials
            .get(credential_type)
            .ok_or(IdentityError::NotAsked)?;
        let text = |name: &'static str| {
            let value = credential
                .find(name)
                .map(str::trim)
                .filter(|value| !value.is_empty());
            value.ok_or(IdentityError::Missing(name))
        };
        Ok(Identity {
            legal_first_name: text("ID-LegalFirstName")?.to_owned(),
            legal_surname: text("ID-LegalSurname")?.to_owned(),
            birth_date: parse_date(text("ID-BirthDate")?)
                .ok_or(IdentityError::Malformed("ID-BirthDate"))?,
            unique_identifier: Uuid::try_parse(text("UniqueIdentifier")?)
                .ok()
                .filter(|id| !id.is_nil())
                .ok_or(IdentityError::Malformed("UniqueIdentifier"))?,
        })
    }
}

/// The date that `YYYY-MM-DD` says [RFC 3339 5.6, full-date]; `None` for every other text, of which jiff by itself would read
/// some: a date without hyphens, one with a time behind it, a year of six digits.
pub fn parse_date(text: &str) -> Option<Date> {
    let date: Date = text.parse().ok()?;
    (text.len() == "YYYY-MM-DD".len() && date.to_string() == text).then_some(date)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims() -> Map<String, Value> {
        let Value::Object(claims) = json!({
            "sub": "holder",
            "Identity.ID-LegalFirstName": "Amina",
            "Identity.ID-LegalSurname": "Okafor",
            "Identity.ID-BirthDate": "1990-02-03",
            "Identity.UniqueIdentifier": "7e1f4d3a-53c5-4a0e-9b4e-0d6f1c2a3b4c",
            "IdentityCard.Number": "7",
            "Other.Thing": "x",
        }) else {
            unreachable!()
        };
        claims
    }

    fn verified(claims: &Map<String, Value>) -> Verified {
        Verified::from_claims(claims, &["Identity".to_owned()], Timestamp::UNIX_EPOCH).unwrap()
    }

    #[test]
    fn claims_are_sorted_by_the_type_that_was_asked_for_and_others_are_left_out() {
        let verified = verified(&claims());
        assert_eq!(verified.credentials.len(), 1);
        assert_eq!(verified.credentials["Identity"].len(), 4);
        assert_eq!(verified.identity().unwrap().legal_surname, "Okafor");
    }

    #[test]
    fn a_type_that_was_asked_for_and_is_not_there_is_an_error() {
        let asked = ["Identity".to_owned(), "DBS".to_owned()];
        let result = Verified::from_claims(&claims(), &asked, Timestamp::UNIX_EPOCH);
        assert_eq!(result.err().as_deref(), Some("DBS"));
    }

    /// DW-46.
    #[test]
    fn an_identity_without_a_well_formed_unique_identifier_is_no_identity() {
        let name = "Identity.UniqueIdentifier";
        let mut claims = claims();
        for (value, error) in [
            (json!(""), IdentityError::Missing("UniqueIdentifier")),
            (json!(7), IdentityError::Missing("UniqueIdentifier")),
            (
                json!("someone"),
                IdentityError::Malformed("UniqueIdentifier"),
            ),
            (
                json!(Uuid::nil().to_string()),
                IdentityError::Malformed("UniqueIdentifier"),
            ),
        ] {
            claims.insert(name.to_owned(), value);
            assert_eq!(verified(&claims).identity(), Err(error));
        }
        claims.remove(name);
        assert_eq!(
            verified(&claims).identity(),
            Err(IdentityError::Missing("UniqueIdentifier"))
        );
    }

    #[test]
    fn a_birth_date_is_a_date_and_nothing_more() {
        assert!(parse_date("1990-02-03").is_some());
        for text in [
            "1990-02-30",
            "19900203",
            "1990-02-03T00:00:00Z",
            "03/02/1990",
            "1990-2-3",
            "-001990-02-03",
            "+001990-02-03",
            " 1990-02-03",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    #[test]
    fn an_identity_does_not_print_its_person() {
        let verified = verified(&claims());
        let printed = format!("{verified:?} {:?}", verified.identity());
        assert!(
            !printed.contains("Okafor") && !printed.contains("1990"),
            "{printed}"
        );
    }
}
