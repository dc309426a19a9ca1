//! A rule as the configuration writes it, and what makes one impossible.

use serde::Deserialize;

use super::{Column, Day, PersonColumn, RecordColumn, Rule, Rules, Test};
use crate::config::ConfigError;
use crate::credential_type::{self, Attribute, CredentialType};
use crate::feed::FACT;

/// One rule: a column with one test, or `not`, `any` or `all` of other rules.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleConfig {
    /// A column as the CSV file names it.
    #[serde(default)]
    pub column: Option<String>,
    /// It says exactly this.
    #[serde(default)]
    pub equals: Option<String>,
    /// It says one of these.
    #[serde(default)]
    pub one_of: Option<Vec<String>>,
    /// It is a date before this one, or before `today`.
    #[serde(default)]
    pub before: Option<String>,
    /// It is a date after this one, or after `today`.
    #[serde(default)]
    pub after: Option<String>,
    /// This does not hold.
    #[serde(default)]
    pub not: Option<Box<RuleConfig>>,
    /// One of these holds.
    #[serde(default)]
    pub any: Option<Vec<RuleConfig>>,
    /// All of these hold.
    #[serde(default)]
    pub all: Option<Vec<RuleConfig>>,
}

impl Rules {
    /// Checks the rules: one that cannot be meant so stops the start.
    pub(crate) fn parse(rules: &[RuleConfig]) -> Result<Self, ConfigError> {
        let numbered = (1..).zip(rules);
        let rules = numbered.map(|(number, rule)| {
            parse(rule)
                .map_err(|reason| ConfigError::value(format!("applies, rule {number}"), reason))
        });
        rules.collect::<Result<Vec<Rule>, _>>().map(Self)
    }
}

fn parse(rule: &RuleConfig) -> Result<Rule, String> {
    let several = |rules: &[RuleConfig], name: &str| {
        if rules.is_empty() {
            return Err(format!("{name} lists no rule"));
        }
        rules
            .iter()
            .map(parse)
            .collect::<Result<Vec<Rule>, String>>()
    };
    let tests = [
        rule.equals.is_some(),
        rule.one_of.is_some(),
        rule.before.is_some(),
        rule.after.is_some(),
    ];
    let tests = tests.into_iter().filter(|is_there| *is_there).count();
    match (&rule.column, &rule.not, &rule.any, &rule.all) {
        (Some(name), None, None, None) if tests == 1 => {
            let (column, kind) = column(name)?;
            Ok(Rule::Is(column, test(rule, name, &kind)?))
        }
        (Some(name), None, None, None) => Err(format!(
            "{name} needs exactly one of equals, one_of, before and after"
        )),
        (None, Some(other), None, None) if tests == 0 => Ok(Rule::Not(Box::new(parse(other)?))),
        (None, None, Some(rules), None) if tests == 0 => several(rules, "any").map(Rule::Any),
        (None, None, None, Some(rules)) if tests == 0 => several(rules, "all").map(Rule::All),
        _ => Err("a rule is a column with a test, or one of not, any and all".to_owned()),
    }
}

/// What a column can say.
enum Kind {
    Anything,
    NoDate,
    Date,
    Type,
    Claims(Vec<&'static Attribute>),
}

fn column(name: &str) -> Result<(Column, Kind), String> {
    Ok(match name {
        "employee" => (Column::Person(PersonColumn::Employee), Kind::NoDate),
        "username" => (Column::Person(PersonColumn::Username), Kind::NoDate),
        "email" => (Column::Person(PersonColumn::Email), Kind::NoDate),
        "date_of_birth" => (Column::Person(PersonColumn::DateOfBirth), Kind::Date),
        "record" => (Column::Record(RecordColumn::Record), Kind::NoDate),
        "credential_type" => (Column::Record(RecordColumn::CredentialType), Kind::Type),
        "label" => (Column::Record(RecordColumn::Label), Kind::NoDate),
        _ => return fact_or_claim(name),
    })
}

fn fact_or_claim(name: &str) -> Result<(Column, Kind), String> {
    if let Some(fact) = name.strip_prefix(FACT).filter(|fact| !fact.is_empty()) {
        return Ok((Column::Fact(fact.to_owned()), Kind::Anything));
    }
    let all = credential_type::all()
        .iter()
        .flat_map(CredentialType::attributes);
    let named: Vec<&Attribute> = all.filter(|one| one.name == name).collect();
    if named.is_empty() {
        return Err(format!("there is no column {name:?}"));
    }
    Ok((Column::Claim(name.to_owned()), Kind::Claims(named)))
}

fn test(rule: &RuleConfig, name: &str, kind: &Kind) -> Result<Test, String> {
    if let Some(text) = rule.before.as_ref().or(rule.after.as_ref()) {
        let can_be_a_date = match kind {
            Kind::Anything | Kind::Date => true,
            Kind::NoDate | Kind::Type => false,
            Kind::Claims(all) => all.iter().any(|attribute| attribute.is_a_date()),
        };
        if !can_be_a_date {
            return Err(format!("{name} is never a date"));
        }
        let day = match text.as_str() {
            "today" => Day::Today,
            date => Day::Fixed(
                date.parse()
                    .map_err(|_| format!("{name}: {date:?} is neither today nor a date"))?,
            ),
        };
        return Ok(match &rule.before {
            Some(_) => Test::Before(day),
            None => Test::After(day),
        });
    }
    let texts: Vec<String> = match (&rule.equals, &rule.one_of) {
        (Some(text), _) => vec![text.clone()],
        (None, texts) => texts.clone().unwrap_or_default(),
    };
    if texts.is_empty() {
        return Err(format!("{name}: one_of lists nothing"));
    }
    for text in &texts {
        let can_be_said = match kind {
            Kind::Anything | Kind::NoDate => true,
            Kind::Date => text.is_empty() || credential_type::read_date(text).is_some(),
            Kind::Type => credential_type::find(text).is_some(),
            Kind::Claims(all) => all.iter().any(|attribute| attribute.check(text).is_ok()),
        };
        if !can_be_said {
            return Err(format!("{name} never says {text:?}"));
        }
    }
    Ok(Test::OneOf(texts))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[derive(Deserialize)]
    struct File {
        applies: Vec<RuleConfig>,
    }

    fn parsed(text: &str) -> Result<Rules, String> {
        let file: File = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        Rules::parse(&file.applies).map_err(|error| error.to_string())
    }

    #[test]
    fn a_rule_that_cannot_be_meant_so_is_told_by_its_number_and_why() {
        for (rule, says) in [
            (
                "column = 'grade'\nequals = 'x'",
                "there is no column \"grade\"",
            ),
            ("column = 'person.'\nequals = 'x'", "there is no column"),
            ("column = 'first_names'\nequals = 'x'", "there is no column"),
            ("column = 'person.grade'", "exactly one of"),
            (
                "column = 'email'\nequals = 'x'\none_of = ['y']",
                "exactly one of",
            ),
            ("column = 'email'\none_of = []", "lists nothing"),
            ("column = 'email'\nafter = 'today'", "email is never a date"),
            (
                "column = 'FS-Level'\nbefore = 'today'",
                "FS-Level is never a date",
            ),
            (
                "column = 'FS-DateTo'\nbefore = 'tomorrow'",
                "neither today nor a date",
            ),
            (
                "column = 'FS-Units'\nequals = 'Years'",
                "never says \"Years\"",
            ),
            (
                "column = 'credential_type'\nequals = 'Fire'",
                "never says \"Fire\"",
            ),
            ("column = 'date_of_birth'\nequals = 'x'", "never says \"x\""),
            ("any = []", "any lists no rule"),
            ("any = []\nall = []", "a rule is a column with a test"),
            ("equals = 'x'", "a rule is a column with a test"),
            ("not = { column = 'email' }", "exactly one of"),
            ("", "a rule is a column with a test"),
            ("colum = 'email'", "unknown field"),
        ] {
            let told = parsed(&format!("[[applies]]\n{rule}\n")).unwrap_err();
            assert!(told.contains(says), "{rule}: {told}");
        }
        let second = "[[applies]]\ncolumn = 'email'\nequals = ''\n[[applies]]\n";
        assert!(parsed(second).unwrap_err().contains("rule 2"));
    }

    #[test]
    fn the_rules_say_what_has_to_be_known_of_people() {
        let rules = parsed(
            "[[applies]]\nany = [{ column = 'person.grade', equals = 'ST3' }, \
             { not = { column = 'person.contract_ends', before = 'today' } }]\n\
             [[applies]]\ncolumn = 'credential_type'\none_of = ['FireSafety']\n",
        );
        let rules = rules.unwrap();
        let facts: Vec<&str> = rules.facts().into_iter().collect();
        assert_eq!(facts, ["contract_ends", "grade"]);
    }
}
