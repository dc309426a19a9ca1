//! What relying parties and browsers send as parameters: forms, redirect URIs, scopes, PKCE.

use standards::oauth::form::{self, Form};
use standards::oauth::pkce::{CodeChallenge, CodeVerifier};
use standards::oauth::redirect;
use standards::oauth::{RedirectUri, Scope};
use url::Url;

use crate::scene::fields;

/// A form that is accepted reads as any other reader of forms reads it, and comes back when it is written again.
pub(super) fn form(data: &[u8]) {
    let Ok(read) = Form::parse(data) else {
        return;
    };
    let mut elsewhere: Vec<(String, String)> = url::form_urlencoded::parse(data)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    elsewhere.sort();
    let pairs: Vec<(&str, &str)> = read.iter().collect();
    assert!(
        elsewhere
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .eq(pairs.iter().copied()),
        "two readers read two forms"
    );
    assert!(pairs.len() <= 64, "a form of any length was read");
    assert!(
        pairs.windows(2).all(|two| two[0].0 != two[1].0),
        "a name occurs twice"
    );
    let again = form::encode(pairs.iter().copied());
    assert_eq!(Form::parse(again.as_bytes()).as_ref(), Ok(&read));
}

/// SEC-02. Fields: what is registered, what is requested, the state. Whatever is accepted for registration, the
/// browser ends at that scheme, host, port and path, and carries the answer and nothing that the answer smuggled in.
pub(super) fn redirect_uri(data: &[u8]) {
    let Some([registered, requested, state]) = fields(data) else {
        return;
    };
    let Ok(uri) = RedirectUri::parse(registered) else {
        return;
    };
    assert_eq!(uri.matches(requested), registered == requested);
    let known = [uri.clone()];
    assert_eq!(
        redirect::find(&known, requested).is_some(),
        registered == requested
    );

    let before = Url::parse(registered).expect("what is registered is a URL");
    let answer = uri.with_answer([("code", "c&o=d#e"), ("state", state)]);
    assert!(
        answer.bytes().all(|byte| byte.is_ascii_graphic()),
        "an answer that a header cannot carry as it is"
    );
    let after = Url::parse(&answer).expect("the answer is a URL");
    for (what, same) in [
        ("scheme", before.scheme() == after.scheme()),
        ("host", before.host() == after.host()),
        ("port", before.port() == after.port()),
        ("path", before.path() == after.path()),
        ("fragment", after.fragment().is_none()),
        (
            "user",
            after.username().is_empty() && after.password().is_none(),
        ),
    ] {
        assert!(same, "the {what} of the redirect differs");
    }
    let own = before.query_pairs();
    let sent = [
        ("code".into(), "c&o=d#e".into()),
        ("state".into(), state.into()),
    ];
    assert!(
        own.chain(sent).eq(after.query_pairs()),
        "the answer reads otherwise than it was written"
    );
}

/// Fields: a scope, a challenge, its method, a verifier.
pub(super) fn scope_and_pkce(data: &[u8]) {
    let Some([scope, challenge, method, verifier]) = fields(data) else {
        return;
    };
    if let Ok(read) = Scope::parse(scope) {
        assert_eq!(Scope::parse(&read.to_string()), Ok(read.clone()));
        assert!((1..=32).contains(&read.tokens().count()));
        assert!(
            read.tokens()
                .all(|token| scope.split(' ').any(|sent| sent == token))
        );
    }
    for read in [CodeChallenge::parse, CodeChallenge::parse_padded] {
        let Ok(Some(challenge)) = read(Some(challenge), Some(method)) else {
            continue;
        };
        // SEC-08: no other method than S256 ever counts.
        assert_eq!(method, "S256");
        assert_eq!(
            CodeChallenge::from_text(&challenge.to_text()),
            Ok(challenge.clone())
        );
        if let Ok(verifier) = CodeVerifier::parse(verifier) {
            assert_eq!(
                challenge.matches(&verifier),
                verifier.challenge() == challenge
            );
        }
    }
}
