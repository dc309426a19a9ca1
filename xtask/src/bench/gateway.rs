//! `bench gateway`: single steps at full speed, and new interactions while ten thousand pages wait.

use serde_json::{Value, json};

use super::load::{self, IN_FLIGHT};
use super::report::{Report, endpoint_rows, megabytes, milliseconds, number, slowest_p99, verdict};
use super::server::{ALGORITHMS, Programs, Server, Setting};

/// Pages that wait, and the journeys that begin in a second meanwhile.
const PAGES: u32 = 10_000;
const JOURNEYS_A_SECOND: f64 = 20.0;
/// Memory stays under this, and the slowest of a hundred new requests too.
const AIM_MEMORY: f64 = 300e6;
const AIM_P99: f64 = 50e3;
/// Codes that are made and then redeemed; they live for a minute.
const CODES: u32 = 4_000;

pub(super) fn measure(
    programs: &Programs,
    setting: Setting,
    seconds: f64,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut rows = vec![
        ["what", "ID tokens", "a second", "p50", "p99", "gateway CPU"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for algorithm in ALGORITHMS {
        let gateway = Server::gateway(programs, setting)?;
        for (name, scenario) in [
            ("pushed request", json!("par")),
            ("token", json!({ "token": { "codes": CODES } })),
            ("full verification", json!("verify")),
            ("full issue", json!("issue")),
        ] {
            let told = load::run(programs, &gateway, algorithm, scenario, seconds / 2.0)?;
            rows.push(vec![
                name.to_owned(),
                algorithm.to_owned(),
                format!("{:.0}", number(&told, "/rounds_a_second")),
                milliseconds(&told, "/round/p50_us"),
                milliseconds(&told, "/round/p99_us"),
                format!("{:.0} µs", number(&told, "/server/cpu_us_a_round")),
            ]);
            report.keep(&format!("{name}, {algorithm}"), told);
        }
    }
    report.say(format!(
        "{IN_FLIGHT} in flight, as fast as it goes. CPU is for one of them."
    ));
    report.table(&rows);

    let gateway = Server::gateway(programs, setting)?;
    let pages = json!({ "pages": { "open": PAGES, "journeys_a_second": JOURNEYS_A_SECOND } });
    let told = load::run(programs, &gateway, ALGORITHMS[0], pages, seconds * 2.0)?;
    let slowest = slowest_p99(&told);
    report.say(format!(
        "{PAGES} pages wait over as many connections and ask for their status as their script does ({:.0} times a \
         second, p99 {}), while {JOURNEYS_A_SECOND} whole journeys begin each second. {} Of the new requests, the slowest endpoint's p99 is {:.1} ms; aim: under {:.0} ms: {}.",
        number(&told, "/status_of_pages/count") / number(&told, "/seconds"),
        milliseconds(&told, "/status_of_pages/p99_us"),
        memory(&told, gateway.processes().len()),
        slowest / 1e3,
        AIM_P99 / 1e3,
        verdict(slowest < AIM_P99),
    ));
    report.table(&endpoint_rows(&told));
    report.keep("pages", told);
    Ok(())
}

/// What the processes have, and whether the largest of them is within the aim, which is for one, however many there are.
fn memory(told: &Value, processes: usize) -> String {
    let have = match processes {
        1 => "The gateway has".to_owned(),
        several => format!("The {several} gateways together have"),
    };
    let largest = match processes {
        1 => String::new(),
        _ => format!(", the largest {}", megabytes(told, "/server/largest_peak")),
    };
    format!(
        "{have} {} (at most {}{largest}); aim: under {:.0} MB{}: {}.",
        megabytes(told, "/server/resident"),
        megabytes(told, "/server/peak"),
        AIM_MEMORY / 1e6,
        if processes == 1 { "" } else { " for each" },
        verdict(number(told, "/server/largest_peak") < AIM_MEMORY),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(resident: f64, peak: f64, largest: f64) -> Value {
        json!({ "server": { "resident": resident, "peak": peak, "largest_peak": largest } })
    }

    #[test]
    fn each_process_is_held_against_the_aim_and_their_sum_is_only_told() {
        assert_eq!(
            memory(&told(243e6, 244e6, 244e6), 1),
            "The gateway has 243 MB (at most 244 MB); aim: under 300 MB: met."
        );
        assert_eq!(
            memory(&told(381e6, 382e6, 101e6), 4),
            "The 4 gateways together have 381 MB (at most 382 MB, the largest 101 MB); aim: under 300 MB for each: met."
        );
        // Three small ones do not make up for one that is too large.
        assert_eq!(
            memory(&told(400e6, 460e6, 301e6), 4),
            "The 4 gateways together have 400 MB (at most 460 MB, the largest 301 MB); aim: under 300 MB for each: missed."
        );
        assert!(memory(&told(301e6, 302e6, 302e6), 1).ends_with("aim: under 300 MB: missed."));
    }
}
