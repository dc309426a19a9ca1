//! The list itself: packed entries, compressed. One codec; what the standards disagree about is a [`Layout`].

use std::fmt;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::{GzDecoder, ZlibDecoder};
use flate2::write::{GzEncoder, ZlibEncoder};

use crate::base64url;

/// Which end of a byte the first of its entries has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BitOrder {
    /// The lowest bits come first [Token Status List 4.1].
    LeastSignificantFirst,
    /// The highest bits come first: index 0 is 'the left-most bit' [Bitstring Status List 2.2].
    MostSignificantFirst,
}

/// What is put around the packed bytes before they are text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wrapping {
    /// DEFLATE in the ZLIB format [RFC 1950].
    Zlib,
    /// DEFLATE in the GZIP format [RFC 1952].
    Gzip,
}

/// How a standard writes a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Layout {
    /// The order of entries within a byte.
    pub order: BitOrder,
    /// The compressed format.
    pub wrapping: Wrapping,
    /// What stands before the base64url: multibase names its base by a letter.
    pub prefix: &'static str,
    /// The fewest bytes, inflated, that a list has.
    pub fewest_bytes: usize,
}

impl Layout {
    /// Token Status List, draft 21, 4.
    pub const TOKEN: Self = Self {
        order: BitOrder::LeastSignificantFirst,
        wrapping: Wrapping::Zlib,
        prefix: "",
        fewest_bytes: 0,
    };
    /// Bitstring Status List 1.0, 2.2: `u` is multibase for base64url, and a list has 16 KiB or more so that whoever
    /// fetches it does not tell whom it is about.
    pub const BITSTRING: Self = Self {
        order: BitOrder::MostSignificantFirst,
        wrapping: Wrapping::Gzip,
        prefix: "u",
        fewest_bytes: 16 * 1024,
    };
}

/// How many bits an entry has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bits {
    /// Valid or invalid.
    One,
    /// Suspended as well.
    Two,
    /// Sixteen values.
    Four,
    /// 256 values.
    Eight,
}

impl Bits {
    /// The number on the wire.
    pub fn number(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
            Self::Eight => 8,
        }
    }

    /// From the number on the wire.
    pub fn from_number(number: u64) -> Option<Self> {
        [Self::One, Self::Two, Self::Four, Self::Eight]
            .into_iter()
            .find(|bits| u64::from(bits.number()) == number)
    }

    fn in_a_byte(self) -> usize {
        8 / usize::from(self.number())
    }

    fn mask(self) -> u8 {
        u8::MAX >> (8 - self.number())
    }
}

/// The status of one credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// 0: as issued.
    Valid,
    /// 1: revoked, for good.
    Invalid,
    /// 2: revoked for the time being.
    Suspended,
    /// A value with a meaning of its own; never to be taken for valid.
    Other(u8),
}

impl Status {
    /// From the number in the list.
    pub fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Valid,
            1 => Self::Invalid,
            2 => Self::Suspended,
            other => Self::Other(other),
        }
    }

    /// The number in the list.
    pub fn number(self) -> u8 {
        match self {
            Self::Valid => 0,
            Self::Invalid => 1,
            Self::Suspended => 2,
            Self::Other(number) => number,
        }
    }
}

/// Why a list is refused, or does not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// Not base64url of data compressed as the standard says.
    #[error("the status list is not base64url of compressed data")]
    Encoding,
    /// Fewer entries than the standard's least [BS-01].
    #[error("the status list has fewer than {least} bytes")]
    TooShort {
        /// The fewest bytes, inflated.
        least: usize,
    },
    /// Inflates beyond the cap [SEC-25].
    #[error("the status list is larger than {limit} bytes")]
    TooLarge {
        /// The cap in bytes.
        limit: usize,
    },
    /// An index beyond the list [TS-05].
    #[error("the status index {index} is not in the list")]
    OutOfRange {
        /// The index asked for.
        index: u64,
    },
    /// A status that needs more bits than an entry has.
    #[error("the status {0} does not fit in an entry of this list")]
    DoesNotFit(u8),
}

/// A status list.
#[derive(Clone, PartialEq, Eq)]
pub struct StatusList {
    layout: Layout,
    bits: Bits,
    bytes: Vec<u8>,
}

impl StatusList {
    /// A list for a token, of at least this many entries, all valid.
    pub fn new(bits: Bits, entries: usize) -> Self {
        Self::new_in(Layout::TOKEN, bits, entries)
    }

    /// A list of at least this many entries, all valid, and of as many as the layout requires.
    pub fn new_in(layout: Layout, bits: Bits, entries: usize) -> Self {
        let length = entries.div_ceil(bits.in_a_byte()).max(layout.fewest_bytes);
        Self {
            layout,
            bits,
            bytes: vec![0; length],
        }
    }

    /// A list for a token from its packed bytes.
    pub fn from_bytes(bits: Bits, bytes: Vec<u8>) -> Self {
        Self {
            layout: Layout::TOKEN,
            bits,
            bytes,
        }
    }

    /// The packed bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How it is written.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Bits in an entry.
    pub fn bits(&self) -> Bits {
        self.bits
    }

    /// How many entries there are; the last byte counts in full.
    pub fn entries(&self) -> u64 {
        self.bytes.len() as u64 * self.bits.in_a_byte() as u64
    }

    /// The status at an index. An index beyond the list is an error, not 'valid'.
    pub fn find(&self, index: u64) -> Result<Status, ListError> {
        let (byte, shift) = self.place(index)?;
        Ok(Status::from_number(
            self.bytes[byte] >> shift & self.bits.mask(),
        ))
    }

    /// Sets the status at an index.
    pub fn set(&mut self, index: u64, status: Status) -> Result<(), ListError> {
        let (byte, shift) = self.place(index)?;
        let number = status.number();
        if number > self.bits.mask() {
            return Err(ListError::DoesNotFit(number));
        }
        self.bytes[byte] = self.bytes[byte] & !(self.bits.mask() << shift) | number << shift;
        Ok(())
    }

    /// The entries of one status as a bitstring: set where an entry of this list has it.
    #[must_use]
    pub fn bitstring_of(&self, status: Status) -> Self {
        let entries = usize::try_from(self.entries()).unwrap_or(usize::MAX);
        let mut bitstring = Self::new_in(Layout::BITSTRING, Bits::One, entries);
        for (at, &byte) in self.bytes.iter().enumerate() {
            // Most bytes of a list are nought, and what is valid stands in no bitstring.
            if byte == 0 {
                continue;
            }
            let first = (at * self.bits.in_a_byte()) as u64;
            for index in first..first + self.bits.in_a_byte() as u64 {
                if self.find(index) == Ok(status) {
                    let _ = bitstring.set(index, Status::Invalid);
                }
            }
        }
        bitstring
    }

    fn place(&self, index: u64) -> Result<(usize, u32), ListError> {
        let out_of_range = ListError::OutOfRange { index };
        let position = usize::try_from(index).map_err(|_| out_of_range.clone())?;
        let in_a_byte = self.bits.in_a_byte();
        let byte = position / in_a_byte;
        if byte >= self.bytes.len() {
            return Err(out_of_range);
        }
        let within = match self.layout.order {
            BitOrder::LeastSignificantFirst => position % in_a_byte,
            BitOrder::MostSignificantFirst => in_a_byte - 1 - position % in_a_byte,
        };
        // Below the entries in a byte; times their bits, below 8.
        let shift = within * usize::from(self.bits.number());
        Ok((byte, u32::try_from(shift).map_err(|_| out_of_range)?))
    }

    /// `lst` or `encodedList`: compressed and in base64url. Level 6 (ruling 22): level 9 costs ten times the time for a
    /// percent.
    pub fn encode(&self) -> String {
        let level = Compression::new(6);
        // Writing to memory does not fail.
        let compressed = match self.layout.wrapping {
            Wrapping::Zlib => {
                let mut encoder = ZlibEncoder::new(Vec::new(), level);
                encoder
                    .write_all(&self.bytes)
                    .and_then(|()| encoder.finish())
            }
            Wrapping::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), level);
                encoder
                    .write_all(&self.bytes)
                    .and_then(|()| encoder.finish())
            }
        };
        let text = base64url::encode(compressed.unwrap_or_default());
        format!("{}{text}", self.layout.prefix)
    }

    /// Reads `lst` of a token, refusing what inflates to more than `limit` bytes.
    pub fn decode(bits: Bits, lst: &str, limit: usize) -> Result<Self, ListError> {
        Self::decode_in(Layout::TOKEN, bits, lst, limit)
    }

    /// Reads a list written so, refusing what inflates to more than `limit` bytes or to less than the layout's least.
    pub fn decode_in(
        layout: Layout,
        bits: Bits,
        text: &str,
        limit: usize,
    ) -> Result<Self, ListError> {
        let text = text
            .strip_prefix(layout.prefix)
            .ok_or(ListError::Encoding)?;
        let compressed = base64url::decode(text).map_err(|_| ListError::Encoding)?;
        let bytes = match layout.wrapping {
            Wrapping::Zlib => inflated(ZlibDecoder::new(compressed.as_slice()), limit),
            Wrapping::Gzip => inflated(GzDecoder::new(compressed.as_slice()), limit),
        }?;
        if bytes.len() < layout.fewest_bytes {
            let least = layout.fewest_bytes;
            return Err(ListError::TooShort { least });
        }
        Ok(Self {
            layout,
            bits,
            bytes,
        })
    }
}

/// At most so many bytes are ever held, however many there would be [SEC-25].
fn inflated(decoder: impl Read, limit: usize) -> Result<Vec<u8>, ListError> {
    let mut bytes = Vec::new();
    let mut decoder = decoder.take(limit as u64 + 1);
    let read = decoder.read_to_end(&mut bytes);
    read.map_err(|_| ListError::Encoding)?;
    if bytes.len() > limit {
        return Err(ListError::TooLarge { limit });
    }
    Ok(bytes)
}

impl fmt::Debug for StatusList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StatusList({:?}, {} entries)", self.bits, self.entries())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ts_04_the_drafts_one_bit_list_has_these_bytes() {
        let statuses = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1];
        let mut list = StatusList::new(Bits::One, 16);
        for (index, status) in statuses.into_iter().enumerate() {
            list.set(index as u64, Status::from_number(status)).unwrap();
        }
        assert_eq!(list.as_bytes(), [0xb9, 0xa3]);
        let read = StatusList::decode(Bits::One, "eNrbuRgAAhcBXQ", 100).unwrap();
        assert_eq!(read, list);
        assert_eq!(
            StatusList::decode(Bits::One, &list.encode(), 100).unwrap(),
            list
        );
    }

    #[test]
    fn ts_03_the_drafts_two_bit_list_is_least_significant_first() {
        let statuses = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3];
        let list = StatusList::decode(Bits::Two, "eNo76fITAAPfAgc", 100).unwrap();
        assert_eq!(list.as_bytes(), [0xc9, 0x44, 0xf9]);
        for (index, status) in statuses.into_iter().enumerate() {
            assert_eq!(
                list.find(index as u64).unwrap().number(),
                status,
                "index {index}"
            );
        }
        assert_eq!(list.find(3).unwrap(), Status::Other(3));
    }

    #[test]
    fn ts_05_an_index_beyond_the_list_is_an_error() {
        let mut list = StatusList::new(Bits::Two, 5);
        assert_eq!(list.entries(), 8);
        assert_eq!(list.find(7), Ok(Status::Valid));
        for index in [8, u64::MAX] {
            assert_eq!(list.find(index), Err(ListError::OutOfRange { index }));
            assert_eq!(
                list.set(index, Status::Invalid),
                Err(ListError::OutOfRange { index })
            );
        }
        assert_eq!(list.set(0, Status::Other(4)), Err(ListError::DoesNotFit(4)));
    }

    #[test]
    fn setting_one_entry_leaves_its_neighbours() {
        for bits in [Bits::One, Bits::Two, Bits::Four, Bits::Eight] {
            let mut list = StatusList::from_bytes(bits, vec![0xff; 4]);
            let before = list.find(0).unwrap();
            list.set(1, Status::Valid).unwrap();
            assert_eq!(
                (list.find(0).unwrap(), list.find(1).unwrap()),
                (before, Status::Valid),
                "{bits:?}"
            );
            list.set(1, Status::Invalid).unwrap();
            assert_eq!(
                (list.find(1).unwrap(), list.find(2).unwrap()),
                (Status::Invalid, before),
                "{bits:?}"
            );
        }
    }

    #[test]
    fn sec_25_a_decompression_bomb_is_refused_at_the_cap() {
        let bomb = StatusList::new(Bits::Eight, 10_000_000).encode();
        assert!(bomb.len() < 20_000);
        assert_eq!(
            StatusList::decode(Bits::One, &bomb, 1000),
            Err(ListError::TooLarge { limit: 1000 })
        );
    }

    #[test]
    fn what_is_not_zlib_is_refused() {
        for lst in ["", "AAAA", "eNrbuRgAAhcBXQ==", "eNrbuRgAAhcBXA", "eNrbuRgA"] {
            assert_eq!(
                StatusList::decode(Bits::One, lst, 100),
                Err(ListError::Encoding),
                "{lst}"
            );
        }
    }
}
