//! Revoking by serial number.

use connector::{Dialect, GatewayFault, Revocation, RevokeError};
use serde_json::json;
use uuid::Uuid;

use crate::provider::{CLIENT_ID, CLIENT_SECRET, Fault, Provider};

fn revocation() -> Revocation {
    Revocation::new("TrainingProgramme", Uuid::new_v4(), "Source record deleted")
}

/// DW-86.
#[tokio::test]
async fn a_revocation_is_sent_with_the_contracts_own_names_and_may_be_repeated() {
    let provider = Provider::start().await;
    let connector = provider.connector(Dialect::V1A).await;
    let revocation = revocation();
    connector.revoke(&revocation).await.unwrap();
    connector.revoke(&revocation).await.unwrap();
    let sent = provider.revocations();
    assert_eq!(sent.len(), 2);
    assert_eq!(
        sent[0],
        json!({
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "OrganisationId": "anytown",
            "CredentialTemplateName": "TrainingProgramme",
            "SerialNumber": revocation.serial_number.to_string(),
            "RevocationReason": "Source record deleted",
        })
    );
}

#[tokio::test]
async fn only_204_means_revoked_and_the_other_answers_say_whether_to_try_again() {
    let provider = Provider::start().await;
    let connector = provider.connector(Dialect::V2).await;
    for (status, again) in [
        (401, false),
        (400, false),
        (429, true),
        (500, true),
        (503, true),
    ] {
        provider.breaks(Fault::RevokeAnswers(status));
        let error = connector.revoke(&revocation()).await.unwrap_err();
        assert_eq!(error.is_temporary(), again, "{status}: {error}");
    }
    provider.breaks(Fault::RevokeAnswers(404));
    let error = connector.revoke(&revocation()).await.unwrap_err();
    assert!(matches!(error, RevokeError::NotFound));
    provider.breaks(Fault::RevokeAnswers(200));
    let error = connector.revoke(&revocation()).await.unwrap_err();
    assert!(matches!(
        error,
        RevokeError::Gateway(GatewayFault::AgainstContract { .. })
    ));
}
