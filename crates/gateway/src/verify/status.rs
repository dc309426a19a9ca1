//! Whether a credential is revoked or suspended: from our own database at once, from elsewhere by a signed list. Whatever
//! goes wrong here is 'cannot be checked', never 'valid' and never 'revoked'. [SEC-25, TS-01 to TS-05]

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use standards::status_list::{
    MEDIA_TYPE, ParsedStatusListToken, Status, StatusListToken, StatusReference,
};
use url::Url;

use super::check::ALGORITHMS;
use super::issuer_keys::{Issuer, IssuerKeys, Keys, Signed};
use crate::app::Parts;
use crate::copies::{Copies, Missing};
use crate::interaction::Refusal;
use crate::status::Listed;

/// The longest that a fetched list is used, whatever its `ttl` says: a revocation counts within a minute.
const LONGEST: SignedDuration = SignedDuration::from_secs(60);
/// How far an issuer's clock may be ahead of ours.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// Lists fetched from elsewhere, by issuer and address: one issuer's word about an address is not another's.
#[derive(Default)]
pub(super) struct ForeignLists(Copies<(Option<String>, String, String), Arc<StatusListToken>>);

/// Why a list elsewhere could not be used.
#[derive(Debug, thiserror::Error)]
enum ListError {
    #[error("its address is malformed")]
    Address,
    #[error(transparent)]
    Fetch(#[from] crate::outbound::FetchError),
    #[error("it is not text")]
    NotText,
    #[error("it is signed with no key of the credential's issuer")]
    Key,
    #[error(transparent)]
    Token(#[from] standards::status_list::TokenError),
}

impl ForeignLists {
    /// The status of a credential of that issuer, whose keys are `keys`; where a list is signed with a newer one, that is
    /// looked for in `known`.
    pub(super) async fn find(
        &self,
        app: &Parts,
        issuer: Issuer<'_>,
        (keys, known): (&Keys, &IssuerKeys),
        reference: Option<&StatusReference>,
    ) -> Result<Status, Refusal> {
        match (keys, reference) {
            (Keys::Own(own, _), Some(reference)) => {
                // A list of another organisation says nothing about this one's credentials.
                let named = app
                    .lists
                    .parse_uri(&reference.uri)
                    .filter(|(organisation, _)| *organisation == own.id);
                let (organisation, list) = named.ok_or(Refusal::StatusUnknown)?;
                let index = i64::try_from(reference.index).map_err(|_| Refusal::StatusUnknown)?;
                match app.lists.find(organisation, list, index).await {
                    Ok(Listed::Valid) => Ok(Status::Valid),
                    Ok(Listed::Revoked) => Ok(Status::Invalid),
                    Ok(Listed::Suspended) => Ok(Status::Suspended),
                    Ok(Listed::Unknown) => Err(Refusal::StatusUnknown),
                    Err(error) => {
                        tracing::error!(%error, "a credential's status could not be read");
                        Err(Refusal::StatusUnknown)
                    }
                }
            }
            // Every credential of ours has a status: one without is none of ours, whoever signed it.
            (Keys::Own(..), None) => Err(Refusal::StatusUnknown),
            // An issuer elsewhere may well issue what cannot be revoked; that was known when it was trusted.
            (_, None) => Ok(Status::Valid),
            (_, Some(reference)) => {
                let token = self
                    .token(app, issuer, (keys, known), &reference.uri)
                    .await?;
                token
                    .find(reference.index)
                    .map_err(|_| Refusal::StatusUnknown)
            }
        }
    }

    /// The list at that address, signed by the credential's issuer. The address comes from a credential whose
    /// signature holds and whose issuer counts: strangers cannot make us fetch.
    async fn token(
        &self,
        app: &Parts,
        issuer: Issuer<'_>,
        keys: (&Keys, &IssuerKeys),
        uri: &str,
    ) -> Result<Arc<StatusListToken>, Refusal> {
        let now = app.now();
        let copies = issuer.organisation.copies();
        let place = (copies, issuer.name.to_owned(), uri.to_owned());
        let fetched = fetch(app, issuer, keys, uri, now);
        let found = self.0.find_or_fetch(place, now, |_, _| true, fetched);
        found.await.map_err(|missing| {
            if let Missing::Failed(error) = missing {
                tracing::warn!(issuer = issuer.name, uri, %error, "a status list could not be used");
            }
            Refusal::StatusUnknown
        })
    }
}

/// The list, and until when it may be used.
async fn fetch(
    app: &Parts,
    issuer: Issuer<'_>,
    (keys, known): (&Keys, &IssuerKeys),
    uri: &str,
    now: Timestamp,
) -> Result<(Arc<StatusListToken>, Timestamp), ListError> {
    let url = Url::parse(uri).map_err(|_| ListError::Address)?;
    let outbound = issuer.organisation.outbound(&app.outbound);
    let fetched = outbound.fetch(&url, MEDIA_TYPE).await?;
    let text = std::str::from_utf8(&fetched.body).map_err(|_| ListError::NotText)?;
    let parsed = ParsedStatusListToken::parse(text)?;
    let (header, signed) = (parsed.header(), Signed::StatusList);
    let key = match keys.find(header, signed) {
        Some(key) => key,
        // An issuer that changed the key of its lists alone: the keys that the credential was checked with are too old.
        None => known
            .find(app, issuer, (header, signed))
            .await
            .ok()
            .and_then(|newer| newer.find(header, signed))
            .ok_or(ListError::Key)?,
    };
    let token = Arc::new(parsed.verify(&key, ALGORITHMS, uri, now, SKEW)?);
    let until = token
        .usable_until(now)
        .map_or(now + LONGEST, |until| until.min(now + LONGEST));
    Ok((token, until))
}
