//! `bench journey`: whole verify-and-issue journeys beside the cryptography that they cannot do without.

use serde_json::json;

use super::load::{self, IN_FLIGHT};
use super::report::{Report, endpoint_rows, median, megabytes, number, verdict};
use super::server::{ALGORITHMS, Programs, Server, Setting};

/// At most so many times the floor.
const AIM_RATIO: f64 = 3.0;
/// Interactions that are open while memory is looked at, and the bytes that it stays under.
const OPEN: u32 = 1_000;
const AIM_MEMORY: f64 = 80e6;
/// The floor is measured before and after, for so much of the time.
const FLOOR: f64 = 0.25;

pub(super) fn measure(
    programs: &Programs,
    setting: Setting,
    seconds: f64,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut rows = vec![
        [
            "ID tokens",
            "journeys/s",
            "floor, journeys/s",
            "ratio",
            "journey p50",
            "p99",
            "gateway CPU",
            "load CPU",
            "gateway's peak memory",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    let mut endpoints = Vec::new();
    for algorithm in ALGORITHMS {
        let gateway = Server::gateway(programs, setting)?;
        let floor = || {
            load::run(
                programs,
                &gateway,
                algorithm,
                "floor",
                (seconds * FLOOR).max(1.0),
            )
        };
        let before = floor()?;
        let told = load::run(programs, &gateway, algorithm, "journey", seconds)?;
        let after = floor()?;
        let bound = median(&[&before, &after].map(|told| number(told, "/journeys_a_second")));
        let rate = number(&told, "/rounds_a_second");
        let ratio = bound / rate;
        rows.push(vec![
            algorithm.to_owned(),
            format!("{rate:.0}"),
            format!("{bound:.0}"),
            format!("{ratio:.2}"),
            format!("{:.0} ms", number(&told, "/round/p50_us") / 1e3),
            format!("{:.0} ms", number(&told, "/round/p99_us") / 1e3),
            format!("{:.0} µs", number(&told, "/server/cpu_us_a_round")),
            format!("{:.0} µs", number(&told, "/load/cpu_us_a_round")),
            megabytes(&told, "/server/peak"),
        ]);
        report.keep(
            algorithm,
            json!({ "journeys": told, "floor": [before, after], "ratio": ratio, "aim": verdict(ratio <= AIM_RATIO) }),
        );
        endpoints.push((algorithm, told));
    }
    report.say(format!(
        "{IN_FLIGHT} wallets in flight, {seconds} s after a warm-up, no request answered otherwise than it should. The \
         floor is the cryptography and the QR codes of one journey, both sides, on two threads, measured before and \
         after; the aim is {AIM_RATIO} times that at most. CPU is for one journey."
    ));
    report.table(&rows);
    for (algorithm, told) in endpoints {
        report.say(format!("Endpoints, ID tokens in {algorithm}:"));
        report.table(&endpoint_rows(&told));
    }

    let gateway = Server::gateway(programs, setting)?;
    let pages = json!({ "pages": { "open": OPEN, "journeys_a_second": 0.0 } });
    let told = load::run(programs, &gateway, ALGORITHMS[0], pages, seconds)?;
    let most = number(&told, "/server/peak");
    // One process must not need more because there are others.
    let (processes, aim, each) = match gateway.processes().len() {
        1 => ("gateway has".to_owned(), AIM_MEMORY, ""),
        several => (
            format!("{several} gateways together have"),
            AIM_MEMORY * f64::from(u32::try_from(several)?),
            " for each",
        ),
    };
    report.say(format!(
        "With {OPEN} interactions open, each page asking for its status over a connection of its own, the {processes} \
         {} (at most {}). Aim: under {:.0} MB{each}: {}.",
        megabytes(&told, "/server/resident"),
        megabytes(&told, "/server/peak"),
        AIM_MEMORY / 1e6,
        verdict(most < aim),
    ));
    report.keep("open", told);
    Ok(())
}
