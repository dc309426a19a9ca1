//! Revoke many: a file is counted, two people agree, and the gateway works on it. How far it has come is on its page.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use ui::Page;
use ui::component::{Choice, Row, TagColour};

use crate::api::Address;
use crate::credentials::{reason, reasons};
use crate::fields::Fields;
use crate::frame::{Frame, show as render};
use crate::home::{Done, told_at};
use crate::pages::Pages;
use crate::problem::{FormErrors, Problem};
use crate::proposals::{propose, why};
use crate::table::{Cell, Table};
use crate::visit::Visit;

pub(crate) const PATH: &str = "/console/bulk";
const SECTION: &str = crate::credentials::PATH;
const READ: &str = "credentials-read";
const REVOKE: &str = "credentials-revoke";

/// The pages.
pub(crate) fn pages() -> Pages {
    Pages::new()
        .show(PATH, READ, get(list))
        .take_file("/console/bulk/upload", REVOKE, post(upload))
        .show("/console/bulk/{job}", READ, get(look))
        .act("/console/bulk/{job}/propose", REVOKE, post(ask))
        .act("/console/bulk/{job}/pause", REVOKE, post(pause))
        .act("/console/bulk/{job}/resume", REVOKE, post(resume))
        .act("/console/bulk/{job}/stop", REVOKE, post(stop))
        .act("/console/bulk/{job}/pace", REVOKE, post(pace))
}

/// A job as the API gives it.
#[derive(Deserialize)]
struct Job {
    id: String,
    organisation: String,
    credential_type: Option<String>,
    reason: String,
    note: String,
    ticket: String,
    pace: i64,
    stage: String,
    proposal: Option<String>,
    created_at: Timestamp,
    finished_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Now {
    job: Job,
    dry_run: Option<Standing>,
    progress: Progress,
    /// Of a job of the command line: what to do where it stands still.
    advice: Option<Value>,
}

#[derive(Deserialize)]
struct Standing {
    in_force: u64,
    expired: u64,
    already_revoked: u64,
    unknown: u64,
}

#[derive(Deserialize)]
struct Progress {
    waiting: u64,
    revoked: u64,
    already_revoked: u64,
    unknown: u64,
}

fn stage(visit: &Visit, stage: &str) -> (String, TagColour) {
    let colour = match stage {
        "counted" => TagColour::Yellow,
        "running" => TagColour::Blue,
        "finished" => TagColour::Green,
        _ => TagColour::Grey,
    };
    (visit.say(&format!("bulk-{stage}")), colour)
}

#[derive(Template)]
#[template(path = "bulk/list.html")]
struct ListPage {
    page: Page,
    frame: Frame,
    list: Table,
    may_revoke: bool,
    /// Whether it must be said whose credentials are meant.
    asks_organisation: bool,
    reasons: Vec<Choice>,
    organisation: String,
    credential_type: String,
    note: String,
    ticket: String,
    pace: String,
}

async fn list(visit: Visit) -> Result<Response, Problem> {
    list_page(
        &visit,
        visit.frame(SECTION, "bulk-title"),
        &Fields::default(),
    )
    .await
}

async fn list_page(visit: &Visit, frame: Frame, fields: &Fields) -> Result<Response, Problem> {
    #[derive(Deserialize)]
    struct Found {
        jobs: Vec<Job>,
    }
    let found: Found = visit.api.get(Address::new(&["bulk-revocations"])).await?;
    let columns = [
        "bulk-job",
        "organisation",
        "reason",
        "ticket",
        "bulk-created",
        "state",
    ];
    let columns = columns.map(|key| visit.say(key));
    let mut list = Table::new(visit.say("bulk-title"), columns, visit.say("bulk-empty"));
    for job in &found.jobs {
        let (text, colour) = stage(visit, &job.stage);
        list.row([
            Cell::link(&job.id, format!("{PATH}/{}", job.id)),
            Cell::text(&job.organisation),
            Cell::text(reason(visit, &job.reason)),
            Cell::text(&job.ticket),
            Cell::text(ui::time::date_and_clock(job.created_at)),
            Cell::tag(text, colour),
        ]);
    }
    let status = frame.status();
    let frame = frame.wide().back(SECTION, visit.say("nav-credentials"));
    let (page, frame) = frame.parts();
    let text = |name: &str| fields.text(name).to_owned();
    let page = ListPage {
        page,
        frame,
        list,
        may_revoke: visit.may(REVOKE),
        asks_organisation: visit.operator.organisation.is_none(),
        reasons: reasons(visit, fields.text("reason")),
        organisation: text("organisation"),
        credential_type: text("credential_type"),
        note: text("note"),
        ticket: text("ticket"),
        pace: text("pace"),
    };
    Ok(render(status, &page))
}

async fn upload(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let mut errors = FormErrors::default();
    let file = fields.file("serial_numbers");
    let text = file.and_then(|bytes| std::str::from_utf8(bytes).ok());
    if text.is_none() {
        errors.add("serial_numbers", visit.say("bulk-choose-file"));
    }
    if fields.text("reason").is_empty() {
        errors.add("reason", visit.say("revoke-choose-one"));
    }
    let pace = fields.optional("pace").map(str::parse::<u32>).transpose();
    if pace.is_err() {
        errors.add("pace", visit.say("bulk-pace-number"));
    }
    if !errors.is_empty() {
        let frame = visit.frame(SECTION, "bulk-title").errors(errors);
        return list_page(&visit, frame, &fields).await;
    }
    let mut body = json!({
        "serial_numbers": text, "reason": fields.text("reason"), "ticket": fields.text("ticket"),
    });
    for name in ["organisation", "credential_type", "note"] {
        if let Some(text) = fields.optional(name) {
            body[name] = text.into();
        }
    }
    if let Ok(Some(pace)) = pace {
        body["pace"] = pace.into();
    }
    match visit
        .api
        .post::<Now>(Address::new(&["bulk-revocations"]), &body)
        .await
    {
        Ok(Now { job, .. }) => Ok(told_at(&format!("{PATH}/{}", job.id), "bulk-counted")),
        Err(problem) if problem.status.as_u16() == 404 => {
            let unknown = visit.say("bulk-organisation-unknown");
            let errors = FormErrors::one("organisation", unknown);
            let frame = visit.frame(SECTION, "bulk-title").errors(errors);
            list_page(&visit, frame, &fields).await
        }
        Err(problem) => {
            let names = [
                "serial_numbers",
                "reason",
                "ticket",
                "organisation",
                "credential_type",
                "note",
                "pace",
            ];
            let label = |name: &str| visit.say(&format!("bulk-field-{name}"));
            let errors = problem.for_form(&names, label)?;
            let frame = visit.frame(SECTION, "bulk-title").errors(errors);
            list_page(&visit, frame, &fields).await
        }
    }
}

#[derive(Template)]
#[template(path = "bulk/job.html")]
#[allow(clippy::struct_excessive_bools)] // one for each button
struct JobPage {
    page: Page,
    frame: Frame,
    id: String,
    stage: (String, TagColour),
    rows: Vec<Row>,
    /// What it would do, before it is begun.
    dry_run: Vec<Row>,
    /// How far it has come, afterwards: done of all, and each number.
    progress: Vec<Row>,
    done: u64,
    all: u64,
    /// What to do where a job of the command line stands still.
    advice: String,
    may_propose: bool,
    may_pause: bool,
    may_resume: bool,
    may_stop: bool,
    pace: String,
    reason: String,
    ticket: String,
}

async fn look(
    visit: Visit,
    Path(id): Path<String>,
    Query(Done { done }): Query<Done>,
) -> Result<Response, Problem> {
    let frame = visit
        .frame(SECTION, "bulk-title")
        .done(&visit.app.look, done.as_deref());
    page(&visit, &id, frame, &Fields::default()).await
}

async fn page(visit: &Visit, id: &str, frame: Frame, fields: &Fields) -> Result<Response, Problem> {
    let now: Now = visit
        .api
        .get(Address::new(&["bulk-revocations", id]))
        .await?;
    let (job, when) = (now.job, ui::time::date_and_clock);
    let none = || visit.say("none");
    let mut rows = vec![
        Row::new(visit.say("organisation"), &job.organisation),
        Row::new(
            visit.say("credential-type"),
            job.credential_type
                .clone()
                .unwrap_or_else(|| visit.say("bulk-any-type")),
        ),
        Row::new(visit.say("reason"), reason(visit, &job.reason)),
        Row::new(
            visit.say("revoke-note"),
            if job.note.is_empty() {
                none()
            } else {
                job.note.clone()
            },
        ),
        Row::new(visit.say("ticket"), &job.ticket),
        Row::new(visit.say("bulk-pace"), job.pace.to_string()),
        Row::new(visit.say("bulk-created"), when(job.created_at)),
    ];
    rows.extend(
        job.proposal
            .map(|one| Row::new(visit.say("bulk-proposal"), one)),
    );
    rows.extend(
        job.finished_at
            .map(|at| Row::new(visit.say("bulk-ended"), when(at))),
    );
    let row = |key: &str, number: u64| Row::new(visit.say(key), number.to_string());
    let dry_run = now.dry_run.map_or_else(Vec::new, |counts| {
        vec![
            row("bulk-in-force", counts.in_force),
            row("bulk-expired", counts.expired),
            row("bulk-already", counts.already_revoked),
            row("bulk-unknown", counts.unknown),
        ]
    });
    let Progress {
        waiting,
        revoked,
        already_revoked,
        unknown,
    } = now.progress;
    let progress = vec![
        row("bulk-revoked", revoked),
        row("bulk-already", already_revoked),
        row("bulk-unknown", unknown),
        row("bulk-waiting", waiting),
    ];
    let may = visit.may(REVOKE);
    let is_at = |stages: &[&str]| may && stages.contains(&job.stage.as_str());
    let status = frame.status();
    let frame = frame.titled(&job.id).back(PATH, visit.say("bulk-title"));
    let (page, frame) = frame.parts();
    let page = JobPage {
        page,
        frame,
        stage: stage(visit, &job.stage),
        rows,
        progress: if dry_run.is_empty() {
            progress
        } else {
            Vec::new()
        },
        dry_run,
        advice: match (now.advice, job.stage == "paused") {
            (None, _) => String::new(),
            (Some(_), true) => visit.say("bulk-by-command-paused"),
            (Some(_), false) => visit.say("bulk-by-command"),
        },
        done: revoked + already_revoked + unknown,
        all: revoked + already_revoked + unknown + waiting,
        may_propose: is_at(&["counted"]) && visit.may("proposals-make"),
        may_pause: is_at(&["running"]),
        may_resume: is_at(&["paused"]),
        may_stop: is_at(&["counted", "running", "paused"]),
        pace: fields
            .optional("pace")
            .map_or_else(|| job.pace.to_string(), str::to_owned),
        reason: fields.text("reason").to_owned(),
        ticket: fields.optional("ticket").unwrap_or(&job.ticket).to_owned(),
        id: job.id,
    };
    Ok(render(status, &page))
}

async fn ask(visit: Visit, Path(id): Path<String>, fields: Fields) -> Result<Response, Problem> {
    match propose(&visit, "bulk-revocation", json!({ "job": id }), &fields).await {
        Ok(response) => Ok(response),
        Err(problem) => refused(&visit, &id, problem, &fields).await,
    }
}

async fn pause(visit: Visit, Path(id): Path<String>, fields: Fields) -> Result<Response, Problem> {
    let body = why(&fields);
    change(visit, id, fields, body, ("pause", "bulk-paused")).await
}

async fn resume(visit: Visit, Path(id): Path<String>, fields: Fields) -> Result<Response, Problem> {
    let body = why(&fields);
    change(visit, id, fields, body, ("resume", "bulk-resumed")).await
}

async fn stop(visit: Visit, Path(id): Path<String>, fields: Fields) -> Result<Response, Problem> {
    let body = why(&fields);
    change(visit, id, fields, body, ("stop", "bulk-stopped")).await
}

async fn pace(visit: Visit, Path(id): Path<String>, fields: Fields) -> Result<Response, Problem> {
    let Ok(pace) = fields.text("pace").parse::<u32>() else {
        let errors = FormErrors::one("pace", visit.say("bulk-pace-number"));
        let frame = visit.frame(SECTION, "bulk-title").errors(errors);
        return page(&visit, &id, frame, &fields).await;
    };
    let body = json!({ "pace": pace });
    change(visit, id, fields, body, ("pace", "bulk-paced")).await
}

async fn change(
    visit: Visit,
    id: String,
    fields: Fields,
    body: Value,
    (act, done): (&str, &str),
) -> Result<Response, Problem> {
    let address = Address::new(&["bulk-revocations", &id, act]);
    match visit.api.post::<Value>(address, &body).await {
        Ok(_) => Ok(told_at(&format!("{PATH}/{id}"), done)),
        Err(problem) => refused(&visit, &id, problem, &fields).await,
    }
}

async fn refused(
    visit: &Visit,
    id: &str,
    problem: Problem,
    fields: &Fields,
) -> Result<Response, Problem> {
    let label = |name: &str| visit.say(if name == "pace" { "bulk-pace" } else { name });
    let errors = problem.for_form(&["reason", "ticket", "pace"], label)?;
    let frame = visit.frame(SECTION, "bulk-title").errors(errors);
    page(visit, id, frame, fields).await
}
