//! Who asks: every handler of a page begins with one of these, and so cannot forget to look.

use std::collections::BTreeMap;

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts as RequestParts;
use axum::response::{IntoResponse, Redirect, Response};
use connector::desk;
use jiff::Timestamp;

use crate::app::App;
use crate::employees::Employee;
use crate::login;
use crate::look::Visitor;
use crate::records::Record;
use crate::session::cookie::Cookie;
use crate::session::rows::{SessionRow, end_of};
use crate::token::is_same;
use crate::trouble::Trouble;
use crate::{language, not_applicable, problem};

/// Somebody who is logged in. Whoever is not is led to the log-in page, and from there back.
pub(crate) struct Visit {
    pub(crate) app: App,
    pub(crate) session: SessionRow,
    pub(crate) employee: Employee,
    pub(crate) now: Timestamp,
}

impl Visit {
    /// Whoever this browser's cookie belongs to. That they are there puts the session's end off.
    pub(crate) async fn find(
        app: &App,
        headers: &axum::http::HeaderMap,
    ) -> Result<Option<Self>, Trouble> {
        match Cookie::Session.read(app, headers) {
            Some(token) => Self::of(app, app.find_session(&token).await?).await,
            None => Ok(None),
        }
    }

    /// The same for a browser that comes back from the gateway, where its person may have been for long.
    pub(crate) async fn find_returning(
        app: &App,
        headers: &axum::http::HeaderMap,
    ) -> Result<Option<Self>, Trouble> {
        match Cookie::Session.read(app, headers) {
            Some(token) => Self::of(app, app.find_returning(&token).await?).await,
            None => Ok(None),
        }
    }

    async fn of(app: &App, session: Option<SessionRow>) -> Result<Option<Self>, Trouble> {
        let Some(mut session) = session else {
            return Ok(None);
        };
        let Some(employee) = app.find_employee(&session.employee).await? else {
            return Ok(None);
        };
        app.see_session(&mut session).await?;
        language::speak_to(&employee);
        Ok(Some(Self {
            app: App::clone(app),
            session,
            employee,
            now: app.now(),
        }))
    }

    /// As the desk knows them. The session's digest is its key there too: what a cookie says is kept nowhere.
    pub(crate) fn at_desk(&self) -> desk::Session<'_> {
        desk::Session {
            id: &self.session.digest,
            employee: &self.employee.id,
        }
    }

    /// As the pages know them.
    pub(crate) fn visitor(&self) -> Visitor {
        let (ends_at, may_stay) = end_of(&self.app, self.session.created_at, self.session.seen_at);
        Visitor {
            name: self.employee.name(),
            csrf: self.session.csrf.clone(),
            now: self.now,
            ends_at,
            may_stay,
        }
    }

    /// Whether they are of HR.
    pub(crate) fn is_hr(&self) -> bool {
        self.app.hr_staff.contains(&self.employee.id)
    }

    /// There is nothing at this address, or nothing of theirs.
    pub(crate) fn not_found(&self) -> Response {
        problem::not_found(&self.app, Some(&self.visitor()))
    }

    /// Their own record of this id, deleted or not.
    pub(crate) async fn record(&self, id: &str) -> Result<Option<Record>, Trouble> {
        let record = self.app.find_record(id).await?;
        Ok(record.filter(|record| record.employee == self.employee.id))
    }
}

impl FromRequestParts<App> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut RequestParts, app: &App) -> Result<Self, Response> {
        match Self::find(app, &parts.headers).await {
            Ok(Some(visit)) => Ok(visit),
            Ok(None) => {
                let wanted = parts
                    .uri
                    .path_and_query()
                    .map_or("/", |wanted| wanted.as_str());
                Err(Redirect::to(&login::path(app, wanted)).into_response())
            }
            Err(trouble) => Err(trouble.into_response()),
        }
    }
}

/// Somebody to whom the staff passport applies. For anybody else none of its pages are there.
pub(crate) struct Holder(pub(crate) Visit);

impl std::ops::Deref for Holder {
    type Target = Visit;

    fn deref(&self) -> &Visit {
        &self.0
    }
}

impl AsRef<Visit> for Holder {
    fn as_ref(&self) -> &Visit {
        &self.0
    }
}

impl AsRef<Visit> for Visit {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl FromRequestParts<App> for Holder {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut RequestParts, app: &App) -> Result<Self, Response> {
        let visit = Visit::from_request_parts(parts, app).await?;
        if app.applies_to(&visit.employee) {
            Ok(Self(visit))
        } else {
            Err(not_applicable::page::show(&app.look, &visit.visitor()))
        }
    }
}

/// Somebody of HR, as the configuration names them. For anybody else their pages are not there.
pub(crate) struct Office(pub(crate) Visit);

impl AsRef<Visit> for Office {
    fn as_ref(&self) -> &Visit {
        &self.0
    }
}

impl FromRequestParts<App> for Office {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut RequestParts, app: &App) -> Result<Self, Response> {
        let visit = Visit::from_request_parts(parts, app).await?;
        if visit.is_hr() {
            Ok(Self(visit))
        } else {
            Err(visit.not_found())
        }
    }
}

/// The fields of a form, by name.
pub(crate) type Fields = BTreeMap<String, String>;

/// A form that one of this session's own pages sent.
pub(crate) struct Posted<V> {
    pub(crate) by: V,
    pub(crate) fields: Fields,
}

impl<V> FromRequest<App> for Posted<V>
where
    V: FromRequestParts<App, Rejection = Response> + AsRef<Visit> + Send,
{
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let by = V::from_request_parts(&mut parts, app).await?;
        let fields = read_form(Request::from_parts(parts, body), app).await?;
        let visit = by.as_ref();
        let csrf = fields.get("csrf").map_or("", String::as_str);
        if !is_same(csrf, &visit.session.csrf) {
            return Err(problem::too_old(app, Some(&visit.visitor())));
        }
        Ok(Self { by, fields })
    }
}

/// A form that this browser loaded, sent by somebody who need not be logged in: the token is in a cookie as well.
pub(crate) struct Anonymous(pub(crate) Fields);

impl FromRequest<App> for Anonymous {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let expected = Cookie::Form
            .read(app, request.headers())
            .unwrap_or_default();
        let fields = read_form(request, app).await?;
        let csrf = fields.get("csrf").map_or("", String::as_str);
        if is_same(csrf, &expected) {
            Ok(Self(fields))
        } else {
            Err(problem::too_old(app, None))
        }
    }
}

async fn read_form(request: Request, app: &App) -> Result<Fields, Response> {
    let form: Result<Form<Fields>, FormRejection> = Form::from_request(request, app).await;
    form.map(|Form(fields)| fields)
        .map_err(IntoResponse::into_response)
}
