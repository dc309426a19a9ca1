//! `lanyard storage-secret rotate` dies at each point inside it and is begun again: everything opens with the new secret, and
//! nothing needs the old one. Every third point in each run; `LANYARD_LONG` asks for all of them.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output, Stdio};

use crate::database::{Database, on_both_engines};
use crate::operated::{CLIENT_ID, LANYARD, Operated, REDIRECT_URI, write_private};
use crate::point::Points;

on_both_engines!(sec_37_a_change_of_the_storage_secret_that_dies_anywhere_is_begun_again_and_ends);

/// SIGKILL, everywhere.
const KILLED: i32 = 9;
/// Fewer would leave out a table.
const FEWEST: usize = 8;

/// A gateway that is stopped, with something sealed in several tables.
struct Sealed {
    gateway: Operated,
    points: Points,
    /// How many secrets there were before the one in use.
    changes: usize,
}

impl Sealed {
    async fn start(database: Database) -> Self {
        let mut gateway = Operated::prepare(database);
        gateway.write_keys();
        gateway.start();
        let declared = format!(
            "[[organisations]]\nid = \"newtown\"\nname = \"Newtown NHS Trust\"\nissues = [\"FireSafety\"]\n\
             [[organisations.relying_parties]]\nname = \"Newtown staff services\"\nclient_id = \"newtown-staff\"\n\
             redirect_uris = [\"{REDIRECT_URI}\"]\ndialect = \"plain\"\nsigning_key = {{ file = \"{}/signing-key\" }}\n",
            gateway.folder.display()
        );
        let file = gateway.folder.join("newtown.toml");
        fs::write(&file, declared).unwrap();
        let client = gateway.client(&std::sync::Arc::default());
        let form = [
            ("client_id", CLIENT_ID),
            ("client_secret", gateway.client_secret.as_str()),
            ("redirect_uri", REDIRECT_URI),
            ("response_type", "code"),
            ("scope", "openid Identity"),
            ("state", "af0ifjsldkj"),
            ("nonce", "n-0S6_WzA2Mj"),
            (
                "code_challenge",
                "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            ),
            ("code_challenge_method", "S256"),
        ];
        for _ in 0..3 {
            let push = client.post(gateway.url("/par")).form(&form);
            let answer = push.send().await.unwrap();
            assert_eq!(answer.status().as_u16(), 201);
        }
        gateway.kill();
        let points = Points::at(gateway.folder.join("points"));
        let sealed = Self {
            gateway,
            points,
            changes: 0,
        };
        let file = file.display().to_string();
        let applied = sealed.lanyard(&["apply", "-f", &file, "--yes"]);
        assert!(applied.status.success(), "{applied:?}");
        sealed
    }

    fn lanyard(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(LANYARD);
        command
            .args(arguments)
            .arg("--config")
            .arg(self.gateway.config_file())
            .env("LANYARD_POINTS", self.points.file())
            .env_remove("RUST_LOG")
            .stdin(Stdio::null());
        command.output().unwrap()
    }

    fn rotate(&self) -> Output {
        self.lanyard(&["storage-secret", "rotate"])
    }

    /// Another secret from now on; the one before opens still.
    fn change(&mut self) {
        self.changes += 1;
        let folder = self.gateway.folder.display().to_string();
        let before = match self.changes {
            1 => format!("{folder}/storage-secret"),
            later => format!("{folder}/storage-secret-{}", later - 1),
        };
        let now = format!("{folder}/storage-secret-{}", self.changes);
        let secret = standards::jose::HmacKey::generate().unwrap().to_base64();
        write_private(std::path::Path::new(&now), &secret);
        self.say(&now, &format!("[{{ file = \"{before}\" }}]"));
    }

    /// The secret in use alone.
    fn forget_the_old_one(&self) {
        let now = format!(
            "{}/storage-secret-{}",
            self.gateway.folder.display(),
            self.changes
        );
        self.say(&now, "[]");
    }

    fn say(&self, secret: &str, earlier: &str) {
        let first = format!("{}/storage-secret\"", self.gateway.folder.display());
        let config = self.gateway.config.replace(&first, &format!("{secret}\""));
        assert!(config.contains(secret), "{config}");
        self.gateway
            .write_config(&format!("earlier_storage_secrets = {earlier}\n{config}"));
    }

    /// Every value opens with the secret in use alone, and a gateway can start.
    fn opens(&self, at: &str) {
        self.forget_the_old_one();
        let again = self.rotate();
        let said = String::from_utf8_lossy(&again.stdout).into_owned();
        assert!(again.status.success(), "{at}: {again:?}");
        for (table, values) in [("interactions", 3), ("registry", 1), ("kept_keys", 3)] {
            let line = format!("{table:14} {values} values, 0 of them sealed anew");
            assert!(said.contains(&line), "{at}: {said}");
        }
        let check = self.gateway.command(&["--check"]).output().unwrap();
        assert!(check.status.success(), "{at}: {check:?}");
    }
}

async fn sec_37_a_change_of_the_storage_secret_that_dies_anywhere_is_begun_again_and_ends(
    database: Database,
) {
    let mut sealed = Sealed::start(database).await;
    // The first change writes down what must stay; from the second on all values are there to be renewed.
    sealed.change();
    assert!(sealed.rotate().status.success());
    sealed.change();
    sealed.points.begin(None);
    assert!(sealed.rotate().status.success());
    let points = sealed.points.reached();
    sealed.points.end();
    assert!(points.len() >= FEWEST, "{points:?}");
    sealed.opens("undisturbed");
    // An odd number: points before a step and behind one take turns.
    let every = if std::env::var_os("LANYARD_LONG").is_some() {
        1
    } else {
        3
    };
    for point in points.iter().step_by(every) {
        sealed.change();
        sealed.points.begin(Some(point));
        let died = sealed.rotate();
        assert_eq!(died.status.signal(), Some(KILLED), "{point}: {died:?}");
        sealed.points.end();
        let again = sealed.rotate();
        assert!(again.status.success(), "{point}: {again:?}");
        sealed.opens(&point.to_string());
    }
}
