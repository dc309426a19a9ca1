//! Figures with small charts, drawn here: pictures of bars, each with a table of the same numbers beside it.

use std::fmt::Write as _;

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
    /// The path of the part that came to something, and of the part that did not.
    pub(crate) good: String,
    pub(crate) bad: String,
    /// What stands at its left and right end, and its highest bar.
    pub(crate) first: String,
    pub(crate) last: String,
    pub(crate) most: i64,
    /// The same numbers.
    pub(crate) table: Table,
}

/// The picture is so wide and high, in its own units.
const WIDTH: i64 = 480;
const HEIGHT: i64 = 100;

impl Chart {
    /// Of these stretches; `name` tells when one began.
    fn new(
        visit: &Visit,
        (id, key): (&'static str, &str),
        stretches: &[Began],
        name: impl Fn(i64) -> String,
    ) -> Self {
        let most = stretches.iter().map(|one| one.begun).max().unwrap_or(0);
        let (mut good, mut bad) = (String::new(), String::new());
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
            let x: i64 = number * step;
            let whole = one.begun * HEIGHT / most.max(1);
            let failed = one.refused * HEIGHT / most.max(1);
            bar(&mut good, (x, step), (HEIGHT - whole, whole - failed));
            bar(&mut bad, (x, step), (HEIGHT - failed, failed));
            table.row([
                Cell::text(name(one.at)),
                Cell::text(one.begun.to_string()),
                Cell::text(one.verified.to_string()),
                Cell::text(one.issued.to_string()),
                Cell::text(one.refused.to_string()),
            ]);
        }
        let end = |one: Option<&Began>| one.map_or_else(String::new, |one| name(one.at));
        Self {
            id,
            title: visit.say(key),
            good,
            bad,
            first: end(stretches.first()),
            last: end(stretches.last()),
            most,
            table,
        }
    }
}

/// One bar as part of a path, a little narrower than its place.
fn bar(path: &mut String, (x, step): (i64, i64), (y, height): (i64, i64)) {
    if height > 0 {
        let width = (step - 2).max(1);
        // A `String` takes everything.
        let _ = write!(path, "M{x} {y}h{width}v{height}h-{width}z");
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
