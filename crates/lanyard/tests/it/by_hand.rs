//! The verify and issue sequences, one message at a time: relying party, browser and wallet do nothing by
//! themselves, so that a test can act between any two messages, or while one is on its way.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, ToSpan, tz::TimeZone};
use reqwest::cookie::{CookieStore as _, Jar};
use reqwest::{Client, Request, StatusCode, header};
use serde_json::{Map, Value, json};
use standards::jose::{Algorithm, jws};
use standards::oauth::{CodeVerifier, form};
use standards::openid4vci::{CredentialOffer, OfferLink, PRE_AUTHORIZED_CODE};
use standards::openid4vp::{RequestLink, RequestSource};
use uuid::Uuid;

use crate::holder::{Holder, RequestObject};
use crate::operated::{Operated, REDIRECT_URI};

/// The type that is issued and shown.
pub(crate) const CREDENTIAL_TYPE: &str = "TrainingProgramme";

/// One message to the gateway and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The relying party pushes its request.
    Push,
    /// The browser brings it.
    Authorize,
    /// The browser loads the waiting page.
    Page,
    /// The wallet retrieves the offer or the request object.
    Retrieve,
    /// The wallet turns the pre-authorized code into an access token.
    AccessToken,
    /// The wallet asks for a nonce.
    Nonce,
    /// The wallet asks for the credential.
    Credential,
    /// The wallet says that it keeps it.
    Notify,
    /// The wallet presents a credential.
    Present,
    /// The browser loads the page again and is led back with a code.
    Back,
    /// The relying party turns the code into an ID token.
    Token,
}

/// The sequence that puts a credential into a wallet.
pub(crate) const ISSUE: [Step; 10] = [
    Step::Push,
    Step::Authorize,
    Step::Page,
    Step::Retrieve,
    Step::AccessToken,
    Step::Nonce,
    Step::Credential,
    Step::Notify,
    Step::Back,
    Step::Token,
];
/// The sequence in which a wallet shows one.
pub(crate) const VERIFY: [Step; 7] = [
    Step::Push,
    Step::Authorize,
    Step::Page,
    Step::Retrieve,
    Step::Present,
    Step::Back,
    Step::Token,
];

/// What the gateway answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) location: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn read(response: reqwest::Response) -> reqwest::Result<Self> {
        let location = response.headers().get(header::LOCATION);
        Ok(Self {
            status: response.status(),
            location: location
                .map(|value| value.to_str().unwrap().to_owned())
                .unwrap_or_default(),
            body: response.text().await?,
        })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The OAuth error, or nothing.
    pub(crate) fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }

    /// The gateway's own reason towards a wallet, or nothing.
    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The authorization code with which the browser is led back, if it is.
    pub(crate) fn authorization_code(&self) -> Option<String> {
        self.location.starts_with(REDIRECT_URI).then(|| {
            let address = url::Url::parse(&self.location).unwrap();
            let code = address.query_pairs().find(|(name, _)| name == "code");
            code.map_or_else(
                || panic!("no code in {address}"),
                |(_, code)| code.into_owned(),
            )
        })
    }
}

/// One journey, and what its parties know so far.
pub(crate) struct Journey {
    pub(crate) issues: bool,
    /// The number that the relying party chose for the new credential.
    pub(crate) serial_number: Uuid,
    code_verifier: CodeVerifier,
    pub(crate) cookies: Arc<Jar>,
    pub(crate) request_uri: String,
    pub(crate) page: String,
    /// The link in the QR code.
    pub(crate) link: String,
    /// Where that link leads.
    address: String,
    /// What the wallet retrieved there.
    pub(crate) retrieved: String,
    pub(crate) issuer: String,
    configuration: String,
    pre_authorized_code: String,
    pub(crate) access_token: String,
    pub(crate) nonce: String,
    notification_id: String,
    pub(crate) code: String,
    pub(crate) id_token: Map<String, Value>,
}

impl Journey {
    fn new(issues: bool) -> Self {
        let mut random = [0; 32];
        aws_lc_rs::rand::fill(&mut random).unwrap();
        Self {
            issues,
            serial_number: Uuid::new_v4(),
            code_verifier: CodeVerifier::from_random(random),
            cookies: Arc::default(),
            request_uri: String::new(),
            page: String::new(),
            link: String::new(),
            address: String::new(),
            retrieved: String::new(),
            issuer: String::new(),
            configuration: String::new(),
            pre_authorized_code: String::new(),
            access_token: String::new(),
            nonce: String::new(),
            notification_id: String::new(),
            code: String::new(),
            id_token: Map::new(),
        }
    }

    pub(crate) fn to_issue() -> Self {
        Self::new(true)
    }

    pub(crate) fn to_verify() -> Self {
        Self::new(false)
    }

    pub(crate) fn steps(&self) -> &'static [Step] {
        if self.issues { &ISSUE } else { &VERIFY }
    }

    /// The request that takes a step, ready to be sent once or twice.
    pub(crate) async fn request(
        &mut self,
        step: Step,
        gateway: &Operated,
        holder: &Holder,
    ) -> Request {
        let client = gateway.client(&self.cookies);
        let form = |address: String, pairs: &[(&str, &str)]| {
            let encoded = (header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            client
                .post(address)
                .header(encoded.0, encoded.1)
                .body(form::encode(pairs.iter().copied()))
        };
        let request = match step {
            Step::Push => {
                gateway.keep_unsaid(&self.serial_number);
                let hint = self.draft(gateway);
                let challenge = self.code_verifier.challenge().to_text();
                let scope = if self.issues { "issue." } else { "" };
                let scope = format!("openid {scope}{CREDENTIAL_TYPE}");
                let mut pairs: Vec<(&str, &str)> = vec![
                    ("client_id", &gateway.client_id),
                    ("client_secret", &gateway.client_secret),
                    ("redirect_uri", &gateway.redirect_uri),
                    ("response_type", "code"),
                    ("scope", &scope),
                    ("state", "kept-by-the-relying-party"),
                    ("nonce", "of-the-relying-party"),
                    ("code_challenge", &challenge),
                    ("code_challenge_method", "S256"),
                ];
                pairs.extend(self.issues.then_some(("id_token_hint", hint.as_str())));
                form(gateway.url("/par"), &pairs)
            }
            Step::Authorize => {
                let address = self.authorize_address(gateway);
                // A new browser is given its cookie first; one that has it is not asked twice.
                if self.cookies.cookies(&address.parse().unwrap()).is_none() {
                    let _ = client.get(&address).send().await;
                }
                client.get(address)
            }
            Step::Page | Step::Back => client.get(&self.page),
            Step::Retrieve => {
                if self.address.is_empty() {
                    self.address = self.retrieval_address(&client).await;
                }
                client.get(&self.address)
            }
            Step::AccessToken => form(
                format!("{}/token", self.issuer),
                &[
                    ("grant_type", PRE_AUTHORIZED_CODE),
                    ("pre-authorized_code", &self.pre_authorized_code),
                ],
            ),
            Step::Nonce => client.post(format!("{}/nonce", self.issuer)),
            Step::Credential => {
                return self
                    .credential_request_with(gateway, holder, &self.nonce)
                    .await;
            }
            Step::Notify => {
                let body = json!({ "notification_id": self.notification_id, "event": "credential_accepted" });
                client
                    .post(format!("{}/notification", self.issuer))
                    .bearer_auth(&self.access_token)
                    .json(&body)
            }
            Step::Present => {
                let answer = Answer {
                    status: StatusCode::OK,
                    location: String::new(),
                    body: self.retrieved.clone(),
                };
                let request = RequestObject::parse(&answer);
                let encoded = "application/x-www-form-urlencoded";
                let post = client
                    .post(request.text("response_uri"))
                    .header(header::CONTENT_TYPE, encoded);
                post.body(holder.presentation(&request).await)
            }
            Step::Token => form(
                gateway.url("/token"),
                &[
                    ("grant_type", "authorization_code"),
                    ("client_id", &gateway.client_id),
                    ("client_secret", &gateway.client_secret),
                    ("redirect_uri", &gateway.redirect_uri),
                    ("code", &self.code),
                    ("code_verifier", self.code_verifier.reveal()),
                ],
            ),
        };
        request.build().unwrap()
    }

    /// The same, where what has to be looked up for it may not be answered: then there is none.
    pub(crate) async fn try_request(
        &mut self,
        step: Step,
        gateway: &Operated,
        holder: &Holder,
    ) -> Option<Request> {
        if step == Step::Retrieve && self.address.is_empty() && self.link.starts_with("https:") {
            let client = gateway.client(&self.cookies);
            let answer = client.get(&self.link).send().await.ok()?;
            answer.headers().get(header::LOCATION)?;
        }
        Some(self.request(step, gateway, holder).await)
    }

    /// Asks for the credential, to be bound to that holder's key, with that nonce.
    pub(crate) async fn credential_request_with(
        &self,
        gateway: &Operated,
        holder: &Holder,
        nonce: &str,
    ) -> Request {
        let body = holder
            .credential_request(&self.issuer, &self.configuration, nonce)
            .await;
        let address = format!("{}/credential", self.issuer);
        let request = gateway
            .client(&self.cookies)
            .post(address)
            .bearer_auth(&self.access_token);
        request.json(&body).build().unwrap()
    }

    /// Takes in the good answer to a step.
    pub(crate) fn hear(
        &mut self,
        step: Step,
        gateway: &Operated,
        holder: &mut Holder,
        answer: &Answer,
    ) {
        let (json, wanted) = (answer.json(), wanted(step));
        assert_eq!(answer.status, wanted, "{step:?}: {}", answer.body);
        let text = |value: &Value| {
            value
                .as_str()
                .unwrap_or_else(|| panic!("{step:?}: {}", answer.body))
                .to_owned()
        };
        match step {
            Step::Push => self.request_uri = text(&json["request_uri"]),
            Step::Authorize => self.page = gateway.url(&answer.location),
            Step::Page => {
                self.link = lanyard::browser::href(&answer.body, "open-wallet").expect("a link")
            }
            Step::Retrieve => {
                self.retrieved.clone_from(&answer.body);
                if self.issues {
                    let offer = CredentialOffer::parse(answer.body.as_bytes()).unwrap();
                    let grant = offer.pre_authorized_code().unwrap();
                    grant
                        .pre_authorized_code
                        .reveal()
                        .clone_into(&mut self.pre_authorized_code);
                    let offered = offer.credential_configuration_ids.into_iter();
                    let mut offered = offered.filter(|id| id.ends_with(holder.format.suffix()));
                    self.configuration = offered.next().expect("the format is offered");
                    self.issuer = offer.credential_issuer;
                }
            }
            Step::AccessToken => self.access_token = text(&json["access_token"]),
            Step::Nonce => self.nonce = text(&json["c_nonce"]),
            Step::Credential => {
                holder.credential = text(&json["credentials"][0]["credential"]);
                self.notification_id = text(&json["notification_id"]);
            }
            Step::Notify | Step::Present => {}
            Step::Back => self.code = answer.authorization_code().expect("the way back"),
            Step::Token => {
                let token = jws::parse(&text(&json["id_token"])).unwrap();
                self.id_token.clone_from(token.unverified_claims());
            }
        }
    }

    /// Takes a step.
    pub(crate) async fn take(&mut self, step: Step, gateway: &Operated, holder: &mut Holder) {
        let request = self.request(step, gateway, holder).await;
        let answer = send(&gateway.client(&self.cookies), request).await;
        self.hear(step, gateway, holder, &answer);
    }

    /// Takes every step up to that one, and not that one.
    pub(crate) async fn take_until(&mut self, last: Step, gateway: &Operated, holder: &mut Holder) {
        for step in self.steps().iter().take_while(|step| **step != last) {
            self.take(*step, gateway, holder).await;
        }
    }

    /// Takes every step from that one on.
    pub(crate) async fn take_from(&mut self, first: Step, gateway: &Operated, holder: &mut Holder) {
        for step in self.steps().iter().skip_while(|step| **step != first) {
            self.take(*step, gateway, holder).await;
        }
    }

    /// The employee's 'Start again': the old link is dead, the page shows a new one.
    pub(crate) async fn start_again(&mut self, gateway: &Operated) {
        let client = gateway.client(&self.cookies);
        let page = send(&client, client.get(&self.page).build().unwrap()).await;
        let (_, rest) = page
            .body
            .split_once("name=\"csrf\" value=\"")
            .expect("the page has a form");
        let (csrf, _) = rest.split_once('"').unwrap();
        let post = client.post(format!("{}/restart", self.page));
        let form = post.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer = send(
            &client,
            form.body(form::encode([("csrf", csrf)])).build().unwrap(),
        )
        .await;
        assert_eq!(gateway.url(&answer.location), self.page, "{}", answer.body);
        self.address.clear();
    }

    pub(crate) fn authorize_address(&self, gateway: &Operated) -> String {
        gateway.url(&format!(
            "/authorize?client_id={}&request_uri={}",
            gateway.client_id, self.request_uri
        ))
    }

    /// Where the link of the page leads a wallet, through the short form if it has that.
    async fn retrieval_address(&self, client: &Client) -> String {
        let link = if self.link.starts_with("https:") {
            client.get(&self.link).send().await.unwrap().headers()[header::LOCATION]
                .to_str()
                .unwrap()
                .to_owned()
        } else {
            self.link.clone()
        };
        if self.issues {
            match OfferLink::parse(&link).unwrap() {
                OfferLink::ByReference(uri) => uri.to_string(),
                OfferLink::ByValue(_) => panic!("the offer is in the link"),
            }
        } else {
            match RequestLink::parse(&link).unwrap().source {
                RequestSource::Reference { uri, .. } => uri.to_string(),
                RequestSource::Value(_) => panic!("the request is in the link"),
            }
        }
    }

    /// The signed draft of the new credential.
    fn draft(&self, gateway: &Operated) -> String {
        let now = Timestamp::now();
        let today = now.to_zoned(TimeZone::UTC).date();
        let claims = json!({
            "iss": gateway.client_id, "aud": gateway.base, "iat": now.as_second(),
            "exp": (now + SignedDuration::from_mins(5)).as_second(), "SerialNumber": self.serial_number,
            "TPR-Name": "Cardiology", "TPR-Origin": "NHS England", "TPR-Provider": "NHS England",
            "TPR-ProgrammeStartDate": (today - 1.month()).to_string(),
            "TPR-ProgrammeEndDate": (today + 2.years()).to_string(),
            "TPR-AssurancePolicy": "Postgraduate doctor trainee programme assessment",
            "TPR-AssuranceOutcome": "Postgraduate doctor trainee programme registration",
            "TPR-Verifier": "Origin", "TPR-VerificationMethod": "Record Verification",
            "TPR-Pedigree": "Authoritative", "TPR-LastRefresh": today.to_string(),
            "UniqueIdentifier": "3f0c1c1e-52f4-4b6f-9b2f-6f3a0a9f8d10",
        });
        let header = jws::ProtectedHeader::typ("JWT");
        let claims = claims.as_object().unwrap();
        jws::sign_hmac(&gateway.signing_key, Algorithm::HS256, header, claims).unwrap()
    }
}

/// Cancels a credential by its serial number, as the relying party does.
pub(crate) async fn revoke(gateway: &Operated, serial_number: Uuid) -> StatusCode {
    let body = json!({
        "client_id": gateway.client_id, "client_secret": gateway.client_secret, "OrganisationId": gateway.organisation,
        "CredentialTemplateName": CREDENTIAL_TYPE, "SerialNumber": serial_number,
        "RevocationReason": "Source record deleted",
    });
    let client = gateway.client(&Arc::default());
    let request = client
        .post(gateway.url("/Revocation/revokecredential"))
        .json(&body);
    request.send().await.unwrap().status()
}

pub(crate) async fn send(client: &Client, request: Request) -> Answer {
    Answer::read(client.execute(request).await.unwrap())
        .await
        .unwrap()
}

fn wanted(step: Step) -> StatusCode {
    match step {
        Step::Push => StatusCode::CREATED,
        Step::Authorize | Step::Back => StatusCode::SEE_OTHER,
        Step::Notify => StatusCode::NO_CONTENT,
        _ => StatusCode::OK,
    }
}
