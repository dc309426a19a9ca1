//! `lanyard evidence`: a folder for an assurance file, of a gateway that issues, revokes and has changed a key.

use std::path::{Path, PathBuf};
use std::process::Command;

use aws_lc_rs::digest::{SHA256, digest};
use reqwest::StatusCode;
use serde_json::Value;
use store::Statement;

use crate::by_hand::{Journey, Step, revoke};
use crate::database::{Database, on_both_engines};
use crate::holder::{Format, Holder};
use crate::operated::{CLIENT_ID, LANYARD, ORGANISATION, Operated};

on_both_engines!(
    an_assurance_file_tells_what_a_gateway_is_and_nothing_of_anybody,
    what_was_backed_up_rehearsed_and_removed_stands_in_the_assurance_file,
);

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
    // Both were made within one second, and stand in the order of their ids.
    let states: std::collections::BTreeSet<_> = of_place.map(|key| key["state"].as_str()).collect();
    assert_eq!(states, [Some("active"), Some("next")].into());
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

/// Today in UTC, and the days before the first of which nothing was done.
fn days() -> [String; 2] {
    let today = jiff::Zoned::now()
        .with_time_zone(jiff::tz::TimeZone::UTC)
        .date();
    [today.yesterday().unwrap().to_string(), today.to_string()]
}

async fn what_was_backed_up_rehearsed_and_removed_stands_in_the_assurance_file(database: Database) {
    let gateway = Operated::started(database);
    let place = |name: &str| gateway.folder.join(name).to_str().unwrap().to_owned();
    let [key, stranger, night] = ["key", "stranger", "night.age"].map(place);
    let make = |key: &str| {
        let made = Command::new(LANYARD)
            .args(["backup", "key", key])
            .output()
            .unwrap();
        String::from_utf8(made.stdout).unwrap().trim().to_owned()
    };
    let (recipient, _) = (make(&key), make(&stranger));
    let (done, said) = lanyard(
        &gateway,
        &["backup", "--out", &night, "--recipient", &recipient],
    );
    let sha256 = hex::encode(digest(&SHA256, &std::fs::read(&night).unwrap()));
    assert!(
        done && said.contains(&format!("SHA-256 {sha256}")),
        "{said}"
    );

    // One rehearsal that goes well and one that does not, wherever that is; the gateway hears of both by what they wrote.
    let [good, bad] = ["good.json", "bad.json"].map(place);
    let drill = |key: &str, record: &str| {
        let words = [
            "restore",
            &night,
            "--identity",
            key,
            "--drill",
            "--record",
            record,
        ];
        lanyard(&gateway, &words)
    };
    let (done, said) = drill(&key, &good);
    assert!(
        done && said.contains("a gateway could start with this"),
        "{said}"
    );
    let (done, said) = drill(&stranger, &bad);
    assert!(!done && said.contains("backup-locked"), "{said}");
    let (done, said) = drill(&key, &good);
    assert!(!done && said.contains("already-exists"), "{said}");
    let take_in = |record: &str| lanyard(&gateway, &["restore", "drilled", record]);
    for record in [&good, &bad] {
        let (done, said) = take_in(record);
        assert!(done && said.starts_with("noted: "), "{said}");
        let (done, said) = take_in(record);
        assert!(!done && said.contains("drill-noted"), "{said}");
    }
    let text = std::fs::read_to_string(&good).unwrap();
    let other = |from: &str, to: &str| {
        let changed = text.replace(from, to);
        assert_ne!(changed, text);
        let file = place("other.json");
        std::fs::write(&file, changed).unwrap();
        take_in(&file).1
    };
    let of_another = other(&gateway.base, "https://elsewhere.example");
    assert!(of_another.contains("drill-of-another"), "{of_another}");
    let from_tomorrow = other("\"drilled_at\": \"2", "\"drilled_at\": \"3");
    assert!(
        from_tomorrow.contains("drill-in-the-future"),
        "{from_tomorrow}"
    );
    let invented = other("\"fit\"", "\"went well\"");
    assert!(invented.contains("drill-record-invalid"), "{invented}");
    // One that did not open says nothing of whose it is, and this gateway made no backup of that digest.
    let locked = std::fs::read_to_string(&bad).unwrap();
    let strange = place("strange.json");
    std::fs::write(&strange, locked.replace(&sha256, &"ab".repeat(32))).unwrap();
    let (done, said) = take_in(&strange);
    assert!(!done && said.contains("drill-of-another"), "{said}");

    // Something whose time is long over, and somebody who does not wait for the gateway to remove it.
    let store = gateway.database.open().await;
    let old = "INSERT INTO heartbeats (minute, process, ready) VALUES (1, 'of long ago', 1)";
    store.write([Statement::new(old)]).await.unwrap();
    store.close().await;
    let (done, said) = lanyard(&gateway, &["retention", "run"]);
    assert!(done, "{said}");

    let evidence = |name: &str, from: &str, to: &str| {
        let out = place(name);
        let words = [
            "evidence",
            "--out",
            &out,
            "--from",
            from,
            "--to",
            to,
            "--offline",
        ];
        let (done, said) = lanyard(&gateway, &words);
        assert!(done, "{said}");
        move |name: &str| -> Value {
            let text = std::fs::read_to_string(Path::new(&out).join(name)).unwrap();
            serde_json::from_str(&text).unwrap()
        }
    };
    let [yesterday, today] = days();
    let json = evidence("evidence", &today, &today);
    let backups = json("backups.json");
    let [made] = &backups["made"]["within"].as_array().unwrap()[..] else {
        panic!("{backups}")
    };
    assert_eq!(made["of"], format!("backup:{sha256}"));
    assert_eq!(
        (&made["detail"]["name"], &made["detail"]["with-secrets"]),
        (&"night.age".into(), &"no".into())
    );
    assert!(
        !made.to_string().contains(gateway.folder.to_str().unwrap()),
        "{made}"
    );
    let drills = backups["drills"]["within"].as_array().unwrap();
    let results: Vec<_> = drills
        .iter()
        .map(|one| one["detail"]["result"].as_str().unwrap())
        .collect();
    assert_eq!(results, ["fit", "backup-locked"]);
    assert!(
        drills
            .iter()
            .all(|one| one["of"] == made["of"] && one["detail"]["backup"] == "known")
    );
    assert!(
        drills[0]["detail"]["milliseconds"].as_i64().unwrap() > 0,
        "{backups}"
    );
    assert!(backups["drills"]["last_before"].is_null(), "{backups}");
    let retention = json("retention.json");
    let removed = retention["removed"].as_array().unwrap();
    let of = |rule: &str| {
        removed
            .iter()
            .find(|one| one["rule"] == rule)
            .unwrap_or_else(|| panic!("{retention}"))
    };
    assert_eq!(
        (&of("heartbeats")["removed"], &of("heartbeats")["rounds"]),
        (&1.into(), &1.into())
    );
    assert_eq!(of("heartbeats")["day"], *today);
    assert!(of("round")["rounds"].as_i64().unwrap() >= 2, "{retention}");
    assert_eq!(
        retention["by_hand"].as_array().unwrap().len(),
        1,
        "{retention}"
    );
    // The program names itself in its bill by what the evidence says of it.
    let program = &json("sbom.cdx.json")["metadata"]["component"];
    assert_eq!(
        program["hashes"][0]["content"],
        json("version.json")["program_sha256"]
    );

    // Of a time before, nothing of it.
    let json = evidence("before", &yesterday, &yesterday);
    assert_eq!(
        json("backups.json")["made"]["within"],
        Value::Array(Vec::new())
    );
    assert_eq!(json("retention.json")["removed"], Value::Array(Vec::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_on_an_organisation_that_is_gone_is_released_and_none_is_placed() {
    let gateway = Operated::prepare(Database::sqlite());
    assert!(lanyard(&gateway, &["retention", "holds"]).0);
    let store = gateway.database.open().await;
    let hold = "INSERT INTO legal_holds (kind, subject, reason, placed_at) VALUES ('organisation', 'gone', 'inquiry 17', 1)";
    store.write([Statement::new(hold)]).await.unwrap();
    store.close().await;
    let of_it = ["--organisation", "gone"];
    let place = [&["retention", "hold", "--reason", "again"], &of_it[..]].concat();
    let (done, said) = lanyard(&gateway, &place);
    assert!(!done && said.contains("no organisation gone"), "{said}");
    let release = [&["retention", "release"], &of_it[..]].concat();
    let (done, said) = lanyard(&gateway, &release);
    assert!(done && said.contains("released"), "{said}");
    let (done, said) = lanyard(&gateway, &release);
    assert!(!done && said.contains("no organisation gone"), "{said}");
}
