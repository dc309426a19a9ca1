//! SEC-32: what calls itself Microsoft Entra Verified ID.

use serde_json::{Value, json};
use verified_id::Callback;

use super::door::identity;
use crate::door::entra::{BORN, ISSUER, KIND, PARTY, card};
use crate::door::{Answer, Door, Opened, Request, VERIFIER, door, redirect_uri, secret};
use crate::scene::{completed, fields, object};

/// Where the service calls.
const ADDRESS: &str = "/entra/callback";

/// Fields: the `api-key` header, the members of a callback, those of the one credential in it, its claims; or, in the
/// fifth, a whole body instead of the last three. `$KEY`, `$STATE` and `$ID` are the request's own.
///
/// Without all three nothing changes, and the genuine callback that comes then counts. With them, nobody is verified but by
/// one credential of the type that was asked for, of a trusted issuer, with a status that means valid; and the relying
/// party hears what stands in it. The first end is the only one.
pub(super) fn callback(data: &[u8]) {
    let Some([key, members, credential, claims, whole]) = fields(data) else {
        return;
    };
    let door = door();
    let now = door.gateway.app().now();
    let (opened, genuine) = door.begin_in_authenticator();
    let (state, id) = (
        text(&genuine.body["state"]),
        text(&genuine.body["requestId"]),
    );
    let filled = |given: &str| {
        let given = given.replace("$KEY", genuine.key());
        given.replace("$STATE", state).replace("$ID", id)
    };

    let body = if whole.is_empty() {
        let (Some(members), Some(credential), Some(claims)) =
            (object(&filled(members)), object(credential), object(claims))
        else {
            return;
        };
        let claims = Value::Object(completed(claims, anna()));
        let credential = completed(credential, card(&claims, now));
        let usual = json!({ "requestId": id, "state": state, "requestStatus": "presentation_verified",
                            "verifiedCredentialsData": [credential] });
        Value::Object(completed(members, usual)).to_string()
    } else {
        filled(whole)
    };
    let key = filled(key);
    let Some(request) = Request::form(ADDRESS, &[]).with("api-key", &key) else {
        return;
    };
    let answer = door.ask(&request.with_body(&body));

    // What was said, as any other reader of JSON has it.
    let said: Value = serde_json::from_str(&body).unwrap_or_default();
    let is_genuine =
        key.trim() == genuine.key() && said["state"] == state && said["requestId"] == id;
    let status = answer.status.as_u16();
    assert!(
        matches!(status, 200 | 400 | 401),
        "{status}: {}",
        answer.body
    );
    assert!(
        is_genuine || status != 200,
        "taken without key, state and id"
    );
    let (before, version) = standing(&door, &opened);
    assert!(
        status == 200 || before == "waiting",
        "{status}, but {before}"
    );

    // A second end changes nothing; after anything else, this one is the first.
    let other = Value::Object(completed(
        object(r#"{"ID-LegalFirstName":"Ben"}"#).unwrap_or_default(),
        anna(),
    ));
    let second = [card(&other, now)];
    let again = door.ask(&posted(&genuine, &second));
    assert_eq!(again.status.as_u16(), 200, "{}", again.body);
    let (after, later) = standing(&door, &opened);
    if matches!(before.as_str(), "waiting" | "scanned") {
        assert_eq!(
            after, "done",
            "a genuine callback did not count after {body}"
        );
        assert_eq!(shared(&door, &opened), Some(heard(&second[0])));
        return;
    }
    assert_eq!(
        (after, later),
        (before.clone(), version),
        "an end was overturned"
    );
    let heard_by_the_party = shared(&door, &opened);
    if before == "done" {
        let presented = said["verifiedCredentialsData"]
            .as_array()
            .map(Vec::as_slice);
        let Some([one]) = presented else {
            panic!("verified by {body}");
        };
        assert_eq!(said["requestStatus"], "presentation_verified");
        assert_eq!(one["issuer"], ISSUER);
        let types = one["type"].as_array();
        assert!(types.is_some_and(|types| types.iter().any(|kind| kind == KIND)));
        let status = text(&one["credentialState"]["revocationStatus"]);
        assert!(status.eq_ignore_ascii_case("valid"), "valid by {status}");
        assert_eq!(heard_by_the_party, Some(heard(one)));
    } else {
        assert_eq!(
            heard_by_the_party, None,
            "an identity of a page that is {before}"
        );
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Anna's claims, as the tenant's contract calls them.
fn anna() -> Value {
    let (ours, theirs) = BORN;
    let claims = identity().into_iter();
    let named = |name: String| {
        if name == ours {
            theirs.to_owned()
        } else {
            name
        }
    };
    Value::Object(claims.map(|(name, value)| (named(name), value)).collect())
}

/// The genuine callback with these credentials.
fn posted(genuine: &Callback, credentials: &[Value]) -> Request {
    let mut body = genuine.body.clone();
    body["requestStatus"] = "presentation_verified".into();
    body["verifiedCredentialsData"] = credentials.into();
    let request = Request::form(ADDRESS, &[]).with_body(&body.to_string());
    let request = request.with("api-key", genuine.key());
    request.expect("a key fits a header")
}

fn ask_as_browser(door: &Door, opened: &Opened, address: &str) -> Answer {
    let request = Request::read(address).with("cookie", &opened.cookie);
    door.ask(&request.expect("a cookie fits a header"))
}

/// What the page says, and how often it changed.
fn standing(door: &Door, opened: &Opened) -> (String, Value) {
    let told = ask_as_browser(door, opened, &format!("{}/status", opened.address)).json();
    (text(&told["state"]).to_owned(), told["version"].clone())
}

/// The claims of that credential in the relying party's words.
fn heard(credential: &Value) -> Vec<(String, Value)> {
    let (ours, theirs) = BORN;
    let mut named: Vec<(String, Value)> = identity()
        .keys()
        .map(|name| {
            let claim = if name == ours { theirs } else { name };
            (
                format!("Identity.{name}"),
                credential["claims"][claim].clone(),
            )
        })
        .collect();
    named.sort_by(|one, other| one.0.cmp(&other.0));
    named
}

/// What the relying party gets of it, if it gets anything.
fn shared(door: &Door, opened: &Opened) -> Option<Vec<(String, Value)>> {
    let page = ask_as_browser(door, opened, &opened.address);
    let back = url::Url::parse(page.location()?).ok()?;
    let (_, code) = back.query_pairs().find(|(name, _)| name == "code")?;
    let redirect_uri = redirect_uri(PARTY);
    let secret = secret(PARTY);
    let answer = door.ask(&Request::form(
        "/token",
        &[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &redirect_uri),
            ("client_id", PARTY),
            ("client_secret", &secret),
            ("code_verifier", VERIFIER),
        ],
    ));
    let token = answer.json();
    let payload = text(&token["id_token"]).split('.').nth(1);
    let payload = standards::base64url::decode(payload.unwrap_or_default());
    let payload: Value = serde_json::from_slice(&payload.unwrap_or_default()).unwrap_or_default();
    let claims = payload.as_object().expect("a code is worth an ID token");
    let mut named: Vec<(String, Value)> = claims
        .iter()
        .filter(|(name, _)| name.starts_with("Identity."))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    named.sort_by(|one, other| one.0.cmp(&other.0));
    Some(named)
}
