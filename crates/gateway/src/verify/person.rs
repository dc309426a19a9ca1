//! Several credentials in one answer: whether they are one person's.
//!
//! Each was bound to the request by the key that it was issued to. A wallet may have a key for each credential, so
//! that the keys say nothing of whether two credentials belong together. Every credential type has the unique
//! identifier of a staff passport, which its issuer vouches for: that says it.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::interaction::Refusal;
use crate::organisation::catalogue::UNIQUE_IDENTIFIER;

/// What the relying party will hear, each claim under the name of its credential type; if all credentials were issued
/// for the same staff passport. A colleague's credential beside one's own is refused.
pub(super) fn of_one_person(
    presented: Vec<(&str, Map<String, Value>)>,
) -> Result<Map<String, Value>, Refusal> {
    let mut passports = presented.iter().map(|(_, claims)| passport(claims));
    if let Some(first) = passports.next()
        && passports.any(|other| other.is_none() || other != first)
    {
        return Err(Refusal::DifferentPeople);
    }
    let named = |(credential_type, claims): (&str, Map<String, Value>)| {
        claims
            .into_iter()
            .map(|(name, value)| (format!("{credential_type}.{name}"), value))
            .collect::<Vec<_>>()
    };
    Ok(presented.into_iter().flat_map(named).collect())
}

/// Read as a UUID: an issuer elsewhere may write the same one in capitals.
fn passport(claims: &Map<String, Value>) -> Option<Uuid> {
    Uuid::try_parse(claims.get(UNIQUE_IDENTIFIER)?.as_str()?).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    const ANNA: &str = "3f0c1c1e-52f4-4b6f-9b2f-6f3a0a9f8d10";
    const BEN: &str = "4f0c1c1e-52f4-4b6f-9b2f-6f3a0a9f8d10";

    fn credential(passport: &Value) -> Map<String, Value> {
        let claims = json!({ UNIQUE_IDENTIFIER: passport, "Origin": "x" });
        claims.as_object().unwrap().clone()
    }

    fn together(passports: &[Value]) -> Result<Map<String, Value>, Refusal> {
        let types = ["Identity", "FireSafety", "TrainingProgramme"];
        let presented = types.into_iter().zip(passports);
        of_one_person(
            presented
                .map(|(name, passport)| (name, credential(passport)))
                .collect(),
        )
    }

    #[test]
    fn claims_of_one_person_stand_under_the_names_of_their_types() {
        let claims = together(&[json!(ANNA), json!(ANNA.to_uppercase())]).unwrap();
        assert_eq!(claims["Identity.Origin"], "x");
        assert_eq!(claims["FireSafety.UniqueIdentifier"], ANNA.to_uppercase());
        assert_eq!(claims.len(), 4);
    }

    /// SEC-20.
    #[test]
    fn credentials_of_different_people_are_refused_wherever_the_other_one_stands() {
        for passports in [[ANNA, ANNA, BEN], [ANNA, BEN, ANNA], [BEN, ANNA, ANNA]] {
            let refused = together(&passports.map(Value::from));
            assert_eq!(refused, Err(Refusal::DifferentPeople));
        }
    }

    /// SEC-20: nobody's credential belongs to nobody.
    #[test]
    fn a_unique_identifier_that_cannot_be_read_matches_no_other() {
        for unread in [Value::Null, json!(""), json!("me"), json!(7)] {
            let refused = together(&[unread.clone(), unread]);
            assert_eq!(refused, Err(Refusal::DifferentPeople));
        }
    }
}
