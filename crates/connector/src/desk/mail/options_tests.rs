//! What is no option.

use super::*;

fn smtp() -> Smtp {
    Smtp {
        host: "localhost".to_owned(),
        port: 2525,
        security: SmtpSecurity::Loopback,
        login: None,
        certificate_authority: None,
    }
}

fn options() -> MailOptions {
    MailOptions {
        channel: Channel::Smtp(smtp()),
        from: "Anytown NHS Trust <staff-services@anytown.example>".to_owned(),
        organisation: "Anytown NHS Trust".to_owned(),
        home: Some("https://staff.example/".parse().unwrap()),
        contact: "hr@anytown.example, 01234 567890".to_owned(),
        texts: None,
        most_a_minute: None,
    }
}

fn refused(change: impl FnOnce(&mut MailOptions)) -> Option<MailOptionsError> {
    let mut options = options();
    change(&mut options);
    options.check().err()
}

#[test]
fn mail_without_tls_stays_on_this_machine() {
    assert_eq!(refused(|_| ()), None);
    for (host, wanted) in [
        ("127.0.0.1", None),
        ("[::1]", None),
        ("relay.nhs.uk", Some(MailOptionsError::NotLoopback)),
        ("localhost.example", Some(MailOptionsError::NotLoopback)),
        ("two words", Some(MailOptionsError::Host)),
        ("", Some(MailOptionsError::Host)),
    ] {
        assert_eq!(
            refused(|it| it.channel = Channel::Smtp(Smtp {
                host: host.to_owned(),
                ..smtp()
            })),
            wanted,
            "{host}"
        );
    }
    let elsewhere = |it: &mut MailOptions| {
        it.channel = Channel::Smtp(Smtp {
            host: "relay.nhs.uk".to_owned(),
            security: SmtpSecurity::default(),
            ..smtp()
        });
    };
    assert_eq!(refused(elsewhere), None);
}

#[test]
fn sec_35_a_sender_or_text_with_a_second_line_is_no_option() {
    for from in [
        "",
        "nobody",
        "A <a@b.example>\r\nBcc: c@d.example",
        "a@b.example\n",
        "ä@b.example",
    ] {
        assert_eq!(
            refused(|it| it.from = from.to_owned()),
            Some(MailOptionsError::From)
        );
    }
    let contact = refused(|it| it.contact = "hr\nsecond line".to_owned());
    assert_eq!(contact, Some(MailOptionsError::Text("contact")));
    let organisation = refused(|it| it.organisation = " ".to_owned());
    assert_eq!(organisation, Some(MailOptionsError::Text("organisation")));
}

#[test]
fn sec_31_the_only_link_is_the_portals_bare_and_safe_address() {
    for (home, good) in [
        ("https://staff.example/", true),
        ("http://localhost:8401/", true),
        ("http://staff.example/", false),
        ("https://staff.example/?token=1", false),
        ("https://staff.example/#log-in", false),
        ("https://anna@staff.example/", false),
    ] {
        let answer = refused(|it| it.home = Some(home.parse().unwrap()));
        assert_eq!(answer.is_none(), good, "{home}");
    }
}

#[test]
fn notify_and_a_token_endpoint_are_spoken_to_over_tls_only() {
    let notify = |base: &str| {
        let key =
            "lanyard-26785a09-ab16-4eb0-8407-a37497a57506-3d844edf-8d35-48ac-975b-e847b4f122b0";
        let base = base.parse().unwrap();
        refused(|it| {
            it.channel = Channel::Notify(Notify {
                base,
                key: NotifyKey::parse(key).unwrap(),
                template: uuid::Uuid::nil(),
                welsh_template: None,
                callback_token: None,
            });
        })
    };
    assert_eq!(notify(Notify::PUBLIC), None);
    assert_eq!(notify("http://localhost:8499/"), None);
    let no = Some(MailOptionsError::Endpoint("GOV.UK Notify"));
    assert_eq!(notify("http://api.example/"), no);
    assert_eq!(notify("https://api.example/v2/"), no);
    let token = |endpoint: &str, secret: Option<&str>| {
        let source = TokenSource {
            endpoint: endpoint.parse().unwrap(),
            client_id: "mail".to_owned(),
            client_secret: secret.map(crate::ClientSecret::new),
            refresh_token: None,
            scope: "https://outlook.office365.com/.default".to_owned(),
        };
        let user = "staff-services@anytown.example".to_owned();
        let login = Some(SmtpLogin::AccessToken { user, source });
        refused(|it| it.channel = Channel::Smtp(Smtp { login, ..smtp() }))
    };
    assert_eq!(token("https://login.example/token", Some("s")), None);
    let no = Some(MailOptionsError::Endpoint("token endpoint"));
    assert_eq!(token("http://login.example/token", Some("s")), no);
    let no = Some(MailOptionsError::TokenSource);
    assert_eq!(token("https://login.example/token", None), no);
}
