//! Ask a wallet for a credential and check what it presents: OpenID4VP 1.0 with DCQL.
//!
//! In the order in which it happens: [`link`], the signed [`request`] object with its [`query`], the encrypted
//! [`response`]. [`check`] turns a presentation into a verdict without touching anything; the issuer's keys and the credential's
//! status come to it from [`issuer_keys`] and [`status`]. [`person`] says whether several credentials belong together.

mod answer;
mod check;
mod issuer_keys;
mod person;
mod query;
mod request;
mod response;
mod status;

use std::sync::Arc;

use axum::routing::{get, post};
use axum::{Extension, Router};
use standards::did::Did;
use standards::openid4vp::{ClientId, RequestLink, RequestUriMethod};

use crate::app::Parts;
use crate::interaction::{Interaction, Via};
use crate::live::Live;
use issuer_keys::IssuerKeys;
use status::ForeignLists;

/// The wallet's addresses. Each router has its own copies of foreign keys and lists.
pub fn router() -> Router<Live> {
    Router::new()
        .route(
            "/r/{link}",
            get(request::answer)
                .post(request::answer_post)
                .head(request::answer_head),
        )
        .route("/r/{link}/response", post(response::answer))
        .layer(Extension(Arc::new(Foreign::default())))
}

/// What is known of issuers elsewhere, for a few minutes at most.
#[derive(Default)]
struct Foreign {
    keys: IssuerKeys,
    lists: ForeignLists,
}

/// The standard's own link to the interaction's request object, for a QR code or a button. [VP 5.7, 9]
pub fn link(app: &Parts, interaction: &Interaction, via: Via) -> String {
    let id = match via {
        Via::AnotherDevice => &interaction.link,
        Via::ThisDevice => &interaction.link_here,
    };
    let organisation = app.organisations.find(&interaction.organisation);
    let did = organisation.and_then(|organisation| Did::parse(&organisation.did).ok());
    let uri = app.url(&format!("/r/{id}")).parse().ok();
    match (did, uri) {
        (Some(did), Some(uri)) => RequestLink::by_reference(
            ClientId::DecentralizedIdentifier(did),
            uri,
            RequestUriMethod::Get,
        )
        .to_string(),
        // Both were checked when the gateway was composed; an interaction of an organisation that has been
        // taken out of the configuration since has no link.
        _ => String::new(),
    }
}
