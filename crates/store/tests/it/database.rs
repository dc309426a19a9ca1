//! A fresh database for each test, on either engine.

use std::path::PathBuf;

use store::{DatabaseUrl, Store};
use tokio_postgres::NoTls;

/// Names the PostgreSQL server on which tests make their databases; the user in it may create them.
pub(crate) const VARIABLE: &str = "LANYARD_TEST_POSTGRES";

/// A database that is gone when the test is.
pub(crate) struct Database {
    url: DatabaseUrl,
    place: Place,
}

enum Place {
    Folder(PathBuf),
    Server { admin: String, name: String },
    Elsewhere(String),
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        let folder = std::env::temp_dir().join(format!("lanyard-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        Self {
            url: DatabaseUrl::Sqlite(folder.join("test.db")),
            place: Place::Folder(folder),
        }
    }

    /// `None`, with a word about it, where no server is named.
    pub(crate) async fn postgres() -> Option<Self> {
        let Ok(admin) = std::env::var(VARIABLE) else {
            println!("skipped on PostgreSQL: {VARIABLE} is not set");
            return None;
        };
        let name = format!("lanyard_{}", uuid::Uuid::new_v4().simple());
        run(&admin, &format!("CREATE DATABASE {name}"))
            .await
            .unwrap();
        let mut url: url::Url = admin.parse().unwrap();
        url.set_path(&name);
        Some(Self {
            url: url.as_str().parse().unwrap(),
            place: Place::Server { admin, name },
        })
    }

    /// Somebody else's, who sees to it that it goes.
    pub(crate) fn at(address: String) -> Self {
        Self {
            url: address.parse().unwrap(),
            place: Place::Elsewhere(address),
        }
    }

    pub(crate) fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// The address as a configuration file writes it.
    pub(crate) fn address(&self) -> String {
        match &self.place {
            Place::Folder(folder) => format!("sqlite:{}", folder.join("test.db").display()),
            Place::Server { admin, name } => {
                let mut url: url::Url = admin.parse().unwrap();
                url.set_path(name);
                url.to_string()
            }
            Place::Elsewhere(address) => address.clone(),
        }
    }

    /// Opens it as it is.
    pub(crate) async fn open(&self) -> Store {
        Store::open(&self.url, &[]).await.unwrap()
    }
}

async fn run(server: &str, sql: &str) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(server, NoTls).await?;
    let connection = tokio::spawn(connection);
    let result = client.batch_execute(sql).await;
    drop(client);
    let _ = connection.await;
    result
}

impl Drop for Database {
    fn drop(&mut self) {
        match &self.place {
            Place::Elsewhere(_) => {}
            Place::Folder(folder) => {
                let _ = std::fs::remove_dir_all(folder);
            }
            Place::Server { admin, name } => {
                let (admin, sql) = (admin.clone(), format!("DROP DATABASE {name} WITH (FORCE)"));
                // The test's own runtime cannot wait inside a drop.
                let dropped = std::thread::spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread()
                        .enable_all()
                        .build()
                        .unwrap();
                    let _ = runtime.block_on(run(&admin, &sql));
                });
                let _ = dropped.join();
            }
        }
    }
}

/// Makes of each `async fn name(database: Database)` two tests, `sqlite::name` and `postgres::name`.
macro_rules! on_both_engines {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::database::Database::sqlite()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(database) = $crate::database::Database::postgres().await {
                    super::$name(database).await;
                }
            })+
        }
    };
}
pub(crate) use on_both_engines;
