//! What each character of a name counts for.

/// What a character counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// For itself: letters of every script, the vowel signs of those that write vowels as marks,
    /// figures, and punctuation that has no rule here.
    Letter,
    /// For nothing, being an accent of Latin, Greek or Cyrillic.
    Accent,
    /// For a space: spaces and dashes of every width.
    Gap,
    /// For nothing at all: apostrophes, and what cannot be seen.
    Dropped,
}

pub(super) fn kind(letter: char) -> Kind {
    if is_apostrophe(letter) || is_unseen(letter) {
        Kind::Dropped
    } else if letter.is_whitespace() || is_dash(letter) {
        Kind::Gap
    } else if is_accent(letter) {
        Kind::Accent
    } else {
        Kind::Letter
    }
}

/// How a lower-case letter is written where only plain letters can be, if it has such a way and Unicode
/// does not take it apart.
pub(super) fn plain(letter: char) -> Option<&'static str> {
    PLAIN
        .iter()
        .find(|(written, _)| *written == letter)
        .map(|(_, plain)| *plain)
}

const PLAIN: [(char, &str); 21] = [
    // Two letters written as one, and what passports make of them.
    ('ß', "ss"),
    ('æ', "ae"),
    ('œ', "oe"),
    ('þ', "th"),
    // A letter with a stroke: to its reader an accent, as on é. Passports write ø as oe; systems that merely
    // lose the accent write o, and they are what must be forgiven here, as with ö.
    ('ø', "o"),
    ('đ', "d"),
    ('ð', "d"),
    ('ħ', "h"),
    ('ł', "l"),
    ('ŧ', "t"),
    // An i that only lost its dot: the capital of both is I where nobody writes İ.
    ('ı', "i"),
    // Azerbaijan's vowel, as passports write it.
    ('ə', "e"),
    // West African letters, which systems made for English have no keys for.
    ('ŋ', "n"),
    ('ɓ', "b"),
    ('ɖ', "d"),
    ('ɗ', "d"),
    ('ƙ', "k"),
    ('ƴ', "y"),
    ('ɛ', "e"),
    ('ɔ', "o"),
    // One letter with two shapes, by its place in the word; capitals do not keep the difference.
    ('ς', "σ"),
];

/// The accents that other systems lose. Marks of other scripts stay: a Devanagari vowel, a Thai tone or
/// the two strokes that make か into が are part of the name.
fn is_accent(letter: char) -> bool {
    matches!(
        letter,
        '\u{0300}'..='\u{036F}'
            | '\u{0483}'..='\u{0489}'
            | '\u{1AB0}'..='\u{1AFF}'
            | '\u{1DC0}'..='\u{1DFF}'
            | '\u{20D0}'..='\u{20FF}'
            | '\u{FE20}'..='\u{FE2F}'
    )
}

/// The typewriter's, the printer's, and what keyboards and other alphabets offer in their place.
fn is_apostrophe(letter: char) -> bool {
    matches!(
        letter,
        '\'' | '`'
            | '´'
            | '\u{02B9}'..='\u{02BF}'
            | '\u{02C8}'
            | '\u{02CA}'
            | '\u{02CB}'
            | '\u{0384}'
            | '\u{055A}'
            | '\u{05F3}'
            | '\u{1FBD}'
            | '\u{1FBF}'
            | '\u{1FEF}'
            | '\u{1FFD}'
            | '\u{1FFE}'
            | '\u{2018}'..='\u{201B}'
            | '\u{2032}'
            | '\u{2035}'
            | '\u{A78B}'
            | '\u{A78C}'
            | '\u{FF07}'
            | '\u{FF40}'
    )
}

fn is_dash(letter: char) -> bool {
    matches!(
        letter,
        '-' | '\u{02D7}' | '\u{058A}' | '\u{05BE}' | '\u{1400}' | '\u{1806}' | '\u{2010}'
            ..='\u{2015}'
                | '\u{2043}'
                | '\u{2212}'
                | '\u{2E17}'
                | '\u{2E1A}'
                | '\u{2E3A}'
                | '\u{2E3B}'
                | '\u{2E40}'
                | '\u{30A0}'
                | '\u{FE31}'
                | '\u{FE32}'
                | '\u{FE58}'
                | '\u{FE63}'
                | '\u{FF0D}'
    )
}

/// Embeddings, overrides and isolates of direction [UAX 9 2.1 to 2.4]. Marks that only say which way a letter leans stand in
/// honest Arabic and Hebrew; no name has one of these.
pub(super) fn turns(letter: char) -> bool {
    matches!(letter, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Controls, direction marks, joiners, fillers, selectors and tags: two names that look the same must
/// not differ by them, and a name must not consist of them.
fn is_unseen(letter: char) -> bool {
    matches!(
        letter,
        '\u{00AD}'
            | '\u{061C}'
            | '\u{115F}'
            | '\u{1160}'
            | '\u{17B4}'
            | '\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E0FFF}'
    ) || (letter.is_control() && !letter.is_whitespace())
}
