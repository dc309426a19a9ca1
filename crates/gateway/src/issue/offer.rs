//! `GET /o/{link}`: the credential offer by reference. [VCI 4.1.3]
//!
//! The first retrieval binds the interaction; the same one repeated within a minute gets the same offer
//! (rulings 6).

use axum::extract::{Path, State};
use axum::response::Response;
use standards::openid4vci::offer::{Grants, InputMode, TxCode};
use standards::openid4vci::{CredentialOffer, PreAuthorizedCodeGrant};

use super::answer::{Refused, answer_json};
use super::kept::{ATTEMPTS, Found, Kept};
use crate::app::{App, Parts};
use crate::interaction::rows::AdvanceError;
use crate::interaction::{Interaction, TransactionCode};

pub(super) async fn answer(
    State(app): State<App>,
    Path(link): Path<String>,
) -> Result<Response, Refused> {
    let unknown = || {
        Refused::unknown(
            "link-unknown",
            "there is no credential offer at this address",
        )
    };
    for _ in 0..ATTEMPTS {
        let now = app.now();
        let Found { interaction, via } = Found::find(&app, &link)
            .await?
            .filter(|_| !link.contains('.'))
            .ok_or_else(unknown)?;
        if let Ok(kept) = interaction.repeatable(via, now) {
            return Ok(answer_json(
                offer(&app, &interaction, Kept::parse(kept)?)?.to_value(),
            ));
        }
        // The link in front lets the token endpoint find the row; the secret behind is what opens it.
        let kept = Kept::new(format!("{link}.{}", app.random.token_256()).into());
        let mut scanned = interaction.scanned(via, kept.to_value(), now)?;
        match app.interactions.advance(&mut scanned, Vec::new()).await {
            Ok(()) => return Ok(answer_json(offer(&app, &scanned, kept)?.to_value())),
            Err(AdvanceError::Overtaken) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Refused::unavailable())
}

/// Answers a HEAD request, which must not bind anything: a link preview is not a wallet.
pub(super) async fn answer_head() {}

/// How many digits, and where they are. What they are is not in the offer. [VCI-08]
fn described(code: &TransactionCode) -> TxCode {
    TxCode {
        input_mode: Some(InputMode::Numeric),
        length: Some(u32::from(code.length())),
        description: Some(
            "The PIN is on the page where you scanned the QR code or opened this wallet".to_owned(),
        ),
    }
}

/// The type's configurations in its own order of preference; no personal value is in an offer. [VCI-08]
fn offer(app: &Parts, interaction: &Interaction, kept: Kept) -> Result<CredentialOffer, Refused> {
    let organisation = app
        .organisations
        .find(&interaction.organisation)
        .ok_or_else(Refused::unavailable)?;
    let credential_type = app
        .organisations
        .credential_type(interaction.credential_types.first())
        .ok_or_else(Refused::unavailable)?;
    let grant = PreAuthorizedCodeGrant {
        pre_authorized_code: kept.code,
        tx_code: interaction.transaction_code().map(described),
        authorization_server: None,
    };
    Ok(CredentialOffer {
        credential_issuer: organisation.credential_issuer.clone(),
        credential_configuration_ids: credential_type
            .formats
            .iter()
            .map(|format| credential_type.configuration_id(*format))
            .collect(),
        grants: Some(Grants {
            authorization_code: None,
            pre_authorized_code: Some(grant),
        }),
    })
}
