//! Bech32 [BIP 173], in which age writes keys; without its limit of 90 characters, as age does.

const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATOR: [u32; 5] = [
    0x3b6a_57b2,
    0x2650_8e6d,
    0x1ea1_19fa,
    0x3d42_33dd,
    0x2a14_62b3,
];

/// In lower case.
pub(super) fn encode(prefix: &str, bytes: &[u8]) -> String {
    let mut digits = regroup(bytes, 8, 5, true).unwrap_or_default();
    let mut summed = expanded(prefix);
    summed.extend(&digits);
    summed.extend([0; 6]);
    let sum = polymod(&summed) ^ 1;
    digits.extend((0..6).map(|place| low_byte(sum >> (5 * (5 - place)) & 31)));
    let mut text = format!("{prefix}1");
    text.extend(
        digits
            .iter()
            .map(|digit| char::from(ALPHABET[usize::from(*digit)])),
    );
    text
}

/// The bytes behind that prefix, whichever case, but one case.
pub(super) fn decode(prefix: &str, text: &str) -> Option<Vec<u8>> {
    let lower = text.to_ascii_lowercase();
    if text != lower && text != text.to_ascii_uppercase() {
        return None;
    }
    let rest = lower.strip_prefix(prefix)?.strip_prefix('1')?;
    let digit = |byte: u8| {
        let place = ALPHABET.iter().position(|known| *known == byte)?;
        u8::try_from(place).ok()
    };
    let digits: Vec<u8> = rest.bytes().map(digit).collect::<Option<_>>()?;
    let mut summed = expanded(prefix);
    summed.extend(&digits);
    if digits.len() < 6 || polymod(&summed) != 1 {
        return None;
    }
    regroup(&digits[..digits.len() - 6], 5, 8, false)
}

fn expanded(prefix: &str) -> Vec<u8> {
    let high = prefix.bytes().map(|byte| byte >> 5);
    let low = prefix.bytes().map(|byte| byte & 31);
    high.chain([0]).chain(low).collect()
}

fn polymod(digits: &[u8]) -> u32 {
    digits.iter().fold(1, |sum, digit| {
        let top = sum >> 25;
        let shifted = (sum & 0x01ff_ffff) << 5 ^ u32::from(*digit);
        let feedback = (0..5).filter(|bit| top >> bit & 1 == 1);
        feedback.fold(shifted, |sum, bit| sum ^ GENERATOR[bit])
    })
}

/// Bits in groups of another size. Bits that are left over must be few and zero.
fn regroup(from: &[u8], size: u32, to: u32, pad: bool) -> Option<Vec<u8>> {
    let (mut held, mut bits, mut out) = (0_u32, 0, Vec::new());
    for group in from {
        held = (held << size | u32::from(*group)) & 0xffff;
        bits += size;
        while bits >= to {
            bits -= to;
            out.push(low_byte(held >> bits & ((1 << to) - 1)));
        }
    }
    if pad && bits > 0 {
        out.push(low_byte(held << (to - bits) & ((1 << to) - 1)));
    } else if !pad && (bits >= size || held & ((1 << bits) - 1) != 0) {
        return None;
    }
    Some(out)
}

fn low_byte(bits: u32) -> u8 {
    bits.to_le_bytes()[0]
}
