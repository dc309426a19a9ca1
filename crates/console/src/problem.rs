//! What the API refuses, as the pages tell it: beside the form, where the person can put it right there; otherwise on a page of
//! its own.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use ui::component::FieldError;

/// A refusal of the admin API. As an answer it becomes a page (`pages.rs` puts it into the console's frame).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    /// The API's stable code.
    pub(crate) code: String,
    /// What is wrong, in a sentence.
    detail: String,
}

#[derive(Deserialize)]
struct Body {
    code: String,
    detail: String,
}

impl Problem {
    /// Reads what the API answered [RFC 9457].
    pub(crate) fn read(status: StatusCode, body: &[u8]) -> Self {
        match serde_json::from_slice(body) {
            Ok(Body { code, detail }) => Self {
                status,
                code,
                detail,
            },
            Err(_) => Self {
                status,
                code: "unknown".to_owned(),
                detail: String::new(),
            },
        }
    }

    /// A fault of this program: its words stay in the log.
    pub(crate) fn ours(error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "what the admin API and the console say to each other does not fit");
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: "internal".to_owned(),
            detail: String::new(),
        }
    }

    /// Nobody is logged in.
    pub(crate) fn unauthorized() -> Self {
        Self::of(StatusCode::UNAUTHORIZED, "unauthorized")
    }

    /// The role has no right to this page.
    pub(crate) fn forbidden() -> Self {
        Self::of(StatusCode::FORBIDDEN, "forbidden")
    }

    /// There is no such page.
    pub(crate) fn not_found() -> Self {
        Self::of(StatusCode::NOT_FOUND, "not-found")
    }

    /// A refusal of the console's own.
    pub(crate) fn of(status: StatusCode, code: &str) -> Self {
        Self {
            status,
            code: code.to_owned(),
            detail: String::new(),
        }
    }

    /// What is wrong, in a sentence, if the API said one.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// The member that the API says is wrong, and why: `detail.name` is `name`.
    pub(crate) fn field(&self) -> Option<(&str, &str)> {
        let (name, reason) = self.detail.strip_prefix('`')?.split_once("`: ")?;
        let name = name.rsplit('.').next().unwrap_or(name);
        (self.code == "field-invalid").then_some((name, reason))
    }

    /// The last member of the key by which the API says what is wrong in a whole declaration: `organisations.newtown.name` is `name`.
    fn declared(&self) -> Option<(&str, &str)> {
        let (key, reason) = self.detail.split_once(": ")?;
        let (_, name) = key.rsplit_once('.').filter(|_| !key.contains(' '))?;
        (self.code == "declaration-invalid").then_some((name, reason))
    }

    /// What the form says, where it is about the form: it is then shown again, with this above it and beside its field.
    /// `fields` are the form's own, each by the API's name, and `label` tells what the form calls one; what belongs to none of
    /// them leads to the first. What nobody can put right in a form comes back as it is.
    pub(crate) fn for_form(
        self,
        fields: &[&str],
        label: impl Fn(&str) -> String,
    ) -> Result<FormErrors, Self> {
        let status = self.status.as_u16();
        let about_the_form = matches!(status, 400 | 409 | 413 | 422 | 429);
        let Some(first) = fields.first().filter(|_| about_the_form) else {
            return Err(self);
        };
        let declared = self.declared().filter(|(name, _)| fields.contains(name));
        let mut errors = match self.field().or(declared) {
            Some((name, reason)) if fields.contains(&name) => {
                FormErrors::one(name, format!("{}: {reason}", label(name)))
            }
            Some((name, reason)) => FormErrors::one(first, format!("{name}: {reason}")),
            None => FormErrors::one(first, self.detail.clone()),
        };
        if status == 429 {
            errors.set_status(self.status);
        }
        Ok(errors)
    }
}

impl IntoResponse for Problem {
    /// Bare: the frame is put around it where it is known who looks.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// What is to be put right in a form.
#[derive(Clone, Debug, Default)]
pub(crate) struct FormErrors {
    errors: Vec<(String, String)>,
    status: StatusCode,
}

impl FormErrors {
    /// That, about that field, and nothing else.
    pub(crate) fn one(field: &str, text: impl Into<String>) -> Self {
        let mut errors = Self::default();
        errors.add(field, text);
        errors
    }

    /// One more, about that field.
    pub(crate) fn add(&mut self, field: &str, text: impl Into<String>) {
        self.errors.push((field.to_owned(), text.into()));
        self.status = StatusCode::UNPROCESSABLE_ENTITY;
    }

    /// Whether there is nothing to put right.
    pub(crate) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// What is wrong with that field, or nothing.
    pub(crate) fn of(&self, field: &str) -> &str {
        let found = self.errors.iter().find(|(known, _)| known == field);
        found.map_or("", |(_, text)| text)
    }

    /// The summary above the form.
    pub(crate) fn summary(&self) -> Vec<FieldError> {
        let line = |(field, text): &(String, String)| FieldError {
            text: text.clone(),
            href: format!("#{field}"),
        };
        self.errors.iter().map(line).collect()
    }

    /// Another status than that something is to be put right.
    pub(crate) fn set_status(&mut self, status: StatusCode) {
        self.status = status;
    }

    /// The status of the page that shows the form.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn problem(status: u16, code: &str, detail: &str) -> Problem {
        let body = serde_json::json!({ "code": code, "detail": detail });
        let status = StatusCode::from_u16(status).unwrap();
        Problem::read(status, body.to_string().as_bytes())
    }

    #[test]
    fn what_is_wrong_with_a_field_stands_beside_it_under_its_label() {
        let fields = ["name", "role"];
        let label = |name: &str| format!("The {name}");
        let wrong = problem(
            400,
            "field-invalid",
            "`detail.role`: it is the operator's role already",
        );
        let errors = wrong.for_form(&fields, label).unwrap();
        assert_eq!(
            errors.of("role"),
            "The role: it is the operator's role already"
        );
        assert_eq!(errors.of("name"), "");
        assert_eq!(errors.summary()[0].href, "#role");
        assert_eq!(errors.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let declared = "organisations.newtown.role: `x` is no role";
        let wrong = problem(400, "declaration-invalid", declared);
        let errors = wrong.for_form(&fields, label).unwrap();
        assert_eq!(errors.of("role"), "The role: `x` is no role");
        let elsewhere = "organisations.newtown.trust: nobody knows it";
        let wrong = problem(400, "declaration-invalid", elsewhere);
        let errors = wrong.for_form(&fields, label).unwrap();
        assert_eq!(errors.of("name"), elsewhere);
        let taken = problem(409, "name-taken", "This name was given before.");
        let errors = taken.for_form(&fields, label).unwrap();
        assert_eq!(errors.of("name"), "This name was given before.");
    }

    #[test]
    fn what_nobody_can_put_right_in_a_form_is_no_forms() {
        for (status, code) in [
            (401, "unauthorized"),
            (403, "forbidden"),
            (404, "not-found"),
            (503, "busy"),
        ] {
            let wrong = problem(status, code, "`name`: x");
            assert_eq!(
                wrong
                    .clone()
                    .for_form(&["name"], str::to_owned)
                    .unwrap_err(),
                wrong
            );
        }
        let wrong = problem(400, "field-invalid", "x");
        assert!(wrong.for_form(&[], str::to_owned).is_err());
    }
}
