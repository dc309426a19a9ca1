//! What has to be done again and again, and when it was: the audit's places and checkpoints, backups and their rehearsal.

use jiff::Timestamp;
use store::{Store, StoreError};

use super::{Findings, counted};
use crate::Gateway;
use crate::audit::{self, Act, Kept, Question, Standing, Trouble};
use crate::keys::{GATEWAY, KeyPurpose};

/// Backups that are taken each week are at most so old, in days.
const OLD_BACKUP: i64 = 8;
/// A restore that was not rehearsed for longer is a hope, in days.
const OLD_REHEARSAL: i64 = 365;

/// The end of the audit's chain.
pub(super) async fn look_at_audit(
    gateway: &Gateway,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let app = gateway.app();
    let keys = app.keys.published(KeyPurpose::Audit, GATEWAY);
    let keys: Vec<_> = keys.cloned().collect();
    let standing = audit::standing(&app.store, &app.base, &keys).await?;
    judge_audit(&standing, app.now(), findings);
    Ok(())
}

fn judge_audit(standing: &Standing, now: Timestamp, findings: &mut Findings) {
    let code = "audit";
    let Some(trouble) = standing.trouble(now) else {
        match &standing.checkpoint {
            Some((day, _)) => findings.good(
                code,
                format!(
                    "{} in the chain, signed on {day}",
                    counted(standing.position, "place")
                ),
            ),
            None => findings.good(code, "nothing has a place in the chain yet"),
        };
        return;
    };
    let says = trouble.to_string();
    match trouble {
        Trouble::Broken(_) => findings.bad(
            code,
            says,
            "check the whole chain: lanyard audit verify, or Audit in the console",
        ),
        Trouble::Waits(_) => findings.look(
            code,
            says,
            "a gateway that runs gives them theirs within a second: see that one does, and look for errors of the audit in its log",
        ),
        Trouble::Old(_) => findings.look(
            code,
            says,
            "a gateway that runs signs one each day: look for errors of the audit in its log",
        ),
        Trouble::KeyReported(_) => findings.look(
            code,
            says,
            "nothing more is to be done: a gateway that runs signs with another key on the next day; lanyard audit verify says what \
             counts until then",
        ),
        Trouble::Unsigned | Trouble::NeverSigned => findings.look(
            code,
            says,
            "a gateway that runs signs one within ten minutes: look for errors of the audit in its log",
        ),
    };
}

/// When the last backup was taken and the last restore rehearsed, as far as the audit knows.
pub(super) async fn look_at_backups(
    gateway: &Gateway,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let app = gateway.app();
    let taken = last(&app.store, Act::BackupMade, |_| true).await?;
    let fit = |drill: &Kept| drill.detail["result"] == "fit";
    let rehearsed = last(&app.store, Act::RestoreDrilled, fit).await?;
    judge_backups(taken, rehearsed, app.now(), findings);
    Ok(())
}

fn judge_backups(
    taken: Option<Timestamp>,
    rehearsed: Option<Timestamp>,
    now: Timestamp,
    findings: &mut Findings,
) {
    let code = "backup";
    let days = |at: Timestamp| now.duration_since(at).as_hours() / 24;
    match (taken.map(days), rehearsed.map(days)) {
        (None, _) => findings.look(
            code,
            "no backup of this database is known",
            "take one, and from then on by a timer: lanyard backup (docs/operate/backup.md); one by the database's own means is not known here",
        ),
        (Some(age), _) if age > OLD_BACKUP => findings.look(
            code,
            format!("the last known backup was taken {} ago", counted(age, "day")),
            "see why the timer takes none (docs/operate/backup.md)",
        ),
        (Some(age), None) => findings.look(
            code,
            format!(
                "the last backup was taken {} ago, and no restore is known to have been rehearsed",
                counted(age, "day")
            ),
            "rehearse one: lanyard restore FILE --drill --record RECORD, and take what it wrote in (docs/operate/backup.md)",
        ),
        (Some(_), Some(age)) if age > OLD_REHEARSAL => findings.look(
            code,
            format!("the last restore was rehearsed {} ago", counted(age, "day")),
            "rehearse one: lanyard restore FILE --drill --record RECORD, and take what it wrote in (docs/operate/backup.md)",
        ),
        (Some(taken), Some(rehearsed)) => findings.good(
            code,
            format!(
                "taken {} ago, its restore rehearsed {} ago",
                counted(taken, "day"),
                counted(rehearsed, "day")
            ),
        ),
    };
}

/// When such an act was last done; looks at the newest few.
async fn last(
    store: &Store,
    act: Act,
    counts: impl Fn(&Kept) -> bool,
) -> Result<Option<Timestamp>, StoreError> {
    let question = Question {
        act: Some(act.code()),
        limit: 50,
        ..Question::default()
    };
    let (entries, _) = audit::list(store, &question).await?;
    let newest = entries.iter().find(|entry| counts(entry));
    Ok(newest.and_then(|entry| Timestamp::from_second(entry.at).ok()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::State;
    use jiff::SignedDuration;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }

    fn ago(days: i64) -> Timestamp {
        now() - SignedDuration::from_hours(24 * days)
    }

    fn only(look: impl FnOnce(&mut Findings)) -> (State, String) {
        let mut findings = Findings::default();
        look(&mut findings);
        let one = findings.iter().next().unwrap();
        assert_eq!(findings.iter().count(), 1);
        (one.state, one.says.clone())
    }

    #[test]
    fn a_backup_counts_while_it_is_fresh_and_its_restore_was_rehearsed() {
        let told = |taken, rehearsed| only(|found| judge_backups(taken, rehearsed, now(), found));
        assert_eq!(
            told(Some(ago(1)), Some(ago(90))),
            (
                State::Good,
                "taken 1 day ago, its restore rehearsed 90 days ago".to_owned()
            )
        );
        for (taken, rehearsed, says) in [
            (None, Some(ago(1)), "no backup of this database is known"),
            (
                Some(ago(9)),
                Some(ago(1)),
                "the last known backup was taken 9 days ago",
            ),
            (
                Some(ago(0)),
                None,
                "the last backup was taken 0 days ago, and no restore is known to have been rehearsed",
            ),
            (
                Some(ago(8)),
                Some(ago(366)),
                "the last restore was rehearsed 366 days ago",
            ),
        ] {
            assert_eq!(told(taken, rehearsed), (State::Look, says.to_owned()));
        }
    }

    #[test]
    fn an_audit_without_a_checkpoint_of_these_days_is_told_and_one_that_is_false_is_bad() {
        let told = |standing: Standing| only(|found| judge_audit(&standing, now(), found));
        let well = Standing {
            position: 12,
            waits_since: None,
            checkpoint: Some(("2026-11-18".to_owned(), true)),
            key_reported: false,
            began: None,
        };
        let (state, says) = told(well.clone());
        assert_eq!(
            (state, says.as_str()),
            (State::Good, "12 places in the chain, signed on 2026-11-18")
        );
        let with = |checkpoint: Option<(&str, bool)>| {
            let checkpoint = checkpoint.map(|(day, is_so)| (day.to_owned(), is_so));
            told(Standing {
                checkpoint,
                ..well.clone()
            })
            .0
        };
        assert_eq!(with(Some(("2026-11-17", true))), State::Look);
        assert_eq!(with(Some(("2026-11-20", false))), State::Bad);
        assert_eq!(with(None), State::Look);
        // One whose key was reported is neither well nor forged, and one that is too old as well is told as that.
        let reported = |day: &str| {
            told(Standing {
                checkpoint: Some((day.to_owned(), true)),
                key_reported: true,
                ..well.clone()
            })
        };
        let (state, says) = reported("2026-11-20");
        assert_eq!(state, State::Look);
        assert!(says.contains("was reported compromised since"), "{says}");
        let (_, says) = reported("2026-11-17");
        assert_eq!(says, "the last signed checkpoint is of 2026-11-17");
        let unsigned = |minutes: i64| {
            let began = now() - SignedDuration::from_mins(minutes);
            told(Standing {
                checkpoint: None,
                began: Some(began),
                ..well.clone()
            })
        };
        for (minutes, says) in [
            (60, "no checkpoint was signed yet"),
            (
                61,
                "no checkpoint was signed within an hour of the first entry",
            ),
        ] {
            assert_eq!(unsigned(minutes), (State::Look, says.to_owned()));
        }
        let waits = |minutes: i64| {
            let since = now() - SignedDuration::from_mins(minutes);
            told(Standing {
                waits_since: Some(since),
                ..well.clone()
            })
            .0
        };
        assert_eq!((waits(5), waits(6)), (State::Good, State::Look));
        let nothing = Standing {
            position: 0,
            checkpoint: None,
            ..well
        };
        assert_eq!(told(nothing).0, State::Good);
    }
}
