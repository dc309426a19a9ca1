//! The wallet: `OpenID4VP` and `OpenID4VCI` with every signature, check and encryption that a real one makes.
//!
//! It is not the test wallet. That one writes each credential to the disk and looks up everything anew for each scan,
//! as befits a tool for looking at one journey; a dozen of them would measure their own disk. What this one knows of
//! the gateway (its keys, its issuer's metadata) it fetches once, as a wallet with a cache does.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use hyper::Method;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use standards::dcql::{Candidate, Format};
use standards::did::{self, Did, Document, Relationship};
use standards::jose::jws::{self, Typ};
use standards::jose::{Algorithm, Signer as _, SoftwareKey};
use standards::oauth::well_known_url;
use standards::openid4vci::proof::{self, NameKeyBy, ProofClaims};
use standards::openid4vci::{
    AUTHORIZATION_SERVER_WELL_KNOWN, CREDENTIAL_ISSUER_WELL_KNOWN, CredentialOffer,
    CredentialRequest, CredentialResponse, OfferLink, Proofs, Requested, TokenRequest,
    TokenResponse,
};
use standards::openid4vp::{
    AuthorizationResponse, RequestLink, RequestSource, SignedRequestObject, VpToken,
    WalletExpectation,
};
use standards::vc::jwt_vp::{self, PresentationClaims};
use tokio::sync::OnceCell;

use crate::http::{Answer, Connection};
use crate::party::{FORM, fetch, random};
use crate::plan::Server;
use crate::record::{Endpoint, Record};

const JSON: &str = "application/json";
const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// One wallet with its own connection.
pub struct Wallet {
    connection: Connection,
    known: Arc<Known>,
    identity: Option<Held>,
}

/// What wallets fetch once: the keys and the endpoints of the gateway's one organisation.
#[derive(Default)]
pub struct Known {
    document: OnceCell<Document>,
    issuer: OnceCell<Issuer>,
}

struct Issuer {
    token: String,
    nonce: String,
    credential: String,
    notification: String,
}

/// A credential in the W3C form, and the key that it is bound to.
struct Held {
    credential: String,
    key: SoftwareKey,
    /// Where the paths of a query begin.
    root: Value,
}

impl Wallet {
    /// An empty wallet; `known` is what all wallets of a run share.
    pub fn new(server: &Server, known: Arc<Known>) -> anyhow::Result<Self> {
        Ok(Self {
            connection: Connection::new(&server.addresses, &server.origin)?,
            known,
            identity: None,
        })
    }

    /// Takes what is offered, checks it, and says so to the issuer. With `keep`, presents it from now on.
    pub async fn receive(
        &mut self,
        record: &mut Record,
        link: &str,
        keep: bool,
    ) -> anyhow::Result<()> {
        let link = self.follow(record, link).await?;
        let OfferLink::ByReference(uri) = OfferLink::parse(&link)? else {
            anyhow::bail!("the offer is not by reference")
        };
        let answer = self
            .get(record, Endpoint::Offer, uri.as_str(), JSON)
            .await?;
        let offer = CredentialOffer::parse(&answer.body)?;
        let issuer = offer.credential_issuer.clone();
        let known = self.known.clone();
        let endpoints = known
            .issuer
            .get_or_try_init(|| metadata(&mut self.connection, &issuer))
            .await?;

        let grant = offer.pre_authorized_code().context("no code")?;
        let request = TokenRequest {
            pre_authorized_code: grant.pre_authorized_code.clone(),
            tx_code: None,
            client_id: None,
            authorization_details: None,
        };
        let answer = self
            .post(
                record,
                Endpoint::WalletToken,
                &endpoints.token,
                &[(CONTENT_TYPE, FORM)],
                request.to_form(),
            )
            .await?;
        let token = TokenResponse::parse(&answer.with(200, "the wallet's token endpoint")?.body)
            .map_err(anyhow::Error::msg)?;
        let answer = self
            .post(
                record,
                Endpoint::Nonce,
                &endpoints.nonce,
                &[],
                String::new(),
            )
            .await?;
        let nonce = answer.with(200, "the nonce endpoint")?.json()?;
        let nonce = nonce["c_nonce"].as_str().context("no c_nonce")?;

        // A key for each credential, so that two of them cannot be told to be one person's.
        let key = SoftwareKey::generate(Algorithm::ES256)?;
        let claims = ProofClaims {
            credential_issuer: issuer,
            issued_at: Timestamp::now(),
            nonce: Some(nonce.to_owned()),
            client_id: None,
        };
        let proof = proof::sign(&key, &NameKeyBy::Kid(did_url(&key)), &claims).await?;
        let wanted = offer.credential_configuration_ids.first();
        let request = CredentialRequest {
            requested: Requested::ConfigurationId(wanted.context("nothing is offered")?.clone()),
            proofs: Some(Proofs::Jwt(vec![proof])),
            credential_response_encryption: None,
        };
        let bearer = format!("Bearer {}", token.access_token);
        let headers = [(CONTENT_TYPE, JSON), (AUTHORIZATION, bearer.as_str())];
        let answer = self
            .post(
                record,
                Endpoint::Credential,
                &endpoints.credential,
                &headers,
                request.to_value().to_string(),
            )
            .await?;
        let response =
            CredentialResponse::parse(&answer.with(200, "the credential endpoint")?.body)
                .map_err(anyhow::Error::msg)?;
        let credentials = response.credentials.unwrap_or_default();
        let compact = credentials.first().and_then(|one| one.credential.as_str());
        let held = self
            .check(compact.context("no credential came")?, key)
            .await?;
        if keep {
            self.identity = Some(held);
        }

        let said = serde_json::json!({
            "notification_id": response.notification_id,
            "event": "credential_accepted",
        });
        let answer = self
            .post(
                record,
                Endpoint::Notification,
                &endpoints.notification,
                &headers,
                said.to_string(),
            )
            .await?;
        answer.with(204, "the notification endpoint").map(drop)
    }

    /// Presents the identity credential to whoever asks by that link, who takes it.
    pub async fn present(&mut self, record: &mut Record, link: &str) -> anyhow::Result<()> {
        let answer = self.answered(record, link).await?;
        answer.with(200, "the verifier").map(drop)
    }

    /// Presents the identity credential to whoever asks by that link; gives what the verifier answers.
    pub async fn answered(&mut self, record: &mut Record, link: &str) -> anyhow::Result<Answer> {
        let link = RequestLink::parse(&self.follow(record, link).await?)?;
        let RequestSource::Reference { uri, .. } = &link.source else {
            anyhow::bail!("the request is not by reference")
        };
        let accept = "application/oauth-authz-req+jwt";
        let answer = self
            .get(record, Endpoint::Request, uri.as_str(), accept)
            .await?;
        let signed = SignedRequestObject::parse(std::str::from_utf8(&answer.body)?)?;
        let kid = signed.kid().context("the request names no key")?.to_owned();
        let did = Did::parse(kid.split('#').next().unwrap_or_default())?;
        let document = self.document(&did).await?;
        let key = document.find(&kid, Relationship::Authentication)?.clone();
        let now = Timestamp::now();
        let request = signed.check(
            &key,
            &WalletExpectation {
                client_id: &link.client_id,
                wallet_nonce: None,
                algorithms: Algorithm::ASYMMETRIC,
                now,
                skew: SKEW,
            },
        )?;

        let held = self.identity.as_ref().context("this wallet is empty")?;
        let candidate = Candidate {
            format: &Format::JwtVcJson,
            claims: &held.root,
            holder_binding: true,
        };
        let choice = request
            .dcql_query
            .choose(&[candidate])
            .map_err(|unsatisfied| anyhow::anyhow!("nothing fits: {unsatisfied}"))?;
        let selection = choice.selections.into_iter().next();
        let id = selection.context("nothing is asked for")?.id;
        let claims = PresentationClaims {
            holder: Some(did::jwk::encode(held.key.public_jwk()).to_string()),
            audience: request.client_id.to_string(),
            nonce: request.nonce.clone(),
            issued_at: now,
            expires_at: now + SignedDuration::from_mins(5),
            id: format!("urn:uuid:{}", uuid::Uuid::from_bytes(random())),
            credential: held.credential.clone(),
        };
        let presentation = jwt_vp::sign(&held.key, &did_url(&held.key), &claims).await?;
        let response = AuthorizationResponse::Presented {
            vp_token: VpToken::one(&id, presentation),
            state: request.state.clone(),
        };
        let metadata = request.client_metadata.as_ref();
        let form = response.to_encrypted_form(metadata.context("no key to encrypt to")?)?;
        self.post(
            record,
            Endpoint::Response,
            request.response_uri.as_str(),
            &[(CONTENT_TYPE, FORM)],
            form,
        )
        .await
    }

    /// A code's link: the standard's own, or a short one of the gateway's that leads to it.
    async fn follow(&mut self, record: &mut Record, link: &str) -> anyhow::Result<String> {
        if !link.starts_with("http") {
            return Ok(link.to_owned());
        }
        let began = Instant::now();
        let answer = self
            .connection
            .send(Method::GET, link, &[], String::new())
            .await?;
        record.request(Endpoint::Link, began);
        let answer = answer.with(303, "the short link")?;
        Ok(answer.location()?.to_owned())
    }

    async fn get(
        &mut self,
        record: &mut Record,
        endpoint: Endpoint,
        place: &str,
        accept: &str,
    ) -> anyhow::Result<Answer> {
        let began = Instant::now();
        let answer = self
            .connection
            .send(Method::GET, place, &[(ACCEPT, accept)], String::new())
            .await?;
        record.request(endpoint, began);
        answer.with(200, place)
    }

    async fn post(
        &mut self,
        record: &mut Record,
        endpoint: Endpoint,
        place: &str,
        headers: &[(hyper::header::HeaderName, &str)],
        body: String,
    ) -> anyhow::Result<Answer> {
        let began = Instant::now();
        let answer = self
            .connection
            .send(Method::POST, place, headers, body)
            .await?;
        record.request(endpoint, began);
        Ok(answer)
    }

    /// Who signed it, and that it is bound to the key that was proved.
    async fn check(&mut self, compact: &str, key: SoftwareKey) -> anyhow::Result<Held> {
        let parsed = jws::parse(compact)?;
        let kid = parsed
            .header()
            .kid()
            .context("the credential names no key")?;
        let did = Did::parse(kid.split('#').next().unwrap_or_default())?;
        let document = self.document(&did).await?;
        let issuer = document.find(kid, Relationship::AssertionMethod)?;
        let verified = parsed.verify(issuer, Algorithm::ASYMMETRIC, Typ::AbsentOr(&["JWT"]))?;
        let mut claims: Map<String, Value> = verified.into_claims();
        let holder = did::jwk::encode(key.public_jwk()).to_string();
        anyhow::ensure!(
            claims.get("sub").and_then(Value::as_str) == Some(&holder),
            "the credential is for another key"
        );
        Ok(Held {
            credential: compact.to_owned(),
            key,
            root: claims
                .remove("vc")
                .context("the credential holds nothing")?,
        })
    }

    async fn document(&mut self, did: &Did) -> anyhow::Result<&Document> {
        let place = did::web::document_url(did)?.with_scheme("https")?;
        let connection = &mut self.connection;
        let document = self.known.document.get_or_try_init(|| async move {
            let answer = fetch(connection, place.as_str()).await?;
            anyhow::Ok(Document::from_value(&answer, did)?)
        });
        let document = document.await?;
        anyhow::ensure!(document.id() == did, "there is a second organisation");
        Ok(document)
    }
}

/// The DID URL of a key, which names the key itself.
fn did_url(key: &SoftwareKey) -> String {
    did::jwk::verification_method(&did::jwk::encode(key.public_jwk())).to_string()
}

async fn metadata(connection: &mut Connection, issuer: &str) -> anyhow::Result<Issuer> {
    let place = well_known_url(issuer, CREDENTIAL_ISSUER_WELL_KNOWN)?;
    let found = fetch(connection, place.as_str()).await?;
    let place = well_known_url(issuer, AUTHORIZATION_SERVER_WELL_KNOWN)?;
    let server = fetch(connection, place.as_str()).await?;
    let text = |of: &Value, name: &str| {
        let value = of.get(name).and_then(Value::as_str);
        value
            .map(str::to_owned)
            .with_context(|| format!("the metadata has no {name}"))
    };
    Ok(Issuer {
        token: text(&server, "token_endpoint")?,
        nonce: text(&found, "nonce_endpoint")?,
        credential: text(&found, "credential_endpoint")?,
        notification: text(&found, "notification_endpoint")?,
    })
}
