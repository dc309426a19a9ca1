//! PostgreSQL: a pool of connections, every statement sent as text with its values.
//!
//! Written for pgbouncer in transaction mode: nothing is left on a connection between transactions, so statements
//! are never prepared by name. A batch is one pipelined transaction, `BEGIN` and all statements in one round trip,
//! `COMMIT` in a second one once the conditions are seen to hold.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use deadpool_postgres::{Client, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use futures_util::TryStreamExt;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_postgres::error::{DbError, Severity, SqlState};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Error, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::url::{PostgresOptions, Tls};
use crate::{Migrations, Outcome, Row, Statement, StoreError, Value, migrate};

/// How long a connection, or a place in the pool, is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long one attempt at a batch or a read may take before its connection is given up.
const DEADLINE: Duration = Duration::from_secs(20);
/// Attempts at what is known to have had no effect: a stale connection, a deadlock.
const ATTEMPTS: usize = 3;

pub(super) struct Postgres {
    pool: Pool,
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postgres").finish_non_exhaustive()
    }
}

impl Postgres {
    pub(super) async fn open(
        options: &PostgresOptions,
        parties: &[Migrations],
    ) -> Result<Self, StoreError> {
        let store = Self {
            pool: pool(options, "lanyard", options.pool_size)?,
        };
        migrate::postgres(&mut connection(&store.pool).await?, parties).await?;
        Ok(store)
    }

    /// On a task of its own: a caller that goes away must not leave a transaction open on a pooled connection.
    pub(super) async fn write(&self, batch: Vec<Statement>) -> Result<Vec<Outcome>, StoreError> {
        let pool = self.pool.clone();
        tokio::spawn(async move { write(&pool, &batch).await })
            .await
            .unwrap_or_else(|_| Err(StoreError::Uncertain("the task was stopped".to_owned())))
    }

    pub(super) async fn read(&self, statement: &Statement) -> Result<Vec<Row>, StoreError> {
        let mut attempt = 1;
        loop {
            let client = connection(&self.pool).await?;
            let error = match tokio::time::timeout(DEADLINE, run(&client, statement)).await {
                Ok(Ok(outcome)) => return outcome.map(|outcome| outcome.rows),
                Ok(Err(error)) => error,
                Err(_) => {
                    drop(Object::take(client));
                    return Err(StoreError::Unavailable("no answer in time".to_owned()));
                }
            };
            if !left_nothing(&error, &client) || attempt == ATTEMPTS {
                return Err(explain(&error, 0));
            }
            discard(&self.pool, client);
            attempt += 1;
        }
    }

    pub(super) async fn close(&self) {
        // Refuses new callers at once; those that hold a connection finish first.
        self.pool.close();
        let gone = async {
            while self.pool.status().size > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let _ = tokio::time::timeout(DEADLINE, gone).await;
    }
}

/// Connects when one is first needed. `name` is what the server lists us under, unless the address says.
pub(crate) fn pool(options: &PostgresOptions, name: &str, size: usize) -> Result<Pool, StoreError> {
    let mut config = options.config.clone();
    if config.get_application_name().is_none() {
        config.application_name(name);
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(PATIENCE);
    }
    config.tcp_user_timeout(DEADLINE);
    // Fast: look whether the connection is known to be closed, send nothing.
    let recycling = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    let manager = match &options.tls {
        Tls::Off => Manager::from_config(config, NoTls, recycling),
        Tls::Platform => Manager::from_config(config, tls(None)?, recycling),
        Tls::Roots(file) => Manager::from_config(config, tls(Some(file))?, recycling),
    };
    Pool::builder(manager)
        .max_size(size)
        .runtime(Runtime::Tokio1)
        .timeouts(deadpool_postgres::Timeouts {
            wait: Some(PATIENCE),
            create: Some(PATIENCE * 2),
            recycle: Some(PATIENCE),
        })
        .build()
        .map_err(|error| StoreError::Unavailable(error.to_string()))
}

/// One `SELECT` in somebody else's database, over a connection that is closed again: the server refuses what would write.
pub(super) async fn read_once(
    options: &PostgresOptions,
    statement: &Statement,
) -> Result<Vec<Row>, StoreError> {
    let pool = pool(options, "lanyard", 1)?;
    // Never given back: it is closed with whatever was begun on it.
    let client = Object::take(connection(&pool).await?);
    let read = async {
        client
            .batch_execute("BEGIN TRANSACTION READ ONLY")
            .await
            .map_err(|error| explain(&error, 0))?;
        run(&client, statement)
            .await
            .map_err(|error| explain(&error, 0))?
    };
    let read = tokio::time::timeout(DEADLINE, read).await;
    let outcome = read.map_err(|_| StoreError::Unavailable("no answer in time".to_owned()))??;
    let _ = client.batch_execute("ROLLBACK").await;
    Ok(outcome.rows)
}

pub(crate) async fn connection(pool: &Pool) -> Result<Client, StoreError> {
    use deadpool_postgres::PoolError;
    pool.get().await.map_err(|error| match error {
        PoolError::Closed => StoreError::Closed,
        PoolError::Backend(error) => StoreError::Unavailable(cause(&error)),
        other => StoreError::Unavailable(other.to_string()),
    })
}

/// A connection that broke is seldom the only one (the server went down, another took over), and the others may not
/// have been told yet: the next attempt is to be made on a new one.
fn discard(pool: &Pool, broken: Client) {
    drop(Object::take(broken));
    pool.retain(|_, _| false);
}

async fn write(pool: &Pool, batch: &[Statement]) -> Result<Vec<Outcome>, StoreError> {
    let mut attempt = 1;
    loop {
        let client = connection(pool).await?;
        let tried = tokio::time::timeout(DEADLINE, attempt_at(&client, batch)).await;
        let Ok(tried) = tried else {
            drop(Object::take(client));
            return Err(StoreError::Uncertain("no answer in time".to_owned()));
        };
        let failure = match tried {
            Ok(outcomes) => return Ok(outcomes),
            Err(failure) => failure,
        };
        if client.is_closed() || failure.spoils_connection {
            discard(pool, client);
        }
        if !failure.may_be_tried_again || attempt == ATTEMPTS {
            return Err(failure.error);
        }
        attempt += 1;
    }
}

struct Failure {
    error: StoreError,
    may_be_tried_again: bool,
    spoils_connection: bool,
}

async fn attempt_at(client: &Client, batch: &[Statement]) -> Result<Vec<Outcome>, Failure> {
    match batch {
        // One statement is a transaction by itself: a single round trip.
        [statement] if !statement.is_conditional() => {
            let result = run(client, statement).await;
            let outcome = result.map_err(|error| failed_in_commit(&error, 0))?;
            Ok(vec![outcome.map_err(refused)?])
        }
        _ => in_transaction(client, batch).await,
    }
}

async fn in_transaction(client: &Client, batch: &[Statement]) -> Result<Vec<Outcome>, Failure> {
    // READ COMMITTED whatever the server's default: an update that had to wait for another looks at its condition anew.
    let mut answers = in_order(
        std::iter::once(Box::pin(async {
            let begun = client
                .batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED")
                .await;
            begun.map(|()| Ok(Outcome::default()))
        }) as Pending<'_>)
        .chain(
            batch
                .iter()
                .map(|statement| Box::pin(run(client, statement)) as Pending<'_>),
        )
        .collect(),
    )
    .await
    .into_iter();
    let begun = answers.next().transpose();
    let checked = begun
        .map_err(|error| failed_before_commit(&error, 0, client))
        .and_then(|_| {
            let mut outcomes = Vec::with_capacity(batch.len());
            for (index, (statement, answer)) in batch.iter().zip(answers).enumerate() {
                let outcome = answer
                    .map_err(|error| failed_before_commit(&error, index, client))?
                    .map_err(refused)?;
                if !statement.is_met_by(outcome.changed) {
                    return Err(refused(StoreError::Unmet { statement: index }));
                }
                outcomes.push(outcome);
            }
            Ok(outcomes)
        });
    match checked {
        Ok(outcomes) => {
            let committed = client.batch_execute("COMMIT").await;
            committed.map_err(|error| failed_in_commit(&error, batch.len() - 1))?;
            Ok(outcomes)
        }
        Err(mut failure) => {
            let undone = client.batch_execute("ROLLBACK").await;
            failure.spoils_connection |= undone.is_err();
            Err(failure)
        }
    }
}

pub(crate) type Answer = Result<Result<Outcome, StoreError>, Error>;
type Pending<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// Awaits all together. The driver queues a request when its future is first polled, so polling them in this order
/// is what puts them on the wire in this order.
async fn in_order(pending: Vec<Pending<'_>>) -> Vec<Answer> {
    let mut pending: Vec<_> = pending.into_iter().map(Some).collect();
    let mut answers: Vec<Option<Answer>> = pending.iter().map(|_| None).collect();
    std::future::poll_fn(move |context| {
        for (future, answer) in pending.iter_mut().zip(&mut answers) {
            if let Some(waiting) = future
                && let Poll::Ready(ready) = waiting.as_mut().poll(context)
            {
                *answer = Some(ready);
                *future = None;
            }
        }
        if pending.iter().any(Option::is_some) {
            return Poll::Pending;
        }
        Poll::Ready(answers.iter_mut().filter_map(Option::take).collect())
    })
    .await
}

/// The outer error is the server's or the connection's, the inner one ours: a column of a kind that we do not keep.
pub(crate) async fn run(client: &tokio_postgres::Client, statement: &Statement) -> Answer {
    const NULL: Option<&str> = None;
    let values = statement
        .values()
        .iter()
        .map(|value| -> (&(dyn ToSql + Sync), Type) {
            match value {
                // Of no type: the server infers it from the column.
                Value::Null => (&NULL, Type::UNKNOWN),
                Value::Integer(integer) => (integer, Type::INT8),
                Value::Text(text) => (text, Type::TEXT),
                Value::Blob(blob) => (blob, Type::BYTEA),
            }
        });
    let stream = client.query_typed_raw(statement.sql(), values).await?;
    let mut stream = std::pin::pin!(stream);
    let mut rows = Vec::new();
    let mut columns: Option<Arc<[String]>> = None;
    let mut odd = None;
    while let Some(found) = stream.try_next().await? {
        let columns = columns.get_or_insert_with(|| {
            let names = found
                .columns()
                .iter()
                .map(|column| column.name().to_owned());
            names.collect()
        });
        let values = (0..columns.len())
            .map(|index| owned(&found, index))
            .collect();
        match values {
            Ok(values) => rows.push(Row::new(Arc::clone(columns), values)),
            Err(error) => odd = Some(error),
        }
    }
    let affected = stream.rows_affected().unwrap_or_default();
    Ok(match odd {
        Some(error) => Err(error),
        None => Ok(Outcome {
            changed: if columns.is_some() {
                rows.len() as u64
            } else {
                affected
            },
            rows,
        }),
    })
}

pub(crate) fn owned(row: &tokio_postgres::Row, index: usize) -> Result<Value, StoreError> {
    let column = &row.columns()[index];
    let value = match *column.type_() {
        Type::INT8 => row.try_get::<_, Option<i64>>(index).map(Value::from),
        Type::INT4 => row.try_get::<_, Option<i32>>(index).map(Value::from),
        Type::BOOL => row.try_get::<_, Option<bool>>(index).map(Value::from),
        Type::TEXT | Type::VARCHAR | Type::NAME => {
            row.try_get::<_, Option<String>>(index).map(Value::from)
        }
        Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(index).map(Value::from),
        _ => {
            return Err(StoreError::Column {
                column: column.name().to_owned(),
                wanted: "null, integer, text or blob",
            });
        }
    };
    value.map_err(|error| StoreError::Corrupt(error.to_string()))
}

fn refused(error: StoreError) -> Failure {
    Failure {
        error,
        may_be_tried_again: false,
        spoils_connection: false,
    }
}

/// Until `COMMIT` is sent, a transaction that breaks off has had no effect.
fn failed_before_commit(error: &Error, statement: usize, client: &Client) -> Failure {
    let lost = left_nothing(error, client);
    Failure {
        error: explain(error, statement),
        may_be_tried_again: lost,
        spoils_connection: lost && !is_conflict(error),
    }
}

/// Once it is sent, only an error that leaves the connection standing says that nothing was kept. One that ends it
/// may come after the commit, while a standby is waited for.
fn failed_in_commit(error: &Error, statement: usize) -> Failure {
    let definite = error
        .as_db_error()
        .is_some_and(|error| error.parsed_severity() == Some(Severity::Error));
    Failure {
        error: if definite {
            explain(error, statement)
        } else {
            StoreError::Uncertain(cause(error))
        },
        may_be_tried_again: definite && is_conflict(error),
        spoils_connection: !definite,
    }
}

/// Two transactions in each other's way, one of them undone by the server.
fn is_conflict(error: &Error) -> bool {
    matches!(
        error.code(),
        Some(&SqlState::T_R_DEADLOCK_DETECTED | &SqlState::T_R_SERIALIZATION_FAILURE)
    )
}

/// A connection that broke, a server going down or no longer the primary, or a conflict: for what was not yet being
/// committed, a reason to try again on another connection.
fn left_nothing(error: &Error, client: &Client) -> bool {
    match error.as_db_error() {
        None => error.is_closed() || client.is_closed(),
        Some(db) => {
            is_conflict(error)
                || matches!(
                    *db.code(),
                    SqlState::ADMIN_SHUTDOWN
                        | SqlState::CRASH_SHUTDOWN
                        | SqlState::CANNOT_CONNECT_NOW
                        | SqlState::READ_ONLY_SQL_TRANSACTION
                )
        }
    }
}

pub(crate) fn explain(error: &Error, statement: usize) -> StoreError {
    let Some(db) = error.as_db_error() else {
        // The driver refuses a value before it sends it, for instance a text with a zero byte.
        return if error.is_closed() {
            StoreError::Unavailable(cause(error))
        } else {
            StoreError::Rejected {
                statement,
                reason: cause(error),
            }
        };
    };
    let code = db.code();
    match &code.code()[..2] {
        _ if *code == SqlState::UNIQUE_VIOLATION => StoreError::Duplicate { statement },
        _ if *code == SqlState::PROTOCOL_VIOLATION => StoreError::Rejected {
            statement,
            reason: told(db),
        },
        _ if *code == SqlState::READ_ONLY_SQL_TRANSACTION => StoreError::Unavailable(told(db)),
        "23" => StoreError::Constraint { statement },
        "08" | "40" | "53" | "55" | "57" | "58" => StoreError::Unavailable(told(db)),
        "XX" => StoreError::Corrupt(told(db)),
        // 22, a value that does not fit: the text would quote it.
        "22" => StoreError::Rejected {
            statement,
            reason: code.code().to_owned(),
        },
        _ => StoreError::Rejected {
            statement,
            reason: told(db),
        },
    }
}

/// The message without its detail and hint, which quote rows.
fn told(error: &DbError) -> String {
    format!("{}: {}", error.code().code(), error.message())
}

fn cause(error: &Error) -> String {
    match error.as_db_error() {
        Some(db) => told(db),
        None => std::error::Error::source(error)
            .map_or_else(|| error.to_string(), |source| format!("{error}: {source}")),
    }
}

/// Verifies the server's certificate and its name, against the machine's authorities or those in a file.
fn tls(roots: Option<&std::path::Path>) -> Result<MakeRustlsConnect, StoreError> {
    let unusable = |error: &dyn std::fmt::Display| {
        StoreError::Unavailable(format!("TLS to the database cannot be set up: {error}"))
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&error))?;
    let builder = match roots {
        None => builder
            .with_platform_verifier()
            .map_err(|error| unusable(&error))?,
        Some(file) => {
            let mut store = rustls::RootCertStore::empty();
            let found = CertificateDer::pem_file_iter(file)
                .map_err(|error| unusable(&format!("{}: {error}", file.display())))?;
            for certificate in found {
                let certificate = certificate.map_err(|error| unusable(&error))?;
                store.add(certificate).map_err(|error| unusable(&error))?;
            }
            if store.is_empty() {
                return Err(unusable(&format!("no certificate in {}", file.display())));
            }
            builder.with_root_certificates(store)
        }
    };
    Ok(MakeRustlsConnect::new(builder.with_no_client_auth()))
}
