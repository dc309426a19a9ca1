//! The targets by name.

mod credentials;
mod did;
mod door;
mod entra;
mod files;
mod issuance;
mod jose;
mod json;
mod oauth;
mod status;
mod verifier;

/// A party's parsers and what they promise.
pub struct Target {
    /// The name on the command line, and of the folder with its corpus.
    pub name: &'static str,
    /// What it feeds.
    pub feeds: &'static str,
    /// Feeds these bytes; panics when a promise does not hold.
    pub run: fn(&[u8]),
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target {
        name: "form",
        feeds: "form bodies and query strings",
        run: oauth::form,
    },
    Target {
        name: "redirect_uri",
        feeds: "redirect URIs: registration, matching, the answer added",
        run: oauth::redirect_uri,
    },
    Target {
        name: "scope_and_pkce",
        feeds: "scopes, code challenges, code verifiers",
        run: oauth::scope_and_pkce,
    },
    Target {
        name: "json",
        feeds: "JSON: names given twice, depth, numbers; claims",
        run: json::json,
    },
    Target {
        name: "jws",
        feeds: "signed tokens: hostile headers, forged and true signatures, HMAC with public keys",
        run: jose::jws,
    },
    Target {
        name: "jwe",
        feeds: "encrypted messages and what is in them",
        run: jose::jwe,
    },
    Target {
        name: "jwk",
        feeds: "keys and key sets",
        run: jose::jwk,
    },
    Target {
        name: "did",
        feeds: "DIDs, key ids, DID documents, the addresses made of them",
        run: did::did,
    },
    Target {
        name: "wallet_answer",
        feeds: "authorization responses of wallets: forms, `vp_token`, errors",
        run: jose::wallet_answer,
    },
    Target {
        name: "sd_jwt",
        feeds: "SD-JWT credentials with hostile payloads, disclosures and key bindings",
        run: credentials::sd_jwt,
    },
    Target {
        name: "jwt_vc",
        feeds: "W3C credentials with hostile claims",
        run: credentials::jwt_vc,
    },
    Target {
        name: "jwt_vp",
        feeds: "W3C presentations with hostile claims",
        run: credentials::jwt_vp,
    },
    Target {
        name: "key_proof",
        feeds: "key proofs with hostile headers and claims",
        run: issuance::key_proof,
    },
    Target {
        name: "issuance_requests",
        feeds: "credential requests, notifications, wallets' token requests",
        run: issuance::issuance_requests,
    },
    Target {
        name: "issuance_answers",
        feeds: "wallet side: metadata, token and credential responses",
        run: issuance::issuance_answers,
    },
    Target {
        name: "offers",
        feeds: "wallet side: credential offers and their links",
        run: issuance::offers,
    },
    Target {
        name: "request_object",
        feeds: "wallet side: signed request objects with hostile claims",
        run: verifier::request_object,
    },
    Target {
        name: "links",
        feeds: "wallet side: request links, client ids; wallet metadata",
        run: verifier::links,
    },
    Target {
        name: "dcql",
        feeds: "DCQL queries, and credentials that may answer them",
        run: verifier::dcql,
    },
    Target {
        name: "status_list",
        feeds: "compressed status lists",
        run: status::status_list,
    },
    Target {
        name: "status_token",
        feeds: "status list tokens and references with hostile claims",
        run: status::status_token,
    },
    Target {
        name: "door",
        feeds: "the whole gateway: up to eight HTTP requests in a row, of any method, path, header and body",
        run: door::door_requests,
    },
    Target {
        name: "hint",
        feeds: "the whole gateway: drafts with hostile headers and claims, pushed by their relying party and by another",
        run: door::hint,
    },
    Target {
        name: "client_assertion",
        feeds: "the whole gateway: client assertions with hostile headers and claims, by the client's key and another's",
        run: door::client_assertion,
    },
    Target {
        name: "cookie",
        feeds: "the whole gateway: cookie headers before an interaction's page",
        run: door::cookie,
    },
    Target {
        name: "answer",
        feeds: "the whole gateway: hostile presentations, well signed and well encrypted, to the response address",
        run: door::answer,
    },
    Target {
        name: "entra_callback",
        feeds: "the whole gateway: callbacks of Microsoft Entra Verified ID, with hostile keys, members and credentials",
        run: entra::callback,
    },
    Target {
        name: "certificates",
        feeds: "certificate chains as operators upload them, PEM and DER",
        run: files::certificates,
    },
    Target {
        name: "logo",
        feeds: "logos as operators upload them, bytes and `data:` addresses",
        run: files::logo,
    },
    Target {
        name: "serials",
        feeds: "files of serial numbers to revoke: lists and CSV",
        run: files::serials,
    },
    Target {
        name: "catalogue",
        feeds: "catalogues of another language",
        run: files::catalogue,
    },
];

/// The target of that name.
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
