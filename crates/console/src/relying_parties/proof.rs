//! What a relying party proves itself by, and where it is told of events: its signing key, its way to prove itself, its own
//! keys, its webhook. Of one that is or was live this waits for a second person, who sees what differs.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use serde_json::{Map, Value, json};
use ui::Page;
use ui::component::{Choice, Row};

use super::{PATH, RelyingParty, at, lines};
use crate::api::Address;
use crate::fields::Fields;
use crate::frame::{Frame, show as render};
use crate::home::told_at;
use crate::organisations::errors;
use crate::problem::{FormErrors, Problem};
use crate::proposals::{or_propose, why};
use crate::visit::Visit;

/// The ways to prove oneself; the first is to say nothing about it.
const METHODS: [&str; 4] = [
    "",
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
];

const FIELDS: [&str; 7] = [
    "token_endpoint_auth_method",
    "jwks",
    "jwks_uri",
    "signing_key",
    "webhook_url",
    "webhook_secrets",
    "reason",
];

#[derive(Template)]
#[template(path = "relying_parties/proof.html")]
struct ProofPage {
    page: Page,
    frame: Frame,
    at: String,
    is_registered: bool,
    version: i64,
    now: Vec<Row>,
    methods: Vec<Choice>,
    jwks: String,
    jwks_uri: String,
    /// Whether there is a key that could be taken away.
    has_signing_key: bool,
    takes_key_away: bool,
    webhook_url: String,
    reason: String,
    ticket: String,
}

pub(super) async fn look(visit: Visit, Path(client_id): Path<String>) -> Result<Response, Problem> {
    page(&visit, &client_id, None, FormErrors::default()).await
}

fn said<'a>(declared: &'a Value, pointer: &str) -> &'a str {
    let found = declared.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_default()
}

/// Its own keys as they are declared: text as it is, a set as JSON.
fn jwks(declared: &Value) -> String {
    match &declared["jwks"] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        set => serde_json::to_string_pretty(set).unwrap_or_default(),
    }
}

async fn page(
    visit: &Visit,
    client_id: &str,
    sent: Option<&Fields>,
    errors: FormErrors,
) -> Result<Response, Problem> {
    let one = RelyingParty::find(visit, client_id).await?;
    let frame = visit.frame(PATH, "proof-title").errors(errors);
    let frame = frame.tab(format!("{} ({client_id})", visit.say("proof-title")));
    let frame = frame.back(at(client_id), one.name.clone());
    let status = frame.status();
    let (page, frame) = frame.parts();
    let declared = &one.declared;
    let text = |name: &str, now: &str| {
        let text = sent.map_or(now, |fields| fields.text(name));
        text.to_owned()
    };
    let method = said(declared, "/token_endpoint_auth_method");
    let chosen = text("token_endpoint_auth_method", method);
    let row = |key: &str, value: &str| match value {
        "" => Row::new(visit.say(key), visit.say("none")),
        value => Row::new(visit.say(key), value),
    };
    let name_of = |method: &str| match method {
        "" => visit.say("proof-method-any"),
        method => method.to_owned(),
    };
    let page = ProofPage {
        page,
        frame,
        at: at(client_id),
        is_registered: one.version.is_some(),
        version: one.version.unwrap_or_default(),
        now: vec![
            row("field-token_endpoint_auth_method", &name_of(method)),
            row(
                "relying-party-drafts",
                &visit.say(&format!("draft-keys-{}", one.draft_keys)),
            ),
            row("field-jwks_uri", said(declared, "/jwks_uri")),
            row("field-webhook_url", said(declared, "/webhook/url")),
        ],
        methods: METHODS
            .map(|method| Choice::new(method, name_of(method)).chosen(method == chosen))
            .into(),
        jwks: text("jwks", &jwks(declared)),
        jwks_uri: text("jwks_uri", said(declared, "/jwks_uri")),
        has_signing_key: one.draft_keys == "shared-key",
        takes_key_away: sent.is_some_and(|fields| fields.text("no_signing_key") == "yes"),
        webhook_url: text("webhook_url", said(declared, "/webhook/url")),
        reason: text("reason", ""),
        ticket: text("ticket", ""),
    };
    Ok(render(status, &page))
}

/// The members that differ from what is declared; `None` for those that are to be none.
fn difference(declared: &Value, fields: &Fields) -> Result<Map<String, Value>, &'static str> {
    let mut change = Map::new();
    for name in ["token_endpoint_auth_method", "jwks_uri"] {
        if fields.text(name) != said(declared, &format!("/{name}")) {
            let value = fields.optional(name).map_or(Value::Null, Value::from);
            change.insert(name.to_owned(), value);
        }
    }
    // The browser's lines end otherwise: sets are compared, not texts.
    let set = |text: &str| match text {
        "" => Ok(Value::Null),
        text => serde_json::from_str::<Value>(text).map_err(|_| "jwks"),
    };
    let keys = set(fields.text("jwks"))?;
    if set(jwks(declared).trim()) != Ok(keys.clone()) {
        change.insert("jwks".to_owned(), keys);
    }
    if let Some(key) = fields.optional("signing_key") {
        change.insert("signing_key".to_owned(), key.into());
    } else if fields.text("no_signing_key") == "yes" {
        change.insert("signing_key".to_owned(), Value::Null);
    }
    let (from, to) = (said(declared, "/webhook/url"), fields.text("webhook_url"));
    let secrets = lines(fields.text("webhook_secrets"));
    if to.is_empty() && !from.is_empty() {
        change.insert("webhook".to_owned(), Value::Null);
    } else if to != from || !secrets.is_empty() {
        let mut webhook = json!({ "url": to });
        if !secrets.is_empty() {
            webhook["secrets"] = json!(secrets);
        }
        change.insert("webhook".to_owned(), webhook);
    }
    Ok(change)
}

/// Where nobody relies on it yet it is done at once; otherwise it waits for a second person.
pub(super) async fn change(
    visit: Visit,
    Path(client_id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let one = RelyingParty::find(&visit, &client_id).await?;
    let refused = |field: &str, word: &str| FormErrors::one(field, visit.say(word));
    let change = match difference(&one.declared, &fields) {
        Ok(change) if change.is_empty() => {
            let errors = refused("token_endpoint_auth_method", "proof-nothing");
            return page(&visit, &client_id, Some(&fields), errors).await;
        }
        Ok(change) => Value::Object(change),
        Err(field) => {
            let errors = refused(field, "proof-jwks-unreadable");
            return page(&visit, &client_id, Some(&fields), errors).await;
        }
    };
    let mut body = why(&fields);
    body["change"] = change.clone();
    // What somebody else changed since the page was looked at is not written over: each field says how it was there.
    let seen = fields.text("version").parse::<i64>();
    body["version"] = seen.map_or(Value::Null, |version| json!(version));
    let address = Address::new(&["relying-parties", &client_id]);
    let done = visit.api.patch::<Value>(address, &body).await;
    let done = done.map(|_| told_at(&at(&client_id), "relying-party-changed"));
    let detail = json!({ "relying_party": client_id, "change": change });
    match or_propose(&visit, done, ("relying-party-change", detail), &fields).await {
        Ok(response) => Ok(response),
        Err(problem) => {
            let errors = errors(&visit, problem, &FIELDS)?;
            page(&visit, &client_id, Some(&fields), errors).await
        }
    }
}
