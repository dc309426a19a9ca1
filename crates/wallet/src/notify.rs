//! Telling an issuer what became of its credential ([VCI 11]).

use jiff::Timestamp;
use standards::openid4vci::{
    IssuerMetadata, NotificationEvent, NotificationRequest, TokenResponse,
};
use url::Url;

use crate::network::NetworkError;
use crate::storage::Notification;
use crate::wallet::Wallet;

/// [VCI 11] Tells the issuer what became of a credential.
pub(crate) async fn tell(
    wallet: &Wallet,
    notification: &Notification,
    event: NotificationEvent,
) -> Result<(), NetworkError> {
    let request = NotificationRequest {
        notification_id: notification.id.clone(),
        event,
        event_description: None,
    }
    .to_value();
    let network = wallet.network();
    network
        .post_json(
            &notification.endpoint,
            Some(&notification.access_token),
            Some(&request),
        )
        .await?
        .accepted()?;
    Ok(())
}

/// The same, where the issuer gave an id to tell it under.
pub(crate) async fn if_asked(
    wallet: &Wallet,
    notification: Option<&Notification>,
    event: NotificationEvent,
) -> Result<(), NetworkError> {
    match notification {
        Some(notification) => tell(wallet, notification, event).await,
        None => Ok(()),
    }
}

/// What it takes to tell the issuer, if it wants to be told.
pub(crate) fn notification(
    issuer: &IssuerMetadata,
    id: Option<String>,
    token: &TokenResponse,
    token_expires_at: Timestamp,
) -> Option<Notification> {
    let endpoint = Url::parse(issuer.notification_endpoint.as_deref()?).ok()?;
    Some(Notification {
        endpoint,
        id: id?,
        access_token: token.access_token.clone(),
        token_expires_at,
    })
}
