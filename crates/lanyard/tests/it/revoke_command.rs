//! `lanyard revoke`, `suspend` and `reinstate`, beside a gateway that runs.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use store::Statement;

use crate::by_hand::{Journey, Step};
use crate::database::Database;
use crate::holder::{Format, Holder};
use crate::operated::{LANYARD, ORGANISATION, Operated};

/// What the command said to either side, and whether it was content.
pub(crate) fn run(gateway: &Operated, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(LANYARD);
    command
        .args(arguments)
        .args(["--organisation", ORGANISATION, "--config"])
        .arg(gateway.config_file());
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    (output.status.success(), said.concat())
}

/// A credential, issued by the gateway that runs: its serial number, its list and the list's tag.
async fn issued(gateway: &Operated) -> (String, String) {
    let mut holder = Holder::new(Format::W3c);
    let mut journey = Journey::to_issue();
    journey.take_from(Step::Push, gateway, &mut holder).await;
    let select =
        "SELECT serial_number, list FROM credentials ORDER BY issued_at DESC, serial_number";
    let rows = gateway.rows(Statement::new(select)).await;
    let list = rows[0].integer("list").unwrap();
    let path = format!("/issuers/{ORGANISATION}/status/{list}");
    (rows[0].text("serial_number").unwrap().to_owned(), path)
}

/// Waits until the running gateway publishes another list than that one.
async fn changed(gateway: &Operated, path: &str, before: &str) -> String {
    let client = gateway.client(&Arc::default());
    let began = Instant::now();
    loop {
        let request = client
            .get(gateway.url(path))
            .header("if-none-match", before);
        let answer = request.send().await.unwrap();
        if answer.status() == 200 {
            return answer.headers()["etag"].to_str().unwrap().to_owned();
        }
        assert!(
            began.elapsed() < Duration::from_secs(3),
            "the list stays as it is"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// SEC-27.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_operator_does_counts_at_the_running_gateway_within_a_second() {
    let gateway = Operated::started(Database::sqlite());
    let (serial, path) = issued(&gateway).await;
    let mut etag = changed(&gateway, &path, "none").await;
    for (arguments, said) in [
        (
            ["suspend", &serial, "--reason=under-review"].as_slice(),
            "is suspended",
        ),
        (&["reinstate", &serial], "is in force"),
        (
            &["revoke", &serial, "--reason=left-employment"],
            "is revoked",
        ),
    ] {
        let (content, text) = run(&gateway, arguments);
        assert!(content && text.contains(said), "{text}");
        etag = changed(&gateway, &path, &etag).await;
    }
    let again = run(&gateway, &["revoke", &serial, "--reason=other"]);
    assert!(
        again.0 && again.1.contains("was revoked already"),
        "{}",
        again.1
    );
    for (arguments, said) in [
        (
            ["reinstate", &serial].as_slice(),
            "neither suspended nor reinstated",
        ),
        (
            &["reinstate", &serial, "--type=Nothing"],
            "no such credential",
        ),
        (&["revoke", &serial, "--reason=because"], "left-employment"),
        (&["revoke", "--reason=other"], "SERIAL_NUMBER"),
    ] {
        let (content, text) = run(&gateway, arguments);
        assert!(!content && text.contains(said), "{text}");
    }
}

/// SEC-27.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_counted_first_and_revoked_once_however_often_it_is_given() {
    let gateway = Operated::started(Database::sqlite());
    let (serial, path) = issued(&gateway).await;
    let etag = changed(&gateway, &path, "none").await;
    let file = gateway.folder.join("leavers.csv");
    let unknown = "3f0c1c1e-52f4-4b6f-9b2f-6f3a0a9f8d10";
    std::fs::write(
        &file,
        format!("serial_number,note\n{serial},\n{unknown},\n"),
    )
    .unwrap();
    let named = format!("--file={}", file.display());
    let dry = ["revoke", &named, "--reason=left-employment", "--dry-run"];
    let (content, text) = run(&gateway, &dry);
    assert!(
        content && text.contains("1 in force, 0 expired, 0 revoked already, 1 unknown"),
        "{text}"
    );
    assert!(text.contains("nothing was changed"), "{text}");

    let apply = [
        "revoke",
        &named,
        "--reason=left-employment",
        "--apply",
        "--ticket=INC123",
    ];
    let unticketed = run(&gateway, &apply[..4]);
    assert!(
        !unticketed.0 && unticketed.1.contains("--ticket"),
        "{}",
        unticketed.1
    );
    for _ in 0..2 {
        let (content, text) = run(&gateway, &apply);
        let done = "done: 1 revoked, 0 revoked before, 1 unknown";
        assert!(content && text.contains(done), "{text}");
    }
    changed(&gateway, &path, &etag).await;
    // Somebody stopped it, for good: the same order does nothing more, and says so.
    let store = gateway.database.open().await;
    let stop = Statement::new("UPDATE revocation_jobs SET stage = 'stopped'").must_change(1);
    store.write([stop]).await.unwrap();
    store.close().await;
    let (content, text) = run(&gateway, &apply);
    assert!(!content && text.contains("was stopped"), "{text}");
    let (_, text) = run(&gateway, &dry);
    assert!(
        text.contains("0 in force, 0 expired, 1 revoked already, 1 unknown"),
        "{text}"
    );

    std::fs::write(&file, format!("{serial}\nnobody\n")).unwrap();
    let (content, text) = run(&gateway, &dry);
    assert!(!content && text.contains("line 2"), "{text}");
}
