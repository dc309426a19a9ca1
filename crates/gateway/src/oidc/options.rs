//! What OpenID Connect lets a client ask beyond the request itself: each parameter is honoured or refused, and
//! none is quietly let pass where that would break a promise [OIDC Core 3.1.2.1, 5.5, 6, 7.2.1; SEC-09].
//!
//! Which of them are honoured, and which we do not have and why, is told in `docs/reference/openid-connect.md`.

use serde_json::{Map, Value};
use standards::json;
use standards::oauth::form::Form;

use super::fault::Rule;

/// Longest `ui_locales` and `claims` that are read.
const LONGEST_LOCALES: usize = 256;
const LONGEST_CLAIMS: usize = 8_192;

/// What of the options has an effect later.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Languages that the person prefers, best first, as they were sent [OIDC Core 3.1.2.1].
    pub ui_locales: Option<String>,
}

impl Options {
    /// Checks every option of the request.
    pub fn check(form: &Form) -> Result<Self, Rule> {
        refuse_what_is_not_read(form)?;
        check_prompt(form)?;
        check_max_age(form)?;
        check_claims(form)?;
        Ok(Self {
            ui_locales: ui_locales(form)?,
        })
    }
}

/// Parameters whose meaning would be lost if they were ignored: each has an error of its own
/// [OIDC Core 3.1.2.6].
fn refuse_what_is_not_read(form: &Form) -> Result<(), Rule> {
    let refused = [
        ("request", Rule::RequestObject),
        ("request_uri", Rule::ForeignRequestUri),
        ("registration", Rule::Registration),
    ];
    let sent = |(name, _): &(&str, Rule)| form.find(name).is_some();
    match refused.into_iter().find(sent) {
        Some((_, rule)) => Err(rule),
        None => Ok(()),
    }
}

/// `login`, `consent` and `select_account` ask for what happens each time: the person acts in the wallet, sees what
/// is shared, and chooses whose credential it is. `none` asks for what never happens.
fn check_prompt(form: &Form) -> Result<(), Rule> {
    let Some(prompt) = form.find("prompt") else {
        return Ok(());
    };
    let values: Vec<&str> = prompt.split(' ').collect();
    if values == ["none"] {
        return Err(Rule::PromptNone);
    }
    if values.contains(&"none") {
        return Err(Rule::PromptNoneBeside);
    }
    let known = ["login", "consent", "select_account"];
    if values.iter().all(|value| known.contains(value)) {
        Ok(())
    } else {
        Err(Rule::PromptUnknown)
    }
}

/// Whoever comes back has acted in the wallet after the request came, hence within any `max_age`; `auth_time` in
/// the ID token says when.
fn check_max_age(form: &Form) -> Result<(), Rule> {
    match form.find("max_age").map(str::parse::<u32>) {
        None | Some(Ok(_)) => Ok(()),
        Some(Err(_)) => Err(Rule::MaxAge),
    }
}

/// An ID token says all that it can without being asked. What could be asked beyond that would be a value that we
/// do not decide, or a class of authentication that we do not give: to leave such a demand unmet in silence would
/// mislead [OIDC Core 5.5.1, 5.5.1.1].
fn check_claims(form: &Form) -> Result<(), Rule> {
    let Some(text) = form.find("claims") else {
        return Ok(());
    };
    if text.len() > LONGEST_CLAIMS {
        return Err(Rule::ClaimsTooLong);
    }
    let request = json::parse_object(text.as_bytes()).map_err(|_| Rule::ClaimsObject)?;
    for place in ["id_token", "userinfo"] {
        match request.get(place) {
            None | Some(Value::Null) => {}
            Some(Value::Object(claims)) => check_claims_of(claims)?,
            Some(_) => return Err(Rule::ClaimsPlace),
        }
    }
    Ok(())
}

fn check_claims_of(claims: &Map<String, Value>) -> Result<(), Rule> {
    for (name, wish) in claims {
        let wish = match wish {
            Value::Null => continue,
            Value::Object(wish) => wish,
            _ => return Err(Rule::ClaimsWish),
        };
        let essential = wish.get("essential") == Some(&Value::Bool(true));
        if name == "acr" && essential {
            return Err(Rule::ClaimsAcr);
        }
        if name != "acr" && (wish.contains_key("value") || wish.contains_key("values")) {
            return Err(Rule::ClaimsByValue);
        }
    }
    Ok(())
}

/// Language tags are letters, digits and hyphens, separated by spaces [RFC 5646 2.1]. A language that we do not have is no
/// error, and what is no tag (`en_GB`) is none that we have [OIDC Core 3.1.2.1].
fn ui_locales(form: &Form) -> Result<Option<String>, Rule> {
    let Some(locales) = form.find("ui_locales") else {
        return Ok(None);
    };
    if locales.len() > LONGEST_LOCALES {
        return Err(Rule::UiLocales);
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_tag = |tag: &&str| !tag.is_empty() && tag.bytes().all(plain);
    let tags: Vec<&str> = locales.split(' ').filter(is_tag).collect();
    Ok((!tags.is_empty()).then(|| tags.join(" ")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use standards::oauth::error::ErrorCode;
    use standards::oauth::form;

    use super::*;

    fn refusal(name: &str, value: &str) -> Option<ErrorCode> {
        let text = form::encode([(name, value)]);
        Options::check(&Form::parse(text.as_bytes()).unwrap())
            .err()
            .map(Rule::code)
    }

    #[test]
    fn sec_09_prompt_is_honoured_or_refused() {
        for honoured in ["login", "consent", "select_account", "login consent"] {
            assert_eq!(refusal("prompt", honoured), None, "{honoured}");
        }
        assert_eq!(
            refusal("prompt", "none"),
            Some(ErrorCode::InteractionRequired)
        );
        for broken in ["none login", "create", "login  consent", "LOGIN", " "] {
            assert_eq!(
                refusal("prompt", broken),
                Some(ErrorCode::InvalidRequest),
                "{broken}"
            );
        }
    }

    #[test]
    fn sec_09_claims_are_as_long_as_they_may_be_and_no_longer() {
        let padded = |length: usize| format!("{{{}}}", " ".repeat(length - 2));
        assert_eq!(refusal("claims", &padded(LONGEST_CLAIMS)), None);
        for length in [LONGEST_CLAIMS + 1, 2 * LONGEST_CLAIMS] {
            let refused = refusal("claims", &padded(length));
            assert_eq!(refused, Some(ErrorCode::InvalidRequest), "{length}");
        }
    }

    #[test]
    fn sec_09_max_age_is_a_number_of_seconds() {
        for honoured in ["0", "1", "86400", "4294967295"] {
            assert_eq!(refusal("max_age", honoured), None, "{honoured}");
        }
        for broken in ["-1", "1.5", "soon", "99999999999999999999", "1 2"] {
            assert_eq!(
                refusal("max_age", broken),
                Some(ErrorCode::InvalidRequest),
                "{broken}"
            );
        }
    }

    #[test]
    fn a_demand_that_cannot_be_met_is_refused_and_a_wish_is_not() {
        for wish in [
            "{}",
            r#"{"id_token":null}"#,
            r#"{"id_token":{"auth_time":{"essential":true},"acr":null}}"#,
            r#"{"id_token":{"acr":{"values":["urn:x"]}}}"#,
            r#"{"userinfo":{"email":{"essential":true}},"other":7}"#,
        ] {
            assert_eq!(refusal("claims", wish), None, "{wish}");
        }
        for broken in [
            "[]",
            "{",
            r#"{"id_token":[]}"#,
            r#"{"id_token":{"sub":"x"}}"#,
            r#"{"id_token":{"sub":{"value":"x"}}}"#,
            r#"{"userinfo":{"sub":{"values":["x"]}}}"#,
            r#"{"id_token":{},"id_token":{}}"#,
        ] {
            assert_eq!(
                refusal("claims", broken),
                Some(ErrorCode::InvalidRequest),
                "{broken}"
            );
        }
        let essential = r#"{"id_token":{"acr":{"essential":true,"values":["urn:x"]}}}"#;
        assert_eq!(
            refusal("claims", essential),
            Some(ErrorCode::UnmetAuthenticationRequirements)
        );
    }

    #[test]
    fn what_would_change_the_request_unseen_is_refused_by_name() {
        assert_eq!(
            refusal("request", "e30.e30."),
            Some(ErrorCode::RequestNotSupported)
        );
        assert_eq!(
            refusal("request_uri", "https://rp.example/request"),
            Some(ErrorCode::RequestUriNotSupported)
        );
        assert_eq!(
            refusal("registration", "{}"),
            Some(ErrorCode::RegistrationNotSupported)
        );
    }

    #[test]
    fn ui_locales_are_kept_and_what_is_no_tag_is_passed_over() {
        for (sent, kept) in [
            ("cy-GB en", Some("cy-GB en")),
            ("en_GB", None),
            ("en_GB cy  fr-ca", Some("cy fr-ca")),
            ("en<script> cy", Some("cy")),
            ("\u{202e} \u{0}", None),
            ("  ", None),
        ] {
            let text = form::encode([("ui_locales", sent)]);
            let options = Options::check(&Form::parse(text.as_bytes()).unwrap());
            let locales = options.unwrap().ui_locales;
            assert_eq!(locales.as_deref(), kept, "{sent}");
        }
        assert_eq!(
            refusal("ui_locales", &"en ".repeat(100)),
            Some(ErrorCode::InvalidRequest)
        );
    }
}
