//! A gateway that is watched as its operator does: figures on their own port, a stop that a load balancer notices, and
//! the commands that read its database.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use store::Statement;

use crate::by_hand::{Journey, Step, revoke, send};
use crate::database::Database;
use crate::holder::{Format, Holder};
use crate::operated::{CLIENT_ID, LANYARD, ORGANISATION, Operated, terminate};
use crate::ports::Ports;

/// `lanyard …` with this gateway's configuration; what it printed, and whether it was content.
fn lanyard(gateway: &Operated, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(LANYARD);
    command
        .args(arguments)
        .arg("--config")
        .arg(gateway.config_file())
        .env_remove("RUST_LOG");
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let said = [stdout, stderr].map(|text| String::from_utf8(text).unwrap());
    (status.success(), said.concat())
}

async fn get(address: &str) -> Option<(u16, String)> {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.get(address).send().await.ok()?;
    Some((answer.status().as_u16(), answer.text().await.ok()?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_reads_figures_asks_why_and_stops_without_a_request_being_refused() {
    let ports = Ports::claim();
    let metrics = format!("http://127.0.0.1:{}", ports.first);
    let mut gateway = Operated::prepare(Database::sqlite());
    let watched = format!(
        "{}\n[metrics]\nlisten = \"127.0.0.1:{}\"\n[availability]\nnot_ready_seconds = 20\n",
        gateway.config, ports.first
    );
    gateway.write_config(&watched);
    gateway.write_keys();
    gateway.start();

    let mut holder = Holder::new(Format::W3c);
    let mut journey = Journey::to_issue();
    journey.take_from(Step::Push, &gateway, &mut holder).await;
    let serial = journey.serial_number.to_string();
    let mut left = Journey::to_issue();
    left.take_until(Step::Credential, &gateway, &mut holder)
        .await;

    let (status, figures) = get(&format!("{metrics}/metrics")).await.unwrap();
    assert_eq!(status, 200);
    let issued = format!(
        "lanyard_interaction_steps_total{{purpose=\"issue\",client=\"{CLIENT_ID}\",stage=\"issued\"}} 1"
    );
    for line in [
        issued.as_str(),
        "lanyard_tls_certificate_end_timestamp_seconds ",
        "lanyard_secret_changed_timestamp_seconds{secret=\"storage\"} ",
        "lanyard_secret_changed_timestamp_seconds{secret=\"key:id-token-es256\"} ",
    ] {
        assert!(figures.contains(line), "{line}\n{figures}");
    }

    // By the serial number, and then by the reference that it has.
    revoke(&gateway, journey.serial_number).await;
    let (found, said) = lanyard(&gateway, &["interaction", "show", &serial, "--json"]);
    assert!(found, "{said}");
    let told: Value = serde_json::from_str(&said).unwrap();
    let reference = told[0]["reference"].as_str().unwrap().to_owned();
    let (found, said) = lanyard(
        &gateway,
        &["interaction", "show", &reference.to_lowercase()],
    );
    assert!(found, "{said}");
    for line in [
        "collected",
        "the credential was revoked: the external system asked for it",
        CLIENT_ID,
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert!(!gateway.log().contains(&serial), "{}", gateway.log());
    assert!(gateway.log().contains(&reference));
    // One that came to nothing is told as whoever asks needs it.
    let mut replayed = Journey::to_issue();
    replayed.take_from(Step::Push, &gateway, &mut holder).await;
    let again = replayed.request(Step::Token, &gateway, &holder).await;
    let again = send(&gateway.client(&replayed.cookies), again).await;
    assert_eq!(again.status, 400, "{}", again.body);
    let (_, tail) = lanyard(&gateway, &["interaction", "tail", "--once"]);
    assert!(
        tail.lines().count() >= 8 && tail.contains(&reference),
        "{tail}"
    );
    let (_, json) = lanyard(&gateway, &["interaction", "tail", "--once", "--json"]);
    let told: Vec<Value> = json
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let cause = told
        .iter()
        .find(|line| line["cause"] == "code-replayed" && line["person"].is_string());
    let cause = cause.unwrap_or_else(|| panic!("no cause: {json}"));
    for voice in ["person", "desk", "developer"] {
        let line = format!("{voice}: {}", cause[voice].as_str().unwrap());
        assert!(tail.contains(&line), "{line}: {tail}");
    }
    let (found, said) = lanyard(&gateway, &["interaction", "show", "0000-0000"]);
    assert!(
        !found && said.contains("no interaction is known by that"),
        "{said}"
    );

    let (planned, said) = lanyard(&gateway, &["retention", "plan"]);
    assert!(planned && said.contains("personal-values"), "{said}");
    let hold = [
        "retention",
        "hold",
        "--interaction",
        &reference,
        "--reason",
        "inquiry 17",
    ];
    assert_eq!(lanyard(&gateway, &hold), (true, "held\n".to_owned()));
    let (_, said) = lanyard(&gateway, &["retention", "holds"]);
    assert!(
        said.contains(&format!("interaction {reference}: inquiry 17")),
        "{said}"
    );
    let release = ["retention", "release", "--interaction", &reference];
    assert_eq!(lanyard(&gateway, &release), (true, "released\n".to_owned()));
    let unknown = [
        "retention",
        "hold",
        "--organisation",
        "nowhere",
        "--reason",
        "x",
    ];
    assert!(!lanyard(&gateway, &unknown).0);
    // A rule that stops before its end is named: here somebody else is quicker with each of its rows.
    let store = gateway.database.open().await;
    let old = "INSERT INTO heartbeats (minute, process, ready) VALUES (1, 'of long ago', 1)";
    let quicker =
        "CREATE TRIGGER quicker BEFORE DELETE ON heartbeats BEGIN SELECT RAISE(IGNORE); END";
    let made = [old, quicker].map(Statement::new);
    store.write(made).await.unwrap();
    let unfinished = "not all that is due by these rules was deleted: heartbeats; run this again";
    let (ran, said) = lanyard(&gateway, &["retention", "run"]);
    assert!(ran && said.contains(unfinished), "{said}");
    let no_longer = Statement::new("DROP TRIGGER quicker");
    store.write([no_longer]).await.unwrap();
    store.close().await;
    let (ran, said) = lanyard(&gateway, &["retention", "run"]);
    assert!(
        ran && said.contains("rows were deleted: interactions") && !said.contains("not all"),
        "{said}"
    );

    let report = [
        "report",
        "availability",
        "--from",
        "2026-01-01",
        "--to",
        "2026-01-02",
        "--hours",
        "24x7",
    ];
    let (reported, said) = lanyard(&gateway, &report);
    assert!(
        reported && said.contains("nothing is known of these hours"),
        "{said}"
    );
    let (reported, said) = lanyard(
        &gateway,
        &[
            "report",
            "availability",
            "--from",
            "2026-01-01",
            "--to",
            "2026-01-02",
            "--hours",
            "always",
        ],
    );
    assert!(!reported && said.contains("hours are written as"), "{said}");

    stop_slowly(&mut gateway, &metrics).await;
    let (_, organisations) = lanyard(
        &gateway,
        &[
            "retention",
            "hold",
            "--organisation",
            ORGANISATION,
            "--reason",
            "x",
        ],
    );
    assert_eq!(organisations, "held\n");
}

/// Told to stop, it says that it is not ready and answers all the same; told again, it goes.
async fn stop_slowly(gateway: &mut Operated, metrics: &str) {
    let ready = format!("{metrics}/readyz");
    assert_eq!(get(&ready).await.unwrap().0, 200);
    gateway.signal_to_stop();
    let began = Instant::now();
    let stopping = loop {
        let (status, said) = get(&ready).await.expect("it goes on answering");
        if status == 503 {
            break said;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "it stays ready");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(stopping.contains("\"stopping\""), "{stopping}");
    let client = gateway.client(&std::sync::Arc::default());
    for (path, wanted) in [
        ("/readyz", 503),
        ("/healthz", 200),
        ("/.well-known/openid-configuration", 200),
    ] {
        let answer = client.get(gateway.url(path)).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), wanted, "{path}");
    }
    let status = gateway.terminate();
    assert_eq!(status.code(), Some(0), "{}", gateway.log());
    assert!(
        began.elapsed() < Duration::from_secs(18),
        "the second signal ends the wait"
    );
}

/// How long a line may take, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(30);

/// `lanyard interaction tail`, which ends with its test at the latest.
struct Watch(Child);

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whoever watches reads of a failure as it happens, and goes on watching until they have seen enough.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_is_told_to_whoever_watches_until_the_watch_is_stopped() {
    let gateway = Operated::started(Database::sqlite());
    let mut watch = Command::new(LANYARD);
    watch
        .args(["interaction", "tail", "--json", "--config"])
        .arg(gateway.config_file())
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut watch = Watch(watch.spawn().unwrap());
    let said = BufReader::new(watch.0.stdout.take().unwrap());
    let (hears, lines) = std::sync::mpsc::channel();
    std::thread::spawn(move || said.lines().try_for_each(|line| hears.send(line.unwrap())));
    let mut told = HashSet::new();
    let mut until = |is_it: &dyn Fn(&Value) -> bool| -> Value {
        loop {
            let line = lines.recv_timeout(PATIENCE).expect("it is told");
            assert!(told.insert(line.clone()), "told twice: {line}");
            let line = serde_json::from_str(&line).unwrap();
            if is_it(&line) {
                return line;
            }
        }
    };

    // It is not the first look that tells of the failure.
    let (mut holder, mut journey) = (Holder::new(Format::W3c), Journey::to_issue());
    journey.take_from(Step::Push, &gateway, &mut holder).await;
    let step = until(&|line| line["step"] == "collected");
    let again = journey.request(Step::Token, &gateway, &holder).await;
    let again = send(&gateway.client(&journey.cookies), again).await;
    assert_eq!(again.status, 400, "{}", again.body);
    let failed = until(&|line| line["cause"] == "code-replayed" && line["desk"].is_string());
    assert_eq!(failed["reference"], step["reference"]);
    assert_eq!(failed["client_id"], CLIENT_ID);

    let status = terminate(&mut watch.0);
    assert!(status.success(), "{status}");
}
