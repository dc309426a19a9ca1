//! A callback: what the service posts to the relying party, with the headers that it was given.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::Card;

/// One callback, to be sent as it is or bent before.
#[derive(Clone)]
pub struct Callback {
    /// Where it goes.
    pub url: String,
    /// The headers that the relying party gave.
    pub headers: Vec<(String, String)>,
    /// What it says.
    pub body: Value,
    client: reqwest::Client,
}

impl Callback {
    /// `request_retrieved`, for the request with that body.
    pub(crate) fn retrieved(client: &reqwest::Client, id: Uuid, body: &Value) -> Self {
        let callback = &body["callback"];
        let headers = callback["headers"].as_object().into_iter().flatten();
        let headers = headers
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .collect();
        Self {
            url: callback["url"].as_str().unwrap_or_default().to_owned(),
            headers,
            body: json!({"requestId": id, "requestStatus": "request_retrieved", "state": callback["state"]}),
            client: client.clone(),
        }
    }

    /// The same for `presentation_verified`: the service found these cards good.
    #[must_use]
    pub fn verified(mut self, cards: &[Card]) -> Self {
        self.body["requestStatus"] = "presentation_verified".into();
        self.body["subject"] = "did:ion:EiAhfromAuthenticator".into();
        self.body["verifiedCredentialsData"] = cards.iter().map(Card::verified).collect();
        self
    }

    /// The same for `presentation_error`.
    #[must_use]
    pub fn failed(mut self, code: &str) -> Self {
        self.body["requestStatus"] = "presentation_error".into();
        self.body["error"] = json!({"code": code, "message": "See the documentation."});
        self
    }

    /// With another `api-key`; none where that is none.
    #[must_use]
    pub fn with_key(mut self, key: Option<&str>) -> Self {
        self.headers.retain(|(name, _)| name != "api-key");
        let key = key.map(|key| ("api-key".to_owned(), key.to_owned()));
        self.headers.extend(key);
        self
    }

    /// The `api-key` that it brings.
    pub fn key(&self) -> &str {
        let key = self.headers.iter().find(|(name, _)| name == "api-key");
        key.map_or("", |(_, key)| key)
    }

    /// With another value of that name in the body; without it where that is `null`.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        let empty = &mut Map::new();
        let body = self.body.as_object_mut().unwrap_or(empty);
        match value.into() {
            Value::Null => drop(body.remove(name)),
            value => drop(body.insert(name.to_owned(), value)),
        }
        self
    }

    /// Posts it; the status of the answer, 0 where there was none.
    pub async fn send(&self) -> u16 {
        self.send_text(self.body.to_string()).await
    }

    /// Posts any text in its place.
    pub async fn send_text(&self, body: String) -> u16 {
        let request = self.client.post(&self.url).body(body);
        let request = request.header("content-type", "application/json");
        let request = self.headers.iter().fold(request, |request, (name, value)| {
            request.header(name, value)
        });
        // Whoever refuses a large body early may close before all of it is sent.
        match request.send().await {
            Ok(answer) => answer.status().as_u16(),
            Err(_) => 0,
        }
    }
}
