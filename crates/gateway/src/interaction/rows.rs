//! Interactions in the database: found by the one secret that each caller holds, advanced by version.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::columns::Columns;
use super::{
    Code, CredentialTypes, Digest, Interaction, Outcome, Private, Purpose, Redeemed, Refusal,
    Stage, Times, Via, steps,
};
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::seal::Seal;
use store::{Row, Statement, Store, StoreError, Value};

/// The table of interactions.
#[derive(Clone)]
pub struct Interactions {
    pub(super) store: Store,
    seal: Seal,
    /// The clients that are told of events.
    pub(super) listeners: Arc<HashSet<String>>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) limits: Arc<Limits>,
}

/// An interaction as it stands, without what is personal or secret: to be looked at. No step can be taken from it.
pub struct Glance(pub(super) Interaction);

impl Glance {
    /// What there is to see.
    pub fn interaction(&self) -> &Interaction {
        &self.0
    }

    /// [`Interaction::is_overtaken_by_time`].
    pub fn is_overtaken_by_time(&self, now: Timestamp) -> bool {
        self.0.is_overtaken_by_time(now)
    }
}

/// An interaction whose link somebody followed.
pub enum Followed {
    /// With what is personal.
    Opened(Interaction),
    /// To be looked at.
    Seen(Glance),
}

/// Why an interaction could not be advanced.
#[allow(missing_docs)]
#[derive(Debug, thiserror::Error)]
pub enum AdvanceError {
    /// Another process or request took a step first: read again and decide again.
    #[error("the interaction has moved on")]
    Overtaken,
    /// The statement of that number after the interaction's own was turned down: its value stands already, or its
    /// condition did not hold.
    #[error("what belongs to the step could not be kept with it")]
    TurnedDown { statement: usize },
    /// The database did not answer as it should.
    #[error(transparent)]
    Store(StoreError),
}

/// All but the sealed values.
const COLUMNS: &str = "id, version, organisation, client_id, purpose, credential_type, reference, stage, stage_at, \
    outcome, bound_to, link, link_here, request_digest, browser_digest, response_digest, released, code_digest, \
    code_expires_at, serial_number, scanned_at, answered_at, created_at, expires_at, short_code, \
    code_redirect_digest, code_challenge, vouched, wallet_came";

impl Interactions {
    /// The table in that store; personal values go through `seal`. The clients among `listeners` are told what a step
    /// brings, in the batch that makes it.
    pub fn new(
        store: Store,
        seal: Seal,
        listeners: Arc<HashSet<String>>,
        metrics: Arc<Metrics>,
        limits: Arc<Limits>,
    ) -> Self {
        Self {
            store,
            seal,
            listeners,
            metrics,
            limits,
        }
    }

    /// Keeps a new interaction.
    pub async fn insert(&self, interaction: &Interaction) -> Result<(), StoreError> {
        let state = interaction
            .private
            .as_ref()
            .and_then(|private| private.request.state.as_deref());
        let state = state.map(|state| self.seal.digest_of_chosen(&interaction.client_id, state));
        let mut row: Vec<(&str, Value)> = vec![
            ("id", interaction.id.as_str().into()),
            ("version", interaction.version.into()),
            ("organisation", interaction.organisation.as_str().into()),
            ("client_id", interaction.client_id.as_str().into()),
            ("purpose", interaction.purpose.name().into()),
            (
                "credential_type",
                interaction.credential_types.to_string().into(),
            ),
            ("reference", interaction.reference.as_str().into()),
            ("state_digest", state.into()),
            ("vouched", interaction.vouched.into()),
        ];
        row.extend(self.changes(interaction, &Columns::of(interaction)?, None)?);
        let names: Vec<&str> = row.iter().map(|(name, _)| *name).collect();
        let places: Vec<String> = (1..=row.len()).map(|at| format!("${at}")).collect();
        let insert = Statement::new(format!(
            "INSERT INTO interactions ({}) VALUES ({})",
            names.join(", "),
            places.join(", ")
        ));
        let insert = row
            .into_iter()
            .fold(insert, |insert, (_, value)| insert.bind(value));
        self.store.write([insert]).await?;
        self.count_begun(interaction);
        Ok(())
    }

    /// Makes one step durable, together with `also`, if nobody has taken another step since it was read.
    pub async fn advance(
        &self,
        interaction: &mut Interaction,
        also: Vec<Statement>,
    ) -> Result<(), AdvanceError> {
        let columns = Columns::of(interaction).map_err(AdvanceError::Store)?;
        let update = self
            .update(interaction, &columns)
            .map_err(AdvanceError::Store)?;
        let outcome = interaction.stage.outcome();
        let at = match interaction.stage {
            Stage::Finished { at, .. } => at,
            _ => interaction.created_at,
        };
        let news = self.news(&interaction.told(), outcome, at);
        let past = steps::inserted(&interaction.id, &interaction.times.past);
        let batch = std::iter::once(update).chain(also).chain(news).chain(past);
        match self.store.write(batch).await {
            Ok(_) => {
                self.count_step(interaction);
                interaction.times.past.clear();
                interaction.version += 1;
                interaction.recorded = outcome;
                interaction.stored = Some(Arc::new(columns));
                Ok(())
            }
            Err(StoreError::Unmet { statement: 0 }) => Err(AdvanceError::Overtaken),
            Err(StoreError::Duplicate { statement } | StoreError::Unmet { statement })
                if statement > 0 =>
            {
                Err(AdvanceError::TurnedDown {
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

    /// By the page's address, without opening what is sealed: every waiting page asks every few seconds.
    pub async fn glance(&self, id: &str) -> Result<Option<Glance>, StoreError> {
        if !is_token(id) {
            return Ok(None);
        }
        self.seen("id = $1", &[id]).await
    }

    /// By either of the wallet's links.
    pub async fn find_by_link(&self, link: &str) -> Result<Option<Interaction>, StoreError> {
        if !is_token(link) {
            return Ok(None);
        }
        self.one("link = $1 OR link_here = $2", &[link, link]).await
    }

    /// The same, and what is sealed is opened where its organisation needs that: who follows the QR code's link is only sent on.
    pub async fn follow_link(
        &self,
        link: &str,
        opens: impl FnOnce(&str) -> bool,
    ) -> Result<Option<Followed>, StoreError> {
        if !is_token(link) {
            return Ok(None);
        }
        let condition = "link = $1 OR link_here = $2";
        let Some(row) = self.row("sealed", condition, &[link, link]).await? else {
            return Ok(None);
        };
        Ok(Some(if opens(row.text("organisation")?) {
            Followed::Opened(self.read(&row)?)
        } else {
            Followed::Seen(Glance(read_open(&row, None)?))
        }))
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

    async fn one(
        &self,
        condition: &str,
        values: &[&str],
    ) -> Result<Option<Interaction>, StoreError> {
        let row = self.row("sealed", condition, values).await?;
        row.map(|row| self.read(&row)).transpose()
    }

    async fn seen(&self, condition: &str, values: &[&str]) -> Result<Option<Glance>, StoreError> {
        let row = self.row("NULL AS sealed", condition, values).await?;
        row.map(|row| read_open(&row, None).map(Glance)).transpose()
    }

    async fn row(
        &self,
        sealed: &str,
        condition: &str,
        values: &[&str],
    ) -> Result<Option<Row>, StoreError> {
        let select = Statement::new(format!(
            "SELECT {COLUMNS}, {sealed} FROM interactions WHERE {condition}"
        ));
        let select = values
            .iter()
            .fold(select, |select, value| select.bind(*value));
        self.store.read_one(select).await
    }

    /// The update of one step, if the row is still as it was read.
    fn update(
        &self,
        interaction: &Interaction,
        columns: &Columns,
    ) -> Result<Statement, StoreError> {
        let changes = self.changes(interaction, columns, interaction.stored.as_deref())?;
        let mut sql = "UPDATE interactions SET version = version + 1".to_owned();
        for (at, (name, _)) in (1..).zip(&changes) {
            let _ = write!(sql, ", {name} = ${at}");
        }
        let (id, version) = (changes.len() + 1, changes.len() + 2);
        let _ = write!(sql, " WHERE id = ${id} AND version = ${version}");
        let update = Statement::new(sql);
        let update = changes
            .into_iter()
            .fold(update, |update, (_, value)| update.bind(value));
        let update = update
            .bind(interaction.id.as_str())
            .bind(interaction.version);
        Ok(update.must_change(1))
    }

    /// The columns that are to be written, the private values sealed.
    fn changes(
        &self,
        interaction: &Interaction,
        columns: &Columns,
        before: Option<&Columns>,
    ) -> Result<Vec<(&'static str, Value)>, StoreError> {
        let mut changes = columns.changed_since(before);
        if columns.has_other_private_than(before) {
            let seal = |text| self.seal.seal(&place(&interaction.id), text);
            let sealed = columns.private().map(seal).transpose();
            let sealed = sealed.map_err(|_| unreadable())?;
            changes.push(("sealed", sealed.into()));
        }
        Ok(changes)
    }

    fn read(&self, row: &Row) -> Result<Interaction, StoreError> {
        let opened = row.optional_blob("sealed")?.map(|sealed| {
            let opened = self.seal.open(&place(row.text("id")?), sealed);
            opened.map_err(|_| unreadable())
        });
        let opened = opened.transpose()?;
        let private: Option<Private> = opened
            .as_ref()
            .map(|text| serde_json::from_slice(text).map_err(|_| unreadable()))
            .transpose()?;
        let began = private.as_ref().and_then(|it| it.trace.as_deref());
        if let Some(began) = began.and_then(traces::Parent::parse) {
            traces::goes_on_from(began);
        }
        let mut interaction = read_open(row, private)?;
        interaction.stored = Some(Arc::new(Columns::with(&interaction, opened)));
        Ok(interaction)
    }
}

/// All but the sealed values, which are given; no step can be taken from it yet.
fn read_open(row: &Row, private: Option<Private>) -> Result<Interaction, StoreError> {
    let digest = |column| {
        Ok::<_, StoreError>(
            row.optional_text(column)?
                .map(|text| Digest(text.to_owned())),
        )
    };
    let challenge = row.optional_text("code_challenge")?.map(str::to_owned);
    let redeemed = digest("code_redirect_digest")?.map(|redirect_uri| Redeemed {
        redirect_uri,
        challenge,
    });
    let code = match (
        digest("code_digest")?,
        row.optional_timestamp("code_expires_at")?,
    ) {
        (Some(digest), Some(expires_at)) => Some(Code {
            digest,
            expires_at,
            redeemed,
        }),
        _ => None,
    };
    let stage = read_stage(row)?;
    Ok(Interaction {
        id: row.text("id")?.to_owned(),
        version: row.integer("version")?,
        stored: None,
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
        vouched: row.boolean("vouched")?,
        wallet_came: row.boolean("wallet_came")?,
        request_digest: Digest(row.text("request_digest")?.to_owned()),
        browser: digest("browser_digest")?,
        response: digest("response_digest")?,
        released: row.boolean("released")?,
        code,
        serial_number: serial_number(row)?,
        times: Times {
            scanned: row.optional_timestamp("scanned_at")?,
            answered: row.optional_timestamp("answered_at")?,
            past: Vec::new(),
        },
        created_at: row.timestamp("created_at")?,
        expires_at: row.timestamp("expires_at")?,
        private,
    })
}

/// Whether a text from an address can be an id of ours: 22 characters of base64url. Nothing else is looked up.
pub(super) fn is_token(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    text.len() == 22 && text.bytes().all(plain)
}

pub(super) fn serial_number(row: &Row) -> Result<Option<Uuid>, StoreError> {
    let text = row.optional_text("serial_number")?;
    text.map(Uuid::parse_str)
        .transpose()
        .map_err(|_| StoreError::Corrupt("a row names a serial number that is no UUID".into()))
}

/// Ties a sealed value to its row, so that one row's cannot be moved to another.
pub(super) fn place(id: &str) -> String {
    format!("interactions/{id}")
}

/// What an interaction or an event is about.
pub fn credential_types(row: &Row) -> Result<CredentialTypes, StoreError> {
    let none = || StoreError::Corrupt("a row names no credential type".into());
    CredentialTypes::parse(row.text("credential_type")?).ok_or_else(none)
}

pub(super) fn unreadable() -> StoreError {
    StoreError::Corrupt(
        "a sealed value of an interaction cannot be read with the storage secrets in use".into(),
    )
}

/// The purpose of a row that has the column.
pub fn purpose(row: &Row) -> Result<Purpose, StoreError> {
    match row.text("purpose")? {
        "verify" => Ok(Purpose::Verify),
        "issue" => Ok(Purpose::Issue),
        _ => Err(StoreError::Corrupt(
            "a row has a purpose that this version does not know".into(),
        )),
    }
}

pub(super) type StageColumns = (
    &'static str,
    Timestamp,
    Option<&'static str>,
    Option<&'static str>,
);

pub(super) fn stage_columns(stage: &Stage, created_at: Timestamp) -> StageColumns {
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
        code => Refusal::parse(code).map(Outcome::Refused).ok_or_else(|| {
            StoreError::Corrupt(
                "an interaction ended in a way that this version does not know".into(),
            )
        }),
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
