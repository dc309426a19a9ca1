//! `lanyard gateway` as a service: what it refuses to start with, its two errands, and how it stops.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use gateway::keys::{KeyStore, SANDBOX_PASSPHRASE};
use standards::jose::Algorithm;
use zeroize::Zeroizing;

use crate::by_hand::{Journey, Step};
use crate::database::Database;
use crate::holder::{Format, Holder};
use crate::operated::{CLIENT_ID, LANYARD, ORGANISATION, Operated, write_private};

/// What the command printed to either side, and whether it was content.
fn run(gateway: &Operated, more: &[&str]) -> (bool, String) {
    told(gateway.command(more))
}

/// The same of `lanyard config check`.
fn check(gateway: &Operated) -> (bool, String) {
    let mut command = Command::new(LANYARD);
    command.args(["config", "check", "--config"]);
    command.arg(gateway.config_file()).env_remove("RUST_LOG");
    told(command)
}

fn told(mut command: Command) -> (bool, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    (
        status.success(),
        [stdout, stderr]
            .map(|text| String::from_utf8(text).unwrap())
            .concat(),
    )
}

/// The text with one thing replaced that stands there exactly once.
fn with(text: &str, old: &str, new: &str) -> String {
    assert_eq!(text.matches(old).count(), 1, "{old}");
    text.replace(old, new)
}

/// SEC-37: with secrets and keys of a sandbox, too.
#[test]
fn a_configuration_with_a_fault_stops_the_start_and_the_fault_is_named() {
    let gateway = Operated::prepare(Database::sqlite());
    gateway.write_keys();
    let good = &gateway.config;
    let folder = gateway.folder.display();
    write_private(
        &gateway.folder.join("sandbox-passphrase"),
        SANDBOX_PASSPHRASE,
    );
    write_private(
        &gateway.folder.join("sandbox-secret"),
        "sandbox-0123456789abcdefghijklmnopqrstuvwxyz",
    );
    write_private(&gateway.folder.join("empty"), "\n");
    let sandbox_keys = gateway.folder.join("sandbox-keys");
    copy_folder(&gateway.folder.join("keys"), &sandbox_keys);
    fs::remove_file(sandbox_keys.join("id-token-es256.pem")).unwrap();
    let passphrase = Zeroizing::new(SANDBOX_PASSPHRASE.to_owned());
    let sandbox = KeyStore::open(&sandbox_keys, passphrase, false).unwrap();
    sandbox
        .create_missing("id-token-es256", Algorithm::ES256)
        .unwrap();

    let http = good.replace("https://localhost", "http://localhost");
    let host = gateway.base.as_str();
    let storage = format!("{{ file = \"{folder}/storage-secret\" }}");
    let signing = format!("{{ file = \"{folder}/signing-key\" }}");
    // The base64 of `sandbox-` and more.
    write_private(
        &gateway.folder.join("sandbox-webhook"),
        "whsec_c2FuZGJveC0wMTIzNDU2Nzg5YWJjZGVmMDEyMw==",
    );
    let cases = [
        (http, "public_url: it must begin with https://"),
        (
            with(
                good,
                &format!("public_url = \"{host}\""),
                &format!("public_url = \"{host}/gateway\""),
            ),
            "public_url: ",
        ),
        (
            format!("retention_dais = 30\n{good}"),
            "unknown field `retention_dais`",
        ),
        (
            with(
                good,
                "dialect = \"plain\"",
                "dialect = \"plain\"\ncolour = \"blue\"",
            ),
            "unknown field `colour`",
        ),
        (
            with(good, "dialect = \"plain\"", "dialect = \"v3\""),
            "unknown variant `v3`",
        ),
        (
            with(good, "/key-passphrase", "/sandbox-passphrase"),
            "the key passphrase is the sandbox's",
        ),
        (
            with(
                good,
                &format!("{folder}/keys"),
                &format!("{folder}/sandbox-keys"),
            ),
            "id-token-es256.pem is a sandbox key",
        ),
        (
            with(good, "/storage-secret", "/sandbox-secret"),
            "storage_secret: this is a sandbox's secret",
        ),
        (
            with(good, "/storage-secret", "/nowhere"),
            "nowhere) cannot be read",
        ),
        (
            with(good, "/storage-secret", "/empty"),
            "empty) cannot be read: it is empty",
        ),
        (
            with(good, &storage, "{ env = \"LANYARD_TEST_UNSET\" }"),
            "env LANYARD_TEST_UNSET",
        ),
        // A secret that stands in the file itself is no secret.
        (
            with(good, &storage, "\"0123456789abcdefghijklmnopqrstuvwxyz\""),
            "no secret stands in this file",
        ),
        (
            with(
                good,
                &storage,
                "{ held = \"0123456789abcdefghijklmnopqrstuvwxyz\" }",
            ),
            "unknown field `held`",
        ),
        (
            with(good, &signing, &format!("{{ file = \"{folder}/empty\" }}")),
            "empty) cannot be read: it is empty",
        ),
        (
            with(
                good,
                &format!("{folder}/keys"),
                &format!("{folder}/no-keys"),
            ),
            "does not exist",
        ),
        (
            with(
                good,
                "[\"Identity\", \"TrainingProgramme\"]",
                "[\"Passport\"]",
            ),
            "Passport",
        ),
        (
            with(good, "tls_key = ", "# tls_key = "),
            "tls_certificate and tls_key belong together",
        ),
        (
            with(good, "/tls-key.pem", "/signing-key"),
            "signing-key is not a PEM private key",
        ),
        (
            with(good, "/webhook-secret", "/sandbox-webhook"),
            "webhook.secrets: this is a sandbox's secret",
        ),
        (with(good, "sqlite:", "mysql:"), "database"),
    ];
    for (config, fault) in cases {
        gateway.write_config(&config);
        for (content, said) in [run(&gateway, &["--check"]), check(&gateway)] {
            assert!(
                !content && said.contains(fault),
                "wanted {fault:?}, heard {said:?}"
            );
            assert!(
                !said.contains("0123456789abcdefghijklmnopqrstuvwxyz"),
                "{said}"
            );
        }
    }
    // What the check finds stops the service itself, too.
    let (content, said) = run(&gateway, &[]);
    assert!(!content && said.contains("database"), "{said}");
    fs::remove_file(gateway.config_file()).unwrap();
    let (content, said) = run(&gateway, &[]);
    assert!(
        !content && said.contains("gateway.toml cannot be read"),
        "{said}"
    );
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn keys_are_created_once_and_what_is_missing_is_said() {
    let gateway = Operated::prepare(Database::sqlite());
    let (content, said) = run(&gateway, &["--check"]);
    assert!(
        !content && said.contains(".pem does not exist: make it with --create-keys"),
        "{said}"
    );

    let (content, said) = run(&gateway, &["--create-keys"]);
    let mut created: Vec<_> = said
        .lines()
        .filter_map(|line| line.strip_prefix("created "))
        .collect();
    created.sort_unstable();
    let own =
        ["credentials", "requests", "status"].map(|purpose| format!("{ORGANISATION}.{purpose}"));
    let mut wanted = [
        &own[..],
        &["audit".to_owned()],
        &["eddsa", "es256", "rs256"].map(|algorithm| format!("id-token-{algorithm}")),
    ]
    .concat();
    wanted.sort_unstable();
    assert!(content, "{said}");
    assert_eq!(created, wanted);
    let read = || {
        created
            .iter()
            .map(|name| fs::read(key_file(&gateway, name)).unwrap())
            .collect::<Vec<_>>()
    };
    let before = read();
    for name in &created {
        let mode = fs::metadata(key_file(&gateway, name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }

    assert_eq!(run(&gateway, &["--create-keys"]), (true, String::new()));
    assert_eq!(read(), before, "a key was made anew");
    let (content, said) = run(&gateway, &["--check"]);
    assert!(content && said.contains("this gateway can start"), "{said}");
    let (content, said) = check(&gateway);
    assert!(content && !said.contains("tables"), "{said}");

    // Whoever else could read it may have done so.
    fs::set_permissions(
        key_file(&gateway, "id-token-es256"),
        fs::Permissions::from_mode(0o640),
    )
    .unwrap();
    let (content, said) = run(&gateway, &["--check"]);
    assert!(
        !content && said.contains("can be read by others (mode 640)"),
        "{said}"
    );
}

#[test]
fn whether_a_gateway_could_start_is_said_before_its_first_start_and_nothing_is_made() {
    let gateway = Operated::prepare(Database::sqlite());
    gateway.write_keys();
    let address = gateway.database.address();
    let database = Path::new(address.strip_prefix("sqlite:").unwrap());
    let (content, said) = check(&gateway);
    assert!(
        content && said.contains("has no tables of a gateway yet"),
        "{said}"
    );
    assert!(
        said.contains("a gateway can start with this file"),
        "{said}"
    );
    assert!(!database.exists());

    // Where its database cannot be made, it could not.
    let nowhere = address.replace("test.db", "no-such-folder/test.db");
    gateway.write_config(&with(&gateway.config, &address, &nowhere));
    let (content, said) = check(&gateway);
    assert!(!content && said.contains("no-such-folder"), "{said}");
}

fn key_file(gateway: &Operated, name: &str) -> std::path::PathBuf {
    gateway.folder.join("keys").join(format!("{name}.pem"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_to_stop_it_stops_with_exit_code_0_and_another_start_goes_on() {
    let mut gateway = Operated::started(Database::sqlite());
    let mut holder = Holder::new(Format::W3c);
    let mut journey = Journey::to_issue();
    journey
        .take_until(Step::Credential, &gateway, &mut holder)
        .await;
    // A browser that keeps its connection open must not keep the service from stopping.
    let idle = gateway.client(&Arc::default());
    assert!(
        idle.get(gateway.url("/healthz"))
            .send()
            .await
            .unwrap()
            .status()
            .is_success()
    );

    let status = gateway.terminate();
    assert_eq!(status.code(), Some(0), "{}", gateway.log());
    gateway.start();
    journey
        .take_from(Step::Credential, &gateway, &mut holder)
        .await;
    assert_eq!(journey.id_token["aud"], CLIENT_ID);
}
