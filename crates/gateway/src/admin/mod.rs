//! The door for operators and their programs: who may do what, two-person acts, and the errors that all admin routes share.
//! It is ground: a slice hangs its own routes and acts under it, and it names no slice.
//!
//! **A route of a slice.** Write the handler with `#[utoipa::path(…, path = "/admin/v1/…")]`, take [`Operator`] as an argument,
//! give [`Problem`] as the error, and register it with the right that it asks for:
//!
//! ```ignore
//! pub fn admin_routes() -> admin::Routes {
//!     admin::Routes::new()
//!         .with(Right::RegistryRead, routes!(list))
//!         .with(Right::RegistryChange, routes!(change))
//! }
//! ```
//!
//! Then add it to `Gateway::admin_router` (`administration.rs`) and the right, if it is new, to the table in [`role`]. There is no way to register a
//! route without a right. What an operator of one organisation must not see is answered with [`Code::NotFound`], like what does
//! not exist: put [`Operator::organisation`] into the condition of the statement. The generated test
//! (`tests/it/admin_isolation.rs`) walks the route from then on.
//!
//! **An act that a second person must approve.** Implement [`TwoPersonAct`], which says what is asked, what is kept in the
//! proposal, and what is done, and add it in `Gateway::admin_router`; it needs no route of its own: `POST /admin/v1/proposals`
//! asks for it by its code.

mod act;
mod audit_routes;
mod caller;
mod once;
mod openapi;
mod problem;
mod proposal;
mod proposal_routes;
mod read;
pub mod role;
mod routes;
mod view;

pub use act::{Acts, Approved, Checked, TwoPersonAct};
pub(crate) use audit_routes::routes as audit_routes;
pub use caller::{Address, Operator};
pub(crate) use caller::{IDLE, digest_of, new_session, new_token};
pub(crate) use once::Once;
pub use problem::{Code, Problem, Problems};
pub(crate) use proposal_routes::routes as proposal_routes;
pub use read::{Asked, Told, Why, field};
pub use role::{Right, Role};
pub(crate) use routes::Door;
pub use routes::Routes;
pub(crate) use view::viewed;
