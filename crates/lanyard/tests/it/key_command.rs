//! `lanyard key` beside a gateway that runs: what the command says, and that the process follows by itself.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::database::Database;
use crate::operated::{LANYARD, Operated};

/// How long the running process may take to follow, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the command printed to standard output, or why it failed.
pub(crate) fn key(gateway: &Operated, words: &[&str]) -> Result<String, String> {
    let output = Command::new(LANYARD)
        .arg("key")
        .args(words)
        .env("LANYARD_CONFIG", gateway.config_file())
        .envs(gateway.environment.iter().cloned())
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    if output.status.success() {
        Ok(text(output.stdout))
    } else {
        Err(text(output.stderr))
    }
}

/// The id of the key of that place in that state.
pub(crate) fn kid(list: &str, place: &str, state: &str) -> String {
    let words = |line: &str| {
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let lines = list.lines().map(words);
    let mut found = lines.filter(|words| words[1] == place && words[3] == state);
    found
        .next()
        .unwrap_or_else(|| panic!("no {state} key of {place} in\n{list}"))[0]
        .clone()
}

/// Waits until the running process publishes a key, or does not any more.
pub(crate) async fn publishes(gateway: &Operated, path: &str, kid: &str, wanted: bool) {
    let (client, start) = (gateway.client(&Arc::default()), Instant::now());
    loop {
        let answer = client.get(gateway.url(path)).send().await.unwrap();
        if answer.text().await.unwrap().contains(kid) == wanted {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{kid} at {path}: not {wanted}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_change_by_command_while_the_gateway_runs() {
    let gateway = Operated::started(Database::sqlite());
    let (place, did) = ("anytown.credentials", "/issuers/anytown/did.json");
    let list = key(&gateway, &["list"]).unwrap();
    assert_eq!(list.lines().count(), 7, "{list}");
    let first = kid(&list, place, "active");
    publishes(&gateway, did, &first, true).await;

    let said = key(&gateway, &["rotate", place]).unwrap();
    assert!(
        said.trim_end().ends_with("anytown.credentials  is next"),
        "{said}"
    );
    let list = key(&gateway, &["list"]).unwrap();
    assert!(list.contains("next         since "), "{list}");
    assert!(list.contains("; may sign from "), "{list}");
    let next = kid(&list, place, "next");
    publishes(&gateway, did, &next, true).await;
    let refused = key(&gateway, &["activate", &next]).unwrap_err();
    assert!(refused.contains("--at-once does it now"), "{refused}");
    let said = key(&gateway, &["activate", &next, "--at-once"]).unwrap();
    assert!(
        said.contains(&format!("{first}  {place}  is verify-only")),
        "{said}"
    );
    let list = key(&gateway, &["list"]).unwrap();
    assert!(
        list.contains("; 0 credentials still verify with this key"),
        "{list}"
    );

    let file = gateway.folder.join("leaked.txt");
    let words = [
        "compromised",
        &next,
        "--serial-numbers",
        file.to_str().unwrap(),
    ];
    let said = key(&gateway, &words).unwrap();
    assert!(
        said.contains(&format!("{next}  {place}  is compromised")),
        "{said}"
    );
    assert!(
        said.contains("0 credentials in force bear a signature"),
        "{said}"
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "");
    publishes(&gateway, did, &next, false).await;
    let third = kid(&key(&gateway, &["list"]).unwrap(), place, "active");
    publishes(&gateway, did, &third, true).await;
    assert!(!key(&gateway, &["list"]).unwrap().contains(&next));
    assert_eq!(
        kid(
            &key(&gateway, &["list", "--all"]).unwrap(),
            place,
            "compromised"
        ),
        next
    );
    // A list of serial numbers is not written over, and then nothing is done either.
    let words = [
        "compromised",
        &third,
        "--serial-numbers",
        file.to_str().unwrap(),
    ];
    assert!(
        key(&gateway, &words)
            .unwrap_err()
            .contains("cannot be made")
    );
    assert_eq!(
        kid(&key(&gateway, &["list"]).unwrap(), place, "active"),
        third
    );

    for (words, reason) in [
        (vec!["retire", &third], "there is no next key"),
        (vec!["remove", &third], "another has to sign first"),
        (vec!["remove", &first], "--force removes it now"),
        (
            vec!["remove", "-nothing"],
            "there is no key with the id -nothing",
        ),
        (
            vec!["create", "nowhere.credentials"],
            "names no place of a key",
        ),
        (
            vec!["create", "anytown.status", "--algorithm", "RS256"],
            "does not sign with RS256",
        ),
        (
            vec!["create", "id-token-es256", "--algorithm", "ES384"],
            "does not sign with ES384",
        ),
    ] {
        let refused = key(&gateway, &words).unwrap_err();
        assert!(refused.contains(reason), "{words:?}: {refused}");
    }
    key(&gateway, &["remove", &first, "--force"]).unwrap();
    publishes(&gateway, did, &first, false).await;
}

#[test]
fn without_a_configuration_it_says_which_is_missing() {
    let output = Command::new(LANYARD)
        .args(["key", "list"])
        .env_remove("LANYARD_CONFIG")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && said.contains("say --config FILE"),
        "{said}"
    );
}
