//! The one way to the gateway: the admin API's router, called in process with the token of whoever looks. Rights, tenancy,
//! second persons and the audit are the API's; a page that forgot to ask is refused there.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::ServiceExt as _;
use zeroize::Zeroizing;

use crate::problem::Problem;

/// The longest answer that is read into a page.
const LONGEST_ANSWER: usize = 16 * 1024 * 1024;

/// The admin API as one caller reaches it. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Api {
    router: Router,
    token: Option<Arc<Zeroizing<String>>>,
    /// Who called the console: the API counts failures by that.
    peer: Option<ConnectInfo<SocketAddr>>,
    forwarded: Option<(HeaderName, HeaderValue)>,
}

impl Api {
    /// For whoever has no token yet. `address_header` is the one in which the reverse proxy says whom it took a request from.
    pub(crate) fn new(
        router: &Router,
        peer: Option<ConnectInfo<SocketAddr>>,
        address_header: Option<&HeaderName>,
        headers: &HeaderMap,
    ) -> Self {
        let forwarded = address_header.and_then(|name| {
            // The proxy's own word is the last.
            let value = headers.get_all(name).iter().next_back()?;
            Some((name.clone(), value.clone()))
        });
        Self {
            router: router.clone(),
            token: None,
            peer,
            forwarded,
        }
    }

    /// The same with that token.
    pub(crate) fn with(&self, token: &str) -> Self {
        Self {
            token: Some(Arc::new(Zeroizing::new(token.to_owned()))),
            ..self.clone()
        }
    }

    /// What stands at an address.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        address: impl Into<String>,
    ) -> Result<T, Problem> {
        read(self.send(Method::GET, address.into(), None).await?)
    }

    /// Does something; `()` where nothing is answered.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        address: impl Into<String>,
        body: &(impl Serialize + ?Sized),
    ) -> Result<T, Problem> {
        self.tell(Method::POST, address.into(), body).await
    }

    /// The same by `PUT`, for whatever is put there whole.
    pub(crate) async fn put<T: DeserializeOwned>(
        &self,
        address: impl Into<String>,
        body: &(impl Serialize + ?Sized),
    ) -> Result<T, Problem> {
        self.tell(Method::PUT, address.into(), body).await
    }

    /// The same by `PATCH`, for members that change.
    pub(crate) async fn patch<T: DeserializeOwned>(
        &self,
        address: impl Into<String>,
        body: &(impl Serialize + ?Sized),
    ) -> Result<T, Problem> {
        self.tell(Method::PATCH, address.into(), body).await
    }

    async fn tell<T: DeserializeOwned>(
        &self,
        method: Method,
        address: String,
        body: &(impl Serialize + ?Sized),
    ) -> Result<T, Problem> {
        let body = serde_json::to_vec(body).map_err(|error| Problem::ours(&error))?;
        read(self.send(method, address, Some(body)).await?)
    }

    /// A file for the person to keep, under that name.
    pub(crate) async fn download(
        &self,
        address: impl Into<String>,
        name: &str,
    ) -> Result<Response, Problem> {
        // Handed on as it comes: it may be larger than what a page is made of, and where it breaks off so does this.
        let (headers, body) = self.ask(Method::GET, address.into(), None).await?;
        let mut response = body.into_response();
        let out = response.headers_mut();
        if let Some(kind) = headers.get(CONTENT_TYPE) {
            out.insert(CONTENT_TYPE, kind.clone());
        }
        let safe = |letter: &char| letter.is_ascii_alphanumeric() || ".-_".contains(*letter);
        let name: String = name.chars().filter(safe).collect();
        if let Ok(value) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
            out.insert(CONTENT_DISPOSITION, value);
        }
        out.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        out.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        Ok(response)
    }

    async fn send(
        &self,
        method: Method,
        address: String,
        body: Option<Vec<u8>>,
    ) -> Result<(HeaderMap, Bytes), Problem> {
        let (headers, body) = self.ask(method, address, body).await?;
        Ok((headers, read_whole(body).await?))
    }

    /// An answer that is no refusal.
    async fn ask(
        &self,
        method: Method,
        address: String,
        body: Option<Vec<u8>>,
    ) -> Result<(HeaderMap, Body), Problem> {
        let mut request = Request::builder().method(method).uri(address);
        if let Some(token) = &self.token {
            let value = HeaderValue::try_from(format!("Bearer {}", token.as_str()));
            let mut value = value.map_err(|_| Problem::unauthorized())?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some((name, value)) = &self.forwarded {
            request = request.header(name, value);
        }
        if let Some(peer) = self.peer {
            request = request.extension(peer);
        }
        let body = body.map_or_else(Body::empty, Body::from);
        let request = request.body(body).map_err(|error| Problem::ours(&error))?;
        let Ok(response) = self.router.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        if parts.status.is_client_error() || parts.status.is_server_error() {
            return Err(Problem::read(parts.status, &read_whole(body).await?));
        }
        debug_assert!(
            parts.status != StatusCode::SEE_OTHER,
            "an API leads nowhere"
        );
        Ok((parts.headers, body))
    }
}

async fn read_whole(body: Body) -> Result<Bytes, Problem> {
    let bytes = to_bytes(body, LONGEST_ANSWER).await;
    bytes.map_err(|error| Problem::ours(&error))
}

fn read<T: DeserializeOwned>((_, bytes): (HeaderMap, Bytes)) -> Result<T, Problem> {
    let bytes: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
    serde_json::from_slice(bytes).map_err(|error| Problem::ours(&error))
}

/// One step of an address, whatever stands in it.
pub(crate) fn one_step(text: &str) -> String {
    // `.` and `..` are steps up, and in no id.
    let text = if matches!(text, "." | "..") {
        "-"
    } else {
        text
    };
    let pieces = url::form_urlencoded::byte_serialize(text.as_bytes());
    pieces
        .map(|piece| if piece == "+" { "%20" } else { piece })
        .collect()
}

/// An address of the API: what is put into it stays one step, or one value, whatever it holds.
pub(crate) struct Address(String);

impl Address {
    /// Below `/admin/v1/`.
    pub(crate) fn new(steps: &[&str]) -> Self {
        let mut address = String::from("/admin/v1");
        for step in steps {
            address.push('/');
            address.push_str(&one_step(step));
        }
        Self(address)
    }

    /// With a question behind it; nothing where there is nothing to ask.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl AsRef<str>) -> Self {
        let value = value.as_ref();
        if !value.is_empty() {
            self.0.push(if self.0.contains('?') { '&' } else { '?' });
            let mut pair = url::form_urlencoded::Serializer::new(String::new());
            pair.append_pair(name, value);
            self.0.push_str(&pair.finish());
        }
        self
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_into_an_address_stays_where_it_is_put() {
        let address = Address::new(&["operators", "op-1/../x?y#z %"]).with("act", "a&b=c");
        assert_eq!(
            String::from(address),
            "/admin/v1/operators/op-1%2F..%2Fx%3Fy%23z%20%25?act=a%26b%3Dc"
        );
        let address = Address::new(&["operators", "..", "tokens"]).with("act", "");
        assert_eq!(String::from(address), "/admin/v1/operators/-/tokens");
    }
}
