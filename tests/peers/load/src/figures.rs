//! What a load took.

use serde::{Deserialize, Serialize};

/// What a load took.
#[derive(Serialize, Deserialize, Debug, Clone, Default)]
pub struct Figures {
    pub operations: u64,
    /// Nanoseconds on the clock.
    pub wall: u64,
    /// Nanoseconds of processor time of the process that ran the load.
    pub client: u64,
    pub latencies: Latencies,
}

impl Figures {
    /// Operations per second.
    pub fn throughput(&self) -> f64 {
        self.operations as f64 * 1e9 / self.wall.max(1) as f64
    }

    /// Nanoseconds of processor time of the client per operation.
    pub fn client_each(&self) -> f64 {
        self.client as f64 / self.operations.max(1) as f64
    }
}

/// How long operations took, to three percent: buckets of 32 per power of two.
#[derive(Serialize, Deserialize, Debug, Clone, Default)]
pub struct Latencies {
    counts: Vec<u32>,
}

const STEPS: u32 = 32;

impl Latencies {
    pub fn new() -> Self {
        Self { counts: vec![0; bucket(u64::MAX) + 1] }
    }

    pub fn record(&mut self, nanoseconds: u64) {
        if let Some(count) = self.counts.get_mut(bucket(nanoseconds)) {
            *count += 1;
        }
    }

    pub fn add(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
    }

    /// The nanoseconds that this share of the operations stayed within.
    pub fn quantile(&self, share: f64) -> f64 {
        let all: u64 = self.counts.iter().map(|count| u64::from(*count)).sum();
        let wanted = (all as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += u64::from(*count);
            if seen >= wanted.max(1) {
                return upper(bucket);
            }
        }
        0.0
    }
}

fn bucket(nanoseconds: u64) -> usize {
    if nanoseconds < u64::from(STEPS) {
        return nanoseconds as usize;
    }
    let power = nanoseconds.ilog2() - STEPS.ilog2();
    (power * STEPS) as usize + (nanoseconds >> power) as usize
}

fn upper(bucket: usize) -> f64 {
    let steps = STEPS as usize;
    if bucket < steps {
        return bucket as f64;
    }
    let power = bucket / steps - 1;
    ((bucket - power * steps + 1) as f64) * 2_f64.powi(power as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_three_percent() {
        let mut latencies = Latencies::new();
        (1..=100_000).for_each(|nanoseconds| latencies.record(nanoseconds));
        for (share, exact) in [(0.5, 50_000.0), (0.99, 99_000.0), (0.999, 99_900.0)] {
            let found = latencies.quantile(share);
            assert!((found / exact - 1.0).abs() < 0.035, "{share}: {found}");
        }
        latencies.record(u64::MAX);
    }
}
