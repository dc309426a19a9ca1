//! Put a credential into a wallet: OpenID4VCI 1.0 with a pre-authorized code.

pub mod draft;

use axum::Router;

use crate::app::{App, Parts};
use crate::interaction::{Interaction, Via};

/// The wallet's addresses.
pub fn router() -> Router<App> {
    Router::new()
}

/// The standard's own link to the interaction's credential offer, for a QR code or a button.
/// [VCI 4.1.3]
pub fn link(app: &Parts, interaction: &Interaction, via: Via) -> String {
    let _ = (app, interaction, via);
    String::new()
}
