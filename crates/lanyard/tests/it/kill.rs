//! SIGKILL after each answer of both sequences. Started again on the same database, the gateway goes on where it
//! was: what may be done once stays done, and what has not been done yet still can be.

use std::sync::Arc;

use reqwest::StatusCode;
use store::Statement;
use uuid::Uuid;

use crate::by_hand::{Answer, Journey, Step, revoke, send};
use crate::database::{Database, on_both_engines};
use crate::events;
use crate::holder::{Format, Holder};
use crate::operated::Operated;

on_both_engines!(
    killed_after_each_answer_the_gateway_goes_on_and_does_nothing_twice,
    a_credential_that_reached_the_wallet_before_the_kill_can_be_revoked_by_its_serial_number,
);

async fn killed_after_each_answer_the_gateway_goes_on_and_does_nothing_twice(database: Database) {
    let mut gateway = Operated::started(database);
    let mut holder = Holder::new(Format::W3c);

    let issuing = journey_with_kills(&mut gateway, &mut holder, Journey::to_issue()).await;
    let serial_number = issuing.serial_number.to_string();
    assert_eq!(issuing.id_token["SerialNumber"], serial_number);

    let mut again = Journey::to_issue();
    again.take_from(Step::Push, &gateway, &mut holder).await;
    let serial_number = again.serial_number;
    let verifying = journey_with_kills(&mut gateway, &mut holder, Journey::to_verify()).await;
    assert_eq!(
        verifying.id_token["TrainingProgramme.TPR-Name"],
        "Cardiology"
    );

    assert_eq!(in_force(&gateway, serial_number).await, [true]);
    assert_eq!(
        revoke(&gateway, serial_number).await,
        StatusCode::NO_CONTENT
    );
    gateway.kill();
    assert_eq!(in_force(&gateway, serial_number).await, [false]);
    gateway.start();
    is_refused_as_revoked(&gateway, &mut holder).await;
    let told = events::add_up(&gateway).await;
    assert!(told.contains("credential.issued") && told.contains("credential.revoked"));
}

/// The whole journey, the gateway killed after each answer.
async fn journey_with_kills(
    gateway: &mut Operated,
    holder: &mut Holder,
    mut journey: Journey,
) -> Journey {
    for step in journey.steps() {
        let request = journey.request(*step, gateway, holder).await;
        let again = request.try_clone().unwrap();
        let answer = send(&gateway.client(&journey.cookies), request).await;
        journey.hear(*step, gateway, holder, &answer);
        gateway.kill_and_start();
        let client = gateway.client(&journey.cookies);
        let repeated = async || send(&client, again.try_clone().unwrap()).await;
        match step {
            Step::Push | Step::Nonce => {}
            // The code of before the kill is the one that is redeemed.
            Step::Back if !journey.issues => {}
            Step::Authorize => {
                // First, or the browser that began would open the request once more.
                is_closed_to_strangers(gateway, &journey).await;
                let same = repeated().await;
                assert_eq!(
                    gateway.url(&same.location),
                    journey.page,
                    "another interaction was opened"
                );
            }
            Step::Page => {
                let link = lanyard::browser::href(&repeated().await.body, "open-wallet");
                assert_eq!(
                    link.as_deref(),
                    Some(journey.link.as_str()),
                    "the QR code has changed"
                );
            }
            // Within a minute the same retrieval gets the same object (rulings 6).
            Step::Retrieve => assert_eq!(repeated().await.body, journey.retrieved),
            Step::AccessToken => assert_eq!(repeated().await.error(), "invalid_grant"),
            Step::Credential => {
                let body = repeated().await.json();
                assert_eq!(
                    body["credentials"][0]["credential"], holder.credential,
                    "a second credential came to be"
                );
                another_key_gets_none(gateway, &mut journey).await;
                nonce_is_used_up(gateway, &journey).await;
            }
            Step::Notify => assert_eq!(repeated().await.status, StatusCode::NO_CONTENT),
            Step::Present => {
                let refused = repeated().await;
                assert_eq!(
                    (refused.status, refused.code()),
                    (StatusCode::BAD_REQUEST, "already-used".into())
                );
                let request = journey.request(Step::Retrieve, gateway, holder).await;
                assert!(
                    send(&client, request).await.status.is_client_error(),
                    "the request can be retrieved again"
                );
            }
            Step::Back => {
                code_before_the_reload_is_dead(gateway, &mut journey, holder, &repeated().await)
                    .await;
            }
            Step::Token => {
                // The number has reached the relying party, and the credential stands until it is taken back.
                if journey.issues {
                    assert_eq!(in_force(gateway, journey.serial_number).await, [true]);
                }
                let refused = repeated().await;
                assert_eq!(
                    (refused.status, refused.error()),
                    (StatusCode::BAD_REQUEST, "invalid_grant".into())
                );
                // A code that comes twice was stolen, for all the gateway knows [RFC 6749 4.1.2].
                if journey.issues {
                    assert_eq!(in_force(gateway, journey.serial_number).await, [false]);
                }
                let page = journey.request(Step::Back, gateway, holder).await;
                assert_eq!(
                    send(&client, page).await.authorization_code(),
                    None,
                    "a second code"
                );
                is_closed_to_strangers(gateway, &journey).await;
            }
        }
    }
    journey
}

/// A request that a browser has opened opens for no other, nor does its page.
async fn is_closed_to_strangers(gateway: &Operated, journey: &Journey) {
    let stranger = gateway.client(&Arc::default());
    for address in [&journey.authorize_address(gateway), &journey.page] {
        let answer = send(&stranger, stranger.get(address).build().unwrap()).await;
        assert!(
            answer.status.is_client_error() && answer.location.is_empty(),
            "{}: {}",
            answer.status,
            answer.body
        );
    }
}

async fn another_key_gets_none(gateway: &Operated, journey: &mut Journey) {
    let thief = Holder::new(Format::W3c);
    let client = gateway.client(&Arc::default());
    let nonce = send(&client, journey.request(Step::Nonce, gateway, &thief).await).await;
    let nonce = nonce.json()["c_nonce"].as_str().unwrap().to_owned();
    let answer = send(
        &client,
        journey
            .credential_request_with(gateway, &thief, &nonce)
            .await,
    )
    .await;
    assert_eq!(
        (answer.error(), answer.code()),
        ("credential_request_denied".into(), "already-issued".into())
    );
}

/// For no other offer, whoever holds it.
async fn nonce_is_used_up(gateway: &Operated, journey: &Journey) {
    let mut other = Journey::to_issue();
    let mut holder = Holder::new(Format::W3c);
    other
        .take_until(Step::Credential, gateway, &mut holder)
        .await;
    let client = gateway.client(&Arc::default());
    let answer = send(
        &client,
        other
            .credential_request_with(gateway, &holder, &journey.nonce)
            .await,
    )
    .await;
    assert_eq!(
        (answer.status, answer.error()),
        (StatusCode::BAD_REQUEST, "invalid_nonce".into())
    );
    assert_eq!(in_force(gateway, other.serial_number).await, [false; 0]);
}

/// A reload gives a fresh code, and one code is live at a time.
async fn code_before_the_reload_is_dead(
    gateway: &Operated,
    journey: &mut Journey,
    holder: &mut Holder,
    reloaded: &Answer,
) {
    let client = gateway.client(&journey.cookies);
    let fresh = reloaded
        .authorization_code()
        .expect("a reload leads back, too");
    assert_ne!(fresh, journey.code);
    let old = journey.request(Step::Token, gateway, holder).await;
    let refused = send(&client, old).await;
    assert_eq!(
        (refused.status, refused.error()),
        (StatusCode::BAD_REQUEST, "invalid_grant".into())
    );
    journey.code = fresh;
}

async fn a_credential_that_reached_the_wallet_before_the_kill_can_be_revoked_by_its_serial_number(
    database: Database,
) {
    let mut gateway = Operated::started(database);
    let mut holder = Holder::new(Format::SdJwt);
    let mut journey = Journey::to_issue();
    journey
        .take_until(Step::Notify, &gateway, &mut holder)
        .await;
    gateway.kill_and_start();

    // The browser never comes back: all that the relying party has is the number that it put into the draft.
    assert_eq!(in_force(&gateway, journey.serial_number).await, [true]);
    assert_eq!(
        revoke(&gateway, journey.serial_number).await,
        StatusCode::NO_CONTENT
    );
    gateway.kill_and_start();
    assert_eq!(in_force(&gateway, journey.serial_number).await, [false]);
    assert_eq!(
        revoke(&gateway, journey.serial_number).await,
        StatusCode::NO_CONTENT,
        "revoking twice is no fault"
    );
    is_refused_as_revoked(&gateway, &mut holder).await;
    // It was revoked before anybody could say that it was kept.
    assert!(
        events::add_up(&gateway)
            .await
            .contains("credential.revoked")
    );
}

/// Shows the holder's credential, which must not get the relying party a code.
pub(crate) async fn is_refused_as_revoked(gateway: &Operated, holder: &mut Holder) {
    let mut journey = Journey::to_verify();
    journey.take_until(Step::Present, gateway, holder).await;
    let client = gateway.client(&journey.cookies);
    let refused = send(
        &client,
        journey.request(Step::Present, gateway, holder).await,
    )
    .await;
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::BAD_REQUEST, "credential-revoked".into())
    );
    let page = send(&client, journey.request(Step::Back, gateway, holder).await).await;
    let way_back =
        lanyard::browser::href(&page.body, "go-back").expect("a way back without a code");
    assert!(
        way_back.contains("error=access_denied") && !way_back.contains("code="),
        "{way_back}"
    );
}

/// For each credential of that number, whether it is in force.
pub(crate) async fn in_force(gateway: &Operated, serial_number: Uuid) -> Vec<bool> {
    let select = Statement::new("SELECT revoked_at FROM credentials WHERE serial_number = $1");
    let rows = gateway.rows(select.bind(serial_number.to_string())).await;
    rows.iter()
        .map(|row| row.optional_integer("revoked_at").unwrap().is_none())
        .collect()
}
