//! First half of a scan: what a link asks, read and checked, before the holder says anything.

use jiff::{SignedDuration, Timestamp};

use standards::openid4vci::offer::TxCode;

use crate::link::{self, Link, LinkError};
use crate::network::NetworkError;
use crate::receive::{Offered, ReceiveError};
use crate::report::CredentialSummary;
use crate::request::{self, RequestError, Requested};
use crate::wallet::{Holder, Wallet};
use crate::{credential, receive};

/// How long an offer is taken to be good, since it does not say so itself.
const OFFER_LIFE: SignedDuration = SignedDuration::from_mins(5);

/// What a link asks of the holder.
pub enum Opened {
    /// Take a credential.
    Offer(Box<Offered>),
    /// Share from credentials.
    Request(Box<Requested>),
}

/// Why a link came to nothing before the holder could be asked.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The text.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The way to what it names.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The offer.
    #[error(transparent)]
    Offer(#[from] ReceiveError),
    /// The request object.
    #[error(transparent)]
    Request(#[from] RequestError),
}

/// What the holder is asked, in words for a consent page.
#[derive(Clone, Debug)]
pub enum Question {
    /// *Add to your wallet?*
    Add {
        /// The issuer's name for people, as it gives itself.
        issuer_name: Option<String>,
        /// The credential issuer's identifier.
        issuer: String,
        /// What can be taken, the wallet's preference first.
        offers: Vec<OfferedCredential>,
        /// What the issuer says of the transaction code that it wants, where it wants one.
        transaction_code: Option<TxCode>,
    },
    /// *Share?*
    Share {
        /// The verifier's name for people, as it gives itself.
        verifier_name: Option<String>,
        /// Why it asks, in its own words.
        purpose: Option<String>,
        /// Its DID: this was checked.
        verifier: String,
        /// What it wants, one for each credential asked for.
        asks: Vec<AskedCredential>,
    },
}

/// One thing that the holder may take.
#[derive(Clone, Debug)]
pub struct OfferedCredential {
    /// The credential configuration id, for [`Scan::choose`](crate::Scan::choose).
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Its format.
    pub format: String,
    /// The labels of its fields.
    pub fields: Vec<String>,
}

/// One thing that the verifier wants.
#[derive(Clone, Debug)]
pub struct AskedCredential {
    /// The types that will do.
    pub types: String,
    /// The fields asked for.
    pub fields: Vec<String>,
    /// The held credentials that fit, the wallet's preference first.
    pub fitting: Vec<CredentialSummary>,
}

impl Opened {
    /// What to ask the holder.
    pub(crate) fn question(&self, wallet: &Wallet, holder: &Holder) -> Question {
        match self {
            Opened::Offer(offered) => offered.question(),
            Opened::Request(requested) => {
                let held = holder.held();
                let now = wallet.now();
                requested.question(&held, now, |held| credential::summary(held, now))
            }
        }
    }

    /// The moment after which an answer is late.
    pub(crate) fn late_from(&self) -> Timestamp {
        match self {
            Opened::Offer(offered) => offered
                .read_at()
                .saturating_add(OFFER_LIFE)
                .unwrap_or(Timestamp::MAX),
            Opened::Request(requested) => requested.expires_at(),
        }
    }
}

/// Reads what a pasted text leads to.
pub(crate) async fn read_link(wallet: &Wallet, text: &str) -> Result<Opened, OpenError> {
    let link = match link::parse(text)? {
        Link::Short(url) => {
            let answer = wallet.network().fetch(&url, "text/html").await?;
            match (answer.status, &answer.location) {
                (301..=303 | 307 | 308, Some(location)) => link::parse_location(&url, location)?,
                (200..=399, _) => return Err(LinkError::NoWalletLink(answer.host).into()),
                _ => {
                    return Err(answer
                        .accepted()
                        .err()
                        .map_or(LinkError::NotALink.into(), OpenError::from));
                }
            }
        }
        link => link,
    };
    match link {
        Link::Offer(url) => Ok(Opened::Offer(Box::new(
            receive::read_offer(wallet, &url).await?,
        ))),
        Link::Request(url) => Ok(Opened::Request(Box::new(
            request::read_request(wallet, &url).await?,
        ))),
        Link::Short(url) => Err(LinkError::NoWalletLink(link::origin(&url)).into()),
    }
}
