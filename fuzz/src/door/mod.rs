//! A real gateway with a database of its own, reached through its router, without a network.

pub(crate) mod entra;
mod exchange;

use gateway::keys::KeyPurpose;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use gateway::organisation::dialect::Dialect;
use gateway::{Config, Gateway, Surroundings};
use serde_json::{Map, Value, json};
use standards::jose::jws::{self, ProtectedHeader};
use standards::jose::{Algorithm, HmacKey, JwkSet, Signer};
use standards::oauth::form;
use tokio::runtime::Runtime;
use verified_id::VerifiedId;

use crate::scene::{KEYS, completed, wait};
pub(crate) use exchange::{Answer, Request};

pub(crate) const BASE: &str = "http://localhost:8499";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// Whose digest the challenge is.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// What signs the events that relying parties list; nothing is ever posted here.
const WEBHOOK_SECRET: &str = "whsec_c2FuZGJveC13ZWJob29rLXNlY3JldC0wMTIzNDU2Nzg5YWJjZGVm";
/// After so many inputs the gateway forgets everything, so that its database stays small.
const FORGETS_AFTER: u32 = 2_000;

/// More than any run asks.
const UNLIMITED: u32 = u32::MAX;

/// A relying party of each dialect.
pub(crate) const PARTIES: [(&str, Dialect); 4] = [
    ("v1-a", Dialect::V1A),
    ("v1-b", Dialect::V1B),
    ("v2", Dialect::V2),
    ("plain", Dialect::Plain),
];

/// A relying party that proves who it is with a key of its own.
pub(crate) const SIGNER: &str = "signer";

/// The gateway, with the runtime that it runs on.
pub(crate) struct Door {
    pub(crate) gateway: Gateway,
    router: Router,
    runtime: Runtime,
    /// What the organisation asks whose people use Authenticator.
    service: VerifiedId,
    inputs: u32,
}

/// An interaction that waits for a wallet.
pub(crate) struct Begun {
    /// Of the browser that began it.
    pub(crate) cookie: String,
    /// Of its page.
    pub(crate) address: String,
    /// What the page's link to a request object or an offer ends in.
    pub(crate) link: String,
}

/// A page that a browser was sent to.
pub(crate) struct Opened {
    /// Of the browser.
    pub(crate) cookie: String,
    /// Of the page.
    pub(crate) address: String,
    pub(crate) page: Answer,
}

static DOOR: LazyLock<Mutex<Door>> = LazyLock::new(|| Mutex::new(Door::open()));

/// The one gateway of this process, for one input.
pub(crate) fn door() -> MutexGuard<'static, Door> {
    let mut door = DOOR.lock().unwrap_or_else(PoisonError::into_inner);
    door.inputs += 1;
    if door.inputs.is_multiple_of(FORGETS_AFTER) {
        door.forget();
    }
    door
}

pub(crate) fn redirect_uri(client_id: &str) -> String {
    format!("https://{client_id}.example/callback")
}

pub(crate) fn secret(client_id: &str) -> String {
    format!("sandbox-secret-of-{client_id}-0123456789abcdef")
}

pub(crate) fn signing_key(client_id: &str) -> HmacKey {
    HmacKey::from_bytes(format!("sandbox-signing-key-of-{client_id}-0123456789abcdef").as_bytes())
        .expect("a long key")
}

impl Door {
    fn open() -> Self {
        let folder = folder();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let service = runtime.block_on(entra::start());
        let config = config(&folder, &service);
        gateway::create_keys(&config, true).expect("keys can be made");
        let surroundings = Surroundings {
            sandbox: true,
            http_origins: vec![service.base().clone()],
            ..Surroundings::production()
        };
        let gateway = runtime
            .block_on(Gateway::compose(&config, surroundings))
            .expect("the gateway can be composed");
        Self {
            router: gateway.router(),
            gateway,
            runtime,
            service,
            inputs: 0,
        }
    }

    fn forget(&mut self) {
        let forgotten = self.runtime.block_on(self.gateway.forget_everything());
        forgotten.expect("the gateway can forget");
        self.service.forget_requests();
    }

    /// Sends a request and holds the answer against everything that every answer promises.
    pub(crate) fn ask(&self, request: &Request) -> Answer {
        let answer = self.runtime.block_on(request.send(self.router.clone()));
        answer.keeps_its_promises();
        answer
    }

    /// Pushes a request of that party; gives its `request_uri`, if it was accepted.
    pub(crate) fn push(&self, client_id: &str, parameters: &[(&str, &str)]) -> Answer {
        let (redirect_uri, secret) = (redirect_uri(client_id), secret(client_id));
        let mut pairs = vec![
            ("client_id", client_id),
            ("client_secret", &secret),
            ("redirect_uri", &redirect_uri),
            ("response_type", "code"),
            ("response_mode", "query"),
            ("nonce", "n-1"),
            ("state", "s-1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        pairs.retain(|(name, _)| parameters.iter().all(|(other, _)| other != name));
        pairs.extend(parameters);
        self.ask(&Request::form("/par", &pairs))
    }

    /// A browser opens the request that it was sent with.
    pub(crate) fn begin(&self, client_id: &str, parameters: &[(&str, &str)]) -> Begun {
        let opened = self.open_page(client_id, parameters);
        let link = opened.page.link().expect("a page has a link").to_owned();
        Begun {
            cookie: opened.cookie,
            address: opened.address,
            link,
        }
    }

    fn open_page(&self, client_id: &str, parameters: &[(&str, &str)]) -> Opened {
        let pushed = self.push(client_id, parameters);
        let request_uri = pushed.json()["request_uri"].clone();
        let query = form::encode([
            ("client_id", client_id),
            ("request_uri", request_uri.as_str().unwrap_or_default()),
        ]);
        let authorize = format!("/authorize?{query}");
        let new = self.ask(&Request::read(&authorize));
        let cookie = new.cookie().expect("a new browser gets a cookie");
        let opened = self.ask(
            &Request::read(&authorize)
                .with("cookie", &cookie)
                .expect("a cookie fits a header"),
        );
        let address = opened
            .location()
            .expect("the interaction's address")
            .to_owned();
        let page = self.ask(
            &Request::read(&address)
                .with("cookie", &cookie)
                .expect("a cookie fits a header"),
        );
        Opened {
            cookie,
            address,
            page,
        }
    }

    /// A draft as that party signs it, of now; the members given take the place of the usual ones.
    pub(crate) fn hint(
        &self,
        client_id: &str,
        header: Map<String, Value>,
        claims: Map<String, Value>,
    ) -> Option<String> {
        let now = self.gateway.app().now().as_second();
        let usual = json!({ "iss": client_id, "aud": BASE, "iat": now, "nbf": now, "exp": now + 86_400 * 30 });
        let header = header
            .into_iter()
            .fold(ProtectedHeader::typ("JWT"), |all, (name, value)| {
                all.member(&name, value)
            });
        let claims = completed(claims, usual);
        jws::sign_hmac(&signing_key(client_id), Algorithm::HS256, header, &claims).ok()
    }

    /// Signs with the key that the gateway's own credentials are signed with.
    pub(crate) fn sign_as_issuer(&self, typ: &str, claims: &Map<String, Value>) -> String {
        let app = self.gateway.app();
        let organisation = app.organisations.find("anytown");
        let key = app.keys.active(KeyPurpose::Credentials, "anytown");
        let key = key.expect("a key for credentials");
        let kid = organisation.expect("the organisation").key_id(key);
        let header = ProtectedHeader::typ(typ).kid(kid);
        wait(jws::sign(&**key, header, claims)).expect("claims can be signed")
    }
}

fn config(folder: &std::path::Path, service: &VerifiedId) -> Config {
    let file = |name: &str, text: &str| {
        let file = folder.join(name);
        std::fs::write(&file, text).expect("the folder can be written");
        format!("{{ file = {:?} }}", file.display().to_string())
    };
    let types = r#"["Identity", "TrainingProgramme", "TrainingPlacement", "FireSafety"]"#;
    let parties = PARTIES.map(|(client_id, dialect)| {
        let digest = digest_of(client_id);
        let dialect = serde_json::to_string(&dialect).expect("a dialect has a name");
        let key = file(
            &format!("{client_id}.key"),
            &signing_key(client_id).to_base64(),
        );
        let hook = file(&format!("{client_id}.hook"), WEBHOOK_SECRET);
        format!(
            "[[organisations.relying_parties]]\nname = \"{client_id}\"\nclient_id = \"{client_id}\"\n\
             client_secret_sha256 = [\"{digest}\"]\nsigning_key = {key}\n\
             redirect_uris = [\"{}\"]\ndialect = {dialect}\n\
             webhook = {{ url = \"https://{client_id}.example/events\", secrets = [{hook}] }}\n",
            redirect_uri(client_id)
        )
    });
    let public_url = BASE.parse().expect("an address");
    let did = gateway::organisation::did_of(&public_url, "anytown").expect("a DID");
    let trust = ["Identity", "TrainingProgramme"].map(|name| {
        format!("[[organisations.trust]]\ncredential_type = \"{name}\"\nissuers = [\"{did}\"]\n")
    });
    let (trust, parties) = (trust.concat(), parties.concat());
    let tenant_secret = file("tenant", entra::SECRET);
    let entra = entra::config(service, &digest_of(entra::PARTY), &tenant_secret);
    let jwks = JwkSet::new([KEYS.es256.public_jwk().clone()]).to_value();
    let signer = format!(
        "[[organisations.relying_parties]]\nname = \"{SIGNER}\"\nclient_id = \"{SIGNER}\"\n\
         token_endpoint_auth_method = \"private_key_jwt\"\njwks = '{jwks}'\n\
         redirect_uris = [\"{}\"]\ndialect = \"plain\"\n",
        redirect_uri(SIGNER)
    );
    // What is limited here is the time of a run.
    let limits = [
        (
            "address",
            "back_channel failures authorize pages wallets documents",
        ),
        (
            "client",
            "pushes tokens revocations look_ups open_pushes open_unpushed",
        ),
    ];
    let limits = limits.map(|(of, names)| {
        let each = names
            .split(' ')
            .map(|name| format!("{name} = {UNLIMITED}\n"));
        format!("[limits.{of}]\n{}", each.collect::<Vec<_>>().concat())
    });
    let limits = limits.concat();
    let text = format!(
        "public_url = \"{BASE}\"\nlisten = \"127.0.0.1:0\"\n\
         address_header = \"x-forwarded-for\"\ndatabase = \"sqlite:{}\"\nkeys = {:?}\n\
         key_passphrase = {}\nstorage_secret = {}\n{limits}[[organisations]]\nid = \"anytown\"\n\
         name = \"Anytown NHS Trust\"\nissues = {types}\n{trust}{parties}{signer}{entra}",
        folder.join("gateway.db").display(),
        folder.join("keys").display().to_string(),
        file("passphrase", gateway::keys::SANDBOX_PASSPHRASE),
        file("storage", "sandbox-storage-secret-0123456789abcdef"),
    );
    let place = folder.join("gateway.toml");
    std::fs::write(&place, text).expect("the folder can be written");
    Config::read(&place).expect("the targets' own configuration")
}

/// Of that party's secret, as the configuration has it.
fn digest_of(client_id: &str) -> String {
    let digest = digest(&SHA256, secret(client_id).as_bytes());
    let bytes = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
    bytes.collect::<Vec<_>>().concat()
}

/// A fresh folder for this process. Those of processes that are gone are removed: nothing runs at the end of ours.
fn folder() -> PathBuf {
    let prefix = "lanyard-fuzz-";
    let place = std::env::temp_dir();
    for entry in std::fs::read_dir(&place).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name
            .strip_prefix(prefix)
            .and_then(|id| id.parse::<u32>().ok());
        if process.is_some_and(|id| !std::path::Path::new(&format!("/proc/{id}")).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    let folder = place.join(format!("{prefix}{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    folder
}
