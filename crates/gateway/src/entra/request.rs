//! What is asked of Microsoft, and how the waiting page comes by a link to it.
//!
//! The service keeps a request for about five minutes and tells nobody when it forgets one. So the page that waits half an
//! hour comes with another one in time (rulings 6 cannot hold here: the link is Microsoft's).

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use url::Url;

use super::service::{self, Created, Patience, ServiceError};
use super::{ATTEMPTS, CALLBACK, Kept, asked, rows};
use crate::app::Parts;
use crate::interaction::rows::AdvanceError;
use crate::interaction::{Digest, Interaction, RETRIEVAL_LIFETIME, Refusal, Stage};
use crate::organisation::entra::{EntraType, Tenant};
use crate::organisation::{Organisation, RelyingParty};
use store::StoreError;

/// How long before its end a request is not shown any more: whoever scans it needs that time to answer.
pub(super) const RENEWED: SignedDuration = SignedDuration::from_secs(30);

/// Why nothing is asked.
#[derive(Debug, thiserror::Error)]
enum NotAsked {
    /// The service.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An empty list of issuers would mean anybody's.
    #[error("no DID is on the organisation's trust list for this credential type")]
    NobodyTrusted,
    /// What was configured is no longer there.
    #[error("the credential type or the relying party is no longer registered")]
    Gone,
    /// The link is not one that a QR code of ours may carry (SEC-30).
    #[error("the service gave a link that is no wallet's")]
    Link,
}

impl NotAsked {
    const fn code(&self) -> &'static str {
        match self {
            Self::Service(error) => error.code(),
            Self::Store(_) => "database",
            Self::NobodyTrusted => "entra-nobody-trusted",
            Self::Gone => "entra-gone",
            Self::Link => "entra-link-unusable",
        }
    }
}

/// The interaction with a link that a wallet can follow, where it waits for one of this world; as it is, where it does not.
/// What the service does not take ends it.
pub async fn prepared(app: &Parts, mut found: Interaction) -> Result<Interaction, StoreError> {
    for _ in 0..ATTEMPTS {
        let Some(organisation) = app.organisations.find(&found.organisation) else {
            return Ok(found);
        };
        let Some((tenant, kind)) = asked(organisation, &found) else {
            return Ok(found);
        };
        let is_shown = |kept: Kept| app.now() < kept.expires_at - RENEWED;
        if found.stage != Stage::Waiting || Kept::of(&found).is_some_and(is_shown) {
            return Ok(found);
        }
        let mut stepped = match make(app, organisation, (tenant, kind), &found).await {
            Ok(kept) => {
                let mut with_link = found.clone();
                with_link.keep_for_wallet(kept.to_value());
                with_link
            }
            Err(NotAsked::Store(error)) => return Err(error),
            Err(why) => {
                let (reference, code) = (&found.reference, why.code());
                tracing::error!(reference, code, %why, "Entra Verified ID was not asked");
                let refusal = Refusal::WalletServiceUnreachable;
                match found.clone().refused(refusal, app.now()) {
                    Ok(refused) => refused,
                    Err(_) => return Ok(found),
                }
            }
        };
        match app.interactions.advance(&mut stepped, Vec::new()).await {
            Ok(()) => return Ok(stepped),
            Err(AdvanceError::Store(error)) => return Err(error),
            // A callback may be quicker than the answer to the call that it belongs to.
            Err(AdvanceError::Overtaken | AdvanceError::TurnedDown { .. }) => {
                match app.interactions.find(&found.id).await? {
                    Some(again) => found = again,
                    None => return Ok(found),
                }
            }
        }
    }
    Ok(found)
}

/// As often as it may help, and no longer than a person waits. Each call has its own state.
async fn make(
    app: &Parts,
    organisation: &Organisation,
    (tenant, kind): (&Tenant, &EntraType),
    interaction: &Interaction,
) -> Result<Kept, NotAsked> {
    let mut patience = Patience::begin();
    loop {
        let once = make_once(app, organisation, (tenant, kind), interaction);
        let made = tokio::time::timeout_at(patience.ends(), once).await;
        match made.unwrap_or(Err(ServiceError::TooSlow.into())) {
            Err(NotAsked::Service(error)) if patience.another(app, tenant, &error).await => {}
            made => return made,
        }
    }
}

async fn make_once(
    app: &Parts,
    organisation: &Organisation,
    (tenant, kind): (&Tenant, &EntraType),
    interaction: &Interaction,
) -> Result<Kept, NotAsked> {
    // (SEC-32) Two values of 256 bits that have nothing to do with one another, or with any other request. Neither is kept.
    let (state, key) = (app.random.token_256(), app.random.token_256());
    let party = app.organisations.relying_party(&interaction.client_id);
    let party = party.ok_or(NotAsked::Gone)?;
    let credential_type = interaction.credential_types.first();
    let issuers = organisation.trusted_dids(credential_type);
    if issuers.is_empty() {
        return Err(NotAsked::NobodyTrusted);
    }
    let label = app.organisations.credential_type(credential_type);
    let label = &label.ok_or(NotAsked::Gone)?.label;
    let body = body(
        (organisation, party, tenant),
        &json!({
            "type": kind.kind, "purpose": label, "acceptedIssuers": issuers,
            "configuration": {"validation": {"allowRevoked": false, "validateLinkedDomain": true}},
        }),
        label,
        &json!({"url": app.url(CALLBACK), "state": state, "headers": {"api-key": key}}),
    );

    let (state, key) = (Digest::of(&state), Digest::of(&key));
    let now = app.now();
    let provisional = now + RETRIEVAL_LIFETIME;
    rows::insert(&app.store, interaction, (&state, &key), provisional).await?;
    let created = service::create(app, tenant, &body).await?;
    let link = wallet_link(app, &created).ok_or(NotAsked::Link)?;
    let expires_at = end(created.expiry, now);
    let named = rows::named(&state, &created.request_id, expires_at);
    app.store.write([named]).await?;
    Ok(Kept {
        request: state.0,
        link,
        expires_at,
    })
}

/// [SEC-28] Who asks and why, for the wallet to show: whoever is shown somebody else's code can see that it is not theirs.
fn body(
    (organisation, party, tenant): (&Organisation, &RelyingParty, &Tenant),
    credential: &Value,
    label: &str,
    callback: &Value,
) -> Value {
    json!({
        "authority": tenant.authority,
        "registration": {
            "clientName": organisation.name,
            "purpose": format!("{} asks to check this credential: {label}", party.name),
        },
        "callback": callback,
        "includeQRCode": false,
        "includeReceipt": false,
        "requestedCredentials": [credential],
    })
}

/// (SEC-30) A wallet's scheme, and in it an address that the gateway itself would call.
fn wallet_link(app: &Parts, created: &Created) -> Option<String> {
    let link: Url = created.url.parse().ok()?;
    let (_, uri) = link.query_pairs().find(|(name, _)| name == "request_uri")?;
    let uri: Url = uri.parse().ok()?;
    let is_wallets = matches!(link.scheme(), "openid-vc" | "openid");
    (is_wallets && app.outbound.check(&uri).is_ok()).then(|| link.into())
}

/// When the service says that it ends, if that is soon: no request is good for longer than one of ours.
fn end(expiry: i64, now: Timestamp) -> Timestamp {
    let longest = now + RETRIEVAL_LIFETIME;
    let said = Timestamp::from_second(expiry).unwrap_or(longest);
    said.clamp(now, longest)
}
