//! An issuer elsewhere: a web server of its own with keys and a status list, and a gateway that trusts it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use gateway::config::TrustConfig;
use gateway::{Config, Gateway, Surroundings};
use jiff::SignedDuration;
use serde_json::{Map, Value, json};
use standards::did::{Did, Document, Relationship};
use standards::jose::{Algorithm, JwkSet, Signer, SoftwareKey};
use standards::status_list::{self, Bits, Status, StatusList, StatusListToken, StatusReference};
use standards::vc::{Validity, jwt_vc_json};

use crate::raw_wallet::{RawWallet, Requested, Waiting, post_to, read};
use crate::scenes::TYPE;
use crate::world::{Answer, World, client, programme, serve};

/// How slow the issuer's web server is, in milliseconds.
pub(crate) static DELAY: AtomicU64 = AtomicU64::new(0);

type Pages = Arc<Mutex<HashMap<String, String>>>;

/// An issuer with a web server of its own, and a gateway that trusts it.
pub(crate) struct Abroad {
    pub(crate) world: World,
    pub(crate) base: String,
    /// Where it says that its list is.
    pub(crate) list: String,
    pub(crate) did: Did,
    pub(crate) key: SoftwareKey,
    pub(crate) wallet: RawWallet,
    pub(crate) pages: Pages,
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
    pub(crate) paused: AtomicI64,
    pub(crate) trusting: String,
    pub(crate) servers: Vec<tokio::task::JoinHandle<()>>,
}

impl Drop for Abroad {
    fn drop(&mut self) {
        self.servers.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

fn listener() -> (std::net::TcpListener, String) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let base = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    (listener, base)
}

async fn page(
    State((pages, asked)): State<(Pages, Arc<Mutex<Vec<String>>>)>,
    uri: Uri,
) -> (StatusCode, String) {
    asked.lock().unwrap().push(uri.path().to_owned());
    tokio::time::sleep(Duration::from_millis(DELAY.load(Ordering::SeqCst))).await;
    match pages.lock().unwrap().get(uri.path()) {
        Some(text) => (StatusCode::OK, text.clone()),
        None => (StatusCode::NOT_FOUND, String::new()),
    }
}

impl Abroad {
    pub(crate) async fn start() -> Self {
        Self::start_changed(|_| ()).await
    }

    /// One whose gateway has another configuration.
    pub(crate) async fn start_changed(change: impl FnOnce(&mut Config)) -> Self {
        let world = World::start().await;
        let (pages, asked) = (Pages::default(), Arc::<Mutex<Vec<String>>>::default());
        let (issuer_listener, base) = listener();
        let did = standards::did::web::from_base_url(&base.parse().unwrap(), &["them"]).unwrap();
        let router = axum::Router::new()
            .fallback(page)
            .with_state((pages.clone(), asked.clone()));
        let issuer_listener = tokio::net::TcpListener::from_std(issuer_listener).unwrap();
        let issuer =
            tokio::spawn(async move { axum::serve(issuer_listener, router).await.unwrap() });

        let mut config = world.config.clone();
        let issuers = vec![did.to_string(), format!("{base}/issuer")];
        config.organisations[0].trust.push(TrustConfig {
            credential_type: TYPE.into(),
            issuers,
        });
        change(&mut config);
        let by_number = base.replace("localhost", "127.0.0.1");
        let surroundings = Surroundings {
            clock: world.clock.clone(),
            sandbox: true,
            http_origins: [&base, &by_number].map(|one| one.parse().unwrap()).to_vec(),
            ..Surroundings::production()
        };
        let gateway = Gateway::compose(&config, surroundings).await.unwrap();
        let (gateway_listener, trusting) = listener();
        let servers = vec![issuer, serve(gateway_listener, &gateway)];

        let key = SoftwareKey::generate(Algorithm::ES256).unwrap();
        let abroad = Self {
            world,
            list: format!("{base}/list"),
            base,
            did,
            key,
            wallet: RawWallet::new(),
            pages,
            asked,
            paused: AtomicI64::new(0),
            trusting,
            servers,
        };
        abroad.publish_keys(&[&abroad.key]);
        abroad.publish_list(&abroad.key, |_| ()).await;
        abroad
    }

    pub(crate) fn put(&self, path: &str, text: String) {
        self.pages.lock().unwrap().insert(path.to_owned(), text);
    }

    pub(crate) fn fetches(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// What could not be had is asked for again: later by so many seconds, and never earlier than before.
    pub(crate) fn later(&self, seconds: i64) {
        let by = self.paused.fetch_add(seconds, Ordering::SeqCst) + seconds;
        self.world.later(SignedDuration::from_secs(by));
    }

    pub(crate) fn publish_keys(&self, keys: &[&SoftwareKey]) {
        let keys: Vec<_> = keys.iter().map(|key| key.public_jwk().clone()).collect();
        let named: Vec<_> = keys.iter().map(|key| (key, Relationship::ALL)).collect();
        self.put(
            "/them/did.json",
            Document::build(&self.did, &named, &[]).to_string(),
        );
        let issuer = format!("{}/issuer", self.base);
        let metadata = json!({"issuer": issuer, "jwks": JwkSet::new(keys).to_value()});
        self.put("/.well-known/jwt-vc-issuer/issuer", metadata.to_string());
    }

    pub(crate) async fn publish_list(
        &self,
        key: &SoftwareKey,
        change: impl FnOnce(&mut StatusListToken),
    ) {
        let mut list = StatusList::new(Bits::Two, 64);
        list.set(5, Status::Invalid).unwrap();
        list.set(6, Status::Suspended).unwrap();
        let mut token = StatusListToken {
            uri: self.list.clone(),
            issuer: None,
            issued_at: self.world.now(),
            expires_at: None,
            ttl: Some(30),
            list,
        };
        change(&mut token);
        self.put(
            "/list",
            status_list::sign(key, &self.kid(key), &token)
                .await
                .unwrap(),
        );
    }

    pub(crate) fn kid(&self, key: &SoftwareKey) -> String {
        format!("{}#{}", self.did, key.public_jwk().kid().unwrap())
    }

    pub(crate) async fn credential(&self, index: u64) -> String {
        self.credential_of(index, programme()).await
    }

    pub(crate) async fn credential_of(&self, index: u64, claims: Map<String, Value>) -> String {
        let credential = jwt_vc_json::Credential {
            issuer: self.did.to_string(),
            subject: Some(self.wallet.did()),
            id: None,
            types: vec![TYPE.into()],
            credential_subject: claims,
            validity: Validity {
                issued_at: Some(self.world.now()),
                ..Validity::default()
            },
            status: Some(StatusReference {
                index,
                uri: self.list.clone(),
            }),
            status_entries: Vec::new(),
            schema: None,
            confirmation: None,
        };
        credential
            .sign(&self.key, &self.kid(&self.key))
            .await
            .unwrap()
    }

    /// The request as the gateway that trusts the issuer gives it.
    pub(crate) async fn asked(&self) -> Requested {
        let waiting = Waiting::to_verify(&self.world, TYPE).await;
        let address = crate::raw_wallet::request_address(&waiting.link()).await;
        Requested::parse(
            &read(client().get(address.replace(&self.world.base, &self.trusting))).await,
        )
    }

    pub(crate) async fn post(&self, requested: &Requested, form: String) -> Answer {
        post_to(
            &requested
                .text_of("response_uri")
                .replace(&self.world.base, &self.trusting),
            form,
        )
        .await
    }

    pub(crate) async fn present(&self, credential: &str) -> Answer {
        let requested = self.asked().await;
        let token = self
            .wallet
            .present_w3c(credential, &requested, self.world.now())
            .await;
        self.post(&requested, requested.answer(token)).await
    }
}
