//! Signing keys, as the database knows them: which sign, since when, and which wait. A file says less: it is as old as its copy.

use std::collections::BTreeMap;

use jiff::Timestamp;
use store::StoreError;

use super::{Findings, OLD, counted, listed};
use crate::Gateway;
use crate::app::Parts;
use crate::keys::rows::{self, KeyRow};
use crate::keys::{GATEWAY, Place, State};
use crate::operate;

/// A next key that has waited for longer was forgotten: seven days are what it waits for.
const FORGOTTEN: i64 = 30;

/// The keys of the gateway and of each organisation.
pub(super) async fn look_at_keys(
    gateway: &Gateway,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let app = gateway.app();
    let rows = rows::find_all(&app.store).await?;
    let mut of_owner: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    for place in operate::places(&app.organisations) {
        of_owner.entry(place.owner.clone()).or_default().push(place);
    }
    for (owner, places) in of_owner {
        judge(&app, &owner, &places, &rows, findings);
    }
    Ok(())
}

/// What became of one owner's places.
#[derive(Default)]
struct Stand {
    /// How long each has signed, in days.
    signing: Vec<i64>,
    /// How many wait to sign.
    next: i64,
    /// How many the first start takes into use.
    fresh: i64,
    none_signs: Vec<String>,
    closed: Vec<String>,
    old: Vec<String>,
    forgotten: Vec<String>,
}

fn judge(app: &Parts, owner: &str, places: &[Place], rows: &[KeyRow], findings: &mut Findings) {
    let now = app.now();
    let days = |since: Timestamp| now.duration_since(since).as_hours() / 24;
    let mut stand = Stand::default();
    for place in places {
        let here: Vec<&KeyRow> = rows.iter().filter(|row| row.place == *place).collect();
        let of_state = |state: State| here.iter().find(|row| row.state == state);
        for row in here.iter().filter(|row| row.state.is_published()) {
            if app.keys.find(place.purpose, owner, &row.kid).is_none() {
                stand.closed.push(row.name.clone());
            }
        }
        match of_state(State::Active) {
            Some(row) => {
                let age = days(row.activated_at.unwrap_or(row.created_at));
                stand.signing.push(age);
                if age > OLD {
                    stand.old.push(format!("{place} ({age} days)"));
                }
            }
            None if here.is_empty() => stand.fresh += 1,
            None => stand.none_signs.push(place.to_string()),
        }
        if let Some(row) = of_state(State::Next) {
            stand.next += 1;
            let age = days(row.created_at);
            if age > FORGOTTEN {
                stand.forgotten.push(format!("{place} ({age} days)"));
            }
        }
    }
    let mut one = Findings::default();
    stand.tell(&mut one);
    for mut finding in one.0 {
        if owner != GATEWAY {
            finding.of(owner);
        }
        findings.0.push(finding);
    }
}

impl Stand {
    fn tell(&self, findings: &mut Findings) {
        let code = "keys";
        if !self.none_signs.is_empty() {
            findings.bad(
                code,
                format!("no key signs as {}", listed(&self.none_signs)),
                "make one: lanyard admin keys create PLACE, or Keys in the console",
            );
        }
        if !self.closed.is_empty() {
            findings.bad(
                code,
                format!("not open here: {}", listed(&self.closed)),
                "see that the key's file or token is there and the passphrase is the one that it was made with, and start the gateway anew",
            );
        }
        if !self.old.is_empty() {
            findings.look(
                code,
                format!("signing for longer than a year: {}", listed(&self.old)),
                "change them: lanyard admin keys rotate PLACE, or Keys in the console (docs/operate/keys.md)",
            );
        }
        if !self.forgotten.is_empty() {
            findings.look(
                code,
                format!(
                    "published and waiting to sign for longer than a month: {}",
                    listed(&self.forgotten)
                ),
                "activate them, or take them out: Keys in the console, lanyard admin keys activate KEY",
            );
        }
        if findings.worst().is_some() {
            return;
        }
        let mut says = Vec::new();
        if let Some(oldest) = self.signing.iter().max() {
            let count = i64::try_from(self.signing.len()).unwrap_or(i64::MAX);
            let (keys, days) = (counted(count, "key"), counted(*oldest, "day"));
            says.push(format!("{keys} in use, the oldest for {days}"));
        }
        if self.fresh > 0 {
            let keys = counted(self.fresh, "key");
            says.push(format!("{keys} to be taken into use by the first start"));
        }
        if self.next > 0 {
            let keys = counted(self.next, "next key");
            says.push(format!("{keys} published"));
        }
        findings.good(code, says.join("; "));
    }
}
