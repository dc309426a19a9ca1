//! An external system as it calls: JSON in, JSON out.

use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;

/// One caller.
#[derive(Clone)]
pub(crate) struct Caller {
    client: Client,
    base: String,
    key: String,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) json: Value,
}

impl Caller {
    pub(crate) fn new(base: &str, key: &str) -> Self {
        Self {
            client: Client::builder().no_proxy().build().unwrap(),
            base: base.to_owned(),
            key: key.to_owned(),
        }
    }

    /// The same with another key.
    pub(crate) fn with_key(&self, key: &str) -> Self {
        Self {
            key: key.to_owned(),
            ..self.clone()
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        request.bearer_auth(&self.key)
    }

    /// A POST whose body is not over yet: its head, as it goes over the wire.
    pub(crate) async fn begin(&self, path: &str, key: &str) -> tokio::net::TcpStream {
        let host = self.base.strip_prefix("http://").unwrap();
        let mut wire = tokio::net::TcpStream::connect(host).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\nidempotency-key: {key}\r\n\
             content-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n",
            self.key
        );
        wire.write_all(head.as_bytes()).await.unwrap();
        wire
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) async fn post_with_key(&self, path: &str, key: &str, body: &Value) -> Answer {
        let request = self.request(Method::POST, path);
        send(request.header("Idempotency-Key", key).json(body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    /// A feed of changes.
    pub(crate) async fn feed(&self, media_type: &str, body: String) -> Answer {
        let request = self.request(Method::POST, "/v1/changes");
        send(request.header("content-type", media_type).body(body)).await
    }
}

pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    Answer {
        status,
        headers,
        json: serde_json::from_str(&text).unwrap_or(Value::String(text)),
    }
}

impl Answer {
    /// The code of the problem that this is.
    pub(crate) fn code(&self) -> &str {
        let media_type = self.headers.get("content-type");
        let media_type = media_type.and_then(|value| value.to_str().ok());
        assert_eq!(media_type, Some("application/problem+json"), "{self:?}");
        assert_eq!(self.json["status"], self.status);
        self.json["code"].as_str().unwrap()
    }

    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}
