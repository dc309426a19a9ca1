//! Signing in over the admin API: what opens a session, and what opens none.

use gateway::admin::Role;
use gateway::operator::{NewOperator, code_of};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::database::{Database, on_both_engines};
use crate::world::{Admin, Caller, Reply, World};

const PASSWORD: &str = "correct horse battery staple";

on_both_engines!(
    sec_34_a_code_counts_once_however_many_send_it_at_once,
    sec_34_five_wrong_ones_slow_a_name_down_to_one_try_a_minute_and_no_other,
    sec_34_who_guesses_closes_a_name_for_their_own_network_and_for_nobody_else,
    another_role_and_a_new_set_up_end_every_session,
);

/// Sets up signing in, and gives the authenticator's secret and the first session.
async fn set_up(admin: &Admin, caller: &Caller) -> (String, Caller) {
    let body = json!({ "password": PASSWORD });
    let begun = admin
        .post(caller, "/admin/v1/sign-in", &body)
        .await
        .expect(201)
        .json;
    let secret = begun["secret"].as_str().unwrap().to_owned();
    let code = code(admin, &secret);
    let body = json!({ "set_up": begun["set_up"], "code": code });
    let confirmed = open(admin, "/admin/v1/sign-in/confirm", &body)
        .await
        .expect(201)
        .json;
    assert_eq!(confirmed["recovery_codes"].as_array().unwrap().len(), 8);
    let token = confirmed["session"]["token"].as_str().unwrap().to_owned();
    let id = caller.id.clone();
    (secret, Caller { id, token })
}

fn code(admin: &Admin, secret: &str) -> String {
    code_of(secret, admin.world.now()).unwrap()
}

async fn open(admin: &Admin, path: &str, body: &Value) -> Reply {
    admin.send(None, "POST", path, Some(body)).await
}

async fn sign_in(admin: &Admin, name: &str, password: &str, code: &str) -> Reply {
    let body = json!({ "name": name, "password": password, "code": code });
    open(admin, "/admin/v1/sessions", &body).await
}

async fn sec_34_a_code_counts_once_however_many_send_it_at_once(database: Database) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::Viewer, None).await;
    let (secret, session) = set_up(&admin, &ann).await;
    let who = admin
        .get(&session, "/admin/v1/whoami")
        .await
        .expect(200)
        .json;
    assert_eq!(
        (&who["id"], &who["session"]),
        (&json!(ann.id), &json!(true))
    );
    let used = code(&admin, &secret);
    sign_in(&admin, "ann", PASSWORD, &used)
        .await
        .refused("sign-in-refused");
    admin.world.later(SignedDuration::from_secs(30));
    let fresh = code(&admin, &secret);
    let many = (0..4).map(|_| sign_in(&admin, "ann", PASSWORD, &fresh));
    let replies = futures_util::future::join_all(many).await;
    let opened = replies.iter().filter(|reply| reply.status.as_u16() == 201);
    assert_eq!(opened.count(), 1);
    assert_eq!(admin.entries("operator-signed-in").await, 1);
    // One of a step before counts for as long as its step is near, but not after a later one.
    admin.world.later(SignedDuration::from_secs(90));
    let earlier = code(&admin, &secret);
    admin.world.later(SignedDuration::from_secs(120));
    sign_in(&admin, "ann", PASSWORD, &earlier).await.expect(201);
}

async fn sec_34_five_wrong_ones_slow_a_name_down_to_one_try_a_minute_and_no_other(
    database: Database,
) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::Viewer, None).await;
    let ben = admin.operator("ben", Role::Viewer, None).await;
    let (secret, _) = set_up(&admin, &ann).await;
    let (bens, _) = set_up(&admin, &ben).await;
    admin.world.later(SignedDuration::from_mins(1));
    // Whatever is wrong, and whether anybody has the name, the answer is the same.
    let mut answers = Vec::new();
    for (name, password, code) in [
        ("ann", "wrong horse battery", code(&admin, &secret).as_str()),
        ("ann", PASSWORD, "000000"),
        ("ann", PASSWORD, ""),
        ("nobody", PASSWORD, "000000"),
        ("nobody\0", PASSWORD, "000000"),
    ] {
        let reply = sign_in(&admin, name, password, code).await;
        answers.push((reply.status.as_u16(), reply.code().to_owned(), reply.text));
    }
    let expected = answers[0].clone();
    assert_eq!((expected.0, expected.1.as_str()), (403, "sign-in-refused"));
    for (at, answer) in answers.iter().enumerate() {
        // What cannot be a name is told to be none, by its form.
        assert!(
            *answer == expected || at == 4 && answer.1 == "field-invalid",
            "{answer:?}"
        );
    }
    for _ in 0..2 {
        sign_in(&admin, "ann", PASSWORD, "000000")
            .await
            .refused("sign-in-refused");
    }
    let right = code(&admin, &secret);
    for _ in 0..3 {
        let reply = sign_in(&admin, "ann", PASSWORD, &right).await.expect(429);
        assert_eq!(reply.retry_after.as_deref(), Some("60"));
    }
    sign_in(&admin, "ben", PASSWORD, &code(&admin, &bens))
        .await
        .expect(201);
    // Five that were wrong, and once that there were too many.
    assert_eq!(admin.entries("operator-sign-in-refused").await, 6);
    // Nobody knows from where anybody comes here, hence nobody can close the name: after a minute the right one is taken.
    admin.world.later(SignedDuration::from_secs(130));
    sign_in(&admin, "ann", PASSWORD, &code(&admin, &secret))
        .await
        .expect(201);
}

async fn sec_34_who_guesses_closes_a_name_for_their_own_network_and_for_nobody_else(
    database: Database,
) {
    let header = |config: &mut gateway::Config| {
        config.address_header = Some("x-forwarded-for".to_owned());
    };
    let world = World::start_with(database, Vec::new(), header).await;
    let admin = Admin::of(world).await;
    let ann = admin.operator("ann", Role::Viewer, None).await;
    let (secret, _) = set_up(&admin, &ann).await;
    let (home, away) = ("198.51.100.7", "203.0.113.9");
    let try_from = async |from: &str, password: &str| {
        let code = code(&admin, &secret);
        let body = json!({ "name": "ann", "password": password, "code": code });
        admin.send_from(from, "/admin/v1/sessions", &body).await
    };
    admin.world.later(SignedDuration::from_mins(1));
    assert_eq!(try_from(home, PASSWORD).await.0, 201);
    admin.world.later(SignedDuration::from_mins(2));
    for _ in 0..5 {
        assert_eq!(try_from(away, "wrong horse battery").await.0, 403);
    }
    // From there nothing is taken any more, not even what is right; elsewhere a name is slow, and at home it is open.
    assert_eq!(try_from(away, PASSWORD).await, (429, "900".to_owned()));
    let elsewhere = "192.0.2.44";
    assert_eq!(try_from(elsewhere, PASSWORD).await, (429, "60".to_owned()));
    assert_eq!(try_from(home, PASSWORD).await.0, 201);
    // Who guesses from one network after the other has one guess in a minute.
    admin.world.later(SignedDuration::from_mins(3));
    for network in 1..=5 {
        let from = format!("192.0.2.{network}");
        try_from(&from, "wrong horse battery").await;
    }
    let mut taken = 0;
    for network in 6..=25 {
        let since = SignedDuration::from_mins(3) + SignedDuration::from_secs(15) * (network - 5);
        admin.world.later(since);
        let from = format!("192.0.2.{network}");
        let (status, _) = try_from(&from, "wrong horse battery").await;
        taken += u32::from(status == 403);
    }
    assert!((4..=6).contains(&taken), "{taken} guesses in five minutes");
}

async fn another_role_and_a_new_set_up_end_every_session(database: Database) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::Administrator, None).await;
    let ben = admin.operator("ben", Role::Administrator, None).await;
    let cat = admin.operator("cat", Role::Desk, None).await;
    let (secret, session) = set_up(&admin, &cat).await;
    let detail = json!({ "operator": cat.id, "role": "viewer" });
    let proposal = admin.propose(&ann, "operator-role-change", detail).await;
    admin.get(&session, "/admin/v1/whoami").await.expect(200);
    let why = json!({ "reason": "she moved" });
    let path = format!("/admin/v1/proposals/{proposal}/approve");
    let approved = admin.post(&ben, &path, &why).await.expect(200);
    assert_eq!(approved.json["decision_reason"], "she moved");
    admin.get(&session, "/admin/v1/whoami").await.expect(401);
    admin.get(&cat, "/admin/v1/whoami").await.expect(200);

    // Once somebody signs in, another set-up asks for the password and a code, with a session or the token.
    admin.world.later(SignedDuration::from_mins(1));
    let entered = sign_in(&admin, "cat", PASSWORD, &code(&admin, &secret)).await;
    let token = entered.expect(201).json["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let session = Caller {
        token,
        ..cat.clone()
    };
    let without = json!({ "password": "another horse battery" });
    for by in [&session, &cat] {
        let refused = admin.post(by, "/admin/v1/sign-in", &without).await;
        refused.refused("field-invalid");
    }
    admin.world.later(SignedDuration::from_mins(2));
    let current = |code: &str| json!({ "password": PASSWORD, "code": code });
    let wrong = json!({ "password": "another horse battery", "current": current("000000") });
    admin
        .post(&session, "/admin/v1/sign-in/password", &wrong)
        .await
        .refused("field-invalid");
    let code = code(&admin, &secret);
    let right = json!({ "password": "another horse battery", "current": current(&code) });
    admin
        .post(&session, "/admin/v1/sign-in/password", &right)
        .await
        .expect(204);
    admin.get(&session, "/admin/v1/whoami").await.expect(200);
    admin
        .post(&session, "/admin/v1/sessions/end", &json!({}))
        .await
        .expect(204);
    admin.get(&session, "/admin/v1/whoami").await.expect(401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_set_up_is_confirmed_by_its_own_code_in_time_and_while_its_token_is_in_force() {
    let admin = Admin::start(Database::sqlite()).await;
    let ann = admin.operator("ann", Role::Viewer, None).await;
    let begin = async || {
        let body = json!({ "password": PASSWORD });
        admin
            .post(&ann, "/admin/v1/sign-in", &body)
            .await
            .expect(201)
            .json
    };
    let confirm = async |begun: &Value, code: &str| {
        let body = json!({ "set_up": begun["set_up"], "code": code });
        open(&admin, "/admin/v1/sign-in/confirm", &body).await
    };
    let right = |begun: &Value| code(&admin, begun["secret"].as_str().unwrap());
    // Five tries, and no more.
    let begun = begin().await;
    for _ in 0..5 {
        confirm(&begun, "000000").await.refused("field-invalid");
    }
    confirm(&begun, &right(&begun)).await.refused("set-up-over");
    // A later one takes the place of the one before.
    let (first, second) = (begin().await, begin().await);
    confirm(&first, &right(&first)).await.refused("set-up-over");
    admin.world.later(SignedDuration::from_mins(16));
    confirm(&second, &right(&second))
        .await
        .refused("set-up-over");
    // Whoever revoked the token revoked this with it.
    let begun = begin().await;
    let who = admin.get(&ann, "/admin/v1/whoami").await.json;
    let path = format!("/admin/v1/tokens/{}/revoke", who["token"].as_str().unwrap());
    admin.post(&ann, &path, &json!({})).await.expect(204);
    confirm(&begun, &right(&begun)).await.refused("set-up-over");
    assert_eq!(admin.entries("operator-sign-in-set-up").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_and_the_account_for_emergencies_have_no_password() {
    let admin = Admin::start(Database::sqlite()).await;
    let ann = admin.operator("ann", Role::Administrator, None).await;
    let new = |name, person, break_glass| NewOperator {
        name,
        role: Role::Operator,
        organisation: None,
        person,
        break_glass,
    };
    let program = admin
        .new_operator(new("program", Some(ann.id.as_str()), false))
        .await;
    let glass = admin.new_operator(new("break-glass", None, true)).await;
    let body = json!({ "password": PASSWORD });
    for caller in [&program, &glass] {
        admin
            .post(caller, "/admin/v1/sign-in", &body)
            .await
            .refused("no-sign-in");
    }
    let nothing = json!({});
    for caller in [&program, &ann] {
        admin
            .post(caller, "/admin/v1/sessions/emergency", &nothing)
            .await
            .expect(404);
        admin
            .post(caller, "/admin/v1/sessions/end", &nothing)
            .await
            .expect(404);
    }
    let entered = admin
        .post(&glass, "/admin/v1/sessions/emergency", &nothing)
        .await
        .expect(201);
    let token = entered.json["token"].as_str().unwrap().to_owned();
    let before = admin.world.gateway.break_glass_uses();
    admin
        .get(&Caller { token, ..glass }, "/admin/v1/whoami")
        .await
        .expect(200);
    assert_eq!(admin.world.gateway.break_glass_uses(), before + 1);
    for weak in ["short", "aaaaaaaaaaaaaa"] {
        admin
            .post(&ann, "/admin/v1/sign-in", &json!({ "password": weak }))
            .await
            .refused("field-invalid");
    }
}

/// SEC-37: what opens anything is in the database sealed, or as a digest.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_37_nothing_that_opens_anything_stands_in_the_database() {
    let admin = Admin::start(Database::sqlite()).await;
    let ann = admin.operator("ann", Role::Viewer, None).await;
    let (_, session) = set_up(&admin, &ann).await;
    let sql = "SELECT s.password_hash, s.totp_secret, t.digest FROM operator_sign_ins s \
               JOIN operator_tokens t ON t.operator = s.operator WHERE t.kind = 'session'";
    let row = admin
        .world
        .gateway
        .app()
        .store
        .read_one(store::Statement::new(sql))
        .await;
    let row = row.unwrap().unwrap();
    assert!(row.text("password_hash").unwrap().starts_with("$argon2id$"));
    assert!(row.blob("totp_secret").unwrap().len() > 20 + 24);
    assert_eq!(row.blob("digest").unwrap().len(), 32);
    let listed = admin.get(&session, "/admin/v1/tokens").await.expect(200);
    assert!(!listed.text.contains(&session.token[4..]));
    let tokens = listed.json["tokens"].as_array().unwrap();
    let sessions = tokens.iter().filter(|token| token["kind"] == "session");
    assert_eq!(sessions.count(), 1);
}

/// Fifty wrong ones, for whatever names, and a network is closed for a while: for what is right, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_34_who_tries_one_password_at_all_names_closes_their_own_network() {
    let header = |config: &mut gateway::Config| {
        config.address_header = Some("x-forwarded-for".to_owned());
    };
    let world = World::start_with(Database::sqlite(), Vec::new(), header).await;
    let admin = Admin::of(world).await;
    let ann = admin.operator("ann", Role::Viewer, None).await;
    let (secret, _) = set_up(&admin, &ann).await;
    let (away, elsewhere) = ("203.0.113.9", "198.51.100.7");
    let try_as = async |from: &str, name: String, password: &str| {
        let body = json!({ "name": name, "password": password, "code": code(&admin, &secret) });
        admin.send_from(from, "/admin/v1/sessions", &body).await
    };
    admin.world.later(SignedDuration::from_mins(1));
    for number in 0..50 {
        let (status, _) = try_as(away, format!("guess{number}"), "wrong horse battery").await;
        assert_eq!(status, 403, "try {number}");
    }
    let closed = try_as(away, "ann".to_owned(), PASSWORD).await;
    assert_eq!(closed, (429, "900".to_owned()));
    assert_eq!(try_as(elsewhere, "ann".to_owned(), PASSWORD).await.0, 201);
}
