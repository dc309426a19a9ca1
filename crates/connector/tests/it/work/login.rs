//! By a mail server that demands TLS and a log-in: by password, and by access tokens from an OAuth endpoint.

use std::net::TcpListener;
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use connector::ClientSecret;
use connector::desk::{Cause, Channel, Smtp, SmtpLogin, SmtpSecurity, TokenSource};
use jiff::SignedDuration;
use mail_catcher::{Demand, Login};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::task::JoinHandle;

use super::world::{Working, corrected};
use crate::database::{Database, on_both_engines};
use crate::desk::world::programme;

on_both_engines!(
    a_password_goes_over_tls_to_the_server_that_the_certificate_names,
    a_server_with_a_strangers_certificate_is_told_nothing,
    an_access_token_is_fetched_once_and_again_before_it_ends,
    a_token_that_the_mail_server_no_longer_takes_is_replaced,
    a_refresh_token_that_was_replaced_is_not_used_again,
    a_token_endpoint_that_refuses_holds_up_mails_and_loses_none,
    one_connection_serves_many_rounds_and_is_closed_when_it_idles,
    a_connection_that_the_server_closed_is_opened_again_at_once,
    no_more_mails_a_minute_go_out_than_are_allowed_also_across_rounds,
);

const USER: &str = "staff-services@anytown.example";

/// A certificate authority's certificate, and a chain and key of `localhost`.
fn certificates() -> (String, String, String) {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = authority.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &issuer).unwrap();
    (root.pem(), leaf.pem(), key.serialize_pem())
}

fn password() -> SmtpLogin {
    SmtpLogin::Password {
        user: USER.to_owned(),
        password: ClientSecret::new("correct horse"),
    }
}

fn by_password() -> Login {
    Login::Password {
        user: USER.to_owned(),
        password: "correct horse".to_owned(),
    }
}

fn by_token(token: &str) -> Login {
    Login::AccessToken {
        user: USER.to_owned(),
        token: token.to_owned(),
    }
}

/// A world whose mail server demands TLS and a log-in.
struct ByLogin {
    it: Working,
    demand: Demand,
    serving: JoinHandle<()>,
}

impl Deref for ByLogin {
    type Target = Working;

    fn deref(&self) -> &Working {
        &self.it
    }
}

impl Drop for ByLogin {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl ByLogin {
    async fn start(
        database: Database,
        login: SmtpLogin,
        change: impl FnOnce(&mut connector::desk::MailOptions),
    ) -> Self {
        let (authority, chain, key) = certificates();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let it = Working::start_with(database, |options| {
            let mail = options.mail.as_mut().unwrap();
            mail.channel = Channel::Smtp(Smtp {
                host: "localhost".to_owned(),
                port,
                security: SmtpSecurity::Required,
                login: Some(login),
                certificate_authority: Some(authority.into_bytes()),
            });
            change(mail);
        })
        .await;
        let demand = Demand::new(&chain, &key, vec![by_password()]).unwrap();
        let serving = it
            .catcher
            .serve_smtp_by_login(vec![listener], demand.clone());
        let serving = tokio::spawn(async move { panic!("{}", serving.await) });
        Self {
            it,
            demand,
            serving,
        }
    }

    async fn revoked(&self) {
        self.issued().await;
        self.change(Some(&corrected()), Cause::Corrected).await;
        self.work().await;
    }

    /// Another mail is written: about a second credential of hers.
    async fn another(&self, record: &str) {
        let person = crate::desk::world::anna();
        let anna = super::world::ANNA;
        self.download(anna, &person, "anna", &programme(record))
            .await;
        let gone = self.desk.record_changed(record, None, Cause::AddedInError);
        self.store.write(gone).await.unwrap();
    }

    async fn fault(&self) -> String {
        let mail = self.desk.backlog().await.unwrap().mails.remove(0);
        assert!(!mail.given_up);
        mail.fault.unwrap()
    }
}

/// An OAuth token endpoint, which numbers its tokens.
#[derive(Clone, Default)]
struct Endpoint(Arc<Mutex<Asked>>);

#[derive(Default)]
struct Asked {
    forms: Vec<Vec<(String, String)>>,
    refuses: bool,
}

impl Endpoint {
    async fn open() -> (Self, String) {
        let endpoint = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/token", listener.local_addr().unwrap());
        let router = axum::Router::new()
            .route("/token", axum::routing::post(token))
            .with_state(endpoint.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (endpoint, url)
    }

    fn asked(&self, member: &str) -> Vec<String> {
        let asked = self.0.lock().unwrap();
        let of = |form: &Vec<(String, String)>| {
            let found = form.iter().find(|(name, _)| name == member);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        asked.forms.iter().map(of).collect()
    }

    fn refuse(&self, refuses: bool) {
        self.0.lock().unwrap().refuses = refuses;
    }
}

async fn token(
    State(endpoint): State<Endpoint>,
    Form(form): Form<Vec<(String, String)>>,
) -> axum::response::Response {
    let mut asked = endpoint.0.lock().unwrap();
    asked.forms.push(form);
    if asked.refuses {
        let refused = axum::Json(serde_json::json!({ "error": "invalid_client" }));
        return (StatusCode::UNAUTHORIZED, refused).into_response();
    }
    let nth = asked.forms.len();
    // As long as those of Microsoft's.
    let token = format!("token-{nth}-{}", "x".repeat(2_000));
    axum::Json(serde_json::json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": 3600,
        "refresh_token": format!("refresh-{nth}"),
    }))
    .into_response()
}

fn nth_token(nth: usize) -> Login {
    by_token(&format!("token-{nth}-{}", "x".repeat(2_000)))
}

fn source(url: &str, refresh_token: Option<&str>) -> SmtpLogin {
    SmtpLogin::AccessToken {
        user: USER.to_owned(),
        source: TokenSource {
            endpoint: url.parse().unwrap(),
            client_id: "our-client".to_owned(),
            client_secret: refresh_token
                .is_none()
                .then(|| ClientSecret::new("our-secret")),
            refresh_token: refresh_token.map(ClientSecret::new),
            scope: "https://outlook.office365.com/.default".to_owned(),
        },
    }
}

async fn a_password_goes_over_tls_to_the_server_that_the_certificate_names(database: Database) {
    let it = ByLogin::start(database, password(), |_| ()).await;
    it.demand.let_in(vec![]);
    it.revoked().await;
    assert!(
        it.fault().await.starts_with("mail-not-taken: "),
        "{}",
        it.fault().await
    );
    it.demand.let_in(vec![by_password()]);
    it.work_after(SignedDuration::from_secs(15)).await;
    assert_eq!(it.mails().len(), 1);
}

async fn a_server_with_a_strangers_certificate_is_told_nothing(database: Database) {
    let it = ByLogin::start(database, password(), |mail| {
        let (stranger, _, _) = certificates();
        if let Channel::Smtp(smtp) = &mut mail.channel {
            smtp.certificate_authority = Some(stranger.into_bytes());
        }
    })
    .await;
    it.revoked().await;
    let fault = it.fault().await;
    assert!(fault.starts_with("mail-server-without-tls: "), "{fault}");
    assert!(it.mails().is_empty());
}

async fn an_access_token_is_fetched_once_and_again_before_it_ends(database: Database) {
    let (endpoint, url) = Endpoint::open().await;
    let it = ByLogin::start(database, source(&url, None), |_| ()).await;
    it.demand.let_in(vec![nth_token(1)]);
    it.revoked().await;
    assert_eq!(it.mails().len(), 1);
    assert_eq!(endpoint.asked("grant_type"), ["client_credentials"]);
    assert_eq!(endpoint.asked("client_secret"), ["our-secret"]);
    assert_eq!(
        endpoint.asked("scope"),
        ["https://outlook.office365.com/.default"]
    );
    // A new connection, and the token is still good.
    it.work_after(SignedDuration::from_mins(50)).await;
    it.another("p2").await;
    it.work().await;
    assert_eq!((it.mails().len(), it.catcher.connections()), (2, 2));
    assert_eq!(endpoint.asked("grant_type").len(), 1);
    // Ten minutes later it is not.
    it.demand.let_in(vec![nth_token(2)]);
    it.work_after(SignedDuration::from_mins(9)).await;
    it.another("p3").await;
    it.work().await;
    assert_eq!(it.mails().len(), 3);
    assert_eq!(endpoint.asked("grant_type").len(), 2);
}

async fn a_token_that_the_mail_server_no_longer_takes_is_replaced(database: Database) {
    let (endpoint, url) = Endpoint::open().await;
    let it = ByLogin::start(database, source(&url, None), |_| ()).await;
    it.demand.let_in(vec![nth_token(2)]);
    it.revoked().await;
    let fault = it.fault().await;
    assert!(fault.starts_with("mail-not-taken: "), "{fault}");
    it.work_after(SignedDuration::from_secs(15)).await;
    assert_eq!(it.mails().len(), 1);
    assert_eq!(endpoint.asked("grant_type").len(), 2);
}

async fn a_refresh_token_that_was_replaced_is_not_used_again(database: Database) {
    let (endpoint, url) = Endpoint::open().await;
    let it = ByLogin::start(database, source(&url, Some("refresh-0")), |_| ()).await;
    it.demand.let_in(vec![nth_token(1), nth_token(2)]);
    it.revoked().await;
    assert_eq!(it.mails().len(), 1);
    it.work_after(SignedDuration::from_hours(2)).await;
    it.another("p2").await;
    it.work().await;
    assert_eq!(it.mails().len(), 2);
    assert_eq!(
        endpoint.asked("grant_type"),
        ["refresh_token", "refresh_token"]
    );
    assert_eq!(endpoint.asked("refresh_token"), ["refresh-0", "refresh-1"]);
    assert_eq!(endpoint.asked("client_secret"), ["", ""]);
}

async fn a_token_endpoint_that_refuses_holds_up_mails_and_loses_none(database: Database) {
    let (endpoint, url) = Endpoint::open().await;
    let it = ByLogin::start(database, source(&url, None), |_| ()).await;
    endpoint.refuse(true);
    it.revoked().await;
    let fault = it.fault().await;
    assert!(fault.starts_with("mail-token: "), "{fault}");
    assert!(!fault.contains("our-secret"));
    endpoint.refuse(false);
    it.demand.let_in(vec![nth_token(2)]);
    it.work_after(SignedDuration::from_secs(15)).await;
    assert_eq!(it.mails().len(), 1);
}

async fn one_connection_serves_many_rounds_and_is_closed_when_it_idles(database: Database) {
    let it = ByLogin::start(database, password(), |_| ()).await;
    it.revoked().await;
    for record in ["p2", "p3"] {
        it.another(record).await;
        it.work().await;
    }
    assert_eq!((it.mails().len(), it.catcher.connections()), (3, 1));
    it.work_after(SignedDuration::from_secs(30)).await;
    it.another("p4").await;
    it.work().await;
    assert_eq!((it.mails().len(), it.catcher.connections()), (4, 2));
}

async fn a_connection_that_the_server_closed_is_opened_again_at_once(database: Database) {
    let mut it = Working::start(database).await;
    it.issued().await;
    it.change(Some(&corrected()), Cause::Corrected).await;
    it.work().await;
    assert_eq!((it.mails().len(), it.catcher.connections()), (1, 1));
    it.stop_mail().await;
    it.start_mail();
    let person = crate::desk::world::anna();
    let anna = super::world::ANNA;
    it.download(anna, &person, "anna", &programme("p2")).await;
    let gone = it.desk.record_changed("p2", None, Cause::AddedInError);
    it.store.write(gone).await.unwrap();
    it.work().await;
    assert_eq!((it.mails().len(), it.catcher.connections()), (2, 2));
}

async fn no_more_mails_a_minute_go_out_than_are_allowed_also_across_rounds(database: Database) {
    let it = ByLogin::start(database, password(), |mail| mail.most_a_minute = Some(2)).await;
    it.issued().await;
    for record in ["p2", "p3", "p4"] {
        it.another(record).await;
    }
    it.work().await;
    it.work_after(SignedDuration::from_secs(30)).await;
    assert_eq!(it.mails().len(), 2);
    it.work_after(SignedDuration::from_secs(31)).await;
    assert_eq!(it.mails().len(), 3);
}
