//! The authorization request: every rule that PAR and authorize share, in the standards' order.
//!
//! [`Found`] is a request whose client and redirect URI are known: from there on, and not before, an error
//! may be told to the redirect URI (SEC-03).

use std::sync::Arc;

use jiff::Timestamp;
use standards::oauth::form::Form;
use standards::oauth::pkce::CodeChallenge;
use standards::oauth::redirect::RedirectUri;
use uuid::Uuid;

pub use super::fault::Fault;
use super::fault::Rule;
use super::options::Options;
use super::scope::{self, Wanted};
use crate::interaction::{CredentialTypes, PUSHED_LIFETIME, Purpose, Request};
use crate::issue::draft::{self, Draft, InvalidDraft};
use crate::issue::hint;
use crate::organisation::catalogue::CredentialType;
use crate::organisation::dialect::Pkce;
use crate::organisation::{Organisations, RelyingParty};
use crate::outbound::Outbound;

/// Longest `state` and `nonce` that are carried back.
const LONGEST_ECHO: usize = 1_024;

/// How the request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Pushed by an authenticated client.
    Pushed,
    /// In the browser's address line.
    Front,
}

/// Whom the request comes from and where its answer may go.
pub struct Found<'a> {
    /// The client.
    pub party: &'a Arc<RelyingParty>,
    /// One of its registered redirect URIs.
    pub redirect_uri: &'a RedirectUri,
    form: &'a Form,
}

/// A request that passed every check.
pub struct Checked {
    /// Verify or issue.
    pub purpose: Purpose,
    /// The credential types that it is about.
    pub credential_types: CredentialTypes,
    /// What must be said again at the end.
    pub request: Request,
    /// The credential to issue.
    pub draft: Option<Draft>,
}

impl<'a> Found<'a> {
    /// Finds the redirect URI among the client's own, byte for byte (SEC-02, DW-84).
    pub fn find(party: &'a Arc<RelyingParty>, form: &'a Form) -> Result<Self, Fault> {
        let sent = form.find("redirect_uri").ok_or(Rule::RedirectMissing)?;
        let redirect_uri = party.redirect_uri(sent).ok_or(Rule::RedirectUnknown)?;
        Ok(Self {
            party,
            redirect_uri,
            form,
        })
    }

    /// The client's own state, to be returned with the answer, errors included.
    pub fn state(&self) -> Option<&'a str> {
        self.form
            .find("state")
            .filter(|state| state.len() <= LONGEST_ECHO)
    }

    /// Checks everything else.
    pub async fn check(
        &self,
        organisations: &Organisations,
        outbound: &Outbound,
        channel: Channel,
        base: &str,
        new_serial_number: Uuid,
        now: Timestamp,
    ) -> Result<Checked, Fault> {
        let rules = self.party.rules();
        if channel == Channel::Front && self.party.pushes_only {
            return Err(Rule::PushesOnly.into());
        }
        self.check_response()?;
        let options = Options::check(self.form)?;
        let wanted = scope::check(
            self.form.find("scope").unwrap_or_default(),
            rules,
            &organisations.catalogue,
        )?;
        let purpose = wanted.purpose;
        let names = wanted.types.iter().map(|wanted| wanted.name.clone());
        let credential_types = CredentialTypes::new(names).ok_or(Rule::ScopeWithoutType)?;
        let nonce = self.echo("nonce", Rule::NonceTooLong)?;
        if nonce.is_none() && purpose == Purpose::Verify && rules.nonce_mandatory {
            return Err(Rule::NonceMissing.into());
        }
        let state = self.echo("state", Rule::StateTooLong)?;
        let code_challenge = self.check_pkce()?;
        let draft = match purpose {
            Purpose::Verify => {
                if self.form.find("id_token_hint").is_some() {
                    return Err(Rule::HintWhenVerifying.into());
                }
                None
            }
            Purpose::Issue => Some(
                self.check_draft(&wanted, outbound, channel, base, new_serial_number, now)
                    .await?,
            ),
        };
        Ok(Checked {
            purpose,
            credential_types,
            request: Request {
                redirect_uri: self.redirect_uri.as_str().to_owned(),
                scope: wanted.granted,
                state,
                nonce,
                code_challenge,
                ui_locales: options.ui_locales,
            },
            draft,
        })
    }

    /// The credential to issue (gateway contract 3.1).
    async fn check_draft(
        &self,
        wanted: &Wanted<'_>,
        outbound: &Outbound,
        channel: Channel,
        base: &str,
        new_serial_number: Uuid,
        now: Timestamp,
    ) -> Result<Draft, Fault> {
        let rules = self.party.rules();
        if channel == Channel::Front && !rules.issue_without_push {
            return Err(Rule::IssueUnpushed.into());
        }
        let issued = |wanted: &&&CredentialType| self.party.organisation.may_issue(&wanted.name);
        let credential_type = wanted.types.first().filter(issued);
        let credential_type = credential_type.ok_or(Rule::TypeNotIssued)?;
        let hint = self.form.find("id_token_hint").ok_or(Rule::HintMissing)?;
        let signed = hint::verify(hint, self.party, outbound, now).await;
        let signed = signed.map_err(InvalidDraft::from)?;
        let draft = draft::parse(
            signed,
            self.party,
            rules,
            credential_type,
            base,
            new_serial_number,
            now,
        )?;
        // Who has the address has the credential: it lives as long as a pushed request, and issues as often.
        let fresh = |signed_at: Timestamp| now.duration_since(signed_at) < PUSHED_LIFETIME;
        if channel == Channel::Front && !draft.signed_at.is_some_and(fresh) {
            return Err(Rule::HintStale.into());
        }
        Ok(draft)
    }

    /// `response_type` and `response_mode` [OAuth 2.0 Multiple Response Types 2.1; rulings 2].
    fn check_response(&self) -> Result<(), Fault> {
        match self.form.find("response_type") {
            Some("code") => {}
            Some(_) => return Err(Rule::ResponseType.into()),
            None => return Err(Rule::ResponseTypeMissing.into()),
        }
        match self.form.find("response_mode") {
            Some("query") => Ok(()),
            None if !self.party.rules().response_mode_mandatory => Ok(()),
            None => Err(Rule::ResponseModeMissing.into()),
            Some(_) => Err(Rule::ResponseMode.into()),
        }
    }

    /// A value that is sent back as it came. An empty one counts as absent.
    fn echo(&self, name: &str, too_long: Rule) -> Result<Option<String>, Rule> {
        match self.form.find(name) {
            Some(value) if value.len() > LONGEST_ECHO => Err(too_long),
            value => Ok(value.map(str::to_owned)),
        }
    }

    /// PKCE as the dialect has it [RFC 7636; rulings 3; SEC-08].
    fn check_pkce(&self) -> Result<Option<String>, Fault> {
        let (challenge, method) = (
            self.form.find("code_challenge"),
            self.form.find("code_challenge_method"),
        );
        let challenge = match self.party.rules().pkce {
            // What such a client sends is kept if it can be read, so that a wrong verifier is still refused.
            Pkce::Off => CodeChallenge::parse_padded(challenge, method)
                .ok()
                .flatten(),
            Pkce::IfPresent => CodeChallenge::parse(challenge, method)?,
            Pkce::Required => {
                let challenge = CodeChallenge::parse(challenge, method)?;
                if challenge.is_none() {
                    return Err(Rule::ChallengeMissing.into());
                }
                challenge
            }
        };
        Ok(challenge.map(|challenge| challenge.to_text()))
    }
}
