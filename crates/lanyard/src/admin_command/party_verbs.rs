//! The verbs of `lanyard admin` about relying parties, their secrets and their checklists.

use std::path::PathBuf;

use clap::Subcommand;
use jiff::civil::Date;
use reqwest::Method;
use serde_json::json;

use super::registry_verbs::{Seen, VERSIONS, patched, text_of};
use super::show::Show;
use super::verbs::{Call, Why, below, got, posted, sent};

const RELYING_PARTIES: Show = Show::Table(
    "relying_parties",
    &[
        "client_id",
        "name",
        "organisation",
        "dialect",
        "live",
        "declared_in",
        "version",
    ],
);
const SECRETS: Show = Show::Table(
    "secrets",
    &[
        "id",
        "live",
        "made_at",
        "age_days",
        "last_used_at",
        "ends_at",
    ],
);
const CHECKLIST: Show = Show::Table(
    "items",
    &["item", "settled", "settled_on", "evidence", "actor"],
);

#[derive(Debug, Subcommand)]
pub enum RelyingParty {
    /// All that you may see.
    List {
        /// Of this organisation only.
        #[arg(long, value_name = "ID")]
        organisation: Option<String>,
    },
    /// One of them.
    Show { client_id: String },
    /// Declare one. What is not said here is changed afterwards.
    Create {
        client_id: String,
        #[arg(long, value_name = "ID")]
        organisation: String,
        /// What pages call it.
        #[arg(long)]
        name: String,
        /// Where browsers may be sent back to, byte for byte; any number of them.
        #[arg(long, value_name = "URI", required = true)]
        redirect_uri: Vec<String>,
        /// plain, v2, v1-a or v1-b.
        #[arg(long, default_value = "plain")]
        dialect: String,
        /// The file that holds the key that signs its drafts, in base64.
        #[arg(long, value_name = "FILE")]
        signing_key_file: Option<PathBuf>,
        #[command(flatten)]
        why: Why,
    },
    /// Change members of it, as a JSON object: `{"require_pushed_authorization_requests": true}`.
    Change {
        client_id: String,
        change: String,
        #[command(flatten)]
        seen: Seen,
        #[command(flatten)]
        why: Why,
    },
    /// Propose other redirect addresses of one that is live: somebody else approves them.
    Redirect {
        client_id: String,
        /// All of them, as they are to be.
        #[arg(required = true)]
        redirect_uris: Vec<String>,
        #[command(flatten)]
        why: Why,
    },
    /// The versions that it had.
    Versions { client_id: String },
    /// Remove one: its secrets end.
    Remove {
        client_id: String,
        #[command(flatten)]
        why: Why,
    },
    /// Its secrets: shown once when they are made.
    #[command(subcommand)]
    Secret(Secret),
    /// What is settled before it goes live.
    #[command(subcommand)]
    Onboarding(Onboarding),
}

#[derive(Debug, Subcommand)]
pub enum Secret {
    /// Those that it has: how old, when last used, when each ends.
    List { client_id: String },
    /// Make one more and leave the others as they are.
    New {
        client_id: String,
        #[command(flatten)]
        why: Why,
    },
    /// Make a new one; the others end after the overlap.
    Rotate {
        client_id: String,
        /// How many days the others go on working; 14, unless another number is named.
        #[arg(long, value_name = "DAYS")]
        overlap: Option<u32>,
        #[command(flatten)]
        why: Why,
    },
    /// End one now.
    End {
        client_id: String,
        id: String,
        #[command(flatten)]
        why: Why,
    },
}

#[derive(Debug, Subcommand)]
pub enum Onboarding {
    /// Every item, with its evidence.
    Show { client_id: String },
    /// Write down what shows that an item is settled.
    Settle {
        client_id: String,
        item: String,
        /// What it is, and where it lies.
        #[arg(long)]
        evidence: String,
        /// The day on which it was settled, such as 2026-11-20.
        #[arg(long)]
        on: Date,
        #[command(flatten)]
        why: Why,
    },
    /// The same as CSV.
    Export { client_id: String },
}

impl RelyingParty {
    pub fn call(&self) -> anyhow::Result<Call> {
        let one = |id: &str, rest: &str| below("relying-parties", id, rest);
        Ok(match self {
            Self::List { organisation } => got("relying-parties", RELYING_PARTIES)
                .asking([("organisation", organisation.clone())]),
            Self::Show { client_id } => got(&one(client_id, ""), Show::Record),
            Self::Create {
                client_id,
                organisation,
                name,
                redirect_uri,
                dialect,
                signing_key_file,
                why,
            } => {
                let mut declared = json!({
                    "client_id": client_id, "name": name, "redirect_uris": redirect_uri, "dialect": dialect,
                });
                if let Some(file) = signing_key_file {
                    declared["signing_key"] = text_of(file)?.trim().into();
                }
                let said = [
                    ("organisation", json!(organisation)),
                    ("declared", declared),
                ];
                posted("relying-parties", why.with(said))
            }
            Self::Change {
                client_id,
                change,
                seen,
                why,
            } => patched(&one(client_id, ""), change, seen, why)?,
            Self::Redirect {
                client_id,
                redirect_uris,
                why,
            } => why.proposes(
                "relying-party-redirect-change",
                json!({ "relying_party": client_id, "redirect_uris": redirect_uris }),
            ),
            Self::Versions { client_id } => got(&one(client_id, "/versions"), VERSIONS),
            Self::Remove { client_id, why } => posted(&one(client_id, "/remove"), why.told()),
            Self::Secret(verb) => verb.call(),
            Self::Onboarding(verb) => verb.call(),
        })
    }
}

impl Secret {
    fn call(&self) -> Call {
        let of = |id: &str| below("relying-parties", id, "/secrets");
        let made = |id: &str, body| Call {
            show: Show::Once("secret"),
            ..posted(&of(id), body)
        };
        match self {
            Self::List { client_id } => got(&of(client_id), SECRETS),
            Self::New { client_id, why } => made(client_id, why.told()),
            Self::Rotate {
                client_id,
                overlap,
                why,
            } => {
                let said = [("rotate", json!(true)), ("overlap_days", json!(overlap))];
                made(client_id, why.with(said))
            }
            Self::End { client_id, id, why } => {
                posted(&below(&of(client_id), id, "/end"), why.told())
            }
        }
    }
}

impl Onboarding {
    fn call(&self) -> Call {
        let of = |id: &str, rest: &str| below("relying-parties", id, rest);
        match self {
            Self::Show { client_id } => got(&of(client_id, "/onboarding"), CHECKLIST),
            Self::Settle {
                client_id,
                item,
                evidence,
                on,
                why,
            } => {
                let said = [("evidence", json!(evidence)), ("settled_on", json!(on))];
                let path = below(&of(client_id, "/onboarding"), item, "");
                Call {
                    show: CHECKLIST,
                    ..sent(Method::PUT, &path, why.with(said))
                }
            }
            Self::Export { client_id } => got(&of(client_id, "/onboarding/export"), Show::Record),
        }
    }
}
