//! A gateway whose keys are in a PKCS #11 token, as its operator runs it: from the first key to the day when the module is gone.

use std::fmt::Write as _;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::Value;
use standards::jose::jws;

use crate::by_hand::{Journey, Step};
use crate::database::Database;
use crate::holder::{Format, Holder};
use crate::key_command::{key, kid, publishes};
use crate::operated::{LANYARD, Operated, write_private};
use crate::softhsm;

const PLACE: &str = "anytown.credentials";
/// How long the running process may take to follow, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn issued(gateway: &Operated) -> Holder {
    let mut holder = Holder::new(Format::W3c);
    let mut journey = Journey::to_issue();
    journey.take_from(Step::Push, gateway, &mut holder).await;
    holder
}

pub(crate) async fn is_accepted(gateway: &Operated, holder: &mut Holder) {
    let mut verify = Journey::to_verify();
    verify.take_from(Step::Push, gateway, holder).await;
    assert_eq!(verify.id_token["TrainingProgramme.TPR-Name"], "Cardiology");
}

/// The key that signed a credential: a fragment of the issuer's DID.
fn signed_by(holder: &Holder) -> String {
    let parsed = jws::parse(&holder.credential).unwrap();
    let kid = parsed.header().kid().unwrap().to_owned();
    kid.rsplit('#').next().unwrap().to_owned()
}

/// What a load balancer hears, and what the operator is told of the keys.
async fn readiness(gateway: &Operated) -> (StatusCode, Value) {
    let client = gateway.client(&Arc::default());
    let status = client
        .get(gateway.url("/readyz"))
        .send()
        .await
        .unwrap()
        .status();
    let whole = format!("http://127.0.0.1:{}/readyz", gateway.metrics_port());
    let told: Value = reqwest::get(whole).await.unwrap().json().await.unwrap();
    let mut checks = told["checks"].as_array().unwrap().iter();
    let keys = checks.find(|check| check["code"] == "keys");
    (status, keys.unwrap().clone())
}

/// Waits until the process is ready, or is not.
async fn until_ready_is(gateway: &Operated, wanted: StatusCode) -> Value {
    let began = Instant::now();
    loop {
        let (status, keys) = readiness(gateway).await;
        if status == wanted && keys["ok"] == (wanted == StatusCode::OK) {
            return keys;
        }
        assert!(began.elapsed() < PATIENCE, "{status}: {keys}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn in_a_token() -> Option<Operated> {
    let library = softhsm::library()?;
    let mut gateway = Operated::prepare(Database::sqlite());
    let settings = softhsm::make_token(&gateway.folder);
    gateway.environment.push((softhsm::SETTINGS, settings));
    let pin = gateway.folder.join("token-pin");
    write_private(&pin, softhsm::PIN);
    write!(
        gateway.config,
        "\n[pkcs11]\nmodule = \"{}\"\ntoken = \"{}\"\npin = {{ file = \"{}\" }}\n",
        library.display(),
        softhsm::LABEL,
        pin.display()
    )
    .unwrap();
    gateway.write_config(&gateway.config);
    Some(gateway)
}

/// SEC-37: the keys that every journey needs are in the module, and nowhere else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_37_a_gateway_with_its_keys_in_a_token_issues_verifies_rotates_and_says_when_the_token_is_gone()
 {
    let Some(mut gateway) = in_a_token() else {
        return;
    };
    let made = gateway.command(&["--create-keys"]).output().unwrap();
    let said = String::from_utf8(made.stdout).unwrap();
    assert!(made.status.success() && said.lines().count() == 7, "{said}");
    let files = std::fs::read_dir(gateway.folder.join("keys")).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> = files.filter(|name| name != "environment").collect();
    files.sort();
    assert_eq!(files, ["id-token-eddsa.pem"], "no token makes Ed25519");
    gateway.start();

    let first = kid(&key(&gateway, &["list"]).unwrap(), PLACE, "active");
    let mut before = issued(&gateway).await;
    assert_eq!(signed_by(&before), first);
    is_accepted(&gateway, &mut before).await;

    // The next key is made in the token beside the process that uses it, which finds it there.
    key(&gateway, &["create", PLACE]).unwrap();
    let next = kid(&key(&gateway, &["list"]).unwrap(), PLACE, "next");
    publishes(&gateway, "/issuers/anytown/did.json", &next, true).await;
    key(&gateway, &["activate", &next, "--at-once"]).unwrap();
    let (mut after, began) = (issued(&gateway).await, Instant::now());
    while signed_by(&after) != next {
        assert!(began.elapsed() < PATIENCE, "{next} does not sign");
        after = issued(&gateway).await;
    }
    for holder in [&mut before, &mut after] {
        is_accepted(&gateway, holder).await;
    }
    assert_eq!(
        std::fs::read_dir(gateway.folder.join("keys"))
            .unwrap()
            .count(),
        2
    );

    // Another passphrase is for the file alone; the token has none of it, and its keys stay as they are.
    let new = gateway.folder.join("new-passphrase");
    write_private(&new, "a passphrase of another day");
    let now = format!(
        "key_passphrase = {{ file = \"{}/key-passphrase\" }}",
        gateway.folder.display()
    );
    let both = format!(
        "key_passphrase = {{ file = \"{}\" }}\nearlier_{}",
        new.display(),
        now.replace("passphrase = ", "passphrases = [") + "]"
    );
    gateway.write_config(&gateway.config.replace(&now, &both));
    let listed = key(&gateway, &["list"]).unwrap();
    let told = key(&gateway, &["passphrase"]).unwrap();
    assert!(
        told.starts_with("1 key files, 1 of them closed anew\n"),
        "{told}"
    );
    assert_eq!(key(&gateway, &["list"]).unwrap(), listed);

    gateway.kill_and_start();
    for holder in [&mut before, &mut after] {
        is_accepted(&gateway, holder).await;
    }
    assert_eq!(signed_by(&issued(&gateway).await), next);
    until_ready_is(&gateway, StatusCode::OK).await;

    // Somebody pulls the module out.
    let (tokens, away) = (gateway.folder.join("tokens"), gateway.folder.join("away"));
    std::fs::rename(&tokens, &away).unwrap();
    std::fs::create_dir(&tokens).unwrap();
    let keys = until_ready_is(&gateway, StatusCode::SERVICE_UNAVAILABLE).await;
    let sentence = keys["sentence"].as_str().unwrap();
    assert!(sentence.ends_with("look at the key store"), "{sentence}");
    assert!(!sentence.contains(softhsm::PIN), "{sentence}");
    let doctor = Command::new(LANYARD)
        .args(["doctor", "--offline", "--config"])
        .arg(gateway.config_file())
        .envs(gateway.environment.iter().cloned())
        .output()
        .unwrap();
    let said = String::from_utf8(doctor.stdout).unwrap();
    let wanted = "the PKCS #11 token: there is no token with the label lanyard";
    assert!(!doctor.status.success() && said.contains(wanted), "{said}");
    let start = gateway.command(&["--check"]).output().unwrap();
    let said = String::from_utf8(start.stderr).unwrap();
    assert!(!start.status.success() && said.contains(wanted), "{said}");

    // And back in. A process that had the token keeps the module as it was when the token went, and starts anew.
    std::fs::remove_dir(&tokens).unwrap();
    std::fs::rename(&away, &tokens).unwrap();
    gateway.kill_and_start();
    until_ready_is(&gateway, StatusCode::OK).await;
    is_accepted(&gateway, &mut after).await;
    assert_eq!(signed_by(&issued(&gateway).await), next);
}
