//! `bench status`: the status lists of millions of credentials.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde_json::{Value, json};

use super::load;
use super::report::{Report, megabytes, milliseconds, number, verdict};
use super::server::{ALGORITHMS, Programs, Server, Setting};
use crate::cargo::{SHIPPED, built, cargo, succeeds};

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
    build.args(["build", "--profile", SHIPPED]).args(example);
    anyhow::ensure!(
        succeeds(&mut build)?,
        "the program that seeds was not built"
    );
    // It makes the tables; the credentials come after, beside it.
    let gateway = Server::gateway(programs, Setting::Sqlite)?;
    let began = Instant::now();
    let mut seed = Command::new(built(root).join("examples/seed_credentials"));
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
    let rows = rows(&told).map(|row| row.cells().to_vec());
    let head = ["", "figure", "aim", ""].map(str::to_owned).to_vec();
    let table: Vec<_> = std::iter::once(head).chain(rows).collect();
    report.table(&table);
    report.keep("status", told);
    Ok(())
}

/// One row of the table.
struct Figure {
    what: &'static str,
    measured: String,
    /// What is aimed at, and whether it is met: nothing where there is no aim.
    aim: Option<(String, bool)>,
}

impl Figure {
    fn cells(self) -> [String; 4] {
        let (aim, met) = self.aim.unzip();
        let met = met.map(verdict).unwrap_or_default().to_owned();
        [
            self.what.to_owned(),
            self.measured,
            aim.unwrap_or_default(),
            met,
        ]
    }
}

/// Everything that was measured, in the order in which it is told.
fn rows(told: &Value) -> [Figure; 8] {
    let rate = |path| format!("{:.0} a second", number(told, path));
    let until = |what, path: &str, (aimed, most): (&str, f64)| Figure {
        what,
        measured: ["p50", "p99", "worst"]
            .map(|it| milliseconds(told, &format!("{path}/{it}_us")))
            .join(" / "),
        aim: Some((
            format!(
                "{}{:.0} ms",
                if aimed == "p99" { "p99 " } else { "" },
                most / 1e3
            ),
            number(told, &format!("{path}/{aimed}_us")) < most,
        )),
    };
    [
        until(
            "a list after a change: read, compressed, signed, sent, p50 / p99 / worst",
            "/publish",
            ("p99", AIM_PUBLISH),
        ),
        until(
            "from the call that revokes to the first list that says so, same process",
            "/own_seen",
            ("worst", AIM_SEEN),
        ),
        until(
            "the same, another process",
            "/beside_seen",
            ("p99", AIM_SEEN),
        ),
        until(
            "from the call that revokes to the first refused verification, same process",
            "/own_refused",
            ("worst", AIM_SEEN),
        ),
        until(
            "the same, another process",
            "/beside_refused",
            ("worst", AIM_SEEN),
        ),
        Figure {
            what: "peak memory of the gateway, all lists held",
            measured: megabytes(told, "/peak"),
            aim: Some((
                format!("{:.0} MB", AIM_MEMORY / 1e6),
                number(told, "/peak") < AIM_MEMORY,
            )),
        },
        Figure {
            what: "304 answers",
            measured: rate("/not_modified/answers_a_second"),
            aim: Some((
                format!("{AIM_ANSWERS:.0} a second"),
                number(told, "/not_modified/answers_a_second") > AIM_ANSWERS,
            )),
        },
        Figure {
            what: "whole lists",
            measured: format!(
                "{:.0} MB/s, {}",
                number(told, "/whole/bytes_a_second") / 1e6,
                rate("/whole/answers_a_second")
            ),
            aim: None,
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_figure_stands_beside_its_aim_and_whether_it_is_met() {
        let times = |p50: f64, p99: f64, worst: f64| json!({ "p50_us": p50, "p99_us": p99, "worst_us": worst });
        let told = json!({
            "publish": times(13e3, 199_900.0, 300e3),
            "own_seen": times(13e3, 15e3, 1e6),
            "beside_seen": times(700e3, 999e3, 1.2e6),
            "own_refused": times(4e3, 5e3, 999e3),
            "beside_refused": times(600e3, 990e3, 1001e3),
            "peak": 293.4e6,
            "not_modified": { "answers_a_second": 20_001.0 },
            "whole": { "bytes_a_second": 1402e6, "answers_a_second": 7007.0 },
        });
        let lines = rows(&told).map(|row| row.cells().join(" | "));
        assert_eq!(
            lines,
            [
                "a list after a change: read, compressed, signed, sent, p50 / p99 / worst | 13.0 ms / 199.9 ms / 300.0 ms | p99 200 ms | met",
                "from the call that revokes to the first list that says so, same process | 13.0 ms / 15.0 ms / 1000.0 ms | 1000 ms | missed",
                "the same, another process | 700.0 ms / 999.0 ms / 1200.0 ms | p99 1000 ms | met",
                "from the call that revokes to the first refused verification, same process | 4.0 ms / 5.0 ms / 999.0 ms | 1000 ms | met",
                "the same, another process | 600.0 ms / 990.0 ms / 1001.0 ms | 1000 ms | missed",
                "peak memory of the gateway, all lists held | 293 MB | 400 MB | met",
                "304 answers | 20001 a second | 20000 a second | met",
                "whole lists | 1402 MB/s, 7007 a second |  | ",
            ]
        );
    }
}
