//! What stops a start, and what a start leaves alone.

use std::path::Path;

use connector::SecretSource;
use portal::{Config, Portal, Surroundings};

use crate::database::{Database, on_both_engines};
use crate::staff::{PASSWORD, everybody};
use crate::world::{CONTACT, World, portal_config};

on_both_engines!(taking_in_the_staff_file_again_leaves_what_was_changed_as_it_is);

async fn taking_in_the_staff_file_again_leaves_what_was_changed_as_it_is(database: Database) {
    let world = World::start_on(database).await;
    let hr = world.browser();
    world.change("anna-fire", "FS-Level", "2").await;
    let page = hr.open("/hr/records/anna-programme").await;
    hr.send(&page, "/hr/records/anna-programme/delete", &[])
        .await;

    let second = world.second_portal().await;
    second.import(&everybody()).await.unwrap();
    assert_eq!(
        hr.open("/hr/records/anna-fire").await.field("FS-Level"),
        "2"
    );
    assert!(!hr.open("/hr").await.has("record-anna-programme"));
    assert_eq!(hr.log_in("anna", PASSWORD).await.path(), "/");

    let mut more = everybody();
    more.employees[0]
        .records
        .push(crate::staff::programme("anna-newer"));
    second.import(&more).await.unwrap();
    assert!(hr.open("/hr").await.has("record-anna-newer"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_help_page_names_whoever_answers_the_mails_and_says_that_it_is_a_sandboxs() {
    let world = World::start().await;
    let page = world.browser().open("/help").await;
    assert_eq!(page.heading(), "Help");
    assert!(page.text().contains(CONTACT), "{}", page.text());
    let loud = "Sandbox – not for real people";
    assert!(page.text().contains(loud), "{}", page.text());
}

/// Why the portal does not start with this change to a good configuration.
async fn refusal(sandbox: bool, change: impl FnOnce(&mut Config)) -> Option<String> {
    let database = Database::sqlite();
    let mut config = portal_config(
        "http://localhost:8401",
        8401,
        "http://localhost:8400",
        &database,
    );
    change(&mut config);
    let surroundings = Surroundings {
        sandbox,
        ..Surroundings::production()
    };
    let composed = Portal::compose(&config, surroundings).await;
    composed.err().map(|error| error.to_string())
}

#[tokio::test]
async fn what_would_be_unsafe_stops_the_start_and_names_its_key() {
    assert_eq!(refusal(true, |_| {}).await, None);
    let https = |config: &mut Config| config.public_url = "https://staff.example".parse().unwrap();
    let own_key = |config: &mut Config| {
        let key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
        config.gateway.signing_key = SecretSource::held(key);
    };
    let good = |config: &mut Config| {
        https(config);
        own_key(config);
        config.hr_page = false;
    };
    assert_eq!(refusal(false, good).await, None);

    let said = refusal(false, |config| {
        good(config);
        config.public_url = "http://localhost:8401".parse().unwrap();
    });
    assert!(said.await.unwrap().starts_with("public_url:"));
    let said = refusal(true, |config| {
        config.public_url = "http://staff.example".parse().unwrap()
    });
    assert!(said.await.unwrap().starts_with("public_url:"));
    let said = refusal(true, https).await.unwrap();
    assert!(said.starts_with("hr_page:"), "{said}");
    let said = refusal(true, |config| config.listen = ([0, 0, 0, 0], 8401).into());
    assert!(said.await.unwrap().starts_with("hr_page:"));
    let said = refusal(true, |config| config.idle_minutes = 29).await;
    assert!(said.unwrap().starts_with("idle_minutes:"));
    let said = refusal(true, |config| config.session_hours = 0).await;
    assert!(said.unwrap().starts_with("session_hours:"));
    let said = refusal(true, |config| config.gateway.answer_seconds = 0).await;
    assert!(said.unwrap().starts_with("gateway.answer_seconds:"));
    let said = refusal(true, |config| config.gateway.journey_seconds = 0).await;
    assert!(said.unwrap().starts_with("gateway.journey_seconds:"));
    let said = refusal(true, |config| {
        config.address_header = Some("forwarded for".to_owned());
    });
    assert!(said.await.unwrap().starts_with("address_header:"));
    let said = refusal(true, |config| config.tls_key = Some("key.pem".into()));
    assert!(said.await.unwrap().starts_with("tls_key:"));
}

/// A log-in, a feed or a rule that cannot be meant so.
#[tokio::test]
async fn what_the_newer_sections_say_is_checked_at_the_start_and_named() {
    let log_in = |text: &'static str| {
        move |config: &mut Config| {
            let good = "name = 'Anytown'\nclient_id = 'portal'\nclient_secret = { env = 'PATH' }\n\
                        claim = 'email'\ncolumn = 'email'\n";
            let text = format!("{good}{text}");
            config.log_in = Some(toml::from_str(&text).unwrap());
        }
    };
    let records = |text: &'static str| {
        move |config: &mut Config| config.records = Some(toml::from_str(text).unwrap())
    };
    let rules = |text: &'static str| {
        move |config: &mut Config| {
            let rule = toml::from_str(text).unwrap();
            config.applies = vec![rule];
        }
    };
    type Change = Box<dyn FnOnce(&mut Config)>;
    let changes: Vec<(Change, &str)> = vec![
        (
            Box::new(log_in("issuer = 'http://login.example'")),
            "log_in.issuer:",
        ),
        (Box::new(log_in("issuer = 'login'")), "log_in.issuer:"),
        (
            Box::new(log_in(
                "issuer = 'https://login.example'\namr = ['mfa hwk']",
            )),
            "log_in.scopes:",
        ),
        (Box::new(records("")), "records.file:"),
        (
            Box::new(records("file = 'a.csv'\nview = 'b'")),
            "records.file:",
        ),
        (
            Box::new(records(
                "database = 'sqlite:a.db'\nview = 'a; DROP TABLE b'",
            )),
            "records.view:",
        ),
        (
            Box::new(records("database = 'mysql://a'\nview = 'b'")),
            "records.database:",
        ),
        (
            Box::new(records("file = 'a.csv'\nremovals = 1.5")),
            "records.removals:",
        ),
        (
            Box::new(records("file = 'a.csv'\nevery_minutes = 0")),
            "records.every_minutes:",
        ),
        (
            Box::new(rules("column = 'colour'\nequals = 'red'")),
            "applies, rule 1: there is no column",
        ),
    ];
    for (change, says) in changes {
        let said = refusal(true, change).await.unwrap_or_default();
        assert!(said.starts_with(says), "{said} and not {says}");
    }
}

/// SEC-37.
#[tokio::test]
async fn sec_37_a_sandboxs_key_opens_no_portal_outside_one() {
    let said = refusal(false, |config| {
        config.public_url = "https://staff.example".parse().unwrap();
        config.hr_page = false;
    });
    let said = said.await.unwrap();
    assert!(
        said.starts_with("gateway.signing_key: this is a sandbox's key"),
        "{said}"
    );
}

#[tokio::test]
async fn a_staff_file_that_does_not_fit_the_types_is_refused_by_name() {
    let world = World::start().await;
    let said = async |change: &dyn Fn(&mut portal::Staff)| {
        let mut staff = everybody();
        change(&mut staff);
        world.portal.import(&staff).await.unwrap_err().to_string()
    };
    let all = "staff: anna-fire: ";
    let claim = |name: &'static str, value: &'static str| {
        move |staff: &mut portal::Staff| {
            let claims = &mut staff.employees[0].records[1].claims;
            claims.insert(name.to_owned(), value.to_owned());
        }
    };
    let wrong = said(&claim("FS-Level", "two")).await;
    assert_eq!(wrong, format!("{all}FS-Level: it is a whole number"));
    let wrong = said(&claim("FS-Nothing", "x")).await;
    assert_eq!(wrong, format!("{all}FS-Nothing is no claim of this type"));
    let wrong = said(&|staff| staff.employees[1].username = "ANNA".to_owned()).await;
    assert_eq!(wrong, "staff: e-ben: the username is empty or taken twice");
    let wrong = said(&|staff| staff.employees[1].id = "../x".to_owned()).await;
    assert!(wrong.contains("lower-case letters"), "{wrong}");
}

#[test]
fn a_configuration_file_says_everything_by_name_and_no_secret() {
    let file = std::env::temp_dir().join(format!("lanyard-{}.toml", uuid::Uuid::new_v4()));
    let read = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let read = Config::read(&file);
        std::fs::remove_file(&file).unwrap();
        read.map_err(|error| error.to_string())
    };
    let good = r#"
        public_url = "https://staff.example"
        listen = "127.0.0.1:8401"
        database = "sqlite:portal.db"
        organisation = "Anytown NHS Trust"
        [gateway]
        url = "https://credentials.example"
        dialect = "v2"
        client_id = "portal"
        client_secret = { env = "CLIENT_SECRET" }
        signing_key = { file = "signing.key" }
        organisation_id = "anytown"
        [identity]
        policy = "fuzzy"
        [mail]
        host = "mail.example"
        port = 587
        from = "staff@anytown.example"
        contact = "hr@anytown.example"
    "#;
    let config = read(good).unwrap();
    assert_eq!((config.idle_minutes, config.session_hours), (30, 12));
    assert_eq!(config.identity.policy, connector::Policy::Fuzzy);
    assert!(!config.hr_page);
    let wrong = read(&good.replace("{ env = \"CLIENT_SECRET\" }", "\"hunter2\"")).unwrap_err();
    assert!(wrong.contains("no secret stands in this file"), "{wrong}");
    assert!(!wrong.contains("hunter2"), "{wrong}");
    let wrong = read(&good.replace("[identity]", "[identities]")).unwrap_err();
    assert!(wrong.contains("unknown field"), "{wrong}");
    assert!(Config::read(Path::new("/nowhere.toml")).is_err());
}
