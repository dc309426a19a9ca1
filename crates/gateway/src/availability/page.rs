//! `GET /status`: what people outside may know. Nothing personal, nothing of any one client.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;
use ui::{Language, Page};

use super::days::{self, Day};
use super::heartbeats::begin_of;
use super::{PlannedWork, Work, feed};
use crate::app::App;
use crate::live::Live;
use store::{Statement, StoreError};

/// Where the page is.
pub(super) const PATH: &str = "/status";
/// Where its feed is.
pub(super) const FEED: &str = "/status.atom";
/// How long a look serves everybody.
const KEPT: Duration = Duration::from_secs(30);
/// How long ago a process must have been ready for the service to be called working.
const RECENT: SignedDuration = SignedDuration::from_mins(3);
/// What is planned is shown this long beforehand, and as long afterwards.
const SHOWN_AHEAD: SignedDuration = SignedDuration::from_hours(24 * 90);

/// What both routes show.
#[derive(Clone)]
pub struct Shown {
    planned: Option<PathBuf>,
    last: Arc<Mutex<Last>>,
}

/// The last look, and when it was.
type Last = Option<(Instant, Arc<Looked>)>;

/// What is known, as of a moment.
pub(super) struct Looked {
    pub(super) at: Timestamp,
    pub(super) is_working: bool,
    pub(super) days: Vec<Day>,
    pub(super) planned: PlannedWork,
}

#[derive(Template)]
#[template(path = "availability/status.html")]
struct StatusPage {
    page: Page,
    is_working: bool,
    as_of: String,
    planned: Vec<(String, String)>,
    share: Option<String>,
    days: String,
    interruptions: Vec<(String, String)>,
    feed: &'static str,
}

/// The page and its feed. `frame` makes the frame of a page for whoever sent these headers to that address.
pub fn router(
    planned: Option<PathBuf>,
    frame: impl Fn(&HeaderMap, &str) -> Page + Clone + Send + Sync + 'static,
) -> Router<Live> {
    let shown = Shown {
        planned,
        last: Arc::default(),
    };
    let for_feed = shown.clone();
    let page = move |State(app): State<App>, headers: HeaderMap| async move {
        let page = frame(&headers, PATH);
        let title = page.say("status-title");
        show(page.with_title(title), &*shown.look(&app).await)
    };
    let atom = move |State(app): State<App>| async move {
        let looked = for_feed.look(&app).await;
        answer_feed(feed::write(&looked, &app.url(""), app.brand.service_name()))
    };
    Router::new().route(PATH, get(page)).route(FEED, get(atom))
}

impl Shown {
    /// Looks at most twice a minute: whoever asks at the same moment waits for the same answer.
    async fn look(&self, app: &App) -> Arc<Looked> {
        let mut last = self.last.lock().await;
        if let Some((_, looked)) = last.as_ref().filter(|(at, _)| at.elapsed() < KEPT) {
            return Arc::clone(looked);
        }
        let now = app.now();
        let planned = PlannedWork::read(self.planned.as_deref()).unwrap_or_else(|error| {
            tracing::error!(%error, "planned work is not shown");
            PlannedWork::default()
        });
        let (days, is_working) = match self.read(app, &planned, now).await {
            Ok(read) => read,
            Err(error) => {
                tracing::error!(%error, "the status page knows nothing of the last days");
                (Vec::new(), false)
            }
        };
        let looked = Arc::new(Looked {
            at: now,
            is_working,
            days,
            planned,
        });
        *last = Some((Instant::now(), Arc::clone(&looked)));
        looked
    }

    async fn read(
        &self,
        app: &App,
        planned: &PlannedWork,
        now: Timestamp,
    ) -> Result<(Vec<Day>, bool), StoreError> {
        let select = Statement::new(
            "SELECT MAX(minute) AS minute FROM heartbeats WHERE ready = 1 AND minute > $1",
        );
        let recent = (now - RECENT).as_second().div_euclid(60);
        let row = app.store.read_one(select.bind(recent)).await?;
        let last = row.map(|row| row.optional_integer("minute")).transpose()?;
        let is_working = last
            .flatten()
            .is_some_and(|minute| begin_of(minute) > now - RECENT);
        Ok((days::last_days(&app.store, planned, now).await?, is_working))
    }
}

impl Looked {
    /// What is planned for now or soon, or was lately.
    pub(super) fn shown_work(&self) -> impl Iterator<Item = &Work> {
        let (from, to) = (self.at, self.at + SHOWN_AHEAD);
        self.planned
            .work
            .iter()
            .filter(move |work| work.to > from && work.from < to)
    }
}

fn show(page: Page, looked: &Looked) -> Response {
    let language = page.language();
    let planned = looked.shown_work().map(|work| {
        let (from, to) = (moment(language, work.from), moment(language, work.to));
        let span = page.say_with("status-planned-span", &[("from", &from), ("to", &to)]);
        let text = match language {
            Language::Welsh => work.text_cy.as_ref().unwrap_or(&work.text),
            Language::English => &work.text,
        };
        (span, text.clone())
    });
    let interruptions = looked.days.iter().filter(|day| day.away() > 0).map(|day| {
        let minutes = day.away().to_string();
        let key = if day.away() == 1 {
            "status-minute"
        } else {
            "status-minutes"
        };
        let away = page.say_with(key, &[("minutes", &minutes)]);
        (date(language, day.date), away)
    });
    let view = StatusPage {
        is_working: looked.is_working,
        as_of: moment(language, looked.at),
        planned: planned.collect(),
        share: share(&looked.days),
        days: looked.days.len().to_string(),
        interruptions: interruptions.collect(),
        feed: FEED,
        page,
    };
    ui::render(&view)
}

/// In percent, rounded down: what was not quite all is never called all.
pub(super) fn share(days: &[Day]) -> Option<String> {
    let known: i64 = days.iter().map(|day| day.known).sum();
    let there: i64 = days.iter().map(|day| day.there).sum();
    if known == 0 {
        return None;
    }
    let hundredths = there * 10_000 / known;
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    Some(text.trim_end_matches('0').trim_end_matches('.').to_owned())
}

fn answer_feed(body: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/atom+xml; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=60"),
    ];
    (headers, body).into_response()
}

/// A time as people read it, in the place where the service is.
fn moment(language: Language, at: Timestamp) -> String {
    let clock = ui::time::clock_in(language, at);
    match language {
        Language::English => ui::time::date_and_clock(at),
        Language::Welsh => {
            // The date of that moment in London, as the English has it.
            let zone = TimeZone::get("Europe/London").unwrap_or(TimeZone::UTC);
            format!("{} am {clock}", date(language, at.to_zoned(zone).date()))
        }
    }
}

fn date(language: Language, date: Date) -> String {
    const WELSH: [&str; 12] = [
        "Ionawr",
        "Chwefror",
        "Mawrth",
        "Ebrill",
        "Mai",
        "Mehefin",
        "Gorffennaf",
        "Awst",
        "Medi",
        "Hydref",
        "Tachwedd",
        "Rhagfyr",
    ];
    match language {
        Language::English => ui::time::civil_date(date),
        Language::Welsh => {
            let month = usize::try_from(date.month()).unwrap_or(1);
            let mut text = String::new();
            // Writing into a string does not fail.
            let _ = write!(
                text,
                "{} {} {}",
                date.day(),
                WELSH[(month - 1) % 12],
                date.year()
            );
            text
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn day(known: i64, there: i64) -> Day {
        Day {
            date: "2026-11-28".parse().unwrap(),
            known,
            there,
        }
    }

    #[test]
    fn what_was_not_quite_all_is_never_called_all() {
        assert_eq!(share(&[]), None);
        assert_eq!(share(&[day(0, 0)]), None);
        assert_eq!(share(&[day(1440, 1440)]).unwrap(), "100");
        assert_eq!(share(&[day(129_600, 129_599)]).unwrap(), "99.99");
        assert_eq!(share(&[day(10, 9), day(10, 9)]).unwrap(), "90");
    }

    #[test]
    fn dates_are_read_in_both_languages() {
        let of = "2026-08-01".parse().unwrap();
        assert_eq!(date(Language::Welsh, of), "1 Awst 2026");
        assert_eq!(date(Language::English, of), "1 August 2026");
        let summer = "2026-07-31T23:05:00Z".parse().unwrap();
        assert_eq!(
            moment(Language::English, summer),
            "1 August 2026 at 12:05am"
        );
        assert_eq!(moment(Language::Welsh, summer), "1 Awst 2026 am 12:05am");
    }
}
