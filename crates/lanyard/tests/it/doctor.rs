//! What `lanyard doctor` sees that only whoever has the machine can see: its files, and the mail of what stands beside the gateway.
//! What the database tells is tried in the gateway's tests, since both find it by the same checks.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use mail_catcher::Catcher;
use serde_json::Value;

use crate::operated::{LANYARD, new_folder};
use crate::ports::Ports;

/// What the doctor found, and whether it was content.
pub(crate) async fn doctor(config: &Path, more: &[&str]) -> (bool, Vec<Value>) {
    let mut command = Command::new(LANYARD);
    command
        .args(["doctor", "--json", "--config"])
        .arg(config)
        .args(more)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null());
    // The mail server of these tests lives in this process and goes on meanwhile.
    let seen = tokio::task::spawn_blocking(move || command.output().unwrap());
    let seen = seen.await.unwrap();
    let lines = String::from_utf8(seen.stdout).unwrap();
    let found = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    (seen.status.success(), found.collect())
}

/// The only finding of that name: how bad it is, what it says, and what to do.
pub(crate) fn only<'a>(found: &'a [Value], code: &str) -> [&'a str; 3] {
    let mut named = found.iter().filter(|one| one["code"] == code);
    let one = named.next().unwrap_or_else(|| panic!("{code}: {found:?}"));
    assert!(named.next().is_none(), "{code}: {found:?}");
    ["state", "says", "remedy"].map(|name| one[name].as_str().unwrap_or_default())
}

/// A portal that sends mails in that way.
fn portal(folder: &Path, mail: &str) -> PathBuf {
    let file = folder.join("portal.toml");
    let text = format!(
        r#"
public_url = "https://staff.anytown.example"
listen = "127.0.0.1:8402"
database = "sqlite:{0}/portal.db"
organisation = "Anytown NHS Trust"
[gateway]
url = "https://credentials.example.org"
dialect = "plain"
client_id = "portal"
client_secret = {{ file = "{0}/secret" }}
signing_key = {{ file = "{0}/key" }}
organisation_id = "anytown"
{mail}
"#,
        folder.display()
    );
    fs::write(&file, text).unwrap();
    file
}

fn by_smtp(port: u16, more: &str) -> String {
    format!(
        "[mail]\nhost = \"127.0.0.1\"\nport = {port}\nfrom = \"Anytown <staff@anytown.example>\"\n\
         contact = \"hr@anytown.example\"\n{more}"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_server_that_takes_no_mail_is_told_before_an_employee_needs_one_and_none_is_sent() {
    let folder = new_folder();
    let catcher = Catcher::open(&folder.join("mail"), Arc::new(Timestamp::now)).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = catcher.serve_smtp(vec![listener]);
    let serving = tokio::spawn(async move {
        serving.await;
    });
    // Of no gateway, so that nothing but the mail takes time.
    let none = folder.join("none.toml");
    let look = async |mail: &str| {
        let file = portal(&folder, mail);
        let (_, found) = doctor(&none, &["--portal", file.to_str().unwrap()]).await;
        let [state, says, remedy] = only(&found, "mail");
        assert_eq!(remedy.is_empty(), state == "good", "{found:?}");
        (state.to_owned(), says.to_owned())
    };
    let open = by_smtp(port, "security = \"loopback\"\n");
    let (state, says) = look(&open).await;
    assert_eq!(state, "good", "{says}");
    assert!(
        says.starts_with(&format!("127.0.0.1:{port} takes mails")),
        "{says}"
    );
    assert_eq!((catcher.connections(), catcher.messages().len()), (1, 0));

    // The default: no mail without TLS.
    let (state, says) = look(&by_smtp(port, "")).await;
    assert_eq!(state, "bad");
    assert!(says.contains("mail-server-without-tls"), "{says}");
    let (state, says) = look("").await;
    assert_eq!(state, "look");
    assert!(says.contains("says of no mail"), "{says}");
    let (state, says) = look(&by_smtp(port, "username = \"portal\"\n")).await;
    assert_eq!(state, "bad");
    assert!(says.contains("mail.username"), "{says}");

    serving.abort();
    assert!(serving.await.unwrap_err().is_cancelled());
    let (state, says) = look(&open).await;
    assert_eq!(state, "bad");
    assert!(says.contains("mail-server-unreachable"), "{says}");

    // A sidecar's is looked at, too; and a file that says something else is no mail.
    let file = folder.join("sidecar.toml");
    fs::write(&file, "listen = 1").unwrap();
    let (content, found) = doctor(&none, &["--sidecar", file.to_str().unwrap()]).await;
    assert!(!content);
    assert_eq!(only(&found, "mail")[0], "bad");
    let (_, found) = doctor(&none, &["--offline", "--sidecar", file.to_str().unwrap()]).await;
    assert!(found.iter().all(|one| one["code"] != "mail"), "{found:?}");
    fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_others_change_old_secrets_and_an_address_that_nobody_answers_are_told() {
    let folder = new_folder();
    let ports = Ports::claim();
    let place = folder.join("gateway");
    let mut init = Command::new(LANYARD);
    let public = format!("https://localhost:{}", ports.first);
    init.arg("init")
        .arg(&place)
        .args(["--public-url", public.as_str()])
        .stdin(Stdio::null());
    let made = tokio::task::spawn_blocking(move || init.output().unwrap());
    assert!(made.await.unwrap().status.success());
    let config = place.join("gateway.toml");
    fs::set_permissions(&config, fs::Permissions::from_mode(0o666)).unwrap();
    let long_ago = SystemTime::now() - Duration::from_hours(24 * 367);
    let age = |path: PathBuf| File::open(path).unwrap().set_modified(long_ago).unwrap();
    age(place.join("secrets/storage"));
    let keys = fs::read_dir(place.join("keys")).unwrap();
    keys.for_each(|file| age(file.unwrap().path()));

    let (content, found) = doctor(&config, &[]).await;
    assert!(!content);
    let [state, says, _] = only(&found, "configuration-file");
    assert_eq!(state, "bad", "{says}");
    let [state, says, _] = only(&found, "age");
    assert_eq!(state, "look");
    assert!(
        says.ends_with("secrets/storage"),
        "no key is a file's age: {says}"
    );
    let [state, says, remedy] = only(&found, "reach");
    assert_eq!(state, "bad");
    assert!(says.contains("does not answer"), "{says}");
    assert!(remedy.contains("gateway runs"), "{remedy}");
    assert_eq!(only(&found, "organisations")[0], "look");
    assert_eq!(only(&found, "tables")[0], "look");

    let (_, found) = doctor(&config, &["--certificate-authority", "/nowhere.pem"]).await;
    assert_eq!(only(&found, "tls")[0], "bad");
    fs::write(&config, "public_url = 1").unwrap();
    let (content, found) = doctor(&config, &[]).await;
    assert!(!content);
    assert_eq!(only(&found, "configuration")[0], "bad");
    fs::remove_dir_all(folder).unwrap();
}
