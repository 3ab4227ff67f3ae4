//! The keys of numbered sessions, in no order, and which of them were met.

/// Odd, so that each number has a key of its own and each key a number.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// What [`FACTOR`] is to be multiplied by to become one.
const INVERSE: u64 = inverse();

const fn inverse() -> u64 {
    let (mut inverse, mut step) = (FACTOR, 0);
    // Each step makes twice as many bits right, of which three are.
    while step < 5 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(FACTOR.wrapping_mul(inverse)));
        step += 1;
    }
    inverse
}

pub(crate) fn key(number: u32) -> String {
    format!("{:016x}", u64::from(number).wrapping_mul(FACTOR))
}

pub(crate) fn number(key: &str) -> Option<u32> {
    u32::try_from(u64::from_str_radix(key, 16).ok()?.wrapping_mul(INVERSE)).ok()
}

/// Which sessions were met.
#[derive(Debug)]
pub(crate) struct Met {
    met: Vec<bool>,
    left: u32,
}

impl Met {
    pub(crate) fn none(of: u32) -> Self {
        Self { met: (0..of).map(|_| false).collect(), left: of }
    }

    /// Whether a session was met for the first time, and is one of ours.
    pub(crate) fn meet(&mut self, key: &str) -> bool {
        let place = number(key).and_then(|number| usize::try_from(number).ok());
        let Some(met) = place.and_then(|place| self.met.get_mut(place)).filter(|met| !**met) else { return false };
        *met = true;
        self.left = self.left.saturating_sub(1);
        true
    }

    pub(crate) fn are_all(&self) -> bool {
        self.left == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_tells_its_number_and_is_met_once() {
        assert!((0..1000).all(|each| number(&key(each)) == Some(each)));
        let mut met = Met::none(100);
        for each in 0..100 {
            assert!(!met.are_all());
            assert!(met.meet(&key(each)) && !met.meet(&key(each)));
        }
        assert!(met.are_all() && !met.meet("what") && !met.meet(&key(100_000)));
    }
}
