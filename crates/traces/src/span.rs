//! A span: what it may say, from its beginning to its end.

use std::sync::{Arc, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use reqwest::{Method, StatusCode};

use crate::{Links, Parent, Query, Tracer, WITHIN, Within};

/// What a span may say of what it stands for. A new one is a decision about privacy: it must not take what somebody sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    /// `http.request.method`: one of the methods that HTTP knows, or `_OTHER`.
    Method(&'static str),
    /// `http.response.status_code`.
    Status(u16),
    /// `error.type`: a code of this program's, or the status of who answered.
    Error(&'static str),
    /// `lanyard.asks`: who asks, by the face of the gateway: `client`, `wallet`, `person`, `anybody`.
    Asker(&'static str),
    /// `db.…`: what a database was asked to do, without the values.
    Query(Query),
}

/// Which side of a request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Server = 2,
    Client = 3,
}

/// A span that has ended.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    pub(crate) trace: [u8; 16],
    pub(crate) id: [u8; 8],
    pub(crate) parent: Option<[u8; 8]>,
    pub(crate) name: &'static str,
    /// The template of the route that matched: `http.route`.
    pub(crate) route: Option<String>,
    pub(crate) kind: Kind,
    pub(crate) began: Timestamp,
    pub(crate) took: std::time::Duration,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) failed: bool,
    /// The spans of other traces that it goes on from.
    pub(crate) links: Vec<Parent>,
}

/// A span that has begun. One that is dropped before it is told how it ended — its request was given up — is kept as
/// failed.
pub struct Span {
    tracer: Arc<Tracer>,
    own: Parent,
    parent: Option<[u8; 8]>,
    name: &'static str,
    kind: Kind,
    began: Timestamp,
    watch: Instant,
    attributes: Vec<Attribute>,
    route: Option<String>,
    links: Links,
}

impl Span {
    pub(crate) fn begun(
        tracer: &Arc<Tracer>,
        (name, kind): (&'static str, Kind),
        own: Parent,
        parent: Option<[u8; 8]>,
        began: Timestamp,
    ) -> Self {
        Self {
            tracer: Arc::clone(tracer),
            own,
            parent,
            name,
            kind,
            began,
            watch: Instant::now(),
            attributes: Vec::new(),
            route: None,
            links: Links::default(),
        }
    }

    /// The same, and this is said of it.
    #[must_use]
    pub fn with(mut self, attribute: Attribute) -> Self {
        self.attributes.push(attribute);
        self
    }

    /// The template of the route that matched, never the address itself.
    #[must_use]
    pub fn at(mut self, route: Option<&str>) -> Self {
        self.route = route.map(str::to_owned);
        self
    }

    /// What whoever is asked is to know of it.
    pub fn context(&self) -> Parent {
        self.own
    }

    /// Does something within this span: what is asked meanwhile belongs to it.
    pub async fn around<T>(&self, work: impl Future<Output = T>) -> T {
        let within = Within {
            tracer: Arc::clone(&self.tracer),
            parent: Some(self.own),
            links: Arc::clone(&self.links),
        };
        WITHIN.scope(within, work).await
    }

    /// It ended with that answer.
    pub fn answered(mut self, status: StatusCode, code: Option<&'static str>) {
        self.attributes.push(Attribute::Status(status.as_u16()));
        self.attributes.extend(code.map(Attribute::Error));
        // [semantic conventions, HTTP: status] For who answers, a caller's fault is none of theirs.
        let failed =
            status.is_server_error() || self.kind == Kind::Client && status.is_client_error();
        self.end(failed);
    }

    /// It ended without an answer.
    pub fn failed(mut self, code: &'static str) {
        self.attributes.push(Attribute::Error(code));
        self.end(true);
    }

    /// It ended, and what was asked was done; or it was not, for a reason that whoever asked had reckoned with.
    pub fn done(mut self, code: Option<&'static str>) {
        self.attributes.extend(code.map(Attribute::Error));
        self.end(false);
    }

    fn end(&mut self, failed: bool) {
        if !self.own.is_kept {
            return;
        }
        self.own.is_kept = false;
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        let links = std::mem::take(&mut *links);
        self.tracer.keep(Ended {
            trace: self.own.trace,
            id: self.own.span,
            parent: self.parent,
            name: self.name,
            route: self.route.take(),
            kind: self.kind,
            began: self.began,
            took: self.watch.elapsed(),
            attributes: std::mem::take(&mut self.attributes),
            failed,
            links,
        });
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if self.own.is_kept {
            self.attributes.push(Attribute::Error("given-up"));
            self.end(true);
        }
    }
}

/// [semantic conventions, HTTP: http.request.method] What a caller made up is no method.
pub(crate) fn name_of(method: &Method) -> &'static str {
    let known = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
    ];
    let name = method.as_str();
    let found = known.into_iter().find(|one| *one == name);
    found.unwrap_or("_OTHER")
}
