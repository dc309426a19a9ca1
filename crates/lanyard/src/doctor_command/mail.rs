//! Whether mails could go out: of the portal or the sidecar that stands beside the gateway, which itself writes to nobody.

use std::path::Path;
use std::time::Duration;

use connector::config::{ConfigError, MailConfig};
use connector::desk::MailOptions;
use gateway::checklist::Findings;

/// How long a mail server, or GOV.UK Notify, may take for all of it.
const LONGEST: Duration = Duration::from_secs(30);
/// What these findings are called.
const CODE: &str = "mail";
const REMEDY: &str = "put [mail] right (docs/operate/mail.md)";

/// The mail of a portal, by its configuration file.
pub(super) async fn of_portal(file: &Path, findings: &mut Findings) {
    let read = portal::Config::read(file).map_err(|error| error.to_string());
    let options = read.map(|config| {
        let home = Some(&config.public_url);
        options(config.mail.as_ref(), &config.organisation, home)
    });
    look(file, options, findings).await;
}

/// The same of a sidecar.
pub(super) async fn of_sidecar(file: &Path, findings: &mut Findings) {
    let read = sidecar::Config::read(file).map_err(|error| error.to_string());
    let options = read.map(|config| {
        options(
            config.mail.as_ref(),
            &config.organisation,
            config.home.as_ref(),
        )
    });
    look(file, options, findings).await;
}

fn options(
    mail: Option<&MailConfig>,
    organisation: &str,
    home: Option<&url::Url>,
) -> Option<Result<MailOptions, ConfigError>> {
    mail.map(|mail| mail.options(organisation, home))
}

async fn look(
    file: &Path,
    options: Result<Option<Result<MailOptions, ConfigError>>, String>,
    findings: &mut Findings,
) {
    let file = file.display();
    let options = match options {
        Err(error) => {
            findings.bad(CODE, error, "put the file right");
            return;
        }
        Ok(None) => {
            findings.look(
                CODE,
                format!(
                    "{file} says of no mail: nobody is told of a cancelled credential but on pages"
                ),
                "name a mail server or GOV.UK Notify in [mail] (docs/operate/mail.md)",
            );
            return;
        }
        Ok(Some(Err(error))) => {
            findings.bad(CODE, format!("{file}: {error}"), REMEDY);
            return;
        }
        Ok(Some(Ok(options))) => options,
    };
    let way = options.way();
    match tokio::time::timeout(LONGEST, options.try_way(jiff::Timestamp::now())).await {
        Ok(Ok(())) => {
            findings.good(CODE, format!("{way} takes mails of {file}; none was sent"));
        }
        Ok(Err(error)) => {
            findings.bad(CODE, format!("{file}: {way}: {error}"), REMEDY);
        }
        Err(_) => {
            findings.bad(
                CODE,
                format!("{file}: {way} does not answer within 30 seconds"),
                "see whether a firewall stands between, and that host and port are right (docs/operate/mail.md)",
            );
        }
    }
}
