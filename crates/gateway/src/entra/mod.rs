//! The other wallet world: Microsoft Entra Verified ID, which speaks to Microsoft Authenticator.
//!
//! The gateway asks Microsoft's Request [`service`], with an access [`token`]; the wallet speaks to Microsoft; and Microsoft
//! tells the gateway by a [`callback`]. [`request`] makes what is asked and keeps it on the waiting page, [`rows`] is what a
//! callback must bring, [`check`] holds what it says against what was asked. From there on, an interaction is like any other.
//!
//! Nothing of it has been confirmed on a live tenant (docs/operate/entra.md).

mod callback;
mod check;
mod object;
mod request;
mod rows;
mod service;
mod token;

use axum::Router;
use axum::routing::post;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::interaction::{Interaction, Purpose};
use crate::live::Live;
use crate::organisation::Organisation;
use crate::organisation::entra::{EntraType, Tenant};

pub use request::prepared;
pub use token::Tokens;

/// How often a step is tried again when another request took one at the same time.
const ATTEMPTS: usize = 4;

/// Where Microsoft calls, below the gateway's address: the route below.
const CALLBACK: &str = "/entra/callback";

/// The address of callbacks.
pub fn router() -> Router<Live> {
    Router::new().route("/entra/callback", post(callback::answer))
}

/// What the interaction keeps of its request, sealed with it.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    /// Which request, by the digest of its state.
    request: String,
    /// The wallet's link.
    link: String,
    /// When the service forgets it.
    expires_at: Timestamp,
}

impl Kept {
    /// What an interaction keeps; `None` where it is another world's.
    fn of(interaction: &Interaction) -> Option<Self> {
        Self::deserialize(interaction.wallet()?.get("entra")?).ok()
    }

    fn to_value(&self) -> Value {
        json!({ "entra": self })
    }
}

/// The wallet's link to the request that an interaction waits with, once it is [`prepared`].
pub fn link(interaction: &Interaction) -> Option<String> {
    let link = Kept::of(interaction)?.link;
    (!link.is_empty()).then_some(link)
}

/// How long the link that the page shows is good for it, if it ends before the interaction does: the page then comes with
/// another one.
pub fn link_lasts(interaction: &Interaction, now: Timestamp) -> Option<SignedDuration> {
    let kept = Kept::of(interaction)?;
    Some((kept.expires_at - request::RENEWED).duration_since(now))
}

/// What an interaction keeps that waits for Authenticator, for a page that is only looked at: no service knows its request.
pub fn sample_link(now: Timestamp) -> Value {
    let kept = Kept {
        request: String::new(),
        link: "openid-vc://?request_uri=https://wallet.example/sample".to_owned(),
        expires_at: now + SignedDuration::from_mins(5),
    };
    kept.to_value()
}

/// The tenant that an interaction is asked through, if it is one of this world. It asks for one credential type, which its
/// organisation has with Entra: whether several belong to one person is known in the open protocols only.
fn asked<'a>(
    organisation: &'a Organisation,
    interaction: &Interaction,
) -> Option<(&'a Tenant, &'a EntraType)> {
    let tenant = organisation.entra.as_deref()?;
    if interaction.purpose != Purpose::Verify || interaction.credential_types.are_several() {
        return None;
    }
    let kind = tenant.find_type(interaction.credential_types.first())?;
    Some((tenant, kind))
}

/// What somebody else wrote and a log line may have: a few plain characters.
fn plain(text: &str) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '/');
    text.chars().filter(is_plain).take(64).collect()
}
