//! Things that an operator looks after, straight in the database where how they came there does not matter.

use gateway::admin::Role;
use gateway::keys::KeyPurpose;
use serde_json::json;
use store::Statement;
use uuid::Uuid;

use crate::raw_wallet::Waiting;
use crate::world::{Admin, Caller};

/// The key that signs an organisation's credentials.
pub(crate) fn key_of(admin: &Admin, organisation: &str) -> String {
    let app = admin.world.gateway.app();
    let key = app.keys.active(KeyPurpose::Credentials, organisation);
    key.unwrap().public_jwk().kid().unwrap().to_owned()
}

/// Credentials of an organisation, as if they had been issued with that key.
pub(crate) async fn credentials(
    admin: &Admin,
    organisation: &str,
    kid: &str,
    number: i64,
) -> Vec<String> {
    let app = admin.world.gateway.app();
    let list = "INSERT INTO status_lists (organisation, list, revision) VALUES ($1, 1, 0) ON CONFLICT DO NOTHING";
    let mut batch = vec![Statement::new(list).bind(organisation)];
    let serials: Vec<String> = (0..number).map(|_| Uuid::new_v4().to_string()).collect();
    let first = Statement::new("SELECT COUNT(*) AS count FROM credentials");
    let first = app.store.read_one(first).await.unwrap().unwrap();
    let first = first.integer("count").unwrap();
    for (index, serial) in (first..).zip(&serials) {
        let insert = Statement::new(
            "INSERT INTO credentials (serial_number, organisation, client_id, credential_type, format, interaction, \
             list, list_index, issued_at, kid) VALUES ($1, $2, 'v2', 'FireSafety', 'jwt_vc_json', 'none', 1, $3, $4, $5)",
        );
        let insert = insert.bind(serial).bind(organisation).bind(index);
        batch.push(insert.bind(app.now()).bind(kid));
    }
    app.store.write(batch).await.unwrap();
    serials
}

pub(crate) async fn credential_of(admin: &Admin, organisation: &str) -> String {
    let serials = credentials(admin, organisation, "none", 1).await;
    serials[0].clone()
}

/// Uploads these serial numbers and gives the job's id.
pub(crate) async fn uploaded(
    admin: &Admin,
    caller: &Caller,
    organisation: &str,
    serials: &[String],
) -> String {
    let body = json!({
        "organisation": organisation, "reason": "data-error", "ticket": "INC-9", "pace": 2,
        "serial_numbers": format!("serial_number\n{}\n", serials.join("\n")),
    });
    let path = "/admin/v1/bulk-revocations";
    let reply = admin.post(caller, path, &body).await.expect(201);
    reply.json["job"]["id"].as_str().unwrap().to_owned()
}

pub(crate) async fn job_of(admin: &Admin, organisation: &str) -> String {
    let caller = admin
        .operator("uploader", Role::Operator, Some(organisation))
        .await;
    let serial = credential_of(admin, organisation).await;
    uploaded(admin, &caller, organisation, &[serial]).await
}

/// The reference of an interaction that a relying party of the organisation began.
pub(crate) async fn interaction_of(admin: &Admin, organisation: &str) -> String {
    let party = if organisation == "anytown" {
        "v2"
    } else {
        "stranger"
    };
    Waiting::to_issue(&admin.world, party).await;
    let select =
        "SELECT reference FROM interactions WHERE organisation = $1 ORDER BY created_at DESC";
    let app = admin.world.gateway.app();
    let row = app
        .store
        .read_one(Statement::new(select).bind(organisation))
        .await;
    let row = row.unwrap().unwrap();
    row.text("reference").unwrap().to_owned()
}
