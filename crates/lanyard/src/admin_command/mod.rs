//! `lanyard admin`: a thin client of the admin API. What it can say stands in [`verbs`], one line for each verb; this file
//! sends it and [`show`] prints what comes back.

mod custody;
mod party_verbs;
mod registry_verbs;
#[cfg(test)]
mod routes_tests;
mod show;
mod verbs;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use reqwest::Client;
use serde_json::Value;
use url::{Host, Url};
use zeroize::Zeroizing;

use crate::say::say;
use verbs::{Call, Verb};

/// Where to, as whom, and what.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The admin API's address.
    #[arg(
        long,
        env = "LANYARD_ADMIN_URL",
        default_value = "http://127.0.0.1:8410",
        global = true
    )]
    url: Url,
    /// The file that holds your token; without it, the environment variable `LANYARD_ADMIN_TOKEN`.
    #[arg(long, value_name = "FILE", global = true)]
    token_file: Option<PathBuf>,
    /// The authority that signed the gateway's certificate (PEM), where the system does not know it.
    #[arg(long, value_name = "FILE", global = true)]
    ca_file: Option<PathBuf>,
    /// Print what the API answered, as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

/// Asks, and prints the answer.
pub async fn run(options: &Options) -> anyhow::Result<ExitCode> {
    if let Verb::Token = options.verb {
        return make_token();
    }
    let call = options.verb.call()?;
    let answer = send(options, &call).await?;
    match answer {
        Answer::Text(text) => say(text.trim_end())?,
        Answer::Json(value) if options.json => say(format_args!("{value:#}"))?,
        Answer::Json(value) => show::show(&value, call.show)?,
        Answer::Nothing => say("done")?,
    }
    Ok(ExitCode::SUCCESS)
}

enum Answer {
    Json(Value),
    Text(String),
    Nothing,
}

async fn send(options: &Options, call: &Call) -> anyhow::Result<Answer> {
    let loopback = match options.url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    anyhow::ensure!(
        loopback || options.url.scheme() == "https",
        "a token travels over https only, or to this machine: {} is neither",
        options.url
    );
    let mut url = options
        .url
        .join(&call.path)
        .context("--url is no address")?;
    if !call.query.is_empty() {
        url.query_pairs_mut().extend_pairs(&call.query);
    }
    let token = token(options)?;
    // A redirect could take the token elsewhere.
    let mut client = Client::builder().redirect(reqwest::redirect::Policy::none());
    if let Some(file) = &options.ca_file {
        let pem =
            std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
        client = client.add_root_certificate(reqwest::Certificate::from_pem(&pem)?);
    }
    let mut request = client
        .build()?
        .request(call.method.clone(), url)
        .bearer_auth(token.as_str());
    if let Some(body) = &call.body {
        request = request.json(body);
    }
    let response = request
        .send()
        .await
        .context("the admin API does not answer")?;
    let status = response.status();
    let media_type = response.headers().get("content-type");
    // And no other: an export is `application/jsonl`, which is text here.
    let media_type = media_type.and_then(|value| value.to_str().ok()?.split(';').next());
    let is_json = media_type.is_some_and(|value| value.trim() == "application/json");
    // Read whole before anything is printed: of an answer that broke off nobody has a part that looks like all of it.
    let text = response.text().await;
    let text = text
        .context("the answer broke off before its end, and nothing of it is printed: ask again")?;
    if !status.is_success() {
        let problem: Value = serde_json::from_str(&text).unwrap_or_default();
        let code = problem["code"].as_str().unwrap_or("unknown");
        let detail = problem["detail"]
            .as_str()
            .unwrap_or("this is not the admin API of a gateway");
        anyhow::bail!("{code} ({status}): {detail}");
    }
    Ok(match (text.is_empty(), is_json) {
        (true, _) => Answer::Nothing,
        (_, true) => Answer::Json(serde_json::from_str(&text).context("the answer is not JSON")?),
        (_, false) => Answer::Text(text),
    })
}

fn token(options: &Options) -> anyhow::Result<Zeroizing<String>> {
    let text = match &options.token_file {
        Some(file) => std::fs::read_to_string(file)
            .with_context(|| format!("{} cannot be read", file.display()))?,
        None => std::env::var("LANYARD_ADMIN_TOKEN")
            .context("say who you are: --token-file FILE, or LANYARD_ADMIN_TOKEN")?,
    };
    let text = Zeroizing::new(text);
    Ok(Zeroizing::new(text.trim().to_owned()))
}

/// A token of one's own making: who adds its holder needs the digest only.
fn make_token() -> anyhow::Result<ExitCode> {
    let (token, digest) = gateway::operator::made_token(&gateway::random::Random::system());
    say(format_args!("token   {}", token.as_str()))?;
    say(format_args!("sha256  {digest}"))?;
    say("Keep the token to yourself. Whoever adds you needs the sha256, and nothing else.")?;
    Ok(ExitCode::SUCCESS)
}
