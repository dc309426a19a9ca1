//! What is asked of a wallet: one credential of each type, in whichever of its formats. [VP 6]

use standards::dcql::{
    ClaimsQuery, CredentialQuery, CredentialSetQuery, Path, PathError, Query, QueryError,
};

use crate::interaction::CredentialTypes;
use crate::organisation::Organisations;
use crate::organisation::catalogue::{Attribute, CredentialType, Format};

/// Why a query cannot be made: a credential type that DCQL cannot ask for.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidQuery {
    /// A name that makes no path.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A rule of DCQL.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// It has been taken out of the catalogue meanwhile.
    #[error("a credential type is no longer there")]
    Gone,
}

/// What is asked of the wallet about one credential type.
pub(super) struct Question<'a> {
    /// The type.
    pub(super) credential_type: &'a CredentialType,
    /// The query for one credential of it.
    pub(super) query: Query,
}

/// The questions of an interaction, in the order of its types.
pub(super) fn questions<'a>(
    organisations: &'a Organisations,
    types: &CredentialTypes,
    base: &str,
) -> Result<Vec<Question<'a>>, InvalidQuery> {
    let question = |name| {
        let credential_type = organisations
            .credential_type(name)
            .ok_or(InvalidQuery::Gone)?;
        let query = query(credential_type, &credential_type.vct(base))?;
        Ok(Question {
            credential_type,
            query,
        })
    };
    types.iter().map(question).collect()
}

/// All questions as the one query of a request object: each must be answered, each in one of its ways.
pub(super) fn together(questions: &[Question<'_>]) -> Result<Query, InvalidQuery> {
    let queries = || questions.iter().map(|question| &question.query);
    let credentials = queries().flat_map(|query| query.credentials.clone());
    let mut whole = Query::new(credentials.collect())?;
    if whole.credentials.len() > questions.len() {
        // [VP 6.2] Without sets all of them would be asked for together.
        let ways = |query: &Query| CredentialSetQuery {
            options: query
                .credentials
                .iter()
                .map(|credential| vec![credential.id.clone()])
                .collect(),
            required: true,
        };
        whole.credential_sets = Some(queries().map(ways).collect());
    }
    // Read back, so that what is sent is known to be a query by the rules that wallets go by.
    Ok(Query::parse(&whole.to_value())?)
}

/// The query for one credential type. `vct` is the type's name in SD-JWT VC.
pub(super) fn query(credential_type: &CredentialType, vct: &str) -> Result<Query, InvalidQuery> {
    let credentials = credential_type
        .formats
        .iter()
        .map(|format| credential(credential_type, *format, vct));
    let mut query = Query::new(credentials.collect::<Result<_, _>>()?)?;
    if query.credentials.len() > 1 {
        // [VP 6.2] Without this all of them would be asked for together.
        let options = query
            .credentials
            .iter()
            .map(|credential| vec![credential.id.clone()])
            .collect();
        query.credential_sets = Some(vec![CredentialSetQuery {
            options,
            required: true,
        }]);
    }
    // Read back, so that what is sent is known to be a query by the rules that wallets go by.
    Ok(Query::parse(&query.to_value())?)
}

/// Every attribute is asked for. One that a credential of this type may lack is optional here as well: the
/// first claim set names all, the second only those that are always there. [VP 6.4.1]
fn credential(
    credential_type: &CredentialType,
    format: Format,
    vct: &str,
) -> Result<CredentialQuery, InvalidQuery> {
    let id = credential_type
        .configuration_id(format)
        .to_ascii_lowercase();
    let mut query = match format {
        Format::JwtVcJson => CredentialQuery::jwt_vc_json(&id, &credential_type.name, Vec::new()),
        Format::SdJwtVc => CredentialQuery::dc_sd_jwt(&id, vct, Vec::new()),
    };
    let attributes = &credential_type.attributes;
    let id_of = |at: usize| format!("c{at}");
    let sets = attributes.iter().any(|attribute| !attribute.mandatory);
    let claim = |(at, attribute): (usize, &Attribute)| {
        let path = path(attribute, format)?;
        Ok::<_, PathError>(ClaimsQuery {
            id: sets.then(|| id_of(at)),
            path,
            values: None,
        })
    };
    query.claims = Some(
        attributes
            .iter()
            .enumerate()
            .map(claim)
            .collect::<Result<_, _>>()?,
    );
    if sets {
        let all = (0..attributes.len()).map(id_of).collect();
        let always = attributes
            .iter()
            .enumerate()
            .filter(|(_, attribute)| attribute.mandatory)
            .map(|(at, _)| id_of(at))
            .collect();
        query.claim_sets = Some(vec![all, always]);
    }
    Ok(query)
}

/// [VP B.1.2] Paths begin at the credential for the W3C form, at the claims for SD-JWT VC.
fn path(attribute: &Attribute, format: Format) -> Result<Path, PathError> {
    match format {
        Format::JwtVcJson => Path::of_keys(["credentialSubject", attribute.name.as_str()]),
        Format::SdJwtVc => Path::of_keys([attribute.name.as_str()]),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::organisation::catalogue::Catalogue;

    const VCT: &str = "https://gateway.example/credential-types/Identity";

    #[test]
    fn one_credential_is_asked_for_in_either_format_with_every_attribute() {
        let catalogue = Catalogue::built_in().unwrap();
        let identity = query(catalogue.find("Identity").unwrap(), VCT)
            .unwrap()
            .to_value();
        assert_eq!(identity["credentials"][0]["id"], "identity-jwt-vc");
        assert_eq!(
            identity["credentials"][0]["meta"]["type_values"][0][0],
            "Identity"
        );
        assert_eq!(
            identity["credentials"][0]["claims"][1]["path"],
            serde_json::json!(["credentialSubject", "ID-LegalSurname"])
        );
        assert_eq!(identity["credentials"][1]["meta"]["vct_values"][0], VCT);
        assert_eq!(
            identity["credentials"][1]["claims"]
                .as_array()
                .unwrap()
                .len(),
            4
        );
        assert_eq!(
            identity["credential_sets"][0]["options"],
            serde_json::json!([["identity-jwt-vc"], ["identity-sd-jwt"]])
        );
    }

    #[test]
    fn what_a_credential_may_lack_is_asked_for_and_may_be_left_out() {
        let catalogue = Catalogue::built_in().unwrap();
        for credential_type in catalogue.iter() {
            let query = query(credential_type, VCT).unwrap();
            let optional = credential_type
                .attributes
                .iter()
                .filter(|attribute| !attribute.mandatory)
                .count();
            for credential in &query.credentials {
                let sets = credential.claim_sets.as_ref();
                assert_eq!(sets.is_some(), optional > 0, "{}", credential_type.name);
                assert_eq!(
                    sets.map_or(0, |sets| sets[0].len() - sets[1].len()),
                    optional
                );
            }
        }
    }
}
