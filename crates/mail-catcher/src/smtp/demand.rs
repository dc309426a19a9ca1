//! A mail server that takes mail only after STARTTLS [RFC 3207] and AUTH [RFC 4954], as those of real organisations do.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// Who may send.
#[derive(Clone, PartialEq, Eq)]
pub enum Login {
    /// By PLAIN [RFC 4616].
    Password {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// By XOAUTH2, as Exchange Online and Gmail have it.
    AccessToken {
        /// The mailbox.
        user: String,
        /// The token that is good at present.
        token: String,
    },
}

// Secrets, if only of tests.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(…)")
    }
}

/// What is demanded of a sender: TLS, and one of these log-ins. Clones share the log-ins.
#[derive(Clone)]
pub struct Demand {
    tls: TlsAcceptor,
    logins: Arc<Mutex<Vec<Login>>>,
}

impl Demand {
    /// With this certificate, its chain and its key, as PEM.
    pub fn new(chain: &str, key: &str, logins: Vec<Login>) -> io::Result<Self> {
        let unfit = |error: &dyn fmt::Display| io::Error::other(error.to_string());
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(chain.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|error| unfit(&error))?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| unfit(&error))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unfit(&error))?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| unfit(&error))?;
        Ok(Self {
            tls: TlsAcceptor::from(Arc::new(config)),
            logins: Arc::new(Mutex::new(logins)),
        })
    }

    /// From now on these may send, and no others.
    pub fn let_in(&self, logins: Vec<Login>) {
        *self.lock() = logins;
    }

    pub(super) fn tls(&self) -> &TlsAcceptor {
        &self.tls
    }

    /// Whether this answer to AUTH is somebody's who may send.
    pub(super) fn knows(&self, mechanism: Mechanism, answer: &str) -> bool {
        let answer = STANDARD.decode(answer).ok();
        let answer = answer.and_then(|answer| String::from_utf8(answer).ok());
        let Some(answer) = answer else {
            return false;
        };
        let wanted = |login: &Login| match (login, mechanism) {
            (Login::Password { user, password }, Mechanism::Plain) => {
                let parts: Vec<&str> = answer.split('\0').collect();
                matches!(parts[..], [_, name, secret] if name == user && secret == password)
            }
            (Login::AccessToken { user, token }, Mechanism::Xoauth2) => {
                answer == format!("user={user}\x01auth=Bearer {token}\x01\x01")
            }
            _ => false,
        };
        self.lock().iter().any(wanted)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Login>> {
        self.logins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Demand(…)")
    }
}

/// How a sender says who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mechanism {
    Plain,
    Xoauth2,
}

impl Mechanism {
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_uppercase().as_str() {
            "PLAIN" => Some(Self::Plain),
            "XOAUTH2" => Some(Self::Xoauth2),
            _ => None,
        }
    }
}
