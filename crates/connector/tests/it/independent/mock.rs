//! `oauth2-mock-server` lies in one way at a time, and is believed only where it does not.

use connector::{
    Callback, Connector, DiscoverError, Endpoint, FetchError, FinishError, GatewayFault,
    IdTokenError, NotOurs, Returned,
};
use reqwest::Client;

use super::{Independent, comes_back, http};

/// How a journey must end.
#[derive(Debug)]
enum Refused {
    IdToken(IdTokenError),
    /// The callback is not even taken up.
    NotOurs(NotOurs),
    /// The code is not taken.
    Code,
    Failing(u16),
    AgainstContract,
    TimedOut,
    TooLarge,
    Broken,
    /// All is true, and it is not about what was asked for.
    CredentialMissing,
}

impl Refused {
    fn is(&self, error: &FinishError) -> bool {
        use FinishError as Finish;
        use GatewayFault as Fault;
        match (self, error) {
            (Self::IdToken(expected), Finish::IdToken(found)) => expected == found,
            (Self::NotOurs(expected), Finish::NotOurs(found)) => expected == found,
            (Self::CredentialMissing, Finish::CredentialMissing(name)) => name == "Identity",
            (_, Finish::Gateway(fault)) => match (self, fault) {
                (Self::Code, Fault::Refused { endpoint, .. })
                | (Self::AgainstContract, Fault::AgainstContract { endpoint, .. }) => {
                    *endpoint == Endpoint::Token
                }
                (Self::Failing(expected), Fault::Failing { status, .. }) => expected == status,
                (_, Fault::Unreachable { source, .. }) => matches!(
                    (self, source),
                    (Self::TimedOut, FetchError::TimedOut)
                        | (Self::TooLarge, FetchError::TooLarge)
                        | (Self::Broken, FetchError::Broken(_))
                ),
                _ => false,
            },
            _ => false,
        }
    }
}

async fn corrupts(mock: &Independent, corruption: &str) {
    let answer = Client::new()
        .put(format!("{}/corruption", mock.issuer))
        .body(corruption.to_owned())
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 204, "the mock knows no {corruption:?}");
}

async fn discover(mock: &Independent) -> Result<Connector, DiscoverError> {
    let mut settings = mock.settings();
    // The mock takes the user name of `Authorization: Basic` as it is written, without [RFC 6749 2.3.1]: it would name
    // `portal%3A1` as the audience.
    settings.client_id = String::from("portal");
    Connector::discover(settings, http()).await
}

async fn connector(mock: &Independent) -> Connector {
    discover(mock).await.unwrap()
}

async fn verify(connector: &Connector) -> Result<Returned, FinishError> {
    let started = connector.verify(&["Identity"]).await.unwrap();
    let callback = Callback::parse(&comes_back(&started).await).unwrap();
    connector.finish(started.pending, callback).await
}

async fn is_believed(connector: &Connector) {
    match verify(connector).await.unwrap() {
        Returned::Verified(verified) => {
            assert_eq!(verified.subject, "johndoe");
            let identity = verified.identity().unwrap();
            assert_eq!(identity.legal_first_name, "Amina");
            assert_eq!(identity.legal_surname, "Okafor");
        }
        Returned::Issued(_) => panic!("nothing was to be issued"),
    }
}

/// Each corruption is refused for its own reason, by a connector that has the keys already and by one that has just
/// begun; and what is not corrupted is believed before and after.
async fn each_is_refused(cases: &[(&str, Refused)]) {
    let Some(mock) = Independent::start("mock", "oauth2-mock-server", &[]) else {
        return;
    };
    let experienced = connector(&mock).await;
    is_believed(&experienced).await;
    for (corruption, expected) in cases {
        corrupts(&mock, corruption).await;
        for connector in [&experienced, &connector(&mock).await] {
            let error = verify(connector).await.expect_err(corruption);
            assert!(
                expected.is(&error),
                "{corruption}: {error:?} where {expected:?} was expected"
            );
        }
        corrupts(&mock, "nothing").await;
        is_believed(&experienced).await;
    }
}

fn id_token(corruption: &str, error: IdTokenError) -> (&str, Refused) {
    (corruption, Refused::IdToken(error))
}

#[tokio::test]
async fn dw_40_an_independent_provider_whose_signature_does_not_fit_is_refused() {
    each_is_refused(&[
        id_token("signature: flipped", IdTokenError::Signature),
        id_token("signature: empty", IdTokenError::Signature),
        id_token("signature: cut off", IdTokenError::Unreadable),
        id_token("payload: changed", IdTokenError::Signature),
    ])
    .await;
}

/// SEC-15.
#[tokio::test]
async fn dw_40_an_independent_provider_that_signs_with_nothing_or_another_key_is_refused() {
    each_is_refused(&[
        id_token("alg: none", IdTokenError::Unreadable),
        id_token(
            "alg: HS256 with the public key's PEM",
            IdTokenError::Algorithm,
        ),
        id_token(
            "alg: HS256 with the public key's JWK",
            IdTokenError::Algorithm,
        ),
        id_token(
            "key: another one under the same kid",
            IdTokenError::Signature,
        ),
        id_token(
            "key: another one inside the header",
            IdTokenError::Signature,
        ),
        id_token("kid: unknown", IdTokenError::UnknownKey),
        id_token("kid: none", IdTokenError::NoKeyId),
        id_token("typ: at+jwt", IdTokenError::Type),
    ])
    .await;
}

#[tokio::test]
async fn dw_40_an_independent_provider_that_signs_for_others_is_refused() {
    each_is_refused(&[
        id_token("iss: other", IdTokenError::Issuer),
        id_token("iss: with a slash", IdTokenError::Issuer),
        id_token("iss: none", IdTokenError::Claim("iss")),
        id_token("aud: other", IdTokenError::Audience),
        id_token("aud: others too", IdTokenError::Audience),
        id_token("aud: none", IdTokenError::Claim("aud")),
        id_token("azp: other", IdTokenError::AuthorizedParty),
        id_token("nonce: other", IdTokenError::Nonce),
        id_token("nonce: none", IdTokenError::Claim("nonce")),
        id_token("sub: none", IdTokenError::Claim("sub")),
        ("identity: none", Refused::CredentialMissing),
    ])
    .await;
}

#[tokio::test]
async fn dw_40_an_independent_provider_that_signs_for_another_time_is_refused() {
    each_is_refused(&[
        id_token("exp: past", IdTokenError::Expired),
        id_token("exp: none", IdTokenError::Claim("exp")),
        id_token("exp: a text", IdTokenError::Claim("exp")),
        id_token("iat: far future", IdTokenError::Early),
        id_token("iat: yesterday", IdTokenError::Old),
        id_token("iat: none", IdTokenError::Claim("iat")),
        id_token("nbf: future", IdTokenError::Early),
    ])
    .await;
}

#[tokio::test]
async fn dw_40_an_independent_provider_that_sends_no_token_is_refused() {
    each_is_refused(&[
        id_token("token: no JWT", IdTokenError::Unreadable),
        id_token("token: empty", IdTokenError::Unreadable),
        ("token: a number", Refused::AgainstContract),
        ("token: none", Refused::AgainstContract),
    ])
    .await;
}

/// Each takes the connector's whole patience or none, and nothing is followed or read to its end.
#[tokio::test]
async fn dw_40_an_independent_provider_whose_answer_is_broken_is_refused() {
    each_is_refused(&[
        ("answer: 500", Refused::Failing(500)),
        ("answer: empty", Refused::AgainstContract),
        ("answer: truncated JSON", Refused::AgainstContract),
        ("answer: broken off", Refused::Broken),
        ("answer: hanging", Refused::TimedOut),
        ("answer: hanging half-way", Refused::TimedOut),
        ("answer: oversized", Refused::TooLarge),
        ("answer: a redirect", Refused::AgainstContract),
    ])
    .await;
}

#[tokio::test]
async fn dw_41_an_independent_provider_whose_callback_was_changed_is_refused() {
    each_is_refused(&[
        ("callback: another state", Refused::NotOurs(NotOurs::State)),
        (
            "callback: another issuer",
            Refused::NotOurs(NotOurs::Issuer),
        ),
        ("callback: another code", Refused::Code),
    ])
    .await;
}

/// As it comes, the mock has neither pushed requests nor client secrets.
#[tokio::test]
async fn an_independent_provider_that_cannot_be_used_is_refused_before_anything_is_asked() {
    let Some(mock) = Independent::start("mock", "oauth2-mock-server", &[]) else {
        return;
    };
    for (corruption, expected) in [
        (
            "discovery: no pushed requests",
            "the gateway does not offer pushed authorization requests",
        ),
        (
            "discovery: no client secrets",
            "the gateway does not offer authentication by client secret",
        ),
        (
            "discovery: token endpoint in clear text",
            "the discovery document's token_endpoint is not a secure address",
        ),
    ] {
        corrupts(&mock, corruption).await;
        let error = discover(&mock).await.err().expect(corruption);
        assert_eq!(error.to_string(), expected, "{corruption}");
    }
    corrupts(&mock, "discovery: another issuer").await;
    assert!(matches!(
        discover(&mock).await,
        Err(DiscoverError::OtherIssuer { found, .. }) if found == "https://other.example"
    ));
    corrupts(&mock, "nothing").await;
    is_believed(&connector(&mock).await).await;
}
