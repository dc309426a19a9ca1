//! The notification endpoint [VCI 11, VCI-19].

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a wallet tells about the credentials it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationRequest {
    /// From the credential response.
    pub notification_id: String,
    /// What happened.
    pub event: NotificationEvent,
    /// For the issuer's developers.
    pub event_description: Option<String>,
}

/// What happened to the credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationEvent {
    /// Stored in the wallet.
    CredentialAccepted,
    /// Not stored: something went wrong.
    CredentialFailure,
    /// Not stored or no longer: the person's own act.
    CredentialDeleted,
}

impl NotificationEvent {
    /// The event as it travels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CredentialAccepted => "credential_accepted",
            Self::CredentialFailure => "credential_failure",
            Self::CredentialDeleted => "credential_deleted",
        }
    }

    /// The event of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [
            Self::CredentialAccepted,
            Self::CredentialFailure,
            Self::CredentialDeleted,
        ]
        .into_iter()
        .find(|event| event.as_str() == name)
    }
}

/// Errors of the notification endpoint, status 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum NotificationErrorCode {
    /// No such notification id.
    #[error("the notification_id is not known")]
    InvalidNotificationId,
    /// Malformed.
    #[error("the notification must have a notification_id and one of the three events")]
    InvalidNotificationRequest,
}

impl NotificationErrorCode {
    /// The code as it travels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidNotificationId => "invalid_notification_id",
            Self::InvalidNotificationRequest => "invalid_notification_request",
        }
    }
}

impl NotificationRequest {
    /// Reads a request body.
    pub fn parse(body: &[u8]) -> Result<Self, NotificationErrorCode> {
        let wrong = NotificationErrorCode::InvalidNotificationRequest;
        let members = crate::json::parse_object(body).map_err(|_| wrong)?;
        let id = members
            .get("notification_id")
            .and_then(Value::as_str)
            .filter(|id| !id.is_empty())
            .ok_or(wrong)?;
        let event = members
            .get("event")
            .and_then(Value::as_str)
            .and_then(NotificationEvent::parse)
            .ok_or(wrong)?;
        let description = match members.get("event_description") {
            None => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(_) => return Err(wrong),
        };
        Ok(Self {
            notification_id: id.to_owned(),
            event,
            event_description: description,
        })
    }

    /// The request body.
    pub fn to_value(&self) -> Value {
        let mut members = Map::new();
        members.insert(
            "notification_id".into(),
            self.notification_id.as_str().into(),
        );
        members.insert("event".into(), self.event.as_str().into());
        if let Some(description) = &self.event_description {
            members.insert("event_description".into(), description.as_str().into());
        }
        Value::Object(members)
    }
}
