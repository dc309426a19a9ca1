//! A token of an operator's that somebody else has found.

use gateway::admin::Role;
use jiff::SignedDuration;
use serde_json::json;

use crate::database::{Database, on_both_engines};
use crate::world::{Admin, Caller};

on_both_engines!(whoever_finds_a_token_has_no_more_than_what_is_left_of_it);

async fn whoever_finds_a_token_has_no_more_than_what_is_left_of_it(database: Database) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::Administrator, None).await;
    let make = async |by: &Caller, days: i64| {
        let path = "/admin/v1/tokens";
        let made = admin
            .post(by, path, &json!({ "days": days }))
            .await
            .expect(201);
        let token = made.json["token"].as_str().unwrap().to_owned();
        (
            Caller {
                token,
                ..ann.clone()
            },
            made.json["expires_at"].clone(),
        )
    };
    let (found, end) = make(&ann, 2).await;
    let (more, their_end) = make(&found, 400).await;
    assert_eq!(their_end, end, "it ends with the one that made it");
    let (_, sooner) = make(&found, 1).await;
    assert_ne!(sooner, end);
    admin.get(&more, "/admin/v1/whoami").await.expect(200);
    admin.world.later(SignedDuration::from_hours(48));
    admin.get(&more, "/admin/v1/whoami").await.expect(401);
}
