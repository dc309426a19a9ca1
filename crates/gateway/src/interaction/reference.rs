//! References as people say them.

/// A reference as somebody heard or typed it: small letters, other dashes or none, and what Crockford's letters leave
/// out because it looks like another.
pub fn read_out(text: &str) -> Option<String> {
    if text.len() > 40 {
        return None;
    }
    let mut letters = String::new();
    for letter in text.chars() {
        match letter.to_ascii_uppercase() {
            'O' => letters.push('0'),
            'I' | 'L' => letters.push('1'),
            'U' => return None,
            letter if letter.is_ascii_alphanumeric() => letters.push(letter),
            '-' | '‐' | '‑' | '–' | '—' => {}
            space if space.is_whitespace() => {}
            _ => return None,
        }
    }
    (letters.len() == 8).then(|| format!("{}-{}", &letters[..4], &letters[4..]))
}

#[cfg(test)]
mod tests {
    use super::read_out;
    use crate::random::Random;

    #[test]
    fn a_reference_is_understood_as_people_read_it_out() {
        for text in ["K7Q2-9MFD", "k7q2 9mfd", "k7q29mfd", "K7Q2\u{2011}9MFD"] {
            assert_eq!(read_out(text).as_deref(), Some("K7Q2-9MFD"), "{text}");
        }
        assert_eq!(read_out("oIl0-0000").as_deref(), Some("0110-0000"));
        for text in ["", "K7Q2", "K7Q2-9MFD-0", "K7Q2-9MF\u{e9}", "U7Q2-9MFD"] {
            assert_eq!(read_out(text), None, "{text}");
        }
        for seed in 0..1_000 {
            let drawn = Random::seeded(seed).reference();
            assert_eq!(read_out(&drawn), Some(drawn));
        }
        // Whoever sends more than a person says is not read.
        for (length, read) in [(40, true), (41, false)] {
            let text = format!("{:<length$}", "K7Q2-9MFD");
            assert_eq!(read_out(&text).is_some(), read, "{length}");
        }
    }
}
