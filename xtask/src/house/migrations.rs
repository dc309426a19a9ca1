//! A migration only adds: while a new version is rolled out, processes of the one before it go on working on its tables.

use super::Breach;
use super::files::TextFile;

/// What takes something away from a process that does not know of it yet, each as the words by which it is known.
const FORBIDDEN: [&str; 7] = [
    "DROP TABLE",
    "DROP COLUMN",
    "RENAME",
    "ALTER COLUMN",
    "SET NOT NULL",
    "TRUNCATE",
    "DELETE FROM",
];

pub(super) fn check(file: &TextFile) -> Vec<Breach> {
    if file.extension() != "sql" || !file.path.contains("/migrations/") {
        return Vec::new();
    }
    let found = statements(&file.text).into_iter();
    let found = found.filter_map(|(line, sql)| Some(Breach::new(&file.path, line, fault(&sql)?)));
    found.collect()
}

/// Each statement in capitals, its blanks made one, with the line in which it begins.
fn statements(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let (mut begun, mut sql) = (1, String::new());
    for (number, line) in (1..).zip(text.lines()) {
        let code = line.split("--").next().unwrap_or_default();
        for (index, part) in code.split(';').enumerate() {
            if index > 0 {
                found.push((begun, std::mem::take(&mut sql)));
            }
            for word in part.split_whitespace() {
                if sql.is_empty() {
                    begun = number;
                } else {
                    sql.push(' ');
                }
                sql.push_str(&word.to_ascii_uppercase());
            }
        }
    }
    found.push((begun, sql));
    found
}

fn fault(sql: &str) -> Option<String> {
    // A trigger says what is refused, and takes nothing away.
    let sql = &sql.replace("BEFORE TRUNCATE", "BEFORE");
    let forbidden = FORBIDDEN.iter().find(|words| sql.contains(*words));
    if let Some(words) = forbidden {
        return Some(format!(
            "`{words}`: a migration only adds, since the version before works on its tables, too"
        ));
    }
    let adds = sql.starts_with("ALTER TABLE") && sql.contains(" ADD ");
    let must = sql.contains("NOT NULL") && !sql.contains(" DEFAULT ");
    (adds && must).then(|| {
        "a new column needs a default, since the version before does not fill it".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches(path: &str, text: &str) -> Vec<String> {
        let file = TextFile {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        check(&file).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_migration_that_takes_something_away_is_reported() {
        let path = "crates/gateway/migrations/sqlite/V9__x.sql";
        for text in [
            "DROP TABLE a;",
            "ALTER TABLE a DROP COLUMN b;",
            "alter table a\n  rename to b;",
            "ALTER TABLE a ALTER COLUMN b TYPE TEXT;",
            "CREATE TABLE a (b TEXT); ALTER TABLE a ADD COLUMN c TEXT NOT NULL;",
            "DELETE FROM a WHERE b = 1",
        ] {
            assert_eq!(breaches(path, text).len(), 1, "{text}");
            assert_eq!(breaches("crates/gateway/tests/x.sql", text), [""; 0]);
        }
        let second = "-- One.\nCREATE TABLE a (b TEXT);\n\nDROP TABLE c;";
        assert!(breaches(path, second)[0].starts_with(&format!("{path}:4: `DROP TABLE`")));
        for text in [
            "-- DROP TABLE a;\nCREATE TABLE a (b TEXT NOT NULL);",
            "ALTER TABLE a ADD COLUMN b TEXT;",
            "ALTER TABLE a ADD COLUMN b INTEGER NOT NULL DEFAULT 0;",
            "CREATE UNIQUE INDEX a_by_b ON a (b);",
        ] {
            assert_eq!(breaches(path, text), [""; 0], "{text}");
        }
    }
}
