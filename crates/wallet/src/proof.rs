//! What the holder signs: key proofs and presentations, straight or bent by a fault.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, json};
use standards::base64url;
use standards::dcql::Format;
use standards::did;
use standards::jose::jws::{ProtectedHeader, sign_now};
use standards::jose::{Algorithm, Jwk, SignError, Signer, SoftwareKey};
use standards::openid4vci::CredentialConfiguration;

use crate::fault::Fault;

/// The audience that the fault `wrong-audience` names.
pub(crate) const WRONG_AUDIENCE: &str = "https://wrong-audience.invalid";

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The key does not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The stored key is damaged.
    #[error("the credential's key in the wallet's file is damaged")]
    StoredKey,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random,
}

/// A holder's key: P-256, one for each credential.
pub(crate) struct HolderKey(SoftwareKey);

impl HolderKey {
    pub(crate) fn generate() -> Result<Self, ProofError> {
        Ok(Self(SoftwareKey::generate(Algorithm::ES256)?))
    }

    /// From the wallet's file.
    pub(crate) fn from_text(text: &str) -> Result<Self, ProofError> {
        let der = base64url::decode(text).map_err(|_| ProofError::StoredKey)?;
        SoftwareKey::from_pkcs8_der(&der)
            .map(Self)
            .map_err(|_| ProofError::StoredKey)
    }

    /// For the wallet's file.
    pub(crate) fn to_text(&self) -> Result<String, ProofError> {
        Ok(base64url::encode(self.0.to_pkcs8_der()?.as_slice()))
    }

    pub(crate) fn public_jwk(&self) -> &Jwk {
        self.0.public_jwk()
    }

    pub(crate) fn software_key(&self) -> &SoftwareKey {
        &self.0
    }
}

/// The `did:jwk` of a key.
pub(crate) fn did_of(key: &Jwk) -> String {
    did::jwk::encode(key).to_string()
}

/// The DID URL that names the key in its `did:jwk`.
pub(crate) fn did_url(key: &Jwk) -> String {
    did::jwk::verification_method(&did::jwk::encode(key)).to_string()
}

/// How a key proof names the holder's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binding {
    /// `kid` is a `did:jwk` URL.
    Did,
    /// `jwk` is the key.
    Jwk,
}

impl Binding {
    /// What the issuer takes of what this wallet has, if format and proof fit as well ([VCI 12.2.4]).
    pub(crate) fn of(configuration: &CredentialConfiguration) -> Option<Self> {
        if matches!(configuration.format, Format::Other(_)) {
            return None;
        }
        let jwt = configuration.proof_types_supported.as_ref()?.get("jwt")?;
        let signs = jwt
            .proof_signing_alg_values_supported
            .iter()
            .any(|alg| alg == Algorithm::ES256.as_str());
        if !signs || jwt.key_attestations_required.is_some() {
            return None;
        }
        let methods = configuration
            .cryptographic_binding_methods_supported
            .as_deref()?;
        let takes = |method: &str| methods.iter().any(|known| known == method);
        // The subject of a W3C credential is a DID; an SD-JWT VC names the key itself.
        let order = match configuration.format {
            Format::DcSdJwt => [("jwk", Self::Jwk), ("did:jwk", Self::Did)],
            _ => [("did:jwk", Self::Did), ("jwk", Self::Jwk)],
        };
        order
            .into_iter()
            .find(|(method, _)| takes(method))
            .map(|(_, binding)| binding)
    }
}

/// [VCI appendix F.1] The proof that the wallet has the key to which the credential is to be bound. The wallet is
/// anonymous, so there is no `iss`.
pub(crate) fn key_proof(
    key: &HolderKey,
    binding: Binding,
    credential_issuer: &str,
    nonce: Option<String>,
    now: Timestamp,
    fault: Option<Fault>,
) -> Result<String, ProofError> {
    let audience = if fault == Some(Fault::WrongAudience) {
        WRONG_AUDIENCE
    } else {
        credential_issuer
    };
    let issued_at = match fault {
        Some(Fault::Expired) => now
            .saturating_sub(SignedDuration::from_hours(1))
            .unwrap_or(now),
        _ => now,
    };
    let mut claims = Map::new();
    claims.insert("aud".to_owned(), json!(audience));
    claims.insert("iat".to_owned(), json!(issued_at.as_second()));
    let nonce = if fault == Some(Fault::WrongNonce) {
        Some(random_id()?)
    } else {
        nonce
    };
    if let Some(nonce) = nonce {
        claims.insert("nonce".to_owned(), json!(nonce));
    }
    let header = ProtectedHeader::typ("openid4vci-proof+jwt");
    let header = match binding {
        Binding::Did => header.kid(did_url(key.public_jwk())),
        Binding::Jwk => header.jwk(key.public_jwk()),
    };
    let stranger;
    let signing = match fault {
        Some(Fault::OtherPerson) => {
            stranger = HolderKey::generate()?;
            &stranger
        }
        _ => key,
    };
    let proof = sign_now(&signing.0, header, &claims)?;
    Ok(if fault == Some(Fault::BadSignature) {
        spoil_signature(&proof)
    } else {
        proof
    })
}

/// Flips one bit of the signature of a compact JWS.
pub(crate) fn spoil_signature(compact: &str) -> String {
    let Some((signed, signature)) = compact.rsplit_once('.') else {
        return compact.to_owned();
    };
    let Ok(mut bytes) = base64url::decode(signature) else {
        return compact.to_owned();
    };
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    format!("{signed}.{}", base64url::encode(bytes))
}

/// 128 random bits from the system, base64url: an id, or a nonce.
pub(crate) fn random_id() -> Result<String, ProofError> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| ProofError::Random)?;
    Ok(base64url::encode(bytes))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use standards::jose::Typ;
    use standards::jose::jws;

    use super::*;

    fn verifies(proof: &str, key: &HolderKey) -> bool {
        let typ = Typ::Is("openid4vci-proof+jwt");
        jws::parse(proof)
            .unwrap()
            .verify(key.public_jwk(), &[Algorithm::ES256], typ)
            .is_ok()
    }

    fn proof(key: &HolderKey, fault: Option<Fault>) -> String {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        key_proof(
            key,
            Binding::Jwk,
            "https://issuer.example",
            Some("n".into()),
            now,
            fault,
        )
        .unwrap()
    }

    #[test]
    fn a_proof_verifies_with_the_key_it_names_and_a_bent_one_does_not() {
        let key = HolderKey::generate().unwrap();
        assert!(verifies(&proof(&key, None), &key));
        assert!(!verifies(&proof(&key, Some(Fault::BadSignature)), &key));
        assert!(!verifies(&proof(&key, Some(Fault::OtherPerson)), &key));
    }

    #[test]
    fn each_fault_bends_its_own_claim_and_no_other() {
        let key = HolderKey::generate().unwrap();
        let claims = |fault| {
            jws::parse(&proof(&key, fault))
                .unwrap()
                .unverified_claims()
                .clone()
        };
        let good = claims(None);
        for (fault, bent) in [
            (Fault::WrongNonce, "nonce"),
            (Fault::WrongAudience, "aud"),
            (Fault::Expired, "iat"),
        ] {
            let claims = claims(Some(fault));
            for name in ["nonce", "aud", "iat"] {
                assert_eq!(claims[name] == good[name], name != bent, "{fault:?} {name}");
            }
        }
    }

    #[test]
    fn a_key_comes_back_from_the_file_as_the_same_key() {
        let key = HolderKey::generate().unwrap();
        let again = HolderKey::from_text(&key.to_text().unwrap()).unwrap();
        assert!(key.public_jwk().same_key(again.public_jwk()));
        assert!(matches!(
            HolderKey::from_text("AAAA"),
            Err(ProofError::StoredKey)
        ));
    }
}
