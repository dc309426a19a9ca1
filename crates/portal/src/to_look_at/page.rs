//! Identities to look at.

use askama::Template;
use axum::response::Response;
use connector::Reason;
use connector::desk::{Decision, Review};
use jiff::civil::Date;
use ui::component::Row;
use ui::{Page, render};

use super::PATH;
use crate::look::{Look, Visitor};
use crate::session::page::Session;

/// What HR has to look at.
#[derive(Clone)]
pub(crate) struct ToLookAtView {
    /// Those to be looked at, and behind them those that somebody has looked at.
    pub(crate) reviews: Vec<ToLookAt>,
    /// What was just said, to be told once.
    pub(crate) news: Option<News>,
}

/// One of them, beside what HR's record says.
#[derive(Clone)]
pub(crate) struct ToLookAt {
    /// The name on record.
    pub(crate) name: String,
    /// The name on record that they go by.
    pub(crate) known_as: Option<String>,
    /// The date of birth on record.
    pub(crate) date_of_birth: Option<Date>,
    /// Whether it is about whoever looks at the page: somebody else has to decide.
    pub(crate) is_own: bool,
    /// What was found.
    pub(crate) review: Review,
}

/// What became of a button.
#[derive(Clone, Copy)]
pub(crate) enum News {
    /// It is kept.
    Said(Decision),
    /// There was nothing to decide any more.
    Gone,
}

impl News {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Said(decision) => decision.code(),
            Self::Gone => "gone",
        }
    }

    pub(super) fn parse(code: &str) -> Option<Self> {
        match code {
            "gone" => Some(Self::Gone),
            code => Decision::parse(code).map(Self::Said),
        }
    }

    fn key(self) -> &'static str {
        match self {
            Self::Said(Decision::Same) => "to-look-at-said-same",
            Self::Said(Decision::NotSame) => "to-look-at-said-not-same",
            Self::Gone => "to-look-at-gone",
        }
    }
}

#[derive(Template)]
#[template(path = "to_look_at/to_look_at.html")]
struct ToLookAtPage {
    page: Page,
    session: Option<Session>,
    news: Option<String>,
    open: Vec<Card>,
    decided: Vec<Card>,
}

/// One of them as it is shown.
struct Card {
    heading: String,
    rows: Vec<Row>,
    /// Where a button leads and what it says.
    buttons: Vec<(String, String)>,
    is_own: bool,
}

/// Shows the page.
pub(crate) fn show(look: &Look, visitor: &Visitor, view: &ToLookAtView) -> Response {
    let (page, session) = look.frame(visitor, look.say("to-look-at-title"));
    let cards = |is_decided: bool| {
        let reviews = view.reviews.iter();
        let some = reviews.filter(|one| one.review.decision.is_some() == is_decided);
        some.map(|one| one.card(look)).collect()
    };
    render(&ToLookAtPage {
        page,
        session,
        news: view.news.map(|news| look.say(news.key())),
        open: cards(false),
        decided: cards(true),
    })
}

impl ToLookAt {
    fn card(&self, look: &Look) -> Card {
        let review = &self.review;
        let why: Vec<String> = review
            .why
            .iter()
            .map(|reason| look.say(key_of(*reason)))
            .collect();
        let born = self.date_of_birth.map(ui::time::civil_date);
        let mut rows = look.held(vec![
            Row::new(look.say("to-look-at-why"), why.join(" ")),
            Row::new(look.say("to-look-at-ends-with"), &review.ends_with),
            Row::new(look.say("to-look-at-name"), &self.name),
            Row::new(
                look.say("to-look-at-known-as"),
                self.known_as.clone().unwrap_or_default(),
            ),
            Row::new(look.say("to-look-at-born"), born.unwrap_or_default()),
            Row::new(
                look.say("to-look-at-first"),
                ui::time::date_and_clock(review.first_at),
            ),
            Row::new(
                look.say("to-look-at-last"),
                ui::time::date_and_clock(review.last_at),
            ),
        ]);
        if let Some((decision, at)) = review.decision {
            let found = match decision {
                Decision::Same => "to-look-at-is-same",
                Decision::NotSame => "to-look-at-is-not-same",
            };
            rows.push(Row::new(look.say("to-look-at-found"), look.say(found)));
            let at = ui::time::date_and_clock(at);
            rows.push(Row::new(look.say("to-look-at-decided"), at));
        }
        let employee = [("employee", self.name.as_str())];
        let buttons = [
            (Decision::Same, "to-look-at-same"),
            (Decision::NotSame, "to-look-at-not-same"),
        ];
        // Whoever has decided may find that they were wrong.
        let known = review.decision.map(|(decision, _)| decision);
        let buttons = buttons
            .into_iter()
            .filter(|(decision, _)| !self.is_own && known != Some(*decision))
            .map(|(decision, key)| {
                let action = format!("{PATH}/{}/{}", review.id, decision.code());
                (action, look.say_with(key, &employee))
            });
        Card {
            heading: self.name.clone(),
            rows,
            buttons: buttons.collect(),
            is_own: self.is_own,
        }
    }
}

/// What was found, in words for whoever keeps the record.
fn key_of(reason: Reason) -> &'static str {
    match reason {
        Reason::FirstNameDiffers => "why-first-name-differs",
        Reason::SurnameDiffers => "why-surname-differs",
        Reason::BirthDateDiffers => "why-birth-date-differs",
        Reason::BirthDateNotHeld => "why-birth-date-not-held",
        Reason::NamesSwapped => "why-names-swapped",
        Reason::NamesSimilar => "why-names-similar",
        Reason::GenerationDiffers => "why-generation-differs",
        Reason::FirstNameInPart => "why-first-name-in-part",
        Reason::FirstNamePetForm => "why-first-name-pet-form",
        Reason::SurnameInPart => "why-surname-in-part",
        Reason::LettersMixed => "why-letters-mixed",
        Reason::BirthDateTransposed => "why-birth-date-transposed",
        // What calls for no review, or for one in a later version.
        _ => "why-other",
    }
}
