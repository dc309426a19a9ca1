//! What a tenant of the walk has: its client's credentials, and one of everything that can be there. By the names that
//! the inputs of [`super::inputs`] call it.

use std::collections::BTreeMap;

use reqwest::header;
use serde_json::{Value, json};
use standards::base64url;
use store::Statement;

use crate::entra_world::entry;
use crate::raw_wallet::{
    Offered, RawWallet, follow, nonce, notify, offer, request, request_address, token,
};
use crate::scenes::{CONFIGURATION, TYPE};
use crate::world::{Form, Page, Party, World, client};

/// By name.
pub(crate) struct Tenant(pub(crate) BTreeMap<&'static str, String>);

/// One interaction at the browser of a tenant.
struct Seat {
    id: String,
    page: Page,
}

/// Makes what a tenant has.
struct Maker<'a> {
    world: &'a World,
    party: Party,
    /// One browser for all.
    cookie: String,
    has: BTreeMap<&'static str, String>,
}

impl Tenant {
    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(crate) fn of(&self, name: &str) -> &str {
        self.find(name)
            .unwrap_or_else(|| panic!("`{name}`: give it a line in Tenant::begin"))
    }

    /// What nobody has. `like` says how things look: whoever asks with one is refused for nothing but that it is unknown.
    pub(crate) async fn nobody(world: &World, like: &Self) -> Self {
        let wallet = RawWallet::new();
        let stranger = Party {
            client_id: "nobody".to_owned(),
            signing_key: standards::jose::hmac_key::HmacKey::generate()
                .unwrap()
                .into(),
            ..world.party("stranger")
        };
        // No words: an answer has none of them but where it repeats what was sent.
        let mut has: BTreeMap<&'static str, String> = [
            (
                "request_uri",
                "urn:ietf:params:oauth:request_uri:nObOdYs-ThInG-0123456789",
            ),
            ("code", "nObOdYs-ThInG-0123456789"),
            ("state", "nObOdYs-ThInG-0123456789"),
            ("reference", "0000-0000"),
            ("serial number", "00000000-0000-4000-8000-000000000000"),
            ("interaction", "AAAAAAAAAAAAAAAAAAAAAA"),
            (
                "pre-authorized code",
                "nObOdYs-ThInG-0123456789.nObOdYs-ThInG",
            ),
            ("notification id", "nObOdYs-ThInG-0123456789"),
            ("response code", "nObOdYs-ThInG-0123456789"),
            ("entra request", "00000000-0000-4000-8000-000000000000"),
            ("entra state", "nObOdYs-ThInG-0123456789"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into();
        has.insert("draft", world.hint(&stranger, |_| ()));
        for place in ["proof for anytown", "proof for elsewhere"] {
            let issuer = world.url(&format!("/issuers/{}", &place["proof for ".len()..]));
            has.insert(place, wallet.proof(&issuer, "unknown", world.now()).await);
        }
        // Another's answer to the same request, which its key does not open either.
        let (sealed, tag) = like.of("response").rsplit_once('.').unwrap();
        let first = if tag.starts_with('A') { 'B' } else { 'A' };
        has.insert("response", format!("{sealed}.{first}{}", &tag[1..]));
        Self(has)
    }

    /// A tenant with one of everything. Its two issuers are known, hence a key proof for either.
    pub(crate) async fn begin(
        world: &World,
        service: &verified_id::VerifiedId,
        party: &str,
        person: &str,
    ) -> Self {
        let party = world.party(party);
        let mut maker = Maker {
            world,
            has: [
                ("client id", party.client_id.clone()),
                ("client secret", party.secret.clone()),
                ("organisation", party.organisation.to_owned()),
                ("person", person.to_owned()),
                ("state", format!("state-of-{}", party.client_id)),
            ]
            .into(),
            party,
            cookie: String::new(),
        };
        maker.at_the_door().await;
        maker.in_the_wallet().await;
        maker.shown().await;
        maker.in_authenticator(service).await;
        maker.has.insert("cookie", maker.cookie.clone());
        Self(maker.has)
    }

    /// What nobody else may ever be told: all that opens or names something, and the person.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let open = ["client id", "organisation", "response"];
        let secret = self.0.iter().filter(move |(name, _)| !open.contains(*name));
        secret.map(|(name, value)| (*name, value.as_str()))
    }

    /// The token in the forms of this tenant's browser about that interaction.
    pub(crate) fn form_token(&self, interaction: &str) -> String {
        let (_, secret) = self.of("cookie").split_once('=').unwrap();
        form_token(interaction, secret)
    }
}

/// Whoever has a browser's secret can make it for any interaction whose id it knows.
fn form_token(interaction: &str, secret: &str) -> String {
    let text = format!("form {interaction} {secret}");
    base64url::encode(
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes()).as_ref(),
    )
}

impl Maker<'_> {
    fn keep(&mut self, name: &'static str, value: impl Into<String>) {
        assert!(
            self.has.insert(name, value.into()).is_none(),
            "{name} twice"
        );
    }

    async fn column(&self, interaction: &str, name: &str) -> String {
        let select = format!("SELECT {name} AS it FROM interactions WHERE id = $1");
        let select = Statement::new(select).bind(interaction);
        let row = self.world.gateway.app().store.read_one(select).await;
        row.unwrap().unwrap().text("it").unwrap().to_owned()
    }

    fn draft(&self) -> String {
        let person = self.has["person"].clone();
        self.world.hint(&self.party, |draft| {
            draft.insert("TPR-Name".into(), person.into());
        })
    }

    async fn page(&self, id: &str) -> Page {
        let url = self.world.url(&format!("/interaction/{id}"));
        let request = client().get(&url).header(header::COOKIE, &self.cookie);
        let answer = request.send().await.unwrap();
        let location = answer.headers().get(header::LOCATION);
        let url = location.map_or(url, |place| place.to_str().unwrap().to_owned());
        Page {
            url,
            status: answer.status(),
            html: answer.text().await.unwrap(),
        }
    }

    async fn sit(&mut self, change: impl FnOnce(&mut Form)) -> Seat {
        let address = self.world.pushed(&self.party, change).await;
        let open = async |cookie: &str| {
            let request = client().get(&address).header(header::COOKIE, cookie);
            request.send().await.unwrap()
        };
        let mut answer = open(&self.cookie).await;
        if let Some(cookie) = answer.headers().get(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
            cookie.clone_into(&mut self.cookie);
            answer = open(&self.cookie).await;
        }
        let place = answer.headers()[header::LOCATION].to_str().unwrap();
        let id = place.strip_prefix("/interaction/").unwrap().to_owned();
        let page = self.page(&id).await;
        Seat { id, page }
    }

    async fn verifying(&mut self, credential_type: &str) -> Seat {
        let (scope, state) = (
            format!("openid {credential_type}"),
            self.has["state"].clone(),
        );
        self.sit(|form| {
            form.set("scope", &scope);
            form.set("state", &state);
        })
        .await
    }

    async fn issuing(&mut self) -> (Seat, Offered) {
        let draft = self.draft();
        let seat = self.sit(|form| form.issue(TYPE, &draft)).await;
        let offered = offer(&seat.page.link("open-wallet")).await;
        (seat, offered)
    }

    /// A request that nobody opened, one whose page waits, a signed draft and a token to revoke with.
    async fn at_the_door(&mut self) {
        let pushed = self.world.push(&self.party, |_| ()).await;
        self.keep("request_uri", pushed.json["request_uri"].as_str().unwrap());
        let draft = self.draft();
        self.keep("draft", draft);
        let wanted = self.world.token(&self.party, |form| {
            form.set("grant_type", "client_credentials");
            form.set("scope", "revocation");
        });
        let wanted = wanted.await.json;
        self.keep("revocation token", wanted["access_token"].as_str().unwrap());

        let seat = self.verifying(TYPE).await;
        let secret = self.cookie.split_once('=').unwrap().1;
        let csrf = form_token(&seat.id, secret);
        let address = self
            .world
            .url(&format!("/interaction/{}/short-code", seat.id));
        let request = client().post(address).header(header::COOKIE, &self.cookie);
        let asked = request.form(&[("csrf", csrf)]).send().await.unwrap();
        assert_eq!(asked.status(), 303);
        let code = self.column(&seat.id, "short_code").await;
        self.keep("short code", code);
        let reference = self.column(&seat.id, "reference").await;
        self.keep("reference", reference);
        let short = seat.page.link("open-wallet");
        let long = request_address(&short).await;
        self.keep("waiting link", long.rsplit('/').next().unwrap());
        self.keep("interaction", seat.id);
    }

    /// A credential in each of its stages: offered, asked for, given and not collected, collected.
    async fn in_the_wallet(&mut self) {
        let (_, offered) = self.issuing().await;
        self.keep("offer link", offered.code.split('.').next().unwrap());
        self.keep("pre-authorized code", offered.code);

        let wallet = RawWallet::new();
        let (_, offered) = self.issuing().await;
        let given = token(&offered.issuer, &offered.code).await.json;
        self.keep("wallet token", given["access_token"].as_str().unwrap());
        let fresh = nonce(&offered.issuer).await;
        for place in ["proof for anytown", "proof for elsewhere"] {
            let issuer = self
                .world
                .url(&format!("/issuers/{}", &place["proof for ".len()..]));
            let proof = wallet.proof(&issuer, &fresh, self.world.now()).await;
            self.keep(place, proof);
        }

        let (_, given) = self.given().await;
        self.keep(
            "notification id",
            given["notification_id"].as_str().unwrap(),
        );
        let (code, _) = self.given().await;
        self.keep("code", code);
        let (code, given) = self.given().await;
        let collected = self.world.token(&self.party, |form| form.code(&code)).await;
        self.keep(
            "serial number",
            collected.id_token()["SerialNumber"].as_str().unwrap(),
        );
        self.keep(
            "userinfo token",
            collected.json["access_token"].as_str().unwrap(),
        );
        self.keep(
            "credential",
            given["credentials"][0]["credential"].as_str().unwrap(),
        );
    }

    /// A credential in a wallet, and the code with which the browser leaves.
    async fn given(&mut self) -> (String, Value) {
        let (seat, offered) = self.issuing().await;
        let bearer = token(&offered.issuer, &offered.code).await.json;
        let bearer = bearer["access_token"].as_str().unwrap();
        let wallet = RawWallet::new();
        let body = wallet.request(&offered.issuer, CONFIGURATION, self.world.now());
        let given = crate::raw_wallet::credential(&offered.issuer, bearer, &body.await).await;
        let id = &given.json["notification_id"];
        let kept = json!({ "notification_id": id, "event": "credential_accepted" });
        notify(&offered.issuer, bearer, &kept).await;
        (self.page(&seat.id).await.code(), given.json)
    }

    /// A request that a wallet has, with an answer that was not sent; and one whose browser has yet to come back.
    async fn shown(&mut self) {
        let (_, offered) = self.issuing().await;
        let wallet = RawWallet::new();
        let bearer = token(&offered.issuer, &offered.code).await.json;
        let bearer = bearer["access_token"].as_str().unwrap();
        let body = wallet.request(&offered.issuer, CONFIGURATION, self.world.now());
        let given = crate::raw_wallet::credential(&offered.issuer, bearer, &body.await).await;
        let card = given.json["credentials"][0]["credential"].as_str().unwrap();

        let seat = self.verifying(TYPE).await;
        let asked = request(&seat.page.link("open-wallet")).await;
        let shown = wallet.present_w3c(card, &asked, self.world.now()).await;
        let form = asked.answer(shown);
        self.keep("response", form.strip_prefix("response=").unwrap());
        let place = asked.text_of("response_uri");
        self.keep("request link", place.rsplit('/').nth(1).unwrap());

        let seat = self.verifying(TYPE).await;
        let here = follow(&seat.page.link("open-wallet-here")).await;
        let asked = request(&here).await;
        let shown = wallet.present_w3c(card, &asked, self.world.now()).await;
        let answer = asked.post(asked.answer(shown)).await;
        let back = answer.json["redirect_uri"].as_str();
        let back = back.unwrap_or_else(|| panic!("{}", answer.body));
        self.keep("response code", back.rsplit('=').next().unwrap());
    }

    /// A request in the other wallet world.
    async fn in_authenticator(&mut self, service: &verified_id::VerifiedId) {
        let seat = self.verifying("Identity").await;
        let callback = service.callback(&seat.page.link("open-wallet")).unwrap();
        self.keep("entra key", callback.key());
        self.keep(
            "entra request",
            callback.body["requestId"].as_str().unwrap(),
        );
        self.keep("entra state", callback.body["state"].as_str().unwrap());
    }
}

/// Two tenants at Microsoft's, and what the configuration says of the second.
pub(crate) fn second_entra(
    service: &verified_id::VerifiedId,
    second: &verified_id::Tenant,
) -> gateway::organisation::entra::EntraConfig {
    gateway::organisation::entra::EntraConfig {
        organisation: "elsewhere".to_owned(),
        tenant: second.id,
        client_id: second.client_id,
        ..entry(service)
    }
}
