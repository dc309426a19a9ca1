//! Everything that reaches the portal and the gateway, and what they answer: written down on one clock, whole, as the
//! statements are judged by it. An answer can be changed on its way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use serde_json::Value;
use standards::jose::jws;

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

/// The record. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Wire(Arc<Written>);

#[derive(Default)]
struct Written {
    exchanges: Mutex<Vec<Exchange>>,
    changes: Mutex<Vec<(&'static str, Change)>>,
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
        let changes = &self.0.changes;
        changes.lock().unwrap().push((end, Arc::new(change)));
    }

    /// Answers are left as they are again.
    pub(crate) fn leave(&self) {
        self.0.changes.lock().unwrap().clear();
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

    /// The browsers that came to the gateway.
    pub(crate) fn authorized(&self) -> Vec<Exchange> {
        self.at(Party::Gateway, "/authorize")
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

    /// What the signed draft says that was pushed.
    pub(crate) fn draft(&self) -> BTreeMap<String, Value> {
        let hint = &self.form()["id_token_hint"];
        let draft = jws::parse(hint).unwrap().unverified_claims().clone();
        draft.into_iter().collect()
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

async fn write_down(
    State((wire, party)): State<(Wire, Party)>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
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
    let changes = wire.0.changes.lock().unwrap().clone();
    for (_, change) in changes
        .iter()
        .filter(|(end, _)| exchange.path.ends_with(end))
    {
        body = change(&String::from_utf8_lossy(&body)).into();
        parts.headers.remove("content-length");
    }
    exchange.status = parts.status;
    exchange.answer_headers = parts.headers.clone();
    exchange.answer = String::from_utf8_lossy(&body).into_owned();
    wire.0.exchanges.lock().unwrap().push(exchange);
    Response::from_parts(parts, Body::from(body))
}
