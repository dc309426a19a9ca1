//! The curl scripts of docs/integrate/examples as their reader runs them, beside a sandbox.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use lanyard::sandbox::Running;
use serde_json::Value;
use wallet::CredentialStatus;
use wallet::client::Client;

use crate::example_stage::{are_there, examples, sandbox};
use crate::ports::Ports;

/// What the scripts need.
const NEEDED: [&str; 4] = ["sh", "curl", "jq", "openssl"];
/// Every script.
const SCRIPTS: [&str; 5] = [
    "sandbox.sh",
    "verify.sh",
    "issue.sh",
    "revoke.sh",
    "sidecar.sh",
];

/// Runs a script for an employee; its standard output, and what it says besides.
async fn run(
    stage: &Running,
    employee: &str,
    script: &'static str,
    arguments: &[&str],
) -> (Option<i32>, String, String) {
    let mut command = Command::new("sh");
    command
        .arg(examples().join(script))
        .args(arguments)
        .env("LANYARD_SANDBOX", stage.data.join("sandbox.json"))
        .env("EMPLOYEE", employee);
    // The sandbox is in this process: it must go on meanwhile.
    let output: Output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_scripts_verify_issue_and_revoke_at_the_gateway_and_over_the_sidecar() {
    if !are_there(&NEEDED) {
        return;
    }
    let ports = Ports::claim();
    let (stage, _folder) = sandbox(&ports).await;
    let wallet = Client::new(stage.file.urls.wallet.clone());
    let anna = stage.file.employee("match").unwrap();

    let (code, claims, said) = run(&stage, "anna", "verify.sh", &[]).await;
    assert_eq!(code, Some(0), "{said}");
    let claims: Value = serde_json::from_str(&claims).unwrap();
    assert_eq!(claims["Identity.ID-LegalSurname"], "Taylor");
    assert_eq!(
        claims["Identity.UniqueIdentifier"],
        anna.unique_identifier.as_str()
    );

    let (code, serial_number, said) = run(&stage, "anna", "issue.sh", &["fire-safety"]).await;
    assert_eq!(code, Some(0), "{said}");
    let serial_number = serial_number.trim();
    let status = async || {
        let held = wallet.credentials("anna").await.unwrap().into_iter();
        let mut held = held.filter(|one| one.serial_number.as_deref() == Some(serial_number));
        held.next().unwrap().status
    };
    assert_eq!(status().await, CredentialStatus::Valid);
    for _ in 0..2 {
        let (code, _, said) = run(&stage, "anna", "revoke.sh", &[serial_number]).await;
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(status().await, CredentialStatus::Revoked);
    }
    let (code, _, _) = run(&stage, "anna", "revoke.sh", &[serial_number, "programme"]).await;
    assert_ne!(code, Some(0), "revoked under another type");

    // Twice: the second time there is an old copy.
    for _ in 0..2 {
        let (code, said, complaint) = run(&stage, "anna", "sidecar.sh", &[]).await;
        assert_eq!(code, Some(0), "{said}{complaint}");
        for line in [
            "Identity: verified",
            "Credential: added, serial number ",
            "change: 1",
            "Credential: cancelled",
        ] {
            assert!(said.contains(line), "{said}");
        }
    }

    let (code, claims, said) = run(&stage, "rupa", "verify.sh", &[]).await;
    assert_eq!((code, claims.as_str()), (Some(1), ""), "{said}");
    assert!(
        said.contains("the credential has been cancelled by its issuer"),
        "{said}"
    );
    let (code, said, _) = run(&stage, "peter", "sidecar.sh", &[]).await;
    assert_eq!((code, said.as_str()), (Some(1), "Identity: mismatch\n"));

    stage.stop().await;
}

#[test]
fn the_scripts_stop_at_the_first_fault_and_say_nothing_that_shellcheck_minds() {
    for script in &SCRIPTS[1..] {
        let text = std::fs::read_to_string(examples().join(script)).unwrap();
        assert!(text.lines().any(|line| line == "set -eu"), "{script}");
    }
    let files = SCRIPTS.iter().map(|script| examples().join(script));
    let mut shellcheck = Command::new("shellcheck");
    let checked = shellcheck.arg("--external-sources").args(files).output();
    let Ok(checked) = checked else {
        println!("skipped: shellcheck is not on this machine");
        return;
    };
    let said = String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success(), "{said}");
}

/// A file of the repository.
fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(root.join(path)).unwrap()
}

/// The sidecar's addresses, as it describes them.
fn described() -> Value {
    let text = read("docs/reference/sidecar.openapi.json");
    let mut described: Value = serde_json::from_str(&text).unwrap();
    described["paths"].take()
}

#[test]
fn the_page_about_the_sidecar_names_each_of_its_addresses_and_problems() {
    let page = read("docs/integrate/sidecar.md");
    for path in described().as_object().unwrap().keys() {
        assert!(page.contains(path.as_str()), "{path} is not explained");
    }
    let problems = read("crates/sidecar/src/problem.rs");
    let rows = problems.lines().filter(|line| line.contains(" => ("));
    let codes: Vec<_> = rows.filter_map(|row| row.split('"').nth(1)).collect();
    assert!(codes.len() > 20, "{codes:?}");
    for code in codes {
        assert!(
            page.contains(&format!("`{code}`")),
            "{code} is not explained"
        );
    }
}

/// Nobody compiles them: at least every address is one that the sidecar has, and takes what both outlines send there.
#[test]
fn the_outlines_in_java_and_c_sharp_post_to_nothing_but_addresses_of_the_sidecars() {
    let described = described();
    for outline in ["docs/integrate/spring.md", "docs/integrate/aspnet.md"] {
        let page = read(outline);
        let named: BTreeSet<&str> = page
            .match_indices("/v1/")
            .map(|(at, _)| {
                let rest = &page[at..];
                let ends =
                    |letter: char| !(letter.is_ascii_alphanumeric() || "/-_{}".contains(letter));
                &rest[..rest.find(ends).unwrap_or(rest.len())]
            })
            .collect();
        assert!(named.len() >= 7, "{outline} names only {named:?}");
        for path in named {
            let post = &described[path]["post"];
            assert!(
                post.is_object(),
                "{outline}: nothing takes a POST to {path}"
            );
        }
    }
}
