//! What each address reads, and what the walk puts there. Of the relying parties' face the gateway's description says what is
//! read, and [`meaning`] what it means; of every other address [`UNDESCRIBED`] says both. An address, a method, a parameter or a
//! member that neither knows stops the walk.

use reqwest::Method;
use serde_json::Value;

use crate::addresses::{addresses, methods};
use crate::described::members;
use crate::raw_wallet::read;
use crate::world::{World, client};

/// What an input is to the walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// By it the caller shows who it is: always the caller's own.
    Who(&'static str),
    /// One of the things that a tenant has.
    Thing(&'static str),
    /// The organisation whose face is asked.
    Place,
    /// The same for everybody.
    Plain(&'static str),
    /// A question by itself: about all that the caller has.
    All(&'static str),
    /// Not sent, and why that leaves nothing out.
    Left(&'static str),
}

/// Where an input stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stands {
    Path,
    Query,
    Header,
    Form,
    Json,
}

#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) stands: Stands,
    pub(crate) meaning: Meaning,
}

/// One method of one address.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) inputs: Vec<Input>,
    /// Whether an access token of some kind could be what it asks for.
    pub(crate) takes_bearer: bool,
}

use Meaning::{All, Left, Place, Plain, Thing, Who};
use Stands::{Form, Header, Json, Path, Query};

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// What a name of the relying parties' face means, however the contracts write it.
fn meaning(name: &str) -> Option<Meaning> {
    let folded: String = name.to_lowercase().replace('_', "");
    Some(match folded.as_str() {
        "clientid" => Who("client id"),
        "clientsecret" => Who("client secret"),
        "accesstoken" => Who("userinfo token"),
        "clientassertion" | "clientassertiontype" => {
            Left("another way to say who one is, and one way at a time; hostile_client_keys.rs")
        }
        "requesturi" => Thing("request_uri"),
        "code" => Thing("code"),
        "state" => Thing("state"),
        "reference" => Thing("reference"),
        "serialnumber" => Thing("serial number"),
        "idtokenhint" => Thing("draft"),
        "inforceafter" => All("00000000-0000-0000-0000-000000000000"),
        "before" => Left("goes on with a question that was answered"),
        "after" => Plain("0"),
        "organisationid" => Place,
        "credentialtemplatename" => Plain("TrainingProgramme"),
        "revocationreason" => Plain("the walk was here"),
        "granttype" => Plain("authorization_code"),
        "redirecturi" => Plain(crate::world::REDIRECT_URI),
        "codeverifier" => Plain("Zm9yIHRlc3RzIG9ubHksIDQzIGNoYXJhY3RlcnMgbG9"),
        "responsetype" => Plain("code"),
        "responsemode" => Plain("query"),
        "scope" => Plain("openid issue.TrainingProgramme"),
        "nonce" => Plain("a-nonce-of-the-walk"),
        "codechallenge" => Plain(CHALLENGE),
        "codechallengemethod" => Plain("S256"),
        "prompt" | "maxage" | "uilocales" | "claims" | "loginhint" | "acrvalues" | "display" => {
            Left("a wish about the page")
        }
        _ => return None,
    })
}

type Line = (&'static str, Stands, Meaning);

/// Of every address that the description leaves out: what stands in its path, and what it reads beside.
const UNDESCRIBED: &[(&str, &[Line])] = &[
    ("/", &[]),
    ("/.well-known/did-configuration.json", &[]),
    ("/.well-known/did.json", &[]),
    ("/.well-known/jwt-vc-issuer/issuers/{organisation}", &[IN]),
    (
        "/.well-known/oauth-authorization-server/issuers/{organisation}",
        &[IN],
    ),
    (
        "/.well-known/openid-credential-issuer/issuers/{organisation}",
        &[IN],
    ),
    ("/accessibility", &[]),
    ("/assets/…/{name}", &[NAME]),
    (
        "/assets/{set}/{name}",
        &[("set", Path, Plain("none")), NAME],
    ),
    // Whoever types the code that a page shows is the wallet at that page.
    ("/c/{code}", &[("code", Path, Who("short code"))]),
    ("/credential-types/{name}", &[NAME]),
    ("/credential-types/{name}/claims-schema", &[NAME]),
    ("/credential-types/{name}/schema", &[NAME]),
    (
        "/credential-types/{name}/versions/{version}/schema",
        &[NAME, ("version", Path, Plain("1"))],
    ),
    (
        "/entra/callback",
        &[
            ("api-key", Header, Who("entra key")),
            ("requestId", Json, Thing("entra request")),
            ("requestStatus", Json, Plain("request_retrieved")),
            ("state", Json, Thing("entra state")),
        ],
    ),
    ("/healthz", &[]),
    ("/help", &[]),
    ("/interaction/{id}", &[ID]),
    ("/interaction/{id}/cancel", &[ID, CSRF]),
    ("/interaction/{id}/code", &[ID]),
    ("/interaction/{id}/restart", &[ID, CSRF]),
    ("/interaction/{id}/short-code", &[ID, CSRF]),
    ("/interaction/{id}/status", &[ID]),
    (
        "/issuers/{organisation}/credential",
        &[
            IN,
            BEARER,
            (
                "credential_configuration_id",
                Json,
                Plain("TrainingProgramme-jwt-vc"),
            ),
            ("proofs", Json, Thing("proof")),
        ],
    ),
    ("/issuers/{organisation}/did.json", &[IN]),
    ("/issuers/{organisation}/nonce", &[IN]),
    (
        "/issuers/{organisation}/notification",
        &[
            IN,
            BEARER,
            ("notification_id", Json, Thing("notification id")),
            ("event", Json, Plain("credential_deleted")),
        ],
    ),
    ("/issuers/{organisation}/status/{list}", &[IN, LIST]),
    (
        "/issuers/{organisation}/status/{list}/revocation",
        &[IN, LIST],
    ),
    (
        "/issuers/{organisation}/status/{list}/suspension",
        &[IN, LIST],
    ),
    (
        "/issuers/{organisation}/token",
        &[
            IN,
            (
                "grant_type",
                Form,
                Plain("urn:ietf:params:oauth:grant-type:pre-authorized_code"),
            ),
            ("pre-authorized_code", Form, Thing("pre-authorized code")),
        ],
    ),
    // A link in a QR code is what makes a wallet the wallet of that page: it is shown to whom the page is shown.
    ("/o/{link}", &[("link", Path, Who("offer link"))]),
    ("/openapi.json", &[]),
    (
        "/r/{link}",
        &[
            ("link", Path, Who("request link")),
            ("wallet_nonce", Form, Plain("w")),
        ],
    ),
    (
        "/r/{link}/response",
        &[
            ("link", Path, Who("request link")),
            ("response", Form, Thing("response")),
        ],
    ),
    ("/readyz", &[]),
    (
        "/return",
        &[("response_code", Query, Thing("response code"))],
    ),
    ("/status", &[]),
    ("/status.atom", &[]),
    ("/w/{link}", &[("link", Path, Who("waiting link"))]),
];

const BEARER: Line = ("authorization", Header, Who("bearer"));
const IN: Line = ("organisation", Path, Place);
const NAME: Line = ("name", Path, Plain("TrainingProgramme"));
const LIST: Line = ("list", Path, Plain("1"));
const ID: Line = ("id", Path, Thing("interaction"));
const CSRF: Line = ("csrf", Form, Who("form token"));

/// Every operation of the gateway. What the walk does not know is told all at once.
pub(crate) async fn operations(world: &World) -> Vec<Operation> {
    let document = read(client().get(world.url("/openapi.json"))).await.json;
    let described = document["paths"].as_object().unwrap();
    let (mut operations, mut unknown) = (Vec::new(), Vec::new());
    for path in addresses(&world.gateway) {
        for method in methods(world, &path).await {
            let operation = match described.get(&path) {
                Some(item) => of_description(&document, item, &path, method),
                None => of_line(&path, method),
            };
            match operation {
                Ok(operation) => operations.push(operation),
                Err(fault) => unknown.push(fault),
            }
        }
    }
    let walked = |path: &str| operations.iter().any(|one| line_of(&one.path) == path);
    let gone = UNDESCRIBED.iter().filter(|(path, _)| !walked(path));
    unknown
        .extend(gone.map(|(path, _)| format!("{path} is in UNDESCRIBED and no address any more")));
    let unserved = described.keys().filter(|path| !walked(path));
    unknown.extend(unserved.map(|path| format!("{path} is described and not served")));
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
    operations
}

/// As [`UNDESCRIBED`] calls an address: files have the digest of their set in theirs.
fn line_of(path: &str) -> &str {
    match path.split('/').collect::<Vec<_>>().as_slice() {
        ["", "assets", set, "{name}"] if !set.starts_with('{') => "/assets/…/{name}",
        _ => path,
    }
}

fn of_line(path: &str, method: Method) -> Result<Operation, String> {
    let line = UNDESCRIBED
        .iter()
        .find(|(known, _)| *known == line_of(path));
    let Some((_, line)) = line else {
        return Err(format!(
            "{path} is new and not described: say in UNDESCRIBED what it reads"
        ));
    };
    let braces = path.matches('{').count();
    if braces != line.iter().filter(|(_, stands, _)| *stands == Path).count() {
        return Err(format!("{path}: each of its parameters needs a meaning"));
    }
    let has_body = line
        .iter()
        .any(|(_, stands, _)| [Form, Json].contains(stands));
    let is_post = ![Method::GET, Method::HEAD].contains(&method);
    // One that is posted to without a body.
    if is_post && !has_body && !path.ends_with("/nonce") {
        return Err(format!(
            "{method} {path}: say in UNDESCRIBED what its body has"
        ));
    }
    let read = |stands: Stands| is_post || ![Form, Json].contains(&stands);
    let inputs = line.iter().filter(|(_, stands, _)| read(*stands));
    let inputs = inputs.map(|(name, stands, meaning)| Input {
        name: (*name).to_owned(),
        stands: *stands,
        meaning: *meaning,
    });
    Ok(Operation {
        method,
        path: path.to_owned(),
        inputs: inputs.collect(),
        takes_bearer: line.contains(&BEARER),
    })
}

fn of_description(
    document: &Value,
    item: &Value,
    path: &str,
    method: Method,
) -> Result<Operation, String> {
    // What only looks reads what is read by whoever comes.
    let name = match method.as_str().to_lowercase() {
        name if name == "head" => "get".to_owned(),
        name => name,
    };
    let operation = &item[&name];
    if operation.is_null() {
        return Err(format!("{method} {path} is served and not described"));
    }
    let mut named: Vec<(String, Stands)> = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let stands = match parameter["in"].as_str().unwrap() {
            "path" => Path,
            "query" => Query,
            "header" => Header,
            other => return Err(format!("{method} {path}: a parameter in {other}")),
        };
        named.push((parameter["name"].as_str().unwrap().to_owned(), stands));
    }
    let content = operation["requestBody"]["content"].as_object();
    for (kind, content) in content.into_iter().flatten() {
        let stands = match kind.as_str() {
            "application/x-www-form-urlencoded" => Form,
            "application/json" => Json,
            other => return Err(format!("{method} {path}: a body of {other}")),
        };
        let members = members(document, &content["schema"]);
        if members.is_empty() {
            return Err(format!("{method} {path}: a body without members"));
        }
        named.extend(members.into_iter().map(|name| (name, stands)));
    }
    let inputs = named
        .into_iter()
        .map(|(name, stands)| match meaning(&name) {
            Some(meaning) => Ok(Input {
                name,
                stands,
                meaning,
            }),
            None => Err(format!(
                "`{name}` of {method} {path} is new: say in `meaning` what it means"
            )),
        });
    let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
    let security = operation["security"].as_array();
    let bearer = |one: &Value| one.get("access_token").is_some();
    Ok(Operation {
        method,
        path: path.to_owned(),
        inputs,
        takes_bearer: security.is_some_and(|all| all.iter().any(bearer)),
    })
}

impl Operation {
    /// Whether it reads something of that meaning.
    pub(crate) fn reads(&self, wanted: Meaning) -> bool {
        self.inputs.iter().any(|input| input.meaning == wanted)
    }

    /// Whether the caller shows who it is by something that is read here.
    pub(crate) fn knows_who(&self) -> bool {
        let mut inputs = self.inputs.iter();
        self.takes_bearer || inputs.any(|input| matches!(input.meaning, Who(_)))
    }

    /// What it can be asked about, each by itself and all together.
    pub(crate) fn questions(&self) -> Vec<Vec<Meaning>> {
        let about = self.inputs.iter().map(|input| input.meaning);
        let about: Vec<_> = about
            .filter(|one| matches!(one, Thing(_) | All(_)))
            .collect();
        let things: Vec<_> = about
            .iter()
            .copied()
            .filter(|one| matches!(one, Thing(_)))
            .collect();
        let mut questions: Vec<Vec<Meaning>> = about.into_iter().map(|one| vec![one]).collect();
        if things.len() != 1 {
            questions.push(things);
        }
        questions
    }
}
