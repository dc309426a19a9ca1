//! The test wallet: library, pages and every way of misbehaving. Not for real people: keys lie in plain files.
//!
//! It speaks `OpenID4VCI` 1.0 (pre-authorized code, `jwt` proof) and `OpenID4VP` 1.0 (signed request object of a DID,
//! `direct_post` and `direct_post.jwt`), formats `jwt_vc_json` and `dc+sd-jwt`, and knows no gateway in particular.
//!
//! [`Wallet`] is the library, [`http::router`] puts it on the web, [`client`] drives a running one.
//!
//! # HTTP
//!
//! | request | answer |
//! |---|---|
//! | `GET /api/holders` | `[{id, name}]` |
//! | `POST /api/holders/{id}/scan` `{link, consent, choose?, transaction_code?}` | [`Scanned`], within ten seconds |
//! | `GET /api/holders/{id}/credentials` | a list of [`CredentialSummary`], each with its live status |
//! | `DELETE /api/holders/{id}/credentials/{credential}` | 204 |
//! | `POST /api/holders/{id}/misbehave` `{fault}` | `{fault}`; the faults are [`Fault`]'s, `null` disarms |
//!
//! Errors are `{"error": code, "message": sentence}`. The API answers only under a loopback host name.

mod ask;
mod bind;
pub mod client;
mod credential;
mod fault;
pub mod http;
mod keys;
mod labels;
mod link;
mod network;
mod notify;
mod open;
mod picture;
mod present;
mod proof;
mod receive;
mod report;
mod request;
mod status;
mod storage;
mod wallet;

pub use fault::Fault;
pub use network::NetworkError;
pub use open::{AskedCredential, OfferedCredential, Opened, Question};
pub use picture::{PictureError, read_qr_code};
pub use report::{CredentialStatus, CredentialSummary, HolderSummary, Outcome, Scanned};
pub use storage::StorageError;
pub use wallet::{Clock, Options, Reply, Scan, Wallet, WalletError};
