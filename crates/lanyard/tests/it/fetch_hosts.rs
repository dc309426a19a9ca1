//! The hosts that an organisation may name go where its gateway goes: into another database, a backup and the assurance file.

use std::path::Path;
use std::process::Command;

use crate::database::{Database, on_both_engines};
use crate::operated::{LANYARD, Operated};

on_both_engines!(sec_04_hosts_that_an_organisation_may_name_are_copied_backed_up_and_restored);

const DECLARED: &str = "[[organisations]]\nid = \"newtown\"\nname = \"Newtown NHS Trust\"\nissues = []\n\
    fetch_hosts = [\"hooks.newtown.example\", \"*.partner.example\"]\n\
    [[organisations.relying_parties]]\nname = \"Newtown\"\nclient_id = \"newtown-staff\"\ndialect = \"plain\"\n\
    redirect_uris = [\"https://staff.newtown.example/callback\"]\n";

fn lanyard(arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(LANYARD);
    let output = command
        .args(arguments)
        .env_remove("RUST_LOG")
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Whether what stands in that gateway's registry is what was declared, and whether it bounds what is declared next.
fn is_bounded(folder: &Path, config: &Path) {
    let plan = |name: &str, declared: &str| {
        let file = folder.join(name);
        std::fs::write(&file, declared).unwrap();
        let words = ["apply", "--dry-run", "-f", text(&file), "--config"];
        lanyard(&[&words[..], &[text(config)]].concat())
    };
    let (done, said) = plan("same.toml", DECLARED);
    assert!(done, "nothing is to be changed: {said}");
    let elsewhere = "jwks_uri = \"https://evil.example/jwks\"\n";
    let (done, said) = plan("elsewhere.toml", &format!("{DECLARED}{elsewhere}"));
    assert!(!done && said.contains("hooks.newtown.example"), "{said}");
}

async fn sec_04_hosts_that_an_organisation_may_name_are_copied_backed_up_and_restored(
    database: Database,
) {
    let gateway = Operated::prepare(database);
    gateway.write_keys();
    let (home, config) = (&gateway.folder, gateway.config_file());
    let declared = home.join("newtown.toml");
    std::fs::write(&declared, DECLARED).unwrap();
    let words = ["apply", "--yes", "-f", text(&declared), "--config"];
    let (done, said) = lanyard(&[&words[..], &[text(&config)]].concat());
    assert!(done && said.contains("newtown"), "{said}");
    is_bounded(home, &config);

    let (key, backup, evidence) = (home.join("key"), home.join("backup"), home.join("evidence"));
    let today = jiff::Zoned::now()
        .with_time_zone(jiff::tz::TimeZone::UTC)
        .date()
        .to_string();
    let (done, recipient) = lanyard(&["backup", "key", text(&key)]);
    assert!(done, "{recipient}");
    let words = [
        "backup",
        "--recipient",
        recipient.trim(),
        "--out",
        text(&backup),
        "--config",
    ];
    let (done, said) = lanyard(&[&words[..], &[text(&config)]].concat());
    assert!(done, "{said}");
    let words = [
        "evidence",
        "--offline",
        "--from",
        "2026-01-01",
        "--to",
        &today,
        "--out",
        text(&evidence),
        "--config",
    ];
    let (done, said) = lanyard(&[&words[..], &[text(&config)]].concat());
    assert!(done, "{said}");
    let shown = std::fs::read_to_string(evidence.join("registry.json")).unwrap();
    assert!(shown.contains("\"*.partner.example\""), "{shown}");

    // Each to the other engine, where there is one.
    let other = async || {
        if gateway.database.address().starts_with("postgres") {
            Some(Database::sqlite())
        } else {
            Database::postgres().await
        }
    };
    let Some((copied, restored)) = other().await.zip(other().await) else {
        return;
    };
    let (from, to) = (gateway.database.address(), copied.address());
    let (done, said) = lanyard(&["store", "copy", "--from", &from, "--to", &to]);
    assert!(done, "{said}");
    gateway.write_config(&gateway.config.replace(&from, &to));
    is_bounded(home, &config);

    let (into, to) = (home.join("restored"), restored.address());
    let words = [
        "restore",
        text(&backup),
        "--identity",
        text(&key),
        "--into",
        text(&into),
        "--database",
    ];
    let (done, said) = lanyard(&[&words[..], &[to.as_str()]].concat());
    assert!(done, "{said}");
    is_bounded(home, &into.join("gateway.toml"));
}
