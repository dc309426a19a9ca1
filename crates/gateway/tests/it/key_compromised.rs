//! The rehearsal: somebody else has a key of ours. And what an installation of an earlier version brings with it.

use gateway::keys::acts::PUBLISHED_BEFORE;
use gateway::keys::{KeyPurpose, State};
use jiff::SignedDuration;
use reqwest::StatusCode;
use standards::jose::jws::{self, ProtectedHeader};
use store::Statement;
use tokio_postgres::NoTls;

use crate::database::{Database, on_both_engines};
use crate::key_stage::{KeyStage, brought, claims_of, code, desk, kid, kid_of};
use crate::raw_wallet::{RawWallet, Waiting, credential, offer, read, refusal, token};
use crate::registry_race::waits_or_ends;
use crate::scenes::CONFIGURATION;
use crate::world::client;

on_both_engines!(
    sec_16_a_compromised_key_is_out_of_everything_at_once_and_says_what_it_signed,
    a_compromised_key_of_lists_requests_or_id_tokens_is_replaced_at_once,
    a_process_that_has_not_heard_yet_issues_nothing_with_a_compromised_key,
    sec_16_a_key_that_ends_waits_for_a_credential_that_is_being_written_and_names_it,
    an_installation_of_an_earlier_version_keeps_its_keys,
    a_key_that_does_not_open_keeps_no_compromised_one_in_use,
);

const CREDENTIALS: &str = "anytown.credentials";

async fn a_key_that_does_not_open_keeps_no_compromised_one_in_use(database: Database) {
    let stage = KeyStage::set(database).await;
    let leaked = kid(&stage.key(KeyPurpose::Credentials));
    stage.desk.create(CREDENTIALS, None).await.unwrap();
    stage.both_follow().await;
    let made = stage.desk.create("anytown.status", None).await.unwrap();
    let damaged = stage.row(&brought(&made, State::Next)).await.name;
    let file = stage.world.config.keys.join(format!("{damaged}.pem"));
    assert!(file.exists());
    std::fs::write(&file, "this is no key").unwrap();

    stage.desk.compromised(&leaked).await.unwrap();
    for gateway in [&stage.world.gateway, &stage.second] {
        assert!(gateway.follow_once().await.is_err(), "and somebody is told");
        let (keys, credentials) = (gateway.app().keys.clone(), KeyPurpose::Credentials);
        assert!(keys.find(credentials, "anytown", &leaked).is_none());
        assert!(keys.active(credentials, "anytown").is_ok());
    }
}

async fn sec_16_a_compromised_key_is_out_of_everything_at_once_and_says_what_it_signed(
    database: Database,
) {
    let stage = KeyStage::set(database).await;
    let (desk, credentials) = (&stage.desk, KeyPurpose::Credentials);
    let leaked = stage.key(credentials);
    let (wallet, card) = stage.holder("jwt-vc").await;
    stage.holder("sd-jwt").await;
    stage.world.issue_identity("anna").await;
    let (elsewhere, of_another) = (
        RawWallet::new(),
        Waiting::to_issue(&stage.world, "stranger"),
    );
    let of_another = elsewhere
        .receive(&stage.world, &of_another.await.link(), "jwt-vc")
        .await;
    assert_ne!(kid_of(&of_another), kid(&leaked));
    let next = brought(&desk.create(CREDENTIALS, None).await.unwrap(), State::Next);
    stage.both_follow().await;

    let changes = desk.compromised(&kid(&leaked)).await.unwrap();
    assert_eq!(brought(&changes, State::Compromised), kid(&leaked));
    assert_eq!(
        brought(&changes, State::Active),
        next,
        "however young it is"
    );
    let again = desk.compromised(&kid(&leaked)).await.unwrap();
    assert_eq!(again, [], "said again, nothing changes");
    let signed = desk.signed(&kid(&leaked)).await.unwrap();
    let counts: Vec<_> = signed
        .iter()
        .map(|of| (of.credential_type.as_str(), of.issued, of.in_force))
        .collect();
    assert_eq!(counts, [("Identity", 1, 1), ("TrainingProgramme", 2, 2)]);
    let (list, serials) = desk
        .serial_numbers(&kid(&leaked), 0)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(serials.len(), 3);
    let own = claims_of(&card)["jti"].as_str().unwrap().to_owned();
    assert!(serials.iter().any(|serial| own.ends_with(serial)));
    let more = desk.serial_numbers(&kid(&leaked), list).await.unwrap();
    assert_eq!(more, None, "there is one list");

    stage.both_follow().await;
    assert_eq!(
        stage.published(credentials, &kid(&leaked)).await,
        [false; 4]
    );
    // What it signed counts no more, and what the thief signs now never does.
    stage.is_refused(&wallet, &card).await;
    let organisation = stage.world.gateway.app();
    let organisation = organisation.organisations.find("anytown").unwrap();
    let header = ProtectedHeader::typ("JWT").kid(organisation.key_id(&leaked));
    let forged = jws::sign(leaked.as_ref(), header, &claims_of(&card)).await;
    stage.is_refused(&wallet, &forged.unwrap()).await;
    let (wallet, card) = stage.holder("jwt-vc").await;
    assert_eq!(kid_of(&card), next);
    stage.verifies(&wallet, &card).await;

    // A copy of its file brings it back nowhere: not in a process that starts, nor by the name of the first key.
    let name = format!("{CREDENTIALS}.pem");
    let file = stage.world.config.keys.join(&name);
    assert!(!file.exists());
    assert_eq!(
        gateway::create_keys(&stage.world.config, true).unwrap(),
        [""; 0]
    );
    let third = stage.world.second_process().await;
    let active = third
        .app()
        .keys
        .active(credentials, "anytown")
        .unwrap()
        .clone();
    assert_eq!(kid(&active), next);
}

async fn a_compromised_key_of_lists_requests_or_id_tokens_is_replaced_at_once(database: Database) {
    let stage = KeyStage::set(database).await;
    stage.holder("jwt-vc").await;
    let list = stage.world.url("/issuers/anytown/status/1");
    let before = read(client().get(&list)).await;
    let leaked = kid(&stage.key(KeyPurpose::Status));
    assert_eq!(kid_of(&before.body), leaked);
    let changes = stage.desk.compromised(&leaked).await.unwrap();
    let new = brought(&changes, State::Active);
    stage.both_follow().await;
    assert_eq!(
        stage.published(KeyPurpose::Status, &leaked).await,
        [false; 4]
    );
    assert_eq!(stage.published(KeyPurpose::Status, &new).await, [true; 4]);
    // A list that was kept ready is signed again, and a copy of the old one is not said to be fresh.
    let etag = before.headers["etag"].clone();
    for address in [stage.second(&list), list] {
        let after = read(client().get(&address).header("if-none-match", etag.clone())).await;
        assert_eq!(
            (after.status, kid_of(&after.body)),
            (StatusCode::OK, new.clone())
        );
    }
    for purpose in [KeyPurpose::IdTokenRs256, KeyPurpose::IdTokenEdDsa] {
        let leaked = kid(&stage.key_of_gateway(purpose));
        let changes = stage.desk.compromised(&leaked).await.unwrap();
        stage.both_follow().await;
        let published = stage.published(purpose, &leaked).await;
        assert!(published.iter().all(|published| !published));
        let published = stage
            .published(purpose, &brought(&changes, State::Active))
            .await;
        assert!(published.iter().all(|published| *published));
    }
    let leaked = kid(&stage.key(KeyPurpose::Requests));
    stage.desk.compromised(&leaked).await.unwrap();
    stage.both_follow().await;
    stage.world.issue_identity("anna").await;
    let page = Waiting::to_verify(&stage.world, "Identity").await;
    let scanned = stage.world.scan("anna", &page.link(), true).await;
    assert_eq!(
        scanned.outcome,
        wallet::Outcome::Presented,
        "{:?}",
        scanned.reason
    );
}

async fn a_process_that_has_not_heard_yet_issues_nothing_with_a_compromised_key(
    database: Database,
) {
    let stage = KeyStage::set(database).await;
    let world = &stage.world;
    let leaked = kid(&stage.key(KeyPurpose::Credentials));
    stage.desk.compromised(&leaked).await.unwrap();

    let (wallet, waiting) = (RawWallet::new(), Waiting::to_issue(world, "v2").await);
    let offered = offer(&waiting.link()).await;
    let access = token(&offered.issuer, &offered.code).await.json["access_token"].clone();
    let access = access.as_str().unwrap();
    let ask = wallet
        .request(&offered.issuer, CONFIGURATION, world.now())
        .await;
    let answer = credential(&offered.issuer, access, &ask).await;
    let (status, error, _) = refusal(&answer);
    assert_eq!((status, error), (503, "temporarily_unavailable"));
    assert_eq!(stage.desk.signed(&leaked).await.unwrap(), []);
    // A second later it has heard, and the wallet asks again.
    world.gateway.follow_once().await.unwrap();
    let answer = credential(&offered.issuer, access, &ask).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
}

/// On PostgreSQL a credential that is not committed is seen by nobody: what is to be revoked would leave it out.
async fn sec_16_a_key_that_ends_waits_for_a_credential_that_is_being_written_and_names_it(
    database: Database,
) {
    let address = database.address();
    if address.starts_with("sqlite") {
        // There is one writer: nothing is written halfway when another begins.
        return;
    }
    let stage = KeyStage::set(database).await;
    let (other, connection) = tokio_postgres::connect(&address, NoTls).await.unwrap();
    tokio::spawn(connection);
    let list = "INSERT INTO status_lists (organisation, list, revision) VALUES ('anytown', 1, 0)";
    other.batch_execute(list).await.unwrap();
    let issuing = async |kid: &str, index: i64| {
        let serial = uuid::Uuid::new_v4();
        let issue = format!(
            "BEGIN; INSERT INTO credentials (serial_number, organisation, client_id, credential_type, format, \
             interaction, list, list_index, issued_at, kid) VALUES ('{serial}', 'anytown', 'v2', 'Identity', \
             'jwt_vc_json', 'none', 1, {index}, 1, '{kid}')"
        );
        other.batch_execute(&issue).await.unwrap();
    };
    let leaked = kid(&stage.key(KeyPurpose::Credentials));
    issuing(&leaked, 1).await;
    let (beside, key) = (desk(&stage.world).await, leaked.clone());
    let act = tokio::spawn(async move {
        let changes = beside.compromised(&key).await.unwrap();
        (changes, beside.signed(&key).await.unwrap())
    });
    waits_or_ends(&other, &act).await;
    other.batch_execute("COMMIT").await.unwrap();
    let (changes, signed) = act.await.unwrap();
    assert_eq!(signed.iter().map(|of| of.issued).sum::<i64>(), 1);

    let removed = brought(&changes, State::Active);
    stage.desk.rotate(CREDENTIALS, true).await.unwrap();
    issuing(&removed, 2).await;
    let (beside, key) = (desk(&stage.world).await, removed.clone());
    let act = tokio::spawn(async move {
        beside.remove(&key, true).await.unwrap();
        beside.signed(&key).await.unwrap()
    });
    waits_or_ends(&other, &act).await;
    other.batch_execute("COMMIT").await.unwrap();
    let signed = act.await.unwrap();
    assert_eq!(signed.iter().map(|of| of.issued).sum::<i64>(), 1);
}

/// Before there was a table each place had one key, a file, and a credential named none.
async fn an_installation_of_an_earlier_version_keeps_its_keys(database: Database) {
    let stage = KeyStage::set(database).await;
    let (wallet, card) = stage.holder("jwt-vc").await;
    let first = kid(&stage.key(KeyPurpose::Credentials));
    let store = stage.world.gateway.app().store.clone();
    let back = [
        "DELETE FROM signing_keys",
        "UPDATE credentials SET kid = NULL",
    ];
    store.write(back.map(Statement::new)).await.unwrap();

    // Two processes start at once.
    let (one, two) = tokio::join!(stage.world.second_process(), stage.world.second_process());
    for gateway in [one, two] {
        let app = gateway.app();
        for purpose in [
            KeyPurpose::Credentials,
            KeyPurpose::Status,
            KeyPurpose::Requests,
        ] {
            let key = app.keys.active(purpose, "anytown").unwrap();
            assert_eq!(kid(key), kid(&stage.key(purpose)));
        }
    }
    stage.both_follow().await;
    stage.verifies(&wallet, &card).await;
    assert_eq!(stage.state(&first).await, State::Active);
    assert_eq!(stage.desk.list().await.unwrap().len(), 10);
    stage.desk.create(CREDENTIALS, None).await.unwrap();
    stage
        .world
        .later(PUBLISHED_BEFORE + SignedDuration::from_mins(1));
    stage.desk.rotate(CREDENTIALS, false).await.unwrap();
    stage.both_follow().await;
    stage.verifies(&wallet, &card).await;
    // What names no key was signed with the one that was there, and with no later one.
    assert_eq!(code(stage.desk.remove(&first, false).await), "key-in-force");
    let newer = kid(&stage.key(KeyPurpose::Credentials));
    assert_eq!(stage.desk.signed(&newer).await.unwrap(), []);
}
