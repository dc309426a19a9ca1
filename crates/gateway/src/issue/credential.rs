//! `POST /issuers/{organisation}/credential`: the key proof is checked, the credential is written down, and
//! only then does it leave. [VCI 8]

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize as _;
use serde_json::{Map, Value};
use standards::jose::Signer;
use standards::openid4vci::proof::Expected;
use standards::openid4vci::{
    CredentialErrorCode as Code, CredentialRequest, CredentialResponse, KeyProof, Proofs,
    Requested, VerifiedProof,
};

use super::answer::{Refused, answer_json};
use super::content::{self, Content};
use super::draft::Draft;
use super::kept::{ATTEMPTS, Found, Issued, Kept, Token};
use super::metadata::PROOF_ALGORITHMS;
use super::nonce::LiveNonce;
use super::{notification, organisation};
use crate::app::{App, Parts};
use crate::interaction::rows::AdvanceError;
use crate::interaction::{Interaction, Refusal};
use crate::keys::{self, KeyPurpose};
use crate::organisation::catalogue::{CredentialType, Format};
use crate::organisation::{Organisation, declared};
use crate::status;
use store::{Statement, StoreError};

/// How old a key proof may be. It is made for this request, from a nonce of the last minutes.
const PROOF_AGE: SignedDuration = SignedDuration::from_mins(5);
/// How far ahead of ours a wallet's clock may be.
const SKEW: SignedDuration = SignedDuration::from_secs(60);
/// How many places on status lists are tried; a fresh list comes after each [`status::DRAWS`].
const MOST_DRAWS: usize = 4 * status::DRAWS;

pub(super) async fn answer(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    let organisation = organisation(&app, &id)?;
    let token = bearer(&headers)?;
    for _ in 0..ATTEMPTS {
        if let Some(response) = attempt(&app, organisation, token, &body).await? {
            return Ok(answer_json(response.to_value()));
        }
    }
    Err(Refused::unavailable())
}

/// [RFC 6750 2.1] The token comes in the header and nowhere else.
pub(super) fn bearer(headers: &HeaderMap) -> Result<&str, Refused> {
    let missing = || {
        Refused::token(
            "token-missing",
            "send the access token as Authorization: Bearer",
        )
    };
    let value = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .ok_or_else(missing)?;
    let (scheme, token) = value.split_once(' ').ok_or_else(missing)?;
    if scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() {
        Ok(token.trim())
    } else {
        Err(missing())
    }
}

/// One attempt; `None` when another request took a step in between.
async fn attempt(
    app: &Parts,
    organisation: &Organisation,
    token: &str,
    body: &[u8],
) -> Result<Option<CredentialResponse>, Refused> {
    let now = app.now();
    let (found, kept, token) = Found::find_by_token(app, &organisation.id, token).await?;
    if now >= token.expires_at {
        return Err(Refused::token(
            "token-expired",
            "the access token has expired",
        ));
    }
    let request = CredentialRequest::parse(body).map_err(|error| {
        Refused::credential(
            error.code(),
            "credential-request-invalid",
            error.to_string(),
        )
    })?;
    let credential_type = app
        .organisations
        .credential_type(found.interaction.credential_types.first())
        .ok_or_else(Refused::unavailable)?;
    let format = requested_format(&request, credential_type, token.identifiers.as_deref())?;
    if request.credential_response_encryption.is_some() {
        let sentence = "this issuer does not encrypt credential responses; leave credential_response_encryption out";
        return Err(Refused::credential(
            Code::InvalidEncryptionParameters,
            "encryption-unsupported",
            sentence,
        ));
    }
    let proof = check_proof(organisation, &request, &token, now)?;
    let nonce = LiveNonce::parse(
        app,
        organisation,
        proof.nonce.as_deref().unwrap_or_default(),
        now,
    )
    .ok_or_else(nonce_refused)?;

    if let Some(issued) = &kept.issued {
        let configuration_id = credential_type.configuration_id(format);
        return repeat(app, &configuration_id, &proof, &nonce, issued)
            .await
            .map(Some);
    }
    if !found.is_open(now) {
        return Err(denied("interaction-over", "the offer is no longer open"));
    }
    let order = Order {
        app,
        organisation,
        credential_type,
        format,
        proof: &proof,
        nonce: &nonce,
        now,
    };
    order.issue(found.interaction, kept).await
}

/// [VCI-13] Which of the offered configurations is asked for, named in the way that the token asks for, and
/// among those that the token is for.
fn requested_format(
    request: &CredentialRequest,
    credential_type: &CredentialType,
    identifiers: Option<&[String]>,
) -> Result<Format, Refused> {
    let unknown_identifier = |sentence| {
        Refused::credential(
            Code::UnknownCredentialIdentifier,
            "credential-identifier-unknown",
            sentence,
        )
    };
    let (id, unknown) = match (&request.requested, identifiers) {
        (Requested::Identifier(id), Some(granted)) if granted.contains(id) => {
            (id, Code::UnknownCredentialIdentifier)
        }
        (Requested::ConfigurationId(id), None) => (id, Code::UnknownCredentialConfiguration),
        (Requested::Identifier(_), Some(_)) => {
            let sentence = "this is none of the credential_identifiers of the token response";
            return Err(unknown_identifier(sentence));
        }
        (Requested::Identifier(_), None) => {
            let sentence = "the token response gave no credential_identifiers; use credential_configuration_id";
            return Err(unknown_identifier(sentence));
        }
        (Requested::ConfigurationId(_), Some(_)) => {
            // [VCI-10]
            let sentence = "the token response gave credential_identifiers; use one of them";
            return Err(Refused::credential(
                Code::InvalidCredentialRequest,
                "credential-identifier-required",
                sentence,
            ));
        }
    };
    let format = credential_type
        .formats
        .iter()
        .find(|format| credential_type.configuration_id(**format) == *id);
    let refused = || {
        Refused::credential(
            unknown,
            "configuration-not-offered",
            "this credential was not offered",
        )
    };
    format.copied().ok_or_else(refused)
}

/// [VCI-14] One proof of possession of one key.
fn check_proof(
    organisation: &Organisation,
    request: &CredentialRequest,
    token: &Token,
    now: Timestamp,
) -> Result<VerifiedProof, Refused> {
    let invalid = |code, sentence: String| Refused::credential(Code::InvalidProof, code, sentence);
    let proof = match &request.proofs {
        Some(Proofs::Jwt(proofs)) => match proofs.as_slice() {
            [one] => one,
            // [VCI-15] No batch_size is published: one key, one credential.
            _ => {
                return Err(invalid(
                    "proof-several",
                    "send one proof: this issuer gives one credential at a time".into(),
                ));
            }
        },
        Some(_) => {
            return Err(invalid(
                "proof-type-unsupported",
                "send a proof of the type jwt".into(),
            ));
        }
        None => {
            return Err(invalid(
                "proof-missing",
                "the request has no proof of possession".into(),
            ));
        }
    };
    let expected = Expected {
        credential_issuer: &organisation.credential_issuer,
        algorithms: PROOF_ALGORITHMS,
        client_id: token.client_id.as_deref(),
        nonce_required: true,
        now,
        max_age: PROOF_AGE,
        skew: SKEW,
    };
    KeyProof::parse(proof)
        .and_then(|proof| proof.check(&expected))
        .map_err(|error| invalid("proof-invalid", error.to_string()))
}

fn nonce_refused() -> Refused {
    let sentence =
        "the c_nonce is not one of this issuer's, was used, or has expired; fetch a new one";
    Refused::credential(Code::InvalidNonce, "nonce-invalid", sentence)
}

fn denied(code: &'static str, sentence: &str) -> Refused {
    Refused::credential(Code::CredentialRequestDenied, code, sentence)
}

/// The wallet asks again: its answer was lost. The same key gets the same credential, another gets none; and who
/// asks for another configuration is not answered with the one that was issued.
async fn repeat(
    app: &Parts,
    configuration_id: &str,
    proof: &VerifiedProof,
    nonce: &LiveNonce,
    issued: &Issued,
) -> Result<CredentialResponse, Refused> {
    if proof.holder.thumbprint() != issued.holder {
        return Err(denied(
            "already-issued",
            "this credential has been issued, to another key",
        ));
    }
    if configuration_id != issued.configuration_id {
        return Err(denied(
            "already-issued-otherwise",
            "this credential has been issued, in another configuration",
        ));
    }
    // The very same request once more needs no new nonce; any other proof uses one up.
    if nonce.digest() != issued.nonce {
        match app.store.write([nonce.used()]).await {
            Ok(_) => {}
            Err(StoreError::Duplicate { .. }) => return Err(nonce_refused()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(CredentialResponse::issued(
        &issued.credential,
        Some(issued.notification_id.clone()),
    ))
}

/// Everything that is settled before a credential is made.
struct Order<'a> {
    app: &'a Parts,
    organisation: &'a Organisation,
    credential_type: &'a CredentialType,
    format: Format,
    proof: &'a VerifiedProof,
    nonce: &'a LiveNonce,
    now: Timestamp,
}

impl Order<'_> {
    /// Makes the credential and writes it down: used nonce, credential and the interaction's step in one
    /// batch, before anything leaves. Killed in between, the gateway has either nothing or a row that can be
    /// revoked.
    async fn issue(
        &self,
        interaction: Interaction,
        kept: Kept,
    ) -> Result<Option<CredentialResponse>, Refused> {
        let draft = draft_of(&interaction)?;
        if draft.expires_at <= self.now {
            return Err(denied(
                "draft-expired",
                "the credential would have ended already",
            ));
        }
        let key = self
            .app
            .keys
            .active(KeyPurpose::Credentials, &self.organisation.id)?;
        let kid = key.public_jwk().kid().unwrap_or_default();
        for draw in 0..MOST_DRAWS {
            let place = self.app.lists.allot(self.organisation, draw).await?;
            let issued = self.make(&draft, key, place).await?;
            let response = CredentialResponse::issued(
                &issued.credential,
                Some(issued.notification_id.clone()),
            );

            let mut step =
                interaction
                    .clone()
                    .issued(draft.serial_number, claims_of(&draft), self.now)?;
            step.keep_for_wallet(
                Kept {
                    issued: Some(issued),
                    ..kept.clone()
                }
                .to_value(),
            );
            let batch = vec![
                self.nonce.used(),
                self.inserted(&interaction, &draft, kid, place),
            ];
            match self.app.interactions.advance(&mut step, batch).await {
                Ok(()) => {
                    tracing::info!(
                        client_id = interaction.client_id,
                        reference = interaction.reference,
                        "credential issued"
                    );
                    return Ok(Some(response));
                }
                Err(AdvanceError::Overtaken) => return Ok(None),
                Err(AdvanceError::TurnedDown { statement: 0 }) => return Err(nonce_refused()),
                Err(AdvanceError::TurnedDown { .. })
                    if draft.serial_number_stands(&self.app.store).await? =>
                {
                    return self.serial_number_taken(interaction).await;
                }
                // The key, or whoever issues, was removed a moment ago, and this process has not heard of it.
                Err(AdvanceError::TurnedDown { .. }) if self.may_no_longer_issue(kid).await? => {
                    return Err(Refused::unavailable());
                }
                // The place on the list is taken: draw another.
                Err(AdvanceError::TurnedDown { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        tracing::error!(
            organisation = self.organisation.id,
            "no free place was found on the status lists"
        );
        Err(Refused::unavailable())
    }

    /// Nothing can come of this interaction any more: it ends, and all three parties hear why.
    async fn serial_number_taken(
        &self,
        interaction: Interaction,
    ) -> Result<Option<CredentialResponse>, Refused> {
        let refusal = Refusal::SerialNumberTaken;
        let mut ended = interaction.refused(refusal, self.now)?;
        match self.app.interactions.advance(&mut ended, Vec::new()).await {
            Ok(()) => Err(denied(refusal.code(), refusal.description())),
            Err(AdvanceError::Overtaken) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn make(
        &self,
        draft: &Draft,
        key: &Arc<dyn Signer>,
        place: (i64, i64),
    ) -> Result<Issued, Refused> {
        let content = Content {
            organisation: self.organisation,
            key,
            credential_type: self.credential_type,
            vct: self.credential_type.vct(&self.app.base),
            schema: self.credential_type.credential_schema(&self.app.base),
            draft,
            proof: self.proof,
            status: self.app.lists.reference(self.organisation, place),
            status_entries: self.app.lists.entries(self.organisation, place),
            issued_at: self.now,
        };
        let credential = content::sign(&content, self.format, &self.app.random)
            .await
            .map_err(|error| {
                tracing::error!(%error, "a credential could not be signed");
                Refused::unavailable()
            })?;
        Ok(Issued {
            credential,
            configuration_id: self.credential_type.configuration_id(self.format),
            notification_id: notification::id_for(
                self.app,
                self.organisation,
                draft.serial_number,
            )?,
            holder: self.proof.holder.thumbprint(),
            nonce: self.nonce.digest().to_owned(),
        })
    }

    fn inserted(
        &self,
        interaction: &Interaction,
        draft: &Draft,
        kid: &str,
        (list, index): (i64, i64),
    ) -> Statement {
        // What a key signed that is out of use by now is not written down, and so does not leave; nor what is issued for
        // an organisation that was removed meanwhile.
        let insert = Statement::new(format!(
            "INSERT INTO credentials (serial_number, organisation, client_id, credential_type, format, interaction, \
             list, list_index, issued_at, expires_at, kid) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 \
             WHERE NOT EXISTS (SELECT 1 FROM signing_keys WHERE kid = $12 AND state IN ('removed', 'compromised')) \
             AND {}",
            declared::condition("$13", "$14")
        ))
        .bind(draft.serial_number.to_string())
        .bind(self.organisation.id.as_str())
        .bind(interaction.client_id.as_str())
        .bind(self.credential_type.name.as_str())
        .bind(self.format.name())
        .bind(interaction.id.as_str())
        .bind(list)
        .bind(index)
        .bind(self.now)
        .bind(draft.expires_at)
        .bind(kid)
        .bind(kid);
        declared::bind(insert, self.organisation, self.credential_type).must_change(1)
    }

    /// Whether the key, the organisation or the type is no longer there to issue with.
    async fn may_no_longer_issue(&self, kid: &str) -> Result<bool, StoreError> {
        let store = &self.app.store;
        Ok(keys::rows::has_ended(store, kid).await?
            || !declared::are_declared(store, self.organisation, self.credential_type).await?)
    }
}

fn draft_of(interaction: &Interaction) -> Result<Draft, Refused> {
    let draft = interaction
        .private
        .as_ref()
        .and_then(|private| private.draft.as_ref())
        .ok_or_else(Refused::unavailable)?;
    Draft::deserialize(draft).map_err(|_| Refused::unavailable())
}

/// What the relying party's ID token will say: the details as issued, and the serial number.
fn claims_of(draft: &Draft) -> Map<String, Value> {
    let mut claims = draft.attributes.clone();
    claims.insert(
        "SerialNumber".into(),
        draft.serial_number.to_string().into(),
    );
    claims
}
