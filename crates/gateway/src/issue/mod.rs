//! Put a credential into a wallet: OpenID4VCI 1.0 with a pre-authorized code.
//!
//! In the order in which a wallet comes by: [`link`], [`metadata`], [`offer`], [`token`], [`nonce`],
//! [`credential`], [`notification`]. The draft that becomes the credential was checked when the relying party
//! pushed it ([`draft`]).

mod answer;
mod content;
mod credential;
pub mod draft;
pub mod hint;
mod identity;
mod kept;
mod metadata;
mod nonce;
mod notification;
mod offer;
mod token;
mod withdraw;

pub(crate) use identity::documents as did_documents;
use std::sync::Arc;
pub use withdraw::withdraw_replayed;

use axum::Router;
use axum::routing::{get, post};
use standards::openid4vci::OfferLink;

use crate::app::Parts;
use crate::interaction::{Interaction, Via};
use crate::live::Live;
use crate::organisation::Organisation;
use answer::Refused;

/// The wallet's addresses.
pub fn router() -> Router<Live> {
    Router::new()
        .route("/o/{link}", get(offer::answer).head(offer::answer_head))
        .route("/issuers/{organisation}/token", post(token::answer))
        .route("/issuers/{organisation}/nonce", post(nonce::answer))
        .route(
            "/issuers/{organisation}/credential",
            post(credential::answer),
        )
        .route(
            "/issuers/{organisation}/notification",
            post(notification::answer),
        )
        .merge(metadata::router())
        .merge(identity::router())
}

/// The standard's own link to the interaction's credential offer, for a QR code or a button. [VCI 4.1.3]
pub fn link(app: &Parts, interaction: &Interaction, via: Via) -> String {
    let id = match via {
        Via::AnotherDevice => &interaction.link,
        Via::ThisDevice => &interaction.link_here,
    };
    OfferLink::by_reference(&app.url(&format!("/o/{id}")))
}

/// The organisation that an address names.
fn organisation<'a>(app: &'a Parts, id: &str) -> Result<&'a Arc<Organisation>, Refused> {
    app.organisations.find(id).ok_or_else(|| {
        Refused::unknown(
            "issuer-unknown",
            "there is no credential issuer at this address",
        )
    })
}
