//! `bench flood`: what one relying party notices while another pushes 100,000 requests a minute.

use serde_json::{Value, json};

use super::load;
use super::report::{Report, endpoint_rows, megabytes, milliseconds, number, verdict};
use super::server::{Programs, Server};

/// Pushed requests of the one that floods, in a second.
const PUSHES_A_SECOND: f64 = 100_000.0 / 60.0;
/// Verify-and-issue journeys of the other, in a second: two pushes each, below its own limit.
const JOURNEYS_A_SECOND: f64 = 20.0;
/// The other's pages that wait meanwhile.
const PAGES: u32 = 64;
/// The victim's p99 may grow by so much, in microseconds, and no journey may fail.
const AIM_P99: f64 = 50e3;
/// Who floods (the relying party of that algorithm), and who must not notice.
const FLOODER: &str = "RS256";
const VICTIM: &str = "ES256";

pub(super) fn measure(
    programs: &Programs,
    seconds: f64,
    report: &mut Report,
) -> anyhow::Result<()> {
    // The limits are those that a configuration has which says nothing of them.
    let quiet = Server::gateway_as_shipped(programs)?;
    let alone = journeys(programs, &quiet, seconds)?;
    drop(quiet);

    let gateway = Server::gateway_as_shipped(programs)?;
    let scenario = json!({ "flood": { "pushes_a_second": PUSHES_A_SECOND } });
    let (flood, meanwhile) = std::thread::scope(|scope| {
        let flood = scope.spawn(|| load::run(programs, &gateway, FLOODER, scenario, seconds));
        let meanwhile = journeys(programs, &gateway, seconds);
        let flood = flood
            .join()
            .unwrap_or_else(|_| Err(anyhow::anyhow!("the flood broke off")));
        (flood, meanwhile)
    });
    let (flood, meanwhile) = (flood?, meanwhile?);

    let count = |status: &str| number(&flood, &format!("/by_status/{status}")).max(0.0);
    report.say(format!(
        "One relying party pushes {:.0} requests a minute ({:.0} in {:.0} s; {} of them late), another begins \
         {JOURNEYS_A_SECOND} verify-and-issue journeys a second and has {PAGES} pages that wait. Limits are \
         the defaults; over loopback none holds by address. A journey that failed would end the run.",
        PUSHES_A_SECOND * 60.0,
        number(&flood, "/pushes"),
        number(&flood, "/seconds"),
        number(&flood, "/late"),
    ));
    let mut rows = vec![
        ["", "journeys", "p50", "p99", "worst"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for (name, told) in [
        ("without the flood", &alone),
        ("during the flood", &meanwhile),
    ] {
        rows.push(vec![
            name.to_owned(),
            format!("{:.0}, all complete", number(told, "/round/count")),
            milliseconds(told, "/round/p50_us"),
            milliseconds(told, "/round/p99_us"),
            milliseconds(told, "/round/worst_us"),
        ]);
    }
    report.table(&rows);
    report.say(format!(
        "The one that floods heard 201 {:.0} times, 429 {:.0} times, 503 {:.0} times. The gateway had {} before and \
         {} after (at most {}).",
        count("201"),
        count("429"),
        count("503"),
        megabytes(&flood, "/resident_before"),
        megabytes(&flood, "/resident_after"),
        megabytes(&flood, "/peak"),
    ));
    let spent = |told: &Value| number(told, "/server/cpu_seconds");
    let for_one = (spent(&meanwhile) - spent(&alone)) / (PUSHES_A_SECOND * seconds) * 1e6;
    report.say(format!(
        "The gateway used {:.1} s of CPU time in {seconds} s without the flood and {:.1} s with it: about {for_one:.0} µs \
         for each push of the one that floods, refused or not.",
        spent(&alone),
        spent(&meanwhile),
    ));
    let grown = number(&meanwhile, "/round/p99_us") - number(&alone, "/round/p99_us");
    report.say(format!(
        "Aim: every journey complete, and the p99 of a journey (23 requests) at most {:.0} ms longer: {}.",
        AIM_P99 / 1e3,
        verdict(grown <= AIM_P99),
    ));
    report.say("The victim's endpoints during the flood:");
    report.table(&endpoint_rows(&meanwhile));
    report.keep("alone", alone);
    report.keep("meanwhile", meanwhile);
    report.keep("flood", flood);
    Ok(())
}

fn journeys(programs: &Programs, gateway: &Server, seconds: f64) -> anyhow::Result<Value> {
    let pages = json!({ "pages": { "open": PAGES, "journeys_a_second": JOURNEYS_A_SECOND } });
    load::run(programs, gateway, VICTIM, pages, seconds)
}
