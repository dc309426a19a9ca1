//! The pages' data, ready to print.

use askama::Template;
use serde_json::Value;
use ui::Page;
use ui::component::{Choice, FieldError, Row, TagColour};

use crate::{
    AskedCredential, CredentialStatus, CredentialSummary, Fault, HolderSummary, OfferedCredential,
    Outcome,
};

#[derive(Template)]
#[template(path = "http/holders.html")]
pub(super) struct HoldersPage {
    pub(super) page: Page,
    pub(super) holders: Vec<HolderSummary>,
}

#[derive(Template)]
#[template(path = "http/holder.html")]
pub(super) struct HolderPage {
    pub(super) page: Page,
    pub(super) holder: HolderSummary,
    pub(super) cards: Vec<Card>,
    pub(super) faults: Vec<Choice>,
    pub(super) armed: Option<Fault>,
    pub(super) late: Option<String>,
}

#[derive(Template)]
#[template(path = "http/scan.html")]
pub(super) struct ScanPage {
    pub(super) page: Page,
    pub(super) holder: HolderSummary,
    pub(super) link: String,
    pub(super) link_error: String,
    pub(super) picture_error: String,
    pub(super) errors: Vec<FieldError>,
}

#[derive(Template)]
#[template(path = "http/add.html")]
pub(super) struct AddPage {
    pub(super) page: Page,
    pub(super) holder: HolderSummary,
    pub(super) action: String,
    pub(super) who: Vec<Row>,
    pub(super) offers: Vec<OfferedCredential>,
    pub(super) choices: Vec<Choice>,
    pub(super) pin_hint: Option<String>,
}

#[derive(Template)]
#[template(path = "http/share.html")]
pub(super) struct SharePage {
    pub(super) page: Page,
    pub(super) holder: HolderSummary,
    pub(super) action: String,
    pub(super) who: Vec<Row>,
    pub(super) asks: Vec<Ask>,
    pub(super) sends_whole: bool,
}

#[derive(Template)]
#[template(path = "http/result.html")]
pub(super) struct ResultPage {
    pub(super) page: Page,
    pub(super) holder: HolderSummary,
    pub(super) reason: Option<String>,
    pub(super) cards: Vec<Card>,
    pub(super) continue_href: Option<String>,
}

#[derive(Template)]
#[template(path = "http/problem.html")]
pub(super) struct ProblemPage {
    pub(super) page: Page,
    pub(super) text: String,
}

impl HolderSummary {
    fn path(&self) -> String {
        format!("/holders/{}", self.id)
    }

    fn scan_path(&self) -> String {
        format!("/holders/{}/scan", self.id)
    }
}

/// A credential as a summary card.
pub(super) struct Card {
    pub(super) heading: String,
    pub(super) status: &'static str,
    pub(super) colour: TagColour,
    pub(super) rows: Vec<Row>,
    pub(super) delete_action: String,
    pub(super) delete_text: String,
}

/// One credential asked for, with what fits it.
pub(super) struct Ask {
    pub(super) types: String,
    pub(super) fields: Vec<String>,
    pub(super) field_name: String,
    pub(super) choices: Vec<Choice>,
}

impl Card {
    pub(super) fn new(holder: &str, credential: &CredentialSummary) -> Self {
        let mut rows: Vec<Row> = credential
            .claims
            .iter()
            .map(|(name, value)| {
                let label = credential.labels.get(name).unwrap_or(name);
                Row::new(label.as_str(), plain(value))
            })
            .collect();
        rows.push(Row::new("Issuer", credential.issuer.as_str()));
        rows.push(Row::new("Format", credential.format.as_str()));
        for (label, at) in [
            ("Issued", credential.issued_at),
            ("Expires", credential.expires_at),
        ] {
            rows.extend(at.map(|at| Row::new(label, ui::time::date_and_clock(at))));
        }
        rows.extend(
            credential
                .serial_number
                .as_deref()
                .map(|serial| Row::new("Serial number", serial)),
        );
        let (status, colour) = match credential.status {
            CredentialStatus::Valid => ("Valid", TagColour::Green),
            CredentialStatus::Revoked => ("Revoked", TagColour::Red),
            CredentialStatus::Suspended => ("Suspended", TagColour::Orange),
            CredentialStatus::Expired => ("Expired", TagColour::Red),
            CredentialStatus::NotYetValid => ("Not yet valid", TagColour::Orange),
            CredentialStatus::Unknown => ("Cannot be checked", TagColour::Yellow),
            CredentialStatus::NotChecked => ("Not checked", TagColour::Grey),
        };
        Self {
            heading: credential.credential_type.clone(),
            delete_text: format!("Delete {}", credential.credential_type),
            status,
            colour,
            rows,
            delete_action: format!("/holders/{holder}/credentials/{}/delete", credential.id),
        }
    }
}

impl Ask {
    pub(super) fn new(position: usize, asked: &AskedCredential) -> Self {
        let choices = asked.fitting.iter().enumerate().map(|(at, held)| {
            let issued = held
                .issued_at
                .map(|at| format!(", issued {}", ui::time::date_and_clock(at)));
            Choice::new(
                held.id.as_str(),
                format!("{}{}", held.credential_type, issued.unwrap_or_default()),
            )
            .with_hint(format!("{}, {}", held.format, held.issuer))
            .chosen(at == 0)
        });
        Self {
            types: asked.types.clone(),
            fields: asked.fields.clone(),
            field_name: format!("choose-{position}"),
            choices: choices.collect(),
        }
    }
}

pub(super) fn fault_choices(armed: Option<Fault>) -> Vec<Choice> {
    let none = Choice::new("", "Behave").chosen(armed.is_none());
    let faults = Fault::ALL.into_iter().map(|fault| {
        let text = format!("{} ({})", fault.summary(), fault.name());
        Choice::new(fault.name(), text).chosen(armed == Some(fault))
    });
    std::iter::once(none).chain(faults).collect()
}

pub(super) fn result_title(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Presented => "Shared",
        Outcome::Received => "Added to your wallet",
        Outcome::Declined => "You said no",
        Outcome::Failed => "That did not work",
        Outcome::Pending => "No answer yet",
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items)
            if items
                .iter()
                .all(|item| !item.is_array() && !item.is_object()) =>
        {
            items.iter().map(plain).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}
