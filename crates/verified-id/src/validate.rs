//! The fields of a presentation request. An unknown one is refused: a misspelt one would be silently of no effect.

use serde_json::{Map, Value};
use url::Url;

/// The field that is bad or missing, by its path.
pub(crate) struct Invalid(pub(crate) String);

type Object = Map<String, Value>;

/// Checks a body for a tenant whose authority that is.
pub(crate) fn presentation(body: &Value, authority: &str) -> Result<(), Invalid> {
    let top = [
        "authority",
        "registration",
        "callback",
        "includeQRCode",
        "includeReceipt",
        "requestedCredentials",
    ];
    let body = object(body, "", &top)?;
    // Another tenant's authority is as bad as none.
    if text(body, "authority", "authority")? != authority {
        return Err(Invalid("authority".into()));
    }
    let known = ["clientName", "purpose", "logoUrl", "termsOfServiceUrl"];
    let registration = object(&body_field(body, "registration"), "registration", &known)?.clone();
    text(&registration, "clientName", "registration.clientName")?;
    callback(&body_field(body, "callback"))?;
    flag(body, "includeQRCode")?;
    flag(body, "includeReceipt")?;
    let requested = body.get("requestedCredentials").and_then(Value::as_array);
    let requested = requested.filter(|all| !all.is_empty());
    let requested = requested.ok_or_else(|| Invalid("requestedCredentials".into()))?;
    requested.iter().try_for_each(credential)
}

fn body_field(body: &Object, name: &str) -> Value {
    body.get(name).cloned().unwrap_or_default()
}

/// https, or http on this machine, as it is for tests; nobody's name in it.
fn callback(value: &Value) -> Result<(), Invalid> {
    let callback = object(value, "callback", &["url", "state", "headers"])?;
    let url = text(callback, "url", "callback.url")?;
    let is_fit = url.parse::<Url>().is_ok_and(|url| {
        let is_local = matches!(url.host_str(), Some("localhost" | "127.0.0.1"));
        (url.scheme() == "https" || url.scheme() == "http" && is_local) && url.username().is_empty()
    });
    if !is_fit {
        return Err(Invalid("callback.url".into()));
    }
    text(callback, "state", "callback.state")?;
    if let Some(headers) = callback.get("headers") {
        let known = ["api-key", "Authorization"];
        let headers = object(headers, "callback.headers", &known)?;
        for name in headers.keys() {
            text(headers, name, "callback.headers")?;
        }
    }
    Ok(())
}

fn credential(value: &Value) -> Result<(), Invalid> {
    let path = "requestedCredentials";
    let known = [
        "type",
        "purpose",
        "acceptedIssuers",
        "configuration",
        "constraints",
    ];
    let credential = object(value, path, &known)?;
    text(credential, "type", "requestedCredentials.type")?;
    if let Some(issuers) = credential.get("acceptedIssuers") {
        let are_dids = issuers.as_array().is_some_and(|all| {
            all.iter()
                .all(|one| one.as_str().is_some_and(|one| one.starts_with("did:")))
        });
        if !are_dids {
            return Err(Invalid("requestedCredentials.acceptedIssuers".into()));
        }
    }
    if let Some(configuration) = credential.get("configuration") {
        let path = "requestedCredentials.configuration";
        let configuration = object(configuration, path, &["validation"])?;
        let path = "requestedCredentials.configuration.validation";
        let known = ["allowRevoked", "validateLinkedDomain"];
        let validation = body_field(configuration, "validation");
        let validation = object(&validation, path, &known)?;
        known.iter().try_for_each(|name| flag(validation, name))?;
    }
    match credential.get("constraints") {
        // No caller needs them yet.
        Some(_) => Err(Invalid("requestedCredentials.constraints".into())),
        None => Ok(()),
    }
}

fn object<'a>(value: &'a Value, path: &str, known: &[&str]) -> Result<&'a Object, Invalid> {
    let object = value.as_object().ok_or_else(|| Invalid(path.to_owned()))?;
    match object.keys().find(|name| !known.contains(&name.as_str())) {
        Some(unknown) => Err(Invalid(format!("{path}.{unknown}"))),
        None => Ok(object),
    }
}

fn text<'a>(object: &'a Object, name: &str, path: &str) -> Result<&'a str, Invalid> {
    let text = object.get(name).and_then(Value::as_str);
    text.filter(|text| !text.is_empty())
        .ok_or_else(|| Invalid(path.to_owned()))
}

fn flag(object: &Object, name: &str) -> Result<(), Invalid> {
    match object.get(name) {
        None | Some(Value::Bool(_)) => Ok(()),
        Some(_) => Err(Invalid(name.to_owned())),
    }
}
