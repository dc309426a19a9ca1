//! [Notify: REST API] The addresses under `/v2`.

use std::collections::HashMap;

use axum::body::Bytes;
use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::token::{self, NotLetIn};
use super::{KeyKind, Notification, NotifyFault, NotifyService, Status, Template, lock};

const PAGE: usize = 250;
/// [Notify: smoke testing] Addresses at which nothing arrives and of which nothing is kept.
const SMOKE: [&str; 3] = [
    "simulate-delivered@notifications.service.gov.uk",
    "simulate-delivered-2@notifications.service.gov.uk",
    "simulate-delivered-3@notifications.service.gov.uk",
];

pub(super) fn router(service: NotifyService) -> Router {
    Router::new()
        .route("/v2/notifications/email", post(send))
        .route("/v2/notifications", get(list))
        .route("/v2/notifications/{id}", get(one))
        .route("/v2/template/{id}", get(template))
        .route("/v2/template/{id}/preview", post(preview))
        .fallback(async || refusal(404, "NoResultFound", "No result found"))
        .layer(from_fn_with_state(service.clone(), let_in))
        .with_state(service)
}

fn refusal(status: u16, kind: &str, message: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = json!({
        "status_code": status.as_u16(),
        "errors": [{ "error": kind, "message": message }],
    });
    (status, Json(body)).into_response()
}

fn not_valid(message: &str) -> Response {
    refusal(400, "ValidationError", message)
}

fn bad_request(message: &str) -> Response {
    refusal(400, "BadRequestError", message)
}

fn not_found() -> Response {
    refusal(404, "NoResultFound", "No result found")
}

fn failed() -> Response {
    refusal(500, "Exception", "Internal server error")
}

/// The token, then the limit of this minute.
async fn let_in(
    State(service): State<NotifyService>,
    mut request: Request,
    next: Next,
) -> Response {
    let options = service.options();
    let authorization = request.headers().get(AUTHORIZATION);
    let authorization = authorization.and_then(|value| value.to_str().ok());
    match token::check(authorization, &options, service.now().as_second()) {
        Ok(kind) => {
            if !service.count(kind, options.a_minute) {
                let message = format!(
                    "Exceeded rate limit of {} requests per 60 seconds",
                    options.a_minute
                );
                return refusal(429, "RateLimitError", &message);
            }
            request.extensions_mut().insert(kind);
            next.run(request).await
        }
        Err(NotLetIn::NoToken) => {
            let message = "Unauthorized: authentication bearer scheme must be used";
            refusal(401, "AuthError", message)
        }
        Err(NotLetIn::Refused(why)) => refusal(403, "AuthError", why),
    }
}

/// A message as it is asked for, checked as Notify's schema does.
struct Wanted {
    to: String,
    template: Uuid,
    personalisation: Map<String, Value>,
    reference: Option<String>,
}

impl Wanted {
    fn parse(body: &[u8]) -> Result<Self, String> {
        let body: Value = serde_json::from_slice(body).map_err(|_| "Invalid JSON".to_owned())?;
        let members = body.as_object().ok_or("The body is not an object")?;
        let known = [
            "email_address",
            "template_id",
            "personalisation",
            "reference",
            "email_reply_to_id",
            "one_click_unsubscribe_url",
            "sanitise_content_for",
        ];
        if let Some(name) = members.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(format!(
                "Additional properties are not allowed ({name} was unexpected)"
            ));
        }
        let text = |name: &str| match members.get(name) {
            None => Err(format!("{name} is a required property")),
            Some(value) => value
                .as_str()
                .ok_or(format!("{name} is not of type string")),
        };
        let to = text("email_address")?;
        if !is_address(to) {
            return Err("email_address Not a valid email address".to_owned());
        }
        let template = Uuid::try_parse(text("template_id")?);
        let personalisation = match members.get("personalisation") {
            None => Map::new(),
            Some(Value::Object(values)) => values.clone(),
            Some(_) => return Err("personalisation is not of type object".to_owned()),
        };
        Ok(Self {
            to: to.to_owned(),
            template: template.map_err(|_| "template_id is not a valid UUID")?,
            personalisation,
            reference: match members.get("reference") {
                None | Some(Value::Null) => None,
                Some(_) => Some(text("reference")?.to_owned()),
            },
        })
    }
}

fn is_address(text: &str) -> bool {
    let Some((name, host)) = text.rsplit_once('@') else {
        return false;
    };
    let fits = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| !c.is_whitespace() && !c.is_control() && !"<>()[],;:\"\\@".contains(c))
    };
    fits(name) && fits(host) && text.len() <= 320 && !host.starts_with('.') && !host.ends_with('.')
}

async fn send(
    State(service): State<NotifyService>,
    Extension(kind): Extension<KeyKind>,
    body: Bytes,
) -> Response {
    let fault = *lock(&service.0.fault);
    if fault == Some(NotifyFault::Fail) {
        return failed();
    }
    let options = service.options();
    let wanted = match Wanted::parse(&body) {
        Ok(wanted) => wanted,
        Err(message) => return not_valid(&message),
    };
    if service.has_sent_enough(kind, options.a_day) {
        let message = format!("Exceeded send limits ({}) for today", options.a_day);
        return refusal(429, "TooManyRequestsError", &message);
    }
    if kind == KeyKind::Team && !options.guests.contains(&wanted.to) {
        return bad_request("Can't send to this recipient using a team-only API key");
    }
    let template = options
        .templates
        .into_iter()
        .find(|it| it.id == wanted.template);
    let Some(template) = template else {
        return bad_request("Template not found");
    };
    let (subject, body) = match template.fill(&wanted.personalisation) {
        Ok(filled) => filled,
        Err(missing) => {
            return bad_request(&format!("Missing personalisation: {}", missing.join(", ")));
        }
    };
    let notification = Notification {
        id: Uuid::new_v4(),
        kind,
        reference: wanted.reference,
        to: wanted.to,
        template,
        subject,
        body,
        status: Status::Created,
        created_at: service.now(),
        completed_at: None,
    };
    let answer = json!({
        "id": notification.id,
        "reference": notification.reference,
        "scheduled_for": null,
        "content": {
            "subject": notification.subject,
            "body": notification.body,
            "from_email": "service@notifications.service.gov.uk",
            "one_click_unsubscribe_url": null,
        },
        "uri": format!("https://localhost/v2/notifications/{}", notification.id),
        "template": about(&notification.template),
    });
    if !SMOKE.contains(&notification.to.as_str())
        && let Err(error) = service.take(notification).await
    {
        tracing::error!(%error, "a message could not be kept");
        return failed();
    }
    if fault == Some(NotifyFault::TakeAndFail) {
        return failed();
    }
    (StatusCode::CREATED, Json(answer)).into_response()
}

fn about(template: &Template) -> Value {
    json!({
        "id": template.id,
        "version": template.version,
        "uri": format!("https://localhost/v2/template/{}", template.id),
    })
}

/// As the API writes times.
pub(super) fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

fn shown(one: &Notification) -> Value {
    // Whoever asks finds it with the provider: it is in the queue for seconds only.
    let status = match one.status {
        Status::Created => Status::Sending,
        status => status,
    };
    json!({
        "id": one.id,
        "reference": one.reference,
        "email_address": one.to,
        "phone_number": null,
        "type": "email",
        "status": status.name(),
        "template": about(&one.template),
        "subject": one.subject,
        "body": one.body,
        "created_at": instant(one.created_at),
        "sent_at": instant(one.created_at),
        "completed_at": one.completed_at.map(instant),
        "created_by_name": null,
        "scheduled_for": null,
        "is_cost_data_ready": true,
    })
}

async fn one(State(service): State<NotifyService>, Path(id): Path<String>) -> Response {
    let Ok(id) = Uuid::try_parse(&id) else {
        return not_valid("notification_id is not a valid UUID");
    };
    let found = service.remembered().into_iter().find(|one| one.id == id);
    found.map_or_else(not_found, |one| Json(shown(&one)).into_response())
}

async fn list(
    State(service): State<NotifyService>,
    Extension(kind): Extension<KeyKind>,
    Query(asked): Query<HashMap<String, String>>,
) -> Response {
    let known = [
        "template_type",
        "status",
        "reference",
        "older_than",
        "include_jobs",
    ];
    if let Some(name) = asked.keys().find(|name| !known.contains(&name.as_str())) {
        return not_valid(&format!(
            "Additional properties are not allowed ({name} was unexpected)"
        ));
    }
    let kind_asked = asked.get("template_type").map(String::as_str);
    if kind_asked.is_some_and(|kind| !["email", "sms", "letter"].contains(&kind)) {
        return not_valid("template_type is not one of [sms, email, letter]");
    }
    let status = asked.get("status");
    if status.is_some_and(|name| Status::ALL.iter().all(|one| one.name() != name)) {
        return not_valid("status is not one of the statuses of an email");
    }
    // A key sees the messages of its own kind.
    let mut found: Vec<Notification> = service.remembered();
    found.retain(|one| one.kind == kind && kind_asked.is_none_or(|kind| kind == "email"));
    if let Some(older_than) = asked.get("older_than") {
        let at = found
            .iter()
            .position(|one| one.id.to_string() == *older_than);
        found = at.map_or_else(Vec::new, |at| found.split_off(at + 1));
    }
    if let Some(reference) = asked.get("reference") {
        found.retain(|one| one.reference.as_ref() == Some(reference));
    }
    let mut shown: Vec<Value> = found.iter().map(shown).collect();
    if let Some(status) = status {
        shown.retain(|one| one["status"] == **status);
    }
    shown.truncate(PAGE);
    let links = json!({ "current": "https://localhost/v2/notifications" });
    Json(json!({ "notifications": shown, "links": links })).into_response()
}

fn find_template(service: &NotifyService, id: &str) -> Result<Template, Box<Response>> {
    let id = Uuid::try_parse(id).map_err(|_| Box::new(not_valid("id is not a valid UUID")))?;
    let templates = service.options().templates;
    templates
        .into_iter()
        .find(|it| it.id == id)
        .ok_or_else(|| Box::new(not_found()))
}

async fn template(State(service): State<NotifyService>, Path(id): Path<String>) -> Response {
    let template = match find_template(&service, &id) {
        Ok(template) => template,
        Err(refused) => return *refused,
    };
    let names = template.names();
    let names = names
        .into_iter()
        .map(|name| (name, json!({ "required": true })));
    Json(json!({
        "id": template.id,
        "name": template.name,
        "type": "email",
        "created_at": "2026-11-01T09:00:00.000000Z",
        "updated_at": null,
        "version": template.version,
        "created_by": "operator@anytown.example",
        "subject": template.subject,
        "body": template.body,
        "personalisation": names.collect::<Map<_, _>>(),
    }))
    .into_response()
}

async fn preview(
    State(service): State<NotifyService>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let template = match find_template(&service, &id) {
        Ok(template) => template,
        Err(refused) => return *refused,
    };
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let values = body["personalisation"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    match template.fill(&values) {
        Ok((subject, body)) => Json(json!({
            "id": template.id,
            "type": "email",
            "version": template.version,
            "subject": subject,
            "body": body,
            "html": null,
            "postage": null,
        }))
        .into_response(),
        Err(missing) => bad_request(&format!("Missing personalisation: {}", missing.join(", "))),
    }
}
