//! An organisation of the gateway whose people use Microsoft Authenticator, and the service that it asks: the stand-in,
//! by HTTP on loopback, since the gateway calls it.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;
use verified_id::{Callback, Card, Tenant, VerifiedId};

use super::{Door, Opened, redirect_uri};

/// The relying party of that organisation.
pub(crate) const PARTY: &str = "authenticator";
/// Whose credentials it trusts.
pub(crate) const ISSUER: &str = "did:web:id.trust.example";
/// What the tenant's contract calls an identity.
pub(crate) const KIND: &str = "StaffIdentity";
/// The attribute that the contract calls otherwise, and how.
pub(crate) const BORN: (&str, &str) = ("ID-BirthDate", "dateOfBirth");
const AUTHORITY: &str = "did:web:verifier.trust.example";
pub(super) const SECRET: &str = "entra~client~secret~0123456789";
const TENANT: Uuid = Uuid::from_u128(0x6b1c_8e5e_0f4d_4b0a_9a57_1d2f_3c4b_5a69);
const CLIENT: Uuid = Uuid::from_u128(0x0f8f_ad5b_d9cb_469f_a165_7086_7728_950e);

/// Starts the service.
pub(super) async fn start() -> VerifiedId {
    let tenant = Tenant {
        id: TENANT,
        client_id: CLIENT,
        client_secret: SECRET.to_owned(),
        authority: AUTHORITY.to_owned(),
        roles: vec!["VerifiableCredential.Create.PresentRequest".to_owned()],
        token_seconds: 3599,
    };
    let started = VerifiedId::start(vec![tenant], Arc::new(Timestamp::now)).await;
    started.expect("a free port of this machine")
}

/// The organisation and its tenant, as the configuration says them. `digest` is of the relying party's secret, `file` names
/// the one that holds the tenant's.
pub(super) fn config(service: &VerifiedId, digest: &str, file: &str) -> String {
    let (base, (ours, theirs)) = (service.base(), BORN);
    format!(
        "[[organisations]]\nid = \"entratown\"\nname = \"Entratown NHS Trust\"\nissues = []\n\
         [[organisations.trust]]\ncredential_type = \"Identity\"\nissuers = [\"{ISSUER}\"]\n\
         [[organisations.relying_parties]]\nname = \"{PARTY}\"\nclient_id = \"{PARTY}\"\n\
         client_secret_sha256 = [\"{digest}\"]\nredirect_uris = [\"{}\"]\ndialect = \"plain\"\n\
         [[entra]]\norganisation = \"entratown\"\ntenant = \"{TENANT}\"\nclient_id = \"{CLIENT}\"\n\
         client_secret = {file}\nauthority = \"{AUTHORITY}\"\nlogin = \"{base}\"\nservice = \"{base}\"\n\
         [[entra.credential_types]]\nname = \"Identity\"\ntype = \"{KIND}\"\nclaims = {{ {ours} = \"{theirs}\" }}\n",
        redirect_uri(PARTY)
    )
}

impl Door {
    /// A browser waits for an identity from Authenticator; with it comes the callback that says `request_retrieved`.
    pub(crate) fn begin_in_authenticator(&self) -> (Opened, Callback) {
        let opened = self.open_page(PARTY, &[("scope", "openid Identity")]);
        let link = opened.page.body.split_once("href=\"openid-vc:");
        let link = link.and_then(|(_, rest)| rest.split_once('"'));
        let (rest, _) = link.expect("a page for Authenticator has its link");
        let callback = self.service.callback(&format!("openid-vc:{rest}"));
        (opened, callback.expect("a request of the service's own"))
    }
}

/// A good card with these claims, as the service tells of it.
pub(crate) fn card(claims: &Value, now: Timestamp) -> Value {
    let mut told = Card::new(ISSUER, KIND, now).verified();
    told["claims"] = claims.clone();
    told
}
