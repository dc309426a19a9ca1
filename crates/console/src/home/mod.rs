//! The start page: who one is, and what needs somebody.

use askama::Template;
use axum::extract::Query;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;
use ui::Page;
use ui::component::{Row, TagColour, Task, TaskStatus};

use crate::api::Address;
use crate::figures::{self, Chart};
use crate::frame::{Frame, show as render};
use crate::pages::Pages;
use crate::problem::Problem;
use crate::sections::{News, Pending, SECTIONS, State};
use crate::visit::Visit;

const PATH: &str = "/console";

/// The page.
pub(crate) fn pages() -> Pages {
    Pages::new().show(PATH, None, get(show))
}

/// What was just done, by the code behind `?done=`. Every page that shows such a notice takes this.
#[derive(Deserialize)]
pub(crate) struct Done {
    pub(crate) done: Option<String>,
}

/// To a page that then says what was done, by that code.
pub(crate) fn told_at(page: &str, done: &str) -> Response {
    Redirect::to(&format!("{page}?done={done}")).into_response()
}

#[derive(Template)]
#[template(path = "home/home.html")]
struct HomePage {
    page: Page,
    frame: Frame,
    who: Vec<Row>,
    /// What somebody should look at, and what is well.
    waits: Vec<Task>,
    well: Vec<Task>,
    /// How much went through lately.
    charts: Vec<Chart>,
}

async fn show(visit: Visit, Query(Done { done }): Query<Done>) -> Result<Response, Problem> {
    let mut news = Vec::new();
    for section in SECTIONS {
        let sees = section.right.is_none_or(|right| visit.may(right));
        if let (true, Some(of_section)) = (sees, section.news) {
            match of_section(visit.clone()).await {
                Ok(told) => news.extend(told),
                // One that cannot be asked hides no other.
                Err(problem) if problem.status.as_u16() != 401 => news.push(News {
                    title: visit.say(section.key),
                    hint: visit.say("home-not-known"),
                    href: None,
                    state: State::Wrong,
                    word: visit.say("state-not-known"),
                }),
                Err(problem) => return Err(problem),
            }
        }
    }
    // The worst first.
    news.sort_by_key(|one| match one.state {
        State::Wrong => 0,
        State::Waits => 1,
        State::Well => 2,
    });
    let (well, waits): (Vec<_>, Vec<_>) =
        news.into_iter().partition(|one| one.state == State::Well);
    let frame = visit
        .frame(PATH, "home-title")
        .done(&visit.app.look, done.as_deref());
    let (page, frame) = frame.parts();
    // Figures that cannot be had keep nobody from the rest.
    let charts = figures::of_start(&visit).await.unwrap_or_default();
    let page = HomePage {
        charts,
        who: who(&visit),
        waits: waits.into_iter().map(task).collect(),
        well: well.into_iter().map(task).collect(),
        page,
        frame,
    };
    Ok(render(page.frame.status(), &page))
}

/// How the process is that answers: what is wrong, each by itself; or one line that all is well.
pub(crate) fn news(visit: Visit) -> Pending<Vec<News>> {
    #[derive(Deserialize)]
    struct Check {
        code: String,
        ok: bool,
        stops: bool,
        sentence: String,
    }
    #[derive(Deserialize)]
    struct Checks {
        checks: Vec<Check>,
    }
    Box::pin(async move {
        if visit.operator.organisation.is_some() {
            return Ok(Vec::new());
        }
        let Checks { checks } = visit.api.get(Address::new(&["checks"])).await?;
        let name = |code: &str| {
            let known = visit.app.look.say_if_known(&format!("check-{code}"));
            known.unwrap_or_else(|| code.to_owned())
        };
        let wrong = checks.iter().filter(|check| !check.ok);
        let mut news: Vec<News> = wrong
            .map(|check| News {
                title: name(&check.code),
                hint: check.sentence.clone(),
                href: None,
                state: if check.stops {
                    State::Wrong
                } else {
                    State::Waits
                },
                word: visit.say(if check.stops {
                    "check-stops"
                } else {
                    "check-late"
                }),
            })
            .collect();
        if news.is_empty() {
            let names: Vec<String> = checks.iter().map(|check| name(&check.code)).collect();
            news.push(News {
                title: visit.say("home-gateway"),
                hint: names.join(", "),
                href: None,
                state: State::Well,
                word: visit.say("check-well"),
            });
        }
        Ok(news)
    })
}

fn who(visit: &Visit) -> Vec<Row> {
    let operator = &visit.operator;
    let whole = visit.say("whole-gateway");
    vec![
        Row::new(visit.say("home-name"), &operator.name),
        Row::new(visit.say("operator-role"), role(visit, &operator.role)),
        Row::new(
            visit.say("organisation"),
            operator.organisation.clone().unwrap_or(whole),
        ),
    ]
}

/// A role as people read it; one that this version does not know, as it is written.
pub(crate) fn role(visit: &Visit, role: &str) -> String {
    let known = visit.app.look.say_if_known(&format!("role-{role}"));
    known.unwrap_or_else(|| role.to_owned())
}

fn task(news: News) -> Task {
    let colour = match news.state {
        State::Well => TagColour::Green,
        State::Waits => TagColour::Yellow,
        State::Wrong => TagColour::Red,
    };
    let mut task = Task::new(news.title, TaskStatus::Tag(news.word, colour)).with_hint(news.hint);
    task.href = news.href;
    task
}
