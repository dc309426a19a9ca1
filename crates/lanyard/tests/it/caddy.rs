//! Caddy with the file that we hand out, before a gateway: who asked is who the gateway takes it for.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::StatusCode;

use crate::cluster::behind_a_proxy;
use crate::database::Database;
use crate::operated::{Operated, new_folder};

const CADDY: &str = "/usr/bin/caddy";
const PATIENCE: Duration = Duration::from_secs(30);
/// How many documents one address may ask for in a minute here.
const DOCUMENTS: usize = 10;

fn has_caddy() -> bool {
    let found = Path::new(CADDY).is_file();
    if !found {
        println!("skipped: Caddy is not on this machine");
    }
    found
}

/// Caddy's file, as it is handed out.
fn caddyfile() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/Caddyfile")
}

/// Caddy in a folder of its own, which asks nobody for certificates, and its own API on no port of anybody else's.
fn caddy(folder: &Path, first: u16) -> Command {
    let mut command = Command::new(CADDY);
    command.env("LANYARD_HOST", format!("http://localhost:{}", first + 4));
    // Of three processes one is there.
    for (number, name) in [(0, "ONE"), (5, "TWO"), (6, "THREE")] {
        command.env(
            format!("LANYARD_{name}"),
            format!("127.0.0.1:{}", first + number),
        );
    }
    command.env("LANYARD_CADDY_ADMIN", format!("localhost:{}", first + 7));
    for name in ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
        command.env(name, folder);
    }
    command.stdin(Stdio::null());
    command
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn caddy_takes_the_file_as_it_is_handed_out() {
    if !has_caddy() {
        return;
    }
    let folder = new_folder();
    let mut validate = Command::new(CADDY);
    validate
        .args(["validate", "--adapter", "caddyfile", "--config"])
        .arg(caddyfile());
    for name in ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
        validate.env(name, &folder);
    }
    let checked = validate.output().unwrap();
    let said = String::from_utf8([checked.stdout, checked.stderr].concat()).unwrap();
    std::fs::remove_dir_all(folder).unwrap();
    assert!(checked.status.success(), "{said}");
    assert!(
        !said.contains("\"warn\"") && !said.contains("WARN"),
        "{said}"
    );
}

/// SEC-34: behind the proxy, too, limits are each caller's own, and nobody chooses whose.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_34_behind_caddy_a_caller_is_known_by_its_own_address_whatever_it_says() {
    if !has_caddy() {
        return;
    }
    let mut gateway = Operated::prepare(Database::sqlite());
    gateway.write_keys();
    let first = gateway.ports.first;
    let text = behind_a_proxy(&gateway.config, &format!("127.0.0.1:{first}"));
    gateway.write_config(&format!(
        "{text}\n\n[limits.address]\ndocuments = {DOCUMENTS}\n"
    ));
    gateway.start();
    let log = std::fs::File::create(gateway.folder.join("caddy-log")).unwrap();
    let mut command = caddy(&gateway.folder, first);
    command
        .args(["run", "--adapter", "caddyfile", "--config"])
        .arg(caddyfile());
    let running = Running(command.stdout(Stdio::null()).stderr(log).spawn().unwrap());
    let began = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, first + 4)).is_err() {
        let log = std::fs::read_to_string(gateway.folder.join("caddy-log")).unwrap();
        assert!(began.elapsed() < PATIENCE, "Caddy does not listen: {log}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    let ask = async |from: u8, claims: usize| {
        let client = reqwest::Client::builder()
            .local_address(IpAddr::from([127, 0, 0, from]))
            .resolve("localhost", SocketAddr::from(([127, 0, 0, 1], first + 4)))
            .no_proxy()
            .build()
            .unwrap();
        let asked = client
            .get(format!("http://localhost:{}/jwks", first + 4))
            .header("X-Forwarded-For", format!("198.51.100.{claims}"))
            .header("Forwarded", format!("for=198.51.100.{claims}"));
        asked.send().await.unwrap().status()
    };
    // Another address each time, if anybody believed it.
    let mut heard = Vec::new();
    for claims in 1..=2 * DOCUMENTS {
        heard.push(ask(2, claims).await);
    }
    // Two of three processes are not there, and no caller notices.
    assert_eq!(heard[..DOCUMENTS], [StatusCode::OK; DOCUMENTS]);
    assert!(
        heard[DOCUMENTS..].contains(&StatusCode::TOO_MANY_REQUESTS),
        "{heard:?}"
    );
    // And the address that asked is told, not Caddy's own.
    assert_eq!(ask(3, 1).await, StatusCode::OK);
    drop(running);
}
