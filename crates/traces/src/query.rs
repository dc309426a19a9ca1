//! What a database was asked to do, as a span says it. [semantic conventions, database]
//!
//! Made of the words of statements, in which values have no place: they are bound. To be sure of it, no more is taken than
//! operations of a closed list and the names of tables; nothing in quotation marks is either.

/// The longest summary [semantic conventions: `db.query.summary`]; nothing is cut off in the middle.
const LONGEST: usize = 255;
/// What a statement may begin with.
const OPERATIONS: [&str; 6] = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "LOCK"];

/// A statement, or several that were asked together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// `db.system.name`
    pub(crate) system: &'static str,
    /// `db.operation.name`: of several that are not alike, `BATCH`.
    pub(crate) operation: String,
    /// `db.collection.name`, where there is one only.
    pub(crate) table: Option<String>,
    /// `db.query.summary`: operations and tables.
    pub(crate) summary: String,
    /// `db.operation.batch.size`
    pub(crate) size: usize,
}

impl Query {
    /// What these statements do.
    pub(crate) fn of<'a>(
        system: &'static str,
        statements: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut parts: Vec<(&'static str, &str)> = Vec::new();
        let mut size = 0;
        for statement in statements {
            size += 1;
            let part = read(statement);
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
        let (first, table) = parts.first().copied().unwrap_or(("OTHER", ""));
        let is_one_operation = parts.iter().all(|(operation, _)| *operation == first);
        let is_one_table = parts.iter().all(|(_, other)| *other == table);
        let operation = match (size, is_one_operation) {
            (0 | 1, _) => first.to_owned(),
            (_, true) => format!("BATCH {first}"),
            (_, false) => "BATCH".to_owned(),
        };
        let mut summary = if size > 1 { "BATCH" } else { "" }.to_owned();
        for (operation, table) in &parts {
            let more = operation.len() + table.len() + 2;
            if summary.len() + more > LONGEST {
                break;
            }
            for word in [*operation, *table] {
                if !summary.is_empty() && !word.is_empty() {
                    summary.push(' ');
                }
                summary.push_str(word);
            }
        }
        let has_table = is_one_table && !table.is_empty();
        Self {
            system,
            operation,
            table: has_table.then(|| table.to_owned()),
            summary,
            size,
        }
    }
}

/// The operation of a statement and its table, which is empty where none is found.
fn read(statement: &str) -> (&'static str, &str) {
    let mut words = words(statement);
    let first = words.next().unwrap_or_default();
    let known = OPERATIONS.into_iter().find(|known| *known == first);
    let before_table = match known {
        Some("SELECT" | "DELETE" | "WITH") => "FROM",
        Some("INSERT") => "INTO",
        Some("LOCK") => "TABLE",
        Some(operation) => return (operation, words.next().unwrap_or_default()),
        None => return ("OTHER", ""),
    };
    let mut table = "";
    while let Some(word) = words.next() {
        if word == before_table {
            table = words.next().unwrap_or_default();
            // What follows is a statement within the statement.
            if table != "SELECT" {
                break;
            }
            table = "";
        }
    }
    (known.unwrap_or("OTHER"), table)
}

/// The words of a statement, without what is in quotation marks.
fn words(statement: &str) -> impl Iterator<Item = &str> {
    let unquoted = statement.split('\'').step_by(2);
    let words = unquoted
        .flat_map(|part| part.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '$'));
    words.filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(statements: &[&str]) -> String {
        Query::of("sqlite", statements.iter().copied()).summary
    }

    #[test]
    fn a_statement_is_told_by_its_operation_and_its_table_and_never_by_a_value() {
        for (statement, told) in [
            ("SELECT id, name FROM people WHERE id = $1", "SELECT people"),
            (
                "SELECT COUNT(*) FROM (SELECT 1 FROM people)",
                "SELECT people",
            ),
            ("INSERT INTO people (id) VALUES ($1)", "INSERT people"),
            (
                "UPDATE people SET name = 'Anna' WHERE id = $1",
                "UPDATE people",
            ),
            (
                "DELETE FROM people WHERE name = 'FROM Anna'",
                "DELETE people",
            ),
            ("SELECT 'FROM anna' AS x FROM people", "SELECT people"),
            ("LOCK TABLE people IN SHARE MODE", "LOCK people"),
            ("SELECT 1", "SELECT"),
            ("Anna", "OTHER"),
            ("", "OTHER"),
        ] {
            assert_eq!(summary(&[statement]), told, "{statement}");
        }
    }

    #[test]
    fn a_batch_is_told_by_what_it_does_and_how_much_of_it_there_is() {
        let insert = "INSERT INTO tokens (id) VALUES ($1)";
        let batch = Query::of("postgresql", [insert, insert]);
        assert_eq!(batch.operation, "BATCH INSERT");
        assert_eq!(batch.summary, "BATCH INSERT tokens");
        assert_eq!((batch.size, batch.table.as_deref()), (2, Some("tokens")));
        let mixed = Query::of("postgresql", ["UPDATE codes SET used_at = $1", insert]);
        assert_eq!(mixed.operation, "BATCH");
        assert_eq!(mixed.summary, "BATCH UPDATE codes INSERT tokens");
        assert_eq!((mixed.size, mixed.table), (2, None));
        let many: Vec<String> = (0..90).map(|n| format!("DELETE FROM table_{n}")).collect();
        let many = Query::of("sqlite", many.iter().map(String::as_str));
        assert!(many.summary.len() <= LONGEST && many.summary.ends_with(char::is_numeric));
        assert_eq!(many.size, 90);
    }
}
