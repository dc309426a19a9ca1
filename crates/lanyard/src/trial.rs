//! Whether a gateway could start with a configuration, found out without changing anything: not even the version of the
//! database's tables, which another program may be using.

use std::path::PathBuf;

use anyhow::Context as _;
use gateway::{ComposeError, Config, Gateway, OtherTables, Surroundings};

/// A gateway that was composed to be looked at.
pub(crate) struct Trial {
    pub(crate) gateway: Gateway,
    /// Where the empty database is that stands in for the configured one.
    empty: Option<Folder>,
}

/// Composes the gateway of this configuration on its own database, if that has the tables of this version. If not, `goes_on` is
/// told of them, and says whether to compose it on an empty one, as if on its first start.
///
/// # Errors
///
/// What stops a start; the tables, if `goes_on` would not.
pub(crate) async fn of(
    config: &Config,
    goes_on: impl FnOnce(OtherTables) -> bool,
) -> anyhow::Result<Trial> {
    match Gateway::look(config, Surroundings::production()).await {
        Err(ComposeError::Tables(tables)) => {
            anyhow::ensure!(goes_on(tables), tables);
            let empty = Folder::new()?;
            let elsewhere = Config {
                database: format!("sqlite:{}", empty.0.join("empty.db").display()),
                ..config.clone()
            };
            Ok(Trial {
                gateway: Gateway::compose(&elsewhere, Surroundings::production()).await?,
                empty: Some(empty),
            })
        }
        looked => Ok(Trial {
            gateway: looked?,
            empty: None,
        }),
    }
}

impl Trial {
    /// Whether it is composed on the configured database: otherwise nothing is registered in it.
    pub(crate) fn is_on_its_database(&self) -> bool {
        self.empty.is_none()
    }

    /// Closes the database.
    pub(crate) async fn close(self) {
        self.gateway.close().await;
    }
}

/// A folder of its own, gone with this.
struct Folder(PathBuf);

impl Folder {
    fn new() -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("lanyard-trial-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).with_context(|| folder.display().to_string())?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
