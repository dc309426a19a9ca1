//! What the wallet tells the world outside: holders, credentials, and how a scan ended.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

/// One holder of the wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HolderSummary {
    /// The holder's id, chosen by whoever added the holder.
    pub id: String,
    /// The name to show.
    pub name: String,
}

/// How a scan ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The verifier took the presentation.
    Presented,
    /// A credential was received, checked and kept.
    Received,
    /// The holder said no, and the other side was told.
    Declined,
    /// Something refused or broke; the reason says what.
    Failed,
    /// Nothing has come of it yet: no answer in time, or none was sent.
    Pending,
}

/// The result of one scan.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Scanned {
    /// How it ended.
    pub outcome: Outcome,
    /// Why, where there is something to say. A refusal of the other side shows its `error` code and description.
    pub reason: Option<String>,
    /// The credentials received, or presented.
    pub credentials: Vec<CredentialSummary>,
    /// Where the verifier asks the person's browser to go on ([VP 8.2]), when the wallet is on the same device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<Url>,
}

impl Scanned {
    pub(crate) fn new(outcome: Outcome, reason: impl Into<Option<String>>) -> Self {
        Self {
            outcome,
            reason: reason.into(),
            credentials: Vec::new(),
            redirect_uri: None,
        }
    }

    pub(crate) fn failed(reason: impl std::fmt::Display) -> Self {
        Self::new(Outcome::Failed, reason.to_string())
    }

    pub(crate) fn pending(reason: impl std::fmt::Display) -> Self {
        Self::new(Outcome::Pending, reason.to_string())
    }
}

/// Whether a held credential can be used now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialStatus {
    /// In its time, and its status list says valid, or it has none.
    Valid,
    /// Its status list says invalid.
    Revoked,
    /// Its status list says suspended.
    Suspended,
    /// Past its end.
    Expired,
    /// Before its beginning.
    NotYetValid,
    /// Its status list could not be fetched or does not check out.
    Unknown,
    /// In its time; the status list was not asked (the result of a scan says this).
    NotChecked,
}

/// A held credential as lists and pages show it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CredentialSummary {
    /// The wallet's own id for it.
    pub id: String,
    /// W3C: the most specific `type`; SD-JWT VC: the last segment of a `vct` that is a web address, else the `vct`.
    #[serde(rename = "type")]
    pub credential_type: String,
    /// The `vct` of an SD-JWT VC, whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vct: Option<String>,
    /// `jwt_vc_json` or `dc+sd-jwt`.
    pub format: String,
    /// The credential's `iss`.
    pub issuer: String,
    /// What it says about its holder, without the technical claims.
    pub claims: Map<String, Value>,
    /// The issuer's words for the claims, by their names, as far as it gave some when the credential was received.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Whether it can be used now.
    pub status: CredentialStatus,
    /// When it was issued.
    pub issued_at: Option<Timestamp>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// The UUID in the credential's identifier (`urn:uuid:`), by which its issuer revokes it.
    pub serial_number: Option<String>,
}
