//! The relying party: pushes, redeems, and believes an ID token only after checking it.

use std::time::Instant;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Method;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use standards::base64url;
use standards::jose::jws::{self, ProtectedHeader, Typ};
use standards::jose::{Algorithm, HmacKey, JwkSet};
use standards::oauth::form;
use standards::oauth::pkce::CodeVerifier;
use uuid::Uuid;

use crate::http::Connection;
use crate::plan::{Party, Server};
use crate::record::{Endpoint, Record};

/// What travels as a form.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// A relying party and what it has learnt about its provider; the callers share one.
pub struct RelyingParty {
    party: Party,
    algorithm: Algorithm,
    authorization: String,
    drafts: Option<HmacKey>,
    issuer: String,
    par: String,
    authorize: String,
    token: String,
    keys: JwkSet,
}

/// What is remembered between the push and the token.
pub struct Pending {
    verifier: CodeVerifier,
    state: String,
    nonce: String,
    /// Where the browser is sent.
    pub address: String,
    /// Of the credential that was asked for, as the draft names it.
    pub serial_number: Option<Uuid>,
}

impl Pending {
    /// The code that the browser came back with, if it is an answer to this request.
    pub fn code(&self, address: &str) -> anyhow::Result<String> {
        let query = address
            .split_once('?')
            .context("the way back has no answer")?
            .1;
        let answer = form::Form::parse(query.as_bytes())?;
        anyhow::ensure!(
            answer.find("state") == Some(&self.state),
            "the way back is for another request: {address}"
        );
        let code = answer.find("code");
        code.map(str::to_owned)
            .with_context(|| format!("the way back has no code: {address}"))
    }
}

impl RelyingParty {
    /// Reads the provider's discovery document and its keys.
    pub async fn discover(party: &Party, server: &Server) -> anyhow::Result<Self> {
        let mut connection = Connection::new(&server.addresses, &server.origin)?;
        let found = fetch(&mut connection, "/.well-known/openid-configuration").await?;
        let text = |name: &str| {
            let value = found.get(name).and_then(Value::as_str);
            value
                .map(str::to_owned)
                .with_context(|| format!("the discovery document has no {name}"))
        };
        let keys = fetch(&mut connection, &text("jwks_uri")?).await?;
        let basic = STANDARD.encode(format!("{}:{}", party.client_id, party.client_secret));
        Ok(Self {
            party: party.clone(),
            algorithm: match party.algorithm.as_str() {
                "ES256" => Algorithm::ES256,
                "RS256" => Algorithm::RS256,
                other => bail!("{other} is neither ES256 nor RS256"),
            },
            authorization: format!("Basic {basic}"),
            drafts: party
                .signing_key
                .as_deref()
                .map(HmacKey::parse)
                .transpose()?,
            issuer: text("issuer")?,
            par: text("pushed_authorization_request_endpoint")?,
            authorize: text("authorization_endpoint")?,
            token: text("token_endpoint")?,
            keys: JwkSet::parse(&keys)?,
        })
    }

    /// Where browsers come back to.
    pub fn redirect_uri(&self) -> &str {
        &self.party.redirect_uri
    }

    /// Pushes a request for that scope. [RFC 9126]
    pub async fn push(
        &self,
        connection: &mut Connection,
        record: &mut Record,
        scope: &str,
        draft: Option<&Map<String, Value>>,
    ) -> anyhow::Result<Pending> {
        let verifier = CodeVerifier::from_random(random());
        let (state, nonce) = (
            base64url::encode(random::<16>()),
            base64url::encode(random::<16>()),
        );
        let challenge = verifier.challenge().to_text();
        let serial_number = draft.map(|_| Uuid::new_v4());
        let hint = draft
            .zip(serial_number)
            .map(|(claims, number)| self.signed(claims, number))
            .transpose()?;
        let mut pairs = vec![
            ("client_id", self.party.client_id.as_str()),
            ("response_type", "code"),
            ("response_mode", "query"),
            ("redirect_uri", self.redirect_uri()),
            ("scope", scope),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        pairs.extend(hint.as_deref().map(|hint| ("id_token_hint", hint)));
        let body = form::encode(pairs);
        let began = Instant::now();
        let answer = self.post(connection, &self.par, body).await?;
        record.request(Endpoint::Par, began);
        let answer = answer.with(201, "the pushed request")?.json()?;
        let request_uri = answer["request_uri"].as_str().context("no request_uri")?;
        let query = form::encode([
            ("client_id", self.party.client_id.as_str()),
            ("request_uri", request_uri),
        ]);
        Ok(Pending {
            verifier,
            state,
            nonce,
            address: format!("{}?{query}", self.authorize),
            serial_number,
        })
    }

    /// A request for that scope which nobody will follow: one body, to be pushed over and over.
    pub fn request_to(&self, scope: &str) -> String {
        let challenge = CodeVerifier::from_random(random()).challenge().to_text();
        form::encode([
            ("client_id", self.party.client_id.as_str()),
            ("response_type", "code"),
            ("response_mode", "query"),
            ("redirect_uri", self.redirect_uri()),
            ("scope", scope),
            ("state", "a-state-of-the-flood"),
            ("nonce", "a-nonce-of-the-flood"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ])
    }

    /// Pushes that body and gives the status of the answer, whatever it is.
    pub async fn push_whatever_comes(
        &self,
        connection: &mut Connection,
        body: String,
    ) -> anyhow::Result<u16> {
        Ok(self.post(connection, &self.par, body).await?.status)
    }

    /// Redeems the code and checks the ID token: signature, issuer, audience, nonce. [OIDC Core 3.1.3]
    pub async fn redeem(
        &self,
        connection: &mut Connection,
        record: &mut Record,
        pending: &Pending,
        code: &str,
    ) -> anyhow::Result<Map<String, Value>> {
        let body = form::encode([
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.redirect_uri()),
            ("code_verifier", pending.verifier.reveal()),
        ]);
        let began = Instant::now();
        let answer = self.post(connection, &self.token, body).await?;
        record.request(Endpoint::Token, began);
        let answer = answer.with(200, "the token endpoint")?.json()?;
        let token = answer["id_token"].as_str().context("no id_token")?;
        let parsed = jws::parse(token)?;
        let key = self
            .keys
            .find_for(parsed.header())
            .context("no such key is published")?;
        let verified = parsed.verify(key, &[self.algorithm], Typ::AbsentOr(&["JWT"]))?;
        let claims = verified.into_claims();
        for (name, expected) in [
            ("iss", &self.issuer),
            ("aud", &self.party.client_id),
            ("nonce", &pending.nonce),
        ] {
            anyhow::ensure!(
                claims.get(name).and_then(Value::as_str) == Some(expected),
                "the ID token has another {name}"
            );
        }
        Ok(claims)
    }

    async fn post(
        &self,
        connection: &mut Connection,
        place: &str,
        body: String,
    ) -> anyhow::Result<crate::http::Answer> {
        let headers = [
            (CONTENT_TYPE, FORM),
            (AUTHORIZATION, self.authorization.as_str()),
        ];
        connection.send(Method::POST, place, &headers, body).await
    }

    /// A draft as the gateway takes it: `HS256`, from this client, for this gateway.
    fn signed(&self, claims: &Map<String, Value>, serial_number: Uuid) -> anyhow::Result<String> {
        let key = self.drafts.as_ref().context("this party signs no drafts")?;
        let now = Timestamp::now();
        let mut message = claims.clone();
        for (name, value) in [
            ("iss", json!(self.party.client_id)),
            ("aud", json!(self.issuer)),
            ("iat", json!(now.as_second())),
            (
                "exp",
                json!((now + SignedDuration::from_mins(5)).as_second()),
            ),
            ("SerialNumber", json!(serial_number.to_string())),
        ] {
            message.insert(name.to_owned(), value);
        }
        let header = ProtectedHeader::typ("JWT");
        Ok(jws::sign_hmac(key, Algorithm::HS256, header, &message)?)
    }
}

/// GET of a JSON document.
pub async fn fetch(connection: &mut Connection, place: &str) -> anyhow::Result<Value> {
    let answer = connection
        .send(Method::GET, place, &[], String::new())
        .await?;
    answer.with(200, place)?.json()
}

/// Random bytes from the system.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Without them the server would meet the same values again and refuse them, which is told.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    bytes
}
