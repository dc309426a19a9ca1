//! Ask a wallet for a credential and check what it presents: OpenID4VP 1.0 with DCQL.
//!
//! The wallet follows [`link`] to a signed request object ([`request`]), answers it encrypted
//! ([`response`]); [`check`] turns the answer into a verdict.

use axum::Router;

use crate::app::{App, Parts};
use crate::interaction::{Interaction, Via};

/// The wallet's addresses.
pub fn router() -> Router<App> {
    Router::new()
}

/// The standard's own link to the interaction's request object, for a QR code or a button.
/// [VP 5.10]
pub fn link(app: &Parts, interaction: &Interaction, via: Via) -> String {
    let _ = (app, interaction, via);
    String::new()
}
