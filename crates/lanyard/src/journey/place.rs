//! Where a journey is played: gateway, wallet, and who plays whom.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use connector::{ClientSecret, Dialect, Push, Settings, SigningKey};
use url::Url;

use super::Options;
use crate::sandbox;
use crate::sandbox_file::{Employee, SandboxFile};

/// The sandbox's ports, counted from its base port.
const PORTS: [u16; 7] = [0, 1, 2, 3, 4, 5, 13];
/// Cases whose identity must never yield a code, and the code with which our gateway tells the wallet
/// why. A wallet without any identity has nothing that a gateway could refuse.
const REFUSED_CASES: [(&str, Option<&str>); 4] = [
    ("no-identity", None),
    ("expired-identity", Some("credential-expired")),
    ("revoked-identity", Some("credential-revoked")),
    ("untrusted-issuer", Some("issuer-not-trusted")),
];
/// The type of the new credential.
pub(super) const NEW_CREDENTIAL: &str = "TrainingProgramme";

/// A gateway that is not a sandbox's, and what its operator gave the relying party.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct GatewayOptions {
    /// Play at this gateway, whoever runs it.
    #[arg(long, value_name = "URL", requires_all = ["wallet", "holder", "client_id", "client_secret", "signing_key", "organisation_id"])]
    gateway: Option<Url>,
    /// The test wallet to use with it.
    #[arg(long, value_name = "URL", requires = "gateway")]
    wallet: Option<Url>,
    /// The wallet's holder who has a good identity credential.
    #[arg(long, value_name = "ID", requires = "gateway")]
    holder: Option<String>,
    /// A holder whose identity must be refused; may be repeated.
    #[arg(long = "refused-holder", value_name = "ID", requires = "gateway")]
    refused_holders: Vec<String>,
    /// The relying party's id.
    #[arg(long, env = "LANYARD_CLIENT_ID", value_name = "ID")]
    client_id: Option<String>,
    /// The relying party's secret; better given in the environment.
    #[arg(
        long,
        env = "LANYARD_CLIENT_SECRET",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    client_secret: Option<Hidden>,
    /// The relying party's signing key in base64; better given in the environment.
    #[arg(
        long,
        env = "LANYARD_SIGNING_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    signing_key: Option<Hidden>,
    /// The relying party's organisation.
    #[arg(long, env = "LANYARD_ORGANISATION_ID", value_name = "ID")]
    organisation_id: Option<String>,
    /// The relying party's registered redirect URI. Nobody need listen there.
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://localhost:8499/callback"
    )]
    redirect_uri: Url,
}

/// A secret from the command line or the environment, kept out of Debug.
#[derive(Clone)]
struct Hidden(String);

impl std::str::FromStr for Hidden {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// Who plays the employees.
pub(super) struct Cast {
    /// The holder whose identity is good.
    pub(super) holder: String,
    /// What the staff record says of that person, where there is one.
    pub(super) record: Option<Employee>,
    /// Holders whose identity must be refused.
    pub(super) refused: Vec<Refused>,
    /// The scope that asks for the new credential.
    pub(super) new_credential_scope: String,
}

/// A holder whose identity must be refused.
pub(super) struct Refused {
    /// What is wrong with it, or the holder's own name where only the gateway's operator knows.
    pub(super) case: String,
    pub(super) holder: String,
    pub(super) because: Because,
}

/// What a refusal must be like.
#[derive(Clone, Copy)]
pub(super) struct Because {
    /// The reason that the wallet must hear, where it is known.
    pub(super) reason: Option<&'static str>,
    /// Whether the refusal is the gateway's, and not the wallet's own.
    pub(super) by_gateway: bool,
}

/// Everything that a journey needs around it.
pub(super) struct Place {
    pub(super) settings: Settings,
    pub(super) wallet: Url,
    pub(super) cast: Cast,
    /// A certificate authority to trust besides the machine's own, as PEM.
    pub(super) certificate_authority: Option<Vec<u8>>,
    private: Option<Private>,
}

/// A sandbox made for one journey.
struct Private {
    running: sandbox::Running,
    folder: Folder,
}

/// A folder that goes when its journey does, also when that is interrupted.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!(
                "lanyard journey: {} is left over: {error}",
                self.0.display()
            );
        }
    }
}

impl Place {
    pub(super) async fn open(options: &Options) -> anyhow::Result<Self> {
        let read = |file: &PathBuf| {
            std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))
        };
        let certificate_authority = options
            .certificate_authority
            .as_ref()
            .map(read)
            .transpose()?;
        let place = Self::find(options).await?;
        Ok(Self {
            certificate_authority,
            ..place
        })
    }

    async fn find(options: &Options) -> anyhow::Result<Self> {
        if let Some(gateway) = &options.gateway.gateway {
            return at_gateway(gateway, &options.gateway, options.dialect);
        }
        if let Some(folder) = &options.data {
            return in_sandbox(&SandboxFile::read(folder)?, options.dialect);
        }
        let private = Private::start(options.database.clone()).await?;
        match SandboxFile::read(&private.folder.0)
            .and_then(|file| in_sandbox(&file, options.dialect))
        {
            Ok(place) => Ok(Self {
                private: Some(private),
                ..place
            }),
            Err(error) => {
                private.stop().await;
                Err(error)
            }
        }
    }

    /// Where the sandbox made for this journey keeps everything.
    #[cfg(test)]
    pub(super) fn private_folder(&self) -> Option<&Path> {
        self.private
            .as_ref()
            .map(|private| private.folder.0.as_path())
    }

    pub(super) async fn close(self) {
        if let Some(private) = self.private {
            private.stop().await;
        }
    }
}

impl Private {
    async fn start(database: Option<String>) -> anyhow::Result<Self> {
        let mut tries = 3;
        loop {
            tries -= 1;
            match Self::try_start(database.clone()).await {
                // Ports that were free when we looked may be another's by now.
                Err(error) if tries > 0 && is_port_taken(&error) => {}
                other => return other.context("the private sandbox did not start"),
            }
        }
    }

    async fn try_start(database: Option<String>) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("lanyard-journey-{}", uuid::Uuid::new_v4()));
        private_folder(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let folder = Folder(folder);
        let options = sandbox::Options {
            data: folder.0.clone(),
            base_port: free_base_port()?,
            database,
            public_url: None,
            tls_cert: None,
            tls_key: None,
            fresh: false,
            page_states: false,
        };
        let running = sandbox::start(&options).await?;
        Ok(Self { running, folder })
    }

    async fn stop(self) {
        let Self { running, folder } = self;
        running.stop().await;
        drop(folder);
    }
}

fn in_sandbox(file: &SandboxFile, dialect: Dialect) -> anyhow::Result<Place> {
    let Some(party) = file.relying_party(dialect) else {
        bail!("the sandbox has no relying party of this dialect")
    };
    // Only the address for outside programs: nobody of the sandbox's own must answer for us.
    let redirect_uri = party
        .redirect_uris
        .iter()
        .find(|uri| uri.ends_with(":8499/callback"))
        .or(party.redirect_uris.first())
        .context("the sandbox's relying party has no redirect URI")?;
    let employee = file
        .employee("match")
        .context("the sandbox has no employee of the case match")?;
    let refused = REFUSED_CASES.map(|(case, reason)| {
        let employee = file
            .employee(case)
            .with_context(|| format!("the sandbox has no employee of the case {case}"))?;
        let holder = employee.holder.clone();
        anyhow::Ok(Refused {
            case: case.to_owned(),
            holder,
            because: Because {
                reason,
                by_gateway: reason.is_some(),
            },
        })
    });
    let scope = file
        .credential_types
        .iter()
        .find(|kind| kind.name == NEW_CREDENTIAL)
        .map(|kind| kind.scope.as_str());
    Ok(Place {
        settings: Settings {
            gateway: file.urls.gateway.clone(),
            dialect,
            push: Push::Always,
            client_id: party.client_id.clone(),
            client_secret: ClientSecret::new(party.client_secret.as_str()),
            signing_key: Some(SigningKey::from_base64(&party.signing_key)?),
            organisation_id: party.organisation_id.clone(),
            redirect_uri: Url::parse(redirect_uri)?,
        },
        wallet: file.urls.wallet.clone(),
        cast: Cast {
            holder: employee.holder.clone(),
            record: Some(employee.clone()),
            refused: refused.into_iter().collect::<anyhow::Result<_>>()?,
            new_credential_scope: verifying_scope(scope.unwrap_or(NEW_CREDENTIAL)).to_owned(),
        },
        certificate_authority: None,
        private: None,
    })
}

fn at_gateway(gateway: &Url, options: &GatewayOptions, dialect: Dialect) -> anyhow::Result<Place> {
    let given = |value: &Option<String>, name| {
        value
            .clone()
            .with_context(|| format!("--{name} is missing"))
    };
    let secret = options
        .client_secret
        .as_ref()
        .context("--client-secret is missing")?;
    let key = options
        .signing_key
        .as_ref()
        .context("--signing-key is missing")?;
    Ok(Place {
        settings: Settings {
            gateway: gateway.clone(),
            dialect,
            push: Push::Always,
            client_id: given(&options.client_id, "client-id")?,
            client_secret: ClientSecret::new(secret.0.as_str()),
            signing_key: Some(SigningKey::from_base64(&key.0)?),
            organisation_id: given(&options.organisation_id, "organisation-id")?,
            redirect_uri: options.redirect_uri.clone(),
        },
        wallet: options.wallet.clone().context("--wallet is missing")?,
        cast: Cast {
            holder: given(&options.holder, "holder")?,
            record: None,
            refused: options
                .refused_holders
                .iter()
                .map(|holder| Refused {
                    case: holder.clone(),
                    holder: holder.clone(),
                    because: Because {
                        reason: None,
                        by_gateway: false,
                    },
                })
                .collect(),
            new_credential_scope: NEW_CREDENTIAL.to_owned(),
        },
        certificate_authority: None,
        private: None,
    })
}

/// A type's scope without what asks for issuing.
fn verifying_scope(scope: &str) -> &str {
    let last = scope.split(' ').next_back().unwrap_or(scope);
    last.strip_prefix("issue.").unwrap_or(last)
}

fn private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn is_port_taken(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::AddrInUse)
}

/// A base port whose whole range is free at this moment.
fn free_base_port() -> anyhow::Result<u16> {
    let free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    for _ in 0..100 {
        let base = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        if PORTS
            .iter()
            .all(|offset| base.checked_add(*offset).is_some_and(free))
        {
            return Ok(base);
        }
    }
    bail!("there are not enough free ports")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_for_verifying_has_no_issue_in_it() {
        for scope in [
            "TrainingProgramme",
            "issue.TrainingProgramme",
            "openid issue.TrainingProgramme",
        ] {
            assert_eq!(verifying_scope(scope), "TrainingProgramme");
        }
    }

    #[test]
    fn a_free_base_port_has_its_whole_range() {
        let base = free_base_port().unwrap_or_default();
        assert!(base > 0 && base.checked_add(13).is_some());
    }

    #[test]
    fn a_secret_option_does_not_print_itself() {
        assert_eq!(format!("{:?}", Hidden("hush".to_owned())), "…");
    }
}
