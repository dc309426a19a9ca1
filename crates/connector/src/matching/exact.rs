//! The default policy: the same letters.

use super::spelling::Spelling;

/// Word by word from the first on, as far as the shorter side goes: one system keeps all first names
/// where another keeps one.
pub(super) fn first_names_agree(on_record: &Spelling, in_credential: &Spelling) -> bool {
    on_record
        .words()
        .zip(in_credential.words())
        .all(|(one, other)| one == other)
}

/// The whole surname.
pub(super) fn surnames_agree(on_record: &Spelling, in_credential: &Spelling) -> bool {
    on_record == in_credential
}
