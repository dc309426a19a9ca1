//! Portal, wallet and mail catcher as processes of their own: they start, answer, and end when they are told to.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::operated::{LANYARD, new_folder, terminate, write_private};
use crate::ports::Ports;

/// How long a process may take to listen, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(30);

/// A process with a folder of its own.
struct Service {
    folder: PathBuf,
    process: Option<Child>,
}

impl Service {
    /// Starts `lanyard` with these words and waits until it listens on all of these ports.
    fn start(folder: PathBuf, words: &[&str], ports: &[u16]) -> Self {
        let log = fs::File::create(folder.join("log")).unwrap();
        let mut process = Command::new(LANYARD)
            .args(words)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let began = Instant::now();
        let listens = |port: &u16| TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_ok();
        while !ports.iter().all(listens) {
            let ended = process.try_wait().unwrap();
            let log = fs::read_to_string(folder.join("log")).unwrap();
            assert!(ended.is_none(), "{words:?} ended at once: {log}");
            assert!(
                began.elapsed() < PATIENCE,
                "{words:?} does not listen: {log}"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        Self {
            folder,
            process: Some(process),
        }
    }

    /// SIGTERM; every line of the log was JSON.
    fn stop(mut self) {
        let status = terminate(&mut self.process.take().unwrap());
        let log = fs::read_to_string(self.folder.join("log")).unwrap();
        assert_eq!(status.code(), Some(0), "{log}");
        for line in log.lines() {
            assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

async fn json_at(port: u16, path: &str) -> Value {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let address = format!("http://localhost:{port}{path}");
    client
        .get(address)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mail_catcher_runs_by_itself_and_ends_when_told() {
    let (folder, ports) = (new_folder(), Ports::claim());
    let (port, smtp_port) = (ports.first, ports.first + 1);
    let data = folder.join("mail");
    let words = [
        "mail",
        "--data",
        text(&data),
        "--port",
        &port.to_string(),
        "--smtp-port",
        &smtp_port.to_string(),
    ];
    let service = Service::start(folder.clone(), &words, &[port, smtp_port]);
    assert_eq!(json_at(port, "/api/messages").await, serde_json::json!([]));
    let mut line = String::new();
    let smtp = TcpStream::connect((Ipv4Addr::LOCALHOST, smtp_port)).unwrap();
    BufReader::new(smtp).read_line(&mut line).unwrap();
    assert!(line.starts_with("220 "), "{line}");
    service.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_wallet_runs_by_itself_with_the_holders_that_it_is_told() {
    let (folder, ports) = (new_folder(), Ports::claim());
    let port = ports.first;
    let data = folder.join("wallet");
    let words = [
        "wallet",
        "serve",
        "--wallet-data",
        text(&data),
        "--port",
        &port.to_string(),
        "--holder",
        "anna:Anna Taylor",
        "--holder",
        "noah:Noah",
    ];
    let service = Service::start(folder.clone(), &words, &[port]);
    let holders = json_at(port, "/api/holders").await;
    assert_eq!(
        holders,
        serde_json::json!([{"id": "anna", "name": "Anna Taylor"}, {"id": "noah", "name": "Noah"}])
    );
    service.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_portal_runs_by_itself_whether_or_not_its_gateway_does() {
    let (folder, ports) = (new_folder(), Ports::claim());
    let port = ports.first;
    let config = write_portal(&folder, port, "https://portal.example");
    let check = Command::new(LANYARD)
        .args(["portal", "--check", "--config", text(&config)])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&check.stderr);
    assert!(check.status.success(), "{said}");
    let words = ["portal", "--config", text(&config)];
    let service = Service::start(folder.clone(), &words, &[port]);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let login = client.get(format!("http://localhost:{port}/login"));
    let page = login.send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Log in to your staff account"), "{page}");
    service.stop();
}

#[test]
fn the_check_says_what_the_feed_would_change_and_an_import_without_a_file_takes_it_in() {
    let folder = new_folder();
    let config = write_portal(&folder, 1, "https://portal.example");
    let feed = folder.join("people.csv");
    let people = |surname: &str| {
        let lines = (0..60).map(|id| format!("\ne-{id},p{id},Pat,{surname}"));
        let head = "employee,username,first_names,surname".to_owned();
        fs::write(&feed, head + &lines.collect::<String>()).unwrap();
    };
    let portal = |words: &[&str]| {
        let mut run = Command::new(LANYARD);
        run.arg("portal").args(words);
        let run = run.args(["--config", text(&config)]).output().unwrap();
        let said = [run.stdout, run.stderr].map(|said| String::from_utf8(said).unwrap());
        (run.status.success(), said.concat())
    };
    let (done, said) = portal(&["import"]);
    assert!(
        !done && said.contains("the configuration has no [records]"),
        "{said}"
    );

    let mut records = fs::OpenOptions::new().append(true).open(&config).unwrap();
    write!(records, "\n[records]\nfile = \"{}\"\n", feed.display()).unwrap();
    people("Field");
    for _ in 0..2 {
        let (done, said) = portal(&["--check"]);
        assert!(
            done && said.contains("would change this: employees: 60 added,"),
            "{said}"
        );
    }
    let (done, said) = portal(&["import"]);
    assert!(done && said.contains("employees: 60 added,"), "{said}");
    people("Meadow");
    for words in [
        ["--check"].as_slice(),
        &["import"],
        &["import", "--accept-removals"],
    ] {
        let (done, said) = portal(words);
        let sentence = "60 of 60 employees would be changed or ended at once";
        assert!(!done && said.contains(sentence), "{said}");
    }
    let (done, said) = portal(&["import", "--accept-large-change"]);
    assert!(done && said.contains(" 60 changed,"), "{said}");
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_portal_that_would_be_open_to_listeners_does_not_start() {
    let folder = new_folder();
    let config = write_portal(&folder, 1, "http://portal.example");
    let refused = Command::new(LANYARD)
        .args(["portal", "--check", "--config", text(&config)])
        .output()
        .unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success());
    assert!(
        said.contains("public_url: it must begin with https://"),
        "{said}"
    );
    fs::remove_dir_all(&folder).unwrap();
}

/// A configuration as docs/operate/portal.md explains it, its secrets in files beside it.
fn write_portal(folder: &Path, port: u16, public_url: &str) -> PathBuf {
    let key = standards::jose::HmacKey::generate()
        .unwrap()
        .to_base64()
        .to_string();
    write_private(&folder.join("client-secret"), &key);
    write_private(&folder.join("signing-key"), &key);
    let place = folder.display();
    let config = format!(
        r#"public_url = "{public_url}"
listen = "127.0.0.1:{port}"
database = "sqlite:{place}/portal.db"
organisation = "Anytown NHS Trust"

[gateway]
url = "https://gateway.example"
dialect = "v2"
client_id = "anytown-staff-services"
client_secret = {{ file = "{place}/client-secret" }}
signing_key = {{ file = "{place}/signing-key" }}
organisation_id = "anytown"
"#
    );
    let file = folder.join("portal.toml");
    fs::write(&file, config).unwrap();
    file
}

/// `lanyard wallet list | head -1`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_whose_reader_goes_ends_quietly() {
    let (folder, ports) = (new_folder(), Ports::claim());
    let mut words = vec!["wallet".to_owned(), "serve".to_owned()];
    words.extend([
        "--wallet-data".to_owned(),
        text(&folder.join("wallet")).to_owned(),
    ]);
    words.extend(["--port".to_owned(), ports.first.to_string()]);
    // More than a pipe holds, so that the writer meets the closed end whenever it comes to it.
    let long = "x".repeat(1_000);
    for holder in 0..100 {
        words.extend(["--holder".to_owned(), format!("h{holder}:{long}")]);
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let service = Service::start(folder.clone(), &words, &[ports.first]);
    write_sandbox_file(&folder, ports.first);
    let mut list = Command::new(LANYARD)
        .args(["wallet", "list", "--data", text(&folder)])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 4];
    let mut stdout = list.stdout.take().unwrap();
    stdout.read_exact(&mut first).unwrap();
    drop(stdout);
    let output = list.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), said.as_ref()), (Some(0), ""));
    service.stop();
}

/// As much of a `sandbox.json` as names a wallet.
fn write_sandbox_file(folder: &Path, wallet: u16) {
    let file = serde_json::json!({
        "urls": {
            "gateway": "http://localhost:1", "portal": "http://localhost:1",
            "wallet": format!("http://localhost:{wallet}"), "mail": "http://localhost:1",
        },
        "relying_parties": [], "employees": [], "credential_types": [],
        "sidecar": {
            "url": "http://localhost:1", "api_key": "", "redirect_uri": "http://localhost:1/callback",
        },
    });
    fs::write(folder.join("sandbox.json"), file.to_string()).unwrap();
}

#[test]
fn the_files_that_the_operators_page_shows_are_files_that_the_portal_reads() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operate/portal.md");
    let page = fs::read_to_string(page).unwrap();
    let mut shown = page.split("```toml\n").skip(1);
    let mut next = || shown.next().unwrap().split("```").next().unwrap();
    // What is commented out is a key, too.
    let keys: String = next().lines().fold(String::new(), |text, line| {
        text + line.strip_prefix("# ").unwrap_or(line) + "\n"
    });
    let config: portal::Config = toml::from_str(&keys).unwrap();
    assert!(config.mail.is_some() && config.brand.is_some());
    let staff: portal::Staff = toml::from_str(next()).unwrap();
    assert_eq!(staff.employees[0].records.len(), 1);
}
