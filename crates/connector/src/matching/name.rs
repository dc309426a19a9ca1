//! A name taken apart: what is the name itself, and what only stands beside it.

use unicode_normalization::UnicodeNormalization;

use super::spelling::{Spelling, normalise};
use super::tables::{
    ARTICLES, CHILD_OF, GENERATIONS, HONOURS, MUHAMMAD, TITLES, TITLES_BEFORE_SURNAMES,
};
use super::{Reason, letters, scripts};

/// How many known-as names one name may have; further ones do not count.
const MOST_BESIDE: usize = 4;

/// Which of the two it is: titles, particles and initials mean another thing in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// First names.
    First,
    /// The surname.
    Surname,
}

/// One way to read what is written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    /// The name, each word in the one form that stands for all ways to write it. Never empty.
    pub(super) words: Vec<String>,
    /// The father's name, where one is given.
    pub(super) father: Vec<String>,
    /// Which of several bearers of the name.
    pub(super) generation: Option<&'static str>,
}

/// A name that has a letter in it.
pub(super) struct Name {
    /// As it is written, without titles, generation and what stands in brackets.
    pub(super) spelling: Spelling,
    /// As it is read. The first is the plain one; the others write ü as ue, or another script in Latin letters.
    pub(super) readings: Vec<Reading>,
    /// What stands in brackets or quotation marks.
    pub(super) beside: Vec<Vec<Reading>>,
    /// Letters of several scripts, figures or signs stand in it.
    pub(super) is_odd: bool,
    /// It bears an order to be written in another direction: what is seen need not be what is stored.
    pub(super) is_turned: bool,
}

impl Name {
    pub(super) fn parse(raw: &str, part: Part) -> Result<Self, Reason> {
        Spelling::parse(raw)?;
        let (main, mut beside) = take_apart(raw);
        beside.retain(|text| Spelling::parse(text).is_ok());
        // Each is compared with the whole other name.
        beside.truncate(MOST_BESIDE);
        let main = if Spelling::parse(&main).is_ok() {
            main
        } else {
            // What is left has no letter, so the letter is in the brackets.
            beside.first().cloned().unwrap_or_else(|| raw.to_owned())
        };
        let mut words = split(&normalise(&main));
        strip(&mut words, part);
        let text = words.join(" ");
        let is_odd = scripts::are_mixed(&text)
            || text.chars().any(|letter| {
                letter.is_ascii() && !letter.is_ascii_alphabetic() && !matches!(letter, ' ' | '/')
            });
        Ok(Self {
            spelling: Spelling::of(text),
            readings: readings(&main, part),
            beside: beside.iter().map(|text| readings(text, part)).collect(),
            is_odd,
            is_turned: raw.chars().any(letters::turns),
        })
    }

    pub(super) fn generation(&self) -> Option<&'static str> {
        self.readings.first().and_then(|reading| reading.generation)
    }
}

/// What stands outside of brackets and quotation marks, and what inside of each.
fn take_apart(raw: &str) -> (String, Vec<String>) {
    let (mut main, mut beside) = (String::with_capacity(raw.len()), Vec::new());
    let mut open: Option<(char, String)> = None;
    let mut before = ' ';
    let mut letters = raw.chars().peekable();
    while let Some(letter) = letters.next() {
        let ends_a_word = letters.peek().is_none_or(|next| next.is_whitespace());
        match open.take() {
            // The closing quotation mark is an apostrophe, too.
            Some((close, text)) if letter == close && (close != '’' || ends_a_word) => {
                main.push(' ');
                beside.push(text);
            }
            Some((close, mut text)) => {
                text.push(letter);
                open = Some((close, text));
            }
            None => match closing(letter, before) {
                Some(close) => open = Some((close, String::new())),
                None => main.push(letter),
            },
        }
        before = letter;
    }
    if let Some((_, text)) = open {
        main.push(' ');
        main.push_str(&text);
    }
    (main, beside)
}

fn closing(letter: char, before: char) -> Option<char> {
    match letter {
        '(' => Some(')'),
        '（' => Some('）'),
        '[' => Some(']'),
        '"' => Some('"'),
        '“' | '„' => Some('”'),
        '«' => Some('»'),
        '‘' if before.is_whitespace() => Some('’'),
        _ => None,
    }
}

fn readings(text: &str, part: Part) -> Vec<Reading> {
    let mut all = vec![read(text, part)];
    let others = [spelt_out(text), mac_spelt_out(text, part)];
    let others = others.into_iter().flatten().chain(scripts::in_latin(text));
    for other in others {
        let reading = read(&other, part);
        if !all.contains(&reading) {
            all.push(reading);
        }
    }
    all
}

/// With two letters for one that has an accent, as German, Danish and Serbian do where the accent cannot be written.
fn spelt_out(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    for letter in text.nfc() {
        match letter {
            'ä' | 'Ä' => out.push_str("ae"),
            'ö' | 'Ö' | 'ø' | 'Ø' => out.push_str("oe"),
            'ü' | 'Ü' => out.push_str("ue"),
            'å' | 'Å' => out.push_str("aa"),
            'đ' | 'Đ' => out.push_str("dj"),
            other => out.push(other),
        }
    }
    (out != text).then_some(out)
}

/// The old abbreviation with an apostrophe: M'Donald.
fn mac_spelt_out(text: &str, part: Part) -> Option<String> {
    let text = text.trim_start();
    let rest = text.strip_prefix(['M', 'm'])?;
    let name = rest.strip_prefix(['\'', '’', '‘', '`'])?;
    (part == Part::Surname).then(|| format!("mac {name}"))
}

fn split(normal: &str) -> Vec<String> {
    normal
        .split([' ', '.', ','])
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Titles and what stands behind a name go; the last word stays, whatever it is.
fn strip(words: &mut Vec<String>, part: Part) -> Option<&'static str> {
    let is_title = |word: &str| match part {
        Part::First => TITLES.contains(&word),
        Part::Surname => TITLES_BEFORE_SURNAMES.contains(&word),
    };
    let titles = words.iter().take_while(|word| is_title(word)).count();
    words.drain(..titles.min(words.len().saturating_sub(1)));
    let mut generation = None;
    while words.len() > 1 {
        let Some(last) = words.last() else { break };
        let found = GENERATIONS.iter().find(|(written, _)| written == last);
        if found.is_none() && !HONOURS.contains(&last.as_str()) {
            break;
        }
        generation = found.map(|(_, which)| *which).or(generation);
        words.pop();
    }
    generation
}

fn read(text: &str, part: Part) -> Reading {
    let mut words = split(&normalise(text));
    if words
        .first()
        .is_some_and(|word| matches!(word.as_str(), "nee" | "born" | "formerly"))
    {
        words.remove(0);
    }
    let generation = strip(&mut words, part);
    let father = match words
        .iter()
        .position(|word| CHILD_OF.contains(&word.as_str()))
    {
        Some(at) if part == Part::First && at > 0 => {
            let father = words.split_off(at);
            one_form(father.into_iter().skip(1).collect(), part)
        }
        _ => Vec::new(),
    };
    Reading {
        words: one_form(words, part),
        father,
        generation,
    }
}

/// Each word in the form that stands for all ways to write it.
fn one_form(words: Vec<String>, part: Part) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(words.len());
    let count = words.len();
    let mut words = words.into_iter().enumerate().peekable();
    while let Some((at, word)) = words.next() {
        let next = words.peek().map(|(_, next)| next.clone());
        let is_article = next.as_ref().is_some_and(|next| {
            matches!(word.as_str(), "al" | "el" | "ul")
                || ARTICLES
                    .iter()
                    .any(|(form, sound)| *form == word && next.starts_with(sound))
        });
        match word.as_str() {
            one if MUHAMMAD.contains(&one) => out.push("muhammad".to_owned()),
            "ma" if part == Part::First && next.is_some() => out.push("maria".to_owned()),
            "ibn" => out.push("bin".to_owned()),
            "y" if part == Part::Surname && at > 0 && at + 1 < count => {}
            _ if is_article && out.last().is_some_and(|last| last == "abd") => {
                out.pop();
                out.push("abdul".to_owned());
            }
            _ if is_article => out.push("al".to_owned()),
            "mac" | "mc" if part == Part::Surname && next.is_some() => {
                let name = words.next().map(|(_, next)| next).unwrap_or_default();
                out.push(format!("mac{name}"));
            }
            _ => out.push(match word.strip_prefix("mc") {
                // Behind fewer letters, `mac` may be the beginning of a name that has no particle (Mackie, Macey).
                Some(name) if part == Part::Surname && name.chars().nth(3).is_some() => {
                    format!("mac{name}")
                }
                _ => word,
            }),
        }
    }
    out
}
