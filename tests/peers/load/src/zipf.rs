//! Which session comes next, when few are used often and many rarely.

/// The generator `SplitMix64` of Steele, Lea and Flood (2014): the same numbers on every machine.
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; the bounds are so small that the bias cannot be seen.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.number() % bound.max(1)
    }

    /// From 0 to 1.
    pub fn share(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Zipf's law with exponent 1: the session of rank r comes with a probability in proportion to 1/r.
#[derive(Debug, Clone)]
pub struct Zipf {
    of: u32,
    scale: f64,
}

impl Zipf {
    pub fn new(of: u32) -> Self {
        Self { of, scale: (f64::from(of) + 1.0).ln() }
    }

    /// A rank from 0, by inverting the integral of 1/r.
    pub fn draw(&self, random: &mut Random) -> u32 {
        let rank = (random.share() * self.scale).exp() as u32;
        rank.saturating_sub(1).min(self.of.saturating_sub(1))
    }
}
