//! `lanyard connector --config FILE` as a process: what it refuses to start with, API keys, mutual TLS, and how it stops.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};
use reqwest::{Certificate, Identity};

use crate::operated::{LANYARD, new_folder, terminate, write_private};
use crate::said::{EVERYTHING, NOBODY, Unsaid};

struct Place {
    folder: PathBuf,
    port: u16,
}

impl Drop for Place {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.look_through_what_was_said();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Place {
    fn new() -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        let folder = new_folder();
        write_private(&folder.join("client-secret"), "a-secret-of-nobody");
        fs::write(folder.join("log"), "").unwrap();
        write_private(
            &folder.join("signing-key"),
            "c2lnbmluZyBrZXkgb2YgdGhpcnR5LXR3byBieXRlcyE=",
        );
        Self { folder, port }
    }

    /// A good configuration, and `more` of it.
    fn config(&self, more: &str) -> String {
        let (folder, port) = (self.folder.display(), self.port);
        format!(
            "listen = \"127.0.0.1:{port}\"\ndatabase = \"sqlite:{folder}/connector.db\"\n\
             organisation = \"Anytown NHS Trust\"\nredirect_uri = \"https://staff.example/callback\"\n{more}\n\
             [traces]\notlp_endpoint = \"{NOBODY}\"\n\
             [gateway]\nurl = \"https://credentials.example\"\ndialect = \"v2\"\nclient_id = \"portal\"\n\
             organisation_id = \"anytown\"\nclient_secret = {{ file = \"{folder}/client-secret\" }}\n\
             signing_key = {{ file = \"{folder}/signing-key\" }}\n"
        )
    }

    fn command(&self, config: &str) -> Command {
        let file = self.folder.join("connector.toml");
        fs::write(&file, config).unwrap();
        let mut command = Command::new(LANYARD);
        command.args(["connector", "--config"]).arg(file);
        let log = File::options().append(true).open(self.folder.join("log"));
        command.stdin(Stdio::null()).stderr(log.unwrap());
        command.env("RUST_LOG", EVERYTHING);
        command
    }

    fn hear(&self, said: &[u8]) {
        let log = File::options().append(true).open(self.folder.join("log"));
        log.unwrap().write_all(said).unwrap();
    }

    /// SEC-40: what was done to the connector made it write of nobody and open nothing.
    fn look_through_what_was_said(&self) {
        let mut unsaid = Unsaid::of_everybody();
        for name in ["client-secret", "signing-key", "sandbox-key", "server.key"] {
            let text = fs::read_to_string(self.folder.join(name)).unwrap_or_default();
            let text = text.lines().find(|line| !line.starts_with("-----"));
            unsaid.add("a secret", text.unwrap_or_default());
        }
        let log = fs::read_to_string(self.folder.join("log")).unwrap();
        assert!(
            !log.is_empty(),
            "the connector wrote nothing at the level `{EVERYTHING}`"
        );
        unsaid.is_nowhere_in(&log);
    }

    fn check(&self, config: &str) -> (bool, String) {
        let mut command = self.command(config);
        let output = command.arg("--check").stderr(Stdio::piped()).output();
        let output = output.unwrap();
        self.hear(&output.stderr);
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    }

    fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }
}

const KEYED: &str = "api_keys = [{ name = \"portal\", \
    sha256 = \"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\" }]";

#[test]
fn sec_37_a_connector_that_anybody_could_call_or_overhear_does_not_start() {
    let place = Place::new();
    let good = place.config(KEYED);
    let (started, said) = place.check(&good);
    assert!(started, "{said}");
    assert!(said.contains("this connector can start"), "{said}");
    let everywhere = good.replace("127.0.0.1", "0.0.0.0");
    let key_itself = good.replace("9f86d081", "lyk_9f86");
    let sandbox = good.replace("signing-key\" }", "sandbox-key\" }");
    write_private(
        &place.folder.join("sandbox-key"),
        "c2FuZGJveC1vZi10aGlydHktdHdvLWJ5dGVzLWxvbmc=",
    );
    for (config, wanted) in [
        (place.config(""), "api_keys: name one at least"),
        (everywhere, "listen: without tls_certificate"),
        (key_itself, "sha256: it must be the SHA-256 of a key"),
        (sandbox, "this is a sandbox's key"),
        (
            good.replace("https://staff", "http://staff"),
            "redirect_uri: it must begin with https://",
        ),
        (
            place.config("client_ca = \"ca.pem\""),
            "client_ca: it needs tls_certificate",
        ),
        (
            good.replace("organisation =", "organization ="),
            "unknown field `organization`",
        ),
    ] {
        let (started, said) = place.check(&config);
        assert!(!started && said.contains(wanted), "{wanted}\n{said}");
    }
}

#[test]
fn a_new_key_is_printed_with_the_digest_that_the_configuration_wants() {
    let output = Command::new(LANYARD)
        .args(["connector", "key"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let word = |after: &str| {
        let rest = text.split_once(after).unwrap().1;
        rest.split_whitespace()
            .next()
            .unwrap()
            .trim_matches('"')
            .to_owned()
    };
    let (key, digest) = (word("(shown once): "), word("sha256 = "));
    assert!(key.starts_with("lyk_") && key.len() > 60, "{key}");
    assert_eq!(sidecar::sha256_of(&key), digest);
}

/// An authority, and certificates that it signed: for the connector, and for a caller.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate and its key.
    fn sign(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_33_over_mutual_tls_only_a_certificate_of_the_authority_is_answered() {
    let place = Place::new();
    let (ours, strangers) = (Authority::new(), Authority::new());
    let (certificate, key) = ours.sign("localhost");
    fs::write(place.file("ca.pem"), ours.pem()).unwrap();
    fs::write(place.file("server.pem"), certificate).unwrap();
    fs::write(place.file("server.key"), key).unwrap();
    let config = place.config(&format!(
        "tls_certificate = \"{}\"\ntls_key = \"{}\"\nclient_ca = \"{}\"",
        place.file("server.pem"),
        place.file("server.key"),
        place.file("ca.pem")
    ));
    let mut running = Running(place.command(&config).spawn().unwrap());
    let client = |identity: Option<(String, String)>| {
        let root = Certificate::from_pem(ours.pem().as_bytes()).unwrap();
        let mut builder = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([root])
            .timeout(Duration::from_secs(5));
        if let Some((certificate, key)) = identity {
            let pem = format!("{certificate}{key}");
            builder = builder.identity(Identity::from_pem(pem.as_bytes()).unwrap());
        }
        builder.build().unwrap()
    };
    let url = format!("https://localhost:{}/v1/backlog", place.port);
    let known = client(Some(ours.sign("portal")));
    let mut answer = known.get(&url).send().await;
    for _ in 0..100 {
        if answer.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        answer = known.get(&url).send().await;
    }
    assert_eq!(answer.unwrap().status(), 200);
    // What one caller asked for under a key is not answered to another under the same key.
    let asked = async |client: &reqwest::Client| {
        let url = format!("https://localhost:{}/v1/sessions/end", place.port);
        let request = client.post(url).header("idempotency-key", "the-same-key");
        let answer = request
            .json(&serde_json::json!({ "session": "s" }))
            .send()
            .await;
        let answer = answer.unwrap();
        (
            answer.status(),
            answer.headers().contains_key("idempotent-replayed"),
        )
    };
    let other = client(Some(ours.sign("nightly")));
    let first = asked(&known).await;
    assert_eq!(asked(&known).await, (first.0, true), "{first:?}");
    assert_eq!(asked(&other).await, (first.0, false));
    for stranger in [client(None), client(Some(strangers.sign("portal")))] {
        assert!(stranger.get(&url).send().await.is_err());
    }
    assert!(terminate(&mut running.0).success());
}
