//! Keys that a client publishes itself: what is fetched, how often, and what holds while it cannot be. (SEC-04)

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use gateway::config::RelyingPartyConfig;
use gateway::limits::OwnLimits;
use jiff::SignedDuration;
use serde_json::{Value, json};
use standards::jose::jws::{self, ProtectedHeader};
use standards::jose::{Algorithm, Jwk, JwkSet, Signer, SoftwareKey};

use crate::database::Database;
use crate::keyed::Keyed;
use crate::world::{Answer, Browser, World};

/// What stands at the client's address, and how often it was fetched.
#[derive(Default)]
struct Site {
    answer: Option<String>,
    fetched: usize,
    slow: Duration,
    /// What happens while it is fetched.
    meanwhile: Option<Box<dyn Fn() + Send>>,
}

struct Abroad {
    world: World,
    keyed: Keyed,
    site: Arc<Mutex<Site>>,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Abroad {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(State(site): State<Arc<Mutex<Site>>>) -> (StatusCode, String) {
    let (answer, slow) = {
        let mut site = site.lock().unwrap();
        site.fetched += 1;
        if let Some(meanwhile) = &site.meanwhile {
            meanwhile();
        }
        (site.answer.clone(), site.slow)
    };
    tokio::time::sleep(slow).await;
    answer.map_or((StatusCode::NOT_FOUND, String::new()), |text| {
        (StatusCode::OK, text)
    })
}

impl Abroad {
    async fn start() -> Self {
        Self::start_limited(OwnLimits::default()).await
    }

    async fn start_limited(limits: OwnLimits) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let site = Arc::<Mutex<Site>>::default();
        let router = axum::Router::new().fallback(serve).with_state(site.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let keyed = Keyed::new("keyed", Algorithm::ES256);
        let origins = vec![base.parse().unwrap()];
        let world = World::start_with(Database::sqlite(), origins, |config| {
            let entry = RelyingPartyConfig {
                jwks: None,
                jwks_uri: Some(format!("{base}/jwks").parse().unwrap()),
                limits,
                ..keyed.registered()
            };
            config.organisations[0].relying_parties.push(entry);
        })
        .await;
        let abroad = Self {
            world,
            keyed,
            site,
            server,
        };
        abroad.publish(&[abroad.keyed.key.public_jwk()]);
        abroad
    }

    fn publish(&self, keys: &[&Jwk]) {
        let keys = keys.iter().map(|key| (*key).clone());
        self.answer(Some(JwkSet::new(keys).to_value()));
    }

    fn answer(&self, answer: Option<Value>) {
        self.site.lock().unwrap().answer = answer.map(|answer| answer.to_string());
    }

    fn fetched(&self) -> usize {
        self.site.lock().unwrap().fetched
    }

    async fn push(&self) -> u16 {
        self.push_signed_by(&self.keyed.key).await.status.as_u16()
    }

    /// Pushes a draft that this key has signed; the client signs in with its own.
    async fn push_draft_signed_by(&self, key: &SoftwareKey) -> Answer {
        let (world, keyed) = (&self.world, &self.keyed);
        let claims = keyed.claims(world, |claims| {
            claims.remove("sub");
            claims.extend(crate::world::programme());
        });
        let hint = jws::sign_now(key, ProtectedHeader::typ("JWT"), &claims).unwrap();
        let assertion = keyed.assertion(world, |_| ());
        world
            .push(&keyed.party(), |form| {
                crate::keyed::sign_in(form, &assertion);
                form.issue("TrainingProgramme", &hint);
            })
            .await
    }

    async fn push_signed_by(&self, key: &SoftwareKey) -> Answer {
        let claims = self.keyed.claims(&self.world, |_| ());
        let assertion = jws::sign_now(key, ProtectedHeader::untyped(), &claims).unwrap();
        self.keyed.push(&self.world, &assertion).await
    }

    fn later(&self, seconds: i64) {
        self.world.later(SignedDuration::from_secs(seconds));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn published_keys_are_fetched_once_for_five_minutes() {
    let abroad = Abroad::start().await;
    abroad.site.lock().unwrap().slow = Duration::from_millis(200);
    let tries = tokio::join!(abroad.push(), abroad.push(), abroad.push());
    assert_eq!(tries, (201, 201, 201));
    assert_eq!(
        abroad.fetched(),
        1,
        "who comes at the same time waits for the one fetch"
    );
    abroad.later(280);
    assert_eq!((abroad.push().await, abroad.fetched()), (201, 1));
    abroad.later(300);
    assert_eq!((abroad.push().await, abroad.fetched()), (201, 2));
}

/// SEC-34: whoever merely names a client whose keys do not come cannot fill the gateway with waiting requests.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_34_few_wait_for_the_keys_of_a_client_and_the_others_are_told_at_once() {
    let abroad = Abroad::start().await;
    abroad.site.lock().unwrap().slow = Duration::from_secs(6);
    let tries = futures_util::future::join_all((0..40).map(|_| abroad.push())).await;
    let turned_away = tries.iter().filter(|status| **status == 503).count();
    let served = tries.iter().filter(|status| **status == 201).count();
    assert_eq!((turned_away, served), (24, 16), "{tries:?}");
    assert_eq!(abroad.fetched(), 1);
}

/// A client that changed its keys a minute ago is known; who makes key ids up causes a fetch in half a minute at most.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_key_id_is_looked_for_at_most_every_half_minute() {
    let abroad = Abroad::start().await;
    let new = SoftwareKey::generate(Algorithm::ES256).unwrap();
    assert_eq!((abroad.push().await, abroad.fetched()), (201, 1));
    for _ in 0..3 {
        let made_up = SoftwareKey::generate(Algorithm::ES256).unwrap();
        let answer = abroad.push_signed_by(&made_up).await;
        assert_eq!(
            (answer.status.as_u16(), answer.error()),
            (401, "invalid_client")
        );
    }
    assert_eq!(abroad.fetched(), 1);
    abroad.publish(&[new.public_jwk()]);
    abroad.later(30);
    let answer = abroad.push_signed_by(&new).await;
    assert_eq!((answer.status.as_u16(), abroad.fetched()), (201, 2));
    // The old key went with the fetch.
    assert_eq!((abroad.push().await, abroad.fetched()), (401, 2));
}

/// A failed fetch says nothing against the client. Keys that were good go on for half an hour, not longer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_its_keys_cannot_be_fetched_a_client_is_asked_to_try_again() {
    let abroad = Abroad::start().await;
    let good = JwkSet::new([abroad.keyed.key.public_jwk().clone()]).to_value();
    abroad.answer(None);
    let answer = abroad.push_signed_by(&abroad.keyed.key).await;
    let heard = (answer.status.as_u16(), answer.error());
    assert_eq!(heard, (503, "temporarily_unavailable"), "{}", answer.body);
    assert_eq!(
        (abroad.push().await, abroad.fetched()),
        (503, 1),
        "not again at once"
    );
    abroad.answer(Some(good.clone()));
    abroad.later(15);
    assert_eq!((abroad.push().await, abroad.fetched()), (201, 2));

    for broken in [None, Some(json!("not a set")), Some(json!({ "keys": 7 }))] {
        abroad.answer(broken);
        abroad.later(1780);
        assert_eq!(abroad.push().await, 201);
        abroad.later(15);
    }
    abroad.later(15 + 1800);
    assert_eq!(abroad.push().await, 503);
}

/// SEC-34: a set of keys is read up to 128 KiB, however the rest is filled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_34_keys_longer_than_their_bound_are_not_read() {
    let abroad = Abroad::start().await;
    let keys = JwkSet::new([abroad.keyed.key.public_jwk().clone()])
        .to_value()
        .to_string();
    let largest = 128 * 1024;
    for (length, after, status) in [
        (largest + 1, 0, 503),
        (2 * largest, 15, 503),
        (largest, 30, 201),
    ] {
        abroad.later(after);
        let padded = format!("{keys}{}", " ".repeat(length - keys.len()));
        abroad.site.lock().unwrap().answer = Some(padded);
        assert_eq!(abroad.push().await, status, "{length}");
    }
}

/// SEC-10: a set that gives a private key away is a set that anybody can sign with: nothing of it counts, nor what
/// stood there before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_10_keys_beside_a_published_private_key_are_dropped_at_once() {
    let abroad = Abroad::start().await;
    assert_eq!(abroad.push().await, 201);
    let mut set = abroad.keyed.jwks();
    set["keys"][0]["d"] = "c2VjcmV0".into();
    abroad.answer(Some(set));
    abroad.later(300);
    assert_eq!(abroad.push().await, 503);
}

/// SEC-04: keys come from the registered address by the one outbound client: what it does not call is not fetched.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_04_keys_are_not_fetched_from_inside_the_network() {
    let keyed = Keyed::new("keyed", Algorithm::ES256);
    let world = World::start_changed(|config| {
        let entry = RelyingPartyConfig {
            jwks: None,
            jwks_uri: Some("https://169.254.169.254/jwks".parse().unwrap()),
            ..keyed.registered()
        };
        config.organisations[0].relying_parties.push(entry);
    })
    .await;
    let answer = keyed.push(&world, &keyed.assertion(&world, |_| ())).await;
    assert_eq!(answer.status, 503, "{}", answer.body);
}

/// A draft's key is looked for in the same place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_is_checked_with_published_keys_too() {
    let abroad = Abroad::start().await;
    let good = abroad.push_draft_signed_by(&abroad.keyed.key).await;
    assert_eq!(good.status, 201, "{}", good.body);
    let stranger = SoftwareKey::generate(Algorithm::ES256).unwrap();
    let refused = abroad.push_draft_signed_by(&stranger).await;
    assert_eq!(refused.error(), "invalid_request");
}

/// SEC-34: while a request is checked, keys may be fetched, and time goes by.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_34_a_request_that_took_long_to_check_counts_no_longer_once_a_browser_has_opened_it() {
    let abroad = Abroad::start_limited(OwnLimits {
        open_pushes: NonZeroU32::new(2),
        ..OwnLimits::default()
    })
    .await;
    let world = &abroad.world;
    assert_eq!(abroad.push().await, 201);

    // Half a minute later an unknown key is looked for anew.
    abroad.later(40);
    let new = SoftwareKey::generate(Algorithm::ES256).unwrap();
    abroad.publish(&[abroad.keyed.key.public_jwk(), new.public_jwk()]);
    let shift = world.shift.clone();
    let slowly = move || shift.advance(SignedDuration::from_secs(20));
    abroad.site.lock().unwrap().meanwhile = Some(Box::new(slowly));
    let pushed = abroad.push_draft_signed_by(&new).await;
    assert_eq!(pushed.status, 201, "{}", pushed.body);
    assert_eq!(abroad.push().await, 429, "two are open");
    let request_uri = pushed.json["request_uri"].as_str().unwrap();
    let address = world.authorize_address(&abroad.keyed.party(), request_uri);
    Browser::new().open(&address).await;
    assert_eq!(abroad.push().await, 201);
}
