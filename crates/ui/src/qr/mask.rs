//! Which of the eight masks a camera reads best. [ISO/IEC 18004 7.8.3]
//!
//! Every mask is judged, as the standard asks; but a row of modules is one number here, so that a judgement is a few
//! operations for a row and not some for each module. The format information, thirty modules that say which mask it is,
//! counts as light: it is drawn when the mask is known.

use qrcode::canvas::{Canvas, MaskPattern, Module};

/// The masks by their numbers. [ISO/IEC 18004 table 10]
const MASKS: [MaskPattern; 8] = [
    MaskPattern::Checkerboard,
    MaskPattern::HorizontalLines,
    MaskPattern::VerticalLines,
    MaskPattern::DiagonalLines,
    MaskPattern::LargeCheckerboard,
    MaskPattern::Fields,
    MaskPattern::Diamonds,
    MaskPattern::Meadow,
];
/// After so many rows and columns every mask is at its beginning again.
const PERIOD: usize = 12;
/// The modules of a line that one number holds: a symbol of version 11 has 61.
pub(super) const WIDEST: usize = 64;

/// What each mask turns, line by line: in the first half for rows, in the second for columns.
const TURNED: [[[u64; PERIOD]; 8]; 2] = [turned(false), turned(true)];

/// A symbol that no mask has been applied to, of at most [`WIDEST`] modules a side.
struct Symbol {
    side: usize,
    /// Rows, then columns.
    dark: [[u64; WIDEST]; 2],
    /// Where masks apply.
    free: [[u64; WIDEST]; 2],
}

/// The mask with the least penalty; the first of several.
pub(super) fn best(canvas: &Canvas, side: usize) -> MaskPattern {
    MASKS[Symbol::read(canvas, side).best()]
}

impl Symbol {
    fn best(&self) -> usize {
        let penalties = (0..MASKS.len()).map(|mask| self.penalty(mask));
        let least = penalties.enumerate().min_by_key(|(_, penalty)| *penalty);
        least.map_or(0, |(mask, _)| mask)
    }

    fn read(canvas: &Canvas, side: usize) -> Self {
        let mut symbol = Self {
            side,
            dark: [[0; WIDEST]; 2],
            free: [[0; WIDEST]; 2],
        };
        for (y, at_y) in (0..side).zip(0_i16..) {
            for (x, at_x) in (0..side).zip(0_i16..) {
                let module = canvas.get(at_x, at_y);
                let (dark, free) = (module.is_dark(), !matches!(module, Module::Masked(_)));
                for (lines, (line, at)) in [(y, x), (x, y)].into_iter().enumerate() {
                    symbol.dark[lines][line] |= u64::from(dark) << at;
                    symbol.free[lines][line] |= u64::from(free) << at;
                }
            }
        }
        symbol
    }

    fn penalty(&self, mask: usize) -> u32 {
        let full = u64::MAX >> (WIDEST - self.side);
        let mut penalty = 0;
        let mut dark = 0;
        for (lines, turned) in TURNED.iter().enumerate() {
            let masked = |line: usize| {
                let turned = turned[mask][line % PERIOD];
                self.dark[lines][line] ^ (turned & self.free[lines][line])
            };
            let mut before = None;
            for line in (0..self.side).map(masked) {
                penalty += runs(line) + runs(!line & full) + finders(line);
                if lines == 0 {
                    dark += line.count_ones();
                    penalty += before.map_or(0, |before| blocks(before, line, full));
                    before = Some(line);
                }
            }
        }
        let all = full.count_ones() * full.count_ones();
        // Ten for each whole twentieth that the dark modules are away from half of all.
        penalty + 10 * ((20 * dark).abs_diff(10 * all) / all)
    }
}

/// Five modules in a row of the one colour cost 3, each further one 1.
fn runs(line: u64) -> u32 {
    let pairs = line & (line >> 1);
    let fives = pairs & (pairs >> 2) & (line >> 4);
    // As often as one begins here and none began one module before.
    let begun = fives & !(fives << 1);
    fives.count_ones() + 2 * begun.count_ones()
}

/// What looks like the middle of a finder pattern costs 40, once for each side where four light modules are beside it.
/// Beyond the edge all is light.
fn finders(line: u64) -> u32 {
    let alike =
        line & !(line >> 1) & (line >> 2) & (line >> 3) & (line >> 4) & !(line >> 5) & (line >> 6);
    let before = (line << 1) | (line << 2) | (line << 3) | (line << 4);
    let after = (line >> 7) | (line >> 8) | (line >> 9) | (line >> 10);
    40 * ((alike & !before).count_ones() + (alike & !after).count_ones())
}

/// Each block of two by two in one colour costs 3.
fn blocks(above: u64, below: u64, full: u64) -> u32 {
    let even = |line: u64| !(line ^ (line >> 1));
    3 * (even(above) & even(below) & !(above ^ below) & (full >> 1)).count_ones()
}

const fn turned(columns: bool) -> [[u64; PERIOD]; 8] {
    let mut all = [[0; PERIOD]; 8];
    let mut mask = 0;
    while mask < 8 {
        let mut line = 0;
        while line < PERIOD {
            let mut at = 0;
            while at < WIDEST {
                let (x, y) = if columns { (line, at) } else { (at, line) };
                if turns(mask, x, y) {
                    all[mask][line] |= 1 << at;
                }
                at += 1;
            }
            line += 1;
        }
        mask += 1;
    }
    all
}

/// Whether a mask turns the module in that column and row. [ISO/IEC 18004 table 10]
#[allow(clippy::manual_is_multiple_of)] // the standard's own formulas
const fn turns(mask: usize, x: usize, y: usize) -> bool {
    match mask {
        0 => (x + y) % 2 == 0,
        1 => y % 2 == 0,
        2 => x % 3 == 0,
        3 => (x + y) % 3 == 0,
        4 => (y / 2 + x / 3) % 2 == 0,
        5 => (x * y) % 2 + (x * y) % 3 == 0,
        6 => ((x * y) % 2 + (x * y) % 3) % 2 == 0,
        _ => ((x + y) % 2 + (x * y) % 3) % 2 == 0,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use qrcode::Color;

    const LINKS: [&str; 5] = [
        "a",
        "http://localhost:8400/w/AAAAAAAAAAAAAAAAAAAAAA",
        "https://gateway.example/w/Zm9yIHRlc3RzIG9ubHks",
        "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fgateway.example%2Fo%2FAAAAAAAAAAAAAAAAAAAAAA",
        "openid4vp://?client_id=decentralized_identifier%3Adid%3Aweb%3Alocalhost&request_uri=http%3A%2F%2Fx",
    ];

    fn unmasked(text: &str) -> (Canvas, usize) {
        super::super::unmasked(text).unwrap()
    }

    /// The modules after the library applied that mask, its format information light as it is before.
    fn masked(canvas: &Canvas, side: usize, mask: usize) -> Vec<Vec<bool>> {
        let mut after = canvas.clone();
        after.apply_mask(MASKS[mask]);
        let side = i16::try_from(side).unwrap();
        let module = |x, y| match canvas.get(x, y) {
            Module::Masked(color) => color == Color::Dark,
            _ => after.get(x, y).is_dark(),
        };
        (0..side)
            .map(|y| (0..side).map(|x| module(x, y)).collect())
            .collect()
    }

    /// The sum as the standard tells it, module by module.
    fn penalty(modules: &[Vec<bool>]) -> u32 {
        let side = modules.len();
        let columns: Vec<Vec<bool>> = (0..side)
            .map(|x| modules.iter().map(|row| row[x]).collect())
            .collect();
        let mut penalty = 0;
        for line in modules.iter().chain(&columns) {
            for run in line.chunk_by(|a, b| a == b) {
                let length = u32::try_from(run.len()).unwrap();
                penalty += if length < 5 { 0 } else { length - 2 };
            }
            let light = [false; 4];
            let zoned = [&light, line.as_slice(), &light].concat();
            for window in zoned.windows(11) {
                let finder = [true, false, true, true, true, false, true];
                penalty += 40 * u32::from(window[..4] == light && window[4..] == finder);
                penalty += 40 * u32::from(window[..7] == finder && window[7..] == light);
            }
        }
        for (y, x) in (1..side).flat_map(|y| (1..side).map(move |x| (y, x))) {
            let block = [
                modules[y - 1][x - 1],
                modules[y - 1][x],
                modules[y][x - 1],
                modules[y][x],
            ];
            penalty += 3 * u32::from(block.iter().all(|module| *module == block[0]));
        }
        let dark = modules.iter().flatten().filter(|module| **module).count();
        let percent = 100.0 * f64::from(u32::try_from(dark).unwrap())
            / f64::from(u32::try_from(side * side).unwrap());
        penalty
            + 10 * (0..10)
                .filter(|step| (percent - 50.0).abs() >= f64::from(5 * (step + 1)))
                .fold(0, |steps, _| steps + 1)
    }

    #[test]
    fn a_mask_costs_what_the_standard_says_and_the_cheapest_is_taken() {
        for link in LINKS {
            let (canvas, side) = unmasked(link);
            let symbol = Symbol::read(&canvas, side);
            let all: Vec<u32> = (0..8)
                .map(|mask| penalty(&masked(&canvas, side, mask)))
                .collect();
            let ours: Vec<u32> = (0..8).map(|mask| symbol.penalty(mask)).collect();
            assert_eq!(ours, all, "{link}");
            let least = all.iter().position(|one| Some(one) == all.iter().min());
            assert_eq!(Some(symbol.best()), least, "{link}");
        }
    }

    #[test]
    fn the_widest_symbol_is_judged_too() {
        let (canvas, side) = unmasked(&"x".repeat(250));
        assert_eq!(side, 61);
        let symbol = Symbol::read(&canvas, side);
        for mask in 0..8 {
            let expected = penalty(&masked(&canvas, side, mask));
            assert_eq!(symbol.penalty(mask), expected, "mask {mask}");
        }
    }
}
