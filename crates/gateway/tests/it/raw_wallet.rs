//! A wallet with every message in the test's hands: it does what a wallet does, one step at a time, and what no
//! honest wallet would.

use jiff::{SignedDuration, Timestamp};
use reqwest::{StatusCode, header};
use serde_json::{Value, json};
use standards::did;
use standards::jose::{Algorithm, Signer, SoftwareKey};
use standards::oauth::form;
use standards::openid4vci::{CredentialOffer, OfferLink, PRE_AUTHORIZED_CODE, proof};
use standards::openid4vp::{
    AuthorizationResponse, ClientMetadata, RequestLink, RequestSource, VpToken,
};
use standards::sd_jwt::SdJwt;
use standards::vc::jwt_vp::{self, PresentationClaims};

use crate::world::{Answer, Browser, Page, World, client};

/// A holder's key and nothing else.
pub(crate) struct RawWallet {
    pub(crate) key: SoftwareKey,
}

/// An offer as it was retrieved.
pub(crate) struct Offered {
    pub(crate) issuer: String,
    pub(crate) code: String,
    pub(crate) configurations: Vec<String>,
}

/// A request object as it was retrieved.
pub(crate) struct Requested {
    pub(crate) claims: Value,
    pub(crate) text: String,
}

/// A browser on the waiting page of an interaction.
pub(crate) struct Waiting {
    pub(crate) browser: Browser,
    pub(crate) page: Page,
}

impl Waiting {
    /// A relying party wants a credential put into a wallet.
    pub(crate) async fn to_issue(world: &World, party: &str) -> Self {
        let party = world.party(party);
        let hint = world.hint(&party, |_| ());
        Self::at(
            &world
                .pushed(&party, |form| form.issue("TrainingProgramme", &hint))
                .await,
        )
        .await
    }

    /// A relying party wants a credential shown.
    pub(crate) async fn to_verify(world: &World, credential_type: &str) -> Self {
        let scope = format!("openid {credential_type}");
        Self::at(
            &world
                .pushed(&world.party("plain"), |form| form.set("scope", &scope))
                .await,
        )
        .await
    }

    pub(crate) async fn at(address: &str) -> Self {
        let browser = Browser::new();
        let page = browser.open(address).await;
        Self { browser, page }
    }

    pub(crate) fn link(&self) -> String {
        self.page.link("open-wallet")
    }

    /// The page as it is now.
    pub(crate) async fn again(&self) -> Page {
        self.browser.open(&self.page.url).await
    }
}

/// The standard's link behind a short one.
pub(crate) async fn follow(link: &str) -> String {
    if !link.starts_with("http") {
        return link.to_owned();
    }
    let response = client().get(link).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    response.headers()[header::LOCATION]
        .to_str()
        .unwrap()
        .to_owned()
}

/// Where an offer is to be retrieved.
pub(crate) async fn offer_address(link: &str) -> String {
    match OfferLink::parse(&follow(link).await).unwrap() {
        OfferLink::ByReference(uri) => uri.to_string(),
        OfferLink::ByValue(_) => panic!("the offer is in the link"),
    }
}

/// Where a request object is to be retrieved.
pub(crate) async fn request_address(link: &str) -> String {
    match RequestLink::parse(&follow(link).await).unwrap().source {
        RequestSource::Reference { uri, .. } => uri.to_string(),
        RequestSource::Value(_) => panic!("the request is in the link"),
    }
}

pub(crate) async fn read(request: reqwest::RequestBuilder) -> Answer {
    Answer::read(request.send().await.unwrap()).await
}

pub(crate) async fn offer(link: &str) -> Offered {
    let answer = read(client().get(offer_address(link).await)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    let offer = CredentialOffer::parse(answer.body.as_bytes()).unwrap();
    Offered {
        code: offer
            .pre_authorized_code()
            .unwrap()
            .pre_authorized_code
            .reveal()
            .to_owned(),
        issuer: offer.credential_issuer,
        configurations: offer.credential_configuration_ids,
    }
}

pub(crate) async fn token_with(issuer: &str, pairs: &[(&str, &str)]) -> Answer {
    let request = client()
        .post(format!("{issuer}/token"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    read(request.body(form::encode(pairs.iter().copied()))).await
}

pub(crate) async fn token(issuer: &str, code: &str) -> Answer {
    token_with(
        issuer,
        &[
            ("grant_type", PRE_AUTHORIZED_CODE),
            ("pre-authorized_code", code),
        ],
    )
    .await
}

pub(crate) async fn nonce(issuer: &str) -> String {
    let answer = read(client().post(format!("{issuer}/nonce"))).await;
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    answer.json["c_nonce"].as_str().unwrap().to_owned()
}

pub(crate) async fn credential(issuer: &str, token: &str, body: &Value) -> Answer {
    read(
        client()
            .post(format!("{issuer}/credential"))
            .bearer_auth(token)
            .json(body),
    )
    .await
}

pub(crate) async fn notify(issuer: &str, token: &str, body: &Value) -> Answer {
    read(
        client()
            .post(format!("{issuer}/notification"))
            .bearer_auth(token)
            .json(body),
    )
    .await
}

impl RawWallet {
    pub(crate) fn new() -> Self {
        Self {
            key: SoftwareKey::generate(Algorithm::ES256).unwrap(),
        }
    }

    pub(crate) fn did(&self) -> String {
        did::jwk::encode(self.key.public_jwk()).to_string()
    }

    /// A good key proof.
    pub(crate) async fn proof(&self, issuer: &str, nonce: &str, now: Timestamp) -> String {
        let claims = proof::ProofClaims {
            credential_issuer: issuer.to_owned(),
            issued_at: now,
            nonce: Some(nonce.to_owned()),
            client_id: None,
        };
        proof::sign(&self.key, &proof::NameKeyBy::Jwk, &claims)
            .await
            .unwrap()
    }

    /// A good credential request.
    pub(crate) async fn request(&self, issuer: &str, configuration: &str, now: Timestamp) -> Value {
        let proof = self.proof(issuer, &nonce(issuer).await, now).await;
        json!({ "credential_configuration_id": configuration, "proofs": { "jwt": [proof] } })
    }

    /// Takes the credential offered at a link, in the format of that suffix, and says nothing afterwards.
    pub(crate) async fn receive(&self, world: &World, link: &str, suffix: &str) -> String {
        let offered = offer(link).await;
        let token = token(&offered.issuer, &offered.code).await.json["access_token"]
            .as_str()
            .unwrap()
            .to_owned();
        let configuration = offered
            .configurations
            .iter()
            .find(|id| id.ends_with(suffix))
            .unwrap();
        let request = self
            .request(&offered.issuer, configuration, world.now())
            .await;
        let answer = credential(&offered.issuer, &token, &request).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.json["credentials"][0]["credential"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// A presentation of a `jwt_vc_json` credential for that request.
    pub(crate) async fn present_w3c(
        &self,
        credential: &str,
        request: &Requested,
        now: Timestamp,
    ) -> VpToken {
        let claims = PresentationClaims {
            holder: Some(self.did()),
            audience: request.text_of("client_id"),
            nonce: request.text_of("nonce"),
            issued_at: now,
            expires_at: now + SignedDuration::from_secs(60),
            id: format!("urn:uuid:{}", uuid::Uuid::new_v4()),
            credential: credential.to_owned(),
        };
        let kid = format!("{}#0", self.did());
        VpToken::one(
            &request.query_id("jwt_vc_json"),
            jwt_vp::sign(&self.key, &kid, &claims).await.unwrap(),
        )
    }

    /// A presentation of a `dc+sd-jwt` credential, everything disclosed, for that request.
    pub(crate) async fn present_sd_jwt(
        &self,
        credential: &str,
        request: &Requested,
        now: Timestamp,
    ) -> VpToken {
        let presented = SdJwt::parse(credential).unwrap().present_all().unwrap();
        let bound = presented
            .bind(
                &self.key,
                &request.text_of("client_id"),
                &request.text_of("nonce"),
                now,
            )
            .await
            .unwrap();
        VpToken::one(&request.query_id("dc+sd-jwt"), bound)
    }
}

/// Retrieves the request object at a link.
pub(crate) async fn request(link: &str) -> Requested {
    let answer = read(client().get(request_address(link).await)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    Requested::parse(&answer)
}

impl Requested {
    pub(crate) fn parse(answer: &Answer) -> Self {
        assert_eq!(
            answer.headers[header::CONTENT_TYPE],
            "application/oauth-authz-req+jwt"
        );
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
        let parsed = standards::jose::jws::parse(&answer.body).unwrap();
        Self {
            claims: Value::Object(parsed.unverified_claims().clone()),
            text: answer.body.clone(),
        }
    }

    pub(crate) fn text_of(&self, name: &str) -> String {
        self.claims[name].as_str().unwrap().to_owned()
    }

    pub(crate) fn query_id(&self, format: &str) -> String {
        let credentials = self.claims["dcql_query"]["credentials"].as_array().unwrap();
        credentials
            .iter()
            .find(|one| one["format"] == format)
            .unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The answer as a form, encrypted to the request's key.
    pub(crate) fn encrypted(&self, response: &AuthorizationResponse) -> String {
        let metadata = ClientMetadata::parse(&self.claims["client_metadata"]).unwrap();
        response.to_encrypted_form(&metadata).unwrap()
    }

    pub(crate) fn answer(&self, vp_token: VpToken) -> String {
        self.encrypted(&AuthorizationResponse::Presented {
            vp_token,
            state: Some(self.text_of("state")),
        })
    }

    /// Posts a form to the response URI.
    pub(crate) async fn post(&self, form: String) -> Answer {
        post_to(&self.text_of("response_uri"), form).await
    }
}

pub(crate) async fn post_to(address: &str, form: String) -> Answer {
    let request = client()
        .post(address)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    read(request.body(form)).await
}

/// What a refusal on the wire says: status, `error`, and our own stable code.
pub(crate) fn refusal(answer: &Answer) -> (u16, &str, &str) {
    (
        answer.status.as_u16(),
        answer.error(),
        answer.json["code"].as_str().unwrap_or_default(),
    )
}
