//! `did:jwk`: an identifier that is a public key. [did:jwk method specification]

use super::document::{Document, Relationship};
use super::{Did, DidError, DidUrl};
use crate::jose::Jwk;
use crate::{base64url, json};

/// The fragment of the only key.
const FRAGMENT: &str = "0";

/// The DID of a key: its required members, in one canonical text.
pub fn encode(key: &Jwk) -> Did {
    Did(format!(
        "did:jwk:{}",
        base64url::encode(key.canonical_json())
    ))
}

/// The key of a DID. Its `kid` is the DID URL that tokens name it by.
pub fn decode(did: &Did) -> Result<Jwk, DidError> {
    let text = base64url::decode(did.of_method("jwk")?).map_err(|_| DidError::Encoding)?;
    let value = json::parse(&text).map_err(DidError::Json)?;
    Ok(Jwk::parse(&value)
        .map_err(DidError::Key)?
        .with_kid(verification_method(did).to_string()))
}

/// The DID URL of the only key.
pub fn verification_method(did: &Did) -> DidUrl {
    DidUrl {
        did: did.clone(),
        fragment: FRAGMENT.to_owned(),
    }
}

/// The document that the DID stands for.
pub fn document(did: &Did) -> Result<Document, DidError> {
    let key = decode(did)?;
    // A key for encryption speaks for nobody.
    let relationships: &[_] = if key.key_use() == Some("enc") {
        &[]
    } else {
        Relationship::ALL
    };
    Ok(Document::of_one_key(
        verification_method(did),
        key,
        relationships,
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    // The P-256 example of the method specification.
    const EXAMPLE: &str = "did:jwk:eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImFjYklRaXVNczNpOF91c3pFakoydHBUdFJNNEVVM3l6OTFQSDZDZEgyVjAiLCJ5IjoiX0tjeUxqOXZXTXB0bm1LdG00NkdxRHo4d2Y3NEk1TEtncmwyR3pIM25TRSJ9";

    #[test]
    fn the_example_of_the_method_specification_is_read_and_written() {
        let did = Did::parse(EXAMPLE).unwrap();
        let key = decode(&did).unwrap();
        assert_eq!(
            key.to_value()["x"],
            "acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0"
        );
        assert_eq!(key.kid().unwrap(), format!("{EXAMPLE}#0"));
        assert_eq!(encode(&key), did);
    }

    #[test]
    fn the_document_holds_the_key_under_its_one_id() {
        let did = Did::parse(EXAMPLE).unwrap();
        let document = document(&did).unwrap();
        let key = decode(&did).unwrap();
        for relationship in Relationship::ALL {
            assert!(
                document
                    .find(&format!("{did}#0"), *relationship)
                    .unwrap()
                    .same_key(&key)
            );
        }
        assert!(
            document
                .find(&format!("{did}#1"), Relationship::Authentication)
                .is_err()
        );
    }

    #[test]
    fn a_did_with_a_private_key_padding_or_repeated_members_is_refused() {
        let private = base64url::encode(
            r#"{"kty":"EC","crv":"P-256","x":"acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0","y":"_KcyLj9vWMptnmKtm46GqDz8wf74I5LKgrl2GzH3nSE","d":"AA"}"#,
        );
        let twice = base64url::encode(r#"{"kty":"EC","kty":"EC"}"#);
        let parse = |id: &str| decode(&Did::parse(&format!("did:jwk:{id}")).unwrap());
        assert!(matches!(parse(&private), Err(DidError::Key(_))));
        assert!(matches!(parse(&twice), Err(DidError::Json(_))));
        assert_eq!(parse("e30%3D"), Err(DidError::Encoding));
        assert_eq!(
            decode(&Did::parse("did:web:example.org").unwrap()),
            Err(DidError::Method)
        );
    }
}
