//! Who the operators are: people, and programs that a person answers for; their roles, their tokens, and the organisation to
//! which some of them are confined.
//!
//! The first operator is made by whoever has the machine ([`desk`]). After that, adding one, giving one another role and
//! giving another's operator a token take two persons ([`acts`]): one administrator alone could otherwise make the second
//! person up. Removing and revoking take one, since they must not wait.
//!
//! At the console a person signs in by a password and an authenticator ([`sign_in`]); everywhere else an operator is whoever
//! has its token.

mod acts;
mod attempts;
pub mod desk;
mod routes;
mod rows;
mod set_up_routes;
mod sign_in;
mod sign_in_routes;
mod totp;

pub(crate) use acts::acts;
pub(crate) use routes::routes;
pub(crate) use rows::remove_confined_to;
pub use rows::{Known, NewOperator, Token};
pub use totp::code_of;

use crate::admin::{Code, Operator, Problem};
use crate::app::App;

/// How long a token is in force unless somebody says otherwise, in days.
pub const TOKEN_DAYS: u32 = 90;
/// The longest that a token is in force, in days.
pub const MOST_TOKEN_DAYS: u32 = 400;

/// One that is in force, and that this operator may see.
async fn visible(app: &App, by: &Operator, id: &str) -> Result<Known, Problem> {
    let known = rows::find(&app.store, id, by.organisation()).await?;
    known.ok_or(Code::NotFound.into())
}

/// A token that its holder made, and its SHA-256 in hexadecimal, for whoever adds them.
#[must_use]
pub fn made_token(random: &crate::random::Random) -> (zeroize::Zeroizing<String>, String) {
    let token = crate::admin::new_token(random);
    let digest = hex::encode(crate::admin::digest_of(&token));
    (zeroize::Zeroizing::new(token), digest)
}
