//! A catcher that demands TLS and a log-in.

use std::net::TcpListener;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use mail_catcher::{Catcher, Demand, Login};
use rcgen::{CertificateParams, KeyPair};

use crate::mailbox::{Folder, Speaker, message, noon};

struct Secured {
    catcher: Catcher,
    port: u16,
    certificate: String,
    _folder: Folder,
}

fn open() -> Secured {
    let folder = Folder::new();
    let catcher = Catcher::open(folder.path(), noon()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = certificate.self_signed(&key).unwrap().pem();
    let logins = vec![
        Login::Password {
            user: "sam".to_owned(),
            password: "pass word".to_owned(),
        },
        Login::AccessToken {
            user: "sam".to_owned(),
            token: "t".repeat(3_000),
        },
    ];
    let demand = Demand::new(&certificate, &key.serialize_pem(), logins).unwrap();
    assert_eq!(format!("{demand:?}"), "Demand(…)");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = catcher.serve_smtp_by_login(vec![listener], demand);
    tokio::spawn(async move { panic!("{}", serving.await) });
    Secured {
        catcher,
        port,
        certificate,
        _folder: folder,
    }
}

impl Secured {
    async fn send(&self, user: &str, secret: &str, mechanism: Mechanism) -> bool {
        let certificate = Certificate::from_pem(self.certificate.as_bytes()).unwrap();
        let tls = TlsParameters::builder("localhost".to_owned())
            .add_root_certificate(certificate)
            .build()
            .unwrap();
        let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("localhost")
            .port(self.port)
            .tls(Tls::Required(tls))
            .credentials(Credentials::new(user.to_owned(), secret.to_owned()))
            .authentication(vec![mechanism])
            .build();
        transport.send(message("Hello", "Hello")).await.is_ok()
    }
}

#[tokio::test]
async fn whoever_says_who_it_is_over_tls_may_send_and_nobody_else() {
    let it = open();
    assert!(it.send("sam", "pass word", Mechanism::Plain).await);
    assert!(it.send("sam", &"t".repeat(3_000), Mechanism::Xoauth2).await);
    assert_eq!(it.catcher.messages().len(), 2);
    for (user, secret, mechanism) in [
        ("sam", "password", Mechanism::Plain),
        ("kim", "pass word", Mechanism::Plain),
        ("sam", "pass word", Mechanism::Xoauth2),
        ("sam", "t", Mechanism::Xoauth2),
    ] {
        assert!(!it.send(user, secret, mechanism).await, "{user} {secret}");
    }
    assert_eq!(it.catcher.messages().len(), 2);
}

#[tokio::test]
async fn in_clear_nothing_is_taken_but_the_wish_for_tls() {
    let it = open();
    let mut speaker = Speaker::connect(it.port).await;
    assert_eq!(speaker.code().await, 220);
    assert_eq!(speaker.ask("EHLO tester.example").await, 250);
    for (line, code) in [
        ("MAIL FROM:<a@b.example>", 530),
        ("AUTH PLAIN AHNhbQBwYXNzIHdvcmQ=", 538),
        ("AUTH LOGIN", 504),
        ("STARTTLS now", 501),
    ] {
        assert_eq!(speaker.ask(line).await, code, "{line}");
    }
    // What is pushed in behind STARTTLS would be read as if it came by TLS.
    speaker
        .say("STARTTLS\r\nEHLO x\r\nMAIL FROM:<a@b.example>\r\n")
        .await;
    assert_eq!(speaker.code().await, 554);
    assert_eq!(speaker.code().await, 0);
}
