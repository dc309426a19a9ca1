//! What a person has been asked on a page and has not answered yet, and what came of the last answers.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::{Opened, Question, Scanned};

/// More open questions than this are not kept: the oldest goes.
const MOST: usize = 200;

/// One question on its way from the link to the result.
enum Stage {
    Asked(Box<Opened>, Question),
    Answering,
    Answered(Scanned),
}

/// What a page shows of a question.
pub(super) enum Shown {
    Asked(Question),
    Answering,
    Answered(Scanned),
}

struct Entry {
    holder: String,
    id: String,
    stage: Stage,
}

/// The open questions, oldest first.
#[derive(Default)]
pub(super) struct Questions {
    entries: Mutex<(u64, BTreeMap<u64, Entry>)>,
}

impl Questions {
    pub(super) fn insert(&self, holder: &str, id: &str, opened: Opened, question: Question) {
        let entry = Entry {
            holder: holder.to_owned(),
            id: id.to_owned(),
            stage: Stage::Asked(Box::new(opened), question),
        };
        let mut guard = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let (next, entries) = &mut *guard;
        entries.insert(*next, entry);
        *next += 1;
        if entries.len() > MOST {
            entries.pop_first();
        }
    }

    pub(super) fn find(&self, holder: &str, id: &str) -> Option<Shown> {
        self.with(holder, id, |stage| match stage {
            Stage::Asked(_, question) => Shown::Asked(question.clone()),
            Stage::Answering => Shown::Answering,
            Stage::Answered(scanned) => Shown::Answered(scanned.clone()),
        })
    }

    /// Takes what was asked in order to answer it, once: a second press of the button finds nothing.
    pub(super) fn take(&self, holder: &str, id: &str) -> Option<Opened> {
        self.with(holder, id, |stage| {
            match std::mem::replace(stage, Stage::Answering) {
                Stage::Asked(opened, _) => Some(*opened),
                other => {
                    *stage = other;
                    None
                }
            }
        })?
    }

    pub(super) fn answered(&self, holder: &str, id: &str, scanned: Scanned) {
        self.with(holder, id, |stage| *stage = Stage::Answered(scanned));
    }

    fn with<T>(&self, holder: &str, id: &str, read: impl FnOnce(&mut Stage) -> T) -> Option<T> {
        let mut guard = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let mut entries = guard.1.values_mut();
        entries
            .find(|entry| entry.id == id && entry.holder == holder)
            .map(|entry| read(&mut entry.stage))
    }
}
