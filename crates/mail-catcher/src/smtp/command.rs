//! [RFC 5321 4.1.1] One line of a sender as a command.

use super::demand::Mechanism;
use super::{LARGEST_MESSAGE, address};

/// What a sender asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Ehlo,
    Helo,
    Mail {
        from: String,
        smtputf8: bool,
    },
    Rcpt {
        to: String,
    },
    Data,
    Rset,
    Noop,
    Vrfy,
    Quit,
    StartTls,
    Auth {
        mechanism: Mechanism,
        answer: Option<String>,
    },
}

/// Why a line is none of them: the reply, code and sentence.
pub(super) type Refusal = &'static str;

impl Command {
    /// Reads a line without its CR LF.
    pub(super) fn parse(line: &[u8]) -> Result<Self, Refusal> {
        let line = std::str::from_utf8(line).map_err(|_| "500 A command is UTF-8 text")?;
        if line.chars().any(char::is_control) {
            return Err("500 A command holds no control characters and ends with CR LF");
        }
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim_end_matches(' ');
        let alone = |command| {
            let fits = rest.is_empty();
            fits.then_some(command)
                .ok_or("501 This command stands alone")
        };
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => named(rest, Self::Ehlo),
            "HELO" => named(rest, Self::Helo),
            "MAIL" => parse_mail(rest),
            "RCPT" => parse_rcpt(rest),
            "DATA" => alone(Self::Data),
            "RSET" => alone(Self::Rset),
            "QUIT" => alone(Self::Quit),
            "NOOP" => Ok(Self::Noop),
            "VRFY" if !rest.is_empty() => Ok(Self::Vrfy),
            "VRFY" => Err("501 Name an address: VRFY name@domain"),
            "STARTTLS" => alone(Self::StartTls),
            "AUTH" => parse_auth(rest),
            "EXPN" | "HELP" | "TURN" | "ETRN" | "BDAT" => Err("502 This command is not offered"),
            _ => Err("500 This command is not known"),
        }
    }
}

fn named(name: &str, command: Command) -> Result<Command, Refusal> {
    let fits = !name.is_empty() && !name.contains(' ');
    fits.then_some(command)
        .ok_or("501 Say who you are: a domain or an address in square brackets")
}

/// [RFC 4954 4] An initial response of nothing at all is written `=`.
fn parse_auth(rest: &str) -> Result<Command, Refusal> {
    let (name, answer) = rest.split_once(' ').unwrap_or((rest, ""));
    let mechanism = Mechanism::parse(name).ok_or("504 The mechanisms are PLAIN and XOAUTH2")?;
    let answer = match answer {
        "" => None,
        "=" => Some(String::new()),
        answer => Some(answer.to_owned()),
    };
    Ok(Command::Auth { mechanism, answer })
}

fn parse_mail(rest: &str) -> Result<Command, Refusal> {
    const SHAPE: Refusal = "501 Write MAIL FROM:<name@domain>, without a space before the address";
    let path = after(rest, "FROM:").ok_or(SHAPE)?;
    let (from, parameters) = address::parse(path).ok_or(SHAPE)?;
    let mut smtputf8 = false;
    for parameter in parameters.split(' ').filter(|word| !word.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match (name.to_ascii_uppercase().as_str(), value) {
            // [RFC 1870 6.1] Known to be too large before it is sent.
            ("SIZE", size) => match size.parse::<u64>() {
                Ok(size) if size <= LARGEST_MESSAGE as u64 => {}
                Ok(_) => return Err("552 The message is too large; SIZE says what fits"),
                Err(_) => return Err("501 SIZE is a number of bytes"),
            },
            // [RFC 6152] Bytes are kept as they come, whichever is said.
            ("BODY", body)
                if body.eq_ignore_ascii_case("7BIT") || body.eq_ignore_ascii_case("8BITMIME") => {}
            ("BODY", _) => return Err("501 BODY is 7BIT or 8BITMIME"),
            ("SMTPUTF8", "") => smtputf8 = true,
            _ => return Err("555 MAIL takes no other parameters than EHLO offers"),
        }
    }
    in_ascii_unless(smtputf8, from)?;
    Ok(Command::Mail {
        from: from.to_owned(),
        smtputf8,
    })
}

fn parse_rcpt(rest: &str) -> Result<Command, Refusal> {
    const SHAPE: Refusal = "501 Write RCPT TO:<name@domain>, without a space before the address";
    let path = after(rest, "TO:").ok_or(SHAPE)?;
    let (to, parameters) = address::parse(path).ok_or(SHAPE)?;
    match (to, parameters) {
        ("", _) => Err(SHAPE),
        (_, "") => Ok(Command::Rcpt { to: to.to_owned() }),
        _ => Err("555 RCPT takes no parameters here"),
    }
}

/// [RFC 6531 3.4] An address beyond ASCII needs the parameter `SMTPUTF8`.
pub(super) fn in_ascii_unless(smtputf8: bool, address: &str) -> Result<(), Refusal> {
    if smtputf8 || address.is_ascii() {
        Ok(())
    } else {
        Err("553 An address beyond ASCII needs SMTPUTF8 after MAIL FROM")
    }
}

fn after<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix)
        .then(|| &text[prefix.len()..])
}
