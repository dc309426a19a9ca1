//! Answering a verifier: OpenID4VP 1.0, `direct_post` and `direct_post.jwt`.

use jiff::Timestamp;
use standards::dcql::{Candidate, Matched, Query, Selection, Unsatisfied};
use standards::openid4vp::response::EncryptError;
use standards::openid4vp::{
    AuthorizationResponse, ErrorAnswer, ResponseError, ResponseMode, VerifierAnswer, VpToken,
    WalletErrorCode,
};
use url::Url;

use crate::bind::{self, BindError};
use crate::credential::{self, Reading};
use crate::fault::Fault;
use crate::network::{Answer, NetworkError};
use crate::proof::{HolderKey, ProofError};
use crate::report::{CredentialStatus, CredentialSummary, Outcome, Scanned};
use crate::request::Requested;
use crate::status;
use crate::storage::{HeldCredential, StorageError};
use crate::wallet::{Holder, Wallet};

/// Why nothing was presented.
#[derive(Debug, thiserror::Error)]
pub enum PresentError {
    /// Nothing held fits; the verifier was told.
    #[error("no credential in this wallet fits what is asked for: {0}")]
    NothingFits(Unsatisfied),
    /// The holder's choice is not among what fits.
    #[error("what was chosen does not fit the request")]
    ChosenDoesNotFit,
    /// The fault needs a credential that no holder has.
    #[error("fault {}: no holder of this wallet has a credential for it", .0.name())]
    NothingForFault(Fault),
    /// The key.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The presentation.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The encryption.
    #[error(transparent)]
    Encrypt(#[from] EncryptError),
    /// The verifier is not reached, or refuses.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The verifier's answer is against the standard.
    #[error(transparent)]
    Answer(#[from] ResponseError),
    /// The disk.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A held credential picked for one credential query.
struct Pick {
    id: String,
    held: HeldCredential,
    /// What to disclose; `None` is everything.
    matched: Option<Matched>,
}

/// Shares what is asked for, or tells the verifier that the holder does not want to.
pub(crate) async fn present(
    wallet: &Wallet,
    holder: &Holder,
    requested: Requested,
    fault: Option<Fault>,
    consent: bool,
    choose: &[String],
) -> Scanned {
    if !consent {
        return match refuse(wallet, &requested, "the holder declined").await {
            Ok(answer) => {
                let mut scanned = Scanned::new(Outcome::Declined, None);
                scanned.redirect_uri = answer;
                scanned
            }
            Err(error) => Scanned::new(
                Outcome::Declined,
                format!("the verifier could not be told: {error}"),
            ),
        };
    }
    match share(wallet, holder, &requested, fault, choose).await {
        Ok(scanned) => scanned,
        Err(error @ PresentError::NothingFits(_)) => {
            // [VP 8.5] access_denied also means that the wallet has nothing that fits.
            let told = refuse(wallet, &requested, "no held credential fits the request").await;
            let mut scanned = Scanned::failed(&error);
            scanned.redirect_uri = told.ok().flatten();
            scanned
        }
        Err(error) => Scanned::failed(error),
    }
}

async fn share(
    wallet: &Wallet,
    holder: &Holder,
    requested: &Requested,
    fault: Option<Fault>,
    choose: &[String],
) -> Result<Scanned, PresentError> {
    if fault == Some(Fault::Replay)
        && let Some(recorded) = holder.last_vp_token()
    {
        let vp_token = VpToken::parse(&recorded.into())?;
        return finish(
            send(wallet, requested, presented(requested, vp_token)).await?,
            Vec::new(),
        );
    }
    let (picks, stranger) =
        pick(wallet, holder, &requested.object.dcql_query, fault, choose).await?;
    let mut vp_token = VpToken::default();
    for pick in &picks {
        let own = HolderKey::from_text(&pick.held.key)?;
        let key = stranger.as_ref().unwrap_or(&own);
        let presentation = bind::presentation(
            &pick.held,
            pick.matched.as_ref(),
            key,
            requested,
            wallet.now(),
            fault,
        )
        .await?;
        if fault == Some(Fault::ExtraDisclosure) {
            vp_token.insert("not-asked-for", presentation.clone());
        }
        vp_token.insert(&pick.id, presentation);
    }
    if let serde_json::Value::Object(recorded) = vp_token.to_value() {
        wallet.change(holder, |record| record.last_vp_token = Some(recorded))?;
    }
    let response = presented(requested, vp_token);
    let answer = send(wallet, requested, response.clone()).await?;
    let answer = match fault {
        Some(Fault::LostNetworkAfterSubmit) => {
            return Ok(Scanned::pending(
                "fault lost-network-after-submit: the answer was sent, its reply lost",
            ));
        }
        Some(Fault::Replay) => {
            answer.accepted()?;
            send(wallet, requested, response).await?
        }
        _ => answer,
    };
    finish(
        answer,
        picks
            .iter()
            .map(|pick| credential::summary(&pick.held, wallet.now()))
            .collect(),
    )
}

/// Chooses what to present, and the key to bind it with if that is not the credential's own.
async fn pick(
    wallet: &Wallet,
    holder: &Holder,
    query: &Query,
    fault: Option<Fault>,
    choose: &[String],
) -> Result<(Vec<Pick>, Option<HolderKey>), PresentError> {
    let held = holder.held();
    let now = wallet.now();
    if let Some(fault @ (Fault::WrongType | Fault::Expired | Fault::Revoked)) = fault {
        // A holder without such a credential borrows another's, key and all: the verifier cannot tell.
        for whose in [held, wallet.held_by_others(holder)] {
            let picks = match fault {
                Fault::WrongType => wrong_type(query, &whose),
                Fault::Expired => picked(query, &expired(whose, now), now, choose).ok(),
                _ => picked(query, &revoked(wallet, whose).await, now, choose).ok(),
            };
            if let Some(picks) = picks {
                return Ok((picks, None));
            }
        }
        return Err(PresentError::NothingForFault(fault));
    }
    if fault == Some(Fault::OtherPerson) {
        let own_key = held
            .last()
            .map(|one| HolderKey::from_text(&one.key))
            .transpose()?;
        return match (
            picked(query, &wallet.held_by_others(holder), now, &[]),
            own_key,
        ) {
            (Ok(picks), Some(own_key)) => Ok((picks, Some(own_key))),
            (Ok(picks), None) => Ok((picks, Some(HolderKey::generate()?))),
            (Err(_), _) => Ok((
                picked(query, &held, now, choose)?,
                Some(HolderKey::generate()?),
            )),
        };
    }
    Ok((picked(query, &held, now, choose)?, None))
}

fn expired(mut held: Vec<HeldCredential>, now: Timestamp) -> Vec<HeldCredential> {
    held.retain(|one| Reading::of(one).is_ok_and(|reading| reading.has_expired(now)));
    held
}

async fn revoked(wallet: &Wallet, held: Vec<HeldCredential>) -> Vec<HeldCredential> {
    let mut revoked = Vec::new();
    for one in held {
        if status::fetch(wallet, &one).await == CredentialStatus::Revoked {
            revoked.push(one);
        }
    }
    revoked
}

/// For each credential query that must be answered, the chosen or the preferred one of what fits.
fn picked(
    query: &Query,
    held: &[HeldCredential],
    now: Timestamp,
    choose: &[String],
) -> Result<Vec<Pick>, PresentError> {
    // Where one thing may be answered in several ways, the choice decides which.
    let chosen = |one: &&HeldCredential| choose.contains(&one.id);
    let only: Vec<HeldCredential> = held.iter().filter(chosen).cloned().collect();
    if only.len() == choose.len()
        && let Ok(picks) = preferred(query, &only, now, choose)
    {
        return Ok(picks);
    }
    let picks = preferred(query, held, now, choose)?;
    let used = |id: &String| picks.iter().any(|pick| pick.held.id == *id);
    if choose.iter().all(used) {
        Ok(picks)
    } else {
        Err(PresentError::ChosenDoesNotFit)
    }
}

fn preferred(
    query: &Query,
    held: &[HeldCredential],
    now: Timestamp,
    choose: &[String],
) -> Result<Vec<Pick>, PresentError> {
    let readings = readings(held);
    let candidates: Vec<Candidate<'_>> = readings
        .iter()
        .map(|(_, reading)| candidate(reading))
        .collect();
    let choice = query
        .choose(&candidates)
        .map_err(PresentError::NothingFits)?;
    let pick = |selection: Selection| {
        let fitting = selection.candidates.into_iter();
        let (one, matched) = fitting
            .filter_map(|(at, matched)| Some((&held[readings.get(at)?.0], matched)))
            .min_by_key(|(one, _)| (!choose.contains(&one.id), preference(one, now)))?;
        Some(Pick {
            id: selection.id,
            held: one.clone(),
            matched: Some(matched),
        })
    };
    Ok(choice.selections.into_iter().filter_map(pick).collect())
}

/// Something of another type, in the format asked for, for everything that a proper answer would have to hold.
fn wrong_type(query: &Query, held: &[HeldCredential]) -> Option<Vec<Pick>> {
    let readings = readings(held);
    let pick = |id: &String| {
        let wanted = query.find(id)?;
        let mut others = readings.iter().filter(|(_, reading)| {
            reading.format == wanted.format && wanted.check(candidate(reading)).is_err()
        });
        let (at, _) = others.next_back()?;
        Some(Pick {
            id: id.clone(),
            held: held[*at].clone(),
            matched: None,
        })
    };
    let Some(sets) = &query.credential_sets else {
        return query
            .credentials
            .iter()
            .map(|wanted| pick(&wanted.id))
            .collect();
    };
    let mut picks = Vec::new();
    for set in sets.iter().filter(|set| set.required) {
        let served = |option: &Vec<String>| option.iter().map(pick).collect::<Option<Vec<_>>>();
        picks.extend(set.options.iter().find_map(served)?);
    }
    Some(picks)
}

/// Usable ones first, then the newest.
pub(crate) fn preference(
    held: &HeldCredential,
    now: Timestamp,
) -> (bool, std::cmp::Reverse<Timestamp>) {
    let expired = Reading::of(held).map_or(true, |reading| reading.has_expired(now));
    (expired, std::cmp::Reverse(held.received_at))
}

pub(crate) fn readings(held: &[HeldCredential]) -> Vec<(usize, Reading)> {
    held.iter()
        .enumerate()
        .filter_map(|(at, one)| Some((at, Reading::of(one).ok()?)))
        .collect()
}

pub(crate) fn candidate(reading: &Reading) -> Candidate<'_> {
    Candidate {
        format: &reading.format,
        claims: &reading.root,
        holder_binding: true,
    }
}

fn presented(requested: &Requested, vp_token: VpToken) -> AuthorizationResponse {
    AuthorizationResponse::Presented {
        vp_token,
        state: requested.object.state.clone(),
    }
}

/// [VP 8.5] Tells the verifier that there will be no presentation.
async fn refuse(
    wallet: &Wallet,
    requested: &Requested,
    why: &str,
) -> Result<Option<Url>, PresentError> {
    let refused = AuthorizationResponse::Refused(ErrorAnswer {
        error: WalletErrorCode::AccessDenied,
        error_description: Some(why.to_owned()),
        state: requested.object.state.clone(),
    });
    let answer = send(wallet, requested, refused).await?.accepted()?;
    Ok(redirect_uri(&VerifierAnswer::parse(&answer.body)?))
}

/// [VP 8.2, 8.3] Posts the response as the request wants it, encrypted or not.
async fn send(
    wallet: &Wallet,
    requested: &Requested,
    response: AuthorizationResponse,
) -> Result<Answer, PresentError> {
    let object = &requested.object;
    let form = match (&object.response_mode, &object.client_metadata) {
        (ResponseMode::DirectPostJwt, Some(metadata)) => response.to_encrypted_form(metadata)?,
        _ => response.to_form(),
    };
    Ok(wallet
        .network()
        .post_form(&object.response_uri, form, "application/json")
        .await?)
}

fn finish(answer: Answer, credentials: Vec<CredentialSummary>) -> Result<Scanned, PresentError> {
    let answer = VerifierAnswer::parse(&answer.accepted()?.body)?;
    let mut scanned = Scanned::new(Outcome::Presented, None);
    scanned.redirect_uri = redirect_uri(&answer);
    scanned.credentials = credentials;
    Ok(scanned)
}

fn redirect_uri(answer: &VerifierAnswer) -> Option<Url> {
    Url::parse(answer.redirect_uri.as_deref()?).ok()
}
