//! The gateway as a whole, through its router, with a database: what relying parties, browsers and wallets send.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use standards::openid4vp::{AuthorizationResponse, ClientMetadata, VpToken};

use crate::door::{
    Answer, BASE, CHALLENGE, Door, PARTIES, Request, SIGNER, door, redirect_uri, secret,
};
use crate::scene::{KEYS, completed, did_of, fields, object, signed};

/// The most requests that one input makes.
const MOST: usize = 8;

/// SEC-02, SEC-03, SEC-27, SEC-29. Requests in a row, `%%` between them, `$NAMES` in them filled with what earlier answers
/// gave. Nobody is sent to a foreign address, no page is shown to a browser without its cookie, and nobody comes to
/// an ID token or a credential, learns who somebody is, or revokes, since no wallet proves anything here.
pub(super) fn door_requests(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let door = door();
    let mut known = Known::default();
    for written in text.split("\n%%\n").take(MOST) {
        let Some(request) = Request::parse(&known.filled(&door, written)) else {
            continue;
        };
        let answer = door.ask(&request);
        let body = answer.json();
        assert!(body.get("id_token").is_none(), "an ID token for nobody");
        let credentials = body.get("credentials").and_then(Value::as_array);
        assert!(
            credentials.is_none_or(Vec::is_empty),
            "a credential for nobody"
        );
        let path = request.path().to_lowercase();
        let wants_a_person = request.method() != axum::http::Method::OPTIONS
            && (path.starts_with("/userinfo") || path.contains("revocation/revoke"));
        assert!(
            !wants_a_person || !answer.status.is_success(),
            "{path} took a token or a number that nobody was given"
        );
        if let (Some(cookie), Some(link)) = (&known.cookie, &known.link)
            && request.path().starts_with("/interaction/")
            && !request.brings(cookie)
            // A page says its own address: whoever wrote the link into it has the link.
            && !request.path().contains(link)
        {
            assert!(!answer.body.contains(link), "a page for another browser");
        }
        known.learn(&answer);
    }
}

/// What earlier answers gave.
#[derive(Default)]
struct Known {
    request_uri: Option<String>,
    interaction: Option<String>,
    cookie: Option<String>,
    link: Option<String>,
    code: Option<String>,
    token: Option<String>,
    reference: Option<String>,
    cursor: Option<String>,
}

impl Known {
    fn learn(&mut self, answer: &Answer) {
        let body = answer.json();
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        let code = body.pointer(
            "/grants/urn:ietf:params:oauth:grant-type:pre-authorized_code/pre-authorized_code",
        );
        let first_outcome = &body["outcomes"][0];
        // As an answer that has more to tell gives it; none of one input's has.
        let cursor = first_outcome["began_at"].as_str().and_then(|began_at| {
            let began_at: jiff::Timestamp = began_at.parse().ok()?;
            let reference = first_outcome["reference"].as_str()?;
            Some(format!("{}.{reference}", began_at.as_second()))
        });
        let interaction = answer
            .location()
            .and_then(|location| location.strip_prefix("/interaction/"))
            .map(str::to_owned);
        for (place, found) in [
            (&mut self.request_uri, text("request_uri")),
            (&mut self.interaction, interaction),
            (&mut self.cookie, answer.cookie()),
            (&mut self.link, answer.link().map(str::to_owned)),
            (
                &mut self.code,
                code.and_then(Value::as_str).map(str::to_owned),
            ),
            (&mut self.token, text("access_token")),
            (
                &mut self.reference,
                first_outcome["reference"].as_str().map(str::to_owned),
            ),
            (&mut self.cursor, cursor),
        ] {
            if found.is_some() {
                *place = found;
            }
        }
    }

    fn filled(&self, door: &Door, text: &str) -> String {
        let mut filled = text.to_owned();
        for (name, value) in [
            ("$REQUEST_URI", &self.request_uri),
            ("$INTERACTION", &self.interaction),
            ("$COOKIE", &self.cookie),
            ("$LINK", &self.link),
            ("$CODE", &self.code),
            ("$TOKEN", &self.token),
            ("$REFERENCE", &self.reference),
            ("$CURSOR", &self.cursor),
        ] {
            if filled.contains(name) {
                filled = filled.replace(name, value.as_deref().unwrap_or("unknown"));
            }
        }
        if filled.contains("$BASIC") {
            let pair = STANDARD.encode(format!("v2:{}", secret("v2")));
            filled = filled.replace("$BASIC", &format!("Basic {pair}"));
        }
        if filled.contains("$HINT") {
            let hint = door.hint("v2", Map::new(), identity());
            filled = filled.replace("$HINT", &hint.unwrap_or_default());
        }
        filled
    }
}

pub(super) fn identity() -> Map<String, Value> {
    let claims = json!({
        "ID-LegalFirstName": "Anna", "ID-LegalSurname": "Taylor", "ID-BirthDate": "1990-04-12",
        "UniqueIdentifier": "3f0c1c1e-52f4-4b6f-9b2f-6f3a0a9f8d10",
    });
    claims.as_object().cloned().unwrap_or_default()
}

/// Fields: which relying party, a scope, the hint's header, its claims. A draft that is accepted was signed by
/// the party that pushes it, for this gateway, and is still good.
pub(super) fn hint(data: &[u8]) {
    let Some([party, scope, header, claims]) = fields(data) else {
        return;
    };
    let (Some(header), Some(claims)) = (object(header), object(claims)) else {
        return;
    };
    let Some((client_id, _)) = PARTIES.iter().find(|(client_id, _)| *client_id == party) else {
        return;
    };
    let door = door();
    let Some(hint) = door.hint(
        client_id,
        header.clone(),
        completed(claims.clone(), Value::Object(identity())),
    ) else {
        return;
    };
    let pushed = door.push(client_id, &[("scope", scope), ("id_token_hint", &hint)]);
    assert!(
        matches!(pushed.status.as_u16(), 201 | 400),
        "{}: {}",
        pushed.status,
        pushed.body
    );
    let stranger = if *client_id == "v2" { "plain" } else { "v2" };
    let stolen = door.push(stranger, &[("scope", scope), ("id_token_hint", &hint)]);
    assert_eq!(
        stolen.status.as_u16(),
        400,
        "a draft of another relying party"
    );
    if pushed.status.as_u16() == 201 {
        assert!(claims.get("iss").is_none_or(|iss| iss == client_id));
        let audience = claims.get("aud").unwrap_or(&Value::Null).to_string();
        assert!(audience == "null" || audience.contains(BASE));
    }
}

/// SEC-11, SEC-15. Fields: an assertion's header, its claims. A client is recognised by what its own key signed, for this
/// gateway, once.
pub(super) fn client_assertion(data: &[u8]) {
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    let Some([header, claims]) = fields(data) else {
        return;
    };
    let (Some(header), Some(claims)) = (object(header), object(claims)) else {
        return;
    };
    let door = door();
    let now = door.gateway.app().now().as_second();
    let drawn = format!("own-{}", DRAWN.fetch_add(1, Ordering::Relaxed));
    let usual = json!({ "iss": SIGNER, "sub": SIGNER, "aud": BASE, "exp": now + 60, "jti": drawn });
    let claims = completed(claims, usual);
    let mut recognised = Vec::new();
    for key in [&KEYS.foreign, &KEYS.es256, &KEYS.es256] {
        let Some(assertion) = signed(key, header.clone(), &claims) else {
            return;
        };
        let redirect_uri = redirect_uri(SIGNER);
        let answer = door.ask(&Request::form(
            "/par",
            &[
                (
                    "client_assertion_type",
                    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                ),
                ("client_assertion", &assertion),
                ("redirect_uri", &redirect_uri),
                ("response_type", "code"),
                ("scope", "openid Identity"),
                ("code_challenge", CHALLENGE),
                ("code_challenge_method", "S256"),
            ],
        ));
        assert!(
            matches!(answer.status.as_u16(), 201 | 401),
            "{}: {}",
            answer.status,
            answer.body
        );
        recognised.push(answer.status.as_u16() == 201);
    }
    assert!(!recognised[0], "a client was recognised by another's key");
    assert!(!recognised[2], "an assertion was taken twice");
    if recognised[1] {
        assert!(claims["iss"] == SIGNER && claims["sub"] == SIGNER);
        let ours = [
            json!(BASE),
            json!(format!("{BASE}/token")),
            json!(format!("{BASE}/par")),
        ];
        let one = match claims["aud"].as_array().map(Vec::as_slice) {
            Some([one]) => one,
            _ => &claims["aud"],
        };
        assert!(
            ours.contains(one),
            "an assertion for somebody else was taken"
        );
        let typ = header.get("typ").and_then(Value::as_str);
        let typ = typ.unwrap_or_default().to_lowercase();
        let newer = typ.ends_with("client-authentication+jwt");
        assert!(!newer || claims["aud"] == BASE);
        assert!(claims["jti"].as_str().is_some_and(|id| !id.is_empty()));
    }
}

/// SEC-29. The cookie header of a browser that wants to see an interaction: only with `$COOKIE`, the cookie of
/// the browser that began, is it shown.
pub(super) fn cookie(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let door = door();
    let begun = door.begin("v2", &[("scope", "openid Identity")]);
    for path in ["", "/status", "/code"] {
        let address = format!("{}{path}", begun.address);
        // What no header can hold never reaches the gateway.
        let Some(request) =
            Request::read(&address).with("cookie", &text.replace("$COOKIE", &begun.cookie))
        else {
            return;
        };
        let answer = door.ask(&request);
        if !text.contains("$COOKIE") {
            assert!(
                !answer.body.contains(&begun.link),
                "a page for another browser"
            );
            assert!(
                answer.status.as_u16() >= 400,
                "{}: {}",
                answer.status,
                answer.body
            );
        }
    }
}

/// SEC-16, SEC-17, SEC-20. Fields: the claims of a credential, its `vc`, the claims of a presentation, the answer's
/// payload. The credential is signed with the gateway's own key, the presentation with the holder's, and the answer
/// is encrypted to the key of a fresh request.
pub(super) fn answer(data: &[u8]) {
    let Some([credential, document, presentation, payload]) = fields(data) else {
        return;
    };
    let (Some(credential), Some(document), Some(presentation), Some(payload)) = (
        object(credential),
        object(document),
        object(presentation),
        object(payload),
    ) else {
        return;
    };
    let door = door();
    let link = door.begin("v2", &[("scope", "openid Identity")]).link;
    let fetched = door.ask(&Request::read(&format!("/r/{link}")));
    let asked = fetched.body.split('.').nth(1).unwrap_or_default();
    let asked = URL_SAFE_NO_PAD.decode(asked).unwrap_or_default();
    let asked: Value = serde_json::from_slice(&asked).expect("a request object");
    let now = door.gateway.app().now().as_second();
    let issuer = door
        .gateway
        .app()
        .organisations
        .find("anytown")
        .map(|one| one.did.clone());
    let issuer = issuer.expect("the organisation");

    let document = completed(
        document,
        json!({ "@context": ["https://www.w3.org/2018/credentials/v1"],
                "type": ["VerifiableCredential", "Identity"], "credentialSubject": identity() }),
    );
    let usual = json!({ "iss": issuer, "sub": did_of(&KEYS.holder), "nbf": now, "iat": now, "exp": now + 60,
                        "jti": "urn:uuid:7d5e7ad0-51a0-4b56-b5f7-bdb5b07e1d31",
                        "status": { "status_list": { "idx": 0, "uri": format!("{BASE}/issuers/anytown/status/1") } },
                        "vc": document });
    let credential = door.sign_as_issuer("JWT", &completed(credential, usual));
    let usual = json!({ "iss": did_of(&KEYS.holder), "aud": asked["client_id"], "nonce": asked["nonce"],
                        "iat": now, "exp": now + 60,
                        "vp": { "@context": ["https://www.w3.org/2018/credentials/v1"],
                                "type": ["VerifiablePresentation"], "verifiableCredential": [credential] } });
    let Some(presented) = signed(&KEYS.holder, Map::new(), &completed(presentation, usual)) else {
        return;
    };
    let id = asked
        .pointer("/dcql_query/credentials/0/id")
        .and_then(Value::as_str);
    let vp_token = VpToken::one(id.unwrap_or_default(), presented);
    let usual = json!({ "vp_token": vp_token.to_value(), "state": asked["state"] });
    let payload = Value::Object(completed(payload, usual)).to_string();
    let Ok(said) = AuthorizationResponse::parse_payload(payload.as_bytes()) else {
        return;
    };
    let metadata =
        ClientMetadata::parse(&asked["client_metadata"]).expect("the gateway's own metadata");
    let body = said
        .to_encrypted_form(&metadata)
        .expect("an answer can be encrypted");
    let address = format!("/r/{link}/response");
    let post = || Request::form(&address, &[]).with_body(&body);
    let first = door.ask(&post());
    // Nothing was ever issued here: whatever is presented, it is not on a list.
    let refused_by_the_wallet = matches!(said, AuthorizationResponse::Refused(_));
    assert!(
        matches!(first.status.as_u16(), 400 | 503) || refused_by_the_wallet,
        "{}: {}",
        first.status,
        first.body
    );
    let second = door.ask(&post());
    assert_eq!(second.status.as_u16(), 400, "an answer was taken twice");
}
