//! The door for what GOV.UK Notify has to tell.

use connector::SecretSource;
use portal::config::NotifyConfig;
use serde_json::json;
use uuid::Uuid;

use crate::database::Database;
use crate::world::World;

const KEY: &str =
    "portal-26785a09-ab16-4eb0-8407-a37497a57506-3d844edf-8d35-48ac-975b-e847b4f122b0";

async fn told(world: &World, bearer: Option<&str>, body: String) -> u16 {
    let http = reqwest::Client::new();
    let mut request = http
        .post(format!("{}/notify/callback", world.base))
        .body(body);
    if let Some(bearer) = bearer {
        request = request.header("authorization", format!("Bearer {bearer}"));
    }
    request.send().await.unwrap().status().as_u16()
}

fn callback() -> String {
    let body = json!({
        "id": Uuid::nil(), "reference": null, "to": "anna@anytown.example", "status": "delivered",
        "notification_type": "email",
    });
    body.to_string()
}

#[tokio::test]
async fn a_callback_of_notify_needs_the_agreed_token_and_a_mail_that_is_known() {
    let world = World::start_with(Database::sqlite(), |config| {
        let mail = config.mail.as_mut().unwrap();
        mail.host.clear();
        mail.notify = Some(NotifyConfig {
            key: SecretSource::held(KEY),
            template: Uuid::nil(),
            welsh_template: None,
            callback_token: Some(SecretSource::held("agreed-token")),
            // Nobody listens there.
            url: Some("http://localhost:9/".parse().unwrap()),
        });
    })
    .await;
    assert_eq!(told(&world, None, callback()).await, 401);
    assert_eq!(told(&world, Some("another-token"), callback()).await, 401);
    assert_eq!(
        told(&world, Some("agreed-token"), "{}".to_owned()).await,
        400
    );
    assert_eq!(told(&world, Some("agreed-token"), callback()).await, 404);
}

#[tokio::test]
async fn where_mails_go_by_a_mail_server_no_callback_is_expected() {
    let world = World::start().await;
    assert_eq!(told(&world, Some(""), callback()).await, 404);
}
