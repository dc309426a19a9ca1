//! Whoever has a little of an operator – a screen left alone, a token that was found, a second account – and would have all.

use gateway::admin::Role;
use gateway::operator::{NewOperator, code_of};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::database::{Database, on_both_engines};
use crate::world::{Admin, Caller, Reply};

const PASSWORD: &str = "correct horse battery staple";

on_both_engines!(
    sec_13_a_screen_left_alone_gives_nobody_the_account,
    sec_13_what_was_made_with_a_token_ends_with_it,
    sec_13_another_password_ends_what_sessions_made,
    sec_13_nobody_takes_a_token_for_somebody_else,
    sec_13_a_lost_authenticator_is_set_up_anew_when_two_others_say_so,
    sec_13_two_accounts_of_one_person_are_one_person,
    sec_13_what_somebody_proposed_in_another_role_is_nobodys_to_approve,
    sec_13_who_answers_for_a_program_is_somebody_who_signs_in_and_is_still_there,
);

/// Sets up signing in; the authenticator's secret and the first session.
async fn set_up(admin: &Admin, caller: &Caller, current: Option<Value>) -> (String, Caller) {
    let mut body = json!({ "password": PASSWORD });
    if let Some(current) = current {
        body["current"] = current;
    }
    let begun = admin.post(caller, "/admin/v1/sign-in", &body).await;
    let begun = begun.expect(201).json;
    let secret = begun["secret"].as_str().unwrap().to_owned();
    let body = json!({ "set_up": begun["set_up"], "code": code(admin, &secret) });
    let path = "/admin/v1/sign-in/confirm";
    let confirmed = admin.send(None, "POST", path, Some(&body)).await;
    let token = confirmed.expect(201).json["session"]["token"].clone();
    let token = token.as_str().unwrap().to_owned();
    (
        secret,
        Caller {
            token,
            ..caller.clone()
        },
    )
}

fn code(admin: &Admin, secret: &str) -> String {
    code_of(secret, admin.world.now()).unwrap()
}

/// What shows that it is still them, so many minutes after the beginning: each time later, so that the code is a fresh one.
fn current(admin: &Admin, secret: &str, minutes: i64) -> Value {
    admin.world.later(SignedDuration::from_mins(minutes));
    json!({ "password": PASSWORD, "code": code(admin, secret) })
}

fn holding(caller: &Caller, made: &Reply) -> Caller {
    let token = made.json["token"].as_str().unwrap().to_owned();
    Caller {
        token,
        ..caller.clone()
    }
}

async fn make_token(admin: &Admin, by: &Caller, body: &Value) -> Reply {
    admin.post(by, "/admin/v1/tokens", body).await
}

async fn is_in_force(admin: &Admin, caller: &Caller) -> bool {
    let reply = admin.get(caller, "/admin/v1/whoami").await;
    reply.status.as_u16() == 200
}

async fn id_of_token(admin: &Admin, caller: &Caller) -> String {
    let who = admin.get(caller, "/admin/v1/whoami").await.expect(200);
    who.json["token"].as_str().unwrap().to_owned()
}

async fn sec_13_a_screen_left_alone_gives_nobody_the_account(database: Database) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::Administrator, None).await;
    let (secret, session) = set_up(&admin, &ann, None).await;
    // A session makes a token for whoever shows that it is still them.
    make_token(&admin, &session, &json!({}))
        .await
        .refused("field-invalid");
    let wrong = json!({ "current": { "password": PASSWORD, "code": "000000" } });
    make_token(&admin, &session, &wrong)
        .await
        .refused("field-invalid");
    let right = json!({ "current": current(&admin, &secret, 1) });
    let made = make_token(&admin, &session, &right).await.expect(201);
    let made = holding(&ann, &made);
    // Whoever has a token, that one or an older one, does not take the sign-in that is there.
    let theirs = json!({ "password": "another horse battery" });
    for found in [&made, &ann, &session] {
        let refused = admin.post(found, "/admin/v1/sign-in", &theirs).await;
        let refused = refused.refused("field-invalid");
        assert!(refused.text.contains("`current`"), "{}", refused.text);
    }
    assert_eq!(admin.entries("operator-sign-in-set-up").await, 1);
    // She herself does, with either.
    let (secret, _) = set_up(&admin, &ann, Some(current(&admin, &secret, 2))).await;
    let (_, session) = set_up(&admin, &ann, Some(current(&admin, &secret, 3))).await;
    assert!(is_in_force(&admin, &session).await);
}

async fn sec_13_what_was_made_with_a_token_ends_with_it(database: Database) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::Administrator, None).await;
    let child = holding(
        &ann,
        &make_token(&admin, &ann, &json!({})).await.expect(201),
    );
    let grandchild = holding(
        &ann,
        &make_token(&admin, &child, &json!({})).await.expect(201),
    );
    let other = holding(
        &ann,
        &make_token(&admin, &ann, &json!({})).await.expect(201),
    );
    let path = format!(
        "/admin/v1/tokens/{}/revoke",
        id_of_token(&admin, &child).await
    );
    admin.post(&ann, &path, &json!({})).await.expect(204);
    assert!(!is_in_force(&admin, &grandchild).await);
    assert!(is_in_force(&admin, &other).await && is_in_force(&admin, &ann).await);
    let listed = admin.get(&ann, "/admin/v1/tokens").await.expect(200).json;
    let listed = listed["tokens"].as_array().unwrap();
    let made_with = listed.iter().filter(|one| one["made_with"].is_string());
    assert_eq!(made_with.count(), 3, "{listed:?}");

    // The account for emergencies: its session is no longer than its token, and ends with it.
    let glass = NewOperator {
        name: "break-glass",
        role: Role::Administrator,
        organisation: None,
        person: None,
        break_glass: true,
    };
    let glass = admin.new_operator(glass).await;
    let token = admin
        .token_of(
            "break-glass",
            SignedDuration::from_hours(23) + SignedDuration::from_mins(50),
        )
        .await;
    let short = Caller {
        token,
        ..glass.clone()
    };
    let enter = async |by: &Caller| {
        let path = "/admin/v1/sessions/emergency";
        let entered = admin.post(by, path, &json!({})).await.expect(201);
        holding(by, &entered)
    };
    let session = enter(&short).await;
    admin.world.later(SignedDuration::from_mins(9));
    assert!(is_in_force(&admin, &session).await);
    admin.world.later(SignedDuration::from_mins(11));
    assert!(!is_in_force(&admin, &session).await);
    let session = enter(&glass).await;
    make_token(&admin, &session, &json!({}))
        .await
        .refused("no-sign-in");
    let path = format!(
        "/admin/v1/tokens/{}/revoke",
        id_of_token(&admin, &glass).await
    );
    admin.post(&ann, &path, &json!({})).await.expect(204);
    assert!(!is_in_force(&admin, &session).await);
}

async fn sec_13_another_password_ends_what_sessions_made(database: Database) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::Viewer, None).await;
    let (secret, session) = set_up(&admin, &ann, None).await;
    let body = json!({ "current": current(&admin, &secret, 4) });
    let made = holding(&ann, &make_token(&admin, &session, &body).await.expect(201));
    let more = holding(
        &ann,
        &make_token(&admin, &made, &json!({})).await.expect(201),
    );
    let body =
        json!({ "password": "another horse battery", "current": current(&admin, &secret, 5) });
    let path = "/admin/v1/sign-in/password";
    admin.post(&session, path, &body).await.expect(204);
    assert!(!is_in_force(&admin, &made).await && !is_in_force(&admin, &more).await);
    assert!(is_in_force(&admin, &session).await && is_in_force(&admin, &ann).await);
}

async fn sec_13_nobody_takes_a_token_for_somebody_else(database: Database) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::Administrator, None).await;
    let bob = admin.operator("bob", Role::Administrator, None).await;
    let dave = admin.operator("dave", Role::Operator, None).await;
    // Of Ann's own making, and Bob believes her.
    let token = "lyo_0123456789012345678901234567890123456789abc";
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
    let detail = json!({ "operator": dave.id, "token_sha256": hex::encode(digest) });
    let id = admin.propose(&ann, "operator-token-add", detail).await;
    let refused = admin.decide(&bob, &id, "approve").await;
    refused.expect(403).refused("forbidden");
    let taken = Caller {
        token: token.to_owned(),
        ..dave.clone()
    };
    assert!(!is_in_force(&admin, &taken).await);
    // Dave knows whether he made it.
    admin.decide(&dave, &id, "approve").await.expect(200);
    assert!(is_in_force(&admin, &taken).await);
}

async fn sec_13_a_lost_authenticator_is_set_up_anew_when_two_others_say_so(database: Database) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::Administrator, None).await;
    let bob = admin.operator("bob", Role::Administrator, None).await;
    let dave = admin.operator("dave", Role::Administrator, None).await;
    let robot = NewOperator {
        name: "robot",
        role: Role::Administrator,
        organisation: None,
        person: Some(&dave.id),
        break_glass: false,
    };
    let robot = admin.new_operator(robot).await;
    let (_, session) = set_up(&admin, &dave, None).await;
    let token = "lyo_0123456789012345678901234567890123456789abc";
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
    let detail = json!({ "operator": dave.id, "token_sha256": hex::encode(digest) });
    let asked = json!({ "act": "operator-sign-in-reset", "detail": detail });
    // Nobody has their own reset, by their program or by what they sign in with: neither asks for it nor approves it.
    for own in [&dave, &session, &robot] {
        let refused = admin.post(own, "/admin/v1/proposals", &asked).await;
        refused.expect(403).refused("forbidden");
    }
    for (id, code) in [(robot.id.as_str(), "field-invalid"), ("op-0", "not-found")] {
        let asked = json!({ "act": "operator-sign-in-reset", "detail": { "operator": id } });
        let refused = admin.post(&ann, "/admin/v1/proposals", &asked).await;
        refused.refused(code);
    }
    let id = admin
        .propose(&ann, "operator-sign-in-reset", detail.clone())
        .await;
    let shown = admin.get(&bob, &format!("/admin/v1/proposals/{id}")).await;
    let ask_first = shown.json["detail"]["ask_first"].as_str().unwrap();
    assert!(ask_first.contains("ask dave yourself"), "{ask_first}");
    let refused = admin.decide(&ann, &id, "approve").await;
    refused.refused("second-person-needed");
    for own in [&dave, &session, &robot] {
        let refused = admin.decide(own, &id, "approve").await;
        refused.expect(403).refused("forbidden");
    }
    assert!(
        is_in_force(&admin, &session).await,
        "nothing was done by half"
    );

    admin.decide(&bob, &id, "approve").await.expect(200);
    assert!(!is_in_force(&admin, &session).await);
    let anew = Caller {
        token: token.to_owned(),
        ..dave.clone()
    };
    // As on the first day, with no password and no code of before.
    let (_, session) = set_up(&admin, &anew, None).await;
    assert!(is_in_force(&admin, &session).await);
    assert_eq!(admin.entries("operator-sign-in-reset").await, 1);
}

async fn sec_13_two_accounts_of_one_person_are_one_person(database: Database) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::Administrator, None).await;
    let bob = admin.operator("bob", Role::Administrator, None).await;
    let token = "lyo_0123456789012345678901234567890123456789abc";
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
    let mut detail = json!({
        "name": "ann", "role": "administrator", "organisation": "anytown", "token_sha256": hex::encode(digest),
    });
    // Whether it is another person is said and not left out.
    let asked = json!({ "act": "operator-add", "detail": detail });
    let refused = admin.post(&ann, "/admin/v1/proposals", &asked).await;
    let refused = refused.refused("field-invalid");
    assert!(refused.text.contains("person"), "{}", refused.text);
    detail["person"] = json!("self");
    let id = admin.propose(&ann, "operator-add", detail.clone()).await;
    let shown = admin.get(&bob, &format!("/admin/v1/proposals/{id}")).await;
    assert_eq!(
        shown.json["detail"]["counts_as"],
        "a person of its own, who can approve what others propose"
    );
    admin.decide(&bob, &id, "decline").await.expect(200);
    detail["person"] = json!(ann.id);
    let id = admin.propose(&ann, "operator-add", detail).await;
    let shown = admin.get(&bob, &format!("/admin/v1/proposals/{id}")).await;
    assert_eq!(
        shown.json["detail"]["counts_as"],
        format!(
            "another account of the operator ann ({}): the two are one person",
            ann.id
        )
    );
    admin.decide(&bob, &id, "approve").await.expect(200);
    let second = Caller {
        token: token.to_owned(),
        ..ann.clone()
    };
    let of_anytown = admin.get(&second, "/admin/v1/whoami").await.expect(200);
    assert_ne!(of_anytown.json["id"], ann.id.as_str());
    let detail = json!({ "name": "eve", "role": "administrator", "organisation": "anytown", "person": "self" });
    let id = admin.propose(&ann, "operator-add", detail).await;
    admin
        .decide(&second, &id, "approve")
        .await
        .refused("second-person-needed");
    // She is somebody who signs in, and no program.
    let (_, session) = set_up(&admin, &second, None).await;
    assert!(is_in_force(&admin, &session).await);
    // Whoever is removed here is still there with the other account.
    let path = format!("/admin/v1/operators/{}/remove", ann.id);
    admin.post(&bob, &path, &json!({})).await.expect(204);
    assert!(is_in_force(&admin, &second).await);
}

async fn sec_13_what_somebody_proposed_in_another_role_is_nobodys_to_approve(database: Database) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::Administrator, None).await;
    let bob = admin.operator("bob", Role::Administrator, None).await;
    let cat = admin.operator("cat", Role::Administrator, None).await;
    let detail = json!({ "name": "eve", "role": "administrator", "person": "self" });
    let id = admin.propose(&ann, "operator-add", detail).await;
    let detail = json!({ "operator": ann.id, "role": "viewer" });
    let change = admin.propose(&bob, "operator-role-change", detail).await;
    admin.decide(&cat, &change, "approve").await.expect(200);
    admin
        .decide(&bob, &id, "approve")
        .await
        .refused("proposal-decided");
    let shown = admin.get(&bob, &format!("/admin/v1/proposals/{id}")).await;
    assert_eq!(shown.json["state"], "declined");
}

async fn sec_13_who_answers_for_a_program_is_somebody_who_signs_in_and_is_still_there(
    database: Database,
) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::Administrator, None).await;
    let bob = admin.operator("bob", Role::Administrator, None).await;
    let tom = admin
        .operator("tom", Role::Administrator, Some("anytown"))
        .await;
    let new = |name, person, break_glass| NewOperator {
        name,
        role: Role::Administrator,
        organisation: None,
        person,
        break_glass,
    };
    let job = new("job", Some(bob.id.as_str()), false);
    let job = admin.new_operator(job).await;
    let glass = admin.new_operator(new("break-glass", None, true)).await;
    let detail = |person: &str, more: Value| {
        let mut detail = json!({ "name": "new-job", "role": "operator", "person": person });
        for (name, value) in more.as_object().unwrap() {
            detail[name] = value.clone();
        }
        detail
    };
    // A program, an account for emergencies, one of another organisation answer for nobody; and an account for emergencies is its own.
    for wrong in [
        detail(&job.id, json!({ "program": true })),
        detail(&glass.id, json!({ "program": true })),
        detail(&glass.id, json!({})),
        detail(&ann.id, json!({ "break_glass": true })),
        detail(&tom.id, json!({ "program": true })),
        detail(
            &tom.id,
            json!({ "program": true, "organisation": "elsewhere" }),
        ),
    ] {
        let asked = json!({ "act": "operator-add", "detail": wrong });
        let refused = admin.post(&ann, "/admin/v1/proposals", &asked).await;
        let known = ["field-invalid", "not-found"].contains(&refused.code());
        assert!(known, "{wrong}: {}", refused.text);
    }
    // Whoever is removed meanwhile answers for nothing: it would be a person of its own.
    let of_bob = detail(&bob.id, json!({ "program": true }));
    let id = admin.propose(&ann, "operator-add", of_bob).await;
    let path = format!("/admin/v1/operators/{}/remove", bob.id);
    admin.post(&ann, &path, &json!({})).await.expect(204);
    let cat = admin.operator("cat", Role::Administrator, None).await;
    admin
        .decide(&cat, &id, "approve")
        .await
        .refused("changed-meanwhile");
    // His program went with him, by its token and by its name.
    assert!(!is_in_force(&admin, &job).await);
    let listed = admin.get(&ann, "/admin/v1/operators").await.expect(200);
    let listed = listed.json["operators"].as_array().unwrap().clone();
    let there = listed.iter().find(|one| one["id"] == job.id.as_str());
    assert!(there.unwrap()["removed_at"].is_string(), "{listed:?}");
}
