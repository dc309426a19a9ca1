//! Everything that reaches the portal and the gateway, and what they answer: written down on one clock, whole, as the
//! statements are judged by it. Questions and answers can be changed on their way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA256, digest};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use standards::jose::hmac_key::HmacKey;
use standards::jose::{Algorithm, jws};
use url::Url;

/// What belongs to the message that carries a draft, and is no content of the credential.
const TECHNICAL: [&str; 7] = [
    "iss",
    "aud",
    "iat",
    "nbf",
    "exp",
    "SerialNumber",
    "ExpiresAt",
];

/// Who was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    Portal,
    Gateway,
}

/// A question and its answer. They are in the order in which they were answered.
#[derive(Clone)]
pub(crate) struct Exchange {
    pub(crate) party: Party,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) status: StatusCode,
    pub(crate) answer_headers: HeaderMap,
    pub(crate) answer: String,
}

type Change = Arc<dyn Fn(&str) -> String + Send + Sync>;
/// What is done to each body at paths that end so.
type Changes = Mutex<Vec<(&'static str, Change)>>;

/// The record. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Wire(Arc<Written>);

#[derive(Default)]
struct Written {
    exchanges: Mutex<Vec<Exchange>>,
    questions: Changes,
    answers: Changes,
}

impl Wire {
    /// Writes down what reaches a party.
    pub(crate) fn around(&self, party: Party, router: Router) -> Router {
        router.layer(from_fn_with_state((self.clone(), party), write_down))
    }

    /// Everything so far.
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        self.0.exchanges.lock().unwrap().clone()
    }

    /// What reached a party at paths that end so.
    pub(crate) fn at(&self, party: Party, end: &str) -> Vec<Exchange> {
        let mut found = self.exchanges();
        found.retain(|one| one.party == party && one.path.ends_with(end));
        found
    }

    /// From here on.
    pub(crate) fn forget(&self) {
        self.0.exchanges.lock().unwrap().clear();
    }

    /// From now on, the body of each answer from a path that ends so is changed.
    pub(crate) fn change(
        &self,
        end: &'static str,
        change: impl Fn(&str) -> String + Send + Sync + 'static,
    ) {
        let answers = &self.0.answers;
        answers.lock().unwrap().push((end, Arc::new(change)));
    }

    /// From now on, the body of each question to a path that ends so is changed.
    pub(crate) fn change_question(
        &self,
        end: &'static str,
        change: impl Fn(&str) -> String + Send + Sync + 'static,
    ) {
        let questions = &self.0.questions;
        questions.lock().unwrap().push((end, Arc::new(change)));
    }

    /// Questions and answers are left as they are again.
    pub(crate) fn leave(&self) {
        self.0.questions.lock().unwrap().clear();
        self.0.answers.lock().unwrap().clear();
    }

    /// What was pushed to the gateway.
    pub(crate) fn pushed(&self) -> Vec<Exchange> {
        self.at(Party::Gateway, "/par")
    }

    /// The pushed requests for a credential.
    pub(crate) fn pushed_drafts(&self) -> Vec<Exchange> {
        let mut pushed = self.pushed();
        pushed.retain(|one| one.form()["scope"].contains("issue."));
        pushed
    }

    /// The pushed requests for somebody's identity.
    pub(crate) fn pushed_checks(&self) -> Vec<Exchange> {
        let mut pushed = self.pushed();
        pushed.retain(|one| !one.form()["scope"].contains("issue."));
        pushed
    }

    /// What the relying party's own token endpoint was asked; not the wallets'.
    pub(crate) fn tokens(&self) -> Vec<Exchange> {
        let mut tokens = self.exchanges();
        tokens.retain(Exchange::is_token_call);
        tokens
    }

    /// The browsers that came to the gateway with a request: one that is new there is first sent to the same address once
    /// more, with its cookie.
    pub(crate) fn authorized(&self) -> Vec<Exchange> {
        let mut came = self.at(Party::Gateway, "/authorize");
        came.retain(|one| !one.location().ends_with("&cookie=set"));
        came
    }

    /// Everything that goes through a browser: what it asks for, and where it is led to.
    pub(crate) fn addresses(&self) -> Vec<String> {
        let is_of_server = |one: &Exchange| {
            one.party == Party::Gateway
                && ["/par", "/token"].iter().any(|end| one.path.ends_with(end))
        };
        let mut exchanges = self.exchanges();
        exchanges.retain(|one| !is_of_server(one));
        let both = |one: &Exchange| [one.address(), one.location().to_owned()];
        exchanges.iter().flat_map(both).collect()
    }

    /// Where the links to wallets in a party's pages send them.
    pub(crate) fn wallets_are_sent_to(&self, party: Party) -> Vec<Url> {
        let pages = self.at(party, "");
        let hrefs = pages
            .iter()
            .flat_map(|page| page.answer.split("href=\"").skip(1));
        let hrefs = hrefs.map(|href| href.split('"').next().unwrap());
        let hrefs = hrefs.map(|href| href.replace("&#38;", "&").replace("&amp;", "&"));
        hrefs
            .filter(|href| href.starts_with("openid") || href.starts_with("haip"))
            .flat_map(|href| wallet_goes_to(&href))
            .collect()
    }

    /// The revocations that the gateway was asked for.
    pub(crate) fn revocations(&self) -> Vec<Value> {
        let asked = self.at(Party::Gateway, "/revokecredential");
        asked
            .iter()
            .map(|one| serde_json::from_str(&one.body).unwrap())
            .collect()
    }
}

impl Exchange {
    /// Whether it is the portal's call for a token.
    pub(crate) fn is_token_call(&self) -> bool {
        self.party == Party::Gateway
            && self.path.ends_with("/token")
            && !self.path.contains("/issuers/")
    }

    /// The fields of the form that was sent.
    pub(crate) fn form(&self) -> BTreeMap<String, String> {
        let fields = url::form_urlencoded::parse(self.body.as_bytes());
        fields.into_owned().collect()
    }

    /// The parameters of the address.
    pub(crate) fn parameters(&self) -> BTreeMap<String, String> {
        let fields = url::form_urlencoded::parse(self.query.as_bytes());
        fields.into_owned().collect()
    }

    /// What a browser brought to the gateway, without the gateway's own word for one that was new there.
    pub(crate) fn brought(&self) -> BTreeMap<String, String> {
        let mut parameters = self.parameters();
        parameters.remove("cookie");
        parameters
    }

    /// What the signed draft says that was pushed.
    pub(crate) fn draft(&self) -> BTreeMap<String, Value> {
        let hint = &self.form()["id_token_hint"];
        let draft = jws::parse(hint).unwrap().unverified_claims().clone();
        draft.into_iter().collect()
    }

    /// What a draft says that the credential will say.
    pub(crate) fn content(&self) -> BTreeMap<String, String> {
        let claims = self.draft().into_iter();
        claims
            .filter(|(name, _)| !TECHNICAL.contains(&name.as_str()))
            .map(|(name, value)| (name, value.as_str().unwrap().to_owned()))
            .collect()
    }

    /// What of a draft may stand in no address: what the credential will say, its serial number, and the draft itself.
    pub(crate) fn confidential(&self) -> Vec<String> {
        let hint = self.form()["id_token_hint"].clone();
        let encoded = hint.split('.').nth(1).unwrap().to_owned();
        let values = self.content().into_values();
        let mut secret: Vec<String> = values.filter(|value| value.len() > 4).collect();
        secret.push(self.draft()["SerialNumber"].as_str().unwrap().to_owned());
        secret.push(encoded);
        secret
    }

    /// The pushed draft's claims, if this key signed it.
    pub(crate) fn draft_signed_with(&self, key: &HmacKey) -> Option<Map<String, Value>> {
        let parsed = jws::parse(&self.form()["id_token_hint"]).unwrap();
        assert_eq!(parsed.header().kid(), None, "the contract has one key");
        let verified = parsed.verify_hmac(key, &[Algorithm::HS256], jws::Typ::Is("JWT"));
        verified.ok().map(jws::Verified::into_claims)
    }

    /// Whether a server sent it, and nobody's browser.
    pub(crate) fn is_server_side(&self) -> bool {
        !self.headers.contains_key("cookie") && !self.headers.contains_key("referer")
    }

    /// Whether the form proves that this client asks, as the gateway's own documents say.
    pub(crate) fn is_from_client(&self, id: &str, secret: &str) -> bool {
        let form = self.form();
        let field = |name: &str| form.get(name).map(String::as_str);
        field("client_id") == Some(id) && field("client_secret") == Some(secret)
    }

    /// Whether this call for a token names the same address as what was pushed, and proves that the same one began
    /// [RFC 7636 4.6].
    pub(crate) fn continues(&self, pushed: &Self) -> bool {
        let (token, pushed) = (self.form(), pushed.form());
        let challenge = digest(&SHA256, token["code_verifier"].as_bytes());
        token["grant_type"] == "authorization_code"
            && token["redirect_uri"] == pushed["redirect_uri"]
            && URL_SAFE_NO_PAD.encode(challenge.as_ref()) == pushed["code_challenge"]
    }

    /// What the ID token says that was answered.
    pub(crate) fn id_token(&self) -> BTreeMap<String, Value> {
        let answer: Value = serde_json::from_str(&self.answer).unwrap();
        let token = answer["id_token"].as_str().unwrap();
        let claims = jws::parse(token).unwrap().unverified_claims().clone();
        claims.into_iter().collect()
    }

    /// Where the answer leads.
    pub(crate) fn location(&self) -> &str {
        let location = self.answer_headers.get("location");
        location.map_or("", |location| location.to_str().unwrap())
    }

    /// The address that was asked for, on its own origin.
    pub(crate) fn address(&self) -> String {
        if self.query.is_empty() {
            return self.path.clone();
        }
        format!("{}?{}", self.path, self.query)
    }
}

/// None of these values may be in an address: neither plain nor encoded nor inside a token.
pub(crate) fn stands_not_in(secret: &[String], address: &str) {
    let pairs = url::form_urlencoded::parse(address.as_bytes());
    let decoded: Vec<String> = pairs.map(|(_, value)| value.into_owned()).collect();
    for value in secret {
        assert!(!address.contains(value), "{address}");
        assert!(!decoded.iter().any(|one| one.contains(value)), "{address}");
    }
}

/// Where such a link sends the wallet.
pub(crate) fn wallet_goes_to(link: &str) -> Vec<Url> {
    let link: Url = link.parse().unwrap();
    let pairs = link.query_pairs();
    let goes_to: Vec<Url> = pairs
        .filter(|(name, _)| name.ends_with("_uri"))
        .map(|(_, value)| value.parse().unwrap())
        .collect();
    assert!(!goes_to.is_empty(), "{link}");
    goes_to
}

/// The body as those changes leave it that are for this path; nothing if none is.
fn changed(changes: &Changes, path: &str, body: &[u8]) -> Option<String> {
    let changes = changes.lock().unwrap().clone();
    let mut changes = changes.iter().filter(|(end, _)| path.ends_with(end));
    let (_, first) = changes.next()?;
    let body = first(&String::from_utf8_lossy(body));
    Some(changes.fold(body, |body, (_, change)| change(&body)))
}

async fn write_down(
    State((wire, party)): State<(Wire, Party)>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let mut body = to_bytes(body, usize::MAX).await.unwrap();
    if let Some(other) = changed(&wire.0.questions, parts.uri.path(), &body) {
        parts.headers.insert("content-length", other.len().into());
        body = other.into();
    }
    let mut exchange = Exchange {
        party,
        method: parts.method.clone(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers.clone(),
        body: String::from_utf8_lossy(&body).into_owned(),
        status: StatusCode::OK,
        answer_headers: HeaderMap::new(),
        answer: String::new(),
    };
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let (mut parts, body) = response.into_parts();
    let mut body = to_bytes(body, usize::MAX).await.unwrap();
    if let Some(other) = changed(&wire.0.answers, &exchange.path, &body) {
        body = other.into();
        parts.headers.remove("content-length");
    }
    exchange.status = parts.status;
    exchange.answer_headers = parts.headers.clone();
    exchange.answer = String::from_utf8_lossy(&body).into_owned();
    wire.0.exchanges.lock().unwrap().push(exchange);
    Response::from_parts(parts, Body::from(body))
}
