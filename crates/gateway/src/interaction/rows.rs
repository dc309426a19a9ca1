//! Interactions in the database: found by the one secret that each caller holds, advanced by version.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::{
    Code, CredentialTypes, Digest, Interaction, Outcome, Private, Purpose, Refusal, Stage, Via,
};
use crate::seal::Seal;
use store::{Row, Statement, Store, StoreError};

/// The table of interactions.
#[derive(Clone)]
pub struct Interactions {
    pub(super) store: Store,
    seal: Seal,
    /// The clients that are told of events.
    pub(super) listeners: Arc<HashSet<String>>,
}

/// Why an interaction could not be advanced.
#[allow(missing_docs)]
#[derive(Debug, thiserror::Error)]
pub enum AdvanceError {
    /// Another process or request took a step first: read again and decide again.
    #[error("the interaction has moved on")]
    Overtaken,
    /// A value that must be unique stands already, in the statement of that number after the interaction's own.
    #[error("a value that must be unique stands already")]
    Duplicate { statement: usize },
    /// The database did not answer as it should.
    #[error(transparent)]
    Store(StoreError),
}

const COLUMNS: &str = "id, version, organisation, client_id, purpose, credential_type, reference, stage, stage_at, \
    outcome, bound_to, link, link_here, request_digest, browser_digest, response_digest, released, code_digest, \
    code_expires_at, serial_number, created_at, expires_at, sealed, short_code";

impl Interactions {
    /// The table in that store; personal values go through `seal`. The clients among `listeners` are told what a step
    /// brings, in the batch that makes it.
    pub fn new(store: Store, seal: Seal, listeners: Arc<HashSet<String>>) -> Self {
        Self {
            store,
            seal,
            listeners,
        }
    }

    /// Keeps a new interaction.
    pub async fn insert(&self, interaction: &Interaction) -> Result<(), StoreError> {
        let sql = format!(
            "INSERT INTO interactions ({COLUMNS}, state_digest) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, \
             $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)"
        );
        let statement = Statement::new(sql)
            .bind(interaction.id.as_str())
            .bind(interaction.version);
        let statement = statement
            .bind(interaction.organisation.as_str())
            .bind(interaction.client_id.as_str())
            .bind(interaction.purpose.name())
            .bind(interaction.credential_types.to_string())
            .bind(interaction.reference.as_str());
        let state = interaction
            .private
            .as_ref()
            .and_then(|private| private.request.state.as_deref());
        let state = state.map(|state| self.seal.digest_of_chosen(&interaction.client_id, state));
        let statement = self.bind_changing(statement, interaction)?.bind(state);
        self.store.write([statement]).await.map(drop)
    }

    /// Makes one step durable, together with `also`, if nobody has taken another step since it was read.
    pub async fn advance(
        &self,
        interaction: &mut Interaction,
        also: Vec<Statement>,
    ) -> Result<(), AdvanceError> {
        // The list of assignments repeats the order of `bind_changing`.
        let update = Statement::new(
            "UPDATE interactions SET version = version + 1, stage = $1, stage_at = $2, outcome = $3, bound_to = $4, \
             link = $5, link_here = $6, request_digest = $7, browser_digest = $8, response_digest = $9, \
             released = $10, code_digest = $11, code_expires_at = $12, serial_number = $13, created_at = $14, \
             expires_at = $15, sealed = $16, short_code = $17 WHERE id = $18 AND version = $19",
        );
        let update = self
            .bind_changing(update, interaction)
            .map_err(AdvanceError::Store)?;
        let update = update
            .bind(interaction.id.as_str())
            .bind(interaction.version)
            .must_change(1);
        let outcome = interaction.stage.outcome();
        let at = match interaction.stage {
            Stage::Finished { at, .. } => at,
            _ => interaction.created_at,
        };
        let news = self.news(&interaction.told(), outcome, at);
        let batch = std::iter::once(update).chain(also).chain(news);
        match self.store.write(batch).await {
            Ok(_) => {
                interaction.version += 1;
                interaction.recorded = outcome;
                Ok(())
            }
            Err(StoreError::Unmet { statement: 0 }) => Err(AdvanceError::Overtaken),
            Err(StoreError::Duplicate { statement } | StoreError::Unmet { statement })
                if statement > 0 =>
            {
                Err(AdvanceError::Duplicate {
                    statement: statement - 1,
                })
            }
            Err(error) => Err(AdvanceError::Store(error)),
        }
    }

    /// By the page's address.
    pub async fn find(&self, id: &str) -> Result<Option<Interaction>, StoreError> {
        if !is_token(id) {
            return Ok(None);
        }
        self.one("id = $1", &[id]).await
    }

    /// By either of the wallet's links.
    pub async fn find_by_link(&self, link: &str) -> Result<Option<Interaction>, StoreError> {
        if !is_token(link) {
            return Ok(None);
        }
        self.one("link = $1 OR link_here = $2", &[link, link]).await
    }

    /// By the short code, in the form in which it is kept.
    pub async fn find_by_short_code(&self, code: &str) -> Result<Option<Interaction>, StoreError> {
        self.one("short_code = $1", &[code]).await
    }

    /// By what the relying party pushed.
    pub async fn find_pushed(&self, request: &Digest) -> Result<Option<Interaction>, StoreError> {
        self.one("request_digest = $1", &[&request.0]).await
    }

    /// The newest of one browser for one authorize address.
    pub async fn find_opened(
        &self,
        request: &Digest,
        browser: &Digest,
    ) -> Result<Option<Interaction>, StoreError> {
        let condition = "request_digest = $1 AND browser_digest = $2 ORDER BY created_at DESC, expires_at DESC LIMIT 1";
        self.one(condition, &[&request.0, &browser.0]).await
    }

    /// By the response code of a same-device wallet.
    pub async fn find_by_response(
        &self,
        response: &Digest,
    ) -> Result<Option<Interaction>, StoreError> {
        self.one("response_digest = $1", &[&response.0]).await
    }

    /// By the authorization code.
    pub async fn find_by_code(&self, code: &Digest) -> Result<Option<Interaction>, StoreError> {
        self.one("code_digest = $1", &[&code.0]).await
    }

    /// Deletes the traces of what ended before that time.
    pub async fn delete_before(&self, before: Timestamp) -> Result<(), StoreError> {
        let sql = "DELETE FROM interactions WHERE expires_at < $1 AND sealed IS NULL";
        self.store
            .write([Statement::new(sql).bind(before.as_second())])
            .await
            .map(drop)
    }

    async fn one(
        &self,
        condition: &str,
        values: &[&str],
    ) -> Result<Option<Interaction>, StoreError> {
        let select = Statement::new(format!(
            "SELECT {COLUMNS} FROM interactions WHERE {condition}"
        ));
        let select = values
            .iter()
            .fold(select, |select, value| select.bind(*value));
        self.store
            .read_one(select)
            .await?
            .map(|row| self.read(&row))
            .transpose()
    }

    /// Binds, in one order for insert and update, every column that a step may change.
    fn bind_changing(
        &self,
        statement: Statement,
        interaction: &Interaction,
    ) -> Result<Statement, StoreError> {
        let (stage, at, outcome, via) = stage_columns(&interaction.stage, interaction.created_at);
        let sealed = interaction
            .private
            .as_ref()
            .map(|private| self.seal_private(&interaction.id, private))
            .transpose()?;
        Ok(statement
            .bind(stage)
            .bind(at.as_second())
            .bind(outcome)
            .bind(via)
            .bind(interaction.link.as_str())
            .bind(interaction.link_here.as_str())
            .bind(interaction.request_digest.0.as_str())
            .bind(interaction.browser.as_ref().map(|digest| digest.0.as_str()))
            .bind(
                interaction
                    .response
                    .as_ref()
                    .map(|digest| digest.0.as_str()),
            )
            .bind(i64::from(interaction.released))
            .bind(interaction.code.as_ref().map(|code| code.digest.0.as_str()))
            .bind(
                interaction
                    .code
                    .as_ref()
                    .map(|code| code.expires_at.as_second()),
            )
            .bind(interaction.serial_number.map(|serial| serial.to_string()))
            .bind(interaction.created_at.as_second())
            .bind(interaction.expires_at.as_second())
            .bind(sealed)
            .bind(interaction.short_code.as_deref()))
    }

    fn seal_private(&self, id: &str, private: &Private) -> Result<Vec<u8>, StoreError> {
        let text = zeroize::Zeroizing::new(serde_json::to_vec(private).map_err(|_| unreadable())?);
        self.seal.seal(&place(id), &text).map_err(|_| unreadable())
    }

    fn read(&self, row: &Row) -> Result<Interaction, StoreError> {
        let id = row.text("id")?.to_owned();
        let digest = |column| {
            Ok::<_, StoreError>(
                row.optional_text(column)?
                    .map(|text| Digest(text.to_owned())),
            )
        };
        let private = match row.optional_blob("sealed")? {
            None => None,
            Some(sealed) => {
                let text = zeroize::Zeroizing::new(
                    self.seal
                        .open(&place(&id), sealed)
                        .map_err(|_| unreadable())?,
                );
                Some(serde_json::from_slice(&text).map_err(|_| unreadable())?)
            }
        };
        let code = match (
            digest("code_digest")?,
            row.optional_timestamp("code_expires_at")?,
        ) {
            (Some(digest), Some(expires_at)) => Some(Code { digest, expires_at }),
            _ => None,
        };
        let serial_number = serial_number(row)?;
        let stage = read_stage(row)?;
        Ok(Interaction {
            version: row.integer("version")?,
            recorded: stage.outcome(),
            organisation: row.text("organisation")?.to_owned(),
            client_id: row.text("client_id")?.to_owned(),
            purpose: purpose(row)?,
            credential_types: credential_types(row)?,
            reference: row.text("reference")?.to_owned(),
            stage,
            link: row.text("link")?.to_owned(),
            link_here: row.text("link_here")?.to_owned(),
            short_code: row.optional_text("short_code")?.map(str::to_owned),
            request_digest: Digest(row.text("request_digest")?.to_owned()),
            browser: digest("browser_digest")?,
            response: digest("response_digest")?,
            released: row.boolean("released")?,
            code,
            serial_number,
            created_at: row.timestamp("created_at")?,
            expires_at: row.timestamp("expires_at")?,
            private,
            id,
        })
    }
}

/// Whether a text from an address can be an id of ours: 22 characters of base64url. Nothing else is looked up.
fn is_token(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    text.len() == 22 && text.bytes().all(plain)
}

pub(super) fn serial_number(row: &Row) -> Result<Option<Uuid>, StoreError> {
    let text = row.optional_text("serial_number")?;
    text.map(Uuid::parse_str)
        .transpose()
        .map_err(|_| unreadable())
}

/// Ties a sealed value to its row, so that one row's cannot be moved to another.
fn place(id: &str) -> String {
    format!("interactions/{id}")
}

/// What an interaction or an event is about.
pub fn credential_types(row: &Row) -> Result<CredentialTypes, StoreError> {
    let none = || StoreError::Corrupt("a row names no credential type".into());
    CredentialTypes::parse(row.text("credential_type")?).ok_or_else(none)
}

fn unreadable() -> StoreError {
    StoreError::Corrupt(
        "a sealed value of an interaction cannot be read with the storage secrets in use".into(),
    )
}

/// The purpose of a row that has the column.
pub fn purpose(row: &Row) -> Result<Purpose, StoreError> {
    Ok(match row.text("purpose")? {
        "issue" => Purpose::Issue,
        _ => Purpose::Verify,
    })
}

type StageColumns = (
    &'static str,
    Timestamp,
    Option<&'static str>,
    Option<&'static str>,
);

fn stage_columns(stage: &Stage, created_at: Timestamp) -> StageColumns {
    let (at, outcome, via) = match stage {
        Stage::Pushed | Stage::Waiting => (created_at, None, None),
        Stage::Scanned { at, via } => (*at, None, Some(via_name(*via))),
        Stage::Issued { at } => (*at, None, None),
        Stage::Finished { at, outcome } | Stage::Collected { at, outcome } => {
            (*at, Some(outcome.name()), None)
        }
    };
    (stage.name(), at, outcome, via)
}

fn via_name(via: Via) -> &'static str {
    match via {
        Via::AnotherDevice => "another-device",
        Via::ThisDevice => "this-device",
    }
}

/// The stage of a row that has the columns `stage`, `stage_at`, `outcome` and `bound_to`.
pub fn read_stage(row: &Row) -> Result<Stage, StoreError> {
    let at = row.timestamp("stage_at")?;
    let outcome = || match row.text("outcome")? {
        "verified" => Ok(Outcome::Verified),
        "issued" => Ok(Outcome::Issued),
        code => Refusal::parse(code)
            .map(Outcome::Refused)
            .ok_or_else(unreadable),
    };
    let via = match row.optional_text("bound_to")? {
        Some("this-device") => Via::ThisDevice,
        _ => Via::AnotherDevice,
    };
    match row.text("stage")? {
        "pushed" => Ok(Stage::Pushed),
        "waiting" => Ok(Stage::Waiting),
        "scanned" => Ok(Stage::Scanned { at, via }),
        "issued" => Ok(Stage::Issued { at }),
        "finished" => Ok(Stage::Finished {
            at,
            outcome: outcome()?,
        }),
        "collected" => Ok(Stage::Collected {
            at,
            outcome: outcome()?,
        }),
        _ => Err(StoreError::Corrupt(
            "an interaction is at a stage that this version does not know".into(),
        )),
    }
}
