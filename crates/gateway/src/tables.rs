//! The database as a program opens it: brought to this version by whoever changes something, left as it is by whoever only
//! looks.

use store::{DatabaseUrl, InvalidDatabaseUrl, Store};

use crate::config::ConfigError;
use crate::{ComposeError, MIGRATIONS};

/// Whether somebody may bring a database's tables to this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// A start, or an act: what is there is brought to this version.
    Bring,
    /// A look: nothing is changed, and tables of another version are told.
    Look,
}

/// The database's tables are not those of this version, and whoever met them was not to change them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtherTables {
    /// The version that is there; none where there are no tables.
    pub found: Option<i64>,
    /// This program's.
    pub known: i64,
}

impl std::fmt::Display for OtherTables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let known = self.known;
        match self.found {
            None => f.write_str(
                "the database has no tables of a gateway yet: its first start makes them (`lanyard gateway --check` does, too)",
            ),
            Some(found) if found > known => write!(
                f,
                "the database's tables are those of version {found}, and this program knows {known}: a newer version has been \
                 here; use that one"
            ),
            Some(found) => write!(
                f,
                "the database's tables are those of version {found}, and this program's are of {known}: the next start brings \
                 them up (`lanyard gateway --check` does, too); until then look with the version that wrote them"
            ),
        }
    }
}

impl std::error::Error for OtherTables {}

/// Opens the database at this address.
pub(crate) async fn open(address: &str, opening: Opening) -> Result<Store, ComposeError> {
    let address = parsed(address)?;
    if opening == Opening::Bring {
        return Ok(Store::open(&address, &[MIGRATIONS]).await?);
    }
    let (found, known) = (
        MIGRATIONS.find_version(&address).await?,
        MIGRATIONS.version(),
    );
    if found != Some(known) {
        return Err(OtherTables { found, known }.into());
    }
    Ok(Store::open(&address, &[]).await?)
}

/// The same for what reads alike in every version: the tables may be another's, and stay as they are.
pub(crate) async fn open_as_it_is(address: &str) -> Result<Store, ComposeError> {
    Ok(Store::open(&parsed(address)?, &[]).await?)
}

fn parsed(address: &str) -> Result<DatabaseUrl, ConfigError> {
    let address = address.parse();
    address.map_err(|error: InvalidDatabaseUrl| ConfigError::value("database", error.to_string()))
}

/// The gateway's database at this address, for commands that work beside running gateways. Its tables are brought to this
/// version.
pub async fn open_store(address: &str) -> Result<Store, ComposeError> {
    open(address, Opening::Bring).await
}

/// The same for commands that only look: the database stays as it is.
pub async fn look_into_store(address: &str) -> Result<Store, ComposeError> {
    open(address, Opening::Look).await
}

impl From<OtherTables> for ComposeError {
    fn from(tables: OtherTables) -> Self {
        Self::Tables(tables)
    }
}
