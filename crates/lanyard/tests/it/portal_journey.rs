//! The staff portal of a sandbox from log-in to cancelled credential, over plain HTTP and on both engines.

use lanyard::sandbox::{self, Running};

use crate::database::{Database, on_both_engines};
use crate::operated::new_folder;
use crate::portal_walk::{Scene, Walk, Walker};
use crate::ports::Ports;

/// A sandbox in this process.
struct Stage {
    sandbox: Running,
    _database: Database,
    _ports: Ports,
}

impl Stage {
    async fn set(database: Database) -> Self {
        let ports = Ports::claim();
        let address = database.address();
        let options = sandbox::Options {
            data: new_folder(),
            base_port: ports.first,
            database: address.starts_with("postgres").then_some(address),
            public_url: None,
            tls_cert: None,
            tls_key: None,
            fresh: false,
        };
        Self {
            sandbox: sandbox::start(&options).await.unwrap(),
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
        let data = self.sandbox.data.clone();
        self.sandbox.stop().await;
        let _ = std::fs::remove_dir_all(data);
    }
}

on_both_engines!(
    a_walk_leads_from_log_in_to_a_credential_and_a_change_of_the_record_takes_it_back,
    the_list_tells_the_state_of_every_record,
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
