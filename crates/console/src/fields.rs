//! What a form sent, read once and checked to come from a page of this browser's.

use std::sync::Arc;

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest as _, FromRequestParts, Multipart, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use zeroize::Zeroizing;

use crate::cookie::is_same;
use crate::problem::Problem;

/// The fields of a form. Handlers take them as an argument; the form's token is checked before.
#[derive(Clone, Default)]
pub(crate) struct Fields(Arc<Sent>);

#[derive(Default)]
struct Sent {
    texts: Vec<(String, Zeroizing<String>)>,
    files: Vec<(String, Bytes)>,
}

impl Fields {
    /// Reads at most so many bytes, and refuses what carries another token.
    pub(crate) async fn read(
        headers: &HeaderMap,
        request: Request,
        most: usize,
        csrf: &str,
    ) -> Result<Self, Problem> {
        let kind = headers
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let is_multipart = kind.is_some_and(|kind| kind.starts_with("multipart/form-data"));
        let sent = if is_multipart {
            of_parts(request, most).await?
        } else {
            of_text(request, most).await?
        };
        let fields = Self(Arc::new(sent));
        if !is_same(fields.raw("csrf"), csrf) {
            tracing::warn!("a form was refused: it carries no token of this browser's");
            return Err(Problem::of(StatusCode::FORBIDDEN, "form-token"));
        }
        Ok(fields)
    }

    /// A field without the spaces around it; nothing where it was not sent.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// A field as it was typed: a password.
    pub(crate) fn raw(&self, name: &str) -> &str {
        let mut found = self.0.texts.iter().filter(|(known, _)| known == name);
        found.next().map_or("", |(_, text)| text.as_str())
    }

    /// The same, and `None` where it is empty: for members that the API may do without.
    pub(crate) fn optional(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// Every value of a field: the boxes that are ticked.
    #[allow(dead_code)] // pages of other slices use it
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let found = self.0.texts.iter().filter(move |(known, _)| known == name);
        found.map(|(_, text)| text.as_str())
    }

    /// A file, if one was chosen.
    #[allow(dead_code)] // pages of other slices use it
    pub(crate) fn file(&self, name: &str) -> Option<&Bytes> {
        let mut found = self.0.files.iter().filter(|(known, _)| known == name);
        found
            .next()
            .map(|(_, bytes)| bytes)
            .filter(|bytes| !bytes.is_empty())
    }
}

async fn of_text(request: Request, most: usize) -> Result<Sent, Problem> {
    let too_large = |_| Problem::of(StatusCode::PAYLOAD_TOO_LARGE, "form-too-large");
    let body = to_bytes(request.into_body(), most)
        .await
        .map_err(too_large)?;
    let pairs = url::form_urlencoded::parse(&body);
    let texts = pairs.map(|(name, text)| (name.into_owned(), Zeroizing::new(text.into_owned())));
    Ok(Sent {
        texts: texts.collect(),
        files: Vec::new(),
    })
}

async fn of_parts(request: Request, most: usize) -> Result<Sent, Problem> {
    let unreadable = || Problem::of(StatusCode::BAD_REQUEST, "form-unreadable");
    // The layer around all pages keeps no body longer than the largest file; of this form no more is taken than is left.
    let mut parts = Multipart::from_request(request, &())
        .await
        .map_err(|_| unreadable())?;
    let mut sent = Sent::default();
    let mut left = most;
    loop {
        let part = match parts.next_field().await {
            Ok(Some(part)) => part,
            Ok(None) => return Ok(sent),
            Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                return Err(Problem::of(StatusCode::PAYLOAD_TOO_LARGE, "form-too-large"));
            }
            Err(_) => return Err(unreadable()),
        };
        let name = part.name().unwrap_or_default().to_owned();
        let is_file = part.file_name().is_some();
        let bytes = part.bytes().await.map_err(|error| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Problem::of(StatusCode::PAYLOAD_TOO_LARGE, "form-too-large")
            }
            _ => unreadable(),
        })?;
        left = left
            .checked_sub(bytes.len())
            .ok_or_else(|| Problem::of(StatusCode::PAYLOAD_TOO_LARGE, "form-too-large"))?;
        if is_file {
            sent.files.push((name, bytes));
        } else {
            let text = String::from_utf8(bytes.to_vec()).map_err(|_| unreadable())?;
            sent.texts.push((name, Zeroizing::new(text)));
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Fields {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let known = parts.extensions.get::<Self>().cloned();
        known.ok_or_else(|| Problem::of(StatusCode::INTERNAL_SERVER_ERROR, "internal"))
    }
}
