//! Cyrillic and Greek names in Latin letters, by the tables that passports follow.

use unicode_normalization::UnicodeNormalization;

/// A table: letter, at the beginning of a word, elsewhere.
type Table = &'static [(char, &'static str, &'static str)];

/// What all Cyrillic tables share; each of the others is asked first.
const CYRILLIC: Table = &[
    ('а', "a", "a"),
    ('б', "b", "b"),
    ('в', "v", "v"),
    ('г', "g", "g"),
    ('д', "d", "d"),
    ('е', "e", "e"),
    ('ё', "e", "e"),
    ('ж', "zh", "zh"),
    ('з', "z", "z"),
    ('и', "i", "i"),
    ('й', "i", "i"),
    ('к', "k", "k"),
    ('л', "l", "l"),
    ('м', "m", "m"),
    ('н', "n", "n"),
    ('о', "o", "o"),
    ('п', "p", "p"),
    ('р', "r", "r"),
    ('с', "s", "s"),
    ('т', "t", "t"),
    ('у', "u", "u"),
    ('ф', "f", "f"),
    ('х', "kh", "kh"),
    ('ц', "ts", "ts"),
    ('ч', "ch", "ch"),
    ('ш', "sh", "sh"),
    ('щ', "shch", "shch"),
    ('ъ', "ie", "ie"),
    ('ы', "y", "y"),
    ('ь', "", ""),
    ('э', "e", "e"),
    ('ю', "iu", "iu"),
    ('я', "ia", "ia"),
    ('і', "i", "i"),
    ('ї', "i", "i"),
    ('є', "ie", "ie"),
    ('ґ', "g", "g"),
];

/// Russian before the passports of 2010; Bulgarian shares it but for three letters.
const WITH_Y: Table = &[
    ('й', "y", "y"),
    ('ю', "yu", "yu"),
    ('я', "ya", "ya"),
    ('ё', "yo", "yo"),
];

/// Bulgaria's law on transliteration of 2009.
const BULGARIAN: Table = &[
    ('й', "y", "y"),
    ('ю', "yu", "yu"),
    ('я', "ya", "ya"),
    ('х', "h", "h"),
    ('щ', "sht", "sht"),
    ('ъ', "a", "a"),
];

/// Ukraine's resolution 55 of 2010.
const UKRAINIAN: Table = &[
    ('г', "h", "h"),
    ('и', "y", "y"),
    ('й', "y", "i"),
    ('є', "ye", "ie"),
    ('ї', "yi", "i"),
    ('ю', "yu", "iu"),
    ('я', "ya", "ia"),
];

/// Serbia's own Latin letters, without their accents.
const SERBIAN: Table = &[
    ('ж', "z", "z"),
    ('х', "h", "h"),
    ('ц', "c", "c"),
    ('ч', "c", "c"),
    ('ш', "s", "s"),
    ('ђ', "d", "d"),
    ('ј', "j", "j"),
    ('љ', "lj", "lj"),
    ('њ', "nj", "nj"),
    ('ћ', "c", "c"),
    ('џ', "dz", "dz"),
];

const GREEK: Table = &[
    ('α', "a", "a"),
    ('β', "v", "v"),
    ('γ', "g", "g"),
    ('δ', "d", "d"),
    ('ε', "e", "e"),
    ('ζ', "z", "z"),
    ('η', "i", "i"),
    ('θ', "th", "th"),
    ('ι', "i", "i"),
    ('κ', "k", "k"),
    ('λ', "l", "l"),
    ('μ', "m", "m"),
    ('ν', "n", "n"),
    ('ξ', "x", "x"),
    ('ο', "o", "o"),
    ('π', "p", "p"),
    ('ρ', "r", "r"),
    ('σ', "s", "s"),
    ('ς', "s", "s"),
    ('τ', "t", "t"),
    ('υ', "y", "y"),
    ('φ', "f", "f"),
    ('χ', "ch", "ch"),
    ('ψ', "ps", "ps"),
    ('ω', "o", "o"),
];

const TABLES: [Table; 5] = [&[], WITH_Y, BULGARIAN, UKRAINIAN, SERBIAN];

fn is_cyrillic(letter: char) -> bool {
    matches!(letter, '\u{0400}'..='\u{052F}')
}

fn is_greek(letter: char) -> bool {
    matches!(letter, '\u{0370}'..='\u{03FF}' | '\u{1F00}'..='\u{1FFF}')
}

fn is_latin(letter: char) -> bool {
    letter.is_ascii_alphabetic()
        || (letter.is_alphabetic()
            && matches!(letter, '\u{00C0}'..='\u{024F}' | '\u{1E00}'..='\u{1EFF}'))
}

/// Whether letters of more than one of the three scripts that lend each other their shapes stand in it.
pub(super) fn are_mixed(name: &str) -> bool {
    [is_latin, is_cyrillic, is_greek]
        .iter()
        .filter(|script| name.chars().any(script))
        .count()
        > 1
}

/// Every way to write a Cyrillic or Greek name in Latin letters; none for any other name.
pub(super) fn in_latin(name: &str) -> Vec<String> {
    let letters: String = name.nfc().flat_map(char::to_lowercase).collect();
    if are_mixed(&letters) {
        return Vec::new();
    }
    let mut all: Vec<String> = if letters.chars().any(is_cyrillic) {
        TABLES
            .iter()
            .map(|table| by(table, CYRILLIC, &letters))
            .collect()
    } else if letters.chars().any(is_greek) {
        vec![greek(&letters)]
    } else {
        Vec::new()
    };
    all.sort();
    all.dedup();
    all
}

fn by(own: Table, shared: Table, letters: &str) -> String {
    let mut latin = String::with_capacity(letters.len());
    let mut begins = true;
    for letter in letters.chars() {
        let find = |table: Table| table.iter().find(|(written, ..)| *written == letter);
        match find(own).or_else(|| find(shared)) {
            Some((_, at_first, later)) => latin.push_str(if begins { at_first } else { later }),
            None => latin.push(letter),
        }
        begins = !letter.is_alphabetic();
    }
    latin
}

/// ELOT 743, but for the rules on letters that names hardly hold.
fn greek(letters: &str) -> String {
    let plain: String = letters
        .nfd()
        .filter(|letter| !matches!(letter, '\u{0300}'..='\u{036F}'))
        .collect();
    let mut text = plain;
    for (pair, latin) in [("γγ", "ng"), ("γξ", "nx"), ("γχ", "nch"), ("ου", "ou")] {
        text = text.replace(pair, latin);
    }
    for vowel in ['α', 'ε', 'η'] {
        for voiceless in "θκξπσςτφχψ".chars() {
            text = text.replace(
                &format!("{vowel}υ{voiceless}"),
                &format!("{vowel}f{voiceless}"),
            );
        }
        text = text.replace(&format!("{vowel}υ"), &format!("{vowel}v"));
    }
    by(&[], GREEK, &text)
}
