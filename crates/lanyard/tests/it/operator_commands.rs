//! A gateway set up from nothing by its operator: init, doctor, apply, client; beside the running gateway.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::database::{Database, on_both_engines};
use crate::operated::{LANYARD, Operated, new_folder};

on_both_engines!(an_organisation_that_is_declared_beside_the_running_gateway_is_served_by_it);

fn lanyard(arguments: &[&str], config: &Path) -> Output {
    Command::new(LANYARD)
        .args(arguments)
        .arg("--config")
        .arg(config)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    let Output { stdout, stderr, .. } = output;
    [stdout, stderr]
        .map(|text| String::from_utf8_lossy(text).into_owned())
        .concat()
}

fn newtown(folder: &Path, base: &str) -> std::path::PathBuf {
    let file = folder.join("newtown.toml");
    let text = format!(
        r#"
[[organisations]]
id = "newtown"
name = "Newtown NHS Trust"
issues = ["FireSafety"]
[[organisations.trust]]
credential_type = "Identity"
issuers = ["{base}/issuers/anytown"]
[[organisations.relying_parties]]
name = "Newtown staff services"
client_id = "newtown-staff"
redirect_uris = ["https://staff.newtown.example/callback"]
dialect = "plain"
"#
    );
    fs::write(&file, text).unwrap();
    file
}

async fn an_organisation_that_is_declared_beside_the_running_gateway_is_served_by_it(
    database: Database,
) {
    let gateway = Operated::started(database);
    let config = gateway.config_file();
    let file = newtown(&gateway.folder, &gateway.base);
    let file = file.to_str().unwrap();

    let planned = lanyard(&["apply", "-f", file, "--dry-run"], &config);
    assert_eq!(planned.status.code(), Some(2), "{}", said(&planned));
    assert!(
        said(&planned).contains("+ relying-party newtown-staff of newtown"),
        "{}",
        said(&planned)
    );
    // Nobody is there to be asked, and nobody said yes.
    let unasked = lanyard(&["apply", "-f", file], &config);
    assert!(
        !unasked.status.success() && said(&unasked).contains("--yes"),
        "{}",
        said(&unasked)
    );
    let applied = lanyard(&["apply", "-f", file, "--yes"], &config);
    assert!(applied.status.success(), "{}", said(&applied));
    assert!(
        said(&applied).contains("lanyard client secret new newtown-staff"),
        "{}",
        said(&applied)
    );
    let again = lanyard(&["apply", "-f", file, "--yes"], &config);
    assert!(
        again.status.success() && said(&again).starts_with("Nothing to change"),
        "{}",
        said(&again)
    );

    // The secret stands by itself on standard output.
    let made = lanyard(&["client", "secret", "new", "newtown-staff"], &config);
    let secret = String::from_utf8(made.stdout)
        .unwrap()
        .trim_end()
        .to_owned();
    assert!(
        secret.len() == 43 && !secret.contains(char::is_whitespace),
        "one line and no more"
    );

    // The gateway that runs all the while serves both within seconds.
    let client = gateway.client(&std::sync::Arc::default());
    let form = [
        ("redirect_uri", "https://staff.newtown.example/callback"),
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
    let began = std::time::Instant::now();
    loop {
        let push = client
            .post(gateway.url("/par"))
            .basic_auth("newtown-staff", Some(&secret))
            .form(&form);
        let answer = push.send().await.unwrap();
        if answer.status() == reqwest::StatusCode::CREATED {
            break;
        }
        assert!(
            began.elapsed().as_secs() < 20,
            "{}",
            answer.text().await.unwrap()
        );
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let issuer = client
        .get(gateway.url("/issuers/newtown/did.json"))
        .send()
        .await
        .unwrap();
    assert!(issuer.status().is_success());
    assert!(!gateway.log().contains(&secret), "no secret is in the log");

    let listed = lanyard(&["client", "secret", "list", "newtown-staff"], &config);
    assert!(said(&listed).contains("live"), "{}", said(&listed));
    let noted = [
        "client",
        "onboarding",
        "newtown-staff",
        "--item",
        "penetration-test",
        "--evidence",
        "report PT-117",
        "--on",
        "2026-11-20",
    ];
    assert!(lanyard(&noted, &config).status.success());
    let list = lanyard(
        &["client", "onboarding", "newtown-staff", "--json"],
        &config,
    );
    let list: Value = serde_json::from_slice(&list.stdout).unwrap();
    let settled: Vec<&Value> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|item| !item["settled"].is_null())
        .collect();
    assert_eq!(settled.len(), 1);
    assert_eq!(settled[0]["settled"]["settled_on"], "2026-11-20");

    // And the doctor, who asks from outside, finds all of it.
    let authority = gateway.folder.join("authority.pem");
    fs::write(&authority, &gateway.certificate_authority).unwrap();
    let seen = lanyard(
        &[
            "doctor",
            "--json",
            "--certificate-authority",
            authority.to_str().unwrap(),
        ],
        &config,
    );
    let findings: Vec<Value> = String::from_utf8(seen.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let state = |code: &str| {
        findings
            .iter()
            .find(|one| one["code"] == code)
            .map(|one| &one["state"])
    };
    for code in [
        "configuration",
        "secret-files",
        "reach",
        "certificate",
        "documents",
        "proxy",
        "keys",
        "organisations",
    ] {
        assert_eq!(state(code).unwrap(), "good", "{findings:?}");
    }
    // How fast its disk is is this machine's affair.
    assert_ne!(state("database").unwrap(), "bad", "{findings:?}");
}

/// From an empty folder to a gateway that could start, and what a doctor says of one that is unsound.
#[test]
fn a_gateway_is_set_up_from_nothing_and_nothing_is_overwritten() {
    let folder = new_folder();
    let place = folder.join("gateway");
    let init = || {
        let mut command = Command::new(LANYARD);
        command
            .arg("init")
            .arg(&place)
            .args(["--public-url", "https://credentials.invalid"]);
        command.stdin(Stdio::null()).output().unwrap()
    };
    let made = init();
    assert!(made.status.success(), "{}", said(&made));
    let config = place.join("gateway.toml");
    let before = fs::read_to_string(&config).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place.join("secrets/storage")), 0o600);
    assert_eq!(mode(&place.join("secrets")), 0o700);
    let again = init();
    assert!(
        !again.status.success() && said(&again).contains("nothing was changed"),
        "{}",
        said(&again)
    );
    assert_eq!(fs::read_to_string(&config).unwrap(), before);

    let doctor = |more: &[&str]| {
        let seen = lanyard(&[&["doctor"], more].concat(), &config);
        (seen.status.success(), said(&seen))
    };
    let (sound, told) = doctor(&["--offline"]);
    assert!(sound && told.contains("this gateway can start"), "{told}");
    assert!(told.contains("LOOK  proxy"), "{told}");
    let (sound, told) = doctor(&[]);
    assert!(
        !sound && told.contains("BAD   dns") && told.contains("enter it in DNS"),
        "{told}"
    );

    // One human may be there twice, under one name, and would be a second person to themself.
    let declared = "\n[[organisations]]\nid = \"newtown\"\nname = \"Newtown\"\nissues = []\n";
    fs::write(&config, format!("{before}{declared}")).unwrap();
    let keys = lanyard(&["gateway", "--create-keys"], &config);
    assert!(keys.status.success(), "{}", said(&keys));
    let add = |more: &[&str]| {
        let role = ["operator", "add", "--role", "administrator"];
        let seen = lanyard(&[&role, more].concat(), &config);
        assert!(seen.status.success(), "{}", said(&seen));
    };
    add(&["ann"]);
    add(&["ben"]);
    add(&["ben-job", "--person", "ben"]);
    let (sound, told) = doctor(&["--offline"]);
    assert!(sound && told.contains("good  operators"), "{told}");
    add(&["ann", "--organisation", "newtown"]);
    let (sound, told) = doctor(&["--offline"]);
    let line = told
        .lines()
        .find(|line| line.starts_with("LOOK  operators"));
    let line = line.unwrap_or_else(|| panic!("{told}"));
    assert!(sound, "it is for a human to look at: {told}");
    assert!(
        line.contains("ann (op-")
            && line.contains(" of the whole gateway, op-")
            && line.contains(" of newtown)"),
        "{line}"
    );
    assert!(
        line.contains("--person ID") && !line.contains("ben"),
        "{line}"
    );
    let gone = lanyard(
        &["operator", "remove", "ann", "--organisation", "newtown"],
        &config,
    );
    assert!(gone.status.success(), "{}", said(&gone));
    let (_, told) = doctor(&["--offline"]);
    assert!(told.contains("good  operators"), "{told}");

    fs::set_permissions(
        place.join("secrets/storage"),
        fs::Permissions::from_mode(0o644),
    )
    .unwrap();
    let (sound, told) = doctor(&["--offline"]);
    assert!(
        !sound && told.contains("BAD   secret-files") && told.contains("secrets/storage"),
        "{told}"
    );
    fs::remove_dir_all(folder).unwrap();
}
