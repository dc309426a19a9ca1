//! The desk's world, with a mail server that the test can stop and make misbehave.

use std::net::TcpListener;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use connector::desk::{
    Cause, Channel, Credential, Desk, DeskOptions, MailOptions, Person, Record, Return, Session,
    Smtp, SmtpSecurity,
};
use jiff::{SignedDuration, Timestamp};
use mail_catcher::{Catcher, Mail};
use store::Statement;
use tokio::task::JoinHandle;

use crate::database::Database;
use crate::desk::world::{ANNAS, World, anna, open_desk, programme};
use crate::ports::Ports;

pub(super) const ANNA: Session<'static> = Session {
    id: "annas-session",
    employee: "e-anna",
};
pub(super) const RECORD: &str = "p1";

/// The path that revokes.
pub(super) const REVOKE: &str = "/revokecredential";
/// The path that tells what became of journeys.
pub(super) const LOOK_UP: &str = "/outcomes";
/// The path that exchanges codes.
pub(super) const TOKEN: &str = "/token";

pub(super) struct Working {
    pub(super) world: World,
    pub(super) desk: Desk,
    pub(super) catcher: Catcher,
    pub(super) options: DeskOptions,
    listens: JoinHandle<()>,
    /// The mail server's, also while it is stopped.
    ports: Ports,
    folder: PathBuf,
}

impl Deref for Working {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl Working {
    pub(super) async fn start(database: Database) -> Self {
        Self::start_with(database, |_| ()).await
    }

    pub(super) async fn start_with(
        database: Database,
        change: impl FnOnce(&mut DeskOptions),
    ) -> Self {
        let folder = std::env::temp_dir().join(format!("lanyard-mail-{}", uuid::Uuid::new_v4()));
        let catcher = Catcher::open(&folder, Arc::new(Timestamp::now)).unwrap();
        let ports = Ports::claim();
        let listener = TcpListener::bind(("127.0.0.1", ports.first)).unwrap();
        let mut options = DeskOptions {
            mail: Some(mail_options(ports.first)),
            ..DeskOptions::default()
        };
        change(&mut options);
        let world = World::start_with(database, options.clone()).await;
        let desk = world.desk.clone();
        let listens = listen(&catcher, listener);
        Self {
            world,
            desk,
            catcher,
            options,
            listens,
            ports,
            folder,
        }
    }

    /// The process dies and is started again: nothing but the rows is left.
    pub(super) fn restart(&mut self) {
        self.desk = self.another_desk();
    }

    /// Another process of the same host.
    pub(super) fn another_desk(&self) -> Desk {
        let (_, settings, clock) = self.world.process();
        open_desk(&self.world.store, &settings, &clock, self.options.clone())
    }

    pub(super) async fn stop_mail(&mut self) {
        self.listens.abort();
        let _ = (&mut self.listens).await;
        // What it had begun itself ends in its own time.
        let is_free = || TcpListener::bind(("127.0.0.1", self.ports.first)).is_ok();
        for _ in 0..1_000 {
            if is_free() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("the mail server does not stop");
    }

    pub(super) fn start_mail(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.ports.first)).unwrap();
        self.listens = listen(&self.catcher, listener);
    }

    /// Anna's identity is verified, and the desk knows where to write to.
    pub(super) async fn log_in(&self) -> Person {
        let person = anna();
        self.keep_person(&person).await;
        self.give_identity("anna", &person, ANNAS).await;
        let verified = self.verify(ANNA, &person, "anna").await;
        assert!(matches!(verified, Return::Verify { .. }), "{verified:?}");
        person
    }

    pub(super) async fn keep_person(&self, person: &Person) {
        let statement = self.desk.person(person);
        self.store.write([statement]).await.unwrap();
    }

    /// Anna has a credential of the record in her wallet.
    pub(super) async fn issued(&self) -> Credential {
        let person = self.log_in().await;
        self.download(ANNA, &person, "anna", &programme(RECORD))
            .await;
        self.credential().await
    }

    /// What is kept about the newest credential.
    pub(super) async fn credential(&self) -> Credential {
        let credentials = self.desk.credentials(ANNA.employee).await.unwrap();
        credentials.first().unwrap().clone()
    }

    /// The host changes the record, in one batch with what the desk makes of it.
    pub(super) async fn change(&self, now_says: Option<&Record>, cause: Cause) {
        let own = match now_says {
            Some(record) => Statement::new("UPDATE host_records SET says = $1 WHERE id = $2")
                .bind(record.digest())
                .bind(RECORD),
            None => Statement::new("DELETE FROM host_records WHERE id = $1").bind(RECORD),
        };
        let mut batch = vec![own.must_change(1)];
        batch.extend(self.desk.record_changed(RECORD, now_says, cause));
        self.store.write(batch).await.unwrap();
    }

    /// Works until nothing is due.
    pub(super) async fn work(&self) {
        for _ in 0..50 {
            if !self.desk.work_once().await.unwrap() {
                return;
            }
        }
        panic!("there is no end of work");
    }

    /// Time goes by, and the desk works.
    pub(super) async fn work_after(&self, by: SignedDuration) {
        self.later(by);
        self.work().await;
    }

    pub(super) fn mails(&self) -> Vec<Mail> {
        self.catcher.messages()
    }

    /// The messages as their sender sent them, oldest first: the files without the catcher's lines.
    pub(super) fn raw_mails(&self) -> Vec<String> {
        let files = std::fs::read_dir(&self.folder).unwrap();
        let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "eml"));
        paths.sort();
        let mails = paths
            .iter()
            .map(|path| std::fs::read_to_string(path).unwrap());
        mails
            .map(|mail| {
                let received = mail.find("Received: ").unwrap();
                let end = mail[received..].find("\r\n").unwrap();
                mail[received + end..].to_owned()
            })
            .collect()
    }

    /// The serial numbers that the gateway was told to revoke, in order.
    pub(super) fn revocations(&self) -> Vec<String> {
        let serial = |body: &String| {
            let body: serde_json::Value = serde_json::from_str(body).unwrap();
            body["SerialNumber"].as_str().unwrap().to_owned()
        };
        self.door.calls(REVOKE).iter().map(serial).collect()
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.listens.abort();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn listen(catcher: &Catcher, listener: TcpListener) -> JoinHandle<()> {
    let serving = catcher.serve_smtp(vec![listener]);
    tokio::spawn(async move {
        let error = serving.await;
        panic!("the mail server ended: {error}");
    })
}

pub(super) fn mail_options(port: u16) -> MailOptions {
    MailOptions {
        channel: Channel::Smtp(Smtp {
            host: "127.0.0.1".to_owned(),
            port,
            security: SmtpSecurity::Loopback,
            login: None,
            certificate_authority: None,
        }),
        from: "Anytown NHS Trust <staff-services@anytown.example>".to_owned(),
        organisation: "Anytown NHS Trust".to_owned(),
        home: Some("https://staff.anytown.example/".parse().unwrap()),
        contact: "hr@anytown.example, 01234 567890".to_owned(),
        texts: None,
        most_a_minute: None,
    }
}

/// The record, after a correction that its credential shows.
pub(super) fn corrected() -> Record {
    let mut record = programme(RECORD);
    let name = record.claims.get_mut("TPR-Name").unwrap();
    "Paediatrics".clone_into(name);
    record
}
