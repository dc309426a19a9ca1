//! What `lanyard doctor` meets at the public address of a gateway that runs: TLS, and what a proxy really writes.

use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cluster::{behind_a_proxy, haproxy_at, haproxy_file, has_haproxy};
use crate::database::Database;
use crate::doctor::{doctor, only};
use crate::operated::{Operated, write_private};

/// What the doctor finds there with a configuration, trusting the gateway's authority.
async fn look(gateway: &Operated, config: &Path) -> Vec<Value> {
    let authority = gateway.folder.join("authority.pem");
    std::fs::write(&authority, &gateway.certificate_authority).unwrap();
    let more = ["--certificate-authority", authority.to_str().unwrap()];
    doctor(config, &more).await.1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_and_who_asks_are_told_as_the_gateway_meets_them_and_to_nobody_without_its_secret() {
    let gateway = Operated::started(Database::sqlite());
    let found = look(&gateway, &gateway.config_file()).await;
    let [state, says, _] = only(&found, "tls");
    assert_eq!(
        (state, says),
        ("good", "TLS 1.3, with a chain of 1 certificate")
    );
    let [state, says, _] = only(&found, "arrival");
    let base = gateway.base.strip_prefix("https://").unwrap();
    let wanted = format!("requests for {base} arrive as such");
    assert!(state == "good" && says.starts_with(&wanted), "{says}");

    // Whoever has another storage secret does not get so far as to ask: it opens nothing of this database. A stranger asks in vain:
    // what answers them is the probe's.
    let stranger = gateway.folder.join("stranger.toml");
    let secret = gateway.folder.join("another-secret");
    write_private(&secret, &"0123456789abcdefghijklmnopqrstuvwxyz".repeat(2));
    let text = gateway.config.replace(
        &gateway.folder.join("storage-secret").display().to_string(),
        &secret.display().to_string(),
    );
    std::fs::write(&stranger, text).unwrap();
    let found = look(&gateway, &stranger).await;
    let [state, says, _] = only(&found, "configuration");
    assert_eq!(state, "bad");
    assert!(says.contains("does not open with it"), "{says}");
    assert!(
        found.iter().all(|one| one["code"] != "arrival"),
        "{found:?}"
    );
    let client = gateway.client(&Arc::default());
    for question in ["", "AAAA", &"A".repeat(80)] {
        let asked = client.get(gateway.url("/healthz"));
        let answer = asked
            .header("lanyard-doctor", question)
            .send()
            .await
            .unwrap();
        assert!(!answer.headers().contains_key("lanyard-saw"), "{answer:?}");
        assert_eq!(answer.text().await.unwrap(), "ok\n");
    }
}

struct Proxy(Child);

impl Proxy {
    /// HAProxy with that file, once it leads to the gateway.
    async fn start(gateway: &Operated, file: &Path) -> Self {
        let first = gateway.ports.first;
        let mut command = haproxy_at(file, &gateway.folder, first);
        let proxy = Self(command.stdout(Stdio::null()).spawn().unwrap());
        let began = Instant::now();
        let client = gateway.client(&Arc::default());
        loop {
            let answer = client.get(gateway.url("/healthz")).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return proxy;
            }
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "the proxy leads nowhere"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_believes_its_callers_or_says_nothing_of_them_is_told() {
    if !has_haproxy() {
        return;
    }
    let gateway = Operated::prepare(Database::sqlite());
    gateway.write_keys();
    let first = gateway.ports.first;
    // The first of three processes, as the proxy's file counts them.
    let config = gateway.folder.join("one.toml");
    let text = behind_a_proxy(&gateway.config, &format!("127.0.0.1:{}", first + 1));
    std::fs::write(&config, text).unwrap();
    let pem = ["chain.pem", "tls-key.pem"]
        .map(|file| std::fs::read_to_string(gateway.folder.join(file)).unwrap())
        .concat();
    write_private(&gateway.folder.join("haproxy.pem"), &pem);
    let log = std::fs::File::create(gateway.folder.join("log")).unwrap();
    let mut command = Command::new(crate::operated::LANYARD);
    command.args(["gateway", "--config"]).arg(&config);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    let _running = Proxy(command.spawn().unwrap());
    let began = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, first + 1)).is_err() {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "{}",
            gateway.log()
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    let handed_out = std::fs::read_to_string(haproxy_file()).unwrap();
    let line = "http-request set-header x-forwarded-for %[src]";
    assert!(handed_out.contains(line), "{handed_out}");
    let told = async |line_instead: &str| {
        let file: PathBuf = gateway.folder.join("haproxy.cfg");
        std::fs::write(&file, handed_out.replace(line, line_instead)).unwrap();
        let _proxy = Proxy::start(&gateway, &file).await;
        let found = look(&gateway, &config).await;
        let [state, says, _] = only(&found, "arrival");
        (state.to_owned(), says.to_owned())
    };
    let (state, says) = told(line).await;
    assert!(
        state == "good" && says.ends_with("counts as 127.0.0.1"),
        "{says}"
    );
    let (state, says) = told("# nothing is written here").await;
    assert!(state == "bad" && says.contains("is believed"), "{says}");
    let (state, says) = told("http-request del-header x-forwarded-for").await;
    assert!(
        state == "bad" && says.contains("arrive without x-forwarded-for"),
        "{says}"
    );
}
