//! A credential type as the employee will see it: on the gateway's page when somebody asks for it, and in the wallet.

use ui::component::Row;

use super::Attribute;
use crate::organisations::{self, Organisation};
use crate::problem::Problem;
use crate::visit::Visit;

/// What the employee sees. Templates write it by `{% import "credential_types/seen.html" as seen %}{{ seen::seen(seen) }}`.
pub(super) struct Seen {
    /// What pages and wallets call it.
    pub(super) label: String,
    /// The headers of the gateway's page, one for each organisation that issues it, as it is where that one asks; the gateway's own
    /// where none issues it.
    pub(super) bands: Vec<Band>,
    /// What that page says that is shared: what every credential of the type holds.
    pub(super) asked: Vec<String>,
    /// What a wallet shows, with an invented value for each attribute.
    pub(super) held: Vec<Row>,
}

/// A header of the gateway's page.
pub(super) struct Band {
    /// Its background, as `#rrggbb`.
    pub(super) colour: String,
    /// Who it names.
    pub(super) name: String,
}

impl Seen {
    /// Of a type of this name, which is in force or only looked at.
    pub(super) async fn of(
        visit: &Visit,
        name: &str,
        label: &str,
        attributes: &[Attribute],
    ) -> Result<Self, Problem> {
        let organisations = organisations::all(visit).await?;
        let issuers = organisations.iter().filter(|one| one.may_issue(name));
        let mut bands: Vec<Band> = issuers.map(|one| Band::of(visit, one)).collect();
        if bands.is_empty() {
            bands.push(Band::of_everybody(visit));
        }
        let must = attributes.iter().filter(|one| one.mandatory);
        Ok(Self {
            label: label.to_owned(),
            bands,
            asked: must.map(|one| one.label.clone()).collect(),
            held: held(visit, attributes),
        })
    }
}

impl Band {
    fn of(visit: &Visit, one: &Organisation) -> Self {
        let mut band = Self::of_everybody(visit);
        // Without a brand of its own its pages have the gateway's; one that says no name has the organisation's.
        if one.has_brand() {
            one.brand("name")
                .unwrap_or(&one.name)
                .clone_into(&mut band.name);
            if let Some(colour) = one.brand("colour") {
                colour.clone_into(&mut band.colour);
            }
        }
        band
    }

    fn of_everybody(visit: &Visit) -> Self {
        let brand = visit.app.look.brand();
        let name = brand.organisation_name();
        Self {
            colour: brand.header_colour().to_string(),
            name: name.unwrap_or_else(|| brand.service_name()).to_owned(),
        }
    }
}

/// Each attribute with a made-up value.
fn held(visit: &Visit, attributes: &[Attribute]) -> Vec<Row> {
    let sample = |one: &Attribute| match one.one_of.first() {
        Some(first) => first.clone(),
        None => visit.say(&format!("sample-{}", one.kind)),
    };
    attributes
        .iter()
        .map(|one| Row::new(&one.label, sample(one)))
        .collect()
}
