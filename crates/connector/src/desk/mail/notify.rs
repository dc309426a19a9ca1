//! GOV.UK Notify: what the operator has there, and its API.
//!
//! Better than SMTP in one thing: a mail of which nobody knows whether it was taken is looked up by its reference before
//! it is tried again, so that a crash makes no second copy as long as Notify remembers the first (seven days).

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use standards::jose::jws::ProtectedHeader;
use standards::jose::{Algorithm, HmacKey, jws};
use url::Url;
use uuid::Uuid;

use super::words::PLACEHOLDERS;
use super::{Language, MailFault, MailOptionsError, Outgoing};
use crate::ClientSecret;
use crate::http::{Answer, FetchError, Http, Request};

/// A UUID as text.
const ID: usize = 36;

/// A service at GOV.UK Notify.
#[derive(Clone, Debug)]
pub struct Notify {
    /// The API's address; [`Notify::PUBLIC`] but for tests.
    pub base: Url,
    /// The API key.
    pub key: NotifyKey,
    /// The id of the template in English.
    pub template: Uuid,
    /// The id of the template in Welsh. Without one, everybody is written to in English.
    pub welsh_template: Option<Uuid>,
    /// The bearer token of Notify's callbacks, as it was entered there. Without one, statuses are asked for.
    pub callback_token: Option<ClientSecret>,
}

impl Notify {
    /// Where GOV.UK Notify's API is.
    pub const PUBLIC: &str = "https://api.notifications.service.gov.uk/";

    pub(super) fn check(&self) -> Result<(), MailOptionsError> {
        let bare = self.base.query().is_none() && self.base.path() == "/";
        if bare && crate::http::is_secure(&self.base) {
            Ok(())
        } else {
            Err(MailOptionsError::Endpoint("GOV.UK Notify"))
        }
    }

    /// A template for each language that there is one for.
    pub(super) fn templates(&self) -> impl Iterator<Item = (Language, Uuid)> {
        let welsh = self.welsh_template.map(|id| (Language::Welsh, id));
        std::iter::once((Language::English, self.template)).chain(welsh)
    }
}

/// A key of GOV.UK Notify's API: the service's id and its secret. Its Debug does not print the secret.
#[derive(Clone)]
pub struct NotifyKey {
    service: String,
    key: HmacKey,
}

/// A text is no API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a GOV.UK Notify key ends with the service's id and a secret, 36 characters each: NAME-ID-SECRET"
)]
pub struct NotifyKeyError;

impl NotifyKey {
    /// Takes a key apart, from its end: the name before the service's id may hold hyphens, too.
    pub fn parse(text: &str) -> Result<Self, NotifyKeyError> {
        let text = text.trim();
        let split = |text: &'_ str| -> Option<(usize, usize)> {
            let secret = text.len().checked_sub(ID)?;
            let service = secret.checked_sub(ID + 1)?;
            Some((service, secret))
        };
        let (service_at, secret_at) = split(text).ok_or(NotifyKeyError)?;
        let service = text.get(service_at..secret_at - 1).ok_or(NotifyKeyError)?;
        let secret = text.get(secret_at..).ok_or(NotifyKeyError)?;
        let hyphens = [service_at, secret_at]
            .iter()
            .all(|at| *at > 0 && text.as_bytes()[at - 1] == b'-');
        if !hyphens || Uuid::try_parse(service).is_err() || Uuid::try_parse(secret).is_err() {
            return Err(NotifyKeyError);
        }
        Ok(Self {
            service: service.to_owned(),
            key: HmacKey::from_bytes(secret.as_bytes()).map_err(|_| NotifyKeyError)?,
        })
    }

    /// A token for one request: Notify takes it within 30 seconds of `now`.
    fn token(&self, now: Timestamp) -> Result<String, MailFault> {
        let claims = json!({ "iss": self.service, "iat": now.as_second() });
        let header = ProtectedHeader::typ("JWT");
        jws::sign_hmac(&self.key, Algorithm::HS256, header, &claims).map_err(|_| MailFault::Options)
    }
}

impl std::fmt::Debug for NotifyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NotifyKey(…)")
    }
}

/// What Notify says became of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::desk) enum Delivery {
    /// Nothing final so far.
    UnderWay,
    Delivered,
    TemporaryFailure,
    PermanentFailure,
    TechnicalFailure,
}

impl Delivery {
    pub(in crate::desk) fn parse(status: &str) -> Self {
        match status {
            "delivered" => Self::Delivered,
            "temporary-failure" => Self::TemporaryFailure,
            "permanent-failure" => Self::PermanentFailure,
            "technical-failure" => Self::TechnicalFailure,
            _ => Self::UnderWay,
        }
    }
}

/// What a template at Notify lacks, or has too much.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotifyTemplateError {
    /// It could not be read; when somebody tries again it may be.
    #[error("{0}")]
    Unread(String),
    /// There is none with this id.
    #[error("GOV.UK Notify has no template {0}")]
    Missing(Uuid),
    /// It is not for e-mail.
    #[error("the template {0} is not for emails")]
    NotEmail(Uuid),
    /// Placeholders that the employee needs are not in it.
    #[error("the template {template} lacks {}", list(.names))]
    Lacks {
        /// The template.
        template: Uuid,
        /// The placeholders' names.
        names: Vec<String>,
    },
    /// Placeholders are in it for which there are no values: Notify would refuse each mail.
    #[error("the template {template} has {}, for which there is no value", list(.names))]
    HasUnknown {
        /// The template.
        template: Uuid,
        /// The placeholders' names.
        names: Vec<String>,
    },
}

fn list(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("(({name}))")).collect();
    names.join(", ")
}

/// The API, at one moment.
pub(super) struct Api<'a> {
    pub(super) http: &'a Http,
    pub(super) notify: &'a Notify,
    pub(super) now: Timestamp,
}

#[derive(Deserialize)]
struct Notification {
    id: Uuid,
    status: String,
    #[serde(default)]
    email_address: Option<String>,
}

#[derive(Deserialize)]
struct Notifications {
    notifications: Vec<Notification>,
}

#[derive(Deserialize)]
struct Sent {
    id: Uuid,
}

#[derive(Deserialize)]
struct Template {
    r#type: String,
    #[serde(default)]
    subject: Option<String>,
    body: String,
}

#[derive(Deserialize)]
struct Errors {
    errors: Vec<ErrorType>,
}

#[derive(Deserialize)]
struct ErrorType {
    error: String,
}

impl Api<'_> {
    /// `POST /v2/notifications/email`: the id of the notification that was taken.
    pub(super) async fn send(&self, mail: &Outgoing) -> Result<String, MailFault> {
        let personalisation: Value =
            serde_json::from_str(&mail.personalisation).map_err(|_| MailFault::Options)?;
        let template = self.notify.templates();
        let template = template.filter(|(language, _)| *language == mail.language);
        let template = template.last().map_or(self.notify.template, |(_, id)| id);
        let body = json!({
            "email_address": mail.recipient,
            "template_id": template,
            "personalisation": personalisation,
            "reference": mail.reference(),
        });
        let url = self.url(&["v2", "notifications", "email"])?;
        let answer = self
            .ask(Request::post_json(url, &body).called("send a mail"))
            .await?;
        match answer.status.as_u16() {
            201 => read::<Sent>(&answer).map(|sent| sent.id.to_string()),
            _ => Err(fault(&answer)),
        }
    }

    /// `GET /v2/notifications?reference=…`: the notification that an earlier try left behind, if it was to the address
    /// that the mail has now, and did arrive or still can. `known` is one of which is known that it cannot.
    ///
    /// A bounce that was never heard of, and an address that was put right since, ask for another mail: were the old
    /// notification taken for it, the employee would never be told.
    pub(super) async fn taken_before(
        &self,
        mail: &Outgoing,
        known: Option<&str>,
    ) -> Result<Option<String>, MailFault> {
        let mut url = self.url(&["v2", "notifications"])?;
        url.query_pairs_mut()
            .append_pair("template_type", "email")
            .append_pair("reference", mail.reference());
        let answer = self.ask(Request::fetch(url)).await?;
        if answer.status.as_u16() != 200 {
            return Err(fault(&answer));
        }
        let found = read::<Notifications>(&answer)?.notifications;
        let alive = found.into_iter().find(|one| {
            let may_arrive = matches!(
                Delivery::parse(&one.status),
                Delivery::UnderWay | Delivery::Delivered
            );
            let elsewhere = one.email_address.as_ref();
            let elsewhere = elsewhere.is_some_and(|to| !is_same_address(to, &mail.recipient));
            may_arrive && !elsewhere && known != Some(one.id.to_string().as_str())
        });
        Ok(alive.map(|one| one.id.to_string()))
    }

    /// `GET /v2/notifications/{id}`; `None` once Notify has forgotten it.
    pub(super) async fn delivery(&self, id: &str) -> Result<Option<Delivery>, MailFault> {
        let url = self.url(&["v2", "notifications", id])?;
        let answer = self.ask(Request::fetch(url)).await?;
        match answer.status.as_u16() {
            200 => Ok(Some(Delivery::parse(
                &read::<Notification>(&answer)?.status,
            ))),
            404 => Ok(None),
            _ => Err(fault(&answer)),
        }
    }

    /// `GET /v2/template/{id}`: whether each template has the placeholders that there are values for, and no others.
    pub(super) async fn check_templates(
        &self,
    ) -> Result<Result<(), NotifyTemplateError>, MailFault> {
        for (_, template) in self.notify.templates() {
            let url = self.url(&["v2", "template", &template.to_string()])?;
            let answer = self.ask(Request::fetch(url)).await?;
            match answer.status.as_u16() {
                200 => {}
                404 => return Ok(Err(NotifyTemplateError::Missing(template))),
                _ => return Err(fault(&answer)),
            }
            let checked = check_template(template, &read(&answer)?);
            if checked.is_err() {
                return Ok(checked);
            }
        }
        Ok(Ok(()))
    }

    fn url(&self, path: &[&str]) -> Result<Url, MailFault> {
        let mut url = self.notify.base.clone();
        url.path_segments_mut()
            .map_err(|()| MailFault::Options)?
            .clear()
            .extend(path);
        Ok(url)
    }

    async fn ask(&self, request: Request) -> Result<Answer, MailFault> {
        let bearer = format!("Bearer {}", self.notify.key.token(self.now)?);
        let request = request.with_header("authorization", bearer);
        self.http.send(request).await.map_err(|error| match error {
            FetchError::TimedOut => MailFault::Silent,
            _ => MailFault::Unreachable,
        })
    }
}

/// Notify may give an address back without a capital, or without space around it.
fn is_same_address(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

fn read<T: for<'a> Deserialize<'a>>(answer: &Answer) -> Result<T, MailFault> {
    let failing = |_| MailFault::NotifyFailing(answer.status.as_u16());
    serde_json::from_slice(&answer.body).map_err(failing)
}

/// By status and error type; messages change, as Notify says itself.
fn fault(answer: &Answer) -> MailFault {
    let status = answer.status.as_u16();
    let errors = serde_json::from_slice::<Errors>(&answer.body);
    let types: Vec<String> = errors
        .map(|said| said.errors.into_iter().map(|one| one.error).collect())
        .unwrap_or_default();
    let says = |wanted: &str| types.iter().any(|kind| kind == wanted);
    match status {
        400 if says("ValidationError") => MailFault::NotifyRefused,
        400 => MailFault::NotifyBadRequest,
        401 | 403 => MailFault::NotifyKey,
        429 if says("TooManyRequestsError") => MailFault::NotifyDailyLimit,
        429 => MailFault::NotifyBusy,
        _ => MailFault::NotifyFailing(status),
    }
}

/// Until when nothing needs to be tried, if the fault says so.
pub(super) fn not_before(fault: MailFault, now: Timestamp) -> Option<Timestamp> {
    match fault {
        MailFault::NotifyBusy => Some(now + SignedDuration::from_mins(1)),
        // The count begins anew at midnight UTC.
        MailFault::NotifyDailyLimit => {
            let day = 24 * 60 * 60;
            let midnight = (now.as_second() / day + 1) * day;
            Timestamp::from_second(midnight).ok()
        }
        _ => None,
    }
}

fn check_template(id: Uuid, template: &Template) -> Result<(), NotifyTemplateError> {
    if template.r#type != "email" {
        return Err(NotifyTemplateError::NotEmail(id));
    }
    let mut found = placeholders(template.subject.as_deref().unwrap_or_default());
    found.extend(placeholders(&template.body));
    let is_known = |name: &String| PLACEHOLDERS.iter().any(|known| is_same(known, name));
    let unknown: Vec<String> = found
        .iter()
        .filter(|name| !is_known(name))
        .cloned()
        .collect();
    if !unknown.is_empty() {
        return Err(NotifyTemplateError::HasUnknown {
            template: id,
            names: unknown,
        });
    }
    let lacks = PLACEHOLDERS.iter();
    let lacks = lacks.filter(|known| !found.iter().any(|name| is_same(known, name)));
    let names: Vec<String> = lacks.map(|name| (*name).to_owned()).collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(NotifyTemplateError::Lacks {
        template: id,
        names,
    })
}

/// The names in `((…))`; of a conditional one, `((name??text))`, what stands before the question marks.
fn placeholders(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("((") {
        let Some((name, after)) = after.split_once("))") else {
            break;
        };
        let name = name.split_once("??").map_or(name, |(name, _)| name);
        found.push(name.trim().to_owned());
        rest = after;
    }
    found
}

/// Notify does not look at case, spaces, hyphens and underscores in a name.
fn is_same(one: &str, other: &str) -> bool {
    let plain = |name: &str| -> String {
        let letters = name.chars().filter(|letter| letter.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect()
    };
    plain(one) == plain(other)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "notify_tests.rs"]
mod tests;
