//! A world whose keys change while two processes run.

use std::sync::Arc;

use gateway::keys::acts::{ActError, Change};
use gateway::keys::rows::KeyRow;
use gateway::keys::{KeyPurpose, State};
use gateway::{Gateway, KeyDesk, Surroundings};
use serde_json::Value;
use standards::jose::{Signer, jws};

use crate::database::Database;
use crate::raw_wallet::{RawWallet, Waiting, read, refusal, request};
use crate::world::{Answer, World, client, serve};

/// A world, a second process on its database, and the operator's desk beside them.
pub(crate) struct KeyStage {
    pub(crate) world: World,
    pub(crate) second: Gateway,
    pub(crate) desk: KeyDesk,
    second_base: String,
    server: tokio::task::JoinHandle<()>,
}

pub(crate) async fn desk(world: &World) -> KeyDesk {
    let surroundings = Surroundings {
        clock: world.clock.clone(),
        sandbox: true,
        ..Surroundings::production()
    };
    KeyDesk::open(&world.config, surroundings).await.unwrap()
}

impl KeyStage {
    pub(crate) async fn set(database: Database) -> Self {
        let world = World::start_on(database).await;
        let second = world.second_process().await;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let second_base = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let server = serve(listener, &second);
        let desk = desk(&world).await;
        Self {
            world,
            second,
            desk,
            second_base,
            server,
        }
    }

    /// The same address at the second process.
    pub(crate) fn second(&self, address: &str) -> String {
        address.replace(&self.world.base, &self.second_base)
    }

    /// Both processes look once.
    pub(crate) async fn both_follow(&self) {
        self.world.gateway.follow_once().await.unwrap();
        self.second.follow_once().await.unwrap();
    }

    pub(crate) fn key(&self, purpose: KeyPurpose) -> Arc<dyn Signer> {
        self.world.key(purpose)
    }

    pub(crate) fn key_of_gateway(&self, purpose: KeyPurpose) -> Arc<dyn Signer> {
        let app = self.world.gateway.app();
        app.keys.id_token(purpose).unwrap().clone()
    }

    pub(crate) async fn row(&self, kid: &str) -> KeyRow {
        let rows = self.desk.list().await.unwrap();
        rows.into_iter().find(|row| row.kid == kid).unwrap()
    }

    pub(crate) async fn state(&self, kid: &str) -> State {
        self.row(kid).await.state
    }

    /// A wallet with a credential of Anytown's.
    pub(crate) async fn holder(&self, suffix: &str) -> (RawWallet, String) {
        let wallet = RawWallet::new();
        let link = Waiting::to_issue(&self.world, "v2").await.link();
        let card = wallet.receive(&self.world, &link, suffix).await;
        (wallet, card)
    }

    /// Shows a W3C credential, to the first process or to the second.
    pub(crate) async fn shown(&self, wallet: &RawWallet, card: &str, at_second: bool) -> Answer {
        let waiting = Waiting::to_verify(&self.world, "TrainingProgramme").await;
        let requested = request(&waiting.link()).await;
        let now = self.world.now();
        let presented = wallet.present_w3c(card, &requested, now).await;
        let mut address = requested.text_of("response_uri");
        if at_second {
            address = self.second(&address);
        }
        crate::raw_wallet::post_to(&address, requested.answer(presented)).await
    }

    pub(crate) async fn verifies(&self, wallet: &RawWallet, card: &str) {
        for at_second in [false, true] {
            let answer = self.shown(wallet, card, at_second).await;
            assert_eq!(answer.status.as_u16(), 200, "{at_second}: {}", answer.body);
        }
    }

    pub(crate) async fn is_refused(&self, wallet: &RawWallet, card: &str) {
        for at_second in [false, true] {
            let answer = self.shown(wallet, card, at_second).await;
            let expected = (400, "invalid_request", "signature-invalid");
            assert_eq!(refusal(&answer), expected, "{at_second}");
        }
    }

    /// Whether each published document of that purpose names the key.
    pub(crate) async fn published(&self, purpose: KeyPurpose, kid: &str) -> Vec<bool> {
        let documents: &[&str] = match purpose {
            KeyPurpose::IdTokenRs256 => &["/jwks", "/v2.0/.well-known/openid-configuration/jwks"],
            KeyPurpose::IdTokenEs256 | KeyPurpose::IdTokenEdDsa => &["/jwks"],
            KeyPurpose::Audit => &[],
            KeyPurpose::Requests => &["/issuers/anytown/did.json"],
            KeyPurpose::Credentials | KeyPurpose::Status => &[
                "/issuers/anytown/did.json",
                "/.well-known/jwt-vc-issuer/issuers/anytown",
            ],
        };
        let mut published = Vec::new();
        for document in documents {
            let address = self.world.url(document);
            for address in [self.second(&address), address] {
                let answer = read(client().get(&address)).await;
                assert_eq!(answer.headers["cache-control"], "public, max-age=300");
                assert!(!answer.body.contains("\"d\":"), "a private key is public");
                published.push(answer.body.contains(kid));
            }
        }
        published
    }
}

impl Drop for KeyStage {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The key id of a token, without the DID that it may begin with.
pub(crate) fn kid_of(token: &str) -> String {
    let header = jws::parse(token.split('~').next().unwrap()).unwrap();
    let kid = header.header().kid().unwrap().to_owned();
    kid.rsplit('#').next().unwrap().to_owned()
}

pub(crate) fn kid(key: &Arc<dyn Signer>) -> String {
    key.public_jwk().kid().unwrap().to_owned()
}

/// The one key that an act brought into that state.
pub(crate) fn brought(changes: &[Change], state: State) -> String {
    let mut found = changes.iter().filter(|change| change.to == state);
    let one = found.next().unwrap().kid.clone();
    assert!(found.next().is_none(), "{changes:?}");
    one
}

pub(crate) fn code<T: std::fmt::Debug>(refused: Result<T, ActError>) -> &'static str {
    refused.unwrap_err().code()
}

/// What the token says, unchecked.
pub(crate) fn claims_of(token: &str) -> Value {
    Value::Object(jws::parse(token).unwrap().unverified_claims().clone())
}
