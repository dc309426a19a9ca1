//! The draft: the credential as the relying party signed it, checked and not yet issued.
//!
//! It travels as `id_token_hint`, a JWT that the relying party signed ([`super::hint`]; gateway contract 3.1).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use standards::claims::instant_of;
use standards::oauth::error::ErrorCode;
use uuid::Uuid;

use super::hint::{InvalidHint, SignedHint};
use crate::organisation::RelyingParty;
use crate::organisation::catalogue::{CredentialType, DraftError};
use crate::organisation::dialect::Rules;
use crate::organisation::expiry::{ExpiryFrom, Named, date_time};
use store::{Statement, Store, StoreError};

/// How far the clocks of a relying party and the gateway may differ.
const SKEW: SignedDuration = SignedDuration::from_secs(60);
/// Claims of the message itself; never attributes of the credential.
const MESSAGE_CLAIMS: [&str; 12] = [
    "iss",
    "aud",
    "iat",
    "nbf",
    "exp",
    "jti",
    "sub",
    "azp",
    "nonce",
    "auth_time",
    "acr",
    "amr",
];

/// A credential that passed every check of its type.
#[derive(Clone, Serialize, Deserialize)]
pub struct Draft {
    /// Attribute names to texts.
    pub attributes: Map<String, Value>,
    /// The number that the relying party chose, or the gateway's.
    pub serial_number: Uuid,
    /// When the credential will end.
    pub expires_at: Timestamp,
    /// When the relying party signed it, if it says so.
    #[serde(default)]
    pub signed_at: Option<Timestamp>,
}

impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Draft({}, …)", self.serial_number)
    }
}

/// Why a draft was refused. The sentences name attributes, never values.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDraft {
    /// Its signature.
    #[error("id_token_hint: {0}")]
    Signature(#[from] InvalidHint),
    /// `iss` is someone else.
    #[error("id_token_hint: iss must be your client_id")]
    Issuer,
    /// `aud` is someone else.
    #[error("id_token_hint: aud must be the issuer of this gateway")]
    Audience,
    /// A time is none.
    #[error("id_token_hint: {0} must be a number of seconds since 1970, before the year 10000")]
    Time(&'static str),
    /// `exp` has passed or is missing.
    #[error("id_token_hint: exp is missing or in the past")]
    Expired,
    /// `nbf` or `iat` lies ahead.
    #[error("id_token_hint: nbf or iat is in the future")]
    NotYetValid,
    /// `SerialNumber` is not a UUID.
    #[error("id_token_hint: SerialNumber must be a UUID, or be left out")]
    SerialNumber,
    /// `ExpiresAt` is not a time ahead.
    #[error("id_token_hint: ExpiresAt must be an RFC 3339 time in the future, or be left out")]
    ExpiresAt,
    /// The type leaves the relying party no say.
    #[error("id_token_hint: ExpiresAt is not for this credential type; leave it out")]
    ExpiresAtFixed,
    /// An attribute is at fault.
    #[error("id_token_hint: {0}")]
    Attribute(#[from] DraftError),
}

impl InvalidDraft {
    /// Who is at fault: the client, or nobody because its keys cannot be had now.
    pub fn oauth_error(&self) -> ErrorCode {
        match self {
            Self::Signature(InvalidHint::Keys(_)) => ErrorCode::TemporarilyUnavailable,
            _ => ErrorCode::InvalidRequest,
        }
    }
}

impl Draft {
    /// Whether a credential was issued before under its serial number, by whichever organisation: the number is the
    /// credential's `jti` to everybody who checks it, and names one credential to whoever revokes it.
    ///
    /// So a relying party learns of a number whether some organisation has it (SEC-33), and nothing else: not whose it is, of
    /// what type, or whether it counts. Numbers of ours have 122 random bits, clients are told to draw theirs as well, and
    /// only a draft that a registered client has signed asks, as often as it may push. Whoever knows a number has been told
    /// it.
    pub async fn serial_number_stands(&self, store: &Store) -> Result<bool, StoreError> {
        let select =
            Statement::new("SELECT serial_number FROM credentials WHERE serial_number = $1");
        let row = store
            .read_one(select.bind(self.serial_number.to_string()))
            .await?;
        Ok(row.is_some())
    }
}

/// Checks a hint that its client signed. `base` is the address by which the client calls this gateway; `new_serial_number`
/// is used if the client sent none.
pub fn parse(
    hint: SignedHint,
    party: &RelyingParty,
    rules: &Rules,
    credential_type: &CredentialType,
    base: &str,
    new_serial_number: Uuid,
    now: Timestamp,
) -> Result<Draft, InvalidDraft> {
    let mut claims = hint.into_claims();

    if claims.get("iss").and_then(Value::as_str) != Some(party.client_id.as_str()) {
        return Err(InvalidDraft::Issuer);
    }
    if !names_this_gateway(claims.get("aud"), base) {
        return Err(InvalidDraft::Audience);
    }
    let time = |name: &'static str| {
        claims
            .get(name)
            .map(|value| seconds(value).ok_or(InvalidDraft::Time(name)))
            .transpose()
    };
    let exp = time("exp")?.ok_or(InvalidDraft::Expired)?;
    if now.duration_since(exp) >= SKEW {
        return Err(InvalidDraft::Expired);
    }
    let (not_before, signed_at) = (time("nbf")?, time("iat")?);
    if [not_before, signed_at]
        .into_iter()
        .flatten()
        .any(|at| at.duration_since(now) > SKEW)
    {
        return Err(InvalidDraft::NotYetValid);
    }

    for name in MESSAGE_CLAIMS {
        claims.remove(name);
    }
    // A client of the second contract sends both as empty texts: that counts as absent.
    let serial_number =
        match taken_text(&mut claims, "SerialNumber").map_err(|()| InvalidDraft::SerialNumber)? {
            Some(text) => Uuid::try_parse(&text)
                .ok()
                // Some libraries write 'none' as the nil UUID, and every one of those would be the same number.
                .filter(|serial| text.len() == 36 && !serial.is_nil())
                .ok_or(InvalidDraft::SerialNumber)?,
            None => new_serial_number,
        };
    let asked = match taken_text(&mut claims, "ExpiresAt").map_err(|()| InvalidDraft::ExpiresAt)? {
        Some(text) => Some(
            date_time(&text)
                .filter(|at| *at > now)
                .ok_or(InvalidDraft::ExpiresAt)?,
        ),
        None => None,
    };
    let from = credential_type.expiry_from(rules.expiry);
    if asked.is_some() && from == ExpiryFrom::TypeAlone {
        return Err(InvalidDraft::ExpiresAtFixed);
    }
    let attributes = credential_type.check(&claims)?;
    let named = Named {
        exp,
        expires_at: asked,
    };
    let expires_at = credential_type.expiry(&attributes, named, from, now);
    if expires_at <= now {
        let field = credential_type
            .expires_with
            .clone()
            .unwrap_or_else(|| "exp".into());
        return Err(DraftError::Malformed {
            field,
            expected: "in the future: this credential has ended already",
        }
        .into());
    }
    Ok(Draft {
        attributes,
        serial_number,
        expires_at,
        signed_at,
    })
}

/// What two copies of one hint have in common. A signature may be written, and for some algorithms made, in many ways;
/// what is signed may not.
pub fn signed_part(hint: &str) -> &str {
    hint.rsplit_once('.').map_or(hint, |(signed, _)| signed)
}

/// Clients call the gateway `HOST`, `HOST/` or `HOST/oidc`; all mean this one (gateway contract 3.1).
fn names_this_gateway(aud: Option<&Value>, base: &str) -> bool {
    let fits = |name: &str| {
        let name = name.trim_end_matches('/');
        name == base || name.strip_prefix(base) == Some("/oidc")
    };
    match aud {
        Some(Value::String(name)) => fits(name),
        Some(Value::Array(names)) => {
            matches!(names.as_slice(), [Value::String(name)] if fits(name))
        }
        _ => false,
    }
}

/// A `NumericDate`; some libraries write fractions, some whole seconds as text.
fn seconds(value: &Value) -> Option<Timestamp> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    let whole = text
        .split_once('.')
        .map_or(text.as_str(), |(whole, _)| whole);
    instant_of(whole.parse().ok()?)
}

fn taken_text(claims: &mut Map<String, Value>, name: &str) -> Result<Option<String>, ()> {
    match claims.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(()),
    }
}
