//! [RFC 5321 4.1.2] The addresses of an envelope.

/// The longest address between the angle brackets [RFC 5321 4.5.3.1.3].
const LONGEST: usize = 254;

/// Splits `<address> rest`. The address is checked as far as it can do harm and as a typing error would show.
/// `<>` gives an empty address.
pub(super) fn parse(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('<')?;
    let end = end_of_path(inside)?;
    let (path, rest) = (&inside[..end], &inside[end + 1..]);
    if !rest.is_empty() && !rest.starts_with(' ') {
        return None;
    }
    let address = without_route(path);
    let fits = address.is_empty() || is_mailbox(address);
    fits.then_some((address, rest.trim_matches(' ')))
}

/// The closing bracket that stands in no quotes.
fn end_of_path(inside: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in inside.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '>' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// [RFC 5321 F.2] `@one,@two:name@domain`: the way is not gone any more.
fn without_route(path: &str) -> &str {
    match path.split_once(':') {
        Some((route, address)) if route.starts_with('@') => address,
        _ => path,
    }
}

fn is_mailbox(address: &str) -> bool {
    // [RFC 5321 4.5.1] The one name that needs no domain.
    if address.eq_ignore_ascii_case("postmaster") {
        return true;
    }
    let Some((name, domain)) = address.rsplit_once('@') else {
        return false;
    };
    let quoted = name.len() > 2 && name.starts_with('"') && name.ends_with('"');
    let odd = |c: char| c.is_control() || matches!(c, '<' | '>' | '(' | ')' | ',' | ';' | '"');
    let domain_fits = !domain.is_empty()
        && domain
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '[' | ']' | ':'));
    let name_fits = if quoted {
        !name.chars().any(char::is_control)
    } else {
        !name.is_empty()
            && !name
                .chars()
                .any(|c| odd(c) || c.is_whitespace() || c == '@')
    };
    address.len() <= LONGEST && domain_fits && name_fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_ends_at_its_bracket_and_loses_its_route() {
        for (text, parsed) in [
            ("<sam@ward.example>", ("sam@ward.example", "")),
            (
                "<sam@ward.example> SIZE=7 X",
                ("sam@ward.example", "SIZE=7 X"),
            ),
            ("<>", ("", "")),
            ("<Postmaster>", ("Postmaster", "")),
            (
                "<@a.example,@b.example:sam@ward.example>",
                ("sam@ward.example", ""),
            ),
            (
                "<\"a b>\\\"c\"@ward.example>",
                ("\"a b>\\\"c\"@ward.example", ""),
            ),
            ("<jörg@ward.example>", ("jörg@ward.example", "")),
            ("<sam@[IPv6:::1]>", ("sam@[IPv6:::1]", "")),
        ] {
            assert_eq!(parse(text), Some(parsed), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "sam@ward.example",
            "<sam@ward.example",
            "<sam>",
            "<sam@>",
            "<@ward.example>",
            "<sam@ward.example>x",
            "<sam o@ward.example>",
            "<sam@ward.example,kim@ward.example>",
            "<sam\t@ward.example>",
            "<sam@<ward.example>",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(&format!("<{}@a>", "x".repeat(253))), None);
    }
}
