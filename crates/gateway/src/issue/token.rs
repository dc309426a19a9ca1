//! `POST /issuers/{organisation}/token`: a pre-authorized code becomes an access token, once. [VCI 6]

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use jiff::SignedDuration;
use standards::oauth::ErrorCode;
use standards::oauth::form::Form;
use standards::openid4vci::token::AuthorizationDetail;
use standards::openid4vci::{TokenRequest, TokenResponse};

use super::answer::{Refused, answer_json};
use super::kept::{ATTEMPTS, Found, Kept, Token, link_of};
use super::organisation;
use crate::app::{App, Parts};
use crate::interaction::rows::AdvanceError;
use crate::interaction::transaction_code::Tried;
use crate::interaction::{Interaction, Refusal};
use crate::organisation::Organisation;

/// How long an access token works; it is needed for one request.
pub(super) const TOKEN_LIFETIME: SignedDuration = SignedDuration::from_mins(5);

pub(super) async fn answer(
    State(app): State<App>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Refused> {
    let organisation = organisation(&app, &id)?;
    let form = Form::parse(&body)
        .map_err(|error| Refused::new("invalid_request", "form-invalid", error.to_string()))?;
    let request = TokenRequest::parse(&form).map_err(|error| {
        Refused::new(
            error.code().as_str(),
            "token-request-invalid",
            error.to_string(),
        )
    })?;
    for _ in 0..ATTEMPTS {
        if let Some(response) = redeem(&app, organisation, &request).await? {
            return Ok(answer_json(response.to_value()));
        }
    }
    Err(Refused::unavailable())
}

/// One attempt; `None` when another request took a step in between.
async fn redeem(
    app: &Parts,
    organisation: &Organisation,
    request: &TokenRequest,
) -> Result<Option<TokenResponse>, Refused> {
    // [VCI-09] One answer for an unknown, a used and an expired code: it tells nobody which.
    let invalid = || {
        Refused::new(
            "invalid_grant",
            "code-invalid",
            "the pre-authorized code is unknown, used or expired",
        )
    };
    let now = app.now();
    let code = request.pre_authorized_code.reveal();
    let Found {
        mut interaction,
        via,
    } = Found::find(app, code).await?.ok_or_else(invalid)?;
    if interaction.organisation != organisation.id {
        return Err(invalid());
    }
    let mut kept = Kept::parse(interaction.answerable(via, now).map_err(|_| invalid())?)?;
    if kept.code != request.pre_authorized_code || kept.token.is_some() {
        return Err(invalid());
    }
    let details = granted(app, interaction.credential_types.first(), request)?;
    match tried(&mut interaction, request)? {
        None | Some(Tried::Right) => {}
        Some(wrong) => return count(app, interaction, wrong).await,
    }

    let token = format!("{}.{}", link_of(code), app.random.token_256());
    let identifiers = details.as_deref().map(|details| {
        let granted = details
            .iter()
            .filter_map(|detail| detail.credential_identifiers.clone());
        granted.flatten().collect()
    });
    kept.token = Some(Token::new(
        &token,
        now + TOKEN_LIFETIME,
        request.client_id.clone(),
        identifiers,
    ));
    interaction.keep_for_wallet(kept.to_value());
    match app.interactions.advance(&mut interaction, Vec::new()).await {
        Ok(()) => Ok(Some(TokenResponse {
            access_token: token,
            token_type: "Bearer".to_owned(),
            expires_in: u64::try_from(TOKEN_LIFETIME.as_secs()).ok(),
            authorization_details: details,
        })),
        Err(AdvanceError::Overtaken) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What came of the transaction code, where the offer asks for one. [VCI-09] One that is missing, or that nobody asked
/// for, is no guess.
fn tried(interaction: &mut Interaction, request: &TokenRequest) -> Result<Option<Tried>, Refused> {
    let mut asked = interaction.transaction_code().cloned();
    let refused = |code, sentence| Err(Refused::new("invalid_request", code, sentence));
    let tried = match (&mut asked, &request.tx_code) {
        (None, None) => return Ok(None),
        (None, Some(_)) => {
            let sentence = "the offer asks for no transaction code";
            return refused("transaction-code-unexpected", sentence);
        }
        (Some(_), None) => {
            let sentence = "the offer asks for a transaction code";
            return refused("transaction-code-missing", sentence);
        }
        (Some(asked), Some(sent)) => asked.check(sent),
    };
    interaction.keep_transaction_code(asked);
    Ok(Some(tried))
}

/// Makes a wrong try durable before the wallet hears of it: of several at the same time each is counted, and whoever
/// was overtaken is looked at again (SEC-23).
async fn count(
    app: &Parts,
    interaction: Interaction,
    tried: Tried,
) -> Result<Option<TokenResponse>, Refused> {
    let for_good = tried == Tried::WrongForGood;
    let mut counted = if for_good {
        interaction.refused(Refusal::TransactionCodeWrong, app.now())?
    } else {
        interaction
    };
    match app.interactions.advance(&mut counted, Vec::new()).await {
        Ok(()) => {
            tracing::info!(
                reference = counted.reference,
                for_good,
                "a wallet sent a wrong transaction code"
            );
            let sentence = if for_good {
                "the transaction code was wrong too often: the offer is dead"
            } else {
                "the transaction code is wrong"
            };
            Err(Refused::new(
                "invalid_grant",
                "transaction-code-wrong",
                sentence,
            ))
        }
        Err(AdvanceError::Overtaken) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// [VCI-10] A wallet that names what it wants is told the identifiers to ask with: ours are the
/// configuration ids.
fn granted(
    app: &Parts,
    credential_type: &str,
    request: &TokenRequest,
) -> Result<Option<Vec<AuthorizationDetail>>, Refused> {
    let Some(details) = &request.authorization_details else {
        return Ok(None);
    };
    let offered = app
        .organisations
        .credential_type(credential_type)
        .ok_or_else(Refused::unavailable)?;
    let is_offered = |id: &str| {
        offered
            .formats
            .iter()
            .any(|format| offered.configuration_id(*format) == id)
    };
    if !details
        .iter()
        .all(|detail| is_offered(&detail.credential_configuration_id))
    {
        let sentence = "authorization_details names a configuration that was not offered";
        // [RFC 9396 5]
        return Err(Refused::new(
            ErrorCode::InvalidAuthorizationDetails.as_str(),
            "configuration-not-offered",
            sentence,
        ));
    }
    let named = details.iter().map(|detail| AuthorizationDetail {
        credential_identifiers: Some(vec![detail.credential_configuration_id.clone()]),
        ..detail.clone()
    });
    Ok(Some(named.collect()))
}
