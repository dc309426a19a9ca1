//! What is settled before a relying party goes live: a closed list, each item with its evidence and date (DW-89).
//!
//! The evidence itself — a report, a signed form — stays where the operator keeps such things; here stands what it is
//! and where.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use crate::audit::Actor;
use store::{Statement, Store, StoreError};

/// One thing to settle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Item {
    /// Which organisation stands behind it, by its ODS code.
    OdsCode,
    /// Organisation and system were looked at by whoever answers for the gateway.
    Assurance,
    /// Who answers for it, and who is called when it fails.
    Contacts,
    /// The redirect addresses are its own and exact.
    RedirectAddresses,
    /// Its client id and secret were handed over to a named person by a safe way.
    CredentialsHandedOver,
    /// The organisation's DID resolves.
    DidResolves,
    /// It verifies and issues in the development environment.
    IntegrationTest,
    /// The organisation's people have tried it.
    BusinessAcceptanceTest,
    /// Somebody independent has attacked it.
    PenetrationTest,
    /// The conformance report.
    ConformanceReport,
    /// Both sides know what happens in an incident.
    IncidentProcess,
}

impl Item {
    /// The whole list, in the order in which it is worked through.
    pub const ALL: [Self; 11] = [
        Self::OdsCode,
        Self::Assurance,
        Self::Contacts,
        Self::RedirectAddresses,
        Self::CredentialsHandedOver,
        Self::DidResolves,
        Self::IntegrationTest,
        Self::BusinessAcceptanceTest,
        Self::PenetrationTest,
        Self::ConformanceReport,
        Self::IncidentProcess,
    ];

    /// Its word, and what is settled by it.
    const fn row(self) -> (&'static str, &'static str) {
        match self {
            Self::OdsCode => ("ods-code", "The organisation's ODS code"),
            Self::Assurance => (
                "assurance",
                "Organisation and system have passed the assurance checks",
            ),
            Self::Contacts => (
                "contacts",
                "Named people for service, security and data protection",
            ),
            Self::RedirectAddresses => (
                "redirect-addresses",
                "The redirect addresses belong to the system, byte for byte",
            ),
            Self::CredentialsHandedOver => (
                "credentials-handed-over",
                "Client id and secret were handed over to a named person",
            ),
            Self::DidResolves => (
                "did-resolves",
                "The organisation's DID resolves from outside",
            ),
            Self::IntegrationTest => (
                "integration-test",
                "Verifying, issuing and revoking work in development",
            ),
            Self::BusinessAcceptanceTest => (
                "business-acceptance-test",
                "The organisation's own people have accepted it",
            ),
            Self::PenetrationTest => (
                "penetration-test",
                "A penetration test, with its findings closed",
            ),
            Self::ConformanceReport => ("conformance-report", "The conformance checker's report"),
            Self::IncidentProcess => ("incident-process", "A process for live incidents is agreed"),
        }
    }

    /// Its word in commands and in the table.
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// What is settled by it.
    pub const fn label(self) -> &'static str {
        self.row().1
    }

    /// Reads the word.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|item| item.name() == name)
    }
}

/// What shows that an item is settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// What it is and where it lies.
    pub evidence: String,
    /// The day on which it was settled.
    pub settled_on: Date,
    /// Who wrote it down here.
    pub actor: String,
}

/// The checklist of one relying party: every item, with its evidence where there is some.
pub async fn find(
    store: &Store,
    client_id: &str,
) -> Result<Vec<(Item, Option<Evidence>)>, StoreError> {
    let select = Statement::new(
        "SELECT item, evidence, settled_on, actor FROM onboarding WHERE client_id = $1",
    );
    let rows = store.read(select.bind(client_id)).await?;
    let mut list: Vec<_> = Item::ALL.map(|item| (item, None)).into();
    for row in rows {
        let name = row.text("item")?;
        let Some((_, place)) = list.iter_mut().find(|(item, _)| item.name() == name) else {
            continue;
        };
        let Ok(settled_on) = row.text("settled_on")?.parse() else {
            continue;
        };
        *place = Some(Evidence {
            evidence: row.text("evidence")?.to_owned(),
            settled_on,
            actor: row.text("actor")?.to_owned(),
        });
    }
    Ok(list)
}

/// How many items of its checklist each relying party has settled; one with none is not among them.
pub(crate) async fn count_settled(store: &Store) -> Result<HashMap<String, i64>, StoreError> {
    let select = "SELECT client_id, COUNT(*) AS settled FROM onboarding GROUP BY client_id";
    let rows = store.read(Statement::new(select)).await?;
    let counts = rows
        .iter()
        .map(|row| Ok((row.text("client_id")?.to_owned(), row.integer("settled")?)));
    counts.collect()
}

/// Takes the checklist of a relying party away that is gone, or another organisation's: it begins anew, and nobody reads
/// what the one before had settled.
pub(crate) fn forget(client_id: &str) -> Statement {
    Statement::new("DELETE FROM onboarding WHERE client_id = $1").bind(client_id)
}

/// Writes an item's evidence down, in the place of what stood there.
pub(crate) fn settle(
    client_id: &str,
    item: Item,
    (evidence, settled_on): (&str, Date),
    actor: Actor<'_>,
    now: Timestamp,
) -> Statement {
    Statement::new(
        "INSERT INTO onboarding (client_id, item, evidence, settled_on, noted_at, actor) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (client_id, item) DO UPDATE SET \
         evidence = excluded.evidence, settled_on = excluded.settled_on, noted_at = excluded.noted_at, \
         actor = excluded.actor",
    )
    .bind(client_id)
    .bind(item.name())
    .bind(evidence)
    .bind(settled_on.to_string())
    .bind(now)
    .bind(actor.to_string())
}
