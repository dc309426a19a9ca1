//! `lanyard sandbox` from start to stop, and from stop to start.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lanyard::sandbox_file::SandboxFile;
use serde_json::Value;
use store::{DatabaseUrl, Statement, Store};

use crate::database::{Database, on_both_engines};
use crate::journey_command::{play, steps};
use crate::operated::{LANYARD, new_folder, terminate, wait};
use crate::portal_walk::{Scene, Walk, Walker};
use crate::ports::Ports;
use crate::said::EVERYTHING;
use crate::sandbox_folder;

/// A sandbox is ready within 10 s (rulings 27) on a machine that does nothing else.
const PATIENCE: Duration = Duration::from_mins(1);

/// A sandbox's folder and ports, with or without the process.
struct Sandbox {
    data: PathBuf,
    ports: Ports,
    process: Option<Child>,
    /// Everybody who was ever here: a fresh start makes new secrets.
    known: Vec<SandboxFile>,
}

impl Sandbox {
    fn prepare() -> Self {
        Self {
            data: new_folder(),
            ports: Ports::claim(),
            process: None,
            known: Vec::new(),
        }
    }

    fn command(&self, ports: &Ports, more: &[&str]) -> Command {
        let mut command = Command::new(LANYARD);
        command
            .arg("sandbox")
            .arg("--data")
            .arg(&self.data)
            .env("RUST_LOG", EVERYTHING);
        command
            .args(["--base-port", &ports.first.to_string()])
            .args(more)
            .stdin(Stdio::null());
        command
    }

    /// Starts the process and does not wait for anything.
    fn begin(&mut self, more: &[&str]) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.data.join("log"))
            .unwrap();
        let mut command = self.command(&self.ports, more);
        self.process = Some(command.stdout(Stdio::null()).stderr(log).spawn().unwrap());
    }

    /// Starts it and waits until it says that it is ready.
    fn start(&mut self, more: &[&str]) -> SandboxFile {
        self.begin(more);
        self.wait_for("sandbox.json", |sandbox| sandbox.file().exists());
        self.know()
    }

    /// What `sandbox.json` says, of which nothing is to be in the log.
    fn know(&mut self) -> SandboxFile {
        let file = SandboxFile::read(&self.data).unwrap();
        self.known.push(SandboxFile::read(&self.data).unwrap());
        file
    }

    fn wait_for(&mut self, what: &str, is_there: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !is_there(self) {
            let ended = self
                .process
                .as_mut()
                .and_then(|process| process.try_wait().unwrap());
            assert!(
                ended.is_none(),
                "the sandbox ended before {what}: {}",
                self.log()
            );
            assert!(began.elapsed() < PATIENCE, "no {what}: {}", self.log());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn file(&self) -> PathBuf {
        self.data.join("sandbox.json")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.data.join("log")).unwrap_or_default()
    }

    fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }

    fn stop(&mut self) {
        let status = terminate(&mut self.process.take().unwrap());
        assert_eq!(status.code(), Some(0), "{}", self.log());
        assert!(
            !self.file().exists(),
            "sandbox.json says that a stopped sandbox runs"
        );
    }

    /// Anna, on the way to the credential of her programme.
    fn walk(&self) -> Walk {
        let file = SandboxFile::read(&self.data).unwrap();
        let anna = Walker::of(file.employee("match").unwrap());
        Walk::new(Scene::of(&file.urls), anna, "anna-programme").unwrap()
    }

    /// Somebody's program sends a mail to the sandbox's catcher.
    fn send_mail(&self) {
        let smtp = TcpStream::connect((Ipv4Addr::LOCALHOST, self.ports.first + 13)).unwrap();
        let mut answers = BufReader::new(smtp.try_clone().unwrap()).lines();
        let mut say = |text: &str, code: &str| {
            (&smtp).write_all(text.as_bytes()).unwrap();
            let mut last = answers.by_ref().map(Result::unwrap);
            let last = last.find(|line| line.as_bytes().get(3) == Some(&b' '));
            assert!(last.as_ref().unwrap().starts_with(code), "{text}: {last:?}");
        };
        say("", "220");
        say("EHLO supplier.example\r\n", "250");
        say("MAIL FROM:<hr@anytown.example>\r\n", "250");
        say("RCPT TO:<anna@anytown.example>\r\n", "250");
        say("DATA\r\n", "354");
        say("Subject: Hello\r\n\r\nHello.\r\n.\r\n", "250");
    }

    /// The identities that each holder has: serial number and status.
    async fn credentials(&self) -> BTreeMap<String, Vec<(String, String)>> {
        let file = SandboxFile::read(&self.data).unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut all = BTreeMap::new();
        for employee in &file.employees {
            let address = file
                .urls
                .wallet
                .join(&format!("/api/holders/{}/credentials", employee.holder))
                .unwrap();
            let held: Value = client
                .get(address)
                .send()
                .await
                .unwrap()
                .json()
                .await
                .unwrap();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let held = held.as_array().unwrap().iter();
            let held = held.filter(|one| one["type"] == "Identity");
            let held = held.map(|one| (text(&one["serial_number"]), text(&one["status"])));
            all.insert(employee.case.clone(), held.collect());
        }
        all
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
        if !std::thread::panicking() {
            sandbox_folder::search(&self.log(), &self.data, &self.known);
        }
        let _ = fs::remove_dir_all(&self.data);
    }
}

/// Its addresses answer, and say what is there.
async fn answers(file: &SandboxFile) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let pages = [
        (
            file.urls.portal.join("/login"),
            "Log in to your staff account",
        ),
        (file.urls.portal.join("/hr"), "anna"),
        (file.urls.wallet.join("/"), "Anna Taylor"),
        (file.urls.mail.join("/"), "mail"),
        (file.urls.gateway.join("/healthz"), "ok"),
    ];
    for (address, says) in pages {
        let answer = client.get(address.unwrap()).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(
            status.is_success() && text.contains(says),
            "{status} {text}"
        );
    }
}

fn secret_of(file: &SandboxFile) -> String {
    file.relying_parties[0].client_secret.clone()
}

fn verify(data: &Path) {
    let (code, document) = play(&["verify", "--data", data.to_str().unwrap()]);
    assert_eq!((code, steps(&document, true)), (Some(0), vec!["verify"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn starting_again_keeps_everything_and_fresh_begins_anew() {
    let mut sandbox = Sandbox::prepare();
    let file = sandbox.start(&[]);
    let held = sandbox.credentials().await;
    is_seeded(&held);
    answers(&file).await;

    // The folder is taken, whatever the port.
    let mut second = sandbox.command(&Ports::claim(), &[]);
    let mut second = second
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    assert_eq!(wait(&mut second).code(), Some(1));
    let said = std::io::read_to_string(second.stderr.take().unwrap()).unwrap();
    assert!(said.contains("another sandbox is using"), "{said}");
    assert!(
        sandbox.file().exists(),
        "the second one removed the first one's sandbox.json"
    );
    sandbox.stop();

    let again = sandbox.start(&[]);
    assert_eq!(secret_of(&again), secret_of(&file));
    assert_eq!(sandbox.credentials().await, held);
    verify(&sandbox.data);
    // Killed, it cannot remove its file; the next one does, before anything else.
    sandbox.kill();
    assert!(sandbox.file().exists());

    sandbox.begin(&["--fresh"]);
    sandbox.wait_for("beginning", |sandbox| !sandbox.file().exists());
    sandbox.wait_for("sandbox.json", |sandbox| sandbox.file().exists());
    let fresh = sandbox.know();
    assert_ne!(secret_of(&fresh), secret_of(&file));
    let new = sandbox.credentials().await;
    is_seeded(&new);
    let numbers = |all: &BTreeMap<String, Vec<(String, String)>>| {
        all.values()
            .flatten()
            .map(|(number, _)| number.clone())
            .collect::<Vec<_>>()
    };
    assert!(
        numbers(&new)
            .iter()
            .all(|number| !numbers(&held).contains(number))
    );
    verify(&sandbox.data);
    sandbox.stop();
}

on_both_engines!(what_hr_wrote_and_what_was_mailed_stay_until_a_fresh_start);

async fn what_hr_wrote_and_what_was_mailed_stay_until_a_fresh_start(database: Database) {
    let mut sandbox = Sandbox::prepare();
    let address = database.address();
    let more: &[&str] = if address.starts_with("postgres") {
        &["--database", &address]
    } else {
        &[]
    };
    sandbox.start(more);
    sandbox.send_mail();
    let mut anna = sandbox.walk();
    assert_eq!(anna.value_at_hr("TPR-Name").await.unwrap(), "Cardiology");
    anna.hr_saves("TPR-Name", "Neurology").await.unwrap();
    sandbox.stop();

    sandbox.start(more);
    let mut anna = sandbox.walk();
    assert_eq!(anna.value_at_hr("TPR-Name").await.unwrap(), "Neurology");
    assert_eq!(anna.mails().await.unwrap().len(), 1);
    anna.log_in().await.unwrap();
    sandbox.stop();

    sandbox.start(&[more, &["--fresh"]].concat());
    let mut anna = sandbox.walk();
    assert_eq!(anna.value_at_hr("TPR-Name").await.unwrap(), "Cardiology");
    assert_eq!(anna.mails().await.unwrap().len(), 0);
    sandbox.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_start_that_is_killed_again_and_again_is_finished_by_the_next() {
    let mut sandbox = Sandbox::prepare();
    let moments: &[u64] = if std::env::var_os("LANYARD_LONG").is_some() {
        &[0, 3, 7, 11, 17, 23, 31, 41, 53, 61, 71, 83, 97, 113]
    } else {
        &[0, 10, 25]
    };
    for (kill, moment) in moments.iter().enumerate() {
        sandbox.begin(&[]);
        // Somewhere in the middle of the next person's credential.
        let wanted = seeded(&sandbox.data).await + 1;
        loop {
            let is_ready = sandbox.file().exists();
            if is_ready || seeded(&sandbox.data).await >= wanted {
                break;
            }
            sandbox.wait_for("credentials", |_| true);
        }
        std::thread::sleep(Duration::from_millis(*moment));
        assert!(
            kill > 8 || !sandbox.file().exists(),
            "seeding was over before it could be cut off"
        );
        sandbox.kill();
    }

    sandbox.start(&[]);
    let held = sandbox.credentials().await;
    is_seeded(&held);
    verify(&sandbox.data);
    sandbox.stop();

    // A credential whose token nobody collected is revoked half an hour later: none of them may be held. What is
    // in force and held by nobody was begun by a start that was cut off, and the next one revoked it.
    let rows = rows(
        &sandbox.data,
        "SELECT c.serial_number, i.stage, c.revoked_at FROM credentials c \
        LEFT JOIN interactions i ON i.id = c.interaction WHERE c.credential_type = 'Identity'",
    )
    .await;
    let numbers: Vec<_> = held
        .values()
        .flatten()
        .map(|(number, _)| number.as_str())
        .collect();
    assert!(rows.len() >= numbers.len());
    for row in rows {
        let number = row.text("serial_number").unwrap();
        if numbers.contains(&number) {
            // The traces of the one that was issued long ago are gone.
            let stage = row.optional_text("stage").unwrap();
            let is_collected = stage.is_none_or(|stage| stage == "collected");
            assert!(is_collected, "a held credential will be revoked: {stage:?}");
        } else {
            let revoked_at = row.optional_integer("revoked_at").unwrap();
            assert!(
                revoked_at.is_some(),
                "nobody holds {number}, which is in force"
            );
        }
    }
}

/// How many credentials the gateway has issued so far.
async fn seeded(data: &Path) -> usize {
    if !data.join("gateway.db").exists() {
        return 0;
    }
    // The file is there before its tables are.
    let made = "SELECT 1 AS made FROM sqlite_master WHERE name = 'credentials'";
    if rows(data, made).await.is_empty() {
        return 0;
    }
    rows(data, "SELECT serial_number FROM credentials")
        .await
        .len()
}

async fn rows(data: &Path, sql: &'static str) -> Vec<store::Row> {
    let store = Store::open(&DatabaseUrl::Sqlite(data.join("gateway.db")), &[])
        .await
        .unwrap();
    let rows = store.read(Statement::new(sql)).await.unwrap();
    store.close().await;
    rows
}

/// Each employee has the identity credential of their case, and one.
fn is_seeded(held: &BTreeMap<String, Vec<(String, String)>>) {
    assert_eq!(held.len(), 13);
    for (case, held) in held {
        let states: Vec<&str> = held.iter().map(|(_, status)| status.as_str()).collect();
        let wanted: &[&str] = match case.as_str() {
            "no-identity" => &[],
            "expired-identity" => &["expired"],
            "revoked-identity" => &["revoked"],
            _ => &["valid"],
        };
        assert_eq!(states, wanted, "{case}");
    }
}
