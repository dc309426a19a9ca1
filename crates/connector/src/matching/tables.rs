//! The published tables: which words are titles, which are two ways to write one word. All in the letters of
//! `spelling::normalise`. They are short on purpose: what is not here is compared as it is written.

/// Left out before first names. Each is a title to whoever has another first name behind it.
pub(super) const TITLES: [&str; 32] = [
    "mr",
    "mrs",
    "ms",
    "miss",
    "mx",
    "dr",
    "med",
    "prof",
    "professor",
    "sir",
    "dame",
    "rev",
    "revd",
    "reverend",
    "sister",
    "brother",
    "father",
    "fr",
    "haji",
    "hajji",
    "alhaji",
    "hajiya",
    "sheikh",
    "shaykh",
    "chief",
    "smt",
    "shri",
    "sri",
    "herr",
    "frau",
    "nurse",
    "canon",
];

/// Left out before a surname, where the others may be part of it.
pub(super) const TITLES_BEFORE_SURNAMES: [&str; 7] =
    ["mr", "mrs", "ms", "miss", "mx", "dr", "prof"];

/// Behind a surname: which of several bearers of one name.
pub(super) const GENERATIONS: [(&str, &str); 10] = [
    ("jr", "junior"),
    ("jnr", "junior"),
    ("junior", "junior"),
    ("filho", "junior"),
    ("sr", "senior"),
    ("snr", "senior"),
    ("senior", "senior"),
    ("ii", "second"),
    ("iii", "third"),
    ("iv", "fourth"),
];

/// Behind a surname: honours and degrees.
pub(super) const HONOURS: [&str; 9] = [
    "mbe", "obe", "cbe", "phd", "bsc", "msc", "frcs", "frcp", "mrcp",
];

/// What follows is the name of the father or the husband.
pub(super) const CHILD_OF: [&str; 6] = ["s/o", "d/o", "w/o", "bin", "ibn", "bint"];

/// Ways to write Muhammad.
pub(super) const MUHAMMAD: [&str; 12] = [
    "muhammad", "mohammed", "mohammad", "muhammed", "mohamed", "mohamad", "muhamad", "muhamed",
    "mohamid", "mohd", "mhd", "md",
];

/// First names that so many siblings share that they tell nobody apart: what stands beside them decides.
pub(super) const SHARED: [&str; 8] = [
    "muhammad", "abdul", "abd", "maria", "thi", "van", "oluwa", "syed",
];

/// The Arabic article before a letter that it takes the sound of.
pub(super) const ARTICLES: [(&str, &str); 8] = [
    ("ar", "r"),
    ("as", "s"),
    ("ash", "sh"),
    ("ad", "d"),
    ("an", "n"),
    ("at", "t"),
    ("az", "z"),
    ("adh", "dh"),
];

/// Words of surnames that are not the name itself. Without them it is not the same name, but may be the same person.
pub(super) const PARTICLES: [&str; 34] = [
    "de", "da", "do", "dos", "das", "del", "dela", "la", "las", "los", "e", "y", "von", "van",
    "der", "den", "zu", "ter", "ten", "ap", "ab", "ferch", "bin", "bint", "al", "abu", "abou", "o",
    "ni", "nic", "ui", "mac", "s/o", "d/o",
];

/// Pet names and short forms beside the full name: never a match, always somebody's look. `Tony` is not among them:
/// the rule that `fuzzy` is compatible with refuses it.
pub(super) const PET_NAMES: [(&str, &str); 42] = [
    ("alex", "alexander"),
    ("alex", "alexandra"),
    ("beth", "elizabeth"),
    ("liz", "elizabeth"),
    ("bill", "william"),
    ("will", "william"),
    ("bob", "robert"),
    ("rob", "robert"),
    ("dai", "dafydd"),
    ("david", "dafydd"),
    ("ed", "edward"),
    ("jim", "james"),
    ("jon", "jonathan"),
    ("kate", "katherine"),
    ("kate", "catherine"),
    ("maggie", "margaret"),
    ("peggy", "margaret"),
    ("mike", "michael"),
    ("nick", "nicholas"),
    ("patrick", "padraig"),
    ("pat", "patrick"),
    ("pat", "patricia"),
    ("sam", "samuel"),
    ("sam", "samantha"),
    ("steve", "stephen"),
    ("steve", "steven"),
    ("sue", "susan"),
    ("tom", "thomas"),
    ("gwen", "gwenllian"),
    ("gosia", "malgorzata"),
    ("kasia", "katarzyna"),
    ("paul", "pawel"),
    ("lasse", "lars"),
    ("paco", "francisco"),
    ("pepe", "jose"),
    ("ze", "jose"),
    ("emeka", "chukwuemeka"),
    ("fatou", "fatoumata"),
    ("seun", "oluwaseun"),
    ("tosin", "oluwatosin"),
    ("sasha", "aleksandr"),
    ("giorgos", "georgios"),
];

/// Letters of other scripts, and figures, that look like a Latin letter.
pub(super) const LOOK_ALIKES: [(char, char); 28] = [
    ('а', 'a'),
    ('в', 'b'),
    ('е', 'e'),
    ('і', 'i'),
    ('ј', 'j'),
    ('к', 'k'),
    ('м', 'm'),
    ('н', 'h'),
    ('о', 'o'),
    ('р', 'p'),
    ('с', 'c'),
    ('т', 't'),
    ('у', 'y'),
    ('х', 'x'),
    ('ѕ', 's'),
    ('α', 'a'),
    ('ε', 'e'),
    ('ι', 'i'),
    ('κ', 'k'),
    ('ν', 'v'),
    ('ο', 'o'),
    ('ρ', 'p'),
    ('τ', 't'),
    ('υ', 'u'),
    ('χ', 'x'),
    ('0', 'o'),
    ('1', 'l'),
    ('5', 's'),
];
