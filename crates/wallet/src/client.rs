//! What `lanyard wallet scan|list|delete` calls: the API of a wallet that is running, as functions.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::json;
use url::Url;

use crate::{CredentialStatus, CredentialSummary, Fault, HolderSummary, Outcome, Scan, Scanned};

/// Why the running wallet could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nothing answers there.
    #[error("no test wallet answers at {0}; is the sandbox running?")]
    NoAnswer(Url, #[source] reqwest::Error),
    /// The wallet refused; the code and its message.
    #[error("{message} ({code})")]
    Refused {
        /// Stable code, such as `unknown-holder`.
        code: String,
        /// A sentence.
        message: String,
    },
    /// What answers there is no test wallet of this version.
    #[error("what answers at {0} is not this version's test wallet")]
    NotAWallet(Url),
}

/// A running wallet, by its address.
#[derive(Clone, Debug)]
pub struct Client {
    base: Url,
    http: reqwest::Client,
}

impl Client {
    /// `base` as `sandbox.json` gives it in `urls.wallet`.
    pub fn new(base: Url) -> Self {
        Self {
            base,
            http: reqwest::Client::new(),
        }
    }

    /// Every holder.
    pub async fn holders(&self) -> Result<Vec<HolderSummary>, ClientError> {
        self.ask(reqwest::Method::GET, &["api", "holders"], None)
            .await
    }

    /// A holder's credentials with their live status.
    pub async fn credentials(&self, holder: &str) -> Result<Vec<CredentialSummary>, ClientError> {
        self.ask(
            reqwest::Method::GET,
            &["api", "holders", holder, "credentials"],
            None,
        )
        .await
    }

    /// Follows a link with the holder's answer.
    pub async fn scan(&self, holder: &str, scan: &Scan) -> Result<Scanned, ClientError> {
        let mut body = json!({"link": scan.link, "consent": scan.consent, "choose": scan.choose});
        if let Some(code) = &scan.transaction_code {
            body["transaction_code"] = code.as_str().into();
        }
        self.ask(
            reqwest::Method::POST,
            &["api", "holders", holder, "scan"],
            Some(body),
        )
        .await
    }

    /// Deletes one credential.
    pub async fn delete(&self, holder: &str, credential: &str) -> Result<(), ClientError> {
        let path = ["api", "holders", holder, "credentials", credential];
        self.send(reqwest::Method::DELETE, &path, None)
            .await
            .map(drop)
    }

    /// Arms a fault for the next scan; `None` disarms.
    pub async fn misbehave(&self, holder: &str, fault: Option<Fault>) -> Result<(), ClientError> {
        let path = ["api", "holders", holder, "misbehave"];
        self.send(reqwest::Method::POST, &path, Some(json!({"fault": fault})))
            .await
            .map(drop)
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: reqwest::Method,
        path: &[&str],
        body: Option<serde_json::Value>,
    ) -> Result<T, ClientError> {
        let bytes = self.send(method, path, body).await?;
        serde_json::from_slice(&bytes).map_err(|_| ClientError::NotAWallet(self.base.clone()))
    }

    async fn send(
        &self,
        method: reqwest::Method,
        path: &[&str],
        body: Option<serde_json::Value>,
    ) -> Result<Vec<u8>, ClientError> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| ClientError::NotAWallet(self.base.clone()))?
            .pop_if_empty()
            .extend(path);
        let mut request = self.http.request(method, url);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let no_answer = |source| ClientError::NoAnswer(self.base.clone(), source);
        let response = request.send().await.map_err(no_answer)?;
        let good = response.status().is_success();
        let bytes = response.bytes().await.map_err(no_answer)?.to_vec();
        if good {
            return Ok(bytes);
        }
        let refusal: serde_json::Value = serde_json::from_slice(&bytes)
            .map_err(|_| ClientError::NotAWallet(self.base.clone()))?;
        match (refusal["error"].as_str(), refusal["message"].as_str()) {
            (Some(code), Some(message)) => Err(ClientError::Refused {
                code: code.to_owned(),
                message: message.to_owned(),
            }),
            _ => Err(ClientError::NotAWallet(self.base.clone())),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outcome::Presented => "presented",
            Outcome::Received => "received",
            Outcome::Declined => "declined",
            Outcome::Failed => "failed",
            Outcome::Pending => "pending",
        })
    }
}

impl fmt::Display for CredentialStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CredentialStatus::Valid => "valid",
            CredentialStatus::Revoked => "revoked",
            CredentialStatus::Suspended => "suspended",
            CredentialStatus::Expired => "expired",
            CredentialStatus::NotYetValid => "not yet valid",
            CredentialStatus::Unknown => "cannot be checked",
            CredentialStatus::NotChecked => "not checked",
        })
    }
}

/// One line, as the command line lists credentials.
impl fmt::Display for CredentialSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}  {}  {}  {}  {}",
            self.id, self.credential_type, self.format, self.status, self.issuer
        )
    }
}

/// The outcome, the reason, then one line for each credential.
impl fmt::Display for Scanned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Some(reason) => write!(f, "{}: {reason}", self.outcome)?,
            None => write!(f, "{}", self.outcome)?,
        }
        for credential in &self.credentials {
            write!(f, "\n  {credential}")?;
        }
        Ok(())
    }
}
