//! Whether mails could go out, tried without one: for whoever sets a portal up, and not at an employee's cost.

use std::sync::Arc;

use jiff::Timestamp;

use super::mailroom::Mailroom;
use super::{Channel, MailOptions, MailOptionsError, NotifyTemplateError};
use crate::http::{Http, HttpOptions};

/// Why mails could not go out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WayError {
    /// The options do not do.
    #[error(transparent)]
    Options(#[from] MailOptionsError),
    /// The HTTP client could not be set up.
    #[error("{0}")]
    Http(String),
    /// The template at GOV.UK Notify does not do, or cannot be read.
    #[error(transparent)]
    Template(#[from] NotifyTemplateError),
    /// The mail server, by a stable code and a sentence.
    #[error("{0}")]
    Server(String),
}

impl MailOptions {
    /// The way in words: `smtp.example.org:587`, or GOV.UK Notify.
    #[must_use]
    pub fn way(&self) -> String {
        match &self.channel {
            Channel::Smtp(smtp) => format!("{}:{}", smtp.host, smtp.port),
            Channel::Notify(_) => "GOV.UK Notify".to_owned(),
        }
    }

    /// Goes the way of a mail up to where its sender would be named: connects, asks for TLS and logs in; of GOV.UK Notify, reads
    /// the templates. No mail is sent, and no address of anybody's is spoken of.
    ///
    /// # Errors
    ///
    /// What would keep a mail from going out.
    pub async fn try_way(self, now: Timestamp) -> Result<(), WayError> {
        let http = Http::new(HttpOptions::default());
        let http = http.map_err(|error| WayError::Http(error.to_string()))?;
        let clock: crate::Clock = Arc::new(move || now);
        let room = Mailroom::open(self, &http, &clock)?;
        let opened = room.try_server().await;
        opened.map_err(|fault| WayError::Server(fault.to_string()))?;
        Ok(room.check_templates().await?)
    }
}
