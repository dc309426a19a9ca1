//! The connector against OpenID providers that share no code with ours: npm's `oauth2-mock-server`, made to lie, and
//! `oidc-provider`. They stand in `tests/interop/providers`.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use connector::{ClientSecret, Connector, Dialect, Http, HttpOptions, Push, Settings, Started};
use serde_json::Value;
use url::Url;

use crate::desk::browser::Browser;
use crate::provider::{CLIENT_ID, CLIENT_SECRET, REDIRECT_URI};

mod mock;
mod provider;

/// A provider in a process of its own, which ends with the test.
struct Independent {
    issuer: String,
    process: Child,
    /// Held open: what it has to say later must not end it.
    _said: BufReader<ChildStdout>,
}

impl Independent {
    /// Starts `tests/interop/providers/NAME.mjs`. Nothing, and a line that says so, where Node or what npm installs
    /// is not there.
    fn start(name: &str, package: &str, environment: &[(&str, &str)]) -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop");
        if !folder.join("node_modules").join(package).is_dir() {
            println!("skipped: {package} is not installed in tests/interop");
            return None;
        }
        let script: PathBuf = folder.join("providers").join(format!("{name}.mjs"));
        let started = Command::new("node")
            .arg(script)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut process = match started {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                println!("skipped: there is no Node");
                return None;
            }
            started => started.unwrap(),
        };
        // A library may say something of its own before.
        let mut said = BufReader::new(process.stdout.take().unwrap());
        let issuer = said.by_ref().lines().find_map(|line| {
            let line: Value = serde_json::from_str(&line.unwrap()).ok()?;
            Some(line["issuer"].as_str()?.to_owned())
        });
        let Some(issuer) = issuer else {
            let ended = process.wait();
            panic!("{name}.mjs did not get ready: {ended:?}");
        };
        Some(Self {
            issuer,
            process,
            _said: said,
        })
    }

    fn settings(&self) -> Settings {
        Settings {
            gateway: Url::parse(&self.issuer).unwrap(),
            dialect: Dialect::Plain,
            push: Push::Always,
            client_id: CLIENT_ID.to_owned(),
            client_secret: ClientSecret::new(CLIENT_SECRET),
            signing_key: None,
            organisation_id: "anytown".to_owned(),
            redirect_uri: Url::parse(REDIRECT_URI).unwrap(),
        }
    }

    async fn connector(&self) -> Connector {
        Connector::discover(self.settings(), http()).await.unwrap()
    }
}

impl Drop for Independent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The connector's HTTP with patience enough for another process on a busy machine.
fn http() -> Http {
    Http::new(HttpOptions {
        timeout: Duration::from_secs(3),
        ..HttpOptions::default()
    })
    .unwrap()
}

/// The query with which a browser that goes where it is sent comes back.
async fn comes_back(started: &Started) -> String {
    let page = Browser::new().open(started.url.as_str()).await;
    assert!(
        page.url.starts_with(REDIRECT_URI),
        "not back but at {}: {} {}",
        page.url,
        page.status,
        page.html
    );
    let url: Url = page.url.parse().unwrap();
    url.query().unwrap().to_owned()
}
