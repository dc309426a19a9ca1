//! Every kind of token that the gateway or a wallet makes, taken to every place where another kind is due: a
//! presentation is no access token, an ID token no draft, a key proof no presentation.

use gateway::keys::KeyPurpose;
use jiff::SignedDuration;
use reqwest::StatusCode;
use serde_json::{Value, json};
use standards::base64url;
use standards::jose::{Algorithm, HmacKey, Signer, SoftwareKey, jws};
use standards::openid4vp::VpToken;

use crate::raw_wallet::{Waiting, credential, nonce, notify, offer, read, request, token};
use crate::scenes::{CONFIGURATION, Stage, TYPE};
use crate::world::{Answer, client};

/// The kinds of token, each good in its own place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    IdToken,
    Credential,
    SdJwtCredential,
    Presentation,
    SdJwtPresentation,
    KeyBinding,
    KeyProof,
    StatusList,
    StatusBitstring,
    RequestObject,
    Draft,
    PreAuthorizedCode,
    AccessToken,
    AuthorizationCode,
    Nonce,
    NotificationId,
}

/// Where a token can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// As a presentation, in either format.
    Presented(&'static str),
    /// As the credential in a presentation that the holder signs.
    InPresentation,
    Proof,
    ProofNonce,
    BearerOfCredential,
    BearerOfNotification,
    NotificationId,
    PreAuthorizedCode,
    AuthorizationCode,
    Draft,
    ClientSecret,
}

const PLACES: [Place; 12] = [
    Place::Presented("jwt_vc_json"),
    Place::Presented("dc+sd-jwt"),
    Place::InPresentation,
    Place::Proof,
    Place::ProofNonce,
    Place::BearerOfCredential,
    Place::BearerOfNotification,
    Place::NotificationId,
    Place::PreAuthorizedCode,
    Place::AuthorizationCode,
    Place::Draft,
    Place::ClientSecret,
];

fn belongs(kind: Kind, place: Place) -> bool {
    matches!(
        (kind, place),
        (Kind::Credential, Place::InPresentation)
            | (Kind::KeyProof, Place::Proof)
            | (Kind::Nonce, Place::ProofNonce)
            | (
                Kind::AccessToken,
                Place::BearerOfCredential | Place::BearerOfNotification
            )
            | (Kind::NotificationId, Place::NotificationId)
            | (Kind::PreAuthorizedCode, Place::PreAuthorizedCode)
            | (Kind::AuthorizationCode, Place::AuthorizationCode)
            | (Kind::Draft, Place::Draft)
    )
}

/// Where everything goes: an offer half-way, its issuer, a token of it.
struct Issuing {
    issuer: String,
    access_token: String,
    notification_id: String,
}

/// One of each.
async fn one_of_each(stage: &Stage) -> (Issuing, Vec<(Kind, String)>) {
    let (world, wallet) = (&stage.world, &stage.wallet);
    let now = world.now();
    let party = world.party("v2");
    let hint = world.hint(&party, |_| ());

    let (waiting, requested) = stage.asked().await;
    let w3c = wallet.present_w3c(&stage.w3c, &requested, now).await;
    let sd_jwt = wallet.present_sd_jwt(&stage.sd_jwt, &requested, now).await;
    let text = |token: &VpToken| token.iter().next().unwrap().1[0].clone();
    let (w3c_text, sd_jwt_text) = (text(&w3c), text(&sd_jwt));
    let key_binding = sd_jwt_text.rsplit('~').next().unwrap().to_owned();
    requested.post(requested.answer(w3c)).await;
    let code = waiting.again().await.code();
    let plain = world.party("plain");
    let collected = world.token(&plain, |form| form.code(&code)).await;
    let id_token = collected.json["id_token"].as_str().unwrap().to_owned();
    // A second one stays unused.
    let (waiting, requested) = stage.asked().await;
    requested.post(stage.good(&requested).await).await;
    let code = waiting.again().await.code();

    let done = offer(&Waiting::to_issue(world, "v2").await.link()).await;
    let issuer = done.issuer.clone();
    let given = token(&issuer, &done.code).await.json;
    let access_token = given["access_token"].as_str().unwrap().to_owned();
    let body = wallet.request(&issuer, CONFIGURATION, now).await;
    let issued = credential(&issuer, &access_token, &body).await;
    let notification_id = issued.json["notification_id"].as_str().unwrap().to_owned();
    let open = offer(&Waiting::to_issue(world, "v2").await.link()).await;
    let list = read(client().get(format!("{issuer}/status/1"))).await;
    let bitstring = read(client().get(format!("{issuer}/status/1/revocation"))).await;
    let fresh = nonce(&issuer).await;
    let kinds = vec![
        (Kind::IdToken, id_token),
        (Kind::Credential, stage.w3c.clone()),
        (Kind::SdJwtCredential, stage.sd_jwt.clone()),
        (Kind::Presentation, w3c_text),
        (Kind::SdJwtPresentation, sd_jwt_text),
        (Kind::KeyBinding, key_binding),
        (Kind::KeyProof, wallet.proof(&issuer, &fresh, now).await),
        (Kind::StatusList, list.body),
        (Kind::StatusBitstring, bitstring.body),
        (Kind::RequestObject, requested.text.clone()),
        (Kind::Draft, hint),
        (Kind::PreAuthorizedCode, open.code),
        (Kind::AccessToken, access_token.clone()),
        (Kind::AuthorizationCode, code),
        (Kind::Nonce, nonce(&issuer).await),
        (Kind::NotificationId, notification_id.clone()),
    ];
    let issuing = Issuing {
        issuer,
        access_token,
        notification_id,
    };
    (issuing, kinds)
}

/// Takes a token to a place, where everything else is as it should be.
async fn take(stage: &Stage, issuing: &Issuing, place: Place, token_text: &str) -> Answer {
    let (world, wallet) = (&stage.world, &stage.wallet);
    let Issuing {
        issuer,
        access_token,
        notification_id,
    } = issuing;
    let accepted = json!({"notification_id": notification_id, "event": "credential_accepted"});
    let with_proof = |proof: &str| json!({"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": [proof]}});
    match place {
        Place::Presented(format) => {
            let requested = request(&Waiting::to_verify(world, TYPE).await.link()).await;
            let presented = VpToken::one(&requested.query_id(format), token_text.to_owned());
            requested.post(requested.answer(presented)).await
        }
        Place::InPresentation => {
            let requested = request(&Waiting::to_verify(world, TYPE).await.link()).await;
            let presented = wallet
                .present_w3c(token_text, &requested, world.now())
                .await;
            requested.post(requested.answer(presented)).await
        }
        Place::Proof => {
            let open = offer(&Waiting::to_issue(world, "v2").await.link()).await;
            let given = token(issuer, &open.code).await.json;
            let bearer = given["access_token"].as_str().unwrap();
            credential(issuer, bearer, &with_proof(token_text)).await
        }
        Place::ProofNonce => {
            let open = offer(&Waiting::to_issue(world, "v2").await.link()).await;
            let given = token(issuer, &open.code).await.json;
            let bearer = given["access_token"].as_str().unwrap();
            let proof = wallet.proof(issuer, token_text, world.now()).await;
            credential(issuer, bearer, &with_proof(&proof)).await
        }
        Place::BearerOfCredential => {
            let body = wallet.request(issuer, CONFIGURATION, world.now()).await;
            credential(issuer, token_text, &body).await
        }
        Place::BearerOfNotification => notify(issuer, token_text, &accepted).await,
        Place::NotificationId => {
            let event = json!({"notification_id": token_text, "event": "credential_accepted"});
            notify(issuer, access_token, &event).await
        }
        Place::PreAuthorizedCode => token(issuer, token_text).await,
        Place::AuthorizationCode => {
            let party = world.party("plain");
            world.token(&party, |form| form.code(token_text)).await
        }
        Place::Draft => {
            let party = world.party("v2");
            world
                .push(&party, |form| form.issue(TYPE, token_text))
                .await
        }
        Place::ClientSecret => {
            let party = world.party("v2");
            let push = world.push(&party, |form| form.set("client_secret", token_text));
            push.await
        }
    }
}

/// SEC-14.
#[tokio::test]
async fn no_token_passes_for_another_kind_in_any_place() {
    let stage = Stage::set().await;
    let (issuing, kinds) = one_of_each(&stage).await;
    let mut tried = 0;
    for (kind, text) in &kinds {
        for place in PLACES {
            if belongs(*kind, place) {
                continue;
            }
            let answer = take(&stage, &issuing, place, text).await;
            assert!(
                answer.status.is_client_error(),
                "{kind:?} as {place:?}: {} {}",
                answer.status,
                answer.body
            );
            tried += 1;
        }
    }
    assert_eq!(tried, kinds.len() * PLACES.len() - 9);
    // The places are real ones: what belongs there is taken.
    for (kind, text) in &kinds {
        for place in PLACES.into_iter().filter(|place| belongs(*kind, *place)) {
            let answer = take(&stage, &issuing, place, text).await;
            assert!(
                answer.status.is_success(),
                "{kind:?} as {place:?}: {} {}",
                answer.status,
                answer.body
            );
        }
    }
}

/// A token with any header, signed by that key whatever the header says.
async fn signed_with(signer: &dyn Signer, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| base64url::encode(value.to_string());
    let input = format!("{}.{}", part(header), part(claims));
    let signature = signer.sign(input.as_bytes()).await.unwrap();
    format!("{input}.{}", base64url::encode(signature))
}

/// SEC-15: a credential with our issuer's name on it, and a signature that is checked in the way the attacker wants.
#[tokio::test]
async fn no_header_chooses_how_a_credential_is_checked() {
    let stage = Stage::set().await;
    let organisations = &stage.world.gateway.app().organisations;
    let ours = organisations.find("anytown").unwrap();
    let key = stage.world.key(KeyPurpose::Credentials);
    let (public, kid) = (key.public_jwk(), ours.key_id(&key));
    let attacker = SoftwareKey::generate(Algorithm::ES256).unwrap();
    let own = attacker.public_jwk().bare_key().to_value();
    let mut private = own.clone();
    private["d"] = json!("AAAA");
    let claims = Value::Object(jws::parse(&stage.w3c).unwrap().unverified_claims().clone());
    let part = |value: &Value| base64url::encode(value.to_string());
    let header = |change: Value| {
        let mut header = json!({"typ": "JWT", "alg": "ES256", "kid": kid});
        let members = header.as_object_mut().unwrap();
        members.extend(change.as_object().unwrap().clone());
        header
    };

    let mut forged = Vec::new();
    for alg in ["none", "None", "NONE", ""] {
        let input = format!("{}.{}", part(&header(json!({"alg": alg}))), part(&claims));
        forged.push((format!("alg {alg:?}"), format!("{input}.")));
    }
    let jwk = public.bare_key().to_value();
    let point = ["x", "y"].map(|name| base64url::decode(jwk[name].as_str().unwrap()).unwrap());
    for secret in [
        jwk.to_string().into_bytes(),
        point.concat(),
        kid.clone().into_bytes(),
    ] {
        let secret = HmacKey::from_bytes(&secret).unwrap();
        let header = jws::ProtectedHeader::typ("JWT").kid(kid.as_str());
        let text = jws::sign_hmac(&secret, Algorithm::HS256, header, &claims).unwrap();
        forged.push(("a MAC with what is public".to_owned(), text));
    }
    for change in [
        json!({"jwk": own}),
        json!({"jwk": private}),
        json!({"jku": "https://attacker.example/keys"}),
        json!({"x5u": "https://attacker.example/chain"}),
        json!({"x5c": ["AAAA"]}),
        json!({"jwk": own, "kid": null}),
        json!({"alg": "ES384"}),
        json!({"alg": "RS256"}),
        json!({"alg": "EdDSA"}),
        json!({"crit": ["x"], "x": 1}),
        json!({"b64": false, "crit": ["b64"]}),
        json!({"kid": format!("{}#attacker", ours.did)}),
        json!({"kid": "../../keys/attacker"}),
    ] {
        let text = signed_with(&attacker, &header(change.clone()), &claims).await;
        forged.push((change.to_string(), text));
    }
    // The right key's signature in another shape: DER, twice as long, of nothing.
    let good = &stage.w3c;
    let (input, signature) = good.rsplit_once('.').unwrap();
    let raw = base64url::decode(signature).unwrap();
    let zero = vec![0; raw.len()];
    let double = [raw.clone(), raw.clone()].concat();
    let der = [
        &[0x30, 0x44, 0x02, 0x20][..],
        &raw[..32],
        &[0x02, 0x20],
        &raw[32..],
    ]
    .concat();
    for other in [zero, double, der, Vec::new()] {
        let text = format!("{input}.{}", base64url::encode(other));
        forged.push(("another shape of signature".to_owned(), text));
    }

    for (name, text) in forged {
        let (status, _, code) = stage.refused(&text).await;
        assert_eq!(status, 400, "{name}: {code}");
        assert!(
            ["signature-invalid", "presentation-malformed"].contains(&code.as_str()),
            "{name}: {code}"
        );
    }
}

/// SEC-15: nor how a draft is checked.
#[tokio::test]
async fn no_header_chooses_how_a_draft_is_checked() {
    let stage = Stage::set().await;
    let world = &stage.world;
    let party = world.party("v2");
    let good = world.hint(&party, |_| ());
    let (_, payload, _) = {
        let mut parts = good.split('.');
        (parts.next(), parts.next().unwrap().to_owned(), parts.next())
    };
    let claims: Value = serde_json::from_slice(&base64url::decode(&payload).unwrap()).unwrap();
    let mut forged = vec![format!(
        "{}.{payload}.",
        base64url::encode(r#"{"alg":"none"}"#)
    )];
    let app = world.gateway.app();
    for purpose in [KeyPurpose::IdTokenRs256, KeyPurpose::IdTokenEs256] {
        let secret = app.keys.id_token(purpose).unwrap();
        let secret = secret.public_jwk().bare_key().to_value().to_string();
        let secret = HmacKey::from_bytes(secret.as_bytes()).unwrap();
        forged.push(crate::world::sign(&secret, claims.as_object().unwrap()));
    }
    let other = world.party("plain");
    forged.push(crate::world::sign(
        &other.signing_key,
        claims.as_object().unwrap(),
    ));
    let key = SoftwareKey::generate(Algorithm::ES256).unwrap();
    let jwk = key.public_jwk().bare_key().to_value();
    for header in [
        json!({"alg": "ES256", "jwk": jwk}),
        json!({"alg": "HS256", "jwk": {"kty": "oct", "k": "AAAA"}}),
    ] {
        forged.push(signed_with(&key, &header, &claims).await);
    }
    for hint in forged {
        let answer = world.push(&party, |form| form.issue(TYPE, &hint)).await;
        assert_eq!(answer.error(), "invalid_request", "{hint}");
        assert!(
            answer.description().starts_with("id_token_hint"),
            "{}",
            answer.body
        );
    }
    let good = world.push(&party, |form| form.issue(TYPE, &good)).await;
    assert_eq!(good.status, StatusCode::CREATED, "{}", good.body);
}

/// SEC-17: a presentation ends, also one that names no end: five minutes after it was made.
#[tokio::test]
async fn a_presentation_that_names_no_end_ends_all_the_same() {
    let stage = Stage::set().await;
    // With room for a busy machine: its own seconds count as well.
    for (age, accepted) in [(270, true), (301, false)] {
        let (_, requested) = stage.asked().await;
        let made = stage.world.now() - SignedDuration::from_secs(age);
        let good = stage.wallet.present_w3c(&stage.w3c, &requested, made).await;
        let text = good.iter().next().unwrap().1[0].clone();
        let mut claims = jws::parse(&text).unwrap().unverified_claims().clone();
        claims.remove("exp");
        let kid = format!("{}#0", stage.wallet.did());
        let header = jws::ProtectedHeader::typ("JWT").kid(kid);
        let endless = jws::sign_now(&stage.wallet.key, header, &claims).unwrap();
        let presented = VpToken::one(&requested.query_id("jwt_vc_json"), endless);
        let answer = requested.post(requested.answer(presented)).await;
        assert_eq!(
            answer.status.is_success(),
            accepted,
            "{age}: {}",
            answer.body
        );
    }
}
