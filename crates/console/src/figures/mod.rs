//! Figures with small charts, drawn here: pictures of bars, each with a table of the same numbers beside it.

use askama::Template;
use axum::response::Response;
use axum::routing::get;
use jiff::Timestamp;
use serde::Deserialize;
use ui::Page;
use ui::component::Row;

use crate::api::Address;
use crate::frame::{Frame, show as render};
use crate::pages::Pages;
use crate::problem::Problem;
use crate::table::{Cell, Table};
use crate::visit::Visit;

pub(crate) const PATH: &str = "/console/figures";
pub(crate) const READ: &str = "figures-read";

/// The pages.
pub(crate) fn pages() -> Pages {
    Pages::new().show(PATH, READ, get(show))
}

/// What the API counts.
#[derive(Deserialize)]
struct Figures {
    counted_at: Timestamp,
    by_hour: Vec<Began>,
    by_day: Vec<Began>,
    credentials: Vec<OfType>,
    queues: Queues,
    ages: Vec<Age>,
    availability: Vec<Day>,
}

#[derive(Deserialize)]
struct Began {
    at: i64,
    begun: i64,
    verified: i64,
    issued: i64,
    refused: i64,
}

#[derive(Deserialize)]
struct OfType {
    organisation: String,
    credential_type: String,
    in_force: i64,
    suspended: i64,
    revoked: i64,
}

#[derive(Deserialize)]
struct Queues {
    open_interactions: i64,
    events_due: i64,
    events_oldest_seconds: i64,
    revocations_waiting: i64,
    proposals_open: i64,
}

#[derive(Deserialize)]
struct Age {
    kind: String,
    name: String,
    state: String,
    days: i64,
}

#[derive(Deserialize)]
struct Day {
    date: String,
    known_minutes: i64,
    available_minutes: i64,
}

/// Bars beside each other, each in two parts.
pub(crate) struct Chart {
    /// Its id on the page.
    pub(crate) id: &'static str,
    /// What it shows.
    pub(crate) title: String,
    /// So wide is the picture, and so high, in the units of its parts.
    pub(crate) width: i64,
    pub(crate) height: i64,
    /// The parts of all its bars.
    pub(crate) parts: Vec<Part>,
    /// What stands at its left and right end, and its highest bar.
    pub(crate) scale: String,
    /// The same numbers.
    pub(crate) table: Table,
}

/// A part of a bar: what came to nothing stands at the bottom, the rest upon it.
pub(crate) struct Part {
    pub(crate) failed: bool,
    pub(crate) x: i64,
    pub(crate) y: i64,
    pub(crate) width: i64,
    pub(crate) height: i64,
}

/// The picture is so wide, in its own units. It is as high as its highest bar's number.
const WIDTH: i64 = 480;

impl Chart {
    /// Of these stretches; `name` tells when one began.
    fn new(
        visit: &Visit,
        (id, key): (&'static str, &str),
        stretches: &[Began],
        name: impl Fn(i64) -> String,
    ) -> Self {
        let most = stretches.iter().map(|one| one.begun).max().unwrap_or(0);
        let height = most.max(1);
        let mut parts = Vec::new();
        let step = WIDTH / i64::try_from(stretches.len()).unwrap_or(1).max(1);
        let columns = [
            "figure-at",
            "figure-begun",
            "figure-verified",
            "figure-issued",
            "figure-refused",
        ];
        let columns = columns.map(|key| visit.say(key));
        let mut table = Table::new(visit.say(key), columns, visit.say("figures-none"));
        for (number, one) in (0..).zip(stretches) {
            let part = |failed, from: i64, to: i64| Part {
                failed,
                x: number * step,
                y: height - to,
                width: (step - 2).max(1),
                height: to - from,
            };
            let bar = [
                part(true, 0, one.refused),
                part(false, one.refused, one.begun),
            ];
            parts.extend(bar.into_iter().filter(|part| part.height > 0));
            table.row([
                Cell::text(name(one.at)),
                Cell::text(one.begun.to_string()),
                Cell::text(one.verified.to_string()),
                Cell::text(one.issued.to_string()),
                Cell::text(one.refused.to_string()),
            ]);
        }
        let end = |one: Option<&Began>| one.map_or_else(String::new, |one| name(one.at));
        let scale = [
            ("first", end(stretches.first())),
            ("last", end(stretches.last())),
            ("most", most.to_string()),
        ];
        let scale = scale.each_ref().map(|(name, text)| (*name, text.as_str()));
        Self {
            id,
            title: visit.say(key),
            width: WIDTH,
            height,
            parts,
            scale: visit.say_with("figures-scale", &scale),
            table,
        }
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

async fn find(visit: &Visit) -> Result<Figures, Problem> {
    visit.api.get(Address::new(&["figures"])).await
}

fn charts(visit: &Visit, figures: &Figures) -> Vec<Chart> {
    let clock = |seconds| ui::time::clock(at(seconds));
    let date = |seconds| ui::time::date(at(seconds));
    vec![
        Chart::new(
            visit,
            ("by-hour", "figures-by-hour"),
            &figures.by_hour,
            clock,
        ),
        Chart::new(visit, ("by-day", "figures-by-day"), &figures.by_day, date),
    ]
}

/// The charts of the start page; none for whoever may not see figures.
pub(crate) async fn of_start(visit: &Visit) -> Result<Vec<Chart>, Problem> {
    if !visit.may(READ) {
        return Ok(Vec::new());
    }
    let figures = find(visit).await?;
    Ok(charts(visit, &figures))
}

#[derive(Template)]
#[template(path = "figures/figures.html")]
struct FiguresPage {
    page: Page,
    frame: Frame,
    counted: String,
    charts: Vec<Chart>,
    credentials: Table,
    queues: Vec<Row>,
    ages: Table,
    availability: Table,
}

async fn show(visit: Visit) -> Result<Response, Problem> {
    let figures = find(&visit).await?;
    let say = |key: &str| visit.say(key);
    let columns = [
        "credential-type",
        "organisation",
        "credential-in-force",
        "credential-suspended",
        "credential-revoked",
    ];
    let mut credentials = Table::new(
        say("figures-credentials"),
        columns.map(say),
        say("figures-none"),
    );
    for one in &figures.credentials {
        credentials.row([
            Cell::text(&one.credential_type),
            Cell::text(&one.organisation),
            Cell::text(one.in_force.to_string()),
            Cell::text(one.suspended.to_string()),
            Cell::text(one.revoked.to_string()),
        ]);
    }
    let queues = &figures.queues;
    let queues = vec![
        Row::new(say("queue-open"), queues.open_interactions.to_string()),
        Row::new(say("queue-events"), queues.events_due.to_string()),
        Row::new(
            say("queue-oldest"),
            queues.events_oldest_seconds.to_string(),
        ),
        Row::new(
            say("queue-revocations"),
            queues.revocations_waiting.to_string(),
        ),
        Row::new(say("queue-proposals"), queues.proposals_open.to_string()),
    ];
    let columns = ["age-kind", "age-name", "state", "age-days"];
    let mut ages = Table::new(say("figures-ages"), columns.map(say), say("figures-none"));
    for one in &figures.ages {
        let state = visit.app.look.say_if_known(&format!("key-{}", one.state));
        ages.row([
            Cell::text(say(&format!("age-{}", one.kind))),
            Cell::text(&one.name),
            Cell::text(state.unwrap_or_else(|| say("age-live"))),
            Cell::text(one.days.to_string()),
        ]);
    }
    let columns = [
        "availability-day",
        "availability-share",
        "availability-away",
    ];
    let mut availability = Table::new(
        say("figures-availability"),
        columns.map(say),
        say("figures-none"),
    );
    for day in &figures.availability {
        let away = day.known_minutes - day.available_minutes;
        availability.row([
            Cell::text(&day.date),
            Cell::text(share(day)),
            Cell::text(away.to_string()),
        ]);
    }
    let counted = ui::time::date_and_clock(figures.counted_at);
    let counted = visit.say_with("figures-counted", &[("at", &counted)]);
    let charts = charts(&visit, &figures);
    let (page, frame) = visit.frame(PATH, "nav-figures").wide().parts();
    let page = FiguresPage {
        page,
        frame,
        counted,
        charts,
        credentials,
        queues,
        ages,
        availability,
    };
    Ok(render(page.frame.status(), &page))
}

/// In percent, rounded down: what was not quite all is never called all.
fn share(day: &Day) -> String {
    let thousandths = day.available_minutes * 100_000 / day.known_minutes.max(1);
    format!("{}.{:03} %", thousandths / 1000, thousandths % 1000)
}
