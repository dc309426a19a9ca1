//! `lanyard doctor`: whether a gateway's set-up is sound, looked at from where it will run. It changes nothing, not even
//! the version of the database's tables, and each finding says what to do. What is looked at stands in [`gateway::checklist`],
//! where a running gateway finds it, too; here is what only whoever has the machine can see.

mod mail;
mod reach;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use gateway::checklist::{self, Findings, State};
use gateway::{Config, OtherTables};
use serde::Serialize;

use crate::say::say;
use crate::trial;

/// What to look at.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The gateway's configuration file.
    #[arg(long, value_name = "FILE", env = "LANYARD_CONFIG")]
    config: PathBuf,
    /// A certificate authority to trust besides the machine's own, as PEM.
    #[arg(long, value_name = "FILE")]
    certificate_authority: Option<PathBuf>,
    /// Look at the mail of a portal, too: its configuration file. No mail is sent.
    #[arg(long, value_name = "FILE")]
    portal: Option<PathBuf>,
    /// The same of a sidecar.
    #[arg(long, value_name = "FILE")]
    sidecar: Option<PathBuf>,
    /// Leave out what asks the network: DNS, TLS, published documents, mail.
    #[arg(long)]
    offline: bool,
    /// As JSON, one finding a line.
    #[arg(long)]
    json: bool,
}

impl Options {
    /// What an assurance file has the doctor look at.
    pub(crate) fn of(config: &Path, authority: Option<&Path>, offline: bool) -> Self {
        Self {
            config: config.to_owned(),
            certificate_authority: authority.map(Path::to_owned),
            portal: None,
            sidecar: None,
            offline,
            json: true,
        }
    }
}

/// Looks at everything; content unless something is bad.
pub async fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let mut findings = Findings::default();
    examine(options, &mut findings).await;
    for finding in findings.iter() {
        if options.json {
            say(serde_json::to_string(finding)?)?;
            continue;
        }
        let word = match finding.state {
            State::Good => "good",
            State::Look => "LOOK",
            State::Bad => "BAD ",
        };
        let whose = finding.organisation.as_ref();
        let whose = whose.map(|id| format!("{id}: ")).unwrap_or_default();
        let remedy = finding.remedy.as_ref();
        let remedy = remedy.map(|what| format!("; {what}")).unwrap_or_default();
        let (code, says) = (finding.code, &finding.says);
        say(format_args!("{word}  {code:22} {whose}{says}{remedy}"))?;
    }
    Ok(match findings.worst() {
        Some(State::Bad) | None => ExitCode::FAILURE,
        Some(State::Good | State::Look) => ExitCode::SUCCESS,
    })
}

/// Every finding, for programs.
pub(crate) async fn findings(options: &Options) -> impl Serialize + use<> {
    let mut findings = Findings::default();
    examine(options, &mut findings).await;
    findings.iter().cloned().collect::<Vec<_>>()
}

async fn examine(options: &Options, findings: &mut Findings) {
    examine_gateway(options, findings).await;
    if options.offline {
        return;
    }
    if let Some(file) = &options.portal {
        mail::of_portal(file, findings).await;
    }
    if let Some(file) = &options.sidecar {
        mail::of_sidecar(file, findings).await;
    }
}

async fn examine_gateway(options: &Options, findings: &mut Findings) {
    let code = "configuration";
    let remedy = "put it right: this gateway would not start";
    let config = match Config::read(&options.config) {
        Ok(config) => config,
        Err(error) => {
            findings.bad(code, error.to_string(), remedy);
            return;
        }
    };
    checklist::of_file(&options.config, findings);
    checklist::of_machine(&config, findings);
    let began = std::time::Instant::now();
    let mut stops = false;
    let tried = trial::of(&config, |tables| {
        stops = !tell_tables(tables, findings);
        !stops
    });
    let trial = match tried.await {
        Ok(trial) => trial,
        // It is told.
        Err(_) if stops => return,
        Err(error) => {
            findings.bad(code, format!("{error:#}"), remedy);
            return;
        }
    };
    let gateway = &trial.gateway;
    let took = began.elapsed().as_secs_f64();
    findings.good(
        code,
        format!("this gateway can start; it takes {took:.1} s"),
    );
    if trial.is_on_its_database() {
        checklist::of_database(gateway, findings).await;
    }
    checklist::of_registered(gateway, findings).await;
    if !options.offline {
        match reach::Here::new(options.certificate_authority.as_deref()) {
            Ok(here) => {
                if checklist::from_outside(gateway, &here, findings).await {
                    checklist::as_it_arrives(gateway, &here, findings).await;
                }
            }
            Err(error) => {
                let says = format!("{error:#}");
                findings.bad(
                    "tls",
                    says,
                    "name the file of an authority's certificate, as PEM",
                );
            }
        }
    }
    trial.close().await;
}

/// Tells of tables that are not this version's; whether there is more to look at without them.
fn tell_tables(tables: OtherTables, findings: &mut Findings) -> bool {
    let says = tables.to_string();
    match tables.found {
        Some(found) if found > tables.known => {
            findings.bad("tables", says, "nothing else is looked at before that")
        }
        Some(_) => findings.look(
            "tables",
            says,
            "what is registered, and whether this gateway can start, is looked at once they are up",
        ),
        None => findings.look("tables", says, "start it once all else here is in order"),
    };
    tables.found.is_none()
}
