//! `lanyard evidence`: a folder for an assurance file, of a gateway that issues, revokes and has changed a key.

use std::path::{Path, PathBuf};
use std::process::Command;

use aws_lc_rs::digest::{SHA256, digest};
use reqwest::StatusCode;
use serde_json::Value;

use crate::by_hand::{Journey, Step, revoke};
use crate::database::{Database, on_both_engines};
use crate::holder::{Format, Holder};
use crate::operated::{CLIENT_ID, LANYARD, ORGANISATION, Operated};

on_both_engines!(an_assurance_file_tells_what_a_gateway_is_and_nothing_of_anybody);

fn lanyard(gateway: &Operated, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(LANYARD);
    command
        .args(arguments)
        .env("LANYARD_CONFIG", gateway.config_file());
    let output = command.env_remove("RUST_LOG").output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

async fn an_assurance_file_tells_what_a_gateway_is_and_nothing_of_anybody(database: Database) {
    let gateway = Operated::started(database);
    let mut holder = Holder::new(Format::W3c);
    let mut kept = Journey::to_issue();
    kept.take_from(Step::Push, &gateway, &mut holder).await;
    let mut gone = Journey::to_issue();
    gone.take_from(Step::Push, &gateway, &mut holder).await;
    assert_eq!(
        revoke(&gateway, gone.serial_number).await,
        StatusCode::NO_CONTENT
    );
    let declared = gateway.folder.join("newtown.toml");
    let text = "[[organisations]]\nid = \"newtown\"\nname = \"Newtown NHS Trust\"\nissues = []\n\
                [[organisations.relying_parties]]\nname = \"Newtown\"\nclient_id = \"newtown-staff\"\ndialect = \"plain\"\n\
                redirect_uris = [\"https://staff.newtown.example/callback\"]\n\
                [organisations.relying_parties.webhook]\nurl = \"https://newtown.example/a-word-only-they-know\"\n";
    std::fs::write(&declared, text).unwrap();
    let secret = gateway.folder.join("webhook-secret");
    let text = format!("{text}secrets = [{{ file = \"{}\" }}]\n", secret.display());
    std::fs::write(&declared, text).unwrap();
    let (done, token) = lanyard(
        &gateway,
        &["operator", "add", "j.bloggs", "--role", "auditor"],
    );
    assert!(done, "{token}");
    let (done, said) = lanyard(
        &gateway,
        &["apply", "-f", declared.to_str().unwrap(), "--yes"],
    );
    assert!(done, "{said}");
    let (done, client_secret) = lanyard(&gateway, &["client", "secret", "new", "newtown-staff"]);
    assert!(done, "{client_secret}");
    let client_secret = client_secret.lines().next().unwrap().to_owned();
    let noted = [
        "client",
        "onboarding",
        CLIENT_ID,
        "--item",
        "contacts",
        "--evidence",
        "form 17",
        "--on",
        "2026-11-20",
    ];
    assert!(lanyard(&gateway, &noted).0);
    let (done, said) = lanyard(&gateway, &["key", "create", "anytown.credentials"]);
    assert!(done, "{said}");

    let out = gateway.folder.join("evidence");
    let today = jiff::Zoned::now()
        .with_time_zone(jiff::tz::TimeZone::UTC)
        .date()
        .to_string();
    let words = [
        "evidence",
        "--out",
        out.to_str().unwrap(),
        "--from",
        "2026-01-01",
        "--to",
        &today,
        "--offline",
    ];
    // An entry has its place in the chain within a second.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let (done, said) = lanyard(&gateway, &words);
    assert!(done && said.contains("manifest.json"), "{said}");
    let (again, said) = lanyard(&gateway, &words);
    assert!(!again && said.contains("already-exists"), "{said}");

    let json = |name: &str| -> Value {
        let text = std::fs::read_to_string(out.join(name))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        serde_json::from_str(&text).unwrap()
    };
    // The manifest names every file and its digest, and itself alone is not in it.
    let manifest = json("manifest.json");
    let listed = manifest["files"].as_array().unwrap();
    assert_eq!(listed.len() + 1, files(&out).len());
    for file in listed {
        let bytes = std::fs::read(out.join(file["name"].as_str().unwrap())).unwrap();
        let sha256 = file["sha256"].as_str().unwrap();
        assert_eq!(hex::encode(digest(&SHA256, &bytes)), sha256, "{file}");
        assert_eq!(file["bytes"], bytes.len());
    }
    assert_eq!(manifest["environment"], "production");
    assert_eq!(json("version.json")["version"], env!("CARGO_PKG_VERSION"));
    let keys = json("keys.json");
    let of_place = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|key| key["place"] == "anytown.credentials");
    let states: Vec<_> = of_place.map(|key| key["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["active", "next"]);
    assert_eq!(json("did/anytown.json").as_object().unwrap().len(), 1);
    let registry = json("registry.json");
    assert_eq!(
        registry["history"].as_array().unwrap().len(),
        2,
        "{registry}"
    );
    let party = &registry["declared"].as_array().unwrap()[1];
    assert_eq!(
        party["body"]["webhook"]["origin"], "https://newtown.example",
        "{party}"
    );
    let checklists = json("onboarding.json").to_string();
    assert!(
        checklists.contains("form 17") && checklists.contains("2026-11-20"),
        "{checklists}"
    );
    let operators = json("operators.json");
    assert!(operators.to_string().contains("j.bloggs"));
    // Nobody of them has set up a sign-in, and that is said.
    let since = &operators[0]["password_and_authenticator_since"];
    assert!(
        operators[0]
            .get("password_and_authenticator_since")
            .is_some()
    );
    assert!(since.is_null(), "{operators}");
    assert!(json("roles.json").to_string().contains("audit-export"));
    assert_eq!(
        json("audit-verification.json")["database"]["faults"],
        Value::Array(vec![])
    );
    assert_eq!(
        json("audit-verification.json")["audit.jsonl"]["faults"],
        Value::Array(vec![])
    );
    let audit = std::fs::read_to_string(out.join("audit.jsonl")).unwrap();
    assert!(
        audit.contains("registry-changed") && audit.contains("signing-key-changed"),
        "{audit}"
    );
    assert!(json("availability.json")["supported_minutes"].is_i64());
    assert!(json("retention.json")["rules"].as_array().unwrap().len() > 5);
    let figures = json("status-lists.json");
    assert_eq!(
        (&figures[0]["issued"], &figures[0]["revoked"]),
        (&2.into(), &1.into())
    );
    assert!(
        json("doctor.json")
            .to_string()
            .contains("this gateway can start")
    );
    assert!(
        std::fs::read_to_string(out.join("security.md"))
            .unwrap()
            .contains("| SEC-40 |")
    );
    let configuration = std::fs::read_to_string(out.join("configuration.toml")).unwrap();
    assert!(
        configuration.contains(ORGANISATION) && configuration.contains("key-passphrase"),
        "{configuration}"
    );

    // Nothing of anybody: neither what was in the credential nor what opens anything.
    let mut unsaid = vec![
        ("a claim", "Cardiology".to_owned()),
        (
            "the unique identifier",
            "3f0c1c1e-52f4-4b6f-9b2f-6f3a0a9f8d10".to_owned(),
        ),
        ("a serial number", kept.serial_number.to_string()),
        ("a serial number", gone.serial_number.to_string()),
        ("a client secret", gateway.client_secret.clone()),
        ("a client secret", client_secret),
        ("a signing key", gateway.signing_key.to_base64().to_string()),
        ("a token", token.trim().to_owned()),
        ("a word in an address", "a-word-only-they-know".to_owned()),
        ("an id token", kept.code.clone()),
    ];
    for name in ["key-passphrase", "storage-secret", "webhook-secret"] {
        let text = std::fs::read_to_string(gateway.folder.join(name)).unwrap();
        unsaid.push(("a secret", text.trim().to_owned()));
    }
    let sha256 = hex::encode(digest(&SHA256, gateway.client_secret.as_bytes()));
    unsaid.push(("a digest of a secret", sha256));
    for file in files(&out) {
        let text = std::fs::read_to_string(&file).unwrap();
        // An entry of the audit names the credential that was revoked, and cannot be without it.
        let is_audit = file.ends_with("audit.jsonl");
        let unsaid = unsaid
            .iter()
            .filter(|(what, _)| !(is_audit && *what == "a serial number"));
        for (what, value) in unsaid {
            assert!(
                !text.contains(value.as_str()),
                "{} has {what}, {value}",
                file.display()
            );
        }
        assert!(
            !text.contains("PRIVATE KEY") && !text.contains("\"d\""),
            "{}",
            file.display()
        );
    }
}
