//! The staff portal of a sandbox from log-in to cancelled credential, over plain HTTP and on both engines.

use lanyard::sandbox::{self, Running};

use crate::database::{Database, on_both_engines};
use crate::portal_walk::{Mail, Scene, Walk, Walker};
use crate::ports::Ports;
use crate::sandbox_folder::Folder;

/// A sandbox in this process.
struct Stage {
    sandbox: Running,
    _folder: Folder,
    _database: Database,
    _ports: Ports,
}

impl Stage {
    async fn set(database: Database) -> Self {
        let ports = Ports::claim();
        let address = database.address();
        let mut folder = Folder::new();
        let options = sandbox::Options {
            data: folder.data(),
            base_port: ports.first,
            database: address.starts_with("postgres").then_some(address),
            public_url: None,
            tls_cert: None,
            tls_key: None,
            fresh: false,
            page_states: false,
        };
        let sandbox = sandbox::start(&options).await.unwrap();
        folder.keep_secret(&sandbox.file, &sandbox.gateway);
        Self {
            sandbox,
            _folder: folder,
            _database: database,
            _ports: ports,
        }
    }

    fn walk(&self, case: &str, record: &str) -> Walk {
        let employee = self.sandbox.file.employee(case).unwrap();
        let scene = Scene::of(&self.sandbox.file.urls);
        let record = format!("{}-{record}", employee.id);
        Walk::new(scene, Walker::of(employee), &record).unwrap()
    }

    async fn strike(self) {
        self.sandbox.stop().await;
    }
}

on_both_engines!(
    a_walk_leads_from_log_in_to_a_credential_and_a_change_of_the_record_takes_it_back,
    the_list_tells_the_state_of_every_record,
    an_end_and_a_deletion_take_credentials_back_and_each_mail_says_which_it_was,
    dw_30_whoever_logs_in_next_in_the_same_browser_proves_who_they_are_anew,
    a_no_in_the_wallet_adds_nothing_and_the_next_try_needs_no_new_identity_check,
);

async fn a_walk_leads_from_log_in_to_a_credential_and_a_change_of_the_record_takes_it_back(
    database: Database,
) {
    let stage = Stage::set(database).await;
    let mut walk = stage.walk("match", "programme");
    walk.log_in().await.unwrap();
    assert_eq!(walk.state().await.unwrap(), "not-added");
    walk.confirm().await.unwrap();
    walk.verify().await.unwrap();
    let serial_number = walk.add().await.unwrap();
    assert_eq!(walk.state().await.unwrap(), "added");
    assert_eq!(walk.status(&serial_number).await.unwrap(), "valid");

    walk.hr_saves("TPR-Name", "Neurology").await.unwrap();
    let mails = walk.wait_for_mails(1).await.unwrap();
    assert_eq!(
        walk.wait_for_state(&["cancelled"]).await.unwrap(),
        "cancelled"
    );
    assert_eq!(walk.status(&serial_number).await.unwrap(), "revoked");
    assert_eq!(mails[0].to, "anna@anytown.example");
    assert_eq!(mails[0].from, "staff-services@anytown.example");
    assert_eq!(
        mails[0].subject,
        "Delete a credential from your digital wallet"
    );
    assert!(
        mails[0].text.contains("Training programme"),
        "{}",
        mails[0].text
    );

    // Once more, for the same session: no second identity check, and the old copy is asked about.
    walk.say_that_the_old_copy_is_gone().await.unwrap();
    walk.confirm().await.unwrap();
    let second = walk.add().await.unwrap();
    assert_ne!(second, serial_number);
    assert_eq!(walk.status(&second).await.unwrap(), "valid");
    assert_eq!(walk.mails().await.unwrap().len(), 1);
    stage.strike().await;
}

async fn the_list_tells_the_state_of_every_record(database: Database) {
    let stage = Stage::set(database).await;
    let mut walk = stage.walk("match", "programme");
    walk.log_in().await.unwrap();
    for (record, state) in [
        ("anna-programme", "not-added"),
        ("anna-placement", "not-added"),
        ("anna-fire-safety", "not-added"),
        ("anna-earlier-placement", "ended"),
        ("anna-next-placement", "cannot-add-yet"),
    ] {
        assert_eq!(walk.state_of(record).await.unwrap(), state, "{record}");
    }
    let mut ned = stage.walk("not-applicable", "programme");
    ned.log_in().await.unwrap();
    assert!(!ned.has("staff-passport"));
    ned.open("/credentials").await.unwrap();
    assert_eq!(ned.page().unwrap().status, 404);
    stage.strike().await;
}

async fn an_end_and_a_deletion_take_credentials_back_and_each_mail_says_which_it_was(
    database: Database,
) {
    let stage = Stage::set(database).await;
    let mut walk = stage.walk("match", "fire-safety");
    walk.log_in().await.unwrap();
    walk.confirm().await.unwrap();
    walk.verify().await.unwrap();
    let ended = walk.add().await.unwrap();
    "anna-placement".clone_into(&mut walk.record);
    walk.confirm().await.unwrap();
    let deleted = walk.add().await.unwrap();

    walk.hr_deletes().await.unwrap();
    assert_eq!(
        walk.wait_for_state(&["cancelled"]).await.unwrap(),
        "cancelled"
    );
    "anna-fire-safety".clone_into(&mut walk.record);
    walk.hr_ends().await.unwrap();
    assert_eq!(
        walk.wait_for_state(&["cancelled"]).await.unwrap(),
        "cancelled"
    );
    for serial_number in [&ended, &deleted] {
        assert_eq!(walk.status(serial_number).await.unwrap(), "revoked");
    }
    let mails = walk.wait_for_mails(2).await.unwrap();
    let says = |mail: &Mail, what: &str| mail.text.contains(what);
    assert!(says(&mails[0], "Training placement") && says(&mails[0], "added in error"));
    assert!(says(&mails[1], "Fire safety") && says(&mails[1], "ended early"));
    assert!(mails.iter().all(|mail| mail.message_id.is_some()));
    assert_ne!(mails[0].message_id, mails[1].message_id);
    stage.strike().await;
}

async fn dw_30_whoever_logs_in_next_in_the_same_browser_proves_who_they_are_anew(
    database: Database,
) {
    let stage = Stage::set(database).await;
    let mut walk = stage.walk("match", "programme");
    walk.log_in().await.unwrap();
    walk.confirm().await.unwrap();
    walk.verify().await.unwrap();
    walk.log_out().await.unwrap();
    walk.open("/credentials").await.unwrap();
    assert_eq!(walk.page().unwrap().url.path(), "/login");

    let harriet = stage.walk("hyphen", "programme");
    (walk.who, walk.record) = (harriet.who, harriet.record);
    walk.log_in().await.unwrap();
    walk.confirm().await.unwrap();
    assert!(!walk.has("add-to-wallet"), "{}", walk.whereabouts());
    walk.verify().await.unwrap();
    walk.add().await.unwrap();
    let held = walk.held().await.unwrap();
    let added = held.iter().find(|held| held.credential_type != "Identity");
    let employee = stage.sandbox.file.employee("hyphen").unwrap();
    assert_eq!(
        added.unwrap().claims["UniqueIdentifier"],
        employee.unique_identifier.as_str()
    );
    stage.strike().await;
}

async fn a_no_in_the_wallet_adds_nothing_and_the_next_try_needs_no_new_identity_check(
    database: Database,
) {
    let stage = Stage::set(database).await;
    let mut walk = stage.walk("apostrophe", "programme");
    walk.log_in().await.unwrap();
    walk.confirm().await.unwrap();
    walk.verify().await.unwrap();
    walk.begin_to_add().await.unwrap();
    let link = walk.page().unwrap().href("open-wallet").unwrap();
    let scanned = walk.scan_link(&link, false).await.unwrap();
    assert_eq!(scanned.outcome, "declined");
    // The gateway's page says so, and leads back.
    walk.reload().await.unwrap();
    walk.press("go-back").await.unwrap();
    assert_eq!(
        walk.page().unwrap().url.path(),
        "/credentials/sean-programme/added"
    );
    let held = walk.held().await.unwrap();
    assert!(held.iter().all(|held| held.credential_type == "Identity"));
    walk.add().await.unwrap();
    assert_eq!(walk.state().await.unwrap(), "added");
    stage.strike().await;
}
