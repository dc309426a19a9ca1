//! What a browser test plays on: a sandbox of its own, a relying party at the redirect URI, test wallets.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use connector::{
    Callback, ClientSecret, Connector, Dialect, Draft, FinishError, Http, HttpOptions, Pending,
    Push, Returned, Settings, SigningKey, Started,
};
use lanyard::sandbox::{self, Running};
use lanyard::sandbox_file::RelyingParty;
use serde_json::json;
use url::Url;
use wallet::{CredentialSummary, Scanned};

use super::driver::{self, Browser, JavaScript};
use super::look::Place;
use crate::door::Door;
use crate::ports::Ports;
use crate::sandbox_folder::Folder;
use crate::wire::{Party, Wire};

/// Where the sandbox's relying parties of outside programs wait for the browser.
pub(super) const REDIRECT_URI: &str = "http://localhost:8499/callback";
/// Host and port of that, which each test's browsers find at the test's own listener.
const REDIRECT_HOST: &str = "localhost:8499";
/// What the relying party's page says.
pub(super) const BACK: &str = "Back at the relying party";

/// The relying party's site.
#[derive(Default)]
struct Site {
    /// The queries that browsers came back with.
    came_back: Mutex<Vec<String>>,
    /// Where its callback leads on to, if it does.
    onward: Mutex<Option<String>>,
}

pub(super) struct Stage {
    pub(super) sandbox: Running,
    /// The registered name of the relying party.
    pub(super) relying_party: String,
    connector: Connector,
    wallet: reqwest::Client,
    site: Arc<Site>,
    listener: u16,
    folder: Folder,
    _ports: Ports,
}

impl Stage {
    /// A stage, or nothing where no browser is: the test then says so and ends.
    pub(super) async fn set() -> Option<Self> {
        Self::set_on(None).await
    }

    /// A stage whose sandbox keeps everything in this database instead of files of its own.
    pub(super) async fn set_on(database: Option<String>) -> Option<Self> {
        if !driver::is_there() {
            return None;
        }
        Some(Self::build(Ports::claim(), database, None).await)
    }

    /// A stage whose gateway is behind a door, which notes what goes through it and can be jammed.
    pub(super) async fn set_behind_a_door() -> Option<(Self, Door)> {
        let (stage, door, _) = Self::set_with_a_wire().await?;
        Some((stage, door))
    }

    /// The same, and what the gateway is asked and answers is written down and can be changed on its way: a gateway
    /// that can be told to cheat.
    pub(super) async fn set_with_a_wire() -> Option<(Self, Door, Wire)> {
        if !driver::is_there() {
            return None;
        }
        let ports = Ports::claim();
        let wire = Wire::default();
        let before = |door| wire.around(Party::Gateway, door);
        let door = Door::open_behind(ports.first, before).await;
        let public_url = door.base.parse().unwrap();
        let stage = Self::build(ports, None, Some(public_url)).await;
        wire.forget();
        Some((stage, door, wire))
    }

    async fn build(ports: Ports, database: Option<String>, public_url: Option<Url>) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut folder = Folder::new();
        let options = sandbox::Options {
            data: folder.data(),
            base_port: ports.first,
            database,
            public_url,
            tls_cert: None,
            tls_key: None,
            fresh: false,
            page_states: true,
        };
        let sandbox = sandbox::start(&options).await.unwrap();
        folder.keep_secret(&sandbox.file, &sandbox.gateway);
        let party = sandbox.file.relying_party(Dialect::V2).unwrap();
        let settings = Settings {
            gateway: sandbox.file.urls.gateway.clone(),
            dialect: Dialect::V2,
            push: Push::Always,
            client_id: party.client_id.clone(),
            client_secret: ClientSecret::new(party.client_secret.as_str()),
            signing_key: Some(SigningKey::from_base64(&party.signing_key).unwrap()),
            organisation_id: party.organisation_id.clone(),
            redirect_uri: REDIRECT_URI.parse().unwrap(),
        };
        let relying_party = party.name.clone();
        let http = Http::new(HttpOptions::default()).unwrap();
        let connector = Connector::discover(settings, http).await.unwrap();
        let wallet = reqwest::Client::builder().no_proxy().build().unwrap();
        let site = Arc::default();
        let gateway = &sandbox.file.urls.gateway;
        let listener = wait_for_browsers(&site, gateway).await;
        Self {
            sandbox,
            relying_party,
            connector,
            wallet,
            site,
            listener,
            folder,
            _ports: ports,
        }
    }

    /// From now on the relying party's callback leads on to another host of its own, which is told.
    pub(super) fn leads_on(&self) -> String {
        let onward = format!("http://127.0.0.1:{}/arrived", self.listener);
        *self.site.onward.lock().unwrap() = Some(onward.clone());
        onward
    }

    /// What the staff portal was given at onboarding, as the relying party that it is.
    pub(super) fn party(&self) -> &RelyingParty {
        self.sandbox.file.relying_party(Dialect::V2).unwrap()
    }

    /// A browser that nobody has used yet.
    pub(super) async fn browser(&self, javascript: JavaScript) -> Browser {
        let to = format!("127.0.0.1:{}", self.listener);
        Browser::start(&self.folder.path, javascript, REDIRECT_HOST, &to).await
    }

    /// The relying party begins to check an identity.
    pub(super) async fn verify(&self) -> Started {
        self.verify_type("Identity").await
    }

    /// The relying party begins to check a credential of this type.
    pub(super) async fn verify_type(&self, credential_type: &str) -> Started {
        self.connector.verify(&[credential_type]).await.unwrap()
    }

    /// The relying party begins to issue a credential.
    pub(super) async fn issue(&self) -> Started {
        let anna = self.sandbox.file.employee("match").unwrap();
        let draft = Draft::new("TrainingProgramme")
            .claim("TPR-Name", "Cardiology")
            .claim("TPR-ProgrammeStartDate", "2026-08-05")
            .claim("TPR-ProgrammeEndDate", "2028-08-01")
            .claim("TPR-Origin", "NHS England")
            .claim(
                "TPR-AssurancePolicy",
                "Postgraduate doctor trainee programme assessment",
            )
            .claim(
                "TPR-AssuranceOutcome",
                "Postgraduate doctor trainee programme registration",
            )
            .claim("TPR-Provider", "NHS England")
            .claim("TPR-Verifier", "Origin")
            .claim("TPR-VerificationMethod", "Record Verification")
            .claim("TPR-Pedigree", "Authoritative")
            .claim("TPR-LastRefresh", "2026-11-01")
            .claim("UniqueIdentifier", anna.unique_identifier.as_str());
        self.connector.issue(draft).await.unwrap()
    }

    /// The relying party takes the browser back that came last.
    pub(super) async fn finish(&self, pending: Pending) -> Result<Returned, FinishError> {
        let query = self.site.came_back.lock().unwrap().last().cloned();
        let query = query.expect("no browser came back");
        let callback = Callback::parse(&query).unwrap();
        self.connector.finish(pending, callback).await
    }

    /// The browser came back with a code that yields the identity.
    pub(super) async fn came_back_verified(&self, pending: Pending) {
        match self.finish(pending).await {
            Ok(Returned::Verified(verified)) => {
                assert_eq!(verified.identity().unwrap().legal_surname, "Taylor");
            }
            other => panic!("not verified, but {other:?}"),
        }
    }

    /// The browser came back with a code that yields a serial number.
    pub(super) async fn came_back_issued(&self, pending: Pending) {
        let serial_number = pending.serial_number();
        match self.finish(pending).await {
            Ok(Returned::Issued(issued)) => assert_eq!(Some(issued.serial_number), serial_number),
            other => panic!("not issued, but {other:?}"),
        }
    }

    /// The browser came back with this error and sentence, and no code.
    pub(super) async fn came_back_empty_handed(&self, pending: Pending, sentence: &str) {
        match self.finish(pending).await {
            Err(FinishError::Declined(error) | FinishError::NotAccepted(error)) => {
                assert_eq!(error.code, "access_denied");
                let told = error.description.unwrap_or_default();
                assert!(told.contains(sentence), "{told}");
            }
            other => panic!("not refused, but {other:?}"),
        }
    }

    /// The holder's wallet follows a link and says yes.
    pub(super) async fn scan(&self, holder: &str, link: &str) -> Scanned {
        self.scan_and_say(holder, link, true).await
    }

    /// The holder's wallet follows a link, and its holder says yes or no.
    pub(super) async fn scan_and_say(&self, holder: &str, link: &str, consent: bool) -> Scanned {
        let body = json!({ "link": link, "consent": consent });
        let answer = self.ask(holder, "scan", body).await;
        serde_json::from_str(&answer).unwrap()
    }

    /// What is in the holder's wallet, each with the status that a verifier would see.
    pub(super) async fn held(&self, holder: &str) -> Vec<CredentialSummary> {
        let address = self.wallet(&format!("api/holders/{holder}/credentials"));
        let answer = self.wallet.get(address).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// What the holder's wallet does wrong at the next scan.
    pub(super) async fn misbehave(&self, holder: &str, fault: &str) {
        self.ask(holder, "misbehave", json!({ "fault": fault }))
            .await;
    }

    /// What the mail server does with every mail from now on.
    pub(super) async fn mail_misbehaves(&self, fault: Option<mail_catcher::Fault>) {
        let address = self.sandbox.file.urls.mail.join("api/misbehave").unwrap();
        self.post(address, json!({ "fault": fault })).await;
    }

    async fn ask(&self, holder: &str, what: &str, body: serde_json::Value) -> String {
        let path = format!("api/holders/{holder}/{what}");
        let address = self.sandbox.file.urls.wallet.join(&path).unwrap();
        self.post(address, body).await
    }

    async fn post(&self, address: Url, body: serde_json::Value) -> String {
        let answer = self.wallet.post(address).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
        answer.text().await.unwrap()
    }

    /// An address of the gateway's.
    pub(super) fn gateway(&self, path: &str) -> String {
        self.sandbox.file.urls.gateway.join(path).unwrap().into()
    }

    /// An address of the test wallet's pages.
    pub(super) fn wallet(&self, path: &str) -> String {
        self.sandbox.file.urls.wallet.join(path).unwrap().into()
    }

    /// Everything goes.
    pub(super) async fn strike(self) {
        self.sandbox.stop().await;
    }
}

impl Place for Stage {
    fn is_ours(&self, address: &Url) -> bool {
        let urls = &self.sandbox.file.urls;
        let callback: Url = REDIRECT_URI.parse().unwrap();
        [&urls.gateway, &urls.portal, &urls.wallet, &callback]
            .iter()
            .any(|ours| ours.origin() == address.origin())
    }
}

/// The relying party's site: its callback notes what the browser brings, and two of its pages have a form that is
/// answered with a redirect to the gateway, which only one of them allows.
async fn wait_for_browsers(site: &Arc<Site>, gateway: &Url) -> u16 {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let port = listener.local_addr().unwrap().port();
    let origin = gateway.origin().ascii_serialization();
    let help = gateway.join("help").unwrap();
    let form = |policy: String| {
        let headers = [("content-security-policy", policy)];
        let form = "<form method=\"post\" action=\"/leave\"><button>Leave</button></form>";
        move || async move { (headers, page(form)) }
    };
    let router = Router::new()
        .route("/callback", get(callback))
        .route("/strict", get(form("form-action 'self'".to_owned())))
        .route("/open", get(form(format!("form-action 'self' {origin}"))))
        .route("/leave", post(async move || Redirect::to(help.as_str())))
        .route("/arrived", get(async || page("")))
        .with_state(Arc::clone(site));
    tokio::spawn(async move { axum::serve(listener, router).await });
    port
}

async fn callback(State(site): State<Arc<Site>>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    site.came_back.lock().unwrap().push(query);
    match site.onward.lock().unwrap().as_deref() {
        Some(onward) => Redirect::to(onward).into_response(),
        None => page("").into_response(),
    }
}

fn page(content: &str) -> Html<String> {
    Html(format!(
        "<!DOCTYPE html><html lang=\"en\"><title>{BACK}</title><link rel=\"icon\" href=\"data:,\">\
         <main><h1>{BACK}</h1>{content}</main>"
    ))
}
