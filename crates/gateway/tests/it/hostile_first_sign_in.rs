//! Whoever finds a token before its operator has ever signed in: what they set up with it ends with it (decision 0043).

use gateway::admin::Role;
use gateway::operator::code_of;
use gateway::operator::desk::Desk;
use gateway::random::Random;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::database::{Database, on_both_engines};
use crate::world::{Admin, Caller, Reply};

const PASSWORD: &str = "correct horse battery staple";

on_both_engines!(
    sec_13_a_first_sign_in_ends_with_the_token_that_set_it_up,
    sec_13_a_sign_in_ends_with_what_its_token_was_made_with,
    sec_13_a_sign_in_stands_by_itself_once_another_token_was_shown_that_nobody_found_with_the_first,
    sec_13_whoever_signs_in_at_the_moment_of_the_revocation_is_out_with_it,
    a_token_that_has_run_out_ends_no_sign_in_until_it_is_revoked,
);

/// What a set-up answers.
struct SetUp {
    secret: String,
    session: Caller,
    recovery_code: String,
}

async fn confirm(admin: &Admin, begun: &Value) -> Reply {
    let code = code_of(begun["secret"].as_str().unwrap(), admin.world.now()).unwrap();
    let body = json!({ "set_up": begun["set_up"], "code": code });
    let path = "/admin/v1/sign-in/confirm";
    admin.send(None, "POST", path, Some(&body)).await
}

async fn set_up(admin: &Admin, by: &Caller, current: Option<Value>) -> SetUp {
    let mut body = json!({ "password": PASSWORD });
    if let Some(current) = current {
        body["current"] = current;
    }
    let begun = admin.post(by, "/admin/v1/sign-in", &body).await;
    let begun = begun.expect(201).json;
    let confirmed = confirm(admin, &begun).await.expect(201).json;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    SetUp {
        secret: text(&begun["secret"]),
        session: holding(by, &confirmed["session"]["token"]),
        recovery_code: text(&confirmed["recovery_codes"][0]),
    }
}

/// What shows that it is still them, so many minutes after the beginning.
fn current(admin: &Admin, secret: &str, minutes: i64) -> Value {
    admin.world.later(SignedDuration::from_mins(minutes));
    let code = code_of(secret, admin.world.now()).unwrap();
    json!({ "password": PASSWORD, "code": code })
}

async fn sign_in(admin: &Admin, name: &str, secret: &str, minutes: i64) -> Reply {
    let mut body = current(admin, secret, minutes);
    body["name"] = name.into();
    admin
        .send(None, "POST", "/admin/v1/sessions", Some(&body))
        .await
}

fn holding(caller: &Caller, token: &Value) -> Caller {
    let token = token.as_str().unwrap().to_owned();
    Caller {
        token,
        ..caller.clone()
    }
}

async fn make_token(admin: &Admin, by: &Caller, body: &Value) -> Caller {
    let made = admin.post(by, "/admin/v1/tokens", body).await.expect(201);
    holding(by, &made.json["token"])
}

async fn is_in_force(admin: &Admin, caller: &Caller) -> bool {
    let reply = admin.get(caller, "/admin/v1/whoami").await;
    reply.status.as_u16() == 200
}

async fn revoke(admin: &Admin, by: &Caller, which: &str) {
    let path = format!("/admin/v1/tokens/{which}/revoke");
    admin.post(by, &path, &json!({})).await.expect(204);
}

async fn id_of(admin: &Admin, caller: &Caller) -> String {
    let who = admin.get(caller, "/admin/v1/whoami").await.expect(200);
    who.json["token"].as_str().unwrap().to_owned()
}

/// A token of hers from whoever has the machine: made with no other.
async fn from_the_machine(admin: &Admin, caller: &Caller, name: &str) -> Caller {
    let app = admin.world.gateway.app();
    let random = Random::system();
    let desk = Desk {
        store: &app.store,
        random: &random,
        account: "test",
        now: app.now(),
    };
    let token = desk.new_token(name, None, None).await.unwrap();
    Caller {
        token,
        ..caller.clone()
    }
}

async fn state(admin: &Admin, by: &Caller) -> Value {
    admin.get(by, "/admin/v1/sign-in").await.expect(200).json
}

async fn sec_13_a_first_sign_in_ends_with_the_token_that_set_it_up(database: Database) {
    let admin = Admin::start(database).await;
    let ben = admin.operator("ben", Role::Administrator, None).await;
    // The token lay in a mail. Whoever found it is quicker than Ann.
    let ann = admin.operator("ann", Role::Operator, None).await;
    let first = id_of(&admin, &ann).await;
    let thief = set_up(&admin, &ann, None).await;
    assert_eq!(state(&admin, &ann).await["set_up_with"], first.as_str());
    let body = json!({ "current": current(&admin, &thief.secret, 1) });
    let more = make_token(&admin, &thief.session, &body).await;
    let entered = sign_in(&admin, "ann", &thief.secret, 2).await.expect(201);
    let again = holding(&ann, &entered.json["token"]);
    // They set it up anew, and change the password, with all that they have: it rests on the same token.
    let proof = current(&admin, &thief.secret, 3);
    let thief = set_up(&admin, &again, Some(proof)).await;
    let proof = current(&admin, &thief.secret, 4);
    let thief = set_up(&admin, &ann, Some(proof)).await;
    let change = json!({ "password": PASSWORD, "current": current(&admin, &thief.secret, 5) });
    let path = "/admin/v1/sign-in/password";
    admin.post(&thief.session, path, &change).await.expect(204);
    assert_eq!(state(&admin, &ann).await["set_up_with"], first.as_str());
    // What is begun anew is not confirmed after the end.
    let body = json!({ "password": PASSWORD, "current": current(&admin, &thief.secret, 6) });
    let begun = admin.post(&thief.session, "/admin/v1/sign-in", &body).await;
    let begun = begun.expect(201).json;

    revoke(&admin, &ben, &first).await;
    for taken in [&thief.session, &again, &more, &ann] {
        assert!(!is_in_force(&admin, taken).await);
    }
    confirm(&admin, &begun).await.refused("set-up-over");
    sign_in(&admin, "ann", &thief.secret, 7)
        .await
        .refused("sign-in-refused");
    let recovered = json!({ "name": "ann", "password": PASSWORD, "code": thief.recovery_code });
    let path = "/admin/v1/sessions";
    let refused = admin.send(None, "POST", path, Some(&recovered)).await;
    refused.refused("sign-in-refused");
    let told = admin
        .get(&ben, "/admin/v1/audit?act=operator-token-revoked")
        .await;
    assert!(told.text.contains("sign-in"), "{}", told.text);
    // Ann gets another one, and begins as on the first day.
    let ann = from_the_machine(&admin, &ann, "ann").await;
    assert!(state(&admin, &ann).await["set_up_at"].is_null());
    let hers = set_up(&admin, &ann, None).await;
    assert!(is_in_force(&admin, &hers.session).await);
}

async fn sec_13_a_sign_in_ends_with_what_its_token_was_made_with(database: Database) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::Viewer, None).await;
    let first = id_of(&admin, &ann).await;
    let child = make_token(&admin, &ann, &json!({})).await;
    let grandchild = make_token(&admin, &child, &json!({})).await;
    let thief = set_up(&admin, &grandchild, None).await;
    // Another one of the same tree shows nothing that the finder of the first did not have.
    let sister = make_token(&admin, &ann, &json!({})).await;
    for (by, minutes) in [&sister, &ann, &child].into_iter().zip(1..) {
        let proof = current(&admin, &thief.secret, minutes);
        let change = json!({ "password": PASSWORD, "current": proof });
        let path = "/admin/v1/sign-in/password";
        admin.post(by, path, &change).await.expect(204);
        assert!(state(&admin, by).await["set_up_with"].is_string());
    }
    // Revoking one that it was not made with leaves it.
    revoke(&admin, &ann, &id_of(&admin, &sister).await).await;
    let entered = sign_in(&admin, "ann", &thief.secret, 8).await.expect(201);
    let session = holding(&ann, &entered.json["token"]);
    revoke(&admin, &ann, &first).await;
    assert!(!is_in_force(&admin, &session).await);
    sign_in(&admin, "ann", &thief.secret, 9)
        .await
        .refused("sign-in-refused");
}

async fn sec_13_a_sign_in_stands_by_itself_once_another_token_was_shown_that_nobody_found_with_the_first(
    database: Database,
) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::Viewer, None).await;
    let first = id_of(&admin, &ann).await;
    let hers = set_up(&admin, &ann, None).await;
    let other = from_the_machine(&admin, &ann, "ann").await;
    // The other token alone, or with a wrong code, shows nothing.
    let wrong =
        json!({ "password": PASSWORD, "current": { "password": PASSWORD, "code": "000000" } });
    let refused = admin.post(&other, "/admin/v1/sign-in", &wrong).await;
    refused.refused("field-invalid");
    assert_eq!(state(&admin, &ann).await["set_up_with"], first.as_str());
    let proof = current(&admin, &hers.secret, 1);
    let hers = set_up(&admin, &other, Some(proof)).await;
    assert!(state(&admin, &ann).await["set_up_with"].is_null());
    revoke(&admin, &hers.session, &first).await;
    assert!(is_in_force(&admin, &hers.session).await);
    sign_in(&admin, "ann", &hers.secret, 2).await.expect(201);
    // Nor does it rest on the other one now.
    revoke(&admin, &hers.session, &id_of(&admin, &other).await).await;
    assert!(is_in_force(&admin, &hers.session).await);
    sign_in(&admin, "ann", &hers.secret, 3).await.expect(201);
}

async fn sec_13_whoever_signs_in_at_the_moment_of_the_revocation_is_out_with_it(
    database: Database,
) {
    let admin = Admin::start(database).await;
    let ben = admin.operator("ben", Role::Administrator, None).await;
    for round in 0..4 {
        let name = format!("ann{round}");
        let ann = admin.operator(&name, Role::Viewer, None).await;
        let first = id_of(&admin, &ann).await;
        let thief = set_up(&admin, &ann, None).await;
        let (entered, ()) = tokio::join!(
            sign_in(&admin, &name, &thief.secret, 1 + round),
            revoke(&admin, &ben, &first),
        );
        if entered.status.as_u16() == 201 {
            let session = holding(&ann, &entered.json["token"]);
            assert!(!is_in_force(&admin, &session).await);
        }
        assert!(!is_in_force(&admin, &thief.session).await);
        // The same of a set-up that is confirmed at that moment.
        let ann = from_the_machine(&admin, &ann, &name).await;
        let first = id_of(&admin, &ann).await;
        let body = json!({ "password": PASSWORD });
        let begun = admin.post(&ann, "/admin/v1/sign-in", &body).await;
        let begun = begun.expect(201).json;
        let path = format!("/admin/v1/tokens/{first}/revoke");
        let nothing = json!({});
        let (confirmed, revoked) =
            tokio::join!(confirm(&admin, &begun), admin.post(&ben, &path, &nothing),);
        // Whoever asked whether it ends a sign-in before there was one asks again.
        if revoked.status.as_u16() == 409 {
            revoke(&admin, &ben, &first).await;
        }
        if confirmed.status.as_u16() == 201 {
            let session = holding(&ann, &confirmed.json["session"]["token"]);
            assert!(!is_in_force(&admin, &session).await);
        }
    }
}

async fn a_token_that_has_run_out_ends_no_sign_in_until_it_is_revoked(database: Database) {
    let admin = Admin::start(database).await;
    let ben = admin.operator("ben", Role::Administrator, None).await;
    let ann = admin.operator("ann", Role::Viewer, None).await;
    let token = admin.token_of("ann", SignedDuration::ZERO).await;
    let short = Caller {
        token,
        ..ann.clone()
    };
    let first = id_of(&admin, &short).await;
    let hers = set_up(&admin, &short, None).await;
    // It has long run out, and retention has been here, which removes ended tokens after 400 days.
    let days = 500 * 24 * 60;
    sign_in(&admin, "ann", &hers.secret, days).await.expect(201);
    admin.world.gateway.tidy_once().await.unwrap();
    sign_in(&admin, "ann", &hers.secret, days + 1)
        .await
        .expect(201);
    let ben = from_the_machine(&admin, &ben, "ben").await;
    revoke(&admin, &ben, &first).await;
    sign_in(&admin, "ann", &hers.secret, days + 2)
        .await
        .refused("sign-in-refused");
}
