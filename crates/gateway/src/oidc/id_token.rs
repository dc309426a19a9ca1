//! The ID token: what the gateway says to one relying party about one interaction. [OIDC Core 2, 3.1.3.6;
//! gateway contract 3.2]

use aws_lc_rs::digest;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use standards::base64url;
use standards::jose::{SignError, Signer, jws};
use uuid::Uuid;

use super::answer;
use crate::app::Parts;
use crate::interaction::{Interaction, Private, Purpose, Stage};
use crate::keys::KeyPurpose;
use crate::organisation::RelyingParty;
use crate::organisation::catalogue::UNIQUE_IDENTIFIER;
use crate::organisation::relying_party::IdTokenAlgorithm;

/// How long an ID token may be believed (gateway contract U6).
const LIFETIME: SignedDuration = SignedDuration::from_secs(300);

/// Signs the ID token that goes out beside `access_token`. Its one audience is the client, hence no `azp`.
pub(super) async fn sign(
    parts: &Parts,
    party: &RelyingParty,
    interaction: &Interaction,
    private: &Private,
    access_token: &str,
    now: Timestamp,
) -> Result<String, SignError> {
    let mut claims = private.claims.clone();
    let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    claim("iss", answer::issuer(parts, party).into());
    claim("sub", subject(parts, party, interaction, private).into());
    claim("aud", party.client_id.as_str().into());
    claim("iat", now.as_second().into());
    claim("exp", (now + LIFETIME).as_second().into());
    claim("auth_time", acted_at(interaction, now).as_second().into());
    let algorithm = party.id_token_algorithm;
    claim("at_hash", access_token_hash(algorithm, access_token).into());
    if let Some(nonce) = &private.request.nonce {
        claim("nonce", nonce.as_str().into());
    }
    let signer = signer(parts, algorithm)?;
    jws::sign(signer, jws::ProtectedHeader::typ("JWT"), &claims).await
}

/// By what this client knows this person, here and at the userinfo endpoint; no other client knows them by it.
pub(super) fn subject(
    parts: &Parts,
    party: &RelyingParty,
    interaction: &Interaction,
    private: &Private,
) -> String {
    // What was verified stands under the names of its types; what was issued under its own.
    let passport = match interaction.purpose {
        Purpose::Verify => format!(
            "{}.{UNIQUE_IDENTIFIER}",
            interaction.credential_types.first()
        ),
        Purpose::Issue => UNIQUE_IDENTIFIER.to_owned(),
    };
    let passport = private.claims.get(&passport).and_then(Value::as_str);
    // One person is one subject, however an issuer spells the number.
    let passport = passport.map(|text| match Uuid::try_parse(text) {
        Ok(number) => number.to_string(),
        Err(_) => text.to_owned(),
    });
    let subject = passport.as_deref().unwrap_or(&interaction.id);
    parts.seal.pairwise(&party.client_id, subject)
}

fn signer(parts: &Parts, algorithm: IdTokenAlgorithm) -> Result<&dyn Signer, SignError> {
    let purpose = match algorithm {
        IdTokenAlgorithm::RS256 => KeyPurpose::IdTokenRs256,
        IdTokenAlgorithm::ES256 => KeyPurpose::IdTokenEs256,
        IdTokenAlgorithm::EdDSA => KeyPurpose::IdTokenEdDsa,
    };
    let signer = parts.keys.id_token(purpose);
    signer
        .map(AsRef::as_ref)
        .map_err(|error| SignError::Device(error.to_string()))
}

/// When the person acted: the end of the interaction in the wallet.
fn acted_at(interaction: &Interaction, now: Timestamp) -> Timestamp {
    match interaction.stage {
        Stage::Finished { at, .. } => at,
        _ => now,
    }
}

/// [OIDC Core 3.1.3.6] The left half of the access token's hash, by the hash function of the signature: SHA-512 for
/// Ed25519, as RFC 8032 has it inside.
fn access_token_hash(algorithm: IdTokenAlgorithm, access_token: &str) -> String {
    let function = match algorithm {
        IdTokenAlgorithm::RS256 | IdTokenAlgorithm::ES256 => &digest::SHA256,
        IdTokenAlgorithm::EdDSA => &digest::SHA512,
    };
    let hash = digest::digest(function, access_token.as_bytes());
    let hash = hash.as_ref();
    base64url::encode(&hash[..hash.len() / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first pair is the standard's own [OIDC Core A.3]; the second was computed with another program.
    #[test]
    fn the_access_tokens_hash_is_half_of_what_the_signatures_function_gives() {
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        for algorithm in [IdTokenAlgorithm::RS256, IdTokenAlgorithm::ES256] {
            assert_eq!(
                access_token_hash(algorithm, token),
                "77QmUPtjPfzWtF2AnpK9RQ"
            );
        }
        assert_eq!(
            access_token_hash(IdTokenAlgorithm::EdDSA, token),
            "q7nS86GgvvFaZkzALLWqJYaJIKw2wCDAVfCAsm5CrBM"
        );
    }
}
