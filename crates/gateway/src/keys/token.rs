//! Private keys in a module that never lets them out: a hardware security module, or `SoftHSM`, by PKCS #11.
//!
//! A key's label is its name. The module makes it, marked as sensitive and not extractable, and signs with it; what is read
//! is the public half. ES256 and RS256 are made there, since every module knows them; a key of another algorithm is a file.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use serde_json::json;
use standards::base64url;
use standards::jose::signer::Signing;
use standards::jose::{Algorithm, Jwk, SignError, Signer, ends_in_an_algorithm_name};
use zeroize::Zeroizing;

use super::{KeyError, KeyHolder, KeyStore};

/// P-256 as an object identifier, DER. [RFC 5480 2.1.1.1]
const P256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// The length of a new RSA key, in bits.
const RSA_BITS: u64 = 2048;
/// 65537.
const RSA_EXPONENT: [u8; 3] = [1, 0, 1];

/// Whose the token's data object is that says which environment its keys are for, and the object's name.
const APPLICATION: &str = "lanyard";
const MARK: &str = "lanyard-environment";

/// A module is initialised once in a process, and stays.
static MODULES: Mutex<Option<HashMap<PathBuf, Pkcs11>>> = Mutex::new(None);

/// Keys in a token, and beside it the folder of files: keys that were there before the token, and those that it does not make.
#[derive(Debug)]
pub struct TokenStore {
    token: Arc<Token>,
    files: KeyStore,
}

/// One token, opened.
struct Token {
    module: Pkcs11,
    slot: Slot,
    pin: AuthPin,
    /// Sessions that nobody uses at the moment; one signature at a time each.
    idle: Mutex<Vec<Session>>,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The sentences of the errors are the standard's own and quote no value.
fn fault(error: impl std::fmt::Display) -> KeyError {
    KeyError::Token(error.to_string())
}

fn module(path: &Path) -> Result<Pkcs11, KeyError> {
    let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
    let modules = modules.get_or_insert_default();
    if let Some(known) = modules.get(path) {
        return Ok(known.clone());
    }
    let module = Pkcs11::new(path).map_err(fault)?;
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => return Err(fault(error)),
    }
    modules.insert(path.to_owned(), module.clone());
    Ok(module)
}

impl TokenStore {
    /// Opens the token of that label, and logs in.
    pub fn open(
        library: &Path,
        label: &str,
        pin: &Zeroizing<String>,
        files: KeyStore,
    ) -> Result<Self, KeyError> {
        let module = module(library)?;
        let slots = module.get_slots_with_initialized_token().map_err(fault)?;
        let slot = slots.into_iter().find(|slot| {
            let info = module.get_token_info(*slot);
            info.is_ok_and(|info| info.label() == label)
        });
        let slot =
            slot.ok_or_else(|| fault(format!("there is no token with the label {label}")))?;
        let token = Token {
            module,
            slot,
            pin: AuthPin::new(pin.as_str().into()),
            idle: Mutex::default(),
        };
        token.with(|_| Ok(()))?;
        Ok(Self {
            token: Arc::new(token),
            files,
        })
    }

    /// The environments that the token's keys are for; a token without such a mark is marked with this one first. More than
    /// one only if several marked it at the same time, since a token knows no unique names.
    pub fn marked(&self, environment: &str) -> Result<Vec<String>, KeyError> {
        let marks = self.token.marks()?;
        if !marks.is_empty() {
            return Ok(marks);
        }
        let mark = [
            Attribute::Class(ObjectClass::DATA),
            Attribute::Token(true),
            // Whoever cannot use the keys neither sees nor changes whose they are.
            Attribute::Private(true),
            Attribute::Modifiable(false),
            Attribute::Application(APPLICATION.into()),
            Attribute::Label(MARK.into()),
            Attribute::Value(environment.into()),
        ];
        let made = self.token.with(|session| session.create_object(&mark));
        made.map_err(|error| match error {
            KeyError::Token(reason) => fault(format!(
                "it keeps no data object {MARK}, which says for which environment its keys are: {reason}"
            )),
            other => other,
        })?;
        self.token.marks()
    }
}

impl Token {
    /// Does something in a session. One that failed is not used again: a module may have been unplugged.
    fn with<T>(&self, act: impl FnOnce(&Session) -> Result<T, Error>) -> Result<T, KeyError> {
        let idle = self.lock().pop();
        let session = match idle {
            Some(session) => session,
            None => self.session().map_err(fault)?,
        };
        let done = act(&session).map_err(fault)?;
        self.lock().push(session);
        Ok(done)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Session>> {
        // Nothing is done while it is held but to take or put one.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn session(&self) -> Result<Session, Error> {
        let session = self.module.open_rw_session(self.slot)?;
        match session.login(UserType::User, Some(&self.pin)) {
            // All sessions of a process are logged in together.
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
            Err(error) => Err(error),
        }
    }

    /// The one object of that name and class.
    fn find(&self, name: Option<&str>, class: ObjectClass) -> Result<Vec<ObjectHandle>, KeyError> {
        let mut template = vec![Attribute::Class(class), Attribute::Token(true)];
        template.extend(name.map(|name| Attribute::Label(name.into())));
        self.with(|session| session.find_objects(&template))
    }

    /// The public half and the handle of the private one; `None` where the token has no such key.
    fn key(self: &Arc<Self>, name: &str) -> Result<Option<TokenKey>, KeyError> {
        let private = self.find(Some(name), ObjectClass::PRIVATE_KEY)?;
        let public = self.find(Some(name), ObjectClass::PUBLIC_KEY)?;
        let (private, public) = match (private.as_slice(), public.as_slice()) {
            ([], []) => return Ok(None),
            ([private], [public]) => (*private, *public),
            _ => return Err(fault(format!("the key {name} is not there exactly once"))),
        };
        let wanted = [
            AttributeType::EcPoint,
            AttributeType::Modulus,
            AttributeType::PublicExponent,
        ];
        let found = self.with(|session| session.get_attributes(public, &wanted))?;
        let (algorithm, public) =
            read(&found).ok_or_else(|| fault(format!("the key {name} is of an unknown kind")))?;
        let public = Jwk::parse(&public).map_err(fault)?;
        let mut kid = public.thumbprint();
        if ends_in_an_algorithm_name(&kid) {
            kid.push('_');
        }
        Ok(Some(TokenKey {
            token: self.clone(),
            private,
            algorithm,
            public: public
                .with_kid(kid)
                .with_alg(algorithm.as_str())
                .with_use("sig"),
        }))
    }

    /// What the marks say.
    fn marks(&self) -> Result<Vec<String>, KeyError> {
        let marks = self.find(Some(MARK), ObjectClass::DATA)?.into_iter();
        let read = marks.map(|mark| {
            let wanted = [AttributeType::Value];
            let found = self.with(|session| session.get_attributes(mark, &wanted))?;
            match found.as_slice() {
                [Attribute::Value(said)] => Ok(String::from_utf8_lossy(said).into_owned()),
                _ => Err(fault(format!("the data object {MARK} cannot be read"))),
            }
        });
        read.collect()
    }

    fn create(&self, name: &str, algorithm: Algorithm) -> Result<(), KeyError> {
        let (mechanism, kind) = match algorithm {
            Algorithm::RS256 => (
                Mechanism::RsaPkcsKeyPairGen,
                vec![
                    Attribute::ModulusBits(RSA_BITS.into()),
                    Attribute::PublicExponent(RSA_EXPONENT.into()),
                ],
            ),
            _ => (
                Mechanism::EccKeyPairGen,
                vec![Attribute::EcParams(P256.into())],
            ),
        };
        let both = [
            Attribute::Token(true),
            Attribute::Label(name.into()),
            Attribute::Id(name.into()),
        ];
        let mut public = vec![Attribute::Private(false), Attribute::Verify(true)];
        public.extend(both.clone());
        public.extend(kind);
        let mut private = vec![
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
        ];
        private.extend(both);
        self.with(|session| session.generate_key_pair(&mechanism, &public, &private))?;
        Ok(())
    }

    fn destroy(&self, name: &str) -> Result<(), KeyError> {
        for class in [ObjectClass::PRIVATE_KEY, ObjectClass::PUBLIC_KEY] {
            for object in self.find(Some(name), class)? {
                self.with(|session| session.destroy_object(object))?;
            }
        }
        Ok(())
    }

    fn names(&self) -> Result<Vec<String>, KeyError> {
        let mut names = Vec::new();
        for object in self.find(None, ObjectClass::PRIVATE_KEY)? {
            let found =
                self.with(|session| session.get_attributes(object, &[AttributeType::Label]))?;
            if let [Attribute::Label(label)] = found.as_slice() {
                names.extend(String::from_utf8(label.clone()));
            }
        }
        Ok(names)
    }
}

/// The kind of key that the public attributes are of, and the key as a JWK.
fn read(attributes: &[Attribute]) -> Option<(Algorithm, serde_json::Value)> {
    let (mut point, mut modulus, mut exponent) = (None, None, None);
    for attribute in attributes {
        match attribute {
            Attribute::EcPoint(bytes) => point = Some(bytes.as_slice()),
            Attribute::Modulus(bytes) => modulus = Some(bytes.as_slice()),
            Attribute::PublicExponent(bytes) => exponent = Some(bytes.as_slice()),
            _ => {}
        }
    }
    match (point, modulus, exponent) {
        // An OCTET STRING of 65 bytes around the point in its uncompressed form. [PKCS #11 2.3.3, SEC 1 2.3.3]
        (Some([0x04, 0x41, 0x04, both @ ..]), ..) if both.len() == 64 => {
            let (x, y) = both.split_at(32);
            let (x, y) = (base64url::encode(x), base64url::encode(y));
            let jwk = json!({"kty": "EC", "crv": "P-256", "x": x, "y": y});
            Some((Algorithm::ES256, jwk))
        }
        (_, Some(modulus), Some(exponent)) => {
            let (n, e) = (base64url::encode(modulus), base64url::encode(exponent));
            Some((Algorithm::RS256, json!({"kty": "RSA", "n": n, "e": e})))
        }
        _ => None,
    }
}

/// A key whose private half is in a token.
struct TokenKey {
    token: Arc<Token>,
    private: ObjectHandle,
    algorithm: Algorithm,
    public: Jwk,
}

impl Signer for TokenKey {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    fn public_jwk(&self) -> &Jwk {
        &self.public
    }

    fn sign<'a>(&'a self, input: &'a [u8]) -> Signing<'a> {
        let (token, private) = (self.token.clone(), self.private);
        let is_rsa = self.algorithm == Algorithm::RS256;
        let input = if is_rsa {
            input.to_vec()
        } else {
            digest::digest(&digest::SHA256, input).as_ref().to_vec()
        };
        // A module may take its time, and others are not to wait with it.
        let signing = tokio::task::spawn_blocking(move || {
            let mechanism = if is_rsa {
                Mechanism::Sha256RsaPkcs
            } else {
                // The token gives r and s side by side, as JWS has them. [PKCS #11 2.3.1, RFC 7518 3.4]
                Mechanism::Ecdsa
            };
            token.with(|session| session.sign(&mechanism, private, &input))
        });
        Box::pin(async move {
            let device = |error: &dyn std::fmt::Display| SignError::Device(error.to_string());
            let signed = signing.await.map_err(|error| device(&error))?;
            signed.map_err(|error| device(&error))
        })
    }
}

impl KeyHolder for TokenStore {
    fn find(&self, name: &str) -> Result<Arc<dyn Signer>, KeyError> {
        match self.token.key(name)? {
            Some(key) => Ok(Arc::new(key)),
            None => self.files.find(name),
        }
    }

    fn create(&self, name: &str, algorithm: Algorithm) -> Result<bool, KeyError> {
        let made_here = matches!(algorithm, Algorithm::ES256 | Algorithm::RS256);
        let is_there = self.token.key(name)?.is_some() || self.files.exists(name)?;
        match (is_there, made_here) {
            (true, _) => Ok(false),
            (false, true) => self.token.create(name, algorithm).map(|()| true),
            (false, false) => self.files.create(name, algorithm),
        }
    }

    fn destroy(&self, name: &str) -> Result<(), KeyError> {
        self.token.destroy(name)?;
        self.files.destroy(name)
    }

    fn names(&self) -> Result<Vec<String>, KeyError> {
        let mut names = self.token.names()?;
        names.extend(KeyHolder::names(&self.files)?);
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn files(&self) -> Result<Vec<String>, KeyError> {
        self.files.files()
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
