//! The words that an issuer gives for what its credentials say of their holders. [VCI appendix B.2]

use std::collections::BTreeMap;

use standards::dcql::{Element, Format, Path};
use standards::openid4vci::{ClaimDescription, CredentialConfiguration};

/// The language of this wallet's pages.
const LOCALE: &str = "en-GB";

/// What the credential will say, for the page that asks whether to take it: labels, names where there is none.
pub(crate) fn fields(configuration: &CredentialConfiguration) -> Vec<String> {
    descriptions(configuration)
        .filter_map(|claim| {
            label(claim)
                .map(str::to_owned)
                .or_else(|| last_key(&claim.path))
        })
        .collect()
}

/// The label of each claim that has one, by the claim's name.
pub(crate) fn by_claim(configuration: &CredentialConfiguration) -> BTreeMap<String, String> {
    descriptions(configuration)
        .filter_map(|claim| {
            let name = claim_name(&claim.path, &configuration.format)?;
            Some((name.to_owned(), label(claim)?.to_owned()))
        })
        .collect()
}

/// The claim about the holder that a path leads to, if it leads to a whole one.
pub(crate) fn claim_name<'a>(path: &'a Path, format: &Format) -> Option<&'a str> {
    match (format, path.elements()) {
        (Format::JwtVcJson, [Element::Key(subject), Element::Key(name)])
            if subject == "credentialSubject" =>
        {
            Some(name)
        }
        (Format::DcSdJwt, [Element::Key(name)]) => Some(name),
        _ => None,
    }
}

/// The name at the end of a claims path.
pub(crate) fn last_key(path: &Path) -> Option<String> {
    path.elements()
        .iter()
        .rev()
        .find_map(|element| match element {
            Element::Key(name) => Some(name.clone()),
            _ => None,
        })
}

fn descriptions(
    configuration: &CredentialConfiguration,
) -> impl Iterator<Item = &ClaimDescription> {
    let metadata = configuration.credential_metadata.iter();
    metadata.flat_map(|metadata| metadata.claims.iter().flatten())
}

/// In this wallet's language, else the first there is.
fn label(claim: &ClaimDescription) -> Option<&str> {
    let all = claim.display.as_ref()?;
    let own = all
        .iter()
        .find(|display| display.locale.as_deref() == Some(LOCALE));
    own.or_else(|| all.first())?.name.as_deref()
}
