//! Every address of the admin API, as its own description lists them, with everybody's token: no more than the table of roles
//! says, and nothing of another organisation. A new route is walked without a word here, unless its address or its example
//! names a thing that this file does not know: then [`Things::of`] wants a line.

use std::collections::BTreeMap;

use gateway::admin::{Right, Role};
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use crate::custody;
use crate::database::{Database, on_both_engines};
use crate::rows::{Rows, by_whose, changed};
use crate::world::{Admin, Caller, Reply};

on_both_engines!(
    sec_13_no_route_answers_whoever_has_no_token_in_force,
    sec_13_every_route_lets_in_exactly_the_roles_of_the_table,
    sec_33_what_is_another_organisations_is_like_what_does_not_exist,
);

const OTHERS_TYPE: &str = r#"
[[credential_types]]
name = "OthersType"
label = "Of others"
formats = ["jwt_vc_json"]
valid_for_days = 365
[[credential_types.attributes]]
name = "UniqueIdentifier"
label = "Staff passport unique identifier"
kind = "uuid"
mandatory = true
source = "wire"
"#;

/// An operation of the description.
struct Operation {
    method: String,
    path: String,
    right: Right,
    body: Option<Value>,
    /// The right of the act that the example proposes.
    act: Option<Right>,
}

/// Ids by what the parameter or member is called.
struct Things(BTreeMap<&'static str, String>);

impl Things {
    /// What belongs to that organisation.
    async fn of(admin: &Admin, organisation: &str) -> Self {
        let operator = admin
            .operator("thing", Role::Viewer, Some(organisation))
            .await;
        let other = admin
            .operator("proposer", Role::Administrator, Some(organisation))
            .await;
        let who = admin.get(&operator, "/admin/v1/whoami").await.expect(200);
        let detail = json!({ "operator": operator.id, "role": "desk" });
        let gateway = &admin.world.gateway;
        let by = gateway::audit::Actor::Command("test");
        // Of two either may be ended; the last one may not, whoever asks.
        let make = || gateway.make_client_secret("stranger", None, by);
        let (_, secret) = (make().await.unwrap(), make().await.unwrap());
        // A type that nobody but the whole gateway's operators has to do with.
        let types = crate::registry::declaration(OTHERS_TYPE);
        let plan = gateway.plan(&types, false).await.unwrap();
        gateway.apply(&plan, by).await.unwrap();
        Self(BTreeMap::from([
            ("relying_party", "stranger".to_owned()),
            ("secret", secret.id),
            ("credential_type", "OthersType".to_owned()),
            ("item", "ods-code".to_owned()),
            (
                "proposal",
                admin.propose(&other, "operator-role-change", detail).await,
            ),
            ("token", who.json["token"].as_str().unwrap().to_owned()),
            ("operator", operator.id),
            ("organisation", organisation.to_owned()),
            ("place", format!("{organisation}.credentials")),
            ("key", custody::key_of(admin, organisation)),
            (
                "credential",
                custody::credential_of(admin, organisation).await,
            ),
            ("job", custody::job_of(admin, organisation).await),
            (
                "interaction",
                custody::interaction_of(admin, organisation).await,
            ),
        ]))
    }

    /// Every row that names one of them or whose they are.
    async fn rows(&self, admin: &Admin) -> Rows {
        // That one is everybody's.
        let own = self.0.iter().filter(|(name, _)| **name != "item");
        let own: Vec<&str> = own.map(|(_, id)| id.as_str()).collect();
        let organisation = &self.0["organisation"];
        by_whose(&admin.world, organisation, &own).await.theirs
    }

    /// What nobody has.
    fn unknown() -> Self {
        let ids = [
            ("operator", "op-0000-0000"),
            ("token", "tk-0000-0000"),
            ("proposal", "pr-0000-0000"),
            ("organisation", "nowhere"),
            ("relying_party", "nobody"),
            ("secret", "000000000000"),
            ("credential_type", "NoType"),
            ("item", "ods-code"),
            ("place", "nowhere.credentials"),
            ("key", "0000000000000000000000000000000000000000000"),
            ("credential", "00000000-0000-4000-8000-000000000000"),
            ("job", "job-0000-0000"),
            ("interaction", "0000-0000"),
        ];
        Self(ids.map(|(name, id)| (name, id.to_owned())).into())
    }

    /// The address and the body with these ids in it, and whether there are any.
    fn put_into(&self, operation: &Operation) -> (String, Option<Value>, bool) {
        let mut any = false;
        let steps = operation.path.split('/').map(|step| {
            let Some(name) = step
                .strip_prefix('{')
                .and_then(|step| step.strip_suffix('}'))
            else {
                return step.to_owned();
            };
            any = true;
            let known = self.0.get(name);
            known
                .unwrap_or_else(|| {
                    panic!(
                        "`{name}` of {}: give it a line in Things::of",
                        operation.path
                    )
                })
                .clone()
        });
        let mut path = steps.collect::<Vec<_>>().join("/");
        if path == "/admin/v1/audit/export" {
            path.push_str("?from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z");
        }
        let body = operation
            .body
            .clone()
            .map(|body| self.put_into_body(body, &mut any));
        (path, body, any)
    }

    fn put_into_body(&self, body: Value, any: &mut bool) -> Value {
        let Value::Object(members) = body else {
            return body;
        };
        let members = members.into_iter().map(|(name, value)| {
            let value = match self.0.get(name.as_str()) {
                Some(id) if value.is_string() => {
                    *any = true;
                    json!(id)
                }
                _ => self.put_into_body(value, any),
            };
            (name, value)
        });
        Value::Object(members.collect())
    }
}

async fn operations(admin: &Admin) -> Vec<Operation> {
    let document = admin
        .send(None, "GET", "/openapi.json", None)
        .await
        .expect(200)
        .json;
    let description = document["info"]["description"].as_str().unwrap();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            // Signing in needs no token; `sign_in.rs` tests what it needs.
            if operation["security"] == json!([]) {
                continue;
            }
            let right = operation["x-lanyard-right"]
                .as_str()
                .unwrap_or_else(|| panic!("{method} {path} has no right"));
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let body = (!schema.is_null()).then(|| example(&document, schema));
            let one = |body, act| Operation {
                method: method.clone(),
                path: path.clone(),
                right: Right::of_code(right).unwrap(),
                body,
                act,
            };
            match body {
                Some(body) if body["act"].is_string() => {
                    // One route for all of them, and each has a right and a body of its own.
                    found.extend(acts(description).map(|(act, right)| {
                        let body = json!({ "act": act, "detail": detail_of(act) });
                        one(Some(body), Some(right))
                    }));
                }
                body => found.push(one(body, None)),
            }
        }
    }
    assert!(found.len() >= 38, "the description lists the routes");
    assert!(
        found.iter().filter(|one| one.act.is_some()).count() >= 9,
        "the description lists the acts of two persons"
    );
    found
}

/// The acts that take two persons, as the description lists them, each with its right.
fn acts(description: &str) -> impl Iterator<Item = (&str, Right)> {
    let rows = description.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split('`');
        let (act, right) = (cells.next()?, cells.nth(1)?);
        Some((act, Right::of_code(right)?))
    });
    rows.filter(|(act, _)| Right::of_code(act).is_none())
}

/// What is proposed of an act; ids are put in by what their member is called.
fn detail_of(act: &str) -> Value {
    match act {
        "operator-add" => {
            json!({ "name": "new.one", "role": "desk", "organisation": "x", "person": "self" })
        }
        "operator-role-change" => json!({ "operator": "x", "role": "auditor" }),
        "operator-token-add" => json!({ "operator": "x", "token_sha256": "ab".repeat(32) }),
        "operator-sign-in-reset" => json!({ "operator": "x" }),
        "key-remove" => json!({ "key": "x", "force": false }),
        "bulk-revocation" => json!({ "job": "x" }),
        "relying-party-redirect-change" => {
            json!({ "relying_party": "x", "redirect_uris": ["https://staff.example/other"] })
        }
        "relying-party-change" => {
            json!({ "relying_party": "x", "change": { "dialect": "v2" } })
        }
        "organisation-trust-add" => {
            json!({ "organisation": "x", "credential_type": "x", "issuer": "https://issuer.example" })
        }
        other => panic!("{other}: give it a line here"),
    }
}

/// A body as the description shows it.
fn example(document: &Value, schema: &Value) -> Value {
    if let Some(name) = schema["$ref"].as_str() {
        return example(
            document,
            document.pointer(name.trim_start_matches('#')).unwrap(),
        );
    }
    if !schema["example"].is_null() {
        return schema["example"].clone();
    }
    let kind = schema["type"]
        .as_str()
        .or(schema["type"][0].as_str())
        .unwrap_or("object");
    match kind {
        "string" => schema["enum"].get(0).cloned().unwrap_or(json!("x")),
        "integer" | "number" => json!(1),
        "boolean" => json!(false),
        "array" => json!([]),
        _ => {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let members = schema["properties"]
                .as_object()
                .cloned()
                .unwrap_or_default();
            let members = members
                .into_iter()
                .filter(|(name, _)| required.contains(&json!(name)));
            Value::Object(
                members
                    .map(|(name, schema)| (name, example(document, &schema)))
                    .collect::<Map<_, _>>(),
            )
        }
    }
}

async fn send(admin: &Admin, token: Option<&str>, operation: &Operation, things: &Things) -> Reply {
    let (path, body, _) = things.put_into(operation);
    admin
        .send(token, &operation.method, &path, body.as_ref())
        .await
}

async fn of_every_role(admin: &Admin, organisation: Option<&str>) -> Vec<(Role, Caller)> {
    let mut callers = Vec::new();
    for role in Role::ALL {
        let name = format!("every-{}", role.name());
        callers.push((role, admin.operator(&name, role, organisation).await));
    }
    callers
}

async fn sec_13_no_route_answers_whoever_has_no_token_in_force(database: Database) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::Administrator, None).await;
    let gone = admin.operator("gone", Role::Administrator, None).await;
    let expired = admin.token_of("ann", SignedDuration::from_hours(25)).await;
    let revoked = admin
        .post(&ann, "/admin/v1/tokens", &json!({}))
        .await
        .expect(201)
        .json;
    let path = format!(
        "/admin/v1/tokens/{}/revoke",
        revoked["id"].as_str().unwrap()
    );
    admin.post(&ann, &path, &json!({})).await.expect(204);
    let path = format!("/admin/v1/operators/{}/remove", gone.id);
    admin.post(&ann, &path, &json!({})).await.expect(204);
    // Nobody without a token learns which addresses there are.
    let nowhere = admin
        .send(None, "GET", "/admin/v1/nowhere", None)
        .await
        .expect(401);
    let things = Things::unknown();
    let tokens = [
        None,
        Some(expired.as_str()),
        Some(revoked["token"].as_str().unwrap()),
        Some(gone.token.as_str()),
        Some("lyo_"),
    ];
    for operation in operations(&admin).await {
        for token in tokens {
            let reply = send(&admin, token, &operation, &things).await;
            // The hundred and twentieth is told to wait, and hears no more than that.
            if reply.status != 429 {
                assert_eq!(
                    (reply.status, &reply.text),
                    (nowhere.status, &nowhere.text),
                    "{}",
                    operation.path
                );
            }
        }
    }
}

async fn sec_13_every_route_lets_in_exactly_the_roles_of_the_table(database: Database) {
    let admin = Admin::start(database).await;
    let things = Things::unknown();
    for organisation in [None, Some("anytown")] {
        let callers = of_every_role(&admin, organisation).await;
        for operation in operations(&admin).await {
            for (role, caller) in &callers {
                let reply = send(&admin, Some(&caller.token), &operation, &things).await;
                let may =
                    role.may(operation.right) && operation.act.is_none_or(|right| role.may(right));
                let what = format!(
                    "{} {} as {}: {}",
                    operation.method,
                    operation.path,
                    role.name(),
                    reply.text
                );
                assert_eq!(reply.code() == "forbidden", !may, "{what}");
                assert_eq!(reply.status == 403, !may, "{what}");
                assert!(reply.status != 401 && reply.status.as_u16() < 500, "{what}");
            }
        }
    }
}

async fn sec_33_what_is_another_organisations_is_like_what_does_not_exist(database: Database) {
    let admin = Admin::start(database).await;
    let foreign = Things::of(&admin, "elsewhere").await;
    let unknown = Things::unknown();
    let all = admin.operator("all", Role::Administrator, None).await;
    let callers = of_every_role(&admin, Some("anytown")).await;
    // Entries that wait for their place in the chain get it at any time.
    let store = &admin.world.gateway.app().store;
    gateway::audit::chain::round(store).await.unwrap();
    let before = foreign.rows(&admin).await;
    assert!(before.len() >= 8, "{:?}", before.keys());
    let mut walked = 0;
    for operation in operations(&admin).await {
        let (_, _, names_things) = foreign.put_into(&operation);
        let what = format!("{} {}", operation.method, operation.path);
        for (role, caller) in &callers {
            let reply = send(&admin, Some(&caller.token), &operation, &foreign).await;
            if !names_things {
                let found = foreign
                    .0
                    .values()
                    .find(|id| reply.text.contains(id.as_str()));
                assert_eq!(found, None, "{what} as {}: {}", role.name(), reply.text);
                continue;
            }
            let nothing = send(&admin, Some(&caller.token), &operation, &unknown).await;
            assert_eq!(
                (reply.status, &reply.text),
                (nothing.status, &nothing.text),
                "{what} as {}",
                role.name()
            );
            if role.may(operation.right) && operation.act.is_none_or(|right| role.may(right)) {
                reply.expect(404);
                walked += 1;
            }
        }
    }
    assert!(walked >= 60, "{walked}");
    // Whatever they were answered.
    let changed = changed(&before, &foreign.rows(&admin).await);
    assert!(changed.is_empty(), "{changed:?}");
    // What was asked for is there: whoever may see it finds it, and some of that stands in the audit.
    for operation in operations(&admin).await {
        let (_, _, names_things) = foreign.put_into(&operation);
        if names_things && operation.method == "get" {
            let found = send(&admin, Some(&all.token), &operation, &foreign).await;
            found.expect(200);
        }
    }
}
