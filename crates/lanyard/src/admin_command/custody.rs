//! The verbs for what an operator looks after: keys, credentials, holds, interactions, figures.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::{Value, json};

use super::show::Show;
use super::verbs::{Call, Why, below, got, posted};

#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Which there are, and what each may do.
    List {
        /// Those that are gone, too.
        #[arg(long)]
        all: bool,
    },
    /// One of them.
    Show {
        #[arg(allow_hyphen_values = true)]
        key: String,
    },
    /// Make the next key of a place, such as anytown.credentials.
    Create {
        place: String,
        /// ES256, ES384, `EdDSA` or RS256.
        #[arg(long)]
        algorithm: Option<String>,
        #[command(flatten)]
        why: Why,
    },
    /// The next step of changing the key of a place.
    Rotate {
        place: String,
        #[command(flatten)]
        when: When,
    },
    /// Let a next key sign.
    Activate {
        #[arg(allow_hyphen_values = true)]
        key: String,
        #[command(flatten)]
        when: When,
    },
    /// Let a key sign no more: it verifies only.
    VerifyOnly {
        #[arg(allow_hyphen_values = true)]
        key: String,
        #[command(flatten)]
        when: When,
    },
    /// Propose to take a key out of every document and destroy it.
    Remove {
        #[arg(allow_hyphen_values = true)]
        key: String,
        /// Although something still needs it.
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        why: Why,
    },
    /// What it would mean that a key is compromised; with `--plan`, do it.
    Compromised {
        #[arg(allow_hyphen_values = true)]
        key: String,
        /// `plan` of what you saw without this.
        #[arg(long, value_name = "PLAN", requires = "ticket")]
        plan: Option<String>,
        #[command(flatten)]
        why: Why,
    },
}

/// Without waiting for seven days, and why.
#[derive(Debug, clap::Args)]
pub struct When {
    /// Without waiting for seven days.
    #[arg(long)]
    at_once: bool,
    #[command(flatten)]
    why: Why,
}

impl When {
    fn told(&self) -> Value {
        let mut body = self.why.told();
        body["at_once"] = json!(self.at_once);
        body
    }
}

#[derive(Debug, Subcommand)]
pub enum Credential {
    /// How one stands, and what was done to it.
    Show { serial_number: String },
    /// Revoke one, for good.
    Revoke {
        serial_number: String,
        #[command(flatten)]
        change: Change,
    },
    /// Suspend one.
    Suspend {
        serial_number: String,
        #[command(flatten)]
        change: Change,
    },
    /// Put a suspended one in force again.
    Reinstate {
        serial_number: String,
        #[command(flatten)]
        change: Change,
    },
}

/// Why, from the closed list.
#[derive(Debug, clap::Args)]
pub struct Change {
    /// data-error, left-employment, no-longer-qualified, superseded, lost-device, key-compromise, issued-in-error,
    /// deceased, under-review or other.
    #[arg(long, value_name = "CODE")]
    reason: String,
    /// Its type; one of another is then unknown.
    #[arg(long = "type", value_name = "NAME")]
    credential_type: Option<String>,
    /// A note for the operator. No personal data.
    #[arg(long)]
    note: Option<String>,
    #[arg(long)]
    ticket: Option<String>,
}

impl Change {
    fn told(&self) -> Value {
        json!({
            "reason": self.reason, "credential_type": self.credential_type, "note": self.note, "ticket": self.ticket,
        })
    }
}

#[derive(Debug, Subcommand)]
pub enum Bulk {
    /// The newest.
    List,
    /// What one would do, or how far it has come.
    Show { job: String },
    /// Upload a file of serial numbers and count them. Nothing is revoked.
    Upload {
        /// One serial number a line, or CSV with the column `serial_number`.
        file: PathBuf,
        #[command(flatten)]
        change: Change,
        /// The organisation that issued them.
        #[arg(long, value_name = "ID")]
        organisation: Option<String>,
        /// Revocations a second, 1 to 1000.
        #[arg(long)]
        pace: Option<u32>,
    },
    /// Propose that one is begun. Another person approves it.
    Propose {
        job: String,
        #[command(flatten)]
        why: Why,
    },
    /// Pause one that runs.
    Pause {
        job: String,
        #[command(flatten)]
        why: Why,
    },
    /// Go on with one that is paused.
    Resume {
        job: String,
        #[command(flatten)]
        why: Why,
    },
    /// Stop one for good.
    Stop {
        job: String,
        #[command(flatten)]
        why: Why,
    },
    /// Give one another pace.
    Pace { job: String, pace: u32 },
}

#[derive(Debug, Subcommand)]
pub enum Holds {
    /// What is held, and why.
    List,
    /// Keep an organisation's or one interaction's traces.
    Set(Held),
    /// Let what was held go at its time.
    Lift(Held),
    /// What retention would remove now, by rule.
    Plan,
}

/// What is held, and why.
#[derive(Debug, clap::Args)]
pub struct Held {
    /// The organisation's id.
    #[arg(
        long,
        required_unless_present = "interaction",
        conflicts_with = "interaction"
    )]
    organisation: Option<String>,
    /// The interaction's reference, `request_uri` or serial number.
    #[arg(long)]
    interaction: Option<String>,
    /// Why. No names of employees.
    #[arg(long)]
    reason: String,
    #[arg(long)]
    ticket: Option<String>,
}

impl Held {
    fn told(&self) -> Value {
        json!({
            "organisation": self.organisation, "interaction": self.interaction, "reason": self.reason,
            "ticket": self.ticket,
        })
    }
}

#[derive(Debug, Subcommand)]
pub enum Interaction {
    /// What became of one, and why: by reference, `request_uri`, serial number or the id in the page's address.
    Show {
        #[arg(required_unless_present = "state")]
        interaction: Option<String>,
        /// By the `state` that the relying party chose.
        #[arg(long, conflicts_with = "interaction")]
        state: Option<String>,
        /// With `--state`: the relying party.
        #[arg(long, requires = "state")]
        client_id: Option<String>,
    },
    /// Why interactions failed lately.
    Failures {
        /// So many hours, 1 to 744.
        #[arg(long, default_value_t = 24)]
        hours: u32,
    },
}

const KEYS: Show = Show::Table(
    "keys",
    &[
        "id",
        "place",
        "algorithm",
        "state",
        "days_in_state",
        "may_sign_from",
        "credentials_in_force",
        "certificate_days_left",
    ],
);
const CHANGES: Show = Show::Table("changes", &["key", "place", "state"]);
const JOBS: Show = Show::Table(
    "jobs",
    &[
        "id",
        "stage",
        "organisation",
        "reason",
        "ticket",
        "created_at",
        "finished_at",
    ],
);
const HOLDS: Show = Show::Table(
    "holds",
    &["kind", "subject", "reason", "placed_at", "placed_by"],
);
const RULES: Show = Show::Table("rules", &["rule", "rows", "held", "sentence"]);
const FAILURES: Show = Show::Table("failures", &["count", "cause", "organisation", "client_id"]);

impl Keys {
    pub fn call(&self) -> Call {
        let at = |key: &str, rest| below("keys", key, rest);
        match self {
            Self::List { all } => {
                got("keys", KEYS).asking([("all", all.then(|| "true".to_owned()))])
            }
            Self::Show { key } => got(&at(key, ""), Show::Record),
            Self::Create {
                place,
                algorithm,
                why,
            } => {
                let mut body = why.told();
                body["place"] = json!(place);
                body["algorithm"] = json!(algorithm);
                posted("keys", body).showing(CHANGES)
            }
            Self::Rotate { place, when } => {
                let mut body = when.told();
                body["place"] = json!(place);
                posted("keys/rotate", body).showing(CHANGES)
            }
            Self::Activate { key, when } => {
                posted(&at(key, "/activate"), when.told()).showing(CHANGES)
            }
            Self::VerifyOnly { key, when } => {
                posted(&at(key, "/verify-only"), when.told()).showing(CHANGES)
            }
            Self::Remove { key, force, why } => {
                why.proposes("key-remove", json!({ "key": key, "force": force }))
            }
            Self::Compromised {
                key, plan: None, ..
            } => got(&at(key, "/compromise"), Show::Record),
            Self::Compromised { key, plan, why } => {
                let mut body = why.told();
                body["plan"] = json!(plan);
                posted(&at(key, "/compromise"), body)
            }
        }
    }
}

impl Credential {
    pub fn call(&self) -> Call {
        let at = |serial_number: &str, rest| below("credentials", serial_number, rest);
        match self {
            Self::Show { serial_number } => got(&at(serial_number, ""), Show::Record),
            Self::Revoke {
                serial_number,
                change,
            } => posted(&at(serial_number, "/revoke"), change.told()),
            Self::Suspend {
                serial_number,
                change,
            } => posted(&at(serial_number, "/suspend"), change.told()),
            Self::Reinstate {
                serial_number,
                change,
            } => posted(&at(serial_number, "/reinstate"), change.told()),
        }
    }
}

impl Bulk {
    pub fn call(&self) -> anyhow::Result<Call> {
        let at = |job: &str, rest| below("bulk-revocations", job, rest);
        Ok(match self {
            Self::List => got("bulk-revocations", JOBS),
            Self::Show { job } => got(&at(job, ""), Show::Record),
            Self::Upload {
                file,
                change,
                organisation,
                pace,
            } => {
                let text = std::fs::read_to_string(file)
                    .with_context(|| format!("{} cannot be read", file.display()))?;
                let mut body = change.told();
                body["organisation"] = json!(organisation);
                body["pace"] = json!(pace);
                body["serial_numbers"] = json!(text);
                posted("bulk-revocations", body)
            }
            Self::Propose { job, why } => why.proposes("bulk-revocation", json!({ "job": job })),
            Self::Pause { job, why } => posted(&at(job, "/pause"), why.told()),
            Self::Resume { job, why } => posted(&at(job, "/resume"), why.told()),
            Self::Stop { job, why } => posted(&at(job, "/stop"), why.told()),
            Self::Pace { job, pace } => posted(&at(job, "/pace"), json!({ "pace": pace })),
        })
    }
}

impl Holds {
    pub fn call(&self) -> Call {
        match self {
            Self::List => got("holds", HOLDS),
            Self::Set(held) => posted("holds", held.told()),
            Self::Lift(held) => posted("holds/lift", held.told()),
            Self::Plan => got("retention/plan", RULES),
        }
    }
}

impl Interaction {
    pub fn call(&self) -> Call {
        match self {
            Self::Show {
                interaction,
                state,
                client_id,
            } => {
                let body =
                    json!({ "interaction": interaction, "state": state, "client_id": client_id });
                posted("interactions/find", body)
            }
            Self::Failures { hours } => {
                got("interactions/failures", FAILURES).asking([("hours", Some(hours.to_string()))])
            }
        }
    }
}
