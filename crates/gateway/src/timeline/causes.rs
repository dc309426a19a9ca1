//! Why something failed: the closed list, one cause each, told in three voices. The person reads or hears the first,
//! whoever answers the telephone the second, whoever mends the external system or the gateway the third.
//!
//! The codes are those of the refusals, of the answers to relying parties and of the log. Nothing here names a value.

use serde::Serialize;

/// Where a cause shows itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Seen {
    /// In an interaction: `lanyard interaction show` tells it.
    Interaction,
    /// In the answer to a request, before there is an interaction or beside it: the log and the figures have it.
    Request,
    /// At the external system, which is the only one to know.
    ExternalSystem,
}

/// One cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Cause {
    /// Its stable code.
    pub code: &'static str,
    /// What others call it; empty where nobody does.
    pub also: &'static str,
    /// Where it is seen.
    pub seen: Seen,
    /// For the person.
    pub person: &'static str,
    /// For the service desk.
    pub desk: &'static str,
    /// For the developer.
    pub developer: &'static str,
}

/// The cause of that code.
pub fn find(code: &str) -> Option<&'static Cause> {
    ALL.iter().find(|cause| cause.code == code)
}

const fn row(
    (code, also): (&'static str, &'static str),
    seen: Seen,
    person: &'static str,
    desk: &'static str,
    developer: &'static str,
) -> Cause {
    Cause {
        code,
        also,
        seen,
        person,
        desk,
        developer,
    }
}

use Seen::{ExternalSystem, Interaction, Request};

/// Every cause, in the order of a journey.
#[rustfmt::skip]
pub const ALL: &[Cause] = &[
    // Before anybody scans.
    row(("client-authentication-failed", "client_auth_failed"), Request,
        "This is not because of anything you did. Try again later.",
        "The external system could not sign in to the gateway. Tell its supplier: nobody can use it until that is mended.",
        "401 invalid_client: the client id, secret or assertion is wrong, or of another way than registered. After a change of secrets, compare what is deployed with what is registered."),
    row(("redirect-not-registered", "redirect_unregistered"), Request,
        "This is not because of anything you did. Try again later.",
        "The external system asked to be answered at an address that the gateway does not know. Tell its supplier.",
        "redirect_uri must equal a registered one byte for byte; look at scheme, port, case and the slash at the end."),
    row(("draft-invalid", "schema_violation"), Request,
        "Your record lacks something that the credential needs. Ask your employer to check it.",
        "The external system sent a credential that does not fit its type. The record may lack something; its supplier sees which attribute.",
        "400: error_description names the attribute of id_token_hint that is missing or malformed. Check the draft against the credential type."),
    row(("request-invalid", ""), Request,
        "This is not because of anything you did. Try again later.",
        "The external system sent a request that the gateway does not accept. Tell its supplier the time.",
        "400: error_description says which rule was broken; docs/reference/errors.md has them all."),
    row(("rate-limited", "rate_limited"), Request,
        "Too many people are doing this at the moment. Try again in a few minutes.",
        "Something asked the gateway too often: a whole site behind one address, or the external system. It passes within minutes; tell the operator if it does not.",
        "429 or 503 with Retry-After; lanyard_limit_refusals_total says which limit, docs/operate/gateway.md how to set it."),
    row(("not-opened", "par_expired"), Interaction,
        "You waited too long before you went on. Go back and start again.",
        "The external system began, and no browser came within 10 minutes. The person can start again.",
        "The request_uri was pushed and not opened within 10 minutes. Push when the person selects the button, not when the page is made."),
    row(("request-reused", "par_reused"), Request,
        "This link was used already. Go back and start again.",
        "The link was opened before, in another browser. The person should start again from the external system, in one browser.",
        "A request_uri leads one browser to one interaction. Do not put it into a mail or keep it for later."),
    row(("not-scanned", "code_expired"), Interaction,
        "No wallet scanned the code in 30 minutes. Go back and start again.",
        "The page was open and no wallet came. Ask whether the wallet is installed and the phone has a connection; the page has other ways than scanning.",
        "The link of the QR code was never retrieved. If many are like this, look whether the phones' network reaches the gateway's public address."),
    // The wallet.
    row(("wallet-no-response", "wallet_no_response"), Interaction,
        "Your wallet scanned the code and did not answer. Open your wallet and start again.",
        "A wallet scanned and then sent nothing. Ask whether it showed an error or was closed, and which wallet it is.",
        "The request object or offer was retrieved, and nothing came after. Look for the wallet's own log; lanyard_refused_total{by=\"wallet\"} has what it was refused."),
    row(("declined", "declined"), Interaction,
        "You chose not to share in your wallet. Start again if you want to.",
        "The person said no in the wallet, or the wallet had nothing that fits: wallets report both alike.",
        "The wallet answered access_denied [OpenID4VP 8.5]."),
    row(("cancelled", ""), Interaction,
        "You selected Cancel. Start again if you want to.",
        "The person selected Cancel on the page.",
        "POST to the page's cancel; the relying party got access_denied."),
    row(("expired", "transaction_expired"), Interaction,
        "The 30 minutes were over. Go back and start again.",
        "The half hour ended before everything was done. The person can start again.",
        "expires_at passed before the interaction was finished; the steps above say how far it came."),
    row(("request-expired", ""), Interaction,
        "Your wallet answered too late. Try again and answer within five minutes.",
        "The wallet answered more than five minutes after it scanned. The person should scan again and go on at once.",
        "The request object or offer is good for 5 minutes after its retrieval."),
    row(("wallet-failed", ""), Interaction,
        "Your wallet reported a problem. Restart it and try again.",
        "The wallet said that it failed. Ask for its version and what it showed.",
        "The wallet answered an error other than access_denied; the log line `the wallet refused` has which."),
    row(("transaction-code-wrong", ""), Interaction,
        "The wrong PIN was typed too often. Try again with the new PIN on the page.",
        "Three wrong PINs. The person should use the PIN that the page shows now.",
        "tx_code was wrong three times [OpenID4VCI 6.1]; the offer is dead."),
    row(("not-kept", ""), Interaction,
        "Your wallet did not keep the credential. Try again.",
        "The wallet gave the credential back, or deleted it at once. It was cancelled. The person can add it again.",
        "The wallet notified credential_deleted or credential_failure [OpenID4VCI 11]; the serial number is revoked."),
    // What was shown.
    row(("credential-missing", ""), Interaction,
        "Your wallet has no credential of this kind. Ask your employer for it.",
        "The wallet does not hold what was asked for. The person needs it from their employer first.",
        "The presentation has no credential for a query; the scope names the types."),
    row(("credential-type-wrong", "wrong_credential_type"), Interaction,
        "Your wallet sent another credential than the one asked for. Choose the right one.",
        "Another credential than asked for was shown. The person should choose the right one in the wallet.",
        "The type or vct of the credential is not that of the query."),
    row(("claim-missing", "no_unique_identifier"), Interaction,
        "Your credential lacks something that is needed. Ask your employer for a new one.",
        "The credential lacks an attribute, such as the unique identifier. The employer must issue a new one.",
        "A mandatory claim is absent or not a text; identity credentials need UniqueIdentifier."),
    row(("credential-expired", "identity_expired"), Interaction,
        "Your credential has expired. Ask your employer for a new one.",
        "The credential's time is over. The employer must issue a new one.",
        "exp or validUntil has passed."),
    row(("credential-not-yet-valid", ""), Interaction,
        "Your credential is not valid yet. Try again when it is.",
        "The credential begins to be valid later. If that is wrong, the clock of whoever issued it may be.",
        "nbf or validFrom is yet to come by more than the leeway; compare clocks."),
    row(("credential-revoked", "identity_revoked"), Interaction,
        "Your credential was cancelled. Ask your employer for a new one.",
        "The issuer cancelled this credential. The employer knows why and can issue a new one.",
        "The status list says 1 at the credential's index."),
    row(("credential-suspended", ""), Interaction,
        "Your credential is suspended. Ask your employer.",
        "The issuer suspended this credential. Only the employer can lift that.",
        "The status list says 2 at the credential's index."),
    row(("issuer-not-trusted", "issuer_untrusted"), Interaction,
        "Your credential comes from an organisation that is not accepted here. Ask for help.",
        "Nobody has put the issuer of this credential on the trust list. Tell the operator which employer it is.",
        "No trust list of the organisation names this issuer for this type; [[organisations.trust]] is where it goes."),
    row(("signature-invalid", "signature_invalid"), Interaction,
        "Your credential could not be checked. Ask your employer for a new one.",
        "The credential's signature does not hold. If it happens to many, the issuer changed a key too early.",
        "The signature or the issuer's key does not verify; look whether the kid is still published."),
    row(("holder-binding-invalid", "proof_invalid"), Interaction,
        "Your wallet could not prove that the credential is yours. Try again.",
        "The wallet's proof does not hold. If it happens again, the credential was moved to another phone: issue a new one.",
        "The presentation is not signed by the key that the credential is bound to."),
    row(("presentation-replayed", ""), Interaction,
        "Your wallet answered an earlier request. Start again.",
        "The wallet sent an answer to another request. The person should start again.",
        "nonce or aud of the presentation is of another request [OpenID4VP 14.1]."),
    row(("presentation-malformed", ""), Interaction,
        "Your wallet's answer could not be read. Update your wallet and try again.",
        "The wallet sent something unreadable. Ask for its name and version, and tell the operator.",
        "vp_token is not of a form that is read here; see docs/reference/openid4vc.md."),
    row(("different-people", ""), Interaction,
        "The credentials were not all issued to you. Choose your own.",
        "The credentials shown together belong to different people, or to different wallets of one person.",
        "The credentials are bound to different keys and differ in what identifies the person (decision 0011)."),
    row(("status-unknown", "status_unavailable"), Interaction,
        "Your credential cannot be checked at the moment. Try again later.",
        "The issuer's list of cancelled credentials could not be had. It is refused until it can.",
        "The status list could not be fetched or does not verify; the log line `a status list could not be used` says why."),
    row(("issuer-unreachable", ""), Interaction,
        "Your credential cannot be checked at the moment. Try again later.",
        "The issuer's keys could not be fetched. It passes when the issuer is reachable.",
        "did.json or the issuer's metadata could not be fetched; the log line `an issuer's keys could not be had` says why."),
    row(("wallet-service-unreachable", ""), Interaction,
        "Your wallet cannot be asked at the moment. Try again later.",
        "Microsoft's service, which speaks to Authenticator, did not take the request. If it goes on, tell the operator.",
        "Entra Verified ID could not be asked; the log line `Entra Verified ID was not asked` says why. See docs/operate/entra.md."),
    row(("serial-number-taken", ""), Interaction,
        "The credential could not be added. Ask for help.",
        "Another credential took the same serial number in the meantime. Tell the external system's supplier.",
        "SerialNumber stands already; leave it out and the gateway makes one."),
    // The way back.
    row(("page-left", ""), Interaction,
        "Your wallet was done, and the page was closed before it led you back. Start again.",
        "Everything went well in the wallet, and no browser came for the result. A credential that was added so is cancelled: the person must add it again.",
        "No code was made: the waiting page was left, or the same-device browser never came back with its response code."),
    row(("token-not-collected", "token_not_collected"), Interaction,
        "Your wallet was done, and the other system did not fetch the result. Start again there.",
        "The person saw success in the wallet, and the external system never fetched the result. A credential that was added so is cancelled. Tell the system's supplier the reference.",
        "The browser was sent back with a code, and no token request came in 60 seconds. Look at the callback's log; ask /outcomes what became of it."),
    row(("code-expired", ""), Interaction,
        "The other system was too slow. Start again there.",
        "The external system asked for the result later than 60 seconds after the browser came back.",
        "invalid_grant: the code lives for 60 seconds. A reload of the waiting page makes a fresh one."),
    row(("code-replayed", "code_reused"), Interaction,
        "The other system asked twice, so the result was cancelled. Start again there.",
        "The code was used twice: a fault of the external system, or a theft. A credential issued by it is cancelled.",
        "invalid_grant: the second use of a code revokes what the first gave [RFC 6749 4.1.2]. Exchange it once; on a lost answer ask /outcomes."),
    row(("pkce-failed", "pkce_failed"), Interaction,
        "This is not because of anything you did. Start again.",
        "The external system could not prove that it began this. Tell its supplier.",
        "invalid_grant: code_verifier is missing or does not fit the code_challenge of the pushed request; is it kept per journey and over all instances?"),
    row(("redirect-mismatch", ""), Interaction,
        "This is not because of anything you did. Start again.",
        "The external system asked for the result under another address than it began with. Tell its supplier.",
        "invalid_grant: redirect_uri of the token request must equal that of the authorization request."),
    row(("identity-mismatch", "identity_mismatch"), ExternalSystem,
        "The details in your wallet are not those in your record. Ask your employer to check both.",
        "The gateway gave what the wallet showed, and the external system found that it is another person's record. The gateway knows nothing of that; look in the external system.",
        "The comparison is the external system's; the connector says which field differs, docs/reference/matching.md how."),
    row(("internal", "internal"), Request,
        "There is a problem with the service. Try again later.",
        "Something in the gateway failed. Tell the operator the time and the reference.",
        "500 or 503: /readyz on the metrics address says what is wrong, the log lines at level ERROR where."),
];
