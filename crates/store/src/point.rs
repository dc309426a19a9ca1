//! Points at which a process can be told to die, so that a test sees what a crash between any two steps leaves behind
//! (decision 0023).
//!
//! Built with debug assertions only: in a release build neither this module exists nor a line that calls it.
//!
//! A point lies before and after each step that outlives the process: a batch that is kept, a call that somebody else
//! hears, a mail that is handed over. `LANYARD_POINTS` names a file. While there is no such file, points are passed over.
//! While there is one, each that is reached is written down in it, a line each, in the order in which they are reached.
//! The file's first line, which is the test's, says where to die: empty for nowhere, `2 before POST /token` for the
//! second time that this point is reached since the file is there.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::Write as _;
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::Statement;

/// The variable that names the file.
const VARIABLE: &str = "LANYARD_POINTS";

static FILE: OnceLock<Option<OsString>> = OnceLock::new();
/// One point at a time. Whoever dies keeps it, so that no other thread begins another step meanwhile.
static TURN: Mutex<()> = Mutex::new(());

/// A step that was begun.
#[must_use]
pub struct Step(Option<String>);

/// The point before a step. `name` says what the step is, the same words in each run: no ids, nothing of anybody.
pub fn before(name: impl fmt::Display) -> Step {
    let file = FILE.get_or_init(|| std::env::var_os(VARIABLE));
    let name = file.as_ref().map(|_| name.to_string());
    if let Some(name) = &name {
        reach(&format!("before {name}"));
    }
    Step(name)
}

impl Step {
    /// The point after the step.
    pub fn after(self) {
        if let Some(name) = self.0 {
            reach(&format!("after {name}"));
        }
    }
}

fn reach(point: &str) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(Some(file)) = FILE.get() else {
        return;
    };
    let Ok(text) = fs::read_to_string(file) else {
        return;
    };
    let (where_to_die, reached) = text.split_once('\n').unwrap_or((&text, ""));
    let times = 1 + reached.lines().filter(|line| *line == point).count();
    let line = format!("{point}\n");
    // Not created: whoever removes the file has seen enough.
    if let Ok(mut file) = fs::File::options().append(true).open(file) {
        let _ = file.write_all(line.as_bytes());
    }
    if where_to_die == format!("{times} {point}") {
        die();
    }
}

/// SIGKILL, as from a system that is short of memory: nothing is unwound, flushed or closed. Sent by `kill`, since the
/// call itself cannot be made from safe Rust; this thread stands still until it comes.
fn die() -> ! {
    let this = std::process::id().to_string();
    let _ = Command::new("kill").args(["-KILL", &this]).status();
    // There is no `kill` here: the next best, which a test tells from the other by its signal.
    std::process::abort()
}

/// A batch by what it does to which tables, e.g. `UPDATE connector_journeys, INSERT connector_credentials`.
pub(crate) struct Batch<'a>(pub(crate) &'a [Statement]);

impl fmt::Display for Batch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = None;
        for statement in self.0 {
            let this = deed(statement.sql());
            if last == Some(this) {
                continue;
            }
            let comma = if last.is_some() { ", " } else { "" };
            write!(f, "{comma}{} {}", this.0, this.1)?;
            last = Some(this);
        }
        Ok(())
    }
}

/// The verb and the table of a statement.
fn deed(sql: &str) -> (&str, &str) {
    let mut words = sql.split_whitespace();
    while let Some(word) = words.next() {
        let table = match word {
            "UPDATE" => words.next(),
            "INSERT" | "DELETE" => words.nth(1),
            _ => continue,
        };
        return (word, table.unwrap_or_default());
    }
    ("other", "statement")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_named_by_what_it_does_to_which_tables_and_by_no_value() {
        let batch = [
            Statement::new("UPDATE codes SET used_at = $1 WHERE id = $2").bind("a-secret"),
            Statement::new(
                "INSERT INTO tokens AS t (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET n = 1",
            ),
            Statement::new("INSERT INTO tokens (id) VALUES ($1)"),
            Statement::new(
                "WITH told AS (VALUES (1)) DELETE FROM offers WHERE id IN (SELECT * FROM told)",
            ),
        ];
        let name = Batch(&batch).to_string();
        assert_eq!(name, "UPDATE codes, INSERT tokens, DELETE offers");
    }

    #[test]
    fn without_the_variable_a_point_is_nothing() {
        assert!(before("a step").0.is_none());
    }
}
