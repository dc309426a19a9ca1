//! Putting a credential into a wallet.

use connector::{
    Callback, Connector, Dialect, Draft, DraftError, FinishError, GatewayFault, Issued, Purpose,
    Returned, StartError,
};
use jiff::{SignedDuration, Timestamp};
use standards::jose::jws;
use standards::oauth::Form;

use crate::provider::{CLIENT_ID, Fault, Provider, http};

fn programme() -> Draft {
    Draft::new("TrainingProgramme")
        .claim("TPR-Name", "Cardiology")
        .claim("TPR-ProgrammeStartDate", "2026-08-05")
        .claim("UniqueIdentifier", "7e1f4d3a-53c5-4a0e-9b4e-0d6f1c2a3b4c")
}

async fn finished(
    provider: &Provider,
    connector: &Connector,
    draft: Draft,
) -> Result<Issued, FinishError> {
    let started = connector.issue(draft).await.unwrap();
    let callback = Callback::parse(&provider.comes_back(&started.url)).unwrap();
    match connector.finish(started.pending, callback).await? {
        Returned::Issued(issued) => Ok(issued),
        Returned::Verified(_) => panic!("nothing was to be verified"),
    }
}

/// DW-38, DW-52, DW-54, DW-55, DW-56.
#[tokio::test]
async fn an_issued_credential_has_the_serial_number_that_the_draft_had_in_every_dialect() {
    let provider = Provider::start().await;
    for dialect in [Dialect::V1A, Dialect::V1B, Dialect::V2, Dialect::Plain] {
        let connector = provider.connector(dialect).await;
        let draft = programme().expires_at(Timestamp::now() + SignedDuration::from_hours(1));
        let serial_number = draft.serial_number;
        let issued = finished(&provider, &connector, draft).await.unwrap();
        assert_eq!(issued.serial_number, serial_number);
        assert_eq!(issued.credential_type, "TrainingProgramme");
        assert_eq!(issued.details.find("TPR-Name"), Some("Cardiology"));
        assert_eq!(
            issued.details.find("nonce"),
            None,
            "the token's own claims are no details"
        );
    }
}

#[tokio::test]
async fn the_first_contract_sends_no_openid_in_the_scope_and_the_others_do() {
    let provider = Provider::start().await;
    for (dialect, scope) in [
        (Dialect::V1A, "issue.TrainingProgramme"),
        (Dialect::V2, "openid issue.TrainingProgramme"),
        (Dialect::Plain, "openid issue.TrainingProgramme"),
    ] {
        let draft = programme().expires_at(Timestamp::now() + SignedDuration::from_hours(1));
        provider
            .connector(dialect)
            .await
            .issue(draft)
            .await
            .unwrap();
        let (_, body) = provider.calls().pop().unwrap();
        assert_eq!(
            Form::parse(body.as_bytes()).unwrap().find("scope"),
            Some(scope)
        );
    }
}

#[tokio::test]
async fn a_draft_travels_signed_with_short_life_and_every_claim_as_text() {
    let provider = Provider::start().await;
    let connector = provider.connector(Dialect::V2).await;
    let expiry: Timestamp = "2027-08-04T22:59:59Z".parse().unwrap();
    let draft = programme().expires_at(expiry);
    let serial_number = draft.serial_number;
    let started = connector.issue(draft).await.unwrap();
    let (_, body) = provider.calls().pop().unwrap();
    let form = Form::parse(body.as_bytes()).unwrap();
    let hint = jws::parse(form.find("id_token_hint").unwrap()).unwrap();
    assert_eq!(hint.header().typ(), Some("JWT"));
    let claims = hint.unverified_claims();
    assert_eq!(claims["iss"], CLIENT_ID);
    assert_eq!(claims["aud"], provider.base);
    assert_eq!(claims["TPR-Name"], "Cardiology");
    assert_eq!(claims["SerialNumber"], serial_number.to_string());
    assert_eq!(claims["ExpiresAt"], "2027-08-04T22:59:59Z");
    let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(lifetime, 300);
    // Whoever crashes now still knows which credential may come to exist.
    assert_eq!(started.pending.serial_number(), Some(serial_number));
    assert!(
        matches!(started.pending.purpose(), Purpose::Issue { credential_type, .. }
        if credential_type == "TrainingProgramme")
    );
}

#[tokio::test]
async fn in_dialect_a_the_messages_end_is_the_credentials_and_has_to_be_given() {
    let provider = Provider::start().await;
    let connector = provider.connector(Dialect::V1A).await;
    let refused = connector.issue(programme()).await.unwrap_err();
    assert!(matches!(refused, StartError::Draft(DraftError::NoExpiry)));
    let expiry: Timestamp = "2040-08-04T23:59:59Z".parse().unwrap();
    connector
        .issue(programme().expires_at(expiry))
        .await
        .unwrap();
    let (_, body) = provider.calls().pop().unwrap();
    let form = Form::parse(body.as_bytes()).unwrap();
    let hint = jws::parse(form.find("id_token_hint").unwrap()).unwrap();
    assert_eq!(hint.unverified_claims()["exp"], expiry.as_second());
    assert_eq!(hint.unverified_claims().get("ExpiresAt"), None);
}

#[tokio::test]
async fn a_draft_cannot_write_over_the_message_that_carries_it() {
    let provider = Provider::start().await;
    let connector = provider.connector(Dialect::V2).await;
    for name in ["iss", "aud", "exp", "SerialNumber", "ExpiresAt"] {
        let refused = connector
            .issue(programme().claim(name, "mine"))
            .await
            .unwrap_err();
        assert!(matches!(
            refused,
            StartError::Draft(DraftError::ReservedClaim(claim)) if claim == name
        ));
    }
    assert!(provider.calls().is_empty());
}

#[tokio::test]
async fn a_relying_party_without_a_signing_key_cannot_issue() {
    let provider = Provider::start().await;
    let mut settings = provider.settings(Dialect::V2);
    settings.signing_key = None;
    let connector = Connector::discover(settings, http()).await.unwrap();
    let refused = connector.issue(programme()).await.unwrap_err();
    assert!(matches!(
        refused,
        StartError::Draft(DraftError::NoSigningKey)
    ));
}

#[tokio::test]
async fn a_draft_that_the_gateway_refuses_is_told_with_its_code() {
    let provider = Provider::start().await;
    let connector = provider.connector(Dialect::V2).await;
    provider.breaks(Fault::PushAnswers(400));
    let refused = connector.issue(programme()).await.unwrap_err();
    assert!(matches!(
        refused,
        StartError::Gateway(GatewayFault::Refused { refusal, .. }) if refusal.code == "invalid_scope"
    ));
}

#[tokio::test]
async fn whatever_goes_wrong_after_the_code_leaves_the_serial_number_to_revoke_by() {
    let provider = Provider::start().await;
    let connector = provider.connector(Dialect::V2).await;
    for fault in [
        Fault::TokenAnswers(500),
        Fault::TokenAnswers(400),
        Fault::TokenIsSlow,
        Fault::TokenIsNoJson,
        Fault::IdTokenBadSignature,
        Fault::IdTokenClaim("nonce", r#""another""#),
        Fault::IdTokenWithout("SerialNumber"),
        Fault::IdTokenClaim("SerialNumber", r#""00000000-0000-4000-8000-000000000000""#),
    ] {
        provider.breaks(fault);
        let draft = programme();
        let expected = draft.serial_number;
        let error = finished(&provider, &connector, draft).await.unwrap_err();
        assert!(
            matches!(
                &error,
                FinishError::OutcomeUnknown { credential_type, serial_number, .. }
                    if *serial_number == expected && credential_type == "TrainingProgramme"
            ),
            "{fault:?}: {error:?}"
        );
    }
}

#[tokio::test]
async fn an_issuing_that_the_gateway_ended_without_a_code_has_a_known_outcome() {
    let provider = Provider::start().await;
    let connector = provider.connector(Dialect::V2).await;
    let started = connector.issue(programme()).await.unwrap();
    let query = format!(
        "error=access_denied&error_description=user+cancelled&state={}",
        started.pending.state()
    );
    let error = connector
        .finish(started.pending, Callback::parse(&query).unwrap())
        .await
        .unwrap_err();
    assert!(matches!(error, FinishError::Declined(_)), "{error:?}");
}

#[tokio::test]
async fn a_draft_does_not_print_what_it_says_of_a_person() {
    let printed = format!("{:?}", programme());
    assert!(
        printed.contains("TPR-Name") && !printed.contains("Cardiology"),
        "{printed}"
    );
}
