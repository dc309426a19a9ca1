//! Decoys: places that no credential ever gets and that read revoked or suspended, so that a list does not tell how many
//! credentials are ([decision 0024](../../../../docs/decisions/0024-status-lists.md)).
//!
//! Which places, follows from a secret and the list's name: every process finds the same, always, and nobody else does.
//! How many there are differs from list to list, between a 64th and an eighth of its places; with one share for all, an
//! onlooker would take it off.

use standards::status_list::{Bits, Status, StatusList};

use super::LIST_SIZE;
use crate::seal::Seal;

/// Of 65,536 draws for a place: the fewest and the most that make it a decoy.
const FEWEST: u16 = 1 << 10;
const MOST: u16 = 1 << 13;
/// Of so many decoys one reads suspended.
const SUSPENDED: u16 = 16;

/// A list on which only the decoys are set.
pub(super) fn of(seal: &Seal, organisation: &str, list: i64) -> StatusList {
    let size = usize::try_from(LIST_SIZE).unwrap_or(0);
    let mut decoys = StatusList::new(Bits::Two, size);
    let block = |number| seal.decoys(organisation, list, number);
    let draws = |bytes: [u8; 32]| {
        let (pairs, _) = bytes.as_chunks::<2>();
        let draws: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
        draws
    };
    let share = FEWEST + draws(block(0))[0] % (MOST - FEWEST);
    let mut index = 0;
    for number in 1.. {
        for draw in draws(block(number)) {
            if index >= LIST_SIZE.unsigned_abs() {
                return decoys;
            }
            if draw < share {
                let suspended = draw.is_multiple_of(SUSPENDED);
                let status = if suspended {
                    Status::Suspended
                } else {
                    Status::Invalid
                };
                // Two bits hold either, and the place is in the list.
                let _ = decoys.set(index, status);
            }
            index += 1;
        }
    }
    decoys
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn seal(secret: &str) -> Seal {
        Seal::new(secret, []).unwrap()
    }

    fn count(list: &StatusList, status: Status) -> u64 {
        let entries = (0..list.entries()).filter(|index| list.find(*index) == Ok(status));
        entries.count() as u64
    }

    /// SEC-26.
    #[test]
    fn decoys_are_always_the_same_and_others_for_each_list_organisation_and_gateway() {
        let own = seal("Zm9yIHRlc3RzIG9ubHksIHRoZSBuZXdlciBvbmUu");
        let other = seal("Zm9yIHRlc3RzIG9ubHksIHRoZSBvbGRlciBvbmUu");
        let first = of(&own, "anytown", 1);
        assert_eq!(first, of(&own, "anytown", 1));
        for another in [
            of(&own, "anytown", 2),
            of(&own, "elsewhere", 1),
            of(&other, "anytown", 1),
        ] {
            assert_ne!(first, another);
        }
    }

    /// SEC-26: subtracting the usual number of decoys leaves nothing that tells.
    #[test]
    fn how_many_decoys_there_are_differs_widely_from_list_to_list() {
        let own = seal("Zm9yIHRlc3RzIG9ubHksIHRoZSBuZXdlciBvbmUu");
        let revoked: Vec<u64> = (1..=8)
            .map(|list| count(&of(&own, "anytown", list), Status::Invalid))
            .collect();
        let (least, most) = (revoked.iter().min().unwrap(), revoked.iter().max().unwrap());
        assert!(*least > 1_500 && *most < 16_500, "{revoked:?}");
        assert!(most - least > 2_000, "{revoked:?}");
        let suspended = count(&of(&own, "anytown", 1), Status::Suspended);
        assert!(suspended > 50 && suspended < revoked[0] / 8, "{suspended}");
    }
}
