//! One line of a feed: a change, or why it is none.

use std::collections::BTreeMap;

use connector::csv::Row;
use connector::desk::{Cause, Change, Record};

use super::{ChangeTold, Kind, RefusedLine};
use crate::problem::{Code, Problem};
use crate::records::{check_claims, said};
use crate::told::{read, text};

/// A line as it is applied.
pub(super) type Line = Result<Change, RefusedLine>;

/// The columns of a CSV feed that are no claims.
const COLUMNS: [&str; 5] = ["change", "record", "credential_type", "expires_at", "cause"];

pub(super) fn refused(line: u64, problem: &Problem) -> RefusedLine {
    RefusedLine {
        line,
        code: problem.code().code(),
        detail: problem.detail().to_owned(),
    }
}

/// A change as JSON.
pub(super) fn of_json(bytes: &[u8], line: u64) -> Line {
    read::<ChangeTold>(bytes)
        .and_then(check)
        .map_err(|problem| refused(line, &problem))
}

/// Where each column of a CSV feed stands.
pub(super) struct Header(Vec<String>);

impl Header {
    pub(super) fn read(names: &[String]) -> Result<Self, Problem> {
        let names: Vec<String> = names.iter().map(|name| name.trim().to_owned()).collect();
        for needed in &COLUMNS[..2] {
            if !names.iter().any(|name| name == needed) {
                let reason = format!("the header has no column `{needed}`");
                return Err(Problem::with(Code::BodyUnreadable, reason));
            }
        }
        for (place, name) in names.iter().enumerate() {
            if name.is_empty() || names[..place].contains(name) {
                let reason = format!("column {} has no name, or one that stands twice", place + 1);
                return Err(Problem::with(Code::BodyUnreadable, reason));
            }
        }
        Ok(Self(names))
    }

    /// A change as a row under this header.
    pub(super) fn change(&self, row: &Row) -> Line {
        self.told(&row.values)
            .and_then(check)
            .map_err(|problem| refused(row.line, &problem))
    }

    fn told(&self, row: &[String]) -> Result<ChangeTold, Problem> {
        if row.len() != self.0.len() {
            let reason = "the row has more or fewer cells than the header";
            return Err(Problem::with(Code::BodyUnreadable, reason));
        }
        let cell = |name: &str| {
            let place = self.0.iter().position(|known| known == name)?;
            Some(row[place].trim()).filter(|cell| !cell.is_empty())
        };
        let claims: BTreeMap<String, String> = self
            .0
            .iter()
            .zip(row)
            .filter(|(name, _)| !COLUMNS.contains(&name.as_str()))
            .map(|(name, cell)| (name.clone(), cell.clone()))
            .collect();
        let change = match cell("change") {
            Some("changed") => Kind::Changed,
            Some("ended") => Kind::Ended,
            Some("deleted") => Kind::Deleted,
            _ => return Err(Problem::field("change", "use changed, ended or deleted")),
        };
        let expires_at = cell("expires_at").map(str::parse).transpose();
        let cause = match cell("cause") {
            None => None,
            Some(code) => Some(
                Cause::parse(code)
                    .ok_or_else(|| Problem::field("cause", "it is none of the closed list"))?,
            ),
        };
        Ok(ChangeTold {
            change,
            record: cell("record").unwrap_or_default().to_owned(),
            credential_type: cell("credential_type").map(str::to_owned),
            claims: Some(claims),
            expires_at: expires_at.map_err(|_| {
                Problem::field("expires_at", "use a time such as 2027-11-20T23:59:59Z")
            })?,
            cause,
        })
    }
}

fn check(told: ChangeTold) -> Result<Change, Problem> {
    text("record", &told.record)?;
    let cause = told.cause.unwrap_or(match told.change {
        Kind::Changed => Cause::Corrected,
        Kind::Ended => Cause::EndedEarly,
        Kind::Deleted => Cause::AddedInError,
    });
    if !matches!(told.change, Kind::Changed) {
        return Ok(Change::gone(told.record, cause));
    }
    let credential_type = told
        .credential_type
        .ok_or_else(|| Problem::field("credential_type", "`changed` needs it"))?;
    text("credential_type", &credential_type)?;
    let claims = told.claims.ok_or_else(|| {
        Problem::field(
            "claims",
            "`changed` needs everything that the credential would say",
        )
    })?;
    let claims = said(claims);
    check_claims("claims", &claims)?;
    let record = Record {
        id: told.record,
        credential_type,
        // No part of what the credential says.
        label: String::new(),
        claims,
        expires_at: told.expires_at,
    };
    Ok(Change::says(&record, cause))
}
