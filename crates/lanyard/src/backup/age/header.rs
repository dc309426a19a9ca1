//! The header: a few lines of text, and their authentication code.

use std::io::{BufRead, BufReader, Read, Write};

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::key::{FILE_KEY, Opener, Sealer, Stanza, base64, unbase64};
use super::stream::{self, Reader, Writer};
use super::{Random, SealError, derived};

const FIRST: &str = "age-encryption.org/v1";
/// Columns of a body's line; a shorter one is its last.
const WIDTH: usize = 64;
/// No header of ours comes near: a recipient takes 100 bytes.
const LONGEST: u64 = 64 * 1024;

/// Begins a sealed file; what is written to the answer is its content.
pub(in crate::backup) fn seal<W: Write>(
    mut to: W,
    sealer: &Sealer,
    random: Random<'_>,
) -> std::io::Result<Writer<W>> {
    let mut file_key = Zeroizing::new([0; FILE_KEY]);
    random(file_key.as_mut_slice()).map_err(stream::error)?;
    let stanzas = sealer.wrap(&file_key, random).map_err(stream::error)?;
    let mut text = format!("{FIRST}\n");
    for stanza in stanzas {
        text.push_str("-> ");
        text.push_str(&stanza.arguments.join(" "));
        text.push('\n');
        let body = base64(&stanza.body);
        let mut rest = body.as_str();
        while rest.len() >= WIDTH {
            let (line, more) = rest.split_at(WIDTH);
            text.push_str(line);
            text.push('\n');
            rest = more;
        }
        text.push_str(rest);
        text.push('\n');
    }
    text.push_str("---");
    let code = hmac::sign(
        &code_key(&file_key).map_err(stream::error)?,
        text.as_bytes(),
    );
    to.write_all(format!("{text} {}\n", base64(code.as_ref())).as_bytes())?;
    let mut nonce = [0; 16];
    random(&mut nonce).map_err(stream::error)?;
    to.write_all(&nonce)?;
    let key = derived(file_key.as_slice(), &nonce, "payload").map_err(stream::error)?;
    Writer::new(to, &key)
}

/// Opens a sealed file; what is read from the answer is its content.
pub(in crate::backup) fn open<R: Read>(
    from: R,
    opener: &Opener,
) -> std::io::Result<Reader<BufReader<R>>> {
    let mut from = BufReader::with_capacity(stream::SEALED_CHUNK, from);
    let file_key = open_header(&mut from, opener)?;
    let mut nonce = [0; 16];
    from.read_exact(&mut nonce).map_err(cut_off)?;
    let key = derived(file_key.as_slice(), &nonce, "payload").map_err(stream::error)?;
    Reader::new(from, &key)
}

fn open_header(
    from: &mut impl BufRead,
    opener: &Opener,
) -> std::io::Result<Zeroizing<[u8; FILE_KEY]>> {
    let not_sealed = || stream::error(SealError::NotSealed);
    let (mut text, mut left) = (String::new(), LONGEST);
    if line(from, &mut left)? != FIRST {
        return Err(not_sealed());
    }
    text.push_str(FIRST);
    text.push('\n');
    let mut stanzas: Vec<Stanza> = Vec::new();
    let code = loop {
        let next = line(from, &mut left)?;
        if let Some(code) = next.strip_prefix("--- ") {
            text.push_str("---");
            break unbase64(code).ok_or_else(not_sealed)?;
        }
        let arguments = next.strip_prefix("-> ").ok_or_else(not_sealed)?;
        let arguments = arguments.split(' ').map(str::to_owned).collect();
        text.push_str(&next);
        text.push('\n');
        let mut body = String::new();
        loop {
            let next = line(from, &mut left)?;
            text.push_str(&next);
            text.push('\n');
            body.push_str(&next);
            if next.len() < WIDTH {
                break;
            }
        }
        let body = unbase64(&body).ok_or_else(not_sealed)?;
        stanzas.push(Stanza { arguments, body });
    };
    // A file with a passphrase has no other way in: whoever was to open it with theirs would not know who made it.
    let with_passphrase = |stanza: &Stanza| stanza.arguments[0] == "scrypt";
    if stanzas.len() > 1 && stanzas.iter().any(with_passphrase) {
        return Err(not_sealed());
    }
    for stanza in &stanzas {
        let found = opener.unwrap(stanza).map_err(stream::error)?;
        let Some(file_key) = found.map(Zeroizing::new) else {
            continue;
        };
        let key = code_key(&file_key).map_err(stream::error)?;
        return match hmac::verify(&key, text.as_bytes(), &code) {
            Ok(()) => Ok(file_key),
            Err(_) => Err(stream::error(SealError::Damaged)),
        };
    }
    Err(stream::error(SealError::Locked))
}

fn code_key(file_key: &[u8; FILE_KEY]) -> Result<hmac::Key, SealError> {
    let key = derived(file_key, &[], "header")?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &key))
}

/// One line without its end.
fn line(from: &mut impl BufRead, left: &mut u64) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    let read = from.take(*left).read_until(b'\n', &mut bytes)?;
    *left -= read as u64;
    let begins = *left + read as u64 == LONGEST;
    let fault = match bytes.pop() {
        Some(b'\n') => {
            return String::from_utf8(bytes).map_err(|_| stream::error(SealError::NotSealed));
        }
        _ if *left == 0 => SealError::NotSealed,
        last => {
            bytes.extend(last);
            if begins && !FIRST.as_bytes().starts_with(&bytes) {
                SealError::NotSealed
            } else {
                SealError::Truncated
            }
        }
    };
    Err(stream::error(fault))
}

fn cut_off(error: std::io::Error) -> std::io::Error {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => stream::error(SealError::Truncated),
        _ => error,
    }
}
