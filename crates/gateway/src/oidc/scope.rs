//! What a scope asks for: credential types to verify, or one to issue (gateway contract 2.5, U5).
//!
//! Two strictnesses. The second contract takes a scope only as this gateway would write it. The first one's
//! clients and ordinary OpenID Connect libraries may repeat a part, and may name what OpenID Connect itself
//! defines and this gateway has not: neither counts (RFC 6749, 3.3; OpenID Connect Core 3.1.2.1). A part that
//! nobody knows is refused everywhere: it may be a credential type misspelt, and then less would be checked than
//! the relying party believes.

use standards::oauth::scope::{Scope, ScopeError};

use super::fault::Rule;
use crate::interaction::Purpose;
use crate::organisation::catalogue::{Catalogue, CredentialType, SCOPES_OF_OPENID_CONNECT};
use crate::organisation::dialect::Rules;

/// How many credential types one request may ask for.
const MOST_TYPES: usize = 8;

/// What is asked for.
pub struct Wanted<'a> {
    /// Verify or issue.
    pub purpose: Purpose,
    /// The types, in the order of asking; exactly one to issue.
    pub types: Vec<&'a CredentialType>,
    /// The scope as the token answer says it again: `openid` first, then the types, and nothing that did not count.
    pub granted: String,
}

/// Reads a scope by the rules of a dialect.
pub fn check<'a>(sent: &str, rules: &Rules, catalogue: &'a Catalogue) -> Result<Wanted<'a>, Rule> {
    let scope = Scope::parse(sent).map_err(|error| match error {
        ScopeError::Empty => Rule::ScopeMissing,
        ScopeError::Character => Rule::ScopeCharacter,
        ScopeError::TooMany => Rule::ScopeTooLong,
    })?;
    if rules.strict_scope && scope.to_string() != sent {
        return Err(Rule::ScopeUntidy);
    }
    if scope.contains("external") {
        return Err(Rule::ScopeExternal);
    }
    let counts = |token: &&str| {
        *token != "openid" && (rules.strict_scope || !SCOPES_OF_OPENID_CONNECT.contains(token))
    };
    let tokens: Vec<&str> = scope.tokens().filter(counts).collect();
    let (to_issue, to_verify): (Vec<&str>, Vec<&str>) =
        tokens.iter().partition(|token| token.starts_with(ISSUE));
    let purpose = match (to_issue.len(), to_verify.len()) {
        (0, 0) => return Err(Rule::ScopeWithoutType),
        (0, 1..=MOST_TYPES) => Purpose::Verify,
        (0, _) => return Err(Rule::ScopeTooManyTypes),
        (1, 0) => Purpose::Issue,
        (_, 0) => return Err(Rule::ScopeSeveralToIssue),
        _ => return Err(Rule::ScopeMixed),
    };
    let openid = scope.contains("openid");
    if !openid && (purpose == Purpose::Verify || rules.issue_needs_openid) {
        return Err(Rule::ScopeWithoutOpenid);
    }
    let types = tokens
        .iter()
        .map(|token| catalogue.find(token.strip_prefix(ISSUE).unwrap_or(token)))
        .collect::<Option<_>>()
        .ok_or(Rule::ScopeUnknownType)?;
    let granted: Vec<&str> = openid
        .then_some("openid")
        .into_iter()
        .chain(tokens)
        .collect();
    Ok(Wanted {
        purpose,
        types,
        granted: granted.join(" "),
    })
}

const ISSUE: &str = "issue.";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::organisation::dialect::Dialect;

    const ALL: [Dialect; 4] = [Dialect::V1A, Dialect::V1B, Dialect::V2, Dialect::Plain];

    /// What comes of a scope in each dialect, in the order of [`ALL`].
    fn outcomes(scope: &str) -> [Result<String, Rule>; 4] {
        let catalogue = Catalogue::built_in().unwrap();
        ALL.map(|dialect| check(scope, dialect.rules(), &catalogue).map(|wanted| wanted.granted))
    }

    fn everywhere(scope: &str, outcome: Result<&str, Rule>) {
        let outcome = outcome.map(str::to_owned);
        assert_eq!(
            outcomes(scope),
            [(); 4].map(|()| outcome.clone()),
            "{scope}"
        );
    }

    /// `scope` is good for all but the second contract, which says `rule`.
    fn where_lenient(scope: &str, granted: &str, rule: Rule) {
        let good = Ok(granted.to_owned());
        assert_eq!(
            outcomes(scope),
            [good.clone(), good.clone(), Err(rule), good],
            "{scope}"
        );
    }

    /// What client A compares character by character comes back so.
    #[test]
    fn what_is_asked_for_in_order_is_granted_word_for_word() {
        for scope in [
            "openid Identity",
            "openid Identity FireSafety",
            "openid issue.FireSafety",
        ] {
            everywhere(scope, Ok(scope));
        }
        everywhere("Identity openid", Ok("openid Identity"));
    }

    #[test]
    fn openid_may_be_missing_only_when_the_first_contract_issues() {
        let catalogue = Catalogue::built_in().unwrap();
        for dialect in ALL {
            let issued = check("issue.FireSafety", dialect.rules(), &catalogue);
            match dialect {
                Dialect::V1A | Dialect::V1B => {
                    assert_eq!(issued.ok().unwrap().granted, "issue.FireSafety");
                }
                _ => assert_eq!(issued.err(), Some(Rule::ScopeWithoutOpenid)),
            }
        }
        everywhere("Identity", Err(Rule::ScopeWithoutOpenid));
        everywhere("Identity FireSafety", Err(Rule::ScopeWithoutOpenid));
    }

    #[test]
    fn one_request_verifies_up_to_eight_types_or_issues_one() {
        everywhere("openid", Err(Rule::ScopeWithoutType));
        everywhere("openid issue.Identity FireSafety", Err(Rule::ScopeMixed));
        everywhere("openid issue.Identity Identity", Err(Rule::ScopeMixed));
        everywhere(
            "openid issue.Identity issue.FireSafety",
            Err(Rule::ScopeSeveralToIssue),
        );
        let nine = "openid A B C D E F G H I";
        everywhere(nine, Err(Rule::ScopeTooManyTypes));
        everywhere(&nine[..nine.len() - 2], Err(Rule::ScopeUnknownType));
    }

    #[test]
    fn what_nobody_knows_is_refused_everywhere_and_case_counts() {
        for scope in [
            "openid Identity FireSaftey",
            "openid identity",
            "openid IDENTITY",
            "openid issue.",
            "openid issue.Nonsense",
            "openid issue.issue.Identity",
            "openid ISSUE.Identity",
            "openid OpenID Identity",
        ] {
            everywhere(scope, Err(Rule::ScopeUnknownType));
        }
        everywhere("OpenID Identity", Err(Rule::ScopeWithoutOpenid));
        everywhere("openid external Identity", Err(Rule::ScopeExternal));
        everywhere("openid Identity\u{e9}", Err(Rule::ScopeCharacter));
        everywhere("", Err(Rule::ScopeMissing));
    }

    #[test]
    fn the_second_contract_takes_a_scope_only_as_it_would_be_written() {
        where_lenient(
            "openid Identity Identity",
            "openid Identity",
            Rule::ScopeUntidy,
        );
        where_lenient(
            "openid openid Identity",
            "openid Identity",
            Rule::ScopeUntidy,
        );
        where_lenient(" openid  Identity ", "openid Identity", Rule::ScopeUntidy);
        where_lenient(
            "openid issue.Identity issue.Identity",
            "openid issue.Identity",
            Rule::ScopeUntidy,
        );
        where_lenient(
            "openid profile Identity email",
            "openid Identity",
            Rule::ScopeUnknownType,
        );
    }
}
