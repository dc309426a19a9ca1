//! One party that issues and verifies, with a wallet before it and a clock that the test moves.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use standards::did::{Did, Document, Relationship, document::verification_method_id, web};
use standards::jose::{Algorithm, JwkSet, Signer, SoftwareKey};
use url::Url;
use wallet::{Fault, Options, Scan, Scanned, Wallet};

pub const ORGANISATION: &str = "acorn";

/// What the party remembers.
#[derive(Default)]
pub struct Memory {
    /// Pre-authorized codes and access tokens, each with what it is good for.
    pub codes: BTreeMap<String, Vec<String>>,
    pub tokens: BTreeMap<String, Vec<String>>,
    pub nonces: BTreeSet<String>,
    /// Notifications, as `event`.
    pub events: Vec<String>,
    pub issued: u64,
    pub revoked: BTreeSet<u64>,
    pub requests: BTreeMap<String, crate::verifier::Asked>,
    /// What the verifier made of each answer: disclosed claims, or the code of its refusal.
    pub verdicts: Vec<Result<BTreeSet<String>, String>>,
    pub short_links: BTreeMap<String, String>,
}

pub struct Party {
    pub base: String,
    pub did: Did,
    pub key: SoftwareKey,
    /// For a party that signs what it should not.
    pub other_key: SoftwareKey,
    pub memory: Mutex<Memory>,
    quirk: Option<Quirk>,
    now: Arc<AtomicI64>,
}

/// How a party may be made to break the rules.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Quirk {
    BindsToAnotherKey,
    SignsWithAnotherKey,
    NamesAnotherVerifier,
    ForgetsWalletNonce,
    AsksInThePast,
    NeverAnswers,
}

impl Party {
    pub fn issuer(&self) -> String {
        format!("{}/issuers/{ORGANISATION}", self.base)
    }

    pub fn kid(&self) -> String {
        verification_method_id(&self.did, self.key.public_jwk())
    }

    pub fn has(&self, quirk: Quirk) -> bool {
        self.quirk == Some(quirk)
    }

    pub fn signing_key(&self) -> &SoftwareKey {
        if self.has(Quirk::SignsWithAnotherKey) {
            &self.other_key
        } else {
            &self.key
        }
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_second(self.now.load(Ordering::SeqCst)).unwrap()
    }

    pub fn remember<T>(&self, change: impl FnOnce(&mut Memory) -> T) -> T {
        change(&mut self.memory.lock().unwrap())
    }
}

pub fn random() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// A party, a wallet with two holders, and the time.
pub struct World {
    pub party: Arc<Party>,
    pub wallet: Wallet,
    now: Arc<AtomicI64>,
    dir: PathBuf,
}

impl World {
    pub async fn start() -> Self {
        Self::of(None).await
    }

    pub async fn with(quirk: Quirk) -> Self {
        Self::of(Some(quirk)).await
    }

    async fn of(quirk: Option<Quirk>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let now = Arc::new(AtomicI64::new(1_800_000_000));
        let party = Arc::new(Party {
            did: web::from_base_url(&Url::parse(&base).unwrap(), &["issuers", ORGANISATION])
                .unwrap(),
            key: SoftwareKey::generate(Algorithm::ES256).unwrap(),
            other_key: SoftwareKey::generate(Algorithm::ES256).unwrap(),
            memory: Mutex::default(),
            quirk,
            now: now.clone(),
            base,
        });
        let router = Router::new()
            .route(&format!("/issuers/{ORGANISATION}/did.json"), get(document))
            .route(
                &format!("/.well-known/jwt-vc-issuer/issuers/{ORGANISATION}"),
                get(jwt_vc_issuer),
            )
            .merge(crate::issuer::router())
            .merge(crate::verifier::router())
            .with_state(party.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });

        let dir = std::env::temp_dir().join(format!("lanyard-wallet-it-{}", random()));
        let clock = now.clone();
        let options = Options {
            clock: Arc::new(move || Timestamp::from_second(clock.load(Ordering::SeqCst)).unwrap()),
            patience: Duration::from_secs(if quirk == Some(Quirk::NeverAnswers) {
                1
            } else {
                10
            }),
            ..Options::default()
        };
        let wallet = Wallet::open(&dir, options).unwrap();
        wallet.add_holder("amira", "Amira Nasser").unwrap();
        wallet.add_holder("ben", "Ben Okafor").unwrap();
        Self {
            party,
            wallet,
            now,
            dir,
        }
    }

    pub fn advance(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    pub async fn scan(&self, holder: &str, link: String, consent: bool) -> Scanned {
        self.wallet
            .scan(
                holder,
                Scan {
                    link,
                    consent,
                    choose: Vec::new(),
                    transaction_code: None,
                },
            )
            .await
            .unwrap()
    }

    pub async fn scan_with(&self, fault: Fault, link: String) -> Scanned {
        self.wallet.misbehave("amira", fault).unwrap();
        self.scan("amira", link, true).await
    }

    /// Issues one credential of this configuration to a holder.
    pub async fn receive(&self, holder: &str, configuration: &str) -> Scanned {
        let scanned = self
            .scan(holder, self.party.offer(&[configuration]), true)
            .await;
        assert_eq!(scanned.outcome, wallet::Outcome::Received, "{scanned}");
        scanned
    }

    pub fn events(&self) -> Vec<String> {
        self.party.remember(|memory| memory.events.clone())
    }

    pub fn verdicts(&self) -> Vec<Result<BTreeSet<String>, String>> {
        self.party.remember(|memory| memory.verdicts.clone())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

async fn document(State(party): State<Arc<Party>>) -> Json<Value> {
    let key = (party.key.public_jwk(), Relationship::ALL);
    Json(Document::build(&party.did, &[key], &[party.issuer()]))
}

async fn jwt_vc_issuer(State(party): State<Arc<Party>>) -> Json<Value> {
    let keys = JwkSet::new([party.key.public_jwk().clone()]);
    Json(json!({"issuer": party.issuer(), "jwks": keys.to_value()}))
}

/// An object from `json!`.
pub fn object(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}
