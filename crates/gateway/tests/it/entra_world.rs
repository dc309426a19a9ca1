//! A world one of whose organisations has a tenant of Entra Verified ID: the stand-in, on the world's clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway::Config;
use gateway::clock::Clock;
use gateway::config::Secret;
use gateway::organisation::entra::{EntraConfig, EntraTypeConfig};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use url::Url;
use verified_id::{Authenticator, Callback, Card, Tenant, VerifiedId};
use zeroize::Zeroizing;

use crate::database::Database;
use crate::world::{Browser, Page, World, identity};

/// Who issues the identities: nobody's DID of this gateway.
pub(crate) const ISSUER: &str = "did:web:id.trust.example";
/// Who asks.
pub(crate) const AUTHORITY: &str = "did:web:verifier.trust.example";
/// What the tenant's contract calls the type.
pub(crate) const KIND: &str = "StaffIdentity";
pub(crate) const SECRET: &str = "entra~client~secret~0123456789";

pub(crate) struct Entra {
    pub(crate) world: World,
    pub(crate) service: VerifiedId,
}

/// The tenant of Anytown.
pub(crate) fn tenant() -> Tenant {
    Tenant {
        id: "6b1c8e5e-0f4d-4b0a-9a57-1d2f3c4b5a69".parse().unwrap(),
        client_id: "0f8fad5b-d9cb-469f-a165-70867728950e".parse().unwrap(),
        client_secret: SECRET.to_owned(),
        authority: AUTHORITY.to_owned(),
        roles: vec!["VerifiableCredential.Create.PresentRequest".to_owned()],
        token_seconds: 3599,
    }
}

/// What the configuration says of it.
pub(crate) fn entry(service: &VerifiedId) -> EntraConfig {
    let claims = [("ID-BirthDate", "dateOfBirth")];
    EntraConfig {
        organisation: "anytown".to_owned(),
        tenant: tenant().id,
        client_id: tenant().client_id,
        client_secret: Secret::Held(Zeroizing::new(SECRET.to_owned())),
        authority: AUTHORITY.to_owned(),
        login: service.base().clone(),
        service: service.base().clone(),
        credential_types: vec![EntraTypeConfig {
            name: "Identity".to_owned(),
            kind: Some(KIND.to_owned()),
            claims: claims
                .map(|(ours, theirs)| (ours.to_owned(), theirs.to_owned()))
                .into(),
        }],
    }
}

/// Has Anytown ask through the stand-in, and trust the tenant's issuer.
pub(crate) fn connect(config: &mut Config, service: &VerifiedId) {
    let anytown = config
        .organisations
        .iter_mut()
        .find(|one| one.id == "anytown");
    let trust = &mut anytown.unwrap().trust;
    let identity = trust
        .iter_mut()
        .find(|row| row.credential_type == "Identity");
    identity.unwrap().issuers.push(ISSUER.to_owned());
    config.entra.push(entry(service));
}

impl Entra {
    pub(crate) async fn start() -> Self {
        Self::start_with(Database::sqlite(), tenant(), |_| ()).await
    }

    pub(crate) async fn start_with(
        database: Database,
        tenant: Tenant,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        Self::start_among(database, vec![tenant], &[], change).await
    }

    /// With these tenants, of which the first is Anytown's; and the gateway may call those origins, too.
    pub(crate) async fn start_among(
        database: Database,
        tenants: Vec<Tenant>,
        origins: &[Url],
        change: impl FnOnce(&mut Config),
    ) -> Self {
        // The service is there before the world, whose clock it has once there is one.
        let clock: Arc<std::sync::OnceLock<Clock>> = Arc::default();
        let told = Arc::clone(&clock);
        let now = move || told.get().map_or_else(Timestamp::now, Clock::now);
        let service = VerifiedId::start(tenants, Arc::new(now)).await.unwrap();
        let origins = [std::slice::from_ref(service.base()), origins].concat();
        let world = World::start_with(database, origins, |config| {
            connect(config, &service);
            change(config);
        })
        .await;
        clock.set(world.clock.clone()).unwrap();
        Self { world, service }
    }

    /// Anna's card, good.
    pub(crate) fn card(&self) -> Card {
        let card = Card::new(ISSUER, KIND, self.world.now());
        let mut claims: BTreeMap<String, String> = identity()
            .into_iter()
            .map(|(name, value)| (name, value.as_str().unwrap().to_owned()))
            .collect();
        let born = claims.remove("ID-BirthDate").unwrap();
        claims.insert("dateOfBirth".to_owned(), born);
        // The service sends all that the credential has.
        claims.insert("payBand".to_owned(), "7".to_owned());
        Card { claims, ..card }
    }

    /// A wallet with that card.
    pub(crate) fn authenticator(&self) -> Authenticator {
        Authenticator::holding(&self.service, [self.card()])
    }

    /// A browser at the page that waits for an identity.
    pub(crate) async fn waiting(&self) -> (Browser, Page) {
        let party = self.world.party("plain");
        let browser = Browser::new();
        let page = browser.open(&self.world.pushed(&party, |_| ()).await).await;
        (browser, page)
    }

    /// A genuine callback for the request on that page, to be bent.
    pub(crate) fn callback(&self, page: &Page) -> Callback {
        self.service.callback(&page.link("open-wallet")).unwrap()
    }

    /// The ID token that a finished page leads to.
    pub(crate) async fn id_token(&self, browser: &Browser, page: &Page) -> Value {
        let back = browser.open(&page.url).await;
        let party = self.world.party("plain");
        let token = self
            .world
            .token(&party, |form| form.code(&back.code()))
            .await;
        assert_eq!(token.status, 200, "{}", token.body);
        token.id_token()
    }

    /// What the page says.
    pub(crate) async fn state(&self, browser: &Browser, page: &Page) -> String {
        let status = browser.status(page).await;
        status.json["state"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn later(&self, seconds: i64) {
        let ahead = self.world.now().duration_since(Timestamp::now());
        self.world.later(ahead + SignedDuration::from_secs(seconds));
    }

    /// One column of the newest request.
    pub(crate) async fn column(&self, name: &str) -> Option<String> {
        let select = format!(
            "SELECT CAST({name} AS TEXT) AS it FROM entra_requests ORDER BY expires_at DESC LIMIT 1"
        );
        let store = &self.world.gateway.app().store;
        let row = store.read_one(store::Statement::new(select)).await.unwrap();
        row.unwrap().optional_text("it").unwrap().map(str::to_owned)
    }
}
