//! One request of the walk, made of its parts, and what came of it.

use base64::Engine as _;
use reqwest::{Client, header};
use serde_json::{Map, Value, json};

use super::inputs::{Input, Meaning, Operation, Stands};
use super::tenant::Tenant;
use crate::world::client;

/// Who asks, where, and for whose things.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a> {
    pub(crate) who: &'a Tenant,
    /// Whom the caller may claim to be.
    pub(crate) other: &'a Tenant,
    pub(crate) place: &'a Tenant,
    pub(crate) things: &'a Tenant,
}

/// How the caller says who it is, its cookie beside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum As {
    /// By what the operation reads for it.
    Itself,
    /// By its secret in the header.
    Header,
    /// By its secret in the header, and the other's id in the body.
    HeaderAndOthersId,
    /// By the other's id and its own secret.
    OthersId,
    /// By one of its access tokens.
    Bearer(&'static str),
}

impl As {
    pub(crate) fn all_for(operation: &Operation) -> Vec<Self> {
        let mut all = vec![Self::Itself];
        // A client id is no credential by itself: whoever sends a browser somewhere names whom it pleases.
        if operation.reads(Meaning::Who("client secret")) {
            all.extend([Self::Header, Self::HeaderAndOthersId, Self::OthersId]);
        }
        if operation.takes_bearer {
            let tokens = ["userinfo token", "revocation token", "wallet token"];
            all.extend(tokens.map(Self::Bearer));
        }
        all
    }
}

pub(crate) struct Caller {
    base: String,
    /// One for all requests: making one costs more than most of them.
    client: Client,
}

/// What was answered, and what had been sent.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    /// The headers that say something of their own, and the body.
    text: String,
    sent: Vec<String>,
}

impl Caller {
    pub(crate) fn new(base: &str) -> Self {
        Self {
            base: base.to_owned(),
            client: client(),
        }
    }

    pub(crate) async fn ask(
        &self,
        operation: &Operation,
        asked: &[Meaning],
        parts: &Parts<'_>,
        how: As,
    ) -> Answered {
        let mut path = operation.path.clone();
        let (mut query, mut form, mut body) = (Vec::new(), Vec::new(), Map::new());
        let mut headers = header::HeaderMap::new();
        let mut sent = Vec::new();
        for input in &operation.inputs {
            let Some(value) = value(input, asked, parts, how) else {
                continue;
            };
            sent.push(value.clone());
            match input.stands {
                Stands::Path => path = path.replace(&format!("{{{}}}", input.name), &value),
                Stands::Query => query.push((input.name.clone(), value)),
                Stands::Form => form.push((input.name.clone(), value)),
                Stands::Header => {
                    let name: header::HeaderName = input.name.parse().unwrap();
                    headers.insert(name, value.parse().unwrap());
                }
                Stands::Json if input.name == "proofs" => {
                    body.insert(input.name.clone(), json!({ "jwt": [value] }));
                }
                Stands::Json => drop(body.insert(input.name.clone(), value.into())),
            }
        }
        headers.insert(header::COOKIE, parts.who.of("cookie").parse().unwrap());
        if let Some(value) = authorization(parts, how) {
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        }
        let request = self
            .client
            .request(operation.method.clone(), format!("{}{path}", self.base));
        let mut request = request.headers(headers);
        if !query.is_empty() {
            request = request.query(&query);
        }
        if !form.is_empty() {
            request = request.form(&form);
        }
        if !body.is_empty() {
            request = request.json(&Value::Object(body));
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let told = response
            .headers()
            .iter()
            .filter(|(name, _)| ![header::DATE, header::CONTENT_LENGTH].contains(name));
        let told = told.map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()));
        let mut text: String = told.collect();
        text.push_str(&response.text().await.unwrap());
        // The longest first, of which another may be a part.
        sent.sort_by_key(|value| std::cmp::Reverse(value.len()));
        Answered { status, text, sent }
    }
}

/// What stands in an input; `None` where it is left out.
fn value(input: &Input, asked: &[Meaning], parts: &Parts<'_>, how: As) -> Option<String> {
    let is_asked = asked.contains(&input.meaning);
    Some(match input.meaning {
        Meaning::Plain(value) => value.to_owned(),
        Meaning::All(value) => return is_asked.then(|| value.to_owned()),
        Meaning::Place => parts.place.of("organisation").to_owned(),
        Meaning::Thing(_) if !is_asked => return None,
        Meaning::Thing("proof") => {
            let place = parts.place.of("organisation");
            parts.things.of(&format!("proof for {place}")).to_owned()
        }
        Meaning::Thing(name) => parts.things.of(name).to_owned(),
        Meaning::Left(_) | Meaning::Who("bearer") => return None,
        Meaning::Who("client id") => match how {
            As::HeaderAndOthersId | As::OthersId => parts.other.of("client id").to_owned(),
            As::Header => return None,
            _ => parts.who.of("client id").to_owned(),
        },
        Meaning::Who("client secret") if matches!(how, As::Header | As::HeaderAndOthersId) => {
            return None;
        }
        Meaning::Who("userinfo token") if how != As::Itself => return None,
        Meaning::Who("form token") => parts.who.form_token(parts.things.of("interaction")),
        Meaning::Who(name) => parts.who.of(name).to_owned(),
    })
}

fn authorization(parts: &Parts<'_>, how: As) -> Option<String> {
    match how {
        As::Itself | As::OthersId => None,
        As::Header | As::HeaderAndOthersId => {
            let (id, secret) = (parts.who.of("client id"), parts.who.of("client secret"));
            let pair = base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}"));
            Some(format!("Basic {pair}"))
        }
        As::Bearer(name) => Some(format!("Bearer {}", parts.who.of(name))),
    }
}

impl Answered {
    /// Status and text, with what was sent taken out.
    fn plain(&self) -> (u16, String) {
        let mut text = self.text.clone();
        for value in &self.sent {
            let escaped: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
            text = text.replace(&escaped, "~").replace(value.as_str(), "~");
        }
        // A page that refuses has a reference of its own, for the log.
        let marked = "<span class=\"lanyard-reference\">";
        if let Some((before, (_, after))) = text
            .split_once(marked)
            .and_then(|(before, rest)| Some((before, rest.split_once('<')?)))
        {
            text = format!("{before}{after}");
        }
        (self.status, text)
    }

    /// Where it differs from another, if it does.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        let ((one, mine), (another, theirs)) = (self.plain(), other.plain());
        let mut lines = mine.lines().zip(theirs.lines());
        let line = lines.find(|(mine, theirs)| mine != theirs);
        (one != another || mine != theirs).then(|| format!("{one} and {another}, {line:?}"))
    }

    /// What is a tenant's in it, by its name: a secret, a thing or a person; or, where nobody asked for that tenant by its
    /// id, the id or the name of its system.
    pub(crate) fn secret_of(&self, tenant: &Tenant, system: &str) -> Option<String> {
        let was_sent = |value: &str| self.sent.iter().any(|sent| sent.contains(value));
        let organisation = tenant.of("organisation");
        let open = [("organisation", organisation), ("system", system)];
        let open = open.into_iter().filter(|_| !was_sent(organisation));
        let mut all = tenant.secrets().chain(open);
        all.find(|(_, value)| self.text.contains(value) && !was_sent(value))
            .map(|(name, _)| name.to_owned())
    }
}
