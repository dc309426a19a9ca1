//! Receiving a credential: OpenID4VCI 1.0, pre-authorized code flow.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use standards::dcql::Format;
use standards::oauth::{AuthorizationServerMetadata, MetadataError, well_known_url};
use standards::openid4vci::{
    AUTHORIZATION_SERVER_WELL_KNOWN, CREDENTIAL_ISSUER_WELL_KNOWN, CredentialConfiguration,
    CredentialOffer, CredentialRequest, CredentialResponse, IssuerMetadata, NonceResponse,
    NotificationEvent, OfferError, OfferLink, Proofs, Requested, TokenRequest, TokenResponse,
};
use url::Url;

use crate::credential::{self, CredentialError};
use crate::fault::Fault;
use crate::network::{Answer, NetworkError};
use crate::open::{OfferedCredential, Question};
use crate::proof::{self, Binding, HolderKey, ProofError};
use crate::report::{Outcome, Scanned};
use crate::storage::{HeldCredential, Notification, StorageError};
use crate::wallet::{Holder, Reply, Wallet};
use crate::{labels, notify};

const JSON: &str = "application/json";

/// Used when the token response does not say how long the token lives.
const TOKEN_LIFE: SignedDuration = SignedDuration::from_mins(5);

/// Why no credential could be received.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// The offer or its link.
    #[error(transparent)]
    Offer(#[from] OfferError),
    /// The issuer's or its authorization server's metadata.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// The other side is not reached, or refuses.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A flow that this wallet does not do.
    #[error("the offer has no pre-authorized code, and this wallet does no other flow")]
    NoPreAuthorizedCode,
    /// The person would have to type a code.
    #[error("the offer asks for a transaction code: type the PIN that the issuer shows you")]
    TransactionCode,
    /// The offer names an authorization server that the issuer does not.
    #[error("the offer names an authorization server that the issuer does not use")]
    AuthorizationServer,
    /// Nothing offered is in a format, with a proof and a binding, that this wallet knows.
    #[error("nothing that is offered is in a form that this wallet takes")]
    NothingToTake,
    /// The holder's choice is not on offer.
    #[error("what was chosen is not on offer")]
    NotOffered,
    /// An answer breaks its standard.
    #[error("the {endpoint} answered against the standard: {cause}")]
    BadAnswer {
        /// Which endpoint.
        endpoint: &'static str,
        /// What is wrong.
        cause: String,
    },
    /// The key or the proof.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The credential that came is not good.
    #[error("the credential was refused: {0}")]
    Credential(#[from] CredentialError),
    /// The disk.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// An offer with everything that is known before it is taken.
pub struct Offered {
    offer: CredentialOffer,
    issuer: IssuerMetadata,
    token_endpoint: Url,
    /// What this wallet can take of it, its preference first.
    takeable: Vec<(String, CredentialConfiguration)>,
    read_at: Timestamp,
}

impl Offered {
    pub(crate) fn read_at(&self) -> Timestamp {
        self.read_at
    }

    pub(crate) fn question(&self) -> Question {
        let offers = self
            .takeable
            .iter()
            .map(|(id, configuration)| OfferedCredential {
                id: id.clone(),
                name: configuration.display_name("en-GB").unwrap_or(id).to_owned(),
                format: configuration.format.to_string(),
                fields: labels::fields(configuration),
            });
        Question::Add {
            issuer_name: issuer_name(&self.issuer),
            issuer: self.issuer.credential_issuer.clone(),
            offers: offers.collect(),
            transaction_code: self
                .offer
                .pre_authorized_code()
                .and_then(|grant| grant.tx_code.clone()),
        }
    }

    fn chosen(
        &self,
        choose: &[String],
    ) -> Result<&(String, CredentialConfiguration), ReceiveError> {
        let named = |name: &String| {
            self.takeable
                .iter()
                .find(|(id, configuration)| id == name || configuration.format.as_str() == name)
        };
        match choose {
            [] => self.takeable.first().ok_or(ReceiveError::NothingToTake),
            _ => choose
                .iter()
                .find_map(named)
                .ok_or(ReceiveError::NotOffered),
        }
    }
}

/// [VCI 4.1, 12.2] Fetches the offer and both metadata documents.
pub(crate) async fn read_offer(wallet: &Wallet, link: &Url) -> Result<Offered, ReceiveError> {
    let network = wallet.network();
    let offer = match OfferLink::parse(link.as_str())? {
        OfferLink::ByValue(offer) => offer,
        OfferLink::ByReference(uri) => {
            CredentialOffer::parse(&network.fetch(&uri, JSON).await?.accepted()?.body)?
        }
    };
    let grant = offer
        .pre_authorized_code()
        .ok_or(ReceiveError::NoPreAuthorizedCode)?;
    let url = well_known_url(&offer.credential_issuer, CREDENTIAL_ISSUER_WELL_KNOWN)?;
    let body = network.fetch(&url, JSON).await?.accepted()?.body;
    let issuer = IssuerMetadata::parse(&body, &offer.credential_issuer)?;

    let server = match &grant.authorization_server {
        None => issuer.authorization_server(),
        // [VCI 4.1.1] Only one that the issuer's own metadata names.
        Some(named)
            if issuer
                .authorization_servers
                .iter()
                .flatten()
                .any(|known| known == named) =>
        {
            named
        }
        Some(_) => return Err(ReceiveError::AuthorizationServer),
    };
    let url = well_known_url(server, AUTHORIZATION_SERVER_WELL_KNOWN)?;
    let body = network.fetch(&url, JSON).await?.accepted()?.body;
    let metadata = AuthorizationServerMetadata::parse(&body, server)?;
    let token_endpoint = endpoint(
        "authorization server's metadata",
        metadata.token_endpoint.as_deref(),
    )?;

    let mut takeable = Vec::new();
    for id in &offer.credential_configuration_ids {
        if let Some(configuration) = issuer.credential_configurations_supported.get(id)
            && Binding::of(configuration).is_some()
        {
            takeable.push((id.clone(), configuration.clone()));
        }
    }
    if takeable.is_empty() {
        return Err(ReceiveError::NothingToTake);
    }
    // Where both are offered the W3C form is preferred; otherwise the issuer's order stays.
    takeable.sort_by_key(|(_, configuration)| configuration.format != Format::JwtVcJson);
    Ok(Offered {
        offer,
        issuer,
        token_endpoint,
        takeable,
        read_at: wallet.now(),
    })
}

/// Takes what is offered, or fetches and discards it if the holder does not want it.
pub(crate) async fn receive(
    wallet: &Wallet,
    holder: &Holder,
    offered: Offered,
    fault: Option<Fault>,
    reply: &Reply,
) -> Scanned {
    if let Some(fault) = fault.filter(|fault| !fault.bends_issuing()) {
        return Scanned::failed(format!(
            "fault {}: it has no meaning when a credential is issued",
            fault.name()
        ));
    }
    match exchange(wallet, holder, &offered, fault, reply).await {
        Ok(scanned) => scanned,
        Err(error) => Scanned::failed(error),
    }
}

async fn exchange(
    wallet: &Wallet,
    holder: &Holder,
    offered: &Offered,
    fault: Option<Fault>,
    reply: &Reply,
) -> Result<Scanned, ReceiveError> {
    let (id, configuration) = offered.chosen(&reply.choose)?;
    let network = wallet.network();
    let issuer = &offered.issuer;

    // [VCI 6.1] The code for a token.
    let grant = offered
        .offer
        .pre_authorized_code()
        .ok_or(ReceiveError::NoPreAuthorizedCode)?;
    // [VCI 6.1] Sent if and only if the offer asks for it.
    let tx_code = match (&grant.tx_code, &reply.transaction_code) {
        (None, _) => None,
        (Some(_), Some(typed)) => Some(typed.trim().to_owned().into()),
        (Some(_), None) => return Err(ReceiveError::TransactionCode),
    };
    let request = TokenRequest {
        pre_authorized_code: grant.pre_authorized_code.clone(),
        tx_code,
        client_id: None,
        authorization_details: None,
    };
    let answer = network
        .post_form(&offered.token_endpoint, request.to_form(), JSON)
        .await?
        .accepted()?;
    let token = TokenResponse::parse(&answer.body).map_err(bad_answer("token endpoint"))?;
    let token_expires_at = life(&token)
        .and_then(|life| wallet.now().checked_add(life).ok())
        .unwrap_or(Timestamp::MAX);

    // [VCI 7] A nonce, where the issuer has an endpoint for it, then the proof [VCI appendix F.1].
    let nonce = fetch_nonce(wallet, issuer).await?;
    let binding = Binding::of(configuration).ok_or(ReceiveError::NothingToTake)?;
    let key = HolderKey::generate()?;
    let proof = proof::key_proof(
        &key,
        binding,
        &issuer.credential_issuer,
        nonce,
        wallet.now(),
        fault,
    )?;

    // [VCI 8.2] The request.
    let requested = match token.credential_identifiers(id).first() {
        _ if fault == Some(Fault::WrongType) => {
            Requested::ConfigurationId(other_configuration(offered))
        }
        Some(identifier) => Requested::Identifier(identifier.clone()),
        None => Requested::ConfigurationId(id.clone()),
    };
    let proofs = (fault != Some(Fault::MissingHolderBinding)).then(|| Proofs::Jwt(vec![proof]));
    let request = CredentialRequest {
        requested,
        proofs,
        credential_response_encryption: None,
    }
    .to_value();
    let url = endpoint("issuer's metadata", Some(&issuer.credential_endpoint))?;
    let answer = network
        .post_json(&url, Some(&token.access_token), Some(&request))
        .await?;
    if fault == Some(Fault::LostNetworkAfterSubmit) {
        return Ok(Scanned::pending(
            "fault lost-network-after-submit: the credential request was sent, its reply lost",
        ));
    }
    let response = CredentialResponse::parse(&answer.accepted()?.body)
        .map_err(bad_answer("credential endpoint"))?;
    if fault == Some(Fault::Replay) {
        let second = network
            .post_json(&url, Some(&token.access_token), Some(&request))
            .await?;
        second.accepted()?;
        return Ok(Scanned::failed(
            "fault replay: the issuer answered the same credential request twice",
        ));
    }

    let Some(credentials) = response.credentials else {
        return Ok(Scanned::pending(
            "the issuer will have the credential ready later; this wallet does not come back",
        ));
    };
    let [one] = credentials.as_slice() else {
        return Err(bad_answer("credential endpoint")(
            "one proof was sent and several credentials came".to_owned(),
        ));
    };
    let Some(compact) = one.credential.as_str() else {
        return Err(bad_answer("credential endpoint")(
            "the credential is not a text".to_owned(),
        ));
    };
    let notification =
        notify::notification(issuer, response.notification_id, &token, token_expires_at);
    if !reply.consent {
        notify::if_asked(
            wallet,
            notification.as_ref(),
            NotificationEvent::CredentialDeleted,
        )
        .await?;
        return Ok(Scanned::new(
            Outcome::Declined,
            "the credential was fetched and thrown away".to_owned(),
        ));
    }
    let kept = keep(
        wallet,
        holder,
        configuration,
        issuer,
        compact,
        &key,
        notification.clone(),
    )
    .await;
    match kept {
        Ok(held) => {
            let mut scanned = Scanned::new(Outcome::Received, None);
            scanned.credentials = vec![credential::summary(&held, wallet.now())];
            // The credential is safe on disk: that the issuer cannot be told takes nothing from it.
            if let Err(error) = notify::if_asked(
                wallet,
                notification.as_ref(),
                NotificationEvent::CredentialAccepted,
            )
            .await
            {
                scanned.reason = Some(format!(
                    "received, but the issuer could not be told: {error}"
                ));
            }
            Ok(scanned)
        }
        Err(error) => {
            let _ = notify::if_asked(
                wallet,
                notification.as_ref(),
                NotificationEvent::CredentialFailure,
            )
            .await;
            Err(error)
        }
    }
}

/// Checks what came and writes it to disk.
async fn keep(
    wallet: &Wallet,
    holder: &Holder,
    configuration: &CredentialConfiguration,
    issuer: &IssuerMetadata,
    compact: &str,
    key: &HolderKey,
    notification: Option<Notification>,
) -> Result<HeldCredential, ReceiveError> {
    credential::check(wallet, configuration, compact, key.public_jwk()).await?;
    let held = HeldCredential {
        id: proof::random_id()?,
        format: configuration.format.to_string(),
        credential: compact.to_owned(),
        key: key.to_text()?,
        issuer_name: issuer_name(issuer),
        labels: labels::by_claim(configuration),
        received_at: wallet.now(),
        notification,
    };
    wallet.change(holder, |record| record.credentials.push(held.clone()))?;
    Ok(held)
}

async fn fetch_nonce(
    wallet: &Wallet,
    issuer: &IssuerMetadata,
) -> Result<Option<String>, ReceiveError> {
    let Some(url) = issuer.nonce_endpoint.as_deref() else {
        return Ok(None);
    };
    let url = endpoint("issuer's metadata", Some(url))?;
    let answer: Answer = wallet
        .network()
        .post_json(&url, None, None)
        .await?
        .accepted()?;
    let nonce: NonceResponse = serde_json::from_value(Value::Object(answer.object()?))
        .map_err(|error| bad_answer("nonce endpoint")(error.to_string()))?;
    Ok(Some(nonce.c_nonce))
}

fn life(token: &TokenResponse) -> Option<SignedDuration> {
    match token.expires_in {
        None => Some(TOKEN_LIFE),
        Some(seconds) => i64::try_from(seconds).ok().map(SignedDuration::from_secs),
    }
}

/// For the fault `wrong-type`: a configuration that was not offered, if the issuer has one.
fn other_configuration(offered: &Offered) -> String {
    let offered_ids = &offered.offer.credential_configuration_ids;
    let others = offered.issuer.credential_configurations_supported.keys();
    others
        .into_iter()
        .find(|id| !offered_ids.contains(id))
        .cloned()
        .unwrap_or_else(|| "NotOffered".to_owned())
}

fn issuer_name(issuer: &IssuerMetadata) -> Option<String> {
    issuer.display.as_ref()?.first()?.name.clone()
}

fn endpoint(of: &'static str, url: Option<&str>) -> Result<Url, ReceiveError> {
    let cause = || "an endpoint is missing or is no URL".to_owned();
    url.and_then(|url| Url::parse(url).ok())
        .ok_or_else(|| ReceiveError::BadAnswer {
            endpoint: of,
            cause: cause(),
        })
}

fn bad_answer(endpoint: &'static str) -> impl Fn(String) -> ReceiveError {
    move |cause| ReceiveError::BadAnswer { endpoint, cause }
}
