//! Whoever holds the private keys.

use std::fmt::Debug;
use std::sync::Arc;

use standards::jose::{Algorithm, Signer};

use super::{KeyError, KeyStore};

/// Where private keys are: a folder of encrypted files, or a module that never lets them out. Which key does what is not
/// known here; a key is found by its name.
///
/// What it does may take a while (opening an encrypted file does on purpose), and is not asynchronous: call it where
/// waiting hurts nobody.
pub trait KeyHolder: Debug + Send + Sync {
    /// The key of that name, ready to sign.
    fn find(&self, name: &str) -> Result<Arc<dyn Signer>, KeyError>;

    /// Makes a key unless there is one of this name; tells whether it did. Of two who do this at once one makes it.
    fn create(&self, name: &str, algorithm: Algorithm) -> Result<bool, KeyError>;

    /// Destroys the private half. One that is not there is destroyed already.
    fn destroy(&self, name: &str) -> Result<(), KeyError>;

    /// The names of the keys that are there, in order.
    fn names(&self) -> Result<Vec<String>, KeyError>;

    /// Those of them that are files of the key folder, where nobody else's keys are, in order.
    fn files(&self) -> Result<Vec<String>, KeyError>;
}

impl KeyHolder for KeyStore {
    fn find(&self, name: &str) -> Result<Arc<dyn Signer>, KeyError> {
        Ok(Arc::new(self.signing_key(name)?))
    }

    fn create(&self, name: &str, algorithm: Algorithm) -> Result<bool, KeyError> {
        self.create_missing(name, algorithm)
    }

    fn destroy(&self, name: &str) -> Result<(), KeyError> {
        self.remove(name)
    }

    fn names(&self) -> Result<Vec<String>, KeyError> {
        KeyStore::names(self)
    }

    fn files(&self) -> Result<Vec<String>, KeyError> {
        KeyStore::names(self)
    }
}
