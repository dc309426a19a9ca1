//! Which database: `sqlite:PATH` or a plain path, or `postgres://…`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use tokio_postgres::config::{Host, SslMode};

/// Connections that one gateway process keeps to PostgreSQL, unless the address says `pool_size`.
const POOL_SIZE: usize = 16;

/// The address of a database, parsed.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file of this machine.
    Sqlite(PathBuf),
    /// A PostgreSQL server, or a pgbouncer in front of it.
    Postgres(Box<PostgresOptions>),
}

/// What a `postgres://` address says.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresOptions {
    pub(super) config: tokio_postgres::Config,
    pub(super) tls: Tls,
    pub(super) pool_size: usize,
}

/// How the connection is protected. There is no *encrypted but unverified*: it stops no attacker who can answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tls {
    /// `sslmode=disable`.
    Off,
    /// `sslmode=verify-full` against the machine's certificate authorities.
    Platform,
    /// `sslmode=verify-full` against the authorities in this PEM file (`sslrootcert`).
    Roots(PathBuf),
}

/// Why an address is not one of a database. The address itself is not repeated: it may hold a password.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidDatabaseUrl {
    /// Nothing, or nothing after `sqlite:`.
    #[error("the database address is empty: write a file path, `sqlite:PATH` or `postgres://…`")]
    Empty,
    /// A URL of another kind.
    #[error(
        "`{0}` databases are not supported: write a file path, `sqlite:PATH` or `postgres://…`"
    )]
    Scheme(String),
    /// `:memory:`, which each connection would see as a database of its own.
    #[error("an in-memory SQLite database is not supported: name a file")]
    InMemory,
    /// libpq knows modes that encrypt without checking who answers, or fall back to plain text.
    #[error(
        "`sslmode={0}` is not supported: write `verify-full`, or `disable` on a network you trust"
    )]
    SslMode(String),
    /// `pool_size` is not a number from 1 to 1000.
    #[error("`pool_size` must be a number from 1 to 1000")]
    PoolSize,
    /// No host, or an option that the driver does not know.
    #[error("the PostgreSQL address cannot be used: {0}")]
    Postgres(String),
}

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return PostgresOptions::parse(text).map(|options| Self::Postgres(Box::new(options)));
        }
        let path = if let Some(path) = text.strip_prefix("sqlite:") {
            path.strip_prefix("//").unwrap_or(path)
        } else if let Some(scheme) = scheme_of(text) {
            return Err(InvalidDatabaseUrl::Scheme(scheme.to_owned()));
        } else {
            text
        };
        match path {
            "" => Err(InvalidDatabaseUrl::Empty),
            ":memory:" => Err(InvalidDatabaseUrl::InMemory),
            path => Ok(Self::Sqlite(path.into())),
        }
    }
}

/// What stands before the first colon, where that reads as the name of a kind of database. One letter is a drive.
fn scheme_of(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let is_one = scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_one.then_some(scheme)
}

impl PostgresOptions {
    /// `sslmode`, `sslrootcert` (libpq's words) and `pool_size` are ours; the driver reads the rest.
    fn parse(text: &str) -> Result<Self, InvalidDatabaseUrl> {
        let (address, query) = text.split_once('?').unwrap_or((text, ""));
        let (mut mode, mut roots, mut pool_size) = (None, None, POOL_SIZE);
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let decoded = url::form_urlencoded::parse(pair.as_bytes()).next();
            let (key, value) = decoded.unwrap_or_default();
            match &*key {
                "sslmode" => mode = Some(value.into_owned()),
                "sslrootcert" => roots = Some(PathBuf::from(&*value)),
                "pool_size" => {
                    pool_size = value
                        .parse()
                        .ok()
                        .filter(|size| (1..=1000).contains(size))
                        .ok_or(InvalidDatabaseUrl::PoolSize)?;
                }
                _ => rest.push(pair),
            }
        }
        let mut config: tokio_postgres::Config = if rest.is_empty() {
            address.to_owned()
        } else {
            format!("{address}?{}", rest.join("&"))
        }
        .parse()
        .map_err(|error: tokio_postgres::Error| InvalidDatabaseUrl::Postgres(error.to_string()))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(InvalidDatabaseUrl::Postgres("it names no host".to_owned()));
        }
        let verified = || roots.clone().map_or(Tls::Platform, Tls::Roots);
        let tls = match mode.as_deref() {
            Some("disable") => Tls::Off,
            Some("verify-full") => verified(),
            Some(other) => return Err(InvalidDatabaseUrl::SslMode(other.to_owned())),
            // Off the machine, silence must not mean plain text.
            None if roots.is_some() || !is_on_this_machine(&config) => verified(),
            None => Tls::Off,
        };
        config.ssl_mode(if tls == Tls::Off {
            SslMode::Disable
        } else {
            SslMode::Require
        });
        Ok(Self {
            config,
            tls,
            pool_size,
        })
    }
}

fn is_on_this_machine(config: &tokio_postgres::Config) -> bool {
    let hosts = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1"),
        #[cfg(unix)]
        Host::Unix(_) => true,
    });
    hosts
        && config
            .get_hostaddrs()
            .iter()
            .all(std::net::IpAddr::is_loopback)
}

/// Names the file, or the server and database; never the user or the password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(options) => {
                f.write_str("postgres://")?;
                for (index, host) in options.config.get_hosts().iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { "," })?;
                    match host {
                        Host::Tcp(name) => f.write_str(name)?,
                        #[cfg(unix)]
                        Host::Unix(path) => write!(f, "{}", path.display())?,
                    }
                }
                write!(f, "/{}", options.config.get_dbname().unwrap_or_default())
            }
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("tls", &self.tls)
            .field("pool_size", &self.pool_size)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn postgres(text: &str) -> PostgresOptions {
        match text.parse().unwrap() {
            DatabaseUrl::Postgres(options) => *options,
            DatabaseUrl::Sqlite(_) => panic!("{text} is read as a file"),
        }
    }

    #[test]
    fn a_file_may_be_written_three_ways() {
        for text in ["sqlite:/data/g.db", "sqlite:///data/g.db", "/data/g.db"] {
            assert_eq!(text.parse(), Ok(DatabaseUrl::Sqlite("/data/g.db".into())));
        }
        assert_eq!("g.db".parse(), Ok(DatabaseUrl::Sqlite("g.db".into())));
    }

    #[test]
    fn what_is_no_database_is_refused_with_its_cause() {
        for (text, expected) in [
            ("", InvalidDatabaseUrl::Empty),
            ("sqlite:", InvalidDatabaseUrl::Empty),
            ("sqlite::memory:", InvalidDatabaseUrl::InMemory),
            (
                "mysql://h/d",
                InvalidDatabaseUrl::Scheme("mysql".to_owned()),
            ),
            // Without its slashes it is no file either.
            (
                "mysql:/data/g.db",
                InvalidDatabaseUrl::Scheme("mysql".to_owned()),
            ),
            (
                "postgres://u@db/d?sslmode=require",
                InvalidDatabaseUrl::SslMode("require".to_owned()),
            ),
            (
                "postgres://u@db/d?sslmode=prefer",
                InvalidDatabaseUrl::SslMode("prefer".to_owned()),
            ),
            (
                "postgres://u@db/d?pool_size=0",
                InvalidDatabaseUrl::PoolSize,
            ),
        ] {
            assert_eq!(text.parse::<DatabaseUrl>(), Err(expected), "{text}");
        }
        assert!("postgres:///d".parse::<DatabaseUrl>().is_err());
        assert!("postgres://db/d?colour=red".parse::<DatabaseUrl>().is_err());
    }

    #[test]
    fn off_the_machine_the_server_is_verified_unless_told_otherwise() {
        for (text, tls) in [
            ("postgres://u:p@localhost/d", Tls::Off),
            ("postgres://u:p@127.0.0.1:5433/d", Tls::Off),
            ("postgres://u@%2Fvar%2Frun%2Fpostgresql/d", Tls::Off),
            ("postgres://u:p@db.internal/d", Tls::Platform),
            ("postgres://u:p@localhost,db.internal/d", Tls::Platform),
            ("postgres://u:p@db.internal/d?sslmode=disable", Tls::Off),
            (
                "postgres://u:p@localhost/d?sslmode=verify-full",
                Tls::Platform,
            ),
            (
                "postgres://u:p@db/d?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem",
                Tls::Roots("/etc/ca.pem".into()),
            ),
        ] {
            assert_eq!(postgres(text).tls, tls, "{text}");
        }
        assert_eq!(postgres("postgresql://u@db/d?pool_size=4").pool_size, 4);
        let both = postgres("postgres://u@db/d?connect_timeout=3&sslmode=disable");
        assert_eq!(both.config.get_connect_timeout().unwrap().as_secs(), 3);
    }

    #[test]
    fn neither_form_prints_the_password() {
        let url: DatabaseUrl = "postgres://gate:hunter2@db.internal/lanyard"
            .parse()
            .unwrap();
        assert_eq!(url.to_string(), "postgres://db.internal/lanyard");
        let DatabaseUrl::Postgres(options) = &url else {
            panic!()
        };
        for shown in [format!("{url:?}"), format!("{options:?}")] {
            assert!(!shown.contains("hunter2") && !shown.contains("gate"));
        }
    }
}
