//! `lanyard key passphrase` beside gateways that run: credentials are issued and verified before, during and after; killed between
//! two files it goes on; and at the end nothing opens with the passphrase from before.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output, Stdio};

use store::Statement;

use crate::database::Database;
use crate::in_a_token::{is_accepted, issued};
use crate::key_command::{key, kid, publishes};
use crate::operated::{LANYARD, Operated, write_private};
use crate::point::{Point, Points};

/// SIGKILL, everywhere.
const KILLED: i32 = 9;
const PLACE: &str = "anytown.credentials";
const DID: &str = "/issuers/anytown/did.json";

/// The configuration with these passphrases: the one in use and those from before, by the names of their files.
fn with(gateway: &Operated, current: &str, earlier: &[&str]) -> String {
    let folder = gateway.folder.display().to_string();
    let now = format!("{folder}/key-passphrase\"");
    let config = gateway
        .config
        .replace(&now, &format!("{folder}/{current}\""));
    let earlier = earlier.iter();
    let earlier: Vec<_> = earlier
        .map(|name| format!("{{ file = \"{folder}/{name}\" }}"))
        .collect();
    format!(
        "earlier_key_passphrases = [{}]\n{config}",
        earlier.join(", ")
    )
}

/// `lanyard key passphrase`, as another process with this configuration.
fn change(gateway: &Operated, config: &str, points: Option<&Points>) -> Output {
    let file = gateway.folder.join("change.toml");
    fs::write(&file, config).unwrap();
    let mut command = Command::new(LANYARD);
    command.args(["key", "passphrase", "--config"]).arg(&file);
    command.envs(points.map(|points| ("LANYARD_POINTS", points.file())));
    command.envs(gateway.environment.iter().cloned());
    command.env_remove("RUST_LOG").stdin(Stdio::null());
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What is in the key folder.
fn files(gateway: &Operated) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(gateway.folder.join("keys")).unwrap();
    let entries = entries.map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read(path).unwrap())
    });
    entries.collect()
}

/// Whether a gateway could start with this configuration, and what it said.
fn starts(gateway: &Operated, config: &str) -> (bool, String) {
    let before = fs::read_to_string(gateway.config_file()).unwrap();
    gateway.write_config(config);
    let check = gateway.command(&["--check"]).output().unwrap();
    gateway.write_config(&before);
    let said = String::from_utf8(check.stderr).unwrap();
    (check.status.success(), said)
}

/// SEC-37: a leak of the passphrase can be answered without an outage.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_37_the_key_passphrase_changes_while_a_gateway_issues_and_verifies_and_nothing_stays_under_the_old_one()
 {
    let mut gateway = Operated::started(Database::sqlite());
    let new = standards::jose::HmacKey::generate().unwrap().to_base64();
    write_private(&gateway.folder.join("new-passphrase"), &new);
    let mut before = issued(&gateway).await;
    is_accepted(&gateway, &mut before).await;

    // Whoever names the wrong one is refused, and nothing is changed.
    let untouched = files(&gateway);
    write_private(
        &gateway.folder.join("wrong"),
        "neither the one nor the other",
    );
    let refused = change(
        &gateway,
        &with(&gateway, "new-passphrase", &["wrong"]),
        None,
    );
    let error = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success(), "{error}");
    assert!(error.contains("key-passphrase-wrong: "), "{error}");
    assert!(!error.contains(new.as_str()), "{error}");
    assert_eq!(files(&gateway), untouched);

    // A process of several: it keeps the old one yet, and opens what the others close with the new one.
    let (old_first, new_first) = (
        with(&gateway, "key-passphrase", &["new-passphrase"]),
        with(&gateway, "new-passphrase", &["key-passphrase"]),
    );
    gateway.write_config(&old_first);
    gateway.kill_and_start();
    let told = said(&change(&gateway, &new_first, None));
    assert!(
        told.starts_with("7 key files, 7 of them closed anew\n"),
        "{told}"
    );
    assert!(
        files(&gateway)
            .iter()
            .all(|(name, text)| untouched[name] != *text || name == "environment")
    );
    let mut during = issued(&gateway).await;
    for holder in [&mut before, &mut during] {
        is_accepted(&gateway, holder).await;
    }
    // It follows a key that a process with the new one made, and starts anew in the midst of it.
    gateway.write_config(&new_first);
    key(&gateway, &["create", PLACE]).unwrap();
    let next = kid(&key(&gateway, &["list"]).unwrap(), PLACE, "next");
    publishes(&gateway, DID, &next, true).await;
    gateway.write_config(&old_first);
    gateway.kill_and_start();
    is_accepted(&gateway, &mut issued(&gateway).await).await;
    // What such a process makes is closed with the old one; said once more, that is closed anew, too.
    key(&gateway, &["create", "anytown.status"]).unwrap();
    let told = said(&change(&gateway, &new_first, None));
    assert!(
        told.starts_with("9 key files, 1 of them closed anew\n"),
        "{told}"
    );

    // Nothing needs the old one, and it opens nothing.
    let new_alone = with(&gateway, "new-passphrase", &[]);
    let (starts_with_old, why) = starts(&gateway, &with(&gateway, "key-passphrase", &[]));
    assert!(!starts_with_old, "{why}");
    assert!(
        why.contains("does not open with the key passphrase"),
        "{why}"
    );
    gateway.write_config(&new_alone);
    gateway.kill_and_start();
    for holder in [&mut before, &mut during, &mut issued(&gateway).await] {
        is_accepted(&gateway, holder).await;
    }
    let acts = "SELECT actor FROM audit_entries WHERE act = 'key-passphrase-changed'";
    assert_eq!(gateway.rows(Statement::new(acts)).await.len(), 2);
}

/// It dies before a file is replaced and behind one, and is begun again. The first, one in the middle, and the audit's entry;
/// `LANYARD_LONG` asks for all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_37_a_change_of_the_key_passphrase_that_dies_between_two_files_is_begun_again_and_ends()
{
    let gateway = Operated::prepare(Database::sqlite());
    gateway.write_keys();
    let first = gateway.command(&["--check"]).output().unwrap();
    assert!(first.status.success(), "{first:?}");
    let points = Points::at(gateway.folder.join("points"));
    let names = ["key-passphrase", "new-passphrase"];
    let new = standards::jose::HmacKey::generate().unwrap().to_base64();
    write_private(&gateway.folder.join(names[1]), &new);
    let mut changes = 0;
    // From the one to the other and back, each time with a death on the way.
    let mut turn = || {
        changes += 1;
        let (from, to) = (names[(changes + 1) % 2], names[changes % 2]);
        (with(&gateway, to, &[from]), with(&gateway, to, &[]))
    };
    let (config, _) = turn();
    points.begin(None);
    said(&change(&gateway, &config, Some(&points)));
    let reached = points.reached();
    points.end();
    let replaced = |point: &&Point| point.to_string().contains("RENAME key file");
    assert_eq!(reached.iter().filter(replaced).count(), 14, "{reached:?}");
    // An odd number: points before a step and behind one take turns.
    let every = if std::env::var_os("LANYARD_LONG").is_some() {
        1
    } else {
        7
    };
    for point in reached.iter().step_by(every) {
        let (both, alone) = turn();
        points.begin(Some(point));
        let died = change(&gateway, &both, Some(&points));
        assert_eq!(died.status.signal(), Some(KILLED), "{point}: {died:?}");
        points.end();
        // A gateway starts with what the crash left.
        let (starts_now, why) = starts(&gateway, &both);
        assert!(starts_now, "{point}: {why}");
        let told = said(&change(&gateway, &both, None));
        assert!(told.starts_with("7 key files, "), "{point}: {told}");
        let (starts_alone, why) = starts(&gateway, &alone);
        assert!(starts_alone, "{point}: {why}");
    }
}
