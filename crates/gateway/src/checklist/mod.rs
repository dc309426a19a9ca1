//! Whether a gateway's set-up is sound: what is set up, what is missing and what to do about it, for the gateway as a whole and
//! for each organisation.
//!
//! Each check stands here once. `lanyard doctor` makes them of a gateway that need not run, and sees what is around it as
//! whoever has the machine does; the gateway that runs makes them when an operator asks ([`routes`]), and asks others only what
//! its own rules for that let through.

pub(crate) mod arrival;
mod deeds;
mod keys;
mod machine;
mod people;
mod reach;
mod registered;
mod routes;

use serde::Serialize;

pub use arrival::{Handshake, Knocks, as_it_arrives};
pub use machine::{of_file, of_machine};
pub use reach::{Asks, Seen, Unseen, from_outside};
pub use registered::of_registered;
pub(crate) use routes::routes;

use crate::Gateway;
use crate::admin::Right;

/// Keys and secrets older than this should be changed, in days.
const OLD: i64 = 365;
/// A certificate that ends in fewer days should have been renewed.
const SOON: i64 = 21;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = FindingState)]
pub enum State {
    /// As it should be.
    Good,
    /// It works, and somebody should look at it.
    Look,
    /// It does not work, or it is not safe.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Finding {
    /// Which: a stable name.
    #[schema(example = "client-secrets")]
    pub code: &'static str,
    /// How bad it is.
    pub state: State,
    /// Whose it is; absent: the whole gateway's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "anytown")]
    pub organisation: Option<String>,
    /// What was found.
    pub says: String,
    /// What to do; absent where all is as it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Finding {
    /// It is about one organisation.
    fn of(&mut self, organisation: &str) {
        self.organisation = Some(organisation.to_owned());
    }
}

/// What was found so far.
#[derive(Debug, Clone, Default)]
pub struct Findings(Vec<Finding>);

impl Findings {
    fn add(
        &mut self,
        code: &'static str,
        state: State,
        says: impl Into<String>,
        remedy: Option<String>,
    ) -> &mut Finding {
        let finding = Finding {
            code,
            state,
            organisation: None,
            says: says.into(),
            remedy,
        };
        self.0.push(finding);
        let last = self.0.len() - 1;
        &mut self.0[last]
    }

    /// All is well.
    pub fn good(&mut self, code: &'static str, says: impl Into<String>) -> &mut Finding {
        self.add(code, State::Good, says, None)
    }

    /// Somebody should look, and do that.
    pub fn look(
        &mut self,
        code: &'static str,
        says: impl Into<String>,
        remedy: impl Into<String>,
    ) -> &mut Finding {
        self.add(code, State::Look, says, Some(remedy.into()))
    }

    /// Somebody must do that.
    pub fn bad(
        &mut self,
        code: &'static str,
        says: impl Into<String>,
        remedy: impl Into<String>,
    ) -> &mut Finding {
        self.add(code, State::Bad, says, Some(remedy.into()))
    }

    /// Each of them, in the order in which they were made.
    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter()
    }

    /// The worst there is; `None`: nothing was looked at.
    #[must_use]
    pub fn worst(&self) -> Option<State> {
        self.0.iter().map(|one| one.state).max()
    }
}

/// What a running gateway's operators are told, each with the right that it asks for. What has no line here is told to nobody.
pub const CODES: [(&str, Right); 22] = [
    ("database", Right::GatewayRead),
    ("disk", Right::GatewayRead),
    ("clock", Right::GatewayRead),
    ("secret-files", Right::GatewayRead),
    ("age", Right::GatewayRead),
    ("proxy", Right::GatewayRead),
    ("dns", Right::GatewayRead),
    ("reach", Right::GatewayRead),
    ("certificate", Right::GatewayRead),
    ("documents", Right::GatewayRead),
    ("keys", Right::KeysRead),
    ("certificate-chains", Right::KeysRead),
    ("organisations", Right::RegistryRead),
    ("credential-types", Right::RegistryRead),
    ("trust-list", Right::RegistryRead),
    ("relying-parties", Right::RegistryRead),
    ("client-secrets", Right::RegistryRead),
    ("onboarding", Right::RegistryRead),
    ("operators", Right::OperatorsRead),
    ("approvers", Right::OperatorsRead),
    ("audit", Right::AuditRead),
    ("backup", Right::GatewayRead),
];

/// What the gateway's own database tells: whether it is fast enough, keys, operators, audit, backups.
pub async fn of_database(gateway: &Gateway, findings: &mut Findings) {
    machine::look_at_database(gateway, findings).await;
    let looks = [
        keys::look_at_keys(gateway, findings).await,
        people::look_at_operators(gateway, findings).await,
        deeds::look_at_audit(gateway, findings).await,
        deeds::look_at_backups(gateway, findings).await,
    ];
    if let Some(error) = looks.into_iter().find_map(Result::err) {
        findings.bad("database", error.to_string(), "look at the database");
    }
}

/// Things of one kind in a sentence: the first few, and how many more there are.
fn listed<T: AsRef<str>>(names: &[T]) -> String {
    const MOST: usize = 8;
    let shown: Vec<&str> = names.iter().take(MOST).map(AsRef::as_ref).collect();
    let shown = shown.join(", ");
    match names.len().checked_sub(MOST) {
        None | Some(0) => shown,
        Some(more) => format!("{shown} and {more} more"),
    }
}

/// `1 day`, `2 days`.
fn counted(count: i64, one: &str) -> String {
    let many = if count == 1 { "" } else { "s" };
    format!("{count} {one}{many}")
}
