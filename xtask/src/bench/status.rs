//! `bench status`: the status lists of millions of credentials.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde_json::json;

use super::load;
use super::report::{Report, megabytes, milliseconds, number, verdict};
use super::server::{ALGORITHMS, Programs, Server, Setting};
use crate::cargo::{cargo, succeeds, target_folder};

/// Credentials in the database, unless the command says otherwise.
pub(super) const CREDENTIALS: u64 = 10_000_000;
/// On one list: a quarter of its places, as many as it has when the gateway opens the next.
const ON_A_LIST: u64 = 1 << 15;
/// How many are revoked, one after the other.
const CHANGES: u64 = 200;
/// How many wallets present a credential until it is refused, at each process.
const PRESENTED: u64 = 100;

/// Microseconds to publish and to be seen; bytes of memory; answers a second.
const AIM_PUBLISH: f64 = 200e3;
const AIM_SEEN: f64 = 1e6;
const AIM_MEMORY: f64 = 400e6;
const AIM_ANSWERS: f64 = 20_000.0;

pub(super) fn measure(
    root: &Path,
    programs: &Programs,
    seconds: f64,
    credentials: u64,
    report: &mut Report,
) -> anyhow::Result<()> {
    if credentials != CREDENTIALS {
        report.with(&format!("--credentials {credentials}"));
    }
    let mut build = cargo(root);
    let example = ["--package=gateway", "--example=seed_credentials"];
    build.args(["build", "--release"]).args(example);
    anyhow::ensure!(
        succeeds(&mut build)?,
        "the program that seeds was not built"
    );
    // It makes the tables; the credentials come after, beside it.
    let gateway = Server::gateway(programs, Setting::Sqlite)?;
    let began = Instant::now();
    let mut seed = Command::new(target_folder(root).join("release/examples/seed_credentials"));
    seed.arg(gateway.config())
        .arg("bench")
        .args([credentials, ON_A_LIST].map(|number| number.to_string()));
    anyhow::ensure!(
        succeeds(&mut seed)?,
        "the credentials were not put into the database"
    );
    let seeded = began.elapsed().as_secs_f64();
    let beside = gateway.beside(programs)?;

    let scenario = json!({ "status": {
        "credentials": credentials,
        "on_a_list": ON_A_LIST,
        "changes": CHANGES,
        "presented": PRESENTED,
        "beside": beside.addresses[0].to_string(),
    } });
    let told = load::run(programs, &gateway, ALGORITHMS[0], scenario, seconds)?;
    report.say(format!(
        "{credentials} issued credentials on {:.0} lists, every fiftieth revoked; put into the database in {seeded:.0} s. Each \
         list was fetched once ({:.1} s for all, {:.1} kB each on the mean). Then {CHANGES} were revoked one after the other, \
         all over the lists; each list was fetched anew from the process that revoked and, by its tag, from another on the \
         same database, until it said so. {PRESENTED} wallets got a credential that one of the two processes took, it was revoked, \
         and they presented it there anew until it was refused; as many did so at the other process, which had not revoked it. Then 32 connections asked for one list after the other, first by tag, then whole, \
         for {seconds} s each. Gateway, the other process and the load share the cores. The database is SQLite, written \
         through to the disk.",
        number(&told, "/lists"),
        number(&told, "/all_lists_seconds"),
        number(&told, "/mean_bytes") / 1e3,
    ));
    let three = |path: &str| {
        let [p50, p99, worst] = ["p50", "p99", "worst"].map(|it| format!("{path}/{it}_us"));
        [p50, p99, worst]
            .map(|it| milliseconds(&told, &it))
            .join(" / ")
    };
    let row = |what: &str, figure: String, aim: String, met: bool| {
        vec![what.to_owned(), figure, aim, verdict(met).to_owned()]
    };
    let answers = number(&told, "/not_modified/answers_a_second");
    report.table(&[
        ["", "figure", "aim", ""].map(str::to_owned).to_vec(),
        row(
            "a list after a change: read, compressed, signed, sent, p50 / p99 / worst",
            three("/publish"),
            format!("p99 {:.0} ms", AIM_PUBLISH / 1e3),
            number(&told, "/publish/p99_us") < AIM_PUBLISH,
        ),
        row(
            "from the call that revokes to the first list that says so, same process",
            three("/own_seen"),
            format!("{:.0} ms", AIM_SEEN / 1e3),
            number(&told, "/own_seen/worst_us") < AIM_SEEN,
        ),
        row(
            "the same, another process",
            three("/beside_seen"),
            format!("p99 {:.0} ms", AIM_SEEN / 1e3),
            number(&told, "/beside_seen/p99_us") < AIM_SEEN,
        ),
        row(
            "from the call that revokes to the first refused verification, same process",
            three("/own_refused"),
            format!("{:.0} ms", AIM_SEEN / 1e3),
            number(&told, "/own_refused/worst_us") < AIM_SEEN,
        ),
        row(
            "the same, another process",
            three("/beside_refused"),
            format!("{:.0} ms", AIM_SEEN / 1e3),
            number(&told, "/beside_refused/worst_us") < AIM_SEEN,
        ),
        row(
            "peak memory of the gateway, all lists held",
            megabytes(&told, "/peak"),
            format!("{:.0} MB", AIM_MEMORY / 1e6),
            number(&told, "/peak") < AIM_MEMORY,
        ),
        row(
            "304 answers",
            format!("{answers:.0} a second"),
            format!("{AIM_ANSWERS:.0} a second"),
            answers > AIM_ANSWERS,
        ),
        vec![
            "whole lists".to_owned(),
            format!(
                "{:.0} MB/s, {:.0} a second",
                number(&told, "/whole/bytes_a_second") / 1e6,
                number(&told, "/whole/answers_a_second")
            ),
            String::new(),
            String::new(),
        ],
    ]);
    report.keep("status", told);
    Ok(())
}
